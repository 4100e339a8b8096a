/** The simulated board's converter: timing, codes, buffer, loss, levels, starting and stopping. */
import { expect, test } from "vitest";
import type { Pin } from "../../boards/board.ts";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { ANALOG_BUFFER, type Op, type Outcome, type Sampled } from "../../drivers/driver.ts";
import type { AnalogEmulator } from "../../drivers/emulator.ts";

const target = { model: "TEST", maxHz: 1000 };

/** A chip whose output is `volts` and whose levels are `levels` at a time in us. */
function createChip(volts: (at: number) => number, levels: (at: number) => number = () => 0) {
  const log: string[] = [];
  const converted: [channel: string, code: number, at: number][] = [];
  let now = 0;
  const chip: AnalogEmulator = {
    model: "TEST",
    output: "signal",
    inputs: {},
    interrupt: 0,
    nextAt: Number.POSITIVE_INFINITY,
    onInterrupt: null,
    onConvert: (channel, code, at) => converted.push([channel, code, at]),
    set() {},
    powerOn(at) {
      log.push(`power ${at}`);
    },
    advance(to) {
      now = to;
    },
    get levels() {
      return levels(now);
    },
    voltage: () => volts(now),
    pin: (name, level) => log.push(`${name} ${level}`),
  };
  return { chip, log, converted };
}

/** A board with that chip at A0, LO1 and LO2 at D1 and D2; `bootAt` us after the clock began. */
function bench(
  { chip, log, converted }: ReturnType<typeof createChip>,
  { inputs = [] as Pin[], converter = { bits: 12, reference: 4.096 }, bootAt = 0 } = {},
) {
  const clock = createVirtualClock();
  clock.runUntil(bootAt);
  const board = createSimulatedBoard(clock);
  board.attachAnalog({ pin: "A0", inputs: ["D1", "D2"] }, chip, converter);
  const executor = board.analog({ pin: "A0", inputs });
  const run = (...ops: Op[]): Outcome => {
    const outcomes: Outcome[] = [];
    executor.run(target, ops, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]); // never from within
    while (outcomes.length === 0) expect(clock.step()).toBe(true);
    return outcomes[0];
  };
  const take = (): Sampled => {
    const { sampled } = run();
    expect(sampled).toBeDefined();
    return sampled!;
  };
  return {
    clock,
    board,
    executor,
    run,
    take,
    wait: (ms: number) => clock.runUntil(clock.now + ms * 1000),
    log,
    converted,
  };
}

const codes = ({ samples, count }: Sampled) => Array.from(samples.subarray(0, count));

test("nothing is sampled before it is asked for, and the outcome says so by leaving it out", () => {
  const { run, wait, converted } = bench(createChip(() => 1));
  wait(100);
  expect(run()).toEqual({ replies: [], error: null, began: 100_000, ended: 100_000, edges: 0, edgeAt: 0, inputs: 0 });
  expect(converted).toEqual([]);
  expect("sampled" in run({ sample: 100 })).toBe(false); // it begins now
  expect(run().sampled).toMatchObject({ count: 1, firstAt: 100_000 });
});

test("from then on a sample comes every period, the first at once, dated by the board's clock", () => {
  const { run, take, wait, converted } = bench(
    createChip((at) => at / 1e6),
    { bootAt: 7000 },
  );
  wait(3);
  run({ sample: 250 });
  wait(8);
  const sampled = take();
  // 1 mV a step; at 10, 14 and 18 ms of the clock.
  expect(codes(sampled)).toEqual([10, 14, 18]);
  expect(sampled).toMatchObject({ count: 3, firstAt: 3000, lastAt: 11_000, uncertainty: 0, lost: 0, inputs: 0 });
  expect(converted).toEqual([
    ["signal", 10, 10_000],
    ["signal", 14, 14_000],
    ["signal", 18, 18_000],
  ]);
  wait(8);
  expect(take()).toMatchObject({ count: 2, firstAt: 15_000, lastAt: 19_000 });
  expect(take().count).toBe(0);
});

test("a code is V / reference x 2^bits, rounded down, from 0 to 2^bits - 1", () => {
  const ramp = [-1, 0, 0.0009, 0.001, 0.0019999, 4.0949, 4.0951, 4.096, 9];
  const { run, take, wait, executor } = bench(createChip((at) => ramp[at / 1000] ?? 0));
  expect(executor).toMatchObject({ converter: { bits: 12, reference: 4.096 }, maxRead: 0 });
  run({ sample: 1000 });
  wait(8);
  expect(codes(take())).toEqual([0, 0, 0, 1, 1, 4094, 4095, 4095, 4095]);
});

test("a rate that does not divide a second keeps its mean: sample k comes at k / rate", () => {
  const { run, take, wait } = bench(createChip(() => 1));
  run({ sample: 300 });
  wait(1000);
  const { count, firstAt, lastAt } = take();
  expect(count).toBe(301);
  expect(firstAt).toBe(0);
  expect(lastAt).toBeCloseTo(1e6, 3);
});

test("it keeps 512 samples, counts what comes behind them, and says so before the next ones", () => {
  const { run, take, wait } = bench(createChip((at) => (at / 1000) * 0.001));
  run({ sample: 1000 });
  wait(511);
  expect(take()).toMatchObject({ count: 512, lost: 0, firstAt: 0, lastAt: 511_000 });
  wait(512);
  expect(take()).toMatchObject({ count: 512, lost: 0, firstAt: 512_000 });
  wait(600);
  const full = take();
  expect(full).toMatchObject({ count: ANALOG_BUFFER, lost: 0, firstAt: 1_024_000, lastAt: 1_535_000 });
  expect(codes(full)[511]).toBe(1535); // the oldest are kept
  wait(10);
  expect(take()).toMatchObject({ count: 10, lost: 88, firstAt: 1_624_000 });
  wait(10);
  expect(take()).toMatchObject({ count: 10, lost: 0 });
});

