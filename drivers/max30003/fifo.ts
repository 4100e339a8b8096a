/**
 * How a MAX30003 is polled: STATUS, the words of its FIFO, their time; overflow, lost state. Pages: MAX30001G data sheet.
 * Device side.
 */
import type { Block, Frame, Outcome, Step } from "../driver.ts";
import { FLAG_CLOCK_UNCERTAIN, FLAG_LEAD_OFF, FLAG_SATURATED, FLAG_SETTLING } from "../driver.ts";
import { type Next, tellCorrupt, tellLeads, tellLost } from "./faults.ts";
import type { Intervals } from "./intervals.ts";
import type { Leads } from "./leads.ts";
import { type Max30003Setup, reset } from "./opening.ts";
import * as r from "./registers.ts";

/**
 * FIFO words of the first `bursts` replies into a block (p. 61, 62). Returns the tag that ended them: overflow or an
 * unused one (not to be trusted from there on), TAG_END, or 0 where more words wait. An EMPTY word is no sample; what
 * follows it may be. Time-only samples of fast recovery are kept, as settling; samples at a rail are flagged.
 */
const decode = (replies: readonly Uint8Array[], bursts: number, block: Block): number => {
  const samples = block.samples;
  let count = block.count;
  let last = 0;
  for (let k = 0; k < bursts && last <= r.TAG_END; k++) {
    const bytes = replies[k];
    // The bit that says END says EMPTY, too.
    last = (bytes[bytes.length - 1] >> 3) & r.TAG_END;
    for (let i = 1; i < bytes.length; i += 3) {
      if ((bytes[i + 2] & r.TAG_BITS) !== 0) {
        const tag = (bytes[i + 2] >> 3) & 7;
        if (tag === r.TAG_EMPTY) continue;
        if (tag > 3) {
          last = tag;
          break;
        }
        if ((tag & r.TAG_FAST) !== 0) block.flags |= FLAG_SETTLING;
      }
      const sample = ((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8)) >> 14;
      if ((sample ^ (sample >> 31)) === 131071) block.flags |= FLAG_SATURATED;
      samples[count++] = sample;
    }
  }
  block.count = count;
  return last;
};

const check = [r.read(r.STATUS), r.read(r.CNFG_GEN)];

export interface Reading {
  /** What CNFG_GEN must read as long as the chip is the one that was configured. */
  general: number;
  /** Switches the channel off while leads are; null: it is always on. */
  leads: Leads | null;
  /** The channel is off. */
  waiting: boolean;
  readonly poll: Step;
  /** The chip is to be opened. */
  open(): void;
  /** What follows SYNCH, CNFG_GEN being `general`; `lost`: the record goes on after one that was cut off. */
  start(general: number, lost: boolean): Next;
  /** The channel was switched off with that outcome: reads what is there, resets the chip; then `general` is awaited. */
  drain(stopped: Outcome, frame: Frame, general: number): Step;
}

