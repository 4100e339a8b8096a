/**
 * MLX90614 commands and cells, named as the data sheet writes them (Melexis 3901090614, Rev 13, 13 September 2019).
 * Words are 16 bits, low byte first, with a PEC behind them. Device side: constants stand above everything else and
 * nothing is imported, so that the bundler puts the numbers in place of the names.
 */

// RAM, read only (p. 17, 20).
export const RAW_IR1 = 0x04; // sign and magnitude
export const RAW_IR2 = 0x05;
export const TA = 0x06;
export const TOBJ1 = 0x07;
export const TOBJ2 = 0x08;

// EEPROM: 0x20 and the cell (p. 14, 20).
export const EEPROM = 0x20;
export const EMISSIVITY = 0x24;
export const CONFIG_REGISTER1 = 0x25;
export const SMBUS_ADDRESS = 0x2e; // low byte only
export const CELL_0F = 0x2f; // reserved; goes with the emissivity (README.md)
export const ID_NUMBER = 0x3c; // four cells

// Other commands (p. 20). The last two are in no data sheet: melexis/i2c-stick, mlx90614_api.cpp.
export const READ_FLAGS = 0xf0;
export const ENTER_SLEEP = 0xff;
export const UNLOCK = 0x60;
export const LOCK = 0x61;

// Flags (p. 20).
export const EEBUSY = 0x80;
export const EE_DEAD = 0x20;
export const INIT = 0x10; // low while the chip initialises

/** Error flag of a linearised temperature (p. 20, 30). */
export const ERROR = 0x8000;
// ConfigRegister1 (table 7, p. 15): bits 2:0 IIR, 10:8 FIR.
export const DUAL = 0x40;
export const FIR_SHIFT = 8;

/** Codes of 0.02 K: what the ambient and the object temperature can be at all (p. 30). */
export const AMBIENT_MINIMUM = 0x2de4;
export const AMBIENT_MAXIMUM = 0x4dc4;
export const OBJECT_MINIMUM = 0x27ad;
export const OBJECT_MAXIMUM = 0x7fff;

// The driver's own numbers.
/** First data 250 ms after power-up, typically (p. 11); the oscillator is within 10 %; ms. */
export const START_UP = 300;
/** The lowest emissivity, 0.1 (p. 14); a cell that reads 0 was erased and not written. */
export const LOWEST_EMISSIVITY = 6554;
/** An erasing or a writing takes 5 ms, "10 ms to be on the safe side" (p. 17); ms. */
export const EEPROM_PAUSE = 10;
/** Readings with a wrong PEC are repeated so often in one poll. */
export const REPEATS = 3;
/** Looks for the flags, and ms between them. */
export const FLAG_LOOKS = 4;
export const FLAG_PAUSE = 100;

/** How a temperature is taken. */
export interface Mlx90614Configuration {
  /** Values a second, hz, 1/60 to 22: less often than the chip makes new ones (table 9, p. 16). */
  readonly sampleRate: number;
  /** 1: `object`. 2: also `object2`; dual-zone chips only (MLX90614xBx). */
  readonly zones: 1 | 2;
  /** What the EEPROM shall hold, 0.1 to 1 (p. 14): written only where it holds another one. null: as it is. */
  readonly emissivity: number | null;
  /** true: close() puts it to sleep; only its supply, or SDA low for 33 ms, wakes it (p. 22). */
  readonly sleep: boolean;
  /** true: the flags are read at opening, as a word with repeated start, which the data sheet does not say (p. 20). */
  readonly flags: boolean;
}

export const MODEL = "MLX90614";
export const DEFAULT_ADDRESS = 0x5a;
/** Read at opening and in the self-test, in this order. */
export const CELLS = [
  EMISSIVITY,
  CONFIG_REGISTER1,
  SMBUS_ADDRESS,
  CELL_0F,
  ID_NUMBER,
  ID_NUMBER + 1,
  ID_NUMBER + 2,
  ID_NUMBER + 3,
];
/**
 * Settling time without IIR, ms: FIR 128, 256, 512, 1024, one zone and then two (table 9, p. 16). No result takes longer
 * than that.
 */
const SETTLING = [40, 50, 60, 100, 60, 70, 100, 140];

/** Longest time from one result to the next, us: the oscillator may be 10 % slow (p. 11). */
export const refreshOf = (configRegister1: number): number => {
  const fir = (configRegister1 >> FIR_SHIFT) & 7;
  // Shorter filters are not in the table ("not recommended"): they are faster than 128.
  return SETTLING[Math.max(0, fir - 4) + (configRegister1 & DUAL ? 4 : 0)] * 1100;
};

/** Times x2 + x + 1, the polynomial of the PEC (CRC-8) without its x8: what bits that are eight places too high come to. */
const folded = (bits: number): number => bits ^ (bits << 1) ^ (bits << 2);

/** The PEC goes on over one more byte (p. 19). */
export const crc = (pec: number, byte: number): number => {
  const bits = folded(pec ^ byte);
  return (bits & 255) ^ folded(bits >> 8);
};

/** PEC of a read word up to its data: address with W, command, address with R. */
export const prefixOf = (address: number, command: number): number =>
  crc(crc(crc(0, address << 1), command), (address << 1) | 1);

/** The word of a reply whose PEC is right; null: it is not, or there is none. */
export const wordOf = (prefix: number, reply: ArrayLike<number>): number | null =>
  crc(crc(prefix, reply[0]), reply[1]) === reply[2] ? reply[0] | (reply[1] << 8) : null;

/** A write of a word. */
export const write = (address: number, command: number, value: number): { write: number[] } => {
  const low = value & 255;
  const high = value >> 8;
  return { write: [command, low, high, crc(crc(crc(crc(0, address << 1), command), low), high)] };
};

/** A command without data. */
export const order = (address: number, command: number): { write: number[] } => ({
  write: [command, crc(crc(0, address << 1), command)],
});

/** 0.1 to 1 as the cell holds it (p. 14). */
export const emissivityCode = (emissivity: number): number => Math.round(65535 * emissivity);
