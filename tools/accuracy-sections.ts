/** The tables of docs/accuracy.md from what tools/accuracy.ts measured: pure, the same text for the same figures. */
import type {
  EventFigures,
  FibrillationFigures,
  IntervalErrors,
  NoiseDocument,
  NoiseFigures,
  PeerResult,
  QrsDocument,
  QrsResult,
  RhythmDocument,
  Statistics,
} from "../simulator/evaluate/index.ts";
import type { SyntheticCheck } from "../simulator/evaluate/synthetic.ts";
import type { MeasuredLight } from "./accuracy-light.ts";

/** What the tuning program found: tools/tuned-qrs.json. Percent. */
export interface Tuned {
  /** How it is run again. */
  readonly program: string;
  /** At which it was run, hz. */
  readonly rate: number;
  /** One for each part of the records: tuned on all others, scored on these. */
  readonly folds: readonly (Statistics & {
    readonly records: readonly string[];
    /** The numbers that were chosen on the others, where they are few enough to be told. */
    readonly chosen?: Readonly<Record<string, number>>;
  })[];
  /** All folds together, each scored with what was chosen without it. */
  readonly heldOut: Statistics;
  /** Tuned and scored on all records. */
  readonly tuned: Statistics;
}

/** What is told of a sampling rate. */
export interface RateRow {
  readonly rate: number;
  readonly result: QrsResult;
}

export interface Measured {
  /** First signal of every record, with peers. */
  readonly qrs: QrsDocument;
  /** Second signal. */
  readonly second: QrsDocument;
  readonly tuned: Tuned | null;
  readonly rates: readonly RateRow[];
  readonly intervals: readonly IntervalErrors[];
  readonly noise: NoiseDocument;
  readonly rhythm: RhythmDocument;
  readonly synthetic: readonly SyntheticCheck[];
  readonly light: MeasuredLight;
}

export type Cell = string | number | null;

/** Characters. */
const LINE = 125;
/** Three decimals. */
export const percent = (value: number | null) => (value === null ? "-" : value.toFixed(3));
const three = ({ se, ppv, der }: Statistics) => [se, ppv, der].map(percent);
export const fixed = (value: number | null, digits: number) =>
  value === null ? "-" : value.toFixed(digits).replace(/^-(?=[0.]+$)/, "");
