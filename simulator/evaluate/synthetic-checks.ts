/** Synthetic checks of regular beats: rate, QRS, T, disturbances, changes. Rates are beats/min, heights mV, durations s. */
import { createRandom } from "../random.ts";
import { beatTimes, gaussianBeat, standardBeat } from "./synthetic-ecg.ts";
import {
  counted,
  noRate,
  nullWithin,
  type Requirement,
  rateIs,
  rateOrNull,
  rateWithin,
  type Trial,
} from "./synthetic-row.ts";
import { atrialWave, drifts } from "./synthetic-signals.ts";

/** Adds a row: what is checked, the signal, what is required of it, its trials; `claimed` false: only reported. */
export type Add = (
  check: string,
  condition: string,
  requirement: Requirement,
  trials: readonly Trial[],
  claimed?: boolean,
) => void;

export const milliseconds = (seconds: number): string => `${Math.round(seconds * 10000) / 10} ms`;

/**
 * Beats alike, all readings from 12 s on (30 s where they are rare); T none, or of `t` mV. The rate is a thousandth off,
 * towards the middle of the range, so that beats come at all places between two samples and of mains and drift.
 */
export function steady(label: string, rate: number, height: number, duration: number, t = 0): Trial {
  const seconds = rate < 30 ? 60 : 30;
  const beats = beatTimes(seconds, rate < 100 ? rate * 1.0013 : rate * 0.9987);
  return { label, seconds, rate, from: rate < 30 ? 30 : 12, beats, waves: () => standardBeat(height, duration, t) };
}

const ADULT = [0.07, 0.1, 0.12] as const;
const CHILD = [0.04, 0.05, 0.06] as const;

export function rates(add: Add): void {
  for (const rate of [15, 20, 30, 60, 80, 120, 180, 200, 240, 250, 300, 350, 400]) {
    const trials = [0.04, 0.07, 0.1].map((duration) => steady(milliseconds(duration), rate, 1, duration));
    // at the very ends of the range the last bit decides
    const requirement = rate > 15 && rate < 300 ? rateIs(rate) : rateOrNull(rate);
    add(
      "heart rate (after IEC 60601-2-27, 201.12.1.101.15)",
      `${rate}/min, QRS 1 mV, 40 to 100 ms`,
      requirement,
      trials,
    );
  }
}

export function sizes(add: Add): void {
  const check = "QRS size (after IEC 60601-2-27, 201.12.1.101.15)";
  const size = (
    durations: readonly number[],
    heights: readonly number[],
    who = "",
    speeds: readonly number[] = [30, 80, 200, 250],
  ) => {
    const ends = durations.length === 1 ? durations : [durations[0]!, durations.at(-1)!];
    const condition = `${ends.map(milliseconds).join(" to ")}${who}, ${heights[0]} to ${heights.at(-1)} mV; ${speeds[0]} to ${speeds.at(-1)}/min`;
    const trials = durations.flatMap((duration) =>
      heights.flatMap((height) =>
        speeds.map((rate) => steady(`${height} mV ${milliseconds(duration)} ${rate}/min`, rate, height, duration)),
      ),
    );
    add(check, condition, counted, trials);
  };
  const usual = [0.5, 1, 2, 5];
  const low = [0.15, 0.2, 0.3];
  size(ADULT, usual, " (adults)");
  size(CHILD, usual, " (children)");
  size(ADULT, low);
  size(CHILD, low);
  size([0.02, 0.03], usual);
  size([0.02, 0.03], low);
  size([0.15], [...low, ...usual], "", [30, 80, 200]);
  // 240 ms from beat to beat: near a sine
  const wide = [...low, ...usual].map((height) => steady(`${height} mV`, 250, height, 0.15));
  add(check, "150 ms, 0.15 to 5 mV; 250/min", rateOrNull(250), wide);
  const small = (condition: string, height: number, duration: number) => {
    const trials = [30, 80, 200].map((rate) => steady(`${rate}/min`, rate, height, duration));
    add("QRS too small to count", condition, noRate, trials, false);
  };
  small("0.1 mV, 100 ms", 0.1, 0.1);
  small("1 mV, 10 ms", 1, 0.01);
}

export function tallT(add: Add): void {
  for (const t of [0.6, 0.9, 1.2]) {
    const condition = `T ${t} mV of 180 ms, QRS 1 mV 100 ms, QT 350 ms, 80/min`;
    add("tall T (after EC13 4.1.2.1 c)", condition, rateIs(80), [steady("", 80, 1, 0.1, t)]);
  }
  // T half way between two R
  const evenly = [90, 95, 100, 105, 110, 115, 120].map((rate) => {
    const qt = 33 / rate;
    return { ...steady(`${rate}/min`, rate, 1, 0.09), waves: () => standardBeat(1, 0.09, 0.5, qt, 15 / rate) };
  });
  add("T", "T 0.5 mV, QRS 1 mV 90 ms, QT 0.55 of RR; 90 to 120/min", counted, evenly);
  const against = [1, -1].flatMap((sign) =>
    [25, 40, 60, 90, 105, 120].map((rate) => ({
      ...steady(`QRS ${sign} mV, ${rate}/min`, rate, sign, 0.08),
      waves: () => standardBeat(sign, 0.08, -0.55 * sign, Math.min(0.35, 33 / rate), Math.min(0.18, 15 / rate)),
    })),
  );
  add("T", "T 0.55 mV against a QRS of 1 mV 80 ms, either way up; 25 to 120/min", counted, against);
  for (const t of [0.6, 0.9, 1.2]) {
    const waves = (_: number, before: number, after: number) => gaussianBeat(1, t, before, after);
    add("tall T", `Gaussians: R 1 mV with Q and S, T ${t} mV; 80/min`, rateIs(80), [
      { ...steady("", 80, 1, 0.1), waves },
    ]);
  }
}

