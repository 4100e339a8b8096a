/** The AD8232 driver when things go wrong, its self-test, and both against the emulator. */
import { describe, expect, test } from "vitest";
import { chip } from "../../drivers/ad8232/chip.ts";
import { emulated } from "../../drivers/ad8232/emulator.ts";
import {
  FAULT_BUS,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
  type Frame,
} from "../../drivers/driver.ts";
import type { EmulatorOptions } from "../../drivers/emulator.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench } from "../../simulator/bench.ts";
import { CONVERTER, create, flat, OFF, ON, opened, play, samples, WIRED } from "./ad8232-script.ts";

describe("AD8232 at a rail", () => {
  /** So many bursts of 64 samples of one code, end to end; the faults of each. */
  const bursts = (poll: ReturnType<typeof opened>["poll"], frame: Frame, code: number, count: number, inputs = 0) =>
    Array.from({ length: count }, (_, i) => {
      poll(samples(flat(code, 64), 1_000_000 + i * 256_000, { inputs }));
      return frame.faults.slice();
    });
  const faulty = (all: unknown[][]) => all.flatMap((faults, i) => (faults.length > 0 ? [i] : []));

  test("for longer than railTimeout: a fault that says what to check, again after as long again, no restart", () => {
    const { poll, frame } = opened({ railTimeout: 1 });
    const all = bursts(poll, frame, 4000, 9);
    // Burst i ends at (i + 1) x 256 - 4 ms.
    expect(faulty(all)).toEqual([3, 7]);
    expect(all[3]).toEqual([
      {
        code: FAULT_DATA,
        message: "AD8232: code 4000 for 1 s: output at a rail, no lead off; check electrodes, power and gain",
      },
    ]);
    expect(frame.restart).toBe(false);
  });

  test("where no lead-off pin is wired, the fault says so", () => {
    const { poll, frame } = opened({ railTimeout: 1 }, { converter: CONVERTER });
    expect(bursts(poll, frame, 100, 4)[3]).toMatchObject([
      { code: FAULT_DATA, message: expect.stringContaining("code 100 for 1 s: output at a rail, LO+, LO- not wired;") },
    ]);
  });

  test.each([
    ["at ground", 0],
    ["within 10 mV of ground", 12],
    ["at the supply", 4095],
    ["within 10 mV of the supply", 4083],
  ])("%s: nothing drives the line, so it has lost its power: the driver wants to be opened", (_, code) => {
    const { poll, frame } = opened({ railTimeout: 1 });
    const all = bursts(poll, frame, code, 4);
    expect(faulty(all)).toEqual([3]);
    expect(all[3]).toEqual([
      {
        code: FAULT_BUS,
        message: `AD8232: code ${code} for 1 s: nothing drives the output; check power and SDN`,
      },
    ]);
    expect(frame.restart).toBe(true);
  });

  test("the fault names the last code; one sample that is only at the chip's own rail is enough to spare the restart", () => {
    const { poll, frame } = opened({ railTimeout: 1 });
    poll(samples([4000, ...flat(4095, 250), 4094]));
    expect(frame).toMatchObject({ restart: false, faults: [{ code: FAULT_DATA }] });
    expect(frame.faults[0].message).toContain("code 4094 for 1 s: output at a rail");
    poll(samples([...flat(0, 299), 3], 1_008_000));
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_BUS }] });
    expect(frame.faults[0].message).toContain("code 3 for 1 s: nothing drives");
  });

  test("just inside of that it is the chip, and no restart is wanted", () => {
    for (const code of [13, 4082]) {
      const { poll, frame } = opened({ railTimeout: 1 });
      expect(faulty(bursts(poll, frame, code, 4))).toEqual([3]);
      expect(frame).toMatchObject({ restart: false, faults: [{ code: FAULT_DATA }] });
    }
  });

  test("one sample off the rail, or a lead that is off, begins the count anew", () => {
    const interruptions = [
      samples([...flat(4000, 63), 3970], 1_768_000),
      samples(flat(4000, 64), 1_768_000, { inputs: 2 }),
    ];
    for (const interruption of interruptions) {
      const { poll, frame } = opened({ railTimeout: 1 });
      expect(faulty(bursts(poll, frame, 4000, 3))).toEqual([]);
      poll(interruption);
      expect(frame.faults).toEqual([]);
      for (let i = 4; i < 7; i++) {
        poll(samples(flat(4000, 64), 1_000_000 + i * 256_000));
        expect(frame.faults).toEqual([]);
      }
      poll(samples(flat(4000, 64), 1_000_000 + 7 * 256_000));
      expect(frame.faults).toHaveLength(1);
    }
  });

  test("with a lead off it is a condition, not a fault, for as long as it lasts", () => {
    const { poll, frame } = opened({ railTimeout: 1 });
    expect(faulty(bursts(poll, frame, 4000, 30, 1))).toEqual([]);
    expect(frame.channels[0].flags).toBe(FLAG_LEAD_OFF | FLAG_SATURATED | FLAG_SETTLING);
  });

  test("exactly railTimeout is long enough; a sample less is not", () => {
    for (const [count, faults] of [
      [250, 0],
      [251, 1],
    ]) {
      const { poll, frame } = opened({ railTimeout: 1 });
      poll(samples(flat(4000, count)));
      expect(frame.faults).toHaveLength(faults);
    }
  });
});

