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
import { createFail, createOpening, createSelfTest, hex } from "./selftest.ts";

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

const LIGHT = {
  mdc: PLETH,
  bits: 19,
  mul: 1,
  exp10: 0,
  unit: "1",
  minimum: 0,
  maximum: reg.PPG_TOP,
  accuracy: "no figure seen",
};
/** `gain`: V/V. */
const potential = (gain: number): typeof LIGHT => ({
  mdc: ECG,
  bits: 18,
  // 12.247 uV / gain, to 16 digits.
  mul: Math.round((reg.ECG_STEP * 1e12) / gain),
  exp10: -21,
  unit: "V",
  minimum: ~reg.ECG_TOP,
  maximum: reg.ECG_TOP,
  accuracy: "no figure seen; trimmed at gain 76 only",
});

const create = (partial: Partial<Max86150Configuration>, wiring: Wiring): Driver<Max86150Configuration> => {
  const configuration: Max86150Configuration = Object.assign({}, defaults, partial);
  let groups = reg.encode(configuration);
  const names = reg.NAMES.filter((name) => configuration.channels.indexOf(name) >= 0);
  const ecg = names[names.length - 1] === "ecg";
  /** From sample to sample, us; part of it from the middle of the averaged conversions to the last of them. */
  const period = (configuration.averaging * 1e6) / configuration.sampleRate;
  const lag = (configuration.averaging - 1) / configuration.averaging / 2;
  const address = wiring.address ?? reg.ADDRESS;
  const where = `${reg.MODEL} at ${hex(address)}`;
  const wired = wiring.interrupt === true;
  const maxRead = wiring.maxRead ?? 1024;
  // A sample, or the status and the pointers.
  const least = Math.max(names.length * reg.WORD, 7);
  if (maxRead < least) {
    const advice = `a bus that reads ${least} at once, or fewer channels`;
    reg.fight(`channels ${names.join(", ")}`, `maxRead ${maxRead} bytes`, advice);
  }

  const reading = createReading(where, names.length, ecg, period, lag, maxRead);
  /** Since `open()`, this chip was identified and configured. */
  let started = false;
  const unopened: Step = {
    ops: [],
    next: (_, frame) => createFail(where)(frame, FAULT_CONFIGURATION, "not open; open it first"),
  };

  return {
    model: reg.MODEL,
    bus: "i2c",
    address,
    maxHz: 400_000,
    configuration,
    dataReady: wired ? "falling" : null,
    pollEvery: ((wired ? POLL_AFTER_INTERRUPT : POLL_AFTER) * period) / 1000,
    channels: () =>
      names.map((name): Channel => {
        const common = { name, rate: 1e6 / period, waveform: true, offset: 0, role: name, processing: 0 as const };
        return Object.assign(common, name === "ecg" ? potential(configuration.gain) : LIGHT);
      }),
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
      const differs = values.map((group, g) => group.join() !== groups[g].join());
      const led = differs[reg.LED_GROUP] || differs[reg.LED_GROUP + 1];
      for (let g = 0; g < differs.length; g++) {
        if (differs[g] && g !== reg.LED_GROUP && g !== reg.LED_GROUP + 1) return null;
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
