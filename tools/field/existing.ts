/** Complaints seen in existing drivers by reading them. */
import type { Complaint } from "./complaint.ts";

export const existing: readonly Complaint[] = [];
