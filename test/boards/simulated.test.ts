import { expect, test } from "vitest";
import type { Target } from "../../boards/board.ts";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Outcome } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";

const PINS = { data: "D1", clock: "D2", hz: 100_000 };

/** A chip of 16 registers whose interrupt falls every 10 ms; it writes down when it was spoken to. */
const createChip = (address: number, log: string[] = []): I2cEmulator => {
  const registers = new Uint8Array(16).map((_, i) => address + i);
  let pointer: number | null = null;
  let level: 0 | 1 = 1;
  let nextAt = 10_000;
  let now = 0;
  const chip: I2cEmulator = {
    model: "TEST",
    address,
    inputs: {},
    set() {},
    powerOn() {},
    onInterrupt: null,
    onConvert: null,
    get interrupt() {
      return level;
    },
    get nextAt() {
      return nextAt;
    },
    advance(to) {
      for (; nextAt <= to; nextAt += 5000) {
        level = level === 1 ? 0 : 1;
        chip.onInterrupt?.(level, nextAt);
      }
      now = Math.max(now, to);
    },
    start(read) {
      log.push(`${Math.round(now)} ${address.toString(16)} ${read ? "read" : "write"}`);
      if (!read) pointer = null;
      return true;
    },
    write(byte) {
      if (pointer === null) pointer = byte;
      else registers[pointer++ & 15] = byte;
      return true;
    },
    read() {
      const at = pointer ?? 0;
      pointer = at + 1;
      return registers[at & 15];
    },
    stop() {},
  };
  return chip;
};

const target = (address: number): Target => ({ model: "TEST", address, maxHz: 400_000 });

test("a read takes the time that its bits take on the bus, and is answered later, never at once", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c(PINS, createChip(0x10));
  let outcome: Outcome | undefined;
  board.i2c(PINS).run(target(0x10), [{ read: 2, at: 3 }], (result) => {
    outcome = result;
  });
  expect(outcome).toBeUndefined();
  clock.runUntil(1e6);
  expect([...outcome!.replies[0]]).toEqual([0x13, 0x14]);
  // start 10, register 9, start 10, two bytes 18, stop 1: 48 bits at 100 kHz
  expect(outcome).toMatchObject({ began: 0, ended: 480, error: null });
});

test("two chips on one bus never interleave: the second waits for the first", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const log: string[] = [];
  board.attachI2c(PINS, createChip(0x10, log));
  board.attachI2c(PINS, createChip(0x20, log));
  const order: string[] = [];
  const bus = board.i2c(PINS);
  bus.run(
    target(0x10),
    [
      { read: 1, at: 0 },
      { read: 1, at: 0 },
    ],
    () => order.push("first"),
  );
  bus.run(target(0x20), [{ write: [1, 2] }], () => order.push("second"));
  clock.runUntil(1e6);
  expect(log.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
    "10 write",
    "10 read",
    "10 write",
    "10 read",
    "20 write",
  ]);
  expect(order).toEqual(["first", "second"]);
});

test("a bus runs at its slowest member's clock", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c({ ...PINS, hz: 400_000 }, createChip(0x10));
  const ended: number[] = [];
  const bus = board.i2c(PINS);
  bus.run({ ...target(0x10), maxHz: 100_000 }, [{ write: [0] }], (outcome) =>
    ended.push(outcome.ended - outcome.began),
  );
  bus.run(target(0x10), [{ write: [0] }], (outcome) => ended.push(outcome.ended - outcome.began));
  clock.runUntil(1e6);
  expect(ended).toEqual([200, 200]);
});

test("an address where nobody answers is a NACK that names model, address and operation", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  let outcome: Outcome | undefined;
  board.i2c(PINS).run(target(0x57), [{ write: [9, 1] }], (result) => {
    outcome = result;
  });
  clock.runUntil(1e6);
  expect(outcome!.error).toMatchObject({ kind: "nack", op: 0 });
  expect(outcome!.error!.message).toMatch(/^TEST at address 0x57: write of 2 bytes to register 0x9: not acknowledged/);
});

test("edges reach the firmware at their own time; a stalled host sees them when it wakes, with the time they had", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c(PINS, createChip(0x10), "D9");
  const seen: [number, number][] = [];
  const cancel = board.watch("D9", "falling", (at) => seen.push([at, board.now()]));
  clock.runUntil(15_000);
  board.stall(20);
  clock.runUntil(50_000);
  cancel();
  clock.runUntil(90_000);
  expect(seen).toEqual([
    [10_000, 10_000],
    [20_000, 35_000],
    [30_000, 35_000],
    [40_000, 40_000],
    [50_000, 50_000],
  ]);
});

test("a timer that was cancelled while its host was stalled stays silent", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const ran: string[] = [];
  const cancel = board.timer(5, () => ran.push("cancelled"));
  board.timer(6, () => ran.push("kept"));
  board.stall(10);
  clock.runUntil(8000);
  cancel();
  clock.runUntil(20_000);
  expect(ran).toEqual(["kept"]);
});

test("two chips at one address are refused, and so is a transfer on I2C", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c(PINS, createChip(0x10));
  expect(() => board.attachI2c(PINS, createChip(0x10))).toThrow("two chips at I2C address 0x10");
  expect(() => board.i2c(PINS).run(target(0x10), [{ transfer: [1] }], () => {})).toThrow("a transfer is for SPI");
});

test("a board whose crystal is fast shows more time than has gone by, and its timers end sooner", () => {
  const clock = createVirtualClock();
  clock.runUntil(5e6);
  const board = createSimulatedBoard(clock, undefined, (since) => since * 1.0001 + 300 * (1 - Math.cos(since / 1e9)));
  const rung: [number, number][] = [];
  board.timer(10_000, () => rung.push([clock.now, board.now()]));
  clock.runUntil(25e6);
  expect(rung).toHaveLength(1);
  const [truly, shown] = rung[0];
  expect(shown).toBeCloseTo(10e6, 3);
  expect(truly - 5e6).toBeCloseTo(10e6 / 1.0001, 0);
  expect(board.now()).toBeGreaterThan(20e6 + 1999);
});
