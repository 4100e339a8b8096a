/**
 * AD8232: what can be set, and what that makes of a converter's codes. Device side, for boards that take configurations; a
 * board with a setup needs driver.ts alone.
 */
import { createChip } from "../chip.ts";
import { ANALOG_BUFFER, type Channel, type Chip, type Converter, type Op, type Wiring } from "../driver.ts";
import { type Ad8232Setup, createDriver } from "./driver.ts";
import type { Leads } from "./opening.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";
import { check, offsetOf } from "./settings.ts";

export type { Ad8232Configuration } from "./registers.ts";

const DEFAULTS: r.Ad8232Configuration = {
  sampleRate: 250,
  gain: r.MODULE_GAIN,
  supply: 33 / 10,
  offset: null,
  electrodes: 3,
  settling: r.RESTORE_S1 + r.RESTORE_S2,
  railTimeout: 5,
};

/** Digits of mul before its zeros are dropped: 10^12 or more. */
const MUL_LEAST = 1000000000000;

/** Code of a voltage, as the board's converter makes it. */
const codeOf = (volts: number, converter: Converter): number => {
  const full = 1 << converter.bits;
  return Math.max(0, Math.min(full - 1, Math.floor((volts / converter.reference) * full)));
};

/**
 * mul and exp10 of the channel: (code + offset) x mul x 10^exp10 in V between the electrodes. 13 significant digits, so
 * exact where 13 are enough (3.3 V, 12 bits, 1100: 732421875 x 10^-15), else within 5 x 10^-13 of it.
 */
const scaleOf = (gain: number, converter: Converter): { mul: number; exp10: number } => {
  const steps = (1 << converter.bits) * gain;
  let power = 1;
  let exp10 = 0;
  while ((converter.reference * power) / steps < MUL_LEAST) {
    power *= 10;
    exp10--;
  }
  let mul = Math.round((converter.reference * power) / steps);
  while (mul % 10 === 0) {
    mul /= 10;
    exp10++;
  }
  return { mul: mul, exp10: exp10 };
};

/** What the levels of the lead-off pins mean; `levels`: of the wired `inputs`, the first the lowest bit. */
const leadsAt = (levels: number, electrodes: number, inputs: readonly string[]): Leads => {
  const wired = (pin: string): boolean => inputs.indexOf(pin) >= 0;
  const high = (pin: string): boolean => wired(pin) && ((levels >> inputs.indexOf(pin)) & 1) === 1;
  const read = (pin: string): string => `${pin} ${!wired(pin) ? "not wired" : high(pin) ? "high" : "low"}`;
  // With two electrodes LO+ tells that one is off, not which (p. 18).
  if (electrodes === 2) return { off: high(r.LO_PLUS) ? "+IN or -IN" : "", levels: read(r.LO_PLUS) };
  return {
    off: ["+IN", "-IN"].filter((_, i) => high(r.INPUTS[i])).join(", "),
    levels: r.INPUTS.map(read).join(", "),
  };
};

/** Checks a configuration. Throws Error. */
const setup = (c: r.Ad8232Configuration, wiring: Wiring): Ad8232Setup => {
  const converter = check(c, wiring);
  const offset = offsetOf(c);
  const scale = scaleOf(c.gain, converter);
  const top = codeOf(c.supply, converter);
  const switched = (wiring.pins ?? []).indexOf(r.SHUTDOWN) >= 0;
  const inputs = wiring.inputs ?? [];
  const leads: Leads[] = [];
  for (let levels = 0; levels < 1 << inputs.length; levels++) leads.push(leadsAt(levels, c.electrodes, inputs));
  const off: Op[] = switched ? [{ pin: r.SHUTDOWN, level: 0 }] : [];
  const channel: Channel = {
    name: "ecg",
    mdc: 131328,
    rate: c.sampleRate,
    waveform: true,
    bits: converter.bits,
    offset: -codeOf(offset, converter),
    mul: scale.mul,
    exp10: scale.exp10,
    unit: "V",
    minimum: 0,
    maximum: top,
    accuracy: "gain of the chip 3.5 % (data sheet table 1)",
    processing: 0,
  };
  return {
    target: {
      model: r.MODEL,
      bus: "analog",
      maxHz: 1000,
      dataReady: null,
      pollEvery: Math.floor((r.POLL_SAMPLES * 1000) / c.sampleRate),
    },
    channels: [channel],
    capacities: [r.KEPT + ANALOG_BUFFER],
    leads: leads,
    step: converter.reference / (1 << converter.bits),
    period: 1000000 / c.sampleRate,
    low: codeOf(1 / r.SWING_PER_VOLT, converter),
    high: codeOf(c.supply - 1 / r.SWING_PER_VOLT, converter),
    deadLow: codeOf(1 / r.DEAD_PER_VOLT, converter),
    // Out of reach where the converter ends below the supply: its last code is then one of the chip's.
    deadHigh: converter.reference < c.supply ? top + 1 : codeOf(c.supply - 1 / r.DEAD_PER_VOLT, converter),
    on: switched ? [{ pin: r.SHUTDOWN, level: 1 }] : [],
    off: off,
    start: [{ sample: c.sampleRate }],
    stop: [{ sample: 0 } as Op].concat(off),
    look: Math.ceil((r.LOOK_SAMPLES * 1000) / c.sampleRate),
    settling: c.settling,
    railTimeout: c.railTimeout,
    record: {
      sampleRate: c.sampleRate,
      gain: c.gain,
      supply: c.supply,
      offset: offset,
      electrodes: c.electrodes,
    },
  };
};

export const chip: Chip<r.Ad8232Configuration> = createChip({
  chip: {
    model: r.MODEL,
    bus: "analog",
    addresses: [],
    defaults: DEFAULTS,
    pins: r.PINS,
    inputs: r.INPUTS,
  },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
