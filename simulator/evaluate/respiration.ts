/**
 * Respiration by the pulse of recorded photoplethysmograms, held against what the bedside monitor showed in the same time: by
 * the impedance of the chest, the monitor's own count, and NOT the truth: it misses breaths and counts heart beats at times.
 *
 * Every 8 s from 64 s on counts for which the monitor had a number in at least two thirds of the 64 s before; their mean is the
 * reference. Ours is what is shown at that time, from beats that were emitted by then. Beside it, from the same beats and over
 * the same 64 s: the strongest frequency, 6 to 40 a minute, of the light, the height, the interval alone (Lomb's spectrum under a Hann
 * window); their mean where its standard deviation is at most 4 a minute (Karlen et al. 2013); and one number for everybody,
 * the mean of all references, without looking at anybody: patients whose breathing a machine sets do not vary much.
 */
import type { Rate } from "../../firmware/dsp/heart-rate.ts";
import { createPulseDetector } from "../../firmware/dsp/pulse.ts";
import { createRespirationMeter } from "../../firmware/dsp/respiration.ts";
import { type PulseRecording, readPulseRecording, recordingsOf } from "./bidmc.ts";
import { breath } from "./detections.ts";

/** s */
export const RESPIRATION_WINDOW = 64;
const STEP = 8;
const ENOUGH = 2 / 3;
/** Breaths a minute: what the peers look at, and how finely. */
const LOWEST = 6;
const HIGHEST = 40;
const FINENESS = 0.5;
/** Beats that a spectrum needs. */
const NEEDED = 16;
/** Of the three, breaths a minute: farther apart they are not believed (Karlen et al. 2013). */
const DISAGREEMENT = 4;
/** Breaths a minute: more than that is simply wrong. */
export const RESPIRATION_WRONG = 5;

/** Errors in breaths a minute, 3 decimals; null where nothing is shown. */
export interface RespirationFigures {
  /** Mean of the absolute errors. */
  readonly mae: number | null;
  /** Share of the times at which there is a number, percent. */
  readonly coverage: number | null;
  /** Share of those at which it is more than 5 off, percent. */
  readonly wrong: number | null;
}

export interface RespirationRow extends RespirationFigures {
  readonly record: string;
  /** Times that count. */
  readonly times: number;
  /** Mean of the references. */
  readonly reference: number | null;
}

export interface RespirationDocument extends RespirationFigures {
  readonly records: readonly RespirationRow[];
  readonly times: number;
  /** From the same beats. "mean of all" looks at no beats at all. */
  readonly peers: readonly (RespirationFigures & { readonly name: string })[];
  /** The mean of all references, and its figures at the times at which ours shows a number. */
  readonly constant: RespirationFigures & { readonly value: number | null };
}

export interface RespirationOptions {
  /** Folder of BIDMC recordings with numerics (bidmc.ts). */
  readonly dataFolder: string;
  /** Names of the recordings to take; all of the folder where absent. */
  readonly only?: readonly string[] | undefined;
  /** Called after every recording, for a progress bar. What it throws ends the evaluation. */
  readonly onPart?: ((done: number, total: number) => void) | undefined;
}

/** s; height and brightness in counts. */
export interface MeasuredBeat {
  readonly time: number;
  readonly emitted: number;
  readonly height: number;
  readonly brightness: number;
}

/** One time of one recording, breaths a minute; null: nothing is shown. */
interface Compared {
  readonly reference: number;
  readonly shown: number | null;
  readonly peers: readonly (number | null)[];
}

const SINGLE = ["light alone", "height alone", "interval alone"] as const;
const PEERS = [...SINGLE, "mean of the three"];

/** Beats as the detector tells them, and what the meter shows at the end of each second, from 1 s on. */
export function observeRespiration({ rate, light }: Pick<PulseRecording, "rate" | "light">): {
  readonly beats: readonly MeasuredBeat[];
  readonly shown: readonly (number | null)[];
} {
  const beats: MeasuredBeat[] = [];
  const shown: (number | null)[] = [];
  const meter = createRespirationMeter(rate);
  const now: Rate = { value: null, flags: 0 };
  const detector = createPulseDetector(rate, (index, emittedAt, height, brightness) => {
    beats.push({ time: index / rate, emitted: emittedAt / rate, height, brightness });
    meter.beat(index, height, brightness);
  });
  let pushed = 0;
  for (let time = 1; Math.round(time * rate) <= light.length; time++) {
    const block = light.subarray(pushed, Math.round(time * rate));
    pushed += block.length;
    detector.push(block, block.length);
    meter.read(pushed, now);
    shown.push(now.value);
  }
  return { beats, shown };
}

/**
 * The strongest frequency, a minute, of values at uneven times (s) within a window that ends at `end`; null where there are
 * fewer than 16. Frequencies above half of theirs are left out.
 */
