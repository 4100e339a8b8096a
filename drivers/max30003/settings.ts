/** A configuration of the MAX30003: checked, turned into registers and channels. Pages: MAX30001G data sheet. Device side. */
import { choose } from "../chip.ts";
import type { Channel } from "../driver.ts";
import * as r from "./registers.ts";

const RATES = [512, 256, 128, 500, 250, 125, 200];
const WEIGHTS = [2, 4, 8, 16];

const refuse = (what: string): never => {
  throw new Error(`${r.MODEL}: ${what}`);
};

/** A whole number within its bounds. Throws Error. */
const within = (name: string, value: number, low: number, high: number): number =>
  value >= low && value <= high && Math.floor(value) === value
    ? value
    : refuse(`${name} is ${value}; choose a whole number, ${low} to ${high}`);

const fight = (one: string, other: string, why: string): never => refuse(`${one} and ${other} fight: ${why}`);

/** CNFG_CAL, CNFG_EMUX. `hz`: the master clock. */
const encodeCalibration = (given: r.Calibration, hz: number): number[] => {
  const c = Object.assign({ amplitude: 1 / 2, frequency: 1, high: 0, bipolar: true, inputs: "single" }, given);
  const magnitude = choose(r.MODEL, "calibration.amplitude", c.amplitude, [1 / 4, 1 / 2]);
  const frequency = choose(r.MODEL, "calibration.frequency", c.frequency, [256, 64, 16, 4, 1, 1 / 4, 1 / 16, 1 / 64]);
  const input = choose(r.MODEL, "calibration.inputs", c.inputs, ["single", "common", "differential"]);
  const steps = Math.round((c.high * hz) / 1000000);
  if (c.high !== 0 && !(steps >= 1 && steps <= r.THIGH)) {
    refuse(`calibration.high is ${c.high}; choose 0 (half of the period), or ${Math.ceil(1000000 / hz)} to 62474 us`);
  }
  if (steps >= 128 << (2 * frequency)) {
    fight(
      `calibration.high ${c.high}`,
      `calibration.frequency ${c.frequency}`,
      "it would never be low; choose a shorter time or a lower frequency",
    );
  }
  return [
    r.EN_VCAL |
      (c.bipolar ? r.VMODE : 0) |
      (magnitude > 0 ? r.VMAG : 0) |
      (frequency << r.FCAL_SHIFT) |
      (c.high === 0 ? r.FIFTY : steps),
    r.EMUX_ISOLATED | ((input + 1) << r.CALN_SHIFT),
  ];
};

/** CNFG_RTOR1, CNFG_RTOR2. */
const encodeIntervals = (given: r.RrInterval | boolean): r.Register[] => {
  const c = Object.assign(
    { window: 12, gain: 0, peakAveraging: 8, threshold: 4, holdOff: 32, intervalAveraging: 8, holdOffFraction: 4 },
    // Espruino's Object.assign takes no boolean.
    given === true ? null : given,
  );
  const gains: number[] = [];
  for (let i = 0; i < 15; i++) gains.push(1 << i);
  gains.push(0);
  return [
    [
      r.CNFG_RTOR1,
      (choose(r.MODEL, "rrInterval.window", c.window, [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]) << r.WNDW_SHIFT) |
        (choose(r.MODEL, "rrInterval.gain", c.gain, gains) << r.RGAIN_SHIFT) |
        r.EN_RTOR |
        (choose(r.MODEL, "rrInterval.peakAveraging", c.peakAveraging, WEIGHTS) << r.AVG_SHIFT) |
        ((within("rrInterval.threshold", c.threshold, 1, 16) - 1) << r.PTSF_SHIFT),
    ],
    [
      r.CNFG_RTOR2,
      (within("rrInterval.holdOff", c.holdOff, 0, 63) << r.HOFF_SHIFT) |
        (choose(r.MODEL, "rrInterval.intervalAveraging", c.intervalAveraging, WEIGHTS) << r.AVG_SHIFT) |
        (within("rrInterval.holdOffFraction", c.holdOffFraction, 0, 7) << r.RHSF_SHIFT),
    ],
  ];
};

/**
 * Checks a configuration and returns its registers in the order of writing: CNFG_GEN first, MNGR_DYN sixth. `efit`: words that raise EINT; `wired`: EINT goes to the interrupt pin.
 * Throws Error: which settings fight, and why.
 */
