/** The AD8232 emulator at its output and its pins: what the data sheet promises to whoever wires it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ad8232EmulatorOptions, emulated } from "../../drivers/ad8232/emulator.ts";
import { probe } from "../../simulator/probe.ts";

/** Powered at 0 us, and past the fast restore of its waking. */
function awake(options: Ad8232EmulatorOptions = {}) {
  const chip = emulated.create(options);
  chip.powerOn(0);
  let now = 0;
  const wait = (ms: number) => {
    now += ms * 1000;
    chip.advance(now);
  };
  wait(200);
  /** V when the inputs were changed and 1 ms went by. */
  const apply = (inputs: Record<string, number>) => {
    for (const [name, value] of Object.entries(inputs)) chip.set(name, value);
    wait(1);
    return chip.voltage();
  };
  return { chip, wait, apply };
}

describe("AD8232 emulator: its output", () => {
  test("is REFOUT, half of the supply, plus gain times the voltage between the electrodes (p. 25: 1100)", () => {
    const { apply } = awake();
    expect(apply({ ecg: 0 })).toBe(1.65);
    expect(apply({ ecg: 0.001 })).toBeCloseTo(2.75, 12);
    expect(apply({ ecg: -0.001 })).toBeCloseTo(0.55, 12);
    expect(apply({ ecg: 0, supply: 3 })).toBe(1.5);
    const other = awake({ gain: 100, offset: 1.2 });
    expect(other.apply({ ecg: 0.01 })).toBeCloseTo(2.2, 12);
    expect(other.apply({ ecg: 0.01, supply: 3 })).toBeCloseTo(2.2, 12);
  });

  test("stays 0.1 V from either rail (table 1, output swing)", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.01, max: 0.01, noNaN: true }),
        fc.double({ min: 2, max: 3.5, noNaN: true }),
        (ecg, supply) => {
          const { apply } = awake();
          const volts = apply({ ecg, supply });
          expect(volts).toBeCloseTo(Math.max(0.1, Math.min(supply - 0.1, supply / 2 + 1100 * ecg)), 12);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test("has the data sheet's noise only where it is asked for, the same until time goes on (table 1: 14 uV p-p)", () => {
    let k = 0;
    const { chip, wait } = awake({ noise: () => (k++ % 2 === 0 ? 1 : -1) });
    wait(1);
    const first = chip.voltage();
    expect(Math.abs(first - 1.65)).toBeCloseTo((14e-6 / 6.6) * 1100, 12);
    expect(chip.voltage()).toBe(first);
    wait(0);
    expect(chip.voltage()).toBe(first);
    wait(1);
    expect(chip.voltage() - 1.65).toBeCloseTo(1.65 - first, 12);
  });

  test("follows signals by the time that they are told, and by the time since the power came", () => {
    const chip = emulated.create({});
    chip.set("ecg", (time, sinceStart) => (time - sinceStart) / 1e4 + sinceStart / 1e3);
    chip.powerOn(2e6);
    chip.advance(2.5e6);
    expect(chip.voltage()).toBeCloseTo(1.65 + 1100 * (2 / 1e4 + 0.5 / 1e3), 12);
  });

  test("names its inputs, and refuses others and pins that it has not", () => {
    const { chip } = awake();
    const { ecg, ...others } = chip.inputs;
    expect(ecg).toMatchObject({ channel: "ecg", unit: "V", minimum: -0.0014, maximum: 0.0014 });
    expect((ecg.epsilon as (configuration: object) => number)({ gain: 100 })).toBeCloseTo(8.06e-6, 8);
    expect(others).toEqual({
      leadOffPlus: { unit: "1", minimum: 0, maximum: 1, epsilon: 0 },
      leadOffMinus: { unit: "1", minimum: 0, maximum: 1, epsilon: 0 },
      supply: { unit: "V", minimum: 0, maximum: 3.5, epsilon: 0 },
    });
    expect(() => chip.set("ppg", 1)).toThrow(/no input "ppg"; it has ecg, leadOffPlus, leadOffMinus, supply/);
    expect(() => chip.pin!("reset", 1)).toThrow(/no pin "reset"; it has shutdown/);
    expect(chip).toMatchObject({ model: "AD8232", output: "ecg", interrupt: 0, onInterrupt: null });
  });
});

