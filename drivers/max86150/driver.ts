/**
 * MAX86150: red and infrared light and a single-lead ECG through one FIFO of 32 samples. Device side.
 * Data sheet 19-8402, seen only through public code that quotes it; sources and decisions stand in README.md.
 *
 * How the FIFO is read: how much is there, what was lost before it, when it was converted. FIFO_ROLLS_ON_FULL is set, so
 * what is lost lies before the oldest sample. What is rare stands apart from what runs at every poll.
 */
import type { Core, Frame, Op, Outcome, Step } from "../driver.ts";
import {
  createCore,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_SATURATED,
  hexByte,
  tell,
} from "../driver.ts";
import { createDating } from "./dating.ts";
import { decode } from "./fifo.ts";
import { configure, control, identified, type Max86150Setup, reset, write } from "./opening.ts";
import * as reg from "./registers.ts";

export type { Max86150Setup } from "./opening.ts";

export interface Max86150Core extends Core<Max86150Setup> {
  /** Flags of a status that somebody else read: reading clears them. */
  keep(status: Uint8Array): void;
}

/** Most samples of one reading: a pointer of five bits can still tell whether it moved by as many. */
const MOST = 24;

// What is known of the chip.
const UNKNOWN = 0;
/** It was configured, and does not convert or has lost its state. */
const STOPPED = 1;
const RUNNING = 2;
const CLOSING = 3;

