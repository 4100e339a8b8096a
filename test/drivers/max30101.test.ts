import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FAULT_CONFIGURATION, FAULT_IDENTITY } from "../../drivers/driver.ts";
import { chip, type Max30101Configuration } from "../../drivers/max30101/chip.ts";
import { emulated } from "../../drivers/max30101/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { type Exchange, opening, play, STATUS, status } from "./max30102-script.ts";

const SLOTS = { slots: ["red", "infrared", "green"] } as const;
const MULTI = [0x0f, 0x87, 0x47, 0, 31, 31];
const MORE = [31, 0, 0, 0x21, 0x03];

function opened(configuration: Partial<Max30101Configuration>, script: readonly Exchange[]) {
  const driver = chip.create(configuration, {});
  const frame = driver.createFrame();
  play(driver.open(), frame, script);
  return { driver, frame };
}
const refusal = (configuration: object) => {
  try {
    chip.create(configuration as Partial<Max30101Configuration>, {});
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

describe("MAX30101", () => {
  it("writes its green LED to LED3_PA and slot code 3 to 0x11 and 0x12, LED4_PA stays 0", () => {
    const { frame } = opened(SLOTS, opening(MULTI, MORE));
    expect(frame.faults).toEqual([]);
    const currents = { red: 0.2, infrared: 0.4, green: 51 };
    opened(
      { slots: ["green", "red", "infrared", "green"], ledCurrent: currents },
      opening([0x0f, 0x87, 0x47, 0, 1, 2], [255, 0, 0, 0x13, 0x32]),
    );
  });

  it("is only plausible with green light: MAX30102 and MAX30105 have the same PART_ID, and one has no green LED", () => {
    const { frame } = opened(SLOTS, opening(MULTI, MORE));
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read: "PART_ID 0x15, REV_ID 0x03: MAX30101, MAX30102 or MAX30105",
    });
  });

  it("is confirmed without: whichever of the three it is, it has what is used", () => {
    const { frame } = opened({}, opening());
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "PART_ID 0x15, REV_ID 0x03" });
  });

  it("refuses a MAX30100, by its own name", () => {
    const { frame } = opened(SLOTS, [{ ops: [{ read: 2, at: 0xfe }], replies: [[0x03, 0x11]] }]);
    expect(frame.identity).toEqual({ verdict: "refused", read: "PART_ID 0x11, REV_ID 0x03" });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message:
          "MAX30101 at 0x57: PART_ID (0xff) reads 0x11, not 0x15; check the part (0x11 is a MAX30100) and the address",
      },
    ]);
  });

  it("has green in its channels, and reads nine bytes a sample", () => {
    const { driver, frame } = opened(SLOTS, opening(MULTI, MORE));
    expect(driver.channels().map(({ name, mdc, bits }) => [name, mdc, bits])).toEqual([
      ["red", 150452, 18],
      ["infrared", 150452, 18],
      ["green", 150452, 18],
    ]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 0)], began: 20_000 },
      {
        ops: [{ read: 21, at: 4 }],
        replies: [[2, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 5, 3, 255, 255]],
        began: 20_000,
      },
    ]);
    expect(frame.channels.map(({ samples, flags }) => [samples[0], samples[1], flags])).toEqual([
      [1, 4, 0],
      [2, 5, 0],
      [3, 0x3ffff, 32],
    ]);
  });

  it("changes three LED currents in one write", () => {
    const { driver } = opened(SLOTS, opening(MULTI, MORE));
    const next = { ...driver.configuration, ledCurrent: { red: 6.2, infrared: 6.2, green: 12.6 } };
    expect(driver.reconfigure(next)!.ops).toEqual([{ write: [0x0c, 31, 31, 63] }]);
  });

  it("names what it cannot do", () => {
    expect(refusal({ slots: ["blue"] })).toBe("MAX30101: slots is blue; choose one of red, infrared, green");
    expect(refusal({ ledCurrent: { red: 1, infrared: 1, green: 60 } })).toBe(
      "MAX30101: ledCurrent.green 60 mA: choose 0 to 51 in steps of 0.2",
    );
    expect(refusal({ ledCurrent: { red: 1, infrared: 1 } })).toContain("ledCurrent.green undefined mA");
    expect(() => chip.create({ slots: ["red", "infrared", "green"] }, { maxRead: 8 })).toThrow(
      "MAX30101 at 0x57: maxRead 8 bytes and slots red, infrared, green do not go together: " +
        "choose a bus that reads at least 9 at once, or fewer slots",
    );
    expect(() => chip.create({ slots: ["red", "infrared", "green", "green"] }, { maxRead: 30 })).not.toThrow();
  });

  it("has a page with every setting's default", () => {
    const page = readFileSync(new URL("../../drivers/max30101/README.md", import.meta.url), "utf8").replace(/ +/g, " ");
    for (const [name, value] of Object.entries(chip.defaults)) {
      const shown = name === "ledCurrent" ? Object.values(value).join(", ") : value;
      expect(page).toContain(`| \`${name}\` | ${shown} |`);
    }
    for (const name of ["slots", "swapLeds", "interruptOn", "dieTemperature", "ambientOverflow", "proximity"])
      expect(page).toContain(`| \`${name}\` | absent |`);
  });
});

