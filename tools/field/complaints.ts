/** All complaints, in the order of FAULTS.md. */
import { beyond } from "./beyond.ts";
import { bus } from "./bus.ts";
import { type Complaint, defects } from "./complaint.ts";
import { existing } from "./existing.ts";
import { heart } from "./heart.ts";
import { pulse } from "./pulse.ts";
import { rates } from "./rates.ts";
import { samples } from "./samples.ts";

const place = ({ line }: Complaint): number => (typeof line === "number" ? line : 100 + defects.indexOf(line));

export const complaints: readonly Complaint[] = [
  ...pulse,
  ...rates,
  ...samples,
  ...bus,
  ...heart,
  ...beyond,
  ...existing,
].sort((one, other) => place(one) - place(other));

/** Throws Error where there is none. */
export function complaintOf(line: Complaint["line"]): Complaint {
  const found = complaints.find((one) => one.line === line);
  if (found === undefined) throw new Error(`complaints: none of line ${line}; add it in tools/field/`);
  return found;
}
