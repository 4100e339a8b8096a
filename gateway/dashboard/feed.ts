/**
 * What a gateway streams to a page: frames, each one deterministic CBOR array in a binary WebSocket message. The sealed
 * messages travel as they are, so that the page can verify what it draws.
 */
import { type Cbor, decode, encode } from "../../protocol/cbor.ts";

export type Frame =
  /** First on every connection. `now`: the gateway's clock, ms since the epoch. */
  | { readonly type: "hello"; readonly now: number; readonly sitePublicKey: Uint8Array | null }
  /** An enrolled device: at the start, and when one is added. */
  | { readonly type: "board"; readonly card: Uint8Array }
  /** A stored message. `received`: ms since the epoch; `evidence`: 1 mac, 2 mac and countersignature, 3 device-signed. */
  | { readonly type: "message"; readonly received: number; readonly evidence: number; readonly message: Uint8Array }
  /** All that was stored before has been sent: what comes now is live. */
  | { readonly type: "live" }
  /** What the gateway counted of a device, on change, at most once a second. */
  | { readonly type: "counts"; readonly kid: Uint8Array; readonly counts: BoardCounts }
  /** A serial port or a broker changed its condition. */
  | { readonly type: "source"; readonly name: string; readonly condition: string; readonly sentence: string };

export interface BoardCounts {
  /** The way by which it was last heard: "serial:/dev/ttyUSB0", "mqtt:1563545644dd02b0". */
  readonly way: string;
  readonly verified: number;
  readonly rejected: number;
  readonly duplicates: number;
  /** Messages of its current boot that are missing without a word, and those that the board has declared lost. */
  readonly missing: number;
  readonly declared: number;
}

const VERSION = 1;
const HELLO = 0;
const BOARD = 1;
const MESSAGE = 2;
const LIVE = 3;
const COUNTS = 4;
const SOURCE = 5;

export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case "hello":
      return encode([HELLO, VERSION, frame.now, frame.sitePublicKey]);
    case "board":
      return encode([BOARD, frame.card]);
    case "message":
      return encode([MESSAGE, frame.received, frame.evidence, frame.message]);
    case "live":
      return encode([LIVE]);
    case "counts": {
      const { way, verified, rejected, duplicates, missing, declared } = frame.counts;
      return encode([COUNTS, frame.kid, way, verified, rejected, duplicates, missing, declared]);
    }
    case "source":
      return encode([SOURCE, frame.name, frame.condition, frame.sentence]);
  }
}

/** Throws Error for what no gateway of this version sends; Refusal for what is no deterministic CBOR. */
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
  const [kind, a, b, c, d, e, f, g] = value;
  const has = (length: number) => value.length === length;
  switch (kind) {
    case HELLO:
      if (!has(4) || a !== VERSION || !whole(b) || !(c === null || bytes(c))) return null;
      return { type: "hello", now: b, sitePublicKey: c };
    case BOARD:
      return has(2) && bytes(a) ? { type: "board", card: a } : null;
    case MESSAGE:
      if (!has(4) || !whole(a) || !whole(b) || !bytes(c)) return null;
      return { type: "message", received: a, evidence: b, message: c };
    case LIVE:
      return has(1) ? { type: "live" } : null;
    case COUNTS:
      if (!has(8) || !bytes(a) || !text(b) || !whole(c) || !whole(d) || !whole(e) || !whole(f) || !whole(g))
        return null;
      return {
        type: "counts",
        kid: a,
        counts: { way: b, verified: c, rejected: d, duplicates: e, missing: f, declared: g },
      };
    case SOURCE:
      return has(4) && text(a) && text(b) && text(c) ? { type: "source", name: a, condition: b, sentence: c } : null;
    default:
      return null;
  }
}
