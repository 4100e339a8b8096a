/** The MAX30003 driver with all its options in a real interpreter, as on Node. */
import { describe, expect, test } from "vitest";
import type { Chip, Op, Step } from "../../drivers/driver.ts";
import type { SpiEmulator } from "../../drivers/emulator.ts";
import { chip, type Max30003Configuration } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { lacks } from "../support/needs.ts";
import { type Chain, type Conversation, replay } from "./programs/replay.ts";
import { replayOnEspruino, runOnNode } from "./run.ts";

type Told = Chain["outcomes"][number];

/** Performs operations on an emulator at once; the time does not move. */
const perform = (emulator: SpiEmulator, ops: readonly Op[]): number[][] =>
  ops.map((op) => {
    if (!("transfer" in op)) throw new Error(`no such operation on this bus: ${JSON.stringify(op)}`);
    emulator.select();
    const reply = op.transfer.map((byte) => emulator.exchange(byte));
    emulator.deselect();
    return reply;
  });

/** What an emulated chip answers: calls of the driver, each so many ms behind the one before. */
function converse(
  configuration: Partial<Max30003Configuration>,
  inputs: Record<string, number | ((time: number, sinceStart: number) => number)>,
  calls: readonly (readonly [Chain["call"], number])[],
): Conversation {
  const emulator = emulated.create({});
  const wiring = { maxRead: 30 };
  const driver = chip.create(configuration, wiring);
  const frame = driver.createFrame();
  emulator.powerOn(0);
  for (const [name, value] of Object.entries(inputs)) emulator.set(name, value);
  let now = 20_000;
  const chains = calls.map(([call, wait]): Chain => {
    now += wait * 1000;
    const outcomes: Told[] = [];
    for (const block of frame.channels) block.count = block.lost = block.flags = 0;
    let step: Step | null = driver[call]();
    while (step !== null) {
      emulator.advance(now);
      const replies = perform(emulator, step.ops);
      const told: Told = { replies, error: null, began: now, ended: now + 500, edges: 0, edgeAt: 0, inputs: 0 };
      outcomes.push(told);
      now += 500 + Math.ceil(1000 * (step.pause ?? 0));
      emulator.advance(now);
      step = step.next?.({ ...told, replies: replies.map((bytes) => Uint8Array.from(bytes)) }, frame) ?? null;
    }
    return { call, outcomes };
  });
  return { configuration, wiring, chains };
}

const polls = (count: number, every: number) => Array.from({ length: count }, () => ["poll", every] as const);
const beats = (_: number, sinceStart: number) => Math.max(0, 1 - Math.abs((sinceStart % 0.75) - 0.4) / 0.02) / 1000;

const conversations = (): Conversation[] => [
  converse({}, { ecg: (time) => 0.04 * Math.sin(9 * time), leadOffNegative: (time) => (time > 0.5 ? 1 : 0) }, [
    ["open", 0],
    ...polls(9, 60),
    ["poll", 400],
    ["poll", 60],
    ["selfTest", 60],
    ["poll", 60],
    ["close", 30],
    ["poll", 10],
  ]),
  converse({ rrInterval: true, sampleRate: 250, fastRecovery: "off" }, { ecg: beats }, [
    ["open", 0],
    ...polls(70, 60),
    ["close", 20],
  ]),
  converse({ leadOff: 0, calibration: { frequency: 4, high: 31250 }, gain: 160 }, {}, [
    ["open", 0],
    ...polls(6, 60),
    ["close", 20],
  ]),
  converse({ leadOn: 0.25 }, { leadOff: (time) => (time < 0.6 || time > 1.2 ? 1 : 0) }, [
    ["open", 0],
    ...polls(30, 60),
    ["close", 20],
  ]),
];

const replayed = (told: readonly Conversation[]) =>
  runOnNode((print) => replay(chip as Chip<unknown>, print, told), null);

test("the conversations hold all that can make a difference", () => {
  const told = replayed(conversations()).join("\n");
  for (const what of [
    /^0: \d\d? from \d+ lost 0 flags 0( -?\d+){5}/m,
    /^1: 1 from [1-9]\d* lost 0 flags 0 9[34]$/m, // 0.75 s in steps of 8 ms
    / flags 128 /,
    /lead off: ECGN \(/,
    /lead off: ECGP and ECGN/,
    /FIFO overflow/,
    /0: 0 from \d+ lost 0 flags 4$/m,
    /confirmed/,
    /calibration /,
    /it lost its state/,
  ])
    expect(told).toMatch(what);
  expect(told).not.toMatch(/wants more|ended early|accepted/);
});

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("drivers/max30003/chip.ts asks for the same operations and makes the same of the same answers", () => {
    const told = conversations();
    expect(replayOnEspruino("max30003", told)).toEqual(replayed(told));
  });
});
