/** The canvas of one panel: its sweeps one above the other, one time axis for all, the grid in millimetres behind the ECG. */
import type { Board, Span } from "./board.ts";
import { make } from "./dom.ts";
import { type Band, bandTile, colourOf, drawGrid } from "./paper.ts";
import { Pen } from "./playout.ts";
import { type Gain, MM_PER_SECOND, millivoltsPerStep, PX_PER_MM, PX_PER_SECOND, type Role } from "./scales.ts";
import { type Surface, Sweep } from "./sweep.ts";

/** Shares of the height. */
const WEIGHTS: Record<Role, number> = { ecg: 5, infrared: 3, red: 2 };
const NAMES: Record<Role, string> = { ecg: "ECG", infrared: "IR", red: "Red" };
const TITLES: Record<Role, string> = { ecg: "ECG", infrared: "pleth, infrared", red: "pleth, red" };
/** CSS px. */
const LINE: Record<Role, number> = { ecg: 1.6, infrared: 1.5, red: 1.2 };
/** Room left of the canvas for names and the calibration mark, CSS px. */
const GUTTER = 34;

export class Strip {
  readonly element: HTMLElement;
  private readonly board: Board;
  private readonly canvas = make("canvas", "sweeps");
  private readonly labels = make("div", "labels");
  private readonly calibration = make("div", "calibration");
  private readonly pens = new Map<Role, Pen>();
  private sweeps = new Map<Role, Sweep>();
  /** Sweeps that stand still, and why. */
  private readonly covered = new Map<Role, string>();
  private gain: Gain = 10;
  /** First samples that are not drawn yet, and who waits for it. */
  private awaited: { readonly span: Span; readonly drawn: () => void } | null = null;

  constructor(board: Board) {
    this.board = board;
    this.canvas.setAttribute("aria-hidden", "true");
    this.element = make("div", "strip", this.labels, this.canvas);
    new ResizeObserver(() => this.rebuild(this.gain)).observe(this.element);
  }

  /** Makes everything anew: another size, gain, theme, other channels. */
  rebuild(gain: Gain): void {
    this.gain = gain;
    const { canvas, board } = this;
    const ratio = window.devicePixelRatio;
    // Whole device pixels at a whole place: else the compositor filters the picture anew in every frame.
    const place = this.element.getBoundingClientRect();
    const left = Math.ceil((place.left + GUTTER) * ratio) / ratio;
    const above = Math.ceil(place.top * ratio) / ratio;
    const width = Math.floor((place.right - left) * ratio);
    const height = Math.floor((place.bottom - above) * ratio);
    const { roles } = board;
    this.sweeps = new Map();
    this.labels.replaceChildren(this.calibration);
    this.calibration.hidden = true;
    if (width <= 0 || height <= 0) return;
    canvas.width = width;
    canvas.height = height;
    canvas.style.left = `${left - place.left}px`;
    canvas.style.top = `${above - place.top}px`;
    canvas.style.width = `${width / ratio}px`;
    canvas.style.height = `${height / ratio}px`;
    const context = canvas.getContext("2d", { alpha: false })!;
    const picture = make("canvas", "");
    picture.width = width;
    picture.height = height;
    const paper = picture.getContext("2d", { alpha: false })!;
    paper.fillStyle = colourOf("--screen");
    paper.fillRect(0, 0, width, height);
    const surfaces = layOut(roles, height).map(({ role, top, height }): [Role, Omit<Surface, "behind">] => {
      const pxPerMillivolt = gain * PX_PER_MM * ratio;
      const millivolts = role === "ecg" ? millivoltsPerStep(board.definitionOf(role)!) : null;
      if (millivolts !== null) {
        drawGrid(paper, top, height, width, ratio);
        this.calibrate(top / ratio, height / ratio, gain);
        this.expose(ratio, top, height, pxPerMillivolt);
      }
      this.label(role, top / ratio);
      const bands = new Map<string, Band>();
      const band = (words: string): Band => {
        const known = bands.get(words) ?? bandTile(context, words, height, ratio);
        bands.set(words, known);
        return known;
      };
      const pxPerStep = millivolts === null ? null : millivolts * pxPerMillivolt;
      const line = { colour: colourOf(`--${role}`), lineWidth: LINE[role] * ratio };
      return [
        role,
        { context, width, top, height, ratio, ...line, pxPerStep, band, why: (hole) => board.holeWords(hole) },
      ];
    });
    const behind = context.createPattern(picture, "repeat")!;
    context.fillStyle = behind;
    context.fillRect(0, 0, width, height);
    const shift = this.shift();
    canvas.dataset.shift = String(shift);
    this.sweeps = new Map(surfaces.map(([role, surface]) => [role, new Sweep({ ...surface, behind }, shift)]));
    this.repaint();
  }

  /** A new boot: another clock, nothing of the old one is left. */
  restart(): void {
    for (const pen of this.pens.values()) pen.reset();
    this.covered.clear();
    this.awaited = null;
    this.rebuild(this.gain);
  }

