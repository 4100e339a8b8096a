/** vitalwire devices: who is enrolled, how far each may be trusted, how much of it is here. Releases from quarantine. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { askGateway } from "../gateway/control.ts";
import { type Lock, lock } from "../gateway/store/lock.ts";
import { openSqliteStore } from "../gateway/store/sqlite.ts";
import { fromHex } from "../protocol/keys.ts";
import { daysOf, printedDays } from "./devices/days.ts";
import { printed, rowsOf } from "./devices/table.ts";
import { UsageError } from "./usage.ts";

export interface DevicesOptions {
  readonly store?: string;
  readonly cards?: string;
  readonly release?: string;
  readonly days?: boolean;
  readonly json?: boolean;
}

/** How long a running gateway may take to release a device, ms. */
const PATIENCE = 5000;

export async function devices(options: DevicesOptions): Promise<void> {
  if (options.store !== undefined && !existsSync(options.store))
    throw new UsageError(`--store ${options.store}: no such file; name the store of a gateway`);
  if (options.release !== undefined) {
    await release(options.store, options.release);
    if (options.json) process.stdout.write(`${JSON.stringify({ released: options.release })}\n`);
    else process.stdout.write(`${options.release}: released from quarantine; it is heard again\n`);
    return;
  }
  const folder = options.cards ?? (options.store === undefined ? "." : dirname(options.store));
  const store = options.store === undefined ? null : openSqliteStore(options.store, { readonly: true });
  try {
    if (options.days) {
      if (store === null) throw new UsageError("--days: what came is in a store; give --store STORE");
      const report = daysOf(folder, store);
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : printedDays(report));
      return;
    }
    const rows = rowsOf(folder, store, Date.now());
    process.stdout.write(options.json ? `${JSON.stringify({ devices: rows })}\n` : printed(rows, folder));
  } finally {
    store?.close();
  }
}

/** By who holds the store: the gateway that runs, or else this process under the store's lock. */
async function release(path: string | undefined, kid: string): Promise<void> {
  if (path === undefined) throw new UsageError("--release: a quarantine is in a store; give --store STORE");
  if (!/^[0-9a-f]{16}$/.test(kid)) throw new UsageError(`--release "${kid}": give the device's name, 16 hex digits`);
  let held: Lock;
  try {
    held = lock(`${path}.lock`, `store ${path}`);
  } catch {
    const answer = await askGateway(path, { command: "release", device: kid }, PATIENCE);
    if ("error" in answer) throw new Error(answer.error);
    if (answer.result !== true) throw new Error(`${kid}: not in quarantine`);
    return;
  }
  try {
    const store = openSqliteStore(path);
    try {
      if (!store.quarantines(fromHex(kid)).some(({ released }) => released === null))
        throw new Error(`${kid}: not in quarantine`);
      store.releaseQuarantine(fromHex(kid), Date.now());
    } finally {
      store.close();
    }
  } finally {
    held.release();
  }
}
