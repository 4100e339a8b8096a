/**
 * A device's calibration from pairs of R and a reference SpO2: line, parabola and table by least squares, each held against
 * pairs that it has not seen. Pure.
 */
import {
  type Calibration,
  type CalibrationCurve,
  type CalibrationTable,
  createCalibration,
  LOWEST_SPO2,
  PUBLISHED,
  saturationOf,
} from "../../firmware/dsp/calibration.ts";

export interface Pair {
  /** R of the device. */
  readonly ratio: number;
  /** Of the reference at the same time, percent. */
  readonly spo2: number;
  /** Whose finger; absent: unknown, all are taken for one. */
  readonly subject?: string;
}

export const FORMS = ["line", "parabola", "table"] as const;
export type Form = (typeof FORMS)[number];
type Shape = { readonly curve: CalibrationCurve } | { readonly table: CalibrationTable };

/** Root mean square and largest error, SpO2 points. */
export interface FitErrors {
  readonly rms: number;
  readonly worst: number;
}

export interface Fit {
  readonly form: Form;
  /** Why it cannot be taken; null: it can. */
  readonly refused: string | null;
  /** null: nothing could be fitted at all. */
  readonly shape: Shape | null;
  /** On the pairs that it was fitted to. */
  readonly fitted: FitErrors | null;
  /** Every pair by a fit to all others; every subject by a fit to the others, null where there is one. */
  readonly byPair: FitErrors | null;
  readonly bySubject: FitErrors | null;
}

export interface CalibrationFit {
  readonly pairs: number;
  /** 0: nobody said whose fingers they were. */
  readonly subjects: number;
  /** Lowest and highest. */
  readonly ratio: readonly [number, number];
  readonly spo2: readonly [number, number];
  readonly fits: readonly Fit[];
  readonly chosen: Fit & { readonly shape: Shape };
  /** What published curves make of the same pairs. */
  readonly published: readonly (FitErrors & { readonly id: string })[];
}

/** Fewer pairs, or over a smaller span, say nothing about a device. */
export const FEWEST_PAIRS = 10;
const MOST_PAIRS = 2000;
export const LEAST_RATIO_SPAN = 0.2;
export const LEAST_SPO2_SPAN = 8;
/** A table has a knot for so many pairs, and so many knots at least and at most. */
const PAIRS_A_KNOT = 6;
const KNOTS = [3, 8] as const;
/** The table's fallen-off end, percent: below what is verified, so that all beyond it is shown as "< 70". */
const END = LOWEST_SPO2 - 5;
const BEGINNING = 100;
/** A form with more freedom must be better than a simpler one by this part of its error. */
const BETTER = 0.03;
/** Any name that createCalibration takes. */
const TRIAL = "trial";
const DECIMALS = 1e6;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value: number) => Math.round(value * DECIMALS) / DECIMALS;

function line(pairs: readonly Pair[]): Shape | null {
  const [x, y] = [mean(pairs.map(({ ratio }) => ratio)), mean(pairs.map(({ spo2 }) => spo2))];
  let [xx, xy] = [0, 0];
  for (const { ratio, spo2 } of pairs) {
    xx += (ratio - x) ** 2;
    xy += (ratio - x) * (spo2 - y);
  }
  if (xx === 0) return null;
  const slope = xy / xx;
  return { curve: { square: 0, linear: rounded(slope), constant: rounded(y - slope * x) } };
}

/** About the mean of R, by the normal equations of two unknowns. */
function parabola(pairs: readonly Pair[]): Shape | null {
  const x = mean(pairs.map(({ ratio }) => ratio));
  const squared = mean(pairs.map(({ ratio }) => (ratio - x) ** 2));
  const y = mean(pairs.map(({ spo2 }) => spo2));
  let [uu, uv, vv, uy, vy] = [0, 0, 0, 0, 0];
  for (const { ratio, spo2 } of pairs) {
    const u = ratio - x;
    const v = u * u - squared;
    uu += u * u;
    uv += u * v;
    vv += v * v;
    uy += u * (spo2 - y);
    vy += v * (spo2 - y);
  }
  const determinant = uu * vv - uv * uv;
  if (!(determinant > 1e-12 * uu * vv)) return null;
  const linear = (uy * vv - vy * uv) / determinant;
  const square = (vy * uu - uy * uv) / determinant;
  const constant = y - square * squared - linear * x + square * x * x;
  return { curve: { square: rounded(square), linear: rounded(linear - 2 * square * x), constant: rounded(constant) } };
}

