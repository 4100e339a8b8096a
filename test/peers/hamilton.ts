/**
 * Hamilton's detector: "Open source ECG analysis", Computers in Cardiology 29:101 (2002), from Pan and Tompkins, IEEE Trans.
 * Biomed. Eng. 32:230 (1985) and Hamilton and Tompkins, same, 33:1157 (1986). His numbers, in ms, at whatever rate the
 * signal has (he ran it at 200 hz):
 *
 *   x -> low-pass (two means of 25 ms) -> high-pass (less a mean of 125 ms) -> difference over 10 ms -> magnitude
 *     -> mean over 80 ms
 *
 * A peak of that is over when it has come down to half, or after 95 ms. Rules:
 * 1. of peaks within 200 ms only the largest counts;
 * 2. no peak whose raw signal does not both rise and fall (a shift of the baseline);
 * 3. no peak within 360 ms of a QRS whose steepest slope is less than half of that one's (a T wave): that is noise;
 * 4. a QRS is above noise + 0.3125 x (signal - noise), else it is noise; both levels are means over the last eight;
 * 5. after 1.5 mean intervals without a QRS: the largest peak since, if above half the threshold and 360 ms after it.
 * First levels: the largest peaks of each of the first eight seconds; and anew after eight seconds without a QRS.
 *
 * His program gives no beats in its first eight seconds; here their peaks are kept, and judged when the levels are there.
 */
import type { DetectorFactory } from "../../simulator/evaluate/detections.ts";
import { createDelay, createDifference, createMean, requireSignal } from "./moving.ts";

const KEPT = 8;
const THRESHOLD = 0.3125;
/** Smallest peak, uV: 7 counts of 5 uV in his program, so that nothing under 150 uV is detected. */
const FLOOR = 35;

interface Peak {
  /** Of the averaged slope, sample. */
  readonly at: number;
  readonly height: number;
  /** Sample at which nothing larger had come for 200 ms. */
  readonly sureAt: number;
  /** Steepest slope of the raw signal around it. */
  readonly slope: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** See DetectorFactory. Throws Error for a rate that is not 100 to 1000 hz. */
export const createHamiltonDetector: DetectorFactory = (rate, microvoltsPerCount, onBeat) => {
  requireSignal("Hamilton", rate, microvoltsPerCount);
  const ms = (milliseconds: number) => Math.max(1, Math.round((milliseconds * rate) / 1000));
  const floor = FLOOR / microvoltsPerCount;
  const smooth = createMean(ms(25));
  const smoother = createMean(ms(25));
  const baseline = createMean(ms(125));
  const middle = createDelay(Math.floor(ms(125) / 2));
  const slope = createDifference(ms(10));
  const rawSlope = createDifference(ms(10));
  const integrate = createMean(ms(80));
  /** From R to the peak of the averaged slope. */
  const delay = ms(25) - 1 + (ms(125) - 1) / 2 + ms(10) / 2 + (ms(80) - 1) / 2;
  const slopes = new Float64Array(Math.ceil(rate));
  let now = 0;
  // a peak of the averaged slope that is under way, and the largest one of the last 200 ms
  let top = 0;
  let topAt = 0;
  let before = 0;
  let held = 0;
  let heldAt = 0;
  let holdUntil = 0;
  // what is known after eight seconds
  let signals: number[] | null = null;
  let noises: number[] = [];
  let intervals: number[] = [];
  const early: Peak[] = [];
  let last: Peak | null = null;
  let missed: Peak | null = null;
  // the largest peaks of the last seconds without a QRS
  let quiet: number[] = [];
  let second = 0;
  let largest = 0;

  const threshold = () => {
    const noise = mean(noises);
    return noise + THRESHOLD * (mean(signals!) - noise);
  };
  const push = (values: number[], value: number) => {
    values.push(value);
    values.shift();
  };

  const accept = (peak: Peak) => {
    push(signals!, peak.height);
    if (last !== null) push(intervals, peak.at - last.at);
    last = peak;
    missed = null;
    quiet = [];
    second = largest = 0;
    onBeat(Math.max(0, peak.at - delay), now);
  };

  const judge = (peak: Peak) => {
    const since = last === null ? Number.POSITIVE_INFINITY : peak.at - last.at;
    const tWave = last !== null && since < ms(360) && peak.slope < last.slope / 2;
    if (!tWave && peak.height > threshold()) {
      accept(peak);
      return;
    }
    push(noises, peak.height);
    if (since >= ms(360) && (missed === null || peak.height > missed.height)) missed = peak;
  };

  /** Rule 5. */
  const lookBack = (at: number) => {
    if (missed === null || missed.height <= threshold() / 2) return;
    if (at - (last === null ? 0 : last.at) > 1.5 * mean(intervals) + ms(80)) accept(missed);
  };

  /** The steepest slope of the raw signal around a peak; 0 where it goes one way only. */
  const steepest = (at: number): number => {
    const centre = Math.round(at - delay + ms(10) / 2);
    let up = 0;
    let down = 0;
    let upAt = 0;
    let downAt = 0;
    for (let k = Math.max(0, centre - ms(110)); k <= Math.min(now, centre + ms(110)); k++) {
      const value = slopes[k % slopes.length]!;
      if (value > up) {
        up = value;
        upAt = k;
      } else if (-value > down) {
        down = -value;
        downAt = k;
      }
    }
    const both = up > down / 8 && down > up / 8 && Math.abs(upAt - downAt) < ms(150);
    return both ? Math.max(up, down) : 0;
  };

  /** Rule 1 is met. */
  const candidate = () => {
    const peak = { at: heldAt, height: held, sureAt: now, slope: steepest(heldAt) };
    held = 0;
    largest = Math.max(largest, peak.height);
    if (peak.slope === 0) return;
    if (signals !== null) judge(peak);
    else early.push(peak);
  };

  const begin = () => {
    signals = quiet;
    noises = new Array(KEPT).fill(0);
    intervals = new Array(KEPT).fill(rate);
    quiet = [];
    for (const peak of early) {
      lookBack(peak.sureAt);
      judge(peak);
    }
    early.length = 0;
  };

  /** A peak of the averaged slope is over. */
  const over = () => {
    if (top < floor || top <= held) return;
    held = top;
    heldAt = topAt;
    holdUntil = now + ms(200);
  };

  return {
    push(samples, count) {
      for (let i = 0; i < count; i++, now++) {
        const raw = samples[i]!;
        slopes[now % slopes.length] = rawSlope(raw);
        const low = smoother(smooth(raw));
        const level = integrate(Math.abs(slope(middle(low) - baseline(low))));
        if (level > before && level > top) {
          top = level;
          topAt = now;
        } else if (top > 0 && (level < top / 2 || now - topAt > ms(95))) {
          over();
          top = 0;
        }
        before = level;
        if (held > 0 && now >= holdUntil) candidate();
        if (signals !== null) lookBack(now);
        if (++second < rate) continue;
        quiet.push(largest);
        second = largest = 0;
        if (quiet.length === KEPT) begin();
      }
    },
  };
};
