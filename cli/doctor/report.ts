/** What `doctor` found, for a person and for a program. */
import type { Finding, Verdict } from "../../firmware/doctor/doctor.ts";
import type { FaultEvent } from "../../simulator/faults.ts";
import { cut, type Line, render, type Tone, visible, widthOf, wrap } from "../monitor/text.ts";

export interface DoctorReport {
  readonly board: string;
  readonly seed: number;
  /** The sentence about electrodes. */
  readonly safety: string;
  /** The worst of the findings'. */
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** What was wrong with it on purpose; absent: nothing. */
  readonly faults?: readonly FaultEvent[];
}

/** Columns of the verdict and of what was looked at. */
const VERDICT = 6;
const WHAT = 21;
const TONES: Record<Verdict, Tone> = { good: "good", look: "warning", bad: "bad" };

export function worst(findings: readonly Finding[]): Verdict {
  const has = (verdict: Verdict) => findings.some((one) => one.verdict === verdict);
  return has("bad") ? "bad" : has("look") ? "look" : "good";
}

/** "measured; expected …. What to do" */
function sentence({ measured, expected, words }: Finding): string {
  const against = expected === null ? "" : `; expected ${expected}`;
  return visible(`${measured}${against}${words === null ? "" : `. ${words[0]!.toUpperCase()}${words.slice(1)}`}`);
}

/** What is good has a line: where that is too narrow, without whose figure it is, or without any. */
function short(finding: Finding, width: number): string {
  const { measured, expected } = finding;
  const bare = { ...finding, expected: expected?.replace(/ \([^)]*\)$/, "") ?? null };
  return [finding, bare].map(sentence).find((text) => widthOf(text) <= width) ?? cut(visible(measured), width);
}

/**
 * A finding in one line; on a terminal of `width` columns what does not fit goes on below, indented. null: one line, however
 * long.
 */
export function findingLines(finding: Finding, width: number | null, color: boolean): string[] {
  const { verdict } = finding;
  const indent = VERDICT + WHAT;
  const room = Math.max(20, (width ?? 0) - indent);
  const partsOf = () => {
    if (width === null) return [sentence(finding)];
    return verdict === "good" ? [short(finding, room)] : wrap(sentence(finding), room, Number.POSITIVE_INFINITY);
  };
  return partsOf().map((part, i) => {
    const head: Line = [[TONES[verdict], verdict.padEnd(VERDICT)], visible(finding.what).padEnd(WHAT)];
    const line: Line = i === 0 ? [...head, part] : [`${" ".repeat(indent)}${part}`];
    return render(line, null, color);
  });
}

/** The safety sentence, in lines of at most `width` columns. */
export const safetyLines = (safety: string, width: number | null): string[] =>
  width === null ? [safety] : wrap(safety, width, Number.POSITIVE_INFINITY);

/** The last line. */
export function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((one) => one.verdict === verdict).length;
  const words = {
    good: "nothing to do",
    look: "works; read the lines that say look",
    bad: "begin with the first bad line",
  };
  return `${count("good")} good, ${count("look")} look, ${count("bad")} bad: ${words[worst(findings)]}`;
}
