/** The frames between gateway and page: what is encoded is decoded, and nothing else is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, encodeFrame, type Frame, NOTICE_KINDS } from "../../gateway/dashboard/feed.ts";
import { type Cbor, encode } from "../../protocol/cbor.ts";
import { protectedHeader } from "../../protocol/header.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
const whole = fc.maxSafeNat();
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const counts = fc.record({
  way: text,
  verified: whole,
  rejected: whole,
  duplicates: whole,
  missing: whole,
  declared: whole,
  earlierMissing: whole,
  earlierDeclared: whole,
  backfill: fc.option(fc.record({ at: whole, boot: whole, age: fc.option(whole) })),
});
const notice = fc.record({
  kind: fc.constantFrom(...NOTICE_KINDS),
  since: whole,
  sentence: text,
  command: text,
});
const countersignature = fc
  .record({
    kid: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })
  .map(({ kid, signature }) => ({ kid, protectedBytes: protectedHeader(-8, kid), signature }));
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant("hello" as const), now: whole, sitePublicKey: fc.option(bytes) }),
  fc.record({ type: fc.constant("card" as const), card: bytes }),
  fc.record({
    type: fc.constant("message" as const),
    received: whole,
    message: bytes,
    countersignature: fc.option(countersignature),
    plaintext: fc.option(bytes),
  }),
  fc.record({ type: fc.constant("live" as const) }),
  fc.record({ type: fc.constant("counts" as const), kid: bytes, counts }),
  fc.record({ type: fc.constant("notices" as const), kid: bytes, notices: fc.array(notice, { maxLength: 3 }) }),
  fc.record({ type: fc.constant("source" as const), name: text, condition: text, sentence: text }),
);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("every frame comes back as it was sent", () => {
  fc.assert(
    fc.property(frame, (one) => {
      expect(plain(decodeFrame(encodeFrame(one)))).toEqual(plain(one));
    }),
  );
});

test("a frame that was cut, lengthened or altered is refused, or is another whole frame: never half of one", () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, place, flip) => {
      const sent = encodeFrame(one);
      expect(() => decodeFrame(sent.subarray(0, place % sent.length))).toThrow();
      expect(() => decodeFrame(Uint8Array.of(...sent, flip))).toThrow();
      const altered = Uint8Array.from(sent);
      altered[place % sent.length] ^= flip;
      let read: Frame | null = null;
      try {
        read = decodeFrame(altered);
      } catch {
        return;
      }
      expect([...encodeFrame(read)]).toEqual([...altered]);
    }),
    { numRuns: 500 },
  );
});

test("well-formed CBOR that is no frame of this version is refused with a sentence that says what to do", () => {
  const values: Cbor[] = [
    0,
    null,
    [],
    [7],
    [-1],
    ["hello"],
    [0, 1, 1, null],
    [0, 2, 1, null],
    [0, 3, -1, null],
    [0, 3, 1, "key"],
    [0, 3, 1],
    [1, "card"],
    [2, 1, "message", null, null],
    [2, 1, new Uint8Array(1), null],
    [2, 1, new Uint8Array(1), null, "plaintext"],
    [2, -1, new Uint8Array(1), null, null],
    [3, 0],
    [4, new Uint8Array(8), "way", 1, 2, 3],
    [4, new Uint8Array(8), "way", 1, 2, 3, 4, 5],
    [4, new Uint8Array(8), "way", 1, 2, 3, [4, 5, 6, 7]],
    [4, new Uint8Array(8), "way", 1, 2, 3, [4, 5, 6, -7, null]],
    [4, new Uint8Array(8), "way", 1, 2, 3, [4, 5, 6, 7, [8, 9]]],
    [4, new Uint8Array(8), "way", 1, 2, 3, [4, 5, 6, 7, [8, null, 9]]],
    [5, "name", "condition"],
    [6, new Uint8Array(8), "notices"],
    [6, new Uint8Array(8), [["fire", 1, "", ""]]],
    [6, new Uint8Array(8), [["revoked", 1, ""]]],
    [6, new Uint8Array(8), [["revoked", -1, "", ""]]],
  ];
  for (const value of values) {
    expect(() => decodeFrame(encode(value)), JSON.stringify(value)).toThrow(/does not know.*reload/);
  }
});

test("random bytes never decode to a frame that would be sent otherwise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
      let read: Frame;
      try {
        read = decodeFrame(garbage);
      } catch {
        return;
      }
      expect([...encodeFrame(read)]).toEqual([...garbage]);
    }),
    { numRuns: 1000 },
  );
});
