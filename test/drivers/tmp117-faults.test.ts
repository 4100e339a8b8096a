import { describe, expect, test } from "vitest";
import {
  type Driver,
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  type Frame,
} from "../../drivers/driver.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import {
  ASLEEP,
  BUSY,
  HIGH,
  look,
  opened,
  opening,
  play,
  READY,
  read,
  SETTINGS,
  start,
  type Turn,
  take,
  write,
} from "./tmp117-script.ts";

describe("TMP117 when things go wrong", () => {
  test.each([
    [0x0117, "confirmed", "Device_ID 0x117"],
    [0x1117, "confirmed", "Device_ID 0x1117"],
    [0x2117, "plausible", "TMP119"],
    [0x1116, "refused", "TMP116"],
    [0x0000, "refused", "0x0"],
    [0xffff, "refused", "0xffff"],
    [0x7501, "refused", "0x7501"],
  ])("Device_ID %i: %s; a refused chip is not written to", (id, verdict, said) => {
    const driver = chip.create({}, {});
    const frame = driver.createFrame();
    const first = { ...opening[0], replies: [id, 0x0220] };
    play(driver.open(), frame, verdict === "refused" ? [first] : [first, ...opening.slice(1)]);
    expect(frame.identity?.verdict).toBe(verdict);
    expect(frame.identity?.read).toContain(said);
    if (verdict === "refused") expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY }]);
    else expect(frame.faults).toEqual([]);
  });

  test("an EEPROM that stays busy ends the opening after three looks, before and after the reset", () => {
    const busy = { ops: [read(0x01)], pause: 4, replies: [0x0220 | BUSY] };
    for (const script of [
      [{ ...opening[0], replies: [0x0117, 0x0220 | BUSY] }, busy, busy, busy],
      [opening[0], opening[1], busy, busy, busy],
    ]) {
      const driver = chip.create({}, {});
      const frame = play(driver.open(), driver.createFrame(), script);
      expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("EEPROM") }]);
    }
  });

  test.each([
    [[0, 0x0220], "Configuration reads 0x220, 0x224 was written"],
    [[7, SETTINGS], "Temp_Offset reads 7, 0 was written"],
  ])("a register that does not keep its value is named: %j", (replies, message) => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [...opening.slice(0, 3), { ...opening[3], replies }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining(message) }]);
  });

  test.each(opening.map((_, i) => i))("a bus that fails in step %i of open ends it without a loop", (failing) => {
    const driver = chip.create({}, {});
    const script = opening.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
    play(driver.open(), driver.createFrame(), script);
  });

  test("a chip that is not there, and one that is pulled off, are bus faults with no value", () => {
    const bench = createBench(chip, emulated);
    bench.board.busFault = () => "nack";
    expect(bench.run(bench.driver.open())).toMatchObject({ identity: null, faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    bench.run(bench.driver.open());
    bench.wait(500);
    bench.board.busFault = () => "nack";
    const frame = bench.run(bench.driver.poll());
    expect(frame.faults).toMatchObject([
      { code: FAULT_BUS, message: expect.stringContaining("TMP117 at address 0x48") },
    ]);
    expect(frame.channels[0].count).toBe(0);
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: 0 });
  });

  test("after a brown-out the poll asks for a restart, and open brings values back", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(500);
    const frame = bench.run(bench.driver.poll());
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
    expect(frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(500);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test("closing twice is harmless, and a poll after it says that the chip must be opened", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(300);
    expect(bench.run(bench.driver.close()).channels[0].count).toBe(1);
    expect(bench.run(bench.driver.close())).toMatchObject({ faults: [], restart: false });
    expect(bench.frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });
});

