/**
 * MAX30102 and MAX30101 registers, named as the data sheet writes them, and what can be set. Pages are those of the MAX30102's data sheet
 * 19-7740, Rev 1, 10/18; what is the MAX30101's alone is marked. Device side.
 * Numbers come first and nothing is imported: then the bundler puts them where they are used.
 */

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
export const ALC_OVF = 0x20; // more ambient light than can be taken away: it affects the samples
export const PROX_INT = 0x10; // early MAX30101 and MAX30105: something came near, sampling began
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
/** Bytes of one LED in a sample, MSB at bit 17 (p14-15). */
export const WORD = 3;

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

/** LED Pulse Amplitude (p20), 0.2 mA a step: red, infrared; MAX30101: green, its LED4_PA adds to LED3_PA. */
export const LED1_PA = 0x0c;
export const LED2_PA = 0x0d;
export const LED3_PA = 0x0e;
/** Early MAX30101 and MAX30105: LED2's amplitude while nothing is near. */
export const PILOT_PA = 0x10;

/** Multi-LED Mode Control (p21): a LED's number for each slot, 2:0 and 6:4; 0 is none. No effect in SpO2 mode. */
export const SLOTS_1_2 = 0x11;
export const SLOTS_3_4 = 0x12;

/** Die temperature (p22): TINT two's complement, Cel; TFRAC in 1/16 Cel, always added; TEMP_EN clears itself. */
export const TEMP_INT = 0x1f;
export const TEMP_FRAC = 0x20;
export const TEMP_CONFIG = 0x21;
export const TEMP_EN = 0x01;

/** Early MAX30101 and MAX30105: the upper 8 of 18 bits of the infrared code at which sampling begins. */
export const PROX_INT_THRESH = 0x30;

/** REV_ID and PART_ID (p11). MAX30101, MAX30102 and MAX30105 have the same PART_ID. */
export const REV_ID = 0xfe;
export const PART_ID = 0xff;
export const PART = 0x15;

/** ADC bits of the shortest pulse width; each longer one has one more (Table 7). */
export const FEWEST_BITS = 15;

// The driver's own numbers.
/** What the chip is since it was last opened: identified and configured from STOPPED on. */
export const UNOPENED = 0;
export const STOPPED = 1;
export const RUNNING = 2;
export const CLOSING = 3;
/** How often RESET is looked at, 1 ms apart. */
export const RESET_LOOKS = 8;
/** Half a FIFO, samples. */
export const HALF = 16;
/** How often OVF_COUNTER is looked at, an eighth of a period apart. */
export const OVERFLOW_LOOKS = 10;
/** Shortest period in which a host can see OVF_COUNTER move and pop before it moves again, us. */
export const COUNTABLE = 5000;
/** The oscillator: 10.32 to 10.64 MHz, typically 10.48 (p3), so one part in 64 either way. */
export const PARTS = 64;
/** Die temperature: where nothing said that a conversion is over, it must be so long after its start, us. */
export const OVERDUE = 100000;
/** Starts of one since the last value: acknowledged, and such as may or may not have reached the chip. */
export const STARTED = 1;
export const TORN = 2;

/** Tables 3, 5, 6 and 7: what a field means by its value. Samples, nA, hz, us. */
export const AVERAGES = [1, 2, 4, 8, 16, 32];
export const RANGES = [2048, 4096, 8192, 16384];
export const RATES = [50, 100, 200, 400, 800, 1000, 1600, 3200];
export const WIDTHS = [69, 118, 215, 411];
/** Table 11 (p23), SpO2 mode: highest rate for each pulse width, hz. Taken for multi-LED mode too (README.md). */
export const HIGHEST_RATES = [1600, 1000, 800, 400];
/** LEDs by their number, LED1 first; the MAX30102 has the first two. */
export const LEDS = ["red", "infrared", "green"];
/** Full scale for a LED_PW field. */
export const highestCode = (width: number): number => (1 << (FEWEST_BITS + width)) - 1;

/** What both chips have; each chip's own type says which LEDs. */
export interface Configuration {
  /** Conversions a second before averaging, hz: 50, 100, 200, 400, 800, 1000 or 1600. */
  readonly sampleRate: number;
  /** Conversions averaged on the chip into one sample: 1, 2, 4, 8, 16 or 32. */
  readonly averaging: number;
  /** LED pulse width, us: 69 (15 bits), 118 (16), 215 (17) or 411 (18). */
  readonly pulseWidth: number;
  /** Full scale of the converter, nA: 2048, 4096, 8192 or 16384. */
  readonly adcRange: number;
  /** LED currents, mA: 0 to 51 in steps of 0.2. */
  readonly ledCurrent: { readonly red: number; readonly infrared: number; readonly green?: number };
  /**
   * Multi-LED mode: the LED of each slot, one to four; where a LED has several, the later channels have the slot's number
   * too: "red3". Absent: SpO2 mode.
   */
  readonly slots?: readonly string[];
  /** true: a clone whose red and infrared LEDs are swapped. */
  readonly swapLeds?: boolean;
  /** What pulls INT, where it is wired: 17 samples ("burst", also where absent), or every sample. */
  readonly interruptOn?: "burst" | "sample";
  /** Channel "dieTemperature": true: a value every 10 s; or every so many s, 1 to 3600. */
  readonly dieTemperature?: boolean | number;
  /** true: enables the ambient light overflow's interrupt, for chips whose status shows only what is enabled. */
  readonly ambientOverflow?: boolean;
  /** MAX30101, early revisions: no samples until the infrared code (of 18 bits) reaches 1024 x threshold (0 to 255). */
  readonly proximity?: { readonly current: number; readonly threshold: number };
}

export interface Max30102Configuration extends Configuration {
  readonly slots?: readonly ("red" | "infrared")[];
  readonly proximity?: never;
}
