/**
 * MAX30102 registers. Pages are those of the data sheet 19-7740, Rev 1, 10/18. Device side.
 * The MAX30101 and MAX30105 have the same map and the same PART_ID.
 */
import { type Block, FLAG_SATURATED, type Op } from "../driver.ts";

/** 7-bit I2C address (p29). */
export const ADDRESS = 0x57;

/** Interrupt Status 1 and 2 (p12). Reading one clears its bits. */
export const INT_STATUS_1 = 0x00;
export const INT_STATUS_2 = 0x01;
/** Interrupt Enable 1 and 2 (p13). PWR_RDY cannot be disabled. */
export const INT_ENABLE_1 = 0x02;
export const INT_ENABLE_2 = 0x03;
export const A_FULL = 0x80; // the FIFO is down to FIFO_A_FULL free places
export const PPG_RDY = 0x40; // a new sample is in the FIFO
export const PWR_RDY = 0x01; // the supply came up: everything else is at its power-on state
export const DIE_TEMP_RDY = 0x02; // status and enable 2

/** FIFO (p13-16): 32 samples; a burst from FIFO_WR_PTR runs over the two others into FIFO_DATA and stays there. */
export const FIFO_WR_PTR = 0x04;
export const OVF_COUNTER = 0x05;
export const FIFO_RD_PTR = 0x06;
export const FIFO_DATA = 0x07;
export const FIFO_DEPTH = 32;
/** Pointers and counter have five bits; the counter stays at this value. */
export const FIVE_BITS = 0x1f;
/** Bytes of one sample in SpO2 mode: LED1 then LED2, three bytes each, MSB at bit 17 (p14-15). */
export const SAMPLE_BYTES = 6;

/** FIFO Configuration (p17): SMP_AVE 7:5, FIFO_ROLLOVER_EN 4, FIFO_A_FULL 3:0. */
export const FIFO_CONFIG = 0x08;
export const ROLLOVER = 0x10;
/** FIFO_A_FULL: A_FULL with 15 places free, 17 samples unread. */
export const ALMOST_FULL = 0x0f;

/** Mode Configuration (p18). */
export const MODE_CONFIG = 0x09;
export const SHDN = 0x80; // no conversion; registers keep their values and can be read and written
export const RESET = 0x40; // clears itself; raises no PWR_RDY
export const MODE_HEART_RATE = 2;
export const MODE_SPO2 = 3;
export const MODE_MULTI_LED = 7;

/** SpO2 Configuration (p18-19): SPO2_ADC_RGE 6:5, SPO2_SR 4:2, LED_PW 1:0. */
export const SPO2_CONFIG = 0x0a;

/** LED Pulse Amplitude (p20), 0.2 mA a step. LED1 is the red one. */
export const LED1_PA = 0x0c;
export const LED2_PA = 0x0d;

/** Multi-LED Mode Control (p21): no effect in SpO2 mode. */
export const SLOTS_1_2 = 0x11;
export const SLOTS_3_4 = 0x12;

/** Die temperature (p22): TINT two's complement, Cel; TFRAC in 1/16 Cel, always added; TEMP_EN clears itself. */
export const TEMP_INT = 0x1f;
export const TEMP_FRAC = 0x20;
export const TEMP_CONFIG = 0x21;
export const TEMP_EN = 0x01;

/** REV_ID and PART_ID (p11). */
export const REV_ID = 0xfe;
export const PART_ID = 0xff;
export const PART = 0x15;

/** Tables 3, 5, 6 and 7: what a field means by its value. Samples, nA, hz, us. */
export const AVERAGES = [1, 2, 4, 8, 16, 32];
export const RANGES = [2048, 4096, 8192, 16384];
export const RATES = [50, 100, 200, 400, 800, 1000, 1600, 3200];
export const WIDTHS = [69, 118, 215, 411];
/** Table 11 (p23), SpO2 mode: highest rate for each pulse width, hz. */
export const HIGHEST_RATES = [1600, 1000, 800, 400];
/** ADC bits of the shortest pulse width; each longer one has one more (Table 7). */
export const FEWEST_BITS = 15;
/** Full scale for a LED_PW field. */
export const highestCode = (width: number): number => (1 << (FEWEST_BITS + width)) - 1;

/**
 * Reads of at most `maxRead` bytes (9 or more): the three pointers and `count` samples, whole ones. A burst runs from
 * FIFO_WR_PTR into FIFO_DATA and stays there (p14).
 */