/** Its driver. */
export const createDriver = (first: Max86150Setup): Max86150Core => {
  const where = first.where;
  const period = first.period;
  const elements = first.channels.length;
  let setup = first;
  let state = UNKNOWN;
  let dating = createDating(period, first.lag);
  /** VDD_OOR at the last look. */
  let low = 0;
  /** Flags for the next blocks; only FLAG_BUS_FAULT is about the ECG too. */
  let mark = 0;
  /** Where FIFO_RD_PTR must stand, and the index of the sample there. */
  let pointer = 0;
  let index = 0;
  /** Samples lost before that one; -1: unknown. */
  let missing = 0;
  /** A reading failed: it may have popped what nobody got. */
  let torn = false;
  /** A_FULL was seen since the FIFO was last read: its next edge is of a later sample than the 17th. */
  let almost = false;
  /** What the last reading left, and when it ended, us. */
  let left = 0;
  let readAt = 0;
  /** Samples asked for. */
  let wanted = 0;

  const lose = (frame: Frame): void =>
    frame.channels.forEach((block) => {
      if (block.count === 0) block.lost = missing;
    });

  const shut: Step = { ops: [control(reg.SHDN)] };
  /** The end of a `close()`: reset and lowest power. */
  const down = (frame: Frame): Step => {
    lose(frame);
    state = STOPPED;
    return reset(() => shut);
  };
  const finish = (frame: Frame): Step | null => (state === CLOSING ? down(frame) : null);

  const restart = (frame: Frame, message: string): Step | null => {
    missing = -1;
    lose(frame);
    const words = `lost its registers (${message}): brown-out, or reset by another; check the supply`;
    tell(frame, FAULT_RESTARTED, where, words);
    if (state === CLOSING) return down(frame);
    frame.restart = true;
    state = STOPPED;
    return null;
  };

  /** The bus failed. The chip may have cleared A_FULL all the same. */
  const broken = (frame: Frame): Step | null => {
    mark |= FLAG_BUS_FAULT;
    almost = true;
    return finish(frame);
  };

  /** What reading the status clears. */
  const keep = (status: Uint8Array): void => {
    if ((status[0] & reg.A_FULL) !== 0) almost = true;
    if ((status[0] & reg.ALC_OVF) !== 0) mark |= FLAG_SATURATED;
  };

  /**
   * FIFO_RD_PTR moves without a reading where samples were overwritten, or popped by a reading that failed. `failed`: this
   * one did.
   */
  const account = (overflow: number, read: number, failed: boolean): void => {
    const moved = (read - pointer) & reg.FIVE_BITS;
    const known = torn ? overflow === 0 : overflow === moved && overflow < reg.FIVE_BITS;
    missing = known && missing >= 0 ? missing + moved : -1;
    pointer = read;
    torn = failed;
  };

  /** Adds a reading of `count` samples to `ops`: pointers, whole samples, then enables and pointers again. */
  const drain = (count: number, ops: Op[]): Step => {
    wanted = Math.min(count, MOST);
    ops.push({ read: 3, at: reg.FIFO_WR_PTR });
    for (let i = 0; i < wanted; i += first.piece) {
      ops.push({ read: Math.min(first.piece, wanted - i) * elements * reg.WORD, at: reg.FIFO_DATA });
    }
    ops.push({ read: 5, at: reg.INT_ENABLE_1 });
    return { ops: ops, next: onDrain };
  };

  /** In a `close()`: what a reading left. */
  const rest = (frame: Frame): Step => {
    const room = Math.min(left, reg.FIFO_DEPTH - frame.channels[0].count);
    return room > 0 ? drain(room, []) : down(frame);
  };

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const replies = outcome.replies;
    const head = replies[0];
    const failed = outcome.error !== null;
    if (head !== undefined) account(head[1], head[2], failed);
    if (failed) return broken(frame);
    const tail = replies[replies.length - 1];
    if (tail[0] !== reg.A_FULL || tail[1] !== reg.VDD_OOR) return restart(frame, `enables ${hexByte(tail[0])}`);
    // FIFO_RD_PTR must have moved by what was read, else what came is not to be trusted.
    if (tail[4] === pointer) {
      tell(frame, FAULT_DATA, where, "FIFO_RD_PTR (0x06) stood still while it was read; nothing is lost yet");
      return finish(frame);
    }
    const took = (outcome.ended - outcome.began) / period;
    const over = (tail[4] - pointer - wanted) & reg.FIVE_BITS;
    // A full FIFO may lose one before the first byte; where the bus is slower than the chip, one at any time, or many.
    const most = head[0] === pointer && took < wanted - 1 ? 1 : 0;
    const good = over <= most && took < MOST;
    if (good) {
      pointer += over;
      if (missing >= 0) {
        missing += over;
        index += missing;
      }
      dating.stamp(outcome, frame, pointer, index, missing);
      frame.channels.forEach((block, e) => {
        const signed = e === first.ecg;
        block.flags |= signed ? mark & FLAG_BUS_FAULT : mark;
        decode(replies, e, elements, block, signed);
      });
      mark = missing = 0;
      index += wanted;
    } else {
      missing = -1;
      tell(
        frame,
        FAULT_DATA,
        where,
        "its FIFO overflowed while it was read; choose a lower sampleRate or a faster bus",
      );
    }
    pointer = tail[4];
    left = (tail[2] - pointer) & reg.FIVE_BITS;
    readAt = outcome.ended;
    if (!good) return finish(frame);
    almost = left > reg.POLL_AFTER;
    return state === CLOSING ? rest(frame) : null;
  };

  const onStatus = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[outcome.replies.length - 1];
    if (outcome.error !== null) return broken(frame);
    if ((reply[0] & reg.PWR_RDY) !== 0 || reply[2] !== reg.A_FULL || reply[3] !== reg.VDD_OOR) {
      return restart(frame, `status ${hexByte(reply[0])}, enables ${hexByte(reply[2])}`);
    }
    const supply = reply[1] & reg.VDD_OOR;
    if (supply > low) {
      tell(frame, FAULT_DATA, where, "VDD_OOR, its supply is outside 1.65 to 2.05 V; check the 1.8 V supply");
    }
    low = supply;
    // Only the first of A_FULL's edges comes with the 17th sample; the supply pulls the line too.
    const came = !almost && supply === 0 && (reply[0] & reg.A_FULL) !== 0;
    const known = came && outcome.edges === 1 && outcome.edgeAt <= outcome.began;
    dating.see(outcome, reply[4], known ? outcome.edgeAt : 0);
    keep(reply);
    const overflow = reply[5];
    const moved = (reply[6] - pointer) & reg.FIVE_BITS;
    let unread = (reply[4] - reply[6]) & reg.FIVE_BITS;
    // Equal pointers: full or empty. What was left and what came since tell.
    const come = left - moved + (outcome.began - readAt) / period;
    if (unread === 0 && (overflow > 0 || (almost && come >= reg.POLL_AFTER))) unread = reg.FIFO_DEPTH;
    const ops: Op[] = [];
    if (torn && moved > 0 && unread + moved < reg.FIFO_DEPTH) {
      // Popped by a reading that failed, not yet written over: they are read again.
      unread += moved;
      ops.push(write([reg.FIFO_RD_PTR, pointer]));
    }
    if (unread > 0) return drain(unread, ops);
    account(overflow, reply[6], false);
    return finish(frame);
  };

  const look: Op = { read: 7, at: reg.INT_STATUS_1 };
  const poll: Step = { ops: [look], next: onStatus };
  const unopened: Step = {
    ops: [],
    next: (_, frame) => tell(frame, FAULT_CONFIGURATION, where, "not open; open it first"),
  };

  /** The chip has just been started. */
  const begin = (outcome: Outcome): null => {
    if (outcome.error !== null) return null;
    state = RUNNING;
    torn = almost = false;
    low = pointer = mark = left = 0;
    dating = createDating(period, first.lag);
    readAt = outcome.ended;
    return null;
  };

  const core = createCore(first, {
    open: () => {
      state = UNKNOWN;
      index = missing = 0;
      return identified(where, configure(setup, begin));
    },
    poll: () => (state < RUNNING ? unopened : poll),
    reconfigure: (next: Max86150Setup) => {
      if (next.record !== setup.record) return null;
      const led = String(next.groups) !== String(setup.groups);
      return {
        ops: led ? next.groups.slice(reg.LED_GROUP, reg.LED_GROUP + 2).map(write) : [],
        next: (outcome) => {
          if (led) mark |= FLAG_LED_CHANGED;
          if (outcome.error === null) core.configuration = setup = next;
          return null;
        },
      };
    },
    resume: () => {
      state = STOPPED;
      missing = -1;
      return configure(setup, begin);
    },
    close: () => {
      if (state === UNKNOWN) return { ops: [] };
      if (state === STOPPED) return shut;
      return {
        // Shutting down clears the flags, so they are read before; FIFO_EN stays, or the FIFO might be emptied.
        ops: [look, control(reg.SHDN | reg.FIFO_EN), look],
        next: (outcome, frame) => {
          state = CLOSING;
          if (outcome.replies[0] !== undefined) keep(outcome.replies[0]);
          return onStatus(outcome, frame);
        },
      };
    },
    keep: keep,
  });
  return core;
};
