/** How fast things come. */
import type { Wave } from "../../protocol/messages.ts";

/** Stretch of board time below which a measured rate says nothing, us. */
const SHORTEST = 2e6;

/** A channel's rate by the board's clock: from index and time of the first and the newest block of its segment. */
export class RateMeter {
  private seg = -1;
  private first = { idx: 0, time: 0 };
  private last = { idx: 0, time: 0 };

  /** `tick`: of the message that holds the block, ms. Blocks that come late change nothing. */
  take({ seg, idx, dt }: Pick<Wave, "seg" | "idx" | "dt">, tick: number): void {
    const at = { idx, time: tick * 1000 + dt };
    if (seg > this.seg) {
      this.seg = seg;
      this.first = at;
      this.last = at;
    } else if (seg === this.seg && idx > this.last.idx) this.last = at;
  }

  /** Samples a second; null before two seconds of a segment were heard. */
  get hz(): number | null {
    const time = this.last.time - this.first.time;
    return time < SHORTEST ? null : ((this.last.idx - this.first.idx) * 1e6) / time;
  }
}

/** Seconds over which a flow is averaged. */
const WINDOW = 5;

/** Amounts a second over the last five seconds. */
export class FlowMeter {
  private readonly seconds: { at: number; amount: number }[] = [];
  private since: number | null = null;

  /** `now`: ms of any clock that never goes back. */
  add(now: number, amount: number): void {
    this.since ??= now;
    const at = Math.floor(now / 1000);
    const newest = this.seconds.at(-1);
    if (newest !== undefined && newest.at >= at) newest.amount += amount;
    else this.seconds.push({ at, amount });
    if (this.seconds.length > WINDOW + 1) this.seconds.shift();
  }

  /** Of the whole seconds before this one; null before there is one. */
  perSecond(now: number): number | null {
    if (this.since === null) return null;
    const end = Math.floor(now / 1000);
    const start = Math.max(end - WINDOW, Math.ceil(this.since / 1000));
    if (end <= start) return null;
    let sum = 0;
    for (const { at, amount } of this.seconds) if (at >= start && at < end) sum += amount;
    return sum / (end - start);
  }
}
