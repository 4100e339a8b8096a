/** R-to-R intervals of the MAX30003: each once, never invented, whatever the host or the bus does (p. 28, 59, 60, 64). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SETTLING,
  type Frame,
} from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, fifo, play, read, type Turn, write } from "./max30003-script.ts";
import { followStreams } from "./streams.ts";

const GEN = 0x081217;
const STEP = 7812.5;

/** Falls by two codes a sample at gain 20 and 256 sps, so that no sample is like another. */
const drift = (sinceStart: number) => (-2 * Math.round(256 * sinceStart)) / (20 * 131072);
/** Beats of 1 mV and 40 ms at these times, s since the start. */
const beats = (times: readonly number[]) => (_: number, sinceStart: number) => {
  let volts = 0;
  for (const at of times) volts += Math.max(0, 1 - Math.abs(sinceStart - at) / 0.02) / 1000;
  return volts;
};
/** Times of beats that are so many steps of 1/128 s apart, from half a second on. */
const spaced = (steps: readonly number[]) => {
  const times = [0.5];
  for (const one of steps) times.push(times[times.length - 1] + one / 128);
  return times;
};

/** A wired driver that was opened by script, with intervals, and what it looks at. */
function opened(configuration = {}) {
  const driver = chip.create({ rrInterval: true, ...configuration }, { interrupt: true });
  const frame = driver.createFrame();
  const registers = [
    [0x10, GEN],
    [0x12, 0x004800],
    [0x14, 0x000000],
    [0x15, 0x400000],
    [0x04, 0x580014], // CLR_RRINT 01: RTOR's reading clears it
    [0x05, 0xbf0000],
    [0x02, 0x800003],
    [0x1d, 0x3fa300], // the chip's defaults and EN_RTOR
    [0x1e, 0x202400],
  ];
  play(driver.open(), frame, [
    { ops: [read(0x01), read(0x0f)], replies: [answer(0), answer(0x513000)] },
    { ops: [write(0x08, 0)] },
    { ops: registers.map(([register, value]) => write(register, value)) },
    { ops: [read(0x01)], replies: [answer(0)] },
    { ops: registers.map(([register]) => read(register)), replies: registers.map(([, value]) => answer(value)) },
    { ops: [write(0x09, 0)], at: 1_000_000 },
  ]);
  const [ecg, interval] = frame.channels;
  const clear = () => {
    for (const block of frame.channels) block.count = block.lost = block.flags = 0;
    frame.faults.length = 0;
  };
  return { driver, frame, ecg, interval, clear };
}
const check = [read(0x01), read(0x10)];
const status = (bits: number) => [answer(bits), answer(GEN)];
/** A poll that finds no words, and an R event. */
const event = (at: number, value: number, bits = 0x400): Turn[] => [
  { ops: check, replies: status(bits), at },
  { ops: [read(0x25), ...check], replies: [answer(value << 10), ...status(0)], at: at + 100 },
];

