/**
 * The humps of an ECG's slope energy: what may be a beat, and what it looks like.
 *
 * Rectified slopes in a moving window: Pan and Tompkins, IEEE Trans. Biomed. Eng. 32:230 (1985). A hump begins where the
 * energy rises above the valley before it, and is over once it has come half way down again.
 */
import { CHUNK, createSlopes, DIFFERENCES, SMOOTH } from "./slopes.ts";

/** Samples of a hump's shape: 63 ms to either side of R at 128 sps. */
export const SHAPE = 17;
/** A hump is so many numbers. `at`: internal sample at which it is steepest. */
export const AT = 0;
/** Of the energy above the valley before it; that valley, part of the top. */
export const HEIGHT = 1;
export const VALLEY = 2;
/** Steepest difference, the less steep one of the other direction as a part of it, and the sharpest bend. */
export const SLOPE = 3;
export const BALANCE = 4;
export const BEND = 5;
/** R: input sample, fractional; and how far it lies from the line between 70 ms before and after. */
export const R = 6;
export const AMPLITUDE = 7;
/** From FORM on: the smoothed signal about R, less its mean; before it the sum of its squares. */
export const SQUARES = 8;
export const FORM = 9;
export const HUMP = FORM + SHAPE;

export interface Humps {
  /** The next `count` samples, in counts. */
  push(samples: Int32Array, count: number): void;
  reset(): void;
}

/** The longest time a hump may take to come down again, internal samples. */
const PLATEAU = 20;
/**
 * Without a hump for so long, internal samples (1.5 s), what is as high as before an artefact will do: one that is this many times
 * as high as the others would hide all that follow. Nothing lower, for P waves go on where the ventricles stand still.
 */
const HIDDEN = 190;
const ARTEFACT = 2;
/** Of the first humps nobody knows which are the artefacts. */
const FIRST = 8;
/** From the steepest difference back to the middle of what was differenced, internal samples: (3 - 1) / 2 + 3 / 2. */
const DELAY = 5 / 2;

/**
 * `step`: how many input samples of `rate` hz make an internal one (summed). `onHump`, called at the end of a hump with it
 * (valid until the next), and `onDue`, called at the internal sample that the last call of either asked for, both return
 * when that shall be; Infinity: never. `now` counts internal samples.
 */
