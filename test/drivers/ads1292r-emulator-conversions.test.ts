/** The ADS1292R emulator: when it converts, by command and by pin (TI SBAS502C; titles of its sections). */
import { describe, expect, test } from "vitest";
import { awake, BYTE, bench, converting, T_CLK, T_MOD } from "./ads1292r-emulator-script.ts";

describe("ADS1292R emulator, conversions", () => {
  test.each([4100, 2052, 1028, 516, 260, 132, 68].map((cycles, code) => [code, cycles]))(
    "at rate code %d the first one ends %d tMOD after START, then one a period (Settling Time, table 13)",
    (code, cycles) => {
      const b = awake();
      b.write(1, code);
      b.command(0x08);
      const started = b.now;
      b.wait(3 * (1024 >> code) * T_MOD + cycles * T_MOD + 1);
      // The command is decoded 4 tCLK after its byte: that is when CS went high here.
      expect(b.edges.map((at) => Math.round(((at - started) / T_MOD) * 1000) / 1000)).toEqual(
        [0, 1, 2, 3].map((i) => cycles + i * (1024 >> code)),
      );
      expect(b.codes).toHaveLength(8);
      expect(b.codes[0][2]).toBe(b.edges[0]);
    },
  );

  test("an oscillator that is off stretches them all", () => {
    const b = awake({ oscillator: 1.05 });
    b.write(1, 0);
    b.command(0x08);
    const started = b.now;
    b.wait(50000);
    expect(b.edges[0] - started).toBeCloseTo((4100 * T_MOD + 4 * T_CLK) / 1.05 - 4 * T_CLK, 6);
    expect(b.edges[1] - b.edges[0]).toBeCloseTo(8000 / 1.05, 6);
  });

  test("without START there are none; START in progress changes nothing (START)", () => {
    const b = awake();
    b.wait(100_000);
    expect(b.edges).toEqual([]);
    b.write(1, 0);
    b.command(0x08);
    const started = b.now;
    b.wait(20_000);
    b.command(0x08);
    b.wait(20_000);
    expect(b.edges).toHaveLength(1);
    expect(b.edges[0] - started).toBeCloseTo(4100 * T_MOD, 6);
  });

  test("STOP lets the one in progress end, and there is no other; START begins again with the settling time", () => {
    const b = converting(awake());
    b.wait(4000);
    b.command(0x0a);
    b.wait(100_000);
    expect(b.edges).toHaveLength(2);
    b.command(0x0a);
    b.wait(20_000);
    b.command(0x08);
    const started = b.now;
    b.wait(40_000);
    expect(b.edges).toHaveLength(3);
    expect(b.edges[2] - started).toBeCloseTo(4100 * T_MOD, 6);
  });

  test("START while the last one is in progress begins anew", () => {
    const b = converting(awake());
    b.command(0x0a);
    b.wait(1000);
    b.command(0x08);
    const started = b.now;
    b.wait(33_000);
    expect(b.edges.slice(1).map((at) => Math.round(at - started))).toEqual([32031]);
    b.wait(8000);
    expect(b.edges).toHaveLength(3);
  });

  test("a new value of CONFIG1 resets the filter; the same one does not (CONFIG1)", () => {
    const b = converting(awake());
    b.wait(4000);
    b.write(1, 0);
    b.wait(8000);
    expect(b.edges).toHaveLength(2);
    b.write(1, 2);
    const started = b.now;
    b.wait(9000);
    expect(b.edges.slice(2).map((at) => Math.round((at - started) / T_MOD))).toEqual([1028]);
    const idle = awake();
    idle.write(1, 3);
    idle.wait(50_000);
    expect(idle.edges).toEqual([]);
  });

  test("single shot is one conversion a START (Single-Shot Mode)", () => {
    const b = awake();
    b.write(1, 0x86);
    b.command(0x08);
    b.wait(10_000);
    expect(b.edges).toHaveLength(1);
    b.command(0x08);
    b.wait(10_000);
    expect(b.edges).toHaveLength(2);
  });

  test("STANDBY stops them and hears WAKEUP alone, which begins anew (STANDBY, WAKEUP)", () => {
    const b = converting(awake());
    b.command(0x04);
    b.wait(50_000);
    expect(b.edges).toHaveLength(1);
    expect(b.read(0)).toEqual([0]);
    expect(b.data()).toEqual(new Array(9).fill(0));
    b.command(0x0a);
    b.command(0x06);
    b.command(0x02);
    const awoken = b.now;
    expect(b.read(0, 3)).toEqual([0x73, 0x00, 0xa0]);
    b.wait(33_000);
    expect(b.edges.slice(1).map((at) => Math.round((at - awoken) / T_MOD))).toEqual([4100]);
    b.command(0x02);
    b.wait(8000);
    expect(b.edges).toHaveLength(3);
  });

  test("WAKEUP of one that had not been started starts nothing", () => {
    const b = awake();
    b.command(0x04);
    b.command(0x02);
    b.wait(100_000);
    expect(b.edges).toEqual([]);
  });
});

