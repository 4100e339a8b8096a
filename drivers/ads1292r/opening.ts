/** What an ADS1292R must prove before it starts: its identity, and that its registers keep what is written. Device side. */
import type { Frame, Op, Setup, Step } from "../driver.ts";
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

/** A step's `next` that goes on with `failed` where the bus did not do. */
export const sound =
  (failed: Step | null, next: Next): Next =>
  (outcome, frame) =>
    outcome.error === null ? next(outcome, frame) : failed;

const commands = (codes: readonly number[]): Op[] => codes.map((code) => r.send([code]));

/** What a fault says where nothing, or something else, answers. */
export const CHECK_LINES = "; check power, select and data lines";

/** Looks for a chip, and ms between them: it answers 2^12 tMOD (32 ms) after its power came (README.md). */
const TRIES = 3;
const POWER_UP = 40;
/** RESET takes 9 tMOD (70 us, section "RESET"); a pulse at its pin at least as long, ms. */
const RESET_PAUSE = 1;
/** The internal reference settles; no source was seen, ms. */
const REFERENCE_PAUSE = 150;

/** Where every failed attempt and every close ends: power-down by its pin, else reset registers and standby. */
export const restOf = (setup: Ads1292rSetup): Step =>
  setup.reset
    ? { ops: [{ pin: "reset", level: 0 }] }
    : {
        ops: commands([r.WAKEUP, r.SDATAC, r.RESET]),
        pause: RESET_PAUSE,
        next: () => ({ ops: commands([r.SDATAC, r.STANDBY]) }),
      };

/** Who answers: ID into the frame. A chip without respiration will do where none is asked for. Else null, and a fault. */
const identify = (frame: Frame, id: number, respiration: boolean): boolean | null => {
  const confirmed = id === r.ID_ADS1292R;
  const relative = id === r.ID_ADS1292;
  const will = confirmed || (relative && !respiration);
  const found = hex(id) + ((id & 0xfc) === 0x50 ? ` (ADS${[1191, 1192, 1291, 1292][id & 3]})` : "");
  frame.identity = { verdict: confirmed ? "confirmed" : will ? "plausible" : "refused", read: `ID ${found}` };
  const advice = relative ? '; it has no respiration: choose channel1 "ecg"' : CHECK_LINES;
  const what = `ID reads ${found}, ${hex(r.ID_ADS1292R)} was expected`;
  return will || tell(frame, FAULT_IDENTITY, r.MODEL, what + advice);
};

/** Do all registers read as they were written? `reply`: of a RREG from CONFIG1 on. The first that does not is a fault. */
export const kept = (reply: Uint8Array, registers: readonly number[], frame: Frame): boolean | null => {
  for (let i = 0; i < r.WRITTEN; i++) {
    // Of LOFF_STAT only CLK_DIV is a setting.
    const value = reply[i + 2] & (i + 1 === r.LOFF_STAT ? r.CLK_DIV : 255);
    if (value === registers[i]) continue;
    const what = `register ${hex(i + 1)} reads ${hex(value)}, ${hex(registers[i])} was written`;
    return tell(frame, FAULT_CONFIGURATION, r.MODEL, `${what}; check the SPI wiring and slow the bus down`);
  }
  return true;
};

/** Resets, writes and reads back the registers, starts; then `then`. Whatever fails is a fault, and ends in `restOf`. */
export const configure = (setup: Ads1292rSetup, then: Next): Step => {
  const registers = setup.registers;
  const rest = restOf(setup);
  const start: Step = { ops: commands(setup.continuous ? [r.START, r.RDATAC] : [r.START]), next: sound(rest, then) };
  const verify: Step = {
    ops: [r.read(r.CONFIG1, r.WRITTEN)],
    next: sound(rest, (outcome, frame) => (kept(outcome.replies[0], registers, frame) ? start : rest)),
  };
  const set: Step = {
    ops: [r.send([r.SDATAC]), r.write(r.CONFIG1, registers)],
    pause: REFERENCE_PAUSE,
    next: sound(rest, (outcome, frame) => {
      if (outcome.edges === 0 || outcome.edgeAt <= outcome.began) return verify;
      const advice = "wire its START pin to ground, or name the pin that drives it";
      tell(frame, FAULT_CONFIGURATION, r.MODEL, `it converts before START; ${advice}`);
      return rest;
    }),
  };
  return { ops: commands([r.STOP, r.RESET]), pause: RESET_PAUSE, next: sound(rest, () => set) };
};

/** From any state to a converter that runs with these registers; sets frame.identity. */
export const bring = (setup: Ads1292rSetup, then: Next): Step => {
  let tries = 0;
  const look: Step = {
    ops: commands([r.WAKEUP, r.SDATAC]).concat([r.read(r.ID, 1)]),
    next: sound(null, (outcome, frame) => {
      const id = outcome.replies[2][2];
      tries++;
      // Bit 4 is high in every one of the family.
      if ((id & 0x1c) !== 0x10 && tries < TRIES) return awaited([]);
      // Nothing more is said to another chip.
      return identify(frame, id, setup.respiration) ? configure(setup, then) : null;
    }),
  };
  const looking = sound(null, () => look);
  const awaited = (ops: readonly Op[]): Step => ({ ops: ops, pause: POWER_UP, next: looking });
  const pins = setup.pins;
  if (!setup.reset) return pins.length === 0 ? look : { ops: pins, next: looking };
  return { ops: pins, pause: RESET_PAUSE, next: sound(null, () => awaited([{ pin: "reset", level: 1 }])) };
};
