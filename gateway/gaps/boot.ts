/** One boot as its stored messages tell it: its seqs, and stretches of time that are there or missing, channel by channel. */
import { decode, isMap } from "../../protocol/cbor.ts";
import {
  type BirthMessage,
  type ChannelDefinition,
  DISOWNED_POWER,
  type Disowned,
  decodeDisowned,
  EVENT_CONFIGURATION,
  EVENT_OVERFLOW,
  type EventMessage,
  type Message,
  OP_START,
  OP_STOP,
} from "../../protocol/messages.ts";
import { timedRow } from "../clock/stored-times.ts";
import type { TimedRow } from "../clock/timeline.ts";
import { channelName } from "../read.ts";
import { openStored } from "../record.ts";
import { Sequence } from "../sequence.ts";
import type { Store, StoredMessage } from "../store/store.ts";
import { createTrack, type Hole, type Moment, type Stretch, type Track } from "./track.ts";

/** What is missing is declared, or nobody has said anything. */
export type Kind = "received" | "declared" | "silent";

/** Part of a boot by the board's clock, us; `uncertain`: how much of it is only known to within, us. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  readonly uncertain: number;
}

/** `id` null: not a channel, but the messages themselves. */
export interface ChannelParts {
  readonly id: number | null;
  readonly name: string;
  readonly parts: readonly Part[];
}

export interface BootParts {
  readonly boot: number;
  readonly sequence: Sequence;
  readonly messages: number;
  /** Where the board says that the boot ended, us since boot, and how much longer it may have run. */
  readonly cut: { readonly time: number; readonly within: number } | null;
  /** Waveforms of which samples are stored; those that its births declare, and of which nothing is. */
  readonly heard: readonly ChannelParts[];
  readonly unheard: readonly ChannelParts[];
  /** The messages by their ticks: for a board without waveforms. */
  readonly byMessages: ChannelParts;
  /** What its rows say of the time, in the order in which they were stored. */
  readonly times: readonly TimedRow[];
  readonly births: readonly BirthMessage[];
  /** The boot's last seq, as the birth of a later one names it; null: none does. */
  readonly prev: number | null;
  /** What its events say of other boots, or of this one. */
  readonly told: readonly Disowned[];
}

/** What later boots say of this one. */
export interface Later {
  readonly told: readonly Disowned[];
  /** The last seq, as the birth of a later boot names it; null: none does. */
  readonly prev: number | null;
}

/** A channel declared at such a rate is a waveform, though nothing of it is here; mHz. */
const WAVEFORM = 10_000;
/** Rows read at once. */
const PAGE = 256;
/** Between two rows whose times are read, us of the board's clock: days are longer. */
const TIMES_EVERY = 30e6;
const TIMES_HELD = 4096;
const SEQS = 2 ** 32;

