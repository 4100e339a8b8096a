/** The MLX90614 driver when the bus garbles, the chip says that it is wrong, or loses its supply. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_CONFIGURATION, FAULT_DATA, FAULT_RESTARTED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/mlx90614/chip.ts";
import { emulated } from "../../drivers/mlx90614/emulator.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import {
  identity,
  NOTHING,
  opened,
  play,
  polled,
  read,
  spoilt,
  type Turn,
  values,
  WAIT,
  word,
} from "./mlx90614-script.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

const ROOM = 0x3a26;

describe("MLX90614 PEC errors", () => {
  const both = (object: number[], ambient = word(6, ROOM)): Turn => ({
    ops: [read(6), read(7)],
    replies: [ambient, object],
  });
  const object = (reply: number[]): Turn => ({ ops: [read(7)], replies: [reply] });
  const ambient = (reply: number[]): Turn => ({ ops: [read(6)], replies: [reply] });

  test("a wrong PEC is never a value: three repetitions, a fault that names it, lost in an unknown number", () => {
    const { driver, frame } = opened();
    const wrong = spoilt(7, ROOM);
    play(driver.poll(), frame, [NOTHING, both(wrong), object(wrong), object(wrong), object(wrong)]);
    expect(values(frame)).toEqual([null, ROOM]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message:
          "MLX90614: the PEC of object (0x7) is wrong, also after 3 repetitions; " +
          "slow the bus down and check its pull-ups, and what else is at this address",
      },
    ]);
    play(driver.poll(), frame, polled([ROOM, ROOM + 1], 200_000));
    expect(values(frame)).toEqual([ROOM + 1, ROOM]);
    expect(frame.channels.map(({ lost, index, flags }) => [lost, index, flags])).toEqual([
      [-1, 0, 0],
      [0, 1, 0],
    ]);
    play(driver.poll(), frame, polled([ROOM, ROOM + 1], 400_000));
    expect(frame.channels.map(({ lost, index }) => [lost, index])).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  test("both wrong: read again one by one, three repetitions in all", () => {
    const { driver, frame } = opened();
    const bad = both(spoilt(7, ROOM), spoilt(6, ROOM));
    play(driver.poll(), frame, [NOTHING, bad, ambient(word(6, ROOM)), object(word(7, ROOM))]);
    expect(values(frame)).toEqual([ROOM, ROOM]);
    expect(frame.faults).toEqual([]);
    const again = { ...bad, began: 200_000 };
    play(driver.poll(), frame, [
      { ops: [], began: 200_000 },
      again,
      ambient(spoilt(6, 0)),
      ambient(spoilt(6, 0)),
      ambient(spoilt(6, 0)),
    ]);
    expect(values(frame)).toEqual([null, null]);
    expect(frame.faults.map(({ message }) => message.slice(0, 46))).toEqual([
      "MLX90614: the PEC of ambient (0x6) is wrong, a",
      "MLX90614: the PEC of object (0x7) is wrong, al",
    ]);
    // Nothing was taken: the next poll need not wait.
    play(driver.poll(), frame, polled([ROOM, ROOM], 200_001));
    expect(frame.channels.map(({ lost }) => lost)).toEqual([-1, -1]);
  });

  test("a bus that fails during a repetition is not asked again", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [NOTHING, both(spoilt(7, ROOM), spoilt(6, ROOM)), { ops: [read(6)], error: "nack" }]);
    expect(values(frame)).toEqual([null, null]);
    expect(frame.faults).toEqual([]); // the executor's is not played here
    play(driver.poll(), frame, polled([ROOM, ROOM]));
    expect(frame.channels.map(({ lost }) => lost)).toEqual([-1, -1]);
  });

  test("words that came before the bus failed are values; the others are lost", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [NOTHING, { ops: [read(6), read(7)], replies: [word(6, ROOM)], error: "nack" }]);
    expect(values(frame)).toEqual([null, ROOM]);
    play(driver.poll(), frame, polled([ROOM, ROOM], 110_000));
    expect(frame.channels.map(({ lost, index }) => [lost, index])).toEqual([
      [-1, 0],
      [0, 1],
    ]);
  });

  test("a PEC that is spoilt now and then costs no value, and no wrong one passes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 255 }), { minLength: 20, maxLength: 60 }), (masks) => {
        let at = 0;
        const bench = createBench(chip, emulated);
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        // One reading in two is spoilt, each by other bits.
        bench.emulator.set("pecErrors", () => (at++ % 2 === 0 ? masks[at % masks.length] : 0));
        for (let i = 0; i < 12; i++) {
          bench.wait(bench.driver.pollEvery);
          streams.follow(bench.run(bench.driver.poll()));
          expect(bench.frame.faults).toEqual([]);
          expect(bench.frame.channels.every(({ count }) => count === 1)).toBe(true);
        }
        streams.end(bench.run(bench.driver.close()));
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  test("all PECs spoilt for a while: faults, then the record goes on behind an unknown loss", () => {
    const bench = createBench(chip, emulated);
    shake(bench.emulator);
    const streams = followStreams(bench.emulator, bench.driver.channels());
    bench.emulator.set("pecErrors", (time) => (time > 1 && time < 2 ? 0x10 : 0));
    bench.run(bench.driver.open());
    let faults = 0;
    for (let i = 0; i < 12; i++) {
      bench.wait(bench.driver.pollEvery);
      streams.follow(bench.run(bench.driver.poll()));
      for (const { code, message } of bench.frame.faults) {
        faults++;
        expect([code, message.includes("PEC")]).toEqual([FAULT_DATA, true]);
      }
    }
    expect(faults).toBe(10);
    streams.end(bench.run(bench.driver.close()));
  });
});

describe("MLX90614 codes that are no temperature (p. 20, 30)", () => {
  test.each([
    [0x8000, "its error flag is set"],
    [0xba26, "its error flag is set"],
    [0xffff, "its error flag is set"],
    [0x27ac, "which is no temperature"],
    [0, "which is no temperature"],
  ])("object code %i: no value, told once, lost in an unknown number", (code, why) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, code], 0));
    expect(values(frame)).toEqual([null, ROOM]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message: `MLX90614: object reads 0x${code.toString(16)}, ${why}; check what it looks at, and its supply`,
      },
    ]);
    expect(frame.restart).toBe(false);
    play(driver.poll(), frame, polled([ROOM, code], 200_000));
    expect(frame.faults).toEqual([]);
    expect(values(frame)).toEqual([null, ROOM]);
    play(driver.poll(), frame, polled([ROOM, ROOM], 400_000));
    expect(frame.channels.map(({ lost, index }) => [lost, index])).toEqual([
      [-1, 0],
      [0, 2],
    ]);
    play(driver.poll(), frame, polled([ROOM, code], 600_000));
    expect(frame.faults).toHaveLength(1);
  });

  test("one zone's flag is not the other's", () => {
    const { driver, frame } = opened({ zones: 2 }, [NOTHING, identity({ 37: 0x9ff4 }), WAIT]);
    play(driver.poll(), frame, polled([ROOM, ROOM, 0x8000]));
    expect(values(frame)).toEqual([ROOM, ROOM, null]);
    play(driver.poll(), frame, polled([ROOM, 0x8000, 0x8000], 200_000));
    expect(frame.faults).toMatchObject([{ message: expect.stringContaining("object reads") }]);
  });

  test("one zone's bad code does not take the other zone's value", () => {
    const { driver, frame } = opened({ zones: 2 }, [NOTHING, identity({ 37: 0x9ff4 }), WAIT]);
    play(driver.poll(), frame, polled([ROOM, 0x8000, ROOM + 2]));
    expect(values(frame)).toEqual([null, ROOM, ROOM + 2]);
  });

  test("a code that is none is read no sooner than a value", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, 0x8000], 0));
    play(driver.poll(), frame, [{ ops: [], began: 109_999 }]);
  });

  test.each([0, 0x2de3, 0x4dc5, 0xaaaa])(
    "ambient code %i: nothing of the poll counts, restart (it has no results in its first 0.25 s, p. 11)",
    (code) => {
      const { driver, frame } = opened();
      play(driver.poll(), frame, polled([code, ROOM]));
      expect(values(frame)).toEqual([null, null]);
      expect(frame.restart).toBe(true);
      expect(frame.faults).toEqual([
        {
          code: FAULT_RESTARTED,
          message: `MLX90614: ambient reads 0x${code.toString(16)}, which is no temperature: it has just started; open it again`,
        },
      ]);
    },
  );

  test("read on without being opened again, everything follows an unknown loss", () => {
    const { driver, frame } = opened({ zones: 2 }, [NOTHING, identity({ 37: 0x9ff4 }), WAIT]);
    play(driver.poll(), frame, polled([0, 0, 0]));
    play(driver.poll(), frame, polled([ROOM, ROOM, ROOM], 200_000));
    expect(frame.channels.map(({ lost, count }) => [lost, count])).toEqual([
      [-1, 1],
      [-1, 1],
      [-1, 1],
    ]);
  });

  test.each([
    [100, true],
    [240, true],
    [260, false],
    [900, false],
  ])("at 1 hz a brown-out %i ms before a poll is told: %s; values are right in both cases", (ms, told) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate: 1 } });
    shake(bench.emulator);
    const streams = followStreams(bench.emulator, bench.driver.channels());
    bench.run(bench.driver.open());
    bench.wait(bench.driver.pollEvery);
    streams.follow(bench.run(bench.driver.poll()));
    bench.wait(bench.driver.pollEvery - ms);
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(ms);
    streams.follow(bench.run(bench.driver.poll()));
    expect(bench.frame.restart).toBe(told);
    expect(bench.frame.channels.every(({ count }) => count === (told ? 0 : 1))).toBe(true);
  });

  test("ambient wrong at the repetition only: the object that was there does not count", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      NOTHING,
      { ops: [read(6), read(7)], replies: [spoilt(6, ROOM), word(7, ROOM)] },
      { ops: [read(6)], replies: [word(6, 0)] },
    ]);
    expect(values(frame)).toEqual([null, null]);
    expect(frame.restart).toBe(true);
  });

  test("the error flag of the emulated chip shows, and passes", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("error", (time) => (time > 1 && time < 1.5 ? 1 : 0));
    bench.run(bench.driver.open());
    const codes: number[] = [];
    for (let i = 0; i < 10; i++) {
      bench.wait(bench.driver.pollEvery);
      codes.push(...bench.run(bench.driver.poll()).faults.map(({ code }) => code));
    }
    // The flag is on every temperature, the ambient one first.
    expect(codes).toContain(FAULT_RESTARTED);
    expect(bench.frame.channels.every(({ count }) => count === 1)).toBe(true);
  });
});

describe("MLX90614 against its emulator", () => {
  test("an emissivity is written once in a chip's life; it works with it after its supply was off and on", () => {
    const bench = createBench(chip, emulated, { configuration: { emissivity: 0.5 } });
    bench.emulator.set("emissivity", 0.5);
    bench.emulator.set("ambient", 20);
    bench.emulator.set("object", 40);
    expect(bench.run(bench.driver.open()).faults).toMatchObject([{ code: FAULT_CONFIGURATION }]);
    // It sleeps: nothing answers.
    expect(bench.run(bench.driver.open()).faults).toMatchObject([{ code: FAULT_BUS }]);
    bench.emulator.powerOn(bench.clock.now);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(bench.driver.pollEvery);
    expect(values(bench.run(bench.driver.poll()))).toEqual([Math.round(313.15 * 50), Math.round(293.15 * 50)]);
    expect(bench.run(bench.driver.selfTest()).measurements.filter(({ pass }) => !pass)).toEqual([]);
  });

  test("supply lost at any moment of that: the next openings mend it, or it was whole", () => {
    fc.assert(
      fc.property(uniform(0, 40), (ms) => {
        const bench = createBench(chip, emulated, { configuration: { emissivity: 0.5 } });
        bench.clock.at(ms * 1000, () => bench.emulator.powerOn(bench.clock.now));
        bench.run(bench.driver.open());
        bench.wait(50);
        for (let i = 0; i < 3 && bench.run(bench.driver.open()).faults.length > 0; i++) {
          bench.wait(100);
          bench.emulator.powerOn(bench.clock.now);
        }
        expect(bench.frame.faults).toEqual([]);
        expect(bench.frame.identity!.read).toContain("emissivity 0x8000");
      }),
      { seed: 6, numRuns: 80 },
    );
  });

  test("supply lost between erasing and writing, and no emissivity wanted any more: it says so, and does not run", () => {
    const writing = createBench(chip, emulated, { configuration: { emissivity: 0.5 } });
    // 4.5 ms of identity, then the erasure and its 10 ms.
    writing.clock.at(12_000, () => writing.emulator.powerOn(writing.clock.now));
    writing.board.busFault = (_, ops) => ("write" in ops[0] && ops[0].write[2] !== 0 ? "nack" : null);
    writing.run(writing.driver.open());
    const other = chip.create({}, {});
    writing.board.busFault = null;
    expect(writing.run(other.open()).faults).toMatchObject([
      { code: FAULT_CONFIGURATION, message: expect.stringContaining("emissivity reads 0x0, below 0.1") },
    ]);
  });

  test("under a reader: after a write it is opened again and again until the supply comes back, then it runs", () => {
    const bench = createBench(chip, emulated, { configuration: { emissivity: 0.98 } });
    const faults: string[] = [];
    let frames = 0;
    const reader = createReader(bench.board, bench.attachment, {
      onFrame: () => frames++,
      onFault: ({ message }) => faults.push(message),
      onRestart: () => {},
    });
    reader.open(() => {});
    bench.wait(5000);
    expect(frames).toBe(0);
    expect(faults[0]).toContain("switch its supply off and on");
    expect(faults[1]).toContain("not acknowledged");
    expect(faults).toHaveLength(2);
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(20_000);
    expect(frames).toBeGreaterThan(50);
    expect(faults).toHaveLength(2);
  });

  test("closed with `sleep` it does not answer until SDA was low for 33 ms (p. 22)", () => {
    const bench = createBench(chip, emulated, { configuration: { sleep: true } });
    bench.run(bench.driver.open());
    expect(bench.run(bench.driver.close()).faults).toEqual([]);
    expect(bench.run(bench.driver.open()).faults).toMatchObject([{ code: FAULT_BUS }]);
    bench.emulator.pin!("SDA", 0);
    bench.wait(34);
    bench.emulator.advance(bench.clock.now);
    bench.emulator.pin!("SDA", 1);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(bench.driver.pollEvery);
    expect(bench.run(bench.driver.poll()).channels.every(({ count }) => count === 1)).toBe(true);
  });
});
