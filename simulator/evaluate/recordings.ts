/** The records of a folder that can be evaluated, one after the other. */
import { join } from "node:path";
import { microvoltsPerUnit, readRecordSync } from "../../formats/index.ts";
import { breath, type Counts, countsOf } from "./detections.ts";
import { findReference, type ReferenceBeats, readReference, recordsOf } from "./reference.ts";

export interface RecordingOptions {
  /** Folder of WFDB records. */
  readonly dataFolder: string;
  /** Folder with NAME.atr, or a record's path without extension; `dataFolder` where absent. */
  readonly referenceFolder?: string | undefined;
  /** Which signal, from 0. */
  readonly lead?: number | undefined;
  /** At which the detector runs, hz; `detectorRateFor` the recording where absent. */
  readonly rate?: number | undefined;
  /** Names of the records to take; all of the folder where absent. */
  readonly only?: readonly string[] | undefined;
  /** Called after every record, for a progress bar. What it throws ends the evaluation. */
  readonly onPart?: ((done: number, total: number) => void) | undefined;
}

export interface Recording {
  readonly name: string;
  readonly ecg: Counts;
  readonly leadName: string;
  readonly reference: ReferenceBeats;
  /** End of what both recording and reference cover, s. */
  readonly until: number;
}

/** A record of the folder that was left out, and why. */
export interface Skipped {
  readonly record: string;
  readonly reason: string;
}

/**
 * Visits every record that has the lead and a reference, by name. Returns those that were left out.
 * Throws Error (path, value, what to do) for a damaged record, a circular reference, a record of `only` that is not there,
 * and where no record is left.
 */
export async function visitRecordings(
  options: RecordingOptions,
  visit: (recording: Recording) => Promise<void>,
): Promise<Skipped[]> {
  const { dataFolder, referenceFolder, lead = 0 } = options;
  if (!Number.isInteger(lead) || lead < 0) throw new Error(`lead ${lead} is not a signal number from 0`);
  const there = recordsOf(dataFolder);
  const missing = options.only?.filter((name) => !there.includes(name)) ?? [];
  if (missing.length > 0) throw new Error(`${dataFolder}: no record ${missing.join(", ")} (NAME.hea with NAME.dat)`);
  const names = there.filter((name) => options.only?.includes(name) ?? true);
  const skipped: Skipped[] = [];
  for (const [at, name] of names.entries()) {
    const record = readRecordSync(join(dataFolder, name));
    const signal = record.signals[lead];
    const path = findReference(dataFolder, name, referenceFolder);
    if (signal === undefined)
      skipped.push({ record: name, reason: `no signal ${lead}: it has ${record.signals.length}` });
    else if (microvoltsPerUnit(signal.units) === null) {
      skipped.push({ record: name, reason: `signal ${lead} is in ${signal.units}, not a voltage` });
    } else if (path === null) skipped.push({ record: name, reason: `no reference beats (${name}.atr)` });
    else {
      const reference = readReference(path, dataFolder, record);
      const ecg = countsOf(record, signal);
      const until = Math.min(ecg.samples.length / ecg.rate, reference.until);
      await visit({ name, ecg, leadName: signal.description, reference, until });
    }
    options.onPart?.(at + 1, names.length);
    await breath();
  }
  if (skipped.length === names.length) {
    const why = skipped.slice(0, 3).map(({ record, reason }) => `${record}: ${reason}`);
    throw new Error(
      `${dataFolder}: no record to evaluate${why.length === 0 ? " (no NAME.hea with NAME.dat)" : `; ${why.join("; ")}`}`,
    );
  }
  return skipped;
}
