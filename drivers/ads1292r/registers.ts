/**
 * ADS1292R commands and registers, named as the data sheet writes them (TI SBAS502C, December 2011, revised April 2020;
 * table 15 commands, table 16 registers with their reset values; other places by the title of their section). Device
 * side: constants stand above everything else and nothing is imported, so that the bundler puts the numbers in place of
 * the names.
 */

// Commands (table 15). System commands are decoded within 4 tCLK; RREG and WREG take "registers - 1" as second byte.
export const WAKEUP = 0x02;
export const STANDBY = 0x04;
export const RESET = 0x06;
export const START = 0x08;
export const STOP = 0x0a;
export const OFFSETCAL = 0x1a;
export const RDATAC = 0x10; // data on every clock: the mode after power-up, in which no register can be read or written
export const SDATAC = 0x11;
export const RDATA = 0x12; // data once
export const RREG = 0x20; // | register
export const WREG = 0x40; // | register

// Registers (table 16), and what they are after a reset
export const ID = 0x00;
export const CONFIG1 = 0x01; // 02: 500 sps
export const CONFIG2 = 0x02; // 80: reference buffer and lead-off comparators off
export const LOFF = 0x03; // 10
export const CH1SET = 0x04; // 00: gain 6, electrodes
export const CH2SET = 0x05; // 00
export const RLD_SENS = 0x06; // 00
export const LOFF_SENS = 0x07; // 00
export const LOFF_STAT = 0x08; // 00
export const RESP1 = 0x09; // 00
export const RESP2 = 0x0a; // 02
export const GPIO = 0x0b; // 0C: both are inputs

// CONFIG1
export const SINGLE_SHOT = 0x80;
// CONFIG2
export const CONFIG2_FIXED = 0x80;
export const PDB_LOFF_COMP = 0x40;
export const PDB_REFBUF = 0x20;
export const VREF_4V = 0x10;
export const INT_TEST = 0x02;
export const TEST_FREQ = 0x01;
// LOFF
export const LOFF_FIXED = 0x10;
export const COMP_TH_SHIFT = 5;
export const ILEAD_OFF_SHIFT = 2;
export const FLEAD_OFF = 0x01;
// CHnSET
export const PD = 0x80;
export const GAIN_SHIFT = 4;
export const MUX = 0x0f;
export const MUX_SHORT = 1;
export const MUX_SUPPLY = 3;
export const MUX_TEMPERATURE = 4;
export const MUX_TEST = 5;
export const MUX_AUXILIARY = 9;
// RLD_SENS
export const CHOP_SHIFT = 6;
export const PDB_RLD = 0x20;
export const RLD_LOFF_SENS = 0x10;
// LOFF_STAT; bits 4:0 are also in every status word
export const CLK_DIV = 0x40;
// RESP1, RESP2
export const RESP_DEMOD_EN1 = 0x80;
export const RESP_MOD_EN = 0x40;
export const RESP_PH_SHIFT = 2;
export const RESP1_FIXED = 0x02;
export const RESP_FREQ = 0x04;
export const RLDREF_INT = 0x02;
export const RESP2_FIXED = 0x01;

/** ID (its section): 7:5 family, 1:0 model; bit 4 is high, 3:2 are low. */
export const ID_ADS1292R = 0x73;
export const ID_ADS1292 = 0x53;

// The driver's own numbers.
/**
 * Fastest clock at which a byte lasts the 4 tCLK of a command, so that none needs a pause behind it: tCLK is 2170 ns at
 * most (section 6.6), 8 bits / (4 x 2170 ns) = 921.6 khz.
 */
export const MAX_HZ = 900000;
/** Registers from CONFIG1 on that one WREG writes: up to RESP2. */
export const WRITTEN = 10;
/** Bytes of the longest transfer: WREG or RREG of them all, and the zero at its end. */
export const LONGEST = 13;
/** Readings within a poll, where conversions end while they are read. */
export const MOST_READS = 4;
/** Periods without a conversion, after which the registers are looked at (RDATAC), and after which something is wrong. */
export const QUIET = 5;
export const SILENCE = 12;
/** The pin and the board's edge interrupt are taken for this late at most, us. */
export const EDGE_UNCERTAINTY = 100;

