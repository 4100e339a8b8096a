/** A MAX30003 that waits for electrodes at the power of a comparator (p. 23, 42, 47). */
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_CONFIGURATION, FAULT_RESTARTED, FLAG_LEAD_OFF, type Frame } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, play, read, type Turn, write } from "./max30003-script.ts";
import { followStreams } from "./streams.ts";

const AWAKE = 0x081217;
const ASLEEP = 0x400004;
const registers = [
  [0x10, ASLEEP],
  [0x12, 0x004800],
  [0x14, 0x000000],
  [0x15, 0x400000],
  [0x04, 0x580004],
  [0x05, 0xbf0000],
  [0x02, 0x800803],
];
const status = (bits: number, general = ASLEEP) => [answer(bits), answer(general)];
/** An opening up to the first look, 100 ms after lead-on detection began. */
const opening: Turn[] = [
  { ops: [read(0x01), read(0x0f)], replies: [answer(0), answer(0x513000)] },
  { ops: [write(0x08, 0)], pause: 20 },
  { ops: registers.map(([register, value]) => write(register, value)), pause: 20 },
  // LONINT says that the mode has begun; this reading clears it. There is no PLL to wait for.
  { ops: [read(0x01)], pause: 20, replies: [answer(0x800)] },
  { ops: registers.map(([register]) => read(register)), replies: registers.map(([, value]) => answer(value)) },
  { ops: [write(0x09, 0)], pause: 100 },
];
const waking: Turn[] = [
  { ops: [write(0x10, AWAKE)], pause: 20 },
  { ops: [read(0x01)], pause: 20, replies: [answer(0x100)] },
  { ops: [read(0x01)], pause: 20, replies: [answer(0)] },
  { ops: [write(0x09, 0)] },
];

function create(leadOn = 10, configuration = {}) {
  const driver = chip.create({ leadOn, ...configuration }, { interrupt: true });
  const frame = driver.createFrame();
  const [block] = frame.channels;
  const clear = () => {
    block.count = block.lost = block.flags = 0;
    frame.faults.length = 0;
    frame.restart = false;
  };
  return { driver, frame, block, clear };
}