describe("MAX30101 proximity (provisional)", () => {
  const near = { proximity: { current: 2, threshold: 8 } };
  const script = opening([0x0f, 0x83, 0x47, 0, 31, 31], [31, 0, 10, 0, 0], [0x90, 0]);
  const ops = [...script[3].ops.slice(0, 4), { write: [0x30, 8] }, ...script[3].ops.slice(4), { read: 1, at: 0x30 }];
  const configured = (threshold: number): Exchange => ({ ops, replies: [...script[3].replies!, [threshold]] });

  it("writes PILOT_PA, PROX_INT_THRESH and the enable, and reads them back", () => {
    const { frame } = opened(near, [...script.slice(0, 3), configured(8), script[4]]);
    expect(frame.faults).toEqual([]);
  });

  it("says so where the chip has no such register", () => {
    const { frame } = opened(near, [...script.slice(0, 3), configured(0)]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_CONFIGURATION,
        message: "MAX30101 at 0x57: register 0x30 reads 0x00, not 0x08; this revision has no proximity function",
      },
    ]);
  });

  it("is for SpO2 mode, and has limits", () => {
    expect(refusal({ ...near, ...SLOTS })).toBe("MAX30101: proximity and slots do not go together: leave out one");
    for (const threshold of [-1, 256, 1.5, Number.NaN]) {
      expect(refusal({ proximity: { current: 2, threshold } })).toBe(
        `MAX30101: proximity.threshold ${threshold}: choose 0 to 255`,
      );
    }
    expect(refusal({ proximity: { current: 2.1, threshold: 1 } })).toBe(
      "MAX30101: proximity.current 2.1 mA: choose 0 to 51 in steps of 0.2",
    );
  });

  it("reads no sample until a finger comes, then every one, dated and from index 0", () => {
    const bench = createBench(chip, emulated, { configuration: near, interrupt: true });
    const times: number[] = [];
    const codes: number[] = [];
    bench.emulator.onConvert = (channel, code, at) => {
      if (channel !== "infrared") return;
      codes.push(code);
      times.push(at);
    };
    bench.run(bench.driver.open());
    expect(bench.frame.faults).toEqual([]);
    bench.emulator.set("infrared", 1);
    for (let i = 0; i < 3; i++) {
      bench.wait(200);
      expect(bench.run(bench.driver.poll()).channels[1].count).toBe(0);
      expect(bench.frame.faults).toEqual([]);
    }
    expect(codes).toEqual([]);
    // 8192 counts are 256 nA, at 2 mA of pilot current.
    bench.emulator.set("infrared", 127.9);
    bench.wait(50);
    expect(bench.edges.count).toBe(0);
    bench.emulator.set("infrared", 128.1);
    bench.wait(55);
    expect(bench.edges.count).toBe(1);
    const block = bench.run(bench.driver.poll()).channels[1];
    expect(block).toMatchObject({ index: 0, lost: 0 });
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual(codes);
    expect(block.count).toBeGreaterThan(3);
    expect(block.samples[0]).toBe(Math.round((128.1 * 6.2) / (8192 / 2 ** 18)));
    expect(Math.abs(block.time - times[0])).toBeLessThanOrEqual(block.uncertainty);
  });
});
