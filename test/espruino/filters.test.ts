import { describe, expect, test } from "vitest";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/filters.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

/**
 * 5 s at 125 hz: 24-bit full scale for a while, then 50 hz of 100 uV with a QRS and a pacing pulse now and then; and 2 s
 * without 50 hz, in which there are pulses of all heights about the spike filter's floor, and blocks without any.
 */
const hum = Array.from({ length: 625 }, (_, i) =>
  i < 60
    ? (i * 7919) % 3 === 0
      ? 2 ** 23 - 1
      : -(2 ** 23)
    : Math.round(
        50 * Math.sin((2 * Math.PI * 50 * i) / 125) +
          (i % 100 < 10 ? 1000 - 200 * Math.abs(5 - (i % 100)) : 0) +
          (i % 100 === 60 ? 20_000 : 0),
      ),
);

const quiet = Array.from({ length: 250 }, (_, i) => (i % 40 === 20 ? 30 + 5 * (i >> 3) : Math.round(i / 5) + (i % 3)));
const samples = [...hum, ...quiet];

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("every filter gives the same samples, to the last bit, through native vector functions", () => {
    const input = { samples, blocks: [1, 24, 7, 64, 3, 2, 5] };
    const [, ...here] = runOnNode(program, input);
    const [native, ...there] = runOnEspruino("filters", input);
    expect(native).toBe("native true");
    expect(here).toContain("mains 50");
    expect(there).toEqual(here);
  });
});
