/**
 * ADS1292R: two-channel 24-bit front end for ECG and respiration on SPI (TI SBAS502C, revised April 2020), without a
 * FIFO: a conversion that is not read before the next one is gone. What rests on one source or none stands in
 * README.md. Device side.
 */
import type { Block, Channel, Chip, Driver, Frame, Outcome, Step, Wiring } from "../driver.ts";
import {
  createFrame,
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_TEST_SIGNAL,
  hex,
} from "../driver.ts";
import * as r from "./registers.ts";
import { bring, configure, fault, kept, measureSteps, type Next, rest } from "./selftest.ts";

export type { Ads1292rConfiguration } from "./registers.ts";

const DEFAULTS: r.Ads1292rConfiguration = {
  sampleRate: 125,
  channel1: r.RESPIRATION,
  channel2: r.ECG,
  gain1: 6,
  gain2: 6,
  input1: r.ELECTRODES,
  input2: r.ELECTRODES,
  reference: 242 / 100,
  leadOff: 6,
  leadOffThreshold: 95,
  leadOffMode: "dc",
  rightLegDrive: "channel2",
  chop: 16,
  respirationFrequency: 32,
  respirationPhase: 135,
  testSignal: 1,
  continuous: false,
};

const PINS = ["reset", "start"];

/** MDC_ECG_ELEC_POTL: the driver does not know the lead. MDC_IMPED_TTHOR: provisional, see README.md. */
const MDC_ECG = 131328;
const MDC_RESPIRATION = 151780;

const describe = (c: r.Ads1292rConfiguration, place: number): Channel => {
  const chest = place === 0 && c.channel1 === r.RESPIRATION;
  const gain = place === 0 ? c.gain1 : c.gain2;
  const input = place === 0 ? c.input1 : c.input2;
  return {
    name: chest ? r.RESPIRATION : place === 0 ? "ecg1" : r.ECG,
    mdc: chest ? MDC_RESPIRATION : MDC_ECG,
    rate: c.sampleRate,
    waveform: true,
    bits: 24,
    offset: 0,
    // reference / (gain x (2^23 - 1)) V a step, 14 digits of it (table 10 of SBAS502B).
    mul: Math.round((c.reference * 1000000 * 1000000000000000) / (gain * 8388607)),
    exp10: -21,
    unit: "V",
    minimum: -8388608,
    maximum: 8388607,
    accuracy: "noise 8 uV peak to peak at 150 hz and gain 6 (SBAS502C p. 1)",
    processing: input === r.ELECTRODES ? 0 : 3,
  };
};

