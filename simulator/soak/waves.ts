/** Waveforms of a record against what the converters gave: value by value, loss by loss, and flag by flag. */
import type { SoakChip } from "./plan.ts";
import { type FaultSpan, isAbsent, SECOND, type SoakTruth } from "./truth.ts";

/** A block of a waveform as it is stored. */
export interface WaveBlock {
  readonly seg: number;
  readonly idx: number;
  /** Board time of the first sample, us. */
  readonly time: number;
  readonly flags: number;
  readonly samples: Int32Array;
}

/**
 * How long a board may take to see it, us: samples until then may be without a flag, and are counted apart. A stuck converter is
 * seen by its codes, which move on for a while where the chip was opened meanwhile: its high-pass settles to what it is given.
 */
export const LATENCY: Readonly<Record<string, number>> = {
  "lead-off": SECOND,
  "finger-off": SECOND,
  saturation: SECOND / 2,
  "stuck-value": 2 * SECOND,
};
/** A block is flagged as a whole: samples so long before a fault may be, us. */
const BEFORE = SECOND;
/** Nothing was wrong with the chip for so long: a flag is false, us. */
export const SETTLED = 15 * SECOND;
/** Conversions further apart are not one stretch of codes, us. */
const APART = SECOND / 10;
/** The first so long of a boot, us. */
const OPENING = 30 * SECOND;
/** Where in the truth a segment may begin, around what its time says, samples. */
const SEARCH = 512;

/** Samples of one kind of fault, or of one channel. */
export interface Flagged {
  samples: number;
  flagged: number;
}

export interface WaveReport {
  readonly channel: string;
  stored: number;
  /** In gaps of idx, and before new segments. */
  declared: number;
  /** Lost without a word. */
  silent: number;
  /** Another value than the converter gave for that index. */
  wrong: number;
  /** The converter's values, at another index than the record says. */
  misplaced: number;
  duplicates: number;
  /** No patient, no flag: later than the latency, and within it. By kind of fault. */
  readonly falseGood: Record<string, number>;
  readonly late: Record<string, number>;
  /** Samples without a patient, and how many of them are flagged; of noise and motion too. By kind. */
  readonly faulty: Record<string, Flagged>;
  readonly clean: Flagged;
  /** Largest difference between a block's time and the conversion's, us. */
  timing: number;
}

export interface WaveJudge {
  readonly report: WaveReport;
  /** Gives the times of the conversions that the block holds, us: first and last, and of each; null: they are not known. */
  take(block: WaveBlock): Stored | null;
  /** At the end: what was converted until a time, us, is stored or declared. */
  end(until: number): void;
}

export interface Stored {
  readonly from: number;
  readonly to: number;
  /** The first of its conversions at or after a time, us. */
  firstAt(time: number): number;
}

const NOISY = ["noise-burst", "motion"];
const bump = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1;
};

