/** The report of a soak, for a person to read. */
import type { Finding } from "../../simulator/soak/vitals.ts";
import type { BoardReport } from "./board.ts";
import type { SoakReport } from "./report.ts";

const FLAGS = [
  "settling",
  "off body",
  "lead off",
  "motion",
  "low perfusion",
  "saturated",
  "bus fault",
  "test signal",
  "LED changed",
  "clock",
  "uncalibrated",
];

const group = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, " ");
const percent = (part: number, whole: number) => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`);

function table(lines: readonly (readonly (string | number)[])[]): string[] {
  const text = lines.map((line) => line.map((cell) => (typeof cell === "number" ? group(cell) : cell)));
  const widths = text[0].map((_, column) => Math.max(...text.map((line) => line[column].length)));
  return text.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}

const most = (counts: Record<string, number>, name: (key: string) => string): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([key, count]) => `${name(key)} ${group(count)}`)
    .join(", ");

/** "null 1032" as words. */
function flagWords(key: string): string {
  if (key === "missing") return key;
  const flags = Number(key.replace("null ", ""));
  const words = FLAGS.filter((_, bit) => ((flags >> bit) & 1) !== 0).join("+") || "no flag";
  return key.startsWith("null") ? words : `value, ${words}`;
}

/** Of each sort, how many on how many boards, and the first one. */
function findingLines(boards: readonly BoardReport[]): string[] {
  const sorts = new Map<string, { count: number; boards: number; first: string }>();
  for (const { board, findings } of boards) {
    for (const { what, why, kind, count, examples } of findings) {
      const sort = `${what} ${why}, ${kind}`;
      const before = sorts.get(sort);
      const first = before?.first ?? exampleOf(board, examples[0]);
      sorts.set(sort, { count: (before?.count ?? 0) + count, boards: (before?.boards ?? 0) + 1, first });
    }
  }
  return [...sorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([sort, one]) => `${sort}: ${group(one.count)}, on ${one.boards} of ${boards.length} boards; ${one.first}`);
}

function exampleOf(board: number, { at, value, truth, faults }: Finding): string {
  const near = truth === null ? "" : `, true ${truth.toFixed(1)}`;
  return `board ${board} at ${at.toFixed(3)} s: ${Number(value.toFixed(2))}${near} (${faults || "no fault near"})`;
}

/** `seconds`: of real time. */
export function tableOf(
  boards: readonly BoardReport[],
  report: SoakReport,
  options: { readonly seed: number; readonly seconds: number },
): string {
  const { messages } = report;
  const occurrences = report.kinds.reduce((sum, one) => sum + one.occurrences, 0);
  return [
    `${boards.length} boards, ${(boards[0].seconds / 3600).toFixed(2)} h of virtual time each, seed ${options.seed}: ${group(occurrences)} faults`,
    "",
    ...table([
      ["vital", "values", "good", "false good", "wrong", "no patient", "unheard", "clean", "false bad", ""],
      ...report.vitals.map((one) => [
        one.vital,
        one.values,
        one.good,
        one.wrong + one.absent + one.unheard,
        one.wrong,
        one.absent,
        one.unheard,
        one.clean,
        one.falseBad,
        percent(one.falseBad, one.clean),
      ]),
    ]),
    ...report.vitals
      .filter(({ wrong, absent, unheard }) => wrong + absent + unheard > 0)
      .map(({ vital, during }) => `  ${vital} false good after: ${most(during, (key) => key)}`),
    ...report.vitals
      .filter(({ stuckRight }) => stuckRight > 0)
      .map(
        ({ vital, stuckRight }) =>
          `  ${vital} good of a stuck converter, and right within its tolerance: ${group(stuckRight)}, not counted as false: skin at rest looks the same`,
      ),
    ...report.vitals
      .filter(({ heldBack }) => heldBack > 0)
      .map(
        ({ vital, heldBack, clean }) =>
          `  ${vital} held back after swapped LEDs, until the chip is opened again: ${group(heldBack)} (${percent(heldBack, clean)}), beside false bad`,
      ),
    ...report.vitals
      .filter(({ falseBad }) => falseBad > 0)
      .map(({ vital, flags }) => `  ${vital} false bad: ${most(flags, flagWords)}`),
    "",
    ...table([
      [
        "samples",
        "stored",
        "declared",
        "silent",
        "wrong",
        "misplaced",
        "twice",
        "no flag",
        "in latency",
        "clean",
        "flagged",
        "",
        "time off ms",
      ],
      ...report.channels.map((one) => [
        one.channel,
        one.stored,
        one.declared,
        one.silent,
        one.wrong,
        one.misplaced,
        one.duplicates,
        one.falseGood,
        one.late,
        one.clean,
        one.cleanFlagged,
        percent(one.cleanFlagged, one.clean),
        one.timing === null ? "-" : (one.timing / 1000).toFixed(1),
      ]),
    ]),
    "",
    ...table([
      ["fault", "times", "back", "median s", "max s", "samples", "flagged", "", "no flag", "in latency"],
      ...report.kinds.map(({ kind, occurrences: times, recovery, samples, falseGood, late }) => [
        kind,
        times,
        recovery?.count ?? "-",
        recovery?.median.toFixed(3) ?? "-",
        recovery?.max.toFixed(3) ?? "-",
        samples?.count ?? "-",
        samples?.flagged ?? "-",
        samples === null ? "-" : percent(samples.flagged, samples.count),
        samples === null ? "-" : falseGood,
        samples === null ? "-" : late,
      ]),
    ]),
    "",
    `${report.givenUp} times a sensor was given up`,
    `${group(messages.sealed)} messages sealed, ${messages.missing} missing, ${messages.disowned} disowned, ${messages.refused} damaged lines; ` +
      `${report.overlapped} recoveries overlapped by another fault`,
    `SHA-256 of what was sealed ${report.hash}`,
    ...findingLines(boards).map((line) => `found: ${line}`),
    `${options.seconds.toFixed(1)} s of real time`,
    ...report.failures.map((failure) => `NOT MET: ${failure}`),
    ...(report.failures.length === 0
      ? ["no value is told as good that could not be, no loss is silent, every sensor was back within 5 s"]
      : []),
    "",
  ].join("\n");
}
