/** Text for a terminal: nothing from a line reaches it raw, nothing wraps. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut, decodeText, flow, jsonLine, render, visible, visibleLog, widthOf, wrap } from "../../cli/monitor/text.ts";

/** Everything by which a terminal could be steered. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const STEERING = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const bytes = fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some).toString("latin1"));

describe("log text from a board", () => {
  test("never steers the terminal, whatever the bytes", () => {
    fc.assert(
      fc.property(bytes, (line) => {
        expect(visibleLog(decodeText(line))).not.toMatch(STEERING);
      }),
      { numRuns: 500 },
    );
  });

  test("shows an escape sequence, a bell, a change of direction and a byte that is no UTF-8 for what they are", () => {
    expect(visible("\x1b[2Jclear\x07")).toBe("\\x1b[2Jclear\\x07");
    expect(visible("a\u202eb\tc")).toBe("a\\u{202e}b    c");
    expect(visibleLog(decodeText("caf\xe9"))).toBe("caf\\xe9");
    expect(visibleLog(decodeText(Buffer.from("36,5 °C\r").toString("latin1")))).toBe("36,5 °C");
  });

  test("a C1 control and a change of direction are escaped in JSON, which itself would let them through", () => {
    expect(jsonLine({ text: "\x9b31m\u202e" })).toBe('{"text":"\\u009b31m\\u202e"}\n');
  });

  test("survives JSON: what a program reads is what came, and the line itself steers nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const line = jsonLine({ text });
        expect(line.slice(0, -1)).not.toMatch(STEERING);
        expect(JSON.parse(line)).toEqual({ text });
      }),
    );
  });
});

describe("a line for a terminal", () => {
  const part = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom("体温 36,5", "é", "🫀 ok"));
  const line = fc.array(fc.oneof(part, fc.tuple(fc.constantFrom("dim" as const, "bad" as const), part)), {
    maxLength: 6,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what colours are made of
  const bare = (text: string) => text.replace(/\x1b\[\d+m/g, "");

  test("is never wider than the terminal, says by … that it is cut, and is whole where it fits", () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 60 }), fc.boolean(), (parts, width, color) => {
        const whole = parts.map((one) => (typeof one === "string" ? one : one[1])).join("");
        const shown = bare(render(parts, width, color));
        expect(widthOf(shown)).toBeLessThanOrEqual(width);
        if (widthOf(whole) <= width) expect(shown).toBe(whole);
        else expect(shown.endsWith("…")).toBe(true);
        expect(bare(render(parts, null, color))).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  test("has no escape code without colour", () => {
    expect(render([["bad", "REJECTED"], " crc"], null, false)).toBe("REJECTED crc");
    expect(render([["bad", "REJECTED"], " crc"], null, true)).toBe("\x1b[31mREJECTED\x1b[0m crc");
  });

  test("wide characters count two columns", () => {
    expect(widthOf("体温")).toBe(4);
    expect(cut("体温計測", 5)).toBe("体温…");
  });
});

test("sentences wrap at words, cells at cells; what has no place is left out with …", () => {
  expect(wrap("one two three four", 9, 3)).toEqual(["one two", "three", "four"]);
  expect(wrap("one two three four", 9, 2)).toEqual(["one two", "three …"]);
  expect(flow(["ecg 256", "red 100", "T 36.4"], 16, 2)).toEqual(["ecg 256  red 100", "T 36.4"]);
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 12 })),
      fc.integer({ min: 2, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      (cells, width, most) => {
        const lines = flow(cells, width, most);
        expect(lines.length).toBeLessThanOrEqual(most);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});