describe("ADS1292R emulator, pins", () => {
  test("START high converts at once, low lets the one in progress end (START)", () => {
    const b = awake();
    b.write(1, 0);
    b.chip.pin!("start", 1);
    const started = b.now;
    b.wait(33_000);
    expect(b.edges.map((at) => Math.round((at - started) / T_MOD))).toEqual([4100]);
    b.chip.pin!("start", 1);
    b.chip.pin!("start", 0);
    b.wait(100_000);
    expect(b.edges).toHaveLength(2);
    b.command(0x08);
    b.wait(1000);
    b.chip.pin!("start", 1);
    b.chip.pin!("start", 0);
    b.wait(100_000);
    // The command still holds.
    expect(b.edges.length).toBeGreaterThan(8);
  });

  test("STOP does nothing while START is high", () => {
    const b = awake();
    b.chip.pin!("start", 1);
    b.command(0x0a);
    b.wait(100_000);
    expect(b.edges.length).toBeGreaterThan(40);
  });

  test("with START high it converts after its power came, at 500 sps with no reference: 7FFFFF (CONFIG2; E2E 1210270)", () => {
    const b = bench({}, BYTE, 0);
    b.chip.pin!("start", 1);
    b.chip.powerOn(0);
    b.wait(50_000);
    expect(Math.round(b.edges[0] / T_MOD)).toBe(4096 + 1028);
    expect(b.edges[1] - b.edges[0]).toBeCloseTo(2000, 6);
    expect(b.stream()).toEqual([0xc0, 0, 0, 0x7f, 0xff, 0xff, 0x7f, 0xff, 0xff]);
  });

  test("PWDN/RESET low: nothing is heard, nothing converts, registers are reset; a short one needs 9 tMOD after it", () => {
    const b = converting(awake());
    b.chip.pin!("reset", 0);
    expect(b.chip.interrupt).toBe(1);
    b.wait(3000);
    expect(b.stream(3)).toEqual([0xff, 0xff, 0xff]);
    expect(b.edges).toHaveLength(1);
    b.chip.pin!("reset", 1);
    b.chip.pin!("reset", 1);
    b.wait(9 * T_MOD);
    b.command(0x11);
    expect(b.read(0, 3)).toEqual([0x73, 0x02, 0x80]);
    b.wait(50_000);
    expect(b.edges).toHaveLength(1);
  });

  test("PWDN/RESET low for 2^9 tMOD powers down: 2^12 tMOD until it answers", () => {
    for (const [low, busy] of [
      [511, 9],
      [512, 4096],
    ]) {
      const b = bench();
      b.chip.pin!("reset", 0);
      b.wait(low * T_MOD);
      b.chip.pin!("reset", 1);
      b.wait(busy * T_MOD - 2 * BYTE);
      expect(b.transfer([0x11])).toEqual([0]);
      expect(b.read(0)).toEqual([0]);
      b.wait(BYTE);
      b.command(0x11);
      expect(b.read(0)).toEqual([0x73]);
    }
  });

  test("START is not obeyed in power-down or standby, but holds when it wakes", () => {
    const b = awake();
    b.command(0x04);
    b.chip.pin!("start", 1);
    b.wait(50_000);
    expect(b.edges).toEqual([]);
    b.command(0x02);
    b.wait(10_000);
    expect(b.edges.length).toBeGreaterThan(0);
    b.chip.pin!("reset", 0);
    const before = b.edges.length;
    b.chip.pin!("start", 0);
    b.chip.pin!("start", 1);
    b.wait(50_000);
    expect(b.edges).toHaveLength(before);
    b.chip.pin!("reset", 1);
    b.wait(50_000);
    expect(b.edges.length).toBeGreaterThan(before);
  });

  test("after its power came nothing is heard for 2^12 tMOD", () => {
    const b = bench({}, BYTE, 4096 * T_MOD - 2 * BYTE);
    expect(b.transfer([0x11])).toEqual([0]);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0)).toEqual([0x73]);
  });
});
