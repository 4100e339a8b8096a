/** What an ADS1292R must prove: its identity and its registers before it starts, and what it can measure of itself. */
import type { Frame, Op, Outcome, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex, measure } from "../driver.ts";
import * as r from "./registers.ts";

export type Next = NonNullable<Step["next"]>;

/** Which of its pins the board drives. */
export interface Pins {
  readonly reset: boolean;
  readonly start: boolean;
}

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

const command = (code: number): Op => r.send([code]);

/** Looks for a chip, and ms between them: it answers 2^12 tMOD (32 ms) after its power came (README.md). */
const TRIES = 3;
const POWER_UP = 40;
/** RESET takes 9 tMOD (70 us, section "RESET"); a pulse at its pin at least as long, ms. */
const RESET_PAUSE = 1;
/** The internal reference settles; no source was seen, ms. */
const REFERENCE_PAUSE = 150;

/** Where every failed attempt and every close ends: power-down by its pin, else reset registers and standby. */
export const rest = (pins: Pins): Step => {
  if (pins.reset) return { ops: [{ pin: "reset", level: 0 }] };
  return {
    ops: [command(r.WAKEUP), command(r.SDATAC), command(r.RESET)],
    pause: RESET_PAUSE,
    next: () => ({ ops: [command(r.SDATAC), command(r.STANDBY)] }),
  };
};

/** Who answers: ID into the frame. A chip without respiration will do where none is asked for. */
const identify = (frame: Frame, id: number, respiration: boolean): boolean => {
  const names = ["ADS1191", "ADS1192", "ADS1291", "ADS1292"];
  const other = (id & 0xfc) === 0x50 ? ` (${names[id & 3]})` : "";
  const will = id === r.ID_ADS1292 && !respiration;
  frame.identity = {
    verdict: id === r.ID_ADS1292R ? "confirmed" : will ? "plausible" : "refused",
    read: `ID ${hex(id)}${other}`,
  };
  if (id === r.ID_ADS1292R || will) return true;
  const what = `ID reads ${hex(id)}${other}, ${hex(r.ID_ADS1292R)} was expected`;
  const advice =
    id === r.ID_ADS1292 ? 'it has no respiration: choose channel1 "ecg"' : "check power, select and data lines";
  fault(frame, FAULT_IDENTITY, `${what}; ${advice}`);
  return false;
};

/** Do all registers read as they were written? `reply`: of a RREG from CONFIG1 on. The first that does not is a fault. */
export const kept = (reply: Uint8Array, registers: readonly number[], frame: Frame): boolean => {
  for (let i = 0; i < r.WRITTEN; i++) {
    // Of LOFF_STAT only CLK_DIV is a setting.
    const value = reply[i + 2] & (i + 1 === r.LOFF_STAT ? r.CLK_DIV : 255);
    if (value === registers[i]) continue;
    const what = `register ${hex(i + 1)} reads ${hex(value)}, ${hex(registers[i])} was written`;
    fault(frame, FAULT_CONFIGURATION, `${what}; check the SPI wiring and slow the bus down`);
    return false;
  }
  return true;
};

/** Resets, writes and reads back the registers, starts; then `then`. Whatever fails is a fault, and ends in `rest`. */
export const configure = (registers: readonly number[], continuous: boolean, pins: Pins, then: Next): Step => {
  const orRest = (next: Step) => (outcome: Outcome) => (outcome.error !== null ? rest(pins) : next);
  const start: Step = {
    ops: continuous ? [command(r.START), command(r.RDATAC)] : [command(r.START)],
    next: (outcome, frame) => (outcome.error !== null ? rest(pins) : then(outcome, frame)),
  };
  const verify: Step = {
    ops: [r.read(r.CONFIG1, r.WRITTEN)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return rest(pins);
      if (!kept(outcome.replies[0], registers, frame)) return rest(pins);
      return start;
    },
  };
  const set: Step = {
    ops: [command(r.SDATAC), r.write(r.CONFIG1, registers)],
    pause: REFERENCE_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return rest(pins);
      if (outcome.edges === 0 || outcome.edgeAt <= outcome.began) return verify;
      const what = "it converts before START";
      fault(frame, FAULT_CONFIGURATION, `${what}; wire its START pin to ground, or name the pin that drives it`);
      return rest(pins);
    },
  };
  return { ops: [command(r.STOP), command(r.RESET)], pause: RESET_PAUSE, next: orRest(set) };
};

/** From any state to a converter that runs with these registers; sets frame.identity. */
export const bring = (
  registers: readonly number[],
  continuous: boolean,
  respiration: boolean,
  pins: Pins,
  then: Next,
): Step => {
  let tries = 0;
  const again: Step = { ops: [], pause: POWER_UP, next: () => look };
  const look: Step = {
    ops: [command(r.WAKEUP), command(r.SDATAC), r.read(r.ID, 1)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const id = outcome.replies[2][2];
      tries++;
      // Bit 4 is high in every one of the family.
      if ((id & 0x1c) !== 0x10 && tries < TRIES) return again;
      if (identify(frame, id, respiration)) return configure(registers, continuous, pins, then);
      // Nothing more is said to another chip.
      return null;
    },
  };
  const low: Op[] = pins.start ? [{ pin: "start", level: 0 }] : [];
  if (!pins.reset) return low.length === 0 ? look : { ops: low, next: (o) => (o.error !== null ? null : look) };
  const release: Step = {
    ops: [{ pin: "reset", level: 1 }],
    pause: POWER_UP,
    next: (outcome) => (outcome.error !== null ? null : look),
  };
  return {
    ops: low.concat([{ pin: "reset", level: 0 }]),
    pause: RESET_PAUSE,
    next: (outcome) => (outcome.error !== null ? null : release),
  };
};

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
 * that are on, at the gains and the reference of `registers` (the supplies and the temperature at gain 1); then
 * `restore`, whatever came before.
 */
export const measureSteps = (registers: readonly number[], restore: Step): Step => {
  const vref = (registers[1] & r.VREF_4V) !== 0 ? 4033 / 1000 : 242 / 100;
  const config2 = r.CONFIG2_FIXED | r.PDB_REFBUF | (registers[1] & r.VREF_4V);
  /** CHnSET without its input; a channel that is off stays off, its inputs shorted. */
  const on = [(registers[3] & r.PD) === 0, (registers[4] & r.PD) === 0];
  const gains = [registers[3] & 0x70, registers[4] & 0x70];
  const set = (place: number, gain: number, mux: number): number => (on[place] ? gain | mux : r.PD | r.MUX_SHORT);
  /** V of one step at a gain code. */
  const step = (gain: number): number => vref / (r.GAINS[gain >> r.GAIN_SHIFT] * 8388607);
  const bad = (outcome: Outcome, frame: Frame): Step => {
    if (outcome.error === null) fault(frame, FAULT_DATA, "no data in the self-test; check the SPI wiring");
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
      command(r.SDATAC),
      command(r.STOP),
      r.write(r.CONFIG1, test.concat([registers[8] & ~r.RESP_DEMOD_EN1, registers[9]])),
      command(r.START),
    ],
    pause: INPUT_PAUSE,
    next: (outcome) => (outcome.error !== null ? restore : shorted),
  };
};
