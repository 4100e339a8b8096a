import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Filter } from "../../../firmware/dsp/filter.ts";
import { type AutomaticNotch, createAutomaticNotch, createNotch } from "../../../firmware/dsp/notch.ts";
import { readAnnotationsSync, readRecordSync } from "../../../formats/index.ts";
import { dataFolder, lacks } from "../../support/needs.ts";
import { ecg, every } from "./beats.ts";
import { filtered, holdsInBlocks, RATES, response } from "./filters.ts";
import { gaussianNoise } from "./pulses.ts";

const MAINS = [50, 60] as const;
const CASES = RATES.flatMap((rate) => MAINS.map((mains) => [rate, mains] as const));
/** Counts a microvolt, and microvolts a count. */
const FINE = 16;
const STEP = 1 / FINE;

/** Counts of a voltage in uV over time in s. */
function counts(rate: number, seconds: number, microvolts: (time: number) => number): Int32Array {
  return Int32Array.from({ length: seconds * rate }, (_, i) => Math.round(FINE * microvolts(i / rate)));
}

const hum = (hz: number, peakToPeak: number) => (time: number) => (peakToPeak / 2) * Math.sin(2 * Math.PI * hz * time);

const peakToPeak = (samples: readonly number[]) => (Math.max(...samples) - Math.min(...samples)) / FINE;

/** A triangle of 1 mV, `width` ms at its foot, at 1 s. */
const triangle = (width: number) => (time: number) => 1000 * Math.max(0, 1 - (Math.abs(time - 1) * 2000) / width);

describe.each(CASES)("the notch at %i hz for %i hz", (rate, mains) => {
  const make = () => createNotch(rate, mains);

  test("of 100 uVpp hum leaves less than 1 uVpp after 0.6 s, of hum 0.5 hz beside it less than 25", () => {
    const left = (hz: number) =>
      peakToPeak(filtered(make(), counts(rate, 4, hum(hz, 100))).slice(Math.ceil(0.6 * rate)));
    expect(left(mains)).toBeLessThan(1);
    for (const hz of [mains - 0.5, mains + 0.5]) expect(left(hz)).toBeLessThan(25);
  });

  test("is -3 dB over a tenth of the mains, within 1.5 % up to half of them", () => {
    const edge = (inside: number, outside: number): number => {
      const middle = (inside + outside) / 2;
      if (Math.abs(inside - outside) < 0.01) return middle;
      return response(make, middle).gain < Math.SQRT1_2 ? edge(middle, outside) : edge(inside, middle);
    };
    const width = edge(mains, Math.min(mains + 10, rate / 2)) - edge(mains, mains - 10);
    expect(Math.abs(width - mains / 10)).toBeLessThan(0.1);
    for (const hz of [1, 5, 10, 15, mains / 2]) {
      const { gain, lag } = response(make, hz);
      expect(gain).toBeGreaterThan(0.985);
      expect(lag / (2 * Math.PI * hz)).toBeGreaterThan(0.0002);
      expect(lag / (2 * Math.PI * hz)).toBeLessThan(0.001);
    }
  });

  test("takes less than 75 uV out of a QRS of 1 mV and 40 to 100 ms, and rings with less than 35 after it", () => {
    for (const width of [40, 60, 80, 100]) {
      const samples = counts(rate, 3, triangle(width));
      const taken = filtered(make(), samples).map((sample, i) => Math.abs(sample - samples[i]!) / FINE);
      const end = Math.ceil((1 + width / 2000) * rate) + 1;
      expect(Math.max(...taken.slice(0, end))).toBeLessThan(75);
      expect(Math.max(...taken.slice(end))).toBeLessThan(35);
      expect(Math.max(...taken.slice(end + Math.ceil(rate / 4)))).toBeLessThan(3);
    }
  });

  test("leaves 0 hz exactly alone, from the first sample on", () => {
    for (const level of [-(2 ** 23), -1, 1, 2 ** 17 - 1, 2 ** 23 - 1]) {
      expect(new Set(filtered(make(), new Array(2 * rate).fill(level)))).toEqual(new Set([level]));
    }
  });

  test("gives the same in any blocks, and after a reset", () => holdsInBlocks(make));
});

