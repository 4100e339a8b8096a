/** Red and infrared taken for each other (FAULTS.md 1): found, told once with the line that mends it, and no SpO2 of it. */
import { describe, expect, test } from "vitest";
import {
  createBlock,
  type Driver,
  FAULT_CONFIGURATION,
  FLAG_BUS_FAULT,
  FLAG_UNCALIBRATED,
} from "../../drivers/driver.ts";
import { max30102, max86150 } from "../../drivers/index.ts";
import { PUBLISHED } from "../../firmware/dsp/calibration.ts";
import { swappedWords } from "../../firmware/light-swap.ts";
import { createVitals } from "../../firmware/vitals.ts";
import {
  EVENT_FAULT,
  MDC_PULSE_RATE,
  MDC_SPO2,
  type Num,
  OP_START,
  OP_STOP,
  qualFlags,
} from "../../protocol/messages.ts";
import { phoneRecordingsOf, readPhoneRecording } from "../../simulator/evaluate/phone.ts";
import { convertLight, createFinger, LIGHT_RATE } from "../../simulator/evaluate/spo2-light.ts";
import { createPatient } from "../../simulator/patient.ts";
import { desaturation, stories } from "../../simulator/story.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { channelOf, createCommanded, RED } from "./commanded.ts";

const SEED = 3;
const WORDS = "MAX30102: red and infrared are swapped; set swapLeds: true";

type Options = Parameters<typeof createCommanded>[0] & { readonly swapLeds?: boolean; readonly clone?: boolean };

/** A board whose oximeter is a clone with its LEDs exchanged, or is configured for one. */
function board({ swapLeds, clone = true, ...options }: Options = {}) {
  const story = options.story ?? desaturation({ from: 97, to: 86, begin: 40, change: 20, hold: 10, recovery: 10 });
  const configured = (driver: Driver): Driver =>
    driver.model === "MAX30102" && swapLeds === true
      ? (max30102.create({ sampleRate: 100, swapLeds }, { interrupt: true }) as Driver)
      : driver;
  const commanded = createCommanded({ ...options, seed: SEED, story, wrapDriver: configured });
  if (clone) {
    const { red, infrared } = createPatient({ seed: SEED, index: 0, story }).signals;
    commanded.node.emulators.ppg.set("red", infrared);
    commanded.node.emulators.ppg.set("infrared", red);
  }
  return {
    ...commanded,
    faults: () => commanded.eventsOf(EVENT_FAULT).map(({ small }) => small),
    /** Each value of a vital, with its flags, in the order of their time. */
    vital: (mdc: number): { value: number | null; flags: number }[] => {
      const id = channelOf(commanded.births()[0]!, mdc);
      return commanded
        .data()
        .flatMap(({ channels }) => channels)
        .filter((one): one is Num => one.kind === "num" && one.id === id)
        .map(({ value, qual }) => ({ value, flags: qualFlags(qual) }));
    },
  };
}

describe("a board whose oximeter has red and infrared exchanged", () => {
  test("says so once, with the line of the configuration that mends it, and never shows an SpO2, whatever the blood does", () => {
    const swapped = board();
    swapped.start(35);
    expect(swapped.faults()).toEqual([[FAULT_CONFIGURATION, RED, WORDS]]);
    expect(WORDS.length).toBeLessThanOrEqual(64);
    // not at its first R, which comes within 8 s: at every one for ten more
    const { tick } = swapped.eventsOf(EVENT_FAULT)[0]!;
    expect(tick).toBeGreaterThan(13_000);
    expect(tick).toBeLessThan(25_000);
    swapped.run(55);
    expect(swapped.faults()).toHaveLength(1);
    const spo2 = swapped.vital(MDC_SPO2);
    expect(spo2).toHaveLength(90);
    expect(spo2.filter(({ value }) => value !== null)).toEqual([]);
    // 86 % would have looked like one of 50
    expect(spo2.slice(40).every(({ flags }) => (flags & FLAG_UNCALIBRATED) !== 0)).toBe(true);
    // its pulse is a pulse all the same
    expect(
      swapped
        .vital(MDC_PULSE_RATE)
        .slice(15)
        .every(({ value }) => value !== null),
    ).toBe(true);
  });

  test("says it again after the chip was opened again, once", () => {
    const swapped = board();
    swapped.start(30);
    expect(swapped.faults()).toHaveLength(1);
    swapped.command(OP_STOP, [[2, RED]]);
    swapped.run(5);
    expect(swapped.vital(MDC_SPO2).at(-1)).toEqual({ value: null, flags: FLAG_BUS_FAULT });
    swapped.command(OP_START, [[2, RED]]);
    swapped.run(5);
    expect(swapped.faults()).toHaveLength(1);
    swapped.run(60);
    expect(swapped.faults()).toEqual([
      [FAULT_CONFIGURATION, RED, WORDS],
      [FAULT_CONFIGURATION, RED, WORDS],
    ]);
  });

  test("with that line measures the patient, and says nothing", () => {
    const mended = board({ swapLeds: true });
    mended.start(35);
    expect(mended.faults()).toEqual([]);
    expect(Math.abs(mended.vital(MDC_SPO2).at(-1)!.value! / 10 - 97)).toBeLessThan(1);
  });

  test("where that line stands in vain, is told to take it back", () => {
    const mistaken = board({ swapLeds: true, clone: false });
    mistaken.start(35);
    expect(mistaken.faults()).toEqual([[FAULT_CONFIGURATION, RED, WORDS.replace("true", "false")]]);
  });
});

