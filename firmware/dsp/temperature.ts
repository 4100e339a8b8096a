/** A thermometer's readings without spikes, whether they still move, and, apart from them, where they seem to go. */
import { FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";

/** In the unit of what was pushed; null, with at least one flag, where there is no reading to show. */
export interface SmoothedTemperature {
  value: number | null;
  /** Settling: the value is what the sensor has now, but it still moves. Saturated: the last reading was none. */
  flags: number;
}

/**
 * Where the sensor would come to rest if nothing changed: an estimate, no measurement, and never to be sent as one. Its flags
 * are never 0. null: too little movement was seen, or none that comes to rest.
 */
export interface PredictedTemperature {
  value: number | null;
  flags: number;
}

export interface TemperatureFilterOptions {
  /** Readings a second, hz; made for 0.1 to 16. */
  readonly rate: number;
  /** How far from its rest a sensor may be to count as settled, in the unit of the readings, a kelvin or a degree Celsius. */
  readonly tolerance: number;
  /** What the chip can mean lies between them, in the unit of the readings; without them every number does. */
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface TemperatureFilter {
  push(reading: number): void;
  /** Filled in place. */
  read(temperature: SmoothedTemperature): void;
  /** Filled in place. */
  predict(predicted: PredictedTemperature): void;
  /** Forgets everything. Call it after a gap. */
  reset(): void;
}

/** The tolerance for skin and body, K or Cel: what the accuracy of a clinical thermometer, 0.1 Cel, leaves room for. */
export const SETTLED_WITHIN = 1 / 16;

/** Time constants of the mean that is shown and of the one it is held against, s. */
const FAST = 8;
const SLOW = 64;
/** From one look at the mean to the next, s. */
const STRIDE = 32;
/** So many readings in a row that are none: what comes after them is something else. */
const GONE = 3;
/** A reading so many tolerances from the mean is another temperature, or a spike. */
const APART = 8;
/** A stride of so many tolerances is movement, and tells how much shorter the next one is. */
const CLEAR = 4;
/** A stride so many times the one before is the first of a movement, or a part of it. */
const ONSET = 2;
/** Strides that shrink by less than this come to no rest that could be told. */
const SLOWEST = 31 / 32;

/**
 * Median of 3, then an exponential mean of 8 s. What is not between `minimum` and `maximum`, or stuck at one of them, is
 * dropped and flagged; after three of those in a row the value is null and all begins anew.
 *
 * Settled is what
 *   has been read for 64 s without a stride, 32 s of the mean, of 4 tolerances or more,
 *   is within 1 tolerance of a mean of 64 s, and the last reading within 8, and
 *   has less than 1 tolerance still to go. A sensor that warms up makes strides that shrink by the same ratio q: what lies
 *   before it is the next stride over 1 - q. q is learnt from long strides and kept; until then it is 1/2, a time constant
 *   of 46 s. On a ramp the same tells how far the sensor trails behind.
 *
 * The prediction is the last look's value with what lay before it then. Only differences count: K and Cel do alike.
 * Throws Error where rate or tolerance is not above 0, or the range is empty.
 */
export function createTemperatureFilter(options: TemperatureFilterOptions): TemperatureFilter {
  const rate = options.rate;
  const tolerance = options.tolerance;
  const minimum = options.minimum ?? Number.NEGATIVE_INFINITY;
  const maximum = options.maximum ?? Number.POSITIVE_INFINITY;
  if (!(rate > 0)) throw new Error(`temperature: rate ${rate} hz is not above 0`);
  if (!(tolerance > 0)) throw new Error(`temperature: tolerance ${tolerance} is not above 0`);
  if (!(minimum < maximum)) throw new Error(`temperature: minimum ${minimum} is not below maximum ${maximum}`);
  const fastShare = Math.min(1, 1 / (FAST * rate));
  const slowShare = Math.min(1, 1 / (SLOW * rate));
  /** How far the mean that is shown trails behind a ramp, s. */
  const fastLag = (1 / fastShare - 1) / rate;
  /** Readings in a stride. */
  const length = Math.max(1, Math.round(STRIDE * rate));
  let first = 0;
  let second = 0;
  let count = 0;
  /** Readings in a row that were none. */
  let dropped = 0;
  let fast = 0;
  let slow = 0;
  /** Readings that the slow mean has: a plain mean at first. How far it trails behind a ramp, s. */
  let age = 0;
  let slowLag = 0;
  let until = 0;
  let mark = 0;
  let stride = 0;
  let onset = true;
  /** Sums over long strides, the older ones counting less: q = products / squares. */
  let products = 0;
  let squares = 0;
  /** q / (1 - q) */
  let ahead = 1;
  let learnt = false;

  const reset = (): void => {
    count = dropped = age = slowLag = stride = products = squares = 0;
    ahead = 1;
    onset = true;
    learnt = false;
    // the median's first two readings count
    until = Math.max(1, length - 2);
  };
  reset();

  const look = (): void => {
    until = length;
    const before = stride;
    stride = fast - mark;
    mark = fast;
    if (Math.abs(stride) >= CLEAR * tolerance) age = slowLag = 0;
    if (Math.abs(stride) >= CLEAR * tolerance && !(stride / before > 0 && stride / before < ONSET)) {
      onset = true;
      learnt = false;
      products = squares = 0;
      return;
    }
    if (!onset && Math.abs(before) >= CLEAR * tolerance) {
      products = products / 2 + before * stride;
      squares = squares / 2 + before * before;
      learnt = products > 0 && products < SLOWEST * squares;
      if (learnt) ahead = products / (squares - products);
    }
    onset = false;
  };

  return {
    push: (third) => {
      if (!(third > minimum && third < maximum)) {
        dropped++;
        if (dropped >= GONE) count = 0;
        return;
      }
      if (dropped >= GONE) reset();
      dropped = 0;
      count++;
      if (count > 2) {
        const middle = Math.max(Math.min(first, second), Math.min(Math.max(first, second), third));
        if (count === 3) fast = mark = middle;
        fast += (middle - fast) * fastShare;
        age++;
        const share = Math.max(slowShare, 1 / age);
        slow += (middle - slow) * share;
        slowLag = (slowLag + 1 / rate) * (1 - share);
        until--;
        if (until === 0) look();
      }
      first = second;
      second = third;
    },
    read: (temperature) => {
      const behind = Math.abs(fast - slow);
      const settled =
        age + 2 >= SLOW * rate &&
        count >= SLOW * rate &&
        slowLag > fastLag &&
        behind <= tolerance &&
        behind * ahead * STRIDE <= tolerance * (slowLag - fastLag) &&
        Math.abs(second - fast) <= APART * tolerance;
      temperature.value = count > 2 ? fast : null;
      temperature.flags = (settled ? 0 : FLAG_SETTLING) | (dropped > 0 ? FLAG_SATURATED : 0);
    },
    predict: (predicted) => {
      const rest = stride * ahead;
      // on the way from the last look to there, or it goes elsewhere by now
      const way = rest > 0 ? fast - mark : mark - fast;
      const on = way > -CLEAR * tolerance && way < Math.abs(rest) + CLEAR * tolerance;
      predicted.value = learnt && count > 2 && on ? mark + rest : null;
      predicted.flags = FLAG_SETTLING;
    },
    reset,
  };
}
