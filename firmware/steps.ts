/** Runs a driver's steps on a board's bus: one after the other, pauses with the bus free, a bound on their number. */
import type { Board, Executor, Target } from "../boards/board.ts";
import {
  clearFrame,
  FAULT_BUS,
  FAULT_STEPS,
  type Frame,
  MAX_STEPS,
  type Outcome,
  type Step,
} from "../drivers/driver.ts";

/** Data-ready edges since they were last asked for. */
export interface Edges {
  count: number;
  /** Board clock at the last one, us. */
  at: number;
}

/**
 * Runs the chain that begins with `step`, fills `frame`, then calls `done` once, with whether an operation timed out: the bus
 * may be stuck. Not re-entrant: one chain at a time.
 */
export type StepRunner = (step: Step, frame: Frame, done: (stuck: boolean) => void) => void;

/**
 * Makes a runner for one chip. A failed operation becomes a FAULT_BUS in the frame, then the step's `next` is asked all
 * the same; a chain of more than 16 steps becomes a FAULT_STEPS.
 */
export function createStepRunner(board: Board, executor: Executor, target: Target, edges: Edges): StepRunner {
  let stuck = false;
  const perform = (step: Step, count: number, frame: Frame, done: (stuck: boolean) => void): void => {
    const conclude = (outcome: Outcome): void => {
      outcome.edges = edges.count;
      outcome.edgeAt = edges.at;
      edges.count = 0;
      if (outcome.error !== null) {
        if (outcome.error.kind === "timeout") stuck = true;
        frame.faults.push({ code: FAULT_BUS, message: outcome.error.message });
      }
      const next = step.next === undefined ? null : step.next(outcome, frame);
      if (next === null) {
        done(stuck);
      } else if (count === MAX_STEPS) {
        frame.faults.push({
          code: FAULT_STEPS,
          message: `${target.model}: ${MAX_STEPS} steps in a row and still not done; reset the chip`,
        });
        done(stuck);
      } else {
        perform(next, count + 1, frame, done);
      }
    };
    executor.run(target, step.ops, (outcome) => {
      if (step.pause === undefined) conclude(outcome);
      else board.timer(step.pause, () => conclude(outcome));
    });
  };
  return (step, frame, done) => {
    clearFrame(frame);
    stuck = false;
    perform(step, 1, frame, done);
  };
}
