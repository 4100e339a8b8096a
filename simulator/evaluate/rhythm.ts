/** `evaluate rhythm`: what the firmware makes of the beats, from its own and from reference beats, held against annotations. */
import { FIBRILLATION_THRESHOLD } from "../../firmware/dsp/fibrillation.ts";
import { type DetectorFactory, detect, detectorRateFor, RESAMPLER } from "./detections.ts";
import {
  AFIB,
  type FibrillationFigures,
  fibrillationFigures,
  fibrillationReadings,
  type Readings,
  stretchesOf,
} from "./fibrillation.ts";
import { observeHeart } from "./heart.ts";
import { type RateFigures, type RateSecond, rateFigures, rateSeconds } from "./heart-rate.ts";
import type { Peer } from "./qrs.ts";
import { type QualityFigures, type QualityWindow, qualityFigures, qualityWindows } from "./quality.ts";
import { type RecordingOptions, type Skipped, visitRecordings } from "./recordings.ts";
import { type EventScores, eventFigures, type RhythmEvents, scoreEvents } from "./rhythm-events.ts";

export interface RhythmOptions extends RecordingOptions {
  readonly detectorFactory: DetectorFactory;
  /** Whose beats are tried for atrial fibrillation too. */
  readonly peers?: readonly Peer[] | undefined;
}

export interface RhythmRow {
  readonly record: string;
  /** Annotated atrial fibrillation: how often, and s in all. */
  readonly episodes: number;
  readonly seconds: number;
  /** By own beats. */
  readonly fibrillation: FibrillationFigures;
  readonly heartRate: { readonly beats: RateFigures; readonly shown: RateFigures };
}

/** Atrial fibrillation by own beats stands at the top. */
export interface RhythmDocument extends FibrillationFigures {
  /** The same on reference beats. */
  readonly reference: FibrillationFigures;
  /** Above it is fibrillation. */
  readonly threshold: number;
  /** Records with any, episodes and seconds of it. */
  readonly annotated: { readonly records: number; readonly episodes: number; readonly seconds: number };
  /** `beats`: by the mean interval over 10 s; `shown`: what is shown. See heart-rate.ts. */
  readonly heartRate: { readonly beats: RateFigures; readonly shown: RateFigures };
  /** See rhythm-events.ts. */
  readonly events: RhythmEvents;
  /** See quality.ts. */
  readonly quality: QualityFigures;
  readonly records: readonly RhythmRow[];
  readonly resampler: string;
  readonly skipped: readonly Skipped[];
  /** Where there are any: atrial fibrillation by the others' beats. */
  readonly peers?: readonly (FibrillationFigures & { readonly name: string; readonly source: string })[];
}

const heartRate = (seconds: readonly RateSecond[]) => ({
  beats: rateFigures(seconds, "own"),
  shown: rateFigures(seconds, "shown"),
});

/**
 * Evaluates over every record of a folder that has the lead and a reference. Throws Error: see visitRecordings.
 */
export async function evaluateRhythm(options: RhythmOptions): Promise<RhythmDocument> {
  const { peers = [] } = options;
  const rows: RhythmRow[] = [];
  const others = peers.map((): Readings[] => []);
  const own: Readings[] = [];
  const reference: Readings[] = [];
  const events: EventScores[] = [];
  const windows: QualityWindow[] = [];
  const allSeconds: RateSecond[] = [];
  const skipped = await visitRecordings(options, async ({ name, ecg, reference: truth, until }) => {
    const rate = options.rate ?? detectorRateFor(ecg.rate);
    const found = await detect(ecg, rate, options.detectorFactory);
    const log = await observeHeart(ecg, rate);
    const stretches = stretchesOf(truth.annotations, AFIB, until);
    const readings = fibrillationReadings(found.times, stretches);
    own.push(readings);
    reference.push(fibrillationReadings(truth.beats, stretches));
    for (const [which, { factory }] of peers.entries())
      others[which]!.push(fibrillationReadings((await detect(ecg, rate, factory)).times, stretches));
    const seconds = rateSeconds(found.times, log.seconds, truth, until);
    for (const window of qualityWindows(found.times, log.seconds, truth, until)) windows.push(window);
    events.push(scoreEvents(seconds, log.episodes, truth, until));
    for (const second of seconds) allSeconds.push(second);
    rows.push({
      record: name,
      episodes: stretches.length,
      seconds: Math.round(stretches.reduce((sum, [from, to]) => sum + to - from, 0)),
      fibrillation: fibrillationFigures([readings]),
      heartRate: heartRate(seconds),
    });
  });
  const sum = (pick: (row: RhythmRow) => number) => rows.reduce((total, row) => total + pick(row), 0);
  return {
    ...fibrillationFigures(own),
    reference: fibrillationFigures(reference),
    threshold: FIBRILLATION_THRESHOLD,
    annotated: {
      records: sum(({ episodes }) => (episodes > 0 ? 1 : 0)),
      episodes: sum(({ episodes }) => episodes),
      seconds: sum(({ seconds }) => seconds),
    },
    heartRate: heartRate(allSeconds),
    events: eventFigures(events),
    quality: qualityFigures(windows),
    records: rows,
    resampler: RESAMPLER,
    skipped,
    ...(peers.length === 0
      ? {}
      : { peers: peers.map(({ name, source }, k) => ({ name, source, ...fibrillationFigures(others[k]!) })) }),
  };
}
