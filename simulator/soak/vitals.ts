/** Vitals of a record against the patient: is a value that is called good true, and is one that could be told told? */
import { FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { INPUTS, type SoakChip } from "./plan.ts";
import { SECOND, type SoakTruth } from "./truth.ts";

export type VitalName = "heartRate" | "rrInterval" | "pulseRate" | "spo2" | "perfusionIndex" | "temperature";

interface Rule {
  readonly chip: SoakChip;
  readonly unit: string;
  /** So old may be what it is computed from, us: longer without a patient, and it could not be. */
  readonly window: number;
  /** So long after the last thing that was wrong with the chip, and after the start, it has to be told, us. */
  readonly settled: number;
  readonly opening: number;
  /**
   * A value that does not change says nothing: skin at rest moves a thermometer's reading by less than its noise, so that one
   * code for a minute is usual. Such a value is judged by its truth alone, and counted apart.
   */
  readonly isSlow?: boolean;
  /** How far from the truth it is, in tolerances: right up to 1. `time`: of the value, s. */
  error(truth: SoakTruth, value: number, time: number): number;
}

/** Beats a minute, and share of the true rate, whichever is more (as the accuracy of rates is told elsewhere: docs/accuracy.md). */
const RATE = 5;
const RATE_SHARE = 0.1;
/** A rate is that of the intervals of the last 10 s, at least 3 of them: any such window of the truth will do, s. */
const RATE_WINDOWS = [3.5, 5, 7.5, 10];
/** ms; and how far from a true beat an interval may end, s. */
const RR = 30;
const RR_PLACE = 0.25;
/** Points. */
const SPO2 = 4;
/** Times the patient's, or its inverse. */
const PERFUSION = 2;
/** Cel, against the skin of the last so many s. */
const TEMPERATURE = 0.5;
const TEMPERATURE_WINDOW = 12;

const MINUTE = 60;

/** `times` rising, s. */
function rateError(times: readonly number[], value: number, now: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const window of RATE_WINDOWS) {
    const last = times.filter((time) => time >= now - window);
    if (last.length < 2) continue;
    const rate = (MINUTE * (last.length - 1)) / (last.at(-1)! - last[0]);
    least = Math.min(least, Math.abs(value - rate) / Math.max(RATE, RATE_SHARE * rate));
  }
  return least;
}

/** A pulse is told when it has come, and a beat when it is over: the newest may not be known yet, nor older ones. */
const rateRule = (chip: SoakChip, pick: "beats" | "pulses"): Rule => ({
  chip,
  unit: "/min",
  window: 3 * SECOND,
  settled: 15 * SECOND,
  opening: 30 * SECOND,
  error: (truth, value, time) => rateError(truth[pick](time - 14, time), value, time),
});

export const RULES: Readonly<Record<VitalName, Rule>> = {
  heartRate: rateRule("max30003", "beats"),
  rrInterval: {
    chip: "max30003",
    unit: "ms",
    window: 3 * SECOND,
    settled: 15 * SECOND,
    opening: 30 * SECOND,
    error(truth, value, time) {
      const beats = truth.beats(time - 5, time + RR_PLACE);
      let least = Number.POSITIVE_INFINITY;
      for (let i = 1; i < beats.length; i++) {
        if (Math.abs(beats[i] - time) > RR_PLACE) continue;
        least = Math.min(least, Math.abs(value - (beats[i] - beats[i - 1]) * 1000) / RR);
      }
      return least;
    },
  },
  pulseRate: rateRule("max30102", "pulses"),
  spo2: {
    chip: "max30102",
    unit: "%",
    window: 8 * SECOND,
    settled: 15 * SECOND,
    opening: 30 * SECOND,
    error: (truth, value, time) => Math.abs(value - truth.patient.ppg.spo2(time)) / SPO2,
  },
  perfusionIndex: {
    chip: "max30102",
    unit: "%",
    window: 8 * SECOND,
    settled: 15 * SECOND,
    opening: 30 * SECOND,
    error(truth, value) {
      const times = value / truth.patient.truth.perfusionIndex;
      return Math.max(times, 1 / times) / PERFUSION;
    },
  },
  temperature: {
    chip: "tmp117",
    unit: "Cel",
    window: 3 * SECOND,
    // it calls nothing settled that has not been watched for 64 s (firmware/dsp/temperature.ts)
    settled: 120 * SECOND,
    opening: 400 * SECOND,
    isSlow: true,
    error(truth, value, time) {
      let least = Number.POSITIVE_INFINITY;
      for (let before = 0; before <= TEMPERATURE_WINDOW; before += TEMPERATURE_WINDOW / 4) {
        const skin = truth.patient.signals.temperature(Math.max(0, time - before), 0);
        least = Math.min(least, Math.abs(value - skin) / TEMPERATURE);
      }
      return least;
    },
  },
};

