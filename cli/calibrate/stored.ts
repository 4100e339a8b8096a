/** R of a device's stored light, by the oximeter that ships, paired with what a reference said at the time. */
import { FLAG_LED_CHANGED, FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import { LEAST_RATIO, MOST_RATIO } from "../../firmware/dsp/calibration.ts";
import { createOximeter } from "../../firmware/dsp/ppg.ts";
import type { StoredBoot, StoredChannel, WaveBlock } from "../../gateway/read.ts";
import { qualFlags } from "../../protocol/messages.ts";
import type { Pair } from "../../simulator/evaluate/calibrate.ts";
import type { Reference } from "./pairs.ts";

/** R as it was shown. */
export interface ShownRatio {
  /** ms since the epoch. */
  readonly time: number;
  readonly ratio: number;
}

/** s from one look at what is shown to the next. */
const LOOK = 0.5;
/** Part of the window in which R must have been shown. */
const ENOUGH = 0.75;
/** As the vitals of a board take it: of the converter's range, below which there is no finger. */
const OFF_BODY = 1 / 16;

/** Index of the first whose value is above one; they are in rising order. */
function firstAfter<T>(all: readonly T[], key: (one: T) => number, value: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(all[middle]!) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Samples of one channel without a hole. */
interface Run {
  readonly seg: number;
  /** Index of the first sample within the segment. */
  readonly start: number;
  readonly end: number;
  readonly blocks: readonly WaveBlock[];
}

const channelOf = (boot: StoredBoot, role: string): StoredChannel | undefined =>
  [...boot.channels.values()].find(
    ({ definition, blocks }) => definition.attributes.role === role && blocks.length > 0,
  );

/** A change of LED current begins a new one; a test signal is in none. */
function runsOf(blocks: readonly WaveBlock[]): Run[] {
  const runs: (Run & { end: number; blocks: WaveBlock[] })[] = [];
  for (const block of blocks) {
    const flags = qualFlags(block.qual);
    if ((flags & FLAG_TEST_SIGNAL) !== 0) continue;
    const end = block.idx + block.samples.length;
    const last = runs.at(-1);
    if (last?.seg === block.seg && last.end === block.idx && (flags & FLAG_LED_CHANGED) === 0) {
      last.blocks.push(block);
      last.end = end;
    } else runs.push({ seg: block.seg, start: block.idx, end, blocks: [block] });
  }
  return runs;
}

/** Samples `from` to before `to` of a run that holds them. */
function samplesOf({ blocks }: Run, from: number, to: number): Int32Array {
  const samples = new Int32Array(to - from);
  for (const block of blocks) {
    const low = Math.max(block.idx, from);
    const high = Math.min(block.idx + block.samples.length, to);
    if (low < high) samples.set(block.samples.subarray(low - block.idx, high - block.idx), low - from);
  }
  return samples;
}

/** The end of a sample, ms since the epoch: by the block that holds it; null: untimed. */
function timeAfter({ blocks }: Run, idx: number): number | null {
  const block = blocks[firstAfter(blocks, ({ idx: start }) => start, idx) - 1]!;
  return block.utc === null ? null : (block.utc.utc + (idx + 1 - block.idx) * block.interval) / 1000;
}

/**
 * R twice a second where it is shown and blood can have it, of one boot. Empty where the boot has no red and infrared, or no time. Throws Error for light at a
 * rate that the oximeter does not take, or of a chip that does not say how far its converter goes.
 */
export function ratiosOf(boot: StoredBoot): ShownRatio[] {
  const [red, infrared] = [channelOf(boot, "red"), channelOf(boot, "infrared")];
  if (red === undefined || infrared === undefined) return [];
  const rate = infrared.definition.rateMilliHz / 1000;
  const { maximum } = infrared.definition.attributes;
  if (maximum === undefined)
    throw new Error(`boot ${boot.boot}: infrared has no highest value in its definition, so saturation cannot be told`);
  const full = maximum + 1;
  const oximeter = createOximeter({ rate, calibration: null, offBodyBelow: full * OFF_BODY, saturatedAbove: full - 1 });
  const shown: ShownRatio[] = [];
  const step = Math.round(rate * LOOK);
  const redRuns = runsOf(red.blocks);
  for (const run of runsOf(infrared.blocks)) {
    for (const partner of redRuns) {
      const [from, to] = [Math.max(run.start, partner.start), Math.min(run.end, partner.end)];
      if (partner.seg !== run.seg || from >= to) continue;
      oximeter.reset();
      const [reds, infrareds] = [samplesOf(partner, from, to), samplesOf(run, from, to)];
      for (let at = 0; at + step <= infrareds.length; at += step) {
        oximeter.push(reds.subarray(at, at + step), infrareds.subarray(at, at + step), step);
        const { ratio } = oximeter.result;
        const time = timeAfter(run, from + at + step - 1);
        if (time !== null && ratio !== null && ratio >= LEAST_RATIO && ratio <= MOST_RATIO) shown.push({ time, ratio });
      }
    }
  }
  return shown;
}

export interface PairingOptions {
  /** How much later than the device the reference shows the same blood, s; may be below 0. */
  readonly lag: number;
  /** Length of the window about that time over which R is averaged, s. */
  readonly average: number;
}

/**
 * Pairs every value of the reference with the mean of R about the time of its blood. `shown` in rising order of time.
 * `unpaired`: values at whose time R was shown in less than three quarters of the window.
 */
export function pairUp(
  references: readonly Reference[],
  shown: readonly ShownRatio[],
  { lag, average }: PairingOptions,
): { readonly pairs: Pair[]; readonly unpaired: number } {
  const pairs: Pair[] = [];
  for (const { time, spo2, subject } of references) {
    const middle = time - lag * 1000;
    const half = average * 500;
    let low = firstAfter(shown, (one) => one.time, middle - half);
    let sum = 0;
    let count = 0;
    for (; low < shown.length && shown[low]!.time <= middle + half; low++) {
      sum += shown[low]!.ratio;
      count++;
    }
    if (count * LOOK >= ENOUGH * average)
      pairs.push({ ratio: sum / count, spo2, ...(subject !== undefined && { subject }) });
  }
  return { pairs, unpaired: references.length - pairs.length };
}
