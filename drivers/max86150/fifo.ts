/**
 * How a MAX86150's FIFO is read: how much is there, what was lost before it, when it was converted. FIFO_ROLLS_ON_FULL is
 * set, so what is lost lies before the oldest sample. What is rare stands apart from what runs at every poll. Device side.
 */
import {
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_SATURATED,
  type Frame,
  type Op,
  type Outcome,
  type Step,
} from "../driver.ts";
import * as reg from "./registers.ts";
import { createFail, hex } from "./selftest.ts";

/** Samples between two polls: half a FIFO. The interrupt comes with the next one. */
export const POLL_AFTER = 16;
/** Most samples of one reading: a pointer of five bits can still tell whether it moved by as many. */
const MOST = 24;
/** Assumption: the oscillator is within one part in 32. */
export const TOLERANCE = 1 / 32;

export interface Reading {
  /** Set by `begin`; cleared by a restart and by the end of a `close`. */
  running: boolean;
  /** One poll. */
  readonly status: Step;
  /** The chip has just been started. */
  begin(outcome: Outcome): null;
  /** Flags of a status that somebody else read: reading clears them. */
  keep(status: Uint8Array): void;
  /** The LED currents are about to change. */
  light(): void;
  /** Behind status, shutdown, status: reads what is left, then resets the chip and shuts it down. */
  end(outcome: Outcome, frame: Frame): Step | null;
}

/**
 * `where`: model and address, for messages. `elements` of a sample, the last of them the ECG where `ecg`. `period` from
 * sample to sample, us; `lag`: part of it from the middle of the averaged conversions to the last. `maxRead`: bytes.
 */
