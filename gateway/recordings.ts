/** Stored waveforms on a sample clock: what the exporters take, one recording a boot and rate. */
import { createQrsDetector } from "../firmware/dsp/qrs.ts";
import type { Piece, Recording, RecordingChannel } from "../formats/index.ts";
import { kidText } from "../protocol/keys.ts";
import { MDC_ECG } from "../protocol/messages.ts";
import { channelName, readBoot, type StoredBoot, type StoredChannel } from "./read.ts";
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
    if (channel.blocks.length === 0) continue;
    const rate = channel.definition.rateMilliHz;
    byRate.set(rate, [...(byRate.get(rate) ?? []), channel]);
  }
  const recordings: Recording[] = [];
  for (const [rateMilliHz, channels] of byRate) {
    const recording = recordingOf(stored, rateMilliHz / 1000, channels, range);
    if (recording !== null) recordings.push(recording);
  }
  return recordings;
}

function recordingOf(stored: StoredBoot, rate: number, channels: StoredChannel[], range: TimeRange): Recording | null {
  const interval = 1e6 / rate;
  // Index 0 of the first channel; the other ones of its rate come from the same chip and start with it.
  const [first] = channels[0].blocks;
  const origin = first.time - first.idx * interval;
  const epoch = stored.epoch * 1000 + origin;
  const indexAt = (ms: number) => Math.ceil((ms * 1000 - epoch) / interval);
  const from = range.from === undefined ? 0 : Math.max(0, indexAt(range.from));
  const to = range.to === undefined ? Number.POSITIVE_INFINITY : indexAt(range.to);
  const cut = channels.map((channel) => toChannel(channel, origin, interval, from, to));
  if (cut.every(({ pieces }) => pieces.length === 0)) return null;
  const beats = channels.flatMap((channel, i) =>
    channel.definition.mdc === MDC_ECG ? beatsOf(channel, cut[i], rate) : [],
  );
  return { kid: kidText(stored.kid), boot: stored.boot, rate, channels: cut, epoch: epoch + from * interval, beats };
}

function toChannel(
  channel: StoredChannel,
  origin: number,
  interval: number,
  from: number,
  to: number,
): RecordingChannel {
  const { definition, blocks } = channel;
  const pieces: Piece[] = [];
  const firstSegment = blocks[0].seg;
  let segment = firstSegment;
  /** Index of the segment's sample 0 on the recording's clock. */
  let base = 0;
  let end = 0;
  for (const block of blocks) {
    if (block.seg !== segment) {
      // How many were lost is not known: the board's clock says where the new segment lies.
      segment = block.seg;
      base = Math.max(end, Math.round((block.time - origin) / interval)) - block.idx;
    }
    const at = base + block.idx;
    end = at + block.samples.length;
    const low = Math.max(at, from);
    const high = Math.min(end, to);
    if (low < high) pieces.push({ at: low - from, samples: block.samples.subarray(low - at, high - at) });
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