/**
 * Means of neighbours in R, those that do not fall pooled (pool adjacent violators), and beyond them the line's slope: up to
 * 100 %, and down to where everything is shown as "< 70".
 */
function table(pairs: readonly Pair[]): Shape | null {
  const sorted = pairs.toSorted((a, b) => a.ratio - b.ratio);
  const knots = Math.min(Math.floor(sorted.length / PAIRS_A_KNOT), KNOTS[1]);
  const straight = line(pairs);
  if (knots < KNOTS[0] || straight === null || !("curve" in straight) || straight.curve.linear >= 0) return null;
  const pools: { ratio: number; spo2: number; count: number }[] = [];
  for (let k = 0; k < knots; k++) {
    const part = sorted.slice(Math.round((k * sorted.length) / knots), Math.round(((k + 1) * sorted.length) / knots));
    let pool = {
      ratio: mean(part.map(({ ratio }) => ratio)),
      spo2: mean(part.map(({ spo2 }) => spo2)),
      count: part.length,
    };
    for (let last = pools.at(-1); last !== undefined && last.spo2 <= pool.spo2; last = pools.at(-1)) {
      const count = last.count + pool.count;
      const pooled = (name: "ratio" | "spo2") => (last![name] * last!.count + pool[name] * pool.count) / count;
      pool = { ratio: pooled("ratio"), spo2: pooled("spo2"), count };
      pools.pop();
    }
    pools.push(pool);
  }
  const { linear } = straight.curve;
  const [first, last] = [pools[0]!, pools.at(-1)!];
  if (first.spo2 < BEGINNING - 1)
    pools.unshift({ ratio: first.ratio - (first.spo2 - BEGINNING) / linear, spo2: BEGINNING, count: 0 });
  if (last.spo2 > LOWEST_SPO2 - 1) pools.push({ ratio: last.ratio + (END - last.spo2) / linear, spo2: END, count: 0 });
  return { table: pools.map(({ ratio, spo2 }) => [rounded(ratio), rounded(spo2)] as const) };
}

const FITS: { readonly [form in Form]: (pairs: readonly Pair[]) => Shape | null } = { line, parabola, table };

/** Why a device may not have it; null: it may. */
function refusalOf(shape: Shape): string | null {
  try {
    createCalibration({ id: TRIAL, ...shape });
    return null;
  } catch (error) {
    return (error as Error).message.replace(`calibration ${TRIAL}: `, "");
  }
}

const errorOf = (calibration: Calibration, { ratio, spo2 }: Pair) => (saturationOf(ratio, calibration) ?? 0) - spo2;

function errorsOf(errors: readonly number[]): FitErrors {
  const three = (value: number) => Math.round(value * 1000) / 1000;
  return {
    rms: three(Math.sqrt(mean(errors.map((error) => error * error)))),
    worst: three(errors.reduce((worst, error) => Math.max(worst, Math.abs(error)), 0)),
  };
}

/** Every group by a fit to all others; null where one of the fits fails. */
function leaveOut(form: Form, pairs: readonly Pair[], groups: readonly (readonly Pair[])[]): FitErrors | null {
  const errors: number[] = [];
  for (const group of groups) {
    const left = new Set(group);
    const shape = FITS[form](pairs.filter((pair) => !left.has(pair)));
    if (shape === null) return null;
    for (const pair of group) errors.push(errorOf({ id: TRIAL, ...shape }, pair));
  }
  return errorsOf(errors);
}

