/** How a MAX30003 tells of electrodes that are off while it samples. */
import { describe, expect, test } from "vitest";
import { FAULT_DATA, FLAG_LEAD_OFF } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, opened, play, status } from "./max30003-script.ts";

describe("MAX30003 leads that are off", () => {
  const looks = (...bits: number[]) => {
    const { driver, frame } = opened();
    const told: string[][] = [];
    bits.forEach((one, i) => {
      frame.faults.length = 0;
      play(driver.poll(), frame, [{ ops: check, replies: status(one), at: 1_000_000 + i * 60_000 }]);
      expect(frame.faults.every(({ code }) => code === FAULT_DATA)).toBe(true);
      told.push(frame.faults.map(({ message }) => message));
    });
    return told;
  };
  const said = (who: string, bits: string) => [
    `MAX30003: lead off: ${who} (STATUS ${bits}); put the electrode on again`,
  ];

  test.each([
    [0x100008, "ECGP", "0x8"],
    [0x100004, "ECGP", "0x4"],
    [0x100002, "ECGN", "0x2"],
    [0x100001, "ECGN", "0x1"],
    [0x100009, "ECGP and ECGN", "0x9"],
    [0x100006, "ECGP and ECGN", "0x6"],
  ])("STATUS %i names the electrode (p. 43)", (bits, who, text) => {
    expect(looks(bits)).toEqual([said(who, text)]);
  });

  test("each is told once while it lasts", () => {
    expect(looks(0x8, 0x8, 0x9, 0x9, 0x8, 0x1, 0)).toEqual([
      said("ECGP", "0x8"),
      [],
      said("ECGP and ECGN", "0x9"),
      [],
      [],
      [],
      [],
    ]);
  });

  test("a loose one that comes and goes is told once; after two seconds on it is told again", () => {
    const quiet = (n: number) => new Array(n).fill(0);
    const told = looks(0x8, 0, 0x8, 0, 0x8, ...quiet(33), 0x8, ...quiet(34), 0x8);
    expect(told.map(({ length }) => length)).toEqual([1, 0, 0, 0, 0, ...quiet(33), 0, ...quiet(34), 1]);
  });

  test("what was read before a bus failed gives a flag, but nobody is accused on its word", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [{ ops: check, replies: [answer(0xffffff)], fails: true }]);
    expect(frame.faults).toEqual([]);
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block.flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    expect(frame.faults).toEqual([]);
  });

  test.each([
    ["leadOffPositive", "positive", "ECGP", "0x8"],
    ["leadOffNegative", "positive", "ECGN", "0x1"],
    ["leadOffPositive", "negative", "ECGP", "0x4"],
    ["leadOffNegative", "negative", "ECGN", "0x2"],
    ["leadOff", "positive", "ECGP and ECGN", "0x9"],
  ])("%s with the %s one pulled up", (input, leadOffPullUp, who, bits) => {
    const bench = createBench(chip, emulated, { configuration: { leadOffPullUp, leadOffThreshold: 500 } });
    bench.run(bench.driver.open());
    bench.emulator.set(input, 1);
    const told: string[] = [];
    for (let i = 0; i < 10; i++) {
      bench.wait(60);
      for (const { message } of bench.run(bench.driver.poll()).faults) told.push(message);
    }
    expect(told).toEqual(said(who, bits));
    expect(bench.frame.channels[0].flags).toBe(FLAG_LEAD_OFF);
  });
});
