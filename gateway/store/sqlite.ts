/** The embedded store: SQLite by libsql, write-ahead log, every commit synced before it counts. */
import { createHash } from "node:crypto";
import Database from "libsql";
import type { BootState, CardRow, CheckpointRow, Commit, Settled, Space, Store, StoredMessage } from "./store.ts";

/** Raised whenever the tables change. */
export const SCHEMA_VERSION = 1;

/**
 * `verify` compares these with what the file holds, to the letter. `boots` and `settled` carry a checksum over their
 * columns, for nothing else would show that a byte of them had changed; messages, cards and checkpoints prove themselves.
 */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE messages (position INTEGER PRIMARY KEY, kid BLOB NOT NULL, boot INTEGER NOT NULL, space INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, received INTEGER NOT NULL, evidence INTEGER NOT NULL, message BLOB NOT NULL, chain BLOB NOT NULL) STRICT`,
  `CREATE UNIQUE INDEX identity ON messages (kid, boot, space, seq)`,
  `CREATE TABLE cards (kid BLOB PRIMARY KEY, card BLOB NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE boots (kid BLOB NOT NULL, boot INTEGER NOT NULL, next INTEGER NOT NULL, downlink INTEGER NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE settled (kid BLOB NOT NULL, boot INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, reason INTEGER NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kid, boot, first)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE checkpoints (position INTEGER PRIMARY KEY, object BLOB NOT NULL) STRICT`,
];

/** SHA-256 over the columns of a row of `boots` or `settled`, in order, as decimal text and hex. */
export function rowChecksum(kid: Uint8Array, ...numbers: number[]): Buffer {
  return createHash("sha256")
    .update(`${Buffer.from(kid).toString("hex")},${numbers.join(",")}`)
    .digest();
}

const NO_CHAIN = new Uint8Array(32);

/**
 * Opens the file, or makes it; ":memory:" lives as long as the process. `readonly`: for who only looks, beside a gateway
 * that writes. Throws Error where it is no store of ours.
 */
export function openSqliteStore(path: string, options: { readonly?: boolean } = {}): Store {
  const readonly = options.readonly === true;
  let db: Database.Database;
  try {
    db = new Database(path, { readonly });
    if (!readonly) db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    db.exec("PRAGMA busy_timeout=2000");
    prepareSchema(db, path, readonly);
  } catch (error) {
    throw new Error(`store ${path}: ${(error as Error).message}; is it a vitalwire store, and may this user write it?`);
  }
  return createStore(db, path, readonly);
}

function prepareSchema(db: Database.Database, path: string, readonly: boolean) {
  const version = (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  if (version === SCHEMA_VERSION) return;
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
  if (readonly || version !== 0 || tables.n > 0) {
    throw new Error(
      `its schema is version ${version}, this program knows ${SCHEMA_VERSION}; name another file than ${path}`,
    );
  }
  db.exec(`BEGIN; ${SCHEMA.join("; ")}; PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`);
}

/** Where `get` gives a Buffer for a blob, libsql's `all` gives an ArrayBuffer. */
export function withBuffers<T>(row: T): T {
  const columns = row as Record<string, unknown>;
  for (const name in columns) {
    const value = columns[name];
    if (value instanceof ArrayBuffer) columns[name] = Buffer.from(value);
  }
  return row;
}

/** libsql takes a lone object for named parameters: values always go in an array. */
function createStore(db: Database.Database, path: string, readonly: boolean): Store {
  const prepare = (sql: string) => {
    const statement = db.prepare(sql);
    return {
      run: (...values: unknown[]) => statement.run(values),
      get: <T>(...values: unknown[]) => statement.get(values) as T | undefined,
      all: <T>(...values: unknown[]) => (statement.all(values) as T[]).map(withBuffers),
    };
  };
  const insertMessage = prepare("INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,?)");
  const upsertBoot = prepare("INSERT OR REPLACE INTO boots VALUES (?,?,?,?,?)");
  const insertSettled = prepare("INSERT OR IGNORE INTO settled VALUES (?,?,?,?,?,?)");
  const insertCheckpoint = prepare("INSERT OR REPLACE INTO checkpoints VALUES (?,?)");
  const upsertCard = prepare("INSERT OR REPLACE INTO cards VALUES (?,?)");
  const head = prepare("SELECT position, chain FROM messages ORDER BY position DESC LIMIT 1");
  const find = prepare("SELECT message FROM messages WHERE kid=? AND boot=? AND space=? AND seq=?");
  const seqs = prepare("SELECT seq FROM messages WHERE kid=? AND boot=? AND space=? ORDER BY seq");
  const ofKind = prepare("SELECT message FROM messages WHERE kid=? AND boot=? AND space=0 AND kind=? ORDER BY seq");
  const newest = prepare(
    "SELECT * FROM messages WHERE kid=? AND boot=? AND space=? AND seq<=? ORDER BY seq DESC LIMIT ?",
  );
  const page = prepare("SELECT * FROM messages WHERE position>? ORDER BY position LIMIT 256");
  const pageOfKid = prepare("SELECT * FROM messages WHERE position>? AND kid=? ORDER BY position LIMIT 256");
  const pageOfBoot = prepare(
    "SELECT * FROM messages WHERE position>? AND kid=? AND boot=? ORDER BY position LIMIT 256",
  );

  const write = (commit: Commit) => {
    for (const m of commit.messages) {
      insertMessage.run(m.position, m.kid, m.boot, m.space, m.seq, m.kind, m.received, m.evidence, m.message, m.chain);
    }
    for (const b of commit.boots) {
      upsertBoot.run(b.kid, b.boot, b.next, b.downlink, rowChecksum(b.kid, b.boot, b.next, b.downlink));
    }
    for (const s of commit.settled) {
      insertSettled.run(
        s.kid,
        s.boot,
        s.first,
        s.count,
        s.reason,
        rowChecksum(s.kid, s.boot, s.first, s.count, s.reason),
      );
    }
    for (const c of commit.checkpoints) insertCheckpoint.run(c.position, c.object);
  };
  return {
    head() {
      const row = head.get<{ position: number; chain: Uint8Array }>();
      return row === undefined ? { position: 0, chain: NO_CHAIN } : { position: row.position, chain: row.chain };
    },
    commit(commit) {
      db.exec("BEGIN IMMEDIATE");
      try {
        write(commit);
        db.exec("COMMIT");
      } catch (error) {
        if (db.inTransaction) db.exec("ROLLBACK");
        throw new Error(
          `store ${path}: nothing of ${commit.messages.length} messages was written: ${(error as Error).message}`,
        );
      }
    },
    find: (kid, boot, space: Space, seq) => find.get<{ message: Uint8Array }>(kid, boot, space, seq)?.message,
    *messages(kid, boot) {
      for (let last = 0; ; ) {
        const rows =
          kid === undefined
            ? page.all<StoredMessage>(last)
            : boot === undefined
              ? pageOfKid.all<StoredMessage>(last, kid)
              : pageOfBoot.all<StoredMessage>(last, kid, boot);
        if (rows.length === 0) return;
        yield* rows;
        last = rows[rows.length - 1].position;
      }
    },
    seqs: (kid, boot, space) => seqs.all<{ seq: number }>(kid, boot, space).map((row) => row.seq),
    ofKind: (kid, boot, kind) => ofKind.all<{ message: Uint8Array }>(kid, boot, kind).map((row) => row.message),
    newest: (kid, boot, space, limit, last = Number.MAX_SAFE_INTEGER) =>
      newest.all<StoredMessage>(kid, boot, space, last, limit).sort((a, b) => a.position - b.position),
    boots: (kid) => prepare("SELECT * FROM boots WHERE kid=? ORDER BY boot").all<BootState>(kid),
    settled: (kid, boot) =>
      prepare("SELECT * FROM settled WHERE kid=? AND boot=? ORDER BY first").all<Settled>(kid, boot),
    putCard: (kid, card) => {
      upsertCard.run(kid, card);
    },
    cards: () => prepare("SELECT kid, card FROM cards ORDER BY kid").all<CardRow>(),
    checkpoints: () => prepare("SELECT position, object FROM checkpoints ORDER BY position").all<CheckpointRow>(),
    close() {
      try {
        // One whole file to hand over: libsql's close leaves the log behind. Beside a reader the log stays, as whole.
        if (!readonly && path !== ":memory:") db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE");
      } catch {
        // SQLite reads file and log together at the next opening.
      }
      db.close();
    },
  };
}
