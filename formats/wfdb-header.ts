/**
 * WFDB header files (.hea): text to structure and back. Source: WFDB Applications Guide, header(5).
 *
 * Single-segment records only. Everything here is pure; reading files is in wfdb-files.ts.
 */

/** Storage formats that this reader and writer know (signal(5)). */
export type WfdbFormat = 212 | 16 | 24;

/** What a header says of one signal. `sample = physical x gain + baseline`. */
export interface WfdbSignalSpec {
  /** Name of the signal file, in the header's own folder. */
  readonly file: string;
  readonly format: WfdbFormat;
  /** Samples of this signal in one frame: its rate is this times the record's. */
  readonly samplesPerFrame: number;
  /** Samples of the file that precede sample 0. */
  readonly skew: number;
  /** Bytes of the file before the first sample. */
  readonly byteOffset: number;
  /** Sample steps per physical unit; 0: uncalibrated (header(5): 200 may be assumed). */
  readonly gain: number;
  /** Sample value of 0 physical units. */
  readonly baseline: number;
  /** Physical unit, "mV" where the header names none. */
  readonly units: string;
  /** Bits of the converter. */
  readonly resolution: number;
  /** Sample value in the middle of the converter's range. */
  readonly adcZero: number;
  readonly initialValue: number;
  /** Sum of all samples of the file, 16 bits, signed; null where the header has none. */
  readonly checksum: number | null;
  /** Bytes of a block on devices that need one, else 0. */
  readonly blockSize: number;
  /** "" where the header has none. */
  readonly description: string;
}

export interface WfdbHeader {
  readonly name: string;
  /** Frames a second, hz. */
  readonly rate: number;
  /** Ticks a second of the counter; null: the same as `rate`. */
  readonly counterRate: number | null;
  /** Counter at sample 0; null: 0. */
  readonly baseCounter: number | null;
  /** Frames; null: the header does not say. */
  readonly sampleCount: number | null;
  /** Time of day at sample 0 as written, "HH:MM:SS" or "HH:MM:SS.mmm". */
  readonly baseTime: string | null;
  /** Day of sample 0 as written, "DD/MM/YYYY". */
  readonly baseDate: string | null;
  readonly signals: readonly WfdbSignalSpec[];
  /** Comment lines without their "#", trimmed. */
  readonly comments: readonly string[];
}

const DEFAULT_RATE = 250; // header(5): "if it is missing, a value of 250 is assumed"
const DEFAULT_RESOLUTION = 12; // header(5), amplitude formats
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const TIME = /^\d{1,2}(:\d{1,2}){0,2}(\.\d+)?$/;
const DATE = /^\d{1,2}\/\d{1,2}\/\d{1,4}$/;

/** Names what is wrong with a header: the file and line, the field and its text, what was expected. */
type Complain = (what: string) => Error;

function decimal(text: string, field: string, complain: Complain): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw complain(`${field} "${short(text)}" is not a number`);
  return value;
}

function integer(text: string, field: string, low: number, high: number, complain: Complain): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw complain(`${field} "${short(text)}" is not an integer from ${low} to ${high}`);
  }
  return value === 0 ? 0 : value;
}

/** A value for an error message, cut where a hostile file made it long. */
export function short(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}

function parseRecordLine(line: string, complain: Complain) {
  const fields = line.split(/[ \t]+/);
  const [name = "", count, rates, samples, baseTime = null, baseDate = null] = fields;
  if (name.includes("/")) {
    throw complain(`"${short(name)}" is a multi-segment record, which is not supported; read its segments one by one`);
  }
  if (count === undefined)
    throw complain(`"${short(line)}" has no number of signals; expected "NAME SIGNALS RATE ..."`);
  if (fields.length > 6) throw complain(`the record line has ${fields.length} fields, expected at most 6`);
  const signalCount = integer(count, "number of signals", 0, Number.MAX_SAFE_INTEGER, complain);
  const parts = /^([^/]*)(?:\/([^(]*)(?:\(([^)]*)\))?)?$/.exec(rates ?? String(DEFAULT_RATE));
  if (parts === null) throw complain(`rate "${short(rates ?? "")}" is not RATE/COUNTER(BASE)`);
  const rate = decimal(parts[1] ?? "", "sampling rate", complain);
  if (rate <= 0) throw complain(`sampling rate ${rate} is not above 0`);
  const counter = parts[2] === undefined ? 0 : decimal(parts[2], "counter rate", complain);
  const baseCounter = parts[3] === undefined ? null : decimal(parts[3], "base counter", complain);
  const frames = integer(samples ?? "0", "number of samples", 0, Number.MAX_SAFE_INTEGER, complain);
  if (baseTime !== null && !TIME.test(baseTime)) throw complain(`base time "${short(baseTime)}" is not HH:MM:SS`);
  if (baseDate !== null && !DATE.test(baseDate)) throw complain(`base date "${short(baseDate)}" is not DD/MM/YYYY`);
  const sampleCount = frames === 0 ? null : frames;
  return {
    name,
    signalCount,
    rate,
    counterRate: counter > 0 ? counter : null,
    baseCounter,
    sampleCount,
    baseTime,
    baseDate,
  };
}

function parseFormat(text: string, complain: Complain) {
  const parts = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/.exec(text);
  if (parts === null) throw complain(`format "${short(text)}" is not FORMATxSAMPLES:SKEW+OFFSET`);
  const format = Number(parts[1]);
  if (format !== 212 && format !== 16 && format !== 24) {
    throw complain(`signal format ${short(parts[1] ?? "")} is not supported; 212, 16 and 24 are`);
  }
  return {
    format: format as WfdbFormat,
    samplesPerFrame: integer(parts[2] ?? "1", "samples per frame", 1, 0x7fffffff, complain),
    skew: integer(parts[3] ?? "0", "skew", 0, 0x7fffffff, complain),
    byteOffset: integer(parts[4] ?? "0", "byte offset", 0, Number.MAX_SAFE_INTEGER, complain),
  };
}

