/** The light from one beat to the next, of an oximeter's two bands: its sums, the pulse's height, and the shape of its wave. */
import { BLOCK, createBand, frameOf } from "./band.ts";
import type { BeatShape } from "./motion.ts";
import { vectorsOrPlain } from "./plain-vectors.ts";
import type { BeatSums } from "./ratio.ts";

export interface Beats {
  /** Samples of light to an internal one, and internal samples a second. */
  readonly step: number;
  readonly frequency: number;
  /** Where the next block's samples, BLOCK x step of each, are to be put. */
  readonly red: Int32Array;
  readonly infrared: Int32Array;
  /** Of what was measured last, for the gate and for R. */
  readonly beat: BeatShape;
  readonly sums: BeatSums;
  /** As if the light had always been what it is now; internal sample 0 is the first of the next block. */
  begin(): void;
  /** Takes the block in. `alone`: infrared has no red beside it. Returns infrared, thinned out: step^2 times as high. */
  take(alone: boolean): Float64Array;
  /** Internal samples so far. */
  count(): number;
  /** Place, in internal samples, where the wave of a beat begins whose light falls the fastest at `index`. */
  edge(index: number): number;
  /**
   * Measures the light from internal sample `from` to before `to`, in which `beats` begin, the first of them at `index`.
   * Returns how high it is: from its brightest light to its darkest over the mean, percent. 0: it is no longer there.
   */
  measure(from: number, to: number, beats: number, index: number): number;
  /** Whether the wave measured last begins like that of the one measured before it. */
  follows(): boolean;
  /** The wave measured last is what the next ones are held against; `good`: so that `beat.alike` tells of it. */
  keep(good: boolean): void;
}

/** Seconds: longest beat, and the part of one before its steepest fall. */
const LONGEST = 17 / 4;
const LEAD = 3 / 10;
/** How long light falls in a pulse, s, at most. */
const FALL = 2 / 5;
/** Of a wave that is held against another, s; correlation squared that is like it. */
const SHAPE = 14 / 25;
const ALIKE = 1 / 2;
/** Beats lie between two internal samples. */
const SHIFTS = [0, -1, 1];

/** Works on lights of `rate` hz. */
export function createBeats(rate: number): Beats {
  const frame = frameOf(rate, LONGEST);
  const step = frame.step;
  const kept = frame.kept;
  const lead = Math.round(LEAD * frame.frequency);
  const fall = Math.round(FALL * frame.frequency);
  const shape = Math.round(SHAPE * frame.frequency);
  const infrared = createBand(frame);
  const red = createBand(frame);
  const vectors = vectorsOrPlain();
  const beat: BeatShape = { span: 0, power: 0, rest: 0, ratio: 0, alike: true, sure: false, model: false };
  const sums: BeatSums = { from: 0, span: 0, xx: 0, xy: 0, rest: 0, noise: 1 };
  const ones = new Float64Array(kept);
  ones.fill(1);
  /** How the wave of the last good beat begins, and that of the last one; how much of each there is. */
  const good = new Float64Array(shape);
  const recent = new Float64Array(shape);
  let goodLength = 0;
  let recentLength = 0;
  let alone = false;
  /** Where the newest internal sample ends in the bands, and where number 0 stood. */
  let end = kept;
  let origin = kept;

  const alike = (other: Float64Array, length: number): boolean => {
    const start = origin + sums.from;
    const waves = infrared.waves;
    const common = Math.min(length, end - start - 1);
    if (common <= 0) return false;
    const before = other.subarray(0, common);
    const least = ALIKE * vectors.convolve(before, before, 0);
    for (let i = 0; i < SHIFTS.length; i++) {
      const from = Math.max(0, start + SHIFTS[i]);
      const both = vectors.convolve(before, waves, from);
      const wave = waves.subarray(from, from + common);
      if (both > 0 && both * both >= least * vectors.convolve(wave, wave, 0)) return true;
    }
    return false;
  };

  return {
    step: step,
    frequency: frame.frequency,
    red: red.fresh,
    infrared: infrared.fresh,
    beat: beat,
    sums: sums,
    begin: () => {
      infrared.begin();
      red.begin();
      end = origin = kept;
      goodLength = recentLength = 0;
      beat.sure = false;
    },
    take: (infraredAlone) => {
      alone = infraredAlone;
      if (end + BLOCK > frame.length) {
        infrared.move(end);
        if (!alone) red.move(end);
        origin -= end - kept;
        end = kept;
      }
      infrared.take(end);
      if (!alone) red.take(end);
      end += BLOCK;
      return infrared.lights.subarray(end - BLOCK, end);
    },
    count: () => end - origin,
    edge: (index) => Math.min(Math.ceil(index + frame.delay) - lead, end - origin),
    measure: (from, to, beats, index) => {
      const length = to - from;
      const start = origin + from;
      if (length <= 0 || length > kept || start < 0) return 0;
      const one = ones.subarray(0, length);
      const wave = infrared.waves.subarray(start, start + length);
      const x = vectors.convolve(one, infrared.lights, start) / length;
      const xx = vectors.convolve(wave, infrared.waves, start) / (x * x);
      sums.from = from;
      sums.span = length;
      beat.span = length / beats;
      sums.xx = xx;
      beat.power = xx / length;
      beat.rest = beat.ratio = sums.xy = sums.rest = 0;
      if (!alone) {
        const y = vectors.convolve(one, red.lights, start) / length;
        sums.xy = vectors.convolve(wave, red.waves, start) / (x * y);
        const yy = vectors.convolve(red.waves.subarray(start, start + length), red.waves, start) / (y * y);
        sums.noise = (x * x) / (y * y);
        if (xx > 0) {
          beat.ratio = sums.xy / xx;
          sums.rest = yy - beat.ratio * sums.xy;
          beat.rest = sums.rest / length;
        }
      }
      beat.alike = goodLength === 0 || alike(good, goodLength);
      // An interpreter's own functions, on arrays of these kinds too.
      const steepest = origin + Math.round(index);
      const before = infrared.lights.subarray(Math.max(0, steepest - fall), steepest + 1) as unknown as number[];
      const after = infrared.lights.subarray(steepest, Math.min(end, steepest + fall)) as unknown as number[];
      return (100 * (Math.max.apply(null, before) - Math.min.apply(null, after))) / x;
    },
    follows: () => alike(recent, recentLength),
    keep: (isGood) => {
      const start = origin + sums.from;
      const begin = infrared.waves.subarray(start, Math.min(start + shape, end));
      recent.set(begin, 0);
      recentLength = begin.length;
      if (!isGood) return;
      good.set(begin, 0);
      goodLength = recentLength;
    },
  };
}