export const VITALS = Object.keys(RULES) as VitalName[];

/** Why a good value is false. */
export type FalseGood = "wrong" | "absent" | "unheard";

/** One value that is told as good, and is not: for a person to look at. */
export interface Finding {
  readonly what: string;
  readonly why: string;
  /** s of board time. */
  readonly at: number;
  readonly value: number;
  /** What it should have been near; null: nothing. */
  readonly truth: number | null;
  /** The kind of fault behind it, as far as can be told; and what else was wrong with the chip around it. */
  readonly kind: string;
  readonly faults: string;
}

export interface VitalReport {
  readonly vital: VitalName;
  values: number;
  /** Not null, and no flag but that of no calibration. */
  good: number;
  readonly falseGood: Record<FalseGood, number>;
  /** Of a slow quantity, of a converter that is stuck, and right: not false. */
  stuckRight: number;
  /** By what was wrong with the chip. */
  readonly during: Record<string, number>;
  /** Values while nothing is wrong, and has not been for long enough; those of them that are null or flagged, by their flags. */
  clean: number;
  falseBad: number;
  readonly flags: Record<string, number>;
  /** As false bad, but apart: SpO2 and perfusion index of a chip whose LEDs were swapped, which the firmware holds back until the chip is opened again. */
  heldBack: number;
}

export interface VitalJudge {
  readonly report: VitalReport;
  /** `time`: board time, us; `heard`: of the newest sample of its chip that the record has by then. */
  take(value: number | null, flags: number, time: number, heard: number): void;
  /** At the end, us: what should have been told by then. */
  end(until: number): void;
}

/** A value may be read so long after the last sample of its chip, and what was asked before, us. */
const UNHEARD = SECOND;
/** Before a fault begins a value may already be flagged: it was read later, us. */
const BEFORE = SECOND / 2;
/** Faults named beside a finding: those of the last so many us. */
const AROUND = 20 * SECOND;

export const faultsAround = (truth: SoakTruth, chip: SoakChip, time: number): string =>
  truth
    .touching(chip, time - AROUND, time)
    .map(({ kind, from, to }) => `${kind} ${(from / SECOND).toFixed(3)}-${(to / SECOND).toFixed(3)}`)
    .join(", ");

/** The kind of the last fault before a time: of what the chip measures, else of the chip, else of its bus or its host. */
export function blamed(truth: SoakTruth, chip: SoakChip, time: number): string {
  const spans = truth.touching(chip, time - AROUND, time);
  const measured = spans.findLast(({ kind }) => INPUTS.includes(kind));
  return (measured ?? spans.findLast((span) => span.chip === chip) ?? spans.at(-1))?.kind ?? "nothing";
}

