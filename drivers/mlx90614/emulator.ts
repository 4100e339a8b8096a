/**
 * MLX90614 at register level (Melexis 3901090614, Rev 13, 2019): RAM, EEPROM with its erase and write times, flags, sleep
 * and wake-up, the PEC over every byte of a transaction, addresses included. Not modelled: PWM and thermal relay, the
 * address 0 that any of them answers, SMBus time-outs, thermal gradients, supply dependence. What the data sheet leaves
 * open, and is assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type I2cEmulator,
  type Input,
  type Signal,
  setSignal,
} from "../emulator.ts";
import { CHANNELS, createSensor, PARTS } from "./emulator-sensor.ts";
import * as r from "./registers.ts";

export interface Mlx90614EmulatorOptions extends EmulatorOptions {
  /** The version as its name ends; "BBA" where absent: two zones, 3 V. */
  readonly part?: keyof typeof PARTS;
}

/** Erasing a cell, writing one (p. 12); SDA low that wakes it (p. 22); us. */
const PROGRAMMING = 5_000;
const WAKE = 33_000;
const CELLS = 32;
const EMISSIVITY = r.EMISSIVITY & 31;
const CONFIG_REGISTER1 = r.CONFIG_REGISTER1 & 31;
const SMBUS_ADDRESS = r.SMBUS_ADDRESS & 31;
/** Cells that can be written (p. 17). */
const WRITABLE = [0, 1, 2, 3, EMISSIVITY, CONFIG_REGISTER1, SMBUS_ADDRESS, r.CELL_0F & 31, 0x19];

/** Bit by bit, and not what the driver uses. */
function crc8(bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80) !== 0 ? ((crc << 1) ^ 0x107) & 0xff : crc << 1;
  }
  return crc;
}

/** As from the factory: PWM -20 to 120 Cel (p. 2, 28), off, single (table 6); what is Melexis' own reads 0 but for 0x0f. */
function factory(part: keyof typeof PARTS, address: number): Uint16Array {
  const { dual, fir, iir } = PARTS[part];
  const cells = new Uint16Array(CELLS);
  cells.set([0x9993, 0x62e3, 0x0201, 0xf71c, 0xffff, 0x98b0 | (dual ? r.DUAL : 0) | (fir << r.FIR_SHIFT) | iir]);
  cells[SMBUS_ADDRESS] = 0xbe00 | address;
  cells[r.CELL_0F & 31] = 0x0733;
  cells.set([0x1234, 0x5678, 0x9abc, 0xdef0], r.ID_NUMBER & 31);
  return cells;
}

/** 0.01 K is half a step. */
const temperature = (channel: string, minimum: number, maximum: number): Input<r.Mlx90614Configuration> => ({
  channel,
  unit: "Cel",
  minimum,
  maximum,
  epsilon: 0.01,
  expected: (value) => value + 273.15,
});
const condition = (maximum: number): Input<r.Mlx90614Configuration> => ({
  unit: "1",
  minimum: 0,
  maximum,
  epsilon: 0,
});

const inputs: Record<string, Input<r.Mlx90614Configuration>> = {
  object: temperature("object", -70, 382.19),
  object2: temperature("object2", -70, 382.19),
  ambient: temperature("ambient", -38.2, 125),
  /** Of the surface that it looks at; the rest is reflected from surroundings that are as warm as the chip. */
  emissivity: condition(1),
  /** Bits that are turned over in every PEC that is read. */
  pecErrors: condition(255),
  /** From a half: the error flag of every temperature is set. */
  error: condition(1),
  /** From a half: EE_DEAD. */
  damage: condition(1),
};

