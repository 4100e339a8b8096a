/** The MAX30205 driver when the chip is another one, loses its state, or the bus fails. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_CONFIGURATION, FAULT_IDENTITY, FAULT_RESTARTED } from "../../drivers/driver.ts";
import type { EmulatedChip, I2cEmulator } from "../../drivers/emulator.ts";
import { chip, type Max30205Configuration } from "../../drivers/max30205/chip.ts";
import { createDriver, type Max30205Setup } from "../../drivers/max30205/driver.ts";
import { emulated } from "../../drivers/max30205/emulator.ts";
import { emulated as tmp117 } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { again, failedLook, going, look, opened, play, recognised, settling, start, word } from "./max30205-script.ts";
import { followStreams } from "./streams.ts";
import { shake, spoil } from "./subjects.ts";

const STATE = /Configuration 0x0, THYST 0x4b00, TOS 0x5000; 0x1, 0x7f69 and 0x7f97 were written: it lost its state/;

describe("MAX30205 identity", () => {
  /** An emulator in the place of a MAX30205; counts the data bytes that are written to it. */
  function inPlace(other: EmulatedChip) {
    let written = 0;
    const counted = spoil(other, (emulator) => {
      const chip = emulator as I2cEmulator;
      const write = chip.write.bind(chip);
      const begin = chip.start.bind(chip);
      let bytes = 0;
      chip.start = (read) => {
        bytes = 0;
        return begin(read);
      };
      chip.write = (byte) => {
        if (bytes++ > 0) written++;
        return write(byte);
      };
    });
    const bench = createBench(chip, counted);
    bench.wait(1000);
    return { frame: bench.run(bench.driver.open()), written: () => written };
  }

  test("a TMP117 is refused, and not written to", () => {
    const { frame, written } = inPlace(tmp117);
    expect(frame.identity?.verdict).toBe("refused");
    expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY, message: expect.stringContaining("MAX30205: Conf") }]);
    expect(written()).toBe(0);
  });

  /** Four registers like its own, without a pointer that goes on, or with limits of 9 bits. */
  function alike(goesOn: boolean, mask: number): EmulatedChip {
    return {
      ...emulated,
      create(options: object) {
        const inner = emulated.create(options) as I2cEmulator;
        const write = inner.write.bind(inner);
        const read = inner.read.bind(inner);
        const begin = inner.start.bind(inner);
        let pointer = 0;
        let bytes = 0;
        inner.start = (reading) => {
          bytes = 0;
          return begin(reading);
        };
        inner.write = (byte) => {
          if (bytes++ === 0) pointer = byte;
          return write(byte);
        };
        inner.read = () => {
          // Without a pointer that goes on every two bytes are the first register again.
          if (!goesOn && bytes > 0 && bytes % 2 === 0) {
            begin(false);
            write(pointer);
            begin(true);
          }
          const at = goesOn ? pointer + (bytes >> 1) : pointer;
          const byte = read();
          return bytes++ % 2 === 1 && at >= 2 ? byte & mask : byte;
        };
        return inner;
      },
    } as EmulatedChip;
  }

  test("a chip that repeats its first register is refused, and not written to (an LM75)", () => {
    const { frame, written } = inPlace(alike(false, 0x80));
    expect(frame.identity?.verdict).toBe("refused");
    expect(frame.faults[0].message).toMatch(/do not follow one another as a MAX30205's do; check the address/);
    expect(written()).toBe(0);
  });

  test("a chip whose limits have 9 bits is refused, and its limits are as before", () => {
    const { frame, written } = inPlace(alike(true, 0x80));
    expect(frame.identity?.verdict).toBe("refused");
    const bits = "Configuration 0x0, THYST 0x4b00, TOS 0x5000, limits lose bits 0x7f";
    expect(frame.identity?.read).toBe(bits);
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: `MAX30205: ${bits}: a MAX30205 keeps 16; check the address and what else is on the bus`,
      },
    ]);
    expect(written()).toBe(12);
  });

  const ask = recognised[0];
  test.each<[string, number[][]]>([
    [
      "all registers alike",
      [
        [0, 5, 0, 5, 0, 5, 0, 5],
        [0, 5],
        [0, 5],
        [0, 5],
      ],
    ],
    [
      "Configuration not twice",
      [
        [0, 0, 1, 2, 0x4b, 0, 0x50, 0],
        [1, 2],
        [0x4b, 0],
        [0x50, 0],
      ],
    ],
    [
      "another Configuration when read alone",
      [
        [0, 0, 1, 1, 0x4b, 0, 0x50, 0],
        [0, 0],
        [0x4b, 0],
        [0x50, 0],
      ],
    ],
    [
      "another THYST",
      [
        [0, 0, 0, 0, 0x4b, 0, 0x50, 0],
        [0, 0],
        [0x4b, 1],
        [0x50, 0],
      ],
    ],
    [
      "another TOS",
      [
        [0, 0, 0, 0, 0x4b, 0, 0x50, 0],
        [0, 0],
        [0x4b, 0],
        [0x51, 0],
      ],
    ],
  ])("%s: refused after the first look", (_, replies) => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [{ ...ask, replies }]);
    expect(frame.identity?.verdict).toBe("refused");
    expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY }]);
  });

  test("a one-shot that ends between two reads is no contradiction", () => {
    const driver = chip.create({}, {});
    const replies = [[0x19, 0, 0x81, 0x01, 0x4b, 0, 0x50, 0], [1, 0x81], word(0x4b00), word(0x5000)];
    const script = [{ ...ask, replies }, recognised[1], settling(0x01), going(0x01)];
    expect(play(driver.open(), driver.createFrame(), script).faults).toEqual([]);
  });

  test.each([
    ["Configuration", [0x00, 0x00, 0x7f, 0x69, 0x7f, 0x97]],
    ["THYST", [0x01, 0x01, 0x7f, 0x68, 0x7f, 0x97]],
    ["TOS", [0x01, 0x01, 0x7f, 0x69, 0x7e, 0x97]],
  ])("%s that is not what was written ends the opening", (_, reply) => {
    const driver = chip.create({}, {});
    const script = [...recognised, { ...settling(0x01), replies: [reply] }];
    const { faults } = play(driver.open(), driver.createFrame(), script);
    expect(faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("check the supply") }]);
  });
});

