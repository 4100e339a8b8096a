/** Times in the store: what rows say, what a restarted gateway knows, what is read and exported. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvOfRecording } from "../../../formats/csv.ts";
import { wfdbOfRecording } from "../../../formats/wfdb-export.ts";
import { Clocks } from "../../../gateway/clock/clocks.ts";
import { neighboursOf } from "../../../gateway/clock/stored-times.ts";
import type { Boot, Device } from "../../../gateway/devices.ts";
import { readBoot } from "../../../gateway/read.ts";
import { decodeRecord, encodeRecord } from "../../../gateway/record.ts";
import { recordingsOf } from "../../../gateway/recordings.ts";
import { openSqliteStore } from "../../../gateway/store/sqlite.ts";
import type { Store } from "../../../gateway/store/store.ts";
import {
  type DataMessage,
  EVENT_COMMAND_RESULT,
  type EventMessage,
  OP_TIME_PING,
  type Wave,
} from "../../../protocol/messages.ts";
import { encodeSamples } from "../../../protocol/samples.ts";
import { createTestDevice, createTestGateway, createTestOrigin, gatewayKey } from "../../support/gateway.ts";

/** Unix time at which a boot's tick is 0, ms. */
const BOOT = 1_800_000_000_000;
/** One-way delay, ms. */
const DELAY = 0.5;
const RATE = 256;
/** What the board's clock shows, ms since boot: 50 ppm fast. */
const DRIFT = 50e-6;
const shown = (ms: number) => ms * (1 + DRIFT);

interface Session {
  readonly store?: Store;
  readonly boot?: number;
  /** Unix ms at tick 0. */
  readonly start?: number;
  readonly pings?: boolean;
  readonly monotonic?: (now: number) => number;
}

/** A gateway, and a board that sends a second of ECG every second and answers pings. */
function session({
  store = openSqliteStore(":memory:"),
  boot = 1,
  start = BOOT,
  pings = true,
  monotonic,
}: Session = {}) {
  const device = createTestDevice("clock", boot);
  const origin = createTestOrigin();
  const bench = createTestGateway(store, { pings, ...(monotonic && { monotonic: () => monotonic(bench.now) }) });
  device.enrollAt(bench.gateway);
  let seq = 0;
  let second = 0;
  let ahead = 0;
  const deliver = (bytes: Uint8Array, at: number) => {
    bench.now = at + DELAY + ahead;
    bench.gateway.receive(bytes, origin);
    bench.settle();
  };
  const samples = Int32Array.from({ length: RATE }, (_, i) => i);
  const data = (tick: number, late = 0): DataMessage => {
    const message = device.data(seq++, [...samples]);
    const [block] = message.channels;
    // the chip is 1 % fast by the board's clock
    const first = RATE * second;
    const time = (first * 1e6) / (RATE * 1.01);
    return {
      ...message,
      tick,
      channels: [{ ...block, idx: first, dt: Math.round(time - tick * 1000) - late }],
    } as DataMessage;
  };
  const answer = () => {
    for (const message of origin.others.splice(0)) {
      if (message.type !== "command" || message.op !== OP_TIME_PING) continue;
      const at = bench.now - ahead + DELAY;
      const tick = Math.floor(shown(at - start));
      const small = [gatewayKey.kid, message.n, 0];
      const event: EventMessage = { type: "event", boot, seq: seq++, tick, code: EVENT_COMMAND_RESULT, small };
      deliver(device.seal(event), at);
    }
  };
  return {
    device,
    store,
    gateway: bench.gateway,
    born(at = start + 100) {
      deliver(device.seal({ ...device.birth(seq++), tick: Math.floor(shown(at - start)) }), at);
    },
    /** So many seconds of data, live; or all of them at a time. */
    run(seconds: number, all?: number) {
      for (const end = second + seconds; second < end; ) {
        const at = start + 1000 * (second + 1) + 200;
        deliver(device.seal(data(Math.floor(shown(at - start)))), all ?? at);
        second++;
        if (all === undefined) answer();
      }
    },
    /** From here on at half the rate, in a segment of its own, as a command would have it. */
    slower(seconds: number) {
      const first = second;
      const at = (k: number) => start + 1000 * (first + k + 1) + 200;
      const tick = (k: number) => Math.floor(shown(at(k) - start));
      const birth = device.birth(seq++);
      const channels = birth.channels.map((one) => ({ ...one, rateMilliHz: (RATE * 1000) / 2 }));
      deliver(device.seal({ ...birth, cfg: 2, channels, tick: tick(0) }), at(0));
      for (let k = 0; k < seconds; k++) {
        const message = data(tick(k));
        const half = RATE / 2;
        const time = shown(1000 * (first + k)) * 1000;
        const block = { ...(message.channels[0] as Wave), seg: 1, idx: half * k, n: half };
        const bytes = encodeSamples(1, samples.slice(0, half), 0, half);
        const channel = { ...block, bytes, dt: Math.round(time - message.tick * 1000) };
        deliver(device.seal({ ...message, cfg: 2, channels: [channel] }), at(k));
        answer();
      }
    },
    passOver(messages: number) {
      seq += messages;
      second += messages;
    },
    set(ms: number) {
      ahead = ms;
    },
  };
}