const create = (configuration: Partial<r.Ads1292rConfiguration>, wiring: Wiring): Driver<r.Ads1292rConfiguration> => {
  const settings: r.Ads1292rConfiguration = Object.assign({}, DEFAULTS, configuration);
  if (wiring.interrupt !== true) {
    throw new Error(
      `${r.MODEL}: DRDY is not wired, and nothing else tells a new conversion from one that was read before; connect it ` +
        "and name its pin as interrupt",
    );
  }
  const limit = wiring.maxRead ?? 1024;
  if (limit < r.LONGEST) {
    throw new Error(`${r.MODEL}: maxRead is ${limit}, its registers take ${r.LONGEST} bytes; use another board`);
  }
  let registers = r.encode(settings);
  const wired = wiring.pins ?? [];
  const pins = { reset: wired.indexOf("reset") >= 0, start: wired.indexOf("start") >= 0 };
  const period = 1000000 / settings.sampleRate;
  const continuous = settings.continuous;
  const chest = settings.channel1 === r.RESPIRATION;
  /** Where the frame begins in a reply. */
  const base = continuous ? 0 : 1;
  /** Of each channel that is on: where its bytes begin in a reply, and which bits of LOFF_STAT are its own. */
  const starts: number[] = [];
  const masks: number[] = [];
  const channels: Channel[] = [];
  if (settings.channel1 !== r.OFF) {
    starts.push(base + 3);
    masks.push(3);
    channels.push(describe(settings, 0));
  }
  if (settings.channel2 !== r.OFF) {
    starts.push(base + 6);
    masks.push(12);
    channels.push(describe(settings, 1));
  }
  const fixed = channels.map((channel) => (channel.processing === 3 ? FLAG_TEST_SIGNAL : 0));

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
    const off = (((bytes[base] & 15) << 1) | (bytes[base + 1] >> 7)) & registers[6];
    index += pending - 1;
    for (let i = 0; i < starts.length; i++) {
      const block = frame.channels[i];
      const at = starts[i];
      const sample = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
      if (block.count === 0) begin(block);
      block.samples[block.count] = sample;
      block.count++;
      block.flags |= fixed[i];
      if (sample === 8388607 || sample === -8388608) block.flags |= FLAG_SATURATED;
      if (off & masks[i]) block.flags |= FLAG_LEAD_OFF;
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

  const driver: Driver<r.Ads1292rConfiguration> = {
    model: r.MODEL,
    bus: "spi",
    maxHz: r.MAX_HZ,
    spiMode: 1,
    configuration: settings,
    dataReady: "falling",
    // Edges call for polls. This is the net under a chip that has gone quiet: START takes 4 periods.
    pollEvery: Math.ceil(5000 / settings.sampleRate),
    channels: () => channels,
    // Two: what waits at the close, and the conversion that STOP lets end.
    createFrame: () => createFrame(starts.map(() => 2)),
    open: () => {
      index = 0;
      running = false;
      return bring(registers, continuous, chest, pins, start(false));
    },
    poll: () => {
      reads = 0;
      checked = false;
      return reading;
    },
    reconfigure: (next) => {
      const values = r.encode(next);
      const same =
        next.channel1 === settings.channel1 && next.channel2 === settings.channel2 && next.continuous === continuous;
      if (!same || values[0] !== registers[0] || values[3] !== registers[3] || values[4] !== registers[4]) return null;
      if (next.reference !== settings.reference) return null;
      registers = values;
      Object.assign(settings, next);
      const verify: Next = (outcome, frame) => {
        note(outcome);
        if (outcome.error === null && !kept(outcome.replies[2], values, frame)) frame.restart = true;
        return null;
      };
      // CONFIG1 is left alone: a write to it would begin anew. What is converted meanwhile waits, the newest at least.
      const ops = [r.send([r.SDATAC]), r.write(r.CONFIG2, values.slice(1)), r.read(r.CONFIG1, r.WRITTEN)];
      return { ops: continuous ? ops.concat([r.send([r.RDATAC])]) : ops, next: verify };
    },
    selfTest: () => measureSteps(registers, configure(registers, continuous, pins, start(true))),
    close: () => {
      if (!running) return rest(pins);
      running = false;
      const last: Step = {
        ops: [r.readData(false), look],
        next: (outcome, frame) => {
          note(outcome);
          const bytes = outcome.error === null ? outcome.replies[0] : null;
          if (bytes !== null && alive(outcome.replies[1], frame) && pending > 0 && r.isStatus(bytes, 1)) {
            take(continuous ? bytes.subarray(1) : bytes, outcome.ended, frame);
          }
          return rest(pins);
        },
      };
      // STOP lets the conversion end that is in progress.
      const end: Step = {
        ops: [],
        pause: Math.ceil(1000 / settings.sampleRate) + 1,
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
          if (outcome.error !== null || !alive(outcome.replies[continuous ? 2 : 1], frame)) return rest(pins);
          if (pending > 0 && edgeAt <= outcome.began && r.isStatus(bytes, base)) take(bytes, outcome.ended, frame);
          return end;
        },
      };
    },
  };
  return driver;
};

export const chip: Chip<r.Ads1292rConfiguration> = {
  model: r.MODEL,
  bus: "spi",
  addresses: [],
  defaults: DEFAULTS,
  needsInterrupt: true,
  pins: PINS,
  create: create,
};
