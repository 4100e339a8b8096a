/**
 * Whether an ECG can be counted at all. In ventricular fibrillation and flutter there is no rest between waves, and what a
 * QRS detector picks out of them is a rate far below any that is there; above 300 a minute it may take every second beat.
 * So this looks at slopes alone, without beats:
 *
 *   restlessness   share of the last 4 s with slopes above a quarter of the steepest of them: 5 to 20 % in sinus rhythm
 *                  and ectopy, 85 % in a sine wave (the idea of threshold crossing sample counts: Arafat, Chowdhury and
 *                  Hasan, Signal Image Video Process. 5:337, 2011, there on the amplitude)
 *   waves          upslopes of more than 2/5 of the steepest, each after a downslope: how often, how regularly
 *
 * Restless and irregular waves are no rhythm that has a rate. Restless and regular ones (ventricular tachycardia) have the
 * rate of the waves; where long and short intervals take turns, or only the steepest waves (7/10) are regular, the others
 * may be T waves. Waves faster than 300 a minute have no rate that can be shown, restless or not.
 */
import { median } from "./rank.ts";

export interface FlutterGuard {
  /** The next `count` samples, in counts. May be split in any way. */
  push(samples: Int32Array, count: number): void;
  /** Have there been 4 s of signal? */
  ready(): boolean;
  /** May this be the rate, beats a minute, of what the last 4 s held? */
  admits(value: number): boolean;
  /** Nothing can be counted: fibrillation, flutter, noise like them, or more than 300 waves a minute. */
  uncountable(): boolean;
  /** Share of the last 4 s in which the signal is not at rest, 0 to 1. */
  restlessness(): number;
  /** Waves a minute over the last 4 s, 0 where there are fewer than 4. Known while the signal is restless or fast. */
  waveRate(): number;
  reset(): void;
}

/** Half seconds in the window, and those that must be there before anything is said. */
const HALVES = 8;
const FIRST = 4;
/** Waves remembered: 4 s of 480 a minute. */
const WAVES = 32;
/** Restlessness at which it begins and ends to count, part of the window. */
const RESTLESS = 3 / 10;
const RESTFUL = 1 / 4;
/** A wave is irregular if it comes a fifth early or late; a rhythm if more than a tenth of the waves are. */
const ODD = 1 / 5;
const IRREGULAR = 1 / 10;
/** Of two waves that take turns, each may come this much early or late. */
const UNEVEN = 1 / 8;
/** Waves a minute: 300 and what 4 s can be wrong by. */
const FASTEST = 306;
/** Slopes below this, uV in 32 ms, are rest. */
const FLOOR = 80;

/**
 * `rate`: samples a second, 100 to 1024. Slopes are taken at about 62 hz. Throws Error for another rate and for a scale that
 * is not above 0.
 */
