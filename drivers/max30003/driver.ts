/**
 * MAX30003: single-lead ECG front end on SPI (Maxim, data sheet Rev 3). Page numbers: MAX30001G data sheet, whose ECG
 * channel, registers and FIFO are the same; what rests on one source or on none stands in README.md. Device side.
 */
import type { Block, Channel, Chip, Driver, Frame, Outcome, Step, Wiring } from "../driver.ts";
import {
  createFrame,
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_CLOCK_UNCERTAIN,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
} from "../driver.ts";
import * as r from "./registers.ts";
import { bring, fault, hex, measureSteps, type Next, reset, testRegisters } from "./selftest.ts";

export type { Max30003Configuration } from "./registers.ts";

const DEFAULTS: r.Max30003Configuration = {
  sampleRate: 256,
  gain: 20,
  highPass: false,
  lowPass: 0,
  leadOff: 10,
  leadBias: 100,
};

/**
 * FIFO words of the first `bursts` replies into a block (p. 61, 62). Returns the tag that ended them: overflow or an
 * unused one (not to be trusted from there on), TAG_END, or 0 where more words wait. An EMPTY word is no sample; what
 * follows it may be. Time-only samples of fast recovery are kept, as settling; samples at a rail are flagged.
 */
const decode = (replies: readonly Uint8Array[], bursts: number, block: Block): number => {
  const samples = block.samples;
  const capacity = samples.length;
  let count = block.count;
  let flags = 0;
  let last = 0;
  for (let k = 0; k < bursts && last <= r.TAG_END; k++) {
    const bytes = replies[k];
    for (let i = 1; i < bytes.length && count < capacity; i += 3) {
      const tag = (bytes[i + 2] >> 3) & 7;
      if (tag > 3) {
        last = tag === r.TAG_EMPTY ? r.TAG_END : tag;
        if (tag === r.TAG_EMPTY) continue;
        break;
      }
      const sample = ((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8)) >> 14;
      if (sample === 131071 || sample === -131072) flags |= FLAG_SATURATED;
      if ((tag & r.TAG_FAST) !== 0) flags |= FLAG_SETTLING;
      samples[count] = sample;
      count++;
      last = tag & r.TAG_END;
    }
  }
  block.count = count;
  block.flags |= flags;
  return last;
};

const check = [r.read(r.STATUS), r.read(r.CNFG_GEN)];

