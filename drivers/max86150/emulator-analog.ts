/** What an emulated MAX86150 measures: its inputs, and the codes that its converters make of them. */
import type { Input, Signal } from "../emulator.ts";
import * as reg from "./registers.ts";

/** V/V, by IA_GAIN and PGA_ECG_GAIN. */
const IA_GAINS = [5, 9.5, 20, 50];
const PGA_GAINS = [1, 2, 4, 8];
/** Assumptions, root mean square: of a conversion of light, nA, and at the ECG's input, V. No source has a figure. */
const LIGHT_NOISE = 0.1;
const ECG_NOISE = 1e-6;
const volts = (gain: number) => (reg.ECG_STEP * 1e-9) / gain;

/** What a constant photocurrent must read as, in counts. `current`: nA per mA of LED current. */
const expectedLight = (led: "red" | "infrared") => (current: number, c: reg.Max86150Configuration) =>
  Math.min(reg.PPG_TOP, (current * c.ledCurrent[led] * (reg.PPG_TOP + 1)) / c.adcRange);
const expectedEcg = (voltage: number, c: reg.Max86150Configuration) =>
  Math.max(~reg.ECG_TOP * volts(c.gain), Math.min(reg.ECG_TOP * volts(c.gain), voltage));

/** Half a code is the converter's rounding. */
const light = (led: "red" | "infrared") => ({
  channel: led,
  unit: "nA/mA",
  minimum: 0,
  maximum: 1500,
  epsilon: 0.5,
  expected: expectedLight(led),
});

export const inputs: Readonly<Record<string, Input<never>>> = {
  /** Photocurrent by each LED, per mA of its current. */
  red: light("red"),
  infrared: light("infrared"),
  /** Between the electrodes. */
  ecg: {
    channel: "ecg",
    unit: "V",
    minimum: -0.02,
    maximum: 0.02,
    epsilon: (c: reg.Max86150Configuration) => volts(c.gain) / 2,
    expected: expectedEcg,
  } as Input<never>,
  /** VDD_ANA. */
  supply: { unit: "V", minimum: 0, maximum: 2.2, epsilon: 0 },
};

/** `noise`: standard normal deviates; absent: none. */
export function createConverters(registers: Uint8Array, signals: Record<string, Signal>, noise?: () => number) {
  const field = (register: number, shift: number, mask: number) => (registers[register] >> shift) & mask;
  return {
    /** A code of FD_LED1 or FD_LED2. Times as in Signal. */
    light(element: number, time: number, sinceStart: number): number {
      const first = element === reg.FD_LED1;
      const steps = registers[first ? reg.LED1_PA : reg.LED2_PA];
      const wide = field(reg.LED_RANGE, first ? 0 : 2, 3) === 1;
      const range = reg.RANGES[field(reg.PPG_CONFIG_1, 6, 3)];
      let current = (signals[first ? "infrared" : "red"](time, sinceStart) * steps * (wide ? 2 : 1)) / 5;
      if (noise !== undefined) current += noise() * LIGHT_NOISE;
      return Math.max(0, Math.min(reg.PPG_TOP, Math.round((current * (reg.PPG_TOP + 1)) / range))) | 0;
    },
    ecg(time: number, sinceStart: number): number {
      const gain = IA_GAINS[field(reg.ECG_CONFIG_3, 0, 3)] * PGA_GAINS[field(reg.ECG_CONFIG_3, 2, 3)];
      let voltage = signals.ecg(time, sinceStart);
      if (noise !== undefined) voltage += noise() * ECG_NOISE;
      // | 0: no code is -0.
      return Math.max(~reg.ECG_TOP, Math.min(reg.ECG_TOP, Math.round(voltage / volts(gain)))) | 0;
    },
  };
}
