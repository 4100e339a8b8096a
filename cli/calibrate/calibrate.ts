/** vitalwire calibrate: fits a device's own SpO2 calibration to pairs of R and a reference, and writes it down. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Calibration, createCalibration } from "../../firmware/dsp/calibration.ts";
import { bootsOf, readBoot } from "../../gateway/read.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { fromHex } from "../../protocol/keys.ts";
import {
  type CalibrationFit,
  type Fit,
  type FitErrors,
  fitCalibration,
  type Pair,
} from "../../simulator/evaluate/calibrate.ts";
import { type CalibrationFile, requireCalibrationName, writeCalibrationFile } from "../calibration-file.ts";
import { table } from "../evaluate/table.ts";
import { UsageError } from "../usage.ts";
import { readPairs, readReference } from "./pairs.ts";
import { pairUp, ratiosOf } from "./stored.ts";

export interface CalibrateOptions {
  /** Pairs; or store, device and reference. */
  readonly data?: string;
  readonly store?: string;
  readonly device?: string;
  readonly reference?: string;
  readonly lag?: number;
  readonly average?: number;
  readonly id?: string;
  readonly out?: string;
  readonly date?: string;
  readonly json?: boolean;
}

const AVERAGE = 4;
/** Root mean square error that an oximeter may have from 70 to 100 % (ISO 80601-2-61), SpO2 points. */
const TOLERATED = 4;

type Source = NonNullable<CalibrationFile["data"]>;

export async function calibrate(options: CalibrateOptions): Promise<void> {
  const { id, out, date } = options;
  if (out !== undefined) {
    if (id === undefined) throw new UsageError("--out needs --id: the device's name, which travels with its data");
    requireCalibrationName(out);
    if (existsSync(out))
      throw new UsageError(`--out ${out}: it is there already, and may be in use; give another name`);
  }
  if (date !== undefined && !/^\d{4}-\d\d-\d\d$/.test(date))
    throw new UsageError(`--date ${date}: give a day, as 2026-01-31`);
  const { pairs, unpaired, source } = gather(options);
  const fit = fitted(pairs, source.file);
  const calibration = id === undefined ? null : named(id, fit);
  if (out !== undefined && calibration !== null) writeCalibrationFile(out, contents(calibration, fit, source, date));
  const document = { ...fit, unpaired, id: id ?? null, file: out ?? null, data: source };
  process.stdout.write(
    options.json ? `${JSON.stringify(document)}\n` : `${describeCalibration(document).join("\n")}\n`,
  );
}