test("a chip that has no such line is told to be wired anew; where nobody can ask it, the line is named", () => {
  const make = (configuration: unknown) => max86150.create(configuration as object, {}) as Driver;
  expect(swappedWords(make({}), make)).toBe("MAX86150: red and infrared are swapped; exchange their wires");
  const own = (configuration: unknown) => max30102.create(configuration as object, {}) as Driver;
  expect(swappedWords(own({}))).toBe(WORDS);
  expect(swappedWords(own({ swapLeds: true }), own)).toBe(WORDS.replace("true", "false"));
});

describe("a right oximeter is never told so", () => {
  test.each(["none", ...Object.keys(stories)] as (keyof typeof stories | "none")[])("in the story %s", (name) => {
    const right = createCommanded({ seed: 1, ...(name !== "none" && { story: stories[name]() }) });
    right.start(name === "none" ? 60 : 220);
    expect(right.eventsOf(EVENT_FAULT)).toEqual([]);
    expect(right.node.runtime.contact).toBe("good");
  });

  /** How often the vitals of this light say it, by these curves. */
  const told = (red: Int32Array, infrared: Int32Array, rate: number, curves = PUBLISHED): number => {
    let times = 0;
    const channels = max30102.create({ sampleRate: 100 }, {}).channels();
    for (const calibration of curves) {
      const vitals = createVitals([{ channels: channels.map((one) => ({ ...one, rate })), calibration }]);
      vitals.onSwapped = () => times++;
      for (let second = 0; (second + 1) * rate <= red.length; second++) {
        [red, infrared].forEach((light, place) => {
          const samples = light.slice(second * rate, (second + 1) * rate);
          vitals.take(0, place, { ...createBlock(rate), samples, count: rate, time: second * 1e6 });
        });
        vitals.read((second + 1) * 1e6, () => {});
      }
    }
    return times;
  };

  test("by fingers of 60 to 100 %, weak, moving, in ambient light, by any published curve", () => {
    for (const condition of ["quiet", "respiration", "ambient drift", "motion bursts"] as const)
      for (const perfusionIndex of [0.2, 2])
        for (const spo2 of [60, 75, 90, 98]) {
          const finger = createFinger({ condition, perfusionIndex, spo2, pulseRate: 70, seconds: 60, seed: 1 });
          const { red, infrared } = convertLight(finger, 60, undefined);
          expect(told(red, infrared, LIGHT_RATE), `${condition}, ${perfusionIndex} %, SpO2 ${spo2}`).toBe(0);
          // exchanged it is, by the curve that boards have by themselves; what cannot be measured shows nothing
          if (spo2 === 98 && perfusionIndex === 2 && condition !== "motion bursts")
            expect(told(infrared, red, LIGHT_RATE, PUBLISHED.slice(0, 1)), condition).toBe(1);
        }
  });

  test.skipIf(lacks("phone"))("by the light of real fingers while their oxygen falls to 70 %", () => {
    for (const recording of phoneRecordingsOf(dataFolder).map(readPhoneRecording)) {
      const counts = (frames: Float64Array) => Int32Array.from(frames, (mean) => Math.round(mean * 1000));
      expect(told(counts(recording.frames.R), counts(recording.frames.G), 30), recording.name).toBe(0);
    }
  });
});
