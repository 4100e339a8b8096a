/**
 * The receiver of PROTOCOL.md section 8: ten steps, fails closed, counts every reason. It takes messages one by one,
 * commits them together, and only then are they acknowledged.
 */

import { decode } from "../protocol/cbor.ts";
import { chainStep } from "../protocol/checkpoint.ts";
import { type Aead, type Crypto, decodeEnvelope, type Envelope, type Signer, verify1 } from "../protocol/cose.ts";
import { kidText } from "../protocol/keys.ts";
import { type DataMessage, decodeMessage, type Message } from "../protocol/messages.ts";
import { REASONS, type Reason, type Refusal, refuse } from "../protocol/refusal.ts";
import { decodeSamples } from "../protocol/samples.ts";
import { addBirth, addSettled, type Boot, type Device, type Devices, disownedRange } from "./devices.ts";
import { type Identity, identityOf } from "./identity.ts";
import type { Counters, Origin } from "./origin.ts";
import { EMPTY_RECORD, type RecordClock, storedPayload } from "./record.ts";
import { type Commit, DISOWNED, type Settled, type Store, type StoredMessage } from "./store/store.ts";

/** A message that has just become durable. */
export interface Accepted {
  readonly device: Device;
  readonly message: Message;
  readonly row: StoredMessage;
  readonly origin: Origin;
}

/** What becomes durable with the next commit; `accepted` has what is told of it. */
export interface Batch extends Omit<Commit, "boots" | "checkpoints" | "pings"> {
  readonly accepted: readonly Accepted[];
}

export type Verdict =
  | { readonly status: "accepted" }
  | { readonly status: "duplicate" }
  | { readonly status: "refused"; readonly reason: Reason; readonly detail: string };

/** What a person should know at once of a device. */
export interface DeviceAlarm {
  readonly kind: "clone or rollback" | "boot regression" | "rotation";
  readonly kid: Uint8Array;
  readonly sentence: string;
}

/** What a gateway decides of its receiver. */
export interface ReceiverSettings {
  /** Countersigns what arrives in mode M, and bare payloads in mode E. Absent: true. */
  readonly countersign?: boolean;
  /** The time of a message that is about to be stored, ms `received`; null: untimed. */
  readonly clockOf?: (device: Device, message: Message, received: number) => RecordClock | null;
  readonly onAlarm?: (alarm: DeviceAlarm) => void;
}

export interface ReceiverOptions extends ReceiverSettings {
  readonly store: Store;
  readonly devices: Devices;
  readonly crypto: Crypto;
  /** Opens mode E. */
  readonly aead: Aead;
  /** The gateway's own key: countersigns. */
  readonly signer: Signer;
  /** Arrival time, ms since the epoch. */
  readonly now: () => number;
  /** Messages a second and in a burst that one device may send over one way. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

const DEFAULT_RATE = { perSecond: 200, burst: 4000 };
/** An evidence level: signed by the device's own key. */
const DEVICE_SIGNED = 3;
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

export class Receiver {
  private readonly options: ReceiverOptions;
  private pending: Accepted[] = [];
  private settledNow: Settled[] = [];
  private readonly staged = new Map<string, Uint8Array>();
  private readonly buckets = new Map<string, { tokens: number; at: number }>();
  private position: number;
  private chain: Uint8Array;

  constructor(options: ReceiverOptions) {
    this.options = options;
    const head = options.store.head();
    this.position = head.position;
    this.chain = head.chain;
  }

  /** What waits for the next commit. */
  get waiting(): number {
    return this.pending.length + this.settledNow.length;
  }

  get head(): { position: number; chain: Uint8Array } {
    return { position: this.position, chain: this.chain };
  }

  /** One message from one origin. Never throws for what it contains. */
  receive(bytes: Uint8Array, origin: Origin): Verdict {
    const counters = origin.counters;
    counters.received++;
    try {
      const status = this.judge(bytes, origin, counters);
      return { status };
    } catch (error) {
      const { reason, message } = error as Refusal;
      if (reason === undefined) throw error;
      counters.refused[reason]++;
      if (origin.device !== undefined && this.waiting === 0) this.options.devices.trim(origin.device);
      return { status: "refused", reason, detail: message };
    }
  }