/** `intervals`: R-to-R, or null. */
export const createReading = (setup: Max30003Setup, intervals: Intervals | null): Reading => {
  const efit = setup.efit;
  const period = setup.period;
  const pollEvery = setup.target.pollEvery;
  const mark = setup.mark;
  /** The crystal at FCLK and the board's clock are taken to agree within 1 / 1024, unless edges say otherwise. */
  const drift = period / 1024;
  /** From sample to sample as the edges have it, us; the last edge and the index of its sample, -1: none. */
  let pace = period;
  let average = period;
  let edgeAt = 0;
  let edgeIndex = -1;
  let status = 0;
  let index = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  /** Flags out of STATUS that wait for samples: its reading clears them. */
  let held = 0;
  /** LDOFF bits that were told; when a lead was last seen off, us. */
  let told = 0;
  let offAt = 0;
  /** When words last left the FIFO, us: only a later edge tells when word EFIT came. */
  let emptiedAt = 0;
  let anchored = false;
  let reads = 0;

  /**
   * What STATUS says of the samples. A lead that is off is told, too, in a frame: once until it has been on for a while,
   * since a loose one comes and goes.
   */
  const judge = (frame: Frame | null, at: number): void => {
    const off = status & r.LDOFF;
    if ((status & r.PLLINT) !== 0) held |= FLAG_CLOCK_UNCERTAIN;
    if (off !== 0) held |= FLAG_LEAD_OFF;
    else if (at - offAt > r.TELL_AGAIN) told = 0;
    if (off === 0 || frame === null) return;
    offAt = at;
    if ((off & ~told) !== 0) tellLeads(frame, off);
    told |= off;
  };

  /** STATUS and CNFG_GEN, the last two replies. False: this is not the chip that was configured. */
  const alive = (outcome: Outcome, frame: Frame): boolean => {
    const replies = outcome.replies;
    const value = r.word(replies[replies.length - 1]);
    if (value !== reading.general) return tellLost(frame, value, reading.general);
    status = r.word(replies[replies.length - 2]);
    if ((status & (r.LDOFF | r.PLLINT)) !== 0 || told !== 0) judge(frame, outcome.ended);
    if (intervals !== null) intervals.look(status, outcome);
    return true;
  };

  const take = (replies: readonly Uint8Array[], block: Block): number => {
    const count = block.count;
    const last = decode(replies, replies.length - 2, block);
    index += block.count - count;
    return last;
  };

  /**
   * Closes a block: what STATUS said holds for it; where no edge told the time, its last word is the newest as of
   * `began` .. `ended`, or up to `behind` newer ones wait.
   */
  const finish = (block: Block, began: number, ended: number, behind: number): void => {
    block.flags |= held;
    if (block.count === 0) return;
    held = mark;
    if (anchored) return;
    const low = began - (behind + 1) * pace;
    const high = behind > 0 ? ended - pace : ended;
    block.time = (low + high) / 2 - (block.count - 1) * pace;
    block.uncertainty = (high - low) / 2 + (block.count - 1) * drift;
  };

  const begin = (block: Block): void => {
    block.index = index;
    if (gap) {
      block.lost = -1;
      edgeIndex = -1;
    }
    gap = false;
    anchored = false;
    reads = 0;
  };

  /** An edge came with the sample of this index. Pairs that agree with an oscillator are averaged. */
  const pair = (at: number, sample: number): void => {
    const measured = (at - edgeAt) / (sample - edgeIndex);
    if (edgeIndex >= 0 && Math.abs(measured - period) * 32 < period) average += (measured - average) / 8;
    pace = Math.abs(average - period) > drift ? average : period;
    edgeAt = at;
    edgeIndex = sample;
  };

  /** RTOR, then `then`. */
  const interval = (then: Step | null): Step => ({
    ops: [r.read(r.RTOR)].concat(check),
    next: (outcome, frame) => {
      if (intervals === null) return then;
      if (outcome.error !== null) intervals.take(-1, outcome, frame);
      else if (alive(outcome, frame)) intervals.take(r.word(outcome.replies[0]) >> r.RTOR_SHIFT, outcome, frame);
      return then;
    },
  });

  /** `then`, behind an R-to-R interval that waits. */
  const lastly = (then: Step | null, frame: Frame): Step | null => {
    if (intervals === null) return then;
    return intervals.waits(frame) ? interval(then) : then;
  };

  /** What a chain does when it is done with the FIFO. */
  const end = (outcome: Outcome, frame: Frame): Step | null => {
    const leads = reading.leads;
    return lastly(leads === null ? null : leads.tired(status, outcome.ended), frame);
  };

  const clear: Step = {
    ops: [r.write(r.FIFO_RST, 0)],
    next: (outcome, frame) => {
      emptiedAt = outcome.ended;
      return outcome.error === null ? lastly(null, frame) : null;
    },
  };

  const collect = (outcome: Outcome, frame: Frame): Step | null => {
    const block = frame.channels[0];
    emptiedAt = outcome.ended;
    reads++;
    let last = r.TAG_OVERFLOW; // an error: nobody knows how far the read pointer went
    if (outcome.error === null) {
      if (!alive(outcome, frame)) return null;
      last = take(outcome.replies, block);
      if ((status & r.EOVF) !== 0) last = r.TAG_OVERFLOW;
    }
    const full = (status & r.EINT) !== 0;
    if (last <= r.TAG_END && reads < r.MOST_READS && block.count + efit <= r.CAPACITY) {
      if (full) return burst;
      if (last === 0) return single;
    }
    const lost = last > r.TAG_END;
    if (lost) gap = true;
    finish(block, outcome.began, outcome.ended, last === r.TAG_END ? 0 : lost || full ? r.FIFO_WORDS : efit);
    if (outcome.error !== null) return null;
    if (!lost) return end(outcome, frame);
    tellCorrupt(frame, last, pollEvery);
    return clear;
  };
  // EINT promises EFIT words. The rest goes one by one up to EOF: nothing may be read beyond the last valid word (p. 61).
  const burst: Step = { ops: setup.burst.concat(check), next: collect };
  const single: Step = { ops: [r.read(r.ECG_FIFO)].concat(check), next: collect };

  const poll: Step = {
    ops: check,
    next: (outcome, frame) => {
      const replies = outcome.replies;
      if (outcome.error !== null) {
        if (replies.length === 0) return null;
        status = r.word(replies[0]);
        judge(null, 0);
        return null;
      }
      if (!alive(outcome, frame)) return null;
      const block = frame.channels[0];
      if (reading.leads !== null && reading.waiting) return reading.leads.look(status, frame);
      begin(block);
      block.flags |= held;
      if ((status & r.EOVF) !== 0) {
        block.lost = -1;
        tellCorrupt(frame, r.TAG_OVERFLOW, pollEvery);
        return clear;
      }
      if ((status & r.EINT) === 0) return end(outcome, frame);
      // The edge came with word EFIT of those that are there now: the first of them is EFIT - 1 periods older.
      anchored = outcome.edges === 1 && outcome.edgeAt > emptiedAt;
      if (anchored) {
        pair(outcome.edgeAt, index + efit - 1);
        block.time = outcome.edgeAt - (efit - 1) * pace;
        block.uncertainty = r.EDGE_UNCERTAINTY + (efit - 1) * drift;
      }
      return burst;
    },
  };

  const reading: Reading = {
    general: 0,
    leads: null,
    waiting: false,
    poll: poll,
    open: () => {
      index = 0;
      edgeIndex = -1;
      if (intervals !== null) intervals.open();
    },
    start: (general, lost) => (outcome) => {
      reading.general = general;
      reading.waiting = false;
      held = mark;
      gap = lost;
      emptiedAt = outcome.ended;
      if (intervals !== null) intervals.begin(outcome, lost);
      return null;
    },
    drain: (stopped, frame, general) => {
      begin(frame.channels[0]);
      const end: Step = {
        ops: reset.ops,
        next: () => {
          reading.general = general;
          return null;
        },
      };
      return {
        ops: setup.drain.concat(check),
        next: (outcome, rest) => {
          const block = rest.channels[0];
          if (outcome.error !== null || !alive(outcome, rest)) return end;
          const last = take(outcome.replies, block);
          if (last > r.TAG_END) tellCorrupt(rest, last, pollEvery);
          finish(block, stopped.began, stopped.ended, 0);
          return lastly(end, rest);
        },
      };
    },
  };
  return reading;
};
