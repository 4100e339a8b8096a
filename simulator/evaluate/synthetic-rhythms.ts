/** Synthetic checks of what is no regular beat of its own: irregular rhythms, tachycardia, fibrillation, pacemakers. */
import { type Add, milliseconds, steady } from "./synthetic-checks.ts";
import { beatTimes, gaussianBeat, type Pulse, standardBeat } from "./synthetic-ecg.ts";
import { allBeats, counted, noRate, nullWithin, rateIs, rateOrNull, rateWithin, type Trial } from "./synthetic-row.ts";
import {
  blockedBeat,
  ectopicBeat,
  fibrillation,
  flutterWaves,
  irregularRhythms,
  pacing,
  repeat,
  scatteredBeats,
  tachycardia,
} from "./synthetic-signals.ts";

export function irregular(add: Add): void {
  for (const cycle of irregularRhythms) {
    const trial = { label: "", seconds: 50, from: 20, ...repeat(cycle, 50) };
    add("irregular rhythm (after EC13 4.1.2.1 e; signals approximated)", cycle.name, rateIs(cycle.rate), [trial]);
  }
}

/** What a monitor sees every day: every beat counts, and none of it is a reason to show no rate. */
export function arrhythmias(add: Add): void {
  const check = "arrhythmia";
  const sinus = { label: "", seconds: 40, from: 12 };
  const withoutP = (_: number, before: number, after: number) => gaussianBeat(1, 0.2, before, after).slice(1);
  for (const f of [0.05, 0.1, 0.2]) {
    const trials = [60, 90, 120, 150, 180].map((rate) => ({
      ...sinus,
      label: `${rate}/min`,
      beats: scatteredBeats(40, rate),
      waves: withoutP,
      background: fibrillation(6, 0.6, f / 2, 3),
    }));
    add(check, `atrial fibrillation, 60 to 180/min, f waves of ${f} mV, R 1 mV`, allBeats, trials, f < 0.2);
  }
  const conducted = [2, 3, 4].map((ratio) => ({
    ...sinus,
    label: `${ratio} to 1`,
    rate: 300 / ratio,
    beats: beatTimes(40, 300 / ratio),
    waves: withoutP,
    background: flutterWaves(0.3),
  }));
  add(check, "atrial flutter, 300/min, 0.3 mV, R 1 mV, conducted 2, 3 and 4 to 1", counted, conducted);
  const blocked = [50, 70, 90, 110, 130].map((rate) => ({
    ...steady(`${rate}/min`, rate, 1, 0.1),
    waves: () => blockedBeat(1.5),
  }));
  add(check, "bundle branch block, QRS 1.5 mV 150 ms, T against it; 50 to 130/min", counted, blocked);
  const ectopic = [2, 3, 4].map((every): Trial => {
    const regular = beatTimes(40, 75);
    const early = new Set(regular.flatMap((time, k) => (k % every === every - 1 ? [time - 0.25] : [])));
    return {
      ...sinus,
      label: `every ${every}.`,
      beats: regular.map((time, k) => (k % every === every - 1 ? time - 0.25 : time)),
      waves: (time, before, after) => (early.has(time) ? ectopicBeat(1.6) : gaussianBeat(1, 0.2, before, after)),
    };
  });
  add(check, "75/min, every second, third, fourth beat ventricular, 250 ms early", allBeats, ectopic);
  const alternans = [60, 100].map((rate): Trial => {
    const beats = beatTimes(40, rate);
    const small = new Set(beats.filter((_, k) => k % 2 === 1));
    const waves = (time: number, before: number, after: number) =>
      gaussianBeat(small.has(time) ? 0.5 : 1, 0.25, before, after);
    return { ...sinus, label: `${rate}/min`, rate, beats, waves };
  });
  add(check, "every second beat half as high; 60 and 100/min", counted, alternans);
  const beats = beatTimes(40, 75).filter((_, k) => k % 4 !== 3);
  add(check, "75/min, every fourth beat missing", allBeats, [{ ...sinus, beats, waves: withoutP }]);
}

export function tachycardias(add: Add): void {
  for (const [height, rate] of [
    [1, 206],
    [2, 195],
    [1, 270],
  ] as const) {
    const check =
      rate > 240 ? "ventricular flutter" : "ventricular tachycardia (after EC13 4.1.2.1 g; signals approximated)";
    const condition = `near a sine, ${rate}/min, ${height} mVpp, half and double of it`;
    const trials = [0.5, 1, 2].map((factor) => ({
      label: `${height * factor} mVpp`,
      seconds: 40,
      from: 0,
      background: tachycardia(height * factor, rate),
    }));
    add(check, condition, rateOrNull(rate), trials);
    if (rate < 240) add(check, condition, rateWithin(10, rate), trials, false);
  }
}

