/** Operations of one board's host with its chips: some fail, some wait. */
import type { Executor } from "../../boards/board.ts";
import type { BusFault, SimulatedBoard } from "../../boards/simulated.ts";
import type { Traffic } from "./kinds.ts";

/** Stands before what fails already on this board. */
export function createTraffic(board: SimulatedBoard): Traffic {
  const before = board.busFault;
  const rules = new Set<BusFault>();
  board.busFault = (target, ops, at) => {
    for (const rule of rules) {
      const failure = rule(target, ops, at);
      if (failure !== null) return failure;
    }
    return before === null ? null : before(target, ops, at);
  };
  const holds = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  return {
    rules,
    hold(model) {
      holds.set(model, (holds.get(model) ?? 0) + 1);
    },
    release(model) {
      const left = holds.get(model)! - 1;
      holds.set(model, left);
      if (left > 0) return;
      const due = waiting.get(model) ?? [];
      waiting.delete(model);
      for (const start of due) start();
    },
    through: <E extends Executor>(executor: E): E => ({
      ...executor,
      run(target, ops, done) {
        const { model } = target;
        if ((holds.get(model) ?? 0) === 0) executor.run(target, ops, done);
        else waiting.set(model, [...(waiting.get(model) ?? []), () => executor.run(target, ops, done)]);
      },
    }),
  };
}
