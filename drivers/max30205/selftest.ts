/** What a MAX30205 must prove: that its registers behave as one's do before it starts, a conversion in the self-test. */
import type { Frame, Op, Outcome, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex, measure } from "../driver.ts";
import * as r from "./registers.ts";

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

/** Configuration and limits out of a read that begins with Configuration `at` this byte, for a person. */
export const said = (reply: Uint8Array, at: number): string =>
  `Configuration ${hex(reply[at])}, THYST ${hex(r.unsigned(reply, at + 2))}, TOS ${hex(r.unsigned(reply, at + 4))}`;

/** For THYST and TOS: in their low bytes every bit is 0 once and 1 once; no temperature reaches either. */
const PATTERNS = [
  [0x7a5a, 0x7fa5],
  [0x7aa5, 0x7f5a],
];

const refused = (frame: Frame, read: string, why: string): null => {
  frame.identity = { verdict: "refused", read: read };
  return fault(frame, FAULT_IDENTITY, `${read}: ${why}; check the address and what else is on the bus`);
};

/** Both limits keep what is written, and are afterwards as they were. `all`: what all registers read before. */
const keeps = (all: Uint8Array, next: (found: number) => Step): Step => {
  const found = all[2];
  const read = said(all, 2);
  const ops: Op[] = [];
  for (let i = 0; i < 2; i++) {
    ops.push(r.write(r.TOS, PATTERNS[i][1]), r.write(r.THYST, PATTERNS[i][0]), { read: 4, at: r.THYST });
  }
  ops.push(r.write(r.THYST, r.unsigned(all, 4)), r.write(r.TOS, r.unsigned(all, 6)));
  return {
    ops: ops,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      let lost = 0;
      for (let i = 0; i < 2; i++) {
        const reply = outcome.replies[i];
        lost |= (r.unsigned(reply, 0) ^ PATTERNS[i][0]) | (r.unsigned(reply, 2) ^ PATTERNS[i][1]);
      }
      if (lost !== 0) return refused(frame, `${read}, limits lose bits ${hex(lost)}`, "a MAX30205 keeps 16");
      frame.identity = { verdict: "plausible", read: `${read}, limits keep 16 bits` };
      return next(found);
    },
  };
};

/**
 * Who is it? It has no identification. First it is only read: all registers in one go must be those that are read one by
 * one, and Configuration must come twice (p. 10); most of its neighbours repeat the first register instead. Only then is
 * it written to: its limits keep 16 bits, an LM75's 9. `next` is told the Configuration that was found.
 */
export const identified = (next: (found: number) => Step): Step => ({
  ops: [r.READ_ALL, { read: 2, at: r.CONFIGURATION }, { read: 2, at: r.THYST }, { read: 2, at: r.TOS }],
  next: (outcome, frame) => {
    if (outcome.error !== null) return null;
    const replies = outcome.replies;
    const all = replies[0];
    let repeats = true;
    // ONE_SHOT ends by itself.
    let like = ((all[2] ^ all[3]) & r.SETTINGS) === 0;
    for (let i = 2; i < 8; i++) {
      if (all[i] !== all[i & 1]) repeats = false;
      if (((all[i] ^ replies[i >> 1][i & 1]) & (i < 4 ? r.SETTINGS : 255)) !== 0) like = false;
    }
    if (like && !repeats) return keeps(all, next);
    return refused(frame, said(all, 2), "its registers do not follow one another as a MAX30205's do");
  },
});

/** A conversion of its own begins; the bus is free for `pause` ms. */
const trigger = (register: number, pause: number, next: (outcome: Outcome, frame: Frame) => Step | null): Step => ({
  ops: [r.writeConfiguration(register | r.SHUTDOWN | r.ONE_SHOT), r.READ_ALL],
  pause: pause,
  next: (outcome, frame) => (outcome.error !== null ? null : next(outcome, frame)),
});

/** Conversions go on from now, where the chip is to convert all the time. `done` before the end. */
const started = (register: number, done: (outcome: Outcome) => void): Step => ({
  ops: [r.writeConfiguration(register)],
  next: (outcome) => {
    if (outcome.error === null) done(outcome);
    return null;
  },
});

