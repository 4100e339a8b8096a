/** Complaints of the light of a finger: lines 1, 2, 6, 7. */
import type { Complaint } from "./complaint.ts";

export const pulse: readonly Complaint[] = [];
