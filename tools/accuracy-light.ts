/** The tables of docs/accuracy.md on pulse, breathing and temperature: pure, the same text for the same figures. */
import type {
  PulseDocument,
  PulseRateFigures,
  PulseResult,
  PulseScore,
  QualityFigures,
  RespirationDocument,
  RespirationFigures,
  Spo2Document,
  Spo2Sweep,
  TemperatureDocument,
  TemperatureErrors,
  TemperatureFigures,
} from "../simulator/evaluate/index.ts";
import { RESPIRATION_WINDOW, RESPIRATION_WRONG, WRONG } from "../simulator/evaluate/index.ts";
import { type Cell, count, fixed, percent, table } from "./accuracy-sections.ts";

type Beats = Pick<PulseScore, "se" | "ppv" | "f1">;

/** Of all recordings together; mae and coverage are the gated rate's. */
interface TunedFigures extends Beats, PulseRateFigures {
  readonly ungated: PulseRateFigures;
  readonly quality: Pick<QualityFigures, "auc" | "good" | "derWhereGood">;
}

/** What the tuning program found: tools/tuned-pulse.json. */
export interface TunedPulse {
  /** How it is run again. */
  readonly program: string;
  /** One for each part of the recordings: tuned on all others, scored on these. */
  readonly folds: readonly (Beats & { readonly records: readonly string[] })[];
  /** All folds together, each scored with what was chosen without it. */
  readonly heldOut: TunedFigures;
  /** Tuned and scored on all recordings. */
  readonly tuned: TunedFigures;
}

/** What the page tells of light and of temperature. */
export interface MeasuredLight {
  /** With peers. */
  readonly pulse: PulseDocument;
  readonly tuned: TunedPulse | null;
  readonly respiration: RespirationDocument;
  /** With peers and the phone's recordings. */
  readonly spo2: Spo2Document;
  /** The same oximeter on other beats, motion and noise. */
  readonly otherSeed: { readonly seed: number; readonly sweep: Spo2Sweep };
  /** With peers. */
  readonly temperature: TemperatureDocument;
}

const beats = ({ se, ppv, f1 }: Beats) => [se, ppv, f1].map(percent);
const rate = ({ mae, coverage }: PulseRateFigures) => [percent(mae), percent(coverage)];

/** Per recording. */
export function pulseRecordsSection({ records }: PulseDocument): string[] {
  return table(
    [
      ...["recording", "beats", "missed", "false", "F1 %", "R to pulse, ms", "excluded, s"],
      ...["rate: error, a minute", "shown, % of seconds", "seconds"],
    ],
    records.map((row): Cell[] => [
      ...[row.record, row.beats, row.fn, row.fp, percent(row.f1), row.delay, fixed(row.excluded, 1)],
      ...[...rate(row), row.seconds],
    ]),
  );
}

/** Ours and the others' beats over the same samples. */
export function pulseBeatsSection(document: PulseDocument): string[] {
  const row = (name: string, result: PulseResult): Cell[] => [
    ...[name, count(result.beats.beats), result.beats.fn, result.beats.fp],
    ...[...beats(result.beats), fixed(result.latency, 0)],
  ];
  const peers = document.peers ?? [];
  return [
    ...table(
      ["gross", "beats", "missed", "false", "Se %", "+P %", "F1 %", "told after, ms"],
      [row("vitalwire", document), ...peers.map((peer) => row(peer.name, peer))],
    ),
    ...(peers.length === 0 ? [] : ["", ...peers.map(({ name, source }) => `- ${name}: ${source}.`)]),
  ];
}

/** Tuned beside held out. */
export function pulseTunedSection(tuned: TunedPulse | null): string[] {
  if (tuned === null) return ["Not measured yet: `tools/tuned-pulse.json` is not there."];
  const row = (name: string, of: TunedFigures): Cell[] => [name, ...beats(of), ...rate(of), ...rate(of.ungated)];
  return [
    ...table(
      [
        ...["gross", "Se %", "+P %", "F1 %"],
        ...["rate, gated: error, a minute", "shown %", "rate, ungated: error", "shown %"],
      ],
      [
        row("tuned and scored on the same recordings", tuned.tuned),
        row(`held out, ${tuned.folds.length}-fold`, tuned.heldOut),
        ...tuned.folds.map((fold, at): Cell[] => [
          `fold ${at + 1}: ${fold.records.join(" ").replaceAll("bidmc_", "")}`,
          ...[...beats(fold), "", "", "", ""],
        ]),
      ],
    ),
    "",
    `Run again: \`${tuned.program}\`.`,
  ];
}

