/** `--faults FILE`: a plan of faults for simulated boards, and what is said and reported of it. */
import { type Fault, type FaultEvent, type FaultPlan, faultPlan, type Parts, unsuited } from "../simulator/faults.ts";
import { NODE_CHIPS } from "../simulator/node.ts";
import { readConfig } from "./config.ts";
import { isSerial, type Ward } from "./ward.ts";

/** How a board is heard. */
type Way = Pick<Parts, "line" | "broker">;

/** A plan for a ward of so many boards. Throws as readFaults. */
export const wardFaults = (path: string, boards: number): FaultPlan =>
  readFaults(
    path,
    Array.from({ length: boards }, (_, index) => ({ line: isSerial(index), broker: !isSerial(index) })),
  );

/** Reads a plan, YAML or JSON, for boards that are heard so. Throws UsageError with file, line, value and what to do. */
export function readFaults(path: string, ways: readonly Way[]): FaultPlan {
  const chips = NODE_CHIPS.map(({ model, bus, create }) => ({ model, bus, inputs: create({}).inputs }));
  const parts = ways.map((way, index): Parts => ({ index, chips, ...way }));
  const schema = faultPlan.superRefine((plan, context) => {
    for (const [place, fault] of plan.entries()) {
      const refusal = refusalOf(fault, parts);
      if (refusal !== null) context.addIssue({ code: "custom", message: refusal.reason, path: [place, refusal.key] });
    }
  });
  return readConfig(path, schema);
}

/** Why no board of these can have it, and the key that is to blame; null: one can. */
function refusalOf(fault: Fault, parts: readonly Parts[]): { key: keyof Fault; reason: string } | null {
  const asked = fault.board === undefined ? parts : parts.filter(({ index }) => index === fault.board);
  if (asked.length === 0) {
    return {
      key: "board",
      reason: `there is no board ${fault.board}; the last of ${parts.length} is ${parts.length - 1}`,
    };
  }
  const reasons = asked.map((one) => unsuited(fault, one));
  if (reasons.includes(null)) return null;
  return {
    key: "chip" in fault ? ("chip" as keyof Fault) : fault.board === undefined ? "kind" : "board",
    reason: reasons[0]!,
  };
}

/** One line for a person; boards count from 1 there, as in all that is said of the ward. */
export const faultWords = ({ kind, board, chip, state, at }: FaultEvent): string =>
  `FAULT ${state}: ${kind}${chip === null ? "" : ` of ${chip}`}, board ${board + 1}, at ${at.toFixed(3)} s`;

/** What was wrong in the whole ward, in order of time. */
export const wardTruth = ({ boards }: Ward): FaultEvent[] =>
  boards.flatMap(({ node }) => node.faults?.truth ?? []).sort((a, b) => a.at - b.at);
