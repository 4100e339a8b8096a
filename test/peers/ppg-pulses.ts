/** Detectors of pulses to be compared with: `vitalwire evaluate pulse --compare`. */
import type { PulsePeer } from "../../simulator/evaluate/pulse.ts";
import { createElgendiPulseDetector } from "./ppg-elgendi.ts";
import { createZeroCrossingDetector } from "./ppg-zero-crossing.ts";

export const pulsePeers: readonly PulsePeer[] = [
  {
    name: "Elgendi",
    source: "Elgendi et al. 2013, two moving averages; the paper's numbers, as a stream",
    factory: createElgendiPulseDetector,
  },
  {
    name: "zero crossing, fixed limits",
    source: "the rule of SparkFun's MAX3010x library (2016): DC taken off, low-pass, a swing of 20 to 1000 counts",
    factory: createZeroCrossingDetector,
  },
];
