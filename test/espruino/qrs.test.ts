import { describe, expect, test } from "vitest";
import { createRandom } from "../../simulator/random.ts";
import { syntheticBlock } from "../../tools/count-statements.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/qrs.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

const rates = [128, 256, 360, 500];
const random = createRandom(5);
/** 24-bit full scale either way, in stretches that get longer, then noise of 100 counts. */
const samples = Array.from({ length: 3000 }, (_, i) =>
  i < 2000 ? (Math.floor(Math.sqrt(i)) % 2 === 0 ? 2 ** 23 - 1 : -(2 ** 23)) : Math.round(100 * random.normal()),
);

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("the QRS detector finds the same humps at every step and the same beats at 128 to 500 hz, to the last bit", () => {
    const ecgs = rates.map((rate) => Array.from(syntheticBlock(15 * rate, rate, 3)));
    const input = { samples, rates, ecgs, blocks: [32, 1, 7, 64, 3, 25] };
    const [, ...here] = runOnNode(program, input);
    const [native, ...there] = runOnEspruino("qrs", input);
    expect(native).toBe("native true");
    for (const step of [1, 2, 3, 4]) {
      expect(here.filter((line) => line.startsWith(`hump ${step} `)).length).toBeGreaterThan(20);
    }
    for (const rate of rates) {
      expect(here.filter((line) => line.startsWith(`beat ${rate} `)).length).toBeGreaterThan(14);
    }
    expect(there).toEqual(here);
  });
});