/** An error of the fit names the file. */
function fitted(pairs: readonly Pair[], file: string): CalibrationFit {
  try {
    return fitCalibration(pairs);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

function named(id: string, { chosen }: CalibrationFit): Calibration {
  try {
    return createCalibration({ id, ...chosen.shape });
  } catch (error) {
    throw new UsageError(`--id: ${(error as Error).message}`);
  }
}

const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

function gather(options: CalibrateOptions): { pairs: Pair[]; unpaired: number; source: Source } {
  const { data, store, device, reference } = options;
  const second = {
    "--store": store,
    "--device": device,
    "--reference": reference,
    "--lag": options.lag,
    "--average": options.average,
  };
  const given = Object.entries(second).filter(([, value]) => value !== undefined);
  if (data !== undefined) {
    if (given.length > 0)
      throw new UsageError(`--data holds pairs already; leave out ${given.map(([name]) => name).join(", ")}`);
    return { pairs: readPairs(data), unpaired: 0, source: { file: basename(data), sha256: hashOf(data) } };
  }
  if (store === undefined || device === undefined || reference === undefined)
    throw new UsageError("give --data FILE of pairs, or --store STORE --device KID --reference FILE");
  const { lag = 0, average = AVERAGE } = options;
  if (!(average >= 2 && average <= 4)) throw new UsageError(`--average ${average}: give 2 to 4 s`);
  if (!(Math.abs(lag) <= 120)) throw new UsageError(`--lag ${lag}: give -120 to 120 s`);
  const { pairs, unpaired } = pairUp(readReference(reference), shownRatios(store, device), { lag, average });
  if (pairs.length === 0)
    throw new Error(
      `${reference}: at none of its ${unpaired} times does device ${device} show R; look at clocks and --lag`,
    );
  return { pairs, unpaired, source: { file: basename(reference), sha256: hashOf(reference), device, lag, average } };
}

/** R of all boots of a device, in order of time. */
function shownRatios(path: string, device: string) {
  if (!existsSync(path)) throw new UsageError(`--store ${path}: no such file`);
  if (!/^[0-9a-f]{16}$/.test(device)) throw new UsageError(`--device ${device}: a kid is 16 hex digits`);
  const kid = fromHex(device);
  const store = openSqliteStore(path, { readonly: true });
  try {
    const shown = bootsOf(store, kid).flatMap((number) => {
      const boot = readBoot(store, kid, number);
      return boot === null ? [] : ratiosOf(boot);
    });
    if (shown.length === 0)
      throw new Error(`${path}: device ${device} shows no R: it has no red and infrared light with a pulse`);
    return shown.sort((a, b) => a.time - b.time);
  } finally {
    store.close();
  }
}

function contents(
  calibration: Calibration,
  fit: CalibrationFit,
  data: Source,
  date: string | undefined,
): CalibrationFile {
  const { chosen, pairs, subjects, ratio, spo2 } = fit;
  const three = (value: number) => Math.round(value * 1000) / 1000;
  return {
    calibration,
    ratio: [three(ratio[0]), three(ratio[1])],
    spo2: [...spo2],
    pairs,
    ...(subjects > 0 && { subjects }),
    error: { byPair: chosen.byPair!.rms, ...(chosen.bySubject !== null && { bySubject: chosen.bySubject.rms }) },
    ...(date !== undefined && { date }),
    data,
  };
}

const errors = (of: FitErrors | null) => (of === null ? ["-", "-"] : [of.rms.toFixed(2), of.worst.toFixed(2)]);

function shapeText({ shape }: Fit): string {
  if (shape === null) return "";
  if ("table" in shape) return `R to SpO2: ${shape.table.map(([ratio, spo2]) => `${ratio} ${spo2}`).join(", ")}`;
  const { square, linear, constant } = shape.curve;
  return `SpO2 = ${square === 0 ? "" : `${square} R^2 + `}${linear} R + ${constant}`;
}

export function describeCalibration(
  document: CalibrationFit & { readonly unpaired: number; readonly id: string | null; readonly file: string | null },
): string[] {
  const { pairs, unpaired, subjects, ratio, spo2, fits, chosen, published, id, file } = document;
  const decisive = (chosen.bySubject ?? chosen.byPair)!;
  const people = subjects === 0 ? "nobody says of whom, so all count as one" : `of ${subjects}`;
  return [
    `${pairs} pairs, ${people}; R ${ratio.map((value) => value.toFixed(3)).join(" to ")}, SpO2 ${spo2.join(" to ")} %`,
    ...(unpaired === 0 ? [] : [`${unpaired} more of the reference have no R at their time`]),
    "",
    ...table([
      ["SpO2 points", "fitted RMS", "worst", "each pair left out", "worst", "each subject left out", "worst", ""],
      ...fits.map((one) => [
        one.form,
        ...errors(one.fitted),
        ...errors(one.byPair),
        ...errors(one.bySubject),
        one.form === chosen.form ? "chosen" : one.refused === null ? "" : "refused",
      ]),
      ...published.map(({ id: name, ...of }) => [name, ...errors(of), "", "", "", "", "published"]),
    ]),
    "",
    ...fits.flatMap(({ form, refused }) => (refused === null ? [] : [`${form}: ${refused}`])),
    shapeText(chosen),
    ...(decisive.rms > TOLERATED
      ? [`${decisive.rms.toFixed(2)} points on what was left out: more than the ${TOLERATED} that an oximeter may have`]
      : []),
    ...(spo2[0] > 75 ? [`below ${spo2[0]} % nothing was measured: there it is drawn on by guess`] : []),
    ...(subjects < 2 ? ["on one person: how far it goes for another one is not known"] : []),
    "not a medical device: a reference oximeter has an error of its own, and all of it is in this one",
    file === null ? "not written: give --id and --out" : `written to ${file} as ${id}`,
  ];
}
