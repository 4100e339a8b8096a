/** The board's clock against its chips' oscillators: whichever contradicts the others is off. Device side. */

import type { Bounds } from "../rate.ts";
import { type Finding, good, notGood } from "./finding.ts";

/** What a chip's samples say of the board's clock. */
export interface Witness {
  readonly model: string;
  /** Measured over nominal rate. */
  readonly ratio: Bounds;
  /** Its oscillator over its nominal frequency, at its data sheet's limits. */
  readonly oscillator: Bounds;
}

export interface ClockVerdict {
  /** null: no chip gave a rate. */
  readonly finding: Finding | null;
  /** The board's clock over true time, where it is off and the chips agree on that; 1 else. */
  readonly speed: number;
}

const PPM = 1000000;
const WHAT = "board clock";

/** How fast the board's clock must run for this chip to be within its limits. */
const speedOf = (one: Witness): Bounds => ({
  low: one.oscillator.low / one.ratio.high,
  high: one.oscillator.high / one.ratio.low,
});

const contains = (bounds: Bounds, value: number): boolean => bounds.low <= value && value <= bounds.high;

/** "-120 to +80 ppm", "-1.2 to +0.4 %" */
const rangeOf = (bounds: Bounds): string => {
  const coarse = Math.max(Math.abs(bounds.low - 1), Math.abs(bounds.high - 1)) > 1 / 512;
  const signed = (ratio: number): string => {
    const text = ((ratio - 1) * (coarse ? 100 : PPM)).toFixed(coarse ? 1 : 0);
    return text.charAt(0) === "-" ? text : `+${text}`;
  };
  return `${signed(bounds.low)} to ${signed(bounds.high)} ${coarse ? "%" : "ppm"}`;
};

export const judgeClock = (witnesses: readonly Witness[]): ClockVerdict => {
  if (witnesses.length === 0) return { finding: null, speed: 1 };
  const fitting: Witness[] = [];
  const off: Witness[] = [];
  let low = 0;
  let high = Infinity;
  witnesses.forEach((one) => {
    const speed = speedOf(one);
    (contains(speed, 1) ? fitting : off).push(one);
    low = Math.max(low, speed.low);
    high = Math.min(high, speed.high);
  });
  const names = off.map((one) => one.model).join(" and ");
  const agreed: Bounds = { low: low, high: high };
  const agree = low <= high;
  if (agree && off.length >= 2) {
    const fast = low > 1;
    return {
      finding: notGood(
        "bad",
        WHAT,
        `${rangeOf(agreed)} by ${names}`,
        "0",
        `it runs ${fast ? "fast" : "slow"}, every time and rate of this board is wrong by that: look at its crystal`,
      ),
      speed: (low + high) / 2,
    };
  }
  // One chip alone contradicts: were the clock off, others that know it as well would say so.
  if (fitting.length === 0 || (agree && off.length > 0)) {
    const measured = agree ? `${rangeOf(agreed)} by ${names}` : `${names} contradict each other`;
    return {
      finding: notGood(
        "look",
        WHAT,
        measured,
        "0",
        "it or these chips' oscillators are off: measure a rate with another clock",
      ),
      speed: 1,
    };
  }
  let best = speedOf(fitting[0]);
  let by = fitting[0].model;
  fitting.forEach((one) => {
    const speed = speedOf(one);
    if (speed.high - speed.low >= best.high - best.low) return;
    best = speed;
    by = one.model;
  });
  return { finding: good(WHAT, `${rangeOf(best)} by ${by}`, `0, as far as ${by}'s oscillator is known`), speed: 1 };
};
