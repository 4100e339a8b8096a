/** What an oximeter shows when something happens to its finger, and how soon it is right again after it. */
import type { LightArtefact } from "../light-artefacts.ts";
import { breath } from "./detections.ts";
import { converterNoise, convertLight, createFinger, type SyntheticFinger } from "./spo2-light.ts";
import { createTally, readMeter, rounded, type Spo2MeterFactory } from "./spo2-meter.ts";
import { CHIP_LIMITS, shownSpo2 } from "./spo2-sweep.ts";

/** When it begins and ends, s, and the run. */
const FROM = 30;
const SECONDS = 75;
const span = (seconds: number) => ({ from: FROM, to: FROM + seconds });

interface Incident {
  readonly words: string;
  readonly artefact: LightArtefact;
}

const incidents: readonly Incident[] = [
  { words: "finger off for 0.5 s", artefact: { kind: "finger off", ...span(0.5) } },
  { words: "finger off for 10 s", artefact: { kind: "finger off", ...span(10) } },
  { words: "converter at its end for 5 s", artefact: { kind: "clipping", ...span(5), light: 900 } },
  {
    words: "probe shifted, red x 0.7, infrared x 0.8, for 15 s",
    artefact: { kind: "probe shift", ...span(15), red: 0.7, infrared: 0.8 },
  },
  {
    words: "perfusion a quarter for 15 s",
    artefact: { kind: "perfusion", ...span(15), factor: 0.25 },
  },
  {
    words: "one jerk of 1.5 s, 20 times the pulse",
    artefact: { kind: "motion", ...span(1.5), amplitude: 20 },
  },
  {
    words: "motion for 30 s, twice the pulse",
    artefact: { kind: "motion", ...span(30), amplitude: 2 },
  },
  {
    words: "motion for 30 s at 1.4 to 1.6 hz, twice the pulse",
    artefact: { kind: "motion", ...span(30), amplitude: 2, band: [1.4, 1.6] },
  },
  {
    words: "motion for 30 s, a third of it each light's own",
    artefact: { kind: "motion", ...span(30), amplitude: 2, difference: 1 / 3 },
  },
];

const LEVELS = [75, 95];
const PERFUSIONS = [2, 0.5];
const PULSE_RATES = [60, 90];

export interface IncidentRow {
  readonly incident: string;
  /** Percent. */
  readonly perfusionIndex: number;
  /** Seconds with a value while it lasts, its first second apart, percent; null where it is over by then. */
  readonly shownDuring: number | null;
  /** Largest and root mean square error of what was shown from its begin on, SpO2 points; null: nothing was. */
  readonly worst: number | null;
  readonly rms: number | null;
  /** Seconds with a value after its end, percent. */
  readonly shownAfter: number;
  /** From its end until a value is shown, s, the longest of all runs; null: in one there was none. */
  readonly back: number | null;
}

/** The same at every call with the same seed; a list for each oximeter, in their order. */
export async function runIncidents(factories: readonly Spo2MeterFactory[], seed = 1): Promise<IncidentRow[][]> {
  const rows = factories.map((): IncidentRow[] => []);
  for (const incident of incidents) {
    for (const perfusionIndex of PERFUSIONS) {
      const runs = lightsOf(incident, perfusionIndex, seed);
      for (const [which, factory] of factories.entries()) {
        rows[which]!.push(rowOf(incident, perfusionIndex, runs, factory));
      }
      await breath();
    }
  }
  return rows;
}

function lightsOf({ artefact }: Incident, perfusionIndex: number, seed: number) {
  return LEVELS.flatMap((spo2) =>
    PULSE_RATES.map((pulseRate) => {
      const finger: SyntheticFinger = {
        ...{ condition: "quiet", spo2, perfusionIndex, pulseRate, seed, seconds: SECONDS },
        artefacts: [artefact],
      };
      return { spo2, light: convertLight(createFinger(finger), SECONDS, converterNoise(finger)) };
    }),
  );
}

function rowOf(
  { words, artefact }: Incident,
  perfusionIndex: number,
  runs: ReturnType<typeof lightsOf>,
  factory: Spo2MeterFactory,
): IncidentRow {
  const errors = createTally();
  const after = createTally();
  const during = createTally();
  const backs = runs.map(({ spo2, light }) => {
    let back: number | null = null;
    for (const [at, ratio] of readMeter(factory, light, CHIP_LIMITS).entries()) {
      const time = at + 1;
      const value = shownSpo2(ratio);
      if (time <= artefact.from) continue;
      errors.add(value === null ? null : value - spo2);
      if (time <= artefact.to) {
        if (time > artefact.from + 1) during.add(value === null ? null : 0);
        continue;
      }
      after.add(value === null ? null : 0);
      if (value !== null && back === null) back = time - artefact.to;
    }
    return back;
  });
  const { worst, arms } = errors.figures();
  return {
    ...{ incident: words, perfusionIndex, worst, rms: arms },
    shownDuring: during.figures().seconds === 0 ? null : during.figures().shown,
    shownAfter: after.figures().shown,
    back: backs.some((back) => back === null) ? null : rounded(Math.max(...(backs as number[]))),
  };
}
