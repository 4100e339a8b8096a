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
  type Op,
  type Outcome,
  type Step,
  tell,
} from "../driver.ts";
import { createOpening, hex, type Max30102Setup, reset } from "./opening.ts";
import * as reg from "./registers.ts";
import { createThermometer } from "./thermometer.ts";

export type { Max30102Setup } from "./opening.ts";

/** Samples between two polls: half a FIFO. */
const HALF = 16;
/** How often OVF_COUNTER is looked at, an eighth of a period apart. */
const OVERFLOW_LOOKS = 10;
/** The oscillator: 10.32 to 10.64 MHz, typically 10.48 (p3), so one part in 64 either way. */
const TOLERANCE = 1 / 64;
/** Shortest period in which a host can see OVF_COUNTER move and pop before it moves again, us. */
const COUNTABLE = 5000;
/** Two gaps in one FIFO cannot be put down as one. */
const TWICE = "lost samples twice in one FIFO; poll it sooner";

/** What the chip is since `open()` was called: identified and configured from STOPPED on. */
const UNOPENED = 0;
const STOPPED = 1;
const RUNNING = 2;
const CLOSING = 3;

/** The driver, and what its self-test needs. */
export interface Max30102Core extends Core<Max30102Setup> {
  /** `step`, where the chip is open; else one that says that it is not. */
  ifOpen(step: Step): Step;
}

