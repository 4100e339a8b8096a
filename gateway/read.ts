/** What the store holds, decoded: for exports, pages and checks. */
import {
  ALARM_INACTIVE,
  ALARM_STATE_WORDS,
  alarmWords,
  type BirthMessage,
  type ChannelDefinition,
  type DataMessage,
  type EventMessage,
  MDC_ECG,
  PRIORITY_WORDS,
} from "../protocol/messages.ts";
import { decodeSamples } from "../protocol/samples.ts";
import type { Utc } from "./clock/board-clock.ts";
import { intervalOf } from "./clock/clocks.ts";
import { blockTimes, timedRow } from "./clock/stored-times.ts";
import { type TimedRow, type Timeline, timelineOf } from "./clock/timeline.ts";
import { alarmOf } from "./dashboard/alarms.ts";
import { EVIDENCE_MAC, levelsOf } from "./evidence.ts";
import { openStored } from "./record.ts";
import type { Store } from "./store/store.ts";

/** A stretch of a waveform without a hole. */
export interface WaveBlock {
  readonly seg: number;
  /** Index of the first sample within the segment. */
  readonly idx: number;
  /** Board time of the first sample, us since boot. */
  readonly time: number;
  readonly samples: Int32Array;
  readonly qual: number | null;
  /** Declared samples a second x 1000: a command may change it, in another segment. */
  readonly rateMilliHz: number;
  /** UTC of the first sample by the fits of its channel's clock and the board's; the uncertainty is that of all its samples. */
  readonly utc: Utc | null;
  /** From sample to sample, us of UTC where that is known, else nominal. */
  readonly interval: number;
}

export interface ValuePoint {
  /** Board time, us since boot. */
  readonly time: number;
  readonly raw: number | null;
  readonly qual: number | null;
  /** A chip's reading at a rate is dated to within one interval; the rest as exactly as the board's clock. */
  readonly utc: Utc | null;
}

export interface StoredChannel {
  readonly definition: ChannelDefinition;
  /** Waveforms, in order of segment and index. */
  readonly blocks: WaveBlock[];
  readonly values: ValuePoint[];
}

/** One boot of one device. */
export interface StoredBoot {
  readonly kid: Uint8Array;
  readonly boot: number;
  /** By channel id. */
  readonly channels: Map<number, StoredChannel>;
  readonly events: EventMessage[];
  /** The board's clock in UTC; gives null where the boot is untimed: `neighboursOf` bounds it. */
  readonly timeline: Timeline;
  readonly messages: number;
  /** Lowest evidence level among its messages, as it is now. */
  readonly evidence: number;
}

/**
 * Reads one boot. Channels keep their first definition; null where nothing of the boot is stored. `least`: messages below this
 * evidence level are left out, and data whose channel only such a birth defines: 3 is what the device itself has signed.
 */
export function readBoot(store: Store, kid: Uint8Array, boot: number, least = EVIDENCE_MAC): StoredBoot | null {
  const levelOf = levelsOf(store, kid, boot);
  const channels = new Map<number, StoredChannel>();
  const events: EventMessage[] = [];
  const births = new Map<number, BirthMessage>();
  const data: DataMessage[] = [];
  const rows: TimedRow[] = [];
  let messages = 0;
  let evidence = Number.POSITIVE_INFINITY;
  for (const row of store.messages(kid, boot)) {
    if (row.space !== 0) continue;
    const level = levelOf(row);
    if (level < least) continue;
    messages++;
    evidence = Math.min(evidence, level);
    const message = openStored(row);
    if (message.type === "birth") {
      births.set(message.cfg, message);
      for (const definition of message.channels) {
        if (!channels.has(definition.id)) channels.set(definition.id, { definition, blocks: [], values: [] });
      }
    } else if (message.type === "event") events.push(message);
    else if (message.type === "data") data.push(message);
    if ("tick" in message) rows.push(timedRow(row, message.tick));
  }
  if (messages === 0) return null;
  const timeline = timelineOf(rows);
  for (const channel of channels.values()) addData(channel, data, births, timeline);
  events.sort((a, b) => a.seq - b.seq);
  return { kid, boot, channels, events, timeline, messages, evidence };
}

