/** The lossy world, as long as CI has time for; and that the check sees what it is there for. */
import { expect, test } from "vitest";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { SECOND } from "../../simulator/lossy/weather.ts";
import { checkWorld, isWhole, type WorldReport } from "../../tools/lossy-world/check.ts";
import { tableOf } from "../../tools/lossy-world/table.ts";
import { createWorld, DAY, runWorld, scaled, type World, type WorldOptions } from "../../tools/lossy-world/world.ts";

function run(options: Partial<WorldOptions>): { world: World; report: WorldReport } {
  const world = createWorld({ ...DAY, ...options });
  runWorld(world);
  return { world, report: checkWorld(world) };
}

/** Two boards, twenty minutes. */
const SMALL: Partial<WorldOptions> = { ...scaled(1 / 3), boards: 2, signing: 1, deaths: 1 };
const problemsOf = ({ boards }: WorldReport) => boards.flatMap(({ problems }) => problems);

/** The world whose store gives other rows than it holds: `change` gives what stands for each. */
type Rows = ReturnType<World["gateway"]["store"]["messages"]>;
type Row = Rows extends Iterable<infer One> ? One : never;
function withRows(world: World, change: (row: Row, index: number) => Row[]): World {
  const messages = (kid?: Uint8Array, boot?: number) =>
    [...world.gateway.store.messages(kid, boot)].flatMap((row, index) => change(row, index));
  const store = new Proxy(world.gateway.store, {
    get: (target, name) => (name === "messages" ? messages : Reflect.get(target, name)),
  });
  return { ...world, gateway: { store } as unknown as World["gateway"] };
}

test("two hours: ten boards, ten power cuts of each, three broker deaths, half an hour without: all is stored, or named", () => {
  const { world, report } = run({ ...scaled(2), seed: 3 });
  expect(report.problems).toEqual([]);
  expect(problemsOf(report)).toEqual([]);
  expect(isWhole(report)).toBe(true);
  for (const [index, { messages, samples, offeredAgain, duplicateRows, wrong }] of report.boards.entries()) {
    const { boots, stillborn } = world.lives[index]!;
    expect(boots.length + stillborn).toBe(11);
    expect(messages.produced).toBe(messages.stored + messages.declared);
    expect(samples.produced).toBe(samples.stored + samples.declared);
    expect(samples.produced).toBeGreaterThan(5000 * 25);
    expect(offeredAgain).toBeGreaterThan(10);
    expect([messages.silent, samples.silent, duplicateRows, wrong]).toEqual([0, 0, 0, 0]);
    // what chip and packer held at each cut; the outage where the room was short
    expect(samples.declared).toBeGreaterThan(0);
    expect(samples.declared / samples.produced).toBeLessThan(index === 7 || index === 9 ? 0.25 : 0.03);
  }
  expect(world.network.tally.lost).toBeGreaterThan(500);
  expect(tableOf(world, report, { run: 0, check: 0 })).toContain("nothing is missing that no event names");
});

test("two runs of one seed store the same bytes; another seed stores others", () => {
  const hashes = [1, 1, 2].map((seed) => run({ ...SMALL, seed }).report.hash);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test("the power of boards goes, half of the times within an operation of their flash: what no ack had settled comes later", () => {
  const { world, report } = run({ ...SMALL, boards: 2, signing: 2, cuts: 6 });
  expect(problemsOf(report)).toEqual([]);
  expect(isWhole(report)).toBe(true);
  for (const [index, { samples, messages, waiting }] of report.boards.entries()) {
    const life = world.lives[index]!;
    expect(life.boots.length + life.stillborn).toBe(7);
    expect(waiting).toBeGreaterThan(0);
    expect(messages.declared).toBeLessThan(waiting);
    // what the chip and the packer held at each cut is gone, and named
    expect(samples.declared).toBeGreaterThan(0);
    expect(samples.declared).toBeLessThan(7 * 16 * 25);
    expect(life.kept.flash!.operations).toBeGreaterThan(100);
  }
});

test("boards that have RAM alone lose with their power what no ack has settled, and say so", () => {
  const { report } = run({ ...SMALL, flash: false, cuts: 4 });
  expect(problemsOf(report)).toEqual([]);
  for (const { boots, messages, samples, waiting } of report.boards) {
    expect(boots).toBe(5);
    expect(messages.declared).toBeLessThanOrEqual(waiting);
    expect(samples.declared).toBeGreaterThan(0);
  }
  expect(report.boards.some(({ messages }) => messages.declared > 0)).toBe(true);
});

test("a message that vanishes from an outbox is reported, with its samples", () => {
  let gone = -1;
  const { report } = run({
    ...SMALL,
    flash: false,
    cuts: 0,
    loss: 0,
    drain: 120 * SECOND,
    plant({ clock, lives }) {
      const look = () => {
        const waiting = lives[0]!.current!.runtime.outbox.waiting as unknown as {
          readonly kind: string;
          readonly seq: number;
        }[];
        // while nobody is reached all of it waits, and the newest was never sent
        const index = waiting.findLastIndex(({ kind }) => kind === "data");
        if (waiting.length > 9) gone = waiting.splice(index, 1)[0]!.seq;
        else clock.at(clock.now + SECOND, look);
      };
      clock.at(60 * SECOND, look);
    },
  });
  expect(gone).toBeGreaterThan(0);
  const [board] = report.boards;
  expect(board!.messages.silent).toBe(1);
  expect(board!.samples.silent).toBe(250);
  expect(board!.problems[0]).toBe(`boot 1 seqs ${gone} to ${gone} are neither stored nor named`);
  expect(board!.problems[1]).toContain("boot 1 channel 0: samples");
});

test("a row that is missing, changed, there twice, or never was, is found", () => {
  const { world, report } = run({ ...SMALL, cuts: 0 });
  expect(isWhole(report)).toBe(true);
  const isData = ({ kind, seq }: Row) => kind === 1 && seq === 20;
  const problems = (change: (row: Row) => Row[]) => {
    const found = checkWorld(withRows(world, change));
    expect(isWhole(found)).toBe(false);
    expect(found.hash).not.toBe(report.hash);
    return problemsOf(found);
  };
  expect(problems((row) => (isData(row) ? [] : [row]))).toContain("boot 1 seqs 20 to 20 are neither stored nor named");
  expect(problems((row) => (isData(row) ? [row, row] : [row]))).toContain("1 rows are there twice");
  const other = problems((row) => {
    if (!isData(row) || row.message[0] !== 0xd1) return [row];
    const message = row.message.slice();
    const { payload } = decodeMac0(message);
    // one of the differences from sample to sample
    payload[60]! ^= 2;
    return [{ ...row, message }];
  });
  expect(other[0]).toEqual("boot 1 seq 20 is stored with other bytes");
  expect(other[1]).toMatch(/^boot 1 channel 0: \d+ stored samples are twice there or are not what the chip gave$/);
  expect(problems((row) => (isData(row) ? [row, { ...row, boot: 9 }] : [row]))).toContain(
    "boot 9 is stored and never was",
  );
});
