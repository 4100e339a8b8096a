/** vitalwire evaluate spo2: the firmware's own oximeter, and others beside it, on synthetic fingers and on recorded desaturation. */

import { statSync } from "node:fs";
import { createOximeter } from "../../firmware/dsp/ppg.ts";
import {
  type DesaturationRow,
  evaluateSpo2,
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
      meterFactory: (told) => createOximeter({ ...told, curve: null }),
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
  const results: [string, Spo2Result][] = [["vitalwire", document]];
  for (const peer of document.peers ?? []) results.push([peer.name, peer]);
  const several = results.length > 1;
  /** A table for each oximeter, one under the other. */
  const each = (lines: (result: Spo2Result) => string[]) =>
    results.flatMap(([name, result]) => [...(several ? [`${name}:`] : []), ...lines(result), ""]);
  const { from, fall, recovery, high, low } = RAMP;
  return [
    document.figure,
    ...each(sweepTable),
    ...table([["all", ...heads], ...results.map(([name, result]) => [name, ...figures(result)])]),
    "",
    `desaturation from ${high} to ${low} % in ${fall} s and back in ${recovery} s, from ${from} s on`,
    ...each(({ desaturation }) => desaturationTable(desaturation)),
    ...(document.phone === undefined
      ? []
      : [
          "phone recordings: line and lag fitted on the first half, all else of the second half; frame 0 at the oximeters' first second",
          ...each(({ phone = [] }) => phoneTable(phone)),
        ]),
    "error: root mean square where a value is shown; shown: seconds with a value; blank: the longest time without one",
    ...Object.entries(document.conditions).map(([condition, words]) => `${condition}: ${words}`),
    ...(document.peers ?? []).map(({ name, source }) => `${name}: ${source}`),
  ];
}

const sweepTable = ({ rows, levels }: Spo2Result) => [
  ...table([
    ["disturbance", "perfusion %", ...heads],
    ...rows.map((row) => [row.condition, row.perfusionIndex, ...figures(row)]),
  ]),
  ...table([["true SpO2", "", ...heads], ...levels.map((row) => [row.spo2, "", ...figures(row)])]),
];

const desaturationTable = (rows: readonly DesaturationRow[]) =>
  table([
    ["disturbance", "perfusion %", "delay s", "error then", "error at once", "shown %", "blank s", "below 90 after s"],
    ...rows.map((row) => [
      ...[row.condition, row.perfusionIndex, row.delay?.toFixed(1) ?? "-", points(row.rms), points(row.rmsAtOnce)],
      ...[percent(row.shown), row.longestBlank, row.below90?.toFixed(0) ?? "-"],
    ]),
  ]);

const phoneTable = (rows: readonly PhoneRow[]) =>
  table([
    [
      ...["recording", "R of", "lag s", "fitted: error", "r", "second half: error", "bias", "shown %", "blank s", "r"],
      ...["best lag s", "mean instead: error"],
    ],
    ...rows.map((row) => [
      ...[row.record, row.channels, row.lag ?? "-", points(row.fittedRms), points(row.fittedCorrelation)],
      ...[points(row.rms), points(row.bias), percent(row.shown), row.longestBlank, points(row.correlation)],
      ...[row.bestLag ?? "-", points(row.constantRms)],
    ]),
  ]);
