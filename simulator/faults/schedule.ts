/** When a fault occurs: from its plan and the world's seed alone. */
import { log } from "../arithmetic.ts";
import type { Random } from "../random.ts";
import type { Fault } from "./plan.ts";

/** One occurrence, us of the world's clock: from <= t < to. `to` may come earlier than planned, where the world ends. */
export interface Span {
  readonly from: number;
  to: number;
}

/** Gives one occurrence after the other, each a while before it begins; `after`: us, the end of the one before. null: no more. */
export function createSchedule(fault: Fault, random: Random): (after: number) => Span | null {
  const lasts = Math.round(fault.for * 1e6);
  let count = 0;
  const next = (after: number): number | null => {
    count++;
    if (fault.kind === "oscillator") return count === 1 ? after : null;
    if (fault.at !== undefined) return count === 1 ? Math.round(fault.at * 1e6) : null;
    if (fault.every !== undefined) return Math.round(count * fault.every * 1e6);
    // Memoryless: within each second that probability, whenever one begins to count.
    return after + Math.ceil((log(1 - random.uniform()) / log(1 - fault.probability!)) * 1e6);
  };
  return (after) => {
    const from = next(after);
    if (from === null) return null;
    return { from, to: fault.kind === "oscillator" ? Number.POSITIVE_INFINITY : from + lasts };
  };
}
