/** The tables of the embedded store. */
import { createHash } from "node:crypto";

/** Raised whenever the tables change. */
export const SCHEMA_VERSION = 2;

/**
 * `verify` compares these with what the file holds, to the letter. Tables with a `checksum` carry it over their columns, for
 * nothing else would show that a byte of them had changed; messages, cards, checkpoints and revocations prove themselves.
 */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE messages (position INTEGER PRIMARY KEY, kid BLOB NOT NULL, boot INTEGER NOT NULL, space INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, received INTEGER NOT NULL, evidence INTEGER NOT NULL, message BLOB NOT NULL, record BLOB NOT NULL, chain BLOB NOT NULL) STRICT`,
  `CREATE UNIQUE INDEX identity ON messages (kid, boot, space, seq)`,
  `CREATE TABLE cards (kid BLOB PRIMARY KEY, card BLOB NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE boots (kid BLOB NOT NULL, boot INTEGER NOT NULL, next INTEGER NOT NULL, downlink INTEGER NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE settled (kid BLOB NOT NULL, boot INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, reason INTEGER NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot, first)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE checkpoints (position INTEGER PRIMARY KEY, object BLOB NOT NULL) STRICT`,
  `CREATE TABLE quarantines (id INTEGER PRIMARY KEY, kid BLOB NOT NULL, since INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, message BLOB NOT NULL, sentence TEXT NOT NULL, released INTEGER, checksum BLOB NOT NULL) STRICT`,
  `CREATE TABLE rotations (kid BLOB PRIMARY KEY, successor BLOB NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, since INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE revocations (number INTEGER PRIMARY KEY, object BLOB NOT NULL) STRICT`,
  `CREATE TABLE listed (kid BLOB NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot, seq)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE pings (kid BLOB NOT NULL, boot INTEGER NOT NULL, n INTEGER NOT NULL, sent INTEGER NOT NULL, tick INTEGER NOT NULL, received INTEGER NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot, n)) STRICT, WITHOUT ROWID`,
];

/** SHA-256 over the columns of a row but its checksum, in order: bytes as hex, numbers as decimal text, texts as JSON. */
export function rowChecksum(...columns: unknown[]): Buffer {
  const words = columns.map((column) =>
    column instanceof Uint8Array ? Buffer.from(column).toString("hex") : JSON.stringify(column),
  );
  return createHash("sha256").update(words.join(",")).digest();
}
