/** vitalwire doctor: what is right and wrong with a board, one verdict a line, and what to do. */
import { examine, type Finding, SAFETY } from "../firmware/doctor/doctor.ts";
import { type DoctorReport, findingLines, safetyLines, summary, worst } from "./doctor/report.ts";
import { createSimulatedSubject, type SimulatedOptions, type SimulatedSubject } from "./doctor/simulated.ts";
import { faultWords, readFaults } from "./fault-plan.ts";

export interface DoctorOptions {
  readonly board: string;
  readonly seed: number;
  /** File with a plan of faults. */
  readonly faults?: string;
  readonly json?: boolean;
}

/** Virtual time that an examination may take, us. */
const LIMIT = 300e6;

/** Examines a simulated board to its end. Throws Error where it has none. */
export function examineSimulated(subject: SimulatedSubject, tell: (finding: Finding) => void): void {
  const { board, clock, plan } = subject;
  let done = false;
  examine(board, plan, tell, () => {
    done = true;
  });
  while (!done && clock.now < LIMIT && clock.step());
  if (!done)
    throw new Error(`doctor: no end within ${LIMIT / 1e6} virtual seconds; tell the maintainers, with the seed`);
}

/** What is found on a simulated board. */
export function simulatedReport(
  options: SimulatedOptions,
  prepare: (subject: SimulatedSubject) => void = () => {},
): DoctorReport {
  const subject = createSimulatedSubject(options);
  prepare(subject);
  const findings: Finding[] = [];
  examineSimulated(subject, (finding) => findings.push(finding));
  return {
    board: "simulated",
    seed: options.seed,
    safety: SAFETY,
    verdict: worst(findings),
    findings,
    ...(options.faults && { faults: subject.faults.truth }),
  };
}

/** Exit code 1 where something is bad. */
export async function doctor({ seed, faults, json }: DoctorOptions): Promise<void> {
  const { stdout } = process;
  const plan = faults === undefined ? null : readFaults(faults, [{ line: false, broker: false }]);
  const report = simulatedReport({ seed, ...(plan && { faults: plan }) });
  for (const event of report.faults ?? []) process.stderr.write(`${faultWords(event)}\n`);
  if (json) stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const width = stdout.isTTY ? stdout.columns : null;
    const color = stdout.isTTY && !process.env.NO_COLOR;
    const lines = [
      ...safetyLines(report.safety, width),
      ...report.findings.flatMap((finding) => findingLines(finding, width, color)),
      summary(report.findings),
    ];
    stdout.write(`${lines.join("\n")}\n`);
  }
  if (report.verdict === "bad") process.exitCode = 1;
}
