/** The embedded store: SQLite by libsql, write-ahead log, every commit synced before it counts. */
import Database from "libsql";
import { rowChecksum, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import {
  type BootState,
  type CardRow,
  type CheckpointRow,
  type Commit,
  DISOWNED,
  type PingRow,
  type Quarantine,
  type RevocationRow,
  type Rotation,
  type SealedRow,
  type Settled,
  type Space,
  type Store,
  type StoredMessage,
} from "./store.ts";

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
  const insertMessage = prepare("INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,?,?)");
  const upsertBoot = prepare("INSERT OR REPLACE INTO boots VALUES (?,?,?,?,?)");
  const upsertSettled = prepare(
    `INSERT INTO settled VALUES (?,?,?,?,?,?) ON CONFLICT (kid, boot, first) DO UPDATE
       SET count=excluded.count, reason=excluded.reason, checksum=excluded.checksum WHERE excluded.count > settled.count`,
  );
  const refused = prepare("SELECT 1 FROM settled WHERE kid=? AND boot=? AND first=? AND reason<>?");
  const insertCheckpoint = prepare("INSERT OR REPLACE INTO checkpoints VALUES (?,?)");
  const upsertCard = prepare("INSERT OR REPLACE INTO cards VALUES (?,?)");
  const head = prepare("SELECT position, chain FROM messages ORDER BY position DESC LIMIT 1");
  const insertQuarantine = prepare("INSERT INTO quarantines VALUES (?,?,?,?,?,?,?,?,?)");
  const newestQuarantine = prepare("SELECT coalesce(max(id), 0) AS id FROM quarantines");
  const insertRotation = prepare("INSERT OR REPLACE INTO rotations VALUES (?,?,?,?,?,?)");
  const insertPing = prepare("INSERT OR REPLACE INTO pings VALUES (?,?,?,?,?,?,?)");
  const insertListed = prepare("INSERT OR IGNORE INTO listed VALUES (?,?,?,?,?)");
  const listed = prepare("SELECT hash FROM listed WHERE kid=? AND boot=? AND seq=?");
  const nextBirth = prepare(
    "SELECT * FROM messages WHERE kid=? AND boot>? AND space=0 AND kind=2 ORDER BY boot, seq LIMIT 1",
  );
  const newestBirth = prepare(
    "SELECT * FROM messages WHERE kid=? AND space=0 AND kind=2 ORDER BY boot DESC, seq DESC LIMIT 1",
  );
  const find = prepare("SELECT message, record FROM messages WHERE kid=? AND boot=? AND space=? AND seq=?");
  const seqs = prepare("SELECT seq FROM messages WHERE kid=? AND boot=? AND space=? ORDER BY seq");
  const ofKind = prepare(
    "SELECT message, record FROM messages WHERE kid=? AND boot=? AND space=0 AND kind=? ORDER BY seq",
  );
  const between = prepare(
    "SELECT * FROM messages WHERE kid=? AND boot=? AND space=0 AND seq BETWEEN ? AND ? ORDER BY seq",
  );
  const levelChanges = prepare("SELECT * FROM messages WHERE kid=? AND space=2 ORDER BY position");
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
      insertMessage.run(
        m.position,
        m.kid,
        m.boot,
        m.space,
        m.seq,
        m.kind,
        m.received,
        m.evidence,
        m.message,
        m.record,
        m.chain,
      );
    }
    for (const b of commit.boots) {
      upsertBoot.run(b.kid, b.boot, b.next, b.downlink, rowChecksum(b.kid, b.boot, b.next, b.downlink));
    }
    for (const s of commit.settled) {
      upsertSettled.run(
        s.kid,
        s.boot,
        s.first,
        s.count,
        s.reason,
        rowChecksum(s.kid, s.boot, s.first, s.count, s.reason),
      );
    }
    for (const c of commit.checkpoints) insertCheckpoint.run(c.position, c.object);
    for (const q of commit.quarantines ?? []) {
      const id = newestQuarantine.get<{ id: number }>()!.id + 1;
      const values = [id, q.kid, q.since, q.boot, q.seq, q.message, q.sentence, q.released];
      insertQuarantine.run(...values, rowChecksum(...values));
    }
    for (const r of commit.rotations ?? []) {
      const values = [r.kid, r.successor, r.boot, r.seq, r.since];
      insertRotation.run(...values, rowChecksum(...values));
    }
    for (const l of commit.listed ?? []) {
      const values = [l.kid, l.boot, l.seq, l.hash];
      insertListed.run(...values, rowChecksum(...values));
    }
    for (const p of commit.pings ?? []) {
      const values = [p.kid, p.boot, p.n, p.sent, p.tick, p.received];
      insertPing.run(...values, rowChecksum(...values));
    }
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
    find: (kid, boot, space: Space, seq) => find.get<SealedRow>(kid, boot, space, seq),
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
    ofKind: (kid, boot, kind) => ofKind.all<SealedRow>(kid, boot, kind),
    between: (kid, boot, first, last) => between.all<StoredMessage>(kid, boot, first, last),
    nextBirth: (kid, boot) => nextBirth.get<StoredMessage>(kid, boot),
    newestBirth: (kid) => newestBirth.get<StoredMessage>(kid),
    listed: (kid, boot, seq) => listed.get<{ hash: Uint8Array }>(kid, boot, seq)?.hash,
    levelChanges: (kid) => levelChanges.all<StoredMessage>(kid),
    newest: (kid, boot, space, limit, last = Number.MAX_SAFE_INTEGER) =>
      newest.all<StoredMessage>(kid, boot, space, last, limit).sort((a, b) => a.position - b.position),
    boots: (kid) => prepare("SELECT * FROM boots WHERE kid=? ORDER BY boot").all<BootState>(kid),
    settled: (kid, boot) =>
      prepare("SELECT * FROM settled WHERE kid=? AND boot=? ORDER BY first").all<Settled>(kid, boot),
    refused: (kid, boot, seq) => refused.get(kid, boot, seq, DISOWNED) !== undefined,
    putCard: (kid, card) => {
      upsertCard.run(kid, card);
    },
    cards: () => prepare("SELECT kid, card FROM cards ORDER BY kid").all<CardRow>(),
    checkpoints: () => prepare("SELECT position, object FROM checkpoints ORDER BY position").all<CheckpointRow>(),
    pings: (kid, boot) => prepare("SELECT * FROM pings WHERE kid=? AND boot=? ORDER BY n").all<PingRow>(kid, boot),
    quarantines: (kid) => prepare("SELECT * FROM quarantines WHERE kid=? ORDER BY id").all<Quarantine>(kid),
    releaseQuarantine(kid, time) {
      const standing = prepare("SELECT * FROM quarantines WHERE kid=? AND released IS NULL").all<
        Quarantine & { id: number }
      >(kid);
      const release = prepare("UPDATE quarantines SET released=?, checksum=? WHERE id=?");
      for (const { id, since, boot, seq, message, sentence } of standing) {
        release.run(time, rowChecksum(id, kid, since, boot, seq, message, sentence, time), id);
      }
    },
    rotations: () => prepare("SELECT * FROM rotations ORDER BY kid").all<Rotation>(),
    revocations: () => prepare("SELECT number, object FROM revocations").get<RevocationRow>(),
    putRevocations({ number, object }) {
      db.exec("BEGIN IMMEDIATE");
      try {
        prepare("DELETE FROM revocations").run();
        prepare("INSERT INTO revocations VALUES (?,?)").run(number, object);
        db.exec("COMMIT");
      } catch (error) {
        if (db.inTransaction) db.exec("ROLLBACK");
        throw new Error(`store ${path}: revocation list ${number} was not kept: ${(error as Error).message}`);
      }
    },
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
