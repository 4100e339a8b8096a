/** Complaints of rates: lines 3, 4, 5. */
import type { Complaint } from "./complaint.ts";

export const rates: readonly Complaint[] = [];