const rows = (store: Store, kid: Uint8Array, boot = 1) =>
  [...store.messages(kid, boot)].filter(({ space }) => space === 0).map((row) => decodeRecord(row.record).clock);
/** UTC us of a sample: the chip is 1 % fast by the board's clock, and that 50 ppm by UTC. */
const truth = (idx: number, start = BOOT) => start * 1000 + (idx * 1e6) / (RATE * 1.01) / (1 + DRIFT);

test("every row says when its tick was, how fast the board's clock runs and at which rate the channel came", () => {
  const one = session();
  one.born();
  one.run(400);
  const all = rows(one.store, one.device.kid);
  const last = all.at(-1)!;
  expect(last.assumed).toBe(false);
  expect(last.uncertainty).toBeLessThan(1600);
  expect(Math.abs(last.drift - 50_000)).toBeLessThan(last.driftUncertainty);
  expect(last.driftUncertainty).toBeLessThan(20_000);
  const [rate] = last.channels;
  expect(Math.abs(rate.rate / 1e6 - RATE * 1.01 * (1 + DRIFT))).toBeLessThan(
    (rate.rate / 1e6) * rate.uncertainty * 1e-9,
  );
  let row = 0;
  for (const message of one.store.messages(one.device.kid, 1)) {
    const clock = all[row++];
    if (clock === null || message.kind !== 1) continue;
    expect(Math.abs(clock.utc - (message.received + DELAY) * 1000)).toBeLessThan(clock.uncertainty + 2000);
  }
  // before the first ping nothing bounds it from below
  expect(all.filter((clock) => clock === null).length).toBeLessThan(4);
});

test("a gateway that begins again knows the clock by its rows, and goes on as one that never stopped", () => {
  const one = session();
  one.born();
  one.run(100);
  const again = session({ store: one.store });
  again.passOver(rows(one.store, one.device.kid).length);
  again.run(1);
  const last = rows(one.store, one.device.kid).at(-1)!;
  expect(last).toMatchObject({ assumed: false });
  expect(last.uncertainty).toBeLessThan(3000);
});

test("without pings a row says that its delay is assumed, and so does its uncertainty", () => {
  const one = session({ pings: false });
  one.born();
  one.run(60);
  const last = rows(one.store, one.device.kid).at(-1)!;
  expect(last.assumed).toBe(true);
  expect(last.uncertainty).toBeGreaterThan(50_000);
  const stored = readBoot(one.store, one.device.kid, 1)!;
  const { utc } = stored.channels.get(0)!.blocks[0];
  expect(Math.abs(utc!.utc - truth(0))).toBeLessThan(utc!.uncertainty);
});

test("a gateway's clock that is set, as the monotonic one shows, begins anew at once", () => {
  let set = 0;
  const one = session({ monotonic: (now) => now - BOOT - set });
  one.born();
  one.run(30);
  set = 7200_000;
  one.set(set);
  one.run(1);
  expect(rows(one.store, one.device.kid).at(-1)).toBeNull();
  one.run(90);
  const last = rows(one.store, one.device.kid).at(-1)!;
  const row = one.store.newest(one.device.kid, 1, 0, 1)[0];
  expect(Math.abs(last.utc - row.received * 1000)).toBeLessThan(last.uncertainty + 2000);
  // the boot as a whole is read by the clock under which most of it came
  const { blocks } = readBoot(one.store, one.device.kid, 1)!.channels.get(0)!;
  expect(Math.abs(blocks[0].utc!.utc - truth(0) - set * 1000)).toBeLessThan(blocks[0].utc!.uncertainty);
});

test("whatever numbers an enrolled device sends, its rows hold whole ones, or are untimed", () => {
  const extreme = (highest: number) =>
    fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }).map((part) => Math.floor(highest ** part)),
    );
  const message = fc.record({
    tick: extreme(2 ** 53 - 1),
    idx: extreme(2 ** 53 - 1),
    dt: extreme(2 ** 53 - 1),
    seg: fc.constantFrom(0, 1),
    later: extreme(1e6),
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 2, maxLength: 30 }), extreme(2 ** 53 - 1), (messages, rateMilliHz) => {
      const { birth, data, kid } = createTestDevice("clock");
      const born = birth();
      const births = new Map([[1, { ...born, channels: born.channels.map((one) => ({ ...one, rateMilliHz })) }]]);
      const boot = { kid, boot: 1, births } as unknown as Boot;
      const clocks = new Clocks({ store: { newest: () => [] } });
      let now = BOOT;
      for (const { tick, idx, dt, seg, later } of messages) {
        now += later;
        const one = data(1);
        const channels = one.channels.map((block) => ({ ...block, idx, dt, seg }));
        const clock = clocks.record({ currentBoot: 1 } as Device, boot, { ...one, tick, channels } as DataMessage, now);
        const again = decodeRecord(encodeRecord({ clock, countersignature: null, plaintext: null }));
        expect(again.clock).toEqual(clock);
        clocks.ping({ kid, boot: 1, n: 1, sent: (now - 1) * 1000, tick, received: now });
      }
    }),
    { numRuns: 200 },
  );
});

