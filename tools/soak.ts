/**
 * A soak: whole boards down to their chips' registers, a patient each, and everything of the fault catalogue that they can
 * have, a few times an hour; and what the gateway stored of it against what was so.
 *
 *   node --import tsx tools/soak.ts [--hours 24 | --minutes 20] [--seed 1] [--boards 3] [--per-hour 100] [--json]
 *
 * Each board is a program of its own, so that all cores work; the result does not depend on it. Ends with 1 where a requirement
 * is not met: no value told as good that could not be, no sample other than converted, no silent loss, every sensor back within 5 s.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PER_HOUR } from "../simulator/soak/plan.ts";
import { type BoardReport, runBoard } from "./soak/board.ts";
import { reportOf } from "./soak/report.ts";
import { tableOf } from "./soak/table.ts";

const { values } = parseArgs({
  options: {
    hours: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
    boards: { type: "string", default: "3" },
    "per-hour": { type: "string", default: String(PER_HOUR) },
    json: { type: "boolean", default: false },
    // one board alone, its report on stdout: what this program starts
    only: { type: "string" },
  },
});
const number = (name: string, value: string, least: number) => {
  const given = Number(value);
  if (given >= least) return given;
  process.stderr.write(`--${name} ${value}: give a number from ${least} on\n`);
  process.exit(2);
};
const hours =
  values.minutes === undefined
    ? number("hours", values.hours ?? "24", 0.05)
    : number("minutes", values.minutes, 3) / 60;
const seed = number("seed", values.seed, 0);
const boards = Math.round(number("boards", values.boards, 1));
const perHour = number("per-hour", values["per-hour"], 1);
const seconds = Math.round(hours * 3600);

/** One board in a program of its own. */
function runApart(board: number): Promise<BoardReport> {
  const own = ["--only", board, "--minutes", seconds / 60, "--seed", seed, "--per-hour", perHour].map(String);
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...own], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(parts).toString()));
      else reject(new Error(`soak: the program of board ${board} ended with ${code}`));
    });
  });
}

async function runAll(): Promise<BoardReport[]> {
  const reports: BoardReport[] = [];
  let next = 0;
  const work = async () => {
    while (next < boards) {
      const board = next++;
      reports[board] = await runApart(board);
    }
  };
  await Promise.all(Array.from({ length: Math.min(boards, availableParallelism()) }, work));
  return reports;
}

if (values.only !== undefined) {
  const { report } = runBoard({ seed, board: number("only", values.only, 0), seconds, perHour });
  process.stdout.write(JSON.stringify(report));
} else {
  const began = performance.now();
  const reports = await runAll();
  const report = reportOf(reports);
  const took = (performance.now() - began) / 1000;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...report, boards: reports, seconds: took }, null, 1)}\n`
      : tableOf(reports, report, { seed, seconds: took }),
  );
  if (report.failures.length > 0) process.exitCode = 1;
}
