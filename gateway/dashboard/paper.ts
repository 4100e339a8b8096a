/** What lies under the traces: colours of the theme, the grid in millimetres, tiles for what has no line. */
import { make } from "./dom.ts";
import { isOpen } from "./losses.ts";
import { PX_PER_MM } from "./scales.ts";

/** A band's tile, CSS px. */
const TILE = 132;
const HATCH = 11;

/** A custom property as a colour that a canvas understands, whatever the theme. */
export function colourOf(name: string): string {
  const { documentElement } = document;
  documentElement.style.outlineColor = `var(${name})`;
  const colour = getComputedStyle(documentElement).outlineColor;
  documentElement.style.outlineColor = "";
  return colour;
}

/** Small squares of 1 mm, large ones of 5 mm, from the middle of the sweep. */
export function drawGrid(
  paper: CanvasRenderingContext2D,
  top: number,
  height: number,
  width: number,
  ratio: number,
): void {
  const mm = PX_PER_MM * ratio;
  const middle = Math.round(top + height / 2);
  for (const large of [false, true]) {
    paper.fillStyle = colourOf(large ? "--grid-large" : "--grid-small");
    const step = large ? 5 : 1;
    for (let i = 0; i * mm < width; i += step) paper.fillRect(Math.round(i * mm), top, 1, height);
    for (let i = 0; i * mm < height / 2; i += step) {
      paper.fillRect(0, middle + Math.round(i * mm), width, 1);
      paper.fillRect(0, middle - Math.round(i * mm), width, 1);
    }
  }
}

/** Words of a band under which the trace goes on: it is real, but of no patient. */
export const TEST_SIGNAL = "TEST SIGNAL";

/** A tile that is repeated, and how wide it is, device px. */
export interface Band {
  readonly pattern: CanvasPattern;
  readonly width: number;
}

/**
 * A tile with words, as high as the sweep: repeated, it needs no thought where a band ends. Hatched where no line is drawn; a
 * dashed line where one may still come.
 */
export function bandTile(context: CanvasRenderingContext2D, words: string, height: number, ratio: number): Band {
  const tile = make("canvas", "");
  const font = `600 ${Math.round(13 * ratio)}px Helvetica, Arial, sans-serif`;
  context.font = font;
  const wide = context.measureText(words).width + 12 * ratio;
  tile.width = Math.round(Math.max(TILE * ratio, wide + 2 * HATCH * ratio));
  tile.height = height;
  const ink = tile.getContext("2d")!;
  const drawn = words === TEST_SIGNAL;
  ink.font = font;
  ink.textAlign = "center";
  ink.textBaseline = drawn ? "bottom" : "middle";
  if (!drawn) {
    if (isOpen(words)) dash(ink, tile.width, height, ratio);
    else hatch(ink, tile.width, height, ratio);
    ink.fillStyle = colourOf("--screen");
    ink.fillRect((tile.width - wide) / 2, height / 2 - 10 * ratio, wide, 20 * ratio);
  }
  ink.fillStyle = colourOf(isOpen(words) ? "--quiet" : "--caution");
  ink.fillText(words, tile.width / 2, drawn ? height - 2 * ratio : height / 2);
  return { pattern: context.createPattern(tile, "repeat")!, width: tile.width };
}

function hatch(ink: CanvasRenderingContext2D, width: number, height: number, ratio: number): void {
  ink.strokeStyle = colourOf("--band");
  ink.lineWidth = ratio;
  const step = width / Math.round(width / (HATCH * ratio));
  ink.beginPath();
  for (let x = -Math.ceil(height / step) * step; x < width; x += step) {
    ink.moveTo(x, height);
    ink.lineTo(x + height, 0);
  }
  ink.stroke();
}

function dash(ink: CanvasRenderingContext2D, width: number, height: number, ratio: number): void {
  ink.fillStyle = colourOf("--quiet");
  const step = width / Math.round(width / (HATCH * ratio));
  for (let x = 0; x < width - step / 2; x += step) ink.fillRect(x, height / 2, step / 2, ratio);
}
