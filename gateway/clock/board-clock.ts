/**
 * One boot's clock against UTC, by bounds that hold (docs/time.md says under which assumptions):
 * - what arrives at `a` was sealed at or after its tick: the tick was at `a` or before;
 * - the answer to a ping that left at `s` was sealed at or after `s`, within a millisecond above its tick (ticks are whole
 *   milliseconds, cut off): one millisecond after the tick was at `s` or after;
 * - without pings, of the live messages of some seconds one came within DELAY. Where delays shrink, a queue runs empty, and
 *   nothing is assumed.
 * All times are us.
 */
import { type Bounds, createBounds, type Region } from "./bounds.ts";

/** A board's crystal against UTC, at most: 200 ppm. */
export const BOARD_SLOPE = 2e-4;
/** How fast that changes, as its temperature does: 20 ppm an hour. */
export const BOARD_WANDER = 20e-6 / 3600e6;
/** Without pings: the smallest one-way delay of a window of live messages is at most this. */
export const DELAY = 100_000;
/** A window has at least so many live messages, and arrives in at least this long. */
const WINDOW_MESSAGES = 3;
const WINDOW = 2e6;
/** Windows that contradict what was known for so long are a step of the gateway's clock; before, they are an outage. */
const CONTRADICTED = 60e6;
/** Delays are not assumed while a ping is younger than this. */
const PING_FRESH = 600e6;
/** Bounds of a side that are remembered: many hours' worth. */
const CAPACITY = 256;
const TICK = 1000;

/** An instant in UTC. */
export interface Utc {
  /** us since 1970. */
  readonly utc: number;
  /** Half width, us: a bound, not a likely error. Where a delay is assumed, `utc` is the latest that is possible, and nearest. */
  readonly uncertainty: number;
}

/** A board time in UTC. */
export interface BoardTime extends Utc {
  /** UTC us per us of the board's clock, less 1, and its half width. */
  readonly slope: number;
  readonly slopeUncertainty: number;
  /** It rests on DELAY, not on pings. */
  readonly assumed: boolean;
}

/** The middle of what is possible. Delays are mostly far below one that is assumed: then the latest is the best guess. */
export function utcOf({ low, high }: Region, origin: number, assumed: boolean): Utc {
  if (assumed) return { utc: origin + high, uncertainty: high - low };
  return { utc: origin + (low + high) / 2, uncertainty: (high - low) / 2 };
}

export interface BoardClock {
  /** How often it was begun anew: the gateway's clock was set, or an assumption did not hold. */
  readonly restarts: number;
  /** A message sealed at or after `board` was here at `arrived`. `live`: it may have been sent as soon as it was sealed. */
  arrival(board: number, arrived: number, live: boolean): void;
  /** A ping that left at `sent` was answered by a message with this tick. */
  ping(sent: number, tick: number): void;
  /** What was known before: board time `board` was from `from` to `to`. */
  known(board: number, from: number, to: number, assumed: boolean): void;
  /** null: not known from both sides. */
  at(board: number): BoardTime | null;
  /** The gateway's clock was set: what was known is of another time. */
  restart(): void;
}

export function createBoardClock(): BoardClock {
  const bounds: Bounds = createBounds({ slope: BOARD_SLOPE, wander: BOARD_WANDER, capacity: CAPACITY });
  /** UTC less board time at the first bound, so that the rest are small numbers. */
  let base: number | null = null;
  let assumed = false;
  let pingedAt = Number.NEGATIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  let restarts = 0;
  /** Arrival of the first window of those that contradict, in a row. */
  let contradictedAt: number | null = null;
  /** The window of live messages: how many, when the first came, its board time and deviation, the lowest one and where. */
  let count = 0;
  let since = 0;
  let first = 0;
  let firstValue = 0;
  let lowest = 0;
  let lowestAt = 0;

  const deviation = (board: number, utc: number): number => {
    base ??= utc - board;
    return utc - board - base;
  };
  const restart = () => {
    bounds.clear();
    assumed = false;
    count = 0;
    contradictedAt = null;
    pingedAt = Number.NEGATIVE_INFINITY;
    restarts++;
  };
  const possible = (board: number) => bounds.uppers === 0 || bounds.at(board) !== null;

  /** Puts a bound in; where it contradicts the others, it alone stays. */
  const put = (add: () => void, board: number) => {
    add();
    if (possible(board)) return;
    restart();
    add();
  };
  const dropAssumed = () => {
    if (assumed) bounds.clearLower();
    assumed = false;
  };

  /** One of the window's messages came within DELAY; if it was another one than the lowest, drift lies between the two. */
  const assume = (board: number, arrived: number, current: number) => {
    if (board - pingedAt < PING_FRESH || current < firstValue - DELAY) return;
    const value = lowest - DELAY - BOARD_SLOPE * (board - first);
    const region = bounds.at(lowestAt);
    if (region !== null && value > region.high) {
      contradictedAt ??= arrived;
      if (arrived - contradictedAt < CONTRADICTED) return;
      restart();
      bounds.upper(lowestAt, lowest);
    }
    contradictedAt = null;
    bounds.lower(lowestAt, value);
    assumed = true;
  };
  const takeLive = (board: number, arrived: number, value: number) => {
    if (count === 0 || arrived < since) {
      count = 0;
      since = arrived;
      first = board;
      firstValue = value;
      lowest = Number.POSITIVE_INFINITY;
    }
    count++;
    if (value < lowest) {
      lowest = value;
      lowestAt = board;
    }
    if (count < WINDOW_MESSAGES || arrived - since < WINDOW) return;
    count = 0;
    assume(board, arrived, value);
  };

  return {
    get restarts() {
      return restarts;
    },
    arrival(board, arrived, live) {
      const value = deviation(board, arrived);
      put(() => bounds.upper(board, value), board);
      if (!live || board <= newest) return;
      newest = board;
      takeLive(board, arrived, value);
    },
    ping(sent, tick) {
      const board = tick + TICK;
      const value = deviation(board, sent);
      dropAssumed();
      pingedAt = Math.max(pingedAt, tick);
      put(() => bounds.lower(board, value), board);
    },
    known(board, from, to, known) {
      put(() => {
        bounds.upper(board, deviation(board, to));
        if (assumed && !known) dropAssumed();
        if (known && bounds.lowers > 0 && !assumed) return;
        bounds.lower(board, deviation(board, from));
        assumed = known;
      }, board);
      if (!known) pingedAt = Math.max(pingedAt, board);
      newest = Math.max(newest, board);
    },
    at(board) {
      if (base === null || bounds.uppers === 0 || bounds.lowers === 0) return null;
      const region = bounds.at(board);
      if (region === null) return null;
      const { slopeLow, slopeHigh } = region;
      return {
        ...utcOf(region, base + board, assumed),
        slope: (slopeLow + slopeHigh) / 2,
        slopeUncertainty: (slopeHigh - slopeLow) / 2,
        assumed,
      };
    },
    restart,
  };
}
