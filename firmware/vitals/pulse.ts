/** Pulse rate, SpO2 and perfusion index, of a chip's red and infrared light. Device side. */

import type { Block } from "../../drivers/driver.ts";
import {
  type Channel,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_TEST_SIGNAL,
  FLAG_UNCALIBRATED,
} from "../../drivers/driver.ts";
import { MDC_PERFUSION_INDEX, MDC_PULSE_RATE, MDC_SPO2 } from "../../protocol/messages.ts";
import { type Calibration, isPublished, LOWEST_SPO2 } from "../dsp/calibration.ts";
import { createOximeter } from "../dsp/ppg.ts";
import { type Kind, MICROSECONDS, SILENCE, type Source } from "./source.ts";

const PULSE_RATE: Kind = { mdc: MDC_PULSE_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const PERFUSION: Kind = { mdc: MDC_PERFUSION_INDEX, ucum: "%", exp10: -2, scale: 100, bits: 15 };
/** Of the converter's range: below it there is no finger. */
const OFF_BODY = 1 / 16;

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

/** The sensor's channels "red" (null: it has none) and "infrared", and their places; `calibration`: of this device. */
export interface Lights {
  readonly red: Channel;
  readonly redPlace: number;
  readonly infrared: Channel;
  readonly infraredPlace: number;
  readonly calibration: Calibration;
}

/** Throws Error for rates that createOximeter refuses. */
export function createPulse(lights: Lights): Source {
  const rate = lights.infrared.rate;
  const full = lights.infrared.maximum + 1;
  const calibration = lights.calibration;
  const oximeter = createOximeter({
    rate: rate,
    curve: "curve" in calibration ? calibration.curve : null,
    offBodyBelow: full * OFF_BODY,
    saturatedAbove: full - 1,
  });
  const last = Math.max(lights.redPlace, lights.infraredPlace);
  const foreign = isPublished(calibration) ? FLAG_UNCALIBRATED : 0;
  let red: Block | null = null;
  let infrared: Block | null = null;
  /** Board time after the last sample, us. */
  let heard = 0;
  /** What makes the last block no patient's. */
  let barred = 0;
  return {
    kinds: [PULSE_RATE, spo2Kind(calibration), PERFUSION],
    take(place, block) {
      if (place === lights.redPlace) red = block;
      if (place === lights.infraredPlace) infrared = block;
      if (place !== last || red === null || infrared === null || red.count !== infrared.count) return 0;
      const flags = red.flags | infrared.flags;
      if (red.lost !== 0 || infrared.lost !== 0 || (flags & FLAG_LED_CHANGED) !== 0) oximeter.reset();
      if (infrared.count === 0) return 0;
      heard = infrared.time + (infrared.count * MICROSECONDS) / rate;
      if (barred !== 0 && (flags & FLAG_TEST_SIGNAL) === 0) oximeter.reset();
      barred = flags & FLAG_TEST_SIGNAL;
      if (barred === 0) oximeter.push(red.samples, infrared.samples, infrared.count);
      return 0;
    },
    interrupted(place) {
      if (place === lights.redPlace || place === lights.infraredPlace) oximeter.reset();
    },
    read(now, emit) {
      const result = oximeter.result;
      const silent = now - heard > SILENCE ? FLAG_BUS_FAULT : 0;
      const give = (place: number, value: number | null, extra: number): void => {
        const why = silent | barred;
        if (why !== 0) emit(place, null, why, null, null);
        else emit(place, value, value === null ? result.flags : result.flags | extra, null, null);
      };
      give(0, result.pulseRate, 0);
      give(1, result.spo2, foreign);
      give(2, result.perfusionIndex, 0);
    },
  };
}
