/**
 * Reads a store for `verify` in a process of its own: a damaged file can take SQLite's library, and the process with it,
 * down. Takes paths on stdin, a line each; writes one JSON line a row to
 * stdout, cards before the messages that they prove, and {done: true} at the end of each file. A process that ends before
 * that line met a damaged file.
 */
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { rowChecksum, SCHEMA, SCHEMA_VERSION } from "../store/schema.ts";
import { withBuffers } from "../store/sqlite.ts";

/** A line of the inspection. Bytes are base64. */
export type InspectionLine =
  | { readonly table: "messages"; readonly row: MessageColumns }
  | { readonly table: "cards"; readonly kid: string; readonly card: string }
  | { readonly table: "checkpoints"; readonly position: number; readonly object: string }
  | { readonly table: "revocations"; readonly number: number; readonly object: string }
  | { readonly damage: string }
  | { readonly done: true };

export interface MessageColumns {
  readonly position: number;
  readonly kid: string;
  readonly boot: number;
  readonly space: number;
  readonly seq: number;
  readonly kind: number;
  readonly received: number;
  readonly evidence: number;
  readonly message: string;
  readonly record: string;
  readonly chain: string;
}

type Row = Record<string, unknown>;

const base64 = (value: unknown) => (Buffer.isBuffer(value) ? value.toString("base64") : "");

/** Writes the lines of one file. Never throws. */
export function inspect(path: string, write: (line: InspectionLine) => void): void {
  let db: Database.Database;
  try {
    db = new Database(path, { readonly: true });
  } catch (error) {
    write({ damage: `not to be opened: ${(error as Error).message}` });
    write({ done: true });
    return;
  }
  const all = (sql: string, ...values: unknown[]) => (db.prepare(sql).all(values) as Row[]).map(withBuffers);
  const guarded = (what: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      write({ damage: `${what}: ${(error as Error).message}` });
    }
  };
  guarded("structure", () => {
    const [{ page_size: page }] = all("PRAGMA page_size") as [{ page_size: number }];
    const { size } = statSync(path);
    if (size === 0 || size % page !== 0)
      write({ damage: `${size} bytes are no whole number of pages of ${page}: cut?` });
    const version = (all("PRAGMA user_version")[0] as { user_version: number }).user_version;
    if (version !== SCHEMA_VERSION) {
      const older = version > 0 && version < SCHEMA_VERSION ? ": an older vitalwire made it, verify it with that" : "";
      write({ damage: `schema version ${version}, must be ${SCHEMA_VERSION}${older}` });
    }
    const found = all("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").map(({ sql }) => sql);
    for (const sql of SCHEMA) if (!found.includes(sql)) write({ damage: `schema: not as made: ${sql.slice(0, 60)}…` });
    if (found.length !== SCHEMA.length) write({ damage: `schema: ${found.length} entries, must be ${SCHEMA.length}` });
    for (const { integrity_check: text } of all("PRAGMA integrity_check(5)")) {
      if (text !== "ok") write({ damage: `SQLite: ${text}` });
    }
  });
  guarded("cards", () => {
    for (const { kid, card } of all("SELECT kid, card FROM cards")) {
      write({ table: "cards", kid: base64(kid), card: base64(card) });
    }
  });
  guarded("checkpoints", () => {
    for (const { position, object } of all("SELECT position, object FROM checkpoints ORDER BY position")) {
      write({ table: "checkpoints", position: position as number, object: base64(object) });
    }
  });
  guarded("revocations", () => {
    for (const { number, object } of all("SELECT * FROM revocations")) {
      write({ table: "revocations", number: number as number, object: base64(object) });
    }
  });
  for (const table of ["boots", "settled", "quarantines", "rotations", "listed", "pings"]) {
    guarded(table, () => {
      for (const { checksum, ...columns } of all(`SELECT * FROM ${table}`)) {
        if (!Buffer.isBuffer(checksum) || !rowChecksum(...Object.values(columns)).equals(checksum)) {
          write({ damage: `a row of ${table} does not match its checksum (boot ${columns.boot})` });
        }
      }
    });
  }
  guarded("messages", () => {
    // As they lie in the file: a damaged position must neither hide a row nor show it twice.
    for (const found of db.prepare("SELECT * FROM messages NOT INDEXED").iterate()) {
      const row = withBuffers(found as MessageColumns);
      const { kid, message, record, chain } = row;
      const bytes = { kid: base64(kid), message: base64(message), record: base64(record), chain: base64(chain) };
      write({ table: "messages", row: { ...row, ...bytes } });
    }
  });
  db.close();
  write({ done: true });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  createInterface({ input: process.stdin }).on("line", (path) => {
    let lines: string[] = [];
    const flush = () => {
      if (lines.length > 0) process.stdout.write(lines.join(""));
      lines = [];
    };
    inspect(path, (line) => {
      lines.push(`${JSON.stringify(line)}\n`);
      if (lines.length >= 1000) flush();
    });
    flush();
  });
}
