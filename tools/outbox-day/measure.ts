/** Runs a board for some hours of virtual time, and counts what its flash was given. */
import { createVirtualClock, type VirtualClock } from "../../boards/simulated.ts";
import { WAVES } from "../../firmware/flash-log/format.ts";
import { type Pages, USED } from "../../firmware/flash-log/pages.ts";
import { bytesPerSecond } from "../../firmware/forecast.ts";
import type { Link, LinkEvents } from "../../firmware/link.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { layoutOf } from "./arithmetic.ts";
import { createDayBoard, type DayBoard, type DayOptions, offline, PAGE_SIZE } from "./board.ts";
import type { FlashTally } from "./tally.ts";

export interface DaySettings extends Omit<DayOptions, "clock" | "pages" | "link" | "gateways"> {
  readonly hours: number;
  /** Pages of the log; null: more than it needs. */
  readonly pages: number | null;
  /** What the recording is called. */
  readonly record?: string;
}

/** Of erasures. */
export interface Wear {
  /** Of the pages that take turns. */
  readonly least: number;
  readonly most: number;
  /** Of all pages. */
  readonly mean: number;
  /** How many pages hold what stays: births, vitals, events, manifests. They are not erased meanwhile. */
  readonly staying: number;
}

export interface Measured {
  readonly settings: DaySettings;
  readonly pages: number;
  readonly tally: FlashTally;
  readonly wear: Wear;
  /** Bytes written for each sealed byte; bytes erased for each. */
  readonly amplification: number;
  readonly erased: number;
  /** Age of the oldest waveform that is still there, s; null: none had to go. */
  readonly holds: number | null;
  /** What the same outbox says of itself in a birth, s: from its channels, and from what it was given. */
  readonly promised: { readonly channels: number; readonly taken: number };
  /** Writes of the storage of records, by name; erasures of its most worn page. */
  readonly storage: {
    readonly writes: Readonly<Record<string, number>>;
    readonly bytes: number;
    readonly most: number;
  };
  /** The same by arithmetic: of a second. */
  readonly arithmetic: ReturnType<typeof layoutOf>;
}

/** What was sealed at the end is written within so long, us. */
const LAST = 500_000;

/** Sealed and written bytes of a second: only to choose how much flash is more than enough. */
const ENOUGH = 1200;

function wearOf(wear: readonly number[], { state, stream }: Pages): Wear {
  const turning = wear.filter((_, page) => state[page] !== USED || stream[page] === WAVES);
  return {
    least: Math.min(...turning),
    most: Math.max(...wear),
    mean: wear.reduce((sum, one) => sum + one, 0) / wear.length,
    staying: wear.length - turning.length,
  };
}

function report(
  settings: DaySettings,
  pages: number,
  { runtime, tally, flash, storage, storageFlash }: DayBoard,
): Measured {
  const seconds = settings.hours * 3600;
  const { packet, mode } = settings;
  const { outbox } = runtime;
  if (outbox.backlog === null) throw new Error("outbox day: the log was given up");
  const seal = { mode, encrypt: false };
  let oldest = seconds * 10;
  outbox.backlog.log.each(({ header }) => {
    if (header.kind === 1) oldest = Math.min(oldest, header.at);
  });
  const forecast = bytesPerSecond(runtime.channels, packet, seal, outbox.persistent, outbox.overhead);
  const { recording: _samples, ...told } = settings;
  return {
    settings: told,
    pages,
    tally,
    wear: wearOf(flash.wear, outbox.backlog.log.pages),
    amplification: tally.written / tally.sealed,
    erased: (tally.erasures * PAGE_SIZE) / tally.sealed,
    holds: outbox.gone.length === 0 ? null : seconds - oldest / 10,
    promised: {
      channels: Math.floor(outbox.room / forecast),
      taken: Math.floor(outbox.room / (outbox.taken / seconds)),
    },
    storage: {
      writes: Object.fromEntries(storage.writes),
      bytes: storageFlash.bytesWritten,
      most: Math.max(...storageFlash.wear),
    },
    arithmetic: layoutOf({
      channels: runtime.channels,
      packet,
      mode,
      pageSize: PAGE_SIZE,
      markEvery: settings.markEvery,
    }),
  };
}

/** Nobody hears all the time. */
export function measureOffline(settings: DaySettings): Measured {
  const clock = createVirtualClock();
  const pages = settings.pages ?? Math.ceil((settings.hours * 3600 * ENOUGH) / PAGE_SIZE) + 16;
  const board = createDayBoard({ ...settings, clock, pages, link: offline, gateways: [] });
  board.runtime.start();
  clock.runUntil(settings.hours * 3600e6 + LAST);
  return report(settings, pages, board);
}

/** Unix time of the start, ms. */
const EPOCH = 1_767_225_600_000;
/** Each way takes so long, us. */
const DELAY = 20_000;

function linkTo(clock: VirtualClock, gateway: Gateway): Link {
  let events: LinkEvents | null = null;
  const reply = (message: Uint8Array) => void clock.at(clock.now + DELAY, () => events?.onMessage(message));
  const origin: Origin = { name: "outbox day", counters: createCounters(), reply };
  return {
    presence: false,
    open(own) {
      events = own;
      clock.at(clock.now, () => own.onUp(1));
    },
    send(_letter, message) {
      clock.at(clock.now + DELAY, () => void gateway.receive(message, origin));
      return true;
    },
    close: (done) => void clock.at(clock.now, done),
  };
}

/** A gateway hears and acknowledges all the time. */
export function measureOnline(settings: DaySettings & { readonly pages: number }): Measured {
  const clock = createVirtualClock();
  const signer = testOnlySigner("gateway", "outbox day");
  const gateway = new Gateway({
    store: openSqliteStore(":memory:"),
    crypto: nodeCrypto,
    aead: nodeAead,
    signer,
    now: () => EPOCH + clock.now / 1000,
    soon: (callback) => void clock.at(clock.now, callback),
    onError: (error) => {
      throw error;
    },
    onRefused: (_origin, reason, detail) => {
      throw new Error(`outbox day: refused, ${reason} ${detail}`);
    },
  });
  const board = createDayBoard({ ...settings, clock, link: linkTo(clock, gateway), gateways: [signer] });
  const site = testOnlySigner("site", "outbox day");
  const issuedAt = EPOCH / 1000;
  for (const [subject, role] of [
    [board.signer, "device"],
    [signer, "gateway"],
  ] as const) {
    const { kid, publicKey } = subject;
    const card = encodeCard({ issuer: "TEST-ONLY", role, kid, publicKey, issuedAt, expires: issuedAt + 1e7 }, site);
    gateway.devices.enroll(card, site.publicKey, true);
  }
  if (board.psk !== null) gateway.devices.givePsk(board.signer.kid, board.psk, false);
  board.runtime.start();
  clock.runUntil(settings.hours * 3600e6 + LAST);
  return report(settings, settings.pages, board);
}
