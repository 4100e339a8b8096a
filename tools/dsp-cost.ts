/**
 * What the objects of firmware/dsp cost: statements, state, time on Node, and with ESPRUINO_BIN time and variables in the
 * interpreter. Each works on the same synthetic patient: two thirds are measured, after one that is not.
 *
 * - Statements are those of count-statements.ts, blocks of 32 samples. What a FIR filter hands to the interpreter's native
 *   vector functions is counted as the plain code that does the same elsewhere.
 * - State is that of state-bytes.ts, after the work.
 * - Time on Node is the median of the passes of 0.1 s, each with a new object, after 0.1 s to warm up.
 * - Time in the interpreter is the median of three runs of at least 0.2 s, in CPU time where Linux tells it (schedstat),
 *   so that other programs make little difference; the bundle is as for a board, the object's module alone in it.
 * - Variables are what the interpreter uses more when the object is made and at work: its code too, which is run from RAM
 *   here, while a board runs it from flash.
 *
 * `node --import tsx tools/dsp-cost.ts` prints a JSON document; `vitalwire bench dsp` holds it against limits.
 */
import { createPatient } from "../simulator/patient.ts";
import { loadCounted } from "./count-statements.ts";
import { type Measured, objects, type Unit } from "./dsp-objects.ts";
import { board, channels, type Signals } from "./dsp-work.ts";
import { deviceScript, espruino, interpret } from "./espruino.ts";
import { runMain } from "./files.ts";
import { stateBytes } from "./state-bytes.ts";
import { load } from "./trace-functions.ts";

/** Of the interpreter; us, and us a turn of an empty loop in the same minute. */
export interface InInterpreter {
  readonly variables: number;
  readonly microseconds: number;
  readonly emptyLoop: number;
}

/** One object's figures. Counts and times are per unit: a sample, a beat, a reading, a second of signal. */
export interface Cost {
  readonly name: string;
  readonly unit: Unit;
  readonly statements: number;
  readonly stateBytes: number;
  readonly nanoseconds: number;
  readonly espruino: InInterpreter | null;
}

export interface CostDocument {
  readonly objects: readonly Cost[];
  /** What a turn of an empty loop takes on Node, ns: to hold times against. */
  readonly emptyLoop: number;
}

const SECONDS = 32;
/** Of passes on Node, ms. */
const WHILE = 100;
const RUNS = 3;
const TURNS = 100_000;

/** The patient's signals as chips give them. */
export function drawSignals(): Signals {
  const sample = (name: "ecg" | "red" | "infrared" | "temperature", rate: number, seconds: number, scale: number) => {
    const { signals } = createPatient({ seed: 1, index: 0 });
    return Int32Array.from({ length: rate * seconds }, (_, i) => Math.round(signals[name](i / rate, i / rate) * scale));
  };
  const { truth } = createPatient({ seed: 1, index: 0 });
  return {
    ecg128: sample("ecg", 128, SECONDS, 8e6),
    ecg256: sample("ecg", 256, SECONDS, 8e6),
    red: sample("red", 100, SECONDS, 150),
    infrared: sample("infrared", 100, SECONDS, 150),
    temperature: sample("temperature", 1, 4 * SECONDS, 128),
    beats: Int32Array.from(truth.beats(0, 400), (time) => Math.round(time * 1000)),
  };
}

const entryOf = ({ factory }: Measured) => `firmware/${factory[0]}.ts`;
type Exports = Record<string, unknown>;

/** Statements a unit. The same whenever it is run. */
export function statementsOf(one: Measured, signals: Signals): number {
  const { exports, counter } = loadCounted<Exports>(entryOf(one));
  const work = one.open(exports[one.factory[1]], signals);
  work.run(0, work.begin);
  counter.statements = 0;
  work.run(work.begin, work.length);
  return counter.statements / (work.length - work.begin);
}

/** Bytes of state after the work. */
export function stateOf(one: Measured, signals: Signals): number {
  const exports = load<Exports>(entryOf(one), false);
  const work = one.open(exports[one.factory[1]], signals);
  work.run(0, work.length);
  // The board's samples are its own, not the object's.
  return stateBytes(work.object, [exports, board, channels, signals]);
}

function nanosecondsOf(one: Measured, signals: Signals): number {
  const create = load<Exports>(entryOf(one), false)[one.factory[1]];
  const pass = () => {
    const work = one.open(create, signals);
    work.run(0, work.begin);
    const begin = process.hrtime.bigint();
    work.run(work.begin, work.length);
    return Number(process.hrtime.bigint() - begin) / (work.length - work.begin);
  };
  return settled(pass);
}

/** The median of what passes give for a while, after a while in which the engine compiles. */
function settled(pass: () => number): number {
  const values: number[] = [];
  for (const keeps of [false, true]) {
    const end = performance.now() + WHILE;
    while (performance.now() < end) {
      const value = pass();
      if (keeps) values.push(value);
    }
  }
  return middle(values.length === 0 ? [pass()] : values);
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function emptyLoop(): number {
  return settled(() => {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < TURNS; i++);
    return Number(process.hrtime.bigint() - begin) / TURNS;
  });
}

/** The interpreter's own globals, which no bundle may name. */
const INTERPRETER = `
function tell(figure) { say(String(Math.round(figure * 1e6))); }
function clock() {
  try { return parseInt(require("fs").readFileSync("/proc/self/schedstat").split(" ")[0]) / 1000; }
  catch (error) { return getTime() * 1000000; }
}
function used() { return process.memory().usage; }
`;

/** Throws Error where ESPRUINO_BIN names no interpreter, and with its words where the object does not run there. */
export function inInterpreter(one: Measured, signals: Signals): InInterpreter {
  const [module, name] = one.factory;
  const source = `
import { ${name} as create } from "../firmware/${module}.ts";
import { objects } from "./dsp-objects.ts";
import { measure } from "./dsp-in-interpreter.ts";
measure(objects[${objects.indexOf(one)}], create, DATA, ${RUNS}, tell, clock, used);`;
  const data = Object.fromEntries(Object.entries(signals).map(([key, samples]) => [key, Array.from(samples)]));
  const script = `${INTERPRETER}${deviceScript(one.name, "tools", source, data)}`;
  const [variables = Number.NaN, ...rest] = interpret(script).map((figure) => Number(figure) / 1e6);
  const loops = rest.filter((_, i) => i % 2 === 0);
  const times = rest.filter((_, i) => i % 2 === 1);
  return { variables, emptyLoop: middle(loops), microseconds: middle(times) };
}

/** Measures all objects. `say` hears which is next. */
export function measureAll(say: (line: string) => void): CostDocument {
  const signals = drawSignals();
  const there = espruino() !== undefined;
  const costs = objects.map((one) => {
    say(one.name);
    return {
      name: one.name,
      unit: one.unit,
      statements: statementsOf(one, signals),
      stateBytes: stateOf(one, signals),
      nanoseconds: nanosecondsOf(one, signals),
      espruino: there ? inInterpreter(one, signals) : null,
    };
  });
  return { objects: costs, emptyLoop: emptyLoop() };
}

function main(): number {
  const result = measureAll((name) => process.stderr.write(`${name}\n`));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}

runMain(import.meta.url, main);
