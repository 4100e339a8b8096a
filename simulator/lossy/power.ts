/** A board's supply, for one boot: what runs on it stops where the power goes, also within an operation of its flash. */
import { PowerCut } from "../../boards/simulated-flash.ts";
import type { VirtualClock } from "../../boards/virtual-clock.ts";

export interface Power {
  readonly on: boolean;
  /** The world's clock as this boot sees it: what it has planned never comes once the power is gone. */
  readonly clock: VirtualClock;
  /** Runs what reaches the board from outside; nothing without power. */
  run(what: () => void): void;
  /** The power goes now. */
  cut(): void;
}

/** `onCut` is called once, when nothing of the boot runs any more but what is on the stack. */
export function createPower(clock: VirtualClock, onCut: () => void): Power {
  let on = true;
  const cut = () => {
    if (!on) return;
    on = false;
    onCut();
  };
  const run = (what: () => void) => {
    if (!on) return;
    try {
      what();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cut();
    }
  };
  const guarded: VirtualClock = {
    get now() {
      return clock.now;
    },
    get nextAt() {
      return clock.nextAt;
    },
    at: (time, callback) => clock.at(time, () => run(callback)),
    step: clock.step,
    runUntil: clock.runUntil,
  };
  return {
    get on() {
      return on;
    },
    clock: guarded,
    run,
    cut,
  };
}
