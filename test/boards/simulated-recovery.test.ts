/** A bus whose data line is held, and one whose clock is slow: what operations and a recovery make of them. */
import { expect, test } from "vitest";
import type { Target } from "../../boards/board.ts";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Op, Outcome } from "../../drivers/driver.ts";
import { emulated as max30205 } from "../../drivers/max30205/emulator.ts";
import { emulated as tmp117 } from "../../drivers/tmp117/emulator.ts";

const PINS = { data: "D1", clock: "D2", hz: 100_000 };
const THERMOMETER: Target = { model: "TMP117", address: 0x48, maxHz: 400_000 };
const OTHER: Target = { model: "MAX30205", address: 0x49, maxHz: 400_000 };
const IDENTITY: Op[] = [{ read: 2, at: 0x0f }];

function setUp() {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c(PINS, tmp117.create({}) as never);
  board.attachI2c(PINS, max30205.create({ address: 0x49 }) as never);
  const bus = board.i2c(PINS);
  const wait = () => clock.runUntil(clock.now + 1e6);
  const run = (target = THERMOMETER, ops = IDENTITY) => {
    let outcome: Outcome | undefined;
    bus.run(target, ops, (one) => {
      outcome = one;
    });
    wait();
    return outcome!;
  };
  const recover = () => {
    let free: boolean | undefined;
    bus.recover!((one) => {
      free = one;
    });
    wait();
    return free;
  };
  return { clock, board, bus, run, recover, wait };
}

test("while SDA is held every operation on that bus times out, whomever it is for, and says what to look at", () => {
  const { board, run } = setUp();
  board.holdData(PINS, 3);
  for (const target of [THERMOMETER, OTHER]) {
    const { error, began, ended, replies } = run(target);
    expect(error).toMatchObject({ kind: "timeout", op: 0 });
    expect(error!.message).toMatch(new RegExp(`^${target.model} at address .*whether a chip holds the line$`));
    expect(ended - began).toBeGreaterThanOrEqual(25_000);
    expect(replies).toEqual([]);
  }
  const other = board.i2c({ data: "D3", clock: "D4" });
  let elsewhere: Outcome | undefined;
  other.run(THERMOMETER, IDENTITY, (one) => {
    elsewhere = one;
  });
  run();
  expect(elsewhere!.error, "another bus has nobody who answers, and nothing that is stuck").toMatchObject({
    kind: "nack",
  });
});

test.each([
  [1, 1],
  [9, 1],
  [10, 2],
  [27, 3],
])("a chip that needs %i clocks lets go after %i recoveries of nine clocks (UM10204, 3.1.16)", (clocks, recoveries) => {
  const { board, run, recover } = setUp();
  board.holdData(PINS, clocks);
  for (let i = 1; i < recoveries; i++) {
    expect(recover()).toBe(false);
    expect(run().error).toMatchObject({ kind: "timeout" });
  }
  expect(recover()).toBe(true);
  const { error, replies } = run();
  expect(error).toBeNull();
  expect([...replies[0]]).toEqual([0x01, 0x17]);
});

test("SDA that is held for good stays so through any recovery, until it is let go", () => {
  const { board, run, recover } = setUp();
  board.holdData(PINS, Number.POSITIVE_INFINITY);
  for (let i = 0; i < 20; i++) expect(recover()).toBe(false);
  expect(run().error).toMatchObject({ kind: "timeout" });
  board.holdData(PINS, 0);
  expect(run().error).toBeNull();
});

test("a recovery takes ten bits of the bus's clock, between two steps and never within one", () => {
  const { clock, bus, wait } = setUp();
  const order: [string, number][] = [];
  bus.run(THERMOMETER, [...IDENTITY, ...IDENTITY], () => order.push(["step", clock.now]));
  bus.recover!((free) => order.push([`recovery ${free}`, clock.now]));
  bus.run(OTHER, [{ read: 2, at: 0 }], () => order.push(["other", clock.now]));
  wait();
  // start 10, register 9, start 10, two bytes 18, stop 1: 48 bits an operation, of 10 us
  expect(order).toEqual([
    ["step", 960],
    ["recovery true", 1060],
    ["other", 1540],
  ]);
});

test("SPI and analog have no recovery: there is no line that a chip could hold", () => {
  const { board } = setUp();
  expect(board.spi({ out: "D5", in: "D6", clock: "D7" }).recover).toBeUndefined();
});

test("a slow clock makes every bit longer, and is no fault; so slow that a bit takes 25 ms, it is a time-out", () => {
  const { board, run } = setUp();
  board.slowClock(PINS, 50);
  const slow = run();
  expect(slow.error).toBeNull();
  expect(slow.ended - slow.began).toBe(50 * 480);
  board.slowClock(PINS, 2501);
  expect(run().error).toMatchObject({ kind: "timeout" });
  board.slowClock(PINS, 1);
  const fast = run();
  expect(fast.ended - fast.began).toBe(480);
  expect(fast.error).toBeNull();
});

test("numbers that mean nothing are refused", () => {
  const { board } = setUp();
  expect(() => board.holdData(PINS, -1)).toThrow("SDA held for -1 clocks; give 0 or more");
  expect(() => board.holdData(PINS, Number.NaN)).toThrow("give 0 or more");
  expect(() => board.slowClock(PINS, 0.5)).toThrow("a clock 0.5 times as slow; give 1 or more");
});