/** The rate, and what its quality is worth. */
export function pulseRateSection(document: PulseDocument): string[] {
  const { quality, gate, monitor, oximeter, peers = [] } = document;
  const results: { readonly name: string; readonly result: PulseResult }[] = [
    { name: "vitalwire", result: document },
    ...peers.map((peer) => ({ name: peer.name, result: peer })),
  ];
  return [
    ...table(
      ["pulse rate over 10 s", "mean error, a minute", "shown, % of seconds"],
      [
        [`vitalwire, gated: quality ${gate} and better`, ...rate(document)],
        ...results.map(({ name, result }): Cell[] => [`${name}, ungated`, ...rate(result.ungated)]),
        ...results.map(({ name, result }): Cell[] => [`${name}, as a vital sign`, ...rate(result.vitals)]),
        ["vitalwire, the oximeter", ...rate(oximeter)],
        ...(monitor === null ? [] : [["the bedside monitor", ...rate(monitor)]]),
      ],
    ),
    "",
    `Quality tells windows of 10 s in which a beat is missed or false (${quality.wrong} of ${count(quality.windows)}) from the others with an ` +
      `AUC of ${fixed(quality.auc, 3)}. ${percent(quality.good)} % of the windows have a quality of 50 or more; in these DER is ` +
      `${percent(quality.derWhereGood)} %, in all ${percent(quality.der)} %.`,
  ];
}

/** The estimate of breathing beside others' from the same beats, and recording by recording. */
export function respirationSection(document: RespirationDocument): string[] {
  const { constant, peers, records } = document;
  const three = ({ mae, coverage, wrong }: RespirationFigures) => [percent(mae), percent(coverage), percent(wrong)];
  return [
    ...table(
      [
        `breathing over ${RESPIRATION_WINDOW} s, estimated`,
        ...["mean difference, a minute", "shown, % of times", `of these over ${RESPIRATION_WRONG} off, %`],
      ],
      [
        ["vitalwire", ...three(document)],
        ...peers.map((peer): Cell[] => [peer.name, ...three(peer)]),
        ["mean of all, where vitalwire shows a number", ...three(constant)],
      ],
    ),
    "",
    ...table(
      ["recording", "the monitor's mean, a minute", "mean difference", "shown, % of times", "times"],
      records.map((row): Cell[] => [
        ...[row.record, fixed(row.reference, 1), percent(row.mae), percent(row.coverage), row.times],
      ]),
    ),
  ];
}

const errors = ({ rms, max }: TemperatureErrors) => [fixed(rms, 3), fixed(max, 3)];

export function temperatureSection(document: TemperatureDocument): string[] {
  const { always, chips, peers = [], stories, timeConstants } = document;
  const row = (name: string, of: TemperatureFigures): Cell[] => [
    ...[name, ...errors(of), fixed(of.settled, 1), percent(of.wrong), fixed(of.settledAfter, 0)],
    ...[fixed(of.unnoticed, 0), ...errors(of.predicted), percent(of.predicted.coverage)],
  ];
  return [
    ...table(
      [
        ...["settled", "RMS K", "largest K", "settled, % of time", `over ${WRONG} K off, %`, "settled after, s"],
        ...["not noticed, s", "prediction: RMS K", "largest K", "there, % of settling"],
      ],
      [
        row("all", document),
        ...stories.map((one) => row(one.name, one)),
        ...chips.map((one) => row(one.name, one)),
        ...timeConstants.map((one) => row(`time constant ${one.name}`, one)),
      ],
    ),
    ...(peers.length === 0
      ? []
      : [
          "",
          ...table(
            ["shown without a flag", "always: RMS K", "largest K", "while vitalwire is settled: RMS K", "largest K"],
            [
              ["vitalwire", ...errors(always), ...errors(document)],
              ...peers.map((peer): Cell[] => [peer.name, ...errors(peer.always), ...errors(peer.whereSettled)]),
            ],
          ),
        ]),
  ];
}
