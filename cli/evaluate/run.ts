/** What every evaluation does: progress on a terminal, one document or text at the end, 130 after Ctrl-C. */
import { statSync } from "node:fs";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import type { DetectorFactory, Peer } from "../../simulator/evaluate/index.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { UsageError } from "../usage.ts";

export interface EvaluateOptions {
  readonly data: string;
  readonly reference?: string;
  readonly lead: number;
  readonly rate?: number;
  readonly compare?: boolean;
  readonly json?: boolean;
}

class Interrupted extends Error {}

/** What every evaluation is told. */
export interface Told {
  readonly dataFolder: string;
  readonly referenceFolder: string | undefined;
  readonly lead: number;
  readonly rate: number | undefined;
  readonly detectorFactory: DetectorFactory;
  readonly peers: readonly Peer[] | undefined;
  readonly onPart: (done: number, total: number) => void;
}

/** The detectors that `--compare` asks for; undefined where it does not. */
async function peersFor({ compare }: EvaluateOptions): Promise<readonly Peer[] | undefined> {
  return compare ? (await import("../../test/peers/index.ts")).peers : undefined;
}

/**
 * Runs an evaluation of the detector that ships and writes its document as JSON or as the lines of `describe`. `onPart`
 * ends it where an interrupt has come. Throws UsageError where there is no such folder.
 */
export async function runEvaluation<D>(
  options: EvaluateOptions,
  what: string,
  evaluate: (told: Told) => Promise<D>,
  describe: (document: D) => string[],
): Promise<void> {
  if (!statSync(options.data, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${options.data}: no such folder; --data is a folder of WFDB records`);
  }
  await report(options, what, describe, async (onPart) =>
    evaluate({
      dataFolder: options.data,
      referenceFolder: options.reference,
      lead: options.lead,
      rate: options.rate,
      detectorFactory: createQrsDetector,
      peers: await peersFor(options),
      onPart,
    }),
  );
}

/**
 * Runs what `evaluate` does and writes its document, as JSON or as the lines of `describe`. It calls `onPart` after each of its
 * parts, of which `what` is the name: there an interrupt ends it.
 */
export async function report<D>(
  { json }: { readonly json?: boolean },
  what: string,
  describe: (document: D) => string[],
  evaluate: (onPart: Told["onPart"]) => Promise<D>,
): Promise<void> {
  const interrupt = listenForInterrupt();
  const onPart = (done: number, total: number) => {
    if (interrupt.came) throw new Interrupted();
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${total} ${what}${done === total ? "\n" : ""}`);
  };
  try {
    const document = await evaluate(onPart);
    process.stdout.write(json ? `${JSON.stringify(document)}\n` : `${describe(document).join("\n")}\n`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = INTERRUPTED;
  }
}