test("what is lost is told once, also where no sample follows at once", () => {
  const { run, take, wait } = bench(createChip(() => 1));
  run({ sample: 1000 });
  wait(520);
  expect(take()).toMatchObject({ count: 512, lost: 0 });
  expect(take()).toMatchObject({ count: 0, lost: 9 });
  wait(1);
  expect(take()).toMatchObject({ count: 1, lost: 0 });
});

test("a host that stalls does not stop the converter: the outcome waits, its samples are those up to the step", () => {
  const { run, clock, board, wait } = bench(createChip(() => 1));
  run({ sample: 1000 });
  wait(9);
  board.stall(300);
  const outcome = run();
  expect(clock.now).toBe(309_000);
  expect(outcome.sampled).toMatchObject({ count: 10, lastAt: 9000 });
  expect(run().sampled).toMatchObject({ count: 299, firstAt: 10_000, lastAt: 308_000, lost: 0 });
});

test("what an outcome handed over stays as it is until the next one", () => {
  const { take, run, wait } = bench(createChip((at) => at / 1e6));
  run({ sample: 1000 });
  wait(2);
  const first = take();
  wait(400);
  expect(codes(first)).toEqual([0, 1, 2]);
  const second = take();
  expect(second.samples).not.toBe(first.samples);
});

test("sampling that begins anew forgets what it had, lost ones too, and takes the new rate", () => {
  const { run, take, wait, converted } = bench(createChip(() => 1));
  run({ sample: 1000 });
  wait(700);
  // The samples up to here belong to the outcome of the step that begins anew.
  expect(run({ sample: 125 }).sampled).toMatchObject({ count: 512, lost: 0 });
  wait(16);
  expect(take()).toMatchObject({ count: 3, lost: 0, firstAt: 700_000, lastAt: 716_000 });
  expect(converted).toHaveLength(701 + 3);
});

test("0 hz stops it: the step still carries what came, later ones nothing", () => {
  const { run, wait, converted } = bench(createChip(() => 1));
  run({ sample: 1000 });
  wait(4);
  expect(run({ sample: 0 }).sampled).toMatchObject({ count: 5 });
  wait(100);
  expect("sampled" in run()).toBe(false);
  expect(converted).toHaveLength(5);
  run({ sample: 500 });
  wait(4);
  expect(run().sampled).toMatchObject({ count: 3, firstAt: 104_000, lost: 0 });
});

test("operations are performed in order: pins of the chip, then the converter", () => {
  const { run, log } = bench(createChip(() => 1));
  run({ pin: "shutdown", level: 0 }, { pin: "reset", level: 1 }, { sample: 10 }, { pin: "shutdown", level: 1 });
  expect(log).toEqual(["power 0", "shutdown 0", "reset 1", "shutdown 1"]);
});

test("levels are read in the order in which the host names their pins, not that of the chip's bits", () => {
  const levels = (at: number) => (at < 5000 ? 0b01 : 0b10);
  for (const [inputs, early, late] of [
    [["D1", "D2"], 0b01, 0b10],
    [["D2", "D1"], 0b10, 0b01],
    [["D2"], 0b0, 0b1],
    [[], 0, 0],
  ] as [Pin[], number, number][]) {
    const { run, wait } = bench(
      createChip(() => 1, levels),
      { inputs },
    );
    expect(run({ sample: 100 }).inputs).toBe(early);
    wait(10);
    expect(run().inputs).toBe(late);
  }
});

test("a level that was high at any sample is told, also where it is low again; one between samples is not", () => {
  const levels = (at: number) => (at === 10_000 ? 0b01 : at === 15_000 ? 0b10 : 0);
  const { run, take, wait } = bench(
    createChip(() => 1, levels),
    { inputs: ["D1", "D2"] },
  );
  run({ sample: 100 });
  wait(22);
  const outcome = run();
  expect(outcome.sampled!.inputs).toBe(0b01);
  expect(outcome.inputs).toBe(0);
  wait(20);
  expect(take().inputs).toBe(0);
});

test("the level at the step counts among those of its samples", () => {
  let level = 0;
  const { run, take, wait } = bench(
    createChip(
      () => 1,
      () => level,
    ),
    { inputs: ["D1", "D2"] },
  );
  run({ sample: 100 });
  wait(5);
  level = 0b10;
  expect(take().inputs).toBe(0b10);
});

test("a pin without a chip, and an input that is wired to nothing, are named", () => {
  const { board } = bench(createChip(() => 1));
  expect(() => board.analog({ pin: "A1" })).toThrow(/no analog chip at pin A1; attach one/);
  expect(() => board.analog({ pin: "A0", inputs: ["D1", "D9"] })).toThrow(
    /pin D9 is wired to nothing; the chip's are D1, D2/,
  );
});

test("there is no bus behind an analog pin", () => {
  const { executor } = bench(createChip(() => 1));
  const bus: Op[] = [{ write: [0] }, { read: 1 }, { transfer: [0] }];
  for (const op of bus)
    expect(() => executor.run(target, [op], () => {})).toThrow(/TEST: it is analog, there is no bus/);
});

test("without a converter of its own it is one of 12 bits and 3.3 V", () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachAnalog({ pin: "A0" }, createChip(() => 1).chip);
  expect(board.analog({ pin: "A0" }).converter).toEqual({ bits: 12, reference: 3.3 });
});
