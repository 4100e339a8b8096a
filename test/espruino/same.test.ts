import { describe, expect, test } from "vitest";
import { syntheticBlock } from "../../tools/count-statements.ts";
import { lacks } from "../support/needs.ts";
import { program as accepted } from "./programs/accepted.ts";
import { program as cbor } from "./programs/cbor.ts";
import { program as dsp } from "./programs/dsp.ts";
import { program as frame } from "./programs/frame.ts";
import { program as runtime } from "./programs/runtime.ts";
import { program as samples } from "./programs/samples.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("everything that the dialect accepts parses and gives the same results", () => {
    expect(runOnEspruino("accepted")).toEqual(runOnNode(accepted, null));
  });

  test("protocol/cbor.ts encodes to the same bytes and refuses with the same words", () => {
    expect(runOnEspruino("cbor")).toEqual(runOnNode(cbor, null));
  });

  test("protocol/samples.ts encodes to the same bytes in every codec, and decodes them to the same samples", () => {
    const here = runOnNode(samples, null);
    expect(runOnEspruino("samples")).toEqual(here);
    expect(here.length).toBe(100);
  });

  test("protocol/frame.ts makes the same lines and refuses the same damage", () => {
    expect(runOnEspruino("frame")).toEqual(runOnNode(frame, null));
  });

  test("firmware/runtime.ts seals the same messages: birth, data, losses, faults, evictions, goodbye", () => {
    const told = runOnNode(runtime, null);
    expect(told.at(-1)).toMatch(/^true [1-9]\d+ \d+ [1-9]/);
    // Birth, presence, data and events of both kinds.
    expect(new Set(told.map((line) => line[0]))).toEqual(new Set(["w", "b", "d", "t"]));
    expect(runOnEspruino("runtime")).toEqual(told);
  });

  test("firmware/dsp finds the same beats, pulse, saturation and temperature, to the last bit", () => {
    // a pulse that is still, shaken, clipped, and gone for a while
    const shake = (i: number) => (i > 1500 && i < 1900 ? 2000 * Math.sin(i / 7) + 1500 * Math.sin(i / 11) : 0);
    const pulse = (scale: number) => (_: unknown, i: number) =>
      i > 2300 && i < 2400
        ? 400
        : Math.round(90_000 + scale * Math.sin((2 * Math.PI * i) / 83) + shake(i) + 15 * Math.sin(i * i));
    const signals = {
      ecg: Array.from(syntheticBlock(25 * 128, 128, 3)),
      red: Array.from({ length: 3500 }, pulse(700)),
      infrared: Array.from({ length: 3500 }, pulse(1100)),
      temperature: Array.from({ length: 80 }, (_, i) => Math.round(128 * (37 - Math.exp(-i / 20)))),
    };
    const told = runOnNode(dsp, signals);
    expect(told.filter((line) => line.startsWith("beat")).length).toBeGreaterThan(20);
    const light = told.filter((line) => line.startsWith("light")).map((line) => line.split(" "));
    expect(new Set(light.map((words) => words[5])).size).toBeGreaterThan(4);
    expect(light.filter((words) => !words.slice(1, 5).includes("null")).length).toBeGreaterThan(40);
    expect(runOnEspruino("dsp", signals)).toEqual(told);
  });
});
