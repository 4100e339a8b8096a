/**
 * The way of the samples out of the FIFO of a MAX30102 or MAX30101: poll, loss, time, close. Device side.
 * Data sheet 19-7740, Rev 1, 10/18; pages stand beside the registers, the decisions in README.md.
 */
import {
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_SATURATED,
  type Frame,
  type Op,
  type Outcome,
  type Step,
} from "../driver.ts";
import * as reg from "./registers.ts";
import { createOpening, createSelfTest, createUnopened, down, loseAll } from "./selftest.ts";
import { createFail, hex, MODE, WIDTH } from "./settings.ts";
import type { Thermometer } from "./thermometer.ts";

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

/** What of a driver has to do with samples. */
export interface Sampling {
  open(): Step;
  poll(): Step;
  selfTest(): Step;
  close(): Step;
  /** Sets flags of the next block. */
  flag(flags: number): void;
}

/**
 * `registers`: as `encode` makes them. `slots`: the LEDs; `crossed`: the FIFO has the second one first. `rate`: samples
 * a second, hz, each of `averaging` conversions. `single`: INT calls at every sample. `maxRead`: at least a sample, bytes.
 */
export const createSampling = (
  where: string,
  registers: number[],
  slots: readonly string[],
  crossed: boolean,
  rate: number,
  averaging: number,
  single: boolean,
  maxRead: number,
  thermometer: Thermometer | null,
): Sampling => {
  const size = slots.length * reg.WORD;
  const width = registers[WIDTH] & 3;
  const top = reg.highestCode(width);
  /** From sample to sample, us; part of it from the middle of the averaged conversions to the last of them. */
  const period = 1e6 / rate;
  const shortest = period * (1 - TOLERANCE);
  const lag = (averaging - 1) / averaging / 2;
  /** Reads that bring no sample: the pointers do not always fit into one read with the first sample. */
  const heads = maxRead < reg.WORD + size ? 1 : 0;
  /** The place in the FIFO of the sample whose interrupt is dated. */
  const called = single ? 0 : HALF;

  /** `started`: since `open()`, this chip was identified and configured. */
  let started = false;
  let running = false;
  let closing = false;
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

  const fail = createFail(where);
  const unopened = createUnopened(where);

  /** Ends a chain; in a `close()`, with reset and lowest power. */
  const finish = (frame: Frame): Step | null => {
    if (!closing) return thermometer ? thermometer.next() : null;
    if (missing !== 0) {
      fail(frame, FAULT_DATA, `${missing < 0 ? "unknown" : missing} samples lost before the end; poll it sooner`);
      missing = 0;
    }
    running = false;
    return thermometer ? thermometer.last(frame, down) : down;
  };

  const restart = (frame: Frame, message: string): Step | null => {
    running = false;
    frame.restart = !closing;
    missing = 0;
    loseAll(frame);
    fail(frame, FAULT_RESTARTED, message);
    return closing ? finish(frame) : null;
  };
  const forgot = (frame: Frame, what: string): Step | null =>
    restart(frame, `lost its registers (${what}): brown-out, or reset by another; check the supply`);

  /** Reads the three pointers and `count` samples, whole ones, in reads of at most `maxRead` bytes (p14). */
  const drain = (count: number, ops: Op[]): Step => {
    for (let head = 3; count > 0; head = 0) {
      const part = Math.min(count, Math.floor((maxRead - head) / size));
      ops.push({ read: head + part * size, at: head > 0 ? reg.FIFO_WR_PTR : reg.FIFO_DATA });
      count -= part;
    }
    return { ops, next: onDrain };
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
    for (let slot = 0; slot < slots.length; slot++) {
      const block = frame.channels[crossed ? 1 - slot : slot];
      const samples = block.samples;
      const start = block.count;
      let count = start;
      let at = reg.WORD;
      for (let i = 0; i < replies.length; i++) {
        const bytes = replies[i];
        // Bits 23 to 18 are not defined; the MSB is bit 17 at every pulse width (p14-15).
        for (at += slot * reg.WORD; at < bytes.length; at += size) {
          samples[count++] = (((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) << 14) >>> (17 - width);
        }
        at = 0;
      }
      const peak = samples.indexOf(top, start);
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
    const known = lost < reg.FIVE_BITS && (closing || outcome.ended < next);
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
  const onOverflow = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) {
      mark |= FLAG_BUS_FAULT;
      return finish(frame);
    }
    if (reg.FIFO_DEPTH + (reply[0] & reg.FIVE_BITS) !== seen) return drain(1, []);
    seenAt = outcome.began;
    return ++looks < OVERFLOW_LOOKS ? overflow : drain(reg.FIFO_DEPTH, []);
  };
  const overflow: Step = { ops: [{ read: 1, at: reg.OVF_COUNTER }], pause: period / 8000, next: onOverflow };

  /** Dates the oldest sample, of `unread` and `lost` behind them; `edge`: when the interrupt's sample came, 0: unknown. */
  const date = (outcome: Outcome, unread: number, lost: number, edge: number): void => {
    // From the newest, which came at most a period before the pointers were read.
    const half = (outcome.ended - outcome.began + period) / 2;
    const behind = unread - 1 + lost + lag + (gap > 0 && missing > 0 ? missing : 0);
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
    const first = edge - (called + lag) * (good ? measured : period);
    const jitter = period * (good || single ? 4 : 17) * TOLERANCE;
    if (Math.abs(first - time) <= doubt + jitter) {
      time = first;
      doubt = jitter;
      edgeAt = edge;
      edgeIndex = sample;
    }
  };

  const onStatus = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) {
      // The chip may have cleared A_FULL all the same.
      almost = true;
      mark |= FLAG_BUS_FAULT;
      return finish(frame);
    }
    const flags = reply[0];
    if ((flags & reg.PWR_RDY) !== 0 || reply[2] !== registers[0]) {
      return forgot(frame, `status ${hex(flags)}, enable ${hex(reply[2])}`);
    }
    if (thermometer) thermometer.look(reply[1], outcome);
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
    const alone = outcome.edges === 1 && others === 0 && (single ? unread === 1 : (flags & reg.A_FULL) !== 0);
    date(outcome, unread, lost, alone ? outcome.edgeAt : 0);
    seenAt = outcome.began;
    seen = unread + lost;
    if (unread === reg.FIFO_DEPTH && lost < reg.FIVE_BITS && gap === 0 && !closing && period >= COUNTABLE) {
      looks = 0;
      return overflow;
    }
    return drain(gap > 0 && gap < unread ? gap : unread, ops);
  };
  const status: Step = { ops: [{ read: 7, at: reg.INT_STATUS_1 }], next: onStatus };

  const onStart = (outcome: Outcome): null => {
    if (outcome.error !== null) return null;
    running = started = true;
    pointer = index = mark = missing = gap = 0;
    almost = bright = false;
    drainedAt = outcome.began;
    time = outcome.ended + lag * period;
    doubt = period;
    edgeIndex = -1;
    if (thermometer) thermometer.begin();
    return null;
  };

  return {
    open: () => {
      running = started = closing = false;
      return createOpening(where, registers, slots, onStart);
    },
    poll: () => (running ? status : unopened),
    selfTest: () => (running ? createSelfTest(where, registers) : unopened),
    close: () => {
      if (!running) return { ops: started ? [{ write: [reg.MODE_CONFIG, reg.SHDN] }] : [] };
      const ending: Step = {
        ops: [{ write: [reg.MODE_CONFIG, registers[MODE]] }, status.ops[0]],
        next: (outcome, frame) => {
          closing = true;
          return onStatus(outcome, frame);
        },
      };
      return thermometer ? thermometer.before(ending) : ending;
    },
    flag: (flags) => {
      mark |= flags;
    },
  };
};
