/** Pulse rate, SpO2, perfusion index and an estimate of respiration, of a chip's red and infrared light, or of one light alone. Device side. */
import {
  type Block,
  type Channel,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_TEST_SIGNAL,
  FLAG_UNCALIBRATED,
} from "../../drivers/driver.ts";
import { MDC_PERFUSION_INDEX, MDC_PULSE_RATE, MDC_RESPIRATION_PLETH, MDC_SPO2 } from "../../protocol/messages.ts";
import { type ContactState, contactOf, OFF_BODY } from "../contact.ts";
import { type Calibration, isPublished, LOWEST_SPO2 } from "../dsp/calibration.ts";
import type { Rate } from "../dsp/heart-rate.ts";
import type { Oximetry } from "../dsp/oximetry.ts";
import { createOximeter } from "../dsp/ppg.ts";
import { createRespirationMeter, type RespirationMeter } from "../dsp/respiration.ts";
import { GAP, type Kind, MICROSECONDS, SILENCE, type Source } from "./source.ts";

const PULSE_RATE: Kind = { mdc: MDC_PULSE_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const PERFUSION: Kind = { mdc: MDC_PERFUSION_INDEX, ucum: "%", exp10: -2, scale: 100, bits: 15 };
const RESPIRATION: Kind = {
  mdc: MDC_RESPIRATION_PLETH,
  ucum: "/min",
  exp10: -1,
  scale: 10,
  bits: 10,
  role: "estimate",
};
/** Red and infrared must look swapped for so long, at every reading: longer than any beat counts for R, us. */
const SURE = 10 * MICROSECONDS;
/** SpO2, percent: of whom it seems to be in swapped lights, nobody lives with less than 40. */
const HEALTHY = 95;

const spo2Kind = (calibration: Calibration): Kind => ({
  mdc: MDC_SPO2,
  ucum: "%",
  exp10: -1,
  scale: 10,
  bits: 11,
  minimum: LOWEST_SPO2 * 10,
  maximum: 1000,
  calibration: calibration.id,
});

/** A sensor's lights, by their places among its channels. */
export interface Lights {
  /** Infrared, or the only one there is. */
  readonly light: Channel;
  readonly lightPlace: number;
  /** -1: there is no red, and no SpO2. */
  readonly redPlace: number;
  /** Of this device, or a published one: then every SpO2 is flagged as uncalibrated. */
  readonly calibration: Calibration;
  /** Whether the breath is estimated too. */
  readonly respiration: boolean;
}

/** What a light is told of besides its values. */
export interface LightEvents {
  /** Each change of it, as of a reading; null: nothing is heard of the chip, or it gives a test signal. */
  readonly onContact: (state: ContactState | null) => void;
  /** Red and infrared are taken for each other: told once, and again where it was over. There is no SpO2 meanwhile. */
  readonly onSwapped: () => void;
}

/** Throws Error for a rate that createOximeter refuses. */
export function createPulse(lights: Lights, events: LightEvents): Source {
  const lightPlace = lights.lightPlace;
  const redPlace = lights.redPlace;
  const rate = lights.light.rate;
  const full = lights.light.maximum + 1;
  const calibration = lights.calibration;
  const breath: RespirationMeter | null = lights.respiration ? createRespirationMeter(rate) : null;
  const breaths: Rate = { value: null, flags: 0 };
  const oximeter = createOximeter({
    rate: rate,
    calibration: calibration,
    onBeat: (index, height, brightness) => {
      if (breath !== null) breath.beat(index, height, brightness);
    },
    offBodyBelow: full * OFF_BODY,
    saturatedAbove: full - 1,
  });
  const last = Math.max(redPlace, lightPlace);
  const foreign = isPublished(calibration) ? FLAG_UNCALIBRATED : 0;
  const alone = redPlace < 0;
  let red: Block | null = null;
  let light: Block | null = null;
  /** Board time after the last sample, us. */
  let heard = 0;
  /** What makes the last block no patient's. */
  let barred = 0;
  /** Samples since the last reset. */
  let taken = 0;
  let contact: ContactState | null = null;
  /** Since when red and infrared look swapped, or no longer so where they did, board time, us. */
  let otherSince: number | null = null;
  let swapped = false;
  /** As of the last reading. */
  let quality: number | null = null;

  const reset = (): void => {
    oximeter.reset();
    if (breath !== null) breath.reset();
    taken = 0;
  };
  const takeBoth = (one: Block, other: Block | null): void => {
    if (other !== null && other.count !== one.count) return;
    const flags = one.flags | (other === null ? 0 : other.flags);
    const late = heard > 0 && one.count > 0 && one.time - heard > GAP;
    const lost = late || one.lost !== 0 || (other !== null && other.lost !== 0);
    const test = flags & FLAG_TEST_SIGNAL;
    if (lost || test !== barred || (flags & FLAG_LED_CHANGED) !== 0) reset();
    if (one.count === 0) return;
    heard = one.time + (one.count * MICROSECONDS) / rate;
    barred = test;
    taken += one.count;
    if (barred === 0) oximeter.push(other === null ? null : other.samples, one.samples, one.count);
  };
  const touch = (state: ContactState | null): void => {
    if (state === contact) return;
    contact = state;
    events.onContact(state);
  };
  /**
   * An R that no blood has, of a good pulse, for as long as no chance lasts: then it is the sensor. Until its R is that of a
   * healthy person for as long, which no blood has in swapped lights.
   */
  const compare = (now: number, result: Oximetry): void => {
    const other = swapped ? result.spo2 !== null && result.spo2 >= HEALTHY : result.swapped;
    if (!other || result.pulseFlags !== 0) otherSince = null;
    else if (otherSince === null) otherSince = now;
    else if (now - otherSince >= SURE) {
      otherSince = null;
      swapped = !swapped;
      if (swapped) events.onSwapped();
    }
  };
  const kinds = [PULSE_RATE, PERFUSION];
  if (!alone) kinds.push(spo2Kind(calibration));
  if (breath !== null) kinds.push(RESPIRATION);

  return {
    kinds: kinds,
    take(place, block) {
      if (place === redPlace) red = block;
      if (place === lightPlace) light = block;
      if (place === last && light !== null && (alone || red !== null)) takeBoth(light, red);
    },
    flags: (place) => (barred === 0 && (place === redPlace || place === lightPlace) ? oximeter.light : 0),
    quality: (place) => (barred === 0 && (place === redPlace || place === lightPlace) ? quality : null),
    interrupted(place, why) {
      if (place !== redPlace && place !== lightPlace) return;
      reset();
      barred = why;
      otherSince = null;
      swapped = false;
    },
    read(now, emit) {
      const why = barred | (now - heard > SILENCE ? FLAG_BUS_FAULT : 0);
      const result = oximeter.result;
      quality = result.quality;
      touch(why === 0 ? contactOf(contact, result.pulseFlags, result.pulseRate !== null) : null);
      if (why === 0) compare(now, result);
      else otherSince = null;
      const give = (place: number, value: number | null, flags: number, more: number): void => {
        if (why !== 0) emit(place, null, why, null, null);
        else emit(place, value, value === null ? flags : flags | more, value === null ? null : result.quality, null);
      };
      const unknown = swapped ? result.flags | FLAG_UNCALIBRATED : result.flags;
      give(0, result.pulseRate, result.pulseFlags, 0);
      // without pulse, without R, of swapped lights there is none
      const perfusion = swapped ? null : result.perfusionIndex;
      give(1, perfusion, perfusion === null ? unknown : result.pulseFlags, 0);
      // a patient whose SpO2 falls would bring the wrong R back to where blood can have it
      if (!alone) give(2, swapped ? null : result.spo2, unknown, foreign);
      if (breath === null) return;
      breath.read(taken, breaths);
      // without a pulse there is none, and its reasons are the pulse's
      const pulse = result.pulseRate !== null;
      give(kinds.length - 1, pulse ? breaths.value : null, pulse ? breaths.flags : result.pulseFlags, 0);
    },
  };
}
