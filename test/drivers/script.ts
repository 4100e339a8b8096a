/** Scripts: what a chain of steps must ask of the bus, in turn, and what it gets. */
import { expect } from "vitest";
import { type BusError, clearFrame, type Frame, type Op, type Step } from "../../drivers/driver.ts";

/** One step as a test expects it: its operations, and what comes back. Times in us. */
export interface Turn {
  readonly ops: readonly Op[];
  readonly replies?: readonly (readonly number[])[];
  readonly pause?: number;
  readonly error?: BusError["kind"];
  readonly began?: number;
  readonly ended?: number;
  readonly edges?: number;
  readonly edgeAt?: number;
}

/** Plays a chain of steps against what is expected of it; leftovers on either side fail. `pauses`: they count too. */
export function play(first: Step, frame: Frame, script: readonly Turn[], pauses = false): Frame {
  clearFrame(frame);
  let step: Step | null = first;
  for (const { ops, replies = [], pause, error, began = 0, ended = began, edges = 0, edgeAt = 0 } of script) {
    expect(step, "the chain ended early").not.toBeNull();
    expect(step!.ops).toEqual(ops);
    if (pauses) expect(step!.pause).toBe(pause);
    const outcome = {
      replies: replies.map((bytes) => Uint8Array.from(bytes)),
      error: error === undefined ? null : { kind: error, op: replies.length, message: "scripted" },
      began,
      ended,
      edges,
      edgeAt,
      inputs: 0,
    };
    step = step!.next?.(outcome, frame) ?? null;
  }
  expect(step, "the chain goes on").toBeNull();
  return frame;
}
