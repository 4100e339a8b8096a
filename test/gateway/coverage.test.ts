/** The report of what is there and what is missing, against boards of which every sample is known. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { coverageOf } from "../../gateway/coverage.ts";
import { kidText } from "../../protocol/keys.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";
import { arrivals, isHere, type Played, play, scripts } from "./coverage-board.ts";
import { truthOf } from "./coverage-truth.ts";

const device = createTestDevice("covered");
const START = Date.parse("2027-01-15T10:00:00Z");
/** Between two boots, ms. */
const PAUSE = 3600_000;

/** What a gateway has stored of it. */
function storeOf(boots: readonly Played[]) {
  const bench = createTestGateway();
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  for (const { message } of arrivals(boots)) {
    bench.now = Math.max(bench.now, START + PAUSE * message.boot + message.tick);
    const verdict = bench.gateway.receive(device.seal(message), origin);
    if (verdict.status !== "accepted") throw new Error(JSON.stringify(verdict));
  }
  bench.settle();
  return bench.gateway.store;
}

const seconds = (us: number) => us / 1e6;

test("any history of a board: what is received, declared and silent is told to the millisecond", () => {
  const tally = { boots: 0, declared: 0, silent: 0, uncertain: 0 };
  fc.assert(
    fc.property(scripts, (all) => {
      const boots: Played[] = [];
      for (const [i, script] of all.entries()) boots.push(play(i + 1, script, boots.at(-1) ?? null));
      const samples = boots.flatMap(({ pieces, sealed }) =>
        pieces.filter(({ seq }) => seq !== null && isHere(sealed[seq]!)),
      );
      fc.pre(samples.length > 0);
      const { boots: reports, days } = coverageOf(storeOf(boots), device.kid);
      expect(reports.map(({ boot }) => boot)).toEqual(boots.map(({ boot }) => boot));
      const sum = { received: 0, declared: 0, silent: 0, uncertain: 0 };
      for (const [i, report] of reports.entries()) {
        const truth = truthOf(boots, i);
        for (const kind of ["received", "declared", "silent", "uncertain"] as const) {
          expect(report[kind], `boot ${report.boot}: ${kind}`).toBeCloseTo(seconds(truth[kind]), 6);
          sum[kind] += report[kind];
        }
        expect(report.expected).toBeCloseTo(report.received + report.declared + report.silent, 6);
        expect(report).toMatchObject({ ends: truth.ends, missing: truth.missing, kid: kidText(device.kid) });
        tally.boots++;
        if (truth.declared > 0) tally.declared++;
        if (truth.silent > 0) tally.silent++;
        if (truth.uncertain > 0) tally.uncertain++;
      }
      for (const kind of ["received", "declared", "silent", "uncertain"] as const) {
        expect(days.reduce((all, day) => all + day[kind], 0)).toBeCloseTo(sum[kind], 2);
      }
    }),
    { numRuns: 150 },
  );
  // The histories are worth their name.
  expect(Math.min(tally.declared, tally.silent, tally.uncertain)).toBeGreaterThan(tally.boots / 10);
});
