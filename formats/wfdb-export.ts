/** A recording of ours as a WFDB record: format 24, one record per device, boot and rate, with its beats. Pure. */
import { lengthOf, type Recording, recordingName, rfc3339, utcOf } from "./recording.ts";
import type { WfdbRecordInput } from "./wfdb.ts";
import type { Annotation, AnnotationInput } from "./wfdb-annotations.ts";
import { INVALID_SAMPLE, misfit } from "./wfdb-signals.ts";

// Both marks say who made the beats, so that nobody evaluates a detector against itself.
const MARK = "vitalwire";
const COMMENT = "vitalwire export";
const LARGEST = 2 ** 28; // samples of one record: 1 GiB in memory

/**
 * The record and its annotations (null where there are no beats). Raw values are stored as they are; gain and baseline
 * carry the scale; what is missing becomes the format's invalid code. The time of day is UTC.
 * Throws Error (channel, value) for a scale that WFDB cannot hold, a value beyond 24 bits, a fractional offset, and for
 * more than 2^28 samples.
 */
export function wfdbOfRecording(recording: Recording): {
  record: WfdbRecordInput;
  annotations: AnnotationInput[] | null;
} {
  const name = recordingName(recording);
  const length = lengthOf(recording);
  if (length * recording.channels.length > LARGEST) {
    throw new Error(`${name}: ${length} samples of ${recording.channels.length} channels; export a shorter time`);
  }
  const signals = recording.channels.map((channel) => {
    const samples = new Int32Array(length).fill(INVALID_SAMPLE[24]);
    for (const piece of channel.pieces) {
      const at = misfit(24, piece.samples) ?? piece.samples.indexOf(INVALID_SAMPLE[24]);
      if (at >= 0) {
        throw new Error(
          `${name}, channel ${channel.name}: sample ${piece.at + at} is ${piece.samples[at]}, beyond what format 24 can hold`,
        );
      }
      samples.set(piece.samples, piece.at);
    }
    const gain = Number(`1e${-channel.exp10}`) / channel.mul;
    if (!Number.isFinite(gain) || gain === 0) {
      throw new Error(`${name}, channel ${channel.name}: scale ${channel.mul} x 10^${channel.exp10} has no WFDB gain`);
    }
    return {
      samples,
      format: 24 as const,
      gain,
      baseline: -channel.offset,
      units: channel.unit,
      description: channel.name,
    };
  });
  const start = utcOf(recording, 0);
  const comments = [COMMENT, `device ${recording.kid}, boot ${recording.boot}`];
  comments.push(...timeComments(recording, start));
  const record = { name, rate: recording.rate, signals, comments, ...(start === null ? {} : clockOf(start)) };
  if (recording.beats === undefined || recording.beats.length === 0) return { record, annotations: null };
  const annotations: AnnotationInput[] = [
    { sample: 0, symbol: '"', aux: `## time resolution: ${recording.rate}` },
    { sample: 0, symbol: '"', aux: `${MARK} export: beats found by the device` },
  ];
  for (const { index, symbol = "N" } of recording.beats) annotations.push({ sample: Math.round(index), symbol });
  return { record, annotations };
}

/** When it was, how exactly, and at which rate by UTC: the header's own time has milliseconds, its rate is the nominal one. */
function timeComments(recording: Recording, start: number | null): string[] {
  const { uncertainty, untimed } = recording;
  if (start === null) {
    if (untimed === undefined) return [];
    const [after, before] = [untimed.after, untimed.before].map((at) => at !== null && rfc3339(Math.round(at)));
    const bounds = [after && `after ${after}`, before && `before ${before}`].filter((one) => one !== false);
    return [`untimed${bounds.length > 0 ? `: ${bounds.join(", ")}` : ""}`];
  }
  const last = lengthOf(recording) - 1;
  const end = utcOf(recording, last);
  const within = uncertainty === undefined ? "" : `, to within ${uncertainty} us`;
  const comments = [`sample 0 at ${rfc3339(start)}${within}`];
  if (typeof recording.epoch === "function" && end !== null && last > 0)
    comments.push(`sample ${last} at ${rfc3339(end)}`);
  return comments;
}

/** header(5) base time and date of us since 1970: "12:00:00.123", "29/02/2024". */
function clockOf(microseconds: number): { baseTime: string; baseDate: string } {
  const text = rfc3339(microseconds);
  const [year, month, day] = text.slice(0, 10).split("-");
  return { baseTime: text.slice(11, 23), baseDate: `${day}/${month}/${year}` };
}

/** true: these beats come from our own exporter (its note at sample 0, or its comment in the header), so they are no reference. */
export function isOwnExport(annotations: readonly Annotation[], comments: readonly string[]): boolean {
  if (comments.some((comment) => comment.startsWith(COMMENT))) return true;
  return annotations.some(({ sample, aux }) => sample === 0 && aux.startsWith(MARK));
}