export const encode = (c: r.Max30003Configuration, efit: number, wired: boolean): r.Register[] => {
  const rate = choose(r.MODEL, "sampleRate", c.sampleRate, RATES);
  const gain = choose(r.MODEL, "gain", c.gain, r.GAINS);
  const filter = choose(r.MODEL, "lowPass", c.lowPass, [0, 28, 40, 100, 150]);
  const current = choose(r.MODEL, "leadOff", c.leadOff, [0, 5, 10, 20, 50, 100]);
  const threshold = choose(r.MODEL, "leadOffThreshold", c.leadOffThreshold, [300, 400, 450, 500]);
  const pull = choose(r.MODEL, "leadOffPullUp", c.leadOffPullUp, ["positive", "negative"]);
  const bias = choose(r.MODEL, "leadBias", c.leadBias, [0, 50, 100, 200]);
  const fast = choose(r.MODEL, "fastRecovery", c.fastRecovery, ["off", "manual", "automatic"]);
  const limit = within("fastRecoveryThreshold", c.fastRecoveryThreshold, 1, 63);
  const off = `leadOff ${c.leadOff}`;
  if (c.sampleRate < [0, 0, 200, 250, 500][filter] || (filter === 1 && c.sampleRate > 128)) {
    fight(
      `lowPass ${c.lowPass}`,
      `sampleRate ${c.sampleRate}`,
      "the chip would filter at another frequency; " +
        "choose lowPass 0, or 28 up to 128 hz, 40 from 200 hz, 100 from 250 hz, 150 from 500 hz",
    );
  }
  // nA x MOhm = mV: the current takes an open electrode no further, and there the comparator waits.
  const reach = c.leadOff * c.leadBias;
  if (reach > 0 && reach <= c.leadOffThreshold) {
    fight(
      off,
      `leadBias ${c.leadBias}`,
      `an open electrode moves by ${reach} mV only, not beyond leadOffThreshold ${c.leadOffThreshold} mV; ` +
        "choose a larger current or resistor",
    );
  }
  if (!(c.leadOn >= 0 && c.leadOn <= 3600)) refuse(`leadOn is ${c.leadOn}; choose 0 to 3600 s`);
  if (c.leadOn > 0 && current === 0) {
    fight(`leadOn ${c.leadOn}`, off, "nothing tells that a lead is off again; choose leadOff 5 to 100");
  }
  const calibration = c.calibration;
  if (calibration && current > 0) {
    fight("calibration", off, "the electrodes are isolated, so their state tells nothing; choose leadOff 0");
  }
  const master = Math.floor(rate / 3);
  const test = calibration
    ? encodeCalibration(calibration, master > 0 ? 32000 : 32768)
    : [r.CAL_RESET, r.EMUX_CONNECTED];
  const registers: r.Register[] = [
    [
      r.CNFG_GEN,
      (master << r.FMSTR_SHIFT) |
        r.EN_ECG |
        (current > 0
          ? r.EN_DCLOFF | (pull > 0 ? r.DCLOFF_IPOL : 0) | (current << r.IMAG_SHIFT) | (threshold << r.VTH_SHIFT)
          : 0) |
        (bias > 0 ? r.EN_RBIAS | ((bias - 1) << r.RBIASV_SHIFT) | r.RBIAS_BOTH : r.GEN_RESET),
    ],
    [r.CNFG_CAL, test[0]],
    [r.CNFG_EMUX, test[1]],
    [
      r.CNFG_ECG,
      ((rate < 6 ? rate % 3 : 2) << r.RATE_SHIFT) |
        (gain << r.GAIN_SHIFT) |
        (c.highPass ? r.DHPF : 0) |
        ((filter > 1 ? filter - 1 : filter) << r.DLPF_SHIFT),
    ],
    [r.MNGR_INT, ((efit - 1) << r.EFIT_SHIFT) | r.CLR_SAMP | (c.rrInterval ? r.CLR_RRINT_RTOR : 0)],
    [r.MNGR_DYN, (fast << r.FAST_SHIFT) | (limit << r.FAST_TH_SHIFT)],
    [r.EN_INT, (wired ? r.EINT | (c.leadOn > 0 ? r.LONINT : 0) : 0) | r.INTB_PULLUP],
  ];
  return registers.concat(c.rrInterval ? encodeIntervals(c.rrInterval) : []);
};

/** The ECG (MDC_ECG_ELEC_POTL), and R-to-R intervals (MDC_ECG_TIME_PD_RR_GL) where they are wanted. */
export const channelsOf = (c: r.Max30003Configuration): Channel[] => {
  const gain = r.GAINS.indexOf(c.gain);
  const ecg: Channel = {
    name: "ecg",
    mdc: 131328,
    rate: c.sampleRate,
    waveform: true,
    bits: 18,
    offset: 0,
    // 1 V / (gain x 2^17), exactly: 5^(18 + i) x 10^-(19 + i) for gain 20 x 2^i (p. 26).
    mul: 3814697265625 * [1, 5, 25, 125][gain],
    exp10: -19 - gain,
    unit: "V",
    minimum: -131072,
    maximum: 131071,
    accuracy: "gain 2.5 %, reference 0.5 % (MAX30001G data sheet p. 4, 8)",
    processing: c.calibration ? 3 : 0,
  };
  if (!c.rrInterval) return [ecg];
  // 256 periods of the master clock: 7.8125 ms, or 8 ms (p. 29).
  const fine = c.sampleRate % 128 === 0;
  const interval: Channel = {
    name: "rrInterval",
    mdc: 147240,
    rate: 0,
    waveform: false,
    bits: 14,
    offset: 0,
    mul: fine ? 78125 : 8,
    exp10: fine ? -7 : -3,
    unit: "s",
    minimum: 1,
    maximum: r.RTOR_OVERFLOW - 1,
    accuracy: "resolution of the detector's timer, no figure given (MAX30001G data sheet p. 29)",
    processing: c.calibration ? 3 : 2,
  };
  return [ecg, interval];
};