/** What it has chosen, at the times in s at which that changed. */
function choices(notch: AutomaticNotch, samples: Int32Array): [number, number | null][] {
  const found: [number, number | null][] = [];
  const block = Math.round(notch.rate / 10);
  const out = new Int32Array(block);
  for (let at = 0; at + block <= samples.length; at += block) {
    notch.push(samples.subarray(at, at + block), block, out);
    if (notch.mains() !== (found.at(-1)?.[1] ?? null)) found.push([(at + block) / notch.rate, notch.mains()]);
  }
  return found;
}

const automatic = (rate: number) => createAutomaticNotch(rate, STEP);

describe.each(CASES)("the automatic notch at %i hz, mains %i hz", (rate, mains) => {
  const other = mains === 50 ? 60 : 50;

  test("finds 100 uVpp under an ECG of any rate within 5 s, 0.5 hz off too, and stays", () => {
    for (const bpm of [40, 75, 180, 300]) {
      const beats = ecg({ rate, seconds: 20, beats: every(60 / bpm, 20), microvoltsPerCount: STEP });
      for (const hz of [mains - 0.5, mains, mains + 0.5]) {
        const under = counts(rate, 20, hum(hz, 100));
        const found = choices(
          automatic(rate),
          beats.map((sample, i) => sample + under[i]!),
        );
        expect(found).toEqual([[expect.any(Number), mains]]);
        expect(found[0]![0]).toBeLessThan(5);
      }
    }
  });

  test("then does what the notch for these mains does", () => {
    const samples = counts(rate, 12, hum(mains, 100));
    expect(filtered(automatic(rate), samples).slice(6 * rate)).toEqual(
      filtered(createNotch(rate, mains), samples).slice(6 * rate),
    );
  });

  test("gives up 10 s after the hum at the latest, and changes over to other mains within 10 s", () => {
    const coming = (first: number, then: (time: number) => number) =>
      counts(rate, 40, (time) => (time < 20 ? hum(first, 100)(time) : then(time)));
    const gone = choices(
      automatic(rate),
      coming(mains, () => 0),
    );
    expect(gone.map(([, chosen]) => chosen)).toEqual([mains, null]);
    expect(gone[1]![0]).toBeLessThan(30);
    const moved = choices(automatic(rate), coming(mains, hum(other, 100)));
    expect(moved.map(([, chosen]) => chosen)).toEqual([mains, other]);
    expect(moved[1]![0]).toBeLessThan(30);
  });

  test("leaves 8 uVpp alone: no notch is worth that", () => {
    expect(choices(automatic(rate), counts(rate, 20, hum(mains, 8)))).toEqual([]);
  });
});

describe.each(RATES)("the automatic notch at %i hz, no hum", (rate) => {
  test("takes no QRS for one, narrow and fast ones neither, and lets them pass as they are", () => {
    for (const [bpm, width] of [
      [60, 80],
      [75, 30],
      [180, 40],
      [240, 20],
      [300, 40],
      [300, 20],
    ] as const) {
      const period = 60 / bpm;
      const samples = counts(
        rate,
        60,
        (time) => 2 * triangle(width)(1 + (((time + period / 2) % period) - period / 2)),
      );
      const notch = automatic(rate);
      expect(filtered(notch, samples, [rate])).toEqual(Array.from(samples));
      expect(notch.mains()).toBeNull();
    }
  });

  test("takes noise of any strength for none, 4 minutes long", () => {
    for (const rms of [30, 200]) {
      const noise = gaussianNoise(rms);
      expect(
        choices(
          automatic(rate),
          counts(rate, 240, () => rms * noise()),
        ),
      ).toEqual([]);
    }
  });

  test("gives the same in any blocks, and after a reset", () => {
    holdsInBlocks(() => automatic(rate));
    const notch = automatic(rate);
    const samples = counts(rate, 10, hum(50, 100));
    const first = filtered(notch, samples, [7, 50]);
    expect(notch.mains()).toBe(50);
    notch.reset();
    expect(notch.mains()).toBeNull();
    expect(filtered(notch, samples)).toEqual(first);
  });
});

