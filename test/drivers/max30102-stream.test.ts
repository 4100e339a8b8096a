import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FLAG_LED_CHANGED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import type { Max30102Configuration } from "../../drivers/max30102/registers.ts";
import { type BenchOptions, createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { opened, play, read, STATUS, samples, status } from "./max30102-script.ts";

const PERIOD = 10_000;

/** An open chip whose every sample is another; what it converted and when, us. */
function streaming(options: BenchOptions<Max30102Configuration> = {}) {
  const bench = createBench(chip, emulated, options);
  const codes: number[] = [];
  const times: number[] = [];
  const rate = options.configuration?.sampleRate ?? 100;
  bench.emulator.set("red", (_, sinceStart) => (Math.round(sinceStart * rate) * 7919) % 1300);
  bench.emulator.set("infrared", (_, sinceStart) => (Math.round(sinceStart * rate) * 6007) % 1300);
  bench.emulator.onConvert = (channel, code, at) => {
    if (channel !== "red") return;
    codes.push(code);
    times.push(at);
  };
  bench.run(bench.driver.open());
  expect(bench.frame.faults).toEqual([]);
  const poll = (ms: number) => {
    bench.wait(ms);
    bench.run(bench.driver.poll());
    expect(bench.frame.faults).toEqual([]);
    return bench.frame.channels[0];
  };
  return { bench, codes, times, poll };
}

/** The oscillator's range (p3). */
const oscillators = uniform(10.32 / 10.48, 10.64 / 10.48);

describe("MAX30102 time", () => {
  it("lies within its uncertainty when polled, at any rate, averaging, interval and oscillator", () => {
    const property = fc.property(
      fc.constantFrom(50, 100, 400, 1600),
      fc.constantFrom(1, 4, 32),
      oscillators,
      fc.array(uniform(0.01, 1), { minLength: 5, maxLength: 10 }),
      (sampleRate, averaging, oscillator, parts) => {
        const { bench, times, poll } = streaming({
          configuration: { sampleRate, averaging, pulseWidth: 69 },
          oscillator,
        });
        for (const part of parts) {
          const block = poll(bench.driver.pollEvery * part);
          if (block.count === 0) continue;
          expect(Math.abs(block.time - times[block.index])).toBeLessThanOrEqual(block.uncertainty + 1e-6);
        }
      },
    );
    fc.assert(property, { seed: 30102, numRuns: 60 });
  });

  it("is a sixteenth of a period or better after the second interrupt, whatever the oscillator", () => {
    const property = fc.property(oscillators, fc.constantFrom(1, 8), (oscillator, averaging) => {
      const { bench, times } = streaming({ configuration: { averaging }, oscillator, interrupt: true });
      const period = averaging * 10_000;
      for (let i = 0; i < 6; i++) {
        while (bench.edges.count === 0) bench.clock.step();
        bench.wait(3);
        const block = bench.run(bench.driver.poll()).channels[0];
        expect(block.count).toBe(17);
        expect(block.uncertainty).toBe(i === 0 ? (period * 17) / 64 : period / 16);
        expect(Math.abs(block.time - times[block.index])).toBeLessThanOrEqual(i === 0 ? block.uncertainty : 1);
      }
    });
    fc.assert(property, { seed: 30102, numRuns: 20 });
  });

  it("does not trust an edge that disagrees with the FIFO", () => {
    const { bench, times } = streaming({ interrupt: true });
    while (bench.edges.count === 0) bench.clock.step();
    bench.edges.at -= 60_000;
    const block = bench.run(bench.driver.poll()).channels[0];
    expect(block.uncertainty).toBeGreaterThan(5000);
    expect(Math.abs(block.time - times[0])).toBeLessThanOrEqual(block.uncertainty);
  });

  it("goes on from the last block where OVF_COUNTER says nothing", () => {
    const { times, poll } = streaming();
    poll(100);
    const block = poll(2000);
    expect(Math.abs(block.time - times[block.index])).toBeLessThanOrEqual(block.uncertainty);
    expect(block.uncertainty).toBeLessThan(10_000);
    poll(2000);
    const third = poll(0);
    expect(third.count).toBeGreaterThan(0);
  });

  it("dates the oldest sample from the newest, which came at most a period before the pointers were read", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)], began: 40_000, ended: 40_200 },
      { ops: [{ read: 27, at: 4 }], replies: [[4, 0, 0, ...samples(0, 4)]], began: 40_200, ended: 41_000 },
    ]);
    // Between 30 000 and 40 200, three periods earlier; and the oscillator's 1 in 64.
    expect(frame.channels[0].time).toBe(35_100 - 30_000);
    expect(frame.channels[0].uncertainty).toBe(5_100 + 40_000 / 64);
  });

  it("does not measure the period across a loss of unknown length", () => {
    const { driver, frame } = opened();
    const edge = (from: number, at: number) =>
      play(driver.poll(), frame, [
        {
          ops: [STATUS],
          replies: [status((from + 17) & 31, 0, from & 31, 0x80)],
          began: at + 2000,
          edges: 1,
          edgeAt: at,
        },
        {
          ops: [{ read: 105, at: 4 }],
          replies: [[(from + 17) & 31, 0, from & 31, ...samples(from, 17)]],
          began: at + 2000,
        },
      ]);
    edge(0, 16 * PERIOD);
    edge(17, 33 * PERIOD);
    expect(frame.channels[0].uncertainty).toBe(PERIOD / 16);
    for (let from = 34; from < 274; from += 20) read(driver, frame, from, 20, (from + 19) * PERIOD);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(18, 0x1f, 18)], began: 3_070_000 },
      { ops: [{ read: 195, at: 4 }], replies: [[18, 0x1f, 18, ...samples(274, 32)]], began: 3_070_000 },
    ]);
    // Three were lost; without them the period would seem one per cent longer.
    edge(306, (306 + 3 + 16) * PERIOD);
    expect(frame.channels[0].lost).toBe(-1);
    expect(frame.channels[0].uncertainty).toBeGreaterThan(PERIOD / 4);
    edge(323, (323 + 3 + 16) * PERIOD);
    expect(frame.channels[0].uncertainty).toBe(PERIOD / 16);
  });
});