describe("MAX30003 R-to-R transactions", () => {
  test("RTOR is read only where RRINT says that there is something, and behind the words", () => {
    const { driver, frame, ecg, interval, clear } = opened();
    play(driver.poll(), frame, [{ ops: check, replies: status(0), at: 1_060_000 }]);
    play(driver.poll(), frame, event(1_120_000, 77));
    expect(interval.count).toBe(0); // nothing came before it
    clear();
    const words = answer(...new Array(11).fill(fifo(7, 0)), fifo(7, 2));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000), at: 1_900_000 },
      { ops: [read(0x20, 12), ...check], replies: [words, ...status(0x400)], at: 1_901_000 },
      { ops: [read(0x25), ...check], replies: [answer(103 << 10), ...status(0x400)], at: 1_902_000 },
    ]);
    expect(ecg).toMatchObject({ count: 12, lost: 0 });
    expect(interval.samples[0]).toBe(103);
    // Between the look of 1.9 s that did not know of it and the last one before it was read, and the next came.
    expect(interval).toMatchObject({ count: 1, index: 0, lost: 0, flags: 0, time: 1_901_000, uncertainty: 1000 });
    expect(frame.faults).toEqual([]);
    clear();
    // RRINT was set again with that reading: it is looked at with the next poll, not twice in one.
    play(driver.poll(), frame, event(1_962_000, 40, 0x400));
    expect(interval).toMatchObject({
      count: 1,
      index: 1,
      lost: 0,
      time: (1_902_000 + 1_962_000) / 2,
      uncertainty: 30_000,
    });
  });

  test("the first event after SYNCH ends no interval, also when it is the second that is read", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_500_000, 20)); // 0.5 s without a look, 0.16 s on the timer: there was another one
    expect(interval).toMatchObject({ count: 0, lost: -1 });
    clear();
    play(driver.poll(), frame, event(1_560_000, 100));
    expect(interval).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test.each([
    [1, 1],
    [8191, 8191],
    [8192, 8192],
    [16382, 16382],
  ])("RTOR %i is an interval of so many steps, unsigned, left-justified (p. 64)", (value, expected) => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, event(1_055_000, value));
    expect(interval.count).toBe(1);
    expect(interval.samples[0]).toBe(expected);
  });

  test("0x3FFF is the timer's overflow: told, no interval, and what comes next is none either (p. 64)", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, event(1_100_000, 0x3fff));
    expect(interval).toMatchObject({ count: 0, lost: -1 });
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message:
          "MAX30003: R-to-R timer over: no R event within 128 s; look at the electrodes, or lower rrInterval.threshold",
      },
    ]);
    clear();
    play(driver.poll(), frame, event(1_150_000, 500));
    expect(interval).toMatchObject({ count: 0, lost: 0 });
    play(driver.poll(), frame, event(1_200_000, 99));
    expect(interval.count).toBe(1);
    expect(interval.samples[0]).toBe(99);
  });

  test("behind an overflow of the FIFO, too, the event is read", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x400400), at: 1_300_000 },
      { ops: [write(0x0a, 0)], at: 1_300_100 },
      { ops: [read(0x25), ...check], replies: [answer(70 << 10), ...status(0)], at: 1_300_200 },
    ]);
    expect(interval).toMatchObject({ count: 1, lost: 0, time: (1_050_100 + 1_300_000) / 2 });
    clear();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x400400), at: 1_400_000 },
      { ops: [write(0x0a, 0)], fails: true, at: 1_400_100 },
    ]);
    expect(interval.count).toBe(0);
    play(driver.poll(), frame, event(2_300_000, 70)); // RRINT of then, or of a later one
    expect(interval).toMatchObject({ count: 1, lost: -1, time: (1_300_200 + 2_300_000) / 2 });
  });

  test("a 0 is no interval", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, event(1_100_000, 0));
    expect(interval).toMatchObject({ count: 0, lost: -1 });
  });

  test("between two looks that are further apart than the interval another one may have been", () => {
    for (const [value, lost] of [
      [64, -1],
      [65, -1],
      [66, 0],
    ]) {
      const { driver, frame, interval, clear } = opened();
      play(driver.poll(), frame, event(1_050_000, 100));
      clear();
      // 64 steps are 500 ms; RTOR is read 0.1 ms after the look.
      play(driver.poll(), frame, event(1_050_100 + 64 * STEP, value));
      expect(interval).toMatchObject({ count: 1, lost });
    }
  });

  test("a reading of RTOR that fails gives nothing and says so; the event is looked for again, as old as it may be", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x400), at: 1_100_000 },
      { ops: [read(0x25), ...check], fails: true, at: 1_100_100 },
    ]);
    expect(interval).toMatchObject({ count: 0, lost: -1 });
    clear();
    play(driver.poll(), frame, event(1_160_000, 90));
    expect(interval).toMatchObject({ count: 1, index: 0, lost: 0, time: (1_050_100 + 1_160_000) / 2 });
    expect(interval.uncertainty).toBe((1_160_000 - 1_050_100) / 2);
  });

  test("a reading of the very first event that fails does not make the next one an interval", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x400), at: 1_100_000 },
      { ops: [read(0x25), ...check], fails: true, at: 1_100_100 },
    ]);
    clear();
    play(driver.poll(), frame, event(1_160_000, 13)); // it is still there
    expect(interval.count).toBe(0);
    clear();
    play(driver.poll(), frame, event(1_220_000, 90));
    expect(interval).toMatchObject({ count: 1, lost: 0 });
  });

  test.each([
    [0x000000, FAULT_BUS],
    [0xffffff, FAULT_BUS],
    [0x000004, FAULT_RESTARTED],
  ])("beside a CNFG_GEN of %i, RTOR is no interval", (general, code) => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x400), at: 1_100_000 },
      { ops: [read(0x25), ...check], replies: [answer(general), answer(general), answer(general)], at: 1_100_100 },
    ]);
    expect(interval.count).toBe(0);
    expect(frame).toMatchObject({ restart: true, faults: [{ code }] });
    frame.restart = false;
  });

  test("an interval has the quality of the samples in it", () => {
    const { driver, frame, interval, clear } = opened();
    const words = (tag: number) => answer(...new Array(11).fill(fifo(7, tag)), fifo(7, 2 | tag));
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000), at: 1_100_000 },
      { ops: [read(0x20, 12), ...check], replies: [words(1), ...status(0x000008)], at: 1_101_000 },
    ]);
    clear();
    play(driver.poll(), frame, event(1_160_000, 90));
    expect(interval.flags).toBe(FLAG_SETTLING | FLAG_LEAD_OFF);
    clear();
    play(driver.poll(), frame, event(1_220_000, 90));
    expect(interval.flags).toBe(0);
  });

  test("close hands over an interval that waits", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    clear();
    play(driver.close(), frame, [
      { ops: [write(0x10, 0x000004)], at: 1_100_000 },
      {
        ops: [read(0x20, 32), ...check],
        replies: [answer(...new Array(32).fill(fifo(0, 6))), answer(0x400), answer(0x000004)],
        at: 1_100_200,
      },
      { ops: [read(0x25), ...check], replies: [answer(88 << 10), answer(0), answer(0x000004)], at: 1_100_400 },
      { ops: [write(0x08, 0)], at: 1_100_600 },
    ]);
    expect(interval).toMatchObject({ count: 1, index: 0, lost: 0 });
    expect(interval.samples[0]).toBe(88);
    expect(frame.faults).toEqual([]);
    expect(play(driver.poll(), frame, [{ ops: check, replies: [answer(0), answer(0x000004)] }]).restart).toBe(true);
  });

  test("what follows a SYNCH is no interval with what was before: RTOR is read behind it", () => {
    const { driver, frame, interval, clear } = opened();
    play(driver.poll(), frame, event(1_050_000, 100));
    const next = { ...driver.configuration, leadOff: 0 };
    play(driver.reconfigure(next)!, frame, [
      { ops: [write(0x10, 0x080017), write(0x09, 0), read(0x25)], at: 1_100_000 },
    ]);
    clear();
    const now = (bits: number) => [answer(bits), answer(0x080017)];
    for (const [at, value, count, lost] of [
      [1_150_000, 30, 0, -1],
      [1_200_000, 90, 1, 0],
    ]) {
      play(driver.poll(), frame, [
        { ops: check, replies: now(0x400), at },
        { ops: [read(0x25), ...check], replies: [answer(value << 10), ...now(0)], at: at + 100 },
      ]);
      expect(interval).toMatchObject({ count, lost });
      clear();
    }
  });
});

