/** The TMP117 driver in one-shot mode, with alert limits, and while something else programs the EEPROM. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clearFrame,
  type Driver,
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  type Frame,
  type Op,
  type Outcome,
  type Step,
} from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

const read = (register: number): Op => ({ read: 2, at: register });
const write = (register: number, value: number): Op => ({ write: [register, (value >> 8) & 255, value & 255] });

interface Turn {
  readonly ops: readonly Op[];
  readonly replies?: readonly number[];
  readonly pause?: number;
  readonly fails?: boolean;
  readonly began?: number;
  readonly ended?: number;
}

/** Plays a chain of steps against what is expected of it; leftovers on either side fail. */
function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  clearFrame(frame);
  let step: Step | null = first;
  for (const turn of script) {
    expect(step, "the chain ended early").not.toBeNull();
    expect(step!.ops).toEqual(turn.ops);
    expect(step!.pause).toBe(turn.pause);
    const outcome: Outcome = {
      replies: turn.fails ? [] : (turn.replies ?? []).map((value) => Uint8Array.of((value >> 8) & 255, value & 255)),
      error: turn.fails ? { kind: "nack", op: 0, message: "not acknowledged" } : null,
      began: turn.began ?? 0,
      ended: turn.ended ?? turn.began ?? 0,
      edges: 0,
      edgeAt: 0,
      inputs: 0,
    };
    step = step!.next?.(outcome, frame) ?? null;
  }
  expect(step, "the chain goes on").toBeNull();
  return frame;
}

const HIGH = 0x8000;
const LOW = 0x4000;
const READY = 0x2000;
const BUSY = 0x1000;
const UNLOCKED = 0x8000;
const UL_BUSY = 0x4000;

/** An open driver whose Configuration is `set`. */
function opened(settings: Partial<Tmp117Configuration>, set: number, limits: readonly number[] = []) {
  const driver = chip.create(settings, {});
  const frame = driver.createFrame();
  const registers = limits.length === 0 ? [] : [2, 3];
  play(driver.open(), frame, [
    { ops: [read(0x0f), read(0x01)], replies: [0x0117, 0x0220] },
    { ops: [write(0x01, 0x0002)], pause: 3 },
    { ops: [read(0x01)], pause: 4, replies: [0x0220] },
    {
      ops: [
        write(0x07, 0),
        ...registers.map((register, i) => write(register, limits[i])),
        write(0x01, set),
        read(0x07),
        ...registers.map(read),
        read(0x01),
      ],
      replies: [0, ...limits, set],
    },
  ]);
  expect(frame.faults).toEqual([]);
  return { driver, frame, block: frame.channels[0] };
}

/** One-shot at 1 hz with 8 averages: shutdown, CONV 100, AVG 01, DR/nAlert. */
const ASLEEP = 0x0624;
const CONVERTING = 0x0e24;
const look = (flags = 0, set = ASLEEP, lock = 0, began = 0): Turn => ({
  ops: [read(0x04), read(0x01)],
  replies: [lock, set | flags],
  began,
});
const start = (began = 0): Turn => ({ ops: [write(0x01, CONVERTING)], pause: 141, began, ended: began + 100 });
const take = (value: number, at = 0): Turn => ({ ops: [read(0x00)], replies: [value], began: at, ended: at + 100 });
const again: Turn = { ops: [], pause: 8 };

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

