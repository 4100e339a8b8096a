/**
 * What a MAX30003 must prove: its identity, a locked clock and kept registers before it starts; in the self-test its
 * own square wave through input switches, amplifier and converter. Pages: MAX30001G data sheet. Device side.
 */
import type { Measurement, Op, Outcome, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex } from "../driver.ts";
import { fault, type Next } from "./faults.ts";
import * as r from "./registers.ts";

/** Inputs isolated, nothing runs, least power: where every failed attempt and every close ends. */
export const reset: Step = { ops: [r.write(r.SW_RST, 0)] };

const orReset = (next: Step) => (outcome: Outcome) => (outcome.error !== null ? reset : next);

/** Waits for the PLL, then `verify`. A PLL that does not lock is a fault, and leaves the chip reset. */
const lock = (verify: Step): Step => {
  let tries = 0;
  const look: Step = {
    ops: [r.read(r.STATUS)],
    pause: r.PLL_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return reset;
      if ((r.word(outcome.replies[0]) & r.PLLINT) === 0) return verify;
      tries++;
      if (tries < r.PLL_TRIES) return look;
      const what = `PLL not locked after ${r.PLL_TRIES * r.PLL_PAUSE} ms`;
      fault(frame, FAULT_CONFIGURATION, `${what}; check the 32.768 khz clock at FCLK and the capacitor at CPLL`);
      return reset;
    },
  };
  return look;
};

/**
 * From any state to a converter that runs with these registers ([register, value, ...]); sets frame.identity; `then`
 * comes `pause` ms after SYNCH. Whatever fails is a fault in the frame, and leaves the chip reset.
 */
export const bring = (values: readonly number[], pause: number, then: Next): Step => {
  const verify: Step = {
    ops: values.filter((_, i) => i % 2 === 0).map((register) => r.read(register)),
    next: (outcome, frame) => {
      if (outcome.error !== null) return reset;
      for (let i = 0; i < outcome.replies.length; i++) {
        const value = r.word(outcome.replies[i]);
        const wanted = values[2 * i + 1];
        if (value === wanted) continue;
        const what = `register ${hex(values[2 * i])} reads ${hex(value)}, ${hex(wanted)} was written`;
        fault(frame, FAULT_CONFIGURATION, `${what}; check the SPI wiring and slow the bus down`);
        return reset;
      }
      return { ops: [r.write(r.SYNCH, 0)], pause: pause, next: then };
    },
  };
  const configure: Step = { ops: r.writeAll(values), pause: r.PLL_PAUSE, next: orReset(lock(verify)) };
  return {
    // INFO is not valid as the first command after power-up (p. 47).
    ops: [r.read(r.STATUS), r.read(r.INFO)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const info = r.word(outcome.replies[1]);
      const part = info >> 20 === 5 ? (info >> 12) & 3 : -1;
      frame.identity = {
        verdict: part < 0 ? "refused" : part === 3 ? "confirmed" : "plausible",
        read: `INFO ${hex(info)}${part === 1 ? " (MAX30001)" : ""}`,
      };
      if (part >= 0) return { ops: reset.ops, pause: r.PLL_PAUSE, next: orReset(configure) };
      const what = `INFO reads ${hex(info)}, 0x5..... was expected`;
      return fault(frame, FAULT_IDENTITY, `${what}; check power, select and data lines`);
    },
  };
};

/** Switches the channel of a configured chip on: CNFG_GEN, the PLL, then `synch` and `then`. */
export const wake = (general: number, synch: readonly Op[], then: Next): Step => {
  const on = lock({ ops: synch, next: then });
  return { ops: [r.write(r.CNFG_GEN, general)], pause: r.PLL_PAUSE, next: orReset(on) };
};

/**
 * The registers of a configuration, changed for the test: electrodes isolated, VCALP (bipolar 0.5 mV, FMSTR / 2048,
 * about 16 hz) against VMID, the fastest rate of the same master clock (its filter passes the edges), no digital
 * filter, high-pass bypassed until it has settled, no interrupt. [register, value, ...], CNFG_GEN first.
 */
