/** Registers and inputs of the MAX30003 emulator: what it wakes up with, what can be set on it. Pages: MAX30001G data sheet. */
import type { Input } from "../emulator.ts";
import { clamp } from "./emulator-analog.ts";
import * as r from "./registers.ts";

/** Reset values (p. 43..60; all of them also in wchocian/MAX30003-HAL-Driver), and the bits that a write can change. */
export const REGISTERS: readonly (readonly [register: number, reset: number, writable: number])[] = [
  [r.EN_INT, 0x000003, 0xf00f03],
  [r.EN_INT2, 0x000003, 0xf00f03],
  [r.MNGR_INT, 0x780004, 0xf80077],
  [r.MNGR_DYN, 0x3f0000, 0xff0000],
  [r.CNFG_GEN, r.GEN_RESET, 0xf83fff],
  [r.CNFG_CAL, r.CAL_RESET, 0x707fff],
  [r.CNFG_EMUX, 0x300000, 0xbf0000],
  [r.CNFG_ECG, 0x805000, 0xc37000],
  [r.CNFG_RTOR1, 0x3f2300, 0xffbf00],
  [r.CNFG_RTOR2, 0x202400, 0x3f3700],
];
export const INFO_VALUE = 0x513000;

const lead = { unit: "1", minimum: 0, maximum: 1, epsilon: 0 };

export const inputs: Record<string, Input<r.Max30003Configuration>> = {
  /** Between the electrodes, V. Range: full scale at the lowest gain. */
  ecg: {
    channel: "ecg",
    unit: "V",
    minimum: -0.05,
    maximum: 0.05,
    epsilon: 2e-7,
    expected: (value, { gain }) => clamp(value * gain * 131072) / (gain * 131072),
  },
  /** 1: both electrodes are off. The ecg input goes on: what an amplifier makes of an open lead is the feeder's business. */
  leadOff: lead,
  /** 1: that electrode is off, ECGP or ECGN. */
  leadOffPositive: lead,
  leadOffNegative: lead,
};