describe("TMP117 self-test", () => {
  test("one conversion and a register that keeps its value; afterwards the record goes on behind a loss", () => {
    const bench = createBench(chip, emulated, { configuration: { offset: 0.25 } });
    bench.emulator.set("temperature", 36.5);
    bench.run(bench.driver.open());
    const frame = bench.run(bench.driver.selfTest());
    expect(frame.faults).toEqual([]);
    expect(frame.measurements).toMatchObject([
      { name: "registers", value: 0, pass: true },
      { name: "temperature", value: 36.5, unit: "Cel", pass: true },
    ]);
    bench.wait(500);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 1, lost: -1 });
    expect(block.samples[0] / 128).toBe(36.75);
  });

  test("a temperature beyond the operating range does not pass", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("temperature", 200);
    expect(bench.run(bench.driver.selfTest()).measurements[1]).toMatchObject({ value: 200, pass: false });
  });

  test("a chip that does not convert is a fault, not a value", () => {
    const driver = chip.create({}, {});
    const frame = driver.createFrame();
    play(driver.selfTest(), frame, [
      ...opening.slice(0, 3),
      { ops: [write(0x02, 0x5aa5), write(0x01, 0x0c04)], pause: 20 },
      { ops: [read(0x01), read(0x00), read(0x02)], replies: [0x0c04, 0x8000, 0x5aa4] },
      ...opening.slice(1),
    ]);
    expect(frame.measurements).toMatchObject([{ name: "registers", value: 1, pass: false }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_DATA, message: expect.stringContaining("no conversion") }]);
  });
});

describe("TMP117 losses", () => {
  test("a Configuration whose reading failed may have cleared Data_Ready: the loss is told when no flag is seen", () => {
    const { driver, frame, block } = opened({}, 0x0224);
    const poll = (flags: number, began: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags], began });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.poll(), frame, [poll(READY, 600_000), take(1, 600_000)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.poll(), frame, [poll(0, 1_200_000)]);
    play(driver.poll(), frame, [poll(READY, 1_800_000), take(2, 1_800_000)]);
    expect(block).toMatchObject({ count: 1, lost: -1 });
    play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
    play(driver.close(), frame, [
      { ops: [read(0x01), write(0x01, 0x0404), read(0x01)], replies: [0x0224, 0x0404], began: 2_000_000 },
    ]);
    expect(block).toMatchObject({ count: 0, lost: -1 });
  });

  test("an opening forgets what was owed, started, doubted and told before it", () => {
    const limits = [0x1340, 0x8000];
    const reopen = (driver: Driver<Tmp117Configuration>, frame: Frame, set: number) =>
      play(driver.open(), frame, [
        { ops: [read(0x0f), read(0x01)], replies: [0x0117, set] },
        { ops: [write(0x01, 0x0002)], pause: 3 },
        { ops: [read(0x01)], pause: 4, replies: [0x0220] },
        {
          ops: [
            write(7, 0),
            write(2, limits[0]),
            write(3, limits[1]),
            write(1, set),
            read(7),
            read(2),
            read(3),
            read(1),
          ],
          replies: [0, ...limits, set],
        },
      ]);
    const poll = (flags: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags] });
    const { driver, frame, block } = opened({ alert: { high: 38.5 } }, 0x0224, limits);
    play(driver.poll(), frame, [poll(READY | HIGH), { ops: [read(0x00)], fails: true }]);
    reopen(driver, frame, 0x0224);
    play(driver.poll(), frame, [poll(0)]);
    play(driver.poll(), frame, [poll(READY), take(5000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });
    expect(frame.faults).toEqual([]);
    for (let round = 0; round < 2; round++) {
      play(driver.poll(), frame, [poll(READY | HIGH), take(5000)]);
      expect(frame.faults).toHaveLength(1);
      play(driver.poll(), frame, [{ ops: [read(0x01)], fails: true }]);
      reopen(driver, frame, 0x0224);
      play(driver.poll(), frame, [poll(0)]);
    }
    play(driver.poll(), frame, [poll(READY), take(5000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0 });

    const single = opened({ mode: "oneShot", alert: { high: 38.5 } }, ASLEEP, limits);
    play(single.driver.poll(), single.frame, [look(), { ...start(), fails: true }]);
    reopen(single.driver, single.frame, ASLEEP);
    play(single.driver.poll(), single.frame, [look(), start(), look(READY), take(1)]);
    expect(single.block).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test("one-shot on a bus that is dead: faults, no value, and then all is well", () => {
    const bench = createBench(chip, emulated, { configuration: { mode: "oneShot" } });
    bench.run(bench.driver.open());
    bench.board.busFault = () => "timeout";
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: false, faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: 0 });
  });
});
