/**
 * MAX30102 at register level, and what the MAX30101 shares: register file, FIFO, interrupts, reset, on-chip averaging,
 * slots, die temperature. Data sheet 19-7740, Rev 1, 10/18 (pages stand beside the registers). What no source settles is a
 * named constant, here or in analog.ts, or a sentence in README.md, "Assumptions".
 */
import { type EmulatedChip, type EmulatorOptions, type I2cEmulator, type Signal, setSignal } from "../emulator.ts";
import { AMBIENT_LIMIT, convert, createInputs } from "./emulator-analog.ts";
import * as reg from "./registers.ts";

/** p3-4: from TEMP_EN to DIE_TEMP_RDY, us. */
const TEMPERATURE_TIME = 29_000;
/** Assumption: from RESET to its clearing itself, us. */
const RESET_TIME = 500;
/** Assumption: REV_ID differs from part to part (p11). */
const REVISION = 0x03;
/** Table 12 (p23), heart-rate mode: highest rate for each pulse width, hz. Table 11 is in registers.ts. */
const HIGHEST_RATES_RED_ONLY = [3200, 1600, 1600, 1000];

/** A MAX30102, or with three LEDs a MAX30101. `leds`: their names, LED1 first. */
export function createEmulator(model: string, leds: readonly string[], options: EmulatorOptions): I2cEmulator {
  const registers = new Uint8Array(256);
  /** Three-byte words, up to four a sample (multi-LED mode). */
  const memory = new Int32Array(reg.FIFO_DEPTH * 4);
  const inputs = createInputs(leds);
  const signals: Record<string, Signal> = {};
  for (const name of Object.keys(inputs)) signals[name] = () => (name === "temperature" ? 25 : 0);
  const oscillator = options.oscillator ?? 1;
  const address = options.address ?? reg.ADDRESS;

  let now = 0;
  /** Numbers of the LEDs of a sample in their order; none: nothing converts. Words of a sample in the FIFO. */
  let slots: number[] = [];
  let width = 1;
  /** Proximity: LED2 with its pilot amplitude, until something is near. */
  let waiting = false;
  let startedAt = 0;
  let conversions = 0;
  const sums = [0, 0, 0, 0];
  let summed = 0;
  let unread = 0;
  let temperatureAt = Number.POSITIVE_INFINITY;
  let resetAt = Number.POSITIVE_INFINITY;
  let level: 0 | 1 = 1;
  /** Register address, and whether the next byte written is one; bytes of the FIFO sample being read. */
  let pointer = 0;
  let addressing = false;
  let held: number[] = [];

  const field = (register: number, shift: number, mask: number) => (registers[register] >> shift) & mask;
  const rate = () => reg.RATES[field(reg.SPO2_CONFIG, 2, 7)];
  const mode = () => field(reg.MODE_CONFIG, 0, 7);
  const averaging = () => reg.AVERAGES[Math.min(field(reg.FIFO_CONFIG, 5, 7), 5)];
  const conversionAt = () =>
    slots.length === 0 ? Number.POSITIVE_INFINITY : startedAt + (conversions * 1e6) / (rate() * oscillator);

  const updateInterrupt = () => {
    const one = registers[reg.INT_STATUS_1] & (registers[reg.INT_ENABLE_1] | reg.PWR_RDY);
    const two = registers[reg.INT_STATUS_2] & registers[reg.INT_ENABLE_2];
    const next = (one | two) === 0 ? 1 : 0;
    if (next === level) return;
    level = next;
    emulator.onInterrupt?.(level, now);
  };
  const raise = (register: number, bits: number) => {
    registers[register] |= bits;
    updateInterrupt();
  };

  const push = (words: readonly number[]) => {
    const full = unread === reg.FIFO_DEPTH;
    if (full) {
      registers[reg.OVF_COUNTER] = Math.min(registers[reg.OVF_COUNTER] + 1, reg.FIVE_BITS);
      if (field(reg.FIFO_CONFIG, 4, 1) === 0) return;
      registers[reg.FIFO_RD_PTR] = (registers[reg.FIFO_RD_PTR] + 1) & reg.FIVE_BITS;
      unread--;
    }
    memory.set(words, registers[reg.FIFO_WR_PTR] * 4);
    registers[reg.FIFO_WR_PTR] = (registers[reg.FIFO_WR_PTR] + 1) & reg.FIVE_BITS;
    unread++;
    const almost = !full && unread === reg.FIFO_DEPTH - field(reg.FIFO_CONFIG, 0, 15);
    raise(reg.INT_STATUS_1, reg.PPG_RDY | (almost ? reg.A_FULL : 0));
  };

  /** One code of one LED, right-justified. */
  const codeOf = (led: number, steps: number, time: number, sinceStart: number) => {
    const current = signals[leds[led - 1]](time, sinceStart) * steps;
    const ambient = signals.ambient(time, sinceStart);
    return convert(current, ambient, registers[reg.SPO2_CONFIG], options.noise);
  };
  /** What drives a LED; the green one has two amplitudes. */
  const stepsOf = (led: number) => registers[reg.LED1_PA + led - 1] + (led === 3 ? registers[reg.LED3_PA + 1] : 0);
  const nameOf = (led: number, slot: number) => leds[led - 1] + (slots.indexOf(led) < slot ? slot + 1 : "");

  const look = (time: number, sinceStart: number) => {
    const shift = 3 - field(reg.SPO2_CONFIG, 0, 3);
    if ((codeOf(2, registers[reg.PILOT_PA], time, sinceStart) << shift) >> 10 < registers[reg.PROX_INT_THRESH]) return;
    waiting = false;
    startedAt = now;
    conversions = 0;
    raise(reg.INT_STATUS_1, reg.PROX_INT);
  };

  const sample = (at: number) => {
    const time = at / 1e6;
    const sinceStart = conversions / rate();
    conversions++;
    if (signals.ambient(time, sinceStart) > AMBIENT_LIMIT) raise(reg.INT_STATUS_1, reg.ALC_OVF);
    if (waiting) {
      look(time, sinceStart);
      return;
    }
    slots.forEach((led, slot) => {
      sums[slot] += codeOf(led, stepsOf(led), time, sinceStart);
    });
    const count = averaging();
    if (++summed < count) return;
    const middle = at - ((count - 1) * 5e5) / (rate() * oscillator);
    const codes = slots.map((_, slot) => Math.floor(sums[slot] / count));
    summed = 0;
    sums.fill(0);
    slots.forEach((led, slot) => {
      emulator.onConvert?.(nameOf(led, slot), codes[slot], middle);
    });
    const shift = 3 - field(reg.SPO2_CONFIG, 0, 3);
    push(codes.map((code) => code << shift));
  };

  const endTemperature = () => {
    const sixteenths = Math.round(signals.temperature(temperatureAt / 1e6, 0) * 16);
    const value = Math.max(-128 * 16, Math.min(128 * 16 - 1, sixteenths));
    // Nobody waits for a conversion whose end is not enabled: the self-test's is no sample.
    if (field(reg.INT_ENABLE_2, 1, 1) === 1) {
      emulator.onConvert?.("dieTemperature", value + 0, temperatureAt - TEMPERATURE_TIME / oscillator / 2);
    }
    temperatureAt = Number.POSITIVE_INFINITY;
    registers[reg.TEMP_INT] = value >> 4;
    registers[reg.TEMP_FRAC] = value & 15;
    registers[reg.TEMP_CONFIG] = 0;
    raise(reg.INT_STATUS_2, reg.DIE_TEMP_RDY);
  };

  /** After every write that may matter: the highest allowed rate instead of too high a one, and a new start. */
  const restart = () => {
    const chosen = [field(0x11, 0, 7), field(0x11, 4, 7), field(0x12, 0, 7), field(0x12, 4, 7)];
    slots = mode() === reg.MODE_HEART_RATE ? [1] : mode() === reg.MODE_SPO2 ? [1, 2] : [];
    if (mode() === reg.MODE_MULTI_LED) slots = chosen.filter((led) => led > 0 && led <= leds.length);
    const limits = mode() === reg.MODE_HEART_RATE ? HIGHEST_RATES_RED_ONLY : reg.HIGHEST_RATES;
    const highest = reg.RATES.indexOf(limits[field(reg.SPO2_CONFIG, 0, 3)]);
    if (slots.length > 0 && field(reg.SPO2_CONFIG, 2, 7) > highest) {
      registers[reg.SPO2_CONFIG] = (registers[reg.SPO2_CONFIG] & ~0x1c) | (highest << 2);
    }
    if (slots.length > 0) width = slots.length;
    if (field(reg.MODE_CONFIG, 6, 3) !== 0) slots = [];
    startedAt = now;
    conversions = 0;
    summed = 0;
    sums.fill(0);
  };

  /** Power-on state (p10-11). */
  const clear = () => {
    registers.fill(0);
    registers.fill(0xff, 0x13, 0x18);
    memory.fill(0);
    registers[reg.REV_ID] = REVISION;
    registers[reg.PART_ID] = reg.PART;
    unread = 0;
    waiting = false;
    held = [];
    temperatureAt = Number.POSITIVE_INFINITY;
    resetAt = Number.POSITIVE_INFINITY;
    restart();
  };

  const writeMode = (value: number) => {
    if ((value & reg.RESET) !== 0) {
      clear();
      registers[reg.MODE_CONFIG] = reg.RESET;
      resetAt = now + RESET_TIME;
    } else {
      registers[reg.MODE_CONFIG] = value & (reg.SHDN | 7);
      if ((value & reg.SHDN) !== 0) {
        registers[reg.INT_STATUS_1] = registers[reg.INT_STATUS_2] = 0;
        registers[reg.TEMP_CONFIG] = 0;
        temperatureAt = Number.POSITIVE_INFINITY;
      }
      waiting = field(reg.INT_ENABLE_1, 4, 1) === 1 && mode() !== reg.MODE_MULTI_LED;
      restart();
    }
    updateInterrupt();
  };

  const writePointer = (register: number, value: number) => {
    if (![2, 3, 7].includes(mode())) return;
    registers[register] = value & reg.FIVE_BITS;
    if (register !== reg.OVF_COUNTER) {
      unread = (registers[reg.FIFO_WR_PTR] - registers[reg.FIFO_RD_PTR]) & reg.FIVE_BITS;
    }
  };

  const writeRegister = (register: number, value: number) => {
    const readOnly = register <= reg.INT_STATUS_2 || register >= reg.REV_ID || register === reg.FIFO_DATA;
    if (readOnly || register === reg.TEMP_INT || register === reg.TEMP_FRAC) return;
    if (resetAt !== Number.POSITIVE_INFINITY) return;
    // Reserved on the MAX30102.
    const third = (register >= reg.LED3_PA && register <= reg.PILOT_PA) || register === reg.PROX_INT_THRESH;
    if (third && leds.length < 3) return;
    if (register === reg.MODE_CONFIG) writeMode(value);
    else if (register >= reg.FIFO_WR_PTR && register <= reg.FIFO_RD_PTR) writePointer(register, value);
    else {
      registers[register] = value;
      if (register === reg.INT_ENABLE_1) registers[register] = value & (leds.length < 3 ? 0xe0 : 0xf0);
      if (register === reg.INT_ENABLE_2) registers[register] = value & reg.DIE_TEMP_RDY;
      if (register <= reg.INT_ENABLE_2) updateInterrupt();
      if (register === reg.SPO2_CONFIG) registers[register] = value & 0x7f;
      const slot = register === reg.SLOTS_1_2 || register === reg.SLOTS_3_4;
      if (register === reg.SPO2_CONFIG || (slot && mode() === reg.MODE_MULTI_LED)) restart();
      if (register === reg.TEMP_CONFIG) {
        registers[register] = value & reg.TEMP_EN;
        const awake = field(reg.MODE_CONFIG, 7, 1) === 0;
        if ((value & reg.TEMP_EN) !== 0 && awake) temperatureAt = now + TEMPERATURE_TIME / oscillator;
      }
    }
  };

  /** The first byte of a sample pops it (p15); an empty FIFO gives what lies there. */
  const readFifo = () => {
    if (held.length === 0) {
      const at = registers[reg.FIFO_RD_PTR] * 4;
      const words = Array.from(memory.subarray(at, at + width));
      held = words.flatMap((word) => [(word >> 16) & 0xff, (word >> 8) & 0xff, word & 0xff]);
      if (unread > 0) {
        unread--;
        registers[reg.FIFO_RD_PTR] = (registers[reg.FIFO_RD_PTR] + 1) & reg.FIVE_BITS;
        registers[reg.OVF_COUNTER] = 0;
      }
      registers[reg.INT_STATUS_1] &= ~reg.PPG_RDY;
      updateInterrupt();
    }
    return held.shift()!;
  };

  const nextAt = () => Math.min(conversionAt(), temperatureAt, resetAt);

  const emulator: I2cEmulator = {
    model,
    inputs,
    address,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return nextAt();
    },
    get interrupt() {
      return level;
    },
    set: (name, value) => setSignal(model, signals, name, value),
    powerOn(at) {
      now = at;
      clear();
      raise(reg.INT_STATUS_1, reg.PWR_RDY);
    },
    advance(to) {
      for (let at = nextAt(); at <= to && at < Number.POSITIVE_INFINITY; at = nextAt()) {
        now = at;
        if (at === resetAt) {
          resetAt = Number.POSITIVE_INFINITY;
          registers[reg.MODE_CONFIG] = 0;
        } else if (at === temperatureAt) endTemperature();
        else sample(at);
      }
      now = to;
    },
    start(read) {
      addressing = !read;
      held = [];
      return true;
    },
    write(byte) {
      if (addressing) pointer = byte;
      else {
        writeRegister(pointer, byte);
        if (pointer !== reg.FIFO_DATA && pointer < reg.PART_ID) pointer++;
      }
      addressing = false;
      return true;
    },
    read() {
      if (pointer === reg.FIFO_DATA) return readFifo();
      const value = registers[pointer];
      if (pointer <= reg.INT_STATUS_2) registers[pointer] = 0;
      if (pointer === reg.TEMP_FRAC) registers[reg.INT_STATUS_2] = 0;
      if (pointer <= reg.INT_STATUS_2 || pointer === reg.TEMP_FRAC) updateInterrupt();
      if (pointer < reg.PART_ID) pointer++;
      return value;
    },
    stop() {
      held = [];
    },
  };
  return emulator;
}

export const emulated = {
  model: "MAX30102",
  bus: "i2c",
  create: (options: EmulatorOptions) => createEmulator("MAX30102", reg.LEDS.slice(0, 2), options),
} satisfies EmulatedChip;
