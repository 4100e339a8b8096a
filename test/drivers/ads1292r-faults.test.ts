/** The ADS1292R driver with its emulator where the bus, the host, the board or the supply is not as it should be. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ads1292rConfiguration, chip } from "../../drivers/ads1292r/chip.ts";
import { emulated } from "../../drivers/ads1292r/emulator.ts";
import {
  type Chip,
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_TEST_SIGNAL,
} from "../../drivers/driver.ts";
import type { SpiEmulator } from "../../drivers/emulator.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench, SPI_PINS } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { type Bench, follow, open, withPins } from "./ads1292r-bench.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

const wirings = [[], ["reset"], ["start"], ["reset", "start"]];

describe.each(wirings.map((pins) => [pins.join(" and ") || "no pins", pins] as const))(
  "ADS1292R with %s driven",
  (_, pins) => {
    it("opens, reads every conversion at its edge, closes, opens again", () => {
      const { bench, streams } = open({}, pins);
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 20; i++) {
          const { channels, faults } = follow(bench);
          expect(faults).toEqual([]);
          expect(channels.map(({ count, lost, index }) => [count, lost, index])).toEqual([
            [1, 0, i],
            [1, 0, i],
          ]);
          if (round === 0) streams.follow(bench.frame);
        }
        bench.run(bench.driver.close());
        if (round === 0) streams.end(bench.frame);
        bench.emulator.onConvert = null;
        expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
        expect(bench.run(bench.driver.poll()).faults).toHaveLength(1);
        bench.edges.count = 0;
        expect(bench.run(bench.driver.open()).faults).toEqual([]);
        expect(bench.frame.identity).toEqual({ verdict: "confirmed", read: "ID 0x73" });
      }
    });

    it("comes back from a brown-out at any moment", () => {
      const property = fc.property(uniform(0, 4), (part) => {
        const { bench, streams } = open({}, pins);
        for (let i = 0; i < 3; i++) streams.follow(follow(bench));
        bench.wait(part * 8);
        bench.emulator.powerOn(bench.clock.now);
        for (let i = 0; i < 3 && !bench.frame.restart; i++) {
          bench.wait(bench.driver.pollEvery);
          streams.follow(bench.run(bench.driver.poll()));
        }
        expect(bench.frame.restart).toBe(true);
        expect(bench.frame.faults.map(({ code }) => code)).toEqual([FAULT_RESTARTED]);
        expect(bench.run(bench.driver.open()).faults).toEqual([]);
        expect(follow(bench).channels[0]).toMatchObject({ count: 1, lost: 0, index: 0 });
      });
      fc.assert(property, { seed: 11, numRuns: 25 });
    });
  },
);

describe("ADS1292R that is read in time", () => {
  it.each([
    [{ sampleRate: 125 }, 1],
    [{ sampleRate: 500, channel1: "ecg" }, 0.97],
    [{ sampleRate: 2000, rightLegDrive: "both" }, 1.03],
    [{ sampleRate: 8000, continuous: true }, 1],
    [{ sampleRate: 1000, continuous: true, channel1: "off" }, 1.02],
  ] as [Partial<Ads1292rConfiguration>, number][])(
    "%o with an oscillator of %d loses nothing",
    (configuration, oscillator) => {
      const { bench, streams } = open({ configuration, oscillator });
      let time = 0;
      for (let i = 0; i < 200; i++) {
        const { channels, faults } = follow(bench);
        expect(faults).toEqual([]);
        streams.follow(bench.frame);
        for (const block of channels) expect(block).toMatchObject({ count: 1, lost: 0, index: i, uncertainty: 100 });
        if (i > 0) expect(channels[0].time - time).toBeCloseTo(1e6 / (configuration.sampleRate! * oscillator), 3);
        time = channels[0].time;
      }
      streams.end(bench.run(bench.driver.close()));
      expect(bench.frame.faults).toEqual([]);
    },
  );

  it("runs under a reader at 500 hz without a loss, a fault or a restart", () => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate: 500 } });
    shake(bench.emulator);
    const streams = followStreams(bench.emulator, bench.driver.channels());
    const troubles: string[] = [];
    let samples = 0;
    const reader = createReader(bench.board, bench.attachment, {
      onFrame(frame) {
        streams.follow(frame);
        samples += frame.channels[1].count;
        if (frame.channels[1].lost !== 0) troubles.push(`lost ${frame.channels[1].lost}`);
      },
      onFault: ({ message }) => troubles.push(message),
      onRestart: () => troubles.push("restart"),
    });
    reader.open(() => {});
    bench.clock.runUntil(3e6);
    let tested = false;
    reader.perform(bench.driver.reconfigure({ ...bench.driver.configuration, leadOff: 22 })!, (frame) => {
      tested = true;
      expect(frame.faults).toEqual([]);
    });
    bench.clock.runUntil(5e6);
    expect(tested).toBe(true);
    expect(troubles).toEqual([]);
    expect(samples).toBeGreaterThan(2350);
    reader.close(() => {});
    bench.clock.runUntil(6e6);
    expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("ADS1292R and a late host", () => {
  it.each([125, 500, 4000])("at %d hz: every sample is there or counted, whatever fails and stalls", (sampleRate) => {
    const period = 1000 / sampleRate;
    const kinds = ["nack", "timeout", "short", "bus"] as const;
    const act = fc.record({
      wait: uniform(0, 4),
      fails: fc.option(fc.record({ at: fc.nat(1), after: fc.nat(12), kind: fc.constantFrom(...kinds) }), { freq: 4 }),
      stall: fc.option(uniform(0, 6), { freq: 5, nil: 0 }),
    });
    for (const continuous of sampleRate > 2000 ? [true] : [false, true]) {
      const property = fc.property(fc.array(act, { minLength: 5, maxLength: 30 }), (acts) => {
        const { bench, streams } = open({ configuration: { sampleRate, continuous } });
        for (const { wait, fails, stall } of acts) {
          bench.wait(wait * period);
          if (stall > 0) bench.board.stall(stall * period);
          let at = 0;
          bench.board.busFault = () =>
            fails !== null && at++ === fails.at ? { kind: fails.kind, after: fails.after } : null;
          streams.follow(bench.run(bench.driver.poll()));
          bench.board.busFault = null;
          for (const { lost } of bench.frame.channels) expect(lost).toBeGreaterThanOrEqual(0);
        }
        streams.end(bench.run(bench.driver.close()));
        expect(bench.frame.faults).toEqual([]);
      });
      fc.assert(property, { seed: sampleRate, numRuns: 60 });
    }
  });

  it("counts exactly what a stall of the host let go by, on both channels", () => {
    const { bench } = open();
    follow(bench);
    bench.wait(1);
    bench.board.stall(100);
    bench.wait(101);
    const { channels } = bench.run(bench.driver.poll());
    expect(channels.map(({ count, lost, index }) => [count, lost, index])).toEqual([
      [1, 11, 12],
      [1, 11, 12],
    ]);
  });
});

describe("ADS1292R on a bus that is wrong", () => {
  /** Another chip on the same bus, which the bus is as slow as. */
  const slow = (bench: Bench, hz: number) => {
    bench.board.spi(SPI_PINS).run({ model: "slow", maxHz: hz, select: "D9" }, [], () => {});
    bench.wait(1);
  };

  it("is not found on a bus that is too fast for its commands, and says what to check", () => {
    const fast: Chip<Ads1292rConfiguration> = {
      ...chip,
      create: (configuration, wiring) => Object.assign(chip.create(configuration, wiring), { maxHz: 4_000_000 }),
    };
    const bench = createBench(fast, emulated);
    bench.run(bench.driver.open());
    expect(bench.frame.identity).toEqual({ verdict: "refused", read: "ID 0x0" });
    expect(bench.frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: "ADS1292R: ID reads 0x0, 0x73 was expected; check power, select and data lines",
      },
    ]);
  });

  it("says that a bus is too slow for its rate, and counts every conversion all the same", () => {
    const { bench, streams } = open({ configuration: { sampleRate: 2000 } });
    slow(bench, 200_000);
    // 16 bytes take 640 us of a period of 500: every reading has an edge in it, and none is taken.
    for (let i = 0; i < 20; i++) {
      streams.follow(follow(bench));
      expect(bench.frame.faults.map(({ code }) => code)).toEqual([FAULT_DATA]);
      expect(bench.frame.channels[0].count).toBe(0);
    }
    streams.end(bench.run(bench.driver.close()));
    expect(bench.frame.channels[0].lost).toBeGreaterThan(80);
    const { bench: other, streams: others } = open({ configuration: { sampleRate: 1000 } });
    slow(other, 200_000);
    for (let i = 0; i < 50; i++) others.follow(follow(other));
    expect(other.frame.faults).toEqual([]);
    expect(other.frame.channels[0]).toMatchObject({ count: 1, lost: 0 });
    others.end(other.run(other.driver.close()));
  });

  it("takes nothing for data while a line is stuck in mid-run, and counts what went by", () => {
    const { bench, streams } = open({ configuration: { continuous: true } });
    for (let i = 0; i < 3; i++) streams.follow(follow(bench));
    const chip = bench.emulator as SpiEmulator;
    const exchange = chip.exchange.bind(chip);
    for (const stuck of [0, 0xff]) {
      chip.exchange = (byte) => {
        exchange(byte);
        return stuck;
      };
      follow(bench);
      expect(bench.frame.faults.map(({ code }) => code)).toEqual([FAULT_BUS]);
      expect(bench.frame.restart).toBe(true);
      expect(bench.frame.channels[0].count).toBe(0);
    }
  });
});

