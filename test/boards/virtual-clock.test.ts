import fc from "fast-check";
import { expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";

test("events run in order of time, and of arrival where times are equal, whatever the order of planning", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 80 }), (plan) => {
      const clock = createVirtualClock();
      const ran: [number, number][] = [];
      plan.forEach(([time, cancelled], index) => {
        const cancel = clock.at(time, () => {
          expect(clock.now).toBe(time);
          ran.push([time, index]);
        });
        if (cancelled) cancel();
      });
      clock.runUntil(60);
      const expected = plan
        .map(([time, cancelled], index) => ({ time, cancelled, index }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.time - b.time || a.index - b.index)
        .map(({ time, index }): [number, number] => [time, index]);
      expect(ran).toEqual(expected);
      expect(clock.now).toBe(60);
      expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});

test("an event planned in the past runs now, never before now", () => {
  const clock = createVirtualClock();
  clock.runUntil(100);
  let at = -1;
  clock.at(5, () => {
    at = clock.now;
  });
  clock.runUntil(100);
  expect(at).toBe(100);
});

test("an event may plan another for the same moment; it runs in the same turn", () => {
  const clock = createVirtualClock();
  const ran: string[] = [];
  clock.at(10, () => {
    ran.push("first");
    clock.at(10, () => ran.push("second"));
  });
  clock.runUntil(10);
  expect(ran).toEqual(["first", "second"]);
});
