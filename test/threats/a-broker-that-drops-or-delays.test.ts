/**
 * PROTOCOL.md section 10, "a broker that drops or delays": whatever it keeps, holds back, sends twice or in another order, the
 * gateway says exactly which messages it does not have, and a manifest proves those that it has.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SealMode } from "../../simulator/node.ts";
import { through } from "../support/between.ts";

const modes: SealMode[] = [
  { mode: "sign", encrypt: false },
  { mode: "mac", encrypt: false },
  { mode: "mac", encrypt: true },
];

describe.each(modes)("in %j", (seal) => {
  test("what it keeps is counted as missing, one for one, and all else is stored once", () => {
    const { runtime, stored, lost, kept, missing } = through(
      { seed: 1, seal, keeps: 0.1, deaf: 0, delay: 0, twice: 0 },
      150,
    );
    expect(runtime.produced).toBeGreaterThan(140);
    expect(kept).toBeGreaterThan(5);
    expect(missing).toBe(lost.length);
    // above the newest that came nobody can know: there is nothing to count from
    expect(kept - lost.length).toBe(runtime.produced - 1 - stored.at(-1)!);
    expect(stored.length + kept).toBe(runtime.produced);
    expect(new Set(stored).size).toBe(stored.length);
  });

  test("what it delays, repeats and lets pass in any order is all there, and never twice", () => {
    const { runtime, stored, missing, counters, alarms } = through(
      { seed: 2, seal, keeps: 0, deaf: 0.3, delay: 4000, twice: 0.3 },
      100,
    );
    expect(stored).toEqual(Array.from({ length: runtime.produced }, (_, seq) => seq));
    expect(missing).toBe(0);
    expect(counters.duplicates).toBeGreaterThan(10);
    expect(runtime.outbox.waiting).toEqual([]);
    expect(alarms).toEqual([]);
  });
});

test("in M what a manifest covers is device-signed, and nothing else is, whatever was kept and in whatever order it came", () => {
  let raised = 0;
  let bare = 0;
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer(),
        seal: fc.constantFrom<SealMode>(...modes.slice(1)),
        keeps: fc.constantFrom(0, 0.02, 0.3),
        deaf: fc.constantFrom(0, 0.3),
        delay: fc.constantFrom(0, 3000, 90_000),
        twice: fc.constantFrom(0, 0.3),
      }),
      (broker) => {
        const { levels, manifests, lost, missing, alarms } = through(broker, 130);
        const covered = new Set(manifests.map(({ seq }) => seq));
        for (const { first, hashes } of manifests) for (let i = 0; i < hashes.length / 16; i++) covered.add(first + i);
        for (const [seq, level] of levels) {
          expect(level, `seq ${seq}`).toBe(covered.has(seq) ? 3 : 2);
          if (level === 3) raised++;
          else bare++;
        }
        expect(missing).toBe(lost.length);
        expect(alarms).toEqual([]);
      },
    ),
    { numRuns: 8, seed: 7 },
  );
  expect(raised).toBeGreaterThan(100);
  expect(bare).toBeGreaterThan(0);
});

test("at 1 % loss manifests cover nearly all that came", () => {
  let covered = 0;
  let all = 0;
  for (let seed = 0; seed < 6; seed++) {
    const { levels } = through({ seed, seal: modes[1]!, keeps: 0.01, deaf: 0, delay: 0, twice: 0 }, 300);
    all += levels.size;
    covered += [...levels.values()].filter((level) => level === 3).length;
  }
  expect(all).toBeGreaterThan(1500);
  expect(covered / all).toBeGreaterThan(0.95);
});
