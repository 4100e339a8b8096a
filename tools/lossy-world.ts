/**
 * A lossy world, and what the store holds of it against what really happened: messages get lost, come twice and pass each
 * other, the broker dies, nobody reaches it for an hour, and the power of every board goes again and again.
 *
 *   node --import tsx tools/lossy-world.ts [--hours 24 | --minutes 20] [--seed 1] [--boards 10] [--registers] [--cuts 10]
 *     [--loss 0.05] [--ram] [--json]
 *
 * --registers: whole boards down to their chips' registers, three unless said otherwise. --ram: boards without flash, which lose
 * what waits with their power. Ends with 1 where something is
 * neither stored nor named by an event.
 */
import { parseArgs } from "node:util";
import { checkWorld, isWhole } from "./lossy-world/check.ts";
import { tableOf } from "./lossy-world/table.ts";
import { createWorld, DAY, runWorld, scaled } from "./lossy-world/world.ts";

const { values } = parseArgs({
  options: {
    hours: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
    boards: { type: "string" },
    signing: { type: "string" },
    cuts: { type: "string" },
    loss: { type: "string" },
    registers: { type: "boolean", default: false },
    ram: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const number = (name: string, value: string | undefined, otherwise: number) => {
  const given = value === undefined ? otherwise : Number(value);
  if (given >= 0) return given;
  process.stderr.write(`--${name} ${value}: give a number of 0 or more\n`);
  process.exit(2);
};
const hours =
  values.minutes === undefined ? number("hours", values.hours, 24) : number("minutes", values.minutes, 20) / 60;
const boards = number("boards", values.boards, values.registers ? 3 : DAY.boards);

const began = performance.now();
const world = createWorld({
  ...DAY,
  kind: values.registers ? "registers" : "packets",
  seed: number("seed", values.seed, 1),
  boards,
  signing: number("signing", values.signing, values.registers ? 1 : Math.min(boards, DAY.signing)),
  cuts: number("cuts", values.cuts, DAY.cuts),
  loss: number("loss", values.loss, DAY.loss),
  flash: !values.ram,
  ...scaled(hours),
});
runWorld(world);
const ran = performance.now();
const report = checkWorld(world);
const seconds = { run: (ran - began) / 1000, check: (performance.now() - ran) / 1000 };
process.stdout.write(
  values.json ? `${JSON.stringify({ ...report, seconds }, null, 1)}\n` : tableOf(world, report, seconds),
);
if (!isWhole(report)) process.exitCode = 1;
