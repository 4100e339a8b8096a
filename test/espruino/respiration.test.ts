import { describe, expect, test } from "vitest";
import { createRandom } from "../../simulator/random.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/respiration.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

/** 200 s of beats that breathe, 15 then 22 a minute, without a pulse for a while. */
function beats(): number[][] {
  const random = createRandom(3);
  const all: number[][] = [];
  for (let at = 500; at < 200_000; ) {
    const breath = Math.sin((2 * Math.PI * (at < 100_000 ? 15 : 22) * at) / 60_000);
    const noisy = (strength: number) => strength * (breath + 0.2 * random.normal());
    if (at < 20_000 || at > 26_000) all.push([Math.round(at), 900 + noisy(90), 80_000 + noisy(400)]);
    at += 800 + noisy(30);
  }
  return all;
}

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("respiration is the same to the last bit", () => {
    const signal = beats();
    const told = runOnNode(program, signal);
    expect(told.filter((line) => !line.startsWith("null")).length).toBeGreaterThan(60);
    expect(runOnEspruino("respiration", signal)).toEqual(told);
  });
});
