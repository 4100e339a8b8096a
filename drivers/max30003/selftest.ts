/**
 * A MAX30003 by its own means: its square wave through input switches, amplifier and converter. Pages: MAX30001G data
 * sheet. Device side.
 */
import { type Core, FAULT_DATA, type Measurement, type Step, tell } from "../driver.ts";
import { bring, type Max30003Setup } from "./opening.ts";
import * as r from "./registers.ts";

/**
 * The registers of a configuration, changed for the test: electrodes isolated, VCALP (bipolar 0.5 mV, FMSTR / 2048,
 * about 16 hz) against VMID, the fastest rate of the same master clock (its filter passes the edges), no digital
 * filter, high-pass bypassed until it has settled, no interrupt.
 */
const testWrites = (setup: Max30003Setup): r.Transfer[] =>
  setup.writes.map((one) => {
    const register = one.transfer[0] >> 1;
    let value = r.word(one.transfer);
    if (register === r.CNFG_GEN) value = setup.general;
    else if (register === r.CNFG_CAL) value = r.CAL_BIPOLAR_16HZ;
    else if (register === r.CNFG_EMUX) value = r.EMUX_CALIBRATION;
    else if (register === r.MNGR_DYN) value = r.FAST_MANUAL;
    else if (register === r.EN_INT) value = r.INTB_PULLUP;
    else if (register === r.CNFG_ECG) {
      value = (value & (3 << r.GAIN_SHIFT)) | ((setup.general & r.FMSTR_SLOW) !== 0 ? 2 << r.RATE_SHIFT : 0);
    }
    return r.write(register, value);
  });

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
 * the frame (or a fault), and `restore` puts the outputs back whatever came before.
 */
const measureSteps = (setup: Max30003Setup, restore: Step): Step => {
  const measure: Step = {
    ops: r.readFifo(r.TEST_WORDS, setup.limit),
    next: (outcome, frame) => {
      const result = outcome.error === null ? measureCalibration(outcome.replies, setup.gain) : null;
      if (result !== null) frame.measurements.push(result);
      else {
        const what = `less than half of ${r.TEST_WORDS} words of the calibration signal were valid`;
        tell(frame, FAULT_DATA, r.MODEL, `${what}; check the SPI wiring`);
      }
      return restore;
    },
  };
  // About 25 of the 32 words that the FIFO takes: a timer may be late by a fifth.
  const pause = (setup.general & r.FMSTR_SLOW) !== 0 ? 125 : 50;
  const collect: Step = { ops: [r.command(r.DO_FIFO_RST)], pause: pause, next: () => measure };
  return { ops: [r.write(r.MNGR_DYN, r.FAST_OFF)], pause: 60, next: () => collect };
};

export const selfTest = (driver: Core<Max30003Setup>): Step => {
  const setup = driver.configuration;
  const measure = measureSteps(setup, driver.resume());
  return bring(testWrites(setup), { ops: [r.command(r.DO_SYNCH)], pause: 100, next: () => measure });
};
