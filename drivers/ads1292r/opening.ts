/** What an ADS1292R must prove before it starts: its identity, and that its registers keep what is written. Device side. */
import type { Frame, Op, Outcome, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

export type Next = NonNullable<Step["next"]>;

/** Where a channel stands in what a conversion brings. */
export interface Slot {
  /** Its three bytes, behind the first one of the status word. */
  readonly at: number;
  /** Bits of its electrodes in the first two bytes of the status word, as far as they are looked for. */
  readonly leads: number;
  /** Quality flags that always hold. */
  readonly flags: number;
}

/** An ADS1292R in one configuration. */
export interface Ads1292rSetup extends Setup {
  /** CONFIG1 to RESP2. */
  readonly registers: readonly number[];
  /** What cannot change while a record goes on, in a word. */
  readonly record: string;
  /** RDATAC: the data is read, no registers beside it. */
  readonly continuous: boolean;
  /** Only a chip that has respiration will do. */
  readonly respiration: boolean;
  /** The pins that the board drives, as they are before anything is said: START is low, PWDN/RESET is. */
  readonly pins: readonly Op[];
  /** PWDN/RESET is one of them. */
  readonly reset: boolean;
  /** From conversion to conversion, us. */
  readonly period: number;
  /** One for each channel. */
  readonly slots: readonly Slot[];
}

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => tell(frame, code, r.MODEL, message);

const command = (code: number): Op => r.send([code]);

/** Looks for a chip, and ms between them: it answers 2^12 tMOD (32 ms) after its power came (README.md). */
const TRIES = 3;
const POWER_UP = 40;
/** RESET takes 9 tMOD (70 us, section "RESET"); a pulse at its pin at least as long, ms. */
const RESET_PAUSE = 1;
/** The internal reference settles; no source was seen, ms. */
const REFERENCE_PAUSE = 150;

/** Where every failed attempt and every close ends: power-down by its pin, else reset registers and standby. */
export const rest = (setup: Ads1292rSetup): Step => {
  if (setup.reset) return { ops: [{ pin: "reset", level: 0 }] };
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
export const configure = (setup: Ads1292rSetup, then: Next): Step => {
  const registers = setup.registers;
  const orRest = (next: Step) => (outcome: Outcome) => (outcome.error !== null ? rest(setup) : next);
  const start: Step = {
    ops: setup.continuous ? [command(r.START), command(r.RDATAC)] : [command(r.START)],
    next: (outcome, frame) => (outcome.error !== null ? rest(setup) : then(outcome, frame)),
  };
  const verify: Step = {
    ops: [r.read(r.CONFIG1, r.WRITTEN)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return rest(setup);
      if (!kept(outcome.replies[0], registers, frame)) return rest(setup);
      return start;
    },
  };
  const set: Step = {
    ops: [command(r.SDATAC), r.write(r.CONFIG1, registers)],
    pause: REFERENCE_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return rest(setup);
      if (outcome.edges === 0 || outcome.edgeAt <= outcome.began) return verify;
      const what = "it converts before START";
      fault(frame, FAULT_CONFIGURATION, `${what}; wire its START pin to ground, or name the pin that drives it`);
      return rest(setup);
    },
  };
  return { ops: [command(r.STOP), command(r.RESET)], pause: RESET_PAUSE, next: orRest(set) };
};

/** From any state to a converter that runs with these registers; sets frame.identity. */
export const bring = (setup: Ads1292rSetup, then: Next): Step => {
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
      if (identify(frame, id, setup.respiration)) return configure(setup, then);
      // Nothing more is said to another chip.
      return null;
    },
  };
  const low = setup.pins;
  if (!setup.reset) return low.length === 0 ? look : { ops: low, next: (o) => (o.error !== null ? null : look) };
  const release: Step = {
    ops: [{ pin: "reset", level: 1 }],
    pause: POWER_UP,
    next: (outcome) => (outcome.error !== null ? null : look),
  };
  return {
    ops: low,
    pause: RESET_PAUSE,
    next: (outcome) => (outcome.error !== null ? null : release),
  };
};
