/**
 * MAX30003: single-lead ECG front end on SPI (Maxim, data sheet Rev 3). Page numbers: MAX30001G data sheet, whose ECG
 * channel, registers and FIFO are the same; what rests on one source or on none stands in README.md. Device side.
 */
import type { Block, Core, Frame, Op, Outcome, Step } from "../driver.ts";
import { createCore, FLAG_CLOCK_UNCERTAIN, FLAG_LEAD_OFF } from "../driver.ts";
import { tellCorrupt, tellLeads, tellLost, tellSilence } from "./faults.ts";
import { decode } from "./fifo.ts";
import { attempt, bring, type Max30003Setup, type Next, reset, run, step } from "./opening.ts";
import * as r from "./registers.ts";

export type { Max30003Setup } from "./opening.ts";

const check: readonly Op[] = [r.command(r.READ_STATUS), r.command(r.READ_CNFG_GEN)];

/** Its driver. */
export const createDriver = (first: Max30003Setup): Core<Max30003Setup> => {
  let setup = first;
  /** Words before the one that raises EINT. */
  const before = setup.efit - 1;
  const period = setup.period;
  const timer = setup.timer;
  const asleep = setup.asleep;
  /** The crystal at FCLK and the board's clock are taken to agree within 1 / 1024, unless edges say otherwise. */
  const drift = period / 1024;

  /** What CNFG_GEN must read as long as the chip is the one that was configured; -1: unknown. */
  let general = -1;
  let status = 0;
  /** What the chain under way fills: the frame, its ECG, its intervals. */
  let frame: Frame;
  let ecg: Block;
  let interval: Block;
  let index = 0;
  /** A loss of unknown size comes before the next samples, the next interval, the next waking. */
  let gap = false;
  let beatGap = false;
  let slept = false;
  /** Flags that wait for samples: the reading of STATUS clears what it says. */
  let held = 0;
  let reads = 0;

  /** From sample to sample as the edges have it, us; the last edge and the index of its sample, Infinity: none. */
  let pace = period;
  let average = period;
  let edgeAt = 0;
  let edgeIndex = Infinity;
  /** When words last left the FIFO, us: only a later edge tells when word EFIT came. */
  let emptiedAt = 0;
  let anchored = false;

  /** LDOFF bits that were told; when a lead was last seen off, and since when one has been off, us. */
  let told = 0;
  let offAt = 0;
  let offSince = Infinity;

  /** R-to-R intervals handed over, and the quality of the samples since the last one. */
  let beats = 0;
  let beatFlags = 0;
  /** The next R event ends no interval: RTOR counts from SYNCH, or from when its timer went over. */
  let opening = true;
  /** The last look at STATUS that knew of no R event, and the last one that did, us; -1: none waits to be read. */
  let seenAt = 0;
  let eventAt = -1;

  /** A chain that fills `given` begins. */
  const fill = (given: Frame): void => {
    frame = given;
    ecg = given.channels[0];
    interval = given.channels[1];
  };

  /** Takes note of a STATUS. */
  const note = (reply: Uint8Array): void => {
    status = r.word(reply);
    if (status & r.LDOFF) held |= FLAG_LEAD_OFF;
    if (status & r.PLLINT) held |= FLAG_CLOCK_UNCERTAIN;
  };

  /** STATUS and CNFG_GEN, the last two replies. False: this is not the chip that was configured. */
  const alive = (outcome: Outcome): boolean => {
    const replies = outcome.replies;
    const at = outcome.ended;
    const value = r.word(replies[replies.length - 1]);
    if (value !== general) {
      ecg.count = 0;
      return tellLost(frame, value, general);
    }
    note(replies[replies.length - 2]);
    const off = status & r.LDOFF;
    if (off) {
      // Each is told once until all have been on for a while, since a loose one comes and goes.
      if (off & ~told) tellLeads(frame, off);
      told |= off;
      offAt = at;
    } else if (at - offAt > r.TELL_AGAIN) told = 0;
    // As long as nobody reads RTOR, a later event may take the place of one that waits.
    if (timer && status & r.RRINT) eventAt = at;
    else if (eventAt < 0) seenAt = outcome.began;
    return true;
  };

  /** The next samples belong to this chain. */
  const begin = (): void => {
    ecg.index = index;
    if (gap) {
      ecg.lost = -1;
      edgeIndex = Infinity;
    }
    gap = anchored = false;
    reads = 0;
  };

  /** A block's value that came between these, us, is so many samples younger than its first. */
  const date = (block: Block, low: number, high: number, older: number): void => {
    block.time = (low + high) / 2 - older * pace;
    block.uncertainty = (high - low) / 2 + older * drift;
  };

  /**
   * Closes the block: what STATUS said holds for it; where no edge told the time, its last word is the newest as of
   * `outcome`, or up to `behind` newer ones wait.
   */
  const finish = (outcome: Outcome, behind: number): void => {
    ecg.flags |= held;
    index += ecg.count;
    if (!ecg.count) return;
    held = setup.mark;
    if (anchored) return;
    const high = outcome.ended;
    date(ecg, outcome.began - (behind + 1) * pace, behind ? high - pace : high, ecg.count - 1);
  };

  /** `then`, behind an R-to-R interval that waits. */
  const lastly = (then: Step | null): Step | null => {
    beatFlags |= ecg.flags;
    if (timer && beatGap) interval.lost = -1;
    beatGap = false;
    if (eventAt < 0) return then;
    return step([r.command(r.READ_RTOR) as Op].concat(check), (outcome) => {
      // Nobody knows whether RRINT is cleared: if not, the next look finds the event again.
      if (outcome.error) interval.lost = -1;
      else if (alive(outcome)) {
        const value = r.word(outcome.replies[0]) >> r.RTOR_SHIFT;
        const over = value === r.RTOR_OVERFLOW;
        // So long after the last look another event may have come before this one, and nobody read it.
        if (over || eventAt - seenAt >= (value - 1) * timer) interval.lost = -1;
        if (over) tellSilence(frame, value * timer);
        else if (value && !opening) {
          interval.samples[0] = value;
          interval.count = 1;
          interval.index = beats++;
          date(interval, seenAt, eventAt, 0);
          interval.flags = beatFlags;
          beatFlags = 0;
        }
        opening = over;
        seenAt = outcome.began;
      }
      eventAt = -1;
      return then;
    });
  };

  /** The channel off, until both leads are on. */
  const sleep = attempt(
    setup.sleep,
    () => {
      general = asleep;
      slept = true;
      return null;
    },
    null,
  );

  /** What a chain does when it is done with the FIFO. */
  const end = (at: number): Step | null => {
    offSince = status & r.LDOFF ? Math.min(offSince, at) : Infinity;
    return lastly(asleep && at - offSince >= setup.patience ? sleep : null);
  };

  /** Words that are not to be trusted go. */
  const clear = step([r.command(r.DO_FIFO_RST)], (outcome) => {
    emptiedAt = outcome.ended;
    return outcome.error ? null : lastly(null);
  });

  /** Tells of a FIFO that is not to be trusted; `tag` said so. */
  const corrupt = (tag: number): Step => {
    tellCorrupt(frame, tag, setup.target.pollEvery);
    return clear;
  };

  /** Words were read: more of them, or the end. */
  const collect: Next = (outcome) => {
    emptiedAt = outcome.ended;
    reads++;
    let last = r.TAG_OVERFLOW; // an error: nobody knows how far the read pointer went
    if (!outcome.error) {
      if (!alive(outcome)) return null;
      last = decode(outcome.replies, ecg);
      if (status & r.EOVF) last = r.TAG_OVERFLOW;
    }
    const full = status & r.EINT;
    const bad = last > r.TAG_END;
    if (!bad && reads < r.MOST_READS && ecg.count + before < r.CAPACITY) {
      if (full) return burst;
      if (!last) return single;
    }
    if (bad) gap = true;
    finish(outcome, last === r.TAG_END ? 0 : bad || full ? r.FIFO_WORDS : before + 1);
    if (outcome.error) return null;
    return bad ? corrupt(last) : end(outcome.ended);
  };
  // EINT promises EFIT words. The rest goes one by one up to EOF: nothing may be read beyond the last valid word (p. 61).
  const burst = step(setup.burst, collect);
  const single = step([r.command(r.READ_ECG_FIFO) as Op].concat(check), collect);

  /** Is it the chip that was configured, are the leads on, are there words? */
  const poll: Step = step(check, (outcome, given) => {
    fill(given);
    if (outcome.error) {
      if (outcome.replies.length) note(outcome.replies[0]);
      return null;
    }
    if (!alive(outcome)) return null;
    if (general === asleep) {
      ecg.flags |= FLAG_LEAD_OFF;
      if (!(status & r.LONINT)) return null;
      offSince = Infinity;
      return run(setup.wake, step(setup.synch, start(setup.general, slept)));
    }
    begin();
    ecg.flags |= held;
    if (status & r.EOVF) {
      ecg.lost = -1;
      return corrupt(r.TAG_OVERFLOW);
    }
    if (!(status & r.EINT)) return end(outcome.ended);
    // The edge came with word EFIT of those that are there now: the first of them is EFIT - 1 periods older.
    const at = outcome.edgeAt;
    anchored = outcome.edges === 1 && at > emptiedAt;
    if (anchored) {
      // Pairs of edges that agree with an oscillator are averaged.
      const measured = (at - edgeAt) / (index + before - edgeIndex);
      if (Math.abs(measured - period) * 32 < period) average += (measured - average) / 8;
      pace = Math.abs(average - period) > drift ? average : period;
      edgeAt = at;
      edgeIndex = index + before;
      date(ecg, at - r.EDGE_UNCERTAINTY, at + r.EDGE_UNCERTAINTY, before);
    }
    return burst;
  });

  /** What follows SYNCH, CNFG_GEN being `value`; `cut`: the record goes on after one that was cut off. */
  const start =
    (value: number, cut: boolean): Next =>
    (outcome) => {
      general = value;
      gap = beatGap = cut;
      held = setup.mark;
      emptiedAt = outcome.ended;
      opening = true;
      eventAt = -1;
      seenAt = outcome.began;
      beatFlags = 0;
      return value === asleep && !outcome.error ? poll : null;
    };

  const core = createCore(first, {
    open: () => {
      index = beats = 0;
      edgeIndex = Infinity;
      slept = false;
      return bring(setup.writes, {
        ops: [r.command(r.DO_SYNCH)],
        pause: setup.pause,
        next: start(asleep || setup.general, false),
      });
    },
    poll: () => poll,
    reconfigure: (next: Max30003Setup) => {
      if (next.record !== setup.record) return null;
      // Fast recovery goes its way without a new record (p. 45).
      let ops = next.dynamic !== setup.dynamic ? next.recover : [];
      // Where it fails nobody knows what the chip has: the next poll finds out, and asks for an opening.
      let then: Next = (outcome) => {
        if (outcome.error) general = -1;
        return null;
      };
      if (next.general !== setup.general && general !== asleep) {
        // A change of CNFG_GEN disturbs the record (p. 47): SYNCH begins a clean one. The next poll reads it back.
        ops = ops.concat(next.wake, next.synch);
        then = start(next.general, true);
      }
      core.configuration = setup = next;
      return step(ops, then);
    },
    resume: () => step(setup.wake.concat(setup.writes.slice(1), setup.synch), start(setup.general, true)),
    close: () =>
      attempt(
        setup.stop,
        (stopped, given) => {
          general = setup.stopped;
          fill(given);
          begin();
          const off = step(reset.ops, () => {
            // A poll finds a chip that is not to be polled.
            general = setup.general;
            return null;
          });
          return attempt(
            setup.drain,
            (outcome) => {
              if (!alive(outcome)) return off;
              const last = decode(outcome.replies, ecg);
              if (last > r.TAG_END) corrupt(last);
              finish(stopped, 0);
              return lastly(off);
            },
            off,
          );
        },
        reset,
      ),
  });
  return core;
};
