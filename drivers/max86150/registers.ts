/**
 * MAX86150 registers, named as the data sheet (19-8402) writes them. That sheet was seen only through public code that
 * quotes it; README.md says which. Device side: constants stand above everything else and nothing is imported, so that
 * the bundler puts the numbers in place of the names.
 */
export const MODEL = "MAX86150";
/** 7-bit I2C address. */
export const ADDRESS = 0x5e;

/** Interrupt Status 1 and 2. Reading one clears its bits. */
export const INT_STATUS_1 = 0x00;
export const INT_STATUS_2 = 0x01;
/** Interrupt Enable 1 and 2, the same bits. PWR_RDY cannot be disabled. */
export const INT_ENABLE_1 = 0x02;
export const INT_ENABLE_2 = 0x03;
export const A_FULL = 0x80; // the FIFO is down to FIFO_A_FULL free places
export const PPG_RDY = 0x40;
export const ALC_OVF = 0x20; // more ambient light than can be taken away
export const PROX_INT = 0x10;
export const PWR_RDY = 0x01; // the supply came up: everything else is at its power-on state
export const VDD_OOR = 0x80; // status and enable 2: VDD_ANA is outside 1.65 to 2.05 V
export const ECG_RDY = 0x04; // status and enable 2

/** FIFO: 32 samples of one to four elements of three bytes. The register address stays at FIFO_DATA. */
export const FIFO_WR_PTR = 0x04;
export const OVF_COUNTER = 0x05;
export const FIFO_RD_PTR = 0x06;
export const FIFO_DATA = 0x07;
export const FIFO_DEPTH = 32;
export const WORD = 3;
/** Pointers and counter have five bits; the counter stays at this value. */
export const FIVE_BITS = 0x1f;

/** FIFO Configuration: FIFO_A_FULL 3:0, free places at A_FULL. */
export const FIFO_CONFIG = 0x08;
export const A_FULL_CLR = 0x40; // reading FIFO_DATA clears A_FULL too
export const A_FULL_ONCE = 0x20; // A_FULL_TYPE: only the sample that reaches the threshold raises it
export const FIFO_ROLLS_ON_FULL = 0x10; // a full FIFO loses its oldest sample; else the new one
/** A_FULL at 17 samples. */
export const ALMOST_FULL = 0x0f;

/** FIFO Data Control 1 (FD1 3:0, FD2 7:4) and 2 (FD3, FD4): what the elements of a sample are. */
export const FIFO_CONTROL_1 = 0x09;
export const FIFO_CONTROL_2 = 0x0a;
export const FD_LED1 = 1; // infrared
export const FD_LED2 = 2; // red
export const FD_ECG = 9;

/** System Control. */
export const SYSTEM_CONTROL = 0x0d;
export const FIFO_EN = 0x04; // its rising edge empties the FIFO
export const SHDN = 0x02; // no conversion; registers keep their values and can be read and written
export const RESET = 0x01; // clears itself

/** PPG Configuration 1: PPG_ADC_RGE 7:6, PPG_SR 5:2, PPG_LED_PW 1:0. PPG Configuration 2: SMP_AVE 2:0. */
export const PPG_CONFIG_1 = 0x0e;
export const PPG_CONFIG_2 = 0x0f;
export const PROX_INT_THRESH = 0x10;
/** LED pulse amplitudes, 0.2 mA a step, or 0.4 in the range of 100 mA (LED Range: LED2 3:2, LED1 1:0). */
export const LED1_PA = 0x11;
export const LED2_PA = 0x12;
export const LED_RANGE = 0x14;
export const PILOT_PA = 0x15;

/** ECG Configuration 1: ECG_ADC_CLK 2, ECG_ADC_OSR 1:0. ECG Configuration 3: PGA_ECG_GAIN 3:2, IA_GAIN 1:0. */
export const ECG_CONFIG_1 = 0x3c;
export const ECG_CONFIG_3 = 0x3e;

/** PART_ID; written, it opens (0x54, then 0x4D) and closes (0) the way to the test registers. */
export const PART_ID = 0xff;
export const PART = 0x1e;

/** What a field means by its value: samples, nA, us, hz. */
export const AVERAGES = [1, 2, 4, 8, 16, 32];
export const RANGES = [4096, 8192, 16384, 32768];
export const WIDTHS = [50, 100, 200, 400];
export const PPG_RATES = [10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200];
export const ECG_RATES = [1600, 800, 400, 200, 3200];
/** Highest PPG rate, hz, by PPG_LED_PW, for one LED and then for two. The chip takes it instead of a higher one. */
export const HIGHEST_RATES = [3200, 1600, 1000, 1000, 1600, 800, 800, 400];
/**
 * ECG gain, V/V, and its PGA_ECG_GAIN (1, 2, 4, 8) and IA_GAIN (5, 9.5, 20, 50). Where two pairs make the same gain, the
 * first amplifier takes the larger part.
 */
export const GAINS = [5, 9.5, 10, 19, 20, 38, 40, 50, 76, 80, 100, 160, 200, 400];
export const GAIN_CODES = [0, 1, 4, 5, 2, 9, 6, 3, 13, 10, 7, 14, 11, 15];
/** Full scale of a PPG code (19 bits). One step is PPG_ADC_RGE / 2^19. */
export const PPG_TOP = 0x7ffff;
export const ECG_TOP = 131071;
/** One step of an ECG code (18 bits, two's complement) behind the amplifiers, nV. */
export const ECG_STEP = 12247;

/** Where LED1_PA, LED2_PA and then LED_RANGE stand in `Max86150Setup.groups`. */
export const LED_GROUP = 2;

/** Samples between two polls: half a FIFO. The interrupt comes with the next one. */
export const POLL_AFTER = 16;
/** Assumption: the oscillator is within one part in 32. */
export const TOLERANCE = 1 / 32;

/** What the vendor's application note 6843 has written to the ECG's test registers before every recording. */
export const TUNING = [
  [PART_ID, 0x54],
  [PART_ID, 0x4d],
  [0xce, 0x0a],
  [0xcf, 0x18],
  [PART_ID, 0x00],
];

export type Max86150Channel = "red" | "infrared" | "ecg";

export interface Max86150Configuration {
  /** One to three of "red", "infrared", "ecg". */
  readonly channels: readonly Max86150Channel[];
  /** Samples a second of every channel, before averaging, hz. */
  readonly sampleRate: number;
  /** Conversions averaged on the chip into one sample: 1, 2, 4, 8, 16 or 32; 1 with "ecg". */
  readonly averaging: number;
  /** LED pulse width, us: 50, 100, 200 or 400. */
  readonly pulseWidth: number;
  /** Full scale of the light's converter, nA: 4096, 8192, 16384 or 32768. */
  readonly adcRange: number;
  /** LED currents, mA: 0 to 51 in steps of 0.2, to 102 in steps of 0.4. */
  readonly ledCurrent: { readonly red: number; readonly infrared: number };
  /** Of both ECG amplifiers, V/V: 76 is the one that is trimmed. */
  readonly gain: number;
  /** true: write the vendor's values to the ECG's test registers (application note 6843). */
  readonly tuning: boolean;
}
