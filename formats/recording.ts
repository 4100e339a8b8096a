/** What the exporters take: the samples of one device, one boot and one rate. */

/** Samples that follow one another without a gap. */
export interface Piece {
  /** Index of the first sample on the recording's sample clock. */
  readonly at: number;
  /** Raw values as the device sent them. */
  readonly samples: Int32Array;
}

/** One channel: value = (raw + offset) x mul x 10^exp10 in `unit`. Where no piece covers an index, nothing is known. */
export interface RecordingChannel {
  readonly name: string;
  /** UCUM. */
  readonly unit: string;
  readonly offset: number;
  readonly mul: number;
  readonly exp10: number;
  /** In rising order, not overlapping. */
  readonly pieces: readonly Piece[];
}

export interface Recording {
  /** Key identifier of the device, hex. */
  readonly kid: string;
  readonly boot: number;
  /** Samples a second, hz. */
  readonly rate: number;
  readonly channels: readonly RecordingChannel[];
  /** UTC of sample 0 in us since 1970; or the UTC of any index, where a clock fit knows it. Absent: only the sample clock. */
  readonly epoch?: number | ((index: number) => number);
  /** Half width of every sample's UTC, us: a bound. */
  readonly uncertainty?: number;
  /** Of a recording without an epoch: UTC us since 1970 between which it lies, where they are known. */
  readonly untimed?: { readonly after: number | null; readonly before: number | null };
  /** Beats, as sample indices (rounded on writing), in rising order; the symbol is WFDB's, "N" where absent. */
  readonly beats?: readonly { readonly index: number; readonly symbol?: string }[];
}

/** KID_BOOT_RATE: the name of the recording's files without extension. A fraction of the rate follows a further "_". */
export function recordingName(recording: Recording): string {
  const name = `${recording.kid}_${recording.boot}_${String(recording.rate).replace(".", "_")}`;
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Error(`"${name}" cannot name a record: device, boot or rate is wrong`);
  return name;
}

/** UTC of a sample in whole us since 1970; null where the recording has no epoch. */
export function utcOf(recording: Recording, index: number): number | null {
  const { epoch, rate } = recording;
  if (epoch === undefined) return null;
  return Math.round(typeof epoch === "function" ? epoch(index) : epoch + (index * 1e6) / rate);
}

/** RFC 3339 in UTC with microseconds, "2024-02-29T12:00:00.123456Z", of whole us since 1970 (exact in the years 1685 to 2254). */
export function rfc3339(microseconds: number): string {
  if (!Number.isSafeInteger(microseconds)) throw new Error(`${microseconds} is not a whole number of us since 1970`);
  const ms = Math.floor(microseconds / 1000);
  const digits = String(microseconds - ms * 1000).padStart(3, "0");
  return `${new Date(ms).toISOString().slice(0, -1)}${digits}Z`;
}

/** Samples from index 0 to the last known one. Throws Error (channel, index) where pieces overlap or are out of order. */
export function lengthOf(recording: Recording): number {
  let length = 0;
  for (const { name, pieces } of recording.channels) {
    let end = 0;
    for (const { at, samples } of pieces) {
      if (!Number.isSafeInteger(at) || at < end) {
        throw new Error(`channel ${name}: a piece begins at sample ${at}, the one before it ends at ${end}`);
      }
      end = at + samples.length;
    }
    length = Math.max(length, end);
  }
  return length;
}

/**
 * (raw + offset) x mul x 10^exp10 as an exact decimal, without exponent and without trailing zeros: "-1.25".
 * Throws Error where one of them is not an integer or exp10 is beyond +-30.
 */
export function exactDecimal(raw: number, offset: number, mul: number, exp10: number): string {
  if (![raw, offset, mul, exp10].every(Number.isSafeInteger) || Math.abs(exp10) > 30) {
    throw new Error(`(${raw} + ${offset}) x ${mul} x 10^${exp10}: expected integers, and an exponent within 30`);
  }
  const small = (raw + offset) * mul;
  const product = Number.isSafeInteger(small) ? small : (BigInt(raw) + BigInt(offset)) * BigInt(mul);
  const sign = product < 0 ? "-" : "";
  const digits = String(product).replace("-", "");
  if (exp10 >= 0) return digits === "0" ? "0" : `${sign}${digits}${"0".repeat(exp10)}`;
  const padded = digits.padStart(1 - exp10, "0");
  const fraction = padded.slice(exp10).replace(/0+$/, "");
  const text = fraction === "" ? padded.slice(0, exp10) : `${padded.slice(0, exp10)}.${fraction}`;
  return `${sign}${text}`;
}
