/**
 * R-recovery error in SpO2 points: how well an oximeter finds the R that a synthetic finger has. Pulse and estimator share
 * their model here (both lights of one pulse, R times as high in one of them), so this is no accuracy on people (Arms).
 */
import { spo2Of } from "../../firmware/dsp/calibration.ts";
import { referenceDesignCurve } from "../spo2.ts";
import { breath } from "./detections.ts";
import { type Course, type DesaturationRow, desaturationOf, RAMP, rampAt, SETTLING } from "./spo2-desaturation.ts";
import {
  converterNoise,
  convertLight,
  createFinger,
  HIGHEST_CODE,
  type Spo2Condition,
  type SyntheticFinger,
  spo2Conditions,
} from "./spo2-light.ts";
import { createTally, readMeter, type Spo2Figures, type Spo2MeterFactory, type Spo2Tally } from "./spo2-meter.ts";

/** Percent. */
export const SPO2_LEVELS: readonly number[] = [70, 75, 80, 85, 90, 95, 100];
export const PERFUSIONS: readonly number[] = [2, 0.5, 0.2, 0.1];
/** Beats/min. */
export const PULSE_RATES: readonly number[] = [45, 60, 75, 96, 130];
/** Of a run, s. */
export const RUN = 90;
/** As the firmware sets them for this chip. */
export const CHIP_LIMITS = { offBodyBelow: (HIGHEST_CODE + 1) / 16, saturatedAbove: HIGHEST_CODE };

export interface Spo2Row extends Spo2Figures {
  readonly condition: Spo2Condition;
  /** Percent. */
  readonly perfusionIndex: number;
}

export interface Spo2Sweep extends Spo2Figures {
  /** By condition and perfusion, over all SpO2 and pulse rates. */
  readonly rows: readonly Spo2Row[];
  /** The same by true SpO2, percent, over all conditions. */
  readonly levels: readonly (Spo2Figures & { readonly spo2: number })[];
}

/** What a run is of: a place in a table. */
interface Place {
  readonly finger: SyntheticFinger;
  readonly light: ReturnType<typeof convertLight>;
}

const conditions = Object.keys(spo2Conditions) as Spo2Condition[];

/** What is swept; all where absent. */
export interface SweepOptions {
  readonly conditions?: readonly Spo2Condition[] | undefined;
  readonly perfusions?: readonly number[] | undefined;
  readonly levels?: readonly number[] | undefined;
  readonly pulseRates?: readonly number[] | undefined;
  /** Another one gives other beats, motion and noise: 1 where absent. What was tuned with one is held out with another. */
  readonly seed?: number | undefined;
  /** Called after every light, how many there were and how many there will be. What it throws ends the sweep. */
  readonly onPart?: ((done: number, total: number) => void) | undefined;
}

/** Percent, by the reference design's curve. */
export const shownSpo2 = (ratio: number | null): number | null =>
  ratio === null ? null : spo2Of(ratio, referenceDesignCurve);

/** Makes every light once, and lets `visit` run the oximeters over it. */
async function visitLights(fingers: readonly SyntheticFinger[], visit: (place: Place) => void, onPart?: () => void) {
  for (const finger of fingers) {
    visit({ finger, light: convertLight(createFinger(finger), finger.seconds, converterNoise(finger)) });
    onPart?.();
    await breath();
  }
}

function fingersOf(options: SweepOptions) {
  const { pulseRates = PULSE_RATES, seed = 1 } = options;
  const steady: SyntheticFinger[] = [];
  const ramps: SyntheticFinger[] = [];
  for (const condition of options.conditions ?? conditions) {
    for (const perfusionIndex of options.perfusions ?? PERFUSIONS) {
      for (const pulseRate of pulseRates) {
        const about = { condition, perfusionIndex, pulseRate, seed };
        for (const spo2 of options.levels ?? SPO2_LEVELS) steady.push({ ...about, spo2, seconds: RUN });
        ramps.push({ ...about, spo2: rampAt, seconds: RAMP.seconds });
      }
    }
  }
  return { steady, ramps };
}

export interface SweepResult {
  readonly sweep: Spo2Sweep;
  readonly desaturation: readonly DesaturationRow[];
}

/** Runs oximeters over the same lights; a result for each, in their order. The same at every call. */
export async function sweepSpo2(
  factories: readonly Spo2MeterFactory[],
  options: SweepOptions = {},
): Promise<SweepResult[]> {
  const { steady, ramps } = fingersOf(options);
  const total = steady.length + ramps.length;
  let done = 0;
  const onPart = () => options.onPart?.(++done, total);
  const tables = factories.map(createTable);
  const courses = factories.map(() => new Map<string, Course>());
  await visitLights(
    steady,
    ({ finger, light }) => {
      // the curve turns at 99.957 percent: there is no R for 100
      const truth = createFinger(finger).spo2(0);
      for (const [which, factory] of factories.entries()) {
        const readings = readMeter(factory, light, CHIP_LIMITS).slice(SETTLING).map(shownSpo2);
        tables[which]!.add(
          finger,
          readings.map((value) => (value === null ? null : value - truth)),
        );
      }
    },
    onPart,
  );
  await visitLights(
    ramps,
    ({ finger, light }) => {
      const key = `${finger.condition} ${finger.perfusionIndex}`;
      for (const [which, factory] of factories.entries()) {
        const { condition, perfusionIndex } = finger;
        const course = courses[which]!.get(key) ?? { condition, perfusionIndex, runs: [] };
        course.runs.push(readMeter(factory, light, CHIP_LIMITS).map(shownSpo2));
        courses[which]!.set(key, course);
      }
    },
    onPart,
  );
  return factories.map((_, which) => ({
    sweep: tables[which]!.result(),
    desaturation: [...courses[which]!.values()].map(desaturationOf),
  }));
}

/** Errors of one oximeter, gathered by row, by level and in all. */
function createTable() {
  const all = createTally();
  const rows = new Map<string, { condition: Spo2Condition; perfusionIndex: number; tally: Spo2Tally }>();
  const levels = new Map<number, Spo2Tally>();
  return {
    add({ condition, perfusionIndex, spo2 }: SyntheticFinger, errors: readonly (number | null)[]) {
      const key = `${condition} ${perfusionIndex}`;
      const row = rows.get(key) ?? { condition, perfusionIndex, tally: createTally() };
      const level = levels.get(spo2 as number) ?? createTally();
      rows.set(key, row);
      levels.set(spo2 as number, level);
      for (const tally of [all, row.tally, level]) {
        tally.cut();
        for (const error of errors) tally.add(error);
      }
    },
    result: (): Spo2Sweep => ({
      ...all.figures(),
      rows: [...rows.values()].map(({ condition, perfusionIndex, tally }) => ({
        condition,
        perfusionIndex,
        ...tally.figures(),
      })),
      levels: [...levels].map(([spo2, tally]) => ({ spo2, ...tally.figures() })),
    }),
  };
}
