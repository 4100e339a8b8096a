/** Complaints of a bus and of what hangs on it: lines 10, 11. */
import type { Complaint } from "./complaint.ts";

export const bus: readonly Complaint[] = [];