describe("TMP117 alert limits (section 7.4.4.1)", () => {
  const limits = [0x1340, 0x1200];
  const guarded = () => opened({ alert: { low: 36, high: 38.5 } }, 0x0224, limits);
  const poll = (flags: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags] });
  const above = { code: FAULT_DATA, message: "TMP117: above alert.high, 38.5 Cel, now 40 Cel" };
  const below = { code: FAULT_DATA, message: "TMP117: below alert.low, 36 Cel, now 40 Cel" };

  test("a crossing is told once, with the value; again after one that was within", () => {
    const { driver, frame, block } = guarded();
    const told = [HIGH, HIGH, 0, HIGH, LOW, LOW, HIGH | LOW, LOW].map((flags) => {
      play(driver.poll(), frame, [poll(READY | flags), take(5120)]);
      expect(block.count).toBe(1);
      expect(frame.restart).toBe(false);
      return [...frame.faults];
    });
    expect(told).toEqual([[above], [], [], [above], [below], [], [above], []]);
  });

  test("a poll without a new result neither tells nor forgets", () => {
    const { driver, frame } = guarded();
    play(driver.poll(), frame, [poll(READY | HIGH), take(5120)]);
    expect(frame.faults).toEqual([above]);
    play(driver.poll(), frame, [poll(0)]);
    play(driver.poll(), frame, [poll(READY | HIGH), take(5120)]);
    expect(frame.faults).toEqual([]);
  });

  test("a flag is cleared by its reading, and kept when the result's reading fails", () => {
    const { driver, frame } = guarded();
    play(driver.poll(), frame, [poll(READY | HIGH), { ops: [read(0x00)], fails: true }]);
    expect(frame.faults).toEqual([]);
    play(driver.poll(), frame, [poll(0), take(5120)]);
    expect(frame.faults).toEqual([above]);
  });

  test("close tells what its last result crossed", () => {
    const { driver, frame } = guarded();
    const stop = [read(0x01), write(0x01, 0x0404), read(0x01)];
    play(driver.close(), frame, [{ ops: stop, replies: [0x0224, 0x0404 | READY | LOW] }, take(5120)]);
    expect(frame.faults).toEqual([below]);
  });

  test("without limits the flags of whatever the EEPROM holds are nobody's", () => {
    const { driver, frame } = opened({}, 0x0224);
    play(driver.poll(), frame, [poll(READY | HIGH | LOW), take(5120)]);
    expect(frame.faults).toEqual([]);
  });

  test.each<[Tmp117Configuration["alert"], number, number]>([
    [{ high: 38.5 }, 0x1340, 0x8000],
    [{ low: -0.5 }, 0x7fff, 0xffc0],
    [{}, 0x7fff, 0x8000],
    [{ low: -255, high: 255 }, 0x7f80, 0x8080],
    [{ low: 36.996, high: 37.004 }, 0x1281, 0x127f],
  ])("%j: a limit that is not set is one that nothing crosses", (alert, high, low) => {
    const driver = chip.create({ alert: alert! }, {});
    const bench = createBench(chip, emulated, { configuration: { alert: alert! } });
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    const registers = [2, 3].map((register) => {
      const other = bench.emulator as I2cEmulator;
      other.start(false);
      other.write(register);
      other.start(true);
      const value = (other.read() << 8) | other.read();
      other.stop();
      return value;
    });
    expect(registers).toEqual([high, low]);
    expect(driver.configuration.alert).toEqual(alert);
  });

  test("a limit that the chip does not keep ends the opening", () => {
    const driver = chip.create({ alert: { low: 36, high: 38.5 } }, {});
    const script = (replies: number[]): Turn[] => [
      { ops: [read(0x0f), read(0x01)], replies: [0x0117, 0x0220] },
      { ops: [write(0x01, 0x0002)], pause: 3 },
      { ops: [read(0x01)], pause: 4, replies: [0x0220] },
      {
        ops: [write(7, 0), write(2, 0x1340), write(3, 0x1200), write(1, 0x0224), read(7), read(2), read(3), read(1)],
        replies,
      },
    ];
    const frame = driver.createFrame();
    play(driver.open(), frame, script([0, 0x6000, 0x1200, 0x0224]));
    expect(frame.faults[0].message).toMatch(/THigh_Limit reads 24576, 4928 was written/);
    play(driver.open(), frame, script([0, 0x1340, 0x8000, 0x0224]));
    expect(frame.faults[0].message).toMatch(/TLow_Limit reads -32768, 4608 was written/);
  });

  test("the chip compares every result, in both modes; also one that was written over before it was read", () => {
    for (const mode of ["continuous", "oneShot"] as const) {
      const bench = createBench(chip, emulated, { configuration: { mode, alert: { low: 36, high: 38.5 } } });
      bench.run(bench.driver.open());
      const told = [37, 39, 39, 37, 35, 37].map((degrees) => {
        bench.emulator.set("temperature", degrees);
        bench.wait(1000);
        return bench.run(bench.driver.poll()).faults.map(({ message }) => message.slice(8, 24));
      });
      expect(told).toEqual([[], ["above alert.high"], [], [], ["below alert.low,"], []]);
    }
    const bench = createBench(chip, emulated, { configuration: { alert: { low: 36, high: 38.5 } } });
    bench.run(bench.driver.open());
    bench.emulator.set("temperature", (time) => (time > 1 && time < 2 ? 40 : 37));
    bench.wait(3000);
    const [fault] = bench.run(bench.driver.poll()).faults;
    expect(fault.message).toBe("TMP117: above alert.high, 38.5 Cel, now 37 Cel");
  });

  test("reconfigure: limits are a difference, also to none; what they crossed before counts no more", () => {
    const bench = createBench(chip, emulated, { configuration: { alert: { high: 30 } } });
    const { driver } = bench;
    bench.emulator.set("temperature", 37);
    bench.run(driver.open());
    bench.wait(500);
    expect(bench.run(driver.poll()).faults).toHaveLength(1);
    expect(driver.reconfigure({ ...driver.configuration, alert: { high: 30 } })?.ops).toEqual([]);
    bench.run(driver.reconfigure({ ...driver.configuration, alert: { high: 31 } })!);
    expect(driver.configuration.alert).toEqual({ high: 31 });
    bench.wait(500);
    expect(bench.run(driver.poll()).faults).toHaveLength(1);
    bench.run(driver.reconfigure({ sampleRate: 1, averaging: 8, offset: 0 })!);
    expect(driver.configuration).toEqual({ sampleRate: 1, averaging: 8, offset: 0 });
    bench.wait(500);
    expect(bench.run(driver.poll())).toMatchObject({ faults: [], channels: [{ count: 1, lost: -1 }] });
  });
});

