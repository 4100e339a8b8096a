/**
 * Vitals from what the chips measured: one place that turns waveforms into numbers, or into null with the flags that say
 * why. A number is never older than what it was computed from.
 */
import { type Block, type Channel, FLAG_BUS_FAULT, FLAG_SETTLING, FLAG_UNCALIBRATED } from "../drivers/driver.ts";
import {
  type Attributes,
  type ChannelDefinition,
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_RR_INTERVAL,
  MDC_SPO2,
} from "../protocol/messages.ts";
import type { Rate } from "./dsp/heart-rate.ts";
import { createOximeter, type Oximeter } from "./dsp/ppg.ts";
import type { OnRhythm } from "./dsp/rhythm.ts";
import { createTemperatureFilter, type SmoothedTemperature } from "./dsp/temperature.ts";
import { createHeart, HEART_RATES } from "./heart.ts";

/**
 * A vital: its place in `definitions`, its raw value or null, its flags, the quality of the signal behind it, 0 to 100, or
 * null where that is unknown, and when it was, board clock, us, or null where it is that of the reading.
 */
export type OnVital = (
  index: number,
  value: number | null,
  flags: number,
  quality: number | null,
  at: number | null,
) => void;

export interface Vitals {
  /** The vitals as channels, the first of them with this id. */
  definitions(firstId: number): ChannelDefinition[];
  /** Takes a block of a chip's channel; returns flags that its single values (temperature) must carry besides their own. */
  take(channel: Channel, block: Block): number;
  /** This channel was interrupted: what it gave before does not belong to what comes. */
  interrupted(channel: Channel): void;
  /**
   * Calls `emit` for what there is as of `now`, board clock, us: once for every vital, and for every interval between
   * beats since the last call.
   */
  read(now: number, emit: OnVital): void;
}

/** Numbers of one kind, read when they are asked for. */
interface Source {
  take(channel: Channel, block: Block): number;
  interrupted(channel: Channel): void;
  readonly kinds: readonly Definition[];
  /** By place in `kinds`; value in the unit of the definition, before scaling. */
  read(now: number, emit: OnVital): void;
}

interface Definition {
  readonly mdc: number;
  readonly ucum: string;
  /** value = raw x 10^exp10 = raw / scale. */
  readonly exp10: number;
  readonly scale: number;
  readonly bits: number;
  readonly calibration?: string;
}

