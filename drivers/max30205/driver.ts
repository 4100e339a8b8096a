/**
 * MAX30205: human body temperature on I2C (Maxim, 19-8505, Rev 0, 3/16). It shows no new conversion: so every value is a
 * conversion that a poll has started. What the data sheet leaves open stands in README.md. Device side.
 */
import type { Block, Frame, Outcome, Step } from "../driver.ts";
import { createCore, FAULT_DATA, FAULT_RESTARTED, FLAG_SATURATED } from "../driver.ts";
import {
  ask,
  changed,
  differs,
  fault,
  kept,
  type Max30205Core,
  type Max30205Setup,
  opened,
  writeSettings,
} from "./opening.ts";
import * as r from "./registers.ts";

export type { Max30205Core, Max30205Setup } from "./opening.ts";

/** Its driver. */
export const createDriver = (first: Max30205Setup): Max30205Core => {
  const single = first.single;
  let setup = first;

  let index = 0;
  /** The next value follows a loss that nobody can count. */
  let gap = false;
  /** One-shot: a conversion was started and not taken. It ends between these times, us. */
  let running = false;
  let earliest = 0;
  let latest = 0;
  /** Looks that are left for a conversion that takes its time. */
  let looks = 0;
  /** Continuous: a reading that begins before this time, us, may show what was read already. */
  let freshAt = 0;
  /** The last value was above alert.high, and none below alert.low has come since. */
  let above = false;

  /** What an opening ends with: conversions go on from now, where the chip is to convert all the time. */
  const begin = (lost: boolean): Step =>
    ask([r.writeConfiguration(setup.register)], (outcome) => {
      running = above = false;
      gap = lost;
      freshAt = outcome.ended + r.FRESH;
      return null;
    });

  /** The value; its conversion ended between `low` and `high`, us. */
  const take = (raw: number, low: number, high: number, frame: Frame): void => {
    const block: Block = frame.channels[0];
    running = false;
    if (gap || !single) block.lost = -1;
    gap = false;
    block.index = index;
    index++;
    block.samples[0] = raw;
    block.count = 1;
    block.time = (low + high) / 2;
    block.uncertainty = (high - low) / 2;
    if (raw === 32767 || raw === -32768) block.flags |= FLAG_SATURATED;
    const limits = setup.limits;
    if (raw < r.signed(limits[0])) above = false;
    if (setup.high === null || above || raw <= r.signed(limits[1])) return;
    above = true;
    const now = (raw + setup.channels[0].offset) / r.PER_DEGREE;
    fault(frame, FAULT_DATA, `above alert.high, ${setup.high}, now ${now} Cel`);
  };

  /** Is it the chip that was set up? Its registers go with every temperature. */
  const alive = (reply: Uint8Array, frame: Frame): boolean => {
    const register = setup.register;
    if (kept(reply, 2, register, setup.limits) && ((reply[3] ^ register) & r.SETTINGS) === 0) return true;
    running = false;
    frame.restart = true;
    const what = differs(reply, 2, register, setup.limits);
    fault(frame, FAULT_RESTARTED, `${what}: it lost its state; open it again`);
    return false;
  };

  /** Takes what there is; true: there was something, or there will be. */
  const fresh = (outcome: Outcome, frame: Frame): boolean => {
    const raw = r.signed(r.unsigned(outcome.replies[0], 0));
    if (single) {
      if (!running) return false;
      const high = Math.min(outcome.ended, latest);
      take(raw, Math.min(earliest, high), high, frame);
    } else if (outcome.began >= freshAt) {
      take(raw, outcome.began - r.FRESH, outcome.ended, frame);
      freshAt = outcome.ended + r.FRESH;
    }
    return true;
  };

  /** One more look. */
  const again = (look: Step): Step => ({ ops: [], pause: r.READY_PAUSE, next: () => look });

  const poll = ask([r.READ_ALL], (outcome, frame) => {
    const reply = outcome.replies[0];
    if (!alive(reply, frame)) return null;
    if ((reply[2] & r.ONE_SHOT) !== 0) {
      looks--;
      if (looks > 0) return again(poll);
      return fault(frame, FAULT_DATA, `no conversion within ${r.PAUSE} ms; check the supply`);
    }
    return fresh(outcome, frame) ? null : trigger();
  });
  const trigger = (): Step => ({
    ops: [r.writeConfiguration(setup.register | r.ONE_SHOT)],
    pause: r.PAUSE,
    next: (outcome) => {
      // Whether it has begun, nobody knows: the next value may follow one that was never read.
      if (outcome.error !== null) {
        gap = true;
        return null;
      }
      running = true;
      earliest = outcome.began + r.SHORTEST;
      latest = outcome.ended + r.LONGEST;
      return poll;
    },
  });

  const close = ask([r.READ_ALL], (outcome, frame) => {
    const reply = outcome.replies[0];
    const config = reply[2];
    const asleep = setup.register | r.SHUTDOWN;
    const atRest = r.unsigned(reply, 4) === r.POR_THYST && r.unsigned(reply, 6) === r.POR_TOS;
    if (atRest && config === asleep) return null;
    // Sleep, and power-up limits: so a closed chip is none that was set up, and OS never acts.
    const closed: Step = { ops: writeSettings(asleep, [r.POR_THYST, r.POR_TOS]) };
    // One that lost its state converts all the time: it is stopped, another chip is left alone.
    if (!alive(reply, frame)) return atRest && config === reply[3] ? closed : null;
    if ((config & r.ONE_SHOT) === 0) fresh(outcome, frame);
    else if (looks > 0) {
      looks--;
      return again(close);
    }
    if (gap || running) frame.channels[0].lost = -1;
    return closed;
  });

  const core = createCore(first, {
    open: () => {
      index = 0;
      return opened(setup, begin(false));
    },
    poll: () => {
      looks = r.READY_TRIES;
      return poll;
    },
    reconfigure: (next: Max30205Setup) => {
      const other = next.register ^ setup.register;
      // Rate, mode and format are another record's.
      if (next.channels[0].rate !== setup.channels[0].rate || (other & (r.SHUTDOWN | r.EXTENDED)) !== 0) return null;
      const apply = (): void => {
        core.configuration = setup = next;
      };
      if (other === 0 && `${next.limits}` === `${setup.limits}`) {
        apply();
        return { ops: [] };
      }
      return changed(next, () => {
        above = false;
        apply();
      });
    },
    resume: (test?: (end: Step) => Step) => {
      const end = begin(true);
      return opened(setup, test === undefined ? end : test(end));
    },
    close: () => {
      looks = r.READY_TRIES;
      return close;
    },
  });
  return core;
};
