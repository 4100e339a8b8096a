/**
 * MAX86150: red and infrared light and a single-lead ECG through one FIFO of 32 samples. Device side.
 * Data sheet 19-8402, seen only through public code that quotes it; sources and decisions stand in README.md.
 */
import {
  type Channel,
  type Chip,
  createFrame,
  type Driver,
  FAULT_CONFIGURATION,
  type Step,
  type Wiring,
} from "../driver.ts";
import { createReading, POLL_AFTER, TOLERANCE } from "./fifo.ts";
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
/** Samples between two polls where the interrupt at 17 calls first. */
const POLL_AFTER_INTERRUPT = 24;

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
  const ecg = names[names.length - 1] === "ecg";
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

  const reading = createReading(where, names.length, ecg, period, lag, maxRead);
  /** Since `open()`, this chip was identified and configured. */
  let started = false;
  const unopened: Step = {
    ops: [],
    next: (_, frame) => {
      frame.faults.push({ code: FAULT_CONFIGURATION, message: `${where}: not open; open it first` });
      return null;
    },
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
      reading.running = started = false;
      return createOpening(where, groups, configuration.tuning && ecg, (outcome) => {
        started = outcome.error === null;
        return reading.begin(outcome);
      });
    },
    poll: () => (reading.running ? reading.status : unopened),
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
          if (led) reading.light();
          if (outcome.error === null) {
            Object.assign(configuration, next);
            groups = values;
          }
          return null;
        },
      };
    },
    selfTest: () => (reading.running ? createSelfTest(where, period, TOLERANCE, reading.keep) : unopened),
    close: () => {
      if (!reading.running) return { ops: started ? [{ write: [reg.SYSTEM_CONTROL, reg.SHDN] }] : [] };
      // Shutting down clears the flags, so they are read before; FIFO_EN stays, or the FIFO might be emptied.
      const look = reading.status.ops[0];
      return { ops: [look, { write: [reg.SYSTEM_CONTROL, reg.SHDN | reg.FIFO_EN] }, look], next: reading.end };
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
