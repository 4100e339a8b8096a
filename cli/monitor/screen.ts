/** Where a monitor writes: a terminal with a block that stays below the lines, or plain lines. */
import { type Line, render } from "./text.ts";

/** What of a stream is used; process.stdout is one. */
export interface Out {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Screen {
  /** Columns that a line may take; null: any number. */
  readonly width: number | null;
  /** Lines that the block may take; 0: none. */
  readonly block: number;
  print(line: Line): void;
  /** Writes what was printed since, and the block anew. */
  draw(block: readonly Line[]): void;
  /** The size of the terminal has changed. */
  resize(): void;
  /** Takes the block away and gives the cursor back; what is printed afterwards stands there at once. */
  end(): void;
}

/** Lines that are kept to fill a terminal that was resized. */
const KEPT = 500;
const CURSOR = { hide: "\x1b[?25l", show: "\x1b[?25h" };
/** Synchronized output, where a terminal has it: no half-drawn block. */
const HOLD = { on: "\x1b[?2026h", off: "\x1b[?2026l" };

/** Whether to colour: on a terminal, unless NO_COLOR (no-color.org) is set. */
export function wantsColor(out: Out, environment: NodeJS.ProcessEnv): boolean {
  return out.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
}

/** `live`: there is something to redraw; else, and on what is no terminal, plain lines. */
export function createScreen(out: Out, options: { readonly live: boolean; readonly color: boolean }): Screen {
  return options.live && out.isTTY === true ? createTerminal(out, options.color) : createPlain(out, options.color);
}

const columns = (out: Out) => Math.max(20, (out.columns || 80) - 1);

function createPlain(out: Out, color: boolean): Screen {
  const width = () => (out.isTTY === true ? columns(out) : null);
  return {
    get width() {
      return width();
    },
    block: 0,
    print: (line) => out.write(`${render(line, width(), color)}\n`),
    draw() {},
    resize() {},
    end() {},
  };
}

function createTerminal(out: Out, color: boolean): Screen {
  let kept: Line[] = [];
  let pending: Line[] = [];
  let block: string[] = [];
  let ended = false;
  // One column stays free, so that no terminal wraps.
  const lines = (some: readonly Line[]) => some.map((line) => render(line, columns(out), color));
  const rows = () => out.rows || 24;
  const erase = () => (block.length === 0 ? "" : `\x1b[${block.length}A\r\x1b[J`);
  const put = (texts: readonly string[]) => texts.map((text) => `${text}\n`).join("");
  out.write(CURSOR.hide);
  return {
    get width() {
      return columns(out);
    },
    get block() {
      return Math.max(3, Math.min(14, Math.floor(rows() / 2)));
    },
    print(line) {
      if (ended) {
        out.write(put(lines([line])));
        return;
      }
      pending.push(line);
      // More than that nobody sees between two drawings.
      if (pending.length > KEPT) pending.shift();
    },
    draw(next) {
      if (ended) return;
      const texts = lines(next);
      if (pending.length === 0 && texts.join("\n") === block.join("\n")) return;
      out.write(HOLD.on + erase() + put(lines(pending)) + put(texts) + HOLD.off);
      kept = [...kept, ...pending].slice(-KEPT);
      pending = [];
      block = texts;
    },
    resize() {
      if (ended) return;
      // How a terminal has wrapped what stood there is its own affair: all is written anew.
      const room = Math.max(0, rows() - block.length - 1);
      out.write(`${HOLD.on}\x1b[H\x1b[J${put(lines(room === 0 ? [] : kept.slice(-room)))}${HOLD.off}`);
      block = [];
    },
    end() {
      if (ended) return;
      ended = true;
      out.write(erase() + put(lines(pending)) + CURSOR.show);
      pending = [];
    },
  };
}
