/** What can be set of the TMP117, what is refused, what changes while it runs. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { ASLEEP, look, opened, play, READY, read, start, take, write } from "./tmp117-script.ts";

describe("TMP117 configuration", () => {
  test.each<[Partial<Tmp117Configuration>, RegExp]>([
    [{ sampleRate: 3 }, /TMP117: sampleRate is 3; choose one of 64, 8, 4/],
    [{ averaging: 4 }, /averaging is 4; choose one of 1, 8, 32, 64/],
    [
      { sampleRate: 64, averaging: 8 },
      /averaging 8 and sampleRate 64 fight: 8 conversions take 124 ms, the cycle 15.5 ms/,
    ],
    [{ sampleRate: 8, averaging: 32 }, /averaging 32 and sampleRate 8 fight/],
    [{ sampleRate: 2, averaging: 64 }, /averaging 64 and sampleRate 2 fight/],
    [{ offset: 256 }, /offset is 256; choose/],
    [{ offset: Number.NaN }, /offset is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings, {})).toThrow(message);
  });

  test("an address that it cannot have is refused", () => {
    expect(() => chip.create({}, { address: 0x40 })).toThrow(/address is 0x40; choose 0x48/);
    expect(chip.create({}, { address: 0x4b }).address).toBe(0x4b);
  });

  test.each([
    [64, 1, 15.5],
    [8, 8, 125],
    [4, 1, 250],
    [2, 32, 500],
    [1, 64, 1000],
    [1 / 4, 8, 4000],
    [1 / 16, 64, 16000],
  ])("%d hz with %d averages converts every %d ms, and the channel says so", (sampleRate, averaging, cycle) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, averaging } });
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    const times: number[] = [];
    bench.emulator.onConvert = (_, __, at) => times.push(at);
    bench.wait(4 * cycle);
    expect(times[2] - times[1]).toBeCloseTo(cycle * 1000, 6);
    expect(bench.driver.channels()[0].rate).toBeCloseTo(1000 / cycle, 12);
    expect(bench.driver.pollEvery).toBeLessThan((cycle * 13) / 15.5);
  });

  test("the configuration never equals the reset value 0x0220, so that a lost state shows", () => {
    for (const sampleRate of [64, 8, 4, 2, 1, 1 / 4]) {
      const ops = chip
        .create({ sampleRate, averaging: 1 }, {})
        .reconfigure({ sampleRate, averaging: 1, offset: 1 })!.ops;
      expect(ops[1]).not.toEqual(write(0x01, 0x0220));
    }
  });

  test("an offset is added by the chip, in its steps, also a negative one", () => {
    const bench = createBench(chip, emulated, { configuration: { offset: -0.5 } });
    bench.emulator.set("temperature", 37);
    bench.run(bench.driver.open());
    bench.wait(500);
    expect(bench.run(bench.driver.poll()).channels[0].samples[0] / 128).toBe(36.5);
  });

  test("reconfigure: averaging and offset are differences, another rate is another record, nothing is nothing", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("temperature", 37);
    bench.run(bench.driver.open());
    const now = { ...bench.driver.configuration };
    expect(bench.driver.reconfigure({ ...now, sampleRate: 2 })).toBeNull();
    expect(bench.driver.reconfigure(now)?.ops).toEqual([]);
    expect(() => bench.driver.reconfigure({ ...now, averaging: 5 })).toThrow(/averaging is 5/);
    expect(bench.run(bench.driver.reconfigure({ ...now, averaging: 32, offset: 1 })!).faults).toEqual([]);
    expect(bench.driver.configuration).toEqual({ sampleRate: 1, averaging: 32, offset: 1 });
    bench.wait(500);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 1, lost: -1 });
    expect(block.samples[0] / 128).toBe(38);
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/tmp117/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
  });
});

describe("TMP117 configuration of its modes", () => {
  test.each<[object, RegExp]>([
    [{ mode: "shutdown" }, /TMP117: mode is shutdown; choose continuous or oneShot/],
    [
      { mode: "oneShot", averaging: 64 },
      /averaging 64 and sampleRate 1 fight in mode oneShot: 64 conversions take 1120 ms, the cycle 1000 ms; choose/,
    ],
    [
      { mode: "oneShot", sampleRate: 64, averaging: 1 },
      /fight in mode oneShot: 1 conversions take 17.5 ms, the cycle 15.5/,
    ],
    [{ mode: "oneShot", sampleRate: 8 }, /averaging 8 and sampleRate 8 fight in mode oneShot/],
    [{ alert: { low: 39, high: 38 } }, /alert.low 39 and alert.high 38 fight: choose a lower low/],
    [{ alert: { low: 38.001, high: 38.002 } }, /fight/],
    [{ alert: { high: 256 } }, /alert.high is 256; choose -255 to 255 Cel/],
    [{ alert: { low: -256 } }, /alert.low is -256/],
    [{ alert: { low: Number.NaN } }, /alert.low is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings as Partial<Tmp117Configuration>, {})).toThrow(message);
  });

  test("reconfigure: another mode is another record; in one-shot mode another averaging too, an offset is not", () => {
    const continuous = chip.create({}, {});
    expect(continuous.reconfigure({ ...continuous.configuration, mode: "oneShot" })).toBeNull();
    const { driver, frame, block } = opened({ mode: "oneShot" }, ASLEEP);
    expect(driver.reconfigure({ ...driver.configuration, mode: "continuous" })).toBeNull();
    expect(driver.reconfigure({ ...driver.configuration, averaging: 1 })).toBeNull();
    const step = driver.reconfigure({ ...driver.configuration, offset: 1 })!;
    // A poll that is under way when it is asked for is not disturbed.
    play(driver.poll(), frame, [look(), start(), look(READY), take(1)]);
    const ops = [write(0x07, 128), write(0x01, ASLEEP), read(0x07), read(0x01)];
    play(step, frame, [{ ops, replies: [128, ASLEEP] }]);
    play(driver.poll(), frame, [look(), start(), look(READY), take(2)]);
    expect(block).toMatchObject({ count: 1, lost: -1 });
  });

  test("reconfigure does not disturb a poll that is under way", () => {
    const { driver, frame, block } = opened({}, 0x0224);
    const step = driver.reconfigure({ ...driver.configuration, averaging: 1 })!;
    play(driver.poll(), frame, [{ ops: [read(0x01)], replies: [0x0224 | READY] }, take(1)]);
    expect(block.count).toBe(1);
    play(step, frame, [{ ops: step.ops, replies: [0, 0x0204] }]);
    play(driver.poll(), frame, [{ ops: [read(0x01)], replies: [0x0204 | READY] }, take(1)]);
    expect(frame.restart).toBe(false);
  });

  test("the declared range goes with the offset, and ends where the register does", () => {
    const range = (offset: number) => {
      const [{ minimum, maximum }] = chip.create({ offset }, {}).channels();
      return [minimum, maximum];
    };
    expect(range(0)).toEqual([-7040, 19200]);
    expect(range(-0.5)).toEqual([-7104, 19136]);
    expect(range(200)).toEqual([18560, 32767]);
    expect(range(-255)).toEqual([-32768, -13440]);
  });

  test("the page names the settings that have no default", () => {
    const page = readFileSync(new URL("../../drivers/tmp117/README.md", import.meta.url), "utf8");
    expect(page).toMatch(/\| `mode` +\| continuous +\| continuous, oneShot/);
    expect(page).toMatch(/\| `alert` +\| none +\|/);
  });
});
