/**
 * How far each board's backfill has come, and what of it is missing or declared lost; and which messages a page has use for: one
 * that shows the newest seconds need not be told hours of the past.
 */
import { kidText } from "../../protocol/keys.ts";
import type { DataMessage } from "../../protocol/messages.ts";
import type { BoardCounts } from "../dashboard/feed.ts";
import type { Device, Devices } from "../devices.ts";
import type { Accepted } from "../receiver.ts";
import { decodeRecord, openStored } from "../record.ts";
import type { Store, StoredMessage } from "../store/store.ts";

/** Older than this at its arrival a message fills a gap: it is reviewed, never live (PROTOCOL.md section 4). ms. */
const REVIEWED = 30_000;
/** Older than this a message has no place on any screen (dashboard/wave.ts keeps 45 s); ms. */
const SHOWN = 60_000;

/** Of one device. */
export type Gaps = Pick<BoardCounts, "missing" | "declared" | "earlierMissing" | "earlierDeclared" | "backfill">;

export interface Backfills {
  /** A message is stored. False: a page that is open has no use for it. */
  stored(accepted: Pick<Accepted, "device" | "row" | "message">): boolean;
  of(device: Device): Gaps;
}

/** The boot of a device that was heard last. */
interface Known {
  readonly boot: number;
  /** The newest tick, ms since boot, and when it arrived, ms since the epoch; -1: none. */
  tick: number;
  tickAt: number;
}

export function createBackfills(store: Store, devices: Devices): Backfills {
  const known = new Map<string, Known>();
  const newest = new Map<string, BoardCounts["backfill"]>();

  const currentOf = (device: Device): Known => {
    const kid = kidText(device.card.kid);
    const found = known.get(kid);
    if (found?.boot === device.currentBoot) return found;
    const current = { boot: device.currentBoot, ...newestOf(store, device) };
    known.set(kid, current);
    return current;
  };

  return {
    stored({ device, row, message }) {
      if (message.type === "presence" || !("tick" in message)) return true;
      const current = currentOf(device);
      const isEarlier = message.boot < current.boot;
      if (message.boot === current.boot && message.tick >= current.tick) {
        current.tick = message.tick;
        current.tickAt = row.received;
      }
      const behind = isEarlier ? Number.POSITIVE_INFINITY : current.tick - message.tick;
      if (message.type === "data" && behind > REVIEWED) {
        const age = ageOf(row, message, isEarlier ? null : current);
        newest.set(kidText(device.card.kid), { at: Math.floor(row.received), boot: message.boot, age });
      }
      // Of an earlier boot a page shows nothing; births and events of this one it needs whenever they come.
      return !isEarlier && (message.type === "birth" || message.type === "event" || behind <= SHOWN);
    },
    of(device) {
      const gaps = { missing: 0, declared: 0, earlierMissing: 0, earlierDeclared: 0 };
      const backfill = newest.get(kidText(device.card.kid)) ?? null;
      if (device.currentBoot < 0) return { ...gaps, backfill };
      const current = devices.boot(device, device.currentBoot);
      gaps.missing = current.settled.missing;
      gaps.declared = current.sequence.declared;
      const ends = endsOf(device);
      for (const boot of ends.keys()) devices.boot(device, boot);
      for (const { boot, settled, sequence } of device.boots.values()) {
        // Of what another gateway had nothing is missing here.
        if (boot >= device.currentBoot || sequence.stored.highest < 0) continue;
        gaps.earlierMissing += settled.missing + Math.max(0, (ends.get(boot) ?? -1) - settled.highest);
        gaps.earlierDeclared += sequence.declared;
      }
      return { ...gaps, backfill };
    },
  };
}

/**
 * The newest message of the boot as the store has it; -1 where there is none, or it cannot be read: the gateway itself tells of
 * such a store, and no page waits for it.
 */
function newestOf(store: Store, { card, currentBoot }: Device): Pick<Known, "tick" | "tickAt"> {
  try {
    const [row] = store.newest(card.kid, currentBoot, 0, 1);
    const message = row === undefined ? null : openStored(row);
    if (message !== null && "tick" in message) return { tick: message.tick, tickAt: row.received };
  } catch {}
  return { tick: -1, tickAt: 0 };
}

/** Where boots ended, by the births after them: the last seq of each. A clean end is told by the next birth alone. */
function endsOf(device: Device): Map<number, number> {
  const ends = new Map<number, number>();
  for (const { births } of device.boots.values()) {
    for (const { boot, prev } of births.values()) if (prev !== null && prev.boot < boot) ends.set(prev.boot, prev.seq);
  }
  return ends;
}

/** How old a message was when it came, ms; null: it is of an earlier boot, and untimed. */
function ageOf({ received, record }: StoredMessage, { tick }: DataMessage, current: Known | null): number | null {
  const { clock } = decodeRecord(record);
  if (clock !== null) return Math.max(0, Math.round(received - clock.utc / 1000));
  return current === null ? null : Math.max(0, Math.round(current.tick - tick + received - current.tickAt));
}
