/** A device's SpO2 calibration as a file, YAML or JSON: as `calibrate` writes it, and as a configuration reads it. */
import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { type Calibration, createCalibration } from "../firmware/dsp/calibration.ts";
import { readConfig } from "./config.ts";
import { UsageError } from "./usage.ts";

/** Says which value it was. */
const number = z.number({ error: ({ input }) => `${JSON.stringify(input)} is no number` });
const range = z.tuple([number, number]);
const common = {
  id: z.string(),
  /** Lowest and highest of the pairs it was fitted to. */
  ratio: range.optional(),
  spo2: range.optional(),
  pairs: z.int().min(0).optional(),
  subjects: z.int().min(0).optional(),
  /** Root mean square on what was left out, SpO2 points. */
  error: z.strictObject({ byPair: number, bySubject: number.optional() }).optional(),
  /** When the pairs were taken. */
  date: z.string().optional(),
  data: z
    .strictObject({
      file: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 hex digits"),
      device: z.string().optional(),
      lag: number.optional(),
      average: number.optional(),
    })
    .optional(),
};
const curve = z.strictObject({ square: number, linear: number, constant: number });
const table = z.array(range);
const schema = z.strictObject({ ...common, curve: curve.optional(), table: table.optional() });

export type CalibrationFile = Omit<z.infer<typeof schema>, "id" | "curve" | "table"> & {
  readonly calibration: Calibration;
};

/** Reads and checks a calibration. Throws UsageError: file, line where it has one, key, value, what to do. */
export function readCalibrationFile(path: string): CalibrationFile {
  const { id, curve, table, ...rest } = readConfig(path, schema);
  if ((curve === undefined) === (table === undefined))
    throw new UsageError(
      `${path}: ${curve === undefined ? "neither curve nor" : "both curve and"} table; give one of them`,
    );
  try {
    return { ...rest, calibration: createCalibration(curve === undefined ? { id, table: table! } : { id, curve }) };
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** Where it can be written: .yaml, .yml or .json. Throws UsageError. */
export function requireCalibrationName(path: string): void {
  if (![".yaml", ".yml", ".json"].includes(extname(path)))
    throw new UsageError(`--out ${path}: name it .yaml or .json`);
}

/** Writes a new file; an existing one is never overwritten. Throws UsageError. */
export function writeCalibrationFile(path: string, { calibration, ...rest }: CalibrationFile): void {
  requireCalibrationName(path);
  const content = { ...calibration, ...rest };
  const text =
    extname(path) === ".json"
      ? `${JSON.stringify(content, null, 2)}\n`
      : stringify(content, { flowCollectionPadding: true });
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UsageError(`--out ${path}: it is there already, and may be in use; give another name`);
  }
}
