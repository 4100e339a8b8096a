/** What a reader makes of a chip between its polls: opened, closed twice, steps of commands. */
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Frame } from "../../drivers/driver.ts";
import { createReader } from "../../firmware/reader.ts";
import { scriptedDriver, scriptedStep } from "./scripted-driver.ts";

function setUp() {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const told: string[] = [];
  let answers = true;
  const step = (what: string, then: (frame: Frame) => void = () => {}) =>
    scriptedStep((frame) => {
      told.push(what);
      then(frame);
    });
  const driver = scriptedDriver(100, {
    open: () =>
      step("open", (frame) => {
        if (answers) frame.identity = { verdict: "confirmed", read: "" };
      }),
    poll: () => step("poll"),
    selfTest: () => step("test"),
    close: () => step("close"),
  });
  const executor = {
    maxRead: 64,
    run: (_target: unknown, _ops: unknown, done: (outcome: never) => void) =>
      void clock.at(clock.now + 1000, () =>
        done({ replies: [], error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 } as never),
      ),
  };
  const frames: number[] = [];
  const reader = createReader(
    board,
    { driver, executor },
    {
      onFrame: (frame) => frames.push(frame.channels[0]!.count),
      onFault: () => {},
      onRestart: () => told.push("restart"),
    },
  );
  return {
    clock,
    reader,
    told,
    step,
    frames,
    silence: () => {
      answers = false;
    },
  };
}

test("opening tells whether the chip answered; it runs either way, until it is closed", () => {
  const { clock, reader, told } = setUp();
  const opened: boolean[] = [];
  expect(reader.running).toBe(false);
  reader.open((one) => opened.push(one));
  expect(reader.running).toBe(true);
  clock.runUntil(150_000);
  expect(opened).toEqual([true]);
  expect(told).toEqual(["open", "poll"]);

  const mute = setUp();
  mute.silence();
  mute.reader.open((one) => opened.push(one));
  mute.clock.runUntil(50_000);
  expect(opened).toEqual([true, false]);
  expect(mute.reader.running).toBe(true);
  mute.reader.close(() => {});
  expect(mute.reader.running).toBe(false);
});

test("closed twice, both are told, once each, when it is closed", () => {
  const { clock, reader } = setUp();
  reader.open(() => {});
  clock.runUntil(50_000);
  const closed: string[] = [];
  reader.close(() => closed.push("first"));
  reader.close(() => closed.push("second"));
  expect(closed).toEqual([]);
  clock.runUntil(100_000);
  expect(closed).toEqual(["first", "second"]);
  reader.close(() => closed.push("third"));
  expect(closed).toEqual(["first", "second", "third"]);
});

test("a step between two polls hands over what it found, and a chip that asks for it is opened anew", () => {
  const { clock, reader, told, step, frames } = setUp();
  reader.open(() => {});
  clock.runUntil(50_000);
  const done: number[] = [];
  reader.perform(
    step("job", (frame) => {
      (frame.channels[0] as { count: number }).count = 3;
    }),
    (frame) => done.push(frame.channels[0]!.count),
  );
  clock.runUntil(60_000);
  expect([frames, done]).toEqual([[3], [3]]);
  reader.perform(
    step("job", (frame) => {
      frame.restart = true;
    }),
    () => {},
  );
  clock.runUntil(300_000);
  expect(told.slice(0, 5)).toEqual(["open", "job", "job", "open", "restart"]);
});
