/**
 * MAX30102 pulse oximeter: red and infrared light through its 32-sample FIFO. Device side.
 * Data sheet 19-7740, Rev 1, 10/18; pages stand beside the registers, the decisions in README.md.
 */
import {
  type Channel,
  type Chip,
  createFrame,
  type Driver,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  type Frame,
  type Op,
  type Outcome,
  type Step,
  type Wiring,
} from "../driver.ts";
import * as reg from "./registers.ts";
import { createOpening, createSelfTest, hex } from "./selftest.ts";

export type Max30102Configuration = reg.Max30102Configuration;

const MODEL = "MAX30102";
const defaults: Max30102Configuration = {
  sampleRate: 100,
  averaging: 1,
  pulseWidth: 411,
  adcRange: 8192,
  ledCurrent: { red: 31 / 5, infrared: 31 / 5 },
};

/** MDC_PULS_OXIM_PLETH (ISO/IEEE 11073-10101). */
const PLETH = 150452;
/** Samples between two polls: half a FIFO; past the interrupt at 17 where that calls first. */
const POLL_AFTER = 16;
const POLL_AFTER_INTERRUPT = 24;
/** How often OVF_COUNTER is looked at, an eighth of a period apart. */
const OVERFLOW_LOOKS = 10;
/** The oscillator: 10.32 to 10.64 MHz, typically 10.48 (p3), so one part in 64 either way. */
const TOLERANCE = 1 / 64;
/** Shortest period in which a host can see OVF_COUNTER move and pop before it moves again, us. */
const COUNTABLE = 5000;