function parseSignalLine(line: string, complain: Complain): WfdbSignalSpec {
  const fields: string[] = [];
  let rest = line;
  while (fields.length < 8 && rest !== "") {
    const end = rest.search(/[ \t]/);
    fields.push(end < 0 ? rest : rest.slice(0, end));
    rest = end < 0 ? "" : rest.slice(end).trim();
  }
  const [file = "", format, scale = "0", resolution = "0", zero = "0", initial, checksum, block = "0"] = fields;
  if (format === undefined) throw complain(`signal line "${short(line)}" has no format; expected "FILE FORMAT ..."`);
  const parts = /^([^(/]*)(?:\(([^)]*)\))?(?:\/(\S+))?$/.exec(scale);
  if (parts === null) throw complain(`gain "${short(scale)}" is not GAIN(BASELINE)/UNITS`);
  const adcZero = integer(zero, "ADC zero", -0x80000000, 0x7fffffff, complain);
  const baseline = parts[2];
  return {
    file,
    ...parseFormat(format, complain),
    gain: decimal(parts[1] ?? "", "gain", complain),
    baseline: baseline === undefined ? adcZero : integer(baseline, "baseline", -0x80000000, 0x7fffffff, complain),
    units: parts[3] ?? "mV",
    resolution: integer(resolution, "ADC resolution", 0, 64, complain) || DEFAULT_RESOLUTION,
    adcZero,
    initialValue:
      initial === undefined ? adcZero : integer(initial, "initial value", -0x80000000, 0x7fffffff, complain),
    checksum: checksum === undefined ? null : integer(checksum, "checksum", -0x8000, 0xffff, complain),
    blockSize: integer(block, "block size", -0x80000000, 0x7fffffff, complain),
    description: rest,
  };
}

/**
 * Reads the text of a header file. `source` names it in errors.
 * Throws Error (file, line, field, value) for anything header(5) does not allow, for a multi-segment record, and for a
 * storage format other than 212, 16 and 24.
 */
export function parseHeader(text: string, source = "header"): WfdbHeader {
  const comments: string[] = [];
  const signals: WfdbSignalSpec[] = [];
  let record: ReturnType<typeof parseRecordLine> | null = null;
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? "").trim();
    const complain: Complain = (what) => new Error(`${source}, line ${at + 1}: ${what}`);
    if (line === "") continue;
    if (line.startsWith("#")) comments.push(line.slice(1).trim());
    else if (record === null) record = parseRecordLine(line, complain);
    else if (signals.length < record.signalCount) signals.push(parseSignalLine(line, complain));
    // header(5): extra lines after the last announced signal are not read
  }
  if (record === null) throw new Error(`${source}: no record line; expected "NAME SIGNALS RATE SAMPLES"`);
  const { signalCount, ...rest } = record;
  if (signals.length !== signalCount) {
    throw new Error(`${source}: ${signalCount} signals announced, ${signals.length} signal lines found`);
  }
  return { ...rest, signals, comments };
}

function words(text: string, field: string): string {
  if (text === "" || /\s/.test(text)) throw new Error(`${field} "${short(text)}" is empty or has white space`);
  return text;
}

/** The text of a header file, lines ended by "\n". Throws Error (field, value) for what a header cannot hold. */
export function formatHeader(header: WfdbHeader): string {
  if (!/^[A-Za-z0-9_-]+$/.test(header.name)) {
    throw new Error(`record name "${short(header.name)}" has other characters than letters, digits, _ and -`);
  }
  if (!(header.rate > 0 && header.rate < Number.POSITIVE_INFINITY)) {
    throw new Error(`record ${header.name}: sampling rate ${header.rate} is not above 0`);
  }
  const base = header.baseCounter === null ? "" : `(${header.baseCounter})`;
  const counter = header.counterRate ?? (base === "" ? null : header.rate);
  const record = [
    header.name,
    header.signals.length,
    counter === null ? header.rate : `${header.rate}/${counter}${base}`,
  ];
  record.push(header.sampleCount ?? 0);
  if (header.baseTime !== null || header.baseDate !== null) record.push(header.baseTime ?? "0:00:00");
  if (header.baseDate !== null) record.push(header.baseDate);
  const lines = [record.join(" ")];
  for (const signal of header.signals) {
    const frame = signal.samplesPerFrame > 1 ? `x${signal.samplesPerFrame}` : "";
    const skew = signal.skew > 0 ? `:${signal.skew}` : "";
    const offset = signal.byteOffset > 0 ? `+${signal.byteOffset}` : "";
    const fields = [
      words(signal.file, "file name"),
      `${signal.format}${frame}${skew}${offset}`,
      `${signal.gain}(${signal.baseline})/${words(signal.units, "unit")}`,
      signal.resolution,
      signal.adcZero,
      signal.initialValue,
      signal.checksum ?? 0,
      signal.blockSize,
      signal.description.trim(),
    ];
    lines.push(fields.join(" ").trimEnd());
  }
  for (const comment of header.comments) lines.push(`# ${comment}`.trimEnd());
  for (const line of lines) {
    if (/[\r\n]/.test(line)) throw new Error(`record ${header.name}: line break inside "${short(line)}"`);
  }
  const text = `${lines.join("\n")}\n`;
  parseHeader(text, `header of ${header.name}`); // what is written can be read
  return text;
}
