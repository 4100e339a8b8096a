/**
 * One channel's sampling clock against its board's, within a segment, from (idx, time) of its blocks: a least-squares
 * line over the newest blocks, for chips' oscillators follow their temperature.
 *
 * How exact the times are is not in a message, so it is learned. A driver dates a block by a data-ready edge, or by how
 * full the FIFO is, which is off by up to a sampling interval, as poll and conversion fall. Once the phase between board
 * and chip has gone through whole intervals and next to nothing was seen off the line, edges date it; else it is an interval.
 * All times are us.
 */

/** A chip's oscillator against its nominal rate, at most: 5 %. */
export const CHANNEL_SLOPE = 0.05;
/** How fast that changes: 2000 ppm an hour, as an oscillator inside a chip on warming skin does. */
export const CHANNEL_WANDER = 2000e-6 / 3600e6;
/** What no line shows: how late every edge is seen. */
export const EDGE_LATENCY = 200;
/** Blocks that are dated without edges lie at most so many samples from the instant that they are dated by. */
const FIFO_DEPTH = 32;
/** Times that scatter over more than this part of an interval were not dated by edges. */
const NO_EDGE = 1 / 8;
/** Blocks of the line, and how old they may be where there are enough others. */
const BLOCKS = 32;
const AGE = 60e6;
const ENOUGH = 8;
/** Scatter is learned over stretches of at least this long and so many blocks, in which the phase goes through two intervals. */
const STRETCH = 60e6;
const STRETCH_BLOCKS = 64;
/** An error below this is not believed. */
const LEAST = 20;

export interface ChannelFit {
  /** Sampling interval by the board's clock, us, and its half width. */
  readonly interval: number;
  readonly intervalUncertainty: number;
}

export interface ChannelTime {
  /** Board time, us, and its half width. */
  readonly time: number;
  readonly uncertainty: number;
}

export interface ChannelClock {
  /** The sampling interval that the birth declares, us. */
  readonly nominal: number;
  /** The segment that it is in; -1: none yet. */
  readonly segment: number;
  /** A block's first sample. One of an older segment, or before another that was taken, changes nothing. */
  add(segment: number, index: number, time: number): void;
  /** null: fewer than two blocks. */
  readonly fit: ChannelFit | null;
  /** A sample of the current segment; null: there is no block. */
  at(index: number): ChannelTime | null;
}

/** `nominal`: see ChannelClock. */
export function createChannelClock(nominal: number): ChannelClock {
  let segment = -1;
  /** The first block: the others count from it. */
  let firstIndex = 0;
  let firstTime = 0;
  /** Of the newest blocks: nominal time and deviation from it, both since the first. */
  let xs: number[] = [];
  let ds: number[] = [];
  /** The line through them: deviation at `middle`, and slope. */
  let middle = 0;
  let height = 0;
  let slope = 0;
  /** Largest residual of this stretch and of the one before; null: that one is not over. */
  let worst = 0;
  let before: number | null = null;
  let stretchAt = 0;
  let stretchBlocks = 0;
  let stretchPhase = 0;

  const fitLine = () => {
    const n = xs.length;
    middle = height = 0;
    for (let i = 0; i < n; i++) {
      middle += xs[i] / n;
      height += ds[i] / n;
    }
    let sxx = 0;
    let sxd = 0;
    for (let i = 0; i < n; i++) {
      sxx += (xs[i] - middle) ** 2;
      sxd += (xs[i] - middle) * (ds[i] - height);
    }
    slope = sxx === 0 ? 0 : Math.max(-CHANNEL_SLOPE, Math.min(CHANNEL_SLOPE, sxd / sxx));
  };
  const span = () => xs[xs.length - 1] - xs[0];
  const learn = (x: number, d: number) => {
    if (xs.length < ENOUGH) return;
    worst = Math.max(worst, Math.abs(d - height - slope * (x - middle)));
    stretchBlocks++;
    if (stretchBlocks < STRETCH_BLOCKS || x - stretchAt < STRETCH || Math.abs(d - stretchPhase) < 3 * nominal) return;
    // a phase that stood still for a stretch must not hide what was seen before
    before = Math.max(worst, (before ?? 0) / 2);
    worst = stretchBlocks = 0;
    stretchAt = x;
    stretchPhase = d;
  };
  const scatter = () => Math.max(worst, before ?? nominal, LEAST);
  const byEdges = () => before !== null && scatter() <= NO_EDGE * nominal;
  /** Half width of a block's time: what was seen of edges; without them an interval at least, as polls may fall in step. */
  const jitter = () => (byEdges() ? scatter() : Math.max(scatter(), nominal));
  /** What no scatter shows. */
  const hidden = () => EDGE_LATENCY + (byEdges() ? 0 : FIFO_DEPTH * nominal * Math.abs(slope));
  /** How far the line at x is off at most, where each block is off by at most 1: the sum of the weights of a least-squares line. */
  const weight = (x: number) => {
    if (xs.length < 2) return 1;
    let sxx = 0;
    for (let i = 0; i < xs.length; i++) sxx += (xs[i] - middle) ** 2;
    let sum = 0;
    for (let i = 0; i < xs.length; i++) sum += Math.abs(1 / xs.length + ((x - middle) * (xs[i] - middle)) / sxx);
    return sum;
  };

  return {
    nominal,
    get segment() {
      return segment;
    },
    add(seg, index, time) {
      if (seg < segment) return;
      if (seg > segment) {
        segment = seg;
        firstIndex = index;
        firstTime = time;
        xs = [];
        ds = [];
        worst = stretchAt = stretchBlocks = stretchPhase = 0;
        before = null;
      }
      const x = (index - firstIndex) * nominal;
      const d = time - firstTime - x;
      if (xs.length > 0 && x <= xs[xs.length - 1]) return;
      learn(x, d);
      xs.push(x);
      ds.push(d);
      while (xs.length > BLOCKS || (xs.length > ENOUGH && x - xs[0] > AGE)) {
        xs.shift();
        ds.shift();
      }
      fitLine();
    },
    get fit() {
      if (xs.length < 2) return null;
      const length = span();
      const uncertainty = Math.min(
        2 * CHANNEL_SLOPE,
        (3 * (jitter() + hidden())) / length + (CHANNEL_WANDER * length) / 2,
      );
      return { interval: nominal * (1 + slope), intervalUncertainty: nominal * uncertainty };
    },
    at(index) {
      if (xs.length === 0) return null;
      const x = (index - firstIndex) * nominal;
      const away = Math.max(0, xs[0] - x, x - xs[xs.length - 1]);
      const length = span();
      const wander = CHANNEL_WANDER * (length ** 2 / 12 + (away * (length + away)) / 2);
      return {
        time: firstTime + x + height + slope * (x - middle),
        uncertainty: jitter() * weight(x) + hidden() + wander + (xs.length < 2 ? away * CHANNEL_SLOPE : 0),
      };
    },
  };
}
