/**
 * The gateway: sources hand messages in; they are verified, committed together, acknowledged after the commit, and told
 * to whoever listens.
 */

import { encodeCheckpoint } from "../protocol/checkpoint.ts";
import type { Aead, Crypto, Signer } from "../protocol/cose.ts";
import type { Reason } from "../protocol/refusal.ts";
import { type BoardTimes, createBoardTimes } from "./board-time.ts";
import { Clocks } from "./clock/clocks.ts";
import { type Boot, type Device, Devices } from "./devices.ts";
import { createDownlinkSealer, type DownlinkSealer } from "./downlink.ts";
import type { Origin } from "./origin.ts";
import { createOutgoing, type Outgoing, type Posting } from "./outgoing.ts";
import { type Accepted, Receiver, type ReceiverSettings, type Verdict } from "./receiver.ts";
import type { PingRow, Store } from "./store/store.ts";

export interface GatewayOptions extends ReceiverSettings {
  readonly store: Store;
  readonly crypto: Crypto;
  /** Opens and seals mode E. */
  readonly aead: Aead;
  /** The gateway's own key: signs what it sends, and checkpoints. */
  readonly signer: Signer;
  /** ms since the epoch. */
  readonly now: () => number;
  /** ms that never jump: shows at once when `now` was set. Absent: that shows when what arrives contradicts what was known. */
  readonly monotonic?: () => number;
  /** Runs a callback soon, once what has arrived by now is in: the messages between share a commit. */
  readonly soon: (callback: () => void) => void;
  /** Asks boards for their ticks, so that their clocks are bounded from both sides. Absent: false. */
  readonly pings?: boolean;
  /** After every commit, in its order. */
  readonly onStored?: (accepted: Accepted) => void;
  /** A board has answered a ping; it is stored. */
  readonly onPing?: (ping: PingRow) => void;
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
  readonly sealer: DownlinkSealer;
  /** What boards' clocks show, as far as the gateway has heard. */
  readonly times: BoardTimes;
  /** What boards' clocks and their channels' are in UTC. */
  readonly clocks: Clocks;
  private readonly options: GatewayOptions;
  private readonly receiver: Receiver;
  private readonly outgoing: Outgoing;
  private readonly watchers = new Set<(accepted: Accepted) => void>();
  private flushing = false;
  private checkpointAt: number;

  constructor(options: GatewayOptions) {
    this.options = options;
    this.store = options.store;
    this.devices = new Devices(options.store, options.crypto);
    this.clocks = new Clocks(options);
    this.receiver = new Receiver({
      clockOf: (device, boot, message, received) => this.clocks.record(device, boot, message, received),
      ...options,
      devices: this.devices,
    });
    this.sealer = createDownlinkSealer(options);
    this.times = createBoardTimes(options.now, options.pings === true);
    this.outgoing = createOutgoing(this.devices, this.sealer, this.times);
    this.checkpointAt = this.receiver.head.position;
  }

  /** One message from one origin; committed and acknowledged soon. */
  receive(bytes: Uint8Array, origin: Origin): Verdict {
    const verdict = this.receiver.receive(bytes, origin);
    const kid = origin.device?.card.kid;
    if (kid !== undefined) this.outgoing.heard(kid, origin);
    if (verdict.status === "refused") this.options.onRefused?.(origin, verdict.reason, verdict.detail);
    if ("settled" in verdict && kid !== undefined) this.outgoing.owe(kid, verdict.settled);
    this.flushSoon();
    return verdict;
  }

  /** A message to a device, in its current boot: numbered, committed and sent soon. */
  post(kid: Uint8Array, posting: Posting): void {
    this.outgoing.post(kid, posting);
    this.flushSoon();
  }

  /** The boot in which a device can be told something now; null: not heard in its current boot, in quarantine, revoked. */
  reachable(device: Device): Boot | null {
    return this.outgoing.current(device)?.boot ?? null;
  }

  /** Calls `watcher` after every commit with what was stored, after `onStored`. Gives the end of it. */
  watch(watcher: (accepted: Accepted) => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
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
    const { accepted, ...durable } = this.receiver.batch;
    const pings = accepted.map((one) => this.times.heard(one)).filter((ping) => ping !== null);
    for (const { row } of accepted) this.outgoing.owe(row.kid, row.boot);
    for (const range of durable.settled) this.outgoing.owe(range.kid, range.boot);
    const { letters, boots } = this.outgoing.collect();
    try {
      const checkpoints = accepted.length > 0 && this.checkpointDue ? [this.checkpoint()] : [];
      this.store.commit({ ...durable, boots, checkpoints, pings });
      if (checkpoints.length > 0) this.checkpointAt = this.receiver.head.position;
    } catch (error) {
      this.receiver.failed();
      for (const { failed } of letters) failed?.(error as Error);
      this.options.onError?.(error as Error);
      return;
    }
    this.receiver.committed();
    for (const { origin, message, left } of letters) {
      left?.();
      origin.reply(message);
    }
    for (const one of accepted) {
      this.options.onStored?.(one);
      for (const watcher of this.watchers) watcher(one);
    }
    for (const ping of pings) {
      this.clocks.ping(ping);
      this.options.onPing?.(ping);
    }
  }

  /** Commits what waits, signs the end of the audit chain and closes the store. */
  close(): void {
    if (this.receiver.waiting > 0 || this.outgoing.waiting) this.flush();
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

  private flushSoon(): void {
    if (this.flushing || (this.receiver.waiting === 0 && !this.outgoing.waiting)) return;
    this.flushing = true;
    this.options.soon(() => this.flush());
  }
}