describe("TMP117 configuration of its modes", () => {
  test.each<[object, RegExp]>([
    [{ mode: "shutdown" }, /TMP117: mode is shutdown; choose continuous or oneShot/],
    [
      { mode: "oneShot", averaging: 64 },
      /averaging 64 and sampleRate 1 fight in mode oneShot: 64 conversions take 1120 ms, the cycle 1000 ms; choose/,
    ],
    [
      { mode: "oneShot", sampleRate: 64, averaging: 1 },
      /fight in mode oneShot: 1 conversions take 17.5 ms, the cycle 15.5/,
    ],
    [{ mode: "oneShot", sampleRate: 8 }, /averaging 8 and sampleRate 8 fight in mode oneShot/],
    [{ alert: { low: 39, high: 38 } }, /alert.low 39 and alert.high 38 fight: choose a lower low/],
    [{ alert: { low: 38.001, high: 38.002 } }, /fight/],
    [{ alert: { high: 256 } }, /alert.high is 256; choose -255 to 255 Cel/],
    [{ alert: { low: -256 } }, /alert.low is -256/],
    [{ alert: { low: Number.NaN } }, /alert.low is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings as Partial<Tmp117Configuration>, {})).toThrow(message);
  });

  test("reconfigure: another mode is another record; in one-shot mode another averaging too, an offset is not", () => {
    const continuous = chip.create({}, {});
    expect(continuous.reconfigure({ ...continuous.configuration, mode: "oneShot" })).toBeNull();
    const { driver, frame, block } = opened({ mode: "oneShot" }, ASLEEP);
    expect(driver.reconfigure({ ...driver.configuration, mode: "continuous" })).toBeNull();
    expect(driver.reconfigure({ ...driver.configuration, averaging: 1 })).toBeNull();
    const step = driver.reconfigure({ ...driver.configuration, offset: 1 })!;
    // A poll that is under way when it is asked for is not disturbed.
    play(driver.poll(), frame, [look(), start(), look(READY), take(1)]);
    const ops = [write(0x07, 128), write(0x01, ASLEEP), read(0x07), read(0x01)];
    play(step, frame, [{ ops, replies: [128, ASLEEP] }]);
    play(driver.poll(), frame, [look(), start(), look(READY), take(2)]);
    expect(block).toMatchObject({ count: 1, lost: -1 });
  });

  test("reconfigure does not disturb a poll that is under way", () => {
    const { driver, frame, block } = opened({}, 0x0224);
    const step = driver.reconfigure({ ...driver.configuration, averaging: 1 })!;
    play(driver.poll(), frame, [{ ops: [read(0x01)], replies: [0x0224 | READY] }, take(1)]);
    expect(block.count).toBe(1);
    play(step, frame, [{ ops: step.ops, replies: [0, 0x0204] }]);
    play(driver.poll(), frame, [{ ops: [read(0x01)], replies: [0x0204 | READY] }, take(1)]);
    expect(frame.restart).toBe(false);
  });

  test("the declared range goes with the offset, and ends where the register does", () => {
    const range = (offset: number) => {
      const [{ minimum, maximum }] = chip.create({ offset }, {}).channels();
      return [minimum, maximum];
    };
    expect(range(0)).toEqual([-7040, 19200]);
    expect(range(-0.5)).toEqual([-7104, 19136]);
    expect(range(200)).toEqual([18560, 32767]);
    expect(range(-255)).toEqual([-32768, -13440]);
  });

  test("the page names the settings that have no default", () => {
    const page = readFileSync(new URL("../../drivers/tmp117/README.md", import.meta.url), "utf8");
    expect(page).toMatch(/\| `mode` +\| continuous +\| continuous, oneShot/);
    expect(page).toMatch(/\| `alert` +\| none +\|/);
  });
});