const create = (configuration: Partial<r.Max30003Configuration>, wiring: Wiring): Driver<r.Max30003Configuration> => {
  const settings: r.Max30003Configuration = Object.assign({}, DEFAULTS, configuration);
  const wired = wiring.interrupt === true;
  const efit = wired ? r.EFIT_WIRED : r.EFIT_POLLED;
  const limit = wiring.maxRead ?? 1024;
  if (limit < 4) throw new Error(`${r.MODEL}: maxRead is ${limit}, a register takes 4 bytes; use another board`);
  let registers = r.encode(settings, efit, wired);
  const rate = settings.sampleRate;
  const period = 1000000 / rate;
  /** The crystal at FCLK and the board's clock are taken to agree within 1 / 1024. */
  const drift = period / 1024;
  // Half of the FIFO, since up to EFIT - 1 words may be left. Behind an edge it is the net under a lost one.
  const pollEvery = Math.floor(16000 / rate);
  const gain = r.GAINS.indexOf(settings.gain);
  const channel: Channel = {
    name: "ecg",
    mdc: 131328,
    rate: rate,
    waveform: true,
    bits: 18,
    offset: 0,
    // 1 V / (gain x 2^17), exactly: 5^(18 + i) x 10^-(19 + i) for gain 20 x 2^i (p. 26).
    mul: 3814697265625 * [1, 5, 25, 125][gain],
    exp10: -19 - gain,
    unit: "V",
    minimum: -131072,
    maximum: 131071,
    accuracy: "gain 2.5 %, reference 0.5 % (MAX30001G data sheet p. 4, 8)",
    processing: 0,
  };

  /** What CNFG_GEN must read as long as the chip is the one that was configured. */
  let general = registers[1];
  let status = 0;
  let index = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  /** Flags out of STATUS that wait for samples: its reading clears them. */
  let held = 0;
  /** When words last left the FIFO, us: only a later edge tells when word EFIT came. */
  let emptiedAt = 0;
  let anchored = false;
  let reads = 0;

  const keep = (value: number): void => {
    status = value;
    if ((value & r.LDOFF) !== 0) held |= FLAG_LEAD_OFF;
    if ((value & r.PLLINT) !== 0) held |= FLAG_CLOCK_UNCERTAIN;
  };

  /** STATUS and CNFG_GEN, the last two replies. False: this is not the chip that was configured. */
  const alive = (replies: readonly Uint8Array[], frame: Frame): boolean => {
    const value = r.word(replies[replies.length - 1]);
    if (value === general) {
      keep(r.word(replies[replies.length - 2]));
      return true;
    }
    const what = `CNFG_GEN reads ${hex(value)}`;
    if (value === 0 || value === 0xffffff) {
      fault(frame, FAULT_BUS, `${what}: no chip answers; check power, select and data lines`);
    } else fault(frame, FAULT_RESTARTED, `${what}, ${hex(general)} was written: it lost its state; open it again`);
    frame.channels[0].count = 0;
    frame.restart = true;
    return false;
  };

  const corrupt = (frame: Frame, tag: number): void => {
    if (tag !== r.TAG_OVERFLOW) fault(frame, FAULT_DATA, `unused tag ${tag} in the FIFO; slow the bus down`);
    else fault(frame, FAULT_DATA, `FIFO overflow, samples lost; poll at least every ${pollEvery} ms`);
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
    held = 0;
    if (anchored) return;
    const low = began - (behind + 1) * period;
    const high = behind > 0 ? ended - period : ended;
    block.time = (low + high) / 2 - (block.count - 1) * period;
    block.uncertainty = (high - low) / 2 + (block.count - 1) * drift;
  };

  const begin = (block: Block): void => {
    block.index = index;
    if (gap) block.lost = -1;
    gap = false;
    anchored = false;
    reads = 0;
  };

  const clear: Step = {
    ops: [r.write(r.FIFO_RST, 0)],
    next: (outcome) => {
      emptiedAt = outcome.ended;
      return null;
    },
  };

  const collect = (outcome: Outcome, frame: Frame): Step | null => {
    const block = frame.channels[0];
    emptiedAt = outcome.ended;
    reads++;
    let last = r.TAG_OVERFLOW; // an error: nobody knows how far the read pointer went
    if (outcome.error === null) {
      if (!alive(outcome.replies, frame)) return null;
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
    if (!lost || outcome.error !== null) return null;
    corrupt(frame, last);
    return clear;
  };
  // EINT promises EFIT words. The rest goes one by one up to EOF: nothing may be read beyond the last valid word (p. 61).
  const burst: Step = { ops: r.readFifo(efit, limit).concat(check), next: collect };
  const single: Step = { ops: r.readFifo(1, limit).concat(check), next: collect };

  const poll: Step = {
    ops: check,
    next: (outcome, frame) => {
      const replies = outcome.replies;
      if (outcome.error !== null) {
        if (replies.length > 0) keep(r.word(replies[0]));
        return null;
      }
      if (!alive(replies, frame)) return null;
      const block = frame.channels[0];
      begin(block);
      block.flags |= held;
      if ((status & r.EOVF) !== 0) {
        block.lost = -1;
        corrupt(frame, r.TAG_OVERFLOW);
        return clear;
      }
      if ((status & r.EINT) === 0) return null;
      // The edge came with word EFIT of those that are there now: the first of them is EFIT - 1 periods older.
      anchored = outcome.edges === 1 && outcome.edgeAt > emptiedAt;
      if (anchored) {
        block.time = outcome.edgeAt - (efit - 1) * period;
        block.uncertainty = r.EDGE_UNCERTAINTY + (efit - 1) * drift;
      }
      return burst;
    },
  };

  /** A record begins after SYNCH; `lost`: it goes on after one that was cut off. */
  const start = (lost: boolean): Next => {
    return (outcome) => {
      general = registers[1];
      held = 0;
      gap = lost;
      emptiedAt = outcome.ended;
      return null;
    };
  };

  const driver: Driver<r.Max30003Configuration> = {
    model: r.MODEL,
    bus: "spi",
    maxHz: 12000000,
    spiMode: 0,
    configuration: settings,
    dataReady: wired ? "falling" : null,
    pollEvery: pollEvery,
    channels: () => [channel],
    createFrame: () => createFrame([r.CAPACITY]),
    open: () => {
      index = 0;
      return bring(registers, 0, start(false));
    },
    poll: () => poll,
    reconfigure: (next) => {
      const values = r.encode(next, efit, wired);
      if (values[7] !== registers[7] || next.sampleRate !== settings.sampleRate) return null;
      const same = values[1] === registers[1];
      registers = values;
      Object.assign(settings, next);
      if (same) return { ops: [] };
      // A change of CNFG_GEN disturbs the record (p. 47): SYNCH begins a clean one. The next poll reads it back.
      return { ops: [r.write(r.CNFG_GEN, values[1]), r.write(r.SYNCH, 0)], next: start(true) };
    },
    selfTest: () => {
      const restore: Step = { ops: r.writeAll(registers).concat([r.write(r.SYNCH, 0)]), next: start(true) };
      const measure = measureSteps(registers, settings.gain, limit, restore);
      return bring(testRegisters(registers), 100, () => measure);
    },
    close: () => {
      const off = (registers[1] & (3 << r.FMSTR_SHIFT)) | r.GEN_RESET;
      const stop: Next = (stopped, frame) => {
        if (stopped.error !== null) return reset;
        general = off;
        begin(frame.channels[0]);
        const drain: Next = (outcome) => {
          if (outcome.error !== null || !alive(outcome.replies, frame)) return reset;
          const last = take(outcome.replies, frame.channels[0]);
          if (last > r.TAG_END) corrupt(frame, last);
          finish(frame.channels[0], stopped.began, stopped.ended, 0);
          general = registers[1]; // a poll after this one says: open it again
          return reset;
        };
        return { ops: r.readFifo(r.FIFO_WORDS, limit).concat(check), next: drain };
      };
      return { ops: [r.write(r.CNFG_GEN, off)], next: stop };
    },
  };
  return driver;
};

export const chip: Chip<r.Max30003Configuration> = {
  model: r.MODEL,
  bus: "spi",
  addresses: [],
  defaults: DEFAULTS,
  create: create,
};