/**
 * Shutdown, Configuration and limits as they shall be, read back; then `next`, when a conversion that was under way has
 * ended. `found`: Configuration before. The data format changes with the conversion after it was set (p. 13): where there
 * is none under way, one that nobody reads.
 */
const settled = (register: number, limits: readonly number[], found: number, next: Step): Step => ({
  ops: [
    r.writeConfiguration(register | r.SHUTDOWN),
    r.write(r.THYST, limits[0]),
    r.write(r.TOS, limits[1]),
    { read: 6, at: r.CONFIGURATION },
  ],
  pause: r.PAUSE,
  next: (outcome, frame) => {
    if (outcome.error !== null) return null;
    const reply = outcome.replies[0];
    const wanted = `${hex(register | r.SHUTDOWN)}, ${hex(limits[0])} and ${hex(limits[1])} were written`;
    if (
      ((reply[0] ^ (register | r.SHUTDOWN)) & r.SETTINGS) !== 0 ||
      r.unsigned(reply, 2) !== limits[0] ||
      r.unsigned(reply, 4) !== limits[1]
    ) {
      return fault(frame, FAULT_CONFIGURATION, `${said(reply, 0)}; ${wanted}; check the supply and open it again`);
    }
    const other = ((found ^ register) & r.EXTENDED) !== 0;
    return other && (found & r.SHUTDOWN) !== 0 ? trigger(register, r.PAUSE, () => next) : next;
  },
});

/** From any state to the configured one; then `done`. */
export const opened = (register: number, limits: readonly number[], done: (outcome: Outcome) => void): Step =>
  identified((found) => settled(register, limits, found, started(register, done)));

/** Configuration and limits while it runs, read back. `done` also where the bus failed: nobody knows what is set then. */
export const changed = (register: number, limits: readonly number[], done: () => void): Step => ({
  ops: [
    r.writeConfiguration(register),
    r.write(r.THYST, limits[0]),
    r.write(r.TOS, limits[1]),
    { read: 6, at: r.CONFIGURATION },
  ],
  next: (outcome, frame) => {
    done();
    if (outcome.error !== null) return null;
    const reply = outcome.replies[0];
    if (((reply[0] ^ register) & r.SETTINGS) === 0 && r.unsigned(reply, 2) === limits[0]) {
      if (r.unsigned(reply, 4) === limits[1]) return null;
    }
    return fault(frame, FAULT_CONFIGURATION, `${said(reply, 0)} is not what was written; open it again`);
  },
});

/** The first look at a conversion comes after, the next ones every so many ms, at most so often. */
const FIRST_LOOK = 30;
const LOOK = 4;
const LOOKS = 7;

/**
 * The limits keep their bits ("registers": bits that were lost, 0); a one-shot begins, and ends in time ("conversion",
 * ms; a look comes every 4); its value is within what the chip stands (-10 to 50 Cel, p. 2). Then as it was; `done`.
 */
export const tested = (register: number, limits: readonly number[], done: (outcome: Outcome) => void): Step => {
  const end = started(register, done);
  let from = 0;
  let looks = 0;
  const look: Step = {
    ops: [r.READ_ALL],
    pause: LOOK,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      looks++;
      if ((reply[2] & r.ONE_SHOT) !== 0) {
        if (looks < LOOKS) return look;
        fault(frame, FAULT_DATA, `no conversion within ${FIRST_LOOK + (LOOKS - 1) * LOOK} ms; check the supply`);
        return end;
      }
      const offset = (register & r.EXTENDED) !== 0 ? r.EXTENDED_OFFSET : 0;
      const value = r.signed(r.unsigned(reply, 0)) / r.PER_DEGREE + offset;
      const time = Math.round((outcome.began - from) / 1000);
      measure(frame, "conversion", time, "ms", r.SHORTEST / 1000, r.LONGEST / 1000 + 2 * LOOK);
      measure(frame, "temperature", value, "Cel", -10, 50);
      return end;
    },
  };
  const begin = trigger(register, FIRST_LOOK, (outcome, frame) => {
    from = outcome.began;
    measure(frame, "registers", 0, "1", 0, 0);
    if ((outcome.replies[0][2] & r.ONE_SHOT) !== 0) return look;
    fault(frame, FAULT_DATA, "a one-shot does not begin; check the supply");
    return end;
  });
  return identified((found) => settled(register, limits, found, begin));
};
