/**
 * The ADS1292R emulator before its digital side: input switches, respiration, test signal, lead-off currents and
 * comparators, amplifier, reference, noise, rounding (TI SBAS502C). No filters: the code is the voltage at its moment.
 */
import * as r from "./registers.ts";

/** Value of a register, and of an input of the emulator at this moment. */
export type Get = (register: number) => number;
export type Ask = (input: string) => number;

/** Modulator cycles a conversion: 1024 at 125 sps ("Settling Time"). Code 7 is not to be used; here as code 6. */
export const decimation = (get: Get): number => 1024 >> Math.min(6, get(r.CONFIG1) & 7);

/** Nominal samples a second, hz. */
export const rateOf = (get: Get): number => 128000 / decimation(get);

/** V: 2.42 or 4.033; 0 where the buffer is off and nothing is connected to VREFP (CONFIG2). */
export const referenceOf = (get: Get): number => {
  if ((get(r.CONFIG2) & r.PDB_REFBUF) === 0) return 0;
  return (get(r.CONFIG2) & r.VREF_4V) !== 0 ? 4.033 : 2.42;
};

/** V/V of channel 0 or 1; code 7 does not exist, here as 12. */
export const gainOf = (get: Get, place: number): number =>
  r.GAINS[Math.min(6, (get(r.CH1SET + place) >> r.GAIN_SHIFT) & 7)];

/** Bits of LOFF_STAT 4:0 of electrodes that are off and looked at: what the comparators see, with direct current only. */
export function leadsOff(get: Get, ask: Ask): number {
  if ((get(r.CONFIG2) & r.PDB_LOFF_COMP) === 0 || (get(r.LOFF) & r.FLEAD_OFF) !== 0) return 0;
  const looked = (get(r.LOFF_SENS) & 15) | ((get(r.RLD_SENS) & r.RLD_LOFF_SENS) !== 0 ? 16 : 0);
  return ask("leadOff") & looked;
}

/**
 * Where the lead-off current takes a channel with an electrode that is off: 1, -1 the rail, 0 nowhere. The positive input
 * is pulled to the supply, the negative one to ground, FLIP the other way round ("DC Lead-Off").
 */
function pulled(get: Get, ask: Ask, place: number): number {
  const looked = (get(r.LOFF_SENS) >> (2 * place)) & 3;
  if ((get(r.LOFF) & r.FLEAD_OFF) !== 0 || ((ask("leadOff") >> (2 * place)) & looked) === 0) return 0;
  return ((get(r.LOFF_SENS) >> (4 + place)) & 1) !== 0 ? -1 : 1;
}

/** V between the inputs of the amplifier of a channel. `time`: s of the chip's clock since power-up, for the test signal. */
function voltage(get: Get, ask: Ask, place: number, time: number): number {
  const mux = get(r.CH1SET + place) & r.MUX;
  const demodulated = place === 0 && (get(r.RESP1) & r.RESP_DEMOD_EN1) !== 0;
  if (mux === r.MUX_SUPPLY) return place === 0 ? ask("analogSupply") / 2 : ask("digitalSupply") / 4;
  // Data sheet of the family: 145.3 mV at 25 Cel, 490 uV / Cel (README.md).
  if (mux === r.MUX_TEMPERATURE) return 0.1453 + 490e-6 * (ask("temperature") - 25);
  if (mux === r.MUX_TEST) {
    if ((get(r.CONFIG2) & r.INT_TEST) === 0) return 0;
    const high = (get(r.CONFIG2) & r.TEST_FREQ) === 0 || Math.floor(2 * time) % 2 === 0;
    return ((high ? 1 : -1) * referenceOf(get)) / 2400;
  }
  if (mux === r.MUX_AUXILIARY) return ask("auxiliary");
  if (mux !== 0) return 0; // shorted, RLD_MEASURE, RLD_DRx
  const rail = pulled(get, ask, place);
  if (rail !== 0) return rail * 10;
  if (!demodulated) return ask(place === 0 ? "ecg1" : "ecg");
  return (get(r.RESP1) & r.RESP_MOD_EN) !== 0 ? ask("respiration") : 0;
}

/** What an ideal converter says of V at a gain: not rounded, clamped to 24 bits (table 10 of SBAS502B). */
export const ideal = (volts: number, gain: number, reference: number): number =>
  Math.max(-8388608, Math.min(8388607, (volts * gain * 8388607) / reference));

/** One conversion of channel 0 or 1, rounded half away from zero. `noise`: standard normal deviates, or none. */
export function convert(get: Get, ask: Ask, place: number, time: number, noise: (() => number) | undefined): number {
  if ((get(r.CH1SET + place) & r.PD) !== 0) return 0;
  const reference = referenceOf(get);
  // Seen in the field: 7FFFFF from both channels with the reference off (E2E 1210270).
  if (reference === 0) return 8388607;
  let volts = voltage(get, ask, place, time);
  // 8 uV peak to peak (6.6 sigma) at 150 hz and gain 6; white, within the -3 dB of a third-order sinc filter (README.md).
  if (noise !== undefined) volts += noise() * (8e-6 / 6.6) * Math.sqrt((0.262 * rateOf(get)) / 150);
  const code = ideal(volts, gainOf(get, place), reference);
  return (code < 0 ? -Math.round(-code) : Math.round(code)) | 0;
}
