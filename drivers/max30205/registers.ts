/**
 * MAX30205 registers, named as the data sheet writes them (Maxim 19-8505, Rev 0, 3/16; pages 9 to 13). Words are 16 bits,
 * high byte first; Configuration has 8 and comes twice. Device side: constants stand above everything else and nothing is
 * imported, so that the bundler puts the numbers in place of the names.
 */

export const TEMPERATURE = 0x00;
export const CONFIGURATION = 0x01;
export const THYST = 0x02;
export const TOS = 0x03;

// Configuration (table 5, p. 12).
export const ONE_SHOT = 0x80; // taken in shutdown only; 0 again when the conversion has ended (p. 13)
export const TIMEOUT_OFF = 0x40;
export const EXTENDED = 0x20; // data format: 64 Cel are to be added
export const QUEUE_SHIFT = 3;
export const OS_HIGH = 0x04; // OS is active high
export const INTERRUPT = 0x02; // OS as interrupt, not as comparator
export const SHUTDOWN = 0x01;
/** All that stays as it is written. */
export const SETTINGS = 0x7f;

/** Power-on values (table 2, p. 10): 75 and 80 Cel. Configuration is 0 then, and so is the temperature. */
export const POR_THYST = 0x4b00;
export const POR_TOS = 0x5000;
/** Values in a degree: one is 1 / 256 Cel (table 3, p. 11). */
export const PER_DEGREE = 256;
/** Cel that the extended format adds (p. 13). */
export const EXTENDED_OFFSET = 64;

// The driver's own numbers.
/** A conversion takes 44 ms, 50 at most (p. 2); no least time is given: 32 ms, a quarter less, is taken for it. us. */
export const SHORTEST = 32000;
export const LONGEST = 50000;
/** Two readings so far apart, us, do not show the same conversion of a chip that converts all the time. */
export const FRESH = 55000;
/** Waiting for a conversion, ms; one that is not ready then is looked for so often again, ms apart. */
export const PAUSE = 52;
export const READY_TRIES = 3;
export const READY_PAUSE = 8;

/** How often a temperature is taken, and what the chip's OS output does. */
export interface Max30205Configuration {
  /** Values a second, hz: 1/64 to 10. The driver's rhythm: the chip has none of its own. */
  readonly sampleRate: number;
  /** "oneShot": every value is a conversion of its own, the chip sleeps between. "continuous": it never stops. */
  readonly mode: "oneShot" | "continuous";
  /** true: extended data format, for more than 127 Cel (p. 13). */
  readonly extended: boolean;
  /** Limits of OS, Cel, in odd steps of 1 / 256; a crossing is told once. null: OS never acts. */
  readonly alert: Max30205Alert | null;
  /** OS as comparator or as interrupt (p. 12). */
  readonly output: "comparator" | "interrupt";
  /** Results in a row beyond a limit before OS acts: 1, 2, 4, 6 (table 6, p. 13). */
  readonly faultQueue: number;
  /** true: OS is active high. */
  readonly activeHigh: boolean;
  /** true: the chip lets go of the bus when SDA was low for 50 ms (p. 13). */
  readonly busTimeout: boolean;
}

/** OS acts above `high` (T_OS) and ends below `low` (T_HYST), Cel. */
export interface Max30205Alert {
  readonly low: number;
  readonly high: number;
}

export const MODEL = "MAX30205";
/** A0, A1 and A2 at GND (table 1, p. 9). */
export const ADDRESS = 0x48;

/** 16 bits out of two bytes of a read. */
export const unsigned = (reply: Uint8Array, at: number): number => (reply[at] << 8) | reply[at + 1];

/** The same as two's complement. */
export const signed = (word: number): number => (word << 16) >> 16;

export const write = (register: number, value: number): { write: number[] } => ({
  write: [register, (value >> 8) & 255, value & 255],
});

/** Configuration has one byte (p. 10). */
export const writeConfiguration = (value: number): { write: number[] } => ({ write: [CONFIGURATION, value] });

/** All four registers in one read: the pointer goes on by itself after every two bytes (p. 10). */
export const READ_ALL = { read: 8, at: TEMPERATURE };
