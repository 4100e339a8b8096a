/** What every evaluation does: progress on a terminal, one document or text at the end, 130 after Ctrl-C. */
import { statSync } from "node:fs";
import type { Peer } from "../../simulator/evaluate/index.ts";
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

/** The detectors that `--compare` asks for; undefined where it does not. */
export async function peersFor({ compare }: EvaluateOptions): Promise<readonly Peer[] | undefined> {
  return compare ? (await import("../../test/peers/index.ts")).peers : undefined;
}

/**
 * Runs an evaluation and writes its document as JSON or as the lines of `describe`. `evaluate` gets what it is to call
 * after every part, which ends it where an interrupt has come. Throws UsageError where there is no such folder.
 */
export async function runEvaluation<D>(
  options: EvaluateOptions,
  what: string,
  evaluate: (progress: (done: number, total: number) => void) => Promise<D>,
  describe: (document: D) => string[],
): Promise<void> {
  if (!statSync(options.data, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${options.data}: no such folder; --data is a folder of WFDB records`);
  }
  const interrupt = listenForInterrupt();
  const progress = (done: number, total: number) => {
    if (interrupt.came) throw new Interrupted();
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${total} ${what}${done === total ? "\n" : ""}`);
  };
  try {
    const document = await evaluate(progress);
    process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : `${describe(document).join("\n")}\n`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = INTERRUPTED;
  }
}
