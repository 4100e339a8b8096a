/** vitalwire export: stored waveforms as WFDB records or CSV files. */
import { existsSync } from "node:fs";
import { exportCsvSync, exportWfdbSync } from "../formats/index.ts";
import { bootsOf } from "../gateway/read.ts";
import { recordingsOf } from "../gateway/recordings.ts";
import { openSqliteStore } from "../gateway/store/sqlite.ts";
import { fromHex } from "../protocol/keys.ts";
import { UsageError } from "./usage.ts";

interface ExportOptions {
  readonly store: string;
  readonly device: string;
  readonly from?: number;
  readonly to?: number;
  readonly format: "wfdb" | "csv";
  readonly out: string;
  readonly json?: boolean;
}

export async function exportData(options: ExportOptions): Promise<void> {
  if (!existsSync(options.store)) throw new UsageError(`--store ${options.store}: no such file`);
  if (!/^[0-9a-f]{16}$/.test(options.device))
    throw new UsageError(`--device ${options.device}: a kid is 16 hex digits`);
  const { from, to } = options;
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const kid = fromHex(options.device);
  const store = openSqliteStore(options.store, { readonly: true });
  const files: string[] = [];
  try {
    const boots = bootsOf(store, kid);
    if (boots.length === 0)
      throw new Error(`${options.store}: nothing of device ${options.device}; see verify, or devices`);
    for (const boot of boots) {
      for (const recording of recordingsOf(store, kid, boot, range)) {
        if (options.format === "csv") files.push(exportCsvSync(options.out, recording));
        else files.push(...exportWfdbSync(options.out, recording));
      }
    }
  } finally {
    store.close();
  }
  if (files.length === 0) throw new Error(`device ${options.device}: no waveform in that time; widen --from and --to`);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ device: options.device, format: options.format, files })}\n`);
  else process.stdout.write(`${files.join("\n")}\n`);
}
