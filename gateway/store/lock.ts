/** One process at a time: a lock that the system takes back when its holder dies, however it dies. */
import Database from "libsql";

export interface Lock {
  release(): void;
}

/**
 * Locks `path` (an empty file beside what is meant). SQLite's own lock is used because Node has none: it belongs to the
 * process, so nothing stale outlives a kill. Throws Error where another process holds it; `what` says of what.
 */
export function lock(path: string, what: string): Lock {
  let db: Database.Database | undefined;
  try {
    db = new Database(path);
    db.exec("PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    const { message } = error as Error;
    if (/locked|busy/i.test(message)) throw new Error(`${what}: another process works on it; stop that one first`);
    throw new Error(`${what}: its lock ${path} cannot be taken: ${message}; may this user write there?`);
  }
  const held = db;
  return { release: () => void held.close() };
}