export function createHumps(
  rate: number,
  step: number,
  onHump: (hump: Float64Array, now: number) => number,
  onDue: (now: number) => number,
): Humps {
  const slopes = createSlopes(step);
  const energies = slopes.energies;
  // What the loop over samples needs comes first: an interpreter looks a name up from there on.
  let rising = false;
  /** Internal samples before the block, and where in it begin those whose slopes have not been looked at. */
  let before = 0;
  let due = Infinity;
  let from = 0;
  let top = 0;
  let bottom = 0;
  let lift = 0;
  /** As `lift`, of humps that were no artefacts; and how many humps there were. */
  let usual = 0;
  let count = 0;
  let topAt = 0;
  let up = 0;
  let down = 0;
  let bend = 0;
  let steepAt = 0;
  /** Places in `raw`: where the next input sample goes, and where the block begins. */
  let write = 0;
  let read = 0;

  const reach = Math.round((rate * 7) / 100);
  /** How many input samples back R is looked for. */
  const oldest = step * 64 + 127;
  // a block more, and a multiple of every step, so that input and internal samples begin again together
  const kept = step * 64 + 192;
  const raw = new Int32Array(kept);
  const hump = new Float64Array(HUMP);
  const smooth = slopes.smooth;
  const differences = slopes.differences;
  const bends = slopes.bends;

  /**
   * R near the steepest place: the sample farthest from the line between the ends, then the parabola through it.
   * `newest`: the input sample that ends the hump; `end`: its place in `raw`, a turn on. `back` counts from it backwards.
   */
  const locate = (newest: number, end: number): void => {
    const middle = newest - Math.round((steepAt - DELAY) * step + (step - 1) / 2);
    const first = Math.min(middle + reach, newest, oldest);
    const last = Math.max(middle - reach, 0);
    const base = (raw[(end - first) % kept] + raw[(end - last) % kept]) / 2;
    let farthest = -1;
    let peak = first;
    for (let back = first; back >= last; back--) {
      const distance = Math.abs(raw[(end - back) % kept] - base);
      if (distance > farthest) {
        farthest = distance;
        peak = back;
      }
    }
    hump[AMPLITUDE] = farthest;
    hump[R] = newest - peak;
    if (peak === first || peak === last) return;
    const left = raw[(end - peak - 1) % kept];
    const right = raw[(end - peak + 1) % kept];
    const curve = left + right - 2 * raw[(end - peak) % kept];
    if (curve !== 0) hump[R] += (left - right) / (2 * curve);
  };

  /**
   * The smoothed signal about R; what is not there yet is as the newest, what is no longer there as the oldest.
   * `i`: place of the newest in the block.
   */
  const draw = (i: number): void => {
    const first = Math.round((hump[R] - (step - 1) / 2) / step) + 1 - (SHAPE - 1) / 2;
    let mean = 0;
    for (let k = 0; k < SHAPE; k++) {
      const value = smooth[SMOOTH + i - Math.min(Math.max(before + i - first - k, 0), SMOOTH - 1)];
      hump[FORM + k] = value;
      mean += value;
    }
    mean /= SHAPE;
    let squares = 0;
    for (let k = FORM; k < HUMP; k++) {
      const value = hump[k] - mean;
      hump[k] = value;
      squares += value * value;
    }
    hump[SQUARES] = squares;
  };

  /** Steepest slopes and sharpest bend of those of the block before `end` that have not been looked at. */
  const look = (end: number): void => {
    if (from === end) return;
    // An interpreter's own functions, on arrays of these kinds too.
    const slope = differences.subarray(DIFFERENCES + from, DIFFERENCES + end) as unknown as number[];
    const curve = bends.subarray(from, end) as unknown as number[];
    const rise = Math.max.apply(null, slope);
    const drop = -Math.min.apply(null, slope);
    const steep = Math.max(rise, drop);
    if (steep > up && steep > down) {
      const first = slope.indexOf(steep);
      const other = slope.indexOf(-steep);
      steepAt = before + from + (first < 0 || (other >= 0 && other < first) ? other : first);
    }
    if (rise > up) up = rise;
    if (drop > down) down = drop;
    bend = Math.max(bend, Math.max.apply(null, curve), -Math.min.apply(null, curve));
    from = end;
  };

  /** A hump may be over at place `i` of the block. */
  const fall = (i: number): void => {
    look(i + 1);
    const height = top - bottom;
    // less than an eighth of the energy is a ripple: noise, or waves closer together than the window
    if (height * 8 > top) {
      const slope = Math.max(up, down);
      hump[AT] = steepAt;
      hump[HEIGHT] = height;
      hump[VALLEY] = bottom / top;
      hump[SLOPE] = slope;
      hump[BALANCE] = Math.min(up, down) / slope;
      hump[BEND] = bend;
      locate((before + i + 1) * step - 1, kept + read + (i + 1) * step - 1);
      draw(i);
      due = onHump(hump, before + i);
    }
    rising = false;
    lift = top / 8;
    // an ECG that has become that much larger is believed after a minute
    usual = count > 0 && lift > usual * ARTEFACT ? usual + usual / 64 : lift;
    count++;
    bottom = energies[i];
    up = down = bend = 0;
  };

  const scan = (length: number): void => {
    // Made anew each turn, it would cost an interpreter a scope.
    let energy = 0;
    for (let i = 0; i < length; i++) {
      energy = energies[i];
      if (rising ? energy >= top : energy > bottom + lift) {
        rising = true;
        top = energy;
        topAt = before + i;
      } else if (rising) {
        if ((top - energy) * 2 > top - bottom || before + i - topAt > PLATEAU) fall(i);
      } else if (energy < bottom) {
        bottom = energy;
        from = i;
        up = down = bend = 0;
      }
      if (before + i >= due) {
        due = onDue(before + i);
        if (before + i - topAt > HIDDEN) lift = count < FIRST ? lift / 2 : Math.min(lift, usual);
      }
    }
  };

  const clear = (): void => {
    before = write = read = top = topAt = bottom = lift = usual = count = up = down = bend = steepAt = 0;
    rising = false;
    due = Infinity;
  };

  return {
    push: (samples, count) => {
      // as if the first sample had always been there
      if (before === 0 && write === 0 && count > 0) slopes.begin(samples[0]);
      for (let taken = 0; taken < count; ) {
        const part = Math.min(count - taken, CHUNK + read - write, kept - write);
        raw.set(samples.subarray(taken, taken + part), write);
        taken += part;
        write += part;
        const length = Math.floor((write - read) / step);
        if (length > 0) {
          from = 0;
          slopes.take(raw, read, length);
          scan(length);
          look(length);
          before += length;
          read += length * step;
          if (write === kept) write = read = 0;
        }
      }
    },
    reset: clear,
  };
}
