/**
 * MAX30003: single-lead ECG front end on SPI (Maxim, data sheet Rev 3). Page numbers: MAX30001G data sheet, whose ECG
 * channel, registers and FIFO are the same; what rests on one source or on none stands in README.md. Device side.
 */
import { type Chip, createFrame, type Driver, FLAG_TEST_SIGNAL, type Op, type Step, type Wiring } from "../driver.ts";
import { createReading } from "./fifo.ts";
import { createIntervals } from "./intervals.ts";
import { asleep, createLeads } from "./leads.ts";
import * as r from "./registers.ts";
import { bring, measureSteps, reset, testRegisters, wake } from "./selftest.ts";
import { channelsOf, encode } from "./settings.ts";

export type { Max30003Configuration } from "./registers.ts";

const DEFAULTS: r.Max30003Configuration = {
  sampleRate: 256,
  gain: 20,
  highPass: false,
  lowPass: 0,
  leadOff: 10,
  leadOffThreshold: 300,
  leadOffPullUp: "positive",
  leadBias: 100,
  leadOn: 0,
  fastRecovery: "automatic",
  fastRecoveryThreshold: 63,
};

/** Places of values in what `encode` returns. */
const GENERAL = 1;
const DYNAMIC = 11;

const create = (configuration: Partial<r.Max30003Configuration>, wiring: Wiring): Driver<r.Max30003Configuration> => {
  const settings: r.Max30003Configuration = Object.assign({}, DEFAULTS, configuration);
  const wired = wiring.interrupt === true;
  const efit = wired ? r.EFIT_WIRED : r.EFIT_POLLED;
  const limit = wiring.maxRead ?? 1024;
  if (limit < 4) throw new Error(`${r.MODEL}: maxRead is ${limit}, a register takes 4 bytes; use another board`);
  let registers = encode(settings, efit, wired);
  const channels = channelsOf(settings);
  const rate = settings.sampleRate;
  // Under half of the FIFO, since up to EFIT - 1 words may be left. Behind an edge it is the net under a lost one.
  const pollEvery = Math.ceil(16000 / rate) - 1;
  const intervals = channels.length > 1 ? createIntervals(rate % 128 === 0 ? 15625 / 2 : 8000) : null;
  const mark = settings.calibration ? FLAG_TEST_SIGNAL : 0;
  const reading = createReading(efit, limit, 1000000 / rate, pollEvery, mark, intervals);
  const synch: Op[] = [r.write(r.SYNCH, 0)];
  // What an R event before it left would count as the first behind it.
  if (intervals !== null) synch.push(r.read(r.RTOR));
  if (settings.leadOn > 0) reading.leads = createLeads(settings.leadOn, registers[GENERAL], reading, synch, wake);

  return {
    model: r.MODEL,
    bus: "spi",
    maxHz: 12000000,
    spiMode: 0,
    configuration: settings,
    dataReady: wired ? "falling" : null,
    pollEvery: pollEvery,
    channels: () => channels,
    createFrame: () => createFrame(channels.map((one) => (one.waveform ? r.CAPACITY : 1))),
    open: () => {
      reading.open();
      if (reading.leads === null) return bring(registers, 0, reading.start(registers[GENERAL], false));
      const resting = registers.slice();
      resting[GENERAL] = asleep(registers[GENERAL]);
      return bring(resting, r.LEADS_PAUSE, reading.leads.begin);
    },
    poll: () => reading.poll,
    reconfigure: (next) => {
      const values = encode(next, efit, wired);
      if (values.length !== registers.length || next.sampleRate !== rate || next.leadOn !== settings.leadOn)
        return null;
      for (let i = 0; i < values.length; i++) {
        if (values[i] !== registers[i] && i !== GENERAL && i !== DYNAMIC) return null;
      }
      let ops: Op[] = [];
      // Where it fails nobody knows what the chip has: the next poll finds out, and asks for an opening.
      let then: Step["next"] = (outcome) => {
        if (outcome.error !== null) reading.general = -1;
        return null;
      };
      // Fast recovery goes its way without a new record (p. 45).
      if (values[DYNAMIC] !== registers[DYNAMIC]) ops.push(r.write(r.MNGR_DYN, values[DYNAMIC]));
      if (values[GENERAL] !== registers[GENERAL] && !reading.waiting) {
        // A change of CNFG_GEN disturbs the record (p. 47): SYNCH begins a clean one. The next poll reads it back.
        ops = ops.concat([r.write(r.CNFG_GEN, values[GENERAL])], synch);
        then = reading.start(values[GENERAL], true);
      }
      if (reading.leads !== null) reading.leads.awake = values[GENERAL];
      registers = values;
      Object.assign(settings, next);
      return { ops: ops, next: then };
    },
    selfTest: () => {
      const restore: Step = {
        ops: (r.writeAll(registers) as Op[]).concat(synch),
        next: reading.start(registers[GENERAL], true),
      };
      const measure = measureSteps(registers, settings.gain, limit, restore);
      return bring(testRegisters(registers), 100, () => measure);
    },
    close: () => {
      const off = (registers[GENERAL] & r.FMSTR) | r.GEN_RESET;
      return {
        ops: [r.write(r.CNFG_GEN, off)],
        next: (stopped, frame) => {
          if (stopped.error !== null) return reset;
          reading.general = off;
          // Behind it, a poll finds a chip that is not to be polled.
          return reading.drain(stopped, frame, registers[GENERAL]);
        },
      };
    },
  };
};

export const chip: Chip<r.Max30003Configuration> = {
  model: r.MODEL,
  bus: "spi",
  addresses: [],
  defaults: DEFAULTS,
  create: create,
};