export function createVitalJudge(truth: SoakTruth, vital: VitalName, tell: (finding: Finding) => void): VitalJudge {
  const rule = RULES[vital];
  const { chip } = rule;
  const report: VitalReport = {
    vital,
    values: 0,
    good: 0,
    falseGood: { wrong: 0, absent: 0, unheard: 0 },
    stuckRight: 0,
    during: {},
    clean: 0,
    falseBad: 0,
    flags: {},
    heldBack: 0,
  };
  const swaps =
    vital === "spo2" || vital === "perfusionIndex" ? truth.spans.filter(({ kind }) => kind === "swapped-leds") : [];
  /** Of the last value, us. */
  let toldAt = 0;
  /** LEDs were swapped since the last value, and an R that no blood has is why there is none. */
  const isHeldBack = (flags: number, time: number) =>
    (flags & FLAG_UNCALIBRATED) !== 0 && swaps.some(({ from, to }) => from < time && to > toldAt);
  const isSound = (time: number) => time >= rule.opening && truth.isSound(chip, time - rule.settled, time + BEFORE);
  const intervals = vital === "rrInterval" ? createIntervals(truth, report, isSound) : null;

  const reasonOf = (value: number, time: number, heard: number): FalseGood | null => {
    if (truth.isAbsent(chip, time - rule.window, time, rule.isSlow ? "stuck-value" : null)) return "absent";
    if (time - heard > rule.window + UNHEARD) return "unheard";
    return rule.error(truth, value, time / SECOND) > 1 ? "wrong" : null;
  };
  return {
    report,
    take(value, flags, time, heard) {
      report.values++;
      if (value !== null) toldAt = time;
      const isGood = value !== null && (flags & ~FLAG_UNCALIBRATED) === 0;
      if (isGood) {
        report.good++;
        const reason = reasonOf(value, time, heard);
        if (reason === null && rule.isSlow && truth.isAbsent(chip, time - rule.window, time)) report.stuckRight++;
        if (reason !== null) {
          report.falseGood[reason]++;
          const kind = blamed(truth, chip, time);
          report.during[kind] = (report.during[kind] ?? 0) + 1;
          const at = time / SECOND;
          const faults = faultsAround(truth, chip, time);
          tell({ what: vital, why: reason, at, value, truth: truthOf(truth, vital, at), kind, faults });
        }
        intervals?.found(time);
      }
      if (intervals !== null || !isSound(time)) return;
      report.clean++;
      if (isGood) return;
      if (value === null && isHeldBack(flags, time)) {
        report.heldBack++;
        return;
      }
      report.falseBad++;
      const key = value === null ? `null ${flags}` : String(flags);
      report.flags[key] = (report.flags[key] ?? 0) + 1;
    },
    end: (until) => intervals?.end(until),
  };
}

/** What a value is held against, for a person; null: it is a matter of more than one number. */
function truthOf(truth: SoakTruth, vital: VitalName, at: number): number | null {
  const { patient } = truth;
  const rate = (times: readonly number[]) =>
    times.length < 2 ? null : (MINUTE * (times.length - 1)) / (times.at(-1)! - times[0]);
  switch (vital) {
    case "heartRate":
      return rate(truth.beats(at - 10, at));
    case "pulseRate":
      return rate(truth.pulses(at - 10, at));
    case "rrInterval": {
      const beats = truth.beats(at - 5, at + RR_PLACE);
      return beats.length < 2 ? null : (beats.at(-1)! - beats.at(-2)!) * 1000;
    }
    case "spo2":
      return patient.ppg.spo2(at);
    case "perfusionIndex":
      return patient.truth.perfusionIndex;
    case "temperature":
      return patient.signals.temperature(at, 0);
  }
}

/** An interval is never null: of those that the heart made while nothing was wrong, some may be missing. */
function createIntervals(truth: SoakTruth, report: VitalReport, isSound: (time: number) => boolean) {
  /** Ends of those that were told, s, of the last while. */
  let told: number[] = [];
  let judged = 0;
  /** Looked at in pieces, when none of them can come any more, s. */
  const PIECE = 30;
  const LATE = 10;
  const judge = (to: number) => {
    for (const beat of truth.beats(judged, to)) {
      if (!isSound(beat * SECOND)) continue;
      report.clean++;
      if (told.some((time) => Math.abs(time - beat) <= RR_PLACE)) continue;
      report.falseBad++;
      report.flags.missing = (report.flags.missing ?? 0) + 1;
    }
    told = told.filter((time) => time > to - 1);
    judged = to;
  };
  return {
    found(time: number) {
      const at = time / SECOND;
      told.push(at);
      if (at > judged + PIECE + LATE) judge(judged + PIECE);
    },
    end: (until: number) => judge(Math.max(judged, until / SECOND)),
  };
}