const create = (partial: Partial<Max30102Configuration>, wiring: Wiring): Driver<Max30102Configuration> => {
  const configuration: Max30102Configuration = Object.assign({}, defaults, partial);
  let registers = reg.encode(configuration);
  const swap = configuration.swapLeds === true;
  const width = registers[2] & 3;
  /** From sample to sample, us; part of it from the middle of the averaged conversions to the last of them. */
  const period = (configuration.averaging * 1e6) / configuration.sampleRate;
  const lag = (configuration.averaging - 1) / configuration.averaging / 2;
  const address = wiring.address ?? reg.ADDRESS;
  const where = `${MODEL} at ${hex(address)}`;
  const wired = wiring.interrupt === true;
  const maxRead = wiring.maxRead ?? 1024;
  if (maxRead < 9) throw new Error(`${where}: maxRead ${maxRead} bytes: choose a bus that reads at least 9 at once`);

  /** `started`: since `open()`, this chip was identified and configured. */
  let started = false;
  let running = false;
  let closing = false;
  let looks = 0;
  /** Flags for the next block. */
  let mark = 0;
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
  /** The last A_FULL edge that agreed with the FIFO, and the index of its sample; -1: none. */
  let edgeAt = 0;
  let edgeIndex = -1;

  const fail = (frame: Frame, code: number, message: string): null => {
    frame.faults.push({ code, message: `${where}: ${message}` });
    return null;
  };

  /** Ends a chain; in a `close()`, with reset and lowest power. */
  const finish = (frame: Frame): Step | null => {
    if (!closing) return null;
    if (missing !== 0) {
      fail(frame, FAULT_DATA, `${missing < 0 ? "unknown" : missing} samples lost before the end; poll it sooner`);
      missing = 0;
    }
    running = false;
    return {
      ops: [{ write: [reg.MODE_CONFIG, reg.RESET] }],
      pause: 1,
      next: () => ({ ops: [{ write: [reg.MODE_CONFIG, reg.SHDN] }] }),
    };
  };

  const restart = (frame: Frame, message: string): Step | null => {
    running = false;
    frame.restart = !closing;
    missing = 0;
    for (let i = 0; i < 2; i++) if (frame.channels[i].count === 0) frame.channels[i].lost = -1;
    fail(frame, FAULT_RESTARTED, message);
    return finish(frame);
  };

  const drain = (count: number, ops: Op[]): Step => ({
    ops: ops.concat(reg.readFifo(count, maxRead)),
    next: onDrain,
  });

  const onDrain = (outcome: Outcome, frame: Frame): Step | null => {
    const channels = frame.channels;
    const start = channels[0].count;
    const decoded = reg.decode(outcome.replies, width, channels[swap ? 1 : 0], channels[swap ? 0 : 1]);
    if (outcome.error !== null) mark |= FLAG_BUS_FAULT;
    if (decoded > 0) {
      const before = gap > 0 || start > 0 ? 0 : missing;
      if (before > 0) index += before;
      for (let i = 0; i < 2; i++) {
        const block = channels[i];
        block.flags |= mark;
        if (start > 0) continue;
        block.index = index;
        block.time = time;
        block.uncertainty = doubt;
        block.lost = before;
      }
      if (gap === 0 && start === 0) missing = 0;
      mark = 0;
      index += decoded;
      pointer = (pointer + decoded) & reg.FIVE_BITS;
      time += decoded * period;
      doubt += decoded * period * TOLERANCE;
    }
    const head = outcome.replies[0];
    if (head !== undefined && ((head[0] ^ head[2]) & reg.FIVE_BITS) === 0) {
      // It was full when the first byte was popped. The count is right if the next conversion surely came later.
      const lost = head[1] & reg.FIVE_BITS;
      const next = seenAt + (reg.FIFO_DEPTH + lost - seen) * period * (1 - TOLERANCE);
      const known = lost < reg.FIVE_BITS && (closing || outcome.ended < next);
      if (lost > 0 || !known) {
        if (gap > 0) return restart(frame, "its FIFO overflowed twice while it was read; poll it sooner");
        gap = reg.FIFO_DEPTH;
        missing = known ? lost : -1;
      }
    }
    if (gap > 0) gap -= decoded;
    if (outcome.error !== null) return finish(frame);
    almost = false;
    drainedAt = outcome.began;
    seenAt = outcome.began;
    seen = gap;
    return gap > 0 ? drain(gap, []) : finish(frame);
  };

  /** A full FIFO loses until the first pop. Seen to move, OVF_COUNTER says when: then one sample is popped in time. */
  const onOverflow = (outcome: Outcome): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) {
      mark |= FLAG_BUS_FAULT;
      return null;
    }
    if (reg.FIFO_DEPTH + (reply[0] & reg.FIVE_BITS) !== seen) return drain(1, []);
    seenAt = outcome.began;
    looks++;
    return looks < OVERFLOW_LOOKS ? overflow : drain(reg.FIFO_DEPTH, []);
  };
  const overflow: Step = { ops: [{ read: 1, at: reg.OVF_COUNTER }], pause: period / 8000, next: onOverflow };

  /** Time of the oldest sample from the newest: that one came at most a period before the pointers were read. */
  const date = (outcome: Outcome, unread: number, lost: number): void => {
    const half = (outcome.ended - outcome.began + period) / 2;
    const behind = unread - 1 + lost + lag + (gap > 0 && missing > 0 ? missing : 0);
    if (lost < reg.FIVE_BITS && (gap === 0 || missing >= 0)) {
      time = outcome.ended - half - behind * period;
      doubt = half + (behind + 1) * period * TOLERANCE;
    } else if (gap === 0 && missing !== 0) {
      // Between the last sample that was read and the latest time that leaves room for the lost ones.
      const earliest = time - doubt;
      doubt = (outcome.ended - behind * period * (1 - TOLERANCE) - earliest) / 2;
      time = earliest + doubt;
    }
  };

  /** A better one from the edge of the interrupt, which came with the 17th sample, if it agrees. */
  const dateByEdge = (at: number): void => {
    const sample = index + Math.max(missing, 0) + POLL_AFTER;
    const measured = (at - edgeAt) / (sample - edgeIndex);
    const good = edgeIndex >= 0 && Math.abs(measured - period) <= 2 * TOLERANCE * period;
    const first = at - (POLL_AFTER + lag) * (good ? measured : period);
    // With the period measured from edge to edge, the jitter of two stamps; else 17 periods' tolerance.
    const half = period * (good ? 4 : 17) * TOLERANCE;
    if (Math.abs(first - time) <= doubt + half) {
      time = first;
      doubt = half;
      edgeAt = at;
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
    if ((reply[0] & reg.PWR_RDY) !== 0 || reply[2] !== reg.A_FULL) {
      const state = `status ${hex(reply[0])}, enable ${hex(reply[2])}`;
      return restart(frame, `lost its registers (${state}): brown-out, or reset by another; check the supply`);
    }
    if ((reply[0] & reg.A_FULL) !== 0) almost = true;
    const lost = reply[5] & reg.FIVE_BITS;
    const skipped = (reply[6] - pointer) & reg.FIVE_BITS;
    const ops: Op[] = [];
    let unread = (reply[4] - reply[6]) & reg.FIVE_BITS;
    // Equal pointers: full or empty. In half a FIFO's time an empty one would have filled.
    const full = lost > 0 || (almost && outcome.began - drainedAt >= POLL_AFTER * period);
    if (unread === 0 && full) unread = reg.FIFO_DEPTH;
    if (skipped > 0 && unread + skipped < reg.FIFO_DEPTH) {
      // Popped by a read that failed, not yet written over: read them again (p16).
      unread += skipped;
      ops.push({ write: [reg.FIFO_RD_PTR, pointer] });
    } else if (skipped > 0) {
      if (gap > 0) return restart(frame, `FIFO_RD_PTR (0x06) moved by ${skipped} beside a gap; check the bus`);
      if (missing >= 0) missing += skipped;
      pointer = reply[6] & reg.FIVE_BITS;
    }
    if (unread === 0) return finish(frame);
    date(outcome, unread, lost);
    const edge = outcome.edges === 1 && (reply[0] & reg.A_FULL) !== 0;
    if (missing < 0) edgeIndex = -1;
    if (edge && skipped === 0 && gap === 0) dateByEdge(outcome.edgeAt);
    seenAt = outcome.began;
    seen = unread + lost;
    if (unread === reg.FIFO_DEPTH && lost < reg.FIVE_BITS && gap === 0 && !closing && period >= COUNTABLE) {
      looks = 0;
      return overflow;
    }
    return drain(gap > 0 && gap < unread ? gap : unread, ops);
  };
  const status: Step = { ops: [{ read: 7, at: reg.INT_STATUS_1 }], next: onStatus };
  const unopened: Step = { ops: [], next: (_, frame) => fail(frame, FAULT_CONFIGURATION, "not open; open it first") };

  const onStart = (outcome: Outcome): null => {
    if (outcome.error !== null) return null;
    running = started = true;
    pointer = index = mark = missing = gap = 0;
    almost = false;
    drainedAt = outcome.began;
    time = outcome.ended + lag * period;
    doubt = period;
    edgeIndex = -1;
    return null;
  };

  const channel = (name: string): Channel => ({
    name,
    mdc: PLETH,
    rate: 1e6 / period,
    waveform: true,
    bits: reg.FEWEST_BITS + width,
    offset: 0,
    mul: 1,
    exp10: 0,
    unit: "1",
    minimum: 0,
    maximum: reg.highestCode(width),
    accuracy: "none given; supply rejection 0.25 % of full scale typically, 1 % at most (p3)",
    role: name,
    processing: 0,
  });

  return {
    model: MODEL,
    bus: "i2c",
    address,
    maxHz: 400_000, // p5
    configuration,
    dataReady: wired ? "falling" : null,
    pollEvery: ((wired ? POLL_AFTER_INTERRUPT : POLL_AFTER) * period) / 1000,
    channels: () => [channel("red"), channel("infrared")],
    createFrame: () => createFrame([reg.FIFO_DEPTH, reg.FIFO_DEPTH]),
    open: () => {
      running = started = closing = false;
      return createOpening(where, registers, onStart);
    },
    poll: () => (running ? status : unopened),
    reconfigure: (next) => {
      const wanted = reg.encode(next);
      for (let i = 0; i < 3; i++) if (wanted[i] !== registers[i]) return null;
      if ((next.swapLeds === true) !== swap) return null;
      if (wanted[4] === registers[4] && wanted[5] === registers[5]) return { ops: [] };
      return {
        ops: [{ write: [reg.LED1_PA, wanted[4], wanted[5]] }],
        next: (outcome) => {
          mark |= FLAG_LED_CHANGED;
          if (outcome.error === null) {
            Object.assign(configuration, next);
            registers = wanted;
          }
          return null;
        },
      };
    },
    selfTest: () => (running ? createSelfTest(where) : unopened),
    close: () => {
      if (!running) return { ops: started ? [{ write: [reg.MODE_CONFIG, reg.SHDN] }] : [] };
      return {
        ops: [{ write: [reg.MODE_CONFIG, reg.SHDN | reg.MODE_SPO2] }, { read: 7, at: reg.INT_STATUS_1 }],
        next: (outcome, frame) => {
          closing = true;
          return onStatus(outcome, frame);
        },
      };
    },
  };
};

/** The MAX30102 (also MAX30101 and MAX30105 with their red and infrared LEDs). */
export const chip: Chip<Max30102Configuration> = {
  model: MODEL,
  bus: "i2c",
  addresses: [reg.ADDRESS],
  defaults,
  create,
};
