/** R-to-R intervals of the emulated MAX30003: known beats come back, whatever the host or the bus does. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_BUS, type Frame } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";

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
