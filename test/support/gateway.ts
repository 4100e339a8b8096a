/** A gateway in memory, and devices that seal what a test wants: no chips, no clock but the test's own. */
import { Gateway, type GatewayOptions } from "../../gateway/gateway.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import type { Accepted, DeviceAlarm } from "../../gateway/receiver.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { Store } from "../../gateway/store/store.ts";
import { encodeCard } from "../../protocol/card.ts";
import { decodeEnvelope, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import {
  type AckMessage,
  type BirthMessage,
  type DataMessage,
  decodeMessage,
  encodeMessage,
  MDC_ECG,
  type Message,
} from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { testOnlySigner } from "../../simulator/keys.ts";

export const site = testOnlySigner("test site");
const gatewaySigner = testOnlySigner("test gateway");

export interface TestGateway {
  readonly gateway: Gateway;
  readonly stored: Accepted[];
  readonly alarms: DeviceAlarm[];
  /** ms since the epoch; set it. */
  now: number;
  /** Runs what the gateway put off: the commit and its acks. */
  settle(): void;
}

export const gatewayKey = { kid: gatewaySigner.kid, publicKey: gatewaySigner.publicKey };

export function createTestGateway(
  store: Store = openSqliteStore(":memory:"),
  settings: Partial<GatewayOptions> = {},
): TestGateway {
  const later: (() => void)[] = [];
  const stored: Accepted[] = [];
  const alarms: DeviceAlarm[] = [];
  const self: TestGateway = {
    now: 1_800_000_000_000,
    stored,
    alarms,
    settle() {
      while (later.length > 0) later.shift()!();
    },
    gateway: new Gateway({
      store,
      crypto: nodeCrypto,
      aead: nodeAead,
      signer: gatewaySigner,
      now: () => self.now,
      soon: (callback) => later.push(callback),
      onStored: (accepted) => stored.push(accepted),
      onAlarm: (alarm) => alarms.push(alarm),
      ...settings,
    }),
  };
  const { kid, publicKey } = gatewaySigner;
  self.gateway.devices.enroll(
    encodeCard({ issuer: "TEST-ONLY", role: "gateway", kid, publicKey, issuedAt: 0, expires: 4e9 }, site),
    site.publicKey,
    true,
  );
  return self;
}

/** An origin that keeps what is sent back in mode S, opened and verified; `acks` apart from `others`. */
export function createTestOrigin(
  name = "test",
  topic?: { kid: string; letter: string },
): Origin & { acks: AckMessage[]; others: Message[] } {
  const acks: AckMessage[] = [];
  const others: Message[] = [];
  return {
    name,
    counters: createCounters(),
    acks,
    others,
    ...(topic && { topic }),
    reply(message) {
      const envelope = decodeEnvelope(message);
      if (!verify1(envelope, gatewayKey.publicKey, nodeCrypto)) throw new Error("an ack that does not verify");
      const opened = decodeMessage(envelope.payload);
      if (opened.type === "ack") acks.push(opened);
      else others.push(opened);
    },
  };
}

/** A device with a TEST-ONLY key of its own. */
export function createTestDevice(name: string, boot = 1) {
  const signer = testOnlySigner("test device", name);
  const { kid, publicKey } = signer;
  const seal = (message: Message) => sign1(encodeMessage(message), signer);
  const birth = (seq = 0, seed = 7): BirthMessage => ({
    type: "birth",
    boot,
    seq,
    tick: 10,
    cfg: 1,
    claims: {
      ueid: Uint8Array.of(1, ...new Uint8Array(16).fill(9)),
      bootcount: boot,
      bootseed: new Uint8Array(16).fill(seed),
      swname: "test",
      swversion: ["1"],
    },
    channels: [
      {
        id: 0,
        mdc: MDC_ECG,
        rateMilliHz: 256_000,
        bits: 18,
        offset: 0,
        mul: 3814697265625,
        exp10: -19,
        ucum: "V",
        attributes: { chip: "MAX30003" },
      },
    ],
    prev: null,
    hint: null,
  });
  const data = (seq: number, samples: readonly number[] = [1, 2, seq]): DataMessage => ({
    type: "data",
    boot,
    seq,
    tick: 1000 * seq,
    cfg: 1,
    channels: [
      {
        kind: "wave",
        id: 0,
        seg: 0,
        idx: (seq - 1) * samples.length,
        dt: -1000,
        codec: 1,
        n: samples.length,
        bytes: encodeSamples(1, Int32Array.from(samples), 0, samples.length),
        qual: null,
      },
    ],
  });
  return {
    signer,
    kid,
    seal,
    birth,
    data,
    enrollAt(gateway: Gateway) {
      const card = encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 }, site);
      gateway.devices.enroll(card, site.publicKey, true);
      return card;
    },
  };
}
