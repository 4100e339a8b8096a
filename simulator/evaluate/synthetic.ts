/**
 * The checks that ANSI/AAMI EC13 and IEC 60601-2-27 describe for heart rate meters, and some more, run through the chain that
 * ships. After what is published about them (data sheets, test recordings), not by their procedures: evidence towards them, no
 * proof of conformity. Signals are as a sinc3 converter gives them (synthetic-ecg.ts); a row holds at all sampling rates.
 */
import { HEART_RATES } from "../../firmware/heart.ts";
import { type Add, changes, disturbances, rates, sizes, slow, tallT } from "./synthetic-checks.ts";
import { arrhythmias, fibrillations, irregular, pacemakers, tachycardias } from "./synthetic-rhythms.ts";
import { row, type SyntheticCheck } from "./synthetic-row.ts";

export * from "./synthetic-ecg.ts";
export type { SyntheticCheck } from "./synthetic-row.ts";

/** Sampling rates of the checks, hz: all at which the chain makes a heart rate. */
export const SYNTHETIC_RATES: readonly number[] = HEART_RATES;

const families = {
  rates,
  sizes,
  tallT,
  disturbances,
  slow,
  changes,
  irregular,
  arrhythmias,
  tachycardias,
  fibrillations,
  pacemakers,
} as const;

export type SyntheticFamily = keyof typeof families;

export interface SyntheticOptions {
  /** Sampling rates, hz; SYNTHETIC_RATES where absent. */
  readonly rates?: readonly number[];
  /** Which of the checks; all where absent. */
  readonly only?: readonly SyntheticFamily[];
}

/** The table, the same at every call. Throws RangeError for a rate at which the chain makes no heart rate. */
export function syntheticChecks(options: SyntheticOptions = {}): readonly SyntheticCheck[] {
  const { rates = SYNTHETIC_RATES, only = Object.keys(families) as SyntheticFamily[] } = options;
  const rows: SyntheticCheck[] = [];
  const add: Add = (check, condition, requirement, trials, claimed = true) =>
    rows.push(row(rates, { check, condition, claimed }, requirement, trials));
  for (const family of only) families[family](add);
  return rows;
}
