/**
 * When samples are drawn. A message brings a second of samples at once; the pen spreads them over the time until the next
 * message is due, so that it moves without a break and holds nothing back. Pure: the caller brings the time.
 */

/** Jitter that the pen waits for at most, ms. */
export const MAX_MARGIN = 250;
/** What is left at an arrival and shorter than this is drawn at once: three pixels, nobody sees it. ms. */
const SNAP = 30;
/** Further behind than this the pen jumps, ms. */
const JUMP = 3000;
const MIN_RATE = 0.5;
const MAX_RATE = 3;
/** Share of the arrivals that the margin covers. */
const COVERED = 0.75;
/** Arrivals that the schedule remembers. */
const ARRIVALS = 16;
/** What two clocks may differ in speed: 100 ppm. */
const DRIFT = 1e-4;

/** When the next message of a board is due, learnt from when the last ones came. */
export class Schedule {
  private transits: number[] = [];
  private ticks: number[] = [];
  private fastest = Number.POSITIVE_INFINITY;
  private heard = 0;
  /** ms between two messages: the median of the last spacings; 1000 until one is known. */
  period = 1000;
  /** Jitter that is allowed for now, ms, at most MAX_MARGIN. */
  margin = 0;
  /** How much older than the freshest ever the last message was at its arrival, ms. */
  late = 0;

  /** A message of this tick (board, ms; above the last one) was stored before the page came: only its spacing tells. */
  remembered(tick: number): void {
    this.ticks = [...this.ticks, tick].slice(-ARRIVALS);
    const spacings = this.ticks.slice(1).map((one, i) => one - this.ticks[i]);
    if (spacings.length > 0) this.period = spacings.sort((a, b) => a - b)[spacings.length >> 1];
  }

  /** A message of this tick arrived at `now` (ms). */
  arrived(tick: number, now: number): void {
    this.remembered(tick);
    const transit = now - tick;
    // The fastest way ever, forgotten no faster than clocks drift apart.
    this.fastest = Math.min(transit, this.fastest + Math.max(0, now - this.heard) * DRIFT);
    this.heard = now;
    this.late = transit - this.fastest;
    this.transits = [...this.transits, transit].slice(-ARRIVALS);
    const smallest = Math.min(...this.transits);
    // What is beyond the margin is a stall: waiting would not hide it.
    const jitter = this.transits.map((one) => one - smallest).filter((one) => one <= MAX_MARGIN);
    this.margin = jitter.sort((a, b) => a - b)[Math.floor((jitter.length - 1) * COVERED)];
  }

  /** How much older than by the fastest way ever a message of this tick is at `now`, ms; 0 where nothing was heard live. */
  age(tick: number, now: number): number {
    return Math.max(0, Number.isFinite(this.fastest) ? now - tick - this.fastest : 0);
  }

  /** When the message after the last one should be here, the margin included, ms; `now` until one came. */
  due(now: number): number {
    const tick = this.ticks.at(-1);
    if (tick === undefined || this.transits.length === 0) return now;
    return tick + this.period + Math.min(...this.transits) + this.margin;
  }
}

/** How far one sweep is drawn. Times on the board's clock in us, `now` and `due` in ms. */
export class Pen {
  /** Board time up to which it has drawn; null: nothing yet. */
  at: number | null = null;
  /** Board us a ms. */
  private rate = 1000;
  private newest = 0;
  private moved = 0;

  /** True while samples wait that it has not drawn. */
  get moving(): boolean {
    return this.at !== null && this.at < this.newest;
  }

  /** Stands at `time` at once: all before counts as drawn. */
  jump(time: number): void {
    this.at = time;
    this.newest = Math.max(this.newest, time);
  }

  /** Forgets the board's clock: a new boot. */
  reset(): void {
    this.at = null;
    this.newest = 0;
  }

  /**
   * Samples from `first` to `last` came, `first` after all before. What little was left is drawn at once, and `first` with
   * it, so that it waits for no frame; the rest is spread until `due`.
   */
  extend(first: number, last: number, now: number, due: number): void {
    // Frames come seldom: where it would stand now, not where the last one left it.
    const at = this.at === null ? first : this.move(now);
    const left = (this.newest - at) / 1000;
    if (left <= SNAP) this.at = first;
    else if ((last - at) / 1000 > JUMP) this.at = Math.max(first, at);
    else this.at = at;
    this.newest = last;
    this.moved = now;
    const rate = (last - this.at) / 1000 / Math.max(1, due - now);
    this.rate = 1000 * Math.min(MAX_RATE, Math.max(MIN_RATE, rate));
  }

  /** Moves on to `now`; returns where it stands. Never beyond the newest sample, never back. */
  move(now: number): number {
    const at = this.at ?? this.newest;
    this.at = Math.min(this.newest, at + this.rate * Math.max(0, now - this.moved));
    this.moved = now;
    return this.at;
  }
}