/** Reads one boot in the order of its seqs. A row that cannot be opened is not there: `verify` says why. */
export function readParts(store: Store, kid: Uint8Array, boot: number, later: Later): BootParts {
  const seqs = store.seqs(kid, boot, 0);
  const sequence = new Sequence();
  for (const seq of seqs) sequence.add(seq);
  if (later.prev !== null) sequence.reach(later.prev);
  const holes: Hole[] = [];
  const births = new Map<number, BirthMessage>();
  const told: Disowned[] = [];
  const tracks = new Map<number, { readonly definition: ChannelDefinition; readonly track: Track }>();
  const values = new Set<number>();
  const byMessages = createByMessages();
  const times = createTimes();
  let messages = 0;
  let last: Moment = { seq: -1, time: 0 };

  const trackOf = (id: number, at: Moment, definition: ChannelDefinition): Track => {
    const one = tracks.get(id) ?? { definition, track: createTrack(at, holes) };
    tracks.set(id, one);
    return one.track;
  };
  const takeBirth = (birth: BirthMessage, at: Moment) => {
    births.set(birth.cfg, birth);
    for (const definition of birth.channels)
      if (definition.rateMilliHz >= WAVEFORM) trackOf(definition.id, at, definition);
  };
  const takeEvent = (event: EventMessage, at: Moment) => {
    const range = decodeDisowned(event);
    if (range !== null) told.push(range);
    const loss = overflowOf(event);
    if (loss !== null) tracks.get(loss.id)?.track.lost(loss.seg, loss.count);
    const change = startOrStop(event);
    if (change === null) return;
    for (const { definition, track } of tracks.values()) {
      if (change.id !== null && !sharesChip(tracks.get(change.id)?.definition, definition)) continue;
      if (change.isStop) track.stop(at);
      else track.start(at);
    }
  };
  const take = (message: Exclude<Message, { type: "presence" }> & { seq: number; tick: number }) => {
    const at = { seq: message.seq, time: message.tick * 1000 };
    const lost = at.seq - last.seq - 1;
    if (lost > 0) holes.push({ from: last.seq + 1, to: at.seq - 1, before: last.time, after: at.time });
    if (messages > 0) byMessages.add(last, at, lost);
    last = { seq: at.seq, time: Math.max(last.time, at.time) };
    messages++;
    if (message.type === "birth") takeBirth(message, at);
    else if (message.type === "event") takeEvent(message, at);
    else if (message.type === "data") {
      const birth = births.get(message.cfg);
      for (const block of message.channels) {
        const definition = birth?.channels.find(({ id }) => id === block.id);
        if (birth === undefined || definition === undefined || definition.rateMilliHz === 0) continue;
        if (block.kind === "num") {
          values.add(block.id);
          continue;
        }
        const { seg, idx, n } = block;
        const born = { seq: birth.seq, time: birth.tick * 1000 };
        const interval = 1e9 / definition.rateMilliHz;
        trackOf(block.id, born, definition).block({
          ...{ seg, idx, n, interval, seq: at.seq },
          time: at.time + block.dt,
        });
      }
    }
  };
  for (let from = 0; from < seqs.length; from += PAGE) {
    const to = Math.min(from + PAGE, seqs.length) - 1;
    for (const row of store.between(kid, boot, seqs[from]!, seqs[to]!)) {
      const message = opened(row);
      if (message === null || !("tick" in message)) continue;
      times.add(row, message.tick);
      take(message as Parameters<typeof take>[0]);
    }
  }
  for (const range of [...told, ...later.told]) if (range.boot === boot) sequence.disown(range);
  const cut = cutOf([...told, ...later.told], boot);
  const partsOf = (stretches: readonly Stretch[]) => merged(stretches.map((one) => partOf(one, sequence)));
  const channels = [...tracks].map(([id, { definition, track }]) => ({
    heard: track.heard,
    channel: { id, name: channelName({ definition }), parts: partsOf(track.end(last, cut)) },
  }));
  return {
    boot,
    sequence,
    messages,
    cut,
    heard: channels.filter(({ heard }) => heard).map(({ channel }) => channel),
    unheard: channels
      .filter(({ heard, channel }) => !heard && !values.has(channel.id) && channel.parts.length > 0)
      .map(({ channel }) => channel),
    byMessages: { id: null, name: "messages", parts: partsOf(byMessages.end(last, cut)) },
    times: times.rows(),
    births: [...births.values()],
    prev: later.prev,
    told,
  };
}

/** null where it was changed in the store since: then it proves nothing. */
function opened(row: StoredMessage): Message | null {
  try {
    return openStored(row);
  } catch {
    return null;
  }
}

/** Event 4 with a number. */
function overflowOf({ code, small }: EventMessage): { id: number; seg: number; count: number } | null {
  if (code !== EVENT_OVERFLOW || !Array.isArray(small) || small.length !== 3) return null;
  const [id, seg, count] = small as unknown[];
  return typeof id === "number" && typeof seg === "number" && typeof count === "number" ? { id, seg, count } : null;
}