/** How both channels are set up. What the defaults are and why: README.md. */
export interface Ads1292rConfiguration {
  /** hz: 125, 250, 500, 1000, 2000, 4000, 8000 (CONFIG1). */
  readonly sampleRate: number;
  /** What channel 1 is: "respiration" (impedance of the chest, demodulated), "ecg", or "off". */
  readonly channel1: string;
  /** What channel 2 is: "ecg" or "off". */
  readonly channel2: string;
  /** V/V: 1, 2, 3, 4, 6, 8, 12; full scale is +-reference / gain (CHnSET). */
  readonly gain1: number;
  readonly gain2: number;
  /** What a channel is connected to: "electrodes", "short", "test", "temperature", "supply", "rightLegDrive", "auxiliary" (CHnSET). */
  readonly input1: string;
  readonly input2: string;
  /** Internal reference, V: 2.42, or 4.033 with an analog supply of 5 V (CONFIG2). */
  readonly reference: number;
  /** Current that finds an electrode that is off, nA: 0 (not looked for), 6, 22, 6000, 22000 (LOFF). */
  readonly leadOff: number;
  /** Comparator threshold of the positive side, % of the analog supply: 95, 92.5, 90, 87.5, 85, 80, 75, 70 (LOFF). */
  readonly leadOffThreshold: number;
  /** "dc": the chip's comparators tell; "ac": at a quarter of the sample rate, for who looks for it in the waveform (LOFF). */
  readonly leadOffMode: string;
  /** Whose inputs drive the right leg: "off", "channel1", "channel2", "both" (RLD_SENS). */
  readonly rightLegDrive: string;
  /** The amplifiers chop at the modulator's 128 khz divided by this: 16, 4, 2 (RLD_SENS). */
  readonly chop: number;
  /** Carrier of the respiration channel, khz: 32, 64 (RESP2). */
  readonly respirationFrequency: number;
  /** Phase of its demodulation, degrees: 0 to 168.75 in steps of 11.25 at 32 khz, to 157.5 in steps of 22.5 at 64 khz (RESP1). */
  readonly respirationPhase: number;
  /** The test signal, hz: 1 (square wave), 0 (direct voltage) (CONFIG2). */
  readonly testSignal: number;
  /** RDATAC: only the data is read, not two registers beside it at every conversion. Needed above 2000 hz. */
  readonly continuous: boolean;
}

export const MODEL = "ADS1292R";
/** By code (CHnSET). */
export const GAINS = [6, 1, 2, 3, 4, 8, 12];

/** Bytes of a command, with a zero behind them: it keeps the select line low for the 4 tCLK that it must be ("Chip Select"). */
export const send = (bytes: readonly number[]): { transfer: number[] } => ({ transfer: bytes.concat([0]) });

/** A WREG of several registers, from `register` on. */
export const write = (register: number, values: readonly number[]): { transfer: number[] } =>
  send([WREG | register, values.length - 1].concat(values));

/** A RREG: the first register comes as byte 2 of the reply. */
export const read = (register: number, count: number): { transfer: number[] } => {
  const bytes = [RREG | register, count - 1];
  for (let i = 0; i < count; i++) bytes.push(0);
  return send(bytes);
};

/** Status word and both channels, 9 bytes: from byte 1 of the reply on where RDATA asks for them, from byte 0 in RDATAC mode. */
export const readData = (continuous: boolean): { transfer: number[] } =>
  send((continuous ? [] : [RDATA]).concat([0, 0, 0, 0, 0, 0, 0, 0, 0]));

/** 24 bits, two's complement. */
export const signed = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;

/** Is it a status word: 1100, LOFF_STAT 4:0, GPIO 1:0, 13 zeros ("Data Retrieval")? */
export const isStatus = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] >> 4 === 12 && (bytes[at + 1] & 31) === 0 && bytes[at + 2] === 0;
