import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LED_CHANGED,
} from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { FEWEST_BITS, HIGHEST_RATES, type Max30102Configuration, WIDTHS } from "../../drivers/max30102/registers.ts";
import { dieTemperature } from "../../drivers/max30102/selftest.ts";
import {
  counting,
  ENABLED,
  type Exchange,
  infrareds,
  opened,
  opening,
  play,
  read,
  reds,
  STATUS,
  samples,
  status,
} from "./max30102-script.ts";

describe("MAX30102 open", () => {
  it("identifies, resets, configures in SpO2 mode and shut down, reads back, then starts (p13-20)", () => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), opening());
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "PART_ID 0x15, REV_ID 0x03" });
    expect(frame.faults).toEqual([]);
  });

  it("writes every setting where tables 3 to 8 have it", () => {
    const configuration = {
      sampleRate: 1000,
      averaging: 16,
      pulseWidth: 118,
      adcRange: 16384,
      ledCurrent: { red: 0.2, infrared: 51 },
    };
    opened(configuration, undefined, [0x8f, 0x83, 0x75, 0, 1, 255]);
  });

  it("refuses a MAX30100 (PART_ID 0x11) and writes nothing to it", () => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [
      { ops: [{ read: 2, at: 0xfe }], replies: [[0x03, 0x11]] },
    ]);
    expect(frame.identity?.verdict).toBe("refused");
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message:
          "MAX30102 at 0x57: PART_ID (0xff) reads 0x11, not 0x15; check the part (0x11 is a MAX30100) and the address",
      },
    ]);
    play(driver.close(), frame, [{ ops: [] }]);
  });

  it("gives up on a RESET bit that never clears itself", () => {
    const driver = chip.create({}, {});
    const look: Exchange = { ops: [{ read: 1, at: 0x09 }], replies: [[0x40]] };
    const frame = play(driver.open(), driver.createFrame(), [...opening().slice(0, 2), ...Array(8).fill(look)]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_CONFIGURATION]);
  });

  it("starts nothing when a register reads back differently, and names it with both values", () => {
    const driver = chip.create({}, {});
    const script = opening().slice(0, 4);
    const written = {
      ...script[3],
      replies: [
        [0, 0, ENABLED, 0, 0, 0, 0],
        [0x0f, 0x83, 0x43, 0, 31, 31],
      ],
    };
    const frame = play(driver.open(), driver.createFrame(), [...script.slice(0, 3), written]);
    expect(frame.faults).toEqual([
      { code: FAULT_CONFIGURATION, message: "MAX30102 at 0x57: register 0x0a reads 0x43, not 0x47; check the supply" },
    ]);
    expect(play(driver.poll(), frame, [{ ops: [] }]).faults[0].code).toBe(FAULT_CONFIGURATION);
  });

  it("uses the address it is given", () => {
    const driver = chip.create({}, { address: 0x1a });
    expect(driver.address).toBe(0x1a);
    const frame = play(driver.open(), driver.createFrame(), [{ ops: [{ read: 2, at: 0xfe }], replies: [[0, 0]] }]);
    expect(frame.faults[0].message).toContain("MAX30102 at 0x1a");
  });
});

