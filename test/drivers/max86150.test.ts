import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createBlock,
  FAULT_CONFIGURATION,
  FAULT_IDENTITY,
  FLAG_LED_CHANGED,
  FLAG_SATURATED,
} from "../../drivers/driver.ts";
import { chip, type Max86150Configuration } from "../../drivers/max86150/chip.ts";
import { createDriver, type Max86150Setup } from "../../drivers/max86150/driver.ts";
import { decode } from "../../drivers/max86150/fifo.ts";
import { GAIN_CODES, GAINS } from "../../drivers/max86150/registers.ts";
import { codes, DEFAULT, opened, opening, play, read, STATUS, status } from "./max86150-script.ts";

const create = (configuration: Partial<Max86150Configuration> = {}, wiring = {}) => chip.create(configuration, wiring);
const setup = (configuration: Partial<Max86150Configuration>) => chip.setup!(configuration, {}) as Max86150Setup;
const groups = (configuration: Partial<Max86150Configuration>) => setup(configuration).groups;

/** Interrupts that are enabled, and the FIFO's pointers. */
const ENABLE = [0x02, 0x80, 0x80, 0, 0, 0];

describe("MAX86150 open", () => {
  it("identifies, resets, writes all registers and the vendor's tuning, reads back, then enables the FIFO (19-8402; AN6843)", () => {
    const driver = create();
    const frame = play(driver.open(), driver.createFrame(), opening());
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "PART_ID 0x1e" });
    expect(frame.faults).toEqual([]);
  });

  it("leaves the test registers alone without ecg, and where it is told to", () => {
    const light = create({ channels: ["red", "infrared"] });
    play(light.open(), light.createFrame(), opening([[0x08, 0x1f, 0x21, 0], ...DEFAULT.slice(1)], false));
    const plain = create({ tuning: false });
    play(plain.open(), plain.createFrame(), opening(DEFAULT, false));
  });

  it.each([
    [0x15, "0x15"],
    [0x00, "0x00"],
    [0xff, "0xff"],
  ])("refuses PART_ID %d and writes nothing", (part, shown) => {
    const driver = create();
    const frame = play(driver.open(), driver.createFrame(), [{ ops: [{ read: 1, at: 0xff }], replies: [[part]] }]);
    expect(frame.identity).toEqual({ verdict: "refused", read: `PART_ID ${shown}` });
    const message = `MAX86150 at 0x5e: PART_ID (0xff) reads ${shown}, not 0x1e; check the part and the address`;
    expect(frame.faults).toEqual([{ code: FAULT_IDENTITY, message }]);
    play(driver.close(), frame, [{ ops: [] }]);
  });

  it("gives up on a RESET bit that never clears itself", () => {
    const driver = create();
    const look = { ops: [{ read: 1, at: 0x0d }], replies: [[0x01]] };
    const frame = play(driver.open(), driver.createFrame(), [...opening().slice(0, 2), ...Array(8).fill(look)]);
    const message = "MAX86150 at 0x5e: SYSTEM_CONTROL (0x0d) keeps its RESET bit; check the supply";
    expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message }]);
  });

  it.each([
    [0, 0, "0x08", "0x00", "0x1f"],
    [0, 2, "0x0a", "0x00", "0x09"],
    [1, 0, "0x0e", "0x00", "0x97"],
    [5, 0, "0x3e", "0x00", "0x0d"],
    [6, 0, "0x02", "0x00", "0x80"],
    [6, 1, "0x03", "0x00", "0x80"],
    [7, 0, "0xff", "0x00", "0x1e"],
  ])(
    "starts nothing when reply %d, byte %d is not what was written: register %s",
    (reply, byte, name, reads, wanted) => {
      const driver = create();
      const script = opening().slice(0, 4);
      const replies = script[3].replies!.map((bytes, i) => bytes.map((b, k) => (i === reply && k === byte ? 0 : b)));
      const frame = play(driver.open(), driver.createFrame(), [...script.slice(0, 3), { ...script[3], replies }]);
      const message = `MAX86150 at 0x5e: register ${name} reads ${reads}, not ${wanted}; check the supply`;
      expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message }]);
      play(driver.poll(), frame, [{ ops: [] }]);
      expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: not open; open it first");
    },
  );
});