  /** All pens of the page go side by side: a person sees one movement, and a frame changes one narrow strip. us. */
  private shift(): number {
    const at = Math.max(0, ...[...this.pens.values()].map((pen) => pen.at ?? 0));
    return Math.round(performance.now() * 1000 - at);
  }

  /** What the grid means; empty: there is none. */
  get scale(): string {
    return this.calibration.hidden ? "" : `ECG ${MM_PER_SECOND} mm/s  ${this.gain} mm/mV`;
  }

  /** Draws all that the board's windows hold, up to the pens. */
  repaint(): void {
    for (const [role, sweep] of this.sweeps) {
      const words = this.covered.get(role);
      if (words !== undefined) sweep.cover(words);
      else sweep.repaint(this.board.waves.get(role), this.pens.get(role)?.at ?? null);
    }
  }

  /** Says in each sweep why nothing comes; null: something does. What stands there since before could be taken for now. */
  cover(why: (role: Role) => string | null): void {
    for (const [role, sweep] of this.sweeps) {
      const words = why(role);
      if (words === (this.covered.get(role) ?? null)) continue;
      if (words !== null) {
        this.covered.set(role, words);
        sweep.cover(words);
      } else this.uncover(role);
    }
  }

  private uncover(role: Role): void {
    if (!this.covered.delete(role)) return;
    this.sweeps.get(role)?.repaint(this.board.waves.get(role), this.pens.get(role)?.at ?? null);
  }

  /** Counts all that is there as drawn: what was stored before the page came. */
  catchUp(spans: readonly Span[]): void {
    for (const { role, last } of spans) this.penOf(role).jump(last);
  }

  /** New samples: the first ones are drawn before this returns, or else when the pen comes to them; then `drawn` is called. */
  extend(spans: readonly Span[], now: number, still: boolean, drawn: () => void): void {
    if (spans.length === 0) return;
    this.awaited?.drawn();
    const due = this.board.schedule.due(now);
    this.awaited = { span: spans.reduce((a, b) => (b.first < a.first ? b : a)), drawn };
    for (const { role, first, last } of spans) {
      this.uncover(role);
      const pen = this.penOf(role);
      const from = pen.at ?? first - 1;
      pen.extend(first, last, now, due);
      if (still) pen.jump(last);
      this.paint(role, from, pen.at!);
    }
  }

  /** Whether a pen has anything left to draw. */
  get moving(): boolean {
    return [...this.pens.values()].some((pen) => pen.moving);
  }

  /** One frame; false: no pen has anything left to draw. */
  frame(now: number): boolean {
    let moving = false;
    for (const [role, pen] of this.pens) {
      if (!pen.moving) continue;
      const from = pen.at!;
      this.paint(role, from, pen.move(now));
      moving = moving || pen.moving;
    }
    return moving;
  }

  private paint(role: Role, from: number, to: number): void {
    const wave = this.board.waves.get(role);
    if (wave !== undefined && to > from) this.sweeps.get(role)?.paint(wave, from, to);
    if (this.awaited !== null && this.awaited.span.role === role && to >= this.awaited.span.first) {
      const { drawn } = this.awaited;
      this.awaited = null;
      drawn();
    }
  }

  private penOf(role: Role): Pen {
    const known = this.pens.get(role);
    if (known !== undefined) return known;
    const pen = new Pen();
    this.pens.set(role, pen);
    return pen;
  }

  /** Board time to which a sweep is drawn, us; for tests and benches. */
  penAt(role: Role): number | null {
    return this.pens.get(role)?.at ?? null;
  }

  /** Beside the canvas, never over it: nothing may hide a trace, and what lies over a canvas is blended in every frame. */
  private label(role: Role, top: number): void {
    const label = make("p", `label ${role}`, NAMES[role]);
    label.title = TITLES[role];
    label.style.top = `${top}px`;
    this.labels.append(label);
  }

  private calibrate(top: number, height: number, gain: Gain): void {
    const { calibration } = this;
    const size = gain * PX_PER_MM;
    calibration.hidden = false;
    calibration.style.height = `${size}px`;
    calibration.style.top = `${top + (height - size) / 2}px`;
    calibration.title = "1 mV";
  }

  /** What a reader of the pixels needs: lengths in device px. */
  private expose(ratio: number, top: number, height: number, pxPerMillivolt: number): void {
    Object.assign(this.canvas.dataset, { top, height, pxPerMillivolt, pxPerSecond: PX_PER_SECOND * ratio });
  }
}

/** The height among the sweeps, device px. */
function layOut(roles: readonly Role[], height: number): { role: Role; top: number; height: number }[] {
  const sum = roles.reduce((total, role) => total + WEIGHTS[role], 0);
  let top = 0;
  return roles.map((role) => {
    const own = Math.floor((height * WEIGHTS[role]) / sum);
    top += own;
    return { role, top: top - own, height: own };
  });
}