export function createFlutterGuard(rate: number, microvoltsPerCount: number): FlutterGuard {
  if (!(rate >= 100 && rate <= 1024)) throw new Error(`flutter guard: rate ${rate} hz is not within 100 to 1024`);
  if (!(microvoltsPerCount > 0)) throw new Error(`flutter guard: ${microvoltsPerCount} uV a count is not above 0`);
  const step = Math.round(rate / 62);
  const grouped = step === 2 || step === 4;
  const frequency = rate / step;
  const half = Math.round(frequency / 2);
  const floor = (FLOOR * step) / microvoltsPerCount;
  const steepest = new Float64Array(HALVES);
  const busy = new Int32Array(HALVES);
  const waves = new Int32Array(WAVES);
  const slopes = new Float64Array(WAVES);
  const intervals = new Float64Array(WAVES);
  const scratch = new Float64Array(WAVES);

  // from sample to sample: how many went into `sum`, the last sums, the half second so far
  let taken = 0;
  let sum = 0;
  let y1 = 0;
  let y2 = 0;
  let drift = 0;
  let now = 0;
  let ends = half;
  let most = 0;
  let moving = 0;
  let armed = true;
  let rest = 0;
  /** Of the wave that is being climbed. */
  let climb = 0;
  let upslope = 0;
  let downslope = 0;
  // from half second to half second
  let place = 0;
  let halves = 0;
  let waveCount = 0;
  let activity = 0;
  let restless = false;
  /** Rates, a minute, at which waves are regular: all of them, the steepest; 0 where they are not. */
  let all = 0;
  let steep = 0;
  let barred = 0;
  let perMinute = 0;
  /** Steepest upslope of the last 4 s. */
  let highest = 0;

  /**
   * How often waves with slopes of at least `least` came in the last 4 s, into `perMinute`. Returns the rate, a minute, at
   * which they are regular, 0 where they are not.
   */
  const measure = (least: number): number => {
    let used = 0;
    let newest = -1;
    let later = 0;
    for (let back = 1; back <= WAVES && back <= waveCount; back++) {
      const which = (waveCount - back) % WAVES;
      const at = waves[which];
      if (at < now - half * HALVES) break;
      if (slopes[which] < least) continue;
      if (slopes[which] > highest) highest = slopes[which];
      if (newest < 0) newest = at;
      else intervals[used++] = later - at;
      later = at;
    }
    perMinute = used < 3 ? 0 : (60 * frequency * used) / (newest - later);
    if (used < 3) return 0;
    const typical = median(intervals, used, scratch);
    let odd = 0;
    let uneven = 0;
    for (let i = 0; i < used; i++) {
      if (Math.abs(intervals[i] - typical) > typical * ODD) odd++;
      if (i > 1 && Math.abs(intervals[i] - intervals[i - 2]) > intervals[i] * UNEVEN) uneven++;
    }
    if (odd <= used * IRREGULAR) return perMinute;
    // a long and a short one in turns: QRS and T
    return used > 5 && uneven <= used * IRREGULAR ? perMinute / 2 : 0;
  };

  /** Half a second is over. */
  const review = (): void => {
    steepest[place] = most;
    busy[place] = moving;
    place = place + 1 === HALVES ? 0 : place + 1;
    if (halves < HALVES) halves++;
    let top = floor;
    let share = 0;
    for (let i = 0; i < halves; i++) {
      if (steepest[i] > top) top = steepest[i];
      share += busy[i];
    }
    rest = top / 4;
    upslope = (top * 2) / 5;
    downslope = -top / 10;
    most = moving = 0;
    ends = now + half;
    if (halves < FIRST) return;
    activity = share / (half * halves);
    restless = activity > (restless ? RESTFUL : RESTLESS);
    const many = waveCount > 16 && now - waves[(waveCount - 16) % WAVES] < (15 * 60 * frequency) / FASTEST + half;
    all = steep = perMinute = highest = 0;
    if (restless || many || barred > 0) all = measure(0);
    const often = perMinute;
    // perhaps only the steepest are QRS complexes, and the others T waves
    if (restless) steep = measure((highest * 7) / 10);
    perMinute = often;
    const fast = perMinute > FASTEST && waveCount > 12;
    if (fast || (restless && perMinute > 0 && all === 0 && steep === 0)) barred = HALVES;
    else if (barred > 0) barred--;
  };

  const near = (value: number, rate: number): boolean => Math.abs(value - rate) <= Math.max(5, rate / 10);

  const clear = (): void => {
    taken =
      sum =
      y1 =
      y2 =
      drift =
      now =
      most =
      moving =
      rest =
      place =
      halves =
      waveCount =
      barred =
      perMinute =
      activity =
        0;
    ends = half;
    all = steep = 0;
    armed = true;
    restless = false;
    upslope = Infinity;
    downslope = 0;
    rest = Infinity;
  };
  clear();

  return {
    push: (samples, count) => {
      // as if the first sample had always been there
      if (now === 0 && taken === 0 && count > 0) y1 = y2 = samples[0] * step;
      for (let i = 0; i < count; ) {
        if (taken === 0 && grouped && i + step <= count) {
          sum = samples[i] + samples[i + 1];
          if (step === 4) sum += samples[i + 2] + samples[i + 3];
          i += step;
        } else {
          sum = taken === 0 ? samples[i++] : sum + samples[i++];
          if (++taken < step) continue;
          taken = 0;
        }
        const slope = sum - y2;
        // less what drift adds to it: a high-pass of 1.2 hz
        drift += (slope - drift) / 8;
        const d = slope - drift;
        y2 = y1;
        y1 = sum;
        const a = d < 0 ? -d : d;
        if (a > most) most = a;
        if (a > rest) moving++;
        if (armed) {
          if (d > upslope) {
            armed = false;
            climb = d;
            slopes[waveCount % WAVES] = d;
            waves[waveCount++ % WAVES] = now;
          }
        } else if (d > climb) climb = d;
        else if (d < downslope) {
          armed = true;
          slopes[(waveCount - 1) % WAVES] = climb;
        }
        if (++now >= ends) review();
      }
    },
    ready: () => halves === HALVES,
    admits: (value) => {
      // restless, but with hardly a wave: drift, which may look like slow beats
      if (barred > 0 || (restless && perMinute === 0)) return false;
      return (all === 0 && steep === 0) || near(value, all) || near(value, steep);
    },
    uncountable: () => barred > 0,
    restlessness: () => activity,
    waveRate: () => perMinute,
    reset: clear,
  };
}
