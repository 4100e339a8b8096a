import { describe, expect, test } from "vitest";
import type { Op, Step } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { chip } from "../../drivers/max30102/driver.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { syntheticBlock } from "../../tools/count-statements.ts";
import { lacks } from "../support/needs.ts";
import { program as accepted } from "./programs/accepted.ts";
import { program as cbor } from "./programs/cbor.ts";
import { program as dsp } from "./programs/dsp.ts";
import { program as frame } from "./programs/frame.ts";
import { type Chain, program as max30102 } from "./programs/max30102.ts";
import { program as runtime } from "./programs/runtime.ts";
import { program as samples } from "./programs/samples.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

type Told = Chain["outcomes"][number];

/** Performs operations on an emulator at once; the time does not move. */
function perform(emulator: I2cEmulator, ops: readonly Op[]): number[][] {
  const replies: number[][] = [];
  for (const op of ops) {
    if ("write" in op) {
      if (!emulator.start(false)) throw new Error("the emulator does not acknowledge a write");
      for (const byte of op.write) emulator.write(byte);
    } else if ("read" in op) {
      if (op.at !== undefined) {
        emulator.start(false);
        emulator.write(op.at);
      }
      if (!emulator.start(true)) throw new Error("the emulator does not acknowledge a read");
      replies.push(Array.from({ length: op.read }, () => emulator.read()));
    } else throw new Error(`no such operation on this bus: ${JSON.stringify(op)}`);
    emulator.stop();
  }
  return replies;
}

/** What an emulated MAX30102 answers the driver: opened, polled while it measures, overflowing once, tested, closed. */
function conversation(): Chain[] {
  const emulator = emulated.create({}) as I2cEmulator;
  const driver = chip.create({}, {});
  const frame = driver.createFrame();
  emulator.powerOn(0);
  emulator.set("red", (time) => 300 + 20 * Math.sin(8 * time));
  emulator.set("infrared", (time) => 500 + 40 * Math.sin(8 * time));
  let now = 20_000;
  const chains: Chain[] = [];
  const chain = (call: Chain["call"], after: number) => {
    now += after;
    const outcomes: Told[] = [];
    let step: Step | null = driver[call]();
    while (step !== null) {
      emulator.advance(now);
      const told: Told = {
        replies: perform(emulator, step.ops),
        error: null,
        began: now,
        ended: now + 500,
        edges: 0,
        edgeAt: 0,
        inputs: 0,
      };
      outcomes.push(told);
      now += 500 + Math.ceil(1000 * (step.pause ?? 0));
      emulator.advance(now);
      step =
        step.next?.({ ...told, replies: told.replies.map((bytes): Uint8Array => Uint8Array.from(bytes)) }, frame) ??
        null;
    }
    chains.push({ call, outcomes });
  };
  chain("open", 0);
  for (const after of [40_000, 65_000, 90_000, 700_000, 50_000]) chain("poll", after);
  chain("selfTest", 10_000);
  chain("close", 10_000);
  return chains;
}

test("the conversation with the emulator holds samples, an overflow and a self-test, so that it can tell a difference", () => {
  const told = runOnNode(max30102, conversation()).join("\n");
  expect(told).toMatch(/^0: \d\d? from \d+ lost 0 flags \d+( \d+){5}/m);
  expect(told).toMatch(/ lost (?!0)/);
  expect(told).toMatch(/confirmed/);
  expect(told).not.toMatch(/wants more|ended early/);
});

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

  test("drivers/max30102/driver.ts asks for the same operations and makes the same samples of the same answers", () => {
    const chains = conversation();
    expect(runOnEspruino("max30102", chains)).toEqual(runOnNode(max30102, chains));
  });

  test("firmware/runtime.ts seals the same messages: birth, data, losses, faults, evictions, goodbye", () => {
    const told = runOnNode(runtime, null);
    expect(told.at(-1)).toMatch(/^true [1-9]\d+ \d+ [1-9]/);
    // Birth, presence, data and events of both kinds.
    expect(new Set(told.map((line) => line[0]))).toEqual(new Set(["w", "b", "d", "t"]));
    expect(runOnEspruino("runtime")).toEqual(told);
  });

  test("firmware/dsp finds the same beats, pulse, saturation and temperature, to the last bit", () => {
    const pulse = (scale: number) => (_: unknown, i: number) =>
      Math.round(90_000 + scale * Math.sin((2 * Math.PI * i) / 83));
    const signals = {
      ecg: Array.from(syntheticBlock(25 * 128, 128, 3)),
      red: Array.from({ length: 2000 }, pulse(700)),
      infrared: Array.from({ length: 2000 }, pulse(1100)),
      temperature: Array.from({ length: 80 }, (_, i) => Math.round(128 * (37 - Math.exp(-i / 20)))),
    };
    const told = runOnNode(dsp, signals);
    expect(told.filter((line) => line.startsWith("beat")).length).toBeGreaterThan(20);
    expect(told.some((line) => /^(?!beat|null)\S+ (?!null)\S+ /.test(line))).toBe(true);
    expect(runOnEspruino("dsp", signals)).toEqual(told);
  });
});
