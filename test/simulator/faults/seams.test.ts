/** Faults on a bare simulated board: what a host sees of its timers and its buses. */
import { expect, test } from "vitest";
import { createSimulatedBoard, createVirtualClock } from "../../../boards/simulated.ts";
import type { Op, Outcome } from "../../../drivers/driver.ts";
import type { EmulatedChip, I2cEmulator } from "../../../drivers/emulator.ts";
import { emulators } from "../../../simulator/emulators.ts";
import { createFaults, type FaultEntry, planFaults } from "../../../simulator/faults.ts";

const WIRES = { data: "D21", clock: "D22", hz: 400_000 };

function bench(emulated: EmulatedChip, ...entries: FaultEntry[]) {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const faults = createFaults({ plan: planFaults(entries), clock, board, index: 0, seed: 1 });
  const chip = faults.create(emulated, {}, WIRES) as I2cEmulator;
  board.attachI2c(WIRES, chip);
  const executor = faults.board.i2c(WIRES);
  faults.start();
  /** Performs operations at a time, s; how it went, and when it was done, s. */
  const ask = (at: number, ...ops: Op[]) => {
    let result: (Outcome & { readonly done: number }) | null = null;
    clock.runUntil(at * 1e6);
    executor.run({ model: chip.model, address: chip.address, maxHz: 400_000 }, ops, (outcome) => {
      result = { ...outcome, done: clock.now / 1e6 };
    });
    while (result === null && clock.step());
    return result as unknown as Outcome & { readonly done: number };
  };
  return { clock, board, faults, ask };
}

test("a host that stalls runs its timers late, and a flash that is erased holds it up again and again", () => {
  const late = (entry: FaultEntry) => {
    const { clock, board } = bench(emulators.tmp117, entry);
    const gaps: number[] = [];
    let last = 0;
    const tick = () => {
      gaps.push(Math.round((clock.now - last) / 1000));
      last = clock.now;
      board.timer(10, tick);
    };
    board.timer(10, tick);
    clock.runUntil(2e6);
    return gaps.filter((gap) => gap !== 10);
  };
  expect(late({ kind: "host-stall", at: 0.505 })).toEqual([130]);
  expect(late({ kind: "flash-pause", at: 0.505, for: 0.5 })).toEqual([90, 90, 90]);
});

test("a chip that does not acknowledge does so for its time and its share of the operations, and then answers again", () => {
  const { ask } = bench(
    emulators.tmp117,
    { kind: "nack", chip: "tmp117", at: 1, for: 1 },
    { kind: "nack", chip: "tmp117", at: 3, for: 7, share: 0.5 },
  );
  const errors = (from: number, to: number) => {
    let count = 0;
    for (let at = from; at < to; at += 0.01) if (ask(at, { read: 2, at: 0 }).error?.kind === "nack") count++;
    return count;
  };
  expect(errors(0.5, 0.99)).toBe(0);
  expect(errors(1.005, 1.99)).toBe(99);
  expect(errors(2.005, 2.99)).toBe(0);
  expect(Math.abs(errors(3.005, 9.995) - 350)).toBeLessThan(60);
});

test("a packet error code is wrong for its time, and what stands before it is right", () => {
  const { ask } = bench(emulators.mlx90614, { kind: "bad-pec", chip: "mlx90614", at: 1, for: 1 });
  const answer = (at: number) => Array.from(ask(at, { read: 3, at: 0x07 }).replies[0]);
  const [right, wrong, again] = [answer(0.9), answer(1.5), answer(2.5)];
  expect(wrong.slice(0, 2)).toEqual(right.slice(0, 2));
  expect(wrong[2]).not.toBe(right[2]);
  expect(again).toEqual(right);
});

test("a slow clock makes every operation as much longer, and the bus is as fast as before afterwards", () => {
  const { ask } = bench(emulators.tmp117, { kind: "slow-clock", chip: "tmp117", at: 1, for: 1, factor: 20 });
  const takes = (at: number) => {
    const { began, ended } = ask(at, { read: 2, at: 0 });
    return ended - began;
  };
  const usual = takes(0.5);
  expect(takes(1.5)).toBeCloseTo(20 * usual, 3);
  expect(takes(2.5)).toBeCloseTo(usual, 3);
});

test("a chip that holds the data line times every operation out until its time is over", () => {
  const { ask } = bench(emulators.tmp117, { kind: "stuck-sda", chip: "tmp117", at: 1, for: 1, clocks: "never" });
  expect(ask(0.5, { read: 2, at: 0 }).error).toBe(null);
  expect(ask(1.5, { read: 2, at: 0 }).error?.kind).toBe("timeout");
  expect(ask(2.5, { read: 2, at: 0 }).error).toBe(null);
});

test("what is asked of a chip that nobody reads is done when that is over", () => {
  const { ask } = bench(emulators.tmp117, { kind: "fifo-overflow", chip: "tmp117", at: 1, for: 0.5 });
  expect(ask(0.9, { read: 2, at: 0 }).done).toBeLessThan(0.901);
  const held = ask(1.1, { read: 2, at: 0 });
  expect(held.error).toBe(null);
  expect(held.done).toBeGreaterThanOrEqual(1.5);
  expect(held.done).toBeLessThan(1.501);
});

test("two faults that take a chip's power give it back when both are over", () => {
  const { ask } = bench(
    emulators.tmp117,
    { kind: "unplugged", chip: "tmp117", at: 1, for: 2 },
    { kind: "unplugged", chip: "tmp117", at: 2, for: 2 },
  );
  const there = (at: number) => ask(at, { read: 2, at: 0x0f }).error === null;
  expect([0.5, 1.5, 2.5, 3.5, 4.5].map(there)).toEqual([true, false, false, false, true]);
});
