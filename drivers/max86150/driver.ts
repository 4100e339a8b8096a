/**
 * MAX86150: red and infrared light and a single-lead ECG through one FIFO of 32 samples. Device side.
 * Data sheet 19-8402, seen only through public code that quotes it; sources and decisions stand in README.md.
 */
import {
  type Block,
  type Channel,
  type Chip,
  createFrame,
  type Driver,
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
  type Wiring,
} from "../driver.ts";
import * as reg from "./registers.ts";
import { createOpening, createSelfTest, hex } from "./selftest.ts";

export type Max86150Configuration = reg.Max86150Configuration;

const defaults: Max86150Configuration = {
  channels: ["red", "infrared", "ecg"],
  sampleRate: 200,
  averaging: 1,
  pulseWidth: 400,
  adcRange: 16384,
  ledCurrent: { red: 10, infrared: 10 },
  gain: 76,
  tuning: true,
};

/** MDC_PULS_OXIM_PLETH and MDC_ECG_ELEC_POTL (ISO/IEEE 11073-10101). */
const PLETH = 150452;
const ECG = 131328;
/** Samples between two polls: half a FIFO; past the interrupt at 17 where that calls first. */
const POLL_AFTER = 16;
const POLL_AFTER_INTERRUPT = 24;
/** Most samples of one reading: with a few that were overwritten before it, a pointer of five bits can still tell. */
const MOST = 24;
/** Assumption: the oscillator is within one part in 32. */
const TOLERANCE = 1 / 32;

/** A channel; of light without `gain`, V/V. */
const channel = (name: string, rate: number, gain: number): Channel => ({
  name,
  mdc: gain > 0 ? ECG : PLETH,
  rate,
  waveform: true,
  bits: gain > 0 ? 18 : 19,
  offset: 0,
  // 12.247 uV / gain, to 16 digits.
  mul: gain > 0 ? Math.round((reg.ECG_STEP * 1e12) / gain) : 1,
  exp10: gain > 0 ? -21 : 0,
  unit: gain > 0 ? "V" : "1",
  minimum: gain > 0 ? ~reg.ECG_TOP : 0,
  maximum: gain > 0 ? reg.ECG_TOP : reg.PPG_TOP,
  accuracy: gain > 0 ? "no figure seen; trimmed at gain 76 only" : "no figure seen",
  role: name,
  processing: 0,
});

const create = (partial: Partial<Max86150Configuration>, wiring: Wiring): Driver<Max86150Configuration> => {
  const configuration: Max86150Configuration = Object.assign({}, defaults, partial);
  let groups = reg.encode(configuration);
  const names = reg.NAMES.filter((name) => configuration.channels.indexOf(name) >= 0);
  const last = names.length - 1;
  const ecg = names[last] === "ecg";
  const size = names.length * 3;
  /** From sample to sample, us; part of it from the middle of the averaged conversions to the last of them. */
  const period = (configuration.averaging * 1e6) / configuration.sampleRate;
  const lag = (configuration.averaging - 1) / configuration.averaging / 2;
  const address = wiring.address ?? reg.ADDRESS;
  const where = `${reg.MODEL} at ${hex(address)}`;
  const wired = wiring.interrupt === true;
  const maxRead = wiring.maxRead ?? 1024;
  const least = Math.max(size, 7);
  if (maxRead < least) {
    throw new Error(
      `${where}: channels ${names.join(", ")} (${size} bytes a sample) and maxRead ${maxRead} bytes do not go together: ` +
        `choose a bus that reads ${least} at once, or fewer channels`,
    );
  }

  /** `started`: since `open()`, this chip was identified and configured. */
  let started = false;
  let running = false;
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
    missing = 0;
    running = false;
    return {
      ops: [{ write: [reg.SYSTEM_CONTROL, reg.RESET] }],
      pause: 1,
      next: () => ({ ops: [{ write: [reg.SYSTEM_CONTROL, reg.SHDN] }] }),
    };
  };

  const restart = (frame: Frame, message: string): Step | null => {
    running = false;
    frame.restart = !closing;
    missing = 0;
    lose(frame, -1);
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
    const reading = reg.readFifo(wanted, size, maxRead).concat([{ read: 5, at: reg.INT_ENABLE_1 }]);
    return { ops: ops.concat([{ read: 3, at: reg.FIFO_WR_PTR }], reading), next: onDrain };
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
      pointer = tail[4] & reg.FIVE_BITS;
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
  const status: Step = { ops: [{ read: 7, at: reg.INT_STATUS_1 }], next: onStatus };
  const unopened: Step = { ops: [], next: (_, frame) => fail(frame, FAULT_CONFIGURATION, "not open; open it first") };

  const onStart = (outcome: Outcome): null => {
    if (outcome.error !== null) return null;
    running = started = true;
    low = torn = almost = false;
    pointer = index = missing = counted = mark = lightMark = left = edge = 0;
    edgeIndex = -1;
    readAt = outcome.ended;
    return null;
  };

  return {
    model: reg.MODEL,
    bus: "i2c",
    address,
    maxHz: 400_000,
    configuration,
    dataReady: wired ? "falling" : null,
    pollEvery: ((wired ? POLL_AFTER_INTERRUPT : POLL_AFTER) * period) / 1000,
    channels: () => names.map((name) => channel(name, 1e6 / period, name === "ecg" ? configuration.gain : 0)),
    createFrame: () => createFrame(names.map(() => reg.FIFO_DEPTH)),
    open: () => {
      running = started = closing = false;
      return createOpening(where, groups, configuration.tuning && ecg, onStart);
    },
    poll: () => (running ? status : unopened),
    reconfigure: (next) => {
      const values = reg.encode(next);
      let led = false;
      for (let g = 0; g < groups.length; g++) {
        for (let i = 0; i < groups[g].length; i++) {
          if (values[g][i] === groups[g][i]) continue;
          if (g !== reg.LED_GROUP && g !== reg.LED_GROUP + 1) return null;
          led = true;
        }
      }
      if (next.tuning !== configuration.tuning) return null;
      return {
        ops: led ? [{ write: values[reg.LED_GROUP] }, { write: values[reg.LED_GROUP + 1] }] : [],
        next: (outcome) => {
          if (led) lightMark |= FLAG_LED_CHANGED;
          if (outcome.error === null) {
            Object.assign(configuration, next);
            groups = values;
          }
          return null;
        },
      };
    },
    selfTest: () => (running ? createSelfTest(where, period, TOLERANCE, keep) : unopened),
    close: () => {
      if (!running) return { ops: started ? [{ write: [reg.SYSTEM_CONTROL, reg.SHDN] }] : [] };
      // Shutting down clears the flags, so they are read before; FIFO_EN stays, or the FIFO might be emptied.
      const ask: Op = { read: 7, at: reg.INT_STATUS_1 };
      return {
        ops: [ask, { write: [reg.SYSTEM_CONTROL, reg.SHDN | reg.FIFO_EN] }, ask],
        next: (outcome, frame) => {
          closing = true;
          const before = outcome.replies[0];
          if (before !== undefined) keep(before);
          // Equal pointers behind unequal ones: it is full.
          if (before !== undefined && ((before[4] ^ before[6]) & reg.FIVE_BITS) !== 0) almost = true;
          if (outcome.error === null) outcome.replies[1][0] |= before[0];
          return onStatus(outcome, frame);
        },
      };
    },
  };
};

/** The MAX86150. */
export const chip: Chip<Max86150Configuration> = {
  model: reg.MODEL,
  bus: "i2c",
  addresses: [reg.ADDRESS],
  defaults,
  create,
};
