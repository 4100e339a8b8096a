/** vitalwire evaluate rhythm: what the firmware makes of the beats, against annotated rhythms and reference beats. */
import {
  type EventFigures,
  evaluateRhythm,
  type FibrillationFigures,
  type RhythmDocument,
} from "../../simulator/evaluate/index.ts";
import { type EvaluateOptions, runEvaluation } from "./run.ts";
import { percent, table } from "./table.ts";

export const evaluateRhythmCommand = (options: EvaluateOptions): Promise<void> =>
  runEvaluation(options, "records", evaluateRhythm, describeRhythm);

export function describeRhythm(document: RhythmDocument): string[] {
  const { annotated, events, heartRate, quality } = document;
  const five = ({ auc, se, sp, windows, fibrillation }: FibrillationFigures) => [
    ...[auc === null ? "-" : auc.toFixed(4), percent(se), percent(sp)],
    ...[windows, fibrillation],
  ];
  const error = (value: number | null) => (value === null ? "-" : value.toFixed(3));
  const event = ({ se, ppv, reference }: EventFigures) => [percent(se), percent(ppv), reference];
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
      ...(document.peers ?? []).map((peer) => [`beats of ${peer.name}`, ...five(peer)]),
    ]),
    `${annotated.records} records have any, ${annotated.episodes} episodes, ${annotated.seconds} s: few people prove little`,
    "",
    ...table([
      ["heart rate over 10 s", "mean error 1/min", "shown %", "seconds"],
      ...(["beats", "shown"] as const).map((name) => {
        const { mae, coverage, seconds } = heartRate[name];
        return [name === "beats" ? "from own beats" : "as it is shown", error(mae), percent(coverage), seconds];
      }),
    ]),
    "",
    ...table([
      ["", "Se %", "+P %", "in the reference"],
      ["pause of 3 s and more, shown", ...event(events.pause)],
      ["below 50/min, s, from own beats", ...event(events.bradycardia.beats)],
      ["below 50/min, s, shown", ...event(events.bradycardia.shown)],
      ["above 100/min, s, from own beats", ...event(events.tachycardia.beats)],
      ["above 100/min, s, shown", ...event(events.tachycardia.shown)],
    ]),
    "",
    `signal quality: AUC ${error(quality.auc)} over ${quality.windows} windows of 10 s, ${quality.wrong} with a wrong beat; ` +
      `${percent(quality.good)} % are good, DER there ${percent(quality.derWhereGood)} % of ${percent(quality.der)} %`,
    ...document.skipped.map(({ record, reason }) => `skipped ${record}: ${reason}`),
  ];
}
