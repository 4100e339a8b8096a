/**
 * The humps of an ECG's slope energy: what may be a beat, and what it looks like.
 *
 *   x     -> boxcar of 3 samples: smooth; less itself 3 samples ago: d     (23 ms each at 128 sps)
 *   |d|   -> moving sum over 13 samples: energy                            (102 ms)
 *
 * Rectified slopes in a moving window: Pan and Tompkins, IEEE Trans. Biomed. Eng. 32:230 (1985). A hump begins where the
 * energy rises above the valley before it, and is over once it has come half way down again.
 */

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

/** Length of the energy's window, and the longest time a hump may take to come down again, internal samples. */
const WINDOW = 13;
const PLATEAU = 20;
/** From the steepest difference back to the middle of what was differenced, internal samples: (3 - 1) / 2 + 3 / 2. */
const DELAY = 5 / 2;
/** Input samples that are copied in at a time; smoothed ones that are kept, a power of two. */
const CHUNK = 64;
const SMOOTHED = 64;

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
  const reach = Math.round((rate * 7) / 100);
  // a multiple of every step, so that input and internal samples begin again together
  const kept = step * 64 + 192;
  const raw = new Int32Array(kept);
  const smooth = new Float64Array(SMOOTHED);
  const slopes = new Float64Array(WINDOW);
  const hump = new Float64Array(HUMP);

  // carried from sample to sample: `now` counts internal samples; the others are places, in `raw` where the next input
  // sample goes and where the next internal one is made of, in `slopes` where it goes
  let now = 0;
  let write = 0;
  let read = 0;
  let turn = 0;
  let due = Infinity;
  let x1 = 0;
  let x2 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let d1 = 0;
  let d2 = 0;
  let energy = 0;
  let rising = false;
  let top = 0;
  let topAt = 0;
  let bottom = 0;
  let lift = 0;
  let up = 0;
  let down = 0;
  let bend = 0;
  let steepAt = 0;

  /**
   * R near the steepest place: the sample farthest from the line between the ends, then the parabola through it.
   * `back` counts input samples from the newest one backwards.
   */
  const locate = (): void => {
    const newest = now * step + step - 1;
    const end = kept + read + step - 1;
    const middle = newest - Math.round((steepAt - DELAY) * step + (step - 1) / 2);
    const from = Math.min(middle + reach, newest, kept - CHUNK - 1);
    const to = Math.max(middle - reach, 0);
    const base = (raw[(end - from) % kept] + raw[(end - to) % kept]) / 2;
    let farthest = -1;
    let peak = from;
    for (let back = from; back >= to; back--) {
      const distance = Math.abs(raw[(end - back) % kept] - base);
      if (distance > farthest) {
        farthest = distance;
        peak = back;
      }
    }
    hump[AMPLITUDE] = farthest;
    hump[R] = newest - peak;
    if (peak === from || peak === to) return;
    const before = raw[(end - peak - 1) % kept];
    const after = raw[(end - peak + 1) % kept];
    const curve = before + after - 2 * raw[(end - peak) % kept];
    if (curve !== 0) hump[R] += (before - after) / (2 * curve);
  };

  /** The smoothed signal about R; what is not there yet is as the newest. */
  const draw = (): void => {
    const first = Math.round((hump[R] - (step - 1) / 2) / step) + 1 - (SHAPE - 1) / 2;
    let mean = 0;
    for (let i = 0; i < SHAPE; i++) {
      const value = smooth[Math.min(first + i, now) & (SMOOTHED - 1)];
      hump[FORM + i] = value;
      mean += value;
    }
    mean /= SHAPE;
    let squares = 0;
    for (let i = FORM; i < HUMP; i++) {
      const value = hump[i] - mean;
      hump[i] = value;
      squares += value * value;
    }
    hump[SQUARES] = squares;
  };

  const climb = (): void => {
    rising = true;
    top = energy;
    topAt = now;
  };

  const fall = (): void => {
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
      locate();
      draw();
      due = onHump(hump, now);
    }
    rising = false;
    lift = top / 8;
    bottom = energy;
    up = down = bend = 0;
  };

  const clear = (): void => {
    slopes.fill(0);
    now = write = read = turn = d1 = d2 = energy = top = topAt = bottom = lift = up = down = bend = steepAt = 0;
    rising = false;
    due = Infinity;
  };
  clear();

  return {
    push: (samples, count) => {
      // as if the first sample had always been there
      if (now === 0 && write === 0 && count > 0) {
        x1 = x2 = samples[0] * step;
        s1 = s2 = s3 = 3 * x1;
        smooth.fill(s1);
      }
      for (let taken = 0; taken < count; ) {
        const part = Math.min(count - taken, CHUNK, kept - write);
        raw.set(samples.subarray(taken, taken + part), write);
        taken += part;
        write += part;
        for (; read + step <= write; read += step) {
          let x = raw[read];
          if (step > 1) {
            x += raw[read + 1];
            if (step > 2) x += raw[read + 2];
            if (step > 3) x += raw[read + 3];
          }
          const s = x + x1 + x2;
          const d = s - s3;
          const a = d < 0 ? -d : d;
          const c = d > d2 ? d - d2 : d2 - d;
          x2 = x1;
          x1 = x;
          s3 = s2;
          s2 = s1;
          s1 = s;
          d2 = d1;
          d1 = d;
          smooth[now & (SMOOTHED - 1)] = s;
          energy += a - slopes[turn];
          slopes[turn] = a;
          turn = turn + 1 === WINDOW ? 0 : turn + 1;
          if (!rising && energy < bottom) {
            bottom = energy;
            up = down = bend = 0;
          }
          if (c > bend) bend = c;
          if (a > up && a > down) steepAt = now;
          if (d > up) up = d;
          else if (a > down && d < 0) down = a;
          if (!rising) {
            if (energy - bottom > lift) climb();
          } else if (energy >= top) climb();
          else if ((top - energy) * 2 > top - bottom || now - topAt > PLATEAU) fall();
          if (now >= due) due = onDue(now);
          now++;
        }
        if (write === kept) write = read = 0;
      }
    },
    reset: clear,
  };
}
