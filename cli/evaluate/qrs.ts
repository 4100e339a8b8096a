/** vitalwire evaluate qrs: the firmware's own beat detector, and others beside it, against reference annotations. */
import {
  evaluateQrs,
  type Latency,
  type QrsDocument,
  type QrsResult,
  type Statistics,
} from "../../simulator/evaluate/index.ts";
import { type EvaluateOptions, runEvaluation } from "./run.ts";
import { percent, table } from "./table.ts";

export const evaluateQrsCommand = (options: EvaluateOptions): Promise<void> =>
  runEvaluation(options, "records", evaluateQrs, describeQrs);

const three = ({ se, ppv, der }: Statistics) => [percent(se), percent(ppv), percent(der)];
const milliseconds = (value: number | null) => (value === null ? "-" : value.toFixed(1));
const times = ({ mean, p99, late }: Latency) => [milliseconds(mean), milliseconds(p99), late];

export function describeQrs(document: QrsDocument): string[] {
  const rows = document.records.map(({ fromFiveMinutes: later, ...row }) => [
    ...[row.record, row.lead, row.rate, row.detectorRate, row.beats, row.tp, row.fn, row.fp, row.late],
    ...[later.beats, later.tp, later.fn, later.fp],
  ]);
  const results: [string, QrsResult][] = [["vitalwire", document]];
  for (const peer of document.peers ?? []) results.push([peer.name, peer]);
  const heads = ["Se %", "+P %", "DER %", "Se 5:00", "+P 5:00", "DER 5:00"];
  const summary = (name: keyof Pick<QrsResult, "gross" | "average" | "prompt">) =>
    results.map(([who, result]) => [who, ...three(result[name].whole), ...three(result[name].fromFiveMinutes)]);
  return [
    ...table([
      ["record", "lead", "hz", "run at", "beats", "tp", "fn", "fp", "late", "from 5:00", "tp", "fn", "fp"],
      ...rows,
    ]),
    "",
    ...table([
      ["gross", ...heads, "mean ms", "p99 ms", "late"],
      ...summary("gross").map((row, at) => [...row, ...times(results[at]![1].latency)]),
      ["average", ...heads],
      ...summary("average"),
      ["gross, without late beats", ...heads],
      ...summary("prompt"),
    ]),
    "",
    "from R peak to emission: mean and 99th percentile of beats emitted within 1 s; late: those after it",
    ...document.skipped.map(({ record, reason }) => `skipped ${record}: ${reason}`),
    ...(document.peers ?? []).map(({ name, source }) => `${name}: ${source}`),
  ];
}
