/** The gateway's own report of what is missing (gateway/coverage.ts), held against the truth of a lossy world. */
import { type BootCoverage, coverageOf } from "../../gateway/coverage.ts";
import type { Life } from "../../simulator/lossy/life.ts";
import type { BootTruth } from "../../simulator/lossy/truth.ts";
import { SECOND } from "../../simulator/lossy/weather.ts";
import { dueBy, type World } from "./world.ts";

/** What is stored of one boot. */
export interface StoredBoot {
  /** Seqs of its messages. */
  readonly seqs: ReadonlySet<number>;
  /** Samples of each of its waveforms, in their order. */
  readonly samples: readonly number[];
  /** What a power cut says will never come begins here; null: nothing says so. */
  readonly endsAt: number | null;
}

/** Figures are to the millisecond; a chip's first sample may be an interval away from the boot, and so may its last be. */
const ROUNDING = 0.002;

/** Seconds that each waveform of a boot should have: least and most. */
function secondsOf(truth: BootTruth, counts: readonly number[]): { least: number; most: number } {
  const seconds = truth.waves.map(({ interval }, i) => (counts[i]! * interval) / SECOND);
  return { least: Math.min(...seconds), most: Math.max(...seconds) };
}

function checkBoot(
  report: BootCoverage,
  truth: BootTruth,
  stored: StoredBoot,
  due: number,
  tell: (problem: string) => void,
): void {
  const place = `gap report, boot ${truth.boot}`;
  // what is missing among what is known to have been: up to the newest that came, or to where a power cut says it ended
  const known = Math.max(stored.endsAt ?? 0, ...[...stored.seqs].map((seq) => seq + 1));
  let missing = 0;
  let young = 0;
  for (const [seq, { at }] of truth.sealed) {
    if (seq >= known || stored.seqs.has(seq)) continue;
    missing++;
    if (at > due) young++;
  }
  const { declared, silent } = report.missing;
  if (declared + silent !== missing || silent > young)
    tell(`${place}: ${declared} messages declared, ${silent} silent; ${missing} are missing`);
  if (report.messages !== stored.seqs.size)
    tell(`${place}: ${report.messages} messages, ${stored.seqs.size} are stored`);
  if (report.silent > 0 && young === 0) tell(`${place}: ${report.silent} s are silent`);

  const interval = Math.max(...truth.waves.map((wave) => wave.interval)) / SECOND;
  const here = secondsOf(truth, stored.samples);
  if (report.received < here.least - ROUNDING - interval || report.received > here.most + ROUNDING + interval)
    tell(`${place}: ${report.received} s received, ${here.least} to ${here.most} s are stored`);
  const until = truth.endedAt;
  if (until === null) return;
  const { least, most } = secondsOf(
    truth,
    truth.waves.map((wave) => wave.count(until)),
  );
  const slack = ROUNDING + 2 * interval;
  if (report.expected > most + slack) tell(`${place}: ${report.expected} s expected, there were ${most} s`);
  // where nothing was kept of the end nobody can say how long it was
  if (report.cut !== null && report.expected + report.uncertain < least - slack)
    tell(`${place}: ${report.expected} s expected, ${report.uncertain} s uncertain, there were ${least} s`);
}

/** Every boot of a board by the report; and its days hold what its boots do. */
export function checkGaps(
  world: World,
  life: Life,
  storedOf: (truth: BootTruth) => StoredBoot,
  tell: (problem: string) => void,
): void {
  const report = coverageOf(world.gateway.store, life.model.identity.kid);
  for (const truth of life.boots) {
    const one = report.boots.find(({ boot }) => boot === truth.boot);
    const stored = storedOf(truth);
    if (one !== undefined) checkBoot(one, truth, stored, dueBy(world), tell);
    else if (stored.seqs.size > 0 || stored.endsAt !== null) tell(`gap report: nothing of boot ${truth.boot}`);
  }
  for (const kind of ["received", "declared", "silent", "uncertain"] as const) {
    const days = report.days.reduce((sum, day) => sum + day[kind], 0);
    const boots = report.boots.reduce((sum, boot) => sum + boot[kind], 0);
    if (Math.abs(days - boots) > ROUNDING * report.boots.length)
      tell(`gap report: ${days} s ${kind} by day, ${boots} s by boot`);
  }
}
