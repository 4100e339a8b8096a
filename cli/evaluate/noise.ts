/** vitalwire evaluate noise: the firmware's own beat detector, and others beside it, on recordings with noise mixed in. */
import { evaluateNoise, type NoiseDocument, type NoiseFigures } from "../../simulator/evaluate/index.ts";
import { type EvaluateOptions, runEvaluation } from "./run.ts";
import { percent, table } from "./table.ts";

export const evaluateNoiseCommand = (options: EvaluateOptions): Promise<void> =>
  runEvaluation(options, "mixtures", evaluateNoise, describeNoise);

export function describeNoise(document: NoiseDocument): string[] {
  const four = ({ se, ppv, noisy }: NoiseFigures) => [se, ppv, noisy.se, noisy.ppv].map(percent);
  const heads = ["noise", "dB", "Se %", "+P %", "noisy Se", "noisy +P"];
  const results = [{ name: "vitalwire", gross: document.gross }, ...(document.peers ?? [])];
  return [
    ...table([["record", ...heads], ...document.rows.map((row) => [row.record, row.noise, row.snr, ...four(row)])]),
    "",
    ...table([
      ["gross", ...heads],
      ...results.flatMap(({ name, gross }) => gross.map((row) => [name, row.noise, row.snr, ...four(row)])),
    ]),
    "",
    `Se and +P ${document.scored}`,
    ...(document.missing.length === 0 ? [] : [`not there: ${document.missing.join(", ")}`]),
    ...(document.peers ?? []).map(({ name, source }) => `${name}: ${source}`),
  ];
}
