/**
 * What signal processing costs, beside the limits. Measuring it takes the sources and what only development has (acorn, an
 * interpreter): tools/dsp-cost.ts is a program of a checkout and in no package, so it is started, not imported.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Figure, figure, Unavailable } from "./bench.ts";

const PROGRAM = fileURLToPath(new URL("../../tools/dsp-cost.ts", import.meta.url));

/** What the program prints of one object: statements and ns a unit (a sample, beat, reading or second of signal). */
export interface Cost {
  readonly name: string;
  readonly unit: string;
  readonly statements: number;
  readonly stateBytes: number;
  readonly nanoseconds: number;
  /** In Espruino: us a unit, and us a turn of an empty loop in the same run. */
  readonly espruino: { readonly variables: number; readonly microseconds: number; readonly emptyLoop: number } | null;
}

export interface CostDocument {
  readonly objects: readonly Cost[];
  /** ns a turn on Node. */
  readonly emptyLoop: number;
}

/**
 * Statements a sample, at most, by the beginning of the name. The oximeter finds beats and SpO2 in one: a sample of red and
 * infrared may cost what the two together may, 95 and 70.
 */
const STATEMENTS = { "QRS detector": 55, oximeter: 95 + 70 } as const;
/** All signal processing of a three-sensor board, at most, ms of interpreter a second of signal. */
const BOARD = 25;
/** That is the time of a machine on which a turn of an empty loop takes so long, us: another machine's is put to this scale. */
const TURN = 1.5;

/** Throws Unavailable outside a checkout, Error with the program's own words where it fails. */
export async function dsp(say: (line: string) => void): Promise<Figure[]> {
  if (!existsSync(PROGRAM)) {
    throw new Unavailable(
      "bench dsp needs a checkout of the repository, with its sources and tools: there `npm ci`, then `npm run -s vitalwire -- bench dsp`",
    );
  }
  if (process.env.ESPRUINO_BIN === undefined)
    say("no Espruino interpreter (set ESPRUINO_BIN): its figures are left out");
  return dspFigures(JSON.parse(await run(say)) as CostDocument);
}

/** What it prints; `say` hears what it is about. */
function run(say: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", PROGRAM], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let words = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      words += text;
      for (const line of text.split("\n")) if (line !== "") say(line);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(out);
      else
        reject(new Error(`bench dsp: ${words.trim().split("\n").at(-1) ?? ""} (tools/dsp-cost.ts ended with ${code})`));
    });
  });
}

export function dspFigures({ objects, emptyLoop }: CostDocument): Figure[] {
  const figures = objects.flatMap(figuresOf);
  figures.push(figure("empty loop: Node", emptyLoop, "ns/turn", null));
  const turns = objects.flatMap(({ espruino }) => (espruino === null ? [] : [espruino.emptyLoop]));
  if (turns.length === 0) return figures;
  figures.push(figure("empty loop: Espruino", turns.sort((a, b) => a - b)[turns.length >> 1]!, "us/turn", null));
  const vitals = scaled(objects, "three sensors, vitals");
  const packing = scaled(objects, "three sensors, packing");
  figures.push(figure(`three sensors, vitals, at ${TURN} us/turn`, vitals, "ms/s", ["at most", BOARD]));
  figures.push(figure(`three sensors, with packing, at ${TURN} us/turn`, vitals + packing, "ms/s", null));
  return figures;
}

function figuresOf({ name, unit, statements, stateBytes, nanoseconds, espruino }: Cost): Figure[] {
  const limit = Object.entries(STATEMENTS).find(([kind]) => name.startsWith(kind))?.[1];
  const figures = [
    figure(`${name}: statements`, statements, `1/${unit}`, limit === undefined ? null : ["at most", limit]),
    figure(`${name}: state`, stateBytes, "B", null),
    figure(`${name}: Node`, nanoseconds, `ns/${unit}`, null),
  ];
  if (espruino !== null) {
    figures.push(figure(`${name}: Espruino`, espruino.microseconds, `us/${unit}`, null));
    figures.push(figure(`${name}: Espruino variables`, espruino.variables, "", null));
  }
  return figures;
}

/** ms a second of signal on a machine of TURN; NaN, which is beyond any limit, where it was not measured. */
function scaled(objects: readonly Cost[], name: string): number {
  const found = objects.find((one) => one.name === name)?.espruino;
  return found ? ((found.microseconds / 1000) * TURN) / found.emptyLoop : Number.NaN;
}
