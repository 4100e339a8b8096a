/**
 * MAX86150 at register level: register file, FIFO with its data slots, interrupts, shutdown, reset, on-chip averaging,
 * light and ECG at rates of their own. What no source settles is a named constant here or a line in README.md.
 */
import { type EmulatedChip, type EmulatorOptions, type I2cEmulator, type Signal, setSignal } from "../emulator.ts";
import { createConverters, inputs } from "./emulator-analog.ts";
import { createFifo } from "./emulator-fifo.ts";
import * as reg from "./registers.ts";

/** Assumption: from RESET to its clearing itself, us. */
const RESET_TIME = 500;
/** One source: how long the supply must be out of range, us. */
const OUT_OF_RANGE_TIME = 10_000;
const SUPPLY_MINIMUM = 1.65;
const SUPPLY_MAXIMUM = 2.05;
/** ECG_RATES by ECG_ADC_CLK and ECG_ADC_OSR, hz. */
const CLOCKED_RATES = [1600, 800, 400, 200, 3200, 1600, 800, 400];
/** PPG_SR 11 to 15 are rates with two pulses a sample, hz. */
const TWO_PULSE_RATES = [10, 20, 50, 84, 100];
/** Ticks so close are one, us: k periods of one rate and 2k of its double are the same up to rounding. */
const SAME = 1e-3;

/** Bits that can be written; registers that are not named here cannot, or are written in ways of their own. */
const MASKS: Readonly<Record<number, number>> = {
  [reg.INT_ENABLE_1]: 0xf0,
  [reg.INT_ENABLE_2]: reg.VDD_OOR | reg.ECG_RDY,
  [reg.FIFO_CONFIG]: 0x7f,
  [reg.FIFO_CONTROL_1]: 0xff,
  [reg.FIFO_CONTROL_2]: 0xff,
  [reg.PPG_CONFIG_1]: 0xff,
  [reg.PPG_CONFIG_2]: 0x07,
  [reg.PROX_INT_THRESH]: 0xff,
  [reg.LED1_PA]: 0xff,
  [reg.LED2_PA]: 0xff,
  [reg.LED_RANGE]: 0x0f,
  [reg.PILOT_PA]: 0xff,
  [reg.ECG_CONFIG_1]: 0x07,
  [reg.ECG_CONFIG_3]: 0x0f,
};
/** Writing one of them starts the conversions anew, and empties a FIFO that is enabled. */
const CONFIGURING = [
  reg.FIFO_CONTROL_1,
  reg.FIFO_CONTROL_2,
  reg.PPG_CONFIG_1,
  reg.PPG_CONFIG_2,
  reg.ECG_CONFIG_1,
  reg.ECG_CONFIG_3,
];

