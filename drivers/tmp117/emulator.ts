/**
 * TMP117 at register level (TI SNOSD82D): pointer, big-endian words, conversion cycle, Data_Ready and alert flags, the
 * ALERT pin in alert and therm mode, EEPROM with its busy time, soft reset, shutdown, one-shot. Not modelled: general call
 * and SMBus alert response (the bus addresses chips one by one), self-heating. What the data sheet leaves open, and is
 * assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type I2cEmulator,
  type Input,
  type Signal,
  setSignal,
} from "../emulator.ts";
import * as r from "./registers.ts";

/** Registers with an EEPROM cell, their factory values (section 7.6; EEPROM1-3 hold an identification, 0 here). */
const FACTORY: readonly (readonly [register: number, value: number])[] = [
  [r.CONFIGURATION, 0x0220],
  [r.THIGH_LIMIT, 0x6000],
  [r.TLOW_LIMIT, 0x8000],
  [r.EEPROM1, 0],
  [r.EEPROM2, 0],
  [r.TEMP_OFFSET, 0],
  [r.EEPROM3, 0],
];
const ID = 0x0117;
/** us: one conversion (section 7.3.2), power-up (7.3.1), soft reset (7.6), programming one word (7.5.1.2). */
const CONVERSION = 15_500;
const POWER_UP = 1_500;
const RESET = 2_000;
const PROGRAMMING = 7_000;

const toSigned = (word: number) => (word << 16) >> 16;

const inputs: Record<string, Input<r.Tmp117Configuration>> = {
  temperature: {
    channel: "temperature",
    unit: "Cel",
    minimum: -55,
    maximum: 150,
    epsilon: 0.5 / r.PER_DEGREE,
    expected: (value, { offset }) => value + Math.round(offset * r.PER_DEGREE) / r.PER_DEGREE,
  },
};

