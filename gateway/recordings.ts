/** Stored waveforms on a sample clock: what the exporters take, one recording a boot and rate. */
import { createQrsDetector } from "../firmware/dsp/qrs.ts";
import type { Piece, Recording, RecordingChannel } from "../formats/index.ts";
import { kidText } from "../protocol/keys.ts";
import { MDC_ECG } from "../protocol/messages.ts";
import { type Between, neighboursOf } from "./clock/stored-times.ts";
import { channelName, readBoot, type StoredBoot, type StoredChannel, type WaveBlock } from "./read.ts";
import type { Store } from "./store/store.ts";

/** A part of time, ms since the epoch; absent: everything. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
}

/** Rates that the detector takes, hz. */
const DETECTOR_RATES = [125, 128, 250, 256];

/** The waveforms of one boot, by rate; a hole is where no piece is. Empty where nothing lies in the range. */
export function recordingsOf(store: Store, kid: Uint8Array, boot: number, range: TimeRange = {}): Recording[] {
  const stored = readBoot(store, kid, boot);
  if (stored === null) return [];
  const byRate = new Map<number, StoredChannel[]>();
  for (const channel of stored.channels.values()) {
    // a command may have changed the rate on the way
    const rates = new Set(channel.blocks.map(({ rateMilliHz }) => rateMilliHz));
    for (const rate of rates) {
      if (rate === 0) continue;
      const blocks = channel.blocks.filter(({ rateMilliHz }) => rateMilliHz === rate);
      byRate.set(rate, [...(byRate.get(rate) ?? []), { ...channel, blocks }]);
    }
  }
  const untimed = stored.timeline.at(0) === null ? neighboursOf(store, kid, boot) : null;
  if (untimed !== null && !mayOverlap(untimed, range)) return [];
  const recordings: Recording[] = [];
  for (const [rateMilliHz, channels] of byRate) {
    const recording = recordingOf(stored, rateMilliHz / 1000, channels, range, untimed);
    if (recording !== null) recordings.push(recording);
  }
  return recordings;
}

/** A boot without a time is all in, or all out. */
const mayOverlap = ({ after, before }: Between, { from, to }: TimeRange) =>
  (from === undefined || before === null || before >= from * 1000) &&
  (to === undefined || after === null || after < to * 1000);

function recordingOf(
  stored: StoredBoot,
  rate: number,
  channels: StoredChannel[],
  range: TimeRange,
  untimed: Between | null,
): Recording | null {
  // All channels of a rate come from the same chip and start with the first.
  const places = channels.map(({ blocks }) => placesOf(blocks));
  const utcAt = clockOf(channels[0].blocks, places[0]);
  const length = Math.max(
    ...channels.map(({ blocks }, i) => (places[i].at(-1) ?? 0) + (blocks.at(-1)?.samples.length ?? 0)),
  );
  const indexAt = (ms: number) => (utcAt === null ? 0 : firstAt(utcAt, length, ms * 1000));
  const from = range.from === undefined || utcAt === null ? 0 : indexAt(range.from);
  const to = range.to === undefined || utcAt === null ? length : indexAt(range.to);
  const cut = channels.map((channel, i) => toChannel(channel, places[i], from, to));
  if (cut.every(({ pieces }) => pieces.length === 0)) return null;
  const beats = channels.flatMap((channel, i) =>
    channel.definition.mdc === MDC_ECG ? beatsOf(channel, cut[i], rate) : [],
  );
  const recording = { kid: kidText(stored.kid), boot: stored.boot, rate, channels: cut, beats };
  if (utcAt === null) return { ...recording, ...(untimed !== null && { untimed }) };
  const uncertainty = uncertaintyOf(channels[0].blocks, places[0], from, to);
  return { ...recording, epoch: (index) => utcAt(from + index), uncertainty };
}

