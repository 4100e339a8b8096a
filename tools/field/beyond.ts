/** Complaints of what comes after the board: lines 15, 19 to 25. */
import type { Complaint } from "./complaint.ts";

export const beyond: readonly Complaint[] = [];
