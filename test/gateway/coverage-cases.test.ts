/** What a report says where the histories of coverage.test.ts do not go: days, several channels, chips that stop, hostile numbers. */
import { expect, test } from "vitest";
import { coverageOf } from "../../gateway/coverage.ts";
import { encode, map } from "../../protocol/cbor.ts";
import {
  type ChannelDefinition,
  DISOWNED_EVICTED,
  DISOWNED_POWER,
  EVENT_CONFIGURATION,
  EVENT_DISOWNED,
  encodeDisowned,
  type Message,
  OP_START,
  OP_STOP,
  type Scalar,
  type Wave,
} from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";

const START = Date.parse("2027-01-15T22:00:00Z");
const SEQS = 2 ** 32;
type Body = Record<string, unknown> & { tick: number };

const [ecg] = createTestDevice("covered").birth().channels;
const channel = (id: number, rate: number, chip: string): ChannelDefinition => ({
  ...ecg!,
  id,
  rateMilliHz: rate * 1000,
  attributes: { role: `channel ${id}`, chip },
});
/** A second of a channel at 100 Hz up to `tick`: its samples from `idx` on, at this interval, us. */
const wave = (id: number, idx: number, { seg = 0, n = 100, interval = 10_000 } = {}): Wave => {
  const bytes = encodeSamples(1, new Int32Array(n), 0, n);
  return { kind: "wave", id, seg, idx, dt: -n * interval, codec: 1, n, bytes, qual: null };
};
const value = { kind: "num", id: 9, dt: 0, value: 1, qual: null };
const data = (tick: number, ...channels: unknown[]): Body => ({ type: "data", tick, cfg: 1, channels });
const event = (tick: number, code: number, ...small: Scalar[]): Body => ({ type: "event", tick, code, small });
const evicted = (tick: number, boot: number, first: number, count: number) =>
  event(tick, EVENT_DISOWNED, ...encodeDisowned({ boot, first, count, reason: DISOWNED_EVICTED, end: null }));
const cut = (tick: number, boot: number, first: number, end: { tick: number; within: number } | null) => {
  const disowned = { boot, first, count: SEQS - first, reason: DISOWNED_POWER, end };
  return event(tick, EVENT_DISOWNED, ...encodeDisowned(disowned));
};
const changed = (tick: number, op: number, id: number) =>
  event(tick, EVENT_CONFIGURATION, 1, op, encode(map([[2, id]])));
const TWO = [channel(0, 100, "A"), channel(1, 100, "B"), channel(9, 0, "A")];

/** A board: the birth of each boot, and its messages by their seqs; null: it never comes. `late`: boots that come at last. */
function covered(
  boots: Record<number, readonly (Body | null)[]>,
  { channels = TWO, late = [] as number[], prev = null as { boot: number; seq: number } | null } = {},
) {
  const bench = createTestGateway();
  createTestDevice("covered").enrollAt(bench.gateway);
  const origin = createTestOrigin();
  const numbers = Object.keys(boots).map(Number);
  for (const boot of [...numbers.filter((one) => !late.includes(one)), ...late]) {
    const device = createTestDevice("covered", boot);
    const all = [{ ...device.birth(), tick: 0, channels, prev }, ...boots[boot]!];
    for (const [seq, body] of all.entries()) {
      if (body === null) continue;
      bench.now = Math.max(bench.now, START + 86_400_000 * (boot - 1) + Math.min(body.tick, 86_400_000));
      const message = { ...body, boot, seq } as unknown as Message;
      expect(bench.gateway.receive(device.seal(message), origin).status, `seq ${seq}`).toBe("accepted");
    }
  }
  bench.settle();
  return coverageOf(bench.gateway.store, createTestDevice("covered").kid);
}
const seconds = (n: number, of: (second: number) => Body | null) => Array.from({ length: n }, (_, i) => of(i));

