/** Event 8: what will never come, and why (PROTOCOL.md section 2.4). */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DISOWNED_POWER,
  type Disowned,
  decodeDisowned,
  decodeMessage,
  type EventMessage,
  encodeDisowned,
  encodeMessage,
  type Scalar,
} from "../../protocol/messages.ts";

const event = (small: EventMessage["small"], code = 8): EventMessage => ({
  type: "event",
  boot: 7,
  seq: 3,
  tick: 9,
  code,
  small,
});
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("what is encoded is decoded again, through the event's bytes", () => {
  const any = fc
    .tuple(u32, u32, fc.integer({ min: 0, max: 255 }), fc.option(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat())))
    .chain(([boot, first, reason, end]) =>
      fc.integer({ min: 1, max: 2 ** 32 - first }).map(
        (count): Disowned => ({
          boot,
          first,
          count,
          reason,
          end: end === null || reason !== DISOWNED_POWER ? null : { tick: end[0], within: end[1] },
        }),
      ),
    );
  fc.assert(
    fc.property(any, (disowned) => {
      const bytes = encodeMessage(event(encodeDisowned(disowned)));
      expect(decodeDisowned(decodeMessage(bytes) as EventMessage)).toEqual(disowned);
    }),
  );
});

const good: Scalar[] = [1, 0, 2 ** 32, 2, 5000, 1000];
const others: [string, EventMessage][] = [
  ["another event", event(good, 7)],
  ["a single value", event(1)],
  ["three items", event(good.slice(0, 3))],
  ["five items", event(good.slice(0, 5))],
  ["seven items", event([...good, 0])],
  ["no messages", event([1, 0, 0, 1])],
  ["one beyond the last seq", event([1, 1, 2 ** 32, 1])],
  ["a boot of 33 bits", event([2 ** 32, 0, 1, 1])],
  ["a negative seq", event([1, -1, 1, 1])],
  ["a reason that is text", event([1, 0, 1, "full"])],
  ["an end with half of its numbers", event([1, 0, 1, 2, 5000, null])],
  ["an end that is text", event([1, 0, 1, 2, "5000", "1000"])],
];
test.each(others)("%s disowns nothing", (_, one) => {
  expect(decodeDisowned(event(good))).not.toBeNull();
  expect(decodeDisowned(one)).toBeNull();
});
