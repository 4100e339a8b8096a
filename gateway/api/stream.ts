/**
 * What every connected page hears: first what is stored, then each message as it is stored. Nothing here waits, and what a
 * page was told from the store is not told again: no message is lost, and none comes twice. What fills a gap of long ago has no
 * place on a page that shows the newest seconds: it is counted, and how far it has come is told (backfill.ts).
 */
import { decodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import type { Reason } from "../../protocol/refusal.ts";
import { encodeFrame, type Frame } from "../dashboard/feed.ts";
import type { Device } from "../devices.ts";
import type { Gateway } from "../gateway.ts";
import { type Origin, rejected } from "../origin.ts";
import type { Accepted, DeviceAlarm } from "../receiver.ts";
import { decodeRecord } from "../record.ts";
import type { StoredMessage } from "../store/store.ts";
import { type Backfills, createBackfills } from "./backfill.ts";
import { createEventBacklog, type EventBacklog } from "./event-backlog.ts";
import { createNotices } from "./notices.ts";

/** One connected page. */
export interface Listener {
  send(frame: Uint8Array): void;
}

/** Runs a callback after so many ms; returns what calls it off. */
export type After = (ms: number, callback: () => void) => () => void;

export interface Stream {
  /**
   * Sends hello, cards, what is stored, sources, counts, live; then everything as it comes. Returns how to leave. Throws
   * where the store cannot be read; then the listener has not joined.
   */
  join(listener: Listener): () => void;
  /** A message is durable: told at once, where an open page has a place for it. */
  stored(accepted: Accepted): void;
  /** A device was enrolled, or a gateway got a card; a card of anybody else is nobody's business here. */
  enrolled(card: Uint8Array): void;
  /** Something that a person should know of a device: told at once. What changes without an alarm is told within a second. */
  alarm(alarm: DeviceAlarm): void;
  /** Raises the counts of the device whose way it was. */
  refused(origin: Origin, reason: Reason): void;
  /** A serial port or a broker changed its condition. */
  source(name: string, condition: string, sentence: string): void;
  /** Lets everybody go, and ends the timers. */
  close(): void;
}

export interface StreamOptions {
  readonly gateway: Gateway;
  readonly sitePublicKey: Uint8Array | null;
  /** Path of the store, for commands that name it; absent: in memory. */
  readonly storePath?: string;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly after: After;
}

/** Data and events of a board's boot that a new listener is told: more than fill a sweep. */
const BACKLOG = 40;
/** Between two counts of one device, ms. */
const COUNTS_PERIOD = 1000;
/** How often it is looked whether what a person should know of a device has changed, ms. */
const NOTICES_PERIOD = 1000;

export function createStream(options: StreamOptions): Stream {
  const { gateway, after, sitePublicKey } = options;
  /** Listeners, and the boards that each was told of: by kid, the position up to which it was told from the store. */
  const listeners = new Map<Listener, Map<string, number>>();
  const sources = new Map<string, Uint8Array>();
  const events = createEventBacklog(gateway.store);
  const backfills = createBackfills(gateway.store, gateway.devices);
  const notices = createNotices(gateway.devices, options.storePath ?? null, options.now);
  /** The newest notices told of each device, encoded; of who has none, none. */
  const noticed = new Map<string, Uint8Array>();
  /** The way by which each device was last heard. */
  const heard = new Map<string, Origin>();
  /** Devices whose counts were told less than a period ago: whether they changed since, and how to call the timer off. */
  const resting = new Map<string, { changed: boolean; readonly cancel: () => void }>();

  const sendAll = (frame: Uint8Array) => {
    for (const listener of listeners.keys()) listener.send(frame);
  };
  const tellBoard = (listener: Listener, told: Map<string, number>, { device, card }: Board) => {
    const kid = kidText(device.card.kid);
    listener.send(encodeFrame({ type: "card", card }));
    const standing = noticesFrame(device);
    if (standing.notices.length > 0) listener.send(encodeFrame(standing));
    // A renewed card of a board that is known: its messages are too.
    if (told.has(kid)) return;
    told.set(kid, gateway.store.head().position);
    for (const row of backlogOf(gateway, device, events)) listener.send(encodeFrame(messageFrame(row)));
  };
  const noticesFrame = (device: Device) =>
    ({ type: "notices", kid: device.card.kid, notices: notices.of(device) }) as const;
  const look = () => {
    for (const device of gateway.devices.all()) {
      const kid = kidText(device.card.kid);
      const frame = noticesFrame(device);
      const known = noticed.get(kid);
      if (known === undefined && frame.notices.length === 0) continue;
      const bytes = encodeFrame(frame);
      if (known !== undefined && Buffer.compare(known, bytes) === 0) continue;
      noticed.set(kid, bytes);
      sendAll(bytes);
    }
  };
  let cancelLook = () => {};
  const lookOn = () => {
    look();
    cancelLook = after(NOTICES_PERIOD, lookOn);
  };
  lookOn();
  const changed = (device: Device) => {
    const kid = kidText(device.card.kid);
    const rest = resting.get(kid);
    if (rest !== undefined) {
      rest.changed = true;
      return;
    }
    const frame = countsFrame(backfills, device, heard);
    if (frame !== null) sendAll(encodeFrame(frame));
    const cancel = after(COUNTS_PERIOD, () => {
      const { changed: again } = resting.get(kid)!;
      resting.delete(kid);
      if (again) changed(device);
    });
    resting.set(kid, { changed: false, cancel });
  };
  const deviceAt = (origin: Origin) =>
    origin.device ?? (origin.topic === undefined ? undefined : gateway.devices.get(fromHex(origin.topic.kid)));

  return {
    join(listener) {
      const send = (frame: Frame) => listener.send(encodeFrame(frame));
      const told = new Map<string, number>();
      send({ type: "hello", now: Math.floor(options.now()), sitePublicKey });
      for (const card of gatewayCards(gateway, sitePublicKey)) send({ type: "card", card });
      for (const board of boardsOf(gateway)) tellBoard(listener, told, board);
      for (const bytes of sources.values()) listener.send(bytes);
      for (const device of gateway.devices.all()) {
        const frame = countsFrame(backfills, device, heard);
        if (frame !== null) send(frame);
      }
      send({ type: "live" });
      listeners.set(listener, told);
      return () => listeners.delete(listener);
    },
    stored(accepted) {
      const { device, origin, row, message } = accepted;
      const kid = kidText(device.card.kid);
      events.stored(kid, message);
      const isShown = backfills.stored(accepted);
      heard.set(kid, origin);
      let frame: Uint8Array | null = null;
      for (const [listener, told] of listeners) {
        // Enrolled, but not announced yet.
        if (!told.has(kid)) {
          for (const board of boardsOf(gateway)) if (board.device === device) tellBoard(listener, told, board);
        } else if (isShown && row.position > told.get(kid)!) {
          frame ??= encodeFrame(messageFrame(row));
          listener.send(frame);
        }
      }
      changed(device);
    },
    enrolled(card) {
      const isSame = (one: Uint8Array) => Buffer.compare(one, card) === 0;
      const board = boardsOf(gateway).find((one) => isSame(one.card));
      if (board !== undefined) for (const [listener, told] of listeners) tellBoard(listener, told, board);
      else if (gatewayCards(gateway, sitePublicKey).some(isSame)) sendAll(encodeFrame({ type: "card", card }));
    },
    alarm(alarm) {
      notices.alarm(alarm);
      look();
    },
    refused(origin) {
      const device = deviceAt(origin);
      if (device === undefined) return;
      const kid = kidText(device.card.kid);
      if (!heard.has(kid)) heard.set(kid, origin);
      changed(device);
    },
    source(name, condition, sentence) {
      const frame = encodeFrame({ type: "source", name, condition, sentence });
      sources.set(name, frame);
      sendAll(frame);
    },
    close() {
      listeners.clear();
      cancelLook();
      for (const { cancel } of resting.values()) cancel();
      resting.clear();
    },
  };
}

function messageFrame({ received, message, record }: StoredMessage): Frame {
  const { countersignature, plaintext } = decodeRecord(record);
  return { type: "message", received, message, countersignature, plaintext };
}

interface Board {
  readonly device: Device;
  readonly card: Uint8Array;
}

/** The enrolled devices with their cards; cards of gateways, and of devices that are not enrolled now, are none. */
function boardsOf(gateway: Gateway): Board[] {
  return gateway.store.cards().flatMap(({ kid, card }) => {
    const device = gateway.devices.get(kid);
    return device === undefined ? [] : [{ device, card }];
  });
}

/** Cards of gateways that the site has signed: their countersignatures may stand under what is stored. */
function gatewayCards(gateway: Gateway, sitePublicKey: Uint8Array | null): Uint8Array[] {
  if (sitePublicKey === null) return [];
  const isGateway = (card: Uint8Array) => {
    try {
      return decodeCard(card, sitePublicKey, nodeCrypto).role === "gateway";
    } catch {
      // Of another site.
      return false;
    }
  };
  const others = gateway.store.cards().filter(({ kid }) => gateway.devices.get(kid) === undefined);
  return others.map(({ card }) => card).filter(isGateway);
}

/**
 * The births of a device's current boot, then its newest messages, the events of alarms that stand and of what is declared lost,
 * and its presence, in the order in which they were stored.
 */
function backlogOf({ devices, store }: Gateway, device: Device, events: EventBacklog): StoredMessage[] {
  if (device.currentBoot < 0) return [];
  const { kid, boot, births } = devices.boot(device, device.currentBoot);
  const one = (seq: number) => store.newest(kid, boot, 0, 1, seq).filter((row) => row.seq === seq);
  const born = new Set([...births.values()].map(({ seq }) => seq));
  // A birth that is not committed yet comes by `stored`.
  const rows = [...born].flatMap(one);
  const newest = store.newest(kid, boot, 0, BACKLOG).filter(({ seq }) => !born.has(seq));
  const standing = events.standing(kidText(kid), kid, boot).filter((seq) => !newest.some((row) => row.seq === seq));
  const following = [...standing.flatMap(one), ...newest, ...store.newest(kid, boot, 1, 1)];
  return [...rows, ...following.sort((a, b) => a.position - b.position)];
}

/** null: a device that was not heard since the gateway began. */
function countsFrame(backfills: Backfills, device: Device, heard: ReadonlyMap<string, Origin>): Frame | null {
  const { kid } = device.card;
  const origin = heard.get(kidText(kid));
  if (origin === undefined) return null;
  const { name: way, counters } = origin;
  const { verified, duplicates } = counters;
  const counts = { way, verified, rejected: rejected(counters), duplicates, ...backfills.of(device) };
  return { type: "counts", kid, counts };
}