describe("MAX30003 waiting for leads: transactions", () => {
  test("opened with the leads on, it starts at once", () => {
    const { driver, frame, block, clear } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0x800) }, ...waking]);
    expect(frame.faults).toEqual([]);
    expect(frame.identity?.verdict).toBe("confirmed");
    clear();
    play(driver.poll(), frame, [{ ops: check, replies: status(0, AWAKE) }]);
    expect(block).toMatchObject({ count: 0, lost: 0, flags: 0, index: 0 });
  });

  test("opened without, it waits, and the poll that finds both on starts it; nothing was lost before the first sample", () => {
    const { driver, frame, block, clear } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0) }]);
    for (let i = 0; i < 3; i++) {
      clear();
      play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
      expect(block).toMatchObject({ count: 0, lost: 0, flags: FLAG_LEAD_OFF });
      expect(frame).toMatchObject({ restart: false, faults: [] });
    }
    play(driver.poll(), frame, [{ ops: check, replies: status(0x800) }, ...waking]);
    clear();
    play(driver.poll(), frame, [{ ops: check, replies: status(0, AWAKE) }]);
    expect(block).toMatchObject({ lost: 0, flags: 0 });
  });

  test("a lead that is off for so long sends it to sleep again; what comes behind that is a gap", () => {
    const { driver, frame, block, clear } = create(0.5);
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0x800) }, ...waking]);
    const look = (at: number, bits: number): Turn => ({ ops: check, replies: status(bits, AWAKE), at });
    const sleeping: Turn = { ops: [write(0x10, ASLEEP), write(0x0a, 0), read(0x01)], at: 3_000_000 };
    play(driver.poll(), frame, [look(1_000_000, 0x100008)]);
    play(driver.poll(), frame, [look(1_400_000, 0)]); // on again: the time begins anew
    play(driver.poll(), frame, [look(1_500_000, 0x100001)]);
    play(driver.poll(), frame, [look(1_999_999, 0x100001)]);
    play(driver.poll(), frame, [look(2_000_000, 0x100001), sleeping]);
    clear();
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block).toMatchObject({ count: 0, flags: FLAG_LEAD_OFF });
    play(driver.poll(), frame, [{ ops: check, replies: status(0x800) }, ...waking]);
    clear();
    play(driver.poll(), frame, [look(5_000_000, 0)]);
    expect(block).toMatchObject({ count: 0, lost: -1, flags: 0 });
    // And the time that it was off before is forgotten.
    play(driver.poll(), frame, [look(5_100_000, 0x100001)]);
    play(driver.poll(), frame, [look(5_599_999, 0x100001)]);
    play(driver.poll(), frame, [look(5_600_000, 0x100001), sleeping]);
  });

  test("where falling asleep fails, the next poll says what the chip is", () => {
    for (const [general, asked] of [
      [AWAKE, false],
      [ASLEEP, true],
    ] as const) {
      const { driver, frame, clear } = create(0.25);
      play(driver.open(), frame, [...opening, { ops: check, replies: status(0x800) }, ...waking]);
      play(driver.poll(), frame, [{ ops: check, replies: status(0x100008, AWAKE), at: 1_000_000 }]);
      play(driver.poll(), frame, [
        { ops: check, replies: status(0x100008, AWAKE), at: 1_250_000 },
        { ops: [write(0x10, ASLEEP), write(0x0a, 0), read(0x01)], fails: true },
      ]);
      clear();
      play(driver.poll(), frame, [{ ops: check, replies: status(0, general), at: 1_300_000 }]);
      expect(frame.restart).toBe(asked);
    }
  });

  test.each([
    [0x000000, FAULT_BUS],
    [0xffffff, FAULT_BUS],
    [0x000004, FAULT_RESTARTED],
    [AWAKE, FAULT_RESTARTED],
  ])("CNFG_GEN that reads %i while it waits is no chip that waits", (general, code) => {
    const { driver, frame, clear } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0) }]);
    clear();
    play(driver.poll(), frame, [{ ops: check, replies: [answer(0xffffff), answer(general)] }]);
    expect(frame).toMatchObject({ restart: true, faults: [{ code }] });
  });

  test("a PLL that does not lock when it wakes is told, and leaves the chip reset", () => {
    const { driver, frame, clear } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0) }]);
    clear();
    const unlocked = { ops: [read(0x01)], pause: 20, replies: [answer(0x100)] };
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800) },
      waking[0],
      ...new Array(5).fill(unlocked),
      { ops: [write(0x08, 0)] },
    ]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("PLL") }]);
  });

  test.each([0, 1, 2])("a bus that fails in step %i of waking leaves the chip reset", (failing) => {
    const { driver, frame, clear } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0) }]);
    clear();
    const script = waking.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
    play(driver.poll(), frame, [{ ops: check, replies: status(0x800) }, ...script, { ops: [write(0x08, 0)] }]);
    play(driver.poll(), frame, [{ ops: check, replies: status(0, 0x000004) }]);
    expect(frame.restart).toBe(true);
  });

  test("settings that are changed while it waits hold when it wakes", () => {
    const { driver, frame } = create();
    play(driver.open(), frame, [...opening, { ops: check, replies: status(0) }]);
    const next = { ...driver.configuration, leadOff: 20, fastRecovery: "off" };
    play(driver.reconfigure(next)!, frame, [{ ops: [write(0x05, 0x3f0000)] }]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800) },
      { ops: [write(0x10, 0x081317)], pause: 20 },
      { ops: [read(0x01)], replies: [answer(0)] },
      { ops: [write(0x09, 0)] },
    ]);
    play(driver.poll(), frame, [{ ops: check, replies: status(0, 0x081317) }]);
    expect(frame.restart).toBe(false);
  });
});

