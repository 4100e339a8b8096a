/**
 * Synthetic fingers under a MAX30102, for the evaluation of oximeters: light of ppg.ts through the converter of the chip's
 * emulator, its noise with it, at the driver's own settings (100 hz, 411 us, 8192 nA, 6.2 mA for each LED).
 */
import type { Signal } from "../../drivers/emulator.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { convert } from "../../drivers/max30102/emulator-analog.ts";
import * as reg from "../../drivers/max30102/registers.ts";
import { drawMotionBursts, type LightArtefact } from "../light-artefacts.ts";
import { createPpg, type Ppg } from "../ppg.ts";
import { createRandom } from "../random.ts";
import { createRhythm } from "../rhythm.ts";

/** hz */
export const LIGHT_RATE = chip.defaults.sampleRate;
/** Codes from 0 to this. */
export const HIGHEST_CODE = reg.highestCode(reg.WIDTHS.indexOf(chip.defaults.pulseWidth));

/** What an oximeter sees: counts of both lights. */
export interface LightCounts {
  readonly rate: number;
  readonly red: Int32Array;
  readonly infrared: Int32Array;
}

/** What disturbs the pulse of a row. */
export type Spo2Condition = "quiet" | "respiration" | "ambient drift" | "motion bursts";

/** In words, with its numbers. nA are per mA of LED current; the infrared light is 700, the red one 600. */
export const spo2Conditions: Readonly<Record<Spo2Condition, string>> = {
  quiet: "the chip's noise alone",
  respiration: "15 breaths a minute: light +-0.2 %, height of the pulse +-8 %, arrival +-8 ms",
  "ambient drift":
    "5 nA on both lights, drifting by 3 nA at 0.02 to 0.1 hz, with flicker of 0.1 nA of 50.02 or 60.02 hz mains",
  "motion bursts":
    "bursts of 3 to 8 s with pauses of 8 to 16 s, 1 to 5 times the pulse, 0.5 to 4 hz, the same part of both lights (R 1)",
};

/** A finger to be lit. */
export interface SyntheticFinger {
  readonly condition: Spo2Condition;
  /** Percent, or percent over time, s. */
  readonly spo2: number | ((time: number) => number);
  /** Percent. */
  readonly perfusionIndex: number;
  /** Beats/min. */
  readonly pulseRate: number;
  readonly seed: number;
  readonly seconds: number;
  /** Besides those of the condition. */
  readonly artefacts?: readonly LightArtefact[];
}

/** Standard deviation of the pulse rate, beats/min. */
const SD_RATE = 2;

/** Perfusion apart: the same beats and the same motion at every perfusion. */
const labelOf = ({ seed, condition, spo2, pulseRate }: SyntheticFinger) =>
  `${seed} ${condition} ${typeof spo2 === "number" ? spo2 : "course"} ${pulseRate}`;

/** The light of a finger. The same finger gives the same light; another seed, condition, SpO2 or pulse rate other beats. */
export function createFinger(finger: SyntheticFinger): Ppg {
  const random = createRandom(`evaluate spo2 ${labelOf(finger)}`);
  const breathing = finger.condition === "respiration";
  const { pulseRate: heartRate, seconds } = finger;
  const artefacts: LightArtefact[] = [...(finger.artefacts ?? [])];
  if (finger.condition === "ambient drift") {
    const mains = finger.pulseRate % 2 === 0 ? 50.02 : 60.02;
    artefacts.push({ kind: "ambient", from: 0, to: seconds + 1, constant: 5, drift: 3, flicker: 0.1, mains });
  }
  if (finger.condition === "motion bursts")
    artefacts.push(...drawMotionBursts({ from: 0, to: seconds, random: random.fork("bursts") }));
  return createPpg({
    rhythm: createRhythm({ heartRate, sdRate: SD_RATE, random: random.fork("rhythm") }),
    spo2: finger.spo2,
    perfusionIndex: finger.perfusionIndex,
    respiration: breathing ? { height: 0.08, arrival: 0.008, light: 0.002 } : { height: 0, arrival: 0, light: 0 },
    drift: 0,
    artefacts,
    random: random.fork("ppg"),
  });
}

/** Standard normal deviates for the converter of one finger, those of no other. */
export function converterNoise(finger: SyntheticFinger): () => number {
  const random = createRandom(`evaluate spo2 converter ${labelOf(finger)} ${finger.perfusionIndex}`);
  return () => random.normal();
}

/**
 * What the chip's converter makes of light, nA per mA, sample k at k / rate after its start: the emulator's own conversion
 * and, sample by sample red before infrared, its noise. So it is what a driver decodes, without bus and FIFO.
 */
export function convertLight(
  { red, infrared }: { readonly red: Signal; readonly infrared: Signal },
  seconds: number,
  noise: (() => number) | undefined,
): LightCounts {
  const { adcRange, pulseWidth, ledCurrent } = chip.defaults;
  const setting = (reg.RANGES.indexOf(adcRange) << 5) | reg.WIDTHS.indexOf(pulseWidth);
  const steps = { red: Math.round(ledCurrent.red * 5), infrared: Math.round(ledCurrent.infrared * 5) };
  const count = Math.round(seconds * LIGHT_RATE);
  const counts = { rate: LIGHT_RATE, red: new Int32Array(count), infrared: new Int32Array(count) };
  for (let k = 0; k < count; k++) {
    const time = k / LIGHT_RATE;
    counts.red[k] = convert(red(time, time) * steps.red, 0, setting, noise);
    counts.infrared[k] = convert(infrared(time, time) * steps.infrared, 0, setting, noise);
  }
  return counts;
}
