/**
 * The MAX30003 emulator before its FIFO: input switches, calibration source, gain, noise, rounding. Tables and pages:
 * MAX30001G data sheet. No filters: the code is the rounded voltage.
 */
import * as r from "./registers.ts";

/** Reads a register of the emulator. */
export type Get = (register: number) => number;

/** hz: [FMSTR][rate code]; reserved codes run as code 10 (p. 51). */
const RATES = [
  [512, 256, 128, 128],
  [500, 250, 125, 125],
  [200, 200, 200, 200],
  [8192 / 41, 8192 / 41, 8192 / 41, 8192 / 41],
];
const MASTER_HZ = [32768, 32000, 32000, (32768 * 40) / 41];
/** Input-referred noise, V rms: [gain][bandwidth 40, 100, 150 hz] (table 5, p. 28). */
const NOISE = [
  [0.46e-6, 0.64e-6, 0.77e-6],
  [0.4e-6, 0.54e-6, 0.66e-6],
  [0.35e-6, 0.5e-6, 0.62e-6],
  [0.34e-6, 0.49e-6, 0.61e-6],
];
/** Samples of an automatic fast recovery (table 3, p. 26), as RATES. */
const FAST_SAMPLES = [
  [255, 127, 63, 63],
  [249, 124, 64, 64],
  [99, 99, 99, 99],
  [99, 99, 99, 99],
];

const field = (get: Get, register: number, shift: number, mask: number) => (get(register) >> shift) & mask;
const masterOf = (get: Get) => field(get, r.CNFG_GEN, r.FMSTR_SHIFT, 3);
const rateCodeOf = (get: Get) => field(get, r.CNFG_ECG, r.RATE_SHIFT, 3);

/** Frequency of the master clock, hz. */
export const masterHz = (get: Get): number => MASTER_HZ[masterOf(get)];

/** Nominal samples a second, hz. */
export const rateOf = (get: Get): number => RATES[masterOf(get)][rateCodeOf(get)];

/** How many samples a fast recovery takes. */
export const fastSamples = (get: Get): number => FAST_SAMPLES[masterOf(get)][rateCodeOf(get)];

/** The DLPF code in effect: unsupported ones fall back to 40 hz (table 35, p. 52). */
export function lowPassOf(get: Get): number {
  const set = field(get, r.CNFG_ECG, r.DLPF_SHIFT, 3);
  const rate = rateOf(get);
  const supported = rate >= 500 ? 3 : rate >= 250 ? 2 : 1;
  return set > supported ? 1 : set;
}

/** Column of NOISE; without a filter the decimation alone sets the bandwidth. */
function bandwidth(get: Get): number {
  const rate = rateOf(get);
  const lowPass = lowPassOf(get);
  return lowPass > 0 ? lowPass - 1 : rate >= 500 ? 2 : rate >= 250 ? 1 : 0;
}

/** Voltage of a calibration source (figure 17, p. 50), V; sign 1: VCALP, -1: VCALN. */
function source(get: Get, sinceStart: number, sign: 1 | -1): number {
  const cal = get(r.CNFG_CAL);
  if ((cal & r.EN_VCAL) === 0) return 0;
  const master = masterHz(get);
  const hz = master / 2 ** (7 + 2 * ((cal >> r.FCAL_SHIFT) & 7));
  const high = (cal & r.FIFTY) !== 0 ? 0.5 / hz : (cal & r.THIGH) / master;
  const magnitude = (cal & r.VMAG) !== 0 ? 0.5e-3 : 0.25e-3;
  if (sinceStart % (1 / hz) < high) return sign * magnitude;
  return (cal & r.VMODE) !== 0 ? -sign * magnitude : 0;
}

/** What reaches the amplifier, V: calibration where selected, else the electrodes behind their switches (p. 50). */
function inputVoltage(get: Get, ecg: (sinceStart: number) => number, sinceStart: number): number {
  const emux = get(r.CNFG_EMUX);
  const pick = (select: number) => (select < 2 ? 0 : source(get, sinceStart, select === 2 ? 1 : -1));
  let volts = 0;
  if ((emux & 0x0f0000) !== 0) volts = pick((emux >> 18) & 3) - pick((emux >> 16) & 3);
  else if ((emux & 0x300000) === 0) volts = ecg(sinceStart);
  return (emux & 0x800000) !== 0 ? -volts : volts;
}

/** To 18 bits, as the converter saturates. */
export const clamp = (value: number): number => Math.max(-131072, Math.min(131071, value));

/**
 * One conversion: the code, rounded half away from zero (p. 26: V x gain x 2^17 / 1 V).
 * `ecg`: voltage between the electrodes at a time since the start, s. `noise`: standard normal deviates, or none.
 */
export function convertVoltage(
  get: Get,
  ecg: (sinceStart: number) => number,
  sinceStart: number,
  noise: (() => number) | undefined,
): number {
  const gain = field(get, r.CNFG_ECG, r.GAIN_SHIFT, 3);
  let volts = inputVoltage(get, ecg, sinceStart);
  if (noise !== undefined) volts += noise() * NOISE[gain][bandwidth(get)];
  const scaled = volts * r.GAINS[gain] * 131072;
  return clamp(scaled < 0 ? -Math.round(-scaled) : Math.round(scaled)) | 0;
}
