/**
 * Breaths a minute, an estimate, from what breathing does to the pulse: it moves the light itself (RIIV), the height of the
 * beats (RIAV) and the time between them (RIFV). Karlen et al., IEEE Trans. Biomed. Eng. 60:1946, 2013 take the strongest
 * frequency of each and believe their mean where they agree. Here the three spectra are added up, the light's counting twice,
 * and the strongest frequency of the sum is believed where at least two of the three have it too and it stands out.
 * A pulse tells of breathing once a beat: breaths faster than half the pulse look like slower ones, which no rule here can see.
 *
 * Nothing is done by the sample. By the beat each of the three is drawn as a line from beat to beat, read off twice a second.
 * The spectrum of the last 64 s is computed by and by, a few frequencies a second, through native vector functions where the
 * interpreter has them. Its tables take about 9 kB.
 */
import { FLAG_SETTLING } from "../../drivers/driver.ts";
import type { Rate } from "./heart-rate.ts";
import { nativeVectors } from "./vectors.ts";

export interface RespirationMeter {
  /**
   * A beat of the pulse at a time that is not before the last one's: how far the light fell, and how bright it was before,
   * both in the same counts.
   */
  beat(at: number, height: number, brightness: number): void;
  /**
   * Breaths a minute as of `now`, filled in place, 6 to 40; null with the flag settling: too few beats, or the three do not
   * agree. Call it once a second: this is where the work is done, and a new value comes every 12 s.
   */
  read(now: number, rate: Rate): void;
  /** What comes does not follow what came. */
  reset(): void;
}

/** Points of the window, a power of two, and how many of them a second has. */
const POINTS = 128;
const DENSITY = 2;
/** Cycles in a window: the first and last frequency that is looked at, 6.6 and 40.3 a minute; one more to each side is needed. */
const LOWEST = 7;
const HIGHEST = 43;
const BINS = HIGHEST - LOWEST + 3;
const PER_MINUTE = (60 * DENSITY) / POINTS;
const KINDS = 3;
/** Spectrum of one kind at one frequency: so many a second. */
const WORK = 10;
/** No pulse for so long, s: what comes is another one. */
const SILENCE = 4;
/** Mean and mean deviation of each kind are over about so many beats; what is farther off than CLIP deviations is cut. */
const MEMORY = 16;
const CLIP = 3;
/** Share of the beats' frequency above which breathing cannot be seen in them. */
const NYQUIST = 9 / 20;
/** How far apart frequencies may be that agree, in cycles of the window. */
const AGREEMENT = 3 / 2;
/** Share of the sum of the three spectra that the strongest frequency has at least. */
const CLEAR = 3 / 16;
/** Parts of a beat's height, or of an interval, of which light and height, or intervals, must be off their mean by one. */
const STILL = 512;
/** A value is shown for so long, s. */
const LIFE = 20;
const SCALE = 16384;

/** Cosines of k cycles in POINTS points, one period of them, and from where in it they are sines: by k - LOWEST + 1. */
const cosines: Int16Array[] = [];
const sines: number[] = [];
const makeTables = (): void => {
  const whole = new Int16Array(POINTS);
  // rounded, since engines differ in the last bits of a cosine
  for (let i = 0; i < POINTS; i++) whole[i] = Math.round(SCALE * Math.cos((2 * Math.PI * i) / POINTS));
  for (let k = LOWEST - 1; k <= HIGHEST + 1; k++) {
    let length = POINTS;
    while ((k * length) % (2 * POINTS) === 0) length /= 2;
    const table = new Int16Array(length);
    for (let i = 0; i < length; i++) table[i] = whole[(k * i) % POINTS];
    let quarter = 0;
    while ((k * quarter) % POINTS !== (3 * POINTS) / 4) quarter++;
    cosines.push(table);
    sines.push(quarter);
  }
};

