/**
 * `evaluate qrs`: QRS detectors over recorded ECGs, held against reference beats (ANSI/AAMI EC57).
 *
 * A detector sees what a board would see: integer counts in blocks of one second, in order, nothing after the end. A
 * beat counts once it was emitted before the end of the recording; nothing is flushed. Beats that came more than a
 * second after their R peak (found by looking back) count, and are told apart: how many there are, and what the score
 * would be without them.
 */
import {
  type DetectorFactory,
  detect,
  detectorRateFor,
  type Latency,
  latencyOf,
  PROMPT,
  RESAMPLER,
} from "./detections.ts";
import { type RecordingOptions, type Skipped, visitRecordings } from "./recordings.ts";
import { average, gross, LEARNING_TIME, type Score, type Statistics, scoreBeats } from "./score.ts";

/** A detector to be compared with. */
export interface Peer {
  readonly name: string;
  /** The publication whose rules it follows. */
  readonly source: string;
  readonly factory: DetectorFactory;
}

export interface QrsOptions extends RecordingOptions {
  readonly detectorFactory: DetectorFactory;
  /** Run over the same samples. */
  readonly peers?: readonly Peer[] | undefined;
}

export interface QrsRow extends Score {
  readonly record: string;
  /** Number of the signal, from 0, and its description. */
  readonly lead: number;
  readonly leadName: string;
  /** Of the recording, hz, and of what the detector saw. */
  readonly rate: number;
  readonly detectorRate: number;
  /** Beats emitted more than 1 s after their R peak; they are counted in tp or fp. */
  readonly late: number;
  readonly fromFiveMinutes: Score;
}

export interface QrsStatistics {
  readonly whole: Statistics;
  readonly fromFiveMinutes: Statistics;
}

/** What one detector reached over all records. */
export interface QrsResult {
  readonly gross: QrsStatistics;
  readonly average: QrsStatistics;
  /** Gross, as if beats emitted more than 1 s after their R peak had not been. */
  readonly prompt: QrsStatistics;
  readonly latency: Latency;
}

export interface PeerResult extends QrsResult {
  readonly name: string;
  readonly source: string;
}

export interface QrsDocument extends QrsResult {
  readonly records: readonly QrsRow[];
  readonly resampler: string;
  /** Records of the folder that were left out, and why. */
  readonly skipped: readonly Skipped[];
  /** Where there are any: the others' results over the same samples. */
  readonly peers?: readonly PeerResult[];
}

interface Part {
  readonly whole: Score;
  readonly fromFiveMinutes: Score;
}

/** One detector's scores, record by record. */
interface Tally {
  readonly all: Part[];
  readonly prompt: Part[];
  readonly delays: number[];
}

function resultOf({ all, prompt, delays }: Tally): QrsResult {
  const both = (parts: readonly Part[], statistics: (scores: readonly Score[]) => Statistics): QrsStatistics => ({
    whole: statistics(parts.map(({ whole }) => whole)),
    fromFiveMinutes: statistics(parts.map(({ fromFiveMinutes }) => fromFiveMinutes)),
  });
  return {
    gross: both(all, gross),
    average: both(all, average),
    prompt: both(prompt, gross),
    latency: latencyOf(delays),
  };
}

/**
 * Evaluates detectors over every record of a folder that has the lead and a reference. Reference beats after the end of
 * a recording do not count, nor do detections after the end of the reference.
 * Throws Error: see visitRecordings.
 */
export async function evaluateQrs(options: QrsOptions): Promise<QrsDocument> {
  const { lead = 0, detectorFactory, peers = [] } = options;
  const rows: QrsRow[] = [];
  const factories = [detectorFactory, ...peers.map(({ factory }) => factory)];
  const tallies = factories.map((): Tally => ({ all: [], prompt: [], delays: [] }));
  const skipped = await visitRecordings(options, async ({ name, ecg, leadName, reference, until }) => {
    const score = (times: readonly number[]): Part => {
      const limits = { until, excluded: reference.excluded };
      return {
        whole: scoreBeats(reference.beats, times, limits),
        fromFiveMinutes: scoreBeats(reference.beats, times, { ...limits, from: LEARNING_TIME }),
      };
    };
    const detectorRate = options.rate ?? detectorRateFor(ecg.rate);
    for (const [which, factory] of factories.entries()) {
      const found = await detect(ecg, detectorRate, factory);
      const prompt = found.times.filter((_, beat) => found.delays[beat]! <= PROMPT);
      const scores = score(found.times);
      const tally = tallies[which]!;
      tally.all.push(scores);
      tally.prompt.push(score(prompt));
      for (const delay of found.delays) tally.delays.push(delay);
      if (which > 0) continue;
      const late = found.times.length - prompt.length;
      const about = { record: name, lead, leadName, rate: ecg.rate, detectorRate };
      rows.push({ ...about, ...scores.whole, late, fromFiveMinutes: scores.fromFiveMinutes });
    }
  });
  return {
    records: rows,
    ...resultOf(tallies[0]!),
    resampler: RESAMPLER,
    skipped,
    ...(peers.length === 0
      ? {}
      : { peers: peers.map(({ name, source }, which) => ({ name, source, ...resultOf(tallies[which + 1]!) })) }),
  };
}