describe("what is read", () => {
  test("every sample has its UTC within its uncertainty, and values theirs", () => {
    const one = session();
    one.born();
    one.run(250);
    const { blocks } = readBoot(one.store, one.device.kid, 1)!.channels.get(0)!;
    expect(blocks).toHaveLength(250);
    for (const { idx, samples, utc, interval } of blocks) {
      for (const i of [0, samples.length - 1]) {
        expect(Math.abs(utc!.utc + i * interval - truth(idx + i))).toBeLessThan(utc!.uncertainty);
      }
    }
    expect(blocks.at(-1)!.utc!.uncertainty).toBeLessThan(2000);
  });

  test("exports are dated by it: CSV line by line, WFDB in its header, and --from and --to cut by it", () => {
    const one = session();
    one.born();
    one.run(120);
    const [all] = recordingsOf(one.store, one.device.kid, 1);
    const lines = [...csvOfRecording(all)].join("").trim().split("\r\n").slice(1);
    expect(lines).toHaveLength(120 * RATE);
    const at = (line: string) => Date.parse(`${line.slice(0, 23)}Z`) * 1000 + Number(line.slice(23, 26));
    for (const k of [0, 5000, 120 * RATE - 1]) expect(Math.abs(at(lines[k]) - truth(k))).toBeLessThan(all.uncertainty!);
    const comments = wfdbOfRecording(all).record.comments!.join("\n");
    expect(comments).toMatch(/sample 0 at 2027-01-15T0.*Z, to within \d+ us\nsample 30719 at 2027-/);

    const [part] = recordingsOf(one.store, one.device.kid, 1, { from: BOOT + 60_000, to: BOOT + 70_000 });
    const [piece] = part.channels[0].pieces;
    const first = (part.epoch as (index: number) => number)(piece.at);
    expect(first).toBeGreaterThanOrEqual((BOOT + 60_000) * 1000);
    expect(first).toBeLessThan((BOOT + 60_000) * 1000 + 4000);
    const count = part.channels[0].pieces.reduce((sum, { samples }) => sum + samples.length, 0);
    expect(Math.abs(count - 10 * RATE * 1.01)).toBeLessThan(3);
    expect(recordingsOf(one.store, one.device.kid, 1, { from: BOOT + 3600_000 })).toEqual([]);
  });

  test("a rate that was changed on the way is another recording, each dated at its own", () => {
    const one = session();
    one.born();
    one.run(20);
    one.slower(20);
    const recordings = recordingsOf(one.store, one.device.kid, 1);
    expect(recordings.map(({ rate, channels }) => [rate, channels[0].pieces.length])).toEqual([
      [RATE, 20],
      [RATE / 2, 20],
    ]);
    const [, slow] = recordings;
    const at = slow.epoch as (index: number) => number;
    for (const k of [0, 1000, 2559])
      expect(Math.abs(at(k) - (BOOT + 20_000) * 1000 - (k * 1e6) / 128)).toBeLessThan(slow.uncertainty!);
  });

  test("a boot of which nothing was live is untimed: never guessed, bounded by its neighbours and its own arrival", () => {
    const store = openSqliteStore(":memory:");
    const before = session({ store });
    before.born();
    before.run(60);
    // boot 2 was measured an hour later, and comes with boot 3, two hours later
    const after = session({ store, boot: 3, start: BOOT + 7200_000 });
    after.born();
    after.run(30);
    const lost = session({ store, boot: 2, start: BOOT + 3600_000 });
    lost.born(BOOT + 7300_000);
    lost.run(40, BOOT + 7300_000);
    const { kid } = lost.device;
    expect(rows(store, kid, 2).every((clock) => clock === null)).toBe(true);
    const stored = readBoot(store, kid, 2)!;
    expect(stored.timeline.at(0)).toBeNull();
    expect(stored.channels.get(0)!.blocks[0].utc).toBeNull();
    const between = neighboursOf(store, kid, 2);
    expect(between.after! / 1000 - BOOT).toBeGreaterThan(60_000);
    expect(between.after! / 1000 - BOOT).toBeLessThan(60_400);
    expect(between.before! / 1000 - BOOT).toBeGreaterThan(7200_000);
    expect(between.before! / 1000 - BOOT).toBeLessThan(7200_100);

    const [recording] = recordingsOf(store, kid, 2);
    expect(recording).toMatchObject({ untimed: between });
    expect(recording.epoch).toBeUndefined();
    expect(wfdbOfRecording(recording).record.comments).toContainEqual(
      expect.stringMatching(/^untimed: after 2027.*Z, before 2027/),
    );
    // in a range that it may lie in, and not in one that it cannot
    expect(recordingsOf(store, kid, 2, { from: BOOT + 3000_000, to: BOOT + 4000_000 })).toHaveLength(1);
    expect(recordingsOf(store, kid, 2, { from: BOOT + 8000_000 })).toEqual([]);
    expect(recordingsOf(store, kid, 2, { to: BOOT + 50_000 })).toEqual([]);
  });
});
