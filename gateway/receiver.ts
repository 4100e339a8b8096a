/**
 * The receiver of PROTOCOL.md section 8: ten steps, fails closed, counts every reason. It takes messages one by one,
 * commits them together, and only then are they acknowledged.
 */

import { decode } from "../protocol/cbor.ts";
import type { Aead, Crypto, Signer } from "../protocol/cose.ts";
import { kidText } from "../protocol/keys.ts";
import { PAYLOAD_HASH_LENGTH } from "../protocol/manifest.ts";
import {
  type DataMessage,
  decodeDisowned,
  decodeMessage,
  type ManifestMessage,
  type Message,
} from "../protocol/messages.ts";
import { REASONS, type Reason, type Refusal, refuse } from "../protocol/refusal.ts";
import { decodeSamples } from "../protocol/samples.ts";
import { addSettled, addStored, type Boot, wasRefused } from "./boot.ts";
import { addBirth, type Device, type Devices } from "./devices.ts";
import { identityOf } from "./identity.ts";
import { decodeSealed, type Opened, openSealed, type Prover, type Sealed } from "./opening.ts";
import { type Case, createOrder, type Order } from "./order.ts";
import type { Counters, Origin } from "./origin.ts";
import { createRateLimit, type Rate } from "./rate.ts";
import type { RecordClock } from "./record.ts";
import { type Batch, createStaging, type Staging } from "./staging.ts";
import { DISOWNED, type Store } from "./store/store.ts";

export type { Accepted, Batch } from "./staging.ts";

/** What a person should know at once of a device. */
export interface DeviceAlarm {
  readonly kind: "clone or rollback" | "boot regression" | "rotation" | "two keys for one board";
  readonly kid: Uint8Array;
  readonly sentence: string;
}

/** `settled`: the message's boot, where it was settled before; its device has not heard so. */
export type Verdict =
  | { readonly status: "accepted" }
  | { readonly status: "duplicate"; readonly settled: number }
  | { readonly status: "refused"; readonly reason: Reason; readonly detail: string; readonly settled?: number };

/** What a gateway decides of its receiver. */
export interface ReceiverSettings {
  /** Countersigns what arrives in mode M, and bare payloads in mode E. Absent: true. */
  readonly countersign?: boolean;
  /** The time of a message that is about to be stored, `received` in ms, with fractions where the clock has them; null: untimed. */
  readonly clockOf?: (device: Device, boot: Boot, message: Message, received: number) => RecordClock | null;
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
  /** What one device may send over one way. */
  readonly rate?: Rate;
}

const DEFAULT_RATE = { perSecond: 200, burst: 4000 };

export class Receiver {
  private readonly options: ReceiverOptions;
  private readonly staging: Staging;
  private readonly order: Order;
  private readonly mayPass: ReturnType<typeof createRateLimit>;
  /** Boot of the message that is judged, where it was settled before. */
  private settled: number | null = null;

  constructor(options: ReceiverOptions) {
    this.options = options;
    this.mayPass = createRateLimit(options.rate ?? DEFAULT_RATE);
    this.staging = createStaging(options);
    this.order = createOrder(options, this.staging);
  }

  /** What waits for the next commit. */
  get waiting(): number {
    return this.staging.waiting;
  }

  get head(): { position: number; chain: Uint8Array } {
    return this.staging.head;
  }

  /** One message from one origin. Never throws for what it contains. */
  receive(bytes: Uint8Array, origin: Origin): Verdict {
    const counters = origin.counters;
    counters.received++;
    this.settled = null;
    try {
      return this.judge(bytes, origin, counters);
    } catch (error) {
      const { reason, message } = error as Refusal;
      if (reason === undefined) throw error;
      counters.refused[reason]++;
      if (origin.device !== undefined && this.waiting === 0) this.options.devices.trim(origin.device);
      return { status: "refused", reason, detail: message, ...(this.settled !== null && { settled: this.settled }) };
    }
  }

