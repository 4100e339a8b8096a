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
import { type BenchOptions, createBench, SPI_PINS } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

/** The same chip on boards that drive none of its pins, or one. */
const withPins = (...pins: string[]): Chip<Ads1292rConfiguration> => ({ ...chip, pins });
const wirings = [[], ["reset"], ["start"], ["reset", "start"]];

function open(options: BenchOptions<Ads1292rConfiguration> = {}, pins = ["reset", "start"]) {
  const bench = createBench(withPins(...pins), emulated, options);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  bench.run(bench.driver.open());
  expect(bench.frame.faults).toEqual([]);
  return { bench, streams };
}
type Bench = ReturnType<typeof open>["bench"];

/** Until the next edge, then a poll. */
function follow({ clock, edges, driver, run }: Bench) {
  while (edges.count === 0 && clock.step());
  return run(driver.poll());
}

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

describe("ADS1292R self-test", () => {
  const measured = (bench: Bench) =>
    Object.fromEntries(bench.frame.measurements.map(({ name, value }) => [name, value]));

  it("measures what is there, against what should be, and goes on behind a loss of unknown size", () => {
    const { bench } = open();
    bench.emulator.set("analogSupply", 3);
    bench.emulator.set("digitalSupply", 1.8);
    bench.emulator.set("temperature", 31);
    follow(bench);
    bench.emulator.onConvert = null;
    bench.run(bench.driver.selfTest());
    expect(bench.frame.faults).toEqual([]);
    expect(
      bench.frame.measurements.map(({ name, unit, minimum, maximum, pass }) => [name, unit, minimum, maximum, pass]),
    ).toEqual([
      ["offset1", "uV", -1000, 1000, true],
      ["noise1", "uV", 0, 200, true],
      ["offset2", "uV", -1000, 1000, true],
      ["noise2", "uV", 0, 200, true],
      ["testSignal1", "mV", expect.closeTo(0.9075, 9), expect.closeTo(1.10917, 5), true],
      ["testSignal2", "mV", expect.closeTo(0.9075, 9), expect.closeTo(1.10917, 5), true],
      ["analogSupply", "V", 2.7, 5.25, true],
      ["temperature", "Cel", -40, 85, true],
      ["digitalSupply", "V", 1.7, 3.6, true],
    ]);
    const values = measured(bench as Bench);
    expect(values.testSignal1).toBeCloseTo(2420 / 2400, 4);
    expect(values.analogSupply).toBeCloseTo(3, 5);
    expect(values.digitalSupply).toBeCloseTo(1.8, 5);
    expect(values.temperature).toBeCloseTo(31, 2);
    const { channels } = follow(bench);
    expect(channels.map(({ count, lost }) => [count, lost])).toEqual([
      [1, -1],
      [1, -1],
    ]);
    expect(follow(bench).channels[0].lost).toBe(0);
  });

  it("tests at its own gains and reference, and only the channels that are on", () => {
    const { bench } = open({
      configuration: { channel1: "off", gain2: 12, reference: 4033 / 1000, sampleRate: 500, continuous: true },
    });
    bench.run(bench.driver.selfTest());
    expect(bench.frame.faults).toEqual([]);
    expect(Object.keys(measured(bench as Bench))).toEqual([
      "offset2",
      "noise2",
      "testSignal2",
      "temperature",
      "digitalSupply",
    ]);
    expect(measured(bench as Bench).testSignal2).toBeCloseTo(4033 / 2400, 4);
    expect(measured(bench as Bench).digitalSupply).toBeCloseTo(3.3, 5);
    expect(bench.frame.measurements.every(({ pass }) => pass)).toBe(true);
    const { bench: first } = open({
      configuration: { channel2: "off", leadOff: 0, rightLegDrive: "channel1" },
    });
    first.emulator.onConvert = null;
    first.run(first.driver.selfTest());
    expect(Object.keys(measured(first as Bench))).toEqual(["offset1", "noise1", "testSignal1", "analogSupply"]);
  });

  it("measures noise, and an offset with its sign", () => {
    const deviates = [1, -1, 1, 1, -1, -1, 1, -1];
    let at = 0;
    const { bench } = open({ noise: () => 100 * deviates[at++ % 8] - 40 });
    bench.emulator.onConvert = null;
    bench.run(bench.driver.selfTest());
    const values = measured(bench as Bench);
    // 8 uV / 6.6 x the root of 0.262 x 8000 / 150: 4.53 uV a deviate.
    expect(values.noise1).toBeGreaterThan(400);
    expect(values.noise1).toBeLessThan(460);
    expect(values.offset2).toBeLessThan(-100);
    expect(bench.frame.measurements.filter(({ pass }) => !pass).map(({ name }) => name)).toContain("noise1");
  });

  it("fails on a reference that is gone: both test signals are flat", () => {
    const { bench } = open();
    const chip = bench.emulator as SpiEmulator;
    bench.emulator.onConvert = null;
    // A reference bit that does not arrive: 7FFFFF from both channels. Byte k of a WREG goes to its register + k - 2.
    let sent: number[] = [];
    const [select, exchange] = [chip.select.bind(chip), chip.exchange.bind(chip)];
    chip.select = () => {
      sent = [];
      select();
    };
    chip.exchange = (byte) => {
      sent.push(byte);
      const register = sent[0] >> 5 === 2 && sent.length > 2 ? (sent[0] & 31) + sent.length - 3 : -1;
      return exchange(register === 2 ? byte & ~0x20 : byte);
    };
    bench.run(bench.driver.selfTest());
    const failed = bench.frame.measurements.filter(({ pass }) => !pass).map(({ name }) => name);
    expect(failed).toEqual(["offset1", "offset2", "testSignal1", "testSignal2", "temperature", "digitalSupply"]);
    expect(bench.frame.faults.map(({ code }) => code)).toEqual([FAULT_CONFIGURATION]);
  });

  it("ends in a fault where nothing comes, whenever that happens, and the chip can be opened again", () => {
    const count = (() => {
      const { bench } = open();
      bench.emulator.onConvert = null;
      let ops = 0;
      bench.board.busFault = () => {
        ops++;
        return null;
      };
      bench.run(bench.driver.selfTest());
      return ops;
    })();
    expect(count).toBeGreaterThan(30);
    for (let at = 0; at < count; at += 3) {
      const { bench } = open();
      bench.emulator.onConvert = null;
      let ops = 0;
      bench.board.busFault = () => {
        if (ops++ === at) bench.emulator.powerOn(bench.clock.now);
        return null;
      };
      bench.run(bench.driver.selfTest());
      bench.board.busFault = null;
      expect(bench.frame.faults.length, `power lost before operation ${at}`).toBeGreaterThan(0);
      expect(bench.run(bench.driver.open()).faults).toEqual([]);
    }
  });
});
