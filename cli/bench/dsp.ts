/**
 * What signal processing costs, beside the limits. Measuring it takes the sources and what only development has (acorn, an
 * interpreter): tools/dsp-cost.ts is a program of a checkout and in no package, so it is started, not imported.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Figure, figure, Unavailable } from "./bench.ts";
import { type Load, profileFigures, whatFits } from "./profiles.ts";

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
 * infrared may cost what is a good figure for either alone.
 */
const STATEMENTS = { "QRS detector": 55, "pulse detector": 45, oximeter: 45 } as const;
/** All signal processing of a three-sensor board, at most, ms of interpreter a second of signal. */
const BOARD = 25;
/** That is the time of a machine on which a turn of an empty loop takes so long, us: another machine's is put to this scale. */
const TURN = 1.5;
/** What a counted statement takes on that machine, us: of vitals and packing, measured; for where there is no interpreter. */
const STATEMENT = 1.85;
const VITALS = "three sensors, vitals";
const PACKING = "three sensors, packing, ";
const RESPIRATION = "respiration meter";

/** Throws Unavailable outside a checkout, Error with the program's own words where it fails. */
export async function dsp(say: (line: string) => void): Promise<Figure[]> {
  if (!existsSync(PROGRAM)) {
    throw new Unavailable(
      "bench dsp needs a checkout of the repository, with its sources and tools: there `npm ci`, then `npm run -s vitalwire -- bench dsp`",
    );
  }
  if (process.env.ESPRUINO_BIN === undefined)
    say("no Espruino interpreter (set ESPRUINO_BIN): its figures are left out");
  const document = JSON.parse(await run(say)) as CostDocument;
  const figures = dspFigures(document);
  for (const line of whatFits(loadOf(document.objects))) say(line);
  return figures;
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
  const measured = turns.length > 0;
  if (measured)
    figures.push(figure("empty loop: Espruino", turns.sort((a, b) => a - b)[turns.length >> 1]!, "us/turn", null));
  const load = loadOf(objects);
  const how = measured ? "" : " (estimated from statements)";
  figures.push(figure(`${VITALS}, at ${TURN} us/turn${how}`, load.vitals, "ms/s", ["at most", BOARD]));
  figures.push(figure(`${RESPIRATION}, at ${TURN} us/turn${how}`, load.respiration, "ms/s", null));
  for (const [codec, cost] of Object.entries(load.packing))
    figures.push(figure(`${PACKING}${codec}, at ${TURN} us/turn${how}`, cost, "ms/s", null));
  return [...figures, ...profileFigures(load, how)];
}

/** What a three-sensor board does, ms a second of signal on a machine of TURN; NaN, beyond any limit, for what is not there. */
function loadOf(objects: readonly Cost[]): Load {
  const packing = objects.filter(({ name }) => name.startsWith(PACKING));
  return {
    vitals: scaled(objects.find(({ name }) => name === VITALS)),
    respiration: scaled(objects.find(({ name }) => name === RESPIRATION)),
    packing: Object.fromEntries(packing.map((one) => [one.name.slice(PACKING.length), scaled(one)])),
  };
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

function scaled(one: Cost | undefined): number {
  if (one === undefined) return Number.NaN;
  const { espruino, statements } = one;
  if (espruino === null) return (statements * STATEMENT) / 1000;
  return ((espruino.microseconds / 1000) * TURN) / espruino.emptyLoop;
}
