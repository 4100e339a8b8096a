/** vitalwire evaluate: the firmware's own detectors against reference recordings. */
import { createQrsDetector } from "../firmware/dsp/qrs.ts";
import { evaluateQrs } from "../simulator/evaluate/index.ts";

interface EvaluateOptions {
  readonly data: string;
  readonly reference?: string;
  readonly lead: number;
  readonly json?: boolean;
}

export async function evaluateQrsCommand(options: EvaluateOptions): Promise<void> {
  const document = await evaluateQrs({
    dataFolder: options.data,
    referenceFolder: options.reference,
    lead: options.lead,
    detectorFactory: createQrsDetector,
    onRecord: (done, total) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done}/${total} records${done === total ? "\n" : ""}`);
    },
  });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  const lines = ["record                 lead  rate   beats     tp    fn    fp"];
  for (const row of document.records) {
    const numbers = [row.lead, row.rate, row.beats, row.tp, row.fn, row.fp].map((value, i) =>
      String(value).padStart([4, 5, 7, 6, 5, 5][i]),
    );
    lines.push(`${row.record.padEnd(22)} ${numbers.join(" ")}`);
  }
  const { whole, fromFiveMinutes } = document.gross;
  lines.push(`gross, whole             Se ${whole.se} %  +P ${whole.ppv} %  DER ${whole.der} %`);
  lines.push(
    `gross, from five minutes Se ${fromFiveMinutes.se} %  +P ${fromFiveMinutes.ppv} %  DER ${fromFiveMinutes.der} %`,
  );
  const { mean, p99, late } = document.latency;
  lines.push(`from R peak to emission: mean ${mean} ms, p99 ${p99} ms; ${late} beats later than 1 s`);
  for (const { record, reason } of document.skipped) lines.push(`skipped ${record}: ${reason}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}
