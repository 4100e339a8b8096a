/**
 * A measured day of an outbox in flash: boards down to their chips' registers, in virtual time, that nobody hears; what their
 * log writes and erases, held against the arithmetic of firmware/forecast.ts and of the log's layout; what follows for two
 * weeks on an 8 GB card, for flash wear, and for how long each board holds.
 *
 *   node --import tsx tools/outbox-day.ts [--hours 24] [--profile lead,full] [--rate 128,256] [--period 1000,10000]
 *     [--seal mac,sign] [--codec rice] [--pages 128] [--online 10000,60000] [--record PATH] [--json]
 *   node --import tsx tools/outbox-day.ts --from FILE …
 *
 * Lists are all run, in every combination; a full board has its ECG at 256 Hz. --pages: a log of so many pages of 4096 bytes,
 * which may be too small; without it all fits. --online: a gateway hears, and what is marked is measured, with a mark at least
 * so often, ms. --record: a WFDB record's first signal instead of a computed ECG. --json: the days, one a line; --from: tables
 * of days that were kept so.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Codec } from "../firmware/packer.ts";
import { millivolts, readRecordSync } from "../formats/index.ts";
import type { Recording } from "../simulator/node.ts";
import type { Profile } from "./outbox-day/board.ts";
import { type DaySettings, type Measured, measureOffline, measureOnline } from "./outbox-day/measure.ts";
import { report } from "./outbox-day/tables.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hours: { type: "string", default: "24" },
    profile: { type: "string", default: "lead,full" },
    rate: { type: "string", default: "128,256" },
    period: { type: "string", default: "1000,10000" },
    seal: { type: "string", default: "mac,sign" },
    codec: { type: "string", default: "rice" },
    pages: { type: "string" },
    online: { type: "string" },
    record: { type: "string" },
    json: { type: "boolean", default: false },
    from: { type: "boolean", default: false },
  },
});
/** A board that is marked in a day with a gateway has this much flash. */
const ONLINE_PAGES = 64;
const WRITE_AFTER = 30_000;
const MARK_EVERY = 10_000;

function refuse(what: string): never {
  process.stderr.write(`${what}\n`);
  process.exit(2);
}
function list<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map((one) => {
    if (!known.includes(one as T)) refuse(`--${name} ${one}: choose of ${known.join(", ")}`);
    return one as T;
  });
}
const above = (name: string, text: string): number => {
  const value = Number(text);
  return value > 0 ? value : refuse(`--${name} ${text}: give a number above 0`);
};

function played(path: string): Recording {
  const { rate, signals } = readRecordSync(path);
  const samples = millivolts(signals[0]);
  const looped = new Float64Array(samples.length + 1);
  looped.set(samples);
  looped[samples.length] = samples[0];
  return { millivolts: looped, rate, period: samples.length / rate };
}

function settingsOf(): DaySettings[] {
  const recording = values.record === undefined ? null : played(values.record);
  const common = {
    writeAfter: 0,
    markEvery: MARK_EVERY,
    ...(recording && { recording, record: basename(values.record!) }),
  };
  const hours = above("hours", values.hours);
  const pages = values.pages === undefined ? null : above("pages", values.pages);
  const codecs = list<Codec>("codec", values.codec, ["raw24", "delta", "rice"]);
  const periods = values.period.split(",").map((one) => above("period", one));
  const all: DaySettings[] = [];
  for (const profile of list<Profile>("profile", values.profile, ["lead", "raw", "full"]))
    for (const rate of profile === "lead" ? list("rate", values.rate, ["128", "256"]) : ["256"])
      for (const mode of list("seal", values.seal, ["mac", "sign"]))
        for (const period of periods)
          for (const codec of codecs) {
            const of = { profile, rate: Number(rate) as 128 | 256, mode, packet: { period, codec } };
            all.push({ ...common, ...of, hours, pages });
          }
  return all;
}

function run(): Measured[] {
  return settingsOf().flatMap((settings) => {
    const marks = values.online?.split(",").map((one) => above("online", one));
    const days = marks?.map((markEvery) =>
      measureOnline({ ...settings, pages: settings.pages ?? ONLINE_PAGES, writeAfter: WRITE_AFTER, markEvery }),
    ) ?? [measureOffline(settings)];
    if (values.json) for (const day of days) process.stdout.write(`${JSON.stringify(day)}\n`);
    return days;
  });
}

function kept(paths: readonly string[]): Measured[] {
  const lines = paths.flatMap((path) => readFileSync(path, "utf8").split("\n"));
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Measured);
}

const days = values.from ? kept(positionals) : run();
if (!values.json) process.stdout.write(report(days));