export function disturbances(add: Add): void {
  const alone = { label: "", seconds: 30, from: 0 };
  for (const hertz of [50, 60]) {
    const background = (time: number) => 0.05 * drifts.sine(hertz * time);
    const trials = [0.15, 0.2, 0.5].flatMap((height) =>
      ADULT.map((duration) => ({
        ...steady(`${height} mV ${milliseconds(duration)}`, 80, height, duration),
        background,
      })),
    );
    const mains = `${hertz} hz, 100 uVpp`;
    add("mains (after EC13)", `${mains}; QRS 0.15 to 0.5 mV, 70 to 120 ms, 80/min`, counted, trials);
    add("mains", `${mains}, no beat`, noRate, [{ ...alone, background }]);
  }
  for (const [shape, wave] of Object.entries(drifts)) {
    for (const hertz of [0.1, 0.3, 0.5]) {
      const background = (time: number) => 2 * wave(hertz * time);
      const trials = ADULT.map((duration) => ({ ...steady(milliseconds(duration), 80, 0.5, duration), background }));
      const drift = `${shape} of 4 mVpp, ${hertz} hz`;
      add("drift (after EC13)", `${drift}; QRS 0.5 mV, 70 to 120 ms, 80/min`, rateIs(80), trials);
      add("drift", `${drift}, no beat`, noRate, [{ ...alone, background }]);
    }
  }
  for (const microvolts of [10, 30]) {
    const noise = () => ({ rms: microvolts / 1000, random: createRandom("white noise") });
    const white = `white, ${microvolts} uV RMS`;
    add("noise", `${white}; QRS 0.5 mV 100 ms, 80/min`, counted, [{ ...steady("", 80, 0.5, 0.1), noise: noise() }]);
    add("noise", `${white}, no beat`, noRate, [{ ...alone, noise: noise() }]);
  }
}

/** What is small against a beat must not become one while the next is far. */
export function slow(add: Add): void {
  const background = (time: number) => 0.7 * drifts.sine(0.3 * time);
  for (const rate of [16, 20, 30]) {
    const trials = [0.04, 0.1].map((duration) => ({
      ...steady(milliseconds(duration), rate, 1, duration),
      background,
      noise: { rms: 0.01, random: createRandom("noise between beats") },
    }));
    const condition = `${rate}/min; QRS 1 mV, 40 and 100 ms, drift of 1.4 mVpp, 0.3 hz, white noise of 10 uV RMS`;
    add("slow heart", condition, counted, trials);
  }
}

export function changes(add: Add): void {
  const waves = () => standardBeat(1, 0.1, 0.2);
  for (const to of [120, 40]) {
    const trials = [0, 1, 2, 3].map((k): Trial => {
      const beats = beatTimes(60, (time) => (time < 30 ? 80 : to), 0.3 + k * 0.19);
      const last = beats.findLastIndex((time) => time < 30);
      return { label: `start ${k}`, seconds: 60, from: beats[last]!, beats, waves };
    });
    const condition = `80 to ${to}/min; QRS 1 mV 100 ms, T 0.2 mV`;
    add("step (after EC13 4.1.2.1 f)", condition, rateWithin(11, to), trials);
  }
  const ceasing = (rate: number, more: object = {}): Trial => {
    const beats = beatTimes(20, rate);
    return { label: `${rate}/min`, seconds: 40, from: beats.at(-1)!, beats, waves, ...more };
  };
  const stop = (condition: string, trials: readonly Trial[]) => add("asystole", condition, nullWithin(4), trials);
  stop("from 80/min", [ceasing(80)]);
  stop(
    "from 30, 60, 120, 200 and 250/min",
    [30, 60, 120, 200, 250].map((rate) => ceasing(rate)),
  );
  const under = (time: number) => 0.05 * drifts.sine(50 * time) + 0.5 * drifts.sine(0.2 * time);
  stop("from 80/min, over mains of 100 uVpp and a drift of 1 mVpp, 0.2 hz", [ceasing(80, { background: under })]);
  const noise = { rms: 0.02, random: createRandom("noise after the last beat") };
  stop("from 80/min, over white noise of 20 uV RMS", [ceasing(80, { noise })]);
  for (const p of [0.1, 0.2]) {
    const ventricles = beatTimes(20, 80);
    const atria = beatTimes(40, 80).map((time) => time - 0.16);
    const background = (time: number) => {
      const nearest = atria[Math.max(0, Math.min(atria.length - 1, Math.round((time - atria[0]!) / 0.75)))]!;
      return atrialWave(p).at(time - nearest);
    };
    const condition = `from 80/min, P waves of ${p} mV going on`;
    add("ventricular standstill", condition, nullWithin(4), [ceasing(80, { beats: ventricles, background })], p <= 0.1);
  }
}