describe("MAX30102 overflow", () => {
  /** Late polls: up to 62 samples. Follows the stream by what the driver says; tells how it ended. */
  const follow = (sampleRate: number, waits: readonly number[], hz?: number) => {
    const { bench, codes, poll } = streaming({ configuration: { sampleRate, pulseWidth: 69 } });
    if (hz !== undefined) bench.board.i2c({ data: "D21", clock: "D22", hz });
    let at = 0;
    let unknown = 0;
    for (const periods of [...waits, 1, 1, 1]) {
      const block = poll((periods * 1000) / sampleRate);
      const got = Array.from(block.samples.subarray(0, block.count));
      if (block.lost < 0) {
        unknown++;
        while (at < codes.length && got.some((code, i) => codes[at + i] !== code)) at++;
      } else at += block.lost;
      expect(got).toEqual(codes.slice(at, at + block.count));
      at += block.count;
      if (unknown === 0) expect(block.index + block.count).toBe(block.count === 0 ? block.index : at);
    }
    return unknown;
  };
  const waits = fc.array(uniform(25, 60), { minLength: 1, maxLength: 6 });

  it("is counted to the sample at up to 200 sps", () => {
    const property = fc.property(fc.constantFrom(50, 100, 200), waits, (sampleRate, late) => {
      expect(follow(sampleRate, late)).toBe(0);
    });
    fc.assert(property, { seed: 30102, numRuns: 150 });
  });

  it("is counted right or declared unknown above", () => {
    const property = fc.property(fc.constantFrom(400, 800, 1600), waits, (sampleRate, late) => {
      follow(sampleRate, late);
    });
    fc.assert(property, { seed: 30102, numRuns: 150 });
  });

  it("of unknown length is declared, and the samples after it are the chip's", () => {
    expect(follow(100, [16, 200, 16])).toBe(1);
  });
});

describe("MAX30102 with its emulator", () => {
  it("flags the block in which the LED current changed, and reads the new light", () => {
    const { bench, poll } = streaming();
    bench.emulator.set("red", 100);
    poll(50);
    bench.run(bench.driver.reconfigure({ ...bench.driver.configuration, ledCurrent: { red: 12.4, infrared: 6.2 } })!);
    const block = poll(50);
    expect(block.flags).toBe(FLAG_LED_CHANGED);
    expect(block.samples[block.count - 1]).toBe(Math.round((100 * 12.4) / (8192 / 2 ** 18)));
  });

  it("gives a clone's channels back the right way round", () => {
    const { bench, poll } = streaming({
      configuration: { swapLeds: true, ledCurrent: { red: 10, infrared: 20 } },
    });
    // On a clone, LED1 is the infrared one.
    bench.emulator.set("red", 50);
    bench.emulator.set("infrared", 30);
    poll(20);
    poll(50);
    const last = bench.frame.channels.map(({ samples, count }) => samples[count - 1]);
    expect(last).toEqual([Math.round(300 * 32), Math.round(1000 * 32)]);
  });

  it("measures a die below zero in its self-test and loses no sample by it", () => {
    const { bench, codes, poll } = streaming();
    bench.emulator.set("temperature", -12.3);
    const seen = Array.from(poll(30).samples.subarray(0, 4));
    bench.run(bench.driver.selfTest());
    expect(bench.frame.measurements.map(({ name, value, pass }) => [name, value, pass])).toEqual([
      ["register bits that differ", 0, true],
      ["die temperature", -12.3125, true],
    ]);
    const block = poll(30);
    expect(seen.concat(Array.from(block.samples.subarray(0, block.count)))).toEqual(codes);
  });

  it("outlives a host that stalls for 125 ms between any two polls (aromring/MAX30102_by_RF#34)", () => {
    const { bench, codes, poll } = streaming();
    let count = 0;
    for (let i = 0; i < 8; i++) {
      bench.board.stall(125);
      const block = poll(bench.driver.pollEvery);
      expect(block.lost).toBe(0);
      count += block.count;
    }
    expect(codes.length - count).toBeLessThanOrEqual(1);
  });
});
