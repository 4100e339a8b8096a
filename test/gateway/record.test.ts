/** What a gateway adds to a stored message, and the entries of what rose: one encoding each, and nothing else is read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeLevelChange, encodeLevelChange, levelChange } from "../../gateway/evidence.ts";
import { decodeRecord, EMPTY_RECORD, encodeRecord } from "../../gateway/record.ts";
import { decode, encode, map } from "../../protocol/cbor.ts";
import { reasonOf } from "../protocol/support.ts";

const number = fc.maxSafeInteger();
const clock = fc.record({
  ...{ utc: number, uncertainty: number, drift: number, driftUncertainty: number, assumed: fc.boolean() },
  channels: fc.array(fc.record({ id: fc.nat(63), rate: number, uncertainty: number }), { maxLength: 16 }),
});
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const countersignature = fc.record({ kid: bytes(8), signature: bytes(64) }).map(({ kid, signature }) => ({
  kid,
  protectedBytes: encode(
    map([
      [1, -8],
      [4, kid],
    ]),
  ),
  signature,
}));
const record = fc.record({
  clock: fc.option(clock),
  countersignature: fc.option(countersignature),
  plaintext: fc.option(fc.uint8Array({ maxLength: 40 })),
});

test("a record is read back as it was written, and takes one byte where nothing is added", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(decodeRecord(encodeRecord(one))).toEqual(one);
    }),
  );
  expect(EMPTY_RECORD).toEqual(Uint8Array.of(0xa0));
  expect(encodeRecord({ clock: null, countersignature: null, plaintext: null })).toEqual(EMPTY_RECORD);
});

test("another form of record is refused", () => {
  for (const wrong of [
    [],
    1,
    map([[4, 1]]),
    map([[1, [1, 2, 3, 4]]]),
    map([[2, "text"]]),
    map([[3, 5]]),
    map([["1", 5]]),
  ])
    expect(["payload", "header"]).toContain(reasonOf(() => decodeRecord(encode(wrong))));
  expect(reasonOf(() => decodeRecord(new Uint8Array(0)))).toBe("cbor");
  expect(reasonOf(() => decodeRecord(Uint8Array.of(0xa0, 0)))).toBe("cbor");
});

test("a change of levels joins what follows one another at one level, and is read back as it was written", () => {
  const rows = fc.uniqueArray(fc.record({ seq: fc.nat(60), evidence: fc.integer({ min: 1, max: 2 }) }), {
    selector: ({ seq }) => seq,
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.nat(9), rows, (boot, some) => {
      const sorted = some.toSorted((a, b) => a.seq - b.seq);
      const change = levelChange(boot, sorted);
      const all = change.rises.flatMap(({ first, count, from }) =>
        Array.from({ length: count }, (_, i) => ({ seq: first + i, evidence: from })),
      );
      expect(all).toEqual(sorted);
      expect(decodeLevelChange(encodeLevelChange(change))).toEqual(change);
    }),
  );
});

test("another form of change is refused", () => {
  for (const wrong of [
    5,
    [1],
    [1, []],
    [1, [[1, 1, 2]]],
    [1, [[1, 0, 2, 3]]],
    [1, [[1, 1, 3, 3]]],
    [1, [[1, 1, 2, 4]]],
    [1, [[2 ** 32 - 1, 2, 2, 3]]],
    [-1, [[1, 1, 2, 3]]],
    [1, [[1, 1, 2, 3]], 0],
  ])
    expect(reasonOf(() => decodeLevelChange(encode(wrong)))).toBe("payload");
  expect(decode(encodeLevelChange({ ofBoot: 1, rises: [{ first: 0, count: 4, from: 2, to: 3 }] }))).toEqual([
    1,
    [[0, 4, 2, 3]],
  ]);
});
