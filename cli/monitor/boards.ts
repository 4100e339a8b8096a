/** What a monitor knows of the boards that it hears. */
import {
  type BirthMessage,
  type ChannelDefinition,
  decodeDisowned,
  type Message,
  type Num,
} from "../../protocol/messages.ts";
import { FlowMeter, RateMeter } from "./rates.ts";
import { Sequence } from "./sequence.ts";

/** Boots, and configurations of one, that are kept at most: a board that restarts for ever must not fill the memory. */
const MOST_BOOTS = 64;
const MOST_CONFIGURATIONS = 16;

/** A channel as it was last heard. */
export interface HeardChannel {
  readonly id: number;
  /** null: its birth has not come yet. */
  definition: ChannelDefinition | null;
  readonly rate: RateMeter;
  /** The newest single value; null: a waveform, or none yet. */
  value: Num | null;
}

/** One boot of one board. */
export interface HeardBoot {
  readonly kid: string;
  readonly boot: number;
  /** False: no key to check with, so this is only what the packets claim. */
  readonly verified: boolean;
  readonly births: Map<number, BirthMessage>;
  readonly sequence: Sequence;
  readonly channels: Map<number, HeardChannel>;
  readonly flow: FlowMeter;
  /** Packets, repetitions included. */
  packets: number;
  /** Arrival of the newest, ms of the host; null in a file. */
  heardAt: number | null;
  /** Highest tick, ms since boot, and when it arrived. */
  tick: number;
  tickAt: number | null;
}

/** A message of long ago, sent after newer ones. */
export interface Backfill {
  readonly boot: number;
  readonly seq: number;
  /** How much older than the newest of its boot, ms; null: it is of a boot before. */
  readonly behind: number | null;
  /** Arrival, ms of the host; null in a file. */
  readonly at: number | null;
}

/** Older than the newest by this a message fills a gap of an outage, ms: what is repeated for want of an ack is younger. */
const OUTAGE = 30_000;

export class Boards {
  private readonly boots = new Map<string, HeardBoot>();
  /** Sums of the boots that are forgotten. */
  private forgotten = { gaps: 0, lost: 0, duplicates: 0 };
  /** The newest boot of the board that was heard last. */
  newest: HeardBoot | null = null;
  /** The newest message of each board that filled a gap, by kid. */
  readonly backfills = new Map<string, Backfill>();

  /** Takes one message; `again`: it was heard before. null for a message that belongs to no boot's sequence. */
  take(
    kid: string,
    message: Message,
    verified: boolean,
    now: number | null,
  ): { again: boolean; boot: HeardBoot } | null {
    if (message.type === "command" || message.type === "ack" || message.type === "time") return null;
    const boot = this.of(kid, message.boot, verified);
    boot.packets++;
    boot.heardAt = now;
    if (this.newest?.kid !== kid || boot.boot >= this.newest.boot) this.newest = boot;
    if (now !== null) boot.flow.add(now, 1);
    if (message.type === "presence") return { again: false, boot };
    const { seq, tick } = message;
    const again = boot.sequence.add({ seq, tick, birth: message.type === "birth" }, now);
    if (tick >= boot.tick) {
      boot.tick = tick;
      boot.tickAt = now;
    }
    const range = message.type === "event" ? decodeDisowned(message) : null;
    if (range !== null) this.of(kid, range.boot, verified).sequence.disown(range.first, range.count);
    if (again) return { again, boot };
    learn(boot, message);
    const isEarlier = this.newest !== boot;
    const behind = boot.tick - tick;
    if (message.type === "data" && (isEarlier || behind > OUTAGE))
      this.backfills.set(kid, { boot: boot.boot, seq, behind: isEarlier ? null : behind, at: now });
    return { again, boot };
  }

  get gaps(): number {
    return this.sum((sequence) => sequence.gaps) + this.forgotten.gaps;
  }

  /** What the boards have declared lost. */
  get lost(): number {
    return this.sum((sequence) => sequence.lost) + this.forgotten.lost;
  }

  get duplicates(): number {
    return this.sum((sequence) => sequence.duplicates) + this.forgotten.duplicates;
  }

  /** The newest boot of every board, the one that was first heard first. */
  current(): HeardBoot[] {
    const byKid = new Map<string, HeardBoot>();
    for (const boot of this.boots.values())
      if (boot.packets > 0 && boot.boot >= (byKid.get(boot.kid)?.boot ?? 0)) byKid.set(boot.kid, boot);
    return [...byKid.values()];
  }

  private sum(of: (sequence: Sequence) => number): number {
    let sum = 0;
    for (const { sequence } of this.boots.values()) sum += of(sequence);
    return sum;
  }

  private of(kid: string, number: number, verified: boolean): HeardBoot {
    const key = `${kid} ${number}`;
    const known = this.boots.get(key);
    if (known !== undefined) return known;
    const boot: HeardBoot = {
      kid,
      boot: number,
      verified,
      births: new Map(),
      sequence: new Sequence(),
      channels: new Map(),
      flow: new FlowMeter(),
      packets: 0,
      heardAt: null,
      tick: 0,
      tickAt: null,
    };
    this.boots.set(key, boot);
    if (this.boots.size > MOST_BOOTS) this.forget();
    return boot;
  }

  private forget(): void {
    const [key, { sequence }] = this.boots.entries().next().value!;
    this.forgotten.gaps += sequence.gaps;
    this.forgotten.lost += sequence.lost;
    this.forgotten.duplicates += sequence.duplicates;
    this.boots.delete(key);
  }
}

/** The definition of a channel under a message's cfg; undefined before its birth. */
export function definitionOf(boot: HeardBoot | null, cfg: number, id: number): ChannelDefinition | undefined {
  return boot?.births.get(cfg)?.channels.find((definition) => definition.id === id);
}

function learn(boot: HeardBoot, message: Message): void {
  if (message.type === "birth") {
    boot.births.set(message.cfg, message);
    if (boot.births.size > MOST_CONFIGURATIONS) boot.births.delete(boot.births.keys().next().value!);
    // An older one that comes late names no channel anew.
    for (const { cfg } of boot.births.values()) if (cfg > message.cfg) return;
    for (const definition of message.channels) channelOf(boot, definition.id).definition = definition;
  } else if (message.type === "data") {
    for (const block of message.channels) {
      const channel = channelOf(boot, block.id);
      if (block.kind === "wave") channel.rate.take(block, message.tick);
      else if (message.tick >= boot.tick) channel.value = block;
    }
  }
}

function channelOf(boot: HeardBoot, id: number): HeardChannel {
  const known = boot.channels.get(id);
  if (known !== undefined) return known;
  const channel: HeardChannel = { id, definition: null, rate: new RateMeter(), value: null };
  boot.channels.set(id, channel);
  return channel;
}
