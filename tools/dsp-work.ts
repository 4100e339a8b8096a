/** Signals of a board and how objects work on them, for dsp-objects.ts. Runs in the interpreter too: device dialect. */
import type { Block, Channel } from "../drivers/driver.ts";
import type { Filter } from "../firmware/dsp/filter.ts";
import type { createOximeter } from "../firmware/dsp/ppg.ts";
import type { RespirationMeter } from "../firmware/dsp/respiration.ts";
import type { VitalsSensor } from "../firmware/vitals.ts";

/** One person, for as long as each other, but `beats`. */
export interface Signals {
  /** 1/8 uV at 128 and 256 hz. */
  readonly ecg128: Int32Array;
  readonly ecg256: Int32Array;
  /** Counts of 18 bits at 100 hz. */
  readonly red: Int32Array;
  readonly infrared: Int32Array;
  /** 1/128 degree, one a second. */
  readonly temperature: Int32Array;
  /** Times of R, ms, over some minutes. */
  readonly beats: Int32Array;
}

/** An object at work. */
export interface Work {
  /** What holds the state. */
  readonly object: unknown;
  /** Of the samples, beats, readings or seconds of signal: the first one that is measured, and how many there are. */
  readonly begin: number;
  readonly length: number;
  /** Works on those from `from` to before `to`. Once from 0 to `begin`, then once to `length`. */
  run(from: number, to: number): void;
}

/** Samples that come at a time. */
export const BLOCK = 32;
const inBlocks = (samples: number): number => Math.floor(samples / BLOCK) * BLOCK;

/** A count of the ECG. */
export const MICROVOLTS = 1 / 8;
export const MILLISECONDS = 1000;

export const nothing = (_?: unknown): void => {};

/** What takes samples block by block. */
export const blocks = (object: { push(samples: Int32Array, count: number): unknown }, samples: Int32Array): Work => ({
  object: object,
  begin: inBlocks(samples.length / 3),
  length: inBlocks(samples.length),
  run: (from, to) => {
    for (let at = from; at < to; at += BLOCK) object.push(samples.subarray(at, at + BLOCK), BLOCK);
  },
});

export const filter = (object: Filter, samples: Int32Array): Work => {
  const out = new Int32Array(BLOCK);
  return {
    object: object,
    begin: inBlocks(samples.length / 3),
    length: inBlocks(samples.length),
    run: (from, to) => {
      for (let at = from; at < to; at += BLOCK) object.push(samples.subarray(at, at + BLOCK), BLOCK, out);
    },
  };
};

/** Looked at once a second, which is when R and the rate are computed. */
export const oximeter = (object: ReturnType<typeof createOximeter>, signals: Signals): Work => ({
  object: object,
  begin: inBlocks(signals.red.length / 3),
  length: inBlocks(signals.red.length),
  run: (from, to) => {
    for (let at = from; at < to; at += BLOCK) {
      object.push(signals.red.subarray(at, at + BLOCK), signals.infrared.subarray(at, at + BLOCK), BLOCK);
      if (at % (3 * BLOCK) === 0) nothing(object.result);
    }
  },
});

/** What is called once for each of some numbers. */
export const each = (object: unknown, numbers: Int32Array, turn: (value: number, before: number) => void): Work => ({
  object: object,
  begin: Math.floor(numbers.length / 3),
  length: numbers.length,
  run: (from, to) => {
    for (let i = from; i < to; i++) turn(numbers[i], i === 0 ? 0 : numbers[i - 1]);
  },
});

const channel = (name: string, rate: number, maximum: number, mul: number, exp10: number): Channel => ({
  name: name,
  mdc: 1,
  rate: rate,
  waveform: rate > 1,
  bits: 18,
  offset: 0,
  mul: mul,
  exp10: exp10,
  unit: "1",
  minimum: name === "ecg" ? -maximum - 1 : 0,
  maximum: maximum,
  accuracy: "",
  processing: 0,
});

/** A three-sensor board: ECG at 256 hz, red and infrared at 100 hz, temperature at 1 hz. */
export const channels: readonly Channel[] = [
  channel("red", 100, 262143, 1, 0),
  channel("infrared", 100, 262143, 1, 0),
  channel("ecg", 256, 131071, 125, -9),
  channel("temperature", 1, 32767, 78125, -7),
];

/** The same as three chips. */
export const board: readonly VitalsSensor[] = [
  { channels: [channels[0], channels[1]] },
  { channels: [channels[2]] },
  { channels: [channels[3]], site: "axilla" },
];
/** Chip and place on it of each of `channels`. */
export const places: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [2, 0],
];

/** Its blocks, second by second: ECG in eight, light in four, one temperature. */
export const seconds = (
  object: unknown,
  signals: Signals,
  take: (place: number, block: Block) => void,
  end: (now: number) => void,
): Work => {
  const block: Block = { samples: signals.red, count: 0, index: 0, time: 0, uncertainty: 0, lost: 0, flags: 0 };
  const give = (place: number, samples: Int32Array, at: number, count: number): void => {
    const one = Object.assign({}, block);
    Object.assign(one, { samples: samples.subarray(at, at + count), index: at });
    one.count = count;
    one.time = (at * 1000000) / channels[place].rate;
    take(place, one);
  };
  const length = Math.floor(signals.red.length / 100);
  return {
    object: object,
    begin: Math.floor(length / 3),
    length: length,
    run: (from, to) => {
      for (let second = from; second < to; second++) {
        for (let i = 0; i < 4; i++) {
          give(0, signals.red, second * 100 + i * 25, 25);
          give(1, signals.infrared, second * 100 + i * 25, 25);
        }
        for (let i = 0; i < 8; i++) give(2, signals.ecg256, second * 256 + i * BLOCK, BLOCK);
        give(3, signals.temperature, second, 1);
        end((second + 1) * 1000000);
      }
    },
  };
};

/** Beats as they come, and a look at them every second: the lights swing with 15 breaths a minute. */
export const breathing = (object: RespirationMeter, beats: Int32Array): Work => {
  const shown = { value: null, flags: 0 };
  const length = Math.floor(beats[beats.length - 1] / MILLISECONDS);
  let next = 0;
  return {
    object: object,
    begin: Math.floor(length / 3),
    length: length,
    run: (from, to) => {
      for (let second = from; second < to; second++) {
        const now = (second + 1) * MILLISECONDS;
        for (; next < beats.length && beats[next] <= now; next++) {
          const at = beats[next];
          const phase = (at % 4000) - 2000;
          object.beat(at, 1000 + phase / 20, 90000 + phase / 10);
        }
        object.read(now, shown);
      }
    },
  };
};