const HEART_RATE: Definition = { mdc: MDC_HEART_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const RR_INTERVAL: Definition = { mdc: MDC_RR_INTERVAL, ucum: "ms", exp10: -1, scale: 10, bits: 17 };
const PULSE_RATE: Definition = { mdc: MDC_PULSE_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const SPO2: Definition = {
  mdc: MDC_SPO2,
  ucum: "%",
  exp10: -1,
  scale: 10,
  bits: 11,
  calibration: "maxim-reference-design",
};
const PERFUSION: Definition = { mdc: MDC_PERFUSION_INDEX, ucum: "%", exp10: -2, scale: 100, bits: 15 };

/** SpO2 = -45.060 R^2 + 30.354 R + 94.845 (Maxim reference design RD117): no device's own, so every value is flagged. */
const REFERENCE_CURVE = { square: -45060 / 1000, linear: 30354 / 1000, constant: 94845 / 1000 };
/** A chip that has given nothing for this long gives no vital either, us. */
const SILENCE = 3000000;
/** Of the converter's range: below it there is no finger. */
const OFF_BODY = 1 / 16;
/** Degrees Celsius between the fast and the slow mean that count as settled. */
const SETTLED = 1 / 16;
const MICROSECONDS = 1000000;

const createHeartRate = (ecg: Channel, onRhythm: OnRhythm): Source => {
  const heart = createHeart(ecg, onRhythm);
  const rate: Rate = { value: null, flags: 0 };
  return {
    kinds: [HEART_RATE, RR_INTERVAL],
    take(channel, block) {
      if (channel.name === ecg.name) heart.take(block);
      return 0;
    },
    interrupted(channel) {
      if (channel.name === ecg.name) heart.interrupted();
    },
    read(now, emit) {
      heart.read(now, rate);
      const quality = heart.quality();
      emit(0, rate.value, rate.flags, quality, null);
      heart.takeIntervals((at, milliseconds) => emit(1, milliseconds, 0, quality, at));
    },
  };
};

const createPulse = (red: Channel, infrared: Channel): Source => {
  const full = infrared.maximum + 1;
  const oximeter: Oximeter = createOximeter({
    rate: infrared.rate,
    curve: REFERENCE_CURVE,
    offBodyBelow: full * OFF_BODY,
    saturatedAbove: full - 1,
  });
  let redBlock: Block | null = null;
  let heardAt = 0;
  return {
    kinds: [PULSE_RATE, SPO2, PERFUSION],
    take(channel, block) {
      if (channel.name === red.name) redBlock = block;
      if (channel.name !== infrared.name || redBlock === null || redBlock.count !== block.count) return 0;
      if (block.lost !== 0) oximeter.reset();
      if (block.count > 0) heardAt = block.time + (block.count * MICROSECONDS) / infrared.rate;
      oximeter.push(redBlock.samples, block.samples, block.count);
      return 0;
    },
    interrupted(channel) {
      if (channel.name === infrared.name) oximeter.reset();
    },
    read(now, emit) {
      const result = oximeter.result;
      const silent = now - heardAt > SILENCE;
      const give = (place: number, value: number | null, extra: number): void => {
        if (silent) emit(place, null, FLAG_BUS_FAULT, null, null);
        else if (value === null) emit(place, null, result.flags === 0 ? FLAG_SETTLING : result.flags, null, null);
        else emit(place, value, result.flags | extra, null, null);
      };
      give(0, result.pulseRate, 0);
      give(1, result.spo2, FLAG_UNCALIBRATED);
      give(2, result.perfusionIndex, 0);
    },
  };
};

/** A thermometer gives its own values; this one only says whether they still move. */
const createWarmth = (temperature: Channel): Source => {
  let scale = temperature.mul;
  for (let i = temperature.exp10; i < 0; i++) scale /= 10;
  const filter = createTemperatureFilter({ rate: temperature.rate, tolerance: SETTLED });
  const smoothed: SmoothedTemperature = { value: null, flags: 0 };
  return {
    kinds: [],
    take(channel, block) {
      if (channel.name !== temperature.name) return 0;
      for (let i = 0; i < block.count; i++) filter.push((block.samples[i] + temperature.offset) * scale);
      filter.read(smoothed);
      return smoothed.flags;
    },
    interrupted(channel) {
      if (channel.name === temperature.name) filter.reset();
    },
    read() {},
  };
};

const find = (channels: readonly Channel[], name: string): Channel | null => {
  for (let i = 0; i < channels.length; i++) if (channels[i].name === name) return channels[i];
  return null;
};

/**
 * Makes what these channels allow: a heart rate from "ecg", oximetry from "red" and "infrared". `onRhythm` is told what the
 * rhythm of the ECG is called, when it begins and when it ends (dsp/rhythm.ts), by the board's clock, us.
 */
export function createVitals(channels: readonly Channel[], onRhythm?: OnRhythm): Vitals {
  const sources: Source[] = [];
  const ecg = find(channels, "ecg");
  if (ecg !== null && HEART_RATES.indexOf(ecg.rate) >= 0) {
    sources.push(createHeartRate(ecg, onRhythm ?? (() => {})));
  }
  const red = find(channels, "red");
  const infrared = find(channels, "infrared");
  if (red !== null && infrared !== null && (red.rate === 50 || red.rate === 100 || red.rate === 200)) {
    sources.push(createPulse(red, infrared));
  }
  const temperature = find(channels, "temperature");
  if (temperature !== null && temperature.rate > 0) sources.push(createWarmth(temperature));
  let kinds: Definition[] = [];
  for (let i = 0; i < sources.length; i++) kinds = kinds.concat(sources[i].kinds);

  return {
    definitions(firstId) {
      const definitions: ChannelDefinition[] = [];
      for (let i = 0; i < kinds.length; i++) {
        const kind = kinds[i];
        const attributes: Attributes = Object.assign(
          { processing: 2 as const },
          kind.calibration === undefined ? null : { calibration: kind.calibration },
        );
        definitions.push({
          id: firstId + i,
          mdc: kind.mdc,
          rateMilliHz: 0,
          bits: kind.bits,
          offset: 0,
          mul: 1,
          exp10: kind.exp10,
          ucum: kind.ucum,
          attributes,
        });
      }
      return definitions;
    },
    take(channel, block) {
      let flags = 0;
      for (let i = 0; i < sources.length; i++) flags |= sources[i].take(channel, block);
      return flags;
    },
    interrupted(channel) {
      for (let i = 0; i < sources.length; i++) sources[i].interrupted(channel);
    },
    read(now, emit) {
      let first = 0;
      const give: OnVital = (place, value, flags, quality, at) => {
        const index = first + place;
        emit(index, value === null ? null : Math.round(value * kinds[index].scale), flags, quality, at);
      };
      for (let i = 0; i < sources.length; i++) {
        sources[i].read(now, give);
        first += sources[i].kinds.length;
      }
    },
  };
}
