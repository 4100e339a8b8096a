import { describe, expect, test } from "vitest";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/temperature.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

/** Put on at a time constant of 40 s, a spike, a chip that is gone for a while, settled, taken off. */
const degrees = (time: number) => {
  if (time === 90) return 45;
  if (time >= 330 && time < 334) return -256;
  if (time >= 450) return 23 + 11 * Math.exp((450 - time) / 60);
  return 34 - 11 * Math.exp(-time / 40);
};

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test.each([0.25, 1])(
    "at %f hz the temperature filter shows and predicts the same, to the last bit; so do the sites",
    (rate) => {
      const steps = Array.from({ length: 600 * rate }, (_, k) => Math.round(128 * degrees(k / rate)));
      const given = { rate, steps, sites: ["axilla", "finger", "wrist", "bath", "toString", "constructor", ""] };
      const here = runOnNode(program, given);
      expect(here.some((line) => /^[0-9a-f]+ 0 [0-9a-f]+ 1$/.test(line))).toBe(true);
      expect(runOnEspruino("temperature", given)).toEqual(here);
    },
  );
});
