import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createPatient, type Patient } from "../../simulator/index.ts";

/** Every number of the first seconds as a board asks for them (256, 100 and 100, 1 a second), hashed as float64 LE. */
function fingerprint({ signals }: Patient, seconds: number): string {
  const numbers: number[] = [];
  for (let second = 0; second < seconds; second++) {
    for (let k = 0; k < 256; k++) numbers.push(signals.ecg(second + k / 256, 0));
    for (let k = 0; k < 100; k++) {
      numbers.push(signals.red(second + k / 100, 0), signals.infrared(second + k / 100, 0));
    }
    numbers.push(signals.temperature(second, 0));
  }
  const bytes = new DataView(new ArrayBuffer(8 * numbers.length));
  for (const [i, number] of numbers.entries()) bytes.setFloat64(8 * i, number, true);
  return createHash("sha256").update(new Uint8Array(bytes.buffer)).digest("hex");
}

describe("a patient", () => {
  test("is the same from the same seed and index, to the last bit and on every machine", () => {
    const first = fingerprint(createPatient({ seed: 1, index: 0 }), 60);
    expect(fingerprint(createPatient({ seed: 1, index: 0 }), 60)).toBe(first);
    expect(first).toBe("29cb86403807b21f3bdb0fa9f654f7dda5ea3365f855da09a1be8bf9514f8ec5");
  });

  test("is another one from another index and from another seed", () => {
    const prints = [
      { seed: 1, index: 0 },
      { seed: 1, index: 1 },
      { seed: 2, index: 0 },
      { seed: 1, index: 10 },
    ].map((options) => fingerprint(createPatient(options), 2));
    expect(new Set(prints).size).toBe(4);
  });

  test("is a resting adult, whichever is drawn, and the draws fill their ranges", () => {
    const truths = Array.from({ length: 200 }, (_, index) => createPatient({ seed: 3, index }).truth);
    for (const [name, low, high] of [
      ["heartRate", 55, 95],
      ["respirationRate", 11, 19],
      ["spo2", 94, 99],
      ["perfusionIndex", 1, 3],
      ["amplitude", 0.7, 1.6],
      ["temperature", 36.2, 37.4],
    ] as const) {
      const values = truths.map((truth) => truth[name]);
      const margin = (high - low) / 20;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low - 1e-9);
      expect(Math.max(...values)).toBeLessThanOrEqual(high + 1e-9);
      expect(Math.min(...values)).toBeLessThan(low + margin);
      expect(Math.max(...values)).toBeGreaterThan(high - margin);
    }
  });

  test("has one heart: each pulse at the finger follows its R of the ECG by the transit time", () => {
    const { truth, signals } = createPatient({ seed: 4, index: 2 });
    const beats = truth.beats(10, 40);
    const pulses = truth.pulses(10 + truth.transitTime, 40 + truth.transitTime);
    expect(Math.abs(beats.length - pulses.length)).toBeLessThanOrEqual(1);
    for (const beat of beats.slice(1, -1)) {
      const pulse = pulses.find((time) => time > beat)!;
      expect(Math.abs(pulse - beat - truth.transitTime)).toBeLessThan(0.0081);
      expect(signals.ecg(beat, 0)).toBeGreaterThan(0.8e-3 * truth.amplitude);
      expect(signals.infrared(pulse + 0.17, 0)).toBeLessThan(signals.infrared(pulse, 0));
    }
  });

  test("speaks the emulators' units: V, nA per mA, Cel", () => {
    const { signals, truth } = createPatient({ seed: 5, index: 0 });
    const ecg = Array.from({ length: 2560 }, (_, k) => signals.ecg(k / 256, 0));
    expect(Math.max(...ecg) * 1000).toBeGreaterThan(0.8 * truth.amplitude);
    expect(Math.max(...ecg) * 1000).toBeLessThan(1.3 * truth.amplitude);
    for (const light of [signals.red(10, 0), signals.infrared(10, 0)]) {
      expect(light).toBeGreaterThan(500);
      expect(light).toBeLessThan(800);
    }
    expect(signals.temperature(600, 0)).toBeCloseTo(truth.temperature, 0);
  });

  test("lets its finger be taken away", () => {
    const patient = createPatient({ seed: 6, index: 0 });
    patient.ppg.finger = (time) => time < 5;
    expect(patient.signals.red(4.9, 0)).toBeGreaterThan(500);
    expect(patient.signals.red(5, 0)).toBeLessThan(10);
    expect(patient.signals.infrared(5, 0)).toBeLessThan(10);
  });

  test("does not grow over an hour of ECG and a day of pulses", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = () => {
      collect();
      return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    };
    const { signals } = createPatient({ seed: 7, index: 0 });
    const live = (from: number, to: number, step: number, names: (keyof typeof signals)[]) => {
      for (let time = from; time < to; time += step) for (const name of names) signals[name](time, 0);
    };
    live(0, 300, 0.25, ["ecg", "red", "infrared", "temperature"]);
    const before = held();
    live(300, 3900, 0.25, ["ecg"]);
    live(300, 86_700, 2.5, ["red", "infrared", "temperature"]);
    // a number kept for each step of the ECG would be 15 MB, for each beat of the pulses 1.4 MB
    expect(held() - before).toBeLessThan(400_000);
  });

  test("an index that is no whole number from 0 is refused by value", () => {
    for (const index of [-1, 0.5, Number.NaN])
      expect(() => createPatient({ seed: 1, index })).toThrow(`index ${index}`);
  });
});