function create(options: EmulatorOptions): I2cEmulator {
  const registers = new Uint8Array(256);
  const signals: Record<string, Signal> = { red: () => 0, infrared: () => 0, ecg: () => 0, supply: () => 1.8 };
  const oscillator = options.oscillator ?? 1;

  let now = 0;
  /** Elements of a FIFO sample in their order; none: nothing converts. Whether light and ECG are among them. */
  let elements: number[] = [];
  let lit = false;
  let wired = false;
  let startedAt = 0;
  let lightConversions = 0;
  let ecgConversions = 0;
  /** Latest code of each kind of element, and sums of what is being averaged. */
  const latest = new Map<number, number>();
  const sums = new Map<number, number>();
  let summed = 0;
  let outSince = Number.POSITIVE_INFINITY;
  let resetAt = Number.POSITIVE_INFINITY;
  let level: 0 | 1 = 1;
  /** Register address, and whether the next byte written is one. */
  let pointer = 0;
  let addressing = false;
  /** How far the way to the test registers is open: 2, they can be written. */
  let unlocked = 0;

  const field = (register: number, shift: number, mask: number) => (registers[register] >> shift) & mask;
  const lightRate = () => {
    const code = field(reg.PPG_CONFIG_1, 2, 15);
    return code < reg.PPG_RATES.length ? reg.PPG_RATES[code] : TWO_PULSE_RATES[code - reg.PPG_RATES.length];
  };
  const averaging = () => reg.AVERAGES[Math.min(field(reg.PPG_CONFIG_2, 0, 7), 5)];
  const ecgRate = () => CLOCKED_RATES[field(reg.ECG_CONFIG_1, 0, 7)];
  const lightAt = () =>
    lit ? startedAt + (lightConversions * 1e6) / (lightRate() * oscillator) : Number.POSITIVE_INFINITY;
  const ecgAt = () =>
    wired ? startedAt + (ecgConversions * 1e6) / (ecgRate() * oscillator) : Number.POSITIVE_INFINITY;

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
  const fifo = createFifo(registers, raise);
  const converters = createConverters(registers, signals, options.noise);

  /** One conversion of the lit LEDs; true where it completes an average. */
  const takeLight = (at: number) => {
    const sinceStart = lightConversions / lightRate();
    lightConversions++;
    const count = averaging();
    summed++;
    for (const element of [reg.FD_LED1, reg.FD_LED2]) {
      if (!elements.includes(element)) continue;
      const sum = (sums.get(element) ?? 0) + converters.light(element, at / 1e6, sinceStart);
      sums.set(element, summed < count ? sum : 0);
      if (summed < count) continue;
      const code = Math.floor(sum / count);
      latest.set(element, code);
      const middle = at - ((count - 1) * 5e5) / (lightRate() * oscillator);
      emulator.onConvert?.(element === reg.FD_LED1 ? "infrared" : "red", code, middle);
    }
    if (summed < count) return false;
    summed = 0;
    return true;
  };
  const takeEcg = (at: number) => {
    const code = converters.ecg(at / 1e6, ecgConversions / ecgRate());
    ecgConversions++;
    // The bits above its 18 are 0 in the FIFO.
    latest.set(reg.FD_ECG, code & (2 * reg.ECG_TOP + 1));
    emulator.onConvert?.("ecg", code, at);
  };

  /** The faster of both moves the FIFO on; the other one's words repeat meanwhile. */
  const sample = (at: number) => {
    const ecgLeads = wired && (!lit || ecgRate() >= lightRate() / averaging());
    let ready = 0;
    if (lightAt() <= at + SAME && takeLight(at)) ready |= reg.PPG_RDY;
    if (ecgAt() <= at + SAME) {
      takeEcg(at);
      ready |= reg.ECG_RDY;
    }
    watchSupply(at);
    if ((ready & (ecgLeads ? reg.ECG_RDY : reg.PPG_RDY)) !== 0) {
      fifo.push(elements.map((element) => latest.get(element) ?? 0));
    }
    if ((ready & reg.PPG_RDY) !== 0) raise(reg.INT_STATUS_1, reg.PPG_RDY);
    if ((ready & reg.ECG_RDY) !== 0) raise(reg.INT_STATUS_2, reg.ECG_RDY);
  };
  const watchSupply = (at: number) => {
    const supply = signals.supply(at / 1e6, 0);
    if (supply >= SUPPLY_MINIMUM && supply <= SUPPLY_MAXIMUM) outSince = Number.POSITIVE_INFINITY;
    else if (outSince === Number.POSITIVE_INFINITY) outSince = at;
    if (at - outSince >= OUT_OF_RANGE_TIME) raise(reg.INT_STATUS_2, reg.VDD_OOR);
  };

  /** After every write that may matter: the highest allowed rate instead of too high a one, and a new start. */
  const restart = () => {
    const slots = [
      field(reg.FIFO_CONTROL_1, 0, 15),
      field(reg.FIFO_CONTROL_1, 4, 15),
      field(reg.FIFO_CONTROL_2, 0, 15),
      field(reg.FIFO_CONTROL_2, 4, 15),
    ];
    elements = slots.filter((slot) => [reg.FD_LED1, reg.FD_LED2, reg.FD_ECG].includes(slot));
    fifo.setElements(elements.length);
    const leds = [reg.FD_LED1, reg.FD_LED2].filter((led) => elements.includes(led)).length;
    const highest = reg.HIGHEST_RATES[Math.max(0, leds - 1) * 4 + field(reg.PPG_CONFIG_1, 0, 3)];
    if (leds > 0 && lightRate() > highest) {
      registers[reg.PPG_CONFIG_1] = (registers[reg.PPG_CONFIG_1] & ~0x3c) | (reg.PPG_RATES.indexOf(highest) << 2);
    }
    const runs = (registers[reg.SYSTEM_CONTROL] & (reg.FIFO_EN | reg.SHDN | reg.RESET)) === reg.FIFO_EN;
    lit = runs && leds > 0;
    wired = runs && elements.includes(reg.FD_ECG);
    startedAt = now;
    lightConversions = ecgConversions = summed = 0;
    sums.clear();
    latest.clear();
  };

  /** Power-on state. */
  const clear = () => {
    registers.fill(0);
    registers[reg.PART_ID] = reg.PART;
    fifo.clear();
    unlocked = 0;
    outSince = resetAt = Number.POSITIVE_INFINITY;
    restart();
  };

  const writeSystem = (value: number) => {
    const before = registers[reg.SYSTEM_CONTROL];
    if ((value & reg.RESET) !== 0) {
      clear();
      registers[reg.SYSTEM_CONTROL] = reg.RESET;
      resetAt = now + RESET_TIME;
    } else {
      registers[reg.SYSTEM_CONTROL] = value & (reg.FIFO_EN | reg.SHDN);
      if ((value & ~before & reg.FIFO_EN) !== 0) fifo.flush();
      if ((value & reg.SHDN) !== 0) registers[reg.INT_STATUS_1] = registers[reg.INT_STATUS_2] = 0;
      restart();
    }
    updateInterrupt();
  };

  const writeRegister = (register: number, value: number) => {
    if (resetAt !== Number.POSITIVE_INFINITY) return;
    if (register === reg.SYSTEM_CONTROL) writeSystem(value);
    else if (register >= reg.FIFO_WR_PTR && register <= reg.FIFO_RD_PTR) fifo.writePointer(register, value);
    else if (register === reg.PART_ID) unlocked = value === 0x54 ? 1 : value === 0x4d && unlocked === 1 ? 2 : 0;
    else if (register >= 0xce && register <= 0xd0 && unlocked === 2) registers[register] = value;
    else if (register in MASKS) {
      registers[register] = value & MASKS[register];
      if (register === reg.INT_ENABLE_1 || register === reg.INT_ENABLE_2) updateInterrupt();
      if (CONFIGURING.includes(register)) {
        if (field(reg.SYSTEM_CONTROL, 2, 1) === 1) fifo.flush();
        restart();
      }
    }
  };

  const nextAt = () => Math.min(lightAt(), ecgAt(), resetAt);

  const emulator: I2cEmulator = {
    model: reg.MODEL,
    inputs,
    address: options.address ?? reg.ADDRESS,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return nextAt();
    },
    get interrupt() {
      return level;
    },
    set: (name, value) => setSignal(reg.MODEL, signals, name, value),
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
          registers[reg.SYSTEM_CONTROL] = 0;
        } else sample(at);
      }
      now = to;
    },
    start(read) {
      addressing = !read;
      fifo.release();
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
      if (pointer === reg.FIFO_DATA) {
        const byte = fifo.read();
        updateInterrupt();
        return byte;
      }
      const value = registers[pointer];
      if (pointer <= reg.INT_STATUS_2) {
        registers[pointer] = 0;
        updateInterrupt();
      }
      if (pointer < reg.PART_ID) pointer++;
      return value;
    },
    stop: fifo.release,
  };
  return emulator;
}

export const emulated = { model: reg.MODEL, bus: "i2c", create } satisfies EmulatedChip;
