/**
 * How a MAX86150's FIFO is read: how much is there, what was lost before it, when it was converted. FIFO_ROLLS_ON_FULL is
 * set, so what is lost lies before the oldest sample, and both pointers tell how much. Device side.
 */
import {
  type Block,
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
import { hex } from "./selftest.ts";

/** Samples between two polls: half a FIFO. The interrupt comes with the next one. */
export const POLL_AFTER = 16;
/** Most samples of one reading: with a few that were overwritten before it, a pointer of five bits can still tell. */
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
  const last = elements - 1;
  const size = elements * 3;
  let closing = false;
  /** VDD_OOR at the last look. */
  let low = false;
  /** Flags for the next blocks: of all channels, and of light only. */
  let mark = 0;
  let lightMark = 0;
  /** Where FIFO_RD_PTR must stand, and the index of the sample there. */
  let pointer = 0;
  let index = 0;
  /** Samples lost before that one; -1: unknown. OVF_COUNTER, as far as it is in there. */
  let missing = 0;
  let counted = 0;
  /** A reading failed: it may have popped up to 31 samples that nobody got. */
  let torn = false;
  /** A_FULL was seen since the FIFO was last read. What that left, and when it was, us. */
  let almost = false;
  let left = 0;
  let readAt = 0;
  /** FIFO_WR_PTR at the last status, and between which times that was, us. */
  let newest = 0;
  let seenFrom = 0;
  let seenTo = 0;
  /** An A_FULL edge since the FIFO was last read, 0: none. The last one that agreed, and its sample, -1: none. us. */
  let edge = 0;
  let edgeAt = 0;
  let edgeIndex = -1;
  let wanted = 0;

  const fail = (frame: Frame, code: number, message: string): null => {
    frame.faults.push({ code, message: `${where}: ${message}` });
    return null;
  };

  const lose = (frame: Frame, lost: number): void => {
    for (let i = 0; i <= last; i++) if (frame.channels[i].count === 0) frame.channels[i].lost = lost;
  };

  /** Ends a chain; in a `close()`, with reset and lowest power. */
  const finish = (frame: Frame): Step | null => {
    if (!closing) return null;
    if (missing !== 0) lose(frame, missing);
    reading.running = false;
    return {
      ops: [{ write: [reg.SYSTEM_CONTROL, reg.RESET] }],
      pause: 1,
      next: () => ({ ops: [{ write: [reg.SYSTEM_CONTROL, reg.SHDN] }] }),
    };
  };

  const restart = (frame: Frame, message: string): Step | null => {
    reading.running = false;
    frame.restart = !closing;
    missing = -1;
    lose(frame, missing);
    fail(frame, FAULT_RESTARTED, `lost its registers (${message}): brown-out, or reset by another; check the supply`);
    return finish(frame);
  };

  /** What reading the status clears. */
  const keep = (status: Uint8Array): void => {
    if ((status[0] & reg.A_FULL) !== 0) almost = true;
    if ((status[0] & reg.ALC_OVF) !== 0) lightMark |= FLAG_SATURATED;
  };

  /** Why FIFO_RD_PTR is not where it was left: samples were overwritten, or popped by a reading that failed. */
  const account = (overflow: number, read: number): void => {
    const moved = (read - pointer) & reg.FIVE_BITS;
    let lost = -1;
    if (!torn) {
      if (moved === overflow - counted && overflow < reg.FIVE_BITS) lost = moved;
    } else if (overflow === 0) lost = moved;
    else if (moved === 0 && overflow === counted) lost = 0;
    missing = lost < 0 || missing < 0 ? -1 : missing + lost;
    pointer = read & reg.FIVE_BITS;
    counted = overflow;
    torn = false;
  };

  /** Time of sample `pointer`, from the newest of its FIFO; better, if it agrees, from the edge of the interrupt. */
  const date = (block: Block, from: number, to: number, write: number): void => {
    const half = (to - from + period) / 2;
    const behind = (write - pointer - 1) & reg.FIVE_BITS;
    block.time = to - half - (behind + lag) * period;
    block.uncertainty = half + (behind + 1) * period * TOLERANCE;
    if (missing !== 0) edgeIndex = -1;
    if (missing !== 0 || edge === 0) return;
    // It came with the 17th sample. Where two of them measured the period, only the jitter of two stamps is left.
    const sample = index + POLL_AFTER;
    const measured = (edge - edgeAt) / (sample - edgeIndex);
    const good = edgeIndex >= 0 && Math.abs(measured - period) <= 2 * TOLERANCE * period;
    const time = edge - (POLL_AFTER + lag) * (good ? measured : period);
    const margin = (good ? 2 : POLL_AFTER + 1) * period * TOLERANCE;
    if (Math.abs(time - block.time) > block.uncertainty + margin) return;
    block.time = time;
    block.uncertainty = margin;
    edgeAt = edge;
    edgeIndex = sample;
  };

  const drain = (count: number, ops: Op[]): Step => {
    wanted = Math.min(count, MOST);
    // The last look shows, beside the pointers, that the chip did not lose its state meanwhile.
    const burst = reg.readFifo(wanted, size, maxRead).concat([{ read: 5, at: reg.INT_ENABLE_1 }]);
    return { ops: ops.concat([{ read: 3, at: reg.FIFO_WR_PTR }], burst), next: onDrain };
  };

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const replies = outcome.replies;
    const head = replies[0];
    if (head !== undefined) account(head[1] & reg.FIVE_BITS, head[2]);
    if (outcome.error !== null) {
      mark |= FLAG_BUS_FAULT;
      if (head !== undefined) torn = true;
      return finish(frame);
    }
    const tail = replies[replies.length - 1];
    if (tail[0] !== reg.A_FULL || tail[1] !== reg.VDD_OOR) return restart(frame, `enables ${hex(tail[0])}`);
    const moved = (tail[4] - pointer) & reg.FIVE_BITS;
    // What was overwritten before the first byte was popped: only a full FIFO does that.
    const over = (moved - wanted) & reg.FIVE_BITS;
    const had = 1 + ((head[0] - pointer - 1) & reg.FIVE_BITS) + ((tail[2] - head[0]) & reg.FIVE_BITS);
    left = (tail[2] - tail[4]) & reg.FIVE_BITS;
    readAt = outcome.ended;
    counted = tail[3] & reg.FIVE_BITS;
    if (moved === 0) {
      // It was just being written to, and what came is not to be trusted: the samples are still there.
      fail(frame, FAULT_DATA, "FIFO_RD_PTR (0x06) stood still while it was read; nothing is lost yet");
      return finish(frame);
    }
    if (counted > 0 || (over > 0 && had < reg.FIFO_DEPTH + over)) {
      missing = -1;
      fail(frame, FAULT_DATA, "its FIFO overflowed while it was read; choose a lower sampleRate or a faster bus");
      return finish(frame);
    }
    pointer = (pointer + over) & reg.FIVE_BITS;
    if (missing >= 0) missing += over;
    if (missing > 0) index += missing;
    const blocks = frame.channels;
    const first = blocks[0];
    const fresh = first.count === 0;
    const count = reg.decode(replies, replies.length - 1, blocks, ecg);
    const near = outcome.began - seenTo < (POLL_AFTER / 2) * period;
    if (fresh && near) date(first, seenFrom, seenTo, newest);
    else if (fresh) date(first, outcome.began, outcome.ended, head[0]);
    for (let i = 0; i <= last; i++) {
      const block = blocks[i];
      block.flags |= ecg && i === last ? mark : mark | lightMark;
      if (!fresh) continue;
      block.index = index;
      block.lost = missing;
      block.time = first.time;
      block.uncertainty = first.uncertainty;
    }
    mark = lightMark = missing = edge = 0;
    almost = false;
    index += count;
    pointer = tail[4] & reg.FIVE_BITS;
    const room = Math.min(left, reg.FIFO_DEPTH - first.count);
    return closing && room > 0 ? drain(room, []) : finish(frame);
  };

  const onStatus = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[outcome.replies.length - 1];
    if (outcome.error !== null) {
      mark |= FLAG_BUS_FAULT;
      // The chip may have cleared it all the same.
      almost = true;
      return finish(frame);
    }
    if ((reply[0] & reg.PWR_RDY) !== 0 || reply[2] !== reg.A_FULL || reply[3] !== reg.VDD_OOR) {
      return restart(frame, `status ${hex(reply[0])}, enables ${hex(reply[2])}`);
    }
    // Only the first of A_FULL's edges comes with the 17th sample.
    const rising = !almost && !torn && (reply[0] & reg.A_FULL) !== 0;
    keep(reply);
    const outside = (reply[1] & reg.VDD_OOR) !== 0;
    if (outside && !low)
      fail(frame, FAULT_DATA, "VDD_OOR, its supply is outside 1.65 to 2.05 V; check the 1.8 V supply");
    low = outside;
    const overflow = reply[5] & reg.FIVE_BITS;
    const moved = (reply[6] - pointer) & reg.FIVE_BITS;
    const ops: Op[] = [];
    let unread = overflow > 0 ? reg.FIFO_DEPTH : (reply[4] - reply[6]) & reg.FIVE_BITS;
    // Equal pointers: full or empty. What was left and what came since tell.
    const come = (outcome.began - readAt) / period;
    if (unread === 0 && almost && left - moved + come >= POLL_AFTER) unread = reg.FIFO_DEPTH;
    if (torn && overflow === 0 && moved > 0 && unread > 0 && unread + moved < reg.FIFO_DEPTH) {
      // Popped by a reading that failed, not yet written over: read them again.
      unread += moved;
      ops.push({ write: [reg.FIFO_RD_PTR, pointer] });
    }
    if (unread === 0) {
      account(overflow, reply[6]);
      return finish(frame);
    }
    newest = reply[4];
    seenFrom = outcome.began;
    seenTo = outcome.ended;
    const at = outcome.edgeAt;
    edge = rising && outcome.edges === 1 && left <= POLL_AFTER && at > readAt && at <= seenFrom ? at : 0;
    return drain(unread, ops);
  };

  const reading: Reading = {
    running: false,
    status: { ops: [{ read: 7, at: reg.INT_STATUS_1 }], next: onStatus },
    begin: (outcome) => {
      if (outcome.error !== null) return null;
      reading.running = true;
      closing = low = torn = almost = false;
      pointer = index = missing = counted = mark = lightMark = left = edge = 0;
      edgeIndex = -1;
      readAt = outcome.ended;
      return null;
    },
    keep,
    light: () => {
      lightMark |= FLAG_LED_CHANGED;
    },
    end: (outcome, frame) => {
      closing = true;
      const before = outcome.replies[0];
      if (before !== undefined) {
        keep(before);
        // Equal pointers behind unequal ones: it is full.
        if (((before[4] ^ before[6]) & reg.FIVE_BITS) !== 0) almost = true;
        if (outcome.error === null) outcome.replies[1][0] |= before[0];
      }
      return onStatus(outcome, frame);
    },
  };
  return reading;
};