  private judge(bytes: Uint8Array, origin: Origin, counters: Counters): Verdict {
    // Steps 1 to 3: size, strict envelope, exact header set.
    const sealed = decodeSealed(bytes);
    const device = this.admit(sealed.kid, origin);
    // Step 5: over the exact bytes received.
    const opened = this.open(sealed, bytes, device);
    counters.authentic++;
    origin.device = device;
    if (device.quarantine !== null) {
      throw refuse(
        "replay",
        `kid ${kidText(sealed.kid)} is in quarantine: ${device.quarantine.sentence}; vitalwire devices --release frees it`,
      );
    }
    // From here on the message is the device's own: what is wrong with it is settled for good.
    const message = this.decodePayload(opened.payload, device);
    const identity = identityOf(message);
    if (identity === null) {
      throw refuse("payload", `a ${message.type} travels from a gateway to a device, not back`);
    }
    if (device.encrypts && !opened.encrypted && message.type !== "birth" && message.type !== "presence") {
      const name = kidText(sealed.kid);
      throw refuse("header", `kid ${name}: a ${message.type} in the clear, but it is enrolled as one that encrypts`);
    }
    if (origin.topic !== undefined && origin.topic.letter !== identity.letter) {
      throw refuse("topic", `a ${message.type} on the topic of "${origin.topic.letter}", must be "${identity.letter}"`);
    }
    this.order.checkRotation(device, identity, message);
    const boot = this.options.devices.boot(device, identity.boot);
    const one: Case = { device, boot, identity, message, opened, bytes };
    const earlier = this.staging.earlier(device, identity);
    if (earlier !== undefined) {
      this.order.checkEarlier(one, earlier);
      // Memory may have forgotten it (devices.ts); the next ack tells of it again.
      if (identity.space === 0) addStored(boot, identity.seq);
      if (message.type === "birth") addBirth(device, boot, message);
      // A replay of an old message must not change how the device is answered; after a restart it is all there is.
      if (boot.seal === null) hear(boot, message, opened);
      counters.duplicates++;
      counters.refused.replay++;
      return { status: "duplicate", settled: identity.boot };
    }
    // What was disowned and comes after all is taken: nobody unsays what is here.
    if (identity.space === 0 && wasRefused(boot, identity.seq, this.options.store)) {
      this.settled = identity.boot;
      throw refuse("replay", `boot ${identity.boot} seq ${identity.seq} was refused before`);
    }
    this.order.check(one);
    if (message.type === "data") this.checkData(message, boot);
    if (message.type === "manifest") this.checkManifest(message, boot);
    const evidence = this.order.evidence(one);
    // Step 9, first half.
    const told = message.type === "manifest" && opened.seal === "sign" ? this.order.compare(one, message) : null;
    this.staging.stage(one, origin, evidence);
    if (told !== null) this.staging.raise(one, told);
    this.remember(one);
    counters.verified++;
    if (identity.space === 1) counters.presences++;
    return { status: "accepted" };
  }

  /** Step 4: its own topic, enrolled, not revoked, not too fast. */
  private admit(bytes: Uint8Array, origin: Origin): Device {
    const { devices } = this.options;
    const kid = kidText(bytes);
    if (origin.topic !== undefined && origin.topic.kid !== kid) {
      throw refuse("topic", `kid ${kid} on the topic of ${origin.topic.kid}`);
    }
    const device = devices.get(bytes);
    if (device === undefined) throw refuse("kid", `kid ${kid} is not enrolled: give its card`);
    const now = this.options.now();
    if (now > device.card.expires * 1000) throw refuse("kid", `kid ${kid}: its card has expired; enrol it anew`);
    const revocation = devices.revocation(bytes);
    if (revocation !== undefined) {
      const date = new Date(revocation.time * 1000).toISOString();
      throw refuse("revoked", `kid ${kid}: the site revoked it on ${date}, reason ${revocation.reason}`);
    }
    if (!this.mayPass(`${kid} ${origin.name}`, now)) {
      const { perSecond } = this.options.rate ?? DEFAULT_RATE;
      throw refuse("rate", `kid ${kid}: more than ${perSecond} messages a second`);
    }
    return device;
  }