describe("AD8232 self-test, step by step", () => {
  const sample = { ops: [{ sample: 250 }], pause: 200 };
  const begun = { ops: [{ sample: 250 }] };
  const awake = { ops: [], sampled: samples([2000, 2100, 2048, 2044]) };
  const wiring = { ...WIRED, pins: ["shutdown"] };

  test("without SDN: the baseline is at REFOUT and alive; then the record goes on behind an unknown loss", () => {
    const { driver, frame, block } = opened();
    play(driver.selfTest(), frame, [sample, awake, begun]);
    expect(frame.faults).toEqual([]);
    const step = 3.3 / 4096;
    expect(frame.measurements).toEqual([
      { name: "baseline", value: 2048.5 * step, unit: "V", minimum: 1.65 - 0.825, maximum: 1.65 + 0.825, pass: true },
      { name: "activity", value: 100 * step, unit: "V", minimum: step, maximum: 3.3, pass: true },
    ]);
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2050]) }]);
    expect(block).toMatchObject({ count: 1, lost: -1, index: 1 });
  });

  test("with SDN: the output falls by half of REFOUT at least when SDN is low, then the chip is on again", () => {
    const { driver, frame } = create({ settling: 70 }, wiring);
    const script = [
      { ops: [ON], pause: 70 },
      sample,
      awake,
      { ops: [OFF], pause: 100 },
      sample,
      { ops: [], sampled: samples([2, 0]) },
      { ops: [ON], pause: 70 },
      begun,
    ];
    play(driver.selfTest(), frame, script);
    expect(frame.faults).toEqual([]);
    expect(frame.measurements.map(({ name, pass }) => [name, pass])).toEqual([
      ["baseline", true],
      ["activity", true],
      ["shutdown", true],
    ]);
    const [, , shutdown] = frame.measurements;
    expect(shutdown.value).toBeCloseTo((2047 * 3.3) / 4096, 12);
    expect(shutdown).toMatchObject({ unit: "V", minimum: 0.825, maximum: 3.3 });
  });

  test.each([
    ["a baseline far from REFOUT", [3080, 3090], "baseline"],
    ["one too low", [1000, 1020], "baseline"],
    ["a line without any noise", flat(2048, 20), "activity"],
  ])("%s does not pass", (_, codes, name) => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [sample, { ops: [], sampled: samples(codes) }, begun]);
    expect(frame.measurements.filter(({ pass }) => !pass).map((one) => one.name)).toEqual([name]);
  });

  test.each([
    [1100, { bits: 12, reference: 3.3 }, true],
    [1100, { bits: 10, reference: 5 }, true],
    [100, { bits: 12, reference: 3.3 }, false],
    [100, { bits: 16, reference: 3.3 }, true],
  ])("gain %i on %o: are the data sheet's 14 uV seen by it, so that none is a fault? %s", (gain, converter, lively) => {
    const { driver, frame } = create({ gain }, { converter });
    const code = -driver.channels()[0].offset;
    play(driver.selfTest(), frame, [sample, { ops: [], sampled: samples([code, code]) }, begun]);
    expect(frame.measurements).toMatchObject([
      { pass: true },
      { value: 0, minimum: lively ? converter.reference / 2 ** converter.bits : 0, pass: !lively },
    ]);
  });

  test("an output that does not move with SDN does not pass: it is another line", () => {
    const { driver, frame } = create({ settling: 0 }, wiring);
    play(driver.selfTest(), frame, [
      { ops: [ON], pause: 0 },
      sample,
      awake,
      { ops: [OFF], pause: 100 },
      sample,
      awake,
      { ops: [ON], pause: 0 },
      begun,
    ]);
    expect(frame.measurements[2]).toMatchObject({ name: "shutdown", value: 0, pass: false });
  });

  test("with a lead off the baseline says nothing, and is not measured", () => {
    const { driver, frame } = create({ settling: 0 }, wiring);
    const off = { ops: [], sampled: samples([4000, 4001], 0, { inputs: 2 }) };
    play(driver.selfTest(), frame, [{ ops: [ON], pause: 0 }, sample, off, begun]);
    expect(frame.measurements).toEqual([]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message:
          "AD8232: a lead is off (LO+ low, LO- high), so its baseline says nothing; put the electrodes on, or hold " +
          "them together",
      },
    ]);
  });

  test("a board that gives no sample is named, awake and asleep", () => {
    const none = { ops: [], sampled: samples([]) };
    const first = opened();
    play(first.driver.selfTest(), first.frame, [sample, none, begun]);
    expect(first.frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message: "AD8232: the board gave no sample in 200 ms; check the analog pin and its rate",
      },
    ]);
    expect(first.frame.measurements).toEqual([]);
    const second = create({ settling: 0 }, wiring);
    play(second.driver.selfTest(), second.frame, [
      { ops: [ON], pause: 0 },
      sample,
      awake,
      { ops: [OFF], pause: 100 },
      sample,
      { ops: [] },
      { ops: [ON], pause: 0 },
      begun,
    ]);
    expect(second.frame.faults).toMatchObject([{ code: FAULT_DATA }]);
    expect(second.frame.measurements).toHaveLength(2);
  });

  test("an error on the board ends it at any step, and it samples again with the chip switched on", () => {
    const script = [
      { ops: [ON], pause: 0 },
      sample,
      awake,
      { ops: [OFF], pause: 100 },
      sample,
      { ops: [], sampled: samples([0]) },
    ];
    const wake = { ops: [ON], pause: 0 };
    const ends = [[begun], [begun], [begun], [wake, begun], [script[5], wake, begun], [wake, begun]];
    ends.forEach((end, failing) => {
      const { driver, frame } = create({ settling: 0 }, wiring);
      const turns = script.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
      play(driver.selfTest(), frame, [...turns, ...end]);
      expect(frame.measurements.map(({ name }) => name)).toEqual(
        failing < 3 ? [] : failing === 4 ? ["baseline", "activity", "shutdown"] : ["baseline", "activity"],
      );
      expect(frame.faults).toEqual([]);
    });
  });
});

