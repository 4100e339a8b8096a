/**
 * What the outbox over a log in flash costs in the interpreter: `ESPRUINO_BIN=... node --import tsx test/espruino/outbox-cost.ts`.
 * Times in us: medians by the clock, and of this program alone where it takes long (schedstat); the flash itself takes next to nothing. Each figure twice: with
 * the project's CRC-32, and with the interpreter's own in its place. Variables with the code in Storage, as on a board.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { deviceScript, espruino, interpret } from "../../tools/espruino.ts";

/** The interpreter's own globals, which no bundle may name. */
const INTERPRETER = `
function tell(name, figure) { say(JSON.stringify([name, Math.round(figure * 10)])); }
function clock() { return getTime() * 1000000; }
function cpu() {
  try { return parseInt(require("fs").readFileSync("/proc/self/schedstat").split(" ")[0]) / 1000; }
  catch (error) { return clock(); }
}
function used() { return process.memory().usage; }
function nativeCrc(bytes) { return E.CRC32(bytes); }
var t0 = cpu(); for (var i = 0; i < 100000; i++); tell("a turn of an empty loop", (cpu() - t0) / 100000);
tell("bytes of a variable", process.memory().blocksize);
`;

const bundle = (call: string): string =>
  deviceScript("outbox-cost", "test/espruino", `import { measure, memory } from "./programs/outbox-cost.ts"; ${call};`);
const own = bundle("measure(tell, clock, cpu)");
const native = own.replace(/(function \w+\((\w+)\))\{let (\w+)=-1;[^}]*\}return~\3>>>0\}/, "$1{return nativeCrc($2)}");
if (native === own) throw new Error("the bundle has no CRC-32 to put another one in place of");

const figures = [own, native].map((code) => interpret(INTERPRETER + code).map((line) => JSON.parse(line)));
for (const [i, [name, figure]] of figures[0].entries())
  process.stdout.write(`${name}: ${figure / 10}; ${figures[1][i][1] / 10}\n`);

// What is evaluated from a file of Storage keeps its functions' code there. The Linux port's is in the folder it starts in.
const folder = mkdtempSync(join(tmpdir(), "outbox-cost-"));
const binary = resolve(espruino() ?? "");
process.env.ESPRUINO_BIN = binary;
process.chdir(folder);
try {
  const code = JSON.stringify(bundle("memory(tell, used)"));
  const script = `${INTERPRETER}require("Storage").write("p", ${code});\neval(require("Storage").read("p"));\n`;
  for (const [name, figure] of interpret(script).map((line) => JSON.parse(line)))
    if (name.startsWith("var")) process.stdout.write(`${name}: ${figure / 10}\n`);
} finally {
  process.chdir("/");
  rmSync(folder, { recursive: true, force: true });
}