/** The driver of both chips. */
export const createDriver = (first: Max30102Setup): Max30102Core => {
  const order = first.order;
  const light = first.channels[0];
  const size = order.length * reg.WORD;
  /** From sample to sample, us. */
  const period = 1e6 / light.rate;
  const shortest = period * (1 - TOLERANCE);
  /** Reads that bring no sample: the pointers do not always fit into one read with the first sample. */
  const heads = first.maxRead < reg.WORD + size ? 1 : 0;
  const called = first.called;
  const thermometer = createThermometer(first);

  let setup = first;
  let phase = UNOPENED;
  let looks = 0;
  /** Flags for the next block. */
  let mark = 0;
  /** ALC_OVF was told of. */
  let bright = false;
  /** Where FIFO_RD_PTR must stand; index, time and half uncertainty (us) of the sample there. */
  let pointer = 0;
  let index = 0;
  let time = 0;
  let doubt = 0;
  /** A_FULL was seen since the FIFO was last drained, and when that was. */
  let almost = false;
  let drainedAt = 0;
  /** Samples lost, -1: unknown, behind `gap` more that are still in the FIFO. */
  let missing = 0;
  let gap = 0;
  /** What had been converted when the chip was last looked at: unread, plus lost behind it. */
  let seenAt = 0;
  let seen = 0;
  /** The last edge that agreed with the FIFO, and the index of its sample; -1: none. */
  let edgeAt = 0;
  let edgeIndex = -1;

  const fail = (frame: Frame, code: number, words: string): null => tell(frame, code, setup.where, words);

  const off: Step = { ops: [{ write: [reg.MODE_CONFIG, reg.SHDN] }] };
  /** Ends a chain; in a `close()`, with reset and lowest power. */
  const finish = (frame: Frame): Step | null => {
    if (phase < CLOSING) return thermometer.last(frame, null);
    if (missing !== 0) {
      fail(frame, FAULT_DATA, `${missing < 0 ? "unknown" : missing} samples lost before the end; poll it sooner`);
      missing = 0;
    }
    phase = STOPPED;
    return thermometer.last(frame, reset(off));
  };
  /** After a status that did not come. */
  const failed = (frame: Frame): Step | null => {
    mark |= FLAG_BUS_FAULT;
    return finish(frame);
  };

  const restart = (frame: Frame, words: string): Step | null => {
    missing = 0;
    // A channel that this frame has nothing of has lost nobody knows how much.
    for (let i = 0; i < frame.channels.length; i++) if (frame.channels[i].count === 0) frame.channels[i].lost = -1;
    fail(frame, FAULT_RESTARTED, words);
    if (phase === CLOSING) return finish(frame);
    phase = STOPPED;
    frame.restart = true;
    return null;
  };
  const forgot = (frame: Frame, what: string): Step | null =>
    restart(frame, `lost its registers (${what}): brown-out, or reset by another; check the supply`);

  /** Reads the three pointers and `count` samples, whole ones, in reads of at most `maxRead` bytes (p14). */
  const drain = (count: number, ops: Op[]): Step => {
    for (let head = 3; count > 0; head = 0) {
      const part = Math.min(count, Math.floor((first.maxRead - head) / size));
      // The pointers lie before it.
      ops.push({ read: head + part * size, at: reg.FIFO_DATA - head });
      count -= part;
    }
    return { ops: ops, next: onDrain };
  };

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const replies = outcome.replies;
    if (outcome.error !== null) mark |= FLAG_BUS_FAULT;
    if (replies.length <= heads) return finish(frame);
    const head = replies[0];
    const lost = head[1] & reg.FIVE_BITS;
    const full = ((head[0] ^ head[2]) & reg.FIVE_BITS) === 0;
    /** When the conversion behind the lost ones came at the earliest. */
    const next = seenAt + (reg.FIFO_DEPTH + lost - seen) * shortest;
    // Not where it was left, or full before it can be: what follows is no data.
    if (head[2] !== pointer || (full && seen < reg.FIFO_DEPTH && outcome.ended < next - shortest)) {
      return forgot(frame, `FIFO_RD_PTR ${hex(head[2])}`);
    }
    const before = gap > 0 ? 0 : missing;
    if (before > 0) index += before;
    let decoded = 0;
    for (let slot = 0; slot < order.length; slot++) {
      const block = frame.channels[order[slot]];
      const samples = block.samples;
      const start = block.count;
      let count = start;
      let at = reg.WORD + slot * reg.WORD;
      for (let i = 0; i < replies.length; i++) {
        const bytes = replies[i];
        // Bits 23 to 18 are not defined; the MSB is bit 17 at every pulse width (p14-15).
        for (; at < bytes.length; at += size) {
          samples[count++] = (((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) << 14) >>> (32 - light.bits);
        }
        at = slot * reg.WORD;
      }
      const peak = samples.indexOf(light.maximum, start);
      block.flags |= peak >= 0 && peak < count ? mark | FLAG_SATURATED : mark;
      block.count = count;
      decoded = count - start;
      if (start > 0) continue;
      block.index = index;
      block.time = time;
      block.uncertainty = doubt;
      block.lost = before;
    }
    if (gap === 0) missing = 0;
    mark = 0;
    index += decoded;
    pointer = (pointer + decoded) & reg.FIVE_BITS;
    time += decoded * period;
    doubt += decoded * period * TOLERANCE;
    // Full when the first byte was popped: the count is right if the next conversion surely came later. Where pointers
    // and samples do not fit into one read, it may have become full in between.
    const known = lost < reg.FIVE_BITS && (phase === CLOSING || outcome.ended < next);
    if ((full || heads > 0) && (lost > 0 || !known)) {
      if (gap > 0 || !full) return restart(frame, TWICE);
      gap = reg.FIFO_DEPTH;
      missing = known ? lost : -1;
    }
    if (gap > 0) gap -= decoded;
    if (outcome.error !== null) return finish(frame);
    almost = false;
    drainedAt = seenAt = outcome.began;
    seen = gap;
    return gap > 0 ? drain(gap, []) : finish(frame);
  };

  /** A full FIFO loses until the first pop. Seen to move, OVF_COUNTER says when: then one sample is popped in time. */
  const overflow: Step = {
    ops: [{ read: 1, at: reg.OVF_COUNTER }],
    pause: period / 8000,
    next: (outcome, frame) => {
      if (outcome.error !== null) return failed(frame);
      if (reg.FIFO_DEPTH + (outcome.replies[0][0] & reg.FIVE_BITS) !== seen) return drain(1, []);
      seenAt = outcome.began;
      return ++looks < OVERFLOW_LOOKS ? overflow : drain(reg.FIFO_DEPTH, []);
    },
  };

  /** Dates the oldest sample, of `unread` and `lost` behind them; `edge`: when the interrupt's sample came, 0: unknown. */
  const date = (outcome: Outcome, unread: number, lost: number, edge: number): void => {
    // From the newest, which came at most a period before the pointers were read.
    const half = (outcome.ended - outcome.began + period) / 2;
    const behind = unread - 1 + lost + first.lag + (gap > 0 && missing > 0 ? missing : 0);
    if (lost < reg.FIVE_BITS && (gap === 0 || missing >= 0)) {
      time = outcome.ended - half - behind * period;
      doubt = half + (behind + 1) * period * TOLERANCE;
    } else if (gap === 0 && missing !== 0) {
      // Between the last sample that was read and the latest time that leaves room for the lost ones.
      time -= doubt;
      doubt = (outcome.ended - behind * shortest - time) / 2;
      time += doubt;
    }
    if (missing < 0) edgeIndex = -1;
    if (edge === 0) return;
    // A better one, if it agrees. With the period measured from edge to edge, only the jitter of two stamps is left.
    const sample = index + Math.max(missing, 0) + called;
    const measured = (edge - edgeAt) / (sample - edgeIndex);
    const good = edgeIndex >= 0 && Math.abs(measured - period) <= 2 * TOLERANCE * period;
    const one = edge - (called + first.lag) * (good ? measured : period);
    const jitter = period * (good || called === 0 ? 4 : 17) * TOLERANCE;
    if (Math.abs(one - time) <= doubt + jitter) {
      time = one;
      doubt = jitter;
      edgeAt = edge;
      edgeIndex = sample;
    }
  };

  const status: Step = {
    ops: [{ read: 7, at: reg.INT_STATUS_1 }],
    next: (outcome, frame) => {
      if (outcome.error !== null) {
        // The chip may have cleared A_FULL all the same.
        almost = true;
        return failed(frame);
      }
      const reply = outcome.replies[0];
      const flags = reply[0];
      if ((flags & reg.PWR_RDY) !== 0 || reply[2] !== first.enable) {
        return forgot(frame, `status ${hex(flags)}, enable ${hex(reply[2])}`);
      }
      thermometer.look(reply[1], outcome);
      if ((flags & reg.ALC_OVF) !== 0) {
        mark |= FLAG_SATURATED;
        if (!bright) fail(frame, FAULT_DATA, "ALC_OVF: too much ambient light; shade it");
        bright = true;
      }
      if ((flags & reg.A_FULL) !== 0) almost = true;
      const lost = reply[5] & reg.FIVE_BITS;
      const skipped = (reply[6] - pointer) & reg.FIVE_BITS;
      const ops: Op[] = [];
      let unread = (reply[4] - reply[6]) & reg.FIVE_BITS;
      // Equal pointers: full or empty. In half a FIFO's time an empty one would have filled.
      const full = lost > 0 || (almost && outcome.began - drainedAt >= HALF * period);
      if (unread === 0 && full) unread = reg.FIFO_DEPTH;
      if (skipped > 0 && unread + skipped < reg.FIFO_DEPTH) {
        // Popped by a read that failed, not yet written over: read them again (p16).
        unread += skipped;
        ops.push({ write: [reg.FIFO_RD_PTR, pointer] });
      } else if (skipped > 0) {
        if (gap > 0) return restart(frame, TWICE);
        if (missing >= 0) missing += skipped;
        pointer = reply[6] & reg.FIVE_BITS;
      }
      if (unread === 0) return finish(frame);
      // One edge, from one source, and the sample that it came with in its place.
      const others = reply[1] | (flags & (reg.ALC_OVF | reg.PROX_INT)) | skipped | gap;
      const alone = outcome.edges === 1 && others === 0 && (called > 0 ? (flags & reg.A_FULL) !== 0 : unread === 1);
      date(outcome, unread, lost, alone ? outcome.edgeAt : 0);
      seenAt = outcome.began;
      seen = unread + lost;
      if (unread === reg.FIFO_DEPTH && lost < reg.FIVE_BITS && gap === 0 && phase < CLOSING && period >= COUNTABLE) {
        looks = 0;
        return overflow;
      }
      return drain(gap > 0 && gap < unread ? gap : unread, ops);
    },
  };

  /** Configures, and begins; `lost`: 0, or -1 where the record goes on behind a loss. */
  const begin = (lost: number): Step => {
    phase = UNOPENED;
    return createOpening(setup, (outcome) => {
      phase = RUNNING;
      index = lost && index;
      missing = lost;
      pointer = mark = gap = 0;
      almost = bright = false;
      drainedAt = outcome.began;
      time = outcome.ended + first.lag * period;
      doubt = period;
      edgeIndex = -1;
      thermometer.begin(lost);
    });
  };
  const ifOpen = (step: Step): Step =>
    phase > STOPPED
      ? step
      : { ops: [], next: (_, frame) => fail(frame, FAULT_CONFIGURATION, "not open; open it first") };

  const core = createCore(first, {
    open: () => begin(0),
    resume: () => begin(-1),
    poll: () => ifOpen(status),
    ifOpen: ifOpen,
    reconfigure: (next: Max30102Setup) => {
      if (next.record !== setup.record) return null;
      const same = String(next.currents) === String(setup.currents);
      return {
        ops: same ? [] : [{ write: next.currents }],
        next: (outcome) => {
          if (!same) mark |= FLAG_LED_CHANGED;
          if (outcome.error === null) core.configuration = setup = next;
          return null;
        },
      };
    },
    close: () => {
      if (phase < RUNNING) return phase === UNOPENED ? { ops: [] } : off;
      return thermometer.before({
        ops: [{ write: [reg.MODE_CONFIG, reg.SHDN | first.mode] }, status.ops[0]],
        next: (outcome, frame) => {
          phase = CLOSING;
          return status.next!(outcome, frame);
        },
      });
    },
  });
  return core;
};
