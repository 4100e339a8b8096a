/** How soon a chip is in the record again after a fault. */
import type { SoakChip } from "./plan.ts";
import { type FaultSpan, isInterrupting, SECOND, type SoakTruth } from "./truth.ts";
import type { Stored } from "./waves.ts";

/** A sensor that can come back does so within so long, us. */
export const BACK_WITHIN = 5 * SECOND;

export interface RecoveryReport {
  /** By kind of fault, us: one for every chip that it touches. */
  readonly delays: Record<string, number[]>;
  /** Ends after which another interruption came before the first sample. */
  overlapped: number;
  /** Later than BACK_WITHIN, or not at all. */
  late: number;
}

export interface RecoveryJudge {
  readonly report: RecoveryReport;
  /** A chip's samples are in the record. */
  heard(chip: SoakChip, stored: Stored): void;
  /** At the end, us. */
  end(until: number): void;
}

export interface Late {
  readonly span: FaultSpan;
  readonly chip: SoakChip;
  /** us; null: it has not come back. */
  readonly delay: number | null;
}

export function createRecoveryJudge(
  truth: SoakTruth,
  chips: readonly SoakChip[],
  tell: (late: Late) => void,
): RecoveryJudge {
  const report: RecoveryReport = { delays: {}, overlapped: 0, late: 0 };
  const waiting = new Map(
    chips.map((chip) => [
      chip,
      truth.spans.filter(({ touches }) => touches.includes(chip)).sort((a, b) => a.to - b.to),
    ]),
  );
  const places = new Map(chips.map((chip) => [chip, 0]));
  const isHeldUp = (own: FaultSpan, chip: SoakChip, time: number) =>
    truth
      .touching(chip, own.to, time)
      .some((other) => other !== own && isInterrupting(other) && other.to > own.to && other.from < time);
  const back = (span: FaultSpan, chip: SoakChip, time: number) => {
    if (isHeldUp(span, chip, time)) {
      report.overlapped++;
      return;
    }
    const delay = time - span.to;
    report.delays[span.kind] = [...(report.delays[span.kind] ?? []), delay];
    if (delay <= BACK_WITHIN) return;
    report.late++;
    tell({ span, chip, delay });
  };
  return {
    report,
    heard(chip, stored) {
      const spans = waiting.get(chip)!;
      let place = places.get(chip)!;
      for (; place < spans.length && spans[place].to <= stored.to; place++) {
        back(spans[place], chip, Math.max(stored.from, stored.firstAt(spans[place].to)));
      }
      places.set(chip, place);
    },
    end(until) {
      for (const chip of chips) {
        for (const span of waiting.get(chip)!.slice(places.get(chip)!)) {
          if (span.to + BACK_WITHIN > until) continue;
          report.late++;
          tell({ span, chip, delay: null });
        }
      }
    },
  };
}