describe("MAX30205 that loses its state", () => {
  const settings: Partial<Max30205Configuration>[] = [
    {},
    { mode: "continuous" },
    { mode: "continuous", alert: { low: 75, high: 80 } },
    { extended: true },
  ];
  test.each(settings)(
    "%j: a brown-out at any time is noticed by the next poll, and 0 Cel is not its value (p. 10)",
    (one) => {
      const property = fc.property(uniform(0, 1), (part) => {
        const bench = createBench(chip, emulated, { configuration: one });
        bench.emulator.set("temperature", 37);
        bench.run(bench.driver.open());
        bench.wait(200);
        expect(bench.run(bench.driver.poll()).channels[0].count).toBe(1);
        bench.emulator.powerOn(bench.clock.now);
        bench.wait(part * 200);
        const frame = bench.run(bench.driver.poll());
        expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
        expect(frame.channels[0].count).toBe(0);
        expect(bench.run(bench.driver.open()).faults).toEqual([]);
        bench.wait(200);
        expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, index: 0 });
      });
      fc.assert(property, { seed: 9, numRuns: 20 });
    },
  );

  test("each of its registers is compared at every look", () => {
    const wrong = [
      [0x19, 0, 0x00, 0x00, 0x7f, 0x69, 0x7f, 0x97],
      [0x19, 0, 0x01, 0x03, 0x7f, 0x69, 0x7f, 0x97],
      [0x19, 0, 0x01, 0x01, 0x7f, 0x79, 0x7f, 0x97],
      [0x19, 0, 0x01, 0x01, 0x7f, 0x69, 0x7f, 0x98],
    ];
    for (const reply of wrong) {
      const { driver, frame, block } = opened();
      const gone = { ops: [{ read: 8, at: 0 }], replies: [reply] };
      play(driver.poll(), frame, [gone]);
      expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
      play(driver.poll(), frame, [look(0, 0x01), start(0x01), gone]);
      expect(frame.restart).toBe(true);
      expect(block.count).toBe(0);
      // What was started before is not what comes after the restart.
      play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(9, 0x01)]);
      expect(block.count).toBe(1);
    }
  });

  test("the fault says what was read and what was written", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [look(0, 0x00, 0, [0x4b00, 0x5000])]);
    expect(frame.faults[0].message).toMatch(STATE);
  });

  test("closing one that lost its state says so and stops it; another chip is not written to", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(500);
    const frame = bench.run(bench.driver.close());
    expect(frame.faults).toMatchObject([{ code: FAULT_RESTARTED }]);
    bench.wait(100);
    expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
    const { driver, frame: other } = opened();
    for (const limits of [
      [0x1234, 0x5678],
      [0x4b00, 0x5678],
      [0x1234, 0x5000],
    ]) {
      play(driver.close(), other, [look(0, 0x00, 0, limits)]);
      expect(other.faults).toMatchObject([{ code: FAULT_RESTARTED }]);
    }
    const uneven = { ops: [{ read: 8, at: 0 }], replies: [[0, 0, 0, 1, 0x4b, 0, 0x50, 0]] };
    play(driver.close(), other, [uneven]);
    expect(other.faults).toMatchObject([{ code: FAULT_RESTARTED }]);
  });

  test("a closed chip draws shutdown current, has the limits of power-up, and a poll of it is a fault", () => {
    for (const mode of ["oneShot", "continuous"] as const) {
      const bench = createBench(chip, emulated, { configuration: { mode, alert: { low: 20, high: 30 } } });
      bench.run(bench.driver.open());
      bench.run(bench.driver.close());
      bench.wait(1000);
      expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
      bench.run(bench.driver.close());
      expect(bench.frame.faults).toEqual([]);
      expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
      expect(bench.frame.channels[0].count).toBe(0);
      expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe("MAX30205 on a bus that fails", () => {
  test("a conversion that was started and not read is read at the next poll: nothing is lost", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [look(0, 0x01), start(0x01, 5_000), failedLook]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [look(44, 0x01, 900_000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, time: 46_050, uncertainty: 9_050 });
    play(driver.poll(), frame, [look(44, 0x01), start(0x01), look(45, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
  });

  test("a start that failed may have been one: the next value follows a loss that nobody can count", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [look(0, 0x01), { ...start(0x01), error: "nack" }]);
    expect(block).toMatchObject({ count: 0, lost: 0 });
    play(driver.poll(), frame, [look(3, 0x01), start(0x01), look(4, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: -1 });
    expect(block.samples[0]).toBe(4);
    play(driver.poll(), frame, [look(4, 0x01), start(0x01), look(4, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
    play(driver.poll(), frame, [look(0, 0x01), { ...start(0x01), error: "nack" }]);
    const rest = { ops: [{ write: [1, 0x01] }, { write: [2, 0x4b, 0] }, { write: [3, 0x50, 0] }] };
    play(driver.close(), frame, [look(4, 0x01), rest]);
    expect(block).toMatchObject({ count: 0, lost: -1 });
  });

  test("an opening after a loss begins without one", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [look(0, 0x01), { ...start(0x01), error: "nack" }]);
    play(driver.open(), frame, [...recognised, settling(0x01), going(0x01)]);
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(4, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });
    // Nor does it wait for what was started before it.
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), failedLook]);
    play(driver.open(), frame, [...recognised, settling(0x01), going(0x01)]);
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(5, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test("to resume is to open, behind a loss: the count goes on", () => {
    const driver = createDriver(chip.setup({}, {}) as Max30205Setup);
    const frame = driver.createFrame();
    const [block] = frame.channels;
    const opening = [...recognised, settling(0x01), going(0x01)];
    play(driver.open(), frame, opening);
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(4, 0x01)]);
    play(driver.resume(), frame, opening);
    play(driver.poll(), frame, [look(4, 0x01), start(0x01), look(5, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: -1 });
    // A conversion from before is nobody's.
    play(driver.poll(), frame, [look(5, 0x01), start(0x01), failedLook]);
    play(driver.resume(), frame, opening);
    play(driver.poll(), frame, [look(6, 0x01), start(0x01), look(7, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 2, lost: -1 });
    expect(block.samples[0]).toBe(7);
  });

  test("close looks for a conversion as often as a poll", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), failedLook]);
    const busy = look(0, 0x81);
    const rest = { ops: [{ write: [1, 0x01] }, { write: [2, 0x4b, 0] }, { write: [3, 0x50, 0] }] };
    play(driver.close(), frame, [busy, again, busy, again, busy, again, busy, rest]);
    expect(block).toMatchObject({ count: 0, lost: -1 });
  });

  test("continuous: a failure at any operation of a poll, and no conversion is given twice or made up", () => {
    for (let failing = 0; failing < 4; failing++) {
      for (const kind of ["nack", "timeout", "short", "bus"] as const) {
        const bench = createBench(chip, emulated, { configuration: { mode: "continuous", sampleRate: 10 } });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        for (let i = 0; i < 4; i++) {
          bench.wait(bench.driver.pollEvery);
          bench.board.busFault = () => (i === failing ? { kind, after: 5 } : null);
          const frame = bench.run(bench.driver.poll());
          streams.follow(frame);
          expect(frame.faults.map(({ code }) => code)).toEqual(i === failing ? [FAULT_BUS] : []);
          expect(frame.channels[0].count).toBe(i === failing ? 0 : 1);
        }
        bench.board.busFault = null;
        streams.end(bench.run(bench.driver.close()));
      }
    }
  });

  test("a bus that fails while it is changed: what was asked for is what an opening sets", () => {
    const { driver, frame } = opened();
    const next = { ...driver.configuration, faultQueue: 2 };
    const step = driver.reconfigure(next)!;
    play(step, frame, [{ ops: step.ops, error: "nack" }]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [look(0, 0x01)]);
    expect(frame.restart).toBe(true);
    play(driver.open(), frame, [...recognised, settling(0x09), going(0x09)]);
    expect(frame.faults).toEqual([]);
  });

  test("a chip that is not there is a bus fault with its name", () => {
    const bench = createBench(chip, emulated);
    bench.board.busFault = () => "nack";
    for (const step of [bench.driver.open(), bench.driver.poll(), bench.driver.selfTest(), bench.driver.close()]) {
      expect(bench.run(step)).toMatchObject({ identity: null, restart: false, faults: [{ code: FAULT_BUS }] });
      expect(bench.frame.faults[0].message).toMatch(/MAX30205 at address 0x48: .*not acknowledged/);
    }
  });
});
