/** The part of `vitalwire evaluate pulse` on respiration: an estimate, against the bedside monitor's own count. */
import {
  RESPIRATION_WINDOW,
  RESPIRATION_WRONG,
  type RespirationDocument,
  type RespirationFigures,
} from "../../simulator/evaluate/respiration.ts";
import { percent, table } from "./table.ts";

export function describeRespiration(document: RespirationDocument): string[] {
  const { constant } = document;
  const three = ({ mae, coverage, wrong }: RespirationFigures) => [percent(mae), percent(coverage), percent(wrong)];
  return [
    ...table([
      [
        `respiration over ${RESPIRATION_WINDOW} s, estimated`,
        "error 1/min",
        "shown %",
        `over ${RESPIRATION_WRONG} off %`,
      ],
      ["vitalwire", ...three(document)],
      ...document.peers.map((peer) => [peer.name, ...three(peer)]),
      ["mean of all, where vitalwire shows a number", ...three(constant)],
    ]),
    "",
    `held against what the bedside monitor counted by the chest's impedance, which is not the truth; ${document.times} times, ` +
      `mean ${constant.value ?? "-"}/min: to say that of everybody is "mean of all"`,
  ];
}
