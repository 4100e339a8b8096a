/** Why nothing is shown: judged from counts and time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ByteCounter,
  diagnose,
  type Evidence,
  PATIENCE,
  QUIET,
  STOPPED,
  type Where,
} from "../../cli/monitor/diagnosis.ts";
import { REASONS } from "../../protocol/refusal.ts";

const port: Where = { name: "/dev/ttyUSB0", baud: 115_200, cards: "cards" };
const nothing: Evidence = {
  bytes: 0,
  characters: 0,
  odd: 0,
  logs: 0,
  packets: 0,
  verified: 0,
  unchecked: 0,
  rejected: new Map(),
  byteAt: null,
  wholeAt: null,
};
const text = { ...nothing, bytes: 500, characters: 500, byteAt: 2900 };
const packets = { ...text, packets: 5, wholeAt: 2900 };
const kindOf = (evidence: Evidence, elapsed = PATIENCE, where = port) =>
  diagnose(evidence, elapsed, where)?.kind ?? null;

describe("after three seconds", () => {
  test("silence is told apart from another baud rate, text alone, damage, and packets of unknown keys", () => {
    expect(kindOf(nothing)).toBe("silence");
    expect(kindOf({ ...text, odd: 200 })).toBe("baud");
    expect(kindOf(text)).toBe("noise");
    expect(kindOf({ ...text, logs: 9 })).toBe("text");
    expect(kindOf({ ...text, packets: 3, rejected: new Map([["crc", 3]]) })).toBe("damaged");
    expect(kindOf({ ...packets, rejected: new Map([["kid", 5]]) })).toBe("keys");
    expect(kindOf({ ...packets, rejected: new Map([["header", 5]]) })).toBe("strange");
    expect(kindOf({ ...packets, unchecked: 4, rejected: new Map() })).toBe("keys");
    expect(kindOf({ ...packets, verified: 1, rejected: new Map([["crc", 4]]) })).toBe(null);
  });

  test("each sentence names the port and what to do", () => {
    const sentence = (evidence: Evidence, where = port) => diagnose(evidence, PATIENCE, where)!.sentence;
    expect(sentence({ ...text, odd: 400 })).toMatch(/^\/dev\/ttyUSB0: 80 % .*115200 baud .*--baud 9600, .* or 921600$/);
    expect(sentence({ ...text, odd: 400 })).not.toContain(" 115200,");
    const unknown = { ...packets, rejected: new Map([["kid" as const, 5]]) };
    expect(sentence(unknown)).toMatch(/no card in cards is for their key; enrol/);
    expect(sentence(unknown, { ...port, cards: null })).toMatch(/no cards .*give --cards DIR/);
  });

  test("a board that was heard and stops is told after five seconds; text in place of its packets after fifteen", () => {
    const heard = { ...packets, verified: 5 };
    expect(kindOf(heard, 2900 + QUIET)).toBe(null);
    expect(kindOf(heard, 2901 + QUIET)).toBe("quiet");
    expect(kindOf({ ...heard, byteAt: 30_000 }, 2900 + STOPPED)).toBe(null);
    expect(kindOf({ ...heard, byteAt: 30_000 }, 2901 + STOPPED)).toBe("stopped");
  });
});

const count = fc.nat({ max: 5000 });
const evidence = fc
  .record({
    characters: count,
    odd: count,
    logs: count,
    rejected: fc.uniqueArray(fc.tuple(fc.constantFrom(...REASONS), fc.integer({ min: 1, max: 50 })), {
      selector: ([reason]) => reason,
    }),
    verified: count,
  })
  .map(({ characters, odd, logs, rejected, verified }): Evidence => {
    const refused = rejected.reduce((sum, [, n]) => sum + n, 0);
    const some = characters > 0;
    return {
      bytes: characters,
      characters,
      odd: Math.min(odd, characters),
      logs: some ? logs : 0,
      packets: some ? verified + refused : 0,
      verified: some ? verified : 0,
      unchecked: 0,
      rejected: new Map(some ? rejected : []),
      byteAt: some ? 0 : null,
      wholeAt: some ? 0 : null,
    };
  });

test("nothing is said before its time, and then always something, unless a packet was verified", () => {
  fc.assert(
    fc.property(evidence, fc.integer({ min: 0, max: 4900 }), (given, elapsed) => {
      const finding = diagnose(given, elapsed, port);
      if (elapsed < PATIENCE || given.verified > 0) expect(finding).toBe(null);
      else expect(finding!.sentence).toMatch(/^\/dev\/ttyUSB0: .*[?)]|--baud|DIR/);
    }),
    { numRuns: 500 },
  );
});

test("a file is judged at its end, without a word of baud rates or time", () => {
  fc.assert(
    fc.property(evidence, (given) => {
      const where = { name: "a.cap", baud: null, cards: null };
      const finding = diagnose({ ...given, byteAt: null, wholeAt: null }, Number.POSITIVE_INFINITY, where);
      if (given.verified > 0) expect(finding).toBe(null);
      else expect(finding!.sentence).not.toMatch(/baud| s;/);
    }),
  );
});

test("UTF-8 text counts as text however it is cut into chunks; line noise does not", () => {
  const counter = new ByteCounter();
  const bytes = Buffer.from("Temperatur 36,5 °C, 体温\r\n\tok\x1b[0m\n");
  for (const byte of bytes) counter.take(Uint8Array.of(byte));
  expect(counter.bytes).toBe(bytes.length);
  expect(counter.odd).toBe(0);
  counter.take(Uint8Array.of(0, 0xff, 0x80, 0xf8, 0));
  expect(counter.odd).toBe(5);
});
