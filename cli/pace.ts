/** A simulation at the pace of the clock on the wall. */
import type { VirtualClock } from "../boards/virtual-clock.ts";

/** Between two looks at the clock at most, ms. */
const STEP = 20;

/** Lets virtual time follow the clock on the wall from now on, until it is `until` (us) or `ended` says so. */
export async function runPaced(clock: VirtualClock, until: number, ended: () => boolean): Promise<void> {
  const from = clock.now - performance.now() * 1000;
  while (clock.now < until && !ended()) {
    clock.runUntil(Math.min(until, from + performance.now() * 1000));
    // Every event at its own time: what happens is as late as a timer, not as a step.
    const next = (clock.nextAt - from) / 1000 - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.min(STEP, Math.max(1, next))));
  }
}