function tryForm(form: Form, pairs: readonly Pair[], subjects: readonly (readonly Pair[])[]): Fit {
  const shape = FITS[form](pairs);
  const nothing = { form, shape, fitted: null, byPair: null, bySubject: null };
  if (shape === null) return { ...nothing, refused: `${pairs.length} pairs are too few for it` };
  const one = leaveOut(
    form,
    pairs,
    pairs.map((pair) => [pair]),
  );
  const several = subjects.length > 1;
  const person = several ? leaveOut(form, pairs, subjects) : null;
  const scarce = one === null || (several && person === null);
  return {
    form,
    refused: refusalOf(shape) ?? (scarce ? "what remains when some are left out is too little for it" : null),
    shape,
    fitted: errorsOf(pairs.map((pair) => errorOf({ id: TRIAL, ...shape }, pair))),
    byPair: one,
    bySubject: person,
  };
}

/** The pairs of each; none where no pair says whose it is. */
function bySubject(pairs: readonly Pair[]): Pair[][] {
  const groups = new Map<string | undefined, Pair[]>();
  for (const pair of pairs) {
    const group = groups.get(pair.subject);
    if (group === undefined) groups.set(pair.subject, [pair]);
    else group.push(pair);
  }
  return groups.size === 1 && groups.has(undefined) ? [] : [...groups.values()];
}

/** By subject where there are several, else by pair. */
const decisive = ({ bySubject, byPair }: Fit) => (bySubject ?? byPair)?.rms ?? Number.POSITIVE_INFINITY;

function span(name: string, values: readonly number[], least: number, unit: string, advice: string) {
  const [low, high] = [Math.min(...values), Math.max(...values)] as const;
  if (!(high - low >= least))
    throw new Error(`${name} goes from ${low} to ${high}${unit}: less than ${least}${unit}; ${advice}`);
  return [low, high] as const;
}

/**
 * Fits all forms and chooses by the error on what was left out: a simpler form unless one with more freedom is 3 % better.
 * Throws Error (what, which value, what to do) for fewer than 10 pairs or more than 2000, a span of R below 0.2 or of SpO2
 * below 8 points, an SpO2 that rises with R, and where no form may be taken. Values are taken as they are: check them before.
 */
export function fitCalibration(pairs: readonly Pair[]): CalibrationFit {
  if (pairs.length < FEWEST_PAIRS)
    throw new Error(`${pairs.length} pairs; at least ${FEWEST_PAIRS} are needed, better 40 over the whole range`);
  if (pairs.length > MOST_PAIRS)
    throw new Error(`${pairs.length} pairs; at most ${MOST_PAIRS}: average them over longer`);
  const spo2 = span(
    "SpO2",
    pairs.map((pair) => pair.spo2),
    LEAST_SPO2_SPAN,
    " %",
    "take pairs at lower SpO2 too",
  );
  const ratio = span(
    "R",
    pairs.map((pair) => pair.ratio),
    LEAST_RATIO_SPAN,
    "",
    "take pairs at lower SpO2 too",
  );
  const straight = line(pairs)!;
  if ("curve" in straight && straight.curve.linear >= 0)
    throw new Error(
      `SpO2 rises with R, by ${straight.curve.linear} points each: columns, or red and infrared, are swapped; look at lag and wiring`,
    );
  // in rising order, so that leaving one out needs no new sorting
  const sorted = pairs.toSorted((a, b) => a.ratio - b.ratio);
  const subjects = bySubject(sorted);
  const fits = FORMS.map((form) => tryForm(form, sorted, subjects));
  let chosen: Fit | null = null;
  for (const one of fits) {
    if (one.refused !== null || one.shape === null) continue;
    if (chosen === null || decisive(one) < (1 - BETTER) * decisive(chosen)) chosen = one;
  }
  if (chosen === null || chosen.shape === null)
    throw new Error(
      `no form may be taken: ${fits.map(({ form, refused }) => `${form}: ${refused}`).join("; ")}; take pairs over more of 70 to 100 %`,
    );
  return {
    pairs: pairs.length,
    subjects: subjects.length,
    ratio,
    spo2,
    fits,
    chosen: { ...chosen, shape: chosen.shape },
    published: PUBLISHED.map((calibration) => ({
      id: calibration.id,
      ...errorsOf(pairs.map((pair) => errorOf(calibration, pair))),
    })),
  };
}