export function createWaveJudge(truth: SoakTruth, chip: SoakChip, channel: string): WaveJudge {
  const conversions = truth.conversions(chip, channel);
  const report: WaveReport = {
    channel,
    stored: 0,
    declared: 0,
    silent: 0,
    wrong: 0,
    misplaced: 0,
    duplicates: 0,
    falseGood: {},
    late: {},
    faulty: {},
    clean: { samples: 0, flagged: 0 },
    timing: 0,
  };
  let seg = -1;
  /** Of the next sample within the segment, and of the conversions. */
  let nextIdx = 0;
  let next = 0;
  /** Conversions at which the segment may begin, the likeliest first: equal values leave a choice. */
  let bases: number[] = [];

  const differing = (at: number, samples: Int32Array, most: number) => {
    let count = 0;
    for (let i = 0; i < samples.length && count < most; i++) if (conversions.value(at + i) !== samples[i]) count++;
    return count;
  };
  const isKnown = (at: number, length: number) => at >= conversions.oldest && at + length <= conversions.count;
  /** All places around a time where the values are these, the nearest first. */
  const placesOf = ({ time, samples }: WaveBlock) => {
    const around = conversions.firstAt(time);
    const found: number[] = [];
    for (let off = 0; off <= SEARCH; off++) {
      for (const at of off === 0 ? [around] : [around + off, around - off]) {
        if (isKnown(at, samples.length) && differing(at, samples, 1) === 0) found.push(at);
      }
    }
    return found;
  };
  const beginSegment = (block: WaveBlock) => {
    const places = placesOf(block);
    // what is stored already does not come again
    const later = places.filter((at) => at >= next);
    bases = (later.length > 0 ? later : places).map((at) => at - block.idx);
    if (bases.length === 0) bases = [Math.max(next, conversions.firstAt(block.time)) - block.idx];
    const begins = bases[0] + block.idx;
    if (begins > next) {
      // the first segment begins with the chip
      if (seg < 0) report.silent += begins - next;
      else report.declared += begins - next;
    } else report.duplicates += next - begins;
    next = begins;
    nextIdx = block.idx;
  };
  /** Where the block stands among the conversions. */
  const placeOf = (block: WaveBlock) => {
    const { idx, samples } = block;
    const fitting = bases.filter(
      (base) => isKnown(base + idx, samples.length) && differing(base + idx, samples, 1) === 0,
    );
    if (fitting.length > 0) {
      const moved = fitting[0] - bases[0];
      report.declared += moved;
      bases = fitting;
      return fitting[0] + idx;
    }
    const places = placesOf(block);
    const at = bases[0] + idx;
    if (places.length === 0) {
      report.wrong += isKnown(at, samples.length) ? differing(at, samples, samples.length) : samples.length;
      return at;
    }
    // the right values in the wrong place: what lies between was lost, or came twice, without a word
    report.misplaced += samples.length;
    if (places[0] > at) report.silent += places[0] - at;
    else report.duplicates += at - places[0];
    bases = places.map((place) => place - idx);
    return places[0];
  };
  const judge = (block: WaveBlock, at: number) => {
    const { flags, samples } = block;
    const from = conversions.at(at);
    const to = conversions.at(at + samples.length - 1);
    report.timing = Math.max(report.timing, Math.abs(block.time - from));
    const spans = truth.touching(chip, from - SETTLED, to + BEFORE);
    if (spans.length === 0) {
      if (from < OPENING) return;
      report.clean.samples += samples.length;
      if (flags !== 0) report.clean.flagged += samples.length;
      return;
    }
    const telling = spans.filter((span) => (isAbsent(span) || NOISY.includes(span.kind)) && span.chip === chip);
    for (let i = 0; i < samples.length && telling.length > 0; i++) {
      judgeSample(telling, at + i, flags);
    }
  };
  /** The converter has given one code for so long, us. */
  const hasStood = (index: number, long: number) => {
    const { oldest, at, value } = conversions;
    const since = at(index) - long;
    let first = index;
    while (first > oldest && at(first) > since) {
      if (value(first - 1) !== value(first) || at(first) - at(first - 1) > APART) return false;
      first--;
    }
    return at(first) <= since;
  };
  const isDueAt = (span: FaultSpan, index: number) => {
    const latency = LATENCY[span.kind] ?? 0;
    if (conversions.at(index) - span.from < latency) return false;
    return span.kind !== "stuck-value" || hasStood(index, latency);
  };
  const judgeSample = (spans: readonly FaultSpan[], index: number, flags: number) => {
    const time = conversions.at(index);
    let unseen: FaultSpan | null = null;
    let isDue = false;
    for (const span of spans) {
      if (time < span.from || time >= span.to) continue;
      const counted = report.faulty[span.kind] ?? { samples: 0, flagged: 0 };
      report.faulty[span.kind] = counted;
      counted.samples++;
      if (flags !== 0) counted.flagged++;
      if (flags !== 0 || !isAbsent(span)) continue;
      const due = isDueAt(span, index);
      if (unseen === null || (due && !isDue)) unseen = span;
      isDue ||= due;
    }
    if (unseen !== null) bump(isDue ? report.falseGood : report.late, unseen.kind);
  };

  return {
    report,
    take(block) {
      const { samples } = block;
      report.stored += samples.length;
      if (block.seg !== seg) {
        if (block.seg < seg) report.misplaced += samples.length;
        beginSegment(block);
        seg = block.seg;
      } else if (block.idx < nextIdx) {
        report.duplicates += Math.min(samples.length, nextIdx - block.idx);
      } else if (block.idx > nextIdx) {
        report.declared += block.idx - nextIdx;
      }
      const at = placeOf(block);
      nextIdx = block.idx + samples.length;
      next = Math.max(next, at + samples.length);
      if (!isKnown(at, samples.length)) return null;
      judge(block, at);
      return {
        from: conversions.at(at),
        to: conversions.at(at + samples.length - 1),
        firstAt: (time) => conversions.at(Math.max(at, conversions.firstAt(time))),
      };
    },
    end(until) {
      const due = conversions.firstAt(until);
      if (due > next) report.silent += due - next;
    },
  };
}
