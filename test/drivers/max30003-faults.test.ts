/** The MAX30003 driver when things go wrong, and its self-test. */
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, FAULT_RESTARTED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { measureCalibration } from "../../drivers/max30003/selftest.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, fifo, opened, opening, play, REGISTERS, read, status, write } from "./max30003-script.ts";

describe("MAX30003 when things go wrong", () => {
  test.each([
    [0xffffff, "refused"],
    [0x000000, "refused"],
    [0x153000, "refused"],
    [0x541000, "plausible"],
    [0x500000, "plausible"],
    [0x553000, "confirmed"],
  ])("INFO %i: %s; a refused chip is not written to", (info, verdict) => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const first = { ops: [read(0x01), read(0x0f)], replies: [answer(info), answer(info)] };
    if (verdict === "refused") {
      play(driver.open(), frame, [first]);
      expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY, message: expect.stringContaining("check power") }]);
    } else {
      play(driver.open(), frame, [first, ...opening.slice(1)]);
      expect(frame.faults).toEqual([]);
    }
    expect(frame.identity?.verdict).toBe(verdict);
    if (info === 0x541000) expect(frame.identity?.read).toContain("MAX30001");
  });

  test("a register that does not keep its value is named, and the chip is left reset, not started", () => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const kept = REGISTERS.map(([register, value]) => answer(register === 0x15 ? 0x805000 : value));
    play(driver.open(), frame, [...opening.slice(0, 5), { ...opening[5], replies: kept }, { ops: [write(0x08, 0)] }]);
    expect(frame.faults).toMatchObject([
      {
        code: FAULT_CONFIGURATION,
        message: expect.stringContaining("register 0x15 reads 0x805000, 0x400000 was written"),
      },
    ]);
  });

  test("a PLL that never locks ends the opening after 100 ms, with the clock named", () => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const unlocked = { ops: [read(0x01)], pause: 20, replies: [answer(0x100)] };
    play(driver.open(), frame, [...opening.slice(0, 3), ...new Array(5).fill(unlocked), { ops: [write(0x08, 0)] }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("FCLK") }]);
  });

  test.each(opening.map((_, i) => i))("a bus that fails in step %i of open ends it without a loop", (failing) => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const script = opening.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
    const after = failing > 0 && failing < 6 ? [{ ops: [write(0x08, 0)] }] : [];
    play(driver.open(), frame, [...script, ...after]);
  });

  test("a bus that fails while STATUS is read loses nothing; while words are read, nobody knows how many", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072));
    bench.run(bench.driver.open());
    bench.wait(62);
    bench.board.busFault = () => "timeout";
    expect(bench.run(bench.driver.poll()).faults).toMatchObject([{ code: FAULT_BUS }]);
    bench.board.busFault = null;
    const good = bench.run(bench.driver.poll()).channels[0];
    expect(good).toMatchObject({ index: 0, lost: 0 });
    expect(good.samples[0]).toBe(0);

    bench.wait(62);
    bench.board.busFault = (_, ops) => ("transfer" in ops[0] && ops[0].transfer.length > 4 ? "bus" : null);
    expect(bench.run(bench.driver.poll())).toMatchObject({ faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0].lost).toBe(-1);
  });

  test.each([
    [0xffffff, FAULT_BUS],
    [0x000000, FAULT_BUS],
    [0x000004, FAULT_RESTARTED],
    [0x081007, FAULT_RESTARTED],
  ])("CNFG_GEN that reads %i in mid-run is no data: fault, restart, no sample", (value, code) => {
    for (const inBurst of [false, true]) {
      const { driver, frame, block } = opened();
      const bad = [answer(value), answer(value)];
      play(
        driver.poll(),
        frame,
        inBurst
          ? [
              { ops: check, replies: status(0x800000) },
              { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(12).fill(value)), ...bad] },
            ]
          : [{ ops: check, replies: bad }],
      );
      expect(block.count).toBe(0);
      expect(frame).toMatchObject({ restart: true, faults: [{ code }] });
    }
  });

  test("words of a chain are dropped where a later step finds another chip", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(12).fill(0)), ...status(0)] },
      { ops: [read(0x21), ...check], replies: [answer(0), answer(0), answer(0)] },
    ]);
    expect(block.count).toBe(0);
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_BUS }] });
  });

  test("after a brown-out the poll asks for a restart, and open brings the record back", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(60);
    bench.run(bench.driver.poll());
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(60);
    const frame = bench.run(bench.driver.poll());
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
    expect(frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 16, index: 0, lost: 0 });
  });

  test("closing twice is harmless, and a poll after it says that the chip must be opened", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(30);
    expect(bench.run(bench.driver.close()).channels[0].count).toBe(8);
    const again = bench.run(bench.driver.close());
    expect(again.faults).toEqual([]);
    expect(again.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });
});

describe("MAX30003 self-test", () => {
  test.each([
    [256, 20],
    [128, 160],
    [500, 40],
    [200, 80],
  ])("at %d sps, gain %d the calibration source reads 1 mV peak to peak (p. 5, 24)", (sampleRate, gain) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, gain } });
    bench.emulator.set("ecg", 0.003); // electrodes are isolated
    bench.run(bench.driver.open());
    const frame = bench.run(bench.driver.selfTest());
    expect(frame.faults).toEqual([]);
    expect(frame.measurements).toMatchObject([{ name: "calibration", unit: "mV", pass: true }]);
    expect(frame.measurements[0].value).toBeCloseTo(1, 2);
  });

  test("afterwards the outputs are as configured, and the record goes on behind a loss", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", 0.003);
    bench.run(bench.driver.open());
    bench.run(bench.driver.selfTest());
    while (bench.edges.count === 0) bench.clock.step();
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 12, lost: -1, flags: 0 });
    expect(block.samples[0]).toBe(Math.round(0.003 * 20 * 131072));
  });

  test("a dead, a weak and a foreign signal do not pass", () => {
    const square = (high: number, low: number) => [
      answer(...Array.from({ length: 24 }, (_, i) => fifo(i % 16 < 8 ? high : low, 0))),
    ];
    expect(measureCalibration(square(1311, -1311), 20)).toMatchObject({ pass: true });
    expect(measureCalibration(square(1000, -1000), 20)).toMatchObject({ pass: false });
    expect(measureCalibration(square(0, 0), 20)).toMatchObject({ pass: false, value: 0 });
    expect(measureCalibration([answer(...new Array(24).fill(0xffffff))], 20)).toBeNull();
    expect(measureCalibration([answer(...new Array(24).fill(fifo(1311, 1)))], 20)).toBeNull(); // fast recovery
  });

  test("a bus that fails in the middle still puts the outputs back", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", 0.003);
    bench.run(bench.driver.open());
    bench.board.busFault = (_, ops) => ("transfer" in ops[0] && ops[0].transfer.length > 4 ? "bus" : null);
    const frame = bench.run(bench.driver.selfTest());
    bench.board.busFault = null;
    expect(frame.measurements).toEqual([]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_BUS, FAULT_DATA]);
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].samples[0]).toBe(Math.round(0.003 * 20 * 131072));
  });
});
