import { describe, expect, test } from "vitest";
import { drawPulse, pulseTimes } from "../../simulator/evaluate/synthetic-pulse.ts";
import { createRandom } from "../../simulator/random.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/pulse.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

const RATES = [30, 50, 100, 125, 200, 400];
const SECONDS = 16;

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("the same pulses are found at 30 to 400 hz, to the last bit, and trusted as far", () => {
    const lights = RATES.map((rate, k) =>
      Array.from(
        drawPulse({
          rate,
          seconds: SECONDS,
          beats: pulseTimes(SECONDS, (time) => (time < 9 ? 60 + 20 * k : 75)),
          perfusionIndex: (time) => (time < 6 ? 2 : 0.4),
          baseline: (time) => 0.002 * Math.sin(time),
          noise: 60,
          random: createRandom(k),
        }),
      ),
    );
    const input = { rates: RATES, lights, blocks: [17, 1, 6, 32, 3, 25] };
    const here = runOnNode(program, input);
    for (const rate of RATES) {
      expect(here.filter((line) => line.startsWith(`beat ${rate} `)).length).toBeGreaterThan(14);
      expect(new Set(here.filter((line) => line.startsWith(`quality ${rate} `))).size).toBeGreaterThan(12);
    }
    expect(runOnEspruino("pulse", input)).toEqual(here);
  });
});
