import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAULT_CONFIGURATION, FLAG_SATURATED, type Op } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import type { Max30102Configuration } from "../../drivers/max30102/registers.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { type Exchange, opened, opening, play, STATUS, status } from "./max30102-script.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

type Led = "red" | "infrared";
const refusal = (configuration: object) => {
  try {
    chip.create(configuration as Partial<Max30102Configuration>, {});
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};
const word = (code: number) => [(code >> 16) & 255, (code >> 8) & 255, code & 255];
const values = (frame: ReturnType<typeof opened>["frame"], channel: number) =>
  Array.from(frame.channels[channel].samples.subarray(0, frame.channels[channel].count));

describe("MAX30102 multi-LED mode", () => {
  it.each([
    [["red"], [0x01, 0x00]],
    [["infrared"], [0x02, 0x00]],
    [
      ["red", "infrared"],
      [0x21, 0x00],
    ],
    [
      ["infrared", "red", "red"],
      [0x12, 0x01],
    ],
    [
      ["red", "infrared", "infrared", "red"],
      [0x21, 0x12],
    ],
  ] as const)("writes slots %j to 0x11 and 0x12, behind mode 7 (p18, p21)", (slots, registers) => {
    opened({ slots }, undefined, [0x0f, 0x87, 0x47, 0, 31, 31], [0, 0, 0, ...registers]);
  });

  it("starts nothing when a slot register reads back differently", () => {
    const driver = chip.create({ slots: ["red"] }, {});
    const registers = [0x0f, 0x87, 0x47, 0, 31, 31];
    const script = opening(registers, [0, 0, 0, 1, 0]).slice(0, 4);
    const wrong = { ...script[3], replies: [[0, 0, 0x80, 0, 0, 0, 0], registers, [0, 0, 0, 2, 0]] };
    const frame = play(driver.open(), driver.createFrame(), [...script.slice(0, 3), wrong]);
    expect(frame.faults).toEqual([
      { code: FAULT_CONFIGURATION, message: "MAX30102 at 0x57: register 0x11 reads 0x02, not 0x01; check the supply" },
    ]);
  });

  it("starts nothing when INT_ENABLE_2 reads back differently", () => {
    const driver = chip.create({}, {});
    const script = opening().slice(0, 4);
    const wrong = { ...script[3], replies: [[0, 0, 0x80, 2, 0, 0, 0], ...script[3].replies!.slice(1)] };
    const frame = play(driver.open(), driver.createFrame(), [...script.slice(0, 3), wrong]);
    expect(frame.faults[0].message).toBe("MAX30102 at 0x57: register 0x03 reads 0x02, not 0x00; check the supply");
  });

  it("has a channel for each slot; a LED's later ones have the slot's number", () => {
    const names = (slots: Led[]) =>
      chip
        .create({ slots }, {})
        .channels()
        .map(({ name, role }) => [name, role]);
    expect(names(["infrared"])).toEqual([["infrared", "infrared"]]);
    expect(names(["red", "infrared", "red", "red"])).toEqual([
      ["red", "red"],
      ["infrared", "infrared"],
      ["red3", "red"],
      ["red4", "red"],
    ]);
  });

  it("tells slots and LEDs that do not exist by name", () => {
    expect(refusal({ slots: [] })).toBe("MAX30102: slots: 0 LEDs: choose one to four");
    expect(refusal({ slots: Array(5).fill("red") })).toBe("MAX30102: slots: 5 LEDs: choose one to four");
    expect(refusal({ slots: ["red", "green"] })).toBe("MAX30102: slots is green; choose one of red, infrared");
    expect(refusal({ slots: ["red"], sampleRate: 800 })).toBe(
      "MAX30102: sampleRate 800 hz and pulseWidth 411 us do not go together in multi-LED mode " +
        "(data sheet, Table 11): choose at most 400 hz, or a shorter pulse",
    );
    expect(refusal({ proximity: { current: 6.2, threshold: 1 } })).toBe(
      "MAX30102: proximity and this chip do not go together: leave out one",
    );
  });

  it("reads three bytes a slot, in the order of the slots, and flags each slot's full scale for itself", () => {
    const more = [0, 0, 0, 0x12, 0x01];
    const { driver, frame } = opened(
      { slots: ["infrared", "red", "red"] },
      undefined,
      [0x0f, 0x87, 0x47, 0, 31, 31],
      more,
    );
    const bytes = [1, 2, 3, 4, 0x3ffff, 6].flatMap(word);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 0)], began: 20_000 },
      { ops: [{ read: 3 + 18, at: 4 }], replies: [[2, 0, 0, ...bytes]], began: 20_000 },
    ]);
    expect([0, 1, 2].map((i) => values(frame, i))).toEqual([
      [1, 4],
      [2, 0x3ffff],
      [3, 6],
    ]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, FLAG_SATURATED, 0]);
    expect(frame.channels[2]).toMatchObject({ index: 0, count: 2, lost: 0 });
    // What an earlier block left behind the new samples is not looked at.
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(3, 0, 2)], began: 30_000 },
      { ops: [{ read: 12, at: 4 }], replies: [[3, 0, 2, ...[7, 8, 9].flatMap(word)]], began: 30_000 },
    ]);
    expect([0, 1, 2].map((i) => values(frame, i))).toEqual([[7], [8], [9]]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0, 0]);
  });

  it("swaps the slots of a clone, and its currents, so that channels keep their names", () => {
    const configuration = {
      slots: ["red", "infrared"] as const,
      swapLeds: true,
      ledCurrent: { red: 0.2, infrared: 0.4 },
    };
    const { driver, frame } = opened(configuration, undefined, [0x0f, 0x87, 0x47, 0, 2, 1], [0, 0, 0, 0x12, 0]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 0, 0)], began: 10_000 },
      { ops: [{ read: 9, at: 4 }], replies: [[1, 0, 0, ...word(10), ...word(20)]], began: 10_000 },
    ]);
    expect([values(frame, 0), values(frame, 1)]).toEqual([[10], [20]]);
  });

  it("asks to be closed and opened for other slots, another interrupt, another interval", () => {
    const { driver } = opened(
      { slots: ["red", "infrared"] },
      undefined,
      [0x0f, 0x87, 0x47, 0, 31, 31],
      [0, 0, 0, 0x21, 0],
    );
    const now = driver.configuration;
    expect(driver.reconfigure({ ...now })!.ops).toEqual([]);
    expect(driver.reconfigure({ ...now, slots: ["infrared", "red"] })).toBeNull();
    expect(driver.reconfigure({ ...now, interruptOn: "sample" })).toBeNull();
    expect(driver.reconfigure({ ...now, ambientOverflow: true })).toBeNull();
    expect(driver.reconfigure({ ...now, dieTemperature: true })).toBeNull();
    const { slots: _, ...spo2 } = now;
    expect(driver.reconfigure(spo2 as Max30102Configuration)).toBeNull();
    expect(driver.reconfigure({ ...now, interruptOn: "burst" })!.ops).toEqual([]);
    expect(driver.reconfigure({ ...now, ledCurrent: { red: 0.2, infrared: 0.4 } })!.ops).toEqual([
      { write: [0x0c, 1, 2] },
    ]);
    const warm = chip.create({ dieTemperature: 5 }, {});
    expect(warm.reconfigure({ ...warm.configuration, dieTemperature: 6 })).toBeNull();
    expect(warm.reconfigure({ ...warm.configuration })!.ops).toEqual([]);
  });

  it("opens again with the LED currents that were set last", () => {
    const { driver, frame } = opened();
    const next = { ...driver.configuration, ledCurrent: { red: 12.6, infrared: 0 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x0c, 63, 0] }] }]);
    play(driver.open(), frame, opening([0x0f, 0x83, 0x47, 0, 63, 0]));
    expect(frame.faults).toEqual([]);
  });

  it("refuses what interruptOn cannot be", () => {
    expect(refusal({ interruptOn: "never" })).toBe("MAX30102: interruptOn is never; choose one of burst, sample");
    expect(refusal({ interruptOn: "burst" })).toBe("accepted");
  });

  it("compares its slots in the self-test and leaves them alone", () => {
    const { driver, frame } = opened(
      { slots: ["red", "infrared", "red"] },
      undefined,
      [0x0f, 0x87, 0x47, 0, 31, 31],
      [0, 0, 0, 0x21, 0x01],
    );
    play(driver.selfTest(), frame, [
      { ops: [{ read: 2, at: 0x11 }, { write: [0x21, 1] }], replies: [[0x20, 0x03]] },
      { ops: [{ read: 3, at: 0x1f }], replies: [[25, 0, 0]] },
    ]);
    expect(frame.measurements.map(({ value, pass }) => [value, pass])).toEqual([
      [2, false],
      [25, true],
    ]);
  });

  it("decodes any samples of any slots at any pulse width through reads of any size", () => {
    const property = fc.property(
      fc.array(fc.constantFrom<Led>("red", "infrared"), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 31 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 0xffffff })),
      (slots, width, extra, count, words) => {
        const size = slots.length * 3;
        const maxRead = Math.max(7, size + extra);
        const numbers = slots.map((led) => (led === "red" ? 1 : 2));
        const more = [0, 0, 0, numbers[0] | ((numbers[1] ?? 0) << 4), (numbers[2] ?? 0) | ((numbers[3] ?? 0) << 4)];
        const configuration = { slots, pulseWidth: [69, 118, 215, 411][width] };
        const { driver, frame } = opened(configuration, maxRead, [0x0f, 0x87, 0x44 | width, 0, 31, 31], more);
        const raw = Array.from({ length: count * slots.length }, () => words.next().value as number);
        const bytes = raw.flatMap(word);
        // Whole samples, as many as fit, the pointers before the first.
        const ops: Op[] = [];
        const replies: number[][] = [];
        for (let left = count, at = 0, head = 3; left > 0; head = 0) {
          const part = Math.min(left, Math.floor((maxRead - head) / size));
          ops.push({ read: head + part * size, at: head > 0 ? 4 : 7 });
          replies.push([...(head > 0 ? [count, 0, 0] : []), ...bytes.slice(at, at + part * size)]);
          expect(head + part * size).toBeLessThanOrEqual(maxRead);
          at += part * size;
          left -= part;
        }
        play(driver.poll(), frame, [
          { ops: [STATUS], replies: [status(count, 0, 0)], began: 320_000 },
          { ops, replies, began: 320_000, ended: 320_000 },
        ]);
        expect(frame.faults).toEqual([]);
        slots.forEach((_, slot) => {
          const codes = raw.filter((_, i) => i % slots.length === slot).map((code) => (code & 0x3ffff) >> (3 - width));
          expect(values(frame, slot)).toEqual(codes);
          const saturated = codes.includes(2 ** (15 + width) - 1);
          expect(frame.channels[slot].flags).toBe(saturated ? FLAG_SATURATED : 0);
        });
      },
    );
    fc.assert(property, { seed: 30102, numRuns: 200 });
  });
});