describe("MAX30102 configuration", () => {
  const refusal = (configuration: Partial<Max30102Configuration>) => {
    try {
      chip.create(configuration, {});
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };

  it("says which two settings fight: Table 11 (p23) for every rate and pulse width", () => {
    const highest = { 69: 1600, 118: 1000, 215: 800, 411: 400 };
    for (const [pulseWidth, most] of Object.entries(highest)) {
      for (const sampleRate of [50, 100, 200, 400, 800, 1000, 1600, 3200]) {
        const message = refusal({ sampleRate, pulseWidth: Number(pulseWidth) });
        if (sampleRate <= most) expect(message).toBe("accepted");
        else
          expect(message).toContain(`sampleRate ${sampleRate} hz and pulseWidth ${pulseWidth} us do not go together`);
      }
    }
    expect(refusal({ sampleRate: 3200 })).toBe(
      "MAX30102: sampleRate 3200 hz and pulseWidth 411 us do not go together in SpO2 mode " +
        "(data sheet, Table 11): choose at most 400 hz, or a shorter pulse",
    );
  });

  it("names the setting, its value and the choice", () => {
    expect(refusal({ sampleRate: 120 })).toBe(
      "MAX30102: sampleRate is 120; choose one of 50, 100, 200, 400, 800, 1000, 1600, 3200",
    );
    expect(refusal({ averaging: 3 })).toBe("MAX30102: averaging is 3; choose one of 1, 2, 4, 8, 16, 32");
    expect(refusal({ pulseWidth: 400 })).toBe("MAX30102: pulseWidth is 400; choose one of 69, 118, 215, 411");
    expect(refusal({ adcRange: 4000 })).toBe("MAX30102: adcRange is 4000; choose one of 2048, 4096, 8192, 16384");
    for (const red of [-0.2, 51.2, 6.3, Number.NaN]) {
      expect(refusal({ ledCurrent: { red, infrared: 6.2 } })).toBe(
        `MAX30102: ledCurrent.red ${red} mA: choose 0 to 51 in steps of 0.2`,
      );
    }
    expect(refusal({ ledCurrent: { red: 0, infrared: 50.8 } })).toBe("accepted");
  });

  it("has a page with every setting's default, and Table 11", () => {
    const page = readFileSync(new URL("../../drivers/max30102/README.md", import.meta.url), "utf8").replace(/ +/g, " ");
    for (const [name, value] of Object.entries(chip.defaults)) {
      const shown = name === "ledCurrent" ? Object.values(value).join(", ") : value;
      expect(page).toContain(`| \`${name}\` | ${shown} |`);
    }
    for (const name of ["slots", "swapLeds", "interruptOn", "dieTemperature", "ambientOverflow"])
      expect(page).toContain(`| \`${name}\` | absent |`);
    WIDTHS.forEach((width, i) => {
      expect(page).toContain(`| ${width} us | ${FEWEST_BITS + i} | ${HIGHEST_RATES[i]} hz |`);
    });
  });

  it("refuses a bus that cannot read the status or one sample at once, and names both settings", () => {
    expect(() => chip.create({}, { maxRead: 6 })).toThrow(
      "MAX30102 at 0x57: maxRead 6 bytes and slots red, infrared do not go together: " +
        "choose a bus that reads at least 7 at once, or fewer slots",
    );
    expect(() => chip.create({}, { maxRead: 7 })).not.toThrow();
    expect(() => chip.create({ slots: ["red"] }, { maxRead: 6 })).toThrow("at least 7 at once");
    expect(() => chip.create({ slots: ["red"] }, { maxRead: 7 })).not.toThrow();
    const slots = ["red", "infrared", "red", "infrared"] as const;
    expect(() => chip.create({ slots }, { maxRead: 11 })).toThrow("at least 12 at once, or fewer slots");
    expect(() => chip.create({ slots }, { maxRead: 12 })).not.toThrow();
  });

  it("declares bits, rate and range of each channel as configured", () => {
    for (const [pulseWidth, bits] of [
      [69, 15],
      [118, 16],
      [215, 17],
      [411, 18],
    ]) {
      const [red, infrared] = chip.create({ pulseWidth, sampleRate: 400, averaging: 8 }, {}).channels();
      expect(red).toMatchObject({ name: "red", mdc: 150452, rate: 50, bits, minimum: 0, maximum: 2 ** bits - 1 });
      expect(infrared).toMatchObject({ name: "infrared", role: "infrared", waveform: true, unit: "1", processing: 0 });
    }
  });

  it("polls at half a FIFO, or behind the interrupt at 17 samples where that is wired", () => {
    expect(chip.create({}, {})).toMatchObject({ pollEvery: 160, dataReady: null });
    expect(chip.create({}, { interrupt: true })).toMatchObject({ pollEvery: 240, dataReady: "falling" });
  });

  it("changes LED currents in one write and flags the next block", () => {
    const { driver, frame } = opened();
    const next = { ...driver.configuration, ledCurrent: { red: 12.6, infrared: 0 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x0c, 63, 0] }] }]);
    expect(driver.configuration.ledCurrent).toEqual({ red: 12.6, infrared: 0 });
    read(driver, frame, 0, 2, 0);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_LED_CHANGED, FLAG_LED_CHANGED]);
    read(driver, frame, 2, 2, 20_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0]);
    expect(driver.reconfigure(next)!.ops).toEqual([]);
  });

  it("keeps the old configuration when the write of the LED currents fails", () => {
    const { driver, frame } = opened();
    const next = { ...driver.configuration, ledCurrent: { red: 12.6, infrared: 0 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x0c, 63, 0] }], error: "nack" }]);
    expect(driver.configuration.ledCurrent.red).toBe(6.2);
  });

  it("asks to be closed and opened for anything that changes the samples", () => {
    const { driver } = opened();
    const now = driver.configuration;
    expect(driver.reconfigure({ ...now, sampleRate: 50 })).toBeNull();
    expect(driver.reconfigure({ ...now, averaging: 2 })).toBeNull();
    expect(driver.reconfigure({ ...now, pulseWidth: 69 })).toBeNull();
    expect(driver.reconfigure({ ...now, adcRange: 2048 })).toBeNull();
    expect(driver.reconfigure({ ...now, swapLeds: true })).toBeNull();
    expect(() => driver.reconfigure({ ...now, sampleRate: 3200 })).toThrow("do not go together");
  });

  it("swaps both currents and channels for clones (aromring/MAX30102_by_RF#13)", () => {
    const configuration = { swapLeds: true, ledCurrent: { red: 0.2, infrared: 0.4 } };
    const { driver, frame } = opened(configuration, undefined, [0x0f, 0x83, 0x47, 0, 2, 1]);
    read(driver, frame, 0, 3, 0);
    expect(reds(frame)).toEqual(counting(2000, 3));
    expect(infrareds(frame)).toEqual(counting(1000, 3));
    play(driver.reconfigure({ ...driver.configuration, ledCurrent: { red: 1, infrared: 2 } })!, frame, [
      { ops: [{ write: [0x0c, 10, 5] }] },
    ]);
  });
});

