/** One synthetic person: ECG, photoplethysmogram and skin temperature of one heart, one breath, one body. */
import type { Signal } from "../drivers/emulator.ts";
import { createEcg } from "./ecgsyn.ts";
import { createPpg, type Ppg } from "./ppg.ts";
import { createRandom } from "./random.ts";
import { createSkin } from "./skin.ts";
import type { Story } from "./story.ts";

export interface PatientOptions {
  readonly seed: number | string;
  /** Which one of the seed's people, 0 and up. */
  readonly index: number;
  /** What happens to that person; absent: nothing. */
  readonly story?: Story;
}

export interface Patient {
  /** What a chip is given: `emulator.set("ecg", patient.signals.ecg)`. Time from 0 on, in order (see `Ecg.at`). */
  readonly signals: {
    /** V between the electrodes. */
    readonly ecg: Signal;
    /** nA of photocurrent per mA of LED current. */
    readonly red: Signal;
    readonly infrared: Signal;
    /** Cel. */
    readonly temperature: Signal;
  };
  /** To take the finger away: `patient.ppg.finger = (time) => time < 10`. */
  readonly ppg: Ppg;
  readonly truth: {
    /** Mean, beats/min; the pulse rate too. */
    readonly heartRate: number;
    /** Standard deviation of the heart rate, beats/min. */
    readonly sdRate: number;
    /** Breaths/min. */
    readonly respirationRate: number;
    /** R peak, mV. */
    readonly amplitude: number;
    /** Percent at time 0; over time `patient.ppg.spo2`. */
    readonly spo2: number;
    /** R, by the reference design's curve; over time `patient.ppg.ratio`. */
    readonly ratio: number;
    /** Percent, infrared. */
    readonly perfusionIndex: number;
    /** From R to the onset of the pulse, s. */
    readonly transitTime: number;
    /** Where the temperature settles without a story, Cel. */
    readonly temperature: number;
    /** R times in from <= t < to, s; a heart that a story stops has none meanwhile, but they are told. */
    beats(from: number, to: number): number[];
    /** Onsets of the pulses in from <= t < to, s. */
    pulses(from: number, to: number): number[];
  };
}

/**
 * The same seed and index give the same person, to the last bit; another index another one, whose numbers are unrelated.
 * Resting adult: heart rate 55..95 beats/min, breathing 11..19 a minute, SpO2 94..99 percent, perfusion 1..3 percent, R wave
 * 0.7..1.6 mV, axilla 36.2..37.4 Cel (from a room of 21..25). Throws RangeError for an index that is no whole number from 0.
 */
export function createPatient({ seed, index, story }: PatientOptions): Patient {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new RangeError(`index ${index}: give a whole number from 0 on`);
  }
  const random = createRandom(seed).fork(`patient ${index}`);
  const draw = (label: string, minimum: number, maximum: number) =>
    minimum + (maximum - minimum) * random.fork(label).uniform();

  const heartRate = draw("heart rate", 55, 95);
  const sdRate = draw("sd rate", 1, 3);
  const respirationRate = draw("respiration rate", 11, 19);
  const amplitude = draw("amplitude", 0.7, 1.6);
  const perfusionIndex = draw("perfusion", 1, 3);
  const transitTime = draw("transit time", 0.17, 0.24);
  const temperature = draw("temperature", 36.2, 37.4);

  const ecg = createEcg({ heartRate, sdRate, respirationRate, amplitude, random: random.fork("ecg") });
  const light = {
    rhythm: ecg.rhythm,
    spo2: story?.spo2 ?? draw("spo2", 94, 99),
    transitTime,
    red: draw("red", 540, 660),
    infrared: draw("infrared", 630, 770),
  };
  const ppg = createPpg({ ...light, perfusionIndex, random: random.fork("ppg") });
  if (story?.finger !== undefined) ppg.finger = story.finger;
  const skin = createSkin({
    equilibrium: temperature,
    ambient: draw("ambient", 21, 25),
    timeConstant: draw("time constant", 30, 50),
    random: random.fork("skin"),
  });

  const signals: Patient["signals"] = {
    ecg: (time) => ecg.at(time) / 1000,
    red: (time, sinceStart) => ppg.red(time, sinceStart),
    infrared: (time, sinceStart) => ppg.infrared(time, sinceStart),
    temperature: (time) => skin(time),
  };
  // The same light without a pulse: a mixture of both is light with a part of it.
  const still = () => createPpg({ ...light, perfusionIndex: 0, random: random.fork("ppg") });

  return {
    signals: story === undefined ? signals : told(story, signals, temperature, still),
    ppg,
    truth: {
      heartRate,
      sdRate,
      respirationRate,
      amplitude,
      spo2: ppg.spo2(0),
      ratio: ppg.ratio(0),
      perfusionIndex,
      transitTime,
      temperature,
      beats: ecg.rhythm.between,
      pulses: ppg.pulses,
    },
  };
}

/** What the chips are given of a person to whom this happens. */
function told(story: Story, own: Patient["signals"], equilibrium: number, still: () => Ppg): Patient["signals"] {
  const { heart, temperature } = story;
  const settles: Signal =
    temperature === undefined
      ? own.temperature
      : (time, sinceStart) => own.temperature(time, sinceStart) + temperature(time, equilibrium) - equilibrium;
  if (heart === undefined) return { ...own, temperature: settles };
  const resting = still();
  const mixture =
    (beating: Signal, without: Signal): Signal =>
    (time, sinceStart) => {
      const part = heart(time);
      return part * beating(time, sinceStart) + (1 - part) * without(time, sinceStart);
    };
  return {
    ecg: (time, sinceStart) => heart(time) * own.ecg(time, sinceStart),
    red: mixture(own.red, resting.red),
    infrared: mixture(own.infrared, resting.infrared),
    temperature: settles,
  };
}
