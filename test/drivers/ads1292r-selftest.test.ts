/** The ADS1292R self-test, with its emulator: what it measures, and how it ends. */
import { describe, expect, it } from "vitest";
import { FAULT_CONFIGURATION } from "../../drivers/driver.ts";
import type { SpiEmulator } from "../../drivers/emulator.ts";
import { type Bench, follow, open } from "./ads1292r-bench.ts";

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
