/** What a network does to messages, and when it is not there: drawn once from a seed, so that a world is the same again. */
import type { Random } from "../random.ts";

/** One second, us of virtual time. */
export const SECOND = 1e6;

export interface Weather {
  /** Share of messages that vanish, in each direction. */
  readonly loss: number;
  /** Share of the others that come twice. */
  readonly twice: number;
  /** One-way delay: least, and the mean of what comes on top, us. It is another one for every message: they pass each other. */
  readonly delay: { readonly least: number; readonly mean: number };
  /** Share of messages that are held up, and for how long at most, us. */
  readonly held: { readonly share: number; readonly most: number };
  /** When the broker dies, us, rising. */
  readonly deaths: readonly number[];
  /** When no board reaches the broker, us; null: never. */
  readonly outage: { readonly from: number; readonly to: number } | null;
}

export interface WeatherOptions {
  /** The world lasts so long, us. */
  readonly until: number;
  readonly loss: number;
  readonly twice: number;
  readonly deaths: number;
  /** How long no board reaches the broker, us. */
  readonly outage: number;
}

/** Moments between `from` and `to`, rising. */
export function moments(random: Random, count: number, from: number, to: number): number[] {
  return Array.from({ length: count }, () => Math.floor(from + random.uniform() * (to - from))).sort((a, b) => a - b);
}

/** The first and the last twelfth of the time are spared: the world begins and ends connected. */
export function drawWeather(random: Random, options: WeatherOptions): Weather {
  const { until, outage } = options;
  const from = Math.floor(until / 12 + random.uniform() * Math.max(0, (until * 10) / 12 - outage));
  return {
    loss: options.loss,
    twice: options.twice,
    delay: { least: 0.005 * SECOND, mean: 0.12 * SECOND },
    held: { share: 0.01, most: 12 * SECOND },
    deaths: moments(random, options.deaths, until / 12, (until * 11) / 12),
    outage: outage > 0 ? { from, to: from + outage } : null,
  };
}