  /** Step 5. What is authentic and still wrong inside mode E is settled. */
  private open(sealed: Sealed, bytes: Uint8Array, device: Device): Opened {
    const { devices, crypto, aead } = this.options;
    const prover: Prover = {
      publicKey: device.card.publicKey,
      psk: device.psk,
      encrypts: device.encrypts,
      bootNonce: (number) => devices.bootNonce(device, number),
      keysOf: (number) => device.boots.get(number)?.keys,
    };
    try {
      return openSealed(sealed, bytes, prover, crypto, aead);
    } catch (error) {
      const { reason } = error as Refusal;
      // Its tag held: the Partial IV is the device's word.
      if (sealed.mode === "E" && (reason === "payload" || reason === "cbor")) {
        this.addRefused(devices.boot(device, sealed.encrypt0.boot), sealed.encrypt0.number, reason);
      }
      throw error;
    }
  }

  /** Step 6. What is authentic but invalid is settled, so that the device does not send it for ever. */
  private decodePayload(payload: Uint8Array, device: Device): Message {
    try {
      return decodeMessage(payload);
    } catch (error) {
      this.settleRefused(payload, device, (error as Refusal).reason);
      throw error;
    }
  }

  private settleRefused(payload: Uint8Array, device: Device, reason: Reason): void {
    let header: unknown;
    try {
      const value = decode(payload);
      header = Array.isArray(value) && [1, 2, 3, 4].includes(value[0] as number) ? value.slice(1, 3) : undefined;
    } catch {
      return;
    }
    const [number, seq] = Array.isArray(header) ? header : [];
    const whole = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
    if (whole(number) && whole(seq)) this.addRefused(this.options.devices.boot(device, number), seq, reason);
  }

  private addRefused(boot: Boot, seq: number, reason: Reason): void {
    if (boot.sequence.stored.has(seq) || wasRefused(boot, seq, this.options.store)) {
      this.settled = boot.boot;
      return;
    }
    const range = { kid: boot.kid, boot: boot.boot, first: seq, count: 1, reason: REASONS.indexOf(reason) };
    this.staging.settle(range);
    addSettled(boot, range);
  }

  /** Steps 6 and 8 where they need the birth: channels that it defined, blocks that decode. */
  private checkData(message: DataMessage, boot: Boot): void {
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
      this.addRefused(boot, message.seq, (error as Refusal).reason);
      throw error;
    }
  }

  /** A manifest lists what came before it. */
  private checkManifest({ boot: number, seq, ofBoot, first, hashes }: ManifestMessage, boot: Boot): void {
    const last = first + hashes.length / PAYLOAD_HASH_LENGTH - 1;
    if (ofBoot < number || (ofBoot === number && last < seq)) return;
    this.addRefused(boot, seq, "payload");
    const lists = `lists up to boot ${ofBoot} seq ${last}, which is not before it`;
    throw refuse("payload", `manifest of boot ${number} seq ${seq} ${lists}`);
  }

  /** What memory keeps of a message that is staged. */
  private remember({ message, identity, boot, device, opened }: Case): void {
    hear(boot, message, opened);
    if (message.type === "presence") boot.connection = Math.max(boot.connection, message.connection);
    else addStored(boot, identity.seq);
    if (message.type === "birth") {
      addBirth(device, boot, message);
      this.order.checkBoard(device);
    }
    const range = message.type === "event" ? decodeDisowned(message) : null;
    if (range === null) return;
    const { devices, store } = this.options;
    const of = devices.boot(device, range.boot);
    addSettled(of, { ...range, kid: device.card.kid, reason: DISOWNED });
    // The store knows a range by its first seq: what was refused for good keeps its own row.
    let { first, count } = range;
    for (; count > 0 && wasRefused(of, first, store); first++) count--;
    if (count > 0) this.staging.settle({ kid: device.card.kid, boot: range.boot, first, count, reason: DISOWNED });
  }

  /** What the next commit is to hold; the caller writes it and then says `committed` or `failed`. */
  get batch(): Batch {
    return this.staging.batch;
  }

  committed(): void {
    this.staging.clear();
    for (const device of this.options.devices.all()) this.options.devices.trim(device);
  }

  /** The store took nothing: memory goes back to what the store has; the devices will send again. */
  failed(): void {
    this.options.devices.reload();
    this.staging.reset();
  }
}

/** Notes how a boot's message came: the downlink answers in the same mode. */
function hear(boot: Boot, message: Message, { seal }: Opened): void {
  if (message.type === "manifest") return;
  boot.seal = seal;
}