describe("AD8232 on a board", () => {
  const bench = (options: Parameters<typeof createBench<object>>[2] = {}, built: EmulatorOptions | object = {}) =>
    createBench(
      chip,
      { ...emulated, create: (given) => emulated.create({ ...given, ...built }) },
      options as Parameters<typeof createBench<(typeof chip)["defaults"]>>[2],
    );

  test("passes its self-test with the data sheet's noise alone, on 12 and on 10 bits", () => {
    for (const converter of [CONVERTER, { bits: 10, reference: 3.3 }]) {
      let k = 0;
      const one = bench({ noise: () => Math.sin(k++) * 1.4, converter });
      one.run(one.driver.open());
      one.run(one.driver.selfTest());
      expect(one.frame.faults).toEqual([]);
      expect(one.frame.measurements.map(({ name, pass }) => [name, pass])).toEqual([
        ["baseline", true],
        ["activity", true],
        ["shutdown", true],
      ]);
    }
  });

  test("a lead that falls off is told, and after it is back the samples are settling for 165 ms, then good", () => {
    const one = bench();
    one.run(one.driver.open());
    one.emulator.set("ecg", 0.001);
    const polled = () => {
      one.wait(32);
      return one.run(one.driver.poll()).channels[0];
    };
    expect(polled().flags).toBe(0);
    one.emulator.set("leadOffPlus", 1);
    expect(polled().flags).toBe(FLAG_LEAD_OFF | FLAG_SATURATED | FLAG_SETTLING);
    one.emulator.set("leadOffPlus", 0);
    const flags = Array.from({ length: 8 }, () => polled().flags);
    // The burst in which it came back begins with a sample that was taken before.
    expect(flags.map((flag) => flag & ~FLAG_SATURATED)).toEqual([
      FLAG_SETTLING,
      FLAG_SETTLING,
      FLAG_SETTLING,
      FLAG_SETTLING,
      FLAG_SETTLING,
      FLAG_SETTLING,
      0,
      0,
    ]);
    const { samples: codes, count } = polled();
    expect(codes[count - 1]).toBe(Math.floor(((1.65 + 1.1) / 3.3) * 4096));
  });

  test("under a reader: power that goes is noticed, refused while it is away, and the record goes on when it is back", () => {
    const one = bench();
    const faults: number[] = [];
    let restarts = 0;
    let last: Frame | undefined;
    const reader = createReader(one.board, one.attachment, {
      onFrame: (frame) => {
        last = frame;
      },
      onFault: ({ code }) => faults.push(code),
      onRestart: () => restarts++,
    });
    reader.open(() => {});
    one.wait(2000);
    expect(reader.identity?.verdict).toBe("plausible");
    expect(faults).toEqual([]);
    one.emulator.set("supply", 0);
    one.wait(5000);
    expect(faults).toEqual([]);
    one.wait(6000);
    expect(faults[0]).toBe(FAULT_BUS);
    expect(faults.slice(1).every((code) => code === FAULT_IDENTITY)).toBe(true);
    expect(reader.identity?.verdict).toBe("refused");
    expect(restarts).toBe(0);
    one.emulator.set("supply", 3.3);
    one.wait(12_000);
    expect(restarts).toBe(1);
    expect(reader.identity?.verdict).toBe("plausible");
    expect(last!.channels[0]).toMatchObject({ lost: 0, flags: 0 });
    expect(last!.channels[0].count).toBeGreaterThan(0);
    const before = faults.length;
    one.wait(10_000);
    expect(faults).toHaveLength(before);
  });

  test("a host that stalls loses what the board cannot keep, and the loss is counted", () => {
    const one = bench({ configuration: { sampleRate: 1000 } as object });
    one.run(one.driver.open());
    one.run(one.driver.poll());
    one.wait(800);
    const first = one.run(one.driver.poll()).channels[0];
    expect(first).toMatchObject({ count: 512, lost: 0 });
    const { index } = first;
    one.wait(10);
    const next = one.run(one.driver.poll()).channels[0];
    expect(next.lost).toBeGreaterThan(280);
    expect(next.index).toBe(index + 512 + next.lost);
  });

  test("after close no sample comes, a fault does, and SDN is low: 0 V", () => {
    const one = bench();
    one.run(one.driver.open());
    one.wait(100);
    expect(one.run(one.driver.close()).channels[0].count).toBeGreaterThan(0);
    one.wait(500);
    const frame = one.run(one.driver.poll());
    expect(frame.channels[0].count).toBe(0);
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
    expect("voltage" in one.emulator && one.emulator.voltage()).toBe(0);
  });

  test("another gain, supply and REFOUT on both sides give the same voltage", () => {
    const configuration = { gain: 200, supply: 3, offset: 1.2 };
    const one = bench({ configuration: configuration as object }, { gain: 200, offset: 1.2 });
    one.emulator.set("supply", 3);
    one.emulator.set("ecg", -0.004);
    one.run(one.driver.open());
    one.wait(100);
    const { samples: codes, count } = one.run(one.driver.poll()).channels[0];
    const { offset, mul, exp10 } = one.driver.channels()[0];
    expect(Math.abs((codes[count - 1] + offset) * mul * 10 ** exp10 + 0.004)).toBeLessThan(3.3 / 4096 / 200);
  });
});