describe("MAX86150 resume", () => {
  it("resets and writes everything again, without asking who it is, and goes on behind a loss", () => {
    const driver = createDriver(setup({}));
    const frame = driver.createFrame();
    play(driver.open(), frame, opening());
    read(driver, frame, 0, 3, 15_000);
    play(driver.resume(), frame, opening().slice(1));
    read(driver, frame, 0, 2, 25_000);
    expect(frame.channels.map(({ count, index, lost }) => [count, index, lost])).toEqual(Array(3).fill([2, 3, -1]));
    // What comes then is counted.
    read(driver, frame, 2, 1, 30_000);
    expect(frame.channels.map(({ index, lost }) => [index, lost])).toEqual(Array(3).fill([5, 0]));
  });

  it("does not convert where that failed", () => {
    const driver = createDriver(setup({}));
    const frame = driver.createFrame();
    play(driver.open(), frame, opening());
    play(driver.resume(), frame, [
      { ...opening()[1], error: "nack" },
      { ops: opening()[2].ops, error: "nack" },
    ]);
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: not open; open it first");
    play(driver.close(), frame, [{ ops: [{ write: [0x0d, 0x02] }] }]);
  });
});

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
    [{ averaging: 3 }, "averaging 3: choose one of 1, 2, 4, 8, 16, 32"],
    [{ pulseWidth: 411 }, "pulseWidth 411: choose one of 50, 100, 200, 400"],
    [{ adcRange: 2048 }, "adcRange 2048: choose one of 4096, 8192, 16384, 32768"],
    [{ gain: 30 }, "gain 30: choose one of 5, 9.5, 10, 19, 20, 38, 40, 50, 76, 80, 100, 160, 200, 400"],
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
      "sampleRate 150: choose one of 10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200",
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

describe("MAX86150 decoder", () => {
  const one = (bytes: number[], ecg: boolean) => {
    const block = createBlock(4);
    decode([new Uint8Array(3), Uint8Array.from(bytes), new Uint8Array(5)], 0, 1, block, ecg);
    expect(block.count).toBe(1);
    return [block.samples[0], block.flags];
  };

  it.each([
    [[0x00, 0x00, 0x00], 0, 0],
    [[0x00, 0x00, 0x01], 1, 0],
    [[0x03, 0xff, 0xff], -1, 0],
    [[0x02, 0x00, 0x01], -131071, 0],
    [[0x02, 0x00, 0x00], -131072, FLAG_SATURATED],
    [[0x01, 0xff, 0xff], 131071, FLAG_SATURATED],
    [[0x01, 0xff, 0xfe], 131070, 0],
    [[0xff, 0xff, 0xff], -1, 0],
    [[0xfc, 0x80, 0x00], 32768, 0],
    [[0x00, 0x80, 0x00], 32768, 0],
    [[0x03, 0x80, 0x00], -32768, 0],
  ])("reads ECG bytes %j as %d, flags %d: 18 bits, two's complement, garbage above", (bytes, code, flags) => {
    expect(one(bytes, true)).toEqual([code, flags]);
  });

  it.each([
    [[0x00, 0x00, 0x00], 0, 0],
    [[0x07, 0xff, 0xff], 524287, FLAG_SATURATED],
    [[0x07, 0xff, 0xfe], 524286, 0],
    [[0xf8, 0x00, 0x01], 1, 0],
    [[0x04, 0x00, 0x00], 262144, 0],
    [[0x00, 0x80, 0x00], 32768, 0],
  ])("reads light bytes %j as %d, flags %d: 19 bits, garbage above", (bytes, code, flags) => {
    expect(one(bytes, false)).toEqual([code, flags]);
  });

  it("takes any samples out of any pieces, each channel's into its own block, and flags only what is at an end", () => {
    const light = fc.integer({ min: 0, max: 524287 });
    const ecg = fc.integer({ min: -131072, max: 131071 });
    const property = fc.property(
      fc.array(fc.tuple(light, light, ecg), { minLength: 1, maxLength: 31 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 31 }),
      (samples, piece, garbage) => {
        const bytes = samples.flatMap((sample) =>
          sample.flatMap((code, e) => {
            const own = e === 2 ? 18 : 19;
            const word = (code & (2 ** own - 1)) | ((garbage << own) & 0xffffff);
            return [(word >> 16) & 255, (word >> 8) & 255, word & 255];
          }),
        );
        const replies = [Uint8Array.of(1, 2, 3)];
        for (let at = 0; at < bytes.length; at += piece * 9)
          replies.push(Uint8Array.from(bytes.slice(at, at + piece * 9)));
        const blocks = [createBlock(40), createBlock(40), createBlock(40)];
        for (const block of blocks) block.count = 2;
        replies.push(Uint8Array.of(9, 9, 9, 9, 9));
        blocks.forEach((block, e) => {
          decode(replies, e, 3, block, e === 2);
        });
        blocks.forEach((block, e) => {
          expect(block.count).toBe(samples.length + 2);
          expect(Array.from(block.samples.subarray(2, block.count))).toEqual(samples.map((sample) => sample[e]));
          const ends = e === 2 ? [-131072, 131071] : [524287];
          expect(block.flags).toBe(samples.some((sample) => ends.includes(sample[e])) ? FLAG_SATURATED : 0);
        });
      },
    );
    fc.assert(property, { seed: 150, numRuns: 200 });
  });
});