describe("AD8232 emulator: lead-off with three electrodes (p. 18)", () => {
  test.each([
    [0, 0, 0b00, 1.65 + 0.55],
    [1, 0, 0b01, 3.2],
    [0, 1, 0b10, 0.1],
    // Both inputs at the supply: nothing between them.
    [1, 1, 0b11, 1.65],
  ])("+IN off: %i, -IN off: %i: LO pins %i, output %d V", (leadOffPlus, leadOffMinus, levels, volts) => {
    const { chip, apply } = awake();
    expect(apply({ ecg: 0.0005, leadOffPlus, leadOffMinus })).toBeCloseTo(volts, 12);
    expect(chip.levels).toBe(levels);
  });

  test.each([
    ["leadOffPlus", 3.2],
    ["leadOffMinus", 0.1],
  ])("when %s ends, fast restore holds the output at REFOUT for 110 ms, then it follows again", (name, volts) => {
    const { chip, apply, wait } = awake();
    expect(apply({ ecg: 0.0005, [name]: 1 })).toBeCloseTo(volts, 12);
    wait(1000); // no fast restore while a lead is off
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(apply({ [name]: 0 })).toBe(1.65);
    expect(chip.nextAt).toBe(1_202_000 + 110_000);
    wait(109.999);
    expect(chip.voltage()).toBe(1.65);
    wait(0.001);
    expect(chip.voltage()).toBeCloseTo(2.2, 12);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("when both leads come back at once there is nothing to restore", () => {
    const { apply } = awake();
    apply({ ecg: 0.0005, leadOffPlus: 1, leadOffMinus: 1 });
    expect(apply({ leadOffPlus: 0, leadOffMinus: 0 })).toBeCloseTo(2.2, 12);
  });

  test("a lead that falls off during fast restore ends it", () => {
    const { chip, apply } = awake();
    apply({ leadOffPlus: 1 });
    apply({ leadOffPlus: 0 });
    expect(chip.nextAt).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(apply({ leadOffMinus: 1 })).toBe(0.1);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("the switches are closed for less where the chip's oscillator is fast", () => {
    const { chip, apply } = awake({ oscillator: 1.1 });
    apply({ leadOffPlus: 1 });
    apply({ leadOffPlus: 0 });
    expect(chip.nextAt).toBeCloseTo(202_000 + 100_000, 6);
  });
});

describe("AD8232 emulator: lead-off with two electrodes (p. 18; EVAL p. 7)", () => {
  test.each([
    [0, 0, 0, 1.65 + 0.55],
    [1, 0, 1, 1.65],
    [0, 1, 1, 1.65],
    [1, 1, 1, 1.65],
  ])("+IN off: %i, -IN off: %i: LO+ %i, LO- low, output %d V", (leadOffPlus, leadOffMinus, levels, volts) => {
    const { chip, apply } = awake({ electrodes: 2 });
    expect(apply({ ecg: 0.0005, leadOffPlus, leadOffMinus })).toBeCloseTo(volts, 12);
    expect(chip.levels).toBe(levels);
    // Biased to REFOUT, it was never at a rail.
    expect(apply({ leadOffPlus: 0, leadOffMinus: 0 })).toBeCloseTo(2.2, 12);
    expect(chip.levels).toBe(0);
  });
});

describe("AD8232 emulator: fast restore of an overdriven amplifier (p. 17, 18)", () => {
  test.each([
    [0.0159, 0.0161],
    [-0.0159, -0.0161],
  ])("begins where 100 times the input comes within 50 mV of a rail: not at %d V, at %d V", (below, above) => {
    const { chip, apply } = awake();
    apply({ ecg: below });
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    const volts = apply({ ecg: above });
    expect(volts).toBeCloseTo(above > 0 ? 3.2 : 0.1, 12);
    expect(chip.nextAt).toBe(202_000 + 110_000);
  });

  test("goes on in cycles of 110 ms while it is overdriven, the output at its rail; ends with the cycle", () => {
    const { chip, apply, wait } = awake();
    apply({ ecg: 0.02 });
    const first = chip.nextAt;
    wait(110);
    expect(chip.voltage()).toBeCloseTo(3.2, 12);
    expect(chip.nextAt).toBe(first + 110_000);
    expect(apply({ ecg: 0.0005 })).toBe(1.65);
    wait(108);
    expect(chip.voltage()).toBe(1.65);
    wait(1);
    expect(chip.voltage()).toBeCloseTo(2.2, 12);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("looks at the amplifier's own output: a reference that is not in the middle moves both ends", () => {
    const { chip, apply } = awake({ offset: 0.55 });
    apply({ ecg: 0.02 });
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    apply({ ecg: -0.006 });
    expect(chip.nextAt).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  test("does not begin where only the filter stage is at its rail", () => {
    const { chip, apply } = awake();
    expect(apply({ ecg: 0.01 })).toBeCloseTo(3.2, 12);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("AD8232 emulator: power", () => {
  test("SDN low: 0 V and low lead-off pins; high again: fast restore first (p. 1, shutdown pin)", () => {
    const { chip, apply, wait } = awake();
    apply({ ecg: 0.0005 });
    chip.pin!("shutdown", 0);
    expect(chip.voltage()).toBe(0);
    expect(apply({ leadOffPlus: 1 })).toBe(0);
    expect(chip.levels).toBe(0);
    apply({ leadOffPlus: 0 });
    chip.pin!("shutdown", 1);
    expect(chip.voltage()).toBe(1.65);
    wait(110);
    expect(chip.voltage()).toBeCloseTo(2.2, 12);
  });

  test("below 2.0 V it is off (p. 1), and wakes when its supply comes back", () => {
    const { chip, apply, wait } = awake();
    expect(apply({ supply: 1.99 })).toBe(0);
    expect(apply({ supply: 2 })).toBe(1);
    expect(apply({ supply: 0 })).toBe(0);
    expect(apply({ ecg: 0.0005, supply: 3.3 })).toBe(1.65);
    wait(110);
    expect(chip.voltage()).toBeCloseTo(2.2, 12);
  });

  test("a brown-out is another waking; SDN stays as it is driven", () => {
    const bench = probe(emulated);
    bench.wait(200);
    bench.chip.set("ecg", 0.0005);
    bench.wait(1);
    expect(bench.voltage()).toBeCloseTo(2.2, 12);
    bench.cutPower();
    expect(bench.voltage()).toBe(1.65);
    bench.wait(60);
    bench.cutPower(); // and once more while it restores: from the beginning
    bench.wait(109);
    expect(bench.voltage()).toBe(1.65);
    bench.wait(1);
    expect(bench.voltage()).toBeCloseTo(2.2, 12);
    bench.chip.pin!("shutdown", 0);
    bench.cutPower();
    expect(bench.voltage()).toBe(0);
  });

  test("time does not go back", () => {
    const { chip, wait } = awake();
    chip.set("ecg", (time) => time / 1e3);
    wait(300);
    chip.advance(0);
    expect(chip.voltage()).toBeCloseTo(1.65 + 1100 * 0.0005, 12);
  });
});
