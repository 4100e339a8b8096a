/** The AD8232 driver: configuration and scale. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ad8232Configuration, chip } from "../../drivers/ad8232/chip.ts";
import type { Converter, Wiring } from "../../drivers/driver.ts";
import { CONVERTER, create, play, WIRED } from "./ad8232-script.ts";

describe("AD8232 configuration", () => {
  const refusals: [what: string, Partial<Ad8232Configuration>, Wiring, RegExp][] = [
    ["no converter", {}, {}, /^AD8232: no converter.*board\.analog\(\)/],
    ["too slow", { sampleRate: 124 }, WIRED, /^AD8232: sampleRate is 124; choose 125 to 1000 hz$/],
    ["too fast", { sampleRate: 1001 }, WIRED, /^AD8232: sampleRate is 1001; choose 125 to 1000 hz$/],
    ["a rate in between", { sampleRate: 250.5 }, WIRED, /^AD8232: sampleRate is 250.5; choose a whole number$/],
    ["no rate", { sampleRate: Number.NaN }, WIRED, /^AD8232: sampleRate is NaN; choose 125 to 1000 hz$/],
    ["less gain than the chip has", { gain: 99 }, WIRED, /^AD8232: gain is 99; choose 100 to 5000 V\/V$/],
    ["too much gain", { gain: 5001 }, WIRED, /^AD8232: gain is 5001; choose/],
    ["too low a supply", { supply: 1.9 }, WIRED, /^AD8232: supply is 1.9; choose 2 to 3.5 V$/],
    ["5 V", { supply: 5 }, WIRED, /^AD8232: supply is 5; choose 2 to 3.5 V$/],
    ["settling below 0", { settling: -1 }, WIRED, /^AD8232: settling is -1; choose 0 to 10000 ms$/],
    ["settling for ever", { settling: 10001 }, WIRED, /^AD8232: settling is 10001; choose/],
    ["a rail at once", { railTimeout: 0.9 }, WIRED, /^AD8232: railTimeout is 0.9; choose 1 to 3600 s$/],
    ["a rail for hours", { railTimeout: 3601 }, WIRED, /^AD8232: railTimeout is 3601; choose/],
    ["one electrode", { electrodes: 1 }, WIRED, /^AD8232: electrodes is 1; choose 2 to 3$/],
    ["half an electrode", { electrodes: 2.5 }, WIRED, /^AD8232: electrodes is 2.5; choose a whole number$/],
    ["four", { electrodes: 4 }, WIRED, /^AD8232: electrodes is 4; choose 2 to 3$/],
    ["a pin of another name", {}, { ...WIRED, pins: ["SDN"] }, /^AD8232: pins is SDN; choose of shutdown, each once$/],
    ["an input of another name", {}, { ...WIRED, inputs: ["LO"] }, /^AD8232: inputs is LO; choose of LO\+, LO-, each/],
    ["an input twice", {}, { ...WIRED, inputs: ["LO-", "LO-"] }, /^AD8232: inputs is LO-, LO-; choose of LO\+, LO-/],
    ["LO- of two electrodes (p. 18)", { electrodes: 2 }, WIRED, /electrodes 2 and the input LO- fight.*choose 3/],
    [
      "LO- alone of two electrodes",
      { electrodes: 2 },
      { converter: CONVERTER, inputs: ["LO-"] },
      /LO- fight: with two only/,
    ],
    ["REFOUT at ground", { offset: 0.05 }, WIRED, /^AD8232: offset 0.05 V and supply 3.3 V fight: .*choose null/],
    ["REFOUT at the supply", { offset: 3.25 }, WIRED, /^AD8232: offset 3.25 V and supply 3.3 V fight/],
    ["no REFOUT", { offset: Number.NaN }, WIRED, /^AD8232: offset NaN V and supply 3.3 V fight/],
    ["bits", {}, { converter: { bits: 7, reference: 3.3 } }, /^AD8232: converter.bits is 7; choose 8 to 24$/],
    ["bits", {}, { converter: { bits: 25, reference: 3.3 } }, /^AD8232: converter.bits is 25; choose 8 to 24$/],
    ["bits", {}, { converter: { bits: 11.5, reference: 3.3 } }, /converter.bits is 11.5; choose a whole number$/],
    ["volts", {}, { converter: { bits: 12, reference: 0.4 } }, /converter.reference is 0.4; choose 0.5 to 10 V$/],
    ["volts", {}, { converter: { bits: 12, reference: 11 } }, /converter.reference is 11; choose 0.5 to 10 V$/],
    [
      "a baseline beyond the converter",
      {},
      { converter: { bits: 12, reference: 1.1 } },
      /offset 1.65 V and converter.reference 1.1 V fight: above all codes; choose a higher reference or a lower supply$/,
    ],
    [
      "a baseline at its end",
      {},
      { converter: { bits: 12, reference: 1.65 } },
      /1.65 V and converter.reference 1.65 V/,
    ],
    [
      "steps as high as an R wave",
      { gain: 100 },
      { converter: { bits: 8, reference: 5 } },
      /gain 100 and a converter of 8 bits, 5 V fight: 195 uV a step, at most 50 draw an ECG; choose more of one$/,
    ],
  ];
  test.each(refusals)("is refused: %s", (_, configuration, wiring, message) => {
    expect(() => chip.create(configuration, wiring)).toThrow(message);
  });

  const choices: [Partial<Ad8232Configuration>, Wiring][] = [
    [{ sampleRate: 125, gain: 100, supply: 2, settling: 0, railTimeout: 1 }, WIRED],
    [{ sampleRate: 1000, gain: 5000, supply: 3.5, settling: 10_000, railTimeout: 3600 }, WIRED],
    [{ electrodes: 2 }, { converter: CONVERTER, inputs: ["LO+"], pins: ["shutdown"] }],
    [{ offset: 0.1 }, WIRED],
    [{ offset: 3 }, WIRED],
    [{}, { converter: { bits: 8, reference: 10 } }],
    [{}, { converter: { bits: 24, reference: 1.7 } }],
    [{ gain: 100 }, { converter: { bits: 10, reference: 5 } }],
  ];
  test.each(choices)("is taken at its ends: %o", (configuration, wiring) => {
    expect(chip.create(configuration, wiring).configuration).toEqual({ ...chip.defaults, ...configuration });
  });

  test("is named on the page, setting by setting with its default, and so are pins and inputs", () => {
    const page = readFileSync(new URL("../../drivers/ad8232/README.md", import.meta.url), "utf8").replace(/ +/g, " ");
    for (const [name, value] of Object.entries(chip.defaults)) expect(page).toContain(`| \`${name}\` | ${value} |`);
    for (const pin of [...chip.pins!, ...chip.inputs!]) expect(page).toContain(`\`${pin}\``);
  });

  test("a change of what is declared needs another opening; what is not is changed while it runs", () => {
    const { driver, frame } = create();
    const base = chip.defaults;
    for (const other of [{ sampleRate: 500 }, { gain: 500 }, { supply: 3 }, { offset: 1.5 }])
      expect(driver.reconfigure({ ...base, ...other })).toBeNull();
    expect(() => driver.reconfigure({ ...base, electrodes: 2 })).toThrow(/LO-/);
    expect(() => driver.reconfigure({ ...base, gain: 1 })).toThrow(/gain is 1/);
    expect(driver.configuration).toEqual(base);
    const step = driver.reconfigure({ ...base, offset: 1.65, settling: 300, railTimeout: 9 });
    play(step!, frame, [{ ops: [] }]);
    expect(driver.configuration).toEqual({ ...base, offset: 1.65, settling: 300, railTimeout: 9 });
    const two = create({ electrodes: 2 }, { converter: CONVERTER, inputs: ["LO+"] });
    expect(two.driver.reconfigure({ ...base })).toBeNull();
  });
});

describe("AD8232 channel", () => {
  const channel = (configuration: Partial<Ad8232Configuration>, converter: Converter) =>
    chip.create(configuration, { converter }).channels()[0];

  test.each([
    ["12 bits, 3.3 V", {}, { bits: 12, reference: 3.3 }, -2048, 732421875, -15, 4095],
    ["10 bits, 3.3 V at AREF", {}, { bits: 10, reference: 3.3 }, -512, 29296875, -13, 1023],
    ["10 bits, 5 V", {}, { bits: 10, reference: 5 }, -337, 4438920454545, -18, 675],
    ["an external one of 16 bits", { gain: 100 }, { bits: 16, reference: 4 }, -27033, 6103515625, -16, 54067],
    ["a supply of 3 V", { supply: 3, gain: 100 }, { bits: 12, reference: 3.3 }, -1861, 8056640625, -15, 3723],
    ["REFOUT of its own", { offset: 1.5 }, { bits: 12, reference: 3.3 }, -1861, 732421875, -15, 4095],
  ])("%s", (_, configuration, converter, offset, mul, exp10, maximum) => {
    expect(channel(configuration, converter)).toMatchObject({
      name: "ecg",
      mdc: 131328,
      unit: "V",
      waveform: true,
      rate: 250,
      bits: converter.bits,
      offset,
      mul,
      exp10,
      minimum: 0,
      maximum,
      processing: 0,
    });
  });

  test("its scale is within 5 x 10^-13 of the converter's step, whatever the two are", () => {
    const bits = fc.integer({ min: 10, max: 24 });
    const volts = fc.integer({ min: 1800, max: 10_000 }).map((millivolts) => millivolts / 1000);
    fc.assert(
      fc.property(bits, volts, fc.integer({ min: 200, max: 5000 }), (bits, reference, gain) => {
        const { mul, exp10, offset } = channel({ gain }, { bits, reference });
        const step = reference / 2 ** bits / gain;
        expect(Math.abs((mul * 10 ** exp10) / step - 1)).toBeLessThan(6e-13);
        expect(mul).toBeLessThanOrEqual(1e13);
        expect(mul % 10).not.toBe(0);
        // The code that 0 V between the electrodes gives is 0 V again.
        expect(-offset).toBe(Math.floor((1.65 / reference) * 2 ** bits));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("a poll is due every 64 samples, an eighth of what a board keeps; its frame holds that and what open looked at", () => {
    for (const [sampleRate, ms] of [
      [125, 512],
      [250, 256],
      [1000, 64],
      [333, 192],
    ])
      expect(chip.create({ sampleRate }, WIRED).pollEvery).toBe(ms);
    expect(create().block.samples).toHaveLength(512 + 64);
    expect(create().driver).toMatchObject({ bus: "analog", dataReady: null, model: "AD8232" });
  });
});
