/**
 * The gateway: sources hand messages in; they are verified, committed together, acknowledged after the commit, and told
 * to whoever listens.
 */

import { encodeCheckpoint } from "../protocol/checkpoint.ts";
import { type Crypto, type Signer, sign1 } from "../protocol/cose.ts";
import { kidText } from "../protocol/keys.ts";
import { encodeMessage, type Message } from "../protocol/messages.ts";
import type { Reason } from "../protocol/refusal.ts";
import { type Boot, Devices } from "./devices.ts";
import type { Origin } from "./origin.ts";
import { type Accepted, Receiver, type Verdict } from "./receiver.ts";
import type { BootState, Store } from "./store/store.ts";

export interface GatewayOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  /** The gateway's own key: signs acks and checkpoints. */
  readonly signer: Signer;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Runs a callback soon, once what has arrived by now is in: the messages between share a commit. */
  readonly soon: (callback: () => void) => void;
  /** After every commit, in its order. */
  readonly onStored?: (accepted: Accepted) => void;
  /** Every refusal, by its fixed word. */
  readonly onRefused?: (origin: Origin, reason: Reason, detail: string) => void;
  /** Text between packets on a serial line. */
  readonly onLog?: (origin: Origin, text: string) => void;
  /** The store failed: nothing of the batch was acknowledged. */
  readonly onError?: (error: Error) => void;
}

/** Messages between two signed checkpoints of the audit chain. */
const CHECKPOINT_EVERY = 1000;

export class Gateway {
  readonly devices: Devices;
  readonly store: Store;
  private readonly options: GatewayOptions;
  private readonly receiver: Receiver;
  /** The way by which each device was last heard. */
  private readonly routes = new Map<string, Origin>();
  /** Boots whose device waits for an ack, by kid and boot. */
  private readonly owed = new Map<string, Boot>();
  private flushing = false;
  private checkpointAt: number;

  constructor(options: GatewayOptions) {
    this.options = options;
    this.store = options.store;
    this.devices = new Devices(options.store, options.crypto);
    this.receiver = new Receiver({ ...options, devices: this.devices });
    this.checkpointAt = this.receiver.head.position;
  }

  /** One message from one origin; committed and acknowledged soon. */
  receive(bytes: Uint8Array, origin: Origin): Verdict {
    const verdict = this.receiver.receive(bytes, origin);
    if (origin.device !== undefined) this.routes.set(kidText(origin.device.card.kid), origin);
    if (verdict.status === "refused") this.options.onRefused?.(origin, verdict.reason, verdict.detail);
    if (verdict.status === "duplicate" && origin.device !== undefined) this.owe(origin.device.card.kid);
    if (!this.flushing && (this.receiver.waiting > 0 || this.owed.size > 0)) {
      this.flushing = true;
      this.options.soon(() => this.flush());
    }
    return verdict;
  }

  /** What a source refused before it was a message: a line too long, bad base64, a bad CRC. */
  refuse(origin: Origin, reason: Reason, detail: string): void {
    origin.counters.received++;
    origin.counters.refused[reason]++;
    this.options.onRefused?.(origin, reason, detail);
  }

  log(origin: Origin, text: string): void {
    this.options.onLog?.(origin, text);
  }

  /** Commits what waits, then acknowledges it (PROTOCOL.md section 8, steps 9 and 10). */
  flush(): void {
    this.flushing = false;
    const { accepted, settled } = this.receiver.batch;
    for (const { row } of accepted) this.owe(row.kid, row.boot);
    for (const range of settled) this.owe(range.kid, range.boot);
    const { replies, boots } = this.acks();
    try {
      const checkpoints = accepted.length > 0 && this.checkpointDue ? [this.checkpoint()] : [];
      this.store.commit({ messages: accepted.map(({ row }) => row), boots, settled, checkpoints });
      if (checkpoints.length > 0) this.checkpointAt = this.receiver.head.position;
    } catch (error) {
      this.owed.clear();
      this.receiver.failed();
      this.options.onError?.(error as Error);
      return;
    }
    this.receiver.committed();
    for (const [origin, message] of replies) origin.reply(message);
    for (const one of accepted) this.options.onStored?.(one);
  }

  /** Commits what waits, signs the end of the audit chain and closes the store. */
  close(): void {
    if (this.receiver.waiting > 0) this.flush();
    if (this.receiver.head.position > this.checkpointAt) {
      this.store.commit({ messages: [], boots: [], settled: [], checkpoints: [this.checkpoint()] });
    }
    this.store.close();
  }

  private get checkpointDue(): boolean {
    return this.receiver.head.position - this.checkpointAt >= CHECKPOINT_EVERY;
  }

  private checkpoint() {
    const { position, chain } = this.receiver.head;
    const time = Math.floor(this.options.now());
    return { position, object: encodeCheckpoint({ position, chain, time }, this.options.signer) };
  }

  /** Notes that a device is to hear how far one of its boots is settled; without `boot`, its current one. */
  private owe(kid: Uint8Array, boot?: number): void {
    const device = this.devices.get(kid);
    const number = boot ?? device?.currentBoot ?? -1;
    if (device === undefined || number < 0) return;
    this.owed.set(`${kidText(kid)} ${number}`, this.devices.boot(device, number));
  }

  /** The acks that are owed, sealed under the device's current boot, and the rows that make their numbers durable. */
  private acks(): { replies: [Origin, Uint8Array][]; boots: BootState[] } {
    const replies: [Origin, Uint8Array][] = [];
    const touched = new Set<Boot>();
    for (const boot of this.owed.values()) {
      touched.add(boot);
      const device = this.devices.get(boot.kid);
      const origin = this.routes.get(kidText(boot.kid));
      if (device === undefined || origin === undefined || device.currentBoot < 0) continue;
      const current = this.devices.boot(device, device.currentBoot);
      touched.add(current);
      current.downlink++;
      const ack: Message = {
        type: "ack",
        kid: boot.kid,
        boot: current.boot,
        n: current.downlink,
        ofBoot: boot.boot,
        next: boot.settled.next,
        bitmap: boot.settled.bitmap(),
        refused: [...boot.refused].map(([seq, reason]) => ({ seq, reason })),
      };
      replies.push([origin, sign1(encodeMessage(ack), this.options.signer)]);
    }
    this.owed.clear();
    const boots = [...touched].map(({ kid, boot, settled, downlink }) => ({ kid, boot, next: settled.next, downlink }));
    return { replies, boots };
  }
}
