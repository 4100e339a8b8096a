import fc from "fast-check";
import { expect, test } from "vitest";
import { FLAG_OFF_BODY, FLAG_SATURATED } from "../../../drivers/driver.ts";
import { createOximeter, type Oximetry } from "../../../firmware/dsp/ppg.ts";
import { blank, options } from "./oximeter.ts";
import { finger, gaussianNoise } from "./pulses.ts";

/** What may happen to a finger, and to the light of it. */
type Kind = "pulse" | "no pulse" | "motion" | "off" | "red clipped" | "infrared clipped" | "new led current";

const RATE = 100;
/** How often a reading is looked at, samples. */
const EVERY = 25;
/** Seconds until a reading must be gone: SpO2 by its limit of 8 s, the rest when no beat came for 3 s; and a block, 0.32 s. */
const SPO2_LIMIT = 8.4;
const PULSE_LIMIT = 3.4;
/** Intervals of the last 10 s make the pulse rate, and motion may be among them; R where no pulse was known before it, s. */
const MOTION_COUNTS = 12;
const KNOWN = 8;
const FINGERS = [
  { pulseRate: 66, ratio: 0.5 },
  { pulseRate: 150, ratio: 1.3 },
  { pulseRate: 96, ratio: 0.8 },
];

const events = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>(
      "pulse",
      "pulse",
      "no pulse",
      "motion",
      "off",
      "red clipped",
      "infrared clipped",
      "new led current",
    ),
    seconds: fc.integer({ min: 2, max: 48 }).map((quarters) => quarters / 4),
  }),
  { minLength: 2, maxLength: 14 },
);

/** One finger after another: another one comes with every event that takes the light away. */
const taken: Readonly<Record<Kind, number>> = {
  pulse: 0,
  "no pulse": 0,
  motion: 0,
  off: FLAG_OFF_BODY,
  "red clipped": FLAG_SATURATED,
  "infrared clipped": FLAG_SATURATED,
  "new led current": 0,
};

test("whatever happens to the light, no number is older than its limit, of another finger or without a flag where it is null", () => {
  const lights = FINGERS.map((one) => finger({ ...one, rate: RATE, seconds: 180, perfusionIndex: 1 }));
  const shake = gaussianNoise(7);
  // a walk of 1 hz and above, the same part of both lights
  const motion = Float64Array.from({ length: 180 * RATE }, () => 0);
  for (let i = 1; i < motion.length; i++) motion[i] = 0.9 * motion[i - 1]! + 0.02 * shake();
  let shown = 0;
  fc.assert(
    fc.property(events, (list) => {
      const oximeter = createOximeter(options);
      let which = 0;
      let bright = 1;
      let at = 0;
      // s without a pulse, without anything but motion
      let still = 0;
      let unseen = 0;
      let calm = MOTION_COUNTS;
      // s of pulse of this finger
      let known = 0;
      for (const { kind, seconds } of list) {
        if (kind === "new led current") {
          bright = bright === 1 ? 0.6 : 1;
          oximeter.reset();
          which++;
          known = 0;
        }
        const { red, infrared } = lights[which % FINGERS.length]!;
        const { ratio, pulseRate } = FINGERS[which % FINGERS.length]!;
        for (let done = 0; done < seconds * RATE; done += EVERY) {
          const see = (light: Int32Array) =>
            Int32Array.from({ length: EVERY }, (_, i) => {
              if (kind === "off") return 500;
              const still = kind === "no pulse" ? 100_000 : light[at + i]!;
              return Math.round(still * bright * (kind === "motion" ? 1 + motion[at + i]! : 1));
            });
          const block = { red: see(red), infrared: see(infrared) };
          if (kind === "red clipped") block.red[20] = 262_143;
          if (kind === "infrared clipped") block.infrared[20] = 262_143;
          oximeter.push(block.red, block.infrared, EVERY);
          at = (at + EVERY) % (170 * RATE);
          still = kind === "no pulse" ? still + EVERY / RATE : 0;
          unseen = kind === "pulse" || kind === "new led current" ? 0 : unseen + EVERY / RATE;
          const result: Oximetry = { ...oximeter.result };
          // a block of 0.32 s has one reason
          if (taken[kind] !== 0) expect(result).toEqual(blank(done < RATE / 2 ? result.flags : taken[kind]));
          for (const value of [result.pulseRate, result.spo2, result.perfusionIndex, result.ratio]) {
            if (value === null) expect(result.flags).not.toBe(0);
            else expect(result.flags & (FLAG_OFF_BODY | FLAG_SATURATED)).toBe(0);
          }
          if (still >= PULSE_LIMIT) expect([result.pulseRate, result.ratio]).toEqual([null, null]);
          if (unseen >= SPO2_LIMIT && known >= KNOWN) expect(result.ratio).toBeNull();
          calm = kind === "motion" ? 0 : calm + EVERY / RATE;
          known = kind === "pulse" ? known + EVERY / RATE : known;
          const fair = known >= KNOWN ? 0 : MOTION_COUNTS;
          if (result.ratio !== null && calm > fair) expect(Math.abs(result.ratio - ratio)).toBeLessThan(0.1);
          if (result.pulseRate !== null && calm > MOTION_COUNTS)
            expect(Math.abs(result.pulseRate / pulseRate - 1)).toBeLessThan(0.15);
          if (result.ratio !== null) shown++;
        }
        if (taken[kind] !== 0) {
          which++;
          known = 0;
        }
      }
    }),
    { numRuns: 100, seed: 1 },
  );
  expect(shown).toBeGreaterThan(1000);
});