/** With commas between thousands. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** A table: the first `left` columns to the left, the others to the right. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[], left = 1): string[] {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => String(cell ?? "-").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map((_, at) => (at < left ? "---" : "---:"))), ...rows.map(line)];
}

/** Lines of at most LINE characters, for sentences that hold figures. */
export function prose(...sentences: readonly string[]): string[] {
  const lines = [""];
  for (const word of sentences.join(" ").split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Per record: the shipped detector on the first signal. */
export function recordsSection({ records, gross, average, prompt, latency }: QrsDocument): string[] {
  const rows = records.map(({ fromFiveMinutes: later, ...row }): Cell[] => [
    ...[row.record, row.leadName, row.beats, row.fn, row.fp, row.late],
    ...[later.beats, later.fn, later.fp],
  ]);
  return [
    ...table(["record", "lead", "beats", "missed", "false", "late", "beats from 5:00", "missed", "false"], rows, 2),
    "",
    ...table(
      ["all records", "Se %", "+P %", "DER %", "Se % from 5:00", "+P %", "DER %"],
      [
        ["gross: all beats together", ...three(gross.whole), ...three(gross.fromFiveMinutes)],
        ["average: mean over records", ...three(average.whole), ...three(average.fromFiveMinutes)],
        ["gross, without late beats", ...three(prompt.whole), ...three(prompt.fromFiveMinutes)],
      ],
    ),
    "",
    `A beat is told ${fixed(latency.mean, 0)} ms after its R peak on average, 99 of 100 within ${fixed(latency.p99, 0)} ms. ` +
      `${latency.late} came more than a second late: they were overdue and found by looking back, or were the first ones, ` +
      "while the detector learned. They count, and the last line shows what would be without them.",
  ];
}

/** Ours and the others' over the same samples. */
export function peersSection(document: QrsDocument): string[] {
  const row = (name: string, { gross, latency }: QrsResult): Cell[] => [
    ...[name, ...three(gross.whole), ...three(gross.fromFiveMinutes)],
    ...[fixed(latency.mean, 0), fixed(latency.p99, 0), latency.late],
  ];
  const peers: readonly PeerResult[] = document.peers ?? [];
  return [
    ...table(
      ["gross", "Se %", "+P %", "DER %", "Se % from 5:00", "+P %", "DER %", "mean ms", "p99 ms", "late"],
      [row("vitalwire", document), ...peers.map((peer) => row(peer.name, peer))],
    ),
    "",
    ...peers.map(({ name, source }) => `- ${name}: ${source}.`),
  ];
}

/** Tuned beside held out. */
export function tunedSection(tuned: Tuned | null): string[] {
  if (tuned === null) return ["Not measured yet: `tools/tuned-qrs.json` is not there."];
  return [
    ...table(
      ["gross, whole", "Se %", "+P %", "DER %"],
      [
        ["tuned and scored on the same records", ...three(tuned.tuned)],
        [`held out, ${tuned.folds.length}-fold`, ...three(tuned.heldOut)],
        ...tuned.folds.map((fold, at) => [`fold ${at + 1}: ${fold.records.join(" ")}`, ...three(fold)]),
      ],
    ),
    "",
    ...tuned.folds.flatMap(({ chosen }, at) => {
      if (chosen === undefined) return [];
      const numbers = Object.entries(chosen).map(([name, value]) => `${name} ${value}`);
      return [`- fold ${at + 1} was scored with ${numbers.join(", ")}.`];
    }),
    `At ${tuned.rate} Hz. Run again: \`${tuned.program}\`.`,
  ];
}

/** Sampling rates, and what intervals are worth. */
export function ratesSection(rates: readonly RateRow[]): string[] {
  const reference = rates.find(({ rate }) => rate === 128)?.result.gross.whole;
  const away = (value: number | null, from: number | null | undefined) =>
    value === null || from == null ? "-" : `${value < from ? "" : "+"}${(value - from).toFixed(3)}`;
  return table(
    ["run at, hz", "Se %", "+P %", "DER %", "Se against 128", "+P against 128", "mean ms"],
    rates.map(({ rate, result }): Cell[] => {
      const { whole } = result.gross;
      const apart = [away(whole.se, reference?.se), away(whole.ppv, reference?.ppv)];
      return [rate, ...three(whole), ...apart, fixed(result.latency.mean, 0)];
    }),
  );
}

export function intervalsSection(intervals: readonly IntervalErrors[]): string[] {
  return table(
    ["hz", "white noise, uV RMS", "error, ms RMS", "largest, ms", "intervals"],
    intervals.map(({ rate, noise, rms, worst, intervals: n }) => [
      rate,
      noise * 1000,
      fixed(rms, 2),
      fixed(worst, 2),
      n,
    ]),
  );
}

const four = ({ se, ppv, noisy }: NoiseFigures) => [se, ppv, noisy.se, noisy.ppv].map(percent);
const noiseHeads = ["noise", "dB", "Se %", "+P %", "Se %, noisy parts", "+P %, noisy parts"];

export function noiseSection({ rows, gross }: NoiseDocument): string[] {
  return [
    ...table(
      ["gross", ...noiseHeads],
      gross.map((row): Cell[] => ["both", row.noise, row.snr, ...four(row)]),
      2,
    ),
    "",
    ...table(
      ["record", ...noiseHeads],
      rows.map((row): Cell[] => [row.record, row.noise, row.snr, ...four(row)]),
      2,
    ),
  ];
}

export function noisePeersSection({ gross, peers = [] }: NoiseDocument): string[] {
  const all = [{ name: "vitalwire", gross }, ...peers];
  return table(
    ["noise", "dB", ...all.map(({ name }) => `${name}: Se / +P %`)],
    gross.map(({ noise, snr }, at): Cell[] => [
      ...[noise, snr],
      ...all.map((one) => `${percent(one.gross[at]!.se)} / ${percent(one.gross[at]!.ppv)}`),
    ]),
  );
}

export function rhythmSection(document: RhythmDocument): string[] {
  const { annotated, events, heartRate, quality, reference, records } = document;
  const event = ({ se, ppv, reference: there }: EventFigures): Cell[] => [percent(se), percent(ppv), count(there)];
  const five = ({ auc, se, sp, windows, fibrillation }: FibrillationFigures): Cell[] => [
    ...[fixed(auc, 4), percent(se), percent(sp)],
    ...[count(windows), count(fibrillation)],
  ];
  const wrong = records.filter(({ fibrillation: { sp } }) => sp !== null && sp < 90);
  return [
    `Atrial fibrillation is annotated in ${annotated.records} of these ${records.length} records, in ${annotated.episodes} ` +
      `episodes, ${annotated.seconds} s in all. Two records are two people: this proves little.`,
    "",
    ...table(
      ["atrial fibrillation from", "AUC", "Se %", "Sp %", "windows", "of fibrillation"],
      [
        ["own beats", ...five(document)],
        ["reference beats", ...five(reference)],
      ],
    ),
    "",
    "Records in which more than one window in ten is taken for fibrillation that is not annotated as such (premature beats " +
      "every second or third beat, flutter, and sinus rhythm shortly after fibrillation look like it to any method that sees only intervals):",
    "",
    ...table(
      ["record", "Sp %", "windows without fibrillation"],
      wrong.map(({ record, fibrillation: one }) => [record, percent(one.sp), count(one.windows - one.fibrillation)]),
    ),
    "",
    ...table(
      ["heart rate over 10 s", "mean error, beats/min", "shown, % of seconds", "seconds"],
      [
        [
          "from own beats",
          fixed(heartRate.beats.mae, 3),
          percent(heartRate.beats.coverage),
          count(heartRate.beats.seconds),
        ],
        [
          "as it is shown",
          fixed(heartRate.shown.mae, 3),
          percent(heartRate.shown.coverage),
          count(heartRate.shown.seconds),
        ],
      ],
    ),
    "",
    ...table(
      ["", "Se %", "+P %", "in the reference"],
      [
        ["pauses of 3 s and more, as they are told", ...event(events.pause)],
        ["seconds below 50 a minute, from own beats", ...event(events.bradycardia.beats)],
        ["the same, as bradycardia is told", ...event(events.bradycardia.shown)],
        ["seconds above 100 a minute, from own beats", ...event(events.tachycardia.beats)],
        ["the same, as tachycardia is told", ...event(events.tachycardia.shown)],
      ],
    ),
    "",
    `Signal quality tells windows of 10 s in which a beat is missed or false (${quality.wrong} of ${count(quality.windows)}) from the others ` +
      `with an AUC of ${fixed(quality.auc, 3)}. ${percent(quality.good)} % of the windows have a quality of 50 or more; in these DER is ` +
      `${percent(quality.derWhereGood)} %, in all ${percent(quality.der)} %.`,
  ];
}

export function syntheticSection(checks: readonly SyntheticCheck[]): string[] {
  const claimed = checks.filter(({ pass }) => pass !== null);
  const held = claimed.filter(({ pass }) => pass === true).length;
  return [
    `${held} of ${claimed.length} hold; ${checks.length - claimed.length} more are reported without a claim.`,
    "",
    ...table(
      ["check", "signal", "required, beats/min", "shown", "holds"],
      checks.map(({ check, condition, required, shown, pass }) => [
        ...[check, condition, required, shown],
        pass === null ? "-" : pass ? "yes" : "**no**",
      ]),
      5,
    ),
  ];
}