export function fibrillations(add: Add): void {
  const check = "ventricular fibrillation";
  for (const [frequency, spread, rms] of [
    [3.5, 0.8, 0.5],
    [4, 0.6, 0.4],
    [5, 1, 0.3],
    [6, 1, 0.2],
    [5, 1, 0.1],
  ] as const) {
    const condition = `noise about ${frequency} hz (+-${spread} hz), ${rms} mV RMS`;
    const trials = [1, 2, 3, 4, 5, 6].map((seed) => ({
      label: `seed ${seed}`,
      seconds: 30,
      from: 0,
      background: fibrillation(frequency, spread, rms, seed),
    }));
    add(check, condition, noRate, trials);
    const beats = beatTimes(20, 80);
    const after = trials.slice(0, 3).map(
      ({ label, background }): Trial => ({
        label,
        seconds: 40,
        from: 20,
        beats,
        waves: () => standardBeat(1, 0.1, 0.2),
        background: (time) => (time < 20 ? 0 : background(time)),
      }),
    );
    add(check, `${condition}, after 20 s of 80/min`, nullWithin(10), after);
  }
}

type Kind = readonly [label: string, pulse: Omit<Pulse, "at">];

const WIDTHS = [0.0001, 0.0005, 0.002];
const TAILS = [0.004, 0.015, 0.05, 0.1];
/** What two converters take, mV: MAX30003 at a gain of 20, ADS1292R at 6. */
const RANGES = [50, 400];
/** No multiple of a sampling interval: pulses come at all places between two samples. */
const PACED = 70.3;
const BEFORE_R = 0.06;

/** Both signs. */
const plain = (height: number, widths: readonly number[] = WIDTHS): Kind[] =>
  [height, -height].flatMap((signed) =>
    widths.map((width): Kind => [`${signed} mV ${milliseconds(width)}`, { height: signed, width }]),
  );

/** After EC13 4.1.4.2: a tail of 2.5 and 25 % of the pulse, 2 mV at most, against it. */
const tailed = (height: number): Kind[] =>
  [0.025, 0.25].flatMap((part) =>
    TAILS.map((decay): Kind => {
      const overshoot = -Math.min(2, height * part);
      return [`tail ${-overshoot} mV ${milliseconds(decay)}`, { height, width: 0.001, overshoot, decay }];
    }),
  );

/** Every kind of pulse into every converter, over beats of a rate; 0: none. `apart`: another one so long before each, s. */
function paced(kinds: readonly Kind[], rate: number, apart = 0): Trial[] {
  const beats = rate === 0 ? [] : beatTimes(30, rate);
  return kinds.flatMap(([label, pulse]) =>
    RANGES.map((range) => ({
      label: `${label}, range ${range} mV`,
      seconds: 30,
      from: rate === 0 ? 0 : 12,
      range,
      beats,
      waves: () => standardBeat(1, 0.1, 0.2),
      pulses: [...pacing(30, PACED, pulse, BEFORE_R), ...(apart > 0 ? pacing(30, PACED, pulse, BEFORE_R + apart) : [])],
    })),
  );
}

export function pacemakers(add: Add): void {
  const captured = "60 ms before the R of every beat, QRS 1 mV 100 ms";
  for (const height of [2, 5, 20, 100, 700]) {
    const check = "pacing pulses (after EC13 4.1.4.1)";
    const pulses = `+-${height} mV, 0.1 to 2 ms, ${PACED}/min`;
    add(check, `${pulses}, no beat`, noRate, paced(plain(height), 0));
    add(check, `${pulses}, over a rhythm of 30/min`, rateIs(30), paced(plain(height), 30));
    add(check, `${pulses}, ${captured}`, rateIs(PACED), paced(plain(height), PACED));
  }
  for (const apart of [0.15, 0.25]) {
    const check = "pacing pulses in pairs (after EC13 4.1.4.1)";
    const pulses = `+-2 and +-700 mV, 0.5 and 2 ms, ${milliseconds(apart)} apart, ${PACED}/min`;
    const kinds = [2, 700].flatMap((height) => plain(height, [0.0005, 0.002]));
    add(check, `${pulses}, no beat`, noRate, paced(kinds, 0, apart));
    add(check, `${pulses}, the second ${captured}`, rateIs(PACED), paced(kinds, PACED, apart));
  }
  for (const height of [2, 20, 700]) {
    const check = "pacing pulses with tails (after EC13 4.1.4.2)";
    const pulses = `${height} mV, 1 ms, tails of 2.5 and 25 % (2 mV at most), 4 to 100 ms, ${PACED}/min`;
    add(check, `${pulses}, no beat`, noRate, paced(tailed(height), 0), false);
    add(check, `${pulses}, ${captured}`, rateIs(PACED), paced(tailed(height), PACED));
  }
}
