/** Published QRS detectors to be compared with: `vitalwire evaluate qrs --compare`. */
import type { Peer } from "../../simulator/evaluate/qrs.ts";
import { createElgendiDetector, createRefractoryElgendiDetector } from "./elgendi.ts";
import { createHamiltonDetector } from "./hamilton.ts";
import { createRtorDetector } from "./rtor.ts";

export const peers: readonly Peer[] = [
  {
    name: "Hamilton",
    source: "Hamilton 2002, after Pan and Tompkins 1985 and Hamilton and Tompkins 1986; their numbers",
    factory: createHamiltonDetector,
  },
  {
    name: "Elgendi",
    source: "Elgendi 2013, two moving averages; the paper's numbers, as a stream",
    factory: createElgendiDetector,
  },
  {
    name: "Elgendi, 200 ms refractory",
    source: "the same, and no beat within 200 ms of another, which the paper has not",
    factory: createRefractoryElgendiDetector,
  },
  {
    name: "MAX30003 RTOR principle",
    source: "MAX30001G data sheet, p. 28, 59, 60; what it leaves open after Pan and Tompkins 1985, or assumed",
    factory: createRtorDetector,
  },
];