describe("MAX86150 reconfigure", () => {
  it("changes LED currents and flags the next block of light, not the ECG's", () => {
    const { driver, frame } = opened();
    const next = { ...chip.defaults, ledCurrent: { red: 80, infrared: 4 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 20, 200] }, { write: [0x14, 4] }] }]);
    expect(driver.configuration.ledCurrent).toEqual({ red: 80, infrared: 4 });
    read(driver, frame, 0, 2, 10_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_LED_CHANGED, FLAG_LED_CHANGED, 0]);
    read(driver, frame, 2, 2, 20_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0, 0]);
    // What it changed is where it stands: the same once more is nothing.
    play(driver.reconfigure(next)!, frame, [{ ops: [] }]);
    read(driver, frame, 4, 1, 30_000);
    expect(frame.channels[0].flags).toBe(0);
  });

  it("keeps the old configuration where the bus failed", () => {
    const { driver, frame } = opened();
    const next = { ...chip.defaults, ledCurrent: { red: 2, infrared: 2 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 10, 10] }, { write: [0x14, 0] }], error: "nack" }]);
    expect(driver.configuration.ledCurrent).toEqual({ red: 10, infrared: 10 });
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 10, 10] }, { write: [0x14, 0] }] }]);
  });

  it.each<Partial<Max86150Configuration>>([
    { channels: ["ecg"] },
    { sampleRate: 400 },
    { pulseWidth: 100 },
    { adcRange: 4096 },
    { gain: 38 },
    { tuning: false },
  ])("asks for close and open for %j", (part) => {
    const { driver } = opened();
    expect(driver.reconfigure({ ...chip.defaults, ...part })).toBeNull();
  });

  it("refuses what create would refuse", () => {
    const { driver } = opened();
    expect(() => driver.reconfigure({ ...chip.defaults, gain: 1 })).toThrow("MAX86150: gain 1");
  });
});

describe("MAX86150 self-test", () => {
  const WRITES = [
    { write: [0x15, 0x55] },
    { read: 1, at: 0x15 },
    { write: [0x15, 0xaa] },
    { read: 1, at: 0x15 },
    { write: [0x15, 0] },
  ];

  it("measures the register, the supply and the rate by its own means", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(30, 0, 20)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(6, 0, 20)], began: 41_200, ended: 41_400 },
    ]);
    expect(frame.faults).toEqual([]);
    const [bits, supply, rate] = frame.measurements;
    expect(bits).toEqual({
      name: "register bits that differ",
      value: 0,
      unit: "1",
      minimum: 0,
      maximum: 0,
      pass: true,
    });
    expect(supply).toEqual({ name: "supply out of range", value: 0, unit: "1", minimum: 0, maximum: 0, pass: true });
    expect(rate).toMatchObject({ name: "sample rate", unit: "Hz", pass: true });
    // Eight samples in 40.2 ms; at least 40 / 5 x 31 / 32 - 1 = 6.75, at most 40.4 / 5 x 33 / 32 + 1 = 9.3325.
    expect(rate.value).toBeCloseTo(8 / 0.0402, 6);
    expect(rate.minimum).toBeCloseTo(6.75 / 0.0402, 6);
    expect(rate.maximum).toBeCloseTo(9.3325 / 0.0402, 6);
  });

  it("fails on bits that stick, on a supply out of range, and on a chip that stands still", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x57], [0xab]] },
      { ops: [STATUS], replies: [status(30, 0, 20, 0, 0x80)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(30, 0, 20)], began: 41_200, ended: 41_400 },
    ]);
    expect(frame.measurements.map(({ value, pass }) => [value, pass])).toEqual([
      [2, false],
      [1, false],
      [0, false],
    ]);
  });

  it("does not count where the host came too late to", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(0, 0, 0)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(28, 0, 0)], began: 141_200, ended: 141_400 },
    ]);
    expect(frame.measurements).toHaveLength(2);
    expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: the host came too late; test it again");
  });

  it("keeps the flags that it read: a FIFO that is full when the test is over is full", () => {
    const { driver, frame } = opened({}, 1024);
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(10, 0, 0, 0x20)], began: 50_000, ended: 50_200 },
      { ops: [STATUS], replies: [status(18, 0, 0, 0x80)], began: 90_200, ended: 90_400 },
    ]);
    const head = { read: 3, at: 0x04 };
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 0)], began: 158_000, ended: 158_200 },
      { ops: [head, { read: 216, at: 7 }, { read: 5, at: 2 }], error: "nack" },
    ]);
    read(driver, frame, 0, 3, 158_500);
    // ALC_OVF of the first reading.
    expect(frame.channels.map(({ flags }) => flags & FLAG_SATURATED)).toEqual([FLAG_SATURATED, FLAG_SATURATED, 0]);
    expect(codes(frame, 2)).toEqual([-5, -4, -3]);
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