describe("MAX30003 R-to-R against the emulator", () => {
  /** Polls like a reader for `seconds`; every frame goes to `follow`. */
  const run = (bench: ReturnType<typeof createBench>, seconds: number, follow: (frame: Frame) => void) => {
    for (const until = bench.clock.now + seconds * 1e6; bench.clock.now < until; ) {
      bench.wait(bench.driver.pollEvery);
      follow(bench.run(bench.driver.poll()));
    }
  };

  test.each([
    [256, 78125, -7],
    [512, 78125, -7],
    [128, 78125, -7],
    [250, 8, -3],
    [200, 8, -3],
  ])("at %i sps the intervals of known beats come back, each once, in s", (sampleRate, mul, exp10) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, rrInterval: true } });
    const [, channel] = bench.driver.channels();
    expect(channel).toMatchObject({
      name: "rrInterval",
      mdc: 147240,
      rate: 0,
      waveform: false,
      unit: "s",
      offset: 0,
      bits: 14,
      minimum: 1,
      maximum: 16382,
      mul,
      exp10,
      processing: 2,
    });
    const step = (mul * 10 ** exp10) as number;
    const lengths = [100, 100, 100, 100, 80, 120, 90, 110, 60, 140];
    const times = [0.5];
    for (const one of lengths) times.push(times[times.length - 1] + one * step);
    bench.emulator.set("ecg", beats(times));
    const streams = followStreams(bench.emulator, bench.driver.channels());
    bench.run(bench.driver.open());
    const got: number[] = [];
    const indices: number[] = [];
    run(bench, 10, (frame) => {
      streams.follow(frame);
      expect(frame.faults).toEqual([]);
      const block = frame.channels[1];
      for (let i = 0; i < block.count; i++) got.push(block.samples[i]);
      if (block.count > 0) indices.push(block.index);
    });
    streams.end(bench.run(bench.driver.close()));
    // The detector learns for two seconds, and the first event that it finds ends no interval.
    const found = lengths.slice(-got.length);
    expect(got.length).toBeGreaterThanOrEqual(6);
    expect(indices).toEqual(got.map((_, i) => i));
    // 200 sps are no multiple of the detector's 125: a beat is found a step early or late.
    const worst = got.map((value, i) => Math.abs(value - found[i]));
    expect(Math.max(...worst)).toBeLessThanOrEqual(sampleRate === 200 ? 1 : 0);
  });

  test("without rrInterval there is one channel and the detector is off", () => {
    const bench = createBench(chip, emulated, { configuration: { rrInterval: false } });
    expect(bench.driver.channels()).toHaveLength(1);
    expect(bench.driver.createFrame().channels).toHaveLength(1);
  });

  test("whenever it is polled, every interval is handed over, or its loss is told", () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 5, max: 60 }), { minLength: 20, maxLength: 60 }),
      fc.uniqueArray(fc.integer({ min: 40, max: 160 }), { minLength: 12, maxLength: 12 }),
      fc.boolean(),
      (waits, lengths, interrupt) => {
        const bench = createBench(chip, emulated, { configuration: { rrInterval: true }, interrupt });
        const signal = beats(spaced(lengths));
        bench.emulator.set("ecg", (time, sinceStart) => signal(time, sinceStart) + drift(sinceStart));
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        bench.wait(2000); // it learns; the FIFO overflows
        for (const wait of waits) {
          // From a fraction of a poll to nine of them.
          bench.wait((wait / 60) ** 3 * 9 * bench.driver.pollEvery);
          streams.follow(bench.run(bench.driver.poll()));
        }
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 7, numRuns: 40 });
  });

  test("a bus that fails at any operation of a poll that finds a beat loses none silently, and invents none", () => {
    const start = (failing: number, after: number) => {
      const bench = createBench(chip, emulated, { configuration: { rrInterval: true }, interrupt: true });
      const signal = beats(spaced(Array.from({ length: 20 }, (_, i) => 90 + ((5 * i) % 21))));
      bench.emulator.set("ecg", (time, sinceStart) => signal(time, sinceStart) + drift(sinceStart));
      const streams = followStreams(bench.emulator, bench.driver.channels());
      bench.run(bench.driver.open());
      let waits = false;
      const { onConvert } = bench.emulator;
      bench.emulator.onConvert = (name, code, at) => {
        onConvert?.(name, code, at);
        if (name === "rrInterval" && at > 4e6) waits = true;
      };
      while (!waits) {
        for (let i = 0; i < 12 && !waits; i++) bench.clock.step();
        if (!waits) streams.follow(bench.run(bench.driver.poll()));
      }
      let at = 0;
      bench.board.busFault = () => (at++ === failing ? { kind: "bus", after } : null);
      streams.follow(bench.run(bench.driver.poll()));
      bench.board.busFault = null;
      const faults = bench.frame.faults.slice();
      run(bench, 3, streams.follow);
      streams.end(bench.run(bench.driver.close()));
      return { operations: at, faults };
    };
    const clean = start(-1, 0);
    expect(clean.faults).toEqual([]);
    expect(clean.operations).toBeGreaterThanOrEqual(5);
    for (let failing = 0; failing < clean.operations; failing++) {
      for (const after of [0, 2, 3]) expect(start(failing, after).faults).toMatchObject([{ code: FAULT_BUS }]);
    }
  });

  test("a flat line lets the timer go over, which is told once for each time", () => {
    const bench = createBench(chip, emulated, { configuration: { rrInterval: true, sampleRate: 128 } });
    bench.run(bench.driver.open());
    const told: [number, string][] = [];
    run(bench, 300, (frame) => {
      for (const { message } of frame.faults) told.push([Math.round(bench.clock.now / 1e6), message]);
      expect(frame.channels[1].count).toBe(0);
    });
    expect(told.map(([, message]) => message)).toEqual(new Array(2).fill(expect.stringContaining("R-to-R timer over")));
    expect(told.map(([at]) => at)).toEqual([128, 256]);
  });

  test("after a self-test the beats go on, and nothing is an interval across it", () => {
    const bench = createBench(chip, emulated, { configuration: { rrInterval: true } });
    const every = (time: number) => beats([Math.floor(time / 0.75) * 0.75 + 0.375])(0, time);
    bench.emulator.set("ecg", every);
    const seen: number[][] = [[], []];
    const take = (to: number[]) => (frame: Frame) => {
      if (frame.channels[1].count > 0) to.push(frame.channels[1].samples[0]);
    };
    bench.run(bench.driver.open());
    run(bench, 6, take(seen[0]));
    expect(bench.run(bench.driver.selfTest()).faults).toEqual([]);
    run(bench, 6, take(seen[1]));
    for (const list of seen) {
      expect(list.length).toBeGreaterThanOrEqual(3);
      expect(new Set(list)).toEqual(new Set([96]));
    }
  });
});
