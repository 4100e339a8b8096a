/** What became of a lossy world, for a person to read. */
import { SECOND } from "../../simulator/lossy/weather.ts";
import { type Balance, isWhole, type WorldReport } from "./check.ts";
import type { World } from "./world.ts";

const HEAD = [
  ["board", "mode", "boots", "messages", "stored", "declared", "silent"],
  ["samples", "stored", "declared", "silent", "wrong", "again", "rows", "twice"],
].flat();

/** Problems that are told of one board. */
const TOLD = 6;

const group = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, " ");
const of = ({ produced, stored, declared, silent }: Balance) => [produced, stored, declared, silent].map(group);

/** `seconds`: of real time, for the run and for the check. */
export function tableOf(world: World, report: WorldReport, seconds: { run: number; check: number }): string {
  const { options, network, clock } = world;
  const rows = report.boards.map((board) => [
    board.name,
    board.mode,
    group(board.boots),
    ...of(board.messages),
    ...of(board.samples),
    ...[board.wrong, board.offeredAgain, board.rows, board.duplicateRows].map(group),
  ]);
  const sum = (pick: (board: WorldReport["boards"][number]) => number) =>
    report.boards.reduce((total, board) => total + pick(board), 0);
  const sums = (pick: (board: WorldReport["boards"][number]) => Balance) =>
    of({
      produced: sum((board) => pick(board).produced),
      stored: sum((board) => pick(board).stored),
      declared: sum((board) => pick(board).declared),
      silent: sum((board) => pick(board).silent),
    });
  const total = [
    "all",
    "",
    group(sum(({ boots }) => boots)),
    ...sums(({ messages }) => messages),
    ...sums(({ samples }) => samples),
    ...[sum(({ wrong }) => wrong), sum(({ offeredAgain }) => offeredAgain), sum((board) => board.rows)].map(group),
    group(sum(({ duplicateRows }) => duplicateRows)),
  ];
  const lines = [HEAD, ...rows, total];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
  const { tally } = network;
  const lived = (clock.now / SECOND / 3600).toFixed(2);
  const problems = [
    ...report.problems,
    ...report.boards.flatMap(({ name, problems }) => [
      ...problems.slice(0, TOLD).map((problem) => `${name} ${problem}`),
      ...(problems.length > TOLD ? [`${name} and ${problems.length - TOLD} more`] : []),
    ]),
  ];
  return [
    `${options.boards} boards (${options.kind}), ${lived} h of virtual time, seed ${options.seed}: ${group(tally.sent)} messages on their way, ` +
      `${group(tally.lost)} lost, ${group(tally.twice)} came twice, ${group(tally.died)} died with a connection, ${group(tally.connections)} connections`,
    "",
    ...table,
    "",
    ...problems.map((problem) => `problem: ${problem}`),
    `${group(report.rows)} rows, SHA-256 ${report.hash}`,
    `${seconds.run.toFixed(1)} s of real time, and ${seconds.check.toFixed(1)} s for the check`,
    isWhole(report) ? "nothing is missing that no event names" : "NOT WHOLE",
    "",
  ].join("\n");
}
