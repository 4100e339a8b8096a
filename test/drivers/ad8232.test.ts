/** The AD8232 driver: configuration, scale, steps, blocks. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ad8232Configuration, chip } from "../../drivers/ad8232/chip.ts";
import {
  type Converter,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
  type Wiring,
} from "../../drivers/driver.ts";
import {
  CONVERTER,
  create,
  flat,
  LOOK,
  OFF,
  ON,
  opened,
  opening,
  play,
  STOP,
  samples,
  WIRED,
} from "./ad8232-script.ts";

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
    for (const pin of [...chip.pins, ...chip.inputs]) expect(page).toContain(`\`${pin}\``);
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

describe("AD8232 open", () => {
  test("samples, looks at 8 samples' time of it, and says what it saw", () => {
    const { driver, frame } = create();
    play(driver.open(), frame, opening(samples(flat(2048, 9))));
    expect(frame.faults).toEqual([]);
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read: "analog, no identification; output at 1650 mV, LO+ low, LO- low",
    });
  });

  test("switches on first where SDN is wired, and lets it settle", () => {
    const { driver, frame } = create({ sampleRate: 1000 }, { ...WIRED, pins: ["shutdown"] });
    play(driver.open(), frame, [
      { ops: [ON], pause: 165 },
      { ops: [{ sample: 1000 }], pause: 8 },
      { ops: [], sampled: samples(flat(2048, 9)) },
    ]);
    expect(frame.identity?.verdict).toBe("plausible");
  });

  test.each([
    ["LO+ high, LO- low", 1, WIRED, 3],
    ["LO+ low, LO- high", 2, WIRED, 3],
    ["LO+ high, LO- low", 2, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, 3],
    ["LO+ not wired, LO- high", 1, { converter: CONVERTER, inputs: ["LO-"] }, 3],
    ["LO+ low, LO- not wired", 0, { converter: CONVERTER, inputs: ["LO+"] }, 3],
    ["LO+ high", 1, { converter: CONVERTER, inputs: ["LO+"] }, 2],
    ["LO+ not wired", 0, { converter: CONVERTER }, 2],
  ])("says the levels as they are wired: %s", (text, inputs, wiring, electrodes) => {
    const { driver, frame } = create({ electrodes }, wiring);
    play(driver.open(), frame, opening(samples([100, 101], 0, { inputs })));
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read: `analog, no identification; output at 81 mV, ${text}`,
    });
  });

  test.each([
    ["a line that is low", flat(0, 8), 0],
    ["a line within 10 mV of ground", flat(12, 8), 10],
    ["a line at the supply", flat(4095, 8), 3300],
    ["a line within 10 mV of the supply", flat(4083, 8), 3290],
    ["a line that jumps from one end to the other", [0, 4095], 1650],
  ])("refuses %s: nothing that is powered is there; the board stops sampling", (_, codes, millivolts) => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, [...opening(samples(codes)), { ops: [STOP] }]);
    expect(frame.identity).toEqual({
      verdict: "refused",
      read: `analog, no identification; output at ${millivolts} mV, LO+ low, LO- low`,
    });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: `AD8232: ${frame.identity?.read}: nothing drives it; check power, the analog pin and SDN`,
      },
    ]);
    frame.faults.length = 0;
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(block.count).toBe(0);
    expect(frame.faults).toMatchObject([{ code: FAULT_RESTARTED }]);
  });

  test.each([
    ["a rail that the chip can be at", flat(13, 8), 0, WIRED],
    ["the other one", flat(4082, 8), 0, WIRED],
    ["one sample that is alive", [0, 0, 0, 13], 0, WIRED],
    ["a line at ground with a lead off: the chip speaks by its pin", flat(0, 8), 1, WIRED],
    // 2.5 V at full scale: a rail of 3.2 V and a line at 3.3 V are the same last code.
    [
      "the end of a converter that ends below the supply",
      flat(4095, 8),
      0,
      { converter: { bits: 12, reference: 2.5 } },
    ],
  ])("does not refuse %s", (_, codes, inputs, wiring) => {
    const { driver, frame } = create({}, wiring);
    play(driver.open(), frame, opening(samples(codes, 0, { inputs })));
    expect(frame.identity?.verdict).toBe("plausible");
    expect(frame.faults).toEqual([]);
  });

  test("refuses a line at the supply on a converter that reaches further (10 bits, 5 V: code 675)", () => {
    const { driver, frame } = create({}, { converter: { bits: 10, reference: 5 } });
    play(driver.open(), frame, [...opening(samples(flat(673, 8))), { ops: [STOP] }]);
    expect(frame.identity?.verdict).toBe("refused");
    play(driver.open(), frame, opening(samples(flat(672, 8))));
    expect(frame.identity?.verdict).toBe("plausible");
  });

  test("waits for a first sample, five looks long, then says that the board gives none", () => {
    const { driver, frame } = create({}, { ...WIRED, pins: ["shutdown"] });
    const start = [
      { ops: [ON], pause: 165 },
      { ops: [{ sample: 250 }], pause: LOOK },
    ];
    const none = { ops: [], pause: LOOK, sampled: samples([]) };
    play(driver.open(), frame, [...start, { ops: [] }, none, none, none, { ...none, sampled: samples([2048]) }]);
    expect(frame.identity?.verdict).toBe("plausible");
    expect(frame.faults).toEqual([]);
    play(driver.open(), frame, [...start, { ops: [] }, none, none, none, none, { ops: [STOP, OFF] }]);
    expect(frame.identity).toEqual({ verdict: "refused", read: "no sample" });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: "AD8232: no sample: the board gave none in 5 looks, 32 ms apart; check the analog pin and its rate",
      },
    ]);
  });

  test("ends at an error on the board, and leaves nothing running", () => {
    const wiring = { ...WIRED, pins: ["shutdown"] };
    const on = { ops: [ON], pause: 165 };
    const start = { ops: [{ sample: 250 }], pause: LOOK };
    const end = { ops: [STOP, OFF] };
    for (const script of [
      [{ ...on, fails: true }],
      [on, { ...start, fails: true }, end],
      [on, start, { ops: [], fails: true, sampled: samples([2048]) }, end],
    ]) {
      const { driver, frame } = create({}, wiring);
      play(driver.open(), frame, script);
      expect(frame.identity).toBeNull();
    }
  });

  test("hands over with the first poll what it looked at, in one record", () => {
    const { driver, frame, block } = create({ settling: 0 });
    const kept = samples([2041, 2042, 2043], 1000, { uncertainty: 7 });
    play(driver.open(), frame, opening(kept));
    kept.samples.fill(0); // the board's buffer is the board's
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2044, 2045], 13_000, { uncertainty: 9 }) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2041, 2042, 2043, 2044, 2045]);
    expect(block).toMatchObject({ index: 0, time: 1000, lost: 0, uncertainty: 9, flags: 0 });
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2046], 21_000) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2046]);
    expect(block).toMatchObject({ index: 5, time: 21_000, lost: 0 });
  });

  test("hands it over at close, where no poll came", () => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, opening(samples([2041, 2042], 1000)));
    play(driver.close(), frame, [{ ops: [STOP], sampled: samples([]) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2041, 2042]);
    expect(block).toMatchObject({ index: 0, time: 1000, lost: 0 });
  });

  test("keeps 64 samples; a host so late that there are more has lost an unknown number", () => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, opening(samples(flat(2048, 64))));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 65, lost: 0, index: 0 });
    play(driver.open(), frame, opening(samples(flat(2048, 65))));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 1, lost: -1, index: 0 });
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 1, lost: 0, index: 1 });
  });

  test("does not paste a hole between what it kept and what came later", () => {
    for (const lost of [1, -1]) {
      const { driver, frame, block } = create();
      play(driver.open(), frame, opening(samples([2041])));
      play(driver.poll(), frame, [{ ops: [], sampled: samples([2042], 8000, { lost }) }]);
      expect(block).toMatchObject({ count: 1, lost: -1, index: 0, time: 8000 });
      expect(block.samples[0]).toBe(2042);
    }
  });

  test("begins anew: index, loss, settling and rail time of a former record are gone", () => {
    const { driver, frame, block, clear, poll } = opened({ settling: 100, railTimeout: 1 });
    poll(samples(flat(4000, 240), 0, { lost: -1 }));
    clear();
    play(driver.open(), frame, opening(samples([4000], 1_000_000)));
    play(driver.poll(), frame, [{ ops: [], sampled: samples(flat(4000, 30), 1_004_000) }]);
    expect(frame.faults).toEqual([]);
    expect(block).toMatchObject({ index: 0, lost: 0, count: 31, time: 1_000_000 });
  });

  test("forgets which electrode was off before", () => {
    const { driver, frame, poll } = opened();
    poll(samples([2048], 0, { inputs: 1 }));
    expect(driver.electrodesOff).toBe("+IN");
    play(driver.open(), frame, opening(samples([2048])));
    expect(driver.electrodesOff).toBe("");
  });
});

describe("AD8232 poll", () => {
  test("says codes as they are, each once, and counts them and what was lost", () => {
    const { poll } = opened();
    const block = poll(samples([125, 3970, 2047, 2048], 40_000, { uncertainty: 5 }));
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([125, 3970, 2047, 2048]);
    expect(block).toMatchObject({ index: 1, time: 40_000, uncertainty: 5, lost: 0, flags: 0 });
    expect(poll(samples([]))).toMatchObject({ count: 0, index: 5, lost: 0, flags: 0 });
    expect(poll(samples([2000], 60_000, { lost: 3 }))).toMatchObject({ count: 1, index: 8, lost: 3 });
    expect(poll(samples([], 0, { lost: 2 }))).toMatchObject({ count: 0, index: 11, lost: 2 });
    expect(poll(samples([2000], 90_000, { lost: -1 }))).toMatchObject({ count: 1, index: 11, lost: -1 });
    expect(poll(samples([2000], 94_000))).toMatchObject({ count: 1, index: 12, lost: 0 });
    expect(poll(samples([2000], 98_000, { lost: 1 }))).toMatchObject({ count: 1, index: 14, lost: 1 });
  });

  test("a code below the baseline is a negative voltage, by the channel's own formula (sign edge)", () => {
    const { offset, mul, exp10 } = create().driver.channels()[0];
    const volts = (code: number) => (code + offset) * mul * 10 ** exp10;
    expect(volts(2048)).toBe(0);
    expect(volts(2047)).toBeCloseTo(-732.421875e-9, 15);
    expect(volts(2049)).toBeCloseTo(732.421875e-9, 15);
    expect(volts(0)).toBeCloseTo(-1.5e-3, 15);
  });

  test("without a board that samples there is no sample, but a fault and the wish to be opened", () => {
    const { driver, frame } = create();
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame).toMatchObject({
      restart: true,
      faults: [{ code: FAULT_RESTARTED, message: "AD8232: the board does not sample it; open it" }],
    });
    expect(frame.channels[0].count).toBe(0);
  });

  test("an error of the board is told by whoever runs the steps; samples that came all the same are kept", () => {
    const { driver, frame, block, clear } = opened();
    play(driver.poll(), frame, [{ ops: [], fails: true }]);
    expect(frame).toMatchObject({ restart: false, faults: [] });
    clear();
    play(driver.poll(), frame, [{ ops: [], fails: true, sampled: samples([2050]) }]);
    expect(block).toMatchObject({ count: 1, index: 1 });
  });

  test.each([
    [1, WIRED, "+IN"],
    [2, WIRED, "-IN"],
    [3, WIRED, "+IN, -IN"],
    [1, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, "-IN"],
    [2, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, "+IN"],
    [1, { converter: CONVERTER, inputs: ["LO-"] }, "-IN"],
    [1, { converter: CONVERTER, inputs: ["LO+"] }, "+IN"],
  ])("levels %i: lead off, and which electrode, as it is wired (p. 18)", (inputs, wiring, electrodes) => {
    const { driver, frame, poll } = opened({}, wiring);
    expect(driver.electrodesOff).toBe("");
    expect(poll(samples([2048], 0, { inputs })).flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    expect(driver.electrodesOff).toBe(electrodes);
    expect(frame.faults).toEqual([]);
    expect(poll(samples([2048], 1e6)).flags).toBe(0);
    expect(driver.electrodesOff).toBe("");
  });

  test("with two electrodes LO+ tells that one is off, not which (p. 18)", () => {
    const { driver, poll } = opened({ electrodes: 2 }, { converter: CONVERTER, inputs: ["LO+"] });
    expect(poll(samples([2048], 0, { inputs: 1 })).flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    expect(driver.electrodesOff).toBe("+IN or -IN");
  });

  test("the first sample of a block counts as much as the last", () => {
    const { poll } = opened();
    for (const codes of [
      [4000, 2048],
      [2048, 4000],
    ])
      expect(poll(samples(codes)).flags & FLAG_SATURATED).toBe(FLAG_SATURATED);
  });

  test("pins that are not wired tell nothing, whatever the board says of them", () => {
    const { driver, poll } = opened({}, { converter: CONVERTER });
    expect(poll(samples([2048], 0, { inputs: 3 })).flags).toBe(0);
    expect(driver.electrodesOff).toBe("");
  });

  test.each([
    [124, FLAG_SATURATED],
    [125, 0],
    [3970, 0],
    [3971, FLAG_SATURATED],
    [0, FLAG_SATURATED],
    [4095, FLAG_SATURATED],
  ])("code %i of 4096: saturated within 0.1 V of a rail (table 1)", (code, flags) => {
    const { poll } = opened();
    expect(poll(samples([2048, code, 2048])).flags & FLAG_SATURATED).toBe(flags);
  });

  test.each([
    [{ bits: 10, reference: 5 }, 20, 21, 654, 655],
    [{ bits: 12, reference: 2.5 }, 163, 164, 4094, 4095],
  ])("on %o the rails are where the supply is, or where the converter ends", (converter, low, above, below, high) => {
    const { poll } = opened({}, { converter });
    const saturated = (code: number) => poll(samples([code], 1e6)).flags & FLAG_SATURATED;
    expect([low, above, below, high].map(saturated)).toEqual([FLAG_SATURATED, 0, 0, FLAG_SATURATED]);
  });
});

describe("AD8232 settling", () => {
  const flagsAt = (poll: ReturnType<typeof opened>["poll"], at: number) => poll(samples([2048], at)).flags;

  test("follows a lead that came back, 165 ms from the last sample with the lead off (table 1: 110 + 55)", () => {
    const { poll } = opened({ settling: 165 });
    // Off for 10 samples: up to 36 ms, so 201 ms.
    expect(poll(samples(flat(2048, 10), 1_000_000, { inputs: 1 })).flags).toBe(FLAG_LEAD_OFF | FLAG_SETTLING);
    expect(flagsAt(poll, 1_200_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 1_201_000)).toBe(0);
  });

  test("follows a rail, from its last sample", () => {
    const { poll } = opened({ settling: 100 });
    expect(poll(samples([2048, 4000, 100, 2048], 1_000_000)).flags).toBe(FLAG_SATURATED | FLAG_SETTLING);
    expect(flagsAt(poll, 1_107_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 1_108_000)).toBe(0);
  });

  test("follows an opening that did not switch it on: its power may have come just now", () => {
    const { driver, frame, block } = create({ settling: 100 });
    play(driver.open(), frame, opening(samples([2048], 500_000)));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 504_000) }]);
    expect(block.flags).toBe(FLAG_SETTLING);
    block.flags = 0;
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 599_999) }]);
    expect(block.flags).toBe(FLAG_SETTLING);
    block.flags = 0;
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 600_000) }]);
    expect(block.flags).toBe(0);
  });

  test("does not follow one that did, and waited", () => {
    const { driver, frame, block } = create({ settling: 100 }, { ...WIRED, pins: ["shutdown"] });
    const [start, look] = opening(samples([2048], 500_000));
    play(driver.open(), frame, [{ ops: [ON], pause: 100 }, start, look]);
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 504_000) }]);
    expect(block.flags).toBe(0);
  });

  test("is never shortened by what comes later", () => {
    const { driver, frame, poll } = opened({ settling: 1000 });
    poll(samples([4000], 1_000_000));
    play(driver.reconfigure({ ...driver.configuration, settling: 10 })!, frame, [{ ops: [] }]);
    poll(samples([4000], 1_004_000));
    expect(flagsAt(poll, 1_999_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 2_000_000)).toBe(0);
  });
});

describe("AD8232 close", () => {
  test("stops the board, hands over what it had, switches the chip off; twice is harmless", () => {
    const { driver, frame, block, clear } = opened({}, WIRED);
    play(driver.close(), frame, [{ ops: [STOP], sampled: samples([2050, 2051], 8000) }]);
    expect(block).toMatchObject({ count: 2, index: 1, time: 8000, lost: 0 });
    clear();
    play(driver.close(), frame, [{ ops: [STOP] }]);
    expect(frame.faults).toEqual([]);
    expect(block.count).toBe(0);
    const switched = create({}, { ...WIRED, pins: ["shutdown"] });
    play(switched.driver.close(), switched.frame, [{ ops: [STOP, OFF] }]);
  });
});
