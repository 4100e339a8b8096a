/**
 * The objects of firmware/dsp as a board uses them, each with a signal to work on: what dsp-cost.ts measures. One line an
 * object. What `open` does runs in the interpreter too, so all of it is in the device dialect; of the firmware only types are
 * imported, so that each is measured by itself: the factory is handed in.
 */
import type { createAverage, createMainsAverage } from "../firmware/dsp/average.ts";
import type { createDecimator } from "../firmware/dsp/decimate.ts";
import type { createFibrillationMeter } from "../firmware/dsp/fibrillation.ts";
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
import type { createRespirationMeter } from "../firmware/dsp/respiration.ts";
import type { createRhythmMonitor } from "../firmware/dsp/rhythm.ts";
import type { createRrSeries } from "../firmware/dsp/rr.ts";
import type { createSpikeFilter } from "../firmware/dsp/spikes.ts";
import type { createTemperatureFilter } from "../firmware/dsp/temperature.ts";
import type { Codec, createPacker } from "../firmware/packer.ts";
import type { createVitals } from "../firmware/vitals.ts";
import {
  blocks,
  board,
  breathing,
  channels,
  each,
  filter,
  MICROVOLTS,
  MILLISECONDS,
  nothing,
  oximeter,
  places,
  type Signals,
  seconds,
  type Work,
} from "./dsp-work.ts";

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

/** Waveforms and one vital into messages, a second at a time. */
const packing = (codec: Codec): Measured => ({
  name: `three sensors, packing, ${codec}`,
  factory: ["packer", "createPacker"],
  unit: "s",
  open: (create: typeof createPacker, s) => {
    const object = create(codec, false);
    return seconds(
      object,
      s,
      (place, block) => {
        if (channels[place].waveform) object.addBlock(place, block, 1000000 / channels[place].rate, block.flags, null);
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
