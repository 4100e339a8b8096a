/** The MAX30205 driver's settings: what is refused, which registers they are, what changes while it runs, and its limits. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FAULT_DATA } from "../../drivers/driver.ts";
import { chip, type Max30205Configuration } from "../../drivers/max30205/chip.ts";
import { going, look, opened, play, recognised, settling, start, writeWord } from "./max30205-script.ts";

describe("MAX30205 configuration", () => {
  test.each<[object, RegExp]>([
    [{ sampleRate: 0 }, /MAX30205: sampleRate is 0; choose 1\/64 to 10 hz/],
    [{ sampleRate: 10.5 }, /sampleRate is 10.5/],
    [{ sampleRate: 1 / 65 }, /sampleRate is 0.015/],
    [{ sampleRate: Number.NaN }, /sampleRate is NaN/],
    [{ faultQueue: 3 }, /faultQueue is 3; choose one of 1, 2, 4, 6/],
    [{ mode: "shutdown" }, /mode is shutdown; choose oneShot or continuous/],
    [{ output: "alert" }, /output is alert; choose comparator or interrupt/],
    [{ output: "interrupt" }, /output interrupt and mode oneShot fight: shutdown resets OS; choose mode continuous/],
    [{ alert: { low: 39, high: 38 } }, /alert.low 39 and alert.high 38 fight: choose a lower low/],
    [{ alert: { low: 38, high: 38 } }, /fight/],
    [{ alert: { low: 37, high: 128 } }, /alert.high is 128; choose -128 to 127 Cel/],
    [{ alert: { low: -129, high: 38 } }, /alert.low is -129; choose -128 to 127/],
    [{ alert: { low: -65, high: 38 }, extended: true }, /alert.low is -65; choose -64 to 191 Cel/],
    [{ alert: { low: 37, high: Number.NaN } }, /alert.high is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings as Partial<Max30205Configuration>, {})).toThrow(message);
  });

  test.each<[Partial<Max30205Configuration>, number, [number, number]]>([
    [{}, 0x01, [0x7f69, 0x7f97]],
    [{ mode: "continuous" }, 0x00, [0x7f69, 0x7f97]],
    [{ mode: "continuous", output: "interrupt" }, 0x02, [0x7f69, 0x7f97]],
    [{ activeHigh: true }, 0x05, [0x7f69, 0x7f97]],
    [{ faultQueue: 2 }, 0x09, [0x7f69, 0x7f97]],
    [{ faultQueue: 4 }, 0x11, [0x7f69, 0x7f97]],
    [{ faultQueue: 6 }, 0x19, [0x7f69, 0x7f97]],
    [{ busTimeout: false }, 0x41, [0x7f69, 0x7f97]],
    [{ extended: true, alert: { low: 64, high: 70 } }, 0x21, [0x0001, 0x0601]],
    [{ alert: { low: -0.5, high: 38.5 } }, 0x01, [0xff81, 0x2681]],
    [{ alert: { low: 37.999, high: 127.999 } }, 0x01, [0x25ff, 0x7fff]],
    // As at power-up, but for the odd step.
    [{ mode: "continuous", alert: { low: 75, high: 80 } }, 0x00, [0x4b01, 0x5001]],
  ])("%j is Configuration %i (table 5, p. 12)", (settings, configuration, limits) => {
    const driver = chip.create(settings, {});
    const frame = driver.createFrame();
    // Where the format changes, the conversion under way changes it.
    play(driver.open(), frame, [...recognised, settling(configuration | 1, limits), going(configuration)]);
    expect(frame.faults).toEqual([]);
  });

  test("32 addresses, by A0, A1 and A2 as the page says; others are refused", () => {
    expect(chip.addresses[0]).toBe(0x48);
    expect([...chip.addresses].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => 0x40 + i));
    expect(chip.create({}, { address: 0x5f }).address).toBe(0x5f);
    for (const address of [0x3f, 0x60]) {
      expect(() => chip.create({}, { address })).toThrow(`address is 0x${address.toString(16)}; choose 0x40 to 0x5f`);
    }
    // Table 1, p. 9: slave address bytes, A2 and A1 by row, A0 at GND, VDD, SCL, SDA.
    const table = [
      ["GND | GND", 0x90, 0x92, 0x82, 0x80],
      ["GND | VDD", 0x94, 0x96, 0x86, 0x84],
      ["GND | SCL", 0xb4, 0xb6, 0xa6, 0xa4],
      ["GND | SDA", 0xb0, 0xb2, 0xa2, 0xa0],
      ["VDD | GND", 0x98, 0x9a, 0x8a, 0x88],
      ["VDD | VDD", 0x9c, 0x9e, 0x8e, 0x8c],
      ["VDD | SCL", 0xbc, 0xbe, 0xae, 0xac],
      ["VDD | SDA", 0xb8, 0xba, 0xaa, 0xa8],
    ] as const;
    const page = readFileSync(new URL("../../drivers/max30205/README.md", import.meta.url), "utf8");
    for (const [pins, ...bytes] of table) {
      expect(page).toContain(`| ${pins} | ${bytes.map((byte) => `0x${(byte >> 1).toString(16)}`).join("   | ")}   |`);
    }
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/max30205/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
  });

  test.each([
    [1, 948],
    [10, 48],
    [1 / 10, 9948],
  ])("%d hz: a poll and its conversion fill the period", (sampleRate, pollEvery) => {
    expect(chip.create({ sampleRate }, {}).pollEvery).toBe(pollEvery);
    expect(chip.create({ sampleRate, mode: "continuous" }, {}).pollEvery).toBe(pollEvery + 52);
    expect(chip.create({ sampleRate }, {}).channels()[0]).toMatchObject({
      rate: sampleRate,
      mdc: 150364,
      unit: "Cel",
      waveform: false,
    });
  });

  test("it has no data-ready line, also where one is wired", () => {
    expect(chip.create({}, { interrupt: true }).dataReady).toBeNull();
  });

  test("the declared range follows the format", () => {
    expect(chip.create({}, {}).channels()[0]).toMatchObject({ minimum: -2560, maximum: 12800, offset: 0 });
    const extended = { minimum: -18944, maximum: -3584, offset: 16384 };
    expect(chip.create({ extended: true }, {}).channels()[0]).toMatchObject(extended);
  });

  test("reconfigure: what OS does is a difference, rate, mode and format are another record, nothing is nothing", () => {
    const { driver, frame, block } = opened();
    const now = { ...driver.configuration };
    expect(driver.reconfigure({ ...now, sampleRate: 2 })).toBeNull();
    expect(driver.reconfigure({ ...now, mode: "continuous" })).toBeNull();
    expect(driver.reconfigure({ ...now, extended: true })).toBeNull();
    expect(driver.reconfigure({ ...now })?.ops).toEqual([]);
    expect(() => driver.reconfigure({ ...now, faultQueue: 5 })).toThrow(/faultQueue is 5/);
    const next = { ...now, faultQueue: 2, alert: { low: 38, high: 39 } };
    const limits = [0x2601, 0x2701];
    const step = driver.reconfigure(next)!;
    // A poll that is under way when it is asked for is not disturbed.
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(1, 0x01)]);
    expect(frame.restart).toBe(false);
    const { pause: _, ...written } = settling(0x09, limits);
    play(step, frame, [written]);
    expect(frame.faults).toEqual([]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [look(0, 0x09, 0, limits), start(0x09), look(2, 0x09, 0, limits)]);
    expect(block).toMatchObject({ count: 1, lost: 0, index: 1 });
    const only = driver.reconfigure({ ...next, alert: { low: 38, high: 39.5 } })!;
    expect(only.ops).toContainEqual(writeWord(3, 0x2781));
    play(only, frame, [{ ops: only.ops, replies: [[0x09, 0x09, 0x26, 0x01, 0x27, 0x01]] }]);
    expect(frame.faults[0].message).toContain("Configuration 0x9, THYST 0x2601, TOS 0x2701 is not what was written");
  });

  test("a limit that is the same step is taken over at once, with nothing to write", () => {
    const limits = [0x2601, 0x2681];
    const { driver, frame } = opened({ alert: { low: 38, high: 38.5 } }, 0x01, limits);
    const next = { ...driver.configuration, alert: { low: 38, high: 38.501 } };
    expect(driver.reconfigure(next)?.ops).toEqual([]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [look(0, 0x01, 0, limits), start(0x01), look(0x2700, 0x01, 0, limits)]);
    expect(frame.faults[0].message).toBe("MAX30205: above alert.high, 38.501 Cel, now 39 Cel");
  });
});

describe("MAX30205 limits", () => {
  const limits = [0x2601, 0x2681];
  const run = (raw: number[]) => {
    const driver = chip.create({ alert: { low: 38, high: 38.5 } }, {});
    const frame = driver.createFrame();
    play(driver.open(), frame, [...recognised, settling(0x01, limits), going(0x01)]);
    return raw.map((code) => {
      const at = (value: number) => look(value, 0x01, 0, limits);
      play(driver.poll(), frame, [at(0), start(0x01), at(code)]);
      expect(frame.channels[0].count).toBe(1);
      return frame.faults.map(({ code, message }) => `${code} ${message}`);
    });
  };

  test("a value above alert.high is told once, and again only after one below alert.low", () => {
    const told = [`${FAULT_DATA} MAX30205: above alert.high, 38.5 Cel, now 38.5078125 Cel`];
    expect(run([0x2681, 0x2682, 0x2700, 0x2601, 0x2682])).toEqual([[], told, [], [], []]);
    expect(run([0x2682, 0x2600, 0x2682])).toEqual([told, [], told]);
  });

  test("in the extended format the message has degrees, not steps", () => {
    const far = [0xe601, 0xe681];
    const driver = chip.create({ alert: { low: 38, high: 38.5 }, extended: true }, {});
    const frame = driver.createFrame();
    play(driver.open(), frame, [...recognised, settling(0x21, far), going(0x21)]);
    play(driver.poll(), frame, [look(0, 0x21, 0, far), start(0x21), look(0xe700, 0x21, 0, far)]);
    expect(frame.faults[0].message).toBe("MAX30205: above alert.high, 38.5 Cel, now 39 Cel");
  });

  test("an opening, and other limits, begin anew", () => {
    const driver = chip.create({ alert: { low: 38, high: 38.5 } }, {});
    const frame = driver.createFrame();
    const above = () => {
      play(driver.poll(), frame, [look(0, 0x01, 0, limits), start(0x01), look(0x2700, 0x01, 0, limits)]);
      return frame.faults.length;
    };
    for (let round = 0; round < 2; round++) {
      play(driver.open(), frame, [...recognised, settling(0x01, limits), going(0x01)]);
      expect([above(), above()]).toEqual([1, 0]);
    }
    const step = driver.reconfigure({ ...driver.configuration, alert: { low: 37, high: 38.5 } })!;
    const next = [0x2501, 0x2681];
    play(step, frame, [{ ops: step.ops, replies: [[1, 1, 0x25, 0x01, 0x26, 0x81]] }]);
    const high = [look(0, 0x01, 0, next), start(0x01), look(0x2700, 0x01, 0, next)];
    play(driver.poll(), frame, high);
    expect(frame.faults).toHaveLength(1);
    play(driver.poll(), frame, high);
    expect(frame.faults).toHaveLength(0);
  });

  test("a negative value is below them", () => {
    expect(run([0x2682, 0xff00, 0x2682]).map(({ length }) => length)).toEqual([1, 0, 1]);
  });
});