/** `perSecond`: how many units of time make a second. Throws Error where it is not above 0. */
export function createRespirationMeter(perSecond: number): RespirationMeter {
  if (!(perSecond > 0)) throw new Error(`respiration: ${perSecond} units a second is not above 0`);
  if (cosines.length === 0) makeTables();
  const native = nativeVectors();
  const spacing = perSecond / DENSITY;
  const lines: Float64Array[] = [];
  const powers: Float64Array[] = [];
  for (let kind = 0; kind < KINDS; kind++) {
    lines.push(new Float64Array(POINTS));
    powers.push(new Float64Array(BINS));
  }
  /** The window of one kind, oldest first, and its unweighted spectrum. */
  const window = new Float64Array(POINTS);
  const reals = new Float64Array(BINS);
  const imaginaries = new Float64Array(BINS);
  const means = new Float64Array(KINDS);
  const deviations = new Float64Array(KINDS);
  const lights = lines[0];
  const talls = lines[1];
  const intervals = lines[2];
  let beats = 0;
  /** A beat is 1 / share of its mean. */
  let share = 1;
  let last = 0;
  let lastLight = 0;
  let lastTall = 0;
  let lastInterval = 0;
  /** Time of the next point, its place in the lines, and how many there are. */
  let next = 0;
  let place = 0;
  let filled = 0;
  /** How far the work is: kind x BINS + frequency. */
  let done = 0;
  let worked = 0;
  let value = 0;
  let valueAt = 0;

  const dot = (table: Int16Array, offset: number): number => {
    if (native !== null) return native.convolve(window, table, offset);
    const length = table.length;
    let sum = 0;
    for (let i = 0; i < POINTS; i++) sum += window[i] * table[(i + offset) % length];
    return sum;
  };

  const reset = (): void => {
    beats = filled = done = value = 0;
  };

  /** What the newest beat says of one kind; what is far off is cut to what is usual. */
  const admit = (kind: number, taken: number): number => {
    const off = taken - means[kind];
    const reach = CLIP * deviations[kind];
    means[kind] += off / share;
    deviations[kind] += (Math.abs(off) - deviations[kind]) / share;
    if (share < MEMORY || Math.abs(off) <= reach) return taken;
    return means[kind] + (off > 0 ? reach : -reach);
  };

  /** The Hann window, applied to the spectrum: half of each frequency less a quarter of its neighbours. */
  const weigh = (kind: number): void => {
    const power = powers[kind];
    for (let i = 1; i < BINS - 1; i++) {
      const real = 2 * reals[i] - reals[i - 1] - reals[i + 1];
      const imaginary = 2 * imaginaries[i] - imaginaries[i - 1] - imaginaries[i + 1];
      power[i] = real * real + imaginary * imaginary;
    }
  };

  /** Place of the largest of `values` before `end`; each place a rate. */
  const strongest = (values: Float64Array, end: number): number => {
    let best = 1;
    for (let i = 2; i < end; i++) if (values[i] > values[best]) best = i;
    return best;
  };

  /** Where between its neighbours a peak lies. */
  const refine = (values: Float64Array, i: number): number => {
    const bend = values[i - 1] + values[i + 1] - 2 * values[i];
    if (i < 2 || bend >= 0) return i;
    return i + Math.max(-1 / 2, Math.min(1 / 2, (values[i - 1] - values[i + 1]) / (2 * bend)));
  };

  /** What hardly moves does not breathe: a step of the converter, or of the clock, is no breath. */
  const moves = (kind: number): boolean => deviations[kind] > (kind === 2 ? means[2] : means[1]) / STILL;

  /** All spectra are there. */
  const judge = (now: number): void => {
    value = 0;
    const cycles = (NYQUIST * perSecond * POINTS) / (means[2] * DENSITY);
    const end = Math.min(BINS - 1, Math.floor(cycles) - LOWEST + 2);
    if (end < 3) return;
    // into `reals`, which is free now
    reals.fill(0);
    for (let kind = 0; kind < KINDS; kind++) {
      if (!moves(kind)) continue;
      const power = powers[kind];
      let total = 0;
      for (let i = 1; i < end; i++) total += power[i];
      const weight = (kind === 0 ? 2 : 1) / (4 * total);
      for (let i = 1; i < end; i++) reals[i] += power[i] * weight;
    }
    const best = strongest(reals, end);
    if (reals[best] < CLEAR) return;
    const place = refine(reals, best);
    let agreeing = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const own = refine(powers[kind], strongest(powers[kind], end));
      if (moves(kind) && Math.abs(own - place) <= AGREEMENT) agreeing++;
    }
    if (agreeing < 2) return;
    value = (place + LOWEST - 1) * PER_MINUTE;
    valueAt = now;
  };

  const work = (now: number): void => {
    for (let i = 0; i < WORK; i++) {
      const kind = Math.floor(done / BINS);
      const bin = done % BINS;
      if (bin === 0) {
        window.set(lines[kind].subarray(place), 0);
        window.set(lines[kind].subarray(0, place), POINTS - place);
      }
      reals[bin] = dot(cosines[bin], 0);
      imaginaries[bin] = dot(cosines[bin], sines[bin]);
      done++;
      if (bin < BINS - 1) continue;
      weigh(kind);
      if (done < KINDS * BINS) continue;
      done = 0;
      judge(now);
      return;
    }
  };

  return {
    beat: (at, height, brightness) => {
      if (beats > 0 && at - last > SILENCE * perSecond) reset();
      if (beats > 0) {
        if (at <= last) return;
        share = beats < MEMORY ? beats : MEMORY;
        const light = admit(0, brightness);
        const tall = admit(1, height);
        const interval = admit(2, at - last);
        // from the first of each nothing is known of its deviations
        if (beats === 1) deviations.fill(0);
        if (beats > 1) {
          const lightSlope = (light - lastLight) / (at - last);
          const tallSlope = (tall - lastTall) / (at - last);
          const intervalSlope = (interval - lastInterval) / (at - last);
          for (; next <= at; next += spacing) {
            lights[place] = light + (next - at) * lightSlope;
            talls[place] = tall + (next - at) * tallSlope;
            intervals[place] = interval + (next - at) * intervalSlope;
            place = (place + 1) % POINTS;
            filled++;
          }
        } else next = at + spacing;
        lastLight = light;
        lastTall = tall;
        lastInterval = interval;
      }
      beats++;
      last = at;
    },
    read: (now, rate) => {
      if (beats > 0 && now - last > SILENCE * perSecond) reset();
      if (filled >= POINTS && now - worked >= perSecond) {
        worked = now;
        work(now);
      }
      const known = value > 0 && now - valueAt <= LIFE * perSecond;
      rate.value = known ? value : null;
      rate.flags = known ? 0 : FLAG_SETTLING;
    },
    reset,
  };
}
