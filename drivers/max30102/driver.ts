/**
 * MAX30102 pulse oximeter: red and infrared light through its 32-sample FIFO; and what the MAX30101 shares: poll, loss,
 * time, close. Device side.
 * Data sheet 19-7740, Rev 1, 10/18; pages stand beside the registers, the decisions in README.md.
 */
import {
  type Core,
  createCore,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_SATURATED,
  type Frame,
  hexByte,
  type Op,
  type Outcome,
  type Step,
  tell,
} from "../driver.ts";
import { createOpening, type Fail, type Max30102Setup, reset, SUPPLY } from "./opening.ts";
import * as reg from "./registers.ts";
import { createThermometer } from "./thermometer.ts";

export type { Max30102Setup } from "./opening.ts";

/** The driver, and what its self-test needs. */
export interface Max30102Core extends Core<Max30102Setup> {
  /** `step`, where the chip is open; else one that says that it is not. */
  ifOpen(step: Step): Step;
}

/** The driver of both chips. */
export const createDriver = (first: Max30102Setup): Max30102Core => {
  const size = first.size;
  const period = first.period;
  /** What a period may differ from its nominal value, us. */
  const drift = period / reg.PARTS;
  const shortest = period - drift;
  const called = first.called;

  let setup = first;
  let phase = reg.UNOPENED;
  /** Index of the sample at which FIFO_RD_PTR must stand. */
  let index = 0;
  // What follows is set by `begin`. Where FIFO_RD_PTR must stand; time and half uncertainty of the sample there, us.
  let pointer: number;
  let time: number;
  let doubt: number;
  /** Flags for the next block. */
  let mark: number;
  /** 1: ALC_OVF was told of. */
  let bright: number;
  /** Not 0: A_FULL was seen since the FIFO was last drained. When that was. */
  let almost: number;
  let drainedAt: number;
  /** Samples lost, -1: unknown, behind `gap` more that are still in the FIFO. */
  let missing: number;
  let gap: number;
  /** What had been converted when the chip was last looked at: unread, plus lost behind it. */
  let seenAt: number;
  let seen: number;
  /** How often OVF_COUNTER was looked at. */
  let looks: number;
  /** The last edge that agreed with the FIFO, and the index of its sample; -1: none. */
  let edgeAt: number;
  let edgeIndex: number;

  const fail: Fail = (frame, code, words) => tell(frame, code, first.where, words);
  const thermometer = createThermometer(first, fail);

  const off: Step = { ops: [{ write: [reg.MODE_CONFIG, reg.SHDN] }] };
  /** Ends a chain; in a `close()`, with reset and lowest power. */
  const finish = (frame: Frame): Step | null => {
    if (phase < reg.CLOSING) return thermometer.last(frame, null);
    if (missing) {
      fail(frame, FAULT_DATA, `${missing < 0 ? "unknown" : missing} samples lost before the end; poll it sooner`);
    }
    phase = reg.STOPPED;
    return thermometer.last(frame, reset(off));
  };
  /** After a look at the chip that failed; it may have cleared A_FULL all the same. */
  const failed = (frame: Frame): Step | null => {
    almost = 1;
    mark |= FLAG_BUS_FAULT;
    return finish(frame);
  };

  /** The record ends: `what` shows that the chip lost its state; "": two gaps in one FIFO cannot be put down as one. */
  const restart = (frame: Frame, what: string): Step | null => {
    missing = 0;
    // A channel that this frame has nothing of has lost nobody knows how much.
    frame.channels.forEach((block) => {
      if (!block.count) block.lost = -1;
    });
    fail(
      frame,
      FAULT_RESTARTED,
      what
        ? `lost its registers (${what}): brown-out, or reset by another; ${SUPPLY}`
        : "lost samples twice in one FIFO; poll it sooner",
    );
    if (phase === reg.CLOSING) return finish(frame);
    phase = reg.STOPPED;
    frame.restart = true;
    return null;
  };

  /** Reads the three pointers and `count` samples, whole ones, in reads of at most `maxRead` bytes (p14). */
  const drain = (count: number, rewind?: Op[]): Step => {
    const ops = rewind || [];
    for (let head = 3; count > 0; head = 0) {
      const part = Math.min(count, ((first.maxRead - head) / size) | 0);
      // The pointers lie before the data.
      ops.push({ read: head + part * size, at: reg.FIFO_DATA - head });
      count -= part;
    }
    return { ops: ops, next: onDrain };
  };

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const replies = outcome.replies;
    if (outcome.error) mark |= FLAG_BUS_FAULT;
    if (replies.length <= first.heads) return finish(frame);
    const head = replies[0];
    const overflow = head[1] & reg.FIVE_BITS;
    const full = !((head[0] - pointer) & reg.FIVE_BITS);
    /** When the conversion behind the lost ones came at the earliest. */
    const next = seenAt + (reg.FIFO_DEPTH + overflow - seen) * shortest;
    // Not where it was left, or full before it can be: what follows is no data.
    if (head[2] !== pointer || (full && seen < reg.FIFO_DEPTH && outcome.ended < next - shortest)) {
      return restart(frame, `FIFO_RD_PTR ${hexByte(head[2])}`);
    }
    let before = 0;
    if (!gap) {
      before = missing;
      missing = 0;
      if (before > 0) index += before;
    }
    const start = frame.channels[0].count;
    let count = start;
    first.order.forEach((channel, slot) => {
      const block = frame.channels[channel];
      const samples = block.samples;
      let at = reg.WORD + slot * reg.WORD;
      count = start;
      replies.forEach((bytes) => {
        // Bits 23 to 18 are not defined; the MSB is bit 17 at every pulse width (p14-15).
        for (; at < bytes.length; at += size) {
          samples[count++] = (((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) << 14) >>> first.shift;
        }
        at = slot * reg.WORD;
      });
      const peak = samples.indexOf(first.top, start);
      block.flags |= peak >= 0 && peak < count ? mark | FLAG_SATURATED : mark;
      block.count = count;
      if (start) return;
      block.index = index;
      block.time = time;
      block.uncertainty = doubt;
      block.lost = before;
    });
    count -= start;
    mark = 0;
    index += count;
    pointer = (pointer + count) & reg.FIVE_BITS;
    time += count * period;
    doubt += count * drift;
    // Full when the first byte was popped: the count is right if the next conversion surely came later. Where pointers
    // and samples do not fit into one read, it may have become full in between.
    const known = overflow < reg.FIVE_BITS && (phase === reg.CLOSING || outcome.ended < next);
    const lost = known ? overflow : -1;
    if (lost && (full || first.heads)) {
      if (gap || !full) return restart(frame, "");
      gap = reg.FIFO_DEPTH;
      missing = lost;
    }
    if (gap) gap -= count;
    if (outcome.error) return finish(frame);
    almost = 0;
    drainedAt = seenAt = outcome.began;
    seen = gap;
    return gap ? drain(gap) : finish(frame);
  };

  /** A full FIFO loses until the first pop. Seen to move, OVF_COUNTER says when: then one sample is popped in time. */
  const overflowing: Step = {
    ops: [{ read: 1, at: reg.OVF_COUNTER }],
    pause: period / 8000,
    next: (outcome, frame) => {
      if (outcome.error) return failed(frame);
      if (reg.FIFO_DEPTH + (outcome.replies[0][0] & reg.FIVE_BITS) !== seen) return drain(1);
      seenAt = outcome.began;
      return ++looks < reg.OVERFLOW_LOOKS ? overflowing : drain(reg.FIFO_DEPTH);
    },
  };

  const status: Step = {
    ops: [{ read: 7, at: reg.INT_STATUS_1 }],
    next: (outcome, frame) => {
      if (outcome.error) return failed(frame);
      const began = outcome.began;
      const ended = outcome.ended;
      const reply = outcome.replies[0];
      const flags = reply[0];
      if (flags & reg.PWR_RDY || reply[2] !== first.enable) {
        return restart(frame, `status ${hexByte(flags)}, enable ${hexByte(reply[2])}`);
      }
      thermometer.look(reply[1], outcome);
      if (flags & reg.ALC_OVF) {
        mark |= FLAG_SATURATED;
        if (!bright) fail(frame, FAULT_DATA, "ALC_OVF: too much ambient light; shade it");
        bright = 1;
      }
      almost |= flags & reg.A_FULL;
      const lost = reply[5] & reg.FIVE_BITS;
      const skipped = (reply[6] - pointer) & reg.FIVE_BITS;
      let rewind: Op[] | undefined;
      let unread = (reply[4] - reply[6]) & reg.FIVE_BITS;
      // Equal pointers: full or empty. In half a FIFO's time an empty one would have filled.
      if (!unread && (lost || (almost && began - drainedAt >= reg.HALF * period))) unread = reg.FIFO_DEPTH;
      if (skipped) {
        if (unread + skipped < reg.FIFO_DEPTH) {
          // Popped by a read that failed, not yet written over: read them again (p16).
          unread += skipped;
          rewind = [{ write: [reg.FIFO_RD_PTR, pointer] }];
        } else {
          if (gap) return restart(frame, "");
          if (missing >= 0) missing += skipped;
          pointer = reply[6] & reg.FIVE_BITS;
        }
      }
      if (!unread) return finish(frame);
      // The oldest is dated from the newest, which came at most a period before the pointers were read.
      const half = (ended - began + period) / 2;
      const ahead = missing > 0 ? missing : 0;
      const behind = unread - 1 + lost + first.lag + (gap ? ahead : 0);
      if (lost < reg.FIVE_BITS && (!gap || missing >= 0)) {
        time = ended - half - behind * period;
        doubt = half + (behind + 1) * drift;
      } else if (!gap && missing) {
        // Between the last sample that was read and the latest time that leaves room for the lost ones.
        time -= doubt;
        doubt = (ended - behind * shortest - time) / 2;
        time += doubt;
      }
      if (missing < 0) edgeIndex = -1;
      // One edge, from one source, and the sample that it came with in its place?
      if (
        outcome.edges === 1 &&
        !(reply[1] | (flags & (reg.ALC_OVF | reg.PROX_INT)) | skipped | gap) &&
        (called ? flags & reg.A_FULL : unread === 1)
      ) {
        // A better one, if it agrees. With the period measured from edge to edge, only the jitter of two stamps is left.
        const edge = outcome.edgeAt;
        const sample = index + ahead + called;
        const measured = (edge - edgeAt) / (sample - edgeIndex);
        const good = edgeIndex >= 0 && Math.abs(measured - period) <= 2 * drift;
        const one = edge - (called + first.lag) * (good ? measured : period);
        const jitter = drift * (good || !called ? 4 : 17);
        if (Math.abs(one - time) <= doubt + jitter) {
          time = one;
          doubt = jitter;
          edgeAt = edge;
          edgeIndex = sample;
        }
      }
      seenAt = began;
      seen = unread + lost;
      looks = 0;
      if (unread === reg.FIFO_DEPTH && lost < reg.FIVE_BITS && !gap && phase < reg.CLOSING && period >= reg.COUNTABLE) {
        return overflowing;
      }
      return drain(gap && gap < unread ? gap : unread, rewind);
    },
  };

  /** Configures, and begins; `lost`: 0, or -1 where the record goes on behind a loss. */
  const begin = (lost: number): Step => {
    phase = reg.UNOPENED;
    return createOpening(setup, fail, (_replies, _frame, outcome) => {
      phase = reg.RUNNING;
      index = lost && index;
      missing = lost;
      pointer = mark = gap = almost = bright = 0;
      drainedAt = outcome.began;
      time = outcome.ended + first.lag * period;
      doubt = period;
      edgeIndex = -1;
      thermometer.begin(lost);
      return null;
    });
  };
  const ifOpen = (step: Step): Step =>
    phase > reg.STOPPED
      ? step
      : { ops: [], next: (_, frame) => fail(frame, FAULT_CONFIGURATION, "not open; open it first") };

  const core = createCore(first, {
    open: () => begin(0),
    resume: () => begin(-1),
    poll: () => ifOpen(status),
    ifOpen: ifOpen,
    reconfigure: (next: Max30102Setup) => {
      if (next.record !== setup.record) return null;
      const changed = next.currents.join() !== setup.currents.join();
      return {
        ops: changed ? [{ write: next.currents }] : [],
        next: (outcome) => {
          if (changed) mark |= FLAG_LED_CHANGED;
          if (!outcome.error) core.configuration = setup = next;
          return null;
        },
      };
    },
    close: () => {
      if (phase < reg.RUNNING) return phase ? off : { ops: [] };
      return thermometer.before({
        ops: [{ write: [reg.MODE_CONFIG, reg.SHDN | first.mode] }, status.ops[0]],
        next: (outcome, frame) => {
          phase = reg.CLOSING;
          return status.next!(outcome, frame);
        },
      });
    },
  });
  return core;
};