describe("MAX30102 on a bus with short reads", () => {
  it("reads the pointers for themselves where they and a sample are more than maxRead (8 bytes)", () => {
    const { driver, frame } = opened({}, 8);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 0)], began: 20_000 },
      {
        ops: [
          { read: 3, at: 4 },
          { read: 6, at: 7 },
          { read: 6, at: 7 },
        ],
        replies: [[2, 0, 0], [1, 2, 3, 0, 0, 4].map((n) => n), [0, 0, 5, 0, 0, 6]],
        began: 20_000,
        ended: 21_000,
      },
    ]);
    expect(values(frame, 0)).toEqual([0x10203, 5]);
    expect(values(frame, 1)).toEqual([4, 6]);
    expect(frame.channels[0].lost).toBe(0);
  });

  it("delivers nothing, and loses nothing, where only the pointers came", () => {
    const { driver, frame } = opened({}, 8);
    const popped: Exchange[] = [
      { ops: [STATUS], replies: [status(1, 0, 0)], began: 10_000 },
      {
        ops: [
          { read: 3, at: 4 },
          { read: 6, at: 7 },
        ],
        replies: [[1, 0, 0]],
        error: "short",
      },
    ];
    play(driver.poll(), frame, popped);
    expect(frame.channels[0]).toMatchObject({ count: 0, lost: 0 });
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 0, 1)], began: 12_000 },
      {
        ops: [{ write: [6, 0] }, { read: 3, at: 4 }, { read: 6, at: 7 }],
        replies: [
          [1, 0, 0],
          [0, 0, 7, 0, 0, 8],
        ],
        began: 12_000,
      },
    ]);
    expect(values(frame, 0)).toEqual([7]);
    expect(frame.channels[0]).toMatchObject({ index: 0, lost: 0 });
  });

  it.each([
    [171_000, false],
    [500_000, true],
  ])(
    "asks for a restart where it may have overflowed between pointers and samples: ended at %i us, %s",
    (ended, lost) => {
      const { driver, frame } = opened({}, 8);
      const reads = Array.from({ length: 17 }, (): Op => ({ read: 6, at: 7 }));
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], began: 170_000 },
        {
          ops: [{ read: 3, at: 4 }, ...reads],
          replies: [[17, 0, 0], ...reads.map(() => [0, 0, 1, 0, 0, 2])],
          began: 170_100,
          ended,
        },
      ]);
      expect(frame.channels[0].count).toBe(17);
      expect(frame.restart).toBe(lost);
    },
  );

  it.each([8, 9, 12, 30])("follows a chip through an interrupted, late, noisy life with maxRead %i", (maxRead) => {
    const property = fc.property(
      fc.constantFrom<Led[][]>(["red"], ["red", "infrared"], ["infrared", "red", "red"]),
      fc.array(uniform(0.1, 4), { minLength: 1, maxLength: 8 }),
      (slots, parts) => {
        if (slots.length * 3 > maxRead) return;
        const bench = createBench(chip, emulated, { configuration: { slots, dieTemperature: 1 }, maxRead });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        for (const part of parts) {
          bench.wait(part * bench.driver.pollEvery);
          streams.follow(bench.run(bench.driver.poll()));
          if (bench.frame.restart) return;
          expect(bench.frame.faults).toEqual([]);
        }
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 8, numRuns: 40 });
  });
});
