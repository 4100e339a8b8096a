/**
 * The objects of firmware/dsp as a board uses them, each with a signal to work on: what dsp-cost.ts measures. One line an
 * object. What `open` does runs in the interpreter too, so all of it is in the device dialect; of the firmware only types are
 * imported, so that each is measured by itself: the factory is handed in.
 */
import type { Block, Channel } from "../drivers/driver.ts";
import type { createAverage, createMainsAverage } from "../firmware/dsp/average.ts";
import type { createDecimator } from "../firmware/dsp/decimate.ts";
import type { createFibrillationMeter } from "../firmware/dsp/fibrillation.ts";
import type { Filter } from "../firmware/dsp/filter.ts";
import type { createFlutterGuard } from "../firmware/dsp/flutter.ts";
import type { createHeartRateMeter } from "../firmware/dsp/heart-rate.ts";
import type { createHighPass, createStHighPass } from "../firmware/dsp/highpass.ts";
import type { createHrvMeter } from "../firmware/dsp/hrv.ts";
import type { createLowPass } from "../firmware/dsp/lowpass.ts";
import type { createAutomaticNotch, createNotch } from "../firmware/dsp/notch.ts";
import type { createOximeter } from "../firmware/dsp/ppg.ts";
import type { createPulseDetector } from "../firmware/dsp/pulse.ts";
import type { createQrsDetector } from "../firmware/dsp/qrs.ts";
import type { createQualityMeter } from "../firmware/dsp/quality.ts";
import type { createRespirationMeter, RespirationMeter } from "../firmware/dsp/respiration.ts";
import type { createRhythmMonitor } from "../firmware/dsp/rhythm.ts";
import type { createRrSeries } from "../firmware/dsp/rr.ts";
import type { createSpikeFilter } from "../firmware/dsp/spikes.ts";
import type { createTemperatureFilter } from "../firmware/dsp/temperature.ts";
import type { Codec, createPacker } from "../firmware/packer.ts";
import type { createVitals, VitalsSensor } from "../firmware/vitals.ts";

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

/** What is counted: statements a sample, a beat, a reading, a second of signal. */
export type Unit = "sample" | "beat" | "reading" | "s";

export interface Measured {
  readonly name: string;
  /** Its module in firmware/, and the function there that makes it. */
  readonly factory: readonly [module: string, name: string];
  readonly unit: Unit;
  // biome-ignore lint/suspicious/noExplicitAny: each factory takes its own
  readonly open: (create: any, signals: Signals) => Work;
}

/** Samples that come at a time. */
export const BLOCK = 32;
const inBlocks = (samples: number): number => Math.floor(samples / BLOCK) * BLOCK;

const MICROVOLTS = 1 / 8;
const MILLISECONDS = 1000;

const nothing = (): void => {};

/** What takes samples block by block. */
const blocks = (object: { push(samples: Int32Array, count: number): unknown }, samples: Int32Array): Work => ({
  object: object,
  begin: inBlocks(samples.length / 3),
  length: inBlocks(samples.length),
  run: (from, to) => {
    for (let at = from; at < to; at += BLOCK) object.push(samples.subarray(at, at + BLOCK), BLOCK);
  },
});