  private judge(bytes: Uint8Array, origin: Origin, counters: Counters): "accepted" | "duplicate" {
    // Steps 1 to 3: size, strict envelope, exact header set.
    const envelope = decodeEnvelope(bytes);
    const device = this.admit(envelope, origin);
    // Step 5: over the exact bytes received.
    if (!verify1(envelope, device.card.publicKey, this.options.crypto)) {
      throw refuse("signature", `kid ${kidText(envelope.kid)}: the signature does not hold over these bytes`);
    }
    counters.authentic++;
    origin.device = device;
    // From here on the message is the device's own: what is wrong with it is settled for good.
    const message = this.decodePayload(envelope, device);
    const identity = identityOf(message);
    if (identity === null) {
      throw refuse("payload", `a ${message.type} travels from a gateway to a device, not back`);
    }
    if (origin.topic !== undefined && origin.topic.letter !== identity.letter) {
      throw refuse("topic", `a ${message.type} on the topic of "${origin.topic.letter}", must be "${identity.letter}"`);
    }
    const boot = this.options.devices.boot(device, identity.boot);
    const earlier = this.earlier(device, identity);
    if (earlier !== undefined) {
      if (!sameBytes(earlier, envelope.payload)) {
        throw refuse(
          "replay",
          `boot ${identity.boot} seq ${identity.seq} is stored with another payload: a clone or a rollback`,
        );
      }
      counters.duplicates++;
      counters.refused.replay++;
      // A replay of an old message must not change how the device is answered; after a restart it is all there is.
      if (boot.seal === null) hear(boot, message, "sign", false);
      return "duplicate";
    }
    if (identity.space === 0 && boot.settled.has(identity.seq)) {
      throw refuse("replay", `boot ${identity.boot} seq ${identity.seq} was refused or disowned before`);
    }
    this.checkOrder(message, boot);
    if (message.type === "data") this.checkData(message, boot, device);
    this.stage(bytes, envelope.payload, message, identity, boot, { device, origin });
    counters.verified++;
    if (identity.space === 1) counters.presences++;
    return "accepted";
  }

  /** Step 4: enrolled, its own topic, not too fast. */
  private admit(envelope: Envelope, origin: Origin): Device {
    const kid = kidText(envelope.kid);
    if (origin.topic !== undefined && origin.topic.kid !== kid) {
      throw refuse("topic", `kid ${kid} on the topic of ${origin.topic.kid}`);
    }
    const device = this.options.devices.get(envelope.kid);
    if (device === undefined) throw refuse("kid", `kid ${kid} is not enrolled: give its card`);
    const now = this.options.now();
    if (now > device.card.expires * 1000) throw refuse("kid", `kid ${kid}: its card has expired; enrol it anew`);
    const { perSecond, burst } = this.options.rate ?? DEFAULT_RATE;
    const key = `${kid} ${origin.name}`;
    const bucket = this.buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.buckets.set(key, bucket);
    if (bucket.tokens < 1) throw refuse("rate", `kid ${kid}: more than ${perSecond} messages a second`);
    bucket.tokens--;
    return device;
  }

  /** Step 6. What is authentic but invalid is settled, so that the device does not send it for ever. */
  private decodePayload(envelope: Envelope, device: Device): Message {
    try {
      return decodeMessage(envelope.payload);
    } catch (error) {
      this.settleRefused(envelope, device, (error as Refusal).reason);
      throw error;
    }
  }

  private settleRefused(envelope: Envelope, device: Device, reason: Reason): void {
    let header: unknown;
    try {
      const value = decode(envelope.payload);
      header = Array.isArray(value) && [1, 2, 3, 4].includes(value[0] as number) ? value.slice(1, 3) : undefined;
    } catch {
      return;
    }
    const [number, seq] = Array.isArray(header) ? header : [];
    const whole = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
    if (whole(number) && whole(seq)) this.addRefused(this.options.devices.boot(device, number), seq, reason);
  }

  private addRefused(boot: Boot, seq: number, reason: Reason): void {
    if (boot.settled.has(seq)) return;
    const range = { kid: boot.kid, boot: boot.boot, first: seq, count: 1, reason: REASONS.indexOf(reason) };
    this.settledNow.push(range);
    addSettled(boot, range);
  }

  /** The payload stored or staged under this identity. */
  private earlier(device: Device, identity: Identity): Uint8Array | undefined {
    const { kid } = device.card;
    const staged = this.staged.get(keyOf(kid, identity));
    if (staged !== undefined) return staged;
    const stored = this.options.store.find(kid, identity.boot, identity.space, identity.seq);
    return stored === undefined ? undefined : storedPayload(stored);
  }

