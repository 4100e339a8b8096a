import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnnotationInput,
  annotationRate,
  codeOf,
  isBeat,
  readAnnotations,
  symbolOf,
  writeAnnotations,
} from "../../formats/index.ts";
import { dataFolder, lacks } from "../support/needs.ts";

fc.configureGlobal({ seed: 20240229 }); // the same cases every time

const plain = { subtype: 0, channel: 0, number: 0, aux: "" };
const words = (...values: number[]) => Uint8Array.from(values.flatMap((value) => [value & 0xff, value >> 8]));
const word = (code: number, interval: number) => (code << 10) | interval;

describe.skipIf(lacks("recordings"))("recorded annotations", () => {
  const read = (name: string) => readAnnotations(readFileSync(`${dataFolder}/mitdb/${name}.atr`));

  test("record 101 has 1,874 annotations: a rhythm label at sample 7, then the first beat at 83", () => {
    const annotations = read("101");
    expect(annotations).toHaveLength(1874);
    expect(annotations.slice(0, 2)).toEqual([
      { ...plain, sample: 7, symbol: "+", aux: "(N\0" },
      { ...plain, sample: 83, symbol: "N" },
    ]);
    expect(annotations.at(-1)).toEqual({ ...plain, sample: 649751, symbol: "N" });
  });

  test("record 207 has six stretches of ventricular flutter, 472 flutter waves and 1,860 beats", () => {
    const count = (symbol: string) => read("207").filter((annotation) => annotation.symbol === symbol).length;
    expect([count("["), count("]"), count("!")]).toEqual([6, 6, 472]);
    expect(read("207").filter(({ symbol }) => isBeat(symbol))).toHaveLength(1860);
  });

  test("every annotation file here is written again with the very same bytes", () => {
    const files = readdirSync(`${dataFolder}/mitdb`).filter((file) => file.endsWith(".atr"));
    expect(files).toHaveLength(24);
    for (const file of files) {
      const bytes = readFileSync(`${dataFolder}/mitdb/${file}`);
      const annotations = readAnnotations(bytes);
      const again = writeAnnotations(annotations);
      expect(readAnnotations(again)).toEqual(annotations);
      expect([file, Buffer.compare(again, bytes)]).toEqual([file, 0]);
    }
  });
});

describe("mnemonics", () => {
  test("codes and mnemonics are those of ecgcodes.h", () => {
    const pairs: [number, string][] = [
      [0, " "], [1, "N"], [4, "a"], [12, "/"], [13, "Q"], [14, "~"], [15, "[15]"], [16, "|"], [17, "[17]"], [18, "s"], [22, '"'],
      [25, "B"], [28, "+"], [30, "?"], [31, "!"], [32, "["], [33, "]"], [34, "e"], [38, "f"], [40, ")"], [41, "r"], [42, "[42]"],
      [49, "[49]"],
    ]; // biome-ignore format: a table
    for (const [code, symbol] of pairs) expect([symbolOf(code), codeOf(symbol)]).toEqual([symbol, code]);
    for (let code = 0; code < 50; code++) expect(codeOf(symbolOf(code))).toBe(code);
    expect(() => symbolOf(50)).toThrow("annotation code 50");
    expect(() => codeOf("[50]")).toThrow('"[50]" is not a WFDB annotation symbol');
  });

  test("19 mnemonics label beats; flutter waves, rhythm changes and notes do not", () => {
    const beats = Array.from({ length: 50 }, (_, code) => symbolOf(code)).filter(isBeat);
    expect(beats.sort().join("")).toBe([..."NLRBAaJSVrFejnE/fQ?"].sort().join(""));
    expect(isBeat("!")).toBe(false);
  });
});

