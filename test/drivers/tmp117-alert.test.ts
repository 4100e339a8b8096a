import { describe, expect, test } from "vitest";
import { FAULT_DATA } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { HIGH, LOW, opened, play, READY, read, type Turn, take, write } from "./tmp117-script.ts";

describe("TMP117 alert limits (section 7.4.4.1)", () => {
  const limits = [0x1340, 0x1200];
  const guarded = () => opened({ alert: { low: 36, high: 38.5 } }, 0x0224, limits);
  const poll = (flags: number): Turn => ({ ops: [read(0x01)], replies: [0x0224 | flags] });
  const above = { code: FAULT_DATA, message: "TMP117: above alert.high, 38.5 Cel, now 40 Cel" };
  const below = { code: FAULT_DATA, message: "TMP117: below alert.low, 36 Cel, now 40 Cel" };

  test("a crossing is told once, with the value; again after one that was within", () => {
    const { driver, frame, block } = guarded();
    const told = [HIGH, HIGH, 0, HIGH, LOW, LOW, HIGH | LOW, LOW].map((flags) => {
      play(driver.poll(), frame, [poll(READY | flags), take(5120)]);
      expect(block.count).toBe(1);
      expect(frame.restart).toBe(false);
      return [...frame.faults];
    });
    expect(told).toEqual([[above], [], [], [above], [below], [], [above], []]);
  });

  test("a poll without a new result neither tells nor forgets", () => {
    const { driver, frame } = guarded();
    play(driver.poll(), frame, [poll(READY | HIGH), take(5120)]);
    expect(frame.faults).toEqual([above]);
    play(driver.poll(), frame, [poll(0)]);
    play(driver.poll(), frame, [poll(READY | HIGH), take(5120)]);
    expect(frame.faults).toEqual([]);
  });

  test("a flag is cleared by its reading, and kept when the result's reading fails", () => {
    const { driver, frame } = guarded();
    play(driver.poll(), frame, [poll(READY | HIGH), { ops: [read(0x00)], fails: true }]);
    expect(frame.faults).toEqual([]);
    play(driver.poll(), frame, [poll(0), take(5120)]);
    expect(frame.faults).toEqual([above]);
  });

  test("close tells what its last result crossed", () => {
    const { driver, frame } = guarded();
    const stop = [read(0x01), write(0x01, 0x0404), read(0x01)];
    play(driver.close(), frame, [{ ops: stop, replies: [0x0224, 0x0404 | READY | LOW] }, take(5120)]);
    expect(frame.faults).toEqual([below]);
  });

  test("without limits the flags of whatever the EEPROM holds are nobody's", () => {
    const { driver, frame } = opened({}, 0x0224);
    play(driver.poll(), frame, [poll(READY | HIGH | LOW), take(5120)]);
    expect(frame.faults).toEqual([]);
  });

  test.each<[Tmp117Configuration["alert"], number, number]>([
    [{ high: 38.5 }, 0x1340, 0x8000],
    [{ low: -0.5 }, 0x7fff, 0xffc0],
    [{}, 0x7fff, 0x8000],
    [{ low: -255, high: 255 }, 0x7f80, 0x8080],
    [{ low: 36.996, high: 37.004 }, 0x1281, 0x127f],
  ])("%j: a limit that is not set is one that nothing crosses", (alert, high, low) => {
    const driver = chip.create({ alert: alert! }, {});
    const bench = createBench(chip, emulated, { configuration: { alert: alert! } });
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    const registers = [2, 3].map((register) => {
      const other = bench.emulator as I2cEmulator;
      other.start(false);
      other.write(register);
      other.start(true);
      const value = (other.read() << 8) | other.read();
      other.stop();
      return value;
    });
    expect(registers).toEqual([high, low]);
    expect(driver.configuration.alert).toEqual(alert);
  });

  test("a limit that the chip does not keep ends the opening", () => {
    const driver = chip.create({ alert: { low: 36, high: 38.5 } }, {});
    const script = (replies: number[]): Turn[] => [
      { ops: [read(0x0f), read(0x01)], replies: [0x0117, 0x0220] },
      { ops: [write(0x01, 0x0002)], pause: 3 },
      { ops: [read(0x01)], pause: 4, replies: [0x0220] },
      {
        ops: [write(7, 0), write(2, 0x1340), write(3, 0x1200), write(1, 0x0224), read(7), read(2), read(3), read(1)],
        replies,
      },
    ];
    const frame = driver.createFrame();
    play(driver.open(), frame, script([0, 0x6000, 0x1200, 0x0224]));
    expect(frame.faults[0].message).toMatch(/THigh_Limit reads 24576, 4928 was written/);
    play(driver.open(), frame, script([0, 0x1340, 0x8000, 0x0224]));
    expect(frame.faults[0].message).toMatch(/TLow_Limit reads -32768, 4608 was written/);
  });

  test("the chip compares every result, in both modes; also one that was written over before it was read", () => {
    for (const mode of ["continuous", "oneShot"] as const) {
      const bench = createBench(chip, emulated, { configuration: { mode, alert: { low: 36, high: 38.5 } } });
      bench.run(bench.driver.open());
      const told = [37, 39, 39, 37, 35, 37].map((degrees) => {
        bench.emulator.set("temperature", degrees);
        bench.wait(1000);
        return bench.run(bench.driver.poll()).faults.map(({ message }) => message.slice(8, 24));
      });
      expect(told).toEqual([[], ["above alert.high"], [], [], ["below alert.low,"], []]);
    }
    const bench = createBench(chip, emulated, { configuration: { alert: { low: 36, high: 38.5 } } });
    bench.run(bench.driver.open());
    bench.emulator.set("temperature", (time) => (time > 1 && time < 2 ? 40 : 37));
    bench.wait(3000);
    const [fault] = bench.run(bench.driver.poll()).faults;
    expect(fault.message).toBe("TMP117: above alert.high, 38.5 Cel, now 37 Cel");
  });

  test("reconfigure: limits are a difference, also to none; what they crossed before counts no more", () => {
    const bench = createBench(chip, emulated, { configuration: { alert: { high: 30 } } });
    const { driver } = bench;
    bench.emulator.set("temperature", 37);
    bench.run(driver.open());
    bench.wait(500);
    expect(bench.run(driver.poll()).faults).toHaveLength(1);
    expect(driver.reconfigure({ ...driver.configuration, alert: { high: 30 } })?.ops).toEqual([]);
    bench.run(driver.reconfigure({ ...driver.configuration, alert: { high: 31 } })!);
    expect(driver.configuration.alert).toEqual({ high: 31 });
    bench.wait(500);
    expect(bench.run(driver.poll()).faults).toHaveLength(1);
    bench.run(driver.reconfigure({ sampleRate: 1, averaging: 8, offset: 0 })!);
    expect(driver.configuration).toEqual({ sampleRate: 1, averaging: 8, offset: 0 });
    bench.wait(500);
    expect(bench.run(driver.poll())).toMatchObject({ faults: [], channels: [{ count: 1, lost: -1 }] });
  });
});