describe.skipIf(lacks("recordings"))("the automatic notch on recordings", () => {
  const folder = `${dataFolder}/mitdb`;
  const records = readdirSync(folder).filter((name) => name.endsWith(".hea"));

  test("of 24 American records, 5 minutes of both leads, never finds 50 hz, and 60 where 60 is", () => {
    const found = new Set<string>();
    for (const name of records) {
      for (const { samples } of readRecordSync(`${folder}/${name.replace(".hea", "")}`).signals) {
        for (const [, mains] of choices(createAutomaticNotch(360, 5), samples.subarray(0, 300 * 360))) {
          expect(mains).not.toBe(50);
          if (mains === 60) found.add(name.replace(".hea", ""));
        }
      }
    }
    // Each of these has a line at 60 hz some 10 times as high as what is at 59 and 61 hz.
    for (const name of ["203", "207", "209", "215"]) expect(found).toContain(name);
    for (const name of ["101", "112", "115", "119", "220", "230"]) expect(found).not.toContain(name);
  });

  test("finds 100 uVpp of 50 hz in every record without hum within 5 s, and stays for a minute", () => {
    for (const name of ["101", "104", "112", "115", "116", "118", "119", "124", "201", "205", "220", "223", "230"]) {
      const samples = readRecordSync(`${folder}/${name}`).signals[0]!.samples.subarray(0, 60 * 360);
      const noisy = samples.map((sample, i) => sample + Math.round(10 * Math.sin((2 * Math.PI * 50 * i) / 360)));
      const found = choices(createAutomaticNotch(360, 5), noisy);
      expect(found).toEqual([[expect.any(Number), 50]]);
      expect(found[0]![0]).toBeLessThan(5);
    }
  });
});

describe.skipIf(lacks("recordings"))("the notch on recorded beats, two minutes of each of 24", () => {
  const folder = `${dataFolder}/mitdb`;
  const records = readdirSync(folder).filter((name) => name.endsWith(".hea"));

  test("takes 63 uV out of a QRS (95 %: 120) and rings on 0.1 s after it with 12 (95 %: 34)", () => {
    const within: number[] = [];
    const after: number[] = [];
    for (const name of records) {
      const path = `${folder}/${name.replace(".hea", "")}`;
      // 5 uV a count; finer, so that rounding does not show.
      const samples = readRecordSync(path)
        .signals[0]!.samples.subarray(0, 120 * 360)
        .map((sample) => 16 * sample);
      const taken = filtered(createNotch(360, 50), samples).map((one, i) => Math.abs(one - samples[i]!) * (5 / 16));
      for (const { sample, symbol } of readAnnotationsSync(`${path}.atr`)) {
        if (!"NLRVAF/".includes(symbol) || sample < 1000 || sample > samples.length - 500) continue;
        within.push(Math.max(...taken.slice(sample - 36, sample + 36)));
        after.push(Math.max(...taken.slice(sample + 36, sample + 90)));
      }
    }
    const share = (values: number[], part: number) => values.sort((a, b) => a - b)[Math.floor(values.length * part)];
    expect(within.length).toBeGreaterThan(3000);
    expect(share(within, 0.5)).toBeLessThan(65);
    expect(share(within, 0.95)).toBeLessThan(125);
    expect(share(after, 0.5)).toBeLessThan(13);
    expect(share(after, 0.95)).toBeLessThan(36);
  });
});

test("other rates, mains and scales are refused with what to do", () => {
  const make: readonly (() => Filter)[] = [() => createNotch(200, 50), () => createAutomaticNotch(200, 1)];
  for (const one of make) expect(one).toThrow("notch: rate 200 hz is none of 125, 128, 250, 256, 360, 500, 512;");
  expect(() => createNotch(250, 55)).toThrow("notch: mains 55 hz is none of 50, 60; choose one");
  expect(() => createAutomaticNotch(250, 0)).toThrow("notch: 0 uV a count is not above 0; take it from the channel");
});
