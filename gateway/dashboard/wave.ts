/** The last seconds of one waveform, as stretches in the order of the board's clock, each with how it is to be scaled. Pure. */
import type { ChannelDefinition } from "../../protocol/messages.ts";
import { median } from "./scales.ts";
import { bandWords } from "./words.ts";

/** What stands in the middle of the sweep, and what fills it from bottom to top; raw. */
export interface Level {
  readonly centre: number;
  readonly span: number;
}

/** Samples without a hole and with the same flags. */
export interface Stretch {
  /** Of its message. */
  readonly seq: number;
  readonly seg: number;
  readonly idx: number;
  /** Board time of the first sample, us. */
  readonly time: number;
  /** us from sample to sample. */
  readonly interval: number;
  readonly samples: Int32Array;
  readonly flags: number;
  /** At its first and behind its last sample; between them straight. */
  readonly from: Level;
  readonly to: Level;
}

/** Board time of the last sample, us. */
export function endOf({ time, interval, samples }: Stretch): number {
  return time + (samples.length - 1) * interval;
}

/** Whether `next` goes on where `stretch` ends: then a line may join them. */
export function joins(stretch: Stretch | undefined, next: Stretch): boolean {
  return stretch !== undefined && stretch.seg === next.seg && stretch.idx + stretch.samples.length === next.idx;
}

/** Time without samples between two stretches, us. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** Seqs of the messages before and behind it. */
  readonly after: number;
  readonly before: number;
}

/** us that are kept; wider than any sweep on a screen. */
const KEPT = 45_000_000;
/** Samples that lack where there is a hole, at least: clocks differ by less. */
const LEAST_HOLE = 2;
/** us that a level is taken from. */
const BASIS = 3_000_000;
/** A sweep with automatic gain is never filled by less than these shares: of the signal, of the converter's range. */
const LEAST_OF_SIGNAL = 1 / 500;
const LEAST_OF_RANGE = 1 / 4096;

export class Wave {
  readonly definition: ChannelDefinition;
  readonly stretches: Stretch[] = [];
  private readonly interval: number;
  /** The newest of what is too old to be kept: where a hole begins that reaches beyond the screen. */
  private edge: Stretch | undefined = undefined;

  constructor(definition: ChannelDefinition) {
    this.definition = definition;
    this.interval = 1e9 / definition.rateMilliHz;
  }

  get newest(): Stretch | undefined {
    return this.stretches.at(-1);
  }

  /**
   * Takes a block in its place. "new": after all that is here; "backfill": before some of it; "known": it is here already,
   * or too old to be kept.
   */
  add(block: {
    seq: number;
    seg: number;
    idx: number;
    time: number;
    samples: Int32Array;
    flags: number;
  }): "new" | "backfill" | "known" {
    const { stretches } = this;
    const newest = this.newest;
    let place = stretches.length;
    while (place > 0 && isBefore(block, stretches[place - 1])) place--;
    const isNew = place === stretches.length;
    const before = stretches[place - 1];
    if (before !== undefined && before.seg === block.seg && before.idx + before.samples.length > block.idx)
      return "known";
    const base: Stretch = { ...block, interval: this.interval, from: NOTHING, to: NOTHING };
    if (newest !== undefined && block.time < endOf(newest) - KEPT) {
      if (place === 0 && (this.edge === undefined || isBefore(this.edge, base))) this.edge = base;
      return "known";
    }
    stretches.splice(place, 0, base);
    // What follows a backfill was scaled without it: the line would step.
    const last = isNew ? place : this.placeBefore(endOf(base) + BASIS);
    for (let i = place; i <= last; i++) this.scale(i);
    const oldest = endOf(this.newest!) - KEPT;
    while (endOf(stretches[0]) < oldest) this.edge = stretches.shift();
    return isNew ? "new" : "backfill";
  }

  /** The hole before a stretch, by its place; null: there is none, or nobody knows where it begins. */
  holeBefore(place: number): Hole | null {
    const before = this.stretches[place - 1] ?? this.edge;
    const stretch = this.stretches[place];
    if (before === undefined || joins(before, stretch)) return null;
    const from = endOf(before);
    if (stretch.time - from < LEAST_HOLE * this.interval) return null;
    return { from, to: stretch.time, after: before.seq, before: stretch.seq };
  }

  /** Place of the last stretch that begins before `time`. */
  private placeBefore(time: number): number {
    let place = this.stretches.length - 1;
    while (this.stretches[place].time >= time) place--;
    return place;
  }

  private scale(place: number): void {
    const stretch = this.stretches[place];
    const before = this.stretches[place - 1];
    const to = this.levelAt(place, stretch);
    this.stretches[place] = { ...stretch, from: leads(before, stretch, to) ? before.to : to, to };
  }

  /** The level behind a stretch at this place: of itself and of what came in the seconds before it. */
  private levelAt(place: number, stretch: Stretch): Level {
    const since = endOf(stretch) - BASIS;
    const basis: Int32Array[] = [];
    for (let i = place - 1; i >= 0 && this.stretches[i].time > since; i--) {
      if (bandWords(this.stretches[i].flags) === null) basis.push(this.stretches[i].samples);
    }
    if (bandWords(stretch.flags) === null || basis.length === 0) basis.push(stretch.samples);
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    const all: number[] = [];
    for (const samples of basis) {
      for (const sample of samples) {
        if (sample < lowest) lowest = sample;
        if (sample > highest) highest = sample;
        all.push(sample);
      }
    }
    const least = Math.max(Math.abs(highest) * LEAST_OF_SIGNAL, 2 ** this.definition.bits * LEAST_OF_RANGE);
    const isMedian = this.definition.attributes.role === undefined;
    return { centre: isMedian ? median(all) : (lowest + highest) / 2, span: Math.max(highest - lowest, least) };
  }
}

const NOTHING: Level = { centre: 0, span: 1 };

/** Whether the scale of `before` leads into that of `next`, whose own is `to`: where a level jumps, a line through both would lie. */
function leads(before: Stretch | undefined, next: Stretch, to: Level): before is Stretch {
  return (
    before !== undefined &&
    joins(before, next) &&
    Math.abs(before.to.centre - to.centre) < 2 * Math.max(before.to.span, to.span)
  );
}

function isBefore(a: { seg: number; idx: number }, b: { seg: number; idx: number }): boolean {
  return a.seg < b.seg || (a.seg === b.seg && a.idx < b.idx);
}