export const testRegisters = (registers: readonly number[]): number[] => {
  const changed: number[] = [];
  for (let i = 0; i < registers.length; i += 2) {
    const register = registers[i];
    let value = registers[i + 1];
    if (register === r.CNFG_CAL) value = r.CAL_BIPOLAR_16HZ;
    else if (register === r.CNFG_EMUX) value = r.EMUX_CALIBRATION;
    else if (register === r.MNGR_DYN) value = r.FAST_MANUAL;
    else if (register === r.EN_INT) value = r.INTB_PULLUP;
    else if (register === r.CNFG_ECG) {
      value = (value & (3 << r.GAIN_SHIFT)) | ((registers[1] & r.FMSTR_SLOW) !== 0 ? 2 << r.RATE_SHIFT : 0);
    }
    changed.push(register, value);
  }
  return changed;
};

/**
 * Peak-to-peak voltage of the square wave, mV, from FIFO words: difference between the means of its two plateaus, so
 * that neither droop of the high-pass nor samples on an edge count. Limits: source 7 %, gain 2.5 % (4.5 % at 1.1 V),
 * reference 0.5 % (p. 4, 5, 8), rounded up to 15 %. Null where less than half of the words are valid samples.
 */
export const measureCalibration = (replies: readonly Uint8Array[], gain: number): Measurement | null => {
  const samples: number[] = [];
  let lowest = 0x20000;
  let highest = -0x20000;
  for (let k = 0; k < replies.length; k++) {
    const bytes = replies[k];
    for (let i = 1; i < bytes.length; i += 3) {
      if ((bytes[i + 2] & 0x28) !== 0) continue; // fast, empty, overflow, unused
      const sample = ((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8)) >> 14;
      samples.push(sample);
      if (sample < lowest) lowest = sample;
      if (sample > highest) highest = sample;
    }
  }
  if (2 * samples.length < r.TEST_WORDS) return null;
  let high = 0;
  let low = 0;
  let highs = 0;
  let lows = 0;
  const plateau = (highest - lowest) / 4;
  for (let i = 0; i < samples.length; i++) {
    if (samples[i] >= highest - plateau) {
      high += samples[i];
      highs++;
    }
    if (samples[i] <= lowest + plateau) {
      low += samples[i];
      lows++;
    }
  }
  const value = ((high / highs - low / lows) * 1000) / (gain * 131072);
  const minimum = 85 / 100;
  const maximum = 115 / 100;
  const pass = value >= minimum && value <= maximum;
  return { name: "calibration", value: value, unit: "mV", minimum: minimum, maximum: maximum, pass: pass };
};

/**
 * Steps that follow SYNCH with the test registers: the high-pass settles, the FIFO collects, the measurement goes into
 * the frame (or a fault), and `restore` puts the outputs back whatever came before. `limit`: bytes of one transfer.
 */
export const measureSteps = (registers: readonly number[], gain: number, limit: number, restore: Step): Step => {
  const measure: Step = {
    ops: r.readFifo(r.TEST_WORDS, limit),
    next: (outcome, frame) => {
      const result = outcome.error === null ? measureCalibration(outcome.replies, gain) : null;
      if (result !== null) frame.measurements.push(result);
      else {
        const what = `less than half of ${r.TEST_WORDS} words of the calibration signal were valid`;
        fault(frame, FAULT_DATA, `${what}; check the SPI wiring`);
      }
      return restore;
    },
  };
  // About 25 of the 32 words that the FIFO takes: a timer may be late by a fifth.
  const pause = (registers[1] & r.FMSTR_SLOW) !== 0 ? 125 : 50;
  const collect: Step = { ops: [r.write(r.FIFO_RST, 0)], pause: pause, next: () => measure };
  return { ops: [r.write(r.MNGR_DYN, r.FAST_OFF)], pause: 60, next: () => collect };
};
