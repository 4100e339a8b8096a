/**
 * ADS1292R: two-channel 24-bit front end for ECG and respiration on SPI (TI SBAS502C, revised April 2020), without a
 * FIFO: a conversion that is not read before the next one is gone. What rests on one source or none stands in
 * README.md. Device side.
 */
import type { Core, Frame, Outcome, Step } from "../driver.ts";
import {
  createCore,
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  hex,
  tell,
} from "../driver.ts";
import { type Ads1292rSetup, bring, CHECK_LINES, configure, kept, type Next, restOf } from "./opening.ts";
import * as r from "./registers.ts";

export type { Ads1292rSetup, Slot } from "./opening.ts";

/** Its driver. */
export const createDriver = (first: Ads1292rSetup): Core<Ads1292rSetup> => {
  const continuous = first.continuous;
  /** Where the frame begins in a reply. */
  const base = continuous ? 0 : 1;
  const rest = restOf(first);
  let setup = first;

  let index = 0;
  /** Edges of DRDY whose conversion was not read, and the time of the last one, us. */
  let pending = 0;
  let edgeAt = 0;
  /** An edge that is told later but came earlier than this belongs to what was read already, us. */
  let readAt = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  let running = false;
  /** Within a chain: readings, and whether the registers were looked at: beside every conversion, or for once (RDATAC). */
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
  const dead = (reply: Uint8Array, frame: Frame): null => {
    const last = reply[3];
    const registers = setup.registers;
    const mute = reply[0] === last && reply[2] === last && (last === 0 || last === 255);
    for (let i = 0; i < frame.channels.length; i++) frame.channels[i].count = 0;
    pending = 0;
    frame.restart = true;
    const why = mute
      ? `: no chip answers${CHECK_LINES}`
      : `, ${hex(registers[0])}, ${hex(registers[1])} were written: it lost its state; open it again`;
    const what = `CONFIG1, CONFIG2 read ${hex(reply[2])}, ${hex(last)}`;
    return tell(frame, mute ? FAULT_BUS : FAULT_RESTARTED, r.MODEL, what + why);
  };
  /** CONFIG1 and CONFIG2 in a reply. CONFIG2 is never what it is after a reset: the reference is on. Else null. */
  const alive = (reply: Uint8Array, frame: Frame): boolean | null =>
    (reply[2] === setup.registers[0] && reply[3] === setup.registers[1]) || dead(reply, frame);
  /**
   * A step's `next`, behind the edges that came. Instead of it `failed`, where the bus did not do, or where reply `place`
   * (0: none) shows that the chip lost its state.
   */
  const noted =
    (place: number, failed: Step | null, next: Next): Next =>
    (outcome, frame) => {
      note(outcome);
      const fine = outcome.error === null && (place === 0 || alive(outcome.replies[place], frame));
      return fine ? next(outcome, frame) : failed;
    };

  /** The frame of the last edge, from byte `from` of the first reply on, into the blocks. */
  const take = (outcome: Outcome, from: number, frame: Frame): void => {
    const bytes = outcome.replies[0];
    const slots = setup.slots;
    const status = (bytes[from] << 8) | bytes[from + 1];
    index += pending - 1;
    for (let i = 0; i < slots.length; i++) {
      const block = frame.channels[i];
      const slot = slots[i];
      // As r.signed, without a call.
      const at = from + slot.at;
      const sample = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
      if (block.count === 0) {
        block.index = index;
        block.time = edgeAt;
        block.uncertainty = r.EDGE_UNCERTAINTY;
        block.lost = gap ? -1 : pending - 1;
      }
      block.samples[block.count] = sample;
      block.count++;
      block.flags |= slot.flags;
      if (sample === 8388607 || sample === -8388608) block.flags |= FLAG_SATURATED;
      if (status & slot.leads) block.flags |= FLAG_LEAD_OFF;
    }
    index++;
    pending = 0;
    gap = false;
    readAt = outcome.ended;
  };

  const frameOp = r.readData(continuous);
  const look = r.read(r.CONFIG1, 2);

  /** No conversion is waiting. For so many periods? */
  const silent = (outcome: Outcome, periods: number): boolean =>
    outcome.ended - Math.max(edgeAt, readAt) >= periods * setup.period;
  const quiet = (outcome: Outcome, frame: Frame): null => {
    if (!silent(outcome, r.SILENCE)) return null;
    frame.restart = true;
    const what = `no edge of DRDY for ${r.SILENCE} periods, though its registers are in order`;
    return tell(frame, FAULT_DATA, r.MODEL, `${what}; check the DRDY line, open it again`);
  };
  /** RDATAC: registers after a frame that is none, or after no frame for a while. */
  const check: Step = {
    ops: [r.send([r.SDATAC]), look, r.send([r.RDATAC])],
    next: noted(1, null, (outcome, frame) => {
      checked = true;
      return pending > 0 ? reading : quiet(outcome, frame);
    }),
  };
  /** Is it a frame of one conversion, the last one? */
  const whole = (outcome: Outcome): boolean =>
    pending > 0 && edgeAt <= outcome.began && r.isStatus(outcome.replies[0], base);
  /** RDATAC: all zeros are also what a chip says that was reset and does not convert. */
  const blank = (bytes: Uint8Array): boolean => (r.signed(bytes, 3) | r.signed(bytes, 6)) === 0;
  const repeat = (outcome: Outcome, frame: Frame): Step | null => {
    if (pending === 0) return checked || !silent(outcome, r.QUIET) ? quiet(outcome, frame) : check;
    // A conversion ended while it was read: the bytes may be of both. The newer one still is there.
    const torn = edgeAt > outcome.began;
    reads++;
    if (!checked && !torn) return check;
    if (reads < r.MOST_READS) return reading;
    const bytes = outcome.replies[0];
    const word = `${hex(bytes[base])}, ${hex(bytes[base + 1])}, ${hex(bytes[base + 2])}`;
    const what = torn
      ? "conversions end faster than they are read; lower sampleRate, or use a faster bus"
      : `status word reads ${word}, 0xc..... was expected; slow the bus down`;
    return tell(frame, FAULT_DATA, r.MODEL, what);
  };
  const reading: Step = {
    ops: continuous ? [frameOp] : [frameOp, look],
    next: noted(continuous ? 0 : 1, null, (outcome, frame) => {
      if (!whole(outcome) || (!checked && blank(outcome.replies[0]))) return repeat(outcome, frame);
      take(outcome, base, frame);
      return null;
    }),
  };

  /** STOP lets the conversion end that is in progress; RDATA asks for it, also after RDATAC. */
  const last: Step = {
    ops: [r.readData(false), look],
    next: noted(1, rest, (outcome, frame) => {
      if (pending > 0 && r.isStatus(outcome.replies[0], 1)) take(outcome, 1, frame);
      return rest;
    }),
  };
  const ending: Step = { ops: [], pause: Math.ceil(setup.period / 1000) + 1, next: noted(0, last, () => last) };
  const stop = r.send([r.STOP]);
  const closing: Step = {
    ops: continuous ? [frameOp, r.send([r.SDATAC]), look, stop] : [frameOp, look, stop],
    next: noted(continuous ? 2 : 1, rest, (outcome, frame) => {
      if (whole(outcome)) take(outcome, base, frame);
      return ending;
    }),
  };

  /** A record begins with START; `lost`: it goes on after one that was cut off. */
  const start =
    (lost: boolean): Next =>
    (outcome) => {
      pending = edgeAt = 0;
      readAt = outcome.began;
      note(outcome);
      gap = lost;
      running = true;
      return null;
    };

  const core = createCore(first, {
    open: () => {
      index = 0;
      running = false;
      return bring(setup, start(false));
    },
    poll: () => {
      reads = 0;
      checked = !continuous;
      return reading;
    },
    reconfigure: (next: Ads1292rSetup): Step | null => {
      if (next.record !== setup.record) return null;
      core.configuration = setup = next;
      const values = next.registers;
      // CONFIG1 is left alone: a write to it would begin anew. What is converted meanwhile waits, the newest at least.
      const ops = [r.send([r.SDATAC]), r.write(r.CONFIG2, values.slice(1)), r.read(r.CONFIG1, r.WRITTEN)];
      return {
        ops: continuous ? ops.concat([r.send([r.RDATAC])]) : ops,
        next: noted(0, null, (outcome, frame) => {
          if (!kept(outcome.replies[2], values, frame)) frame.restart = true;
          return null;
        }),
      };
    },
    resume: () => configure(setup, start(true)),
    close: () => {
      const step = running ? closing : rest;
      running = false;
      return step;
    },
  });
  return core;
};
