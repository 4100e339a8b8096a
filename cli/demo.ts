/** vitalwire demo: a ward of virtual boards, end to end, with nothing else to install. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Accepted } from "../gateway/receiver.ts";
import type { Recording } from "../simulator/node.ts";
import { reportOf } from "./demo-report.ts";
import { createDisplay } from "./display.ts";
import { writeCards } from "./keys.ts";
import { UsageError } from "./usage.ts";
import { createWard } from "./ward.ts";

interface DemoOptions {
  readonly boards: number;
  readonly record?: string;
  readonly seconds?: number;
  readonly seed: number;
  readonly store?: string;
  readonly fast?: boolean;
  readonly headless?: boolean;
  readonly noise: "on" | "off";
  readonly json?: boolean;
}

/** Time 0 of a simulation whose every byte is to be the same: 2026-01-01T00:00:00Z, ms. */
const FIXED_EPOCH = 1_767_225_600_000;
/** What `--fast` runs without `--seconds`, s. */
const FAST_SECONDS = 60;
/** The pace of a demonstration, ms. */
const PACE = 20;
const INTERRUPTED = 130;
/** After an interrupt everything has ended by then, ms. */
const INTERRUPT_LIMIT = 900;

export async function demo(options: DemoOptions): Promise<void> {
  let interrupted = false;
  const onInterrupt = () => {
    interrupted = true;
    // Whatever hangs: the store commits whole transactions, so it is whole at any moment.
    setTimeout(() => process.exit(INTERRUPTED), INTERRUPT_LIMIT).unref();
  };
  process.once("SIGINT", onInterrupt);
  process.once("SIGTERM", onInterrupt);

  const seconds = options.seconds ?? (options.fast ? FAST_SECONDS : undefined);
  const recording = options.record === undefined ? undefined : await loadRecording(options.record, seconds);
  if (options.store !== undefined) mkdirSync(dirname(options.store), { recursive: true });
  const stored: ((accepted: Accepted) => void)[] = [];
  const ward = await createWard({
    boards: options.boards,
    seed: options.seed,
    noise: options.noise === "on",
    ...(recording && { recording }),
    ...(options.store !== undefined && { store: options.store }),
    epoch: options.fast ? FIXED_EPOCH : Date.now(),
    onStored: (accepted) => {
      for (const listener of stored) listener(accepted);
    },
  });
  if (options.store !== undefined) {
    const cards = ward.boards.map(({ node, card }) => ({ kid: node.signer.kid, card }));
    writeCards(dirname(options.store), ward.sitePublicKey, [...cards, ward.gatewayCard]);
  }
  const display = createDisplay(
    ward,
    options.headless === true,
    options.json === true ? process.stderr : process.stdout,
  );
  stored.push(display.take);

  const end = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1e6;
  try {
    await ward.start();
    if (interrupted) return;
    if (options.fast) await ward.runLockStep(end, () => interrupted);
    else await runPaced(ward, end, () => interrupted);
    await ward.stopBoards();
    display.end();
    if (options.json && !interrupted) process.stdout.write(`${JSON.stringify(reportOf(ward, options, seconds))}\n`);
  } finally {
    display.end();
    await ward.stop();
    if (interrupted) process.exit(INTERRUPTED);
  }
}

/** Lets virtual time follow the clock on the wall. */
async function runPaced(ward: Awaited<ReturnType<typeof createWard>>, end: number, interrupted: () => boolean) {
  const start = performance.now();
  while (ward.clock.now < end && !interrupted()) {
    ward.runFree(Math.min(end, (performance.now() - start) * 1000));
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
}

/** Signal 0 in mV. Throws UsageError where it is shorter than the simulation. */
async function loadRecording(path: string, seconds: number | undefined): Promise<Recording> {
  const { millivolts: toMillivolts, readRecordSync } = await import("../formats/index.ts");
  const record = readRecordSync(path);
  const { rate } = record;
  const millivolts = toMillivolts(record.signals[0]);
  const length = (millivolts.length - 1) / rate;
  if (seconds === undefined)
    throw new UsageError(`--record needs --seconds, at most ${Math.floor(length)} for this record`);
  if (length < seconds) {
    throw new UsageError(`--record ${path}: it is ${length.toFixed(1)} s long, --seconds is ${seconds}; ask for less`);
  }
  // The boards need some milliseconds to stop: they see the last sample until then.
  const padded = new Float64Array(millivolts.length + Math.ceil(10 * rate)).fill(millivolts[millivolts.length - 1]);
  padded.set(millivolts);
  return { millivolts: padded, rate };
}
