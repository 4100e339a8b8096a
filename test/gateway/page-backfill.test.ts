/** What a page is told while a board catches up: the newest at once, of the past how far it has come and what is lost. */
import { describe, expect, test } from "vitest";
import { type BoardCounts, decodeFrame, type Frame } from "../../gateway/dashboard/feed.ts";
import type { Store } from "../../gateway/store/store.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import {
  type Disowned,
  decodeMessage,
  EVENT_DISOWNED,
  type EventMessage,
  encodeDisowned,
  type Message,
} from "../../protocol/messages.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";
import { createTestStream } from "./page-support.ts";

const device = createTestDevice("backfill", 17);
const before = createTestDevice("backfill", 16);
const OPEN = 2 ** 32;

const event = (seq: number, tick = 1000 * seq): EventMessage => ({
  ...{ type: "event", boot: 17, seq, tick, code: 4, small: [0, 0, 1] },
});
const lost = (seq: number, range: Partial<Disowned>): EventMessage => ({
  ...event(seq),
  code: EVENT_DISOWNED,
  small: encodeDisowned({ boot: 17, first: 0, count: 1, reason: 1, end: null, ...range }),
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A gateway, its stream, and listeners; board time passes with the gateway's clock while it is heard live. */
function createBench(store?: Store) {
  const inner = store === undefined ? createTestGateway() : createTestGateway(store);
  const { timers, stream } = createTestStream(inner);
  device.enrollAt(inner.gateway);
  const origin = createTestOrigin();
  const listen = () => {
    const frames: Frame[] = [];
    stream.join({ send: (bytes) => frames.push(decodeFrame(bytes)) });
    return {
      frames,
      /** "data 3" of boot 17, "16: data 3" of boot 16. */
      get told() {
        return frames.flatMap((frame) => {
          if (frame.type !== "message") return [];
          const message = decodeMessage(decodeEnvelope(frame.message).payload) as Message & {
            seq: number;
            boot: number;
          };
          return [`${message.boot === 17 ? "" : `${message.boot}: `}${message.type} ${message.seq}`];
        });
      },
      /** The newest counts, after a second in which nothing came. */
      get counts(): BoardCounts {
        timers.advance(1000);
        return frames.filter((frame) => frame.type === "counts").at(-1)!.counts;
      },
    };
  };
  return {
    listen,
    gateway: inner.gateway,
    stored: inner.stored,
    stream,
    /** Hears, stores and passes on; `at`: ms after the gateway's beginning. */
    hear(messages: readonly Message[], at = 0) {
      inner.now = 1_800_000_000_000 + at;
      const from = inner.stored.length;
      for (const message of messages) inner.gateway.receive(device.seal(message), origin);
      inner.settle();
      for (const accepted of inner.stored.slice(from)) stream.stored(accepted);
    },
  };
}

describe("after an outage", () => {
  test("a page is told the newest, every event and what belongs on its screen; hours of the past are counted", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([device.birth(), device.data(1), device.data(2)], 2000);
    // 20 minutes without a word; then the newest, the events, the rest from the oldest on.
    bench.hear([device.data(1200)], 1_200_000);
    bench.hear([event(500), device.data(1201)], 1_201_000);
    expect(page.told).toEqual(["birth 0", "data 1", "data 2", "data 1200", "event 500", "data 1201"]);
    expect(page.counts).toMatchObject({ missing: 1196, declared: 0, backfill: null });
    bench.hear(
      range(3, 499).map((seq) => device.data(seq)),
      1_202_000,
    );
    expect(page.told).toHaveLength(6);
    const boot = 17;
    // 499 s after its boot it was measured, 1202 s after it it is here.
    expect(page.counts).toMatchObject({ missing: 699, backfill: { at: 1_800_001_202_000, boot, age: 703_000 } });
    bench.hear(
      range(501, 1199).map((seq) => device.data(seq)),
      1_210_000,
    );
    // What a screen may still show is told: the last minute before the newest.
    expect(page.told.slice(6)).toEqual(range(1141, 1199).map((seq) => `data ${seq}`));
    expect(page.counts).toMatchObject({ missing: 0, declared: 0 });
    expect(page.counts.backfill!.age).toBeGreaterThan(30_000);
  });

  test("who comes while it catches up is told the newest, and the same counts; a gateway started anew knows what is newest", () => {
    const bench = createBench();
    bench.hear([device.birth(), ...range(1000, 1040).map((seq) => device.data(seq))], 1_040_000);
    bench.hear(
      range(1, 50).map((seq) => device.data(seq)),
      1_041_000,
    );
    const late = bench.listen();
    expect(late.told).toEqual(["birth 0", ...range(1001, 1040).map((seq) => `data ${seq}`)]);
    expect(late.counts).toMatchObject({ missing: 949, backfill: { age: 991_000 } });
    const again = createBench(bench.gateway.store);
    const page = again.listen();
    const known = page.told.length;
    again.hear([device.data(51), device.data(1041)], 1_042_000);
    expect(page.told.slice(known)).toEqual(["data 1041"]);
    expect(page.counts).toMatchObject({ missing: 948, backfill: { boot: 17 } });
  });

  test("a message that was lost for seconds is no backfill: it is told, and nobody is said to catch up", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([device.birth(), device.data(1), device.data(8)], 8000);
    bench.hear(
      range(2, 7).map((seq) => device.data(seq)),
      9000,
    );
    expect(page.told).toEqual(["birth 0", "data 1", "data 8", ...range(2, 7).map((seq) => `data ${seq}`)]);
    expect(page.counts).toMatchObject({ missing: 0, backfill: null });
  });

  test("of the boot before nothing is told but how far it has come, by the gateway's fit of its clock, and what of it is missing", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([before.birth()], 30);
    for (const seq of range(1, 20)) bench.hear([before.data(seq)], 1000 * seq + 20);
    const birth = { ...device.birth(), prev: { boot: 16, seq: 29 } };
    bench.hear([birth, device.data(1)], 600_000);
    const told = page.told.length;
    // A clean end: only the next birth says how many there were.
    expect(page.counts).toMatchObject({ missing: 0, earlierMissing: 9, backfill: null });
    bench.hear([before.data(21), { ...event(23), boot: 16 }, before.data(24)], 601_000);
    expect(page.told).toHaveLength(told);
    expect(page.counts).toMatchObject({ earlierMissing: 6, earlierDeclared: 0, backfill: { boot: 16 } });
    const { age } = page.counts.backfill!;
    expect(Math.abs(age! - 577_000)).toBeLessThan(200);
    bench.hear(
      [22, ...range(25, 29)].map((seq) => before.data(seq)),
      602_000,
    );
    expect(page.counts).toMatchObject({ missing: 0, earlierMissing: 0 });
  });

  test("of a boot whose time nobody knows it is told without one", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([before.birth(), before.data(1)]);
    bench.hear([device.birth(), before.data(2)], 600_000);
    expect(page.counts.backfill).toEqual({ at: 1_800_000_600_000, boot: 16, age: null });
  });
});