const filter = (object: Filter, samples: Int32Array): Work => {
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

const oximeter = (object: ReturnType<typeof createOximeter>, signals: Signals): Work => ({
  object: object,
  begin: inBlocks(signals.red.length / 3),
  length: inBlocks(signals.red.length),
  run: (from, to) => {
    for (let at = from; at < to; at += BLOCK) {
      object.push(signals.red.subarray(at, at + BLOCK), signals.infrared.subarray(at, at + BLOCK), BLOCK);
    }
  },
});

/** What is called once for each of some numbers. */
const each = (object: unknown, numbers: Int32Array, turn: (value: number, before: number) => void): Work => ({
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
const places: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [2, 0],
];

/** Its blocks, second by second: ECG in eight, light in four, one temperature. */
const seconds = (
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
const breathing = (object: RespirationMeter, beats: Int32Array): Work => {
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

/** Waveforms and one vital into messages, a second at a time. */
const packing = (codec: Codec): Measured => ({
  name: `three sensors, packing, ${codec}`,
  factory: ["packer", "createPacker"],
  unit: "s",
  open: (create: typeof createPacker, s) => {
    const object = create(codec);
    return seconds(
      object,
      s,
      (place, block) => {
        if (channels[place].waveform) object.addBlock(place, block, 1000000 / channels[place].rate);
      },
      (now) => {
        object.addValue(3, now, 1, 0);
        object.take(now / 1000);
      },
    );
  },
});

const hum = 50;

export const objects: readonly Measured[] = [
  {
    name: "QRS detector, 128 hz",
    factory: ["dsp/qrs", "createQrsDetector"],
    unit: "sample",
    open: (create: typeof createQrsDetector, s) => blocks(create(128, MICROVOLTS, nothing), s.ecg128),
  },
  {
    name: "QRS detector, 256 hz",
    factory: ["dsp/qrs", "createQrsDetector"],
    unit: "sample",
    open: (create: typeof createQrsDetector, s) => blocks(create(256, MICROVOLTS, nothing), s.ecg256),
  },
  {
    name: "oximeter, 100 hz",
    factory: ["dsp/ppg", "createOximeter"],
    unit: "sample",
    open: (create: typeof createOximeter, s) =>
      oximeter(
        create({
          rate: 100,
          calibration: { id: "any", curve: { square: -45, linear: 30, constant: 95 } },
          offBodyBelow: 16384,
          saturatedAbove: 262143,
        }),
        s,
      ),
  },
  {
    name: "pulse detector, 50 hz",
    factory: ["dsp/pulse", "createPulseDetector"],
    unit: "sample",
    open: (create: typeof createPulseDetector, s) => blocks(create(50, nothing), s.infrared),
  },
  {
    name: "respiration meter",
    factory: ["dsp/respiration", "createRespirationMeter"],
    unit: "s",
    open: (create: typeof createRespirationMeter, s) => breathing(create(MILLISECONDS), s.beats),
  },
  {
    name: "temperature filter",
    factory: ["dsp/temperature", "createTemperatureFilter"],
    unit: "reading",
    open: (create: typeof createTemperatureFilter, s) => {
      const object = create({ rate: 1, tolerance: 1 / 16 });
      const shown = { value: null, flags: 0 };
      return each(object, s.temperature, (value) => {
        object.push(value / 128);
        object.read(shown);
      });
    },
  },
  {
    name: "heart rate meter",
    factory: ["dsp/heart-rate", "createHeartRateMeter"],
    unit: "beat",
    open: (create: typeof createHeartRateMeter, s) => {
      const object = create(MILLISECONDS);
      const shown = { value: null, flags: 0 };
      return each(object, s.beats, (at) => {
        object.beat(at);
        object.read(at, shown);
      });
    },
  },
  {
    name: "RR series",
    factory: ["dsp/rr", "createRrSeries"],
    unit: "beat",
    open: (create: typeof createRrSeries, s) => {
      const object = create(MILLISECONDS);
      return each(object, s.beats, (at) => object.beat(at));
    },
  },
  {
    name: "heart rate variability",
    factory: ["dsp/hrv", "createHrvMeter"],
    unit: "beat",
    open: (create: typeof createHrvMeter, s) => {
      const object = create(MILLISECONDS);
      const shown = { sdnn: null, rmssd: null, pnn50: null, count: 0, coverage: 0 };
      return each(object, s.beats, (at, before) => {
        object.add(at, at - before, 1);
        object.read(at, shown);
      });
    },
  },
  {
    name: "fibrillation meter",
    factory: ["dsp/fibrillation", "createFibrillationMeter"],
    unit: "beat",
    open: (create: typeof createFibrillationMeter, s) => {
      const object = create(MILLISECONDS);
      return each(object, s.beats, (at) => {
        object.beat(at);
        object.read();
      });
    },
  },
  {
    name: "rhythm monitor",
    factory: ["dsp/rhythm", "createRhythmMonitor"],
    unit: "beat",
    open: (create: typeof createRhythmMonitor, s) => {
      const object = create(MILLISECONDS, nothing);
      object.begin(0);
      return each(object, s.beats, (at) => {
        object.beat(at);
        object.update(at, 70, 1 / 2, false);
      });
    },
  },
  {
    name: "quality meter",
    factory: ["dsp/quality", "createQualityMeter"],
    unit: "beat",
    open: (create: typeof createQualityMeter, s) => {
      const object = create(MILLISECONDS);
      object.begin(0);
      return each(object, s.beats, (at) => {
        object.beat(at);
        object.update(at, 1 / 8, 1 / 8);
        object.read();
      });
    },
  },
  {
    name: "flutter guard, 256 hz",
    factory: ["dsp/flutter", "createFlutterGuard"],
    unit: "sample",
    open: (create: typeof createFlutterGuard, s) => blocks(create(256, MICROVOLTS), s.ecg256),
  },
  {
    name: "spike filter, 256 hz",
    factory: ["dsp/spikes", "createSpikeFilter"],
    unit: "sample",
    open: (create: typeof createSpikeFilter, s) => filter(create(256, MICROVOLTS), s.ecg256),
  },
  {
    name: "decimator, 256 hz",
    factory: ["dsp/decimate", "createDecimator"],
    unit: "sample",
    open: (create: typeof createDecimator, s) => filter(create(256), s.ecg256),
  },
  {
    name: "low-pass, 256 hz",
    factory: ["dsp/lowpass", "createLowPass"],
    unit: "sample",
    open: (create: typeof createLowPass, s) => filter(create(256), s.ecg256),
  },
  {
    name: "high-pass, 256 hz",
    factory: ["dsp/highpass", "createHighPass"],
    unit: "sample",
    open: (create: typeof createHighPass, s) => filter(create(256), s.ecg256),
  },
  {
    name: "ST high-pass, 256 hz",
    factory: ["dsp/highpass", "createStHighPass"],
    unit: "sample",
    open: (create: typeof createStHighPass, s) => filter(create(256), s.ecg256),
  },
  {
    name: "notch, 256 hz",
    factory: ["dsp/notch", "createNotch"],
    unit: "sample",
    open: (create: typeof createNotch, s) => filter(create(256, hum), s.ecg256),
  },
  {
    name: "automatic notch, 256 hz",
    factory: ["dsp/notch", "createAutomaticNotch"],
    unit: "sample",
    open: (create: typeof createAutomaticNotch, s) => filter(create(256, MICROVOLTS), s.ecg256),
  },
  {
    name: "moving average, 256 hz",
    factory: ["dsp/average", "createAverage"],
    unit: "sample",
    open: (create: typeof createAverage, s) => filter(create(256, 125), s.ecg256),
  },
  {
    name: "mains average, 256 hz",
    factory: ["dsp/average", "createMainsAverage"],
    unit: "sample",
    open: (create: typeof createMainsAverage, s) => filter(create(256, hum), s.ecg256),
  },
  {
    name: "three sensors, vitals",
    factory: ["vitals", "createVitals"],
    unit: "s",
    open: (create: typeof createVitals, s) => {
      const object = create(board);
      return seconds(
        object,
        s,
        (place, block) => object.take(places[place][0], places[place][1], block),
        (now) => object.read(now, nothing),
      );
    },
  },
  packing("rice"),
  packing("delta"),
  packing("raw24"),
];
