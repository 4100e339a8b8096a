/** What of a MAX86150 can be set, what is refused, and that its page says so. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chip, type Max86150Configuration } from "../../drivers/max86150/chip.ts";
import type { Max86150Setup } from "../../drivers/max86150/driver.ts";
import { GAIN_CODES, GAINS } from "../../drivers/max86150/registers.ts";
import { DEFAULT } from "./max86150-script.ts";

const create = (configuration: Partial<Max86150Configuration> = {}, wiring = {}) => chip.create(configuration, wiring);
const groups = (configuration: Partial<Max86150Configuration>) =>
  (chip.setup!(configuration, {}) as Max86150Setup).groups;

/** Interrupts that are enabled, and the FIFO's pointers. */
const ENABLE = [0x02, 0x80, 0x80, 0, 0, 0];

describe("MAX86150 configuration", () => {
  it("writes every setting where the register map has it", () => {
    expect(groups({})).toEqual(DEFAULT);
    expect(
      groups({
        channels: ["red"],
        sampleRate: 3200,
        averaging: 32,
        pulseWidth: 50,
        adcRange: 4096,
        ledCurrent: { red: 102, infrared: 51 },
        gain: 400,
      }),
    ).toEqual([[0x08, 0x1f, 0x02, 0], [0x0e, 0x28, 5], [0x11, 0, 255], [0x14, 4], [0x3c, 4], [0x3e, 15], ENABLE]);
    const one = { channels: ["infrared"], sampleRate: 84, adcRange: 32768, pulseWidth: 200 } as const;
    expect(groups({ ...one, ledCurrent: { red: 60, infrared: 51.2 } })).toEqual([
      [0x08, 0x1f, 0x01, 0],
      [0x0e, 0xce, 0],
      [0x11, 128, 0],
      [0x14, 1],
      [0x3c, 0],
      [0x3e, 13],
      ENABLE,
    ]);
  });

  it.each([
    [["ecg"], 0x09, 0],
    [["ecg", "red"], 0x92, 0],
    [["ecg", "infrared"], 0x91, 0],
    [["red", "infrared"], 0x21, 0],
    [["red", "ecg", "infrared"], 0x21, 9],
  ] as const)("puts %j into slots %d and %d, infrared first, ecg last", (channels, first, second) => {
    expect(groups({ channels: [...channels] })[0].slice(2)).toEqual([first, second]);
  });

  it.each([
    [200, 3],
    [400, 2],
    [800, 1],
    [1600, 0],
    [3200, 4],
  ])("sets the ECG to %d hz by code %d", (sampleRate, code) => {
    expect(groups({ channels: ["ecg"], sampleRate })[4]).toEqual([0x3c, code]);
  });

  it("makes every gain of both amplifiers", () => {
    const made = GAIN_CODES.map((code) => [5, 9.5, 20, 50][code & 3] * [1, 2, 4, 8][code >> 2]);
    expect(made).toEqual(GAINS);
    expect(new Set(GAINS).size).toBe(14);
    expect(groups({ gain: 76 })[5]).toEqual([0x3e, 0x0d]);
  });

  it.each<[Partial<Max86150Configuration>, string]>([
    [{ channels: [] }, "channels : choose some of infrared, red, ecg, each once"],
    [{ channels: ["red", "red"] }, "channels red, red: choose some of infrared, red, ecg, each once"],
    [{ channels: ["green" as "red"] }, "channels green: choose some of infrared, red, ecg, each once"],
    [{ averaging: 3 }, "averaging is 3; choose one of 1, 2, 4, 8, 16, 32"],
    [{ pulseWidth: 411 }, "pulseWidth is 411; choose one of 50, 100, 200, 400"],
    [{ adcRange: 2048 }, "adcRange is 2048; choose one of 4096, 8192, 16384, 32768"],
    [{ gain: 30 }, "gain is 30; choose one of 5, 9.5, 10, 19, 20, 38, 40, 50, 76, 80, 100, 160, 200, 400"],
    [{ ledCurrent: { red: 0.1, infrared: 0 } }, "ledCurrent.red 0.1 mA: choose 0 to 51 by 0.2, or to 102 by 0.4"],
    [
      { ledCurrent: { red: 0, infrared: 51.4 } },
      "ledCurrent.infrared 51.4 mA: choose 0 to 51 by 0.2, or to 102 by 0.4",
    ],
    [{ ledCurrent: { red: -0.2, infrared: 0 } }, "ledCurrent.red -0.2 mA: choose 0 to 51 by 0.2, or to 102 by 0.4"],
    [{ ledCurrent: { red: 102.4, infrared: 0 } }, "ledCurrent.red 102.4 mA: choose 0 to 51 by 0.2, or to 102 by 0.4"],
    [
      { ledCurrent: { red: Number.NaN, infrared: 0 } },
      "ledCurrent.red NaN mA: choose 0 to 51 by 0.2, or to 102 by 0.4",
    ],
    [
      { sampleRate: 100 },
      "sampleRate 100 hz and channel ecg do not go together: choose 200, 400, 800, 1600 or 3200 hz",
    ],
    [{ averaging: 2 }, "averaging 2 and channel ecg do not go together: choose averaging 1, or leave out ecg"],
    [
      { sampleRate: 800 },
      "sampleRate 800 hz and pulseWidth 400 us of 2 LED(s) do not go together: choose at most 400 hz, or a shorter pulse",
    ],
    [
      { sampleRate: 3200, channels: ["red", "ecg"], pulseWidth: 100 },
      "sampleRate 3200 hz and pulseWidth 100 us of 1 LED(s) do not go together: choose at most 1600 hz, or a shorter pulse",
    ],
    [
      { sampleRate: 150, channels: ["red"] },
      "sampleRate is 150; choose one of 10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200",
    ],
  ])("refuses %j", (configuration, message) => {
    expect(() => create(configuration)).toThrow(new Error(`MAX86150: ${message}`));
  });

  it.each([
    [1, [3200, 1600, 1000, 1000]],
    [2, [1600, 800, 800, 400]],
  ])("allows %d LED(s) up to %j hz with 50, 100, 200 and 400 us, and not a step beyond", (leds, highest) => {
    const rates = [10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200];
    const channels = (["red", "infrared"] as const).slice(0, leds);
    [50, 100, 200, 400].forEach((pulseWidth, i) => {
      const allowed = rates.filter((sampleRate) => {
        try {
          create({ channels, sampleRate, pulseWidth });
          return true;
        } catch {
          return false;
        }
      });
      expect(allowed).toEqual(rates.filter((rate) => rate <= highest[i]));
    });
  });

  it.each([
    [undefined, ["red", "infrared", "ecg"], true],
    [9, ["red", "infrared", "ecg"], true],
    [8, ["red", "infrared", "ecg"], false],
    [8, ["red", "ecg"], true],
    [7, ["ecg"], true],
    [6, ["ecg"], false],
  ] as const)("with reads of %s bytes takes %j: %s", (maxRead, channels, good) => {
    const make = () => create({ channels: [...channels] }, maxRead === undefined ? {} : { maxRead });
    if (good) expect(make).not.toThrow();
    else {
      const names = channels.length === 3 ? "infrared, red, ecg" : "ecg";
      const least = channels.length === 3 ? 9 : 7;
      expect(make).toThrow(
        new Error(
          `MAX86150: channels ${names} and maxRead ${maxRead} bytes do not go together: ` +
            `choose a bus that reads ${least} at once, or fewer channels`,
        ),
      );
    }
  });

  it("polls at half a FIFO, past the interrupt where that is wired; the data-ready edge falls", () => {
    expect([create().pollEvery, create().dataReady]).toEqual([80, null]);
    const wired = create({}, { interrupt: true });
    expect([wired.pollEvery, wired.dataReady]).toEqual([120, "falling"]);
    expect(create({ channels: ["red"], averaging: 4, sampleRate: 100 }).pollEvery).toBe(640);
    expect(create({}, { address: 0x5f }).address).toBe(0x5f);
  });

  it("declares its channels in the order of the FIFO, the ECG in volts at the electrodes (12.247 uV / gain)", () => {
    expect(
      create()
        .channels()
        .map(({ name, mdc, rate, bits, unit }) => [name, mdc, rate, bits, unit]),
    ).toEqual([
      ["infrared", 150452, 200, 19, "1"],
      ["red", 150452, 200, 19, "1"],
      ["ecg", 131328, 200, 18, "V"],
    ]);
    for (const gain of GAINS) {
      const { mul, exp10, minimum, maximum } = create({ channels: ["ecg"], gain }).channels()[0];
      expect(mul * 10 ** exp10).toBeCloseTo(12.247e-6 / gain, 19);
      expect([minimum, maximum]).toEqual([-131072, 131071]);
    }
    expect(create({ channels: ["red"], averaging: 8, sampleRate: 400 }).channels()).toMatchObject([
      { name: "red", rate: 50, minimum: 0, maximum: 524287, mul: 1, exp10: 0, processing: 0 },
    ]);
  });
});

describe("MAX86150 page", () => {
  it("names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/max86150/README.md", import.meta.url), "utf8");
    for (const [setting, value] of Object.entries(chip.defaults)) {
      const shown = Array.isArray(value)
        ? value.join(", ")
        : typeof value === "object"
          ? Object.values(value).join(", ")
          : value;
      expect(page).toMatch(new RegExp(`\\| \`${setting}\` +\\| ${shown} +\\|`));
    }
  });

  it("warns of the mains, and says what no source settles", () => {
    const page = readFileSync(new URL("../../drivers/max86150/README.md", import.meta.url), "utf8");
    expect(page).toContain("medical-grade isolation");
    expect(page).toContain("## What no source settles");
  });
});