test("a stretch across midnight in UTC is shared by the two days", () => {
  // a minute each, from 22:00 for four hours; what was sent between 23:30 and 00:10 is missing
  const block = (i: number, part: number) => ({
    ...wave(0, 1200 * i + 300 * part, { n: 300, interval: 50_000 }),
    dt: -60e6 + 15e6 * part,
  });
  const minute = (i: number) => data(60_000 * (i + 1), ...[0, 1, 2, 3].map((part) => block(i, part)));
  const { days, boots } = covered(
    { 1: seconds(240, (i) => (i >= 90 && i < 130 ? null : minute(i))) },
    { channels: [channel(0, 20, "A")] },
  );
  expect(days.map(({ day }) => day)).toEqual(["2027-01-15", "2027-01-16"]);
  const close = (part: object, whole: Record<string, number>) => {
    for (const [name, s] of Object.entries(whole)) {
      expect(Math.abs((part as Record<string, number>)[name]! - s), name).toBeLessThan(0.2);
    }
  };
  close(days[0]!, { expected: 7200, received: 5400, declared: 0, silent: 1800 });
  close(days[1]!, { expected: 7200, received: 6600, declared: 0, silent: 600 });
  expect(boots).toMatchObject([
    { expected: 14_400, received: 12_000, silent: 2400, missing: { silent: 40 }, ends: "open" },
  ]);
  expect(Math.abs(Date.parse(boots[0]!.from!) - START)).toBeLessThan(200);
});

test("a boot that nobody heard while it ran is of no day", () => {
  const boot = seconds(20, (i) => data(1000 * (i + 1), wave(0, 100 * i)));
  const { days, boots } = covered({ 1: boot, 2: boot }, { late: [1] });
  expect(days).toMatchObject([
    { day: "2027-01-16", received: 20 },
    { day: null, received: 20, expected: 20 },
  ]);
  expect(boots).toMatchObject([
    { boot: 1, from: null, to: null, ends: "unknown" },
    { boot: 2, ends: "open" },
  ]);
});

test("of several waveforms the one counts of which the least is here; each is listed", () => {
  const { days } = covered({
    1: [
      ...seconds(10, (i) => data(1000 * (i + 1), wave(0, 100 * i))),
      // its first three seconds are skipped, and nobody says why
      ...seconds(10, (i) => data(1000 * (i + 11), wave(0, 100 * (i + 10)), wave(1, 100 * (i + 3)))),
    ],
  });
  expect(days).toMatchObject([
    {
      ...{ expected: 13, received: 10, silent: 3, declared: 0 },
      channels: [
        { id: 0, name: "channel 0", expected: 20, received: 20, silent: 0 },
        { id: 1, name: "channel 1", expected: 13, received: 10, silent: 3 },
      ],
    },
  ]);
});

test("a chip that a command has stopped is not expected until it is started again", () => {
  const history = (lost: boolean) => [
    ...seconds(5, (i) => data(1000 * (i + 1), wave(0, 100 * i), wave(1, 100 * i))),
    changed(5500, OP_STOP, 0),
    ...seconds(60, (i) => (lost && i === 30 ? null : data(1000 * (i + 6), wave(1, 100 * (i + 5))))),
    changed(65_500, OP_START, 0),
    ...seconds(5, (i) => data(1000 * (i + 67), wave(0, 100 * i, { seg: 1 }))),
  ];
  const channels = covered({ 1: history(false) }).days[0]!.channels;
  expect(channels).toMatchObject([
    { expected: 10, received: 10 },
    { expected: 65, received: 65 },
  ]);
  // a hole of the other chip says nothing of it
  expect(covered({ 1: history(true) }).days[0]!.channels).toMatchObject([
    { expected: 10 },
    { expected: 65, silent: 1 },
  ]);
  const off = [...history(false), changed(72_500, OP_STOP, 0)];
  const { boots } = covered({ 1: off, 2: [cut(10, 1, off.length + 1, { tick: 80_000, within: 9 })] });
  expect(boots[0]).toMatchObject({ ends: "declared", cut: { tick: 80_000, within: 9 } });
});

test("a chip that runs 5 % slow has all of it: its interval is that of its own blocks", () => {
  const slow = seconds(60, (i) => data(1050 * (i + 1), wave(0, 100 * i, { interval: 10_500 })));
  expect(covered({ 1: slow }).boots).toMatchObject([{ expected: 63, received: 63, silent: 0 }]);
});