describe("TMP117 losses", () => {
  test("a Configuration whose reading failed may have cleared Data_Ready: the loss is told when no flag is seen", () => {
    const { driver, frame, block } = opened({}, 0x0224);
    const poll = (flags: number, began: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags], began });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.poll(), frame, [poll(READY, 600_000), take(1, 600_000)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.poll(), frame, [poll(0, 1_200_000)]);
    play(driver.poll(), frame, [poll(READY, 1_800_000), take(2, 1_800_000)]);
    expect(block).toMatchObject({ count: 1, lost: -1 });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.close(), frame, [
      { ops: [read(0x01), write(0x01, 0x0404), read(0x01)], replies: [0x0224, 0x0404], began: 2_000_000 },
    ]);
    expect(block).toMatchObject({ count: 0, lost: -1 });
  });

  test("an opening forgets what was owed, started, doubted and told before it", () => {
    const limits = [0x1340, 0x8000];
    const reopen = (driver: Driver<Tmp117Configuration>, frame: Frame, set: number) =>
      play(driver.open(), frame, [
        { ops: [read(0x0f), read(0x01)], replies: [0x0117, set] },
        { ops: [write(0x01, 0x0002)], pause: 3 },
        { ops: [read(0x01)], pause: 4, replies: [0x0220] },
        {
          ops: [
            write(7, 0),
            write(2, limits[0]),
            write(3, limits[1]),
            write(1, set),
            read(7),
            read(2),
            read(3),
            read(1),
          ],
          replies: [0, ...limits, set],
        },
      ]);
    const poll = (flags: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags] });
    const { driver, frame, block } = opened({ alert: { high: 38.5 } }, 0x0224, limits);
    play(driver.poll(), frame, [poll(READY | HIGH), { ops: [read(0x00)], fails: true }]);
    reopen(driver, frame, 0x0224);
    play(driver.poll(), frame, [poll(0)]);
    play(driver.poll(), frame, [poll(READY), take(5000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });
    expect(frame.faults).toEqual([]);
    for (let round = 0; round < 2; round++) {
      play(driver.poll(), frame, [poll(READY | HIGH), take(5000)]);
      expect(frame.faults).toHaveLength(1);
      play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
      reopen(driver, frame, 0x0224);
      play(driver.poll(), frame, [poll(0)]);
    }
    play(driver.poll(), frame, [poll(READY), take(5000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });

    const single = opened({ mode: "oneShot", alert: { high: 38.5 } }, ASLEEP, limits);
    play(single.driver.poll(), single.frame, [look(), { ...start(), fails: true }]);
    reopen(single.driver, single.frame, ASLEEP);
    play(single.driver.poll(), single.frame, [look(), start(), look(READY), take(1)]);
    expect(single.block).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test("one-shot on a bus that is dead: faults, no value, and then all is well", () => {
    const bench = createBench(chip, emulated, { configuration: { mode: "oneShot" } });
    bench.run(bench.driver.open());
    bench.board.busFault = () => "timeout";
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: false, faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: 0 });
  });
});
