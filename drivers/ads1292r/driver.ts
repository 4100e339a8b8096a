/**
 * ADS1292R: two-channel 24-bit front end for ECG and respiration on SPI (TI SBAS502C, revised April 2020), without a
 * FIFO: a conversion that is not read before the next one is gone. What rests on one source or none stands in
 * README.md. Device side.
 */
import type { Block, Core, Frame, Outcome, Step } from "../driver.ts";
import { createCore, FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, FLAG_LEAD_OFF, FLAG_SATURATED, hex } from "../driver.ts";
import { type Ads1292rSetup, bring, configure, fault, kept, type Next, rest } from "./opening.ts";
import * as r from "./registers.ts";

export type { Ads1292rSetup, Slot } from "./opening.ts";

/** Its driver. */
export const createDriver = (first: Ads1292rSetup): Core<Ads1292rSetup> => {
  const continuous = first.continuous;
  const period = first.period;
  /** Where the frame begins in a reply. */
  const base = continuous ? 0 : 1;
  let setup = first;
  let registers = setup.registers;

  let index = 0;
  /** Edges of DRDY whose conversion was not read, and the time of the last one, us. */
  let pending = 0;
  let edgeAt = 0;
  /** An edge that is told later but came earlier than this belongs to what was read already, us. */
  let readAt = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  let running = false;
  /** Within a chain: readings, and whether the registers were looked at (RDATAC). */
  let reads = 0;
  let checked = false;

  const note = (outcome: Outcome): void => {
    if (outcome.edges === 0) return;
    if (outcome.edgeAt > readAt) {
      pending += outcome.edges;
      edgeAt = outcome.edgeAt;
    } else gap = true;
  };

  // An interpreter reads over what it does not run: what is rare stands apart from what runs at every sample.
  const dead = (reply: Uint8Array, frame: Frame): boolean => {
    const what = `CONFIG1, CONFIG2 read ${hex(reply[2])}, ${hex(reply[3])}`;
    if (reply[0] === reply[3] && reply[2] === reply[3] && (reply[3] === 0 || reply[3] === 255)) {
      fault(frame, FAULT_BUS, `${what}: no chip answers; check power, select and data lines`);
    } else {
      const wanted = `${hex(registers[0])}, ${hex(registers[1])} were written`;
      fault(frame, FAULT_RESTARTED, `${what}, ${wanted}: it lost its state; open it again`);
    }
    for (let i = 0; i < frame.channels.length; i++) frame.channels[i].count = 0;
    pending = 0;
    frame.restart = true;
    return false;
  };
  /** CONFIG1 and CONFIG2 in a reply. CONFIG2 is never what it is after a reset: the reference is on. */
  const alive = (reply: Uint8Array, frame: Frame): boolean =>
    (reply[2] === registers[0] && reply[3] === registers[1]) || dead(reply, frame);

  const begin = (block: Block): void => {
    block.index = index;
    block.time = edgeAt;
    block.uncertainty = r.EDGE_UNCERTAINTY;
    block.lost = gap ? -1 : pending - 1;
  };
  /** One frame, that of the last edge, into the blocks. */
  const take = (bytes: Uint8Array, ended: number, frame: Frame): void => {
    const status = (bytes[base] << 8) | bytes[base + 1];
    index += pending - 1;
    for (let i = 0; i < setup.slots.length; i++) {
      const block = frame.channels[i];
      const slot = setup.slots[i];
      const at = base + slot.at;
      const sample = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
      if (block.count === 0) begin(block);
      block.samples[block.count] = sample;
      block.count++;
      block.flags |= slot.flags;
      if (sample === 8388607 || sample === -8388608) block.flags |= FLAG_SATURATED;
      if (status & slot.leads) block.flags |= FLAG_LEAD_OFF;
    }
    index++;
    pending = 0;
    gap = false;
    readAt = ended;
  };

  const frameOp = r.readData(continuous);
  const look = r.read(r.CONFIG1, 2);

  /** No conversion is waiting. For so many periods? */
  const silent = (outcome: Outcome, periods: number): boolean =>
    outcome.ended - Math.max(edgeAt, readAt) >= periods * period;
  const quiet = (outcome: Outcome, frame: Frame): null => {
    if (!silent(outcome, r.SILENCE)) return null;
    frame.restart = true;
    const what = `no edge of DRDY for ${r.SILENCE} periods, though its registers are in order`;
    return fault(frame, FAULT_DATA, `${what}; check the DRDY line, open it again`);
  };
  /** RDATAC: registers after a frame that is none, or after no frame for a while. */
  const check: Step = {
    ops: [r.send([r.SDATAC]), look, r.send([r.RDATAC])],
    next: (outcome, frame) => {
      note(outcome);
      checked = true;
      if (outcome.error !== null || !alive(outcome.replies[1], frame)) return null;
      return pending > 0 ? reading : quiet(outcome, frame);
    },
  };
  /** RDATAC: all zeros are also what a chip says that was reset and does not convert. */
  const blank = (bytes: Uint8Array): boolean => (r.signed(bytes, 3) | r.signed(bytes, 6)) === 0;
  /** Is it a frame of one conversion, the last one? RDATAC: all zeros may be none, until the registers were looked at. */
  const whole = (outcome: Outcome): boolean =>
    pending > 0 &&
    edgeAt <= outcome.began &&
    r.isStatus(outcome.replies[0], base) &&
    (!continuous || checked || !blank(outcome.replies[0]));
  const repeat = (outcome: Outcome, frame: Frame): Step | null => {
    if (pending === 0) return continuous && !checked && silent(outcome, r.QUIET) ? check : quiet(outcome, frame);
    // A conversion ended while it was read: the bytes may be of both. The newer one still is there.
    const torn = edgeAt > outcome.began;
    reads++;
    if (continuous && !checked && !torn) return check;
    if (reads < r.MOST_READS) return reading;
    if (torn) {
      const advice = "lower sampleRate, or use a faster bus";
      return fault(frame, FAULT_DATA, `conversions end faster than they are read; ${advice}`);
    }
    const bytes = outcome.replies[0];
    const word = `${hex(bytes[base])}, ${hex(bytes[base + 1])}, ${hex(bytes[base + 2])}`;
    return fault(frame, FAULT_DATA, `status word reads ${word}, 0xc..... was expected; slow the bus down`);
  };
  const reading: Step = {
    ops: continuous ? [frameOp] : [frameOp, look],
    next: (outcome, frame) => {
      note(outcome);
      if (outcome.error !== null || !(continuous || alive(outcome.replies[1], frame))) return null;
      if (!whole(outcome)) return repeat(outcome, frame);
      take(outcome.replies[0], outcome.ended, frame);
      return null;
    },
  };

  /** A record begins with START; `lost`: it goes on after one that was cut off. */
  const start = (lost: boolean): Next => {
    return (outcome) => {
      pending = 0;
      readAt = outcome.began;
      edgeAt = 0;
      note(outcome);
      gap = lost;
      running = true;
      return null;
    };
  };

  const core = createCore(first, {
    open: () => {
      index = 0;
      running = false;
      return bring(setup, start(false));
    },
    poll: () => {
      reads = 0;
      checked = false;
      return reading;
    },
    reconfigure: (next: Ads1292rSetup): Step | null => {
      if (next.record !== setup.record) return null;
      const values = next.registers;
      core.configuration = setup = next;
      registers = values;
      const verify: Next = (outcome, frame) => {
        note(outcome);
        if (outcome.error === null && !kept(outcome.replies[2], values, frame)) frame.restart = true;
        return null;
      };
      // CONFIG1 is left alone: a write to it would begin anew. What is converted meanwhile waits, the newest at least.
      const ops = [r.send([r.SDATAC]), r.write(r.CONFIG2, values.slice(1)), r.read(r.CONFIG1, r.WRITTEN)];
      return { ops: continuous ? ops.concat([r.send([r.RDATAC])]) : ops, next: verify };
    },
    resume: () => configure(setup, start(true)),
    close: () => {
      if (!running) return rest(first);
      running = false;
      const last: Step = {
        ops: [r.readData(false), look],
        next: (outcome, frame) => {
          note(outcome);
          const bytes = outcome.error === null ? outcome.replies[0] : null;
          if (bytes !== null && alive(outcome.replies[1], frame) && pending > 0 && r.isStatus(bytes, 1)) {
            take(continuous ? bytes.subarray(1) : bytes, outcome.ended, frame);
          }
          return rest(first);
        },
      };
      // STOP lets the conversion end that is in progress.
      const end: Step = {
        ops: [],
        pause: Math.ceil(period / 1000) + 1,
        next: (outcome) => {
          note(outcome);
          return last;
        },
      };
      return {
        ops: continuous ? [frameOp, r.send([r.SDATAC]), look, r.send([r.STOP])] : [frameOp, look, r.send([r.STOP])],
        next: (outcome, frame) => {
          note(outcome);
          const bytes = outcome.replies[0];
          if (outcome.error !== null || !alive(outcome.replies[continuous ? 2 : 1], frame)) return rest(first);
          if (pending > 0 && edgeAt <= outcome.began && r.isStatus(bytes, base)) take(bytes, outcome.ended, frame);
          return end;
        },
      };
    },
  });
  return core;
};
