/**
 * One light of an oximeter, a block at a time: thinned out to 25 to 50 samples a second, and what of it is pulse.
 *
 *   light   triangle over two internal samples (what is faster than half of them is down by 24 dB and more: mains flicker)
 *   wave    boxcar of 120 ms less that of 120 ms before: how the light falls; less the mean of that over 680 ms about it
 *
 * The wave of something slow goes with the cube of its frequency: breathing of 0.25 hz is 37 dB below a pulse of 75 a minute.
 * It spans 0.9 s, so what disturbs the light is over soon. Sums of integers, exact in doubles: natively the same bits.
 */
import { vectorsOrPlain } from "./plain-vectors.ts";

/** Internal samples of a block. */
export const BLOCK = 8;
/** Seconds. */
const BOX = 3 / 25;
const MEAN = 17 / 25;
/** Blocks that go in before what is past is moved. */
const ROOM = 4;

export interface Band {
  /** Where a block's samples, BLOCK x step, are to be put. */
  readonly fresh: Int32Array;
  /** Triangle sums (step^2 times as high as the light) and waves; the newest stands before `end` of `take`. */
  readonly lights: Float64Array;
  readonly waves: Float64Array;
  /** As if the light had always been what it is now: the first of the fresh samples. */
  begin(): void;
  /** Takes the fresh block in at place `end`: what is kept, and some blocks. */
  take(end: number): void;
  /** Moves the last `kept` of what stands before `end` to the beginning. */
  move(end: number): void;
}

/** How lights are thinned out at `rate` hz: `step` samples each; all lengths in internal samples. */
export interface Frame {
  readonly step: number;
  /** Internal samples a second. */
  readonly frequency: number;
  /** Of the past that stands in the arrays, and of the arrays. */
  readonly kept: number;
  readonly length: number;
  /** How many internal samples a wave is behind the light. */
  readonly delay: number;
}

const boxOf = (frequency: number): number => Math.round(frequency * BOX);
/** Odd: it has a middle. */
const meanOf = (frequency: number): number => 2 * Math.round((frequency * MEAN) / 2 - 1 / 2) + 1;

/** `seconds`: how much past is needed. */
export function frameOf(rate: number, seconds: number): Frame {
  const step = Math.max(1, Math.floor(rate / 25));
  const frequency = rate / step;
  const kept = Math.ceil(frequency * seconds);
  const span = 2 * boxOf(frequency) + meanOf(frequency) - 1;
  return {
    step: step,
    frequency: frequency,
    kept: kept,
    length: kept + ROOM * BLOCK,
    delay: (span - 1) / 2,
  };
}

export function createBand(frame: Frame): Band {
  const step = frame.step;
  const kept = frame.kept;
  const count = BLOCK * step;
  const before = step - 1;
  const raw = new Int32Array(before + count);
  const fresh = raw.subarray(before);
  const lights = new Float64Array(frame.length);
  const waves = new Float64Array(frame.length);

  const triangle = new Float64Array(2 * step - 1);
  for (let k = 0; k < triangle.length; k++) triangle[k] = Math.min(k + 1, 2 * step - 1 - k);
  const box = boxOf(frame.frequency);
  const mean = meanOf(frame.frequency);
  /** Times `mean`: integers. */
  const taps = new Float64Array(2 * box + mean - 1);
  for (let k = 0; k < 2 * box; k++) {
    const side = k < box ? 1 : -1;
    for (let j = 0; j < mean; j++) taps[k + j] -= side;
    taps[k + (mean - 1) / 2] += side * mean;
  }
  /** Where windows begin. */
  const rows = new Uint16Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) rows[i] = i * step;
  const places = new Uint16Array(frame.length);
  for (let i = 0; i < places.length; i++) places[i] = i;

  /** By how many blocks went in since the last move: where its lights and waves go, and where the windows of these begin. */
  const lightsTo: Float64Array[] = [];
  const wavesTo: Float64Array[] = [];
  const windows: Uint16Array[] = [];
  for (let end = kept; end < frame.length; end += BLOCK) {
    lightsTo.push(lights.subarray(end, end + BLOCK));
    wavesTo.push(waves.subarray(end, end + BLOCK));
    windows.push(places.subarray(end - taps.length + 1, end - taps.length + 1 + BLOCK));
  }

  const vectors = vectorsOrPlain();
  const thinned = vectors.convolve.bind(vectors, triangle, raw);
  const filtered = vectors.convolve.bind(vectors, taps, lights);
  return {
    fresh: fresh,
    lights: lights,
    waves: waves,
    begin: () => {
      raw.fill(fresh[0], 0, before);
      lights.fill(fresh[0] * step * step);
      waves.fill(0);
    },
    take: (end) => {
      const place = (end - kept) / BLOCK;
      vectors.mapInPlace(rows, lightsTo[place], thinned);
      vectors.mapInPlace(windows[place], wavesTo[place], filtered);
      if (before > 0) raw.set(raw.subarray(count), 0);
    },
    move: (end) => {
      lights.set(lights.subarray(end - kept, end), 0);
      waves.set(waves.subarray(end - kept, end), 0);
    },
  };
}