export function strongestFrequency(
  values: readonly (readonly [time: number, value: number])[],
  end: number,
): number | null {
  const count = values.length;
  if (count < NEEDED) return null;
  const mean = (of: (one: readonly [number, number]) => number) =>
    values.reduce((sum, one) => sum + of(one), 0) / count;
  const time = mean(([at]) => at);
  const level = mean(([, value]) => value);
  const slope = mean(([at, value]) => (at - time) * (value - level)) / mean(([at]) => (at - time) ** 2);
  const weighted = values.map(([at, value]): [number, number] => {
    const share = (end - at) / RESPIRATION_WINDOW;
    return [at, (value - level - slope * (at - time)) * (0.5 - 0.5 * Math.cos(2 * Math.PI * share))];
  });
  let best = LOWEST;
  let most = 0;
  for (let rate = LOWEST; rate <= Math.min(HIGHEST, (30 * count) / RESPIRATION_WINDOW); rate += FINENESS) {
    const turn = (2 * Math.PI * rate) / 60;
    let real = 0;
    let imaginary = 0;
    for (const [at, value] of weighted) {
      real += value * Math.cos(turn * at);
      imaginary += value * Math.sin(turn * at);
    }
    const power = real * real + imaginary * imaginary;
    if (power <= most) continue;
    most = power;
    best = rate;
  }
  return best;
}

/** What the peers make of the beats that were emitted by `end` and lie in the window before it. */
function peersAt(beats: readonly MeasuredBeat[], end: number): (number | null)[] {
  const within = beats.filter(({ time, emitted }) => time > end - RESPIRATION_WINDOW && emitted <= end);
  const pairs = within.slice(1).map((beat, k) => [beat, beat.time - within[k]!.time] as const);
  const each = [
    strongestFrequency(
      pairs.map(([{ time, brightness }]) => [time, brightness]),
      end,
    ),
    strongestFrequency(
      pairs.map(([{ time, height }]) => [time, height]),
      end,
    ),
    strongestFrequency(
      pairs.map(([{ time }, interval]) => [time, interval]),
      end,
    ),
  ];
  const known = each.filter((value) => value !== null);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const spread = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1));
  return [...each, known.length === 3 && spread <= DISAGREEMENT ? mean : null];
}

function compare(recording: PulseRecording): Compared[] {
  const { beats, shown } = observeRespiration(recording);
  const compared: Compared[] = [];
  for (let end = RESPIRATION_WINDOW; end <= shown.length; end += STEP) {
    const seconds = (recording.monitor ?? []).flatMap(({ time, respiration }) =>
      time > end - RESPIRATION_WINDOW && time <= end && respiration !== null ? [respiration] : [],
    );
    if (seconds.length < ENOUGH * RESPIRATION_WINDOW) continue;
    const reference = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
    compared.push({ reference, shown: shown[end - 1]!, peers: peersAt(beats, end) });
  }
  return compared;
}

const thousandth = (value: number) => Math.round(value * 1000) / 1000;

function figures(compared: readonly Compared[], of: (one: Compared) => number | null): RespirationFigures {
  const errors = compared.flatMap((one) => {
    const value = of(one);
    return value === null ? [] : [Math.abs(value - one.reference)];
  });
  const share = (part: number, whole: number) => (whole === 0 ? null : thousandth((100 * part) / whole));
  return {
    mae: errors.length === 0 ? null : thousandth(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    coverage: share(errors.length, compared.length),
    wrong: share(errors.filter((error) => error > RESPIRATION_WRONG).length, errors.length),
  };
}

const meanReference = (compared: readonly Compared[]) =>
  compared.length === 0
    ? null
    : thousandth(compared.reduce((sum, { reference }) => sum + reference, 0) / compared.length);

/**
 * Evaluates the estimate that ships over every recording of a folder.
 * Throws Error: see recordingsOf, readPulseRecording; and for a recording of `only` that is not there.
 */
export async function evaluateRespiration(options: RespirationOptions): Promise<RespirationDocument> {
  const { dataFolder, only } = options;
  const there = recordingsOf(dataFolder);
  const missing = only?.filter((name) => !there.some((one) => one.name === name)) ?? [];
  if (missing.length > 0) throw new Error(`${dataFolder}: no recording ${missing.join(", ")}`);
  const taken = there.filter(({ name }) => only?.includes(name) ?? true);
  const records: RespirationRow[] = [];
  const all: Compared[] = [];
  for (const [at, found] of taken.entries()) {
    const compared = compare(readPulseRecording(dataFolder, found));
    all.push(...compared);
    records.push({
      record: found.name,
      ...figures(compared, ({ shown }) => shown),
      times: compared.length,
      reference: meanReference(compared),
    });
    options.onPart?.(at + 1, taken.length);
    await breath();
  }
  const usual = meanReference(all);
  return {
    records,
    ...figures(all, ({ shown }) => shown),
    times: all.length,
    peers: [
      ...PEERS.map((name, which) => ({ name, ...figures(all, ({ peers }) => peers[which]!) })),
      { name: "mean of all", ...figures(all, () => usual) },
    ],
    constant: { value: usual, ...figures(all, ({ shown }) => (shown === null ? null : usual)) },
  };
}