describe("MAX30102 close", () => {
  const ending: Exchange[] = [{ ops: [{ write: [0x09, 0x40] }] }, { ops: [{ write: [0x09, 0x80] }] }];

  it("stops converting, reads what is left, resets and shuts down", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: [{ write: [0x09, 0x83] }, STATUS], replies: [status(5, 0, 0)], began: 55_000 },
      { ops: [{ read: 33, at: 4 }], replies: [[5, 0, 0, ...samples(0, 5)]] },
      ...ending,
    ]);
    expect(reds(frame)).toEqual(counting(1000, 5));
    expect(frame.faults).toEqual([]);
    play(driver.close(), frame, [{ ops: [{ write: [0x09, 0x80] }] }]);
    expect(play(driver.poll(), frame, [{ ops: [] }]).faults).toEqual([
      { code: FAULT_CONFIGURATION, message: "MAX30102 at 0x57: not open; open it first" },
    ]);
  });

  it.each([
    [7, "7"],
    [0x1f, "unknown"],
  ])("says what was lost behind the last sample, of which no block can tell: OVF_COUNTER %i", (overflow, number) => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: [{ write: [0x09, 0x83] }, STATUS], replies: [status(0, overflow, 0)], began: 400_000 },
      { ops: [{ read: 195, at: 4 }], replies: [[0, overflow, 0, ...samples(0, 32)]], began: 400_000, ended: 405_000 },
      ...ending,
    ]);
    expect(reds(frame)).toEqual(counting(1000, 32));
    expect(frame.faults).toEqual([
      { code: FAULT_DATA, message: `MAX30102 at 0x57: ${number} samples lost before the end; poll it sooner` },
    ]);
  });

  it("shuts down also when the status cannot be read, or says brown-out", () => {
    for (const [first, code] of [
      [{ error: "nack" as const }, undefined],
      [{ replies: [[1, 0, 0, 0, 0, 0, 0]] }, FAULT_RESTARTED],
    ] as const) {
      const { driver, frame } = opened();
      play(driver.close(), frame, [{ ops: [{ write: [0x09, 0x83] }, STATUS], ...first }, ...ending]);
      expect(frame.faults[0]?.code).toBe(code);
      expect(frame.restart).toBe(false);
    }
  });
});

describe("MAX30102 self-test", () => {
  const patterns: Exchange = {
    ops: [{ write: [0x11, 0x21, 0x12] }, { read: 2, at: 0x11 }, { write: [0x11, 0, 0] }, { write: [0x21, 0x01] }],
    replies: [[0x21, 0x12]],
  };
  const temperature = (...reply: number[]): Exchange => ({ ops: [{ read: 3, at: 0x1f }], replies: [reply] });

  it("adds the fraction also to a negative integer (p22)", () => {
    expect(dieTemperature(0x80, 0x08)).toBe(-127.5);
    expect(dieTemperature(0x7f, 0x00)).toBe(127);
    expect(dieTemperature(0xff, 0x00)).toBe(-1);
    expect(dieTemperature(0x81, 0x00)).toBe(-127);
    expect(dieTemperature(0x24, 0x04)).toBe(36.25);
  });

  it("writes and reads back, then measures the die", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [patterns, temperature(0, 0, 1), temperature(0xff, 0x08, 0)]);
    expect(frame.measurements).toEqual([
      { name: "register bits that differ", value: 0, unit: "1", minimum: 0, maximum: 0, pass: true },
      { name: "die temperature", value: -0.5, unit: "Cel", minimum: -40, maximum: 85, pass: true },
    ]);
  });

  it("fails on a register that does not hold and on a die beyond its range", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [{ ...patterns, replies: [[0x20, 0x13]] }, temperature(0x80, 0x08, 0)]);
    expect(frame.measurements.map(({ value, pass }) => [value, pass])).toEqual([
      [2, false],
      [-127.5, false],
    ]);
  });

  it("does not wait for ever, and makes no value up", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [patterns, ...Array(7).fill(temperature(20, 0, 1))]);
    expect(frame.measurements.map(({ name }) => name)).toEqual(["register bits that differ"]);
    expect(frame.faults).toEqual([
      { code: FAULT_DATA, message: "MAX30102 at 0x57: TEMP_CONFIG (0x21) keeps its TEMP_EN bit; check the supply" },
    ]);
  });

  it("needs an open chip", () => {
    const driver = chip.create({}, {});
    expect(play(driver.selfTest(), driver.createFrame(), [{ ops: [] }]).faults[0].code).toBe(FAULT_CONFIGURATION);
  });
});
