/**
 * One sweep on a panel's canvas: runs from left to right and begins again, a blank bar ahead of the pen. Only what is new is
 * touched: columns ahead are wiped with the picture behind, samples are stroked, bands without a line are filled.
 */
import type { HoleWords } from "./losses.ts";
import { type Band, TEST_SIGNAL } from "./paper.ts";
import { PX_PER_SECOND } from "./scales.ts";
import { endOf, type Hole, joins, type Stretch, type Wave } from "./wave.ts";
import { bandWords, FLAGS } from "./words.ts";

/** What a sweep draws on and with; lengths in device pixels. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** The picture behind, as large as the canvas: grid or plain. A pattern costs half of what drawImage of a canvas does. */
  readonly behind: CanvasPattern;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  /** Device pixels in a CSS pixel. */
  readonly ratio: number;
  readonly colour: string;
  readonly lineWidth: number;
  /** Raw steps to device pixels, up positive; null: automatic, with the pulse of light upside down. */
  readonly pxPerStep: number | null;
  /** A tile with words for what has no line, or is drawn but of no patient. */
  readonly band: (words: string) => Band;
  /** Why there is nothing; null: nothing is said of it. */
  readonly why: (hole: Hole) => HoleWords | null;
}

/** Blank bar ahead of the pen, CSS px. */
export const BAR = 22;
/** Where the ECG's baseline lies, from the top: an R wave needs more room than an S wave. */
const BASELINE = 5 / 8;
/** What of the height an automatic gain fills. */
const FILL = 0.8;

export class Sweep {
  private readonly surface: Surface;
  /** Device px a board us. */
  readonly speed: number;
  private wipedTo = Number.NEGATIVE_INFINITY;

  private readonly shift: number;

  /** `shift`: what is added to the board's clock so that its pen stands where those of other boards do, us. */
  constructor(surface: Surface, shift: number) {
    this.surface = surface;
    this.shift = shift;
    this.speed = (PX_PER_SECOND * surface.ratio) / 1e6;
  }

  /** Board us across the width. */
  get lap(): number {
    return this.surface.width / this.speed;
  }

  /** Draws what lies in from < time <= to; `from` is where it stood. */
  paint(wave: Wave, from: number, to: number): void {
    const start = Math.max(from, to - this.lap + (BAR * this.surface.ratio) / this.speed);
    this.wipe(start, to);
    const { stretches } = wave;
    let first = stretches.length;
    while (first > 0 && endOf(stretches[first - 1]) > start) first--;
    for (let i = first; i < stretches.length; i++) {
      const stretch = stretches[i];
      const hole = wave.holeBefore(i);
      if (hole !== null) this.fillHole(hole, start, to);
      if (stretch.time > to) break;
      const before = joins(stretches[i - 1], stretch) ? stretches[i - 1] : undefined;
      const words = bandWords(stretch.flags, wave.definition.attributes.site);
      if (words !== null) this.fill(stretch, start, to, this.surface.band(words), before);
      else {
        this.stroke(stretch, start, to, before);
        if (stretch.flags & FLAGS.testSignal || wave.definition.attributes.processing === 3)
          this.fill(stretch, start, to, this.surface.band(TEST_SIGNAL), undefined);
      }
    }
  }

  /** Draws the whole sweep anew, up to `to`; null: nothing. */
  repaint(wave: Wave | undefined, to: number | null): void {
    this.restore(0, this.surface.width);
    this.wipedTo = Number.NEGATIVE_INFINITY;
    if (wave === undefined || to === null) return;
    this.paint(wave, Number.NEGATIVE_INFINITY, to);
    // The oldest piece is stroked from a sample before it: what reaches into the bar would stand there for ever.
    this.columns(to, this.wipedTo, (x, width) => this.restore(x, width));
  }

