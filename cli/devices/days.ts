/** How much of each day is here, as a table that a person reads at a glance. */
import { join } from "node:path";
import { type BootCoverage, type Coverage, compareDays, coverageOf, type DayCoverage } from "../../gateway/coverage.ts";
import type { Store } from "../../gateway/store/store.ts";
import { table as columns } from "../evaluate/table.ts";
import { readPublicKey } from "../keys.ts";
import { enrolledCards } from "./table.ts";

/** The document of `devices --days --json`. */
export interface DaysReport {
  /** In order of days, those without one last; of a day the device of which the least is here comes first. */
  readonly days: readonly DayCoverage[];
  readonly boots: readonly BootCoverage[];
}

const share = ({ received, expected }: Coverage) => (expected === 0 ? 1 : received / expected);

export function daysOf(folder: string, store: Store): DaysReport {
  const cards = enrolledCards(folder, store, readPublicKey(join(folder, "site.pub")));
  const reports = [...cards.values()].filter(({ role }) => role === "device").map(({ kid }) => coverageOf(store, kid));
  const order = (a: DayCoverage, b: DayCoverage) =>
    compareDays(a, b) || share(a) - share(b) || a.kid.localeCompare(b.kid);
  return {
    days: reports.flatMap(({ days }) => days).sort(order),
    boots: reports.flatMap(({ boots }) => boots).sort((a, b) => a.kid.localeCompare(b.kid) || a.boot - b.boot),
  };
}

export function printedDays({ days, boots }: DaysReport): string {
  if (days.length === 0) return "nothing was measured: the store has no data of an enrolled device\n";
  const lines = [
    ["day (UTC)", "device", "here", "expected", "received", "declared lost", "silent", "known to within"],
    ...days.map((row) => [
      row.day ?? "untimed",
      row.kid,
      // never rounded up: 100 % is all of it
      `${(Math.floor(share(row) * 10_000) / 100).toFixed(2)} %`,
      duration(row.expected),
      duration(row.received),
      duration(row.declared),
      duration(row.silent),
      duration(row.uncertain),
    ]),
  ];
  return `${[...columns(lines), ...notesOf(boots)].join("\n")}\n`;
}

/** What no figure has. */
function notesOf(boots: readonly BootCoverage[]): string[] {
  const unknown = new Map<string, number[]>();
  for (const { kid, boot, ends } of boots) {
    if (ends === "unknown") unknown.set(kid, [...(unknown.get(kid) ?? []), boot]);
  }
  return [...unknown].map(([kid, ended]) => {
    const [which, their] =
      ended.length === 1 ? [`boot ${ended[0]}`, "its end"] : [`${ended.length} boots`, "their ends"];
    return `${kid}: ${which} ended without a word; what is missing behind ${their} is in no figure`;
  });
}

/** "-", "3.2 s", "23:04:05". */
function duration(seconds: number): string {
  if (seconds === 0) return "-";
  if (seconds < 59.95) return `${Math.max(0.1, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
