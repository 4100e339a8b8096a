import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as vsp from "../../protocol/messages.ts";
import { board, S, SPO2, times } from "./alarms-board.ts";

const { ALARM_SPO2_LOW, ALARM_ACTIVE, ALARM_LATCHED, ALARM_ACKNOWLEDGED, ALARM_PAUSED } = vsp;

describe("whatever comes", () => {
  const LEGAL = ["01", "04", "10", "12", "13", "14", "20", "21", "24", "30", "40", "41", "42", "43"];
  const reading = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 85, max: 95 }) },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant("silence" as const) },
  );
  // runs, so that delays and blanks are reached
  const signal = fc
    .array(fc.tuple(reading, fc.integer({ min: 1, max: 14 })), { minLength: 1, maxLength: 25 })
    .map((runs) => runs.flatMap(([value, count]) => times(count, value)));
  const act = fc.oneof(
    { weight: 12, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant("acknowledge" as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }) },
  );
  const settings = fc.record({
    delay: fc.integer({ min: 0, max: 12 }),
    latching: fc.boolean(),
    blank: fc.integer({ min: 1, max: 20 }),
    hysteresis: fc.constantFrom(0, 1, 2),
  });

  test("alarms begin by a violation as long as the delay, end by values only, and their states are legal and told once", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(signal, fc.array(act, { minLength: 400, maxLength: 400 }), settings, (values, acts, chosen) => {
        const { alarms, told } = board({ spo2: { low: 90, ...chosen } });
        const states = new Map<number, number>();
        const take = (from: number, step: number, kind: "time" | "act" | "null" | "value") => {
          for (const one of told.slice(from)) {
            const was = states.get(one.id) ?? 0;
            seen.add(`${was}${one.state}`);
            expect(LEGAL).toContain(`${was}${one.state}`);
            states.set(one.id, one.state);
            if (one.id !== ALARM_SPO2_LOW) continue;
            // an end of the condition needs a value at that very second
            if (one.state === ALARM_LATCHED && was === ALARM_ACTIVE) expect(kind).toBe("value");
            if (one.state === 0 && kind !== "act") expect(kind).toBe("value");
            if (one.state === ALARM_ACKNOWLEDGED) expect(kind).toBe("act");
            if (kind === "null") expect([ALARM_ACTIVE, ALARM_PAUSED]).toContain(one.state);
          }
          const on = [...states].filter(([id, state]) => id !== vsp.ALARM_ALL && state !== 0).length;
          expect(alarms.active()).toHaveLength(on);
          return step;
        };
        /** The truth, kept apart: since when no value inside has come, how many were beyond, whether the condition holds. */
        let since: number | null = null;
        let held = false;
        let inside = 0;
        for (let step = 0; step < values.length; step++) {
          const now = (step + 1) * S;
          const value = values[step]!;
          const before = told.length;
          if (value !== "silence") alarms.take(SPO2, value === null ? null : value * 10, value === null ? 2 : 0, now);
          const real = typeof value === "number";
          take(before, step, real ? "value" : "null");
          if (real) {
            inside = value >= 90 + chosen.hysteresis ? inside + 1 : 0;
            if (value >= 90 && !held) since = null;
            if (value < 90 && since === null) since = now;
            const due = since !== null && value < 90 && now - since >= chosen.delay * S;
            if (held && inside >= 2) {
              held = false;
              since = null;
            } else if (!held && due) {
              held = true;
              inside = 0;
              // it has begun now at the latest
              expect(alarms.active().map(({ id }) => id)).toContain(ALARM_SPO2_LOW);
            }
          }
          const middle = told.length;
          alarms.update(now);
          for (const one of told.slice(middle)) {
            if (one.id !== ALARM_SPO2_LOW || states.get(one.id) === ALARM_PAUSED) continue;
            // begun by time: the violation is as old as the delay
            if (one.state === ALARM_ACTIVE) expect(now - one.onset).toBeGreaterThanOrEqual(chosen.delay * S);
          }
          if (told.slice(middle).some(({ id }) => id === ALARM_SPO2_LOW) && !held && since !== null) {
            const begun = alarms.active().find(({ id }) => id === ALARM_SPO2_LOW);
            if (begun?.onset === since && now - since >= chosen.delay * S && begun.state !== ALARM_LATCHED) {
              held = true;
              inside = 0;
            }
          }
          take(middle, step, "time");
          // never without a violation of at least the delay
          for (const one of told.slice(before)) {
            if (one.id !== ALARM_SPO2_LOW || one.state !== ALARM_ACTIVE) continue;
            expect(held).toBe(true);
            expect(now - one.onset).toBeGreaterThanOrEqual(chosen.delay * S);
            const from = one.onset / S - 1;
            expect(values[from]).toBeLessThan(90);
            expect(one.value).toBeLessThan(one.limit!);
          }
          const after = told.length;
          const what = acts[step]!;
          if (what === "acknowledge") alarms.acknowledgeAll(now);
          else if (what !== null) alarms.pause(what, now);
          take(after, step, "act");
          if (!held) expect(states.get(ALARM_SPO2_LOW) ?? 0).not.toBe(ALARM_ACKNOWLEDGED);
          // no pause is longer than it said
          if (told.length > 0) {
            const last = told.findLast(({ id }) => id === vsp.ALARM_ALL);
            if (last?.state === ALARM_PAUSED) expect(now - last.onset).toBeLessThan(last.limit! * S + S);
          }
        }
      }),
      { numRuns: 300 },
    );
    // all of the graph was walked
    expect([...seen].sort()).toEqual(LEGAL);
  });
});
