/** What a doctor says of a board: findings, and how numbers and faults become words. Device side. */

/** look: it works, or may be meant so, and a person should know; bad: what is measured like this is worth nothing. */
export type Verdict = "good" | "look" | "bad";

export interface Finding {
  /** What was looked at: a bus, or a chip and what of it. */
  readonly what: string;
  readonly verdict: Verdict;
  /** What came, with its unit and its uncertainty. */
  readonly measured: string;
  /** What that was held against, and whose figure it is; null: nothing. */
  readonly expected: string | null;
  /** What to do; null: nothing. */
  readonly words: string | null;
}

export type Tell = (finding: Finding) => void;

export const good = (what: string, measured: string, expected: string | null): Finding => ({
  what: what,
  verdict: "good",
  measured: measured,
  expected: expected,
  words: null,
});

export const notGood = (
  verdict: "look" | "bad",
  what: string,
  measured: string,
  expected: string | null,
  words: string,
): Finding => ({ what: what, verdict: verdict, measured: measured, expected: expected, words: words });

/** Decimals that a number with this uncertainty deserves, 0 to 4. */
export const decimalsOf = (uncertainty: number): number => {
  let decimals = 0;
  for (let left = uncertainty; left < 1 && decimals < 4; left *= 10) decimals++;
  return decimals;
};

/** "99.98 +- 0.02 Hz" */
export const withUncertainty = (value: number, uncertainty: number, unit: string): string => {
  const decimals = decimalsOf(uncertainty);
  let step = 1;
  for (let i = 0; i < decimals; i++) step /= 10;
  // rounded up: it is a bound
  const bound = Math.ceil(uncertainty / step) * step;
  return `${value.toFixed(decimals)} +- ${bound.toFixed(decimals)} ${unit}`;
};

/** A message "MODEL at 0x57: what, which value; what to do" in two: what and which value, and what to do. */
export const partsOf = (message: string): { readonly what: string; readonly words: string } => {
  const colon = message.indexOf(": ");
  const rest = colon < 0 ? message : message.slice(colon + 2);
  const end = rest.lastIndexOf("; ");
  if (end < 0) return { what: rest, words: "switch the board off and on, and look at its wiring" };
  return { what: rest.slice(0, end), words: rest.slice(end + 2) };
};