function create(options: Mlx90614EmulatorOptions): I2cEmulator {
  const part = options.part ?? "BBA";
  const signals: Record<string, Signal> = {
    object: () => 25,
    object2: () => 25,
    ambient: () => 25,
    emissivity: () => 1,
    pecErrors: () => 0,
    error: () => 0,
    damage: () => 0,
  };
  const eeprom = factory(part, options.address ?? r.DEFAULT_ADDRESS);
  const oscillator = options.oscillator ?? 1;
  const sensor = createSensor(signals, oscillator, options.noise, PARTS[part].noise);
  let now = 0;
  /** As the EEPROM said at the last start. */
  let address = options.address ?? r.DEFAULT_ADDRESS;
  let asleep = false;
  /** SDA is held low since then, us. */
  let lowSince = Number.POSITIVE_INFINITY;
  /** A cell gets this at that time. */
  let programming: { cell: number; value: number; at: number } | null = null;
  /** Everything of this transaction that the PEC covers; a command behind the address; bytes of the answer, how many read. */
  let covered: number[] = [];
  let command: number | null = null;
  let answer: number[] = [];
  let reading = 0;

  const start = () => {
    asleep = false;
    command = null;
    address = eeprom[SMBUS_ADDRESS] & 0x7f;
    sensor.start(now, eeprom[CONFIG_REGISTER1], eeprom[EMISSIVITY]);
  };
  const condition = (name: string) => signals[name](now / 1e6, now / 1e6);

  const flags = () =>
    (programming === null ? 0 : r.EEBUSY) |
    (condition("damage") >= 0.5 ? r.EE_DEAD : 0) |
    (sensor.initialised ? r.INIT : 0);

  /** The word behind a command. A result that is read for the first time is a sample: what nobody reads is none. */
  const fetch = (of: number): number => {
    if (of === r.READ_FLAGS) return flags();
    if ((of & 0xe0) === r.EEPROM) return eeprom[of & 31];
    const result = sensor.ram.get(of);
    if (result === undefined) return 0;
    if (result.unread) {
      result.unread = false;
      emulator.onConvert?.(CHANNELS[of], result.code, result.at);
    }
    return result.code;
  };

  /** The data and the PEC of a written word are there; false: not acknowledged. */
  const store = (of: number, value: number): boolean => {
    const cell = of & 31;
    // RAM and the cells of Melexis do not change (p. 17; 390119061402 p. 19).
    if ((of & 0xe0) !== r.EEPROM || !WRITABLE.includes(cell)) return true;
    if (programming !== null) return false;
    // Writing can but add bits: a cell that was not erased gets both.
    const result = value === 0 ? 0 : eeprom[cell] | value;
    programming = { cell, value: result, at: now + PROGRAMMING / oscillator };
    return true;
  };

  /** A byte behind the command: its PEC where the command has no data, else data, then the PEC. */
  const receive = (byte: number): boolean => {
    const of = command!;
    const alone = of === r.ENTER_SLEEP || of === r.UNLOCK || of === r.LOCK;
    const last = covered.length === (alone ? 2 : 4);
    const right = crc8(covered) === byte;
    covered.push(byte);
    if (!last) return covered.length <= 4;
    if (!right) return false;
    if (!alone) return store(of, covered[2] | (covered[3] << 8));
    // The 5 V versions have no sleep (p. 22). Unlocking is acknowledged and changes nothing (README.md).
    if (of !== r.ENTER_SLEEP) return true;
    if (!PARTS[part].sleeps) return false;
    asleep = true;
    sensor.stop();
    return true;
  };

  const emulator: I2cEmulator = {
    model: r.MODEL,
    get address() {
      return address;
    },
    inputs: inputs as Readonly<Record<string, Input<never>>>,
    interrupt: 1,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return Math.min(sensor.nextAt, programming?.at ?? Number.POSITIVE_INFINITY);
    },
    set: (name, value) => setSignal(r.MODEL, signals, name, value),
    powerOn(at) {
      now = at;
      // An erasure that was cut off has erased, a write has not written.
      if (programming?.value === 0) eeprom[programming.cell] = 0;
      programming = null;
      start();
    },
    advance(to) {
      for (let next = emulator.nextAt; next <= to; next = emulator.nextAt) {
        now = next;
        if (programming !== null && programming.at === next) {
          eeprom[programming.cell] = programming.value;
          programming = null;
        } else sensor.step();
      }
      now = Math.max(now, to);
    },
    /** "SDA": low for 33 ms while nobody clocks wakes it. */
    pin(name, level) {
      if (name !== "SDA") return;
      if (level === 0) lowSince = now;
      else if (asleep && now - lowSince >= WAKE) start();
      else lowSince = Number.POSITIVE_INFINITY;
    },
    start(read) {
      if (asleep) return false;
      reading = 0;
      answer = [];
      if (read) covered.push((address << 1) | 1);
      else {
        covered = [address << 1];
        command = null;
      }
      return true;
    },
    write(byte) {
      if (command !== null) return receive(byte);
      const known = byte < 0x40 || [r.READ_FLAGS, r.ENTER_SLEEP, r.UNLOCK, r.LOCK].includes(byte);
      // While a cell is erased or written no other one is reached.
      if (!known || ((byte & 0xe0) === r.EEPROM && programming !== null)) return false;
      command = byte;
      covered.push(byte);
      return true;
    },
    read() {
      // Nobody said what: the lines stay high. So it is, too, behind the PEC.
      if (command === null) return 0xff;
      if (reading === 0) {
        const word = fetch(command);
        const pec = crc8([...covered, word & 255, word >> 8]);
        answer = [word & 255, word >> 8, pec ^ (condition("pecErrors") & 255)];
      }
      return answer[reading++] ?? 0xff;
    },
    stop() {
      command = null;
      covered = [];
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "i2c", create } satisfies EmulatedChip;