export const readFifo = (count: number, maxRead: number): Op[] => {
  const ops: Op[] = [];
  let head = 3;
  let left = count;
  while (left > 0) {
    const part = Math.min(left, Math.floor((maxRead - head) / SAMPLE_BYTES));
    ops.push({ read: head + part * SAMPLE_BYTES, at: head > 0 ? FIFO_WR_PTR : FIFO_DATA });
    left -= part;
    head = 0;
  }
  return ops;
};

/**
 * Appends what `readFifo` brought to the blocks of LED1 and LED2, right-justified for the LED_PW field (p14-15), and
 * flags full scale. Returns the number of samples.
 */
export const decode = (replies: readonly Uint8Array[], width: number, first: Block, second: Block): number => {
  const shift = 3 - width;
  const top = highestCode(width);
  const one = first.samples;
  const two = second.samples;
  const start = first.count;
  let count = start;
  let firstFlags = 0;
  let secondFlags = 0;
  for (let i = 0; i < replies.length; i++) {
    const bytes = replies[i];
    for (let at = i === 0 ? 3 : 0; at < bytes.length; at += SAMPLE_BYTES) {
      one[count] = (((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) & 0x3ffff) >> shift;
      two[count] = (((bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5]) & 0x3ffff) >> shift;
      if (one[count] === top) firstFlags = FLAG_SATURATED;
      if (two[count] === top) secondFlags = FLAG_SATURATED;
      count++;
    }
  }
  first.count = count;
  second.count = count;
  first.flags |= firstFlags;
  second.flags |= secondFlags;
  return count - start;
};

export interface Max30102Configuration {
  /** Conversions a second before averaging, hz: 50, 100, 200, 400, 800, 1000 or 1600. */
  readonly sampleRate: number;
  /** Conversions averaged on the chip into one sample: 1, 2, 4, 8, 16 or 32. */
  readonly averaging: number;
  /** LED pulse width, us: 69 (15 bits), 118 (16), 215 (17) or 411 (18). */
  readonly pulseWidth: number;
  /** Full scale of the converter, nA: 2048, 4096, 8192 or 16384. */
  readonly adcRange: number;
  /** LED currents, mA: 0 to 51 in steps of 0.2. */
  readonly ledCurrent: { readonly red: number; readonly infrared: number };
  /** true: a clone whose red and infrared LEDs are swapped. */
  readonly swapLeds?: boolean;
}

const choose = (setting: string, list: readonly number[], value: number): number => {
  const index = list.indexOf(value);
  if (index < 0) throw new Error(`MAX30102: ${setting} ${value}: choose one of ${list.join(", ")}`);
  return index;
};

const amplitude = (led: string, current: number): number => {
  const steps = Math.round(current * 5);
  if (!(steps >= 0 && steps <= 255 && Math.abs(current * 5 - steps) < 1 / 1024)) {
    throw new Error(`MAX30102: ledCurrent.${led} ${current} mA: choose 0 to 51 in steps of 0.2`);
  }
  return steps;
};

/**
 * The six registers from FIFO_CONFIG to LED2_PA, in SpO2 mode, shut down, FIFO_ROLLOVER_EN off (tables 3 to 8).
 * Throws Error: which setting, or which two fight, the value, and what to choose.
 */
export const encode = (c: Max30102Configuration): number[] => {
  const rate = choose("sampleRate", RATES, c.sampleRate);
  const width = choose("pulseWidth", WIDTHS, c.pulseWidth);
  const range = choose("adcRange", RANGES, c.adcRange);
  const averaging = choose("averaging", AVERAGES, c.averaging);
  const highest = HIGHEST_RATES[width];
  if (c.sampleRate > highest) {
    throw new Error(
      `MAX30102: sampleRate ${c.sampleRate} hz and pulseWidth ${c.pulseWidth} us do not go together in SpO2 mode ` +
        `(data sheet, Table 11): choose at most ${highest} hz${width > 0 ? ", or a shorter pulse" : ""}`,
    );
  }
  const red = amplitude("red", c.ledCurrent.red);
  const infrared = amplitude("infrared", c.ledCurrent.infrared);
  const swap = c.swapLeds === true;
  return [
    (averaging << 5) | ALMOST_FULL,
    SHDN | MODE_SPO2,
    (range << 5) | (rate << 2) | width,
    0,
    swap ? infrared : red,
    swap ? red : infrared,
  ];
};
