/** How a chip is closed: not at all where another one stands there, and once more where the bus was stuck. */
import { expect, test } from "vitest";
import { type Chip, FAULT_IDENTITY, type Op } from "../../drivers/driver.ts";
import {
  max30003,
  max30003Emulator,
  max30101,
  max30101Emulator,
  max30102,
  max30102Emulator,
  max30205,
  max30205Emulator,
  max86150,
  max86150Emulator,
  tmp117,
  tmp117Emulator,
} from "../../drivers/index.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench } from "../../simulator/bench.ts";
import { shake, spoil } from "../drivers/subjects.ts";
import { createBedside } from "./recovered.ts";

type AnyChip = Chip<never>;
const CHIPS = [
  [max30101, max30101Emulator],
  [max30102, max30102Emulator],
  [max30205, max30205Emulator],
  [max86150, max86150Emulator],
  [tmp117, tmp117Emulator],
  [max30003, max30003Emulator],
] as const;

/** What another chip answers, whatever it is asked. */
const OTHER = 0x22;

/** Bytes to a register; on SPI the lowest bit of the command says that it is read. */
const writes = (op: Op) =>
  ("write" in op && op.write.length > 1) || ("transfer" in op && op.transfer.length > 0 && op.transfer[0]! % 2 === 0);

test.each(CHIPS.map(([chip, emulated]) => [chip.model, chip as unknown as AnyChip, emulated] as const))(
  "where another chip stands in the place of a %s nothing is written to it, by a command or when it is closed either",
  (_model, chip, emulated) => {
    let foreign = true;
    const bench = createBench(
      chip,
      spoil(emulated, (emulator) => {
        for (const name of ["read", "exchange"] as const) {
          const chip = emulator as unknown as Record<string, (byte: number) => number>;
          const own = chip[name]?.bind(emulator);
          if (own !== undefined) chip[name] = (byte) => (foreign ? OTHER : own(byte));
        }
      }),
    );
    const { board, clock, attachment } = bench;
    shake(bench.emulator);
    const written: Op[] = [];
    board.busFault = (_target, ops, at) => {
      if (writes(ops[at]!)) written.push(ops[at]!);
      return null;
    };
    const reader = createReader(board, attachment, { onFrame: () => {}, onFault: () => {}, onRestart: () => {} });
    reader.open(() => {});
    clock.runUntil(1e6);
    expect(reader.identity?.verdict).toBe("refused");
    written.length = 0;
    const codes: number[] = [];
    reader.perform(attachment.driver.open(), (frame) => codes.push(...frame.faults.map(({ code }) => code)));
    clock.runUntil(4e6);
    expect(codes).toEqual([FAULT_IDENTITY]);
    let closed = 0;
    reader.close(() => closed++);
    clock.runUntil(5e6);
    expect(closed).toBe(1);
    expect(written).toEqual([]);
    // the right one is stopped
    foreign = false;
    reader.open(() => {});
    clock.runUntil(8e6);
    expect(reader.identity?.verdict).not.toBe("refused");
    written.length = 0;
    reader.close(() => closed++);
    clock.runUntil(9e6);
    expect(closed).toBe(2);
    expect(written.length).toBeGreaterThan(0);
  },
);

test("a chip whose stop finds the bus stuck is stopped once the bus was freed", () => {
  const { board, clock, oximeter, wait } = createBedside();
  wait(0.1);
  const pins = { data: "D21", clock: "D22" };
  let held = false;
  const onHold = board.busFault!;
  board.busFault = (target, ops, at) => {
    // the first operation of the stop
    if (target.model === oximeter.model && !held) {
      held = true;
      board.holdData(pins, 9);
    }
    return onHold(target, ops, at);
  };
  while (oximeter.log.busy) clock.step();
  let closed = 0;
  oximeter.reader.close(() => closed++);
  wait(1);
  expect(closed).toBe(1);
  expect(oximeter.log.recoveries).toHaveLength(1);
  let converted = 0;
  oximeter.emulator.onConvert = () => converted++;
  wait(5);
  expect(converted).toBe(0);
});

test("a bus that nothing frees is given up after two attempts to stop the chip: closing ends", () => {
  const { board, clock, thermometer, wait } = createBedside();
  board.holdData({ data: "D21", clock: "D22" }, Number.POSITIVE_INFINITY);
  const begin = clock.now;
  let closedAt = 0;
  thermometer.reader.close(() => {
    closedAt = clock.now;
  });
  wait(5);
  expect(closedAt - begin).toBeGreaterThan(0);
  expect(closedAt - begin).toBeLessThan(1e6);
  expect(thermometer.log.recoveries).toHaveLength(1);
});
