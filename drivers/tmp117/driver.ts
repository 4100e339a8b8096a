/**
 * TMP117: high-accuracy digital thermometer on I2C (TI, SNOSD82D, revised September 2022). What the data sheet leaves
 * open stands in README.md. Device side.
 */
import type { Core, Frame, Outcome, Step } from "../driver.ts";
import { createCore, FAULT_CONFIGURATION, FAULT_DATA, FAULT_RESTARTED, FLAG_SATURATED, hex } from "../driver.ts";
import { configure, fault, identified, registerOf, restart, type Tmp117Setup, whenIdle } from "./opening.ts";
import * as r from "./registers.ts";

export type { Tmp117Setup } from "./opening.ts";

/** Configuration of a closed chip. */
const CLOSED = r.SHUTDOWN | r.DR_ALERT;

/** Its driver. */
export const createDriver = (first: Tmp117Setup): Core<Tmp117Setup> => {
  const single = first.single;
  const pause = first.pause;
  let setup = first;
  let register = registerOf(setup);
  /** MOD of a one-shot reads 11 while it converts, 01 then. */
  const kept = single ? r.SETTINGS ^ (r.ONE_SHOT ^ r.SHUTDOWN) : r.SETTINGS;
  /** No two conversions end closer than this, us: its oscillator is taken for a sixth fast at most (section 6.5). */
  const shortest = (setup.cycle * 26000) / 31;

  let index = 0;
  /** The next value follows a loss that nobody can count. */
  let gap = false;
  /** The earliest time at which the next Data_Ready can have been set: its last clearing, us; one-shot: see `latest`. */
  let clearedAt = 0;
  /** Data_Ready was read, and thereby cleared, but its result was not: it is still there. */
  let owed = false;
  /** Configuration could not be read. */
  let doubt = false;
  let edgeAt = 0;
  /** One-shot: a conversion was started and its result not taken; when it ends at the latest, us. */
  let started = false;
  let latest = 0;
  let looks = 0;
  /** Alert flags that were read, and thereby cleared, since the last result; those of the last result. */
  let alerts = 0;
  let told = 0;

  /** Configures, and begins a record; `lost`: it goes on after one that was cut off. */
  const begin = (next: Tmp117Setup, lost: boolean): Step =>
    configure(next, (outcome) => {
      clearedAt = outcome.began;
      owed = started = doubt = false;
      edgeAt = alerts = told = 0;
      gap = lost;
    });

  /** Notes the flags of a Configuration that was read. */
  const note = (value: number): void => {
    if ((value & r.DATA_READY) !== 0) owed = true;
    if (setup.alert !== null) alerts |= value & (r.HIGH_ALERT | r.LOW_ALERT);
  };

  /** A limit is told when the first result is beyond it, and again after one that is not. */
  const tell = (raw: number, frame: Frame): void => {
    const news = alerts & ~told;
    told = alerts;
    alerts = 0;
    const alert = setup.alert;
    if (news === 0 || alert === null) return;
    const newest = ` Cel, now ${raw / r.PER_DEGREE} Cel`;
    if ((news & r.HIGH_ALERT) !== 0) fault(frame, FAULT_DATA, `above alert.high, ${alert.high}${newest}`);
    if ((news & r.LOW_ALERT) !== 0) fault(frame, FAULT_DATA, `below alert.low, ${alert.low}${newest}`);
  };

  /** The result. Its conversion ended between the last clearing of Data_Ready and now; `ended`: or earlier, at a stop. */
  const take = (outcome: Outcome, frame: Frame, ended: number): void => {
    const raw = r.signed(outcome.replies[0]);
    const block = frame.channels[0];
    owed = false;
    started = false;
    block.index = index;
    if (raw === r.NOTHING_YET) {
      fault(frame, FAULT_DATA, "reads -256 Cel, as before its first conversion; open it again");
      frame.restart = true;
      return;
    }
    const high = single ? Math.min(ended, latest) : ended;
    const low = single ? Math.min(clearedAt, high) : Math.max(edgeAt, clearedAt);
    const precise = edgeAt > clearedAt && high - low < shortest;
    // Longer than a cycle: perhaps an older result was written over.
    if (gap || (!single && high - low >= shortest)) block.lost = -1;
    gap = false;
    block.time = precise ? edgeAt : (low + high) / 2;
    block.uncertainty = precise ? r.EDGE_UNCERTAINTY : (high - low) / 2;
    block.samples[0] = raw;
    block.count = 1;
    if (raw === 32767) block.flags |= FLAG_SATURATED;
    index++;
    clearedAt = outcome.began;
    edgeAt = 0;
    tell(raw, frame);
  };

  /** Is it the chip that was set up? `value`: its Configuration. */
  const alive = (value: number, frame: Frame): boolean => {
    const set = value & kept;
    if (set === (register & kept)) return true;
    owed = false;
    started = false;
    frame.restart = true;
    const what = `Configuration reads ${hex(set)}, ${hex(register)} was written`;
    fault(frame, FAULT_RESTARTED, `${what}: it lost its state; open it again`);
    return false;
  };

  const result: Step = {
    ops: [r.read(r.TEMP_RESULT)],
    next: (outcome, frame) => {
      if (outcome.error === null) take(outcome, frame, outcome.ended);
      return null;
    },
  };
  /** One-shot, and nothing to be taken: wait for it, or start one where the chip is known to be locked and idle. */
  const next = (lock: number, frame: Frame): Step | null => {
    if (looks > 0) {
      looks--;
      return looks > 0 ? again : fault(frame, FAULT_DATA, `no conversion within ${pause} ms; check the supply`);
    }
    if ((lock & r.EUN) === 0) return whenIdle((lock & r.UL_BUSY) !== 0, r.EEPROM_UL, trigger);
    frame.restart = true;
    return fault(
      frame,
      FAULT_CONFIGURATION,
      "its EEPROM is unlocked, each one-shot would be programmed; open it again",
    );
  };
  const poll: Step = {
    ops: single ? [r.read(r.EEPROM_UL), r.read(r.CONFIGURATION)] : [r.read(r.CONFIGURATION)],
    next: (outcome, frame) => {
      if (outcome.edges > 0) edgeAt = outcome.edgeAt;
      if (outcome.error !== null) {
        doubt = true;
        return null;
      }
      const replies = outcome.replies;
      const value = r.unsigned(replies[replies.length - 1]);
      if (!alive(value, frame)) return null;
      note(value);
      // A reading that failed may have cleared Data_Ready, and nobody saw it.
      if (doubt && !owed && !single) gap = true;
      doubt = false;
      if (owed) return result;
      if (single) return next(r.unsigned(replies[0]), frame);
      clearedAt = outcome.began;
      return null;
    },
  };
  const again: Step = { ops: [], pause: r.READY_PAUSE, next: () => poll };
  const trigger: Step = {
    ops: [r.write(r.CONFIGURATION, register | r.ONE_SHOT)],
    pause: pause,
    next: (outcome) => {
      // One that was started before and never seen ready, or that may have started although the bus failed.
      if (started) gap = true;
      started = true;
      clearedAt = outcome.began + setup.averaging * r.SHORTEST;
      latest = outcome.error === null ? outcome.ended + setup.averaging * r.LONGEST : Infinity;
      if (outcome.error !== null) return null;
      looks = r.READY_TRIES;
      return poll;
    },
  };

  /** `repeated`: the EEPROM was being programmed when the chip was to be stopped. */
  const closing = (repeated: boolean): Step => ({
    // Once more before and once after the stop: a result that came in between is neither lost nor read too early.
    ops: [r.read(r.CONFIGURATION), r.write(r.CONFIGURATION, CLOSED), r.read(r.CONFIGURATION)],
    next: (stopped, frame) => {
      if (stopped.edges > 0) edgeAt = stopped.edgeAt;
      if (stopped.error !== null) return null;
      const before = r.unsigned(stopped.replies[0]);
      const after = r.unsigned(stopped.replies[1]);
      if ((before & r.SETTINGS) === CLOSED || !alive(before, frame)) return null;
      note(before | after);
      const busy = (after & r.SETTINGS) !== CLOSED && !repeated;
      const rest = busy ? whenIdle(true, r.EEPROM_UL, closing(true)) : null;
      if (owed) {
        return {
          ops: [r.read(r.TEMP_RESULT)],
          next: (outcome) => {
            if (outcome.error === null) take(outcome, frame, stopped.ended);
            return rest;
          },
        };
      }
      if (started || gap || doubt) frame.channels[0].lost = -1;
      return rest;
    },
  });

  const core = createCore(first, {
    open: () => {
      index = 0;
      return identified(restart(begin(setup, false)));
    },
    poll: () => {
      looks = 0;
      return poll;
    },
    reconfigure: (next: Tmp117Setup) => {
      const value = registerOf(next);
      // What a poll waits for, and how often one comes, is another record's.
      if (next.cycle !== setup.cycle || next.single !== single) return null;
      if (single && value !== register) return null;
      const step = begin(next, true);
      const same = JSON.stringify(next.registers) === JSON.stringify(setup.registers);
      return {
        ops: same ? [] : step.ops,
        // Not before it runs: a poll may be under way.
        next: (outcome, frame) => {
          register = value;
          core.configuration = setup = next;
          return same || step.next === undefined ? null : step.next(outcome, frame);
        },
      };
    },
    resume: () => restart(begin(setup, true)),
    close: () => closing(false),
  });
  return core;
};
