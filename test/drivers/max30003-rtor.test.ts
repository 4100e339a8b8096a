/** R-to-R intervals of the MAX30003: each once, never invented, whatever the host or the bus does (p. 28, 59, 60, 64). */
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, FLAG_LEAD_OFF, FLAG_SETTLING } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { answer, fifo, play, read, type Turn, write } from "./max30003-script.ts";

const GEN = 0x081217;
const STEP = 7812.5;

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
