/**
 * Writes docs/accuracy.md: runs the detectors that ship, and the published ones beside them, over the recordings.
 *
 * `node --import tsx tools/accuracy.ts [--data DIR] [--write]`: DIR holds folders `mitdb`, `nstdb`, `bidmc` and
 * `oximetry-phone` (default: VITALWIRE_DATA, else ../shared/data). Without --write it ends with 1 and says what differs. The same code over the same
 * recordings gives the same bytes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOximeter } from "../firmware/dsp/ppg.ts";
import { createQrsDetector, QRS_RATES } from "../firmware/dsp/qrs.ts";
import {
  evaluateNoise,
  evaluatePulse,
  evaluateQrs,
  evaluateRespiration,
  evaluateRhythm,
  evaluateSpo2,
  evaluateTemperature,
  intervalErrors,
  type PulsePeer,
  type Spo2MeterFactory,
  type Spo2Peer,
} from "../simulator/evaluate/index.ts";
import { sweepSpo2 } from "../simulator/evaluate/spo2-sweep.ts";
import { syntheticChecks } from "../simulator/evaluate/synthetic.ts";
import { createHamiltonDetector } from "../test/peers/hamilton.ts";
import { peers } from "../test/peers/index.ts";
import { oximeterPeers } from "../test/peers/ppg-oximeters.ts";
import { pulsePeers } from "../test/peers/ppg-pulses.ts";
import type { MeasuredLight, TunedPulse } from "./accuracy-light.ts";
import { accuracyPage } from "./accuracy-page.ts";
import type { Measured, RateRow, Tuned } from "./accuracy-sections.ts";
import { projectRoot, runMain } from "./files.ts";

export const PAGE = "docs/accuracy.md";
const TUNED = "tools/tuned-qrs.json";
const TUNED_PULSE = "tools/tuned-pulse.json";
/** Another one than the commands' own: what other beats, motion and noise make of it. */
const OTHER_SEED = 2;

/** The records that the page is of. */
export const RECORDS =
  "101 102 104 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split(" ");

const read = <T>(path: string): T | null => (existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : null);

/** What the tuning program left; null where it has not been run. */
export const readTuned = (root: string): Tuned | null => read<Tuned>(join(root, TUNED));
export const readTunedPulse = (root: string): TunedPulse | null => read<TunedPulse>(join(root, TUNED_PULSE));

/** What of the intervals is told: at every rate of the detector, without noise and with 20 uV RMS. */
export async function measureIntervals(): Promise<Measured["intervals"]> {
  const rows: Measured["intervals"][number][] = [];
  for (const rate of QRS_RATES) {
    for (const noise of [0, 0.02]) rows.push(await intervalErrors(rate, noise, createQrsDetector));
  }
  return rows;
}

/** The oximeter that ships, asked for R alone. */
const oximeter: Spo2MeterFactory = (told) => createOximeter({ ...told, calibration: null });

/** The others that are run beside. */
export interface LightPeers {
  readonly pulse?: readonly PulsePeer[];
  readonly spo2?: readonly Spo2Peer[];
}

/** What the page tells of light. Throws Error as `measure` does. */
export async function measureLight(
  data: string,
  say: (line: string) => void,
  others: LightPeers = { pulse: pulsePeers, spo2: oximeterPeers },
): Promise<Omit<MeasuredLight, "temperature">> {
  const dataFolder = join(data, "bidmc");
  const references = [createQrsDetector, createHamiltonDetector] as const;
  say("pulse");
  const pulse = await evaluatePulse({ dataFolder, references, peers: others.pulse });
  say("breathing");
  const respiration = await evaluateRespiration({ dataFolder });
  say("SpO2");
  const phoneFolder = join(data, "oximetry-phone");
  const spo2 = await evaluateSpo2({ dataFolder: phoneFolder, meterFactory: oximeter, peers: others.spo2 });
  const [other] = await sweepSpo2([oximeter], { seed: OTHER_SEED });
  const tuned = readTunedPulse(projectRoot);
  return { pulse, tuned, respiration, spo2, otherSeed: { seed: OTHER_SEED, sweep: other!.sweep } };
}

/** Everything on the page. `say` hears what is done. Throws Error where a recording is missing or damaged. */
export async function measure(data: string, say: (line: string) => void): Promise<Measured> {
  const common = { dataFolder: join(data, "mitdb"), only: RECORDS, detectorFactory: createQrsDetector };
  say("beats, and the published detectors");
  const qrs = await evaluateQrs({ ...common, peers });
  const second = await evaluateQrs({ ...common, lead: 1 });
  const rates: RateRow[] = [];
  for (const rate of QRS_RATES) {
    say(`at ${rate} hz`);
    rates.push({ rate, result: await evaluateQrs({ ...common, rate }) });
  }
  say("noise");
  const noise = await evaluateNoise({ dataFolder: data, detectorFactory: createQrsDetector, peers });
  say("rhythm");
  const rhythm = await evaluateRhythm(common);
  say("synthetic checks");
  const intervals = await measureIntervals();
  const seen = await measureLight(data, say);
  say("temperature");
  const light = { ...seen, temperature: await evaluateTemperature({ seed: 1, compare: true }) };
  return {
    qrs,
    second,
    tuned: readTuned(projectRoot),
    rates,
    intervals,
    noise,
    rhythm,
    synthetic: syntheticChecks(),
    light,
  };
}

/** One sentence for each line that is not as the program writes it, the first ten. */
export function differences(is: string, should: string): string[] {
  if (is === should) return [];
  const [there, written] = [is, should].map((text) => text.split("\n"));
  const missing = written!.filter((line) => !there!.includes(line));
  const wrong = there!.filter((line) => !written!.includes(line));
  const hint = "run node --import tsx tools/accuracy.ts --write";
  return [
    ...missing.map((line) => `${PAGE} lacks "${line}"`).slice(0, 10),
    ...wrong.map((line) => `${PAGE} has "${line}"`).slice(0, 10),
    `${PAGE} differs in ${Math.max(missing.length, wrong.length)} lines from what was measured: ${hint}`,
  ];
}

async function main(): Promise<number> {
  const at = process.argv.indexOf("--data");
  const data = (at > 0 ? process.argv[at + 1] : process.env.VITALWIRE_DATA) ?? join(projectRoot, "../shared/data");
  const page = accuracyPage(await measure(data, (line) => process.stderr.isTTY && console.error(`accuracy: ${line}`)));
  const path = join(projectRoot, PAGE);
  if (process.argv.includes("--write")) {
    writeFileSync(path, page);
    console.log(`accuracy: ${PAGE} written`);
    return 0;
  }
  const found = differences(existsSync(path) ? readFileSync(path, "utf8") : "", page);
  for (const line of found) console.error(line);
  console.log(`accuracy: ${PAGE} ${found.length === 0 ? "is what was measured" : "is not what was measured"}`);
  return found.length === 0 ? 0 : 1;
}

runMain(import.meta.url, main);