test("waveforms that were evicted while values and events went on are missing from message to message", () => {
  const both = (i: number) => (i % 2 === 0 ? data(500 * (i + 2), wave(0, 50 * i)) : data(500 * (i + 1), value));
  const history = seconds(40, (i) => (i >= 20 && i % 2 === 0 ? null : both(i)));
  const told = seconds(10, (i) => evicted(21_000, 1, 21 + 2 * i, 1));
  const of = (events: readonly (Body | null)[]) => covered({ 1: [...history, ...events] }).boots[0];
  expect(of(told)).toMatchObject({ expected: 20, received: 10, declared: 10, silent: 0, missing: { declared: 10 } });
  expect(of(told.slice(1))).toMatchObject({
    received: 10,
    declared: 9,
    silent: 1,
    missing: { declared: 9, silent: 1 },
  });
});

test("a chip that has died is not missing for ever: only next to messages that are not here", () => {
  const history = seconds(100, (i) =>
    i === 60 ? null : data(1000 * (i + 1), ...(i < 20 ? [wave(1, 100 * i)] : []), wave(0, 100 * i)),
  );
  expect(covered({ 1: history }).days[0]!.channels).toMatchObject([
    { expected: 100, received: 99, silent: 1 },
    { expected: 22, received: 20, silent: 2 },
  ]);
});

test("a board that packs ten seconds at a time, and five late, has not fallen silent before its power was cut", () => {
  const block = (i: number) => ({ ...wave(0, 1000 * i, { n: 1000 }), dt: -15e6 });
  const boot = [...seconds(12, (i) => data(10_000 * (i + 1) + 5000, block(i))), event(134_900, 3, 0, 0)];
  const { boots } = covered(
    { 1: boot, 2: [cut(1000, 1, boot.length + 1, { tick: 135_000, within: 11_000 })] },
    { channels: [channel(0, 100, "A")] },
  );
  expect(boots[0]).toMatchObject({ expected: 135, received: 120, declared: 15, silent: 0, uncertain: 11 });
});

test("a board without waveforms is measured by its messages", () => {
  const history = seconds(20, (i) => (i > 3 && i < 7 ? null : data(1000 * (i + 1), value)));
  const channels = [channel(9, 1, "TMP117")];
  expect(covered({ 1: history }, { channels }).days).toMatchObject([
    { expected: 20, received: 17, silent: 3, uncertain: 1, channels: [{ id: null, name: "messages" }] },
  ]);
});

test("a boot of which nothing came counts as far as its board has told of it; what nobody dates is of no day", () => {
  const end = { tick: 30_000, within: 2000 };
  const { boots, days } = covered({ 3: [cut(10, 2, 0, end), data(1000, wave(0, 0))] });
  expect(boots).toMatchObject([
    { boot: 2, messages: 0, ends: "declared", expected: 30, declared: 30, uncertain: 2, cut: end, from: null },
    { boot: 3, messages: 3, ends: "open" },
  ]);
  expect(days.at(-1)).toMatchObject({ day: null, declared: 30 });
});

test("a goodbye whose last messages are missing is none; where they are disowned it is told", () => {
  const boot = seconds(3, (i) => data(1000 * (i + 1), wave(0, 100 * i)));
  const prev = { boot: 1, seq: 5 };
  expect(covered({ 1: boot, 2: [] }, { prev: { boot: 1, seq: 3 } }).boots[0]!.ends).toBe("clean");
  expect(covered({ 1: boot, 2: [] }, { prev }).boots[0]).toMatchObject({ ends: "unknown", missing: { silent: 2 } });
  expect(covered({ 1: boot, 2: [evicted(5, 1, 4, 2)] }, { prev }).boots[0]).toMatchObject({
    ends: "declared",
    missing: { declared: 2 },
  });
});

test("numbers as high as they go end nowhere but in the board's own figures", () => {
  const high = Number.MAX_SAFE_INTEGER;
  const { boots, days } = covered({
    1: [
      data(1000, wave(0, 0)),
      data(2000, wave(0, high - 200)),
      data(high, wave(0, 0, { seg: high })),
      evicted(3000, 1, 5, SEQS - 6),
    ],
    2: [cut(10, 1, 2, { tick: high, within: high }), data(1000, { ...wave(0, 0), dt: -high })],
  });
  for (const figure of [...boots, ...days].flatMap(({ expected, silent, uncertain }) => [
    expected,
    silent,
    uncertain,
  ])) {
    expect(Number.isFinite(figure)).toBe(true);
  }
  expect(days.length).toBeLessThan(5);
});