  /** Nothing that stands in it is of now: all of it becomes a band, until it is drawn anew. */
  cover(words: string): void {
    const { context, width, top, height, band } = this.surface;
    this.restore(0, width);
    context.fillStyle = band(words).pattern;
    context.setTransform(1, 0, 0, 1, 0, top);
    context.fillRect(0, 0, width, height);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  private wipe(from: number, to: number): void {
    const { ratio } = this.surface;
    const ahead = to + (BAR * ratio) / this.speed;
    const since = Math.max(from, this.wipedTo, ahead - this.lap);
    if (ahead > since) this.columns(since, ahead, (x, width) => this.restore(x, width));
    this.wipedTo = Math.max(this.wipedTo, ahead);
  }

  private restore(x: number, width: number): void {
    const { context, behind, top, height } = this.surface;
    context.fillStyle = behind;
    context.fillRect(x, top, width, height);
  }

  /**
   * Calls `each` with the whole columns between two times, and where the first would be on a canvas without an edge; the next
   * span begins where this one ends.
   */
  private columns(from: number, to: number, each: (x: number, width: number, left: number) => void): void {
    const { width } = this.surface;
    let left = Math.round((from + this.shift) * this.speed);
    const right = Math.round((to + this.shift) * this.speed);
    while (left < right) {
      const x = ((left % width) + width) % width;
      const count = Math.min(right - left, width - x);
      each(x, count, left);
      left += count;
    }
  }

  private fill(stretch: Stretch, from: number, to: number, band: Band, before: Stretch | undefined): void {
    const begin = before === undefined ? stretch.time : endOf(before);
    this.fillSpan(Math.max(from, begin), Math.min(to, endOf(stretch)), band, null);
  }

  private fillHole(hole: Hole, from: number, to: number): void {
    const begin = Math.max(from, hole.from);
    const end = Math.min(to, hole.to);
    const why = begin < end ? this.surface.why(hole) : null;
    if (why === null) return;
    const whole = this.surface.band(why.words);
    const band = whole.width <= (hole.to - hole.from) * this.speed ? whole : this.surface.band(why.short);
    this.fillSpan(begin, end, band, (hole.from + hole.to) / 2);
  }

  /** `middle`: time at which the middle of a tile stands, us; null: tiles lie side by side from the canvas's left edge. */
  private fillSpan(from: number, to: number, band: Band, middle: number | null): void {
    const { context, top, height } = this.surface;
    context.fillStyle = band.pattern;
    const first = middle === null ? null : Math.round((middle + this.shift) * this.speed - band.width / 2);
    this.columns(from, to, (x, count, left) => {
      const origin = first === null ? 0 : x - left + first;
      context.setTransform(1, 0, 0, 1, origin, top);
      context.fillRect(x - origin, 0, count, height);
    });
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  private stroke(stretch: Stretch, from: number, to: number, before: Stretch | undefined): void {
    const { context, width, colour, lineWidth } = this.surface;
    const { time, interval, samples } = stretch;
    let k = Math.max(0, Math.floor((from - time) / interval) + 1);
    const last = Math.min(samples.length - 1, Math.floor((to - time) / interval + 1e-6));
    if (k > last) return;
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.lineJoin = "round";
    context.lineCap = "round";
    context.beginPath();
    // Every piece begins at the last sample that is drawn already, be it of the stretch before.
    const leads = k === 0 && before !== undefined && bandWords(before.flags) === null && endOf(before) < time;
    if (k > 0) k--;
    const zero = time + this.shift;
    const first = (leads ? endOf(before) + this.shift : zero + k * interval) * this.speed;
    let lap = Math.floor(first / width);
    const x = first - lap * width;
    let y = leads ? this.y(before, before.samples.length - 1) : this.y(stretch, k);
    context.moveTo(x, y);
    if (!leads && k === last) context.lineTo(x + 0.01, y);
    for (let i = leads ? k : k + 1; i <= last; i++) {
      const position = (zero + i * interval) * this.speed;
      const nextY = this.y(stretch, i);
      context.lineTo(position - lap * width, nextY);
      if (position - lap * width >= width) {
        // Over the right edge, and in again at the left one: the canvas cuts both ends.
        lap = Math.floor(position / width);
        context.moveTo(position - interval * this.speed - lap * width, y);
        context.lineTo(position - lap * width, nextY);
      }
      y = nextY;
    }
    context.stroke();
  }

  /** Device px from the canvas's top; what does not fit lies on the edge. */
  private y({ samples, from, to }: Stretch, k: number): number {
    const { top, height, pxPerStep, lineWidth } = this.surface;
    const share = samples.length < 2 ? 1 : k / (samples.length - 1);
    const centre = from.centre + (to.centre - from.centre) * share;
    const span = from.span + (to.span - from.span) * share;
    // More light through the finger is less blood: the pulse points up.
    const up = pxPerStep === null ? -((samples[k] - centre) / span) * height * FILL : (samples[k] - centre) * pxPerStep;
    const zero = height * (pxPerStep === null ? 1 / 2 : BASELINE);
    return top + Math.min(height - lineWidth, Math.max(lineWidth, zero - up));
  }
}
