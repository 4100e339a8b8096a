/** Complaints of electrodes, hearts and clocks: lines 12, 13, 14, 16, 17, 18. */
import type { Complaint } from "./complaint.ts";

export const heart: readonly Complaint[] = [];
