/**
 * TMP117 registers, named as the data sheet writes them (TI SNOSD82D, June 2018, revised September 2022; section 7.6).
 * Words are 16 bits, high byte first. Device side: constants stand above everything else and nothing is imported, so
 * that the bundler puts the numbers in place of the names.
 */

export const TEMP_RESULT = 0x00;
export const CONFIGURATION = 0x01;
export const THIGH_LIMIT = 0x02;
export const TLOW_LIMIT = 0x03;
export const EEPROM_UL = 0x04;
export const EEPROM1 = 0x05;
export const EEPROM2 = 0x06;
export const TEMP_OFFSET = 0x07;
export const EEPROM3 = 0x08;
export const DEVICE_ID = 0x0f;

// Configuration (section 7.6). Data_Ready and the alerts are cleared when it is read, Data_Ready also by Temp_Result.
export const HIGH_ALERT = 0x8000;
export const LOW_ALERT = 0x4000;
export const DATA_READY = 0x2000;
export const EEPROM_BUSY = 0x1000; // programming, or power-up
export const SHUTDOWN = 0x0400; // MOD 01
export const ONE_SHOT = 0x0c00; // MOD 11; ends in shutdown
export const MOD = 0x0c00;
export const CONV_SHIFT = 7;
export const AVG_SHIFT = 5;
export const THERM = 0x0010; // T/nA
export const POL = 0x0008; // ALERT is active high
export const DR_ALERT = 0x0004; // ALERT shows Data_Ready
export const SOFT_RESET = 0x0002;
/** EEPROM_UL: unlocked, so that every write is programmed; its EEPROM_Busy, which no reading clears anything with. */
export const EUN = 0x8000;
export const UL_BUSY = 0x4000;
/** What a write sets and a read shows again: MOD, CONV, AVG, T/nA, POL, DR/nAlert. */
export const SETTINGS = 0x0ffc;

/** Temp_Result until the first conversion has ended (-256 Cel): no value. */
export const NOTHING_YET = -32768;
/** Values in a degree: one is 1 / 128 Cel (table 7-1). */
export const PER_DEGREE = 128;

/** DID, Device_ID 11:0; bits 15:12 are the revision. */
export const DID = 0x117;
export const DID_TMP116 = 0x116;
export const TMP119 = 0x2117;

// The driver's own numbers.
/** EEPROM_Busy: a word takes 7 ms, power-up 1.5 ms, a soft reset 2 ms; asked so often, ms apart. */
export const BUSY_TRIES = 3;
export const BUSY_PAUSE = 4;
export const RESET_PAUSE = 3;
/** A conversion without averaging takes 15.5 ms, 13 at least, 17.5 at most (section 6.5); us, and ms waited for one. */
export const SHORTEST = 13000;
export const LONGEST = 17500;
export const ONE_SHOT_PAUSE = 20;
/** A one-shot that is not ready after its longest time is asked again so often, ms apart. */
export const READY_TRIES = 3;
export const READY_PAUSE = 8;
/** The pin and the board's edge interrupt are taken for this late at most, us. */
export const EDGE_UNCERTAINTY = 100;

/** How often a temperature is taken. */
export interface Tmp117Configuration {
  /** Conversions a second, hz: 64 (64.5 in truth), 8, 4, 2, 1, 1/4, 1/8, 1/16 (section 7.6, CONV). */
  readonly sampleRate: number;
  /** Conversions averaged into one result: 1, 8, 32, 64; each takes 15.5 ms (section 7.3.2). */
  readonly averaging: number;
  /** Added by the chip to every result, Cel, in steps of 1 / 128 (Temp_Offset). */
  readonly offset: number;
  /** "continuous" where absent. "oneShot": every poll starts a conversion of its own, between them the chip is shut down. */
  readonly mode?: "continuous" | "oneShot";
  /** Cel, in steps of 1 / 128: the chip compares every result; a crossing is told once. No limit where absent. */
  readonly alert?: Tmp117Alert;
}

/** Results above `high` or below `low`, Cel, are told; no such limit where absent. */
export interface Tmp117Alert {
  readonly low?: number;
  readonly high?: number;
}

export const MODEL = "TMP117";
export const ADDRESSES = [0x48, 0x49, 0x4a, 0x4b];
export const RATES = [64, 8, 4, 2, 1, 1 / 4, 1 / 8, 1 / 16];
/** Cycle for each CONV code, ms, where averaging does not take longer (section 7.6, CONV). */
export const CYCLES = [15.5, 125, 250, 500, 1000, 4000, 8000, 16000];
export const AVERAGES = [1, 8, 32, 64];

/** 16 bits out of the two bytes of a read. */
export const unsigned = (reply: Uint8Array): number => (reply[0] << 8) | reply[1];

/** The same as two's complement. */
export const signed = (reply: Uint8Array): number => ((reply[0] << 24) | (reply[1] << 16)) >> 16;

/** A write of 16 bits; a negative value as two's complement. */
export const write = (register: number, value: number): { write: number[] } => ({
  write: [register, (value >> 8) & 255, value & 255],
});

export const read = (register: number): { read: number; at: number } => ({ read: 2, at: register });
