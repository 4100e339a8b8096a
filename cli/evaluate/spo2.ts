/** vitalwire evaluate spo2: the firmware's own oximeter, and others beside it, on synthetic fingers and on recorded desaturation. */

import { statSync } from "node:fs";
import { createOximeter } from "../../firmware/dsp/ppg.ts";
import {
  type DesaturationRow,
  evaluateSpo2,
  type IncidentRow,
  type PhoneRow,
  RAMP,
  type Spo2Document,
  type Spo2Figures,
  type Spo2Result,
} from "../../simulator/evaluate/index.ts";
import { UsageError } from "../usage.ts";
import { report } from "./run.ts";
import { table } from "./table.ts";

export interface EvaluateSpo2Options {
  readonly data?: string;
  readonly compare?: boolean;
  readonly seed?: number;
  readonly json?: boolean;
}

/** Throws UsageError where `data` is no folder. */
export async function evaluateSpo2Command(options: EvaluateSpo2Options): Promise<void> {
  const { data } = options;
  if (data !== undefined && !statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(
      `${data}: no such folder; --data is a folder of phone recordings, without it only synthetic fingers are run`,
    );
  await report(options, "lights", describeSpo2, async (onPart) =>
    evaluateSpo2({
      dataFolder: data,
      meterFactory: (told) => createOximeter({ ...told, calibration: null }),
      peers: options.compare ? (await import("../../test/peers/ppg-oximeters.ts")).oximeterPeers : undefined,
      seed: options.seed,
      onPart,
    }),
  );
}

const points = (value: number | null) => (value === null ? "-" : value.toFixed(2));
const percent = (value: number) => value.toFixed(1);
const figures = ({ arms, bias, worst, shown, longestBlank }: Spo2Figures) => [
  ...[points(arms), points(bias), points(worst)],
  ...[percent(shown), longestBlank],
];
const heads = ["error", "bias", "worst", "shown %", "blank s"];

export function describeSpo2(document: Spo2Document): string[] {
  const { from, fall, recovery, high, low } = RAMP;
  const { phone } = document;
  return [
    document.figure,
    ...sweepTable(document),
    "",
    `desaturation from ${high} to ${low} % in ${fall} s and back in ${recovery} s, from ${from} s on`,
    ...desaturationTable(document.desaturation),
    "",
    ...incidentTable(document.incidents),
    ...(phone === undefined
      ? []
      : [
          "",
          "phone recordings: line and lag fitted on the first half, the rest of the second half",
          "frame 0 is taken for the first second of the oximeters; the line is drawn beyond what it was fitted to",
          ...phoneTable(phone),
        ]),
    ...comparison(document),
    "",
    "error: root mean square where a value is shown; shown: seconds with a value; blank: the longest time without one",
    ...Object.entries(document.conditions).map(([condition, words]) => `${condition}: ${words}`),
    ...(document.peers ?? []).map(({ name, source }) => `${name}: ${source}`),
  ];
}

const sweepTable = (result: Spo2Result) => [
  ...table([
    ["disturbance", "perfusion %", ...heads],
    ...result.rows.map((row) => [row.condition, row.perfusionIndex, ...figures(row)]),
    ["all", "", ...figures(result)],
  ]),
  "",
  ...table([["true SpO2 %", ...heads], ...result.levels.map((row) => [row.spo2, ...figures(row)])]),
];

const desaturationTable = (rows: readonly DesaturationRow[]) =>
  table([
    ["disturbance", "perfusion %", "delay s", "error then", "error at once", "shown %", "blank s", "below 90 after s"],
    ...rows.map((row) => [
      ...[row.condition, row.perfusionIndex, row.delay?.toFixed(1) ?? "-", points(row.rms), points(row.rmsAtOnce)],
      ...[percent(row.shown), row.longestBlank, row.below90?.toFixed(0) ?? "-"],
    ]),
  ]);

const incidentTable = (rows: readonly IncidentRow[]) =>
  table([
    ["what happens", "perfusion %", "error", "worst", "shown during %", "after %", "back after s"],
    ...rows.map((row) => [
      ...[row.incident, row.perfusionIndex, points(row.rms), points(row.worst)],
      ...[row.shownDuring === null ? "-" : percent(row.shownDuring), percent(row.shownAfter)],
      row.back?.toFixed(1) ?? "-",
    ]),
  ]);

const phoneTable = (rows: readonly PhoneRow[]) =>
  table([
    [
      ...[
        "recording",
        "R of",
        "R shown %",
        "lag s",
        "fitted: error",
        "r",
        "then: error",
        "bias",
        "shown %",
        "blank s",
        "r",
      ],
      ...["best lag s", "error of the mean"],
    ],
    ...rows.map((row) => [
      ...[
        row.record,
        row.channels,
        percent(row.ratioShown),
        row.lag ?? "-",
        points(row.fittedRms),
        points(row.fittedCorrelation),
      ],
      ...[points(row.rms), points(row.bias), percent(row.shown), row.longestBlank, points(row.correlation)],
      ...[row.bestLag ?? "-", points(row.constantRms)],
    ]),
  ]);

/** Two numbers of each oximeter, row by row: nothing where there are no others. */
function comparison(document: Spo2Document): string[] {
  if (document.peers === undefined) return [];
  const results: readonly Spo2Result[] = [document, ...document.peers];
  const names = ["vitalwire", ...document.peers.map(({ name }) => name)];
  const lines = (title: string, rowsOf: (result: Spo2Result) => (string | number)[][]) => {
    const columns = results.map(rowsOf);
    return [
      "",
      ...table([
        [title, "", ...names],
        ...columns[0]!.map((row, at) => [row[0]!, row[1]!, ...columns.map((rows) => rows[at]![2]!)]),
      ]),
    ];
  };
  return [
    ...lines("error (shown %)", ({ rows, ...all }) =>
      [...rows, { condition: "all", perfusionIndex: "", ...all }].map((row) => [
        ...[row.condition, row.perfusionIndex, `${points(row.arms)} (${percent(row.shown)})`],
      ]),
    ),
    ...lines("desaturation: error (delay s)", ({ desaturation }) =>
      desaturation.map((row) => [
        ...[row.condition, row.perfusionIndex, `${points(row.rms)} (${row.delay?.toFixed(1) ?? "-"})`],
      ]),
    ),
    ...lines("what happens: error, worst", ({ incidents }) =>
      incidents.map((row) => [...[row.incident, row.perfusionIndex, `${points(row.rms)}, ${points(row.worst)}`]]),
    ),
    ...(document.phone === undefined
      ? []
      : lines("phone: error (r)", ({ phone = [] }) =>
          phone.map((row) => [...[row.record, row.channels, `${points(row.rms)} (${points(row.correlation)})`]]),
        )),
  ];
}
