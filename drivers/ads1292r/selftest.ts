/** What an ADS1292R can measure of itself. Device side. */
import { type Core, FAULT_DATA, type Frame, measure, type Op, type Outcome, type Step, tell } from "../driver.ts";
import type { Ads1292rSetup } from "./opening.ts";
import * as r from "./registers.ts";

/** Readings in a burst at 8000 hz, of which one after the other about 1.2 fall on a conversion; looks at a square wave. */
const BURST = 24;
const LOOKS = 5;
/** Between two looks, ms: five of them meet both halves of a second, also where the timer is late by a quarter. */
const LOOK_PAUSE = 230;
/** After a change of input: 8.03 ms at 500 hz are the filter's ("Settling Time"). */
const INPUT_PAUSE = 20;
const FASTEST = 6;
const MIDDLE = 2;
/** Gain 1. */
const UNITY = 1 << r.GAIN_SHIFT;

/** Mean and root mean square deviation of one channel (offset of its bytes in a reply) over readings, in steps. */
const statistics = (replies: readonly Uint8Array[], at: number): number[] => {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < BURST; i++) sum += r.signed(replies[i], at);
  const mean = sum / BURST;
  for (let i = 0; i < BURST; i++) {
    const difference = r.signed(replies[i], at) - mean;
    squares += difference * difference;
  }
  return [mean, Math.sqrt(squares / BURST)];
};

/** Are the first `count` replies frames? */
const allStatus = (outcome: Outcome, count: number): boolean => {
  if (outcome.error !== null) return false;
  for (let i = 0; i < count; i++) if (!r.isStatus(outcome.replies[i], 1)) return false;
  return true;
};

/**
 * Shorted inputs (offset, noise), the chip's square wave (amplitude), its supplies and its temperature, of the channels
 * that are on, at its gains and its reference (the supplies and the temperature at gain 1); then it goes on,
 * whatever came before.
 */
export const selfTest = (driver: Core<Ads1292rSetup>): Step => {
  const registers = driver.configuration.registers;
  const restore = driver.resume();
  const vref = (registers[1] & r.VREF_4V) !== 0 ? 4033 / 1000 : 242 / 100;
  const config2 = r.CONFIG2_FIXED | r.PDB_REFBUF | (registers[1] & r.VREF_4V);
  /** CHnSET without its input; a channel that is off stays off, its inputs shorted. */
  const on = [(registers[3] & r.PD) === 0, (registers[4] & r.PD) === 0];
  const gains = [registers[3] & 0x70, registers[4] & 0x70];
  const set = (place: number, gain: number, mux: number): number => (on[place] ? gain | mux : r.PD | r.MUX_SHORT);
  /** V of one step at a gain code. */
  const step = (gain: number): number => vref / (r.GAINS[gain >> r.GAIN_SHIFT] * 8388607);
  const bad = (outcome: Outcome, frame: Frame): Step => {
    if (outcome.error === null) tell(frame, FAULT_DATA, r.MODEL, "no data in the self-test; check the SPI wiring");
    return restore;
  };
  const highest = [0, 0];
  const lowest = [0, 0];
  let looks = 0;

  const digital: Step = {
    ops: [r.readData(false)],
    next: (outcome, frame) => {
      if (!allStatus(outcome, 1)) return bad(outcome, frame);
      const volts = 4 * r.signed(outcome.replies[0], 7) * step(UNITY);
      if (on[1]) measure(frame, "digitalSupply", volts, "V", 17 / 10, 36 / 10);
      return restore;
    },
  };
  const analog: Step = {
    ops: [r.readData(false), r.write(r.CH2SET, [set(1, UNITY, r.MUX_SUPPLY)])],
    pause: INPUT_PAUSE,
    next: (outcome, frame) => {
      if (!allStatus(outcome, 1)) return bad(outcome, frame);
      const volts = 2 * r.signed(outcome.replies[0], 4) * step(UNITY);
      if (on[0]) measure(frame, "analogSupply", volts, "V", 27 / 10, 525 / 100);
      // 145.3 mV at 25 Cel, 490 uV / Cel (README.md).
      const millivolts = r.signed(outcome.replies[0], 7) * step(UNITY) * 1000;
      const celsius = ((millivolts - 1453 / 10) * 100) / 49 + 25;
      if (on[1]) measure(frame, "temperature", celsius, "Cel", -40, 85);
      return digital;
    },
  };
  const watch: Step = {
    ops: [r.readData(false)],
    pause: LOOK_PAUSE,
    next: (outcome, frame) => {
      if (!allStatus(outcome, 1)) return bad(outcome, frame);
      for (let i = 0; i < 2; i++) {
        const value = r.signed(outcome.replies[0], 4 + 3 * i);
        if (looks === 0 || value > highest[i]) highest[i] = value;
        if (looks === 0 || value < lowest[i]) lowest[i] = value;
      }
      looks++;
      if (looks < LOOKS) return watch;
      for (let i = 0; i < 2; i++) {
        if (!on[i]) continue;
        const millivolts = ((highest[i] - lowest[i]) * step(gains[i]) * 1000) / 2;
        const expected = vref / (24 / 10);
        const limits = [(expected * 9) / 10, (expected * 11) / 10];
        measure(frame, `testSignal${i + 1}`, millivolts, "mV", limits[0], limits[1]);
      }
      return {
        ops: [r.write(r.CH1SET, [set(0, UNITY, r.MUX_SUPPLY), set(1, UNITY, r.MUX_TEMPERATURE)])],
        pause: INPUT_PAUSE,
        next: (changed) => (changed.error !== null ? restore : analog),
      };
    },
  };
  const burst: Op[] = [];
  for (let i = 0; i < BURST; i++) burst.push(r.readData(false));
  const shorted: Step = {
    ops: burst.concat([
      r.write(r.CONFIG1, [
        MIDDLE,
        config2 | r.INT_TEST | r.TEST_FREQ,
        r.LOFF_FIXED,
        set(0, gains[0], r.MUX_TEST),
        set(1, gains[1], r.MUX_TEST),
      ]),
    ]),
    pause: INPUT_PAUSE,
    next: (outcome, frame) => {
      if (!allStatus(outcome, BURST)) return bad(outcome, frame);
      for (let i = 0; i < 2; i++) {
        if (!on[i]) continue;
        const microvolts = step(gains[i]) * 1000000;
        const found = statistics(outcome.replies, 4 + 3 * i);
        measure(frame, `offset${i + 1}`, found[0] * microvolts, "uV", -1000, 1000);
        measure(frame, `noise${i + 1}`, found[1] * microvolts, "uV", 0, 200);
      }
      return watch;
    },
  };
  // The carrier may go on: the inputs are shorted, and nothing demodulates.
  const shorts = [set(0, gains[0], r.MUX_SHORT), set(1, gains[1], r.MUX_SHORT)];
  const test = [FASTEST, config2, r.LOFF_FIXED].concat(shorts, [registers[5], 0, 0]);
  return {
    ops: [
      r.send([r.SDATAC]),
      r.send([r.STOP]),
      r.write(r.CONFIG1, test.concat([registers[8] & ~r.RESP_DEMOD_EN1, registers[9]])),
      r.send([r.START]),
    ],
    pause: INPUT_PAUSE,
    next: (outcome) => (outcome.error !== null ? restore : shorted),
  };
};
