/**
 * Writes docs/accuracy.md: runs the detectors that ship, and the published ones beside them, over the recordings.
 *
 * `node --import tsx tools/accuracy.ts [--data DIR] [--write]`: DIR holds folders `mitdb` and `nstdb` (default:
 * VITALWIRE_DATA, else ../shared/data). Without --write it ends with 1 and says what differs. The same code over the same
 * recordings gives the same bytes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createQrsDetector, QRS_RATES } from "../firmware/dsp/qrs.ts";
import { evaluateNoise, evaluateQrs, evaluateRhythm, intervalErrors } from "../simulator/evaluate/index.ts";
import { syntheticChecks } from "../simulator/evaluate/synthetic.ts";
import { peers } from "../test/peers/index.ts";
import { accuracyPage } from "./accuracy-page.ts";
import type { Measured, RateRow, Tuned } from "./accuracy-sections.ts";
import { projectRoot, runMain } from "./files.ts";

export const PAGE = "docs/accuracy.md";
const TUNED = "tools/tuned-qrs.json";

/** The records that the page is of. */
export const RECORDS =
  "101 102 104 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split(" ");

/** What the tuning program left; null where it has not been run. */
export function readTuned(root: string): Tuned | null {
  const path = join(root, TUNED);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Tuned) : null;
}

/** What of the intervals is told: at every rate of the detector, without noise and with 20 uV RMS. */
export async function measureIntervals(): Promise<Measured["intervals"]> {
  const rows: Measured["intervals"][number][] = [];
  for (const rate of QRS_RATES) {
    for (const noise of [0, 0.02]) rows.push(await intervalErrors(rate, noise, createQrsDetector));
  }
  return rows;
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
  return { qrs, second, tuned: readTuned(projectRoot), rates, intervals, noise, rhythm, synthetic: syntheticChecks() };
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
