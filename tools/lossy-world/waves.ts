/** Samples: each that a chip converted is stored with its value, once, or it is in what an event names. */
import { Intervals } from "../../gateway/intervals.ts";
import {
  DISOWNED_POWER,
  type Disowned,
  decodeMessage,
  EVENT_OVERFLOW,
  TYPE_DATA,
  TYPE_EVENT,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import type { BootTruth, WaveTruth } from "../../simulator/lossy/truth.ts";
import type { BoardReport } from "./check.ts";

/** One wave block of a message, its samples decoded. */
interface Block {
  readonly seq: number;
  readonly seg: number;
  readonly idx: number;
  /** Board time of the first sample as the message tells it, us. */
  readonly time: number;
  readonly samples: Int32Array;
}

export interface WaveCheck {
  readonly report: BoardReport;
  readonly tell: (problem: string) => void;
  readonly truth: BootTruth;
  /** Payloads by seq. */
  readonly stored: ReadonlyMap<number, Uint8Array>;
  /** Events 8 about this boot. */
  readonly named: readonly Disowned[];
  /** Samples of later are not asked for, us of the world. */
  readonly until: number;
}

/** Where in the truth a segment may begin, around what its time says. */
const SEARCH = 256;

export const isNamed = (named: readonly Disowned[], seq: number): boolean =>
  named.some(({ first, count }) => seq >= first && seq < first + count);

function blocksOf(payloads: Iterable<readonly [number, Uint8Array]>, channel: number): Block[] {
  const blocks: Block[] = [];
  for (const [seq, payload] of payloads) {
    const message = payload[1] === TYPE_DATA ? decodeMessage(payload) : null;
    if (message?.type !== "data") continue;
    for (const block of message.channels) {
      if (block.kind !== "wave" || block.id !== channel) continue;
      const { seg, idx } = block;
      const samples = decodeSamples(block.codec, block.bytes, block.n);
      blocks.push({ seq, seg, idx, time: message.tick * 1000 + block.dt, samples });
    }
  }
  return blocks;
}

/**
 * Where in the truth each segment begins. The first is the chip's from its start; how many samples are missing before another
 * one nobody knows: it is looked for by its values, near its time. null: nothing near there is like it.
 */
function segmentsOf(wave: WaveTruth, converted: number, blocks: readonly Block[]): Map<number, number | null> {
  const bases = new Map<number, number | null>([[0, 0]]);
  for (const { seg, idx, time, samples } of [...blocks].sort((a, b) => a.seg - b.seg || a.idx - b.idx)) {
    if (bases.has(seg)) continue;
    let low = 0;
    for (let high = converted; low < high; ) {
      const middle = (low + high) >> 1;
      if (wave.at(middle) < time) low = middle + 1;
      else high = middle;
    }
    let found: number | null = null;
    for (let off = 0; off <= SEARCH && found === null; off++) {
      for (const at of [low + off, low - off]) {
        if (at < 0 || at + samples.length > converted || found !== null) continue;
        if (samples.every((value, i) => wave.value(at + i) === value)) found = at;
      }
    }
    bases.set(seg, found === null ? null : found - idx);
  }
  return bases;
}

/** Segments of which an event 4 says that samples were lost within or behind them. */
function overflowsOf(stored: Iterable<Uint8Array>, channel: number): Set<number> {
  const segments = new Set<number>();
  for (const payload of stored) {
    const message = payload[1] === TYPE_EVENT ? decodeMessage(payload) : null;
    if (message?.type !== "event" || message.code !== EVENT_OVERFLOW || !Array.isArray(message.small)) continue;
    if (message.small[0] === channel) segments.add(message.small[1] as number);
  }
  return segments;
}

/** Gives how many samples of the channel are stored. */
export function checkWave({ report, tell, truth, stored, named, until }: WaveCheck, wave: WaveTruth): number {
  const converted = wave.count(truth.endedAt ?? Number.POSITIVE_INFINITY);
  const produced = wave.count(Math.min(truth.endedAt ?? until, until));
  const place = `boot ${truth.boot} channel ${wave.channel}`;
  const blocks = blocksOf(stored, wave.channel);
  const gone = [...truth.sealed]
    .filter(([seq]) => !stored.has(seq))
    .map(([seq, { payload }]) => [seq, payload] as const);
  const missing = blocksOf(gone, wave.channel);
  const bases = segmentsOf(wave, converted, [...blocks, ...missing]);
  const here = new Intervals();
  let wrong = 0;
  let kept = 0;
  for (const { seg, idx, samples } of blocks) {
    const base = bases.get(seg) ?? null;
    if (base === null) {
      wrong += samples.length;
      continue;
    }
    for (let i = 0; i < samples.length; i++) {
      const index = base + idx + i;
      if (index >= converted || here.has(index) || samples[i] !== wave.value(index)) wrong++;
      if (index < produced) kept++;
    }
    here.add(base + idx, base + idx + samples.length - 1);
  }
  report.wrong += wrong;
  if (wrong > 0) tell(`${place}: ${wrong} stored samples are twice there or are not what the chip gave`);
  report.samples.produced += produced;
  report.samples.stored += kept;
  if (kept === produced && here.next >= produced) return here.size;

  // What is not here was in a message, or was lost before it was in any: by the chip's overflow, or at the end.
  const inMessage = new Intervals();
  const lost = new Intervals();
  for (const { seq, seg, idx, samples } of missing) {
    const base = bases.get(seg) ?? null;
    if (base === null) continue;
    inMessage.add(base + idx, base + idx + samples.length - 1);
    if (isNamed(named, seq)) lost.add(base + idx, base + idx + samples.length - 1);
  }
  const sealed = Math.max(here.highest, inMessage.highest);
  const overflows = overflowsOf(stored.values(), wave.channel);
  const starts = [...bases].filter((one): one is [number, number] => one[1] !== null).sort((a, b) => a[1] - b[1]);
  const isOverflow = (index: number) => {
    const segment = starts.findLast(([, base]) => base <= index);
    return segment !== undefined && overflows.has(segment[0]);
  };
  const ends = named.filter(({ reason, first }) => reason === DISOWNED_POWER && first <= truth.sealed.size);
  const isEnd = (time: number) => ends.some(({ end }) => end === null || time / 1000 < end.tick + end.within);
  const silent = new Intervals();
  for (let index = here.next; index < produced; index++) {
    if (here.has(index)) continue;
    const told = inMessage.has(index) ? lost.has(index) : index > sealed ? isEnd(wave.at(index)) : isOverflow(index);
    if (told) report.samples.declared++;
    else {
      report.samples.silent++;
      silent.add(index);
    }
  }
  for (const [from, to] of silent.list) tell(`${place}: samples ${from} to ${to} are neither stored nor named`);
  return here.size;
}
