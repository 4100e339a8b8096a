/** What chips' pages say that their drivers do not: oscillators, and the noise of a still signal. */
import type { Oscillator } from "../../firmware/doctor/judge.ts";
import type { NoiseFigure } from "../../firmware/doctor/noise.ts";

export interface Figures<C> {
  readonly oscillator?: Oscillator;
  /** The configuration in which its signal is still, and how much noise it has in that. */
  readonly still?: { readonly configuration: Partial<C>; readonly noise: readonly NoiseFigure[] };
}

/** drivers/max30102/README.md: its oscillator; its data sheet has no figure for noise. */
export const max30102: Figures<unknown> = {
  oscillator: { low: 10.32 / 10.48, high: 10.64 / 10.48, source: "data sheet p. 3" },
};

/** drivers/max30003/README.md: a crystal; both inputs on one calibration voltage, so that nothing is between them. */
export const max30003 = {
  oscillator: { low: 1 - 1 / 1024, high: 1 + 1 / 1024, source: "its crystal, 1/1024 allowed" },
  still: {
    configuration: { sampleRate: 512, gain: 20, leadOff: 0, calibration: { inputs: "common" } },
    noise: [{ channel: "ecg", rms: 0.77e-6, unit: "uV", scale: 1e6, source: "data sheet p. 28, gain 20, 150 Hz" }],
  },
} satisfies Figures<unknown>;

/** drivers/tmp117/README.md: 13 to 17.5 ms a conversion where 15.5 is typical; a step, 1/128 Cel, without averaging. */
export const tmp117 = {
  oscillator: { low: 15.5 / 17.5, high: 15.5 / 13, source: "data sheet, section 6.5" },
  still: {
    configuration: { sampleRate: 64, averaging: 1 },
    noise: [{ channel: "temperature", rms: 1 / 128, unit: "mCel", scale: 1000, source: "data sheet, section 8.2.2.1" }],
  },
} satisfies Figures<unknown>;
