/** Vitals of one sensor's light: of two colours, of one, with and without an estimate of the breath. */
import { describe, expect, test } from "vitest";
import { type Block, type Channel, createBlock, FLAG_OFF_BODY, FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { createCalibration } from "../../firmware/dsp/calibration.ts";
import { createVitals, type VitalsSensor } from "../../firmware/vitals.ts";
import { MDC_PERFUSION_INDEX, MDC_PULSE_RATE, MDC_RESPIRATION_PLETH, MDC_SPO2 } from "../../protocol/messages.ts";
import { createPpg, createRandom, createRhythm } from "../../simulator/index.ts";

const RATE = 100;
const channel = (name: string): Channel => ({
  name,
  mdc: 150452,
  rate: RATE,
  waveform: true,
  bits: 18,
  offset: 0,
  mul: 1,
  exp10: 0,
  unit: "1",
  minimum: 0,
  maximum: 262_143,
  accuracy: "",
  processing: 0,
});

/** Runs a finger of SpO2 `spo2` for so many s; what every vital is at the end, by its code. */
function run(
  sensor: Omit<VitalsSensor, "channels">,
  names: readonly string[],
  seconds: number,
  { spo2 = 97, gone = Number.POSITIVE_INFINITY } = {},
) {
  const random = createRandom("finger");
  const rhythm = createRhythm({ heartRate: 72, respirationRate: 15, random: random.fork("rhythm") });
  const ppg = createPpg({ rhythm, spo2, perfusionIndex: 2, random: random.fork("ppg") });
  const signals: Record<string, (time: number) => number> = {
    red: (time) => ppg.red(time, time),
    infrared: (time) => ppg.infrared(time, time),
    green: (time) => ppg.infrared(time, time),
  };
  ppg.finger = (time) => time < gone;
  const vitals = createVitals([{ ...sensor, channels: names.map(channel) }]);
  const definitions = vitals.definitions(7);
  const last = new Map<number, { value: number | null; flags: number; quality: number | null }>();
  for (let second = 0; second < seconds; second++) {
    names.forEach((name, place) => {
      const samples = Int32Array.from({ length: RATE }, (_, i) => Math.round(signals[name]!(second + i / RATE) * 150));
      const block: Block = { ...createBlock(RATE), samples, count: RATE };
      Object.assign(block, { index: second * RATE, time: second * 1e6 });
      vitals.take(0, place, block);
    });
    vitals.read((second + 1) * 1e6, (index, value, flags, quality) => {
      last.set(definitions[index]!.mdc, { value, flags, quality });
    });
  }
  return { definitions, last };
}

describe("a sensor's light", () => {
  test.each([[["red", "infrared"]], [["infrared", "red"]], [["infrared", "red", "green"]]])(
    "of %s gives pulse, perfusion and SpO2, whatever the order of the chip's channels",
    (names) => {
      const { last } = run({}, names, 30);
      expect(last.get(MDC_PULSE_RATE)!.value! / 10).toBeCloseTo(72, -0.5);
      expect(last.get(MDC_PERFUSION_INDEX)!.value! / 100).toBeCloseTo(2, 0);
      expect(Math.abs(last.get(MDC_SPO2)!.value! / 10 - 97)).toBeLessThan(1);
      for (const { quality } of last.values()) expect(quality!).toBeGreaterThan(50);
    },
  );

  test.each(["infrared", "green"])("of %s alone gives pulse and perfusion, and no SpO2 at all", (name) => {
    const { definitions, last } = run({}, [name], 30);
    expect(definitions.map(({ mdc }) => mdc)).toEqual([MDC_PULSE_RATE, MDC_PERFUSION_INDEX]);
    expect(last.get(MDC_PULSE_RATE)).toMatchObject({ value: expect.any(Number), flags: 0 });
  });

  test("shows an SpO2 below 70 as the number that it is, below the channel's own minimum", () => {
    const calibration = createCalibration({ id: "own", curve: { square: -45.06, linear: 30.354, constant: 94.845 } });
    const { definitions, last } = run({ calibration }, ["red", "infrared"], 30, { spo2: 62 });
    const spo2 = definitions.find(({ mdc }) => mdc === MDC_SPO2)!;
    expect(spo2.attributes).toMatchObject({ minimum: 700, calibration: "own" });
    const { value, flags } = last.get(MDC_SPO2)!;
    expect(value!).toBeLessThan(700);
    expect(flags).toBe(0);
  });

  test("by a published curve is uncalibrated, and says by which", () => {
    const { definitions, last } = run({}, ["red", "infrared"], 30);
    expect(definitions.find(({ mdc }) => mdc === MDC_SPO2)!.attributes.calibration).toBe("maxim-reference-design");
    expect(last.get(MDC_SPO2)!.flags).toBe(FLAG_UNCALIBRATED);
    expect(last.get(MDC_PULSE_RATE)!.flags).toBe(0);
  });
});

describe("respiration", () => {
  test("is not there unless it is asked for, and then called an estimate", () => {
    const without = run({}, ["red", "infrared"], 1).definitions;
    expect(without.map(({ mdc }) => mdc)).not.toContain(MDC_RESPIRATION_PLETH);
    const found = run({ respiration: true }, ["red", "infrared"], 1).definitions.at(-1)!;
    expect(found).toMatchObject({
      id: 10,
      mdc: MDC_RESPIRATION_PLETH,
      attributes: { role: "estimate", processing: 2 },
    });
  });

  test("is that of the simulated chest after a minute and a half, and gone with the finger", () => {
    const breath = ({ last }: ReturnType<typeof run>) => last.get(MDC_RESPIRATION_PLETH)!;
    const there = breath(run({ respiration: true }, ["red", "infrared"], 100));
    expect(there.value! / 10).toBeGreaterThan(13);
    expect(there.value! / 10).toBeLessThan(17);
    const gone = breath(run({ respiration: true }, ["red", "infrared"], 103, { gone: 100 }));
    expect(gone).toEqual({ value: null, flags: FLAG_OFF_BODY, quality: null });
  });
});
