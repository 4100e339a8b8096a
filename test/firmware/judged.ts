/** What a virtual node says of a synthetic person while a fault lasts and after it, value by value, against the truth. */
import { FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import {
  EVENT_FAULT,
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_SPO2,
  MDC_TEMP_AXILLA,
  MDC_TEMPERATURE,
  qualFlags,
  qualSqi,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { type FaultEntry, planFaults } from "../../simulator/faults.ts";
import type { NodeOptions } from "../../simulator/node.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createCommanded } from "./commanded.ts";

/** "reading": the thermometer's own. */
export type VitalName = "heartRate" | "pulseRate" | "spo2" | "perfusionIndex" | "temperature" | "reading";

/** A value as it was sent. */
export interface Judgement {
  readonly name: VitalName;
  /** Board time, s. */
  readonly at: number;
  readonly value: number | null;
  readonly flags: number;
  readonly quality: number | null;
  /** What it should be. */
  readonly truth: number;
  /** Neither null nor flagged, but perhaps as uncalibrated. */
  readonly good: boolean;
  readonly wrong: boolean;
}

/** A waveform's block from..to, s. */
export interface JudgedWave {
  readonly id: number;
  readonly seg: number;
  readonly from: number;
  readonly to: number;
  readonly flags: number;
  readonly quality: number | null;
  readonly samples: Int32Array;
}

export interface Judged {
  readonly values: readonly Judgement[];
  readonly waves: readonly JudgedWave[];
  readonly faults: readonly { at: number; words: string }[];
}

const NAMES: Readonly<Record<number, VitalName>> = {
  [MDC_HEART_RATE]: "heartRate",
  [MDC_PULSE_RATE]: "pulseRate",
  [MDC_SPO2]: "spo2",
  [MDC_PERFUSION_INDEX]: "perfusionIndex",
  [MDC_TEMP_AXILLA]: "temperature",
  [MDC_TEMPERATURE]: "reading",
};

/** How far a value may be from the truth: beats/min and part of it; percent; times as much or little; Cel. */
const RATE = 5;
const RATE_PART = 0.1;
const SPO2 = 4;
const PERFUSION = 2;
const TEMPERATURE = 0.5;
const WINDOW = 10;

/** SpO2 by the curve that the synthetic people have: their device's own, so that no value is flagged as uncalibrated. */
const CALIBRATION = { id: "bench-1", curve: { square: -45.06, linear: 30.354, constant: 94.845 } };

const isWrong = (name: VitalName, value: number, truth: number): boolean => {
  if (name === "perfusionIndex") return value > truth * PERFUSION || value * PERFUSION < truth;
  const rate = Math.max(RATE, truth * RATE_PART);
  const limits = { heartRate: rate, pulseRate: rate, spo2: SPO2, temperature: TEMPERATURE, reading: TEMPERATURE };
  return Math.abs(value - truth) > limits[name];
};

/** Plays a person of the seed, with a plan of faults, for so many seconds. */
export function judge(
  seed: number,
  index: number,
  seconds: number,
  plan: readonly FaultEntry[],
  options: Partial<NodeOptions> = {},
): Judged {
  const own = { plan: planFaults(plan) };
  const board = createCommanded({ seed, index, calibration: CALIBRATION, faults: own, ...options });
  const patient = createPatient({ seed, index });
  board.start(seconds);
  const birth = board.births()[0]!;
  const truthOf = (name: VitalName, at: number): number => {
    if (name === "temperature" || name === "reading") return patient.signals.temperature(at, at);
    if (name === "perfusionIndex") return patient.truth.perfusionIndex;
    if (name === "spo2") return patient.ppg.spo2(at);
    const beats = patient.truth.beats(at - WINDOW, at);
    return (60 * (beats.length - 1)) / (beats.at(-1)! - beats[0]!);
  };
  const values: Judgement[] = [];
  const waves: JudgedWave[] = [];
  for (const { tick, channels } of board.data()) {
    for (const one of channels) {
      const definition = birth.channels.find(({ id }) => id === one.id)!;
      const at = tick / 1000 + one.dt / 1e6;
      const flags = qualFlags(one.qual) & ~FLAG_UNCALIBRATED;
      if (one.kind === "wave") {
        const to = at + (one.n * 1000) / definition.rateMilliHz;
        const samples = decodeSamples(one.codec, one.bytes, one.n);
        waves.push({ id: one.id, seg: one.seg, from: at, to, flags, quality: qualSqi(one.qual), samples });
        continue;
      }
      const name = NAMES[definition.mdc];
      if (name === undefined) continue;
      const value =
        one.value === null ? null : (one.value + definition.offset) * definition.mul * 10 ** definition.exp10;
      const truth = truthOf(name, at);
      const good = value !== null && flags === 0;
      values.push({
        name,
        at,
        value,
        flags,
        quality: qualSqi(one.qual),
        truth,
        good,
        wrong: value !== null && isWrong(name, value, truth),
      });
    }
  }
  const faults = board.eventsOf(EVENT_FAULT).map(({ tick, small }) => ({
    at: tick / 1000,
    words: String((small as readonly unknown[])[2]),
  }));
  return { values, waves, faults };
}
