/** ADS1292R: checks of its settings, and the registers that they come to. Device side. */
import { choose as chooseOf } from "../chip.ts";
import * as r from "./registers.ts";

export const RESPIRATION = "respiration";
export const ECG = "ecg";
export const OFF = "off";
export const ELECTRODES = "electrodes";
const TEST = "test";
const AUXILIARY = "auxiliary";
const RATES = [125, 250, 500, 1000, 2000, 4000, 8000];
/** By code; where nothing stands, a driver has no use for it (CHnSET). */
const INPUTS = [ELECTRODES, "short", "rightLegDrive", "supply", "temperature", TEST, "", "", "", AUXILIARY];
/** Fastest rate at which two registers are read beside every conversion, hz. */
const MOST_LOOKED_AT = 2000;

type Setting = keyof r.Ads1292rConfiguration;

/** Place of a setting in its list. Throws Error. */
const choose = (c: r.Ads1292rConfiguration, name: Setting, list: readonly (number | string)[]): number =>
  chooseOf(r.MODEL, name, c[name], list);

/** Throws Error: two settings that fight, why, what to choose. */
const fight = (c: r.Ads1292rConfiguration, one: Setting, other: Setting, why: string): void => {
  throw new Error(`${r.MODEL}: ${one} ${c[one]} and ${other} ${c[other]} fight: ${why}`);
};

/** CHnSET of one channel. A channel that is off has its inputs shorted. */
const channelSet = (c: r.Ads1292rConfiguration, channel: Setting, gain: Setting, input: Setting): number => {
  const code = choose(c, gain, r.GAINS);
  const mux = choose(c, input, INPUTS);
  if (c[channel] !== ECG && mux > 0) fight(c, channel, input, `choose ${input} ${ELECTRODES}, or ${channel} ${ECG}`);
  if (mux === r.MUX_SUPPLY && code !== 1) {
    fight(c, input, gain, `half of the supply is out of range; choose ${gain} 1`);
  }
  return c[channel] === OFF ? r.PD | r.MUX_SHORT : (code << r.GAIN_SHIFT) | mux;
};

/** RESP1. */
const respiration = (c: r.Ads1292rConfiguration): number => {
  const slow = choose(c, "respirationFrequency", [32, 64]) === 0;
  const code = (c.respirationPhase * (slow ? 4 : 2)) / 45;
  if (!(code >= 0 && code < (slow ? 16 : 8) && Math.floor(code) === code)) {
    const step = slow ? "11.25 up to 168.75" : "22.5 up to 157.5";
    fight(c, "respirationPhase", "respirationFrequency", `choose a multiple of ${step} degrees`);
  }
  if (c.channel1 !== RESPIRATION) return r.RESP1_FIXED;
  if (c.input2 === AUXILIARY) {
    fight(c, "channel1", "input2", `its carrier goes out there; choose input2 ${ELECTRODES}`);
  }
  return r.RESP_DEMOD_EN1 | r.RESP_MOD_EN | (code << r.RESP_PH_SHIFT) | r.RESP1_FIXED;
};

/** Checks a configuration; returns the registers CONFIG1 to RESP2. Throws Error: which settings fight, and why. */
export const encode = (c: r.Ads1292rConfiguration): number[] => {
  const rate = choose(c, "sampleRate", RATES);
  choose(c, "channel1", [RESPIRATION, ECG, OFF]);
  choose(c, "channel2", [ECG, OFF]);
  const current = choose(c, "leadOff", [0, 6, 22, 6000, 22000]);
  const threshold = choose(c, "leadOffThreshold", [95, 185 / 2, 90, 175 / 2, 85, 80, 75, 70]);
  const alternating = choose(c, "leadOffMode", ["dc", "ac"]);
  const drive = choose(c, "rightLegDrive", [OFF, "channel1", "channel2", "both"]);
  const test = choose(c, "testSignal", [0, 1]);
  const large = choose(c, "reference", [242 / 100, 4033 / 1000]);
  if (c.channel1 === OFF && c.channel2 === OFF) fight(c, "channel1", "channel2", "choose one to be read");
  if (c.sampleRate > MOST_LOOKED_AT && !c.continuous) {
    fight(c, "sampleRate", "continuous", "there is no time for registers; choose continuous true");
  }
  const first = channelSet(c, "channel1", "gain1", "input1");
  const second = channelSet(c, "channel2", "gain2", "input2");
  // Bits of both inputs of a channel, where they are electrodes; the lead-off of respiration is not looked for.
  const bits1 = c.input1 === ELECTRODES && c.channel1 !== OFF ? 3 : 0;
  const bits2 = c.input2 === ELECTRODES && c.channel2 !== OFF ? 12 : 0;
  const leads = (c.channel1 === ECG ? bits1 : 0) | bits2;
  if (current > 0 && leads === 0) {
    fight(c, "leadOff", bits1 > 0 ? "channel1" : "input2", "no channel is an ecg of electrodes; choose leadOff 0");
  }
  if (current === 0 && alternating > 0) fight(c, "leadOff", "leadOffMode", "choose a current, or dc");
  const driven = ((drive & 1) !== 0 ? 3 : 0) | ((drive & 2) !== 0 ? 12 : 0);
  const missing = driven & ~(bits1 | bits2);
  if (missing !== 0) {
    const place =
      missing > 3 ? (c.channel2 === OFF ? "channel2" : "input2") : c.channel1 === OFF ? "channel1" : "input1";
    fight(c, "rightLegDrive", place, "there are no electrodes; choose another channel, or off");
  }
  const tested = c.input1 === TEST || c.input2 === TEST;
  const chest = respiration(c);
  return [
    rate,
    r.CONFIG2_FIXED |
      r.PDB_REFBUF |
      (current > 0 && alternating === 0 ? r.PDB_LOFF_COMP : 0) |
      (large > 0 ? r.VREF_4V : 0) |
      (tested ? r.INT_TEST | test : 0),
    r.LOFF_FIXED |
      (threshold << r.COMP_TH_SHIFT) |
      (current > 0 ? (current - 1) << r.ILEAD_OFF_SHIFT : 0) |
      alternating,
    first,
    second,
    ([0, 3, 2][choose(c, "chop", [16, 4, 2])] << r.CHOP_SHIFT) | (drive > 0 ? r.PDB_RLD : 0) | driven,
    current > 0 ? leads : 0,
    0,
    chest,
    // An ADS1292 needs r.RESP_FREQ (RESP2); where no carrier runs it means nothing.
    r.RLDREF_INT | r.RESP2_FIXED | (c.channel1 !== RESPIRATION || c.respirationFrequency === 64 ? r.RESP_FREQ : 0),
  ];
};
