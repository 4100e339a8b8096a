/** Every driver in every configuration that its tests name: the real interpreter makes the same of what a chip answers. */
import { describe, expect, test } from "vitest";
import type { Chip, Step, Wiring } from "../../drivers/driver.ts";
import { type BenchOptions, CONVERTER, createBench } from "../../simulator/bench.ts";
import { names, type Subject, subjects } from "../drivers/subjects.ts";
import { lacks } from "../support/needs.ts";
import { type Chain, type Conversation, replay, type Told } from "./programs/replay.ts";
import { replayDriverOnEspruino, replayOnEspruino, runOnNode } from "./run.ts";

/** Opened, polled in time and late, on a bus that fails, tested where it can be, closed. */
function converse({ chip, emulated }: Subject, wiring: Wiring, tested = true): Conversation {
  const bench = createBench(chip, emulated, { ...wiring } as BenchOptions<unknown>);
  const { driver, emulator } = bench;
  Object.entries(emulator.inputs).forEach(([name, { minimum, maximum, channel }], i) => {
    const middle = (minimum + maximum) / 2;
    if (channel !== undefined)
      emulator.set(name, (time) => middle + ((maximum - minimum) / 5) * Math.sin(8 * time + i));
  });
  const chains: Chain[] = [];
  const run = (call: Chain["call"]) => {
    const outcomes: Told[] = [];
    const listen = (step: Step): Step => ({
      ...step,
      next(outcome, frame) {
        const { sampled, replies } = outcome;
        outcomes.push({
          ...outcome,
          replies: replies.map((bytes) => [...bytes]),
          ...(sampled && { sampled: { ...sampled, samples: [...sampled.samples] as never } }),
        });
        const next = step.next?.(outcome, frame) ?? null;
        return next === null ? null : listen(next);
      },
    });
    bench.run(listen(driver[call]()));
    chains.push({ call, outcomes: structuredClone(outcomes) });
  };
  run("open");
  for (const late of [1, 1, 1 / 2, 1, 7, 1]) {
    bench.wait(driver.pollEvery * late);
    run("poll");
  }
  let operation = 0;
  bench.board.busFault = () => (operation++ === 1 ? { kind: "timeout", after: 2 } : null);
  bench.wait(driver.pollEvery);
  run("poll");
  bench.board.busFault = null;
  bench.wait(driver.pollEvery);
  run("poll");
  if (tested) run("selfTest");
  bench.wait(driver.pollEvery);
  run("poll");
  run("close");
  return { configuration: chip.defaults as object, wiring, chains };
}

describe.each(names)("%s", (folder) => {
  const own = subjects.filter((one) => one.folder === folder);
  const conversations = own.flatMap((subject) => {
    const { bus, pins = [], inputs = [], needsInterrupt = false } = subject.chip;
    const common: Wiring = { pins, inputs, ...(bus === "analog" && { converter: CONVERTER }) };
    const wired = converse(subject, { ...common, interrupt: bus !== "analog" });
    return needsInterrupt ? [wired] : [wired, converse(subject, { ...common, interrupt: false, maxRead: 30 })];
  });
  const chip = own[0].chip as Chip<unknown>;
  const here = runOnNode((print) => replay(chip, print, conversations), null);

  test("the conversations hold samples, a self-test and an end, so that they can tell a difference", () => {
    const text = here.join("\n");
    expect(text).not.toContain("wants more");
    expect(text).toMatch(/^0: [1-9]\d* from \d+ lost 0 flags \d+ -?\d+/m);
    expect(text).toMatch(/ true$/m);
    expect(text).toMatch(/^(?:confirmed|plausible) /m);
    if (chip.bus !== "analog") expect(text).toMatch(/ lost (?!0)| [1-9]\d* \w+.*: /);
  });

  test.skipIf(lacks("espruino"))("the driver asks for and makes of it the same in Espruino", () => {
    expect(replayOnEspruino(folder, conversations)).toEqual(here);
  });

  test.skipIf(lacks("espruino"))("so does driver.ts alone, with a setup made here", () => {
    const { bus, pins = [], inputs = [] } = chip;
    const wiring: Wiring = { pins, inputs, ...(bus === "analog" ? { converter: CONVERTER } : { interrupt: true }) };
    const told = converse(own[0], wiring, false);
    const expected = runOnNode((print) => replay(chip, print, [told]), null);
    expect(replayDriverOnEspruino(folder, [{ ...told, configuration: chip.setup({}, wiring) }])).toEqual(expected);
  });
});
