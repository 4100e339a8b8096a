/** A board without chips, a gateway in memory, and between them a broker that a test makes as bad as it likes. */
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
import { createTestGateway, gatewayKey, site } from "./gateway.ts";

export interface Broker {
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
  /** It is away until then, s of the board's time; absent: it is there from the beginning. */
  readonly away?: number;
  /** Room of the board for what waits, bytes; absent: enough. */
  readonly room?: number;
  /** Whether the board can sign; absent: it can. */
  readonly signs?: boolean;
}

/** One value a second: no chips, so that minutes pass in no time. */
const counting = (): Vitals => {
  let value = 0;
  return {
    definitions: (id) => [
      { id, mdc: MDC_TEMP, rateMilliHz: 0, bits: 16, offset: 0, mul: 1, exp10: 0, ucum: "Cel", attributes: {} },
    ],
    take() {},
    flags: () => 0,
    quality: () => null,
    interrupted() {},
    prepare: () => ({ same: true, use() {} }),
    read: (_now, emit) => emit(0, value++, 0, null, null),
    onRhythm() {},
    onContact() {},
    onElectrodes() {},
    rated() {},
    onSwapped() {},
  };
};

/** A board talks to a gateway through such a broker for so long, s, and ends. */
export function through(broker: Broker, seconds: number) {
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
  gateway.devices.givePsk(kid, psk, broker.seal.encrypt);

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
    signer: broker.signs === false ? null : signer,
    seal: { ...broker.seal, psk, aead: nodeAead },
    gateways: [gatewayKey],
    device: { kid, ueid: new Uint8Array(17).fill(1), boot: 1, bootSeed: bn, software: "test", version: "1" },
    sensors: [],
    vitals: counting(),
    packet: { period: 1000, codec: "delta" },
    outboxBytes: broker.room ?? 1 << 20,
    link: {
      presence: true,
      open(given) {
        events = given;
        clock.at((broker.away ?? 0) * 1e6, () => given.onUp(1));
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
    disowned: gateway.devices.boot(device, 1).disowned,
    alarms: world.alarms,
    counters: origin.counters,
  };
}
