/** vitalwire evaluate rhythm: what the firmware makes of the beats, against annotated rhythms and reference beats. */
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import { evaluateRhythm, type FibrillationFigures, type RhythmDocument } from "../../simulator/evaluate/index.ts";
import { type EvaluateOptions, runEvaluation } from "./run.ts";
import { percent, table } from "./table.ts";

export async function evaluateRhythmCommand(options: EvaluateOptions): Promise<void> {
  await runEvaluation(
    options,
    "records",
    (onRecord) =>
      evaluateRhythm({
        dataFolder: options.data,
        referenceFolder: options.reference,
        lead: options.lead,
        rate: options.rate,
        detectorFactory: createQrsDetector,
        onRecord,
      }),
    describeRhythm,
  );
}

export function describeRhythm(document: RhythmDocument): string[] {
  const { annotated, heartRate } = document;
  const five = ({ auc, se, sp, windows, fibrillation }: FibrillationFigures) => [
    ...[auc === null ? "-" : auc.toFixed(4), percent(se), percent(sp)],
    ...[windows, fibrillation],
  ];
  const error = (value: number | null) => (value === null ? "-" : value.toFixed(3));
  const heads = ["AUC", "Se %", "Sp %", "windows", "of AF"];
  return [
    ...table([
      ["record", "AF s", "episodes", ...heads, "HR error", "shown"],
      ...document.records.map((row) => [
        ...[row.record, row.seconds, row.episodes, ...five(row.fibrillation)],
        ...[error(row.heartRate.beats.mae), error(row.heartRate.shown.mae)],
      ]),
    ]),
    "",
    ...table([
      ["atrial fibrillation", ...heads],
      ["own beats", ...five(document)],
      ["reference beats", ...five(document.reference)],
    ]),
    `${annotated.records} records have any, ${annotated.episodes} episodes, ${annotated.seconds} s: few people prove little`,
    "",
    ...table([
      ["heart rate over 10 s", "mean error 1/min", "shown %", "seconds"],
      ...(["beats", "shown"] as const).map((name) => {
        const { mae, coverage, seconds } = heartRate[name];
        return [name === "beats" ? "from own beats" : "as the meter shows it", error(mae), percent(coverage), seconds];
      }),
    ]),
    ...document.skipped.map(({ record, reason }) => `skipped ${record}: ${reason}`),
  ];
}
