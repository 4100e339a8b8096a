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

/** us that are kept; wider than any sweep on a screen. */
const KEPT = 45_000_000;
/** us that a level is taken from. */
const BASIS = 3_000_000;
/** A sweep with automatic gain is never filled by less than these shares: of the signal, of the converter's range. */
const LEAST_OF_SIGNAL = 1 / 500;
const LEAST_OF_RANGE = 1 / 4096;

export class Wave {
  readonly definition: ChannelDefinition;
  readonly stretches: Stretch[] = [];
  private readonly interval: number;

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
    if (newest !== undefined && block.time < endOf(newest) - KEPT) return "known";
    const base: Stretch = { ...block, interval: this.interval, from: NOTHING, to: NOTHING };
    const to = this.levelAt(place, base);
    const joined =
      joins(before, base) && Math.abs(before!.to.centre - to.centre) < 2 * Math.max(before!.to.span, to.span);
    stretches.splice(place, 0, { ...base, from: joined ? before!.to : to, to });
    const oldest = endOf(this.newest!) - KEPT;
    while (endOf(stretches[0]) < oldest) stretches.shift();
    return isNew ? "new" : "backfill";
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

function isBefore(a: { seg: number; idx: number }, b: { seg: number; idx: number }): boolean {
  return a.seg < b.seg || (a.seg === b.seg && a.idx < b.idx);
}