describe("MIT format (annot(5))", () => {
  test("fields stand after their annotation: SUB for it alone, CHN and NUM until changed, AUX padded to even", () => {
    const bytes = Uint8Array.from([
      ...words(word(1, 100), word(61, 0x3ff), word(62, 2), word(60, 5), word(63, 3)),
      ...[0x28, 0x56, 0x54, 0],
      ...words(word(5, 1023), 0),
    ]);
    const expected = [
      { sample: 100, symbol: "N", subtype: -1, channel: 2, number: 5, aux: "(VT" },
      { sample: 1123, symbol: "V", subtype: 0, channel: 2, number: 5, aux: "" },
    ];
    expect(readAnnotations(bytes)).toEqual(expected);
  });

  test("an interval above 1023 takes a SKIP with its high half first", () => {
    const annotation = { ...plain, sample: 0x12345678, symbol: "N" };
    const bytes = words(word(59, 0), 0x1234, 0x5678, word(1, 0), 0);
    expect(writeAnnotations([annotation])).toEqual(bytes);
    expect(readAnnotations(bytes)).toEqual([annotation]);
    expect(writeAnnotations([{ sample: 1023, symbol: "N" }])).toEqual(words(word(1, 1023), 0));
    expect(writeAnnotations([{ sample: 1024, symbol: "N" }])).toEqual(words(word(59, 0), 0, 1024, word(1, 0), 0));
  });

  test("an annotation of code 0 is not taken for the end mark", () => {
    const annotations = [0, 0, 5].map((sample) => ({ ...plain, sample, symbol: " " }));
    expect(readAnnotations(writeAnnotations(annotations))).toEqual(annotations);
  });

  const annotation: fc.Arbitrary<AnnotationInput> = fc.record({
    sample: fc.oneof(
      fc.integer({ min: 0, max: 3000 }),
      fc.constantFrom(0x7fffffff, 0x80000000, 2 ** 36, -1, -(2 ** 33)),
      fc.integer({ min: -1e6, max: 2 ** 33 }),
    ),
    symbol: fc.integer({ min: 0, max: 49 }).map(symbolOf),
    subtype: fc.integer({ min: -128, max: 127 }),
    channel: fc.integer({ min: 0, max: 255 }),
    number: fc.integer({ min: -128, max: 127 }),
    aux: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 255 }).map((codes) => String.fromCharCode(...codes)),
  });

  test("what is written is what is read, in any order of time", () => {
    fc.assert(
      fc.property(fc.array(annotation, { maxLength: 30 }), (annotations) => {
        expect(readAnnotations(writeAnnotations(annotations))).toEqual(annotations);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [{ sample: 0.5, symbol: "N" }, "annotation 0: sample 0.5"],
    [{ sample: 2 ** 41, symbol: "N" }, "annotation 0: sample 2199023255552"],
    [{ sample: 1, symbol: "X" }, '"X" is not a WFDB annotation symbol'],
    [{ sample: 1, symbol: "N", subtype: 128 }, "annotation 0: subtype 128"],
    [{ sample: 1, symbol: "N", channel: -1 }, "annotation 0: channel -1"],
    [{ sample: 1, symbol: "N", number: 200 }, "annotation 0: number 200"],
    [{ sample: 1, symbol: "N", aux: "x".repeat(256) }, "annotation 0: length of aux 256"],
    [{ sample: 1, symbol: "N", aux: "\u20ac" }, "annotation 0: character of aux 8364"],
  ])("%j cannot be written, and the error says why", (bad, message) => {
    expect(() => writeAnnotations([bad])).toThrow(message);
  });

  test("a file may state its own time resolution in a note at sample 0", () => {
    const note = (sample: number, aux: string) => ({ ...plain, sample, symbol: '"', aux });
    expect(annotationRate([note(0, "hello"), note(0, "## time resolution: 128.5\0")])).toBe(128.5);
    expect(annotationRate([note(1, "## time resolution: 128")])).toBeNull();
    expect(annotationRate([note(0, "## time resolution: 1-1e")])).toBeNull();
    expect(annotationRate([])).toBeNull();
  });
});

describe("damaged annotation files", () => {
  test.each([
    [new Uint8Array(0), "a.atr: ends at byte 0 inside an annotation, without an end mark"],
    [words(word(1, 5)), "a.atr: ends at byte 2 inside an annotation, without an end mark"],
    [Uint8Array.of(5), "a.atr: ends at byte 1"],
    [words(word(59, 0), 1), "inside a SKIP (from byte 2)"],
    [words(word(1, 5), word(63, 200), 0), "inside an aux text of 200 bytes (from byte 4)"],
    [words(word(1, 5), word(63, 256), 0), "byte 2 announces 256 bytes of aux text"],
    [words(word(53, 5), 0), "byte 0 has the undefined annotation code 53"],
    [words(word(61, 5), 0), "byte 0 has a field (code 61) before the first annotation"],
  ])("%j is refused with the place", (bytes, message) => {
    expect(() => readAnnotations(bytes, "a.atr")).toThrow(message);
  });

  test("any bytes are read or refused with a sentence, and never give more annotations than they have room for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(readAnnotations(bytes).length).toBeLessThanOrEqual(bytes.length / 2);
        } catch (error) {
          expect((error as Error).message).toMatch(/^annotation file: (ends at|byte) /);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
