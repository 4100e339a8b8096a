/** The tables of docs/accuracy.md on SpO2: pure, the same text for the same figures. */
import type { PhoneRow, Spo2Document, Spo2Figures, Spo2Result, Spo2Sweep } from "../simulator/evaluate/index.ts";
import { type Cell, fixed, table } from "./accuracy-sections.ts";

const points = (value: number | null) => fixed(value, 2);
const share = (value: number | null) => fixed(value, 1);

const HEADS = ["error", "bias", "worst", "shown, % of seconds", "longest blank, s"];
const five = ({ arms, bias, worst, shown, longestBlank }: Spo2Figures): Cell[] => [
  ...[points(arms), points(bias), points(worst)],
  ...[share(shown), longestBlank],
];

/** By disturbance and perfusion, with the error on other beats, motion and noise; by true SpO2; what happens to a finger. */
export function spo2Section(
  document: Spo2Document,
  other: { readonly seed: number; readonly sweep: Spo2Sweep },
): string[] {
  return [
    ...table(
      ["disturbance", "perfusion %", ...HEADS, `error with seed ${other.seed}`, "shown %"],
      [
        ...document.rows.map((row, at): Cell[] => {
          const again = other.sweep.rows[at]!;
          return [row.condition, row.perfusionIndex, ...five(row), points(again.arms), share(again.shown)];
        }),
        ["all", "", ...five(document), points(other.sweep.arms), share(other.sweep.shown)],
      ],
    ),
    "",
    ...Object.entries(document.conditions).map(([condition, words]) => `- ${condition}: ${words}.`),
    "",
    ...table(
      ["true SpO2 %", ...HEADS],
      document.levels.map((row) => [row.spo2, ...five(row)]),
    ),
  ];
}

export function desaturationSection({ desaturation }: Spo2Result): string[] {
  return table(
    [
      ...["disturbance", "perfusion %", "delay, s", "error at that delay", "error at once"],
      ...["shown, % of seconds", "longest blank, s", "below 90 shown after, s at most"],
    ],
    desaturation.map((row): Cell[] => [
      ...[row.condition, row.perfusionIndex, fixed(row.delay, 1), points(row.rms), points(row.rmsAtOnce)],
      ...[share(row.shown), row.longestBlank, row.below90 === null ? "not in every run" : fixed(row.below90, 0)],
    ]),
  );
}

export function incidentsSection({ incidents }: Spo2Result): string[] {
  return table(
    [
      ...["what happens", "perfusion %", "error", "worst", "shown while it lasts, %", "shown after it, %"],
      "first shown after it, s at most",
    ],
    incidents.map((row): Cell[] => [
      ...[row.incident, row.perfusionIndex, points(row.rms), points(row.worst), share(row.shownDuring)],
      ...[share(row.shownAfter), row.back === null ? "not in every run" : fixed(row.back, 1)],
    ]),
  );
}

/** Two numbers of each oximeter, row by row. */
export function spo2PeersSection(document: Spo2Document): string[] {
  const { peers = [] } = document;
  const results: readonly Spo2Result[] = [document, ...peers];
  const names = ["vitalwire", ...peers.map(({ name }) => name)];
  /** The row `at` of each. */
  const rows = <R>(of: (result: Spo2Result) => readonly R[], about: (row: R) => Cell[], say: (row: R) => string) =>
    of(document).map((row, at): Cell[] => [...about(row), ...results.map((result) => say(of(result)[at]!))]);
  const figures = ({ arms, shown }: Spo2Figures) => `${points(arms)} (${share(shown)})`;
  return [
    ...table(
      ["error (shown, %)", "perfusion %", ...names],
      [
        ...rows(
          (result) => result.rows,
          (row) => [row.condition, row.perfusionIndex],
          figures,
        ),
        ["all", "", ...results.map(figures)],
      ],
    ),
    "",
    ...table(
      ["fall: error (delay, s)", "perfusion %", ...names],
      rows(
        (result) => result.desaturation,
        (row) => [row.condition, row.perfusionIndex],
        (row) => `${points(row.rms)} (${fixed(row.delay, 1)})`,
      ),
    ),
    "",
    ...table(
      ["what happens: error (worst)", "perfusion %", ...names],
      rows(
        (result) => result.incidents,
        (row) => [row.incident, row.perfusionIndex],
        (row) => `${points(row.rms)} (${points(row.worst)})`,
      ),
    ),
    "",
    ...peers.map(({ name, source }) => `- ${name}: ${source}.`),
  ];
}

const range = (values: readonly [number, number] | null) =>
  values?.map((value) => value.toFixed(0)).join(" to ") ?? "-";
const line = ({ constant, slope }: PhoneRow) =>
  constant === null || slope === null
    ? "none: hardly an R"
    : `${constant.toFixed(1)} ${slope < 0 ? "-" : "+"} ${Math.abs(slope).toFixed(1)} R`;

/** Every recording with both pairs of colours: what was fitted on its first half, and what that is worth on the second. */
export function phoneSection(phone: readonly PhoneRow[]): string[] {
  return [
    ...table(
      [
        ...["first half", "R of", "R shown, % of all seconds", "SpO2 there %", "line fitted"],
        ...["lag fitted, s", "error", "correlation"],
      ],
      phone.map((row): Cell[] => [
        ...[row.record, row.channels, share(row.ratioShown), range(row.firstRange), line(row)],
        ...[row.lag, points(row.fittedRms), points(row.fittedCorrelation)],
      ]),
      2,
    ),
    "",
    ...table(
      [
        ...["second half", "R of", "SpO2 there %", "error", "bias", "shown, % of seconds", "longest blank, s"],
        ...["correlation", "lag that fits best, s", "error of the first half's mean"],
      ],
      phone.map((row): Cell[] => [
        ...[row.record, row.channels, range(row.secondRange), points(row.rms), points(row.bias), share(row.shown)],
        ...[row.longestBlank, points(row.correlation), row.bestLag, points(row.constantRms)],
      ]),
      2,
    ),
  ];
}

/** The others on the same recordings. */
export function phonePeersSection({ phone = [], peers = [] }: Spo2Document): string[] {
  return table(
    ["second half: error (shown, %; correlation)", "R of", "vitalwire", ...peers.map(({ name }) => name)],
    phone.map((row, at): Cell[] => [
      ...[row.record, row.channels],
      ...[row, ...peers.map((peer) => peer.phone![at]!)].map(
        ({ rms, shown, correlation }) => `${points(rms)} (${share(shown)}; ${points(correlation)})`,
      ),
    ]),
    2,
  );
}
