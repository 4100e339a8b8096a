/**
 * PROTOCOL.md section 10, "a broker that drops or delays": whatever it keeps, holds back, sends twice or in another order, the
 * gateway says exactly which messages it does not have, and a manifest proves those that it has.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { createRuntime } from "../../firmware/runtime.ts";
import type { Vitals } from "../../firmware/vitals.ts";
import { levelsOf } from "../../gateway/evidence.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { openStored } from "../../gateway/record.ts";
import { newBootNonce } from "../../protocol/boot-keys.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { toHex } from "../../protocol/keys.ts";
import { type ManifestMessage, MDC_TEMP } from "../../protocol/messages.ts";
import { testOnlyPsk, testOnlySigner } from "../../simulator/keys.ts";
import type { SealMode } from "../../simulator/node.ts";
import { createRandom } from "../../simulator/random.ts";
import { createTestGateway, gatewayKey, site } from "../support/gateway.ts";

interface Broker {
  readonly seed: number;
  readonly seal: SealMode;
  /** Share of a board's messages that it never passes on, however often they come; never a birth. */
  readonly keeps: number;
  /** Share of what a gateway sends that it does not pass on. */
  readonly deaf: number;
  /** It holds back each message for up to this long, ms: later ones pass it. */
  readonly delay: number;
  /** Share of messages that it sends twice. */
  readonly twice: number;
}

/** One value a second: no chips, so that minutes pass in no time. */
const counting = (): Vitals => {
  let value = 0;
  return {
    definitions: (id) => [
      { id, mdc: MDC_TEMP, rateMilliHz: 0, bits: 16, offset: 0, mul: 1, exp10: 0, ucum: "Cel", attributes: {} },
    ],
    take: () => 0,
    interrupted() {},
    prepare: () => ({ same: true, use() {} }),
    read: (_now, emit) => emit(0, value++, 0, null, null),
    onRhythm() {},
  };
};

/** A board talks to a gateway through such a broker for so long, s, and ends. */
function through(broker: Broker, seconds: number) {
  const clock = createVirtualClock();
  const random = createRandom(`broker ${broker.seed}`);
  const signer = testOnlySigner("device", JSON.stringify(broker));
  const { kid, publicKey } = signer;
  const psk = testOnlyPsk(kid);
  const bn = newBootNonce({ psk, kid, boot: 1 }, new Uint8Array(4), null, nodeCrypto);
  const world = createTestGateway();
  const { gateway } = world;
  const epoch = world.now;
  const card = { issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 } as const;
  gateway.devices.enroll(encodeCard(card, site), site.publicKey, true);
  gateway.devices.givePsk(kid, psk);

  let events: LinkEvents | null = null;
  /** By message: whether it is kept. */
  const fates = new Map<string, boolean>();
  const later = (what: () => void) => clock.at(clock.now + 1000 * broker.delay * random.uniform(), what);
  const pass = (what: () => void) => {
    later(what);
    if (random.uniform() < broker.twice) later(what);
  };
  const origin: Origin = {
    name: "broker",
    counters: createCounters(),
    reply(message) {
      if (random.uniform() >= broker.deaf) pass(() => events?.onMessage(message));
    },
  };
  const runtime = createRuntime({
    board: createSimulatedBoard(clock),
    crypto: nodeCrypto,
    signer,
    seal: { ...broker.seal, psk, aead: nodeAead },
    gateways: [gatewayKey],
    device: { ueid: new Uint8Array(17).fill(1), boot: 1, bootSeed: bn, software: "test", version: "1" },
    sensors: [],
    vitals: counting(),
    packet: { period: 1000, codec: "delta" },
    outboxBytes: 1 << 20,
    link: {
      presence: true,
      open(given) {
        events = given;
        events.onUp(1);
      },
      send(letter, message) {
        const name = toHex(message);
        if (!fates.has(name)) fates.set(name, letter === "d" && random.uniform() < broker.keeps);
        if (!fates.get(name)) {
          pass(() => {
            world.now = epoch + clock.now / 1000;
            gateway.receive(message, origin);
            world.settle();
          });
        }
        return true;
      },
      close: (done) => done(),
    },
  });
  runtime.start();
  clock.runUntil(seconds * 1e6);
  runtime.stop(() => {});
  clock.runUntil((seconds + 30) * 1e6);

  const rows = [...gateway.store.messages(kid, 1)].filter(({ space }) => space === 0);
  const stored = rows.map(({ seq }) => seq).sort((a, b) => a - b);
  const levelOf = levelsOf(gateway.store, kid, 1);
  const manifests = rows.map(openStored).filter((one): one is ManifestMessage => one.type === "manifest");
  const device = gateway.devices.get(kid)!;
  return {
    runtime,
    stored,
    /** What never came, below the newest that did. */
    lost: Array.from({ length: stored.at(-1) ?? 0 }, (_, seq) => seq).filter((seq) => !stored.includes(seq)),
    kept: [...fates.values()].filter((fate) => fate).length,
    levels: new Map(rows.map((row) => [row.seq, levelOf(row)])),
    manifests,
    missing: gateway.devices.boot(device, 1).settled.missing,
    alarms: world.alarms,
    counters: origin.counters,
  };
}

