/**
 * MAX30205: what can be set, and what the chip takes for it. Pages are those of 19-8505 (registers.ts). Device side, for
 * boards that take configurations; a board with a setup needs driver.ts alone.
 */
import { choose, createChip } from "../chip.ts";
import { type Channel, type Chip, hex, type Wiring } from "../driver.ts";
import { createDriver, type Max30205Setup } from "./driver.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";

export type { Max30205Alert, Max30205Configuration } from "./registers.ts";

/** A0 and A1 at GND, VDD, SDA or SCL, A2 at GND or VDD: every address from 0x40 to 0x5f, all low first (table 1, p. 9). */
const ADDRESSES = [r.ADDRESS];
for (let address = 0x40; address < 0x60; address++) if (address !== r.ADDRESS) ADDRESSES.push(address);
/** Results for each code of the fault queue (table 6, p. 13). */
const QUEUES = [1, 2, 4, 6];

/** Code of a limit, odd: so it is never a power-on value, and a lost state shows. Throws Error. */
const limit = (name: string, value: number, offset: number): number => {
  const code = (value - offset) * r.PER_DEGREE;
  if (code >= -32768 && code < 32768) return (Math.floor(code) | 1) & 0xffff;
  throw new Error(`${r.MODEL}: alert.${name} is ${value}; choose ${offset - 128} to ${offset + 127} Cel`);
};

/** T_HYST and T_OS of a configuration, unsigned. Without limits two that no temperature reaches. Throws Error. */
const limitsOf = (c: r.Max30205Configuration): number[] => {
  const alert = c.alert;
  if (alert === null) return [0x7f69, 0x7f97];
  const offset = c.extended ? r.EXTENDED_OFFSET : 0;
  const codes = [limit("low", alert.low, offset), limit("high", alert.high, offset)];
  if (r.signed(codes[0]) < r.signed(codes[1])) return codes;
  throw new Error(`${r.MODEL}: alert.low ${alert.low} and alert.high ${alert.high} fight: choose a lower low`);
};

/** Checks a configuration; returns the Configuration register as it is between two conversions. Throws Error. */
const encode = (c: r.Max30205Configuration): number => {
  const queue = choose(r.MODEL, "faultQueue", c.faultQueue, QUEUES);
  if (c.mode !== "oneShot" && c.mode !== "continuous") {
    throw new Error(`${r.MODEL}: mode is ${c.mode}; choose oneShot or continuous`);
  }
  if (c.output !== "comparator" && c.output !== "interrupt") {
    throw new Error(`${r.MODEL}: output is ${c.output}; choose comparator or interrupt`);
  }
  if (!(c.sampleRate >= 1 / 64 && c.sampleRate <= 10)) {
    throw new Error(`${r.MODEL}: sampleRate is ${c.sampleRate}; choose 1/64 to 10 hz`);
  }
  // Shutdown, in which a one-shot ends, resets an OS that works as interrupt (p. 9).
  if (c.output === "interrupt" && c.mode === "oneShot") {
    throw new Error(`${r.MODEL}: output interrupt and mode oneShot fight: shutdown resets OS; choose mode continuous`);
  }
  return (
    (c.busTimeout ? 0 : r.TIMEOUT_OFF) |
    (c.extended ? r.EXTENDED : 0) |
    (queue << r.QUEUE_SHIFT) |
    (c.activeHigh ? r.OS_HIGH : 0) |
    (c.output === "interrupt" ? r.INTERRUPT : 0) |
    (c.mode === "oneShot" ? r.SHUTDOWN : 0)
  );
};

/** Checks a configuration. Throws Error. */
const setup = (c: r.Max30205Configuration, wiring: Wiring): Max30205Setup => {
  const register = encode(c);
  const limits = limitsOf(c);
  const address = wiring.address ?? r.ADDRESS;
  if (ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x40 to 0x5f, as A0, A1 and A2 are wired`);
  }
  const single = c.mode === "oneShot";
  const period = 1000 / c.sampleRate;
  const offset = c.extended ? r.EXTENDED_OFFSET * r.PER_DEGREE : 0;
  const channel: Channel = {
    name: "temperature",
    mdc: 150364,
    rate: c.sampleRate,
    waveform: false,
    bits: 16,
    offset: offset,
    mul: 390625,
    exp10: -8,
    unit: "Cel",
    minimum: -10 * r.PER_DEGREE - offset,
    maximum: 50 * r.PER_DEGREE - offset,
    accuracy: "0.1 Cel from 37 to 39 Cel, 0.5 Cel from 0 to 50 Cel, at one value in 10 s (19-8505 p. 2)",
    processing: 0,
  };
  return {
    target: {
      model: r.MODEL,
      bus: "i2c",
      address: address,
      maxHz: 400000,
      dataReady: null,
      // One-shot: the rest of the period.
      pollEvery: Math.round(single ? period - r.PAUSE : period),
    },
    channels: [channel],
    capacities: [1],
    register: register,
    limits: limits,
    high: c.alert === null ? null : `${c.alert.high} Cel`,
    single: single,
  };
};

export const chip: Chip<r.Max30205Configuration> = createChip({
  chip: {
    model: r.MODEL,
    bus: "i2c",
    addresses: ADDRESSES,
    defaults: {
      sampleRate: 1,
      mode: "oneShot",
      extended: false,
      alert: null,
      output: "comparator",
      faultQueue: 1,
      activeHigh: false,
      busTimeout: true,
    },
  },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