describe("what is declared lost", () => {
  test("to the end of a boot is no number: what was sent of it and is missing counts, what is stored never", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([before.birth(), before.data(1), before.data(5)]);
    const end = { tick: 7000, within: 1000 };
    // 2 to 4 and 6 will still come, from 7 on nothing.
    bench.hear([device.birth(), lost(1, { boot: 16, first: 7, count: OPEN - 7, reason: 2, end })], 600_000);
    expect(page.counts).toMatchObject({ missing: 0, declared: 0, earlierMissing: 4, earlierDeclared: 0 });
    bench.hear([lost(2, { boot: 16, first: 3, count: 2 })], 601_000);
    expect(page.counts).toMatchObject({ earlierMissing: 2, earlierDeclared: 2 });
    bench.hear([before.data(2), before.data(3), before.data(6)], 602_000);
    expect(page.counts).toMatchObject({ earlierMissing: 0, earlierDeclared: 1 });
  });

  test("is no longer lost where it comes after all, before the event or after it", () => {
    const bench = createBench();
    const page = bench.listen();
    bench.hear([device.birth(), device.data(2), device.data(9), lost(10, { first: 1, count: 6 })], 10_000);
    expect(page.counts).toMatchObject({ missing: 2, declared: 5 });
    bench.hear([device.data(4)], 11_000);
    expect(page.counts).toMatchObject({ missing: 2, declared: 4 });
    bench.hear([lost(11, { first: 0, count: OPEN })], 12_000);
    expect(page.counts).toMatchObject({ missing: 0, declared: 6 });
  });

  test("of this boot is told to who opens the page later, however long ago it was", () => {
    const bench = createBench();
    bench.hear([device.birth(), lost(1, { boot: 16, first: 7, count: OPEN - 7, reason: 2 }), lost(2, { first: 9 })]);
    bench.hear(
      range(3, 80).map((seq) => device.data(seq)),
      80_000,
    );
    const expected = ["birth 0", "event 1", "event 2", ...range(41, 80).map((seq) => `data ${seq}`)];
    expect(bench.listen().told).toEqual(expected);
    const again = createBench(bench.gateway.store);
    expect(again.listen().told).toEqual(expected);
    // Passed on after the store was read.
    again.stream.stored(bench.stored.find(({ row }) => row.seq === 2)!);
    expect(again.listen().told).toEqual(expected);
  });
});
