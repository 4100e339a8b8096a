import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromBase64, toBase64 } from "../../protocol/base64.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { decodeLine, encodeLine, MAX_LINE } from "../../protocol/frame.ts";
import { bytes, outcomeOf, reasonOf, refusalOf } from "./support.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const message = ascii("any bytes will do for a line");
const line = encodeLine(message);

describe("CRC-32/ISO-HDLC", () => {
  test("the check value of the catalogue: 123456789 gives cbf43926", () => {
    expect(crc32(ascii("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  test("it is the CRC of a plain bitwise division, for any bytes", () => {
    const bitwise = (input: Uint8Array) => {
      let crc = 0xffffffffn;
      for (const byte of input) {
        crc ^= BigInt(byte);
        for (let i = 0; i < 8; i++) crc = crc & 1n ? (crc >> 1n) ^ 0xedb88320n : crc >> 1n;
      }
      return Number(crc ^ 0xffffffffn);
    };
    fc.assert(
      fc.property(bytes(0, 60), (input) => {
        expect(crc32(input)).toBe(bitwise(input));
      }),
    );
  });
});

describe("base64 (RFC 4648 section 4, without padding)", () => {
  test("the RFC's own examples (section 10)", () => {
    const pairs = { "": "", f: "Zg", fo: "Zm8", foo: "Zm9v", foob: "Zm9vYg", fooba: "Zm9vYmE", foobar: "Zm9vYmFy" };
    for (const [plain, text] of Object.entries(pairs)) {
      expect(toBase64(ascii(plain))).toBe(text);
      expect(fromBase64(text, 0, text.length)).toEqual(ascii(plain));
    }
  });

  test("it is Node's base64 without the padding, for any bytes", () => {
    fc.assert(
      fc.property(bytes(0, 60), (input) => {
        const text = Buffer.from(input).toString("base64").replaceAll("=", "");
        expect(toBase64(input)).toBe(text);
        expect(fromBase64(`~${text}!`, 1, 1 + text.length)).toEqual(input);
      }),
    );
  });

  test("padding, line ends, the URL alphabet and anything else are refused with their place", () => {
    for (const text of ["Zg==", "Zm9v\n", " Zm9", "Zm-v", "Zm_v", "Zmé1", "Zm\u{1f4a9}", "Zm\u0000v", "Zm\u0141v"])
      expect(reasonOf(() => fromBase64(text, 0, text.length))).toBe("base64");
    expect(refusalOf(() => fromBase64("Zm9-", 0, 4)).offset).toBe(3);
  });

  test("a length of 4k + 1 is refused", () => {
    for (const text of ["A", "AAAAA"]) expect(reasonOf(() => fromBase64(text, 0, text.length))).toBe("base64");
  });

  test("spare bits that are not zero are refused: one text for one byte string (section 3.5)", () => {
    for (const text of ["Zh", "Zm9", "Zv", "Zm9vYmF"])
      expect(reasonOf(() => fromBase64(text, 0, text.length))).toBe("base64");
  });
});

describe("lines (PROTOCOL.md section 6)", () => {
  test("every message comes back from its line, with LF, CRLF or no line end", () => {
    fc.assert(
      fc.property(bytes(1, 400), (original) => {
        const text = encodeLine(original);
        expect(text).toMatch(/^~[A-Za-z0-9+/]+\n$/);
        for (const received of [text, text.slice(0, -1), text.replace("\n", "\r\n"), text.replace("\n", "\r")])
          expect(decodeLine(received)).toEqual(original);
      }),
    );
  });

  test("the largest message fits a line, and MAX_LINE leaves room for its sign and CR", () => {
    const largest = new Uint8Array(4096).fill(0xa5);
    const text = encodeLine(largest);
    expect(text.length).toBe(1 + Math.ceil((4100 * 4) / 3) + 1);
    expect(text.length).toBeLessThanOrEqual(MAX_LINE);
    expect(decodeLine(text)).toEqual(largest);
  });

  test("an empty message and one over 4096 bytes have no line", () => {
    expect(reasonOf(() => encodeLine(new Uint8Array(0)))).toBe("size");
    expect(reasonOf(() => encodeLine(new Uint8Array(4097)))).toBe("size");
  });

  test("a line without any ~ is log text", () => {
    for (const text of ["", "\n", "\r\n", "boot 17, heap 81920", line.slice(1), "x".repeat(9000)])
      expect(decodeLine(text)).toBe(null);
  });

  test("what stands before the last ~ is dropped: a cut-off packet or log text does not spoil the next", () => {
    expect(decodeLine(`heap 81920 ${line}`)).toEqual(message);
    expect(decodeLine(line.slice(0, 17) + line)).toEqual(message);
    expect(decodeLine(`~~~${line}`)).toEqual(message);
  });

  test("a ~ in log text makes the line a packet that is refused and counted", () => {
    expect(reasonOf(() => decodeLine("temperature ~36 degrees"))).toBe("base64");
    expect(reasonOf(() => decodeLine("~"))).toBe("crc");
    expect(reasonOf(() => decodeLine(`${line.slice(0, -1)}~\n`))).toBe("crc");
  });

  test("too short for a message and its CRC is refused, also where the CRC of nothing is right", () => {
    for (const text of ["~AA", "~AAAA", "~AAAAAA"]) expect(reasonOf(() => decodeLine(text))).toBe("crc");
  });

  test("a line over 5472 bytes is refused before its base64 is read", () => {
    expect(reasonOf(() => decodeLine(`~${"*".repeat(MAX_LINE)}`))).toBe("size");
    expect(reasonOf(() => decodeLine(`~${"*".repeat(MAX_LINE - 1)}`))).toBe("base64");
    // 4100 bytes of message and 4 of CRC are within the line, not within the message.
    expect(reasonOf(() => decodeLine(`~${"AAAA".repeat(1368)}`.slice(0, MAX_LINE)))).toBe("size");
  });

  test("any character changed, dropped or doubled gives a refusal, never another message", () => {
    const characters = "ABab09+/~= \r\u00e9";
    for (let at = 1; at < line.length - 1; at++) {
      const dropped = line.slice(0, at) + line.slice(at + 1);
      const doubled = line.slice(0, at) + line[at] + line.slice(at);
      const swapped = [...characters]
        .filter((c) => c !== line[at])
        .map((c) => line.slice(0, at) + c + line.slice(at + 1));
      for (const damaged of [dropped, doubled, ...swapped])
        expect(["base64", "crc"]).toContain(outcomeOf(() => decodeLine(damaged)));
    }
  });

  test("each bit of the bytes under the base64 is covered by the CRC", () => {
    const framed = fromBase64(line, 1, line.length - 1);
    for (let bit = 0; bit < framed.length * 8; bit++) {
      const damaged = Uint8Array.from(framed);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(reasonOf(() => decodeLine(`~${toBase64(damaged)}`))).toBe("crc");
    }
  });

  test("random text gives null, a message or a refusal with one of the line's words", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.base64String().map((body) => `~${body}`),
    );
    fc.assert(
      fc.property(text, (garbage) => {
        expect(["ok", "size", "base64", "crc"]).toContain(outcomeOf(() => decodeLine(garbage)));
      }),
      { numRuns: 2000 },
    );
  });
});
