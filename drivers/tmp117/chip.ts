/**
 * TMP117: what can be set, and what the chip takes for it. Sections are those of SNOSD82D (registers.ts). Device side, for
 * boards that take configurations; a board with a setup needs driver.ts alone.
 */
import { choose, createChip } from "../chip.ts";
import { type Channel, type Chip, hex, type Wiring } from "../driver.ts";
import { createDriver, type Tmp117Setup } from "./driver.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";

export type { Tmp117Alert, Tmp117Configuration } from "./registers.ts";

/** Waiting for a one-shot conversion of so many averages, ms: its longest time, and a timer that is early by one. */
const pauseOf = (averaging: number): number => Math.ceil((averaging * r.LONGEST) / 1000) + 1;

/** Code of an alert limit; `none` where there is none: no result is beyond that. Throws Error. */
const limit = (name: string, value: number | undefined, none: number): number => {
  if (value === undefined) return none;
  if (!(value > -256 && value < 256)) throw new Error(`${r.MODEL}: alert.${name} is ${value}; choose -255 to 255 Cel`);
  return Math.round(value * r.PER_DEGREE);
};

/** THigh_Limit and TLow_Limit of a configuration that has limits; null where it has none. Throws Error. */
const limitsOf = (c: r.Tmp117Configuration): number[] | null => {
  const alert = c.alert;
  if (alert === undefined) return null;
  const high = limit("high", alert.high, 32767);
  const low = limit("low", alert.low, -32768);
  if (low < high) return [high, low];
  throw new Error(`${r.MODEL}: alert.low ${alert.low} and alert.high ${alert.high} fight: choose a lower low`);
};

/**
 * Checks a configuration; returns the Configuration register: continuous conversion (one-shot: shutdown, in which it is
 * between two), ALERT as data-ready output, active low. That bit is always set: so the register never equals its reset
 * value 0x0220, and a lost state shows. CONV means nothing in one-shot mode; it tells the register from that of a closed
 * chip.
 */
const encode = (c: r.Tmp117Configuration): number => {
  const conv = choose(r.MODEL, "sampleRate", c.sampleRate, r.RATES);
  const avg = choose(r.MODEL, "averaging", c.averaging, r.AVERAGES);
  const oneShot = c.mode === "oneShot";
  if (!oneShot && c.mode !== undefined && c.mode !== "continuous") {
    throw new Error(`${r.MODEL}: mode is ${c.mode}; choose continuous or oneShot`);
  }
  // The whole time of a one-shot must fit, with a moment for the host.
  const each = oneShot ? r.LONGEST / 1000 : r.CYCLES[0];
  if (oneShot ? pauseOf(c.averaging) >= r.CYCLES[conv] : c.averaging * each > r.CYCLES[conv]) {
    throw new Error(
      `${r.MODEL}: averaging ${c.averaging} and sampleRate ${c.sampleRate} fight${oneShot ? " in mode oneShot" : ""}: ` +
        `${c.averaging} conversions take ${c.averaging * each} ms, the cycle ${r.CYCLES[conv]} ms; choose a lower one of the two`,
    );
  }
  if (!(c.offset > -256 && c.offset < 256)) {
    throw new Error(`${r.MODEL}: offset is ${c.offset}; choose -255 to 255 Cel`);
  }
  return (oneShot ? r.SHUTDOWN : 0) | (conv << r.CONV_SHIFT) | (avg << r.AVG_SHIFT) | r.DR_ALERT;
};

/** Checks a configuration. Throws Error. */
const setup = (c: r.Tmp117Configuration, wiring: Wiring): Tmp117Setup => {
  const register = encode(c);
  const limits = limitsOf(c);
  const address = wiring.address ?? r.ADDRESSES[0];
  if (r.ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x48, 0x49, 0x4a or 0x4b, as ADD0 is wired`);
  }
  const single = c.mode === "oneShot";
  const wired = wiring.interrupt === true && !single;
  const cycle = r.CYCLES[r.RATES.indexOf(c.sampleRate)];
  const pause = pauseOf(c.averaging);
  const offset = Math.round(c.offset * r.PER_DEGREE);
  const registers = [{ name: "Temp_Offset", at: r.TEMP_OFFSET, value: offset }];
  if (limits !== null) {
    registers.push({ name: "THigh_Limit", at: r.THIGH_LIMIT, value: limits[0] });
    registers.push({ name: "TLow_Limit", at: r.TLOW_LIMIT, value: limits[1] });
  }
  // Last: its writing begins a cycle, its reading clears flags that older limits have set.
  registers.push({ name: "Configuration", at: r.CONFIGURATION, value: register });
  const channel: Channel = {
    name: "temperature",
    mdc: 150364,
    rate: 1000 / cycle,
    waveform: false,
    bits: 16,
    offset: 0,
    mul: 78125,
    exp10: -7,
    unit: "Cel",
    minimum: Math.max(-32768, offset - 55 * r.PER_DEGREE),
    maximum: Math.min(32767, offset + 150 * r.PER_DEGREE),
    accuracy: "0.1 Cel from -20 to 50 Cel, 0.3 Cel from -55 to 150 Cel (SNOSD82D p. 1)",
    processing: 0,
  };
  return {
    target: {
      model: r.MODEL,
      bus: "i2c",
      address: address,
      maxHz: 400000,
      dataReady: wired ? "falling" : null,
      // A result is written over after a cycle, which may be a sixth shorter than it says. One-shot: the rest of the period.
      pollEvery: Math.round(single ? cycle - pause : wired ? (cycle * 3) / 4 : cycle / 2),
    },
    channels: [channel],
    capacities: [1],
    registers: registers,
    alert: c.alert ?? null,
    averaging: c.averaging,
    cycle: cycle,
    pause: pause,
    single: single,
  };
};

export const chip: Chip<r.Tmp117Configuration> = createChip({
  chip: { model: r.MODEL, bus: "i2c", addresses: r.ADDRESSES, defaults: { sampleRate: 1, averaging: 8, offset: 0 } },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
