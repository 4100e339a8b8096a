import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_RESTARTED } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { chip } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";
import {
  ASLEEP,
  again,
  BUSY,
  CONVERTING,
  look,
  opened,
  play,
  READY,
  read,
  start,
  type Turn,
  take,
  UL_BUSY,
  UNLOCKED,
  write,
} from "./tmp117-script.ts";

describe("TMP117 one-shot (section 7.4.3)", () => {
  const one = () => opened({ mode: "oneShot" }, ASLEEP);

  test("a poll starts a conversion, leaves the bus free for its longest time, and takes the result", () => {
    const { driver, frame, block } = one();
    play(driver.poll(), frame, [look(), start(1_000_000), look(READY), take(3200, 1_150_000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, flags: 0 });
    expect(block.samples[0]).toBe(3200);
    // 8 x 13 ms after the start began to 8 x 17.5 ms after it ended (section 6.5).
    expect([block.time, block.uncertainty]).toEqual([1_122_050, 18_050]);
    // Not later than it was read.
    play(driver.poll(), frame, [look(), start(2_000_000), look(READY), take(3201, 2_109_900)]);
    expect(block).toMatchObject({ index: 1, lost: 0, time: 2_107_000, uncertainty: 3_000 });
    play(driver.poll(), frame, [look(), start(3_000_000), look(READY), take(3202, 3_050_000)]);
    expect(block).toMatchObject({ index: 2, time: 3_050_100, uncertainty: 0 });
  });

  test("MOD reads 11 while it converts and 01 then: both are its own; anything else is a lost state", () => {
    const { driver, frame, block } = one();
    play(driver.poll(), frame, [look(), start(), look(0, CONVERTING), again, look(READY), take(1)]);
    expect(block.count).toBe(1);
    for (const other of [0x0224, 0x0220, 0x0604, 0x0634, 0x0620, 0x0a24]) {
      play(driver.poll(), frame, [look(READY, other)]);
      expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
      expect(block.count).toBe(0);
    }
  });

  test("one that is not ready is looked for three times, then named; the next value follows a loss", () => {
    const { driver, frame, block } = one();
    const slow = [look(), start(), look(0, CONVERTING), again, look(0, CONVERTING), again, look(0, CONVERTING)];
    play(driver.poll(), frame, slow);
    const message = "TMP117: no conversion within 141 ms; check the supply";
    expect(frame.faults).toEqual([{ code: FAULT_DATA, message }]);
    play(driver.poll(), frame, [look(), start(), look(READY), take(7)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: -1 });
    // It came after all: it is taken at the next poll, which starts none.
    play(driver.poll(), frame, slow);
    play(driver.poll(), frame, [look(READY), take(8)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
  });

  test("a result whose reading failed is read at the next poll, at its own time, and nothing is started", () => {
    const { driver, frame, block } = one();
    const failed = { ops: [read(0x00)], fails: true };
    play(driver.poll(), frame, [look(), start(1_000_000), look(READY), failed]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [look(), take(77, 1_900_000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, time: 1_122_050, uncertainty: 18_050 });
    play(driver.poll(), frame, [look(), start(), look(READY), take(78)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
  });

  test("a look or a start that failed: the next value follows a loss that nobody can count", () => {
    for (const turns of [
      [look(), { ...start(), fails: true }],
      [look(), start(), { ops: look().ops, fails: true }],
    ]) {
      const { driver, frame, block } = one();
      play(driver.poll(), frame, turns);
      expect(block).toMatchObject({ count: 0, lost: 0 });
      play(driver.poll(), frame, [look(), start(), look(READY), take(5)]);
      expect(block).toMatchObject({ count: 1, index: 0, lost: -1 });
      play(driver.poll(), frame, [look(), start(), look(READY), take(6)]);
      expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
    }
    // The first look of a poll: nothing was started, nothing can be lost.
    const { driver, frame, block } = one();
    play(driver.poll(), frame, [{ ops: look().ops, fails: true }]);
    play(driver.poll(), frame, [look(), start(), look(READY), take(5)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
  });

  test("a start that seemed to fail and was one: its value is taken, dated up to its reading", () => {
    const { driver, frame, block } = one();
    play(driver.poll(), frame, [look(), { ...start(1_000_000), fails: true }]);
    play(driver.poll(), frame, [look(READY), take(5, 1_903_900)]);
    expect(block).toMatchObject({ count: 1, lost: 0, time: 1_504_000, uncertainty: 400_000 });
  });

  test("close: what is there is taken; what was started and not seen is lost in a number that nobody knows", () => {
    const stop = [read(0x01), write(0x01, 0x0404), read(0x01)];
    const { driver, frame, block } = one();
    play(driver.close(), frame, [{ ops: stop, replies: [ASLEEP, 0x0404] }]);
    expect(block).toMatchObject({ count: 0, lost: 0 });
    const unread = [look(), start(), { ops: look().ops, fails: true }];
    play(driver.poll(), frame, unread);
    play(driver.close(), frame, [{ ops: stop, replies: [CONVERTING, 0x0404] }]);
    expect(block).toMatchObject({ count: 0, lost: -1 });
    const other = one();
    play(other.driver.poll(), other.frame, unread);
    play(other.driver.close(), other.frame, [{ ops: stop, replies: [ASLEEP | READY, 0x0404] }, take(9)]);
    expect(other.block).toMatchObject({ count: 1, lost: 0 });
    play(other.driver.poll(), other.frame, [look(0, 0x0404)]);
    expect(other.frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });

  test.each([
    [1, 1, 19, 981],
    [1, 8, 141, 859],
    [1 / 4, 64, 1121, 2879],
    [8, 1, 19, 106],
    [1 / 16, 32, 561, 15439],
  ])(
    "%d hz, %i averages: %i ms for the conversion, polled every %i ms; it has no data-ready line",
    (sampleRate, averaging, pause, pollEvery) => {
      const driver = chip.create({ mode: "oneShot", sampleRate, averaging }, { interrupt: true });
      expect(driver.pollEvery).toBe(pollEvery);
      expect(driver.dataReady).toBeNull();
      expect(driver.channels()[0].rate).toBe(sampleRate);
      const bench = createBench(chip, emulated, { configuration: { mode: "oneShot", sampleRate, averaging } });
      bench.run(bench.driver.open());
      const began = bench.clock.now;
      expect(bench.run(bench.driver.poll()).channels[0].count).toBe(1);
      expect(Math.floor((bench.clock.now - began) / 1000)).toBe(pause);
    },
  );

  test("every poll is a conversion of its own, dated within its uncertainty, with any oscillator, however late or early", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 10 });
    const property = fc.property(
      pauses,
      fc.constantFrom(1, 8, 32),
      fc.constantFrom(0.89, 1, 1.19),
      (waits, averaging, oscillator) => {
        const bench = createBench(chip, emulated, { configuration: { mode: "oneShot", averaging }, oscillator });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        waits.forEach((wait, i) => {
          bench.wait(wait);
          streams.follow(bench.run(bench.driver.poll()));
          expect(bench.frame).toMatchObject({ faults: [], channels: [{ count: 1, index: i, lost: 0 }] });
          expect(bench.frame.channels[0].uncertainty).toBeLessThanOrEqual(averaging * 2_250 + 100);
        });
        expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 11, numRuns: 50 });
  });

  test("the self-test comes back to one-shot mode", () => {
    const bench = createBench(chip, emulated, { configuration: { mode: "oneShot" } });
    bench.run(bench.driver.open());
    expect(bench.run(bench.driver.selfTest()).measurements.map(({ pass }) => pass)).toEqual([true, true]);
    bench.wait(1000);
    expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: -1 });
  });
});

describe("TMP117 EEPROM that something else uses (section 7.5.1)", () => {
  test("unlocked, nothing is started: each one-shot would be programmed. A fault and a restart, which locks it", () => {
    const bench = createBench(chip, emulated, { configuration: { mode: "oneShot" } });
    const other = bench.emulator as I2cEmulator;
    bench.run(bench.driver.open());
    other.start(false);
    for (const byte of [0x04, 0x80, 0x00]) other.write(byte);
    other.stop();
    const frame = bench.run(bench.driver.poll());
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_CONFIGURATION }] });
    expect(frame.faults[0].message).toMatch(/EEPROM is unlocked, each one-shot would be programmed; open it again/);
    expect(frame.channels[0].count).toBe(0);
    expect(other.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: 0 });
  });

  test("a result that is there is taken all the same", () => {
    const { driver, frame, block } = opened({ mode: "oneShot" }, ASLEEP);
    play(driver.poll(), frame, [look(), start(), look(READY, ASLEEP, UNLOCKED), take(4)]);
    expect(block.count).toBe(1);
  });

  test("busy: it waits by the register that clears no flag, three looks, and starts when it is idle", () => {
    const { driver, frame, block } = opened({ mode: "oneShot" }, ASLEEP);
    const busy = (lock: number): Turn => ({ ops: [read(0x04)], pause: 4, replies: [lock] });
    const script = [look(BUSY, ASLEEP, UL_BUSY), busy(UL_BUSY), busy(0), start(), look(READY), take(4)];
    play(driver.poll(), frame, script);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    play(driver.poll(), frame, [look(BUSY, ASLEEP, UL_BUSY), busy(UL_BUSY), busy(UL_BUSY), busy(UL_BUSY)]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("still busy") }]);
  });

  test("continuous conversions are read while it is busy", () => {
    const { driver, frame, block } = opened({}, 0x0224);
    play(driver.poll(), frame, [{ ops: [read(0x01)], replies: [0x0224 | READY | BUSY] }, take(4)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    expect(frame.faults).toEqual([]);
  });

  test("busy while it is configured: once more when it is idle, then a fault", () => {
    const { driver, frame } = opened({}, 0x0224);
    const step = () => driver.reconfigure({ ...driver.configuration, averaging: 1 })!;
    const ops = [write(0x07, 0), write(0x01, 0x0204), read(0x07), read(0x01)];
    const idle = { ops: [read(0x01)], pause: 4, replies: [0x0224] };
    play(step(), frame, [{ ops, replies: [0, 0x0224 | BUSY] }, idle, { ops, replies: [0, 0x0204] }]);
    expect(frame.faults).toEqual([]);
    expect(driver.configuration.averaging).toBe(1);
    const back = driver.reconfigure({ ...driver.configuration, averaging: 8 })!;
    const twice = [write(0x07, 0), write(0x01, 0x0224), read(0x07), read(0x01)];
    const busy = { ops: twice, replies: [0, 0x0204 | BUSY] };
    play(back, frame, [busy, idle, busy]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("0x224 was") }]);
  });

  test("busy while it is closed: the result that is there, then once more", () => {
    for (const mode of ["continuous", "oneShot"] as const) {
      const bench = createBench(chip, emulated, { configuration: { mode } });
      const other = bench.emulator as I2cEmulator;
      shake(other);
      const streams = followStreams(other, bench.driver.channels());
      bench.run(bench.driver.open());
      bench.wait(300);
      // Something else programs a word: 7 ms in which nothing is taken.
      for (const bytes of [
        [0x04, 0x80, 0x00],
        [0x05, 0x12, 0x34],
      ]) {
        other.start(false);
        for (const byte of bytes) other.write(byte);
        other.stop();
      }
      const frame = bench.run(bench.driver.close());
      expect(frame.faults).toEqual([]);
      expect(frame.channels[0].count).toBe(mode === "continuous" ? 1 : 0);
      streams.end(frame);
      bench.wait(5000);
      expect(other.nextAt).toBe(Number.POSITIVE_INFINITY);
      expect(bench.run(bench.driver.close()).faults).toEqual([]);
    }
  });
});