export const createReading = (
  where: string,
  elements: number,
  ecg: boolean,
  period: number,
  lag: number,
  maxRead: number,
): Reading => {
  const size = elements * reg.WORD;
  const piece = Math.floor(maxRead / size);
  const slack = period * TOLERANCE;
  const fail = createFail(where);
  let closing = false;
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
  /** FIFO_WR_PTR, and between which times that was, us. */
  let newest = 0;
  let seenFrom = 0;
  let seenTo = 0;
  /** When the 17th sample came, 0: unknown; the last one that agreed, and its index. us. */
  let edge = 0;
  let edgeAt = 0;
  let edgeIndex = 0;
  /** Samples asked for. */
  let wanted = 0;
  /** Of sample `pointer`, us. */
  let time = 0;
  let doubt = 0;

  const lose = (frame: Frame): void => {
    for (let i = 0; i < elements; i++) if (frame.channels[i].count === 0) frame.channels[i].lost = missing;
  };

  /** The end of a `close()`: reset and lowest power. */
  const down = (frame: Frame): Step => {
    lose(frame);
    reading.running = false;
    return {
      ops: [{ write: [reg.SYSTEM_CONTROL, reg.RESET] }],
      pause: 1,
      next: () => ({ ops: [{ write: [reg.SYSTEM_CONTROL, reg.SHDN] }] }),
    };
  };
  const finish = (frame: Frame): Step | null => (closing ? down(frame) : null);

  const restart = (frame: Frame, message: string): Step | null => {
    reading.running = false;
    frame.restart = !closing;
    missing = -1;
    lose(frame);
    fail(frame, FAULT_RESTARTED, `lost its registers (${message}): brown-out, or reset by another; check the supply`);
    return finish(frame);
  };

  /** The bus failed; `popped`: behind the pointers. The chip may have cleared A_FULL all the same. */
  const broken = (frame: Frame, popped: boolean): Step | null => {
    mark |= FLAG_BUS_FAULT;
    almost = true;
    torn = torn || popped;
    return finish(frame);
  };

  /** `tail`: the look behind a reading that ended at `ended`, us. */
  const settle = (tail: Uint8Array, ended: number): void => {
    pointer = tail[4];
    left = (tail[2] - pointer) & reg.FIVE_BITS;
    readAt = ended;
  };

  /** FIFO_RD_PTR did not move by what was read: what came is not to be trusted. */
  const refuse = (frame: Frame, tail: Uint8Array, ended: number): Step | null => {
    if (tail[4] === pointer) {
      fail(frame, FAULT_DATA, "FIFO_RD_PTR (0x06) stood still while it was read; nothing is lost yet");
    } else {
      missing = -1;
      settle(tail, ended);
      fail(frame, FAULT_DATA, "its FIFO overflowed while it was read; choose a lower sampleRate or a faster bus");
    }
    return finish(frame);
  };

  const warn = (frame: Frame): null =>
    fail(frame, FAULT_DATA, "VDD_OOR, its supply is outside 1.65 to 2.05 V; check the 1.8 V supply");

  /** What reading the status clears. */
  const keep = (status: Uint8Array): void => {
    if ((status[0] & reg.A_FULL) !== 0) almost = true;
    if ((status[0] & reg.ALC_OVF) !== 0) mark |= FLAG_SATURATED;
  };

  /** FIFO_RD_PTR moves without a reading where samples were overwritten, or popped by a reading that failed. */
  const account = (overflow: number, read: number): void => {
    const moved = (read - pointer) & reg.FIVE_BITS;
    const known = torn ? overflow === 0 : overflow === moved && overflow < reg.FIVE_BITS;
    missing = known && missing >= 0 ? missing + moved : -1;
    pointer = read;
    torn = false;
  };

  /** Dates sample `pointer` from the newest one; better, if it agrees, from the edge of the interrupt. */
  const date = (): void => {
    const half = (seenTo - seenFrom + period) / 2;
    const behind = (newest - pointer - 1) & reg.FIVE_BITS;
    time = seenTo - half - (behind + lag) * period;
    doubt = half + (behind + 1) * slack;
    if (missing !== 0) edgeIndex = Number.NEGATIVE_INFINITY;
    if (missing !== 0 || edge === 0) return;
    // Where two of them measured the period, only the jitter of two stamps is left.
    const sample = index + POLL_AFTER;
    let step = (edge - edgeAt) / (sample - edgeIndex);
    let margin = 2 * slack;
    if (Math.abs(step - period) > margin) {
      step = period;
      margin = (POLL_AFTER + 1) * slack;
    }
    const first = edge - (POLL_AFTER + lag) * step;
    if (Math.abs(first - time) > doubt + margin) return;
    time = first;
    doubt = margin;
    edgeAt = edge;
    edgeIndex = sample;
  };

  /** Adds a reading of `count` samples to `ops`: pointers, whole samples, then enables and pointers again. */
  const drain = (count: number, ops: Op[]): Step => {
    wanted = Math.min(count, MOST);
    ops.push({ read: 3, at: reg.FIFO_WR_PTR });
    for (let i = 0; i < wanted; i += piece) ops.push({ read: Math.min(piece, wanted - i) * size, at: reg.FIFO_DATA });
    ops.push({ read: 5, at: reg.INT_ENABLE_1 });
    return { ops, next: onDrain };
  };

  /** In a `close()`: what a reading left. */
  const rest = (frame: Frame): Step => {
    const room = Math.min(left, reg.FIFO_DEPTH - frame.channels[0].count);
    return room > 0 ? drain(room, []) : down(frame);
  };

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const replies = outcome.replies;
    const head = replies[0];
    if (head !== undefined) account(head[1], head[2]);
    if (outcome.error !== null) return broken(frame, head !== undefined);
    const tail = replies[replies.length - 1];
    if (tail[0] !== reg.A_FULL || tail[1] !== reg.VDD_OOR) return restart(frame, `enables ${hex(tail[0])}`);
    const took = (outcome.ended - outcome.began) / period;
    const over = (tail[4] - pointer - wanted) & reg.FIVE_BITS;
    // A full FIFO may lose one before the first byte; where the bus is slower than the chip, one at any time, or many.
    const most = head[0] === pointer && took < wanted - 1 ? 1 : 0;
    if (over > most || took >= MOST) return refuse(frame, tail, outcome.ended);
    pointer += over;
    if (missing >= 0) missing += over;
    if (missing > 0) index += missing;
    // The host stalled behind the status.
    if (outcome.began - seenTo >= (POLL_AFTER / 2) * period) {
      newest = head[0];
      seenFrom = outcome.began;
      seenTo = outcome.ended;
    }
    date();
    for (let e = 0; e < elements; e++) {
      const block = frame.channels[e];
      const signed = ecg && e === elements - 1;
      if (block.count === 0) {
        block.index = index;
        block.lost = missing;
        block.time = time;
        block.uncertainty = doubt;
      }
      block.flags |= signed ? mark & FLAG_BUS_FAULT : mark;
      reg.decode(replies, e, elements, block, signed);
    }
    mark = missing = 0;
    index += wanted;
    settle(tail, outcome.ended);
    almost = left > POLL_AFTER;
    return closing ? rest(frame) : null;
  };

  const onStatus = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[outcome.replies.length - 1];
    if (outcome.error !== null) return broken(frame, false);
    if ((reply[0] & reg.PWR_RDY) !== 0 || reply[2] !== reg.A_FULL || reply[3] !== reg.VDD_OOR) {
      return restart(frame, `status ${hex(reply[0])}, enables ${hex(reply[2])}`);
    }
    const supply = reply[1] & reg.VDD_OOR;
    if (supply > low) warn(frame);
    low = supply;
    seenFrom = outcome.began;
    seenTo = outcome.ended;
    newest = reply[4];
    // Only the first of A_FULL's edges comes with the 17th sample; the supply pulls the line too.
    const first = !almost && supply === 0 && (reply[0] & reg.A_FULL) !== 0;
    edge = first && outcome.edges === 1 && outcome.edgeAt <= seenFrom ? outcome.edgeAt : 0;
    keep(reply);
    const overflow = reply[5];
    const moved = (reply[6] - pointer) & reg.FIVE_BITS;
    let unread = (newest - reply[6]) & reg.FIVE_BITS;
    // Equal pointers: full or empty. What was left and what came since tell.
    const come = left - moved + (seenFrom - readAt) / period;
    if (unread === 0 && (overflow > 0 || (almost && come >= POLL_AFTER))) unread = reg.FIFO_DEPTH;
    const ops: Op[] = [];
    if (torn && moved > 0 && unread + moved < reg.FIFO_DEPTH) {
      // Popped by a reading that failed, not yet written over: they are read again.
      unread += moved;
      ops.push({ write: [reg.FIFO_RD_PTR, pointer] });
    }
    if (unread > 0) return drain(unread, ops);
    account(overflow, reply[6]);
    return finish(frame);
  };

  const reading: Reading = {
    running: false,
    status: { ops: [{ read: 7, at: reg.INT_STATUS_1 }], next: onStatus },
    begin: (outcome) => {
      if (outcome.error !== null) return null;
      reading.running = true;
      closing = torn = almost = false;
      low = pointer = index = missing = mark = left = 0;
      edgeIndex = Number.NEGATIVE_INFINITY;
      readAt = outcome.ended;
      return null;
    },
    keep,
    light: () => {
      mark |= FLAG_LED_CHANGED;
    },
    end: (outcome, frame) => {
      closing = true;
      if (outcome.replies[0] !== undefined) keep(outcome.replies[0]);
      return onStatus(outcome, frame);
    },
  };
  return reading;
};