  /** Step 7. */
  private checkOrder(message: Message, boot: Boot): void {
    if (message.type === "presence") {
      if (message.connection < boot.connection) {
        throw refuse("replay", `presence of connection ${message.connection}, the newest is ${boot.connection}`);
      }
    } else if (message.type === "birth") {
      for (const birth of boot.births.values()) {
        if (!sameBytes(birth.claims.bootseed, message.claims.bootseed)) {
          throw refuse("replay", `boot ${message.boot} was born before with another seed: a rollback or a clone`);
        }
      }
    } else if (boot.births.size === 0) {
      throw refuse("replay", `boot ${boot.boot} has no birth here yet: send it first`);
    }
  }

  /** Steps 6 and 8 where they need the birth: channels that it defined, blocks that decode. */
  private checkData(message: DataMessage, boot: Boot, device: Device): void {
    const birth = boot.births.get(message.cfg);
    if (birth === undefined) throw refuse("replay", `cfg ${message.cfg} of boot ${boot.boot} has no birth here yet`);
    try {
      for (const channel of message.channels) {
        if (!birth.channels.some((definition) => definition.id === channel.id)) {
          throw refuse("payload", `channel ${channel.id} is not in the birth of cfg ${message.cfg}`);
        }
        if (channel.kind === "wave") decodeSamples(channel.codec, channel.bytes, channel.n);
      }
    } catch (error) {
      this.addRefused(this.options.devices.boot(device, message.boot), message.seq, (error as Refusal).reason);
      throw error;
    }
  }

  /** Step 9, first half: everything that the next commit makes durable. */
  private stage(
    bytes: Uint8Array,
    payload: Uint8Array,
    message: Message,
    identity: Identity,
    boot: Boot,
    from: { readonly device: Device; readonly origin: Origin },
  ): void {
    const { crypto, now } = this.options;
    const { device } = from;
    const { kid } = device.card;
    const received = Math.floor(now());
    const hash = crypto.sha256(bytes);
    this.chain = chainStep(crypto, this.chain, kid, identity.boot, identity.seq, hash, received, DEVICE_SIGNED);
    this.position++;
    const row: StoredMessage = {
      position: this.position,
      kid,
      boot: identity.boot,
      space: identity.space,
      seq: identity.seq,
      kind: identity.kind,
      received,
      evidence: DEVICE_SIGNED,
      message: bytes,
      record: EMPTY_RECORD,
      chain: this.chain,
    };
    this.pending.push({ ...from, message, row });
    this.staged.set(keyOf(kid, identity), payload);
    hear(boot, message, "sign", false);
    if (message.type === "presence") boot.connection = Math.max(boot.connection, message.connection);
    else boot.settled.add(identity.seq);
    if (message.type === "birth") addBirth(device, boot, message);
    if (message.type === "event") {
      const range = disownedRange(message);
      if (range !== null) this.disown(device, range);
    }
  }

  private disown(device: Device, range: { boot: number; first: number; count: number }): void {
    const settled = { kid: device.card.kid, ...range, reason: DISOWNED };
    this.settledNow.push(settled);
    addSettled(this.options.devices.boot(device, range.boot), settled);
  }

  /** What the next commit is to hold; the caller writes it and then says `committed` or `failed`. */
  get batch(): Batch {
    return { accepted: this.pending, messages: this.pending.map(({ row }) => row), settled: this.settledNow };
  }

  committed(): void {
    this.pending = [];
    this.settledNow = [];
    this.staged.clear();
    for (const device of this.options.devices.all()) this.options.devices.trim(device);
  }

  /** The store took nothing: memory goes back to what the store has; the devices will send again. */
  failed(): void {
    this.committed();
    this.options.devices.reload();
    const head = this.options.store.head();
    this.position = head.position;
    this.chain = head.chain;
  }
}

/** Notes how a boot's message came: the downlink answers in the same mode. */
function hear(boot: Boot, message: Message, seal: "sign" | "mac", encrypted: boolean): void {
  if (message.type === "manifest") return;
  boot.seal = seal;
  if (message.type === "data" || message.type === "event") boot.encrypted = encrypted;
}

function keyOf(kid: Uint8Array, identity: Identity): string {
  return `${kidText(kid)} ${identity.boot} ${identity.space} ${identity.seq}`;
}
