/** Complaints of lost samples: lines 8, 9. */
import type { Complaint } from "./complaint.ts";

export const samples: readonly Complaint[] = [];
