/**
 * MAX30003 registers and SPI words, named as the datasheet writes them (MAX30003 Rev 3 by its public drivers; page
 * numbers: MAX30001G data sheet, whose ECG and R-to-R channel and serial interface are the same). Device side.
 */

// Register addresses (p. 40). SW_RST, SYNCH and FIFO_RST act on a write of 0 only (p. 46).
export const STATUS = 0x01;
export const EN_INT = 0x02;
export const EN_INT2 = 0x03;
export const MNGR_INT = 0x04;
export const MNGR_DYN = 0x05;
export const SW_RST = 0x08;
export const SYNCH = 0x09;
export const FIFO_RST = 0x0a;
export const INFO = 0x0f;
export const CNFG_GEN = 0x10;
export const CNFG_CAL = 0x12;
export const CNFG_EMUX = 0x14;
export const CNFG_ECG = 0x15;
export const CNFG_RTOR1 = 0x1d;
export const CNFG_RTOR2 = 0x1e;
export const ECG_FIFO_BURST = 0x20;
export const ECG_FIFO = 0x21;
export const RTOR = 0x25;

// STATUS (p. 42, 43); EN_INT has the same bits 23:8.
export const EINT = 0x800000; // the FIFO holds EFIT words or more
export const EOVF = 0x400000; // overflow, until FIFO_RST or SYNCH
export const FSTINT = 0x200000; // fast recovery
export const DCLOFFINT = 0x100000; // a lead is off
export const LONINT = 0x800; // both leads are on (EN_ULP_LON); also set when that mode begins, until STATUS is read
export const RRINT = 0x400; // an R event
export const SAMP = 0x200; // sampling instant
export const PLLINT = 0x100; // the PLL is not locked
export const LDOFF = 0x0f; // PH, PL, NH, NL: which electrode, beyond which threshold
export const LDOFF_P = 0x0c;
export const LDOFF_N = 0x03;
export const INTB_PULLUP = 3; // EN_INT 1:0: open drain with 125 kOhm inside (p. 44)

// MNGR_INT (p. 44, 45), MNGR_DYN (p. 45)
export const EFIT_SHIFT = 19; // words - 1
export const CLR_SAMP = 0x4;
export const CLR_RRINT_RTOR = 0x10; // RTOR's reading clears RRINT; for who logs intervals (p. 64)
export const FAST_SHIFT = 22;
export const FAST_TH_SHIFT = 16;
export const FAST_OFF = 0x3f0000; // reset value: threshold 0x3F, mode 00
export const FAST_MANUAL = 0x7f0000;

// CNFG_GEN (p. 47, 48)
export const GEN_RESET = 0x000004;
export const EN_ULP_LON = 0x400000;
export const FMSTR_SHIFT = 20;
export const FMSTR = 0x300000;
export const EN_ECG = 0x80000;
export const EN_DCLOFF = 0x1000;
export const DCLOFF_IPOL = 0x800; // ECGP is pulled down, ECGN up
export const IMAG_SHIFT = 8;
export const VTH_SHIFT = 6;
export const EN_RBIAS = 0x10;
export const RBIASV_SHIFT = 2;
export const RBIAS_BOTH = 3; // RBIASP and RBIASN

// CNFG_CAL (p. 49, 50), CNFG_EMUX (p. 50, 51)
export const CAL_RESET = 0x004800;
export const EN_VCAL = 0x400000;
export const VMODE = 0x200000; // bipolar
export const VMAG = 0x100000; // 0.5 mV
export const FCAL_SHIFT = 12; // FMSTR / 2^(7 + 2 FCAL)
export const FIFTY = 0x800;
export const THIGH = 0x7ff; // in periods of FMSTR
export const CAL_BIPOLAR_16HZ = 0x702800; // EN_VCAL, VMODE bipolar, VMAG 0.5 mV, FCAL = FMSTR / 2048, FIFTY
export const EMUX_CONNECTED = 0;
export const EMUX_ISOLATED = 0x380000; // both electrodes isolated, ECGP = VCALP; + 1: ECGN = VMID, 2: VCALP, 3: VCALN
export const EMUX_CALIBRATION = 0x390000;
export const CALN_SHIFT = 16;

