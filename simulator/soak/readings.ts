/** A thermometer's own readings of a record against its converter: single values, each with its time. */
import type { SoakChip } from "./plan.ts";
import { type Conversions, SECOND, type SoakTruth } from "./truth.ts";
import { RULES } from "./vitals.ts";
import { type Flagged, LATENCY, type Stored } from "./waves.ts";

export interface ReadingReport {
  readonly channel: string;
  stored: number;
  /** No conversion of the last while had this value. */
  wrong: number;
  /**
   * It could not be the patient's, has no flag, and is not what the skin has either: later than the latency, and within it. By
   * kind of fault. A stuck one that is right is no more than usual (vitals.ts).
   */
  readonly falseGood: Record<string, number>;
  readonly late: Record<string, number>;
  readonly clean: Flagged;
}

/** Nothing was wrong with the chip for so long, us: a thermometer calls nothing settled before (vitals.ts). */
const SETTLED = 120 * SECOND;
const OPENING = 400 * SECOND;
/** A reading is dated to within its interval, us. */
const NEAR = 2.5 * SECOND;

/** Codes of a TMP117 to a degree Celsius. */
const PER_DEGREE = 128;

export interface ReadingJudge {
  readonly report: ReadingReport;
  take(value: number, flags: number, time: number): Stored;
}

export function createReadingJudge(truth: SoakTruth, chip: SoakChip, channel: string): ReadingJudge {
  const conversions: Conversions = truth.conversions(chip, channel);
  const report: ReadingReport = {
    channel,
    stored: 0,
    wrong: 0,
    falseGood: {},
    late: {},
    clean: { samples: 0, flagged: 0 },
  };
  const isConverted = (value: number, time: number) => {
    for (let i = conversions.firstAt(time - NEAR); i < conversions.count && conversions.at(i) <= time + NEAR; i++) {
      if (conversions.value(i) === value) return true;
    }
    return false;
  };
  const isRight = (value: number, time: number) =>
    RULES.temperature.error(truth, value / PER_DEGREE, time / SECOND) <= 1;
  return {
    report,
    take(value, flags, time) {
      report.stored++;
      if (!isConverted(value, time)) report.wrong++;
      if (time >= OPENING && truth.isSound(chip, time - SETTLED, time + SECOND)) {
        report.clean.samples++;
        if (flags !== 0) report.clean.flagged++;
      }
      if (flags === 0) {
        for (const { kind, from, to } of truth.touching(chip, time, time)) {
          if (time < from || time >= to || kind !== "stuck-value") continue;
          if (isRight(value, time)) continue;
          const counts = time - from >= LATENCY[kind] ? report.falseGood : report.late;
          counts[kind] = (counts[kind] ?? 0) + 1;
        }
      }
      return { from: time, to: time, firstAt: () => time };
    },
  };
}
