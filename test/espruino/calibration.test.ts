import { describe, expect, test } from "vitest";
import type { Calibration } from "../../firmware/dsp/calibration.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/calibration.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

const given: readonly Calibration[] = [
  { id: "finger-07", curve: { square: -12.3456789, linear: -11.1, constant: 103.3 } },
  { id: "line", curve: { square: 0, linear: -23.7, constant: 108.9 } },
  {
    id: "table",
    table: [
      [0.41, 99.5],
      [0.73, 93.1],
      [1.37, 77.7],
      [2.9, 41.3],
    ],
  },
  { id: "rises", curve: { square: 0, linear: 3, constant: 90 } },
  { id: "Finger", curve: { square: 0, linear: -20, constant: 110 } },
  {
    id: "short",
    table: [
      [0.4, 99],
      [1, 75],
    ],
  },
];

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("calibrations give the same SpO2, to the last bit, and the same refusals", () => {
    const here = runOnNode(program, given);
    expect(here.filter((line) => line.startsWith("taken"))).toHaveLength(3);
    expect(runOnEspruino("calibration", given)).toEqual(here);
  });
});