// CNFG_ECG (p. 51, 52)
export const RATE_SHIFT = 22;
export const GAIN_SHIFT = 16;
export const DHPF = 0x4000;
export const DLPF_SHIFT = 12;

// CNFG_RTOR1, CNFG_RTOR2 (p. 59, 60), RTOR (p. 64)
export const EN_RTOR = 0x8000;
export const WNDW_SHIFT = 20;
export const RGAIN_SHIFT = 16;
export const AVG_SHIFT = 12; // PAVG, RAVG
export const PTSF_SHIFT = 8;
export const HOFF_SHIFT = 16;
export const RHSF_SHIFT = 8;
export const RTOR_SHIFT = 10;
/** What RTOR reads when its timer went over, after about 130 s without an R event. */
export const RTOR_OVERFLOW = 0x3fff;

// ECG FIFO (p. 60..62): D[23:6] sample, D[5:3] ETAG, D[2:0] PTAG. ETAG 000, 001: valid, fast; 010, 011: the last of them.
export const FIFO_WORDS = 32;
export const TAG_BITS = 0x38;
export const TAG_FAST = 1;
export const TAG_END = 2;
export const TAG_EMPTY = 6;
export const TAG_OVERFLOW = 7;

// The driver's own numbers. (All constants stand above everything else and nothing is imported, so that the bundler
// puts the numbers in place of the names: a name costs the board a variable.)
/**
 * FIFO threshold where an edge tells, and where polls must find it. What is left unread by a poll without EINT, and
 * what comes up to the next (16 words), stay together under the 32 of the FIFO.
 */
export const EFIT_WIRED = 12;
export const EFIT_POLLED = 8;
/** Most words of one chain of steps, and most steps that read them (16 is the contract's bound for all). */
export const CAPACITY = 64;
export const MOST_READS = 13;
/** The pin and the board's edge interrupt are taken for this late at most, us. */
export const EDGE_UNCERTAINTY = 100;
/** No source gives the PLL's lock time: asked so often, ms apart. */
export const PLL_TRIES = 5;
export const PLL_PAUSE = 20;
/** From the beginning of lead-on detection to the first look at it, ms. No source gives the comparator's time. */
export const LEADS_PAUSE = 100;
/** A lead that is off is told again when it has been on for so long, us. */
export const TELL_AGAIN = 2000000;
/** Words that the self-test judges: at 16 hz and 512, 500 or 200 sps they always hold both plateaus. */
export const TEST_WORDS = 24;
/** FMSTR 10: rate code 10 (200 sps) is the only one. With 00 and 01 code 00 (512, 500) is the fastest (p. 51). */
export const FMSTR_SLOW = 0x200000;

// Commands (p. 38): address << 1, 1 more to read. A write acts where it is of 0.
export const READ_STATUS = 0x03;
export const READ_INFO = 0x1f;
export const READ_CNFG_GEN = 0x21;
export const READ_ECG_FIFO = 0x43;
export const READ_RTOR = 0x4b;
export const DO_SW_RST = 0x10;
export const DO_SYNCH = 0x12;
export const DO_FIFO_RST = 0x14;

/** Bytes of one transfer. */
export interface Transfer {
  readonly transfer: number[];
}

/** A command without a value: a read, whose answer comes in the three bytes behind it, or a write of 0 (p. 38). */
export const command = (byte: number): Transfer => ({ transfer: [byte, 0, 0, 0] });

/** Bytes that write 24 bits to a register (p. 38). */
export const write = (register: number, value: number): Transfer => ({
  transfer: [register << 1, value >> 16, (value >> 8) & 255, value & 255],
});

/** The 24 bits that came with a read, or go with a write. */
export const word = (reply: ArrayLike<number>): number => (reply[1] << 16) | (reply[2] << 8) | reply[3];

/**
 * Operations that read `words` words of the ECG FIFO, no transfer longer than `limit` bytes. A single word goes by
 * ECG_FIFO, more by ECG_FIFO_BURST.
 */
