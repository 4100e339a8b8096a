/**
 * vitalwire evaluate pulse: the firmware's own pulses, and others beside them, against the ECG recorded beside them; where a
 * bedside monitor was recorded too, the estimate of respiration against its count.
 */
import { statSync } from "node:fs";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import {
  evaluatePulse,
  evaluateRespiration,
  type PulseDocument,
  type PulseRateFigures,
  type PulseResult,
  type RespirationDocument,
} from "../../simulator/evaluate/index.ts";
import { UsageError } from "../usage.ts";
import { describeRespiration } from "./respiration.ts";
import { report } from "./run.ts";
import { percent, table } from "./table.ts";

export interface EvaluatePulseOptions {
  readonly data: string;
  readonly compare?: boolean;
  readonly json?: boolean;
}

/** `respiration` where there are numerics of a bedside monitor (bidmc.ts). */
export interface EvaluatePulseDocument extends PulseDocument {
  readonly respiration?: RespirationDocument;
}

/** Throws UsageError where `data` is no folder. */
export async function evaluatePulseCommand(options: EvaluatePulseOptions): Promise<void> {
  if (!statSync(options.data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(
      `${options.data}: no such folder; --data is a folder of BIDMC recordings (bidmc_01.csv.gz or bidmc_01_Signals.csv)`,
    );
  const { createHamiltonDetector } = await import("../../test/peers/hamilton.ts");
  const peers = options.compare ? (await import("../../test/peers/ppg-pulses.ts")).pulsePeers : undefined;
  await report(options, "recordings", describePulse, async (onPart): Promise<EvaluatePulseDocument> => {
    const dataFolder = options.data;
    const references = [createQrsDetector, createHamiltonDetector] as const;
    const pulse = await evaluatePulse({ dataFolder, references, peers, onPart });
    if (pulse.monitor === null) return pulse;
    return { ...pulse, respiration: await evaluateRespiration({ dataFolder, onPart }) };
  });
}

const tenth = (value: number | null) => (value === null ? "-" : value.toFixed(1));
const both = ({ mae, coverage }: PulseRateFigures) => [percent(mae), percent(coverage)];

export function describePulse(document: EvaluatePulseDocument): string[] {
  const results: [string, PulseResult][] = [["vitalwire", document]];
  for (const peer of document.peers ?? []) results.push([peer.name, peer]);
  const { quality, respiration } = document;
  const without = document.records.filter(({ seconds }) => seconds === 0).map(({ record }) => record);
  return [
    ...table([
      ["recording", "beats", "tp", "fn", "fp", "F1 %", "delay ms", "excluded s", "error 1/min", "shown %", "seconds"],
      ...document.records.map((row) => [
        ...[row.record, row.beats, row.tp, row.fn, row.fp, percent(row.f1), row.delay, tenth(row.excluded)],
        ...[...both(row), row.seconds],
      ]),
    ]),
    "",
    ...table([
      ["beats, gross", "Se %", "+P %", "F1 %", "beats", "mean ms"],
      ...results.map(([name, { beats, latency }]) => [
        ...[name, percent(beats.se), percent(beats.ppv), percent(beats.f1), beats.beats, tenth(latency)],
      ]),
    ]),
    "",
    ...table([
      ["pulse rate over 10 s", "error 1/min", "shown %"],
      [`vitalwire, quality ${document.gate} and better`, ...both(document)],
      ["vitalwire, the oximeter", ...both(document.oximeter)],
      ...results.flatMap(([name, { ungated, vitals }]) => [
        [`${name}, all`, ...both(ungated)],
        [`${name}, as a vital sign`, ...both(vitals)],
      ]),
      ...(document.monitor === null ? [] : [["the bedside monitor", ...both(document.monitor)]]),
    ]),
    "",
    `quality: AUC ${percent(quality.auc)} over ${quality.windows} windows of 10 s, ${quality.wrong} with a wrong beat; ` +
      `${percent(quality.good)} % are at 50 and better, DER there ${percent(quality.derWhereGood)} % of ${percent(quality.der)} %`,
    `reference: R peaks of lead II on which two detectors agree within 50 ms; ${tenth(document.excluded)} s excluded where ` +
      `they do not; ${document.seconds} s have a reference rate, the median RR of the 10 s before`,
    ...(without.length === 0 ? [] : [`no second with a reference rate: ${without.join(", ")}`]),
    ...(document.peers ?? []).map(({ name, source }) => `${name}: ${source}`),
    ...(respiration === undefined ? [] : ["", ...describeRespiration(respiration)]),
  ];
}