describe("MAX30003 waiting for leads: against the emulator", () => {
  const off = (from: number, to: number) => (time: number) => (time >= from && time < to ? 1 : 0);

  test.each([true, false])("samples come while the leads are on, and only then; interrupt wired: %s", (interrupt) => {
    const bench = createBench(chip, emulated, { configuration: { leadOn: 1 }, interrupt });
    bench.emulator.set("leadOffNegative", (time) => off(0, 3)(time) + off(6, 12)(time));
    bench.emulator.set("ecg", (time) => Math.round(256 * time) / (20 * 131072));
    const streams = followStreams(bench.emulator, bench.driver.channels());
    const converted: number[] = [];
    const { onConvert } = bench.emulator;
    bench.emulator.onConvert = (name, code, at) => {
      converted.push(at / 1e6);
      onConvert?.(name, code, at);
    };
    const faults: string[] = [];
    let last: Frame | undefined;
    let samples = 0;
    const reader = createReader(bench.board, bench.attachment, {
      onFrame(frame) {
        last = frame;
        samples += frame.channels[0].count;
        streams.follow(frame);
      },
      onFault: ({ message }) => faults.push(message),
      onRestart: () => faults.push("restart"),
    });
    reader.open(() => {});
    bench.clock.runUntil(15e6);
    let closed = false;
    reader.close(() => {
      closed = true;
    });
    while (!closed) bench.clock.step();
    streams.ended(last!);
    expect(faults).toEqual([expect.stringContaining("lead off: ECGN")]);
    const runs = converted.filter((at, i) => i === 0 || at - converted[i - 1] > 0.1);
    const ends = converted.filter((at, i) => i + 1 === converted.length || converted[i + 1] - at > 0.1);
    expect(runs).toHaveLength(2);
    // PLL and a poll behind the leads; 115 ms, a second and two polls behind one that is off.
    expect(runs[0] - 3).toBeLessThan(0.15);
    expect(ends[0] - 7.115).toBeGreaterThan(0);
    expect(ends[0] - 7.115).toBeLessThan(0.13);
    expect(runs[1] - 12).toBeLessThan(0.15);
    expect(samples).toBeGreaterThan(1700);
  });

  test("with the interrupt wired the leads themselves call", () => {
    const bench = createBench(chip, emulated, { configuration: { leadOn: 1 }, interrupt: true });
    bench.emulator.set("leadOff", off(0, 2));
    bench.run(bench.driver.open());
    bench.edges.count = 0;
    while (bench.edges.count === 0) bench.clock.step();
    expect(bench.clock.now / 1e6).toBeGreaterThanOrEqual(2);
    expect(bench.clock.now / 1e6).toBeLessThan(2.02);
    bench.run(bench.driver.poll());
    bench.wait(50);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 13, index: 0, lost: 0, flags: 0 });
  });

  test("closed while it waits, it is reset; a poll then says so", () => {
    const bench = createBench(chip, emulated, { configuration: { leadOn: 1 } });
    bench.emulator.set("leadOff", 1);
    bench.run(bench.driver.open());
    bench.wait(100);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 0, flags: FLAG_LEAD_OFF });
    const frame = bench.run(bench.driver.close());
    expect(frame.faults).toEqual([]);
    expect(frame.channels[0]).toMatchObject({ count: 0, lost: 0 });
    expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true });
    expect(bench.run(bench.driver.close()).faults).toEqual([]);
  });

  test("a self-test does not need the leads, and the chip goes back to sleep behind it", () => {
    const bench = createBench(chip, emulated, { configuration: { leadOn: 1 } });
    bench.emulator.set("leadOff", 1);
    bench.run(bench.driver.open());
    expect(bench.run(bench.driver.selfTest()).measurements).toMatchObject([{ pass: true }]);
    let counts = 0;
    for (let i = 0; i < 30; i++) {
      bench.wait(60);
      counts = bench.run(bench.driver.poll()).channels[0].count;
      expect(bench.frame.restart).toBe(false);
    }
    expect(counts).toBe(0);
    expect(bench.frame.channels[0].flags).toBe(FLAG_LEAD_OFF);
  });
});
