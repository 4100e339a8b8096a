/** Published QRS detectors to be compared with: `vitalwire evaluate qrs --compare`. */
import type { Peer } from "../../simulator/evaluate/qrs.ts";
import { createRtorDetector } from "./rtor.ts";

export const peers: readonly Peer[] = [
  {
    name: "MAX30003 RTOR principle",
    source: "MAX30001G data sheet, p. 28, 59, 60, registers as after power-on; what it leaves open is assumed",
    factory: createRtorDetector,
  },
];
