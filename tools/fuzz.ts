/**
 * Hostile input, for as long as it is given: `node --import tsx tools/fuzz.ts [--seconds S] [--inputs N] [--seed N] [--batch N]
 * [--json]`. Mutated messages go over a serial line into the gateway that ships. It exits with 1 when something was found;
 * `--seed N --batch N` repeats one batch.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BATCH, createTally, runBatch } from "./fuzz-batch.ts";
import { makeSeeds } from "./fuzz-seeds.ts";
import { startWatchdog } from "./fuzz-watchdog.ts";

const DEADLINE = 20_000;
/** Memory after collection is looked at every so many batches, and may grow by this much after the first look, bytes. */
const LOOK_EVERY = 10;
const MAY_GROW = 24 * 2 ** 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    inputs: { type: "string" },
    seed: { type: "string", default: "1" },
    batch: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const number = (name: string, value: string | undefined, otherwise: number) => {
  const given = value === undefined ? otherwise : Number(value);
  if (given >= 0 && !Number.isNaN(given)) return given;
  process.stderr.write(`--${name} ${value}: give a number of 0 or more\n`);
  process.exit(2);
};
const seed = number("seed", values.seed, 1);
const only = values.batch === undefined ? null : number("batch", values.batch, 0);
const inputs = number("inputs", values.inputs, only === null ? Number.POSITIVE_INFINITY : BATCH);
const seconds = number(
  "seconds",
  values.seconds,
  values.inputs === undefined && only === null ? 10 : Number.POSITIVE_INFINITY,
);

// Refusals are made by the million; one batch that is repeated shows where an exception came from.
if (only === null) Error.stackTraceLimit = 0;

const seeds = makeSeeds();
const tally = createTally();
const watchdog = startWatchdog(seed, DEADLINE);
const memory: number[] = [];
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;

for (let batch = only ?? 0; tally.inputs < inputs && elapsed() < seconds; batch++) {
  const size = Math.min(BATCH, inputs - tally.inputs);
  await runBatch({ seeds, seed, batch, inputs: size, onInput: (index) => watchdog.beat(batch, index) }, tally);
  if (batch % LOOK_EVERY === 1) {
    // Twice: what the first one sets free by finalizers, or was allocated while it marked, goes with the second.
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    memory.push(heapUsed + external + arrayBuffers);
    if (memory.at(-1)! > memory[0]! + MAY_GROW) {
      tally.finds.push({ seed, batch, what: `memory grew from ${memory[0]} to ${memory.at(-1)} bytes`, input: "" });
      break;
    }
  }
  if (tally.finds.length > 20) break;
}
const took = elapsed();
await watchdog.stop();

const { finds, ...figures } = tally;
const perSecond = Math.round(tally.inputs / took);
if (values.json)
  process.stdout.write(`${JSON.stringify({ seed, seconds: took, perSecond, memory, ...figures, finds })}\n`);
else {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const megabytes = memory.map((bytes) => (bytes / 2 ** 20).toFixed(1));
  const laxer = Object.entries(tally.laxer).sort(([, a], [, b]) => b.taken - a.taken);
  process.stdout.write(
    [
      `seed ${seed}: ${tally.inputs} inputs in ${took.toFixed(1)} s, ${perSecond} a second; ${tally.thorough} of them with Ed25519 itself`,
      `broken where: ${list(tally.origins)}`,
      `reached: ${tally.reached.map((count, step) => `${step === 0 ? "line" : `step ${step}`} ${count}`).join(", ")}`,
      `verdicts: ${list(tally.verdicts)}`,
      `accepted in mode S, M, E around S, E around a payload: ${list(tally.forms)}`,
      `slowest message ${tally.slowest.toFixed(1)} ms; memory, MB: ${megabytes[0]} first, ${Math.max(...megabytes.map(Number)).toFixed(1)} highest, ${megabytes.at(-1)} last`,
      "refused here as CBOR / taken by cbor-x:",
      ...laxer.map(([rule, { refused, taken }]) => `  ${refused} / ${taken}  ${rule}`),
      `finds: ${finds.length}`,
      ...finds.map(({ batch, what, input }) => `  --seed ${seed} --batch ${batch}: ${what}\n  ${input}`),
      "",
    ].join("\n"),
  );
}
process.exitCode = finds.length > 0 ? 1 : 0;
