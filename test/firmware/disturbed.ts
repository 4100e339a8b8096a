/** A synthetic person's ECG as a MAX30003 converts it, with what disturbs it; and what the heart says of it, against the truth. */
import { FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import type { Rate } from "../../firmware/dsp/heart-rate.ts";
import { createHeart } from "../../firmware/heart.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createRandom } from "../../simulator/random.ts";

/** A value that the heart told at a time, s: of a rate beats/min, of an interval ms, which ended then. */
export interface Told {
  readonly at: number;
  readonly value: number | null;
  readonly flags: number;
}

export interface Disturbed {
  /** R times, s. */
  readonly beats: readonly number[];
  /** Once a second. */
  readonly rates: readonly Told[];
  readonly intervals: readonly Told[];
  /** States of the rhythm that began. */
  readonly states: readonly number[];
}

export interface Person {
  readonly seed: number;
  readonly index?: number;
  readonly rate?: number;
  readonly seconds: number;
  /** V/V */
  readonly gain?: number;
}

/** Converter noise, V RMS. */
const CONVERTER = 0.6e-6;

/** `change`: the voltage at the electrodes at a time, s, instead of the heart's, V. */
export function disturb(person: Person, change: (time: number, volts: number) => number): Disturbed {
  const { seed, index = 0, rate = 128, seconds, gain = 20 } = person;
  const patient = createPatient({ seed, index });
  const random = createRandom(seed).fork("converter");
  const channel = chip.create({ sampleRate: rate, gain }, { interrupt: true, pins: [], inputs: [] }).channels()[0]!;
  const states: number[] = [];
  const heart = createHeart(channel, (state, _onset, end) => {
    if (end === null) states.push(state);
  });
  const rates: Told[] = [];
  const intervals: Told[] = [];
  const shown: Rate = { value: null, flags: 0 };
  const count = rate / 8;
  for (let from = 0; from < seconds * rate; from += count) {
    let flags = 0;
    const samples = Int32Array.from({ length: count }, (_, i) => {
      const time = (from + i) / rate;
      const volts = change(time, patient.signals.ecg(time, time)) + CONVERTER * random.normal();
      const code = Math.round(volts * gain * 2 ** 17);
      if (code > channel.minimum && code < channel.maximum) return code;
      flags |= FLAG_SATURATED;
      return code < 0 ? channel.minimum : channel.maximum;
    });
    heart.take({ samples, count, index: from, time: (from * 1e6) / rate, uncertainty: 0, lost: 0, flags });
    const at = (from + count) / rate;
    if (at % 1 !== 0) continue;
    heart.read(at * 1e6, shown);
    rates.push({ at, value: shown.value, flags: shown.flags });
    heart.takeIntervals((end, value, why) => intervals.push({ at: end / 1e6, value, flags: why }));
  }
  return { beats: patient.truth.beats(0, seconds + 2), rates, intervals, states };
}

/** A rate that is told as good, and is that of no window of the last 10 s within 5 a minute or 10 %. */
export function isFalseRate({ at, value, flags }: Told, beats: readonly number[]): boolean {
  if (value === null || flags !== 0) return false;
  return [3.5, 5, 7.5, 10].every((window) => {
    const last = beats.filter((beat) => beat >= at - window && beat < at);
    const rate = (60 * (last.length - 1)) / (last.at(-1)! - last[0]!);
    return !(Math.abs(value - rate) <= Math.max(5, rate / 10));
  });
}

/** An interval that is told as good, and is no true one within 30 ms, ended within 0.25 s. */
export function isFalseInterval({ at, value, flags }: Told, beats: readonly number[]): boolean {
  if (flags !== 0) return false;
  return !beats.some(
    (beat, i) => i > 0 && Math.abs(beat - at) <= 0.25 && Math.abs(value! - (beat - beats[i - 1]!) * 1000) <= 30,
  );
}