function create(options: EmulatorOptions): I2cEmulator {
  const oscillator = options.oscillator ?? 1;
  const signals: Record<string, Signal> = { temperature: () => 25 };
  const eeprom = new Map(FACTORY);
  const registers = new Map(FACTORY);
  let result = 0x8000;
  let flags = 0;
  let unlocked = false;
  let now = 0;
  let level: 0 | 1 = 1;
  /** EEPROM_Busy until then; with `starting`, registers are loaded and conversions begin at its end. */
  let busyUntil = Number.NEGATIVE_INFINITY;
  let starting = false;
  /** Conversion k ends at startedAt + active time + k cycles. */
  let startedAt = Number.POSITIVE_INFINITY;
  let k = 0;
  let pointer = 0;
  /** Bytes of this transaction; the word being read. */
  let bytes = 0;
  let word = 0;

  const get = (register: number) => registers.get(register) ?? 0;
  const averages = () => r.AVERAGES[(get(r.CONFIGURATION) >> r.AVG_SHIFT) & 3];
  const oneShot = () => (get(r.CONFIGURATION) & r.MOD) === r.ONE_SHOT;
  /** Active time and cycle, us: averaging may take longer than CONV says (section 7.6, CONV: 125 ms, 500 ms, 1 s). */
  const active = () => (averages() * CONVERSION) / oscillator;
  const cycle = () => {
    const averaged = { 1: 0, 8: 125, 32: 500, 64: 1000 }[averages()] ?? 0;
    return Math.max(r.CYCLES[(get(r.CONFIGURATION) >> r.CONV_SHIFT) & 7], averaged) * 1000;
  };
  const conversionAt = () => startedAt + active() + (k * cycle()) / oscillator;
  const busy = () => now < busyUntil;

  /** ALERT: Data_Ready or an alert flag, active low unless POL; open drain (section 7.6). */
  const update = () => {
    const configuration = get(r.CONFIGURATION);
    const shown = (configuration & r.DR_ALERT) !== 0 ? r.DATA_READY : r.HIGH_ALERT | r.LOW_ALERT;
    const asserted = (flags & shown) !== 0;
    const next = asserted === ((configuration & r.POL) !== 0) ? 1 : 0;
    if (next === level) return;
    level = next;
    emulator.onInterrupt?.(level, now);
  };

  /** A conversion cycle begins now, where the mode is not shutdown. */
  const begin = () => {
    startedAt = (get(r.CONFIGURATION) & r.MOD) === r.SHUTDOWN ? Number.POSITIVE_INFINITY : now;
    k = 0;
  };

  const reset = (duration: number) => {
    result = 0x8000;
    flags = 0;
    unlocked = false;
    for (const [register, value] of eeprom) registers.set(register, value);
    // One-shot is no start-up mode: shutdown instead (section 7.4.3).
    if (oneShot()) registers.set(r.CONFIGURATION, (get(r.CONFIGURATION) & ~r.MOD) | r.SHUTDOWN);
    startedAt = Number.POSITIVE_INFINITY;
    busyUntil = now + duration;
    starting = true;
    update();
  };

  const convert = () => {
    const sinceStart = (k * cycle()) / 1e6;
    let steps = signals.temperature(now / 1e6, sinceStart) * r.PER_DEGREE;
    // The standard deviation without averaging is about 1 LSB (section 8.2.2.1).
    if (options.noise !== undefined) steps += options.noise() / Math.sqrt(averages());
    const rounded = (steps < 0 ? -Math.round(-steps) : Math.round(steps)) + toSigned(get(r.TEMP_OFFSET));
    const code = Math.max(-32768, Math.min(32767, rounded)) | 0;
    emulator.onConvert?.("temperature", code, now);
    result = code & 0xffff;
    flags |= r.DATA_READY;
    const therm = (get(r.CONFIGURATION) & r.THERM) !== 0;
    const below = code < toSigned(get(r.TLOW_LIMIT));
    if (code > toSigned(get(r.THIGH_LIMIT))) flags |= r.HIGH_ALERT;
    // Therm mode: the low limit is where the high alert ends (section 7.4.4.2).
    else if (therm && below) flags &= ~r.HIGH_ALERT;
    if (below && !therm) flags |= r.LOW_ALERT;
    k++;
    if (oneShot()) {
      registers.set(r.CONFIGURATION, (get(r.CONFIGURATION) & ~r.MOD) | r.SHUTDOWN);
      startedAt = Number.POSITIVE_INFINITY;
    }
    update();
  };

  const fetch = (): number => {
    if (pointer === r.TEMP_RESULT) {
      flags &= ~r.DATA_READY;
      return result;
    }
    if (pointer === r.CONFIGURATION) {
      const value = get(r.CONFIGURATION) | flags | (busy() ? r.EEPROM_BUSY : 0);
      // In therm mode conversions alone change the alert (section 7.4.4.2).
      flags &= (value & r.THERM) !== 0 ? r.HIGH_ALERT : 0;
      return value;
    }
    if (pointer === r.EEPROM_UL) return (unlocked ? 0x8000 : 0) | (busy() ? 0x4000 : 0);
    return pointer === r.DEVICE_ID ? ID : get(pointer);
  };

  const store = (value: number) => {
    if (pointer === r.EEPROM_UL) unlocked = (value & 0x8000) !== 0;
    // While the EEPROM is read or written, the registers that belong to it are not.
    if (busy() || !registers.has(pointer)) return;
    if (pointer === r.CONFIGURATION) {
      if ((value & r.SOFT_RESET) !== 0) return reset(RESET);
      let settings = value & r.SETTINGS;
      // MOD 10 is the same as 00 and reads back so.
      if ((settings & r.MOD) === 0x0800) settings &= ~r.MOD;
      registers.set(pointer, settings);
      begin();
    } else registers.set(pointer, value);
    if (unlocked) {
      eeprom.set(pointer, get(pointer));
      busyUntil = now + PROGRAMMING;
    }
    update();
  };

  const nextAt = () => Math.min(starting ? busyUntil : Number.POSITIVE_INFINITY, conversionAt());

  const emulator: I2cEmulator = {
    model: r.MODEL,
    address: options.address ?? r.ADDRESSES[0],
    inputs: inputs as Readonly<Record<string, Input<never>>>,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return nextAt();
    },
    get interrupt() {
      return level;
    },
    set: (name, value) => setSignal(r.MODEL, signals, name, value),
    powerOn(at) {
      now = at;
      pointer = 0;
      reset(POWER_UP);
    },
    advance(to) {
      while (nextAt() <= to) {
        now = nextAt();
        if (starting && now === busyUntil) {
          starting = false;
          begin();
        } else convert();
      }
      now = Math.max(now, to);
    },
    start() {
      bytes = 0;
      return true;
    },
    write(byte) {
      if (bytes === 0) pointer = byte & 0x0f;
      else if (bytes === 1) word = byte;
      else if (bytes === 2) store((word << 8) | byte);
      bytes++;
      return true;
    },
    read() {
      if (bytes % 2 === 0) word = fetch();
      bytes++;
      update();
      return bytes % 2 === 1 ? word >> 8 : word & 0xff;
    },
    stop() {
      bytes = 0;
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "i2c", create } satisfies EmulatedChip;
