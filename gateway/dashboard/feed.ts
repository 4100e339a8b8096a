/**
 * What a gateway streams to a page: frames, each one deterministic CBOR array in a binary WebSocket message. The sealed
 * messages travel as they are, so that the page can verify what it draws.
 */
import { type Cbor, decode, encode } from "../../protocol/cbor.ts";
import { type Countersignature, countersignatureOf, countersignatureParts } from "../../protocol/countersign.ts";

export type Frame =
  /** First on every connection. `now`: the gateway's clock, ms since the epoch. */
  | { readonly type: "hello"; readonly now: number; readonly sitePublicKey: Uint8Array | null }
  /** An enrolled device, or a gateway whose countersignatures may come: at the start, and when one is added. */
  | { readonly type: "card"; readonly card: Uint8Array }
  | ({ readonly type: "message" } & FedMessage)
  /** All that was stored before has been sent: what comes now is live. */
  | { readonly type: "live" }
  /** What the gateway counted of a device, on change, at most once a second. */
  | { readonly type: "counts"; readonly kid: Uint8Array; readonly counts: BoardCounts }
  /** All that a person should know of a device, on change: what was told of it before no longer counts. */
  | { readonly type: "notices"; readonly kid: Uint8Array; readonly notices: readonly Notice[] }
  /** A serial port or a broker changed its condition. */
  | { readonly type: "source"; readonly name: string; readonly condition: string; readonly sentence: string };

/** A stored message, with what a browser needs to check it. */
export interface FedMessage {
  /** ms since the epoch. */
  readonly received: number;
  readonly message: Uint8Array;
  /** The gateway's, of a message in mode M, and of a bare payload in mode E; null: there is none. */
  readonly countersignature: Countersignature | null;
  /** Of a bare payload in mode E, which no browser can open. */
  readonly plaintext: Uint8Array | null;
}

export const NOTICE_KINDS = ["quarantine", "revoked", "rotation", "boot regression"] as const;

/** A technical condition of a device that is no measurement's: whether it is what its card says. */
export interface Notice {
  readonly kind: (typeof NOTICE_KINDS)[number];
  /** ms since the epoch. */
  readonly since: number;
  readonly sentence: string;
  /** The command that ends it; empty: none does. */
  readonly command: string;
}

export interface BoardCounts {
  /** The way by which it was last heard: "serial:/dev/ttyUSB0", "mqtt:1563545644dd02b0". */
  readonly way: string;
  readonly verified: number;
  readonly rejected: number;
  readonly duplicates: number;
  /** Messages of its current boot that are missing without a word, and those that the board has declared lost. */
  readonly missing: number;
  readonly declared: number;
  /** The same of the boots before, as far as the gateway has heard of them since it began. */
  readonly earlierMissing: number;
  readonly earlierDeclared: number;
  /** The newest message that filled a gap of the past, of any boot; null: none did since the gateway began. */
  readonly backfill: Backfill | null;
}

export interface Backfill {
  /** When it came, ms since the epoch by the gateway's clock. */
  readonly at: number;
  readonly boot: number;
  /** How old it was then, ms; null: it is of an earlier boot whose time nobody knows. */
  readonly age: number | null;
}

const VERSION = 3;
const HELLO = 0;
const CARD = 1;
const MESSAGE = 2;
const LIVE = 3;
const COUNTS = 4;
const SOURCE = 5;
const NOTICES = 6;

