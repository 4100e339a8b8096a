/** Lines that scroll above a block that stays: as a terminal shows them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScreen, wantsColor } from "../../cli/monitor/screen.ts";

/** As much of a terminal as a monitor needs; it throws on a sequence that it does not know, and on a line that would wrap. */
class Terminal {
  readonly isTTY = true;
  columns: number;
  rows: number;
  cursor = true;
  lines: string[] = [""];
  row = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** The line at the top of the screen. */
  private get top() {
    return Math.max(0, this.lines.length - this.rows);
  }

  get shown() {
    return this.lines.slice(this.top).filter((line) => line !== "");
  }

  write(text: string) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it reads
    for (const part of text.match(/\x1b\[[?\d]*[A-Za-z]|\n|\r|[^\x1b\n\r]+/g) ?? []) this.take(part);
  }

  private take(part: string) {
    if (part === "\n") {
      this.row++;
      while (this.lines.length <= this.row) this.lines.push("");
    } else if (part === "\x1b[?25l" || part === "\x1b[?25h") this.cursor = part.endsWith("h");
    else if (part === "\x1b[H") this.row = this.top;
    else if (part === "\x1b[J") this.lines.splice(this.row, this.lines.length, "");
    else if (part.endsWith("A") && part.startsWith("\x1b")) {
      this.row -= Number(part.slice(2, -1));
      if (this.row < this.top) throw new Error("moved up beyond the top of the screen");
    } else if (part.startsWith("\x1b[?2026") || part === "\r") return;
    else if (part.startsWith("\x1b")) throw new Error(`unknown sequence ${JSON.stringify(part)}`);
    else {
      if (part.length >= this.columns) throw new Error(`a line of ${part.length} in ${this.columns} columns`);
      this.lines[this.row] = part;
    }
  }
}

const open = (terminal: Terminal) => createScreen(terminal, { live: true, color: false });

describe("a block below scrolling lines", () => {
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.record({ print: fc.string({ minLength: 1, maxLength: 60, unit: "grapheme-ascii" }) }) },
    { weight: 3, arbitrary: fc.record({ draw: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ columns: fc.integer({ min: 30, max: 90 }), rows: fc.integer({ min: 12, max: 30 }) }),
    },
  );

  test("stands below the newest lines, once, whatever is printed, drawn and resized; nothing wraps", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const terminal = new Terminal(80, 24);
        const screen = open(terminal);
        let drawn = 0;
        for (const [i, one] of actions.entries()) {
          if ("print" in one) screen.print([`line ${i} ${one.print}`]);
          else {
            if ("columns" in one) {
              Object.assign(terminal, one);
              screen.resize();
            } else drawn = one.draw;
            screen.draw(Array.from({ length: drawn }, (_, n) => [`block ${n}`]));
            expect(terminal.shown.slice(terminal.shown.length - drawn)).toEqual(
              Array.from({ length: drawn }, (_, n) => `block ${n}`),
            );
            expect(terminal.shown.filter((line) => line.startsWith("block"))).toHaveLength(drawn);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("goes away at the end, with every line above it written and the cursor given back", () => {
    const terminal = new Terminal(80, 24);
    const screen = open(terminal);
    expect(terminal.cursor).toBe(false);
    screen.print(["one"]);
    screen.draw([["block"]]);
    screen.print(["two"]);
    screen.end();
    screen.end();
    screen.print(["summary"]);
    expect(terminal.shown).toEqual(["one", "two", "summary"]);
    expect(terminal.cursor).toBe(true);
  });

  test("is not written again where nothing changed", () => {
    const terminal = new Terminal(80, 24);
    const screen = open(terminal);
    screen.draw([["block"]]);
    let written = 0;
    terminal.write = () => written++;
    screen.draw([["block"]]);
    expect(written).toBe(0);
  });

  test("leaves at least half of a terminal to the lines", () => {
    expect(open(new Terminal(80, 24)).block).toBe(12);
    expect(open(new Terminal(200, 50)).block).toBe(14);
  });
});

test("colours are for a terminal, and not with NO_COLOR or a dumb one", () => {
  const terminal = new Terminal(80, 24);
  expect(wantsColor(terminal, {})).toBe(true);
  expect(wantsColor(terminal, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColor(terminal, { TERM: "dumb" })).toBe(false);
  expect(wantsColor({ write() {} }, {})).toBe(false);
});