/** Event 6 of op 1 or 2; `id` null: of all chips. */
function startOrStop({ code, small }: EventMessage): { isStop: boolean; id: number | null } | null {
  if (code !== EVENT_CONFIGURATION || !Array.isArray(small) || small.length !== 3) return null;
  const [, op, parameters] = small as unknown[];
  if ((op !== OP_START && op !== OP_STOP) || !(parameters instanceof Uint8Array)) return null;
  try {
    const map = decode(parameters);
    const id = isMap(map) ? map.entries.find(([key]) => key === CHANNEL)?.[1] : undefined;
    return { isStop: op === OP_STOP, id: typeof id === "number" ? id : null };
  } catch {
    return null;
  }
}

/** Parameter of a command (PROTOCOL.md section 2.3): any channel of a chip names it. */
const CHANNEL = 2;

function sharesChip(named: ChannelDefinition | undefined, one: ChannelDefinition): boolean {
  if (named === undefined) return false;
  return named.id === one.id || (one.attributes.chip !== undefined && named.attributes.chip === one.attributes.chip);
}

/** The latest moment at which the board says that it was alive. */
function cutOf(told: readonly Disowned[], boot: number): BootParts["cut"] {
  let cut: BootParts["cut"] = null;
  for (const { boot: of, reason, end } of told) {
    if (of !== boot || reason !== DISOWNED_POWER || end === null) continue;
    const time = end.tick * 1000;
    if (cut === null || time > cut.time) cut = { time, within: end.within * 1000 };
  }
  return cut;
}

/**
 * The time from message to message. Of n that are missing between two, n of the n + 1 steps between them are taken for lost: all
 * of it may be.
 */
function createByMessages() {
  const stretches: Stretch[] = [];
  let run: { from: number; to: number } | null = null;
  const close = () => {
    if (run !== null && run.to > run.from) stretches.push({ ...run, missing: null, uncertain: 0 });
    run = null;
  };
  return {
    add(from: Moment, to: Moment, lost: number) {
      const span = Math.max(0, to.time - from.time);
      const step = span / (lost + 1);
      if (lost > 0) {
        close();
        const missing = { after: from.seq, before: to.seq, told: false };
        stretches.push({ from: from.time, to: from.time + span - step, missing, uncertain: step });
      }
      run ??= { from: from.time + span - step, to: from.time };
      run.to = from.time + span;
    },
    end(last: Moment, cut: BootParts["cut"]): Stretch[] {
      close();
      if (cut === null) return stretches;
      const missing = { after: last.seq, before: SEQS, told: true };
      const to = Math.max(last.time, cut.time);
      return [...stretches, { from: last.time, to, missing, uncertain: cut.within }];
    },
  };
}

function partOf({ from, to, missing, uncertain }: Stretch, sequence: Sequence): Part {
  if (missing === null) return { from, to, kind: "received", uncertain };
  const { after, before, told } = missing;
  const isWhole = sequence.stored.count(after + 1, before - 1) === before - after - 1;
  const isTold = isWhole ? told : sequence.declares(after + 1, before - 1);
  return { from, to, kind: isTold ? "declared" : "silent", uncertain };
}

/** Neighbours of a kind are one. */
function merged(parts: readonly Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const before = all.at(-1);
    if (before?.kind !== part.kind || before.to !== part.from) all.push(part);
    else all[all.length - 1] = { ...before, to: part.to, uncertain: before.uncertain + part.uncertain };
  }
  return all;
}

/** Of the rows that are timed as many as days need, in the order in which they were stored. */
function createTimes() {
  let held: { readonly position: number; readonly row: TimedRow }[] = [];
  let every = TIMES_EVERY;
  let next = Number.NEGATIVE_INFINITY;
  return {
    add(row: StoredMessage, tick: number) {
      if (tick * 1000 < next) return;
      const timed = timedRow(row, tick);
      if (timed.from === null) return;
      next = timed.board + every;
      held.push({ position: row.position, row: timed });
      if (held.length < TIMES_HELD) return;
      held = held.filter((_, i) => i % 2 === 0);
      every *= 2;
    },
    rows: () => held.sort((a, b) => a.position - b.position).map(({ row }) => row),
  };
}