const modes: SealMode[] = [
  { mode: "sign", encrypt: false },
  { mode: "mac", encrypt: false },
  { mode: "mac", encrypt: true },
];

describe.each(modes)("in %j", (seal) => {
  test("what it keeps is counted as missing, one for one, and all else is stored once", () => {
    const { runtime, stored, lost, kept, missing } = through(
      { seed: 1, seal, keeps: 0.1, deaf: 0, delay: 0, twice: 0 },
      150,
    );
    expect(runtime.produced).toBeGreaterThan(140);
    expect(kept).toBeGreaterThan(5);
    expect(missing).toBe(lost.length);
    // above the newest that came nobody can know: there is nothing to count from
    expect(kept - lost.length).toBe(runtime.produced - 1 - stored.at(-1)!);
    expect(stored.length + kept).toBe(runtime.produced);
    expect(new Set(stored).size).toBe(stored.length);
  });

  test("what it delays, repeats and lets pass in any order is all there, and never twice", () => {
    const { runtime, stored, missing, counters, alarms } = through(
      { seed: 2, seal, keeps: 0, deaf: 0.3, delay: 4000, twice: 0.3 },
      100,
    );
    expect(stored).toEqual(Array.from({ length: runtime.produced }, (_, seq) => seq));
    expect(missing).toBe(0);
    expect(counters.duplicates).toBeGreaterThan(10);
    expect(runtime.outbox.waiting).toEqual([]);
    expect(alarms).toEqual([]);
  });
});

test("in M what a manifest covers is device-signed, and nothing else is, whatever was kept and in whatever order it came", () => {
  let raised = 0;
  let bare = 0;
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer(),
        seal: fc.constantFrom<SealMode>(...modes.slice(1)),
        keeps: fc.constantFrom(0, 0.02, 0.3),
        deaf: fc.constantFrom(0, 0.3),
        delay: fc.constantFrom(0, 3000, 90_000),
        twice: fc.constantFrom(0, 0.3),
      }),
      (broker) => {
        const { levels, manifests, lost, missing, alarms } = through(broker, 130);
        const covered = new Set(manifests.map(({ seq }) => seq));
        for (const { first, hashes } of manifests) for (let i = 0; i < hashes.length / 16; i++) covered.add(first + i);
        for (const [seq, level] of levels) {
          expect(level, `seq ${seq}`).toBe(covered.has(seq) ? 3 : 2);
          if (level === 3) raised++;
          else bare++;
        }
        expect(missing).toBe(lost.length);
        expect(alarms).toEqual([]);
      },
    ),
    { numRuns: 12, seed: 7 },
  );
  expect(raised).toBeGreaterThan(100);
  expect(bare).toBeGreaterThan(0);
});

test("at 1 % loss manifests cover nearly all that came", () => {
  let covered = 0;
  let all = 0;
  for (let seed = 0; seed < 6; seed++) {
    const { levels } = through({ seed, seal: modes[1]!, keeps: 0.01, deaf: 0, delay: 0, twice: 0 }, 300);
    all += levels.size;
    covered += [...levels.values()].filter((level) => level === 3).length;
  }
  expect(all).toBeGreaterThan(1500);
  expect(covered / all).toBeGreaterThan(0.95);
});