/** Puts a channel's waves and values of all messages in order, with their times. */
function addData(
  { definition: { id }, blocks, values }: StoredChannel,
  data: readonly DataMessage[],
  births: ReadonlyMap<number, BirthMessage>,
  timeline: Timeline,
): void {
  const waves: Omit<WaveBlock, "utc" | "interval">[] = [];
  for (const message of data) {
    // The receiver stores nothing whose channel has no definition, but its birth may be left out.
    const definition = births.get(message.cfg)?.channels.find((one) => one.id === id);
    if (definition === undefined) continue;
    const { rateMilliHz, attributes } = definition;
    const raw = attributes.processing === undefined || attributes.processing === 0;
    for (const block of message.channels) {
      if (block.id !== id) continue;
      const { qual } = block;
      const time = message.tick * 1000 + block.dt;
      if (block.kind === "num") {
        const at = timeline.at(time);
        const own = raw ? (intervalOf(definition) ?? 0) : 0;
        values.push({ time, raw: block.value, qual, utc: at && { utc: at.utc, uncertainty: at.uncertainty + own } });
      } else {
        const samples = decodeSamples(block.codec, block.bytes, block.n);
        waves.push({ seg: block.seg, idx: block.idx, time, samples, qual, rateMilliHz });
      }
    }
  }
  values.sort((a, b) => a.time - b.time);
  waves.sort((a, b) => a.seg - b.seg || a.idx - b.idx);
  const dated = waves.map(({ seg, idx, time, samples, rateMilliHz }) => ({
    seg,
    idx,
    time,
    n: samples.length,
    nominal: rateMilliHz === 0 ? 0 : 1e9 / rateMilliHz,
  }));
  const times = blockTimes(dated, timeline);
  for (let i = 0; i < waves.length; i++) blocks.push({ ...waves[i], ...times[i] });
}

/** value = (raw + offset) x mul x 10^exp10. */
export function toPhysical(definition: ChannelDefinition, raw: number): number {
  return (raw + definition.offset) * definition.mul * 10 ** definition.exp10;
}

/** An alarm from its beginning to its end, as the board told it. Times in s of its clock, since boot. */
export interface AlarmEpisode {
  readonly id: number;
  readonly name: string;
  /** "high", "medium", "low". */
  readonly priority: string;
  /** When the condition began. */
  readonly onset: number;
  /** In the channel's unit: the value that it began with and the limit. A technical alarm's limit is the time without a value, a pause's its length, s. */
  readonly value: number | null;
  readonly limit: number | null;
  /** "active", "latched", "acknowledged", "paused", and last "inactive", if it has ended. */
  readonly states: { readonly state: string; readonly time: number }[];
}

/** The alarms of a boot in the order in which they began. */
export function alarmEpisodes({ events, channels }: Pick<StoredBoot, "events" | "channels">): AlarmEpisode[] {
  const episodes: AlarmEpisode[] = [];
  const open = new Map<string, AlarmEpisode>();
  for (const event of events) {
    const alarm = alarmOf(event, (id) => channels.get(id)?.definition);
    if (alarm === null) continue;
    const { id, key, kind, priority, onset, definition } = alarm;
    const limited = kind === "limit" || kind === "rhythm";
    const physical = (raw: number | null) => (raw === null || definition === null ? null : exactly(definition, raw));
    let episode = open.get(key);
    if (episode === undefined) {
      episode = {
        id,
        name: alarmWords(id),
        priority: PRIORITY_WORDS[priority],
        onset: onset / 1e6,
        value: physical(alarm.value),
        limit: limited ? physical(alarm.limit) : alarm.limit,
        states: [],
      };
      episodes.push(episode);
      open.set(key, episode);
    }
    episode.states.push({ state: ALARM_STATE_WORDS[alarm.state], time: alarm.time / 1e6 });
    if (alarm.state === ALARM_INACTIVE) open.delete(key);
  }
  return episodes;
}

/** The physical value without the last bits that the scaling adds. */
const exactly = (definition: ChannelDefinition, raw: number) =>
  Number(toPhysical(definition, raw).toFixed(Math.min(20, Math.max(0, -definition.exp10))));

/** What a person calls a channel. */
export function channelName({ definition }: Pick<StoredChannel, "definition">): string {
  return definition.attributes.role ?? (definition.mdc === MDC_ECG ? "ecg" : `channel ${definition.id}`);
}

/** The boots of a device that the store knows, rising. */
export function bootsOf(store: Store, kid: Uint8Array): number[] {
  return store.boots(kid).map((row) => row.boot);
}