/** Index of each block's first sample on the recording's clock; that of the first segment is the recording's. */
function placesOf(blocks: readonly WaveBlock[]): number[] {
  let before = blocks[0];
  let base = 0;
  let end = 0;
  return blocks.map((block) => {
    if (block.seg !== before.seg) {
      // How many were lost is not known: the board's clock says how long it was.
      const since = before.time + before.samples.length * before.interval;
      base = end + Math.max(0, Math.round((block.time - since) / block.interval)) - block.idx;
    }
    before = block;
    end = base + block.idx + block.samples.length;
    return base + block.idx;
  });
}

/** UTC us of an index, by straight lines between the blocks' first samples and ends; null: they are untimed. */
function clockOf(blocks: readonly WaveBlock[], places: readonly number[]): ((index: number) => number) | null {
  const at: number[] = [];
  const utc: number[] = [];
  const add = (index: number, time: number, interval: number) => {
    // no two samples share a time, whatever the uncertainty of two blocks does
    if (at.length > 0 && time - utc[utc.length - 1] < ((index - at[at.length - 1]) * interval) / 2) return;
    if (at.at(-1) === index) return;
    at.push(index);
    utc.push(time);
  };
  for (let i = 0; i < blocks.length; i++) {
    const { utc: time, samples, interval } = blocks[i];
    if (time === null) continue;
    add(places[i], time.utc, interval);
    const end = places[i] + samples.length;
    if (places[i + 1] !== end) add(end - 1, time.utc + (samples.length - 1) * interval, interval);
  }
  if (at.length === 0) return null;
  const { interval } = blocks[0];
  return (index) => {
    let [low, high] = [0, at.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (at[middle] <= index) low = middle;
      else high = middle - 1;
    }
    const next = low + 1;
    const step = next < at.length ? (utc[next] - utc[low]) / (at[next] - at[low]) : interval;
    return utc[low] + (index - at[low]) * step;
  };
}

/** The first index whose time is at or after `time`, us; `length`: there is none. */
function firstAt(utcAt: (index: number) => number, length: number, time: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (utcAt(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The largest of the blocks in the range, us. */
function uncertaintyOf(blocks: readonly WaveBlock[], places: readonly number[], from: number, to: number): number {
  let most = 0;
  for (let i = 0; i < blocks.length; i++) {
    const inside = places[i] < to && places[i] + blocks[i].samples.length > from;
    if (inside) most = Math.max(most, blocks[i].utc?.uncertainty ?? 0);
  }
  return Math.ceil(most);
}

function toChannel(channel: StoredChannel, places: readonly number[], from: number, to: number): RecordingChannel {
  const { definition, blocks } = channel;
  const pieces: Piece[] = [];
  for (let i = 0; i < blocks.length; i++) {
    const { samples } = blocks[i];
    const at = places[i];
    const low = Math.max(at, from);
    const high = Math.min(at + samples.length, to);
    if (low < high) pieces.push({ at: low - from, samples: samples.subarray(low - at, high - at) });
  }
  // Viewers of ECGs think in mV.
  const volts = definition.ucum === "V";
  return {
    name: channelName(channel),
    unit: volts ? "mV" : definition.ucum,
    offset: definition.offset,
    mul: definition.mul,
    exp10: definition.exp10 + (volts ? 3 : 0),
    pieces,
  };
}

/** R peaks by the firmware's own detector, over the stored samples; it starts anew behind every hole. */
function beatsOf({ definition }: StoredChannel, { pieces }: RecordingChannel, rate: number): { index: number }[] {
  if (!DETECTOR_RATES.includes(rate)) return [];
  const microvolts = definition.mul * 10 ** (definition.exp10 + 6);
  const beats: { index: number }[] = [];
  let start = 0;
  let end = -1;
  const detector = createQrsDetector(rate, microvolts, (index) => beats.push({ index: start + index }));
  for (const { at, samples } of pieces) {
    if (at !== end) {
      detector.reset();
      start = at;
    }
    detector.push(samples, samples.length);
    end = at + samples.length;
  }
  return beats;
}