export const readFifo = (words: number, limit: number): Transfer[] => {
  const ops: Transfer[] = [];
  const most = Math.floor((limit - 1) / 3);
  for (let left = words; left > 0; left -= most) {
    const transfer = [((left > 1 ? ECG_FIFO_BURST : ECG_FIFO) << 1) | 1];
    for (let i = 3 * Math.min(left, most); i > 0; i--) transfer.push(0);
    ops.push({ transfer: transfer });
  }
  return ops;
};

/** The chip's own square wave instead of the electrodes (p. 24, 49..51). What is not said has its default. */
export interface Calibration {
  /** mV from VMID: 0.5 (default), 0.25. */
  readonly amplitude?: number;
  /** hz: 1 (default), 256, 64, 16, 4, 1/4, 1/16, 1/64; times 125/128 where sampleRate is not 128, 256 or 512. */
  readonly frequency?: number;
  /** us that each period is high: 0 (default): half of it; else up to 62474 (FMSTR 00), in steps of about 31. */
  readonly high?: number;
  /** true (default): swings to both sides of VMID. */
  readonly bipolar?: boolean;
  /** "single" (default): VCALP against VMID; "differential": against VCALN, twice as much; "common": VCALP on both. */
  readonly inputs?: string;
}

/** The chip's R-to-R detector (p. 28, 59, 60). What is not said has its default, which is the chip's. */
export interface RrInterval {
  /** Width of the QRS complex that it looks for, steps of its timer (7.8125 or 8 ms): 12 (default), 6 to 28, even. */
  readonly window?: number;
  /** 0 (default): the chip scales; 1 to 16384, powers of 2. */
  readonly gain?: number;
  /** Weight of past peaks: 8 (default), 2, 4, 16. */
  readonly peakAveraging?: number;
  /** Sixteenths of the average peak: 4 (default), 1 to 16. */
  readonly threshold?: number;
  /** Steps of its timer in which no R follows another, at least: 32 (default), 0 to 63. */
  readonly holdOff?: number;
  /** Weight of past intervals: 8 (default), 2, 4, 16. */
  readonly intervalAveraging?: number;
  /** Eighths of the average interval in which no R follows another: 4 (default), 0 to 7. */
  readonly holdOffFraction?: number;
}

/** How an ECG channel is set up. What the defaults are and why: README.md. */
export interface Max30003Configuration {
  /** hz: 128, 256, 512, or 125, 250, 500, or 200 (p. 51). */
  readonly sampleRate: number;
  /** V/V: 20, 40, 80, 160; full scale is +-1 V / gain (p. 26). */
  readonly gain: number;
  /** Digital high-pass at 0.5 hz (p. 51). It moves the ST segment. */
  readonly highPass: boolean;
  /** Digital low-pass, hz; 0: none, 28 (125 and 128 sps), 40 (from 200), 100 (from 250), 150 (from 500) (p. 52). */
  readonly lowPass: number;
  /** Direct current that finds a lead that is off, nA: 0 (not looked for), 5, 10, 20, 50, 100 (p. 48). */
  readonly leadOff: number;
  /** How far an electrode must go from mid-supply to be off, mV: 300, 400, 450, 500 (p. 48). */
  readonly leadOffThreshold: number;
  /** The electrode that the current pulls up: "positive" (ECGP), "negative" (p. 48). */
  readonly leadOffPullUp: string;
  /** Resistors from both electrodes to mid-supply, MOhm: 0 (none: a third electrode biases the body), 50, 100, 200. */
  readonly leadBias: number;
  /** s: the channel is off until both leads are on, and again when one has been off for so long; 0: always on (p. 23). */
  readonly leadOn: number;
  /** "automatic": on an output that is saturated; "off"; "manual": now, until another is configured (p. 26, 45). */
  readonly fastRecovery: string;
  /** What counts as saturated for it, 64ths of full scale: 1 to 63 (p. 45). */
  readonly fastRecoveryThreshold: number;
  /** A test signal instead of the electrodes; absent: none. */
  readonly calibration?: Calibration;
  /** A second channel, the chip's own R-to-R intervals; false, absent: none. */
  readonly rrInterval?: RrInterval | boolean;
}

export const MODEL = "MAX30003";
export const GAINS = [20, 40, 80, 160];

/** A register and what is written to it. */
export type Register = readonly [address: number, value: number];