export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case "hello":
      return encode([HELLO, VERSION, frame.now, frame.sitePublicKey]);
    case "card":
      return encode([CARD, frame.card]);
    case "message": {
      const { received, message, countersignature, plaintext } = frame;
      const parts = countersignature && countersignatureParts(countersignature);
      return encode([MESSAGE, received, message, parts, plaintext]);
    }
    case "live":
      return encode([LIVE]);
    case "counts": {
      const { way, verified, rejected, duplicates, backfill } = frame.counts;
      const { missing, declared, earlierMissing, earlierDeclared } = frame.counts;
      const newest = backfill && [backfill.at, backfill.boot, backfill.age];
      const gaps = [missing, declared, earlierMissing, earlierDeclared, newest];
      return encode([COUNTS, frame.kid, way, verified, rejected, duplicates, gaps]);
    }
    case "notices": {
      const notices = frame.notices.map(({ kind, since, sentence, command }) => [kind, since, sentence, command]);
      return encode([NOTICES, frame.kid, notices]);
    }
    case "source":
      return encode([SOURCE, frame.name, frame.condition, frame.sentence]);
  }
}

/** Throws Error for what no gateway of this version sends; Refusal for what is no deterministic CBOR, or no countersignature. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const value = decode(bytes);
  const frame = Array.isArray(value) ? read(value) : null;
  if (frame === null) {
    throw new Error(
      `a frame that this page does not know (${bytes.length} bytes): reload it, the gateway is another one`,
    );
  }
  return frame;
}

const whole = (value: Cbor | undefined): value is number => typeof value === "number" && value >= 0;
const text = (value: Cbor | undefined): value is string => typeof value === "string";
const bytes = (value: Cbor | undefined): value is Uint8Array => value instanceof Uint8Array;

function read(value: Cbor[]): Frame | null {
  const [kind, a, b, c, d, e, f] = value;
  const has = (length: number) => value.length === length;
  switch (kind) {
    case HELLO:
      if (!has(4) || a !== VERSION || !whole(b) || !(c === null || bytes(c))) return null;
      return { type: "hello", now: b, sitePublicKey: c };
    case CARD:
      return has(2) && bytes(a) ? { type: "card", card: a } : null;
    case MESSAGE:
      if (!has(5) || !whole(a) || !bytes(b) || c === undefined || !(d === null || bytes(d))) return null;
      return {
        type: "message",
        received: a,
        message: b,
        countersignature: c === null ? null : countersignatureOf(c),
        plaintext: d,
      };
    case LIVE:
      return has(1) ? { type: "live" } : null;
    case COUNTS: {
      const gaps = gapsOf(f);
      if (!has(7) || !bytes(a) || !text(b) || !whole(c) || !whole(d) || !whole(e) || gaps === null) return null;
      return { type: "counts", kid: a, counts: { way: b, verified: c, rejected: d, duplicates: e, ...gaps } };
    }
    case NOTICES: {
      const notices = Array.isArray(b) ? b.map(noticeOf) : [null];
      if (!has(3) || !bytes(a) || !notices.every((one) => one !== null)) return null;
      return { type: "notices", kid: a, notices };
    }
    case SOURCE:
      return has(4) && text(a) && text(b) && text(c) ? { type: "source", name: a, condition: b, sentence: c } : null;
    default:
      return null;
  }
}

type Gaps = Omit<BoardCounts, "way" | "verified" | "rejected" | "duplicates">;

function gapsOf(value: Cbor | undefined): Gaps | null {
  if (!Array.isArray(value) || value.length !== 5) return null;
  const [missing, declared, earlierMissing, earlierDeclared, newest] = value;
  if (!whole(missing) || !whole(declared) || !whole(earlierMissing) || !whole(earlierDeclared)) return null;
  const gaps = { missing, declared, earlierMissing, earlierDeclared };
  if (newest === null) return { ...gaps, backfill: null };
  const [at, boot, age] = Array.isArray(newest) && newest.length === 3 ? newest : [];
  if (!whole(at) || !whole(boot) || !(age === null || whole(age))) return null;
  return { ...gaps, backfill: { at, boot, age } };
}

function noticeOf(value: Cbor): Notice | null {
  const [name, since, sentence, command] = Array.isArray(value) && value.length === 4 ? value : [];
  const kind = NOTICE_KINDS.find((one) => one === name);
  if (kind === undefined || !whole(since) || !text(sentence) || !text(command)) return null;
  return { kind, since, sentence, command };
}