describe("ADS1292R on a board that is wrong", () => {
  it("finds a START pin that is tied high, and does not run", () => {
    const bench = createBench(withPins("reset"), emulated);
    bench.emulator.pin!("start", 1);
    bench.run(bench.driver.open());
    expect(bench.frame.faults).toEqual([
      {
        code: FAULT_CONFIGURATION,
        message: "ADS1292R: it converts before START; wire its START pin to ground, or name the pin that drives it",
      },
    ]);
    const driven = createBench(chip, emulated);
    driven.emulator.pin!("start", 1);
    expect(driven.run(driven.driver.open()).faults).toEqual([]);
  });

  it("says that DRDY does not come where its line is broken", () => {
    const { bench } = open();
    follow(bench);
    bench.emulator.onInterrupt = null;
    const codes: number[][] = [];
    for (let i = 0; i < 4; i++) {
      bench.wait(bench.driver.pollEvery);
      codes.push(bench.run(bench.driver.poll()).faults.map(({ code }) => code));
      expect(bench.frame.channels[0].count).toBe(0);
    }
    expect(codes).toEqual([[], [], [FAULT_DATA], [FAULT_DATA]]);
    expect(bench.frame.restart).toBe(true);
  });

  it.each([false, true])("finds a STOP that somebody else gave, continuous: %s", (continuous) => {
    const { bench } = open({ configuration: { continuous } });
    follow(bench);
    const chip = bench.emulator as SpiEmulator;
    chip.select();
    chip.exchange(0x0a);
    chip.deselect();
    bench.wait(120);
    bench.run(bench.driver.poll());
    bench.wait(120);
    bench.run(bench.driver.poll());
    expect(bench.frame.faults.map(({ code }) => code)).toEqual([FAULT_DATA]);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
  });

  it.each([0x52, 0x53])("refuses its relative 0x%x where respiration is asked for", (id) => {
    const other = { ...emulated, create: (options: object) => emulated.create({ ...options, id }) };
    const bench = createBench(chip, other);
    bench.run(bench.driver.open());
    expect(bench.frame.identity?.verdict).toBe("refused");
    const lead = createBench(chip, other, { configuration: { channel1: "ecg" } });
    lead.run(lead.driver.open());
    expect(lead.frame.identity?.verdict).toBe(id === 0x53 ? "plausible" : "refused");
    expect(lead.frame.faults).toHaveLength(id === 0x53 ? 0 : 1);
  });

  it("flags an electrode that is off, on its channel, while it is off", () => {
    const { bench } = open({ configuration: { channel1: "ecg" } });
    const flags = () => {
      follow(bench);
      return bench.frame.channels.map((block) => block.flags);
    };
    const off = FLAG_LEAD_OFF | FLAG_SATURATED;
    flags();
    bench.emulator.set("leadOff", 8);
    expect(flags()).toEqual([0, off]);
    bench.emulator.set("leadOff", 1);
    expect(flags()).toEqual([off, 0]);
    bench.emulator.set("leadOff", 0);
    expect(flags()).toEqual([0, 0]);
  });

  it("shows a test signal as one, with its amplitude", () => {
    const { bench } = open({ configuration: { input2: "test", leadOff: 0, rightLegDrive: "off" } });
    const [, ecg] = bench.driver.channels();
    const millivolts = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const [, block] = follow(bench).channels;
      expect(block.flags).toBe(FLAG_TEST_SIGNAL);
      millivolts.add((block.samples[0] * ecg.mul * 10 ** (ecg.exp10 + 3)).toFixed(3));
    }
    expect([...millivolts].sort()).toEqual(["-1.008", "1.008"]);
  });
});
