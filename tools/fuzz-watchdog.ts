/** A second thread that ends the program, and says where it was, when one input takes longer than its deadline. */
import { Worker } from "node:worker_threads";

const PROGRAM = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const pulse = new Int32Array(workerData.shared);
let last = -1, since = Date.now();
setInterval(() => {
  const beat = Atomics.load(pulse, 2);
  if (beat !== last) { last = beat; since = Date.now(); return; }
  if (Date.now() - since < workerData.deadline) return;
  writeSync(2, "HANG: seed " + workerData.seed + " batch " + pulse[0] + " input " + pulse[1] + ": nothing for " + workerData.deadline + " ms\\n");
  process.kill(process.pid, "SIGKILL");
}, 250);
`;

export interface Watchdog {
  /** Called with every input. */
  beat(batch: number, input: number): void;
  stop(): Promise<unknown>;
}

export function startWatchdog(seed: number, deadline: number): Watchdog {
  const shared = new SharedArrayBuffer(12);
  const pulse = new Int32Array(shared);
  const worker = new Worker(PROGRAM, { eval: true, execArgv: [], workerData: { shared, seed, deadline } });
  return {
    beat(batch, input) {
      Atomics.store(pulse, 0, batch);
      Atomics.store(pulse, 1, input);
      Atomics.add(pulse, 2, 1);
    },
    stop: () => worker.terminate(),
  };
}
