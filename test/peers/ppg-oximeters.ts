/** Oximeters to be compared with: `vitalwire evaluate spo2 --compare`. */
import type { Spo2Peer } from "../../simulator/evaluate/spo2-meter.ts";
import { createPeakValleyMeter } from "./ppg-peak-valley.ts";
import { createRmsMeter } from "./ppg-rms.ts";

export const oximeterPeers: readonly Spo2Peer[] = [
  {
    name: "peak-valley",
    source:
      "the program of Maxim's reference design MAXREFDES117 (2016), 4 s at 25 hz; its rules without its rounding of R",
    factory: createPeakValleyMeter,
  },
  {
    name: "RMS ratio",
    source: "standard deviation over mean in 4 s, the straight-line trend taken off",
    factory: createRmsMeter,
  },
];
