/** Pushes recorded samples through the signal processing of the board and tells what it found. Device dialect. */
import { createOximeter } from "../../../firmware/dsp/ppg.ts";
import { createQrsDetector } from "../../../firmware/dsp/qrs.ts";
import { createTemperatureFilter } from "../../../firmware/dsp/temperature.ts";
import { bits } from "./text.ts";

export interface Signals {
  /** Counts at 128 hz. */
  readonly ecg: readonly number[];
  /** Counts at 100 hz, the two as long as each other. */
  readonly red: readonly number[];
  readonly infrared: readonly number[];
  /** Degrees, one a second. */
  readonly temperature: readonly number[];
}

function text(value: number | null): string {
  return value === null ? "null" : bits(value);
}

export function program(print: (line: string) => void, signals: Signals): void {
  const block = 25;
  const detector = createQrsDetector(128, 1 / 8, (index, emittedAt) => print(`beat ${bits(index)} ${bits(emittedAt)}`));
  const ecg = new Int32Array(signals.ecg);
  for (let at = 0; at < ecg.length; at += block) detector.push(ecg.subarray(at, at + block), block);

  const red = new Int32Array(signals.red);
  const infrared = new Int32Array(signals.infrared);
  // both lights, and infrared alone at another rate
  for (let run = 0; run < 2; run++) {
    const oximeter = createOximeter({
      rate: run === 0 ? 100 : 128,
      calibration: { id: "any", curve: { square: -45, linear: 30, constant: 95 } },
      offBodyBelow: 5000,
      saturatedAbove: 262143,
    });
    for (let at = 0; at < red.length; at += block) {
      oximeter.push(run === 0 ? red.subarray(at, at + block) : null, infrared.subarray(at, at + block), block);
      const r = oximeter.result;
      print(
        `light ${text(r.pulseRate)} ${text(r.spo2)} ${text(r.perfusionIndex)} ${text(r.ratio)} ` +
          `${r.flags} ${r.pulseFlags} ${text(r.quality)} ${r.swapped ? 1 : 0}`,
      );
    }
  }

  const filter = createTemperatureFilter({ rate: 1, tolerance: 1 / 16 });
  const reading: { value: number | null; flags: number } = { value: null, flags: 0 };
  for (let i = 0; i < signals.temperature.length; i++) {
    filter.push(signals.temperature[i] / 128);
    filter.read(reading);
    print(`${text(reading.value)} ${reading.flags}`);
  }
}
