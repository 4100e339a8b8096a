/** A board, its chips and the way to a gateway, in true time: what they would tell, and what is so. All times in us. */
import { createRandom } from "../../../simulator/random.ts";

export interface WorldOptions {
  readonly seed: string;
  /** The board's rate over the true one, less 1, and how far and how fast (period, us) temperature moves it. */
  readonly drift: number;
  readonly swing: number;
  readonly swingPeriod: number;
  /** The smallest one-way delay and the mean of what is added. */
  readonly delay: { readonly least: number; readonly mean: number };
  /** Every so many messages, what is sent waits for `burst` us. */
  readonly burst?: { readonly every: number; readonly delay: number };
  /** Nothing gets through in these spans of true time; what was sent comes when they end. */
  readonly outages?: readonly { readonly from: number; readonly to: number }[];
}

/** Unix time at which the board boots, us. */
export const BOOT = 1_767_225_600_000_000;

export function createWorld(options: WorldOptions) {
  const random = createRandom(options.seed);
  const { drift, swing, swingPeriod, delay, burst, outages = [] } = options;
  const w = (2 * Math.PI) / swingPeriod;
  let sent = 0;

  /** The board's clock, us since boot, at a true time since boot: its rate is 1 + drift + swing sin(w t). */
  const board = (t: number) => t * (1 + drift) + (swing / w) * (1 - Math.cos(w * t));
  /** When the board's clock shows that. */
  const trueOf = (shown: number) => {
    let t = shown;
    for (let i = 0; i < 6; i++) t -= board(t) - shown;
    return t;
  };
  const exponential = (mean: number) => -mean * Math.log(1 - random.uniform());
  /** When what leaves at t is there. */
  const arrival = (t: number) => {
    sent++;
    const held = burst !== undefined && sent % burst.every === 0 ? burst.delay : 0;
    const there = t + delay.least + exponential(delay.mean) + held;
    const outage = outages.find(({ from, to }) => there >= from && there < to);
    return outage === undefined ? there : outage.to + exponential(delay.mean);
  };
  return {
    board,
    trueOf,
    arrival,
    random,
    /** The tick of what is sealed when the board's clock shows `shown`, us. */
    tick: (shown: number) => Math.floor(shown / 1000) * 1000,
  };
}

export type World = ReturnType<typeof createWorld>;
