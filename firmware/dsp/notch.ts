/**
 * Mains hum taken out by a notch of Q 10, for display and storage only: out of recorded QRS complexes it takes 60 uV
 * (95 %: under 120), and rings on 0.1 s after them with 12 (95 %: under 35). Never in front of the detector. A notch is
 * half the sum of the signal and a second-order all-pass of it; half the difference is what it takes away (Regalia,
 * Mitra, Vaidyanathan, Proc. IEEE 76:19, 1988). Doubles throughout, rounded on the way out only; gain at 0 hz exactly
 * 1. The -3 dB width is 5 and 6 hz: mains off by 0.5 hz are still 14 dB down.
 */
import { notchSections, RATES, SECTION_SCALE } from "./designs.ts";
import { type Filter, refusal, requireRoom } from "./filter.ts";

export interface AutomaticNotch extends Filter {
  /** What is being taken out, hz: 50, 60, or null for nothing. */
  mains(): number | null;
}

/**
 * A notch at 50 or 60 hz. `delay` 0: it is 0.3 ms at 0 hz, under 1 ms up to half of the mains.
 * Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512, and for mains other than 50 and 60 hz.
 */
export function createNotch(rate: number, mains: number): Filter {
  const sections = notchSections(rate);
  if (sections === null) throw refusal("notch", rate, RATES);
  if (mains !== 50 && mains !== 60) throw new Error(`notch: mains ${mains} hz is none of 50, 60; choose one`);
  const first = mains === 50 ? 0 : 2;
  const c1 = sections[first] / SECTION_SCALE;
  const c2 = sections[first + 1] / SECTION_SCALE;
  let started = false;
  let x1 = 0;
  let x2 = 0;
  let v1 = 0;
  let v2 = 0;

  return {
    rate,
    delay: 0,
    push: (samples, count, out) => {
      requireRoom("notch", out, count);
      if (!started && count > 0) {
        started = true;
        x1 = x2 = v1 = v2 = samples[0];
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        const v = c2 * (x - v2) + c1 * (x1 - v1) + x2;
        x2 = x1;
        x1 = x;
        v2 = v1;
        v1 = v;
        out[i] = Math.floor((x + v + 1) / 2);
      }
      return count;
    },
    reset: () => {
      started = false;
    },
  };
}

/** Stretches of 0.1 s that one verdict is made of, and how many of them count: those with least, which no QRS is in. */
const STRETCHES = 16;
const QUIET = 4;
/** Amplitude of a hum that is worth a notch, and under which one is given up, uV. */
const WORTH = 10;
const GONE = 5;
/** Verdicts in a row that choose, and that give up or change. */
const PATIENCE = 2;
const STUBBORN = 4;

/**
 * A notch that finds out whether and where it is needed. Both are run all the time, and half the differences are measured
 * beside that of a third section at 40 hz. A hum is what is there in the quietest quarter of 1.6 s, at least 10 uV
 * (20 uV peak to peak), twice what is at 40 hz and, of 60 hz, at 50 hz (of 50 hz: 1.5 times what is at 60 hz): a QRS is
 * neither steady nor stronger at the mains than at 40 hz. Two such verdicts in a row choose, 5 s after a hum began at the
 * latest, later where noise hides it; four in a row that find less than 5 uV give up, four for the other mains change
 * over. Nothing is taken before the first choice; what a choice changes shows as a step of at most the hum. `delay` 0.
 * Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512, and for a scale that is not above 0.
 */
export function createAutomaticNotch(rate: number, microvoltsPerCount: number): AutomaticNotch {
  const sections = notchSections(rate);
  if (sections === null) throw refusal("notch", rate, RATES);
  if (!(microvoltsPerCount > 0))
    throw new Error(`notch: ${microvoltsPerCount} uV a count is not above 0; take it from the channel`);
  const a1 = sections[0] / SECTION_SCALE;
  const a2 = sections[1] / SECTION_SCALE;
  const b1 = sections[2] / SECTION_SCALE;
  const b2 = sections[3] / SECTION_SCALE;
  const c1 = sections[4] / SECTION_SCALE;
  const c2 = sections[5] / SECTION_SCALE;
  const stretch = Math.round(rate / 10);
  /** The sum of twice an amplitude of 1 uV, rectified, over the quiet stretches: the mean of |sin| is 2 / pi. */
  const microvolt = (2 * 2 * stretch * QUIET) / Math.PI / microvoltsPerCount;
  const worth = WORTH * microvolt;
  const gone = GONE * microvolt;
  const at50 = new Float64Array(STRETCHES);
  const at60 = new Float64Array(STRETCHES);
  const at40 = new Float64Array(STRETCHES);

  let started = false;
  let x1 = 0;
  let x2 = 0;
  let u1 = 0;
  let u2 = 0;
  let v1 = 0;
  let v2 = 0;
  let w1 = 0;
  let w2 = 0;
  let sum50 = 0;
  let sum60 = 0;
  let sum40 = 0;
  let left = stretch;
  let stretches = 0;
  let chosen: number | null = null;
  let candidate: number | null = null;
  let streak = 0;

  const quiet = (sums: Float64Array): number => {
    sums.sort();
    let total = 0;
    for (let i = 0; i < QUIET; i++) total += sums[i];
    return total;
  };

  /** What the last 1.6 s speak for. Where noise hides a hum, it is not gone. */
  const verdict = (): number | null => {
    const q50 = quiet(at50);
    const q60 = quiet(at60);
    const q40 = quiet(at40);
    // at 125 hz the section at 60 hz is wide enough to see half of a hum at 50
    if (chosen !== 50 && q50 > worth && q50 > 2 * q40 && q50 * 2 > q60 * 3) return 50;
    if (chosen !== 60 && q60 > worth && q60 > 2 * q40 && q60 > 2 * q50) return 60;
    return (chosen === 50 ? q50 : q60) > gone ? chosen : null;
  };

  const judge = (): void => {
    const now = verdict();
    streak = now === candidate ? Math.min(streak + 1, STUBBORN) : 1;
    candidate = now;
    if (streak >= (chosen === null ? PATIENCE : STUBBORN)) chosen = candidate;
  };

  const stretchEnds = (): void => {
    left = stretch;
    at50[stretches] = sum50;
    at60[stretches] = sum60;
    at40[stretches] = sum40;
    sum50 = sum60 = sum40 = 0;
    stretches++;
    if (stretches === STRETCHES) {
      stretches = 0;
      judge();
    }
  };

  return {
    rate,
    delay: 0,
    mains: () => chosen,
    push: (samples, count, out) => {
      requireRoom("notch", out, count);
      if (!started && count > 0) {
        started = true;
        x1 = x2 = u1 = u2 = v1 = v2 = w1 = w2 = samples[0];
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        const u = a2 * (x - u2) + a1 * (x1 - u1) + x2;
        const v = b2 * (x - v2) + b1 * (x1 - v1) + x2;
        const w = c2 * (x - w2) + c1 * (x1 - w1) + x2;
        x2 = x1;
        x1 = x;
        u2 = u1;
        u1 = u;
        v2 = v1;
        v1 = v;
        w2 = w1;
        w1 = w;
        sum50 += x > u ? x - u : u - x;
        sum60 += x > v ? x - v : v - x;
        sum40 += x > w ? x - w : w - x;
        left--;
        if (left === 0) stretchEnds();
        out[i] = chosen === null ? x : Math.floor((x + (chosen === 50 ? u : v) + 1) / 2);
      }
      return count;
    },
    reset: () => {
      started = false;
      sum50 = sum60 = sum40 = stretches = streak = 0;
      left = stretch;
      chosen = candidate = null;
    },
  };
}
