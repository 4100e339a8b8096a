/** The MAX86150 on buses and under hosts that do not do what they should, for longer than the conformance tests look. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SimulatedFailure } from "../../boards/simulated.ts";
import { FAULT_BUS, FAULT_DATA, FLAG_BUS_FAULT } from "../../drivers/driver.ts";
import { chip, type Max86150Configuration } from "../../drivers/max86150/chip.ts";
import { emulated } from "../../drivers/max86150/emulator.ts";
import { type BenchOptions, createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

function open(options: BenchOptions<Max86150Configuration> = {}) {
  const bench = createBench(chip, emulated, options);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  expect(bench.run(bench.driver.open()).faults).toEqual([]);
  return { bench, streams };
}

const CONFIGURATIONS: Partial<Max86150Configuration>[] = [
  {},
  { channels: ["ecg"], sampleRate: 3200 },
  { channels: ["red", "ecg"], sampleRate: 1600, pulseWidth: 50 },
  { channels: ["infrared"], sampleRate: 10, averaging: 2 },
  { channels: ["infrared", "red"], sampleRate: 84, averaging: 4 },
];

describe("MAX86150 with a bad bus and a slow host", () => {
  const kind = fc.constantFrom<"nack" | "timeout" | "short" | "bus">("nack", "timeout", "short", "bus");
  const failure = fc.record({ at: fc.nat({ max: 16 }), kind, after: fc.nat({ max: 240 }) });
  const poll = fc.record({
    wait: fc.oneof(uniform(0, 1), uniform(0, 4)),
    failures: fc.array(failure, { maxLength: 2 }),
    stall: fc.option(fc.record({ at: fc.nat({ max: 3 }), part: uniform(0, 3) }), { nil: undefined, freq: 4 }),
  });

  it.each(CONFIGURATIONS)(
    "hands over every sample once, or says how many are lost, or that nobody knows: %j",
    (configuration) => {
      for (const maxRead of [undefined, 30]) {
        const property = fc.property(
          fc.array(poll, { minLength: 1, maxLength: 12 }),
          fc.boolean(),
          (polls, interrupt) => {
            const { bench, streams } = open({ configuration, interrupt, ...(maxRead !== undefined && { maxRead }) });
            for (const { wait, failures, stall } of polls) {
              bench.wait(wait * bench.driver.pollEvery);
              let at = 0;
              bench.board.busFault = (): SimulatedFailure | null => {
                if (stall !== undefined && at === stall.at) bench.board.stall(stall.part * bench.driver.pollEvery);
                const found = failures.find((one) => one.at === at);
                at++;
                return found === undefined ? null : { kind: found.kind, after: found.after };
              };
              streams.follow(bench.run(bench.driver.poll()));
              bench.board.busFault = null;
              if (bench.frame.faults.length === 0) continue;
              expect(bench.frame.faults.map(({ code }) => code).every((c) => c === FAULT_BUS || c === FAULT_DATA)).toBe(
                true,
              );
            }
            bench.wait(bench.driver.pollEvery / 2);
            streams.follow(bench.run(bench.driver.poll()));
            streams.end(bench.run(bench.driver.close()));
            expect(bench.frame.faults).toEqual([]);
          },
        );
        fc.assert(property, { seed: 86150, numRuns: 60 });
      }
    },
  );

  it.each([32 / 33, 33 / 32])("dates its samples with an oscillator of %d, polled and by interrupt", (oscillator) => {
    for (const interrupt of [false, true]) {
      const { bench, streams } = open({ interrupt, oscillator });
      for (let i = 0; i < 60; i++) {
        const until = bench.clock.now + bench.driver.pollEvery * 1000;
        while (bench.edges.count === 0 && bench.clock.nextAt <= until) bench.clock.step();
        const { channels, faults } = bench.run(bench.driver.poll());
        expect(faults).toEqual([]);
        streams.follow(bench.frame);
        // By the interrupt, a period that was measured: a sixteenth of it.
        if (interrupt && i > 1) expect(channels[0].uncertainty).toBe(5000 / 16);
        expect(channels[2].uncertainty).toBe(channels[0].uncertainty);
      }
      streams.end(bench.run(bench.driver.close()));
    }
  });
});

describe("MAX86150 after one bad reading", () => {
  it("reads again what a reading popped and nobody got", () => {
    const { bench, streams } = open();
    bench.wait(80);
    bench.board.busFault = (_, ops, at) =>
      at === 1 && "read" in ops[1] && ops[1].read > 7 ? { kind: "short", after: 100 } : null;
    streams.follow(bench.run(bench.driver.poll()));
    expect(bench.frame.channels[0].count).toBe(0);
    bench.board.busFault = null;
    streams.follow(bench.run(bench.driver.poll()));
    expect(bench.frame.channels[0]).toMatchObject({ count: 17, index: 0, lost: 0, flags: FLAG_BUS_FAULT });
    streams.end(bench.run(bench.driver.close()));
    expect(bench.frame.faults).toEqual([]);
  });

  it("counts what a reading popped where the chip has written over it", () => {
    const { bench, streams } = open();
    bench.wait(80);
    // Ten samples of nine bytes, behind three bytes of addressing.
    bench.board.busFault = (_, ops, at) =>
      at === 1 && "read" in ops[1] && ops[1].read > 7 ? { kind: "bus", after: 93 } : null;
    streams.follow(bench.run(bench.driver.poll()));
    bench.board.busFault = null;
    bench.wait(100);
    streams.follow(bench.run(bench.driver.poll()));
    expect(bench.frame.channels.map(({ lost, index, count }) => [lost, index, count])).toEqual(
      Array(3).fill([10, 10, 24]),
    );
    streams.end(bench.run(bench.driver.close()));
  });

  it("counts exactly what a full FIFO lost, up to 30 samples, and not beyond (OVF_COUNTER stays at 31)", () => {
    for (const [wait, lost] of [
      [156, 0],
      [161, 1],
      [306, 30],
      [311, -1],
      [900, -1],
    ]) {
      const { bench, streams } = open();
      bench.wait(wait);
      streams.follow(bench.run(bench.driver.poll()));
      expect([wait, bench.frame.channels[2].lost]).toEqual([wait, lost]);
      expect(bench.frame.faults).toEqual([]);
      streams.end(bench.run(bench.driver.close()));
    }
  });

  it("says what to do where the bus is slower than the chip", () => {
    const { bench, streams } = open({ configuration: { sampleRate: 1600, pulseWidth: 50 } });
    const faults: string[] = [];
    // A target that is slower takes the whole bus down with it.
    bench.board.i2c({ data: "D21", clock: "D22" }).run({ model: "slow", maxHz: 50_000, address: 1 }, [], () => {});
    for (let i = 0; i < 12; i++) {
      bench.wait(bench.driver.pollEvery);
      streams.follow(bench.run(bench.driver.poll()));
      faults.push(...bench.frame.faults.map(({ message }) => message));
    }
    expect(new Set(faults)).toEqual(
      new Set(["MAX86150 at 0x5e: its FIFO overflowed while it was read; choose a lower sampleRate or a faster bus"]),
    );
  });
});
