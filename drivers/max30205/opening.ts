/** What a MAX30205 must prove before it starts: that its registers behave as one's do, and keep what is written. Device side. */
import type { Core, Frame, Op, Outcome, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** A MAX30205 in one configuration. */
export interface Max30205Setup extends Setup {
  /** Configuration between two conversions. */
  readonly register: number;
  /** THYST and TOS, unsigned. */
  readonly limits: readonly number[];
  /** alert.high as it was said, with its unit; null: no value is told. */
  readonly high: string | null;
  /** One-shot. */
  readonly single: boolean;
}

/** Its driver. `resume` can put a self-test before its `end`, which it must come to. */
export interface Max30205Core extends Core<Max30205Setup> {
  resume(test?: (end: Step) => Step): Step;
}

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => tell(frame, code, r.MODEL, message);

/** A step whose chain ends where the bus fails. `pause`, ms. */
export const ask = (
  ops: readonly Op[],
  next: (outcome: Outcome, frame: Frame) => Step | null,
  pause?: number,
): Step => {
  const step: Step = {
    ops: ops,
    next: (outcome, frame) => (outcome.error !== null ? null : next(outcome, frame)),
  };
  return pause === undefined ? step : Object.assign(step, { pause: pause });
};

/** Configuration and limits out of a read that begins with Configuration `at` this byte, for a person. */
const said = (reply: Uint8Array, at: number): string =>
  `Configuration ${hex(reply[at])}, THYST ${hex(r.unsigned(reply, at + 2))}, TOS ${hex(r.unsigned(reply, at + 4))}`;

/** Are they what was written? */
export const kept = (reply: Uint8Array, at: number, register: number, limits: readonly number[]): boolean =>
  ((reply[at] ^ register) & r.SETTINGS) === 0 &&
  r.unsigned(reply, at + 2) === limits[0] &&
  r.unsigned(reply, at + 4) === limits[1];

/** What they are and should be. */
export const differs = (reply: Uint8Array, at: number, register: number, limits: readonly number[]): string =>
  `${said(reply, at)}; ${hex(register)}, ${hex(limits[0])} and ${hex(limits[1])} were written`;

/** Configuration and limits. */
export const writeSettings = (register: number, limits: readonly number[]): Op[] => [
  r.writeConfiguration(register),
  r.write(r.THYST, limits[0]),
  r.write(r.TOS, limits[1]),
];

/** The same, read back. */
const settle = (register: number, limits: readonly number[]): Op[] =>
  writeSettings(register, limits).concat([{ read: 6, at: r.CONFIGURATION }]);

/** A conversion of its own begins; the bus is free for `pause` ms. */
export const convert = (register: number, pause: number, next: (outcome: Outcome, frame: Frame) => Step | null): Step =>
  ask([r.writeConfiguration(register | r.SHUTDOWN | r.ONE_SHOT), r.READ_ALL], next, pause);

/**
 * Shutdown, Configuration and limits as they shall be, read back; then `next`, when a conversion that was under way has
 * ended. `found`: Configuration before. The data format changes with the conversion after it was set (p. 13): where there
 * is none under way, one that nobody reads.
 */
const settled = (setup: Max30205Setup, found: number, next: Step): Step => {
  const limits = setup.limits;
  const register = setup.register | r.SHUTDOWN;
  return ask(
    settle(register, limits),
    (outcome, frame) => {
      const reply = outcome.replies[0];
      if (!kept(reply, 0, register, limits)) {
        const what = differs(reply, 0, register, limits);
        return fault(frame, FAULT_CONFIGURATION, `${what}; check the supply and open it again`);
      }
      const other = ((found ^ register) & r.EXTENDED) !== 0;
      return other && (found & r.SHUTDOWN) !== 0 ? convert(register, r.PAUSE, () => next) : next;
    },
    r.PAUSE,
  );
};

/** Configuration and limits while it runs, read back. `done` also where the bus failed: nobody knows what is set then. */
export const changed = (setup: Max30205Setup, done: () => void): Step => ({
  ops: settle(setup.register, setup.limits),
  next: (outcome, frame) => {
    done();
    if (outcome.error !== null) return null;
    const reply = outcome.replies[0];
    if (kept(reply, 0, setup.register, setup.limits)) return null;
    return fault(frame, FAULT_CONFIGURATION, `${said(reply, 0)} is not what was written; open it again`);
  },
});

const refused = (frame: Frame, read: string, why: string): null => {
  frame.identity = { verdict: "refused", read: read };
  return fault(frame, FAULT_IDENTITY, `${read}: ${why}; check the address and what else is on the bus`);
};

/** For THYST and TOS: in their low bytes every bit is 0 once and 1 once; no temperature reaches either. */
const PATTERNS = [
  [0x7a5a, 0x7fa5],
  [0x7aa5, 0x7f5a],
];

/** Both limits keep what is written, and are afterwards as they were; then `next`. `all`: what all registers read before. */
const keeps = (all: Uint8Array, next: Step): Step => {
  const read = said(all, 2);
  const ops: Op[] = [];
  for (let i = 0; i < 2; i++) {
    ops.push(r.write(r.TOS, PATTERNS[i][1]), r.write(r.THYST, PATTERNS[i][0]), { read: 4, at: r.THYST });
  }
  ops.push(r.write(r.THYST, r.unsigned(all, 4)), r.write(r.TOS, r.unsigned(all, 6)));
  return ask(ops, (outcome, frame) => {
    let lost = 0;
    for (let i = 0; i < 2; i++) {
      const reply = outcome.replies[i];
      lost |= (r.unsigned(reply, 0) ^ PATTERNS[i][0]) | (r.unsigned(reply, 2) ^ PATTERNS[i][1]);
    }
    if (lost !== 0) return refused(frame, `${read}, limits lose bits ${hex(lost)}`, "a MAX30205 keeps 16");
    frame.identity = { verdict: "plausible", read: `${read}, limits keep 16 bits` };
    return next;
  });
};

/**
 * From any state: identity, settings, then `next`. Who is it? It has no identification. First it is only read: all
 * registers in one go must be those that are read one by one, and Configuration must come twice (p. 10); most of its
 * neighbours repeat the first register instead. Only then is it written to: its limits keep 16 bits, an LM75's 9.
 */
export const opened = (setup: Max30205Setup, next: Step): Step =>
  ask(
    [r.READ_ALL, { read: 2, at: r.CONFIGURATION }, { read: 2, at: r.THYST }, { read: 2, at: r.TOS }],
    (outcome, frame) => {
      const replies = outcome.replies;
      const all = replies[0];
      let repeats = true;
      // ONE_SHOT ends by itself.
      let like = ((all[2] ^ all[3]) & r.SETTINGS) === 0;
      for (let i = 2; i < 8; i++) {
        if (all[i] !== all[i & 1]) repeats = false;
        if (((all[i] ^ replies[i >> 1][i & 1]) & (i < 4 ? r.SETTINGS : 255)) !== 0) like = false;
      }
      if (like && !repeats) return keeps(all, settled(setup, all[2], next));
      return refused(frame, said(all, 2), "its registers do not follow one another as a MAX30205's do");
    },
  );
