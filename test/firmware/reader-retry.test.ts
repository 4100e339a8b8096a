/** When a reader tries again, and what it tells meanwhile: a chip that does as the test says, in virtual time. */
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { FAULT_BUS, FAULT_GIVEN_UP } from "../../drivers/driver.ts";
import { createReader } from "../../firmware/reader.ts";
import { scriptedDriver, scriptedStep } from "./scripted-driver.ts";

/** `poll`: the words of a poll's faults, and how many samples it brings. */
function setUp(pollEvery = 100) {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const opened: number[] = [];
  const polled: number[] = [];
  const faults: [number, string][] = [];
  const chip = { answers: true, words: [] as string[], samples: 1, timesOut: false, restarts: 0 };
  const step = scriptedStep;
  const driver = scriptedDriver(pollEvery, {
    open: () =>
      step((frame) => {
        opened.push(Math.round(clock.now / 1000));
        if (chip.answers) frame.identity = { verdict: "confirmed", read: "" };
      }),
    poll: () =>
      step((frame) => {
        polled.push(Math.round(clock.now / 1000));
        for (const message of chip.words) frame.faults.push({ code: FAULT_BUS, message });
        frame.channels[0].count = chip.samples;
      }),
    selfTest: () => step(() => {}),
    close: () => step(() => {}),
  });
  const timeOut = { kind: "timeout", op: 0, message: "timed out" };
  const recoveries: number[] = [];
  const executor = {
    maxRead: 64,
    run: (_target: unknown, _ops: unknown, done: (outcome: never) => void) => {
      const error = chip.timesOut ? timeOut : null;
      clock.at(clock.now, () =>
        done({ replies: [], error, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 } as never),
      );
    },
    recover: (done: (free: boolean) => void) => {
      recoveries.push(Math.round(clock.now / 1000));
      clock.at(clock.now, () => done(true));
    },
  };
  const reader = createReader(
    board,
    { driver, executor },
    {
      onFrame: () => {},
      onFault: ({ code, message }) => faults.push([code, message]),
      onRestart: () => chip.restarts++,
    },
  );
  return { clock, reader, chip, opened, polled, faults, recoveries, step };
}

test("the first opening is at once; one that fails is repeated after 0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5 s", () => {
  const { clock, reader, chip, opened, recoveries } = setUp();
  chip.answers = false;
  reader.open(() => {});
  clock.runUntil(12e6);
  expect(opened).toEqual([0, 100, 300, 700, 1500, 3100, 5600, 8100, 10_600]);
  expect(recoveries).toEqual([]);
});

test("a poll that brings samples beside a fault is no reason to open the chip anew; one that brings none is, thrice", () => {
  const { clock, reader, chip, opened, faults } = setUp();
  reader.open(() => {});
  chip.words = ["one of two readings"];
  clock.runUntil(60e6);
  expect(opened).toEqual([0]);
  expect(faults).toEqual([[FAULT_BUS, "one of two readings"]]);
  chip.samples = 0;
  clock.runUntil(60.35e6);
  expect(opened).toHaveLength(2);
});

test("a slow chip whose poll failed is asked again after a second, and so is one that was opened anew", () => {
  const { clock, reader, chip, polled, opened } = setUp(16_000);
  reader.open(() => {});
  clock.runUntil(20e6);
  chip.samples = 0;
  chip.words = ["nobody there"];
  clock.runUntil(35e6);
  expect(polled).toEqual([16_000, 32_000, 33_000, 34_000, 35_000]);
  expect(opened).toEqual([0, 34_000]);
});

test("at most four faults are told before a poll goes well, each once; then each is news again", () => {
  const { clock, reader, chip, faults } = setUp();
  reader.open(() => {});
  chip.words = ["a", "b"];
  clock.runUntil(1e6);
  chip.words = ["c", "a", "d", "e", "f"];
  clock.runUntil(2e6);
  expect(faults.map(([, message]) => message)).toEqual(["a", "b", "c", "d"]);
  chip.words = [];
  clock.runUntil(3e6);
  chip.words = ["f"];
  clock.runUntil(4e6);
  expect(faults.map(([, message]) => message)).toEqual(["a", "b", "c", "d", "f"]);
});

test("a sensor that was given up says nothing more, whatever it fails by, until it is read again", () => {
  const { clock, reader, chip, faults } = setUp();
  reader.open(() => {});
  clock.runUntil(1e6);
  chip.samples = 0;
  chip.words = ["empty"];
  clock.runUntil(40e6);
  expect(faults.filter(([code]) => code === FAULT_GIVEN_UP)).toEqual([
    [FAULT_GIVEN_UP, "TEST: given up after 30 s; check power and wiring; tried on. Last: empty"],
  ]);
  const before = faults.length;
  for (let i = 0; i < 40; i++) {
    chip.words = [`other ${i}`];
    clock.runUntil(clock.now + 1e6);
  }
  expect(faults).toHaveLength(before);
  chip.words = [];
  clock.runUntil(clock.now + 5e6);
  chip.words = ["one more"];
  clock.runUntil(clock.now + 5e6);
  chip.words = [];
  expect(faults, "an empty poll is no sign of life after an opening that led to nothing").toHaveLength(before);
  chip.samples = 1;
  clock.runUntil(clock.now + 5e6);
  chip.samples = 0;
  chip.words = ["again"];
  clock.runUntil(clock.now + 1e6);
  expect(faults.slice(before)).toEqual([[FAULT_BUS, "again"]]);
});

test("a step between two polls that times out is followed by one recovery, and the chip is opened anew", () => {
  const { clock, reader, chip, opened, recoveries, step } = setUp();
  reader.open(() => {});
  clock.runUntil(5.05e6);
  chip.timesOut = true;
  let done = false;
  reader.perform(
    step(() => {}),
    () => {
      done = true;
      chip.timesOut = false;
    },
  );
  clock.runUntil(5.06e6);
  expect(done).toBe(true);
  expect([recoveries, opened, chip.restarts]).toEqual([[5050], [0, 5050], 1]);
  // a NACK later is another matter
  chip.samples = 0;
  chip.words = ["not acknowledged"];
  clock.runUntil(6e6);
  expect(opened.length).toBeGreaterThan(2);
  expect(recoveries).toEqual([5050]);
});
