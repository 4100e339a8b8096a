/**
 * How a board gets its keys (PROTOCOL.md section 5): over its serial cable, in one line of text, while it has none or in the
 * console's window after its boot. Device side; the host makes the line with the same code.
 */
import type { Storage } from "../boards/board.ts";
import { fromBase64, toBase64 } from "../protocol/base64.ts";
import { PSK_LENGTH } from "../protocol/boot-keys.ts";
import { type Cbor, type CborMap, decode, encode, get, isMap, map } from "../protocol/cbor.ts";
import { equalBytes } from "../protocol/constant-time.ts";
import type { Crypto } from "../protocol/cose.ts";
import { crc32 } from "../protocol/crc32.ts";
import { kidOf, kidText } from "../protocol/keys.ts";
import { refuse } from "../protocol/refusal.ts";

type Hash = Pick<Crypto, "sha256">;

/** What a board is told, and keeps. */
export interface Provision {
  /** Ed25519, 32 bytes: the device's name comes from it, also where the board cannot sign. */
  readonly publicKey: Uint8Array;
  /** 17 bytes, the first 0x01; kept over every rotation of the key. */
  readonly ueid: Uint8Array;
  /** Ed25519 seed, 32 bytes; null: the board cannot sign. One of seed and psk is there. */
  readonly seed: Uint8Array | null;
  /** Pre-shared key, 32 bytes; null: neither mode M nor E. */
  readonly psk: Uint8Array | null;
  /** Public keys of the gateways that it obeys, 32 bytes each, at most MAX_GATEWAYS. */
  readonly gateways: readonly Uint8Array[];
  readonly sitePublicKey: Uint8Array;
  /** Whose firmware it takes; null: nobody's. */
  readonly releasePublicKey: Uint8Array | null;
}

export const MAX_GATEWAYS = 8;

/** Record of Board.storage. */
export const IDENTITY_RECORD = "identity";

/** First words of the lines, each followed by the version. */
const REQUEST = "vsp-provision 1 ";
const DONE = "vsp-provisioned 1 ";
const REFUSED = "vsp-provision-refused 1 ";
const WAITING = "vsp-unprovisioned 1 ";
const CONSOLE = "vsp-console 1 ";

/** Longest request, characters: all fields and eight gateways have 910. */
export const MAX_PROVISION_LINE = 1024;

/** Why a board refuses: it is not the time, the line was garbled, it is no such request, it has another key, the seed is another key's. */
export type ProvisionRefusal = "closed" | "crc" | "form" | "kid" | "seed" | "storage";

const KEY = 32;
const UEID = 17;
const KID = 8;

const ENTRY_PUBLIC = 1;
const ENTRY_UEID = 2;
const ENTRY_SEED = 3;
const ENTRY_PSK = 4;
const ENTRY_GATEWAYS = 5;
const ENTRY_SITE = 6;
const ENTRY_RELEASE = 7;
const ENTRY_REPLACES = 8;

function bytes(value: Cbor | undefined, length: number, name: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length)
    throw refuse("payload", `provision: ${name} is not ${length} bytes`);
  return new Uint8Array(value);
}

function maybe(within: CborMap, entry: number, length: number, name: string): Uint8Array | null {
  const value = get(within, entry);
  return value === undefined ? null : bytes(value, length, name);
}

function readProvision(within: CborMap): Provision {
  const seed = maybe(within, ENTRY_SEED, KEY, "the seed");
  const psk = maybe(within, ENTRY_PSK, PSK_LENGTH, "the pre-shared key");
  const release = maybe(within, ENTRY_RELEASE, KEY, "the release key");
  const ueid = bytes(get(within, ENTRY_UEID), UEID, "the ueid");
  const listed = get(within, ENTRY_GATEWAYS);
  if (ueid[0] !== 1) throw refuse("payload", "provision: the ueid does not begin with 0x01");
  if (seed === null && psk === null) throw refuse("payload", "provision: neither a seed nor a pre-shared key");
  if (!Array.isArray(listed) || listed.length > MAX_GATEWAYS)
    throw refuse("payload", `provision: the gateways are not a list of at most ${MAX_GATEWAYS} keys`);
  const gateways: Uint8Array[] = [];
  for (let i = 0; i < listed.length; i++) gateways.push(bytes(listed[i], KEY, "a gateway's key"));
  return {
    publicKey: bytes(get(within, ENTRY_PUBLIC), KEY, "the public key"),
    ueid: ueid,
    seed: seed,
    psk: psk,
    gateways: gateways,
    sitePublicKey: bytes(get(within, ENTRY_SITE), KEY, "the site's key"),
    releasePublicKey: release,
  };
}

function encodeProvision(provision: Provision, replaces: Uint8Array | null): Uint8Array {
  const gateways: Cbor[] = [];
  for (let i = 0; i < provision.gateways.length; i++) gateways.push(provision.gateways[i]);
  const entries: Array<readonly [number, Cbor]> = [
    [ENTRY_PUBLIC, provision.publicKey],
    [ENTRY_UEID, provision.ueid],
    [ENTRY_GATEWAYS, gateways],
    [ENTRY_SITE, provision.sitePublicKey],
  ];
  if (provision.seed !== null) entries.push([ENTRY_SEED, provision.seed]);
  if (provision.psk !== null) entries.push([ENTRY_PSK, provision.psk]);
  if (provision.releasePublicKey !== null) entries.push([ENTRY_RELEASE, provision.releasePublicKey]);
  if (replaces !== null) entries.push([ENTRY_REPLACES, replaces]);
  return encode(map(entries));
}

/** The map, which has no entry that is not known. Throws Refusal "cbor" or "payload". */
function open(encoded: Uint8Array): CborMap {
  const within = decode(encoded);
  if (!isMap(within)) throw refuse("payload", "provision: not a map");
  for (let i = 0; i < within.entries.length; i++) {
    const key = within.entries[i][0];
    if (typeof key !== "number" || key < ENTRY_PUBLIC || key > ENTRY_REPLACES)
      throw refuse("payload", `provision: there is no entry ${key}`);
  }
  return within;
}

/**
 * The line that gives a board its keys, LF included. `replaces`: the kid of the key that it has now, or null for a board
 * without. Throws Refusal "payload" for what no board would take.
 */
export function provisionRequest(provision: Provision, replaces: Uint8Array | null): string {
  const encoded = encodeProvision(provision, replaces);
  readProvision(open(encoded));
  const framed = new Uint8Array(encoded.length + 4);
  framed.set(encoded, 0);
  new DataView(framed.buffer).setUint32(encoded.length, crc32(encoded), true);
  return `${REQUEST}${toBase64(framed)}\n`;
}

/** What a board says of itself, or answers, in one line; null: something else, such as its log. */
export type ProvisionSaying =
  | { readonly kind: "waiting"; readonly model: string }
  | { readonly kind: "console"; readonly kid: string }
  | { readonly kind: "done"; readonly kid: string }
  | { readonly kind: "refused"; readonly why: string };

/** Reads a line of a board, without its line end. */
export function readSaying(line: string): ProvisionSaying | null {
  const rest = (prefix: string) => (line.slice(0, prefix.length) === prefix ? line.slice(prefix.length) : null);
  const model = rest(WAITING);
  if (model !== null) return { kind: "waiting", model: model };
  const console = rest(CONSOLE);
  if (console !== null) return { kind: "console", kid: console };
  const done = rest(DONE);
  if (done !== null) return { kind: "done", kid: done };
  const why = rest(REFUSED);
  return why === null ? null : { kind: "refused", why: why };
}

/** What a board was given; null: nothing yet. Throws Refusal where what is stored is damaged: it needs its keys anew. */
export function readIdentity(storage: Storage): Provision | null {
  const stored = storage.read(IDENTITY_RECORD);
  return stored === undefined ? null : readProvision(open(stored));
}

export interface ProvisionConsoleOptions {
  readonly storage: Storage;
  readonly crypto: Hash;
  /** Of the board, as it names itself to who waits for it. */
  readonly model: string;
  /** Whether a board that has keys is in the console's window; one that has none always listens. */
  readonly open: () => boolean;
  /** Whether this seed is that public key's, where the board can tell. */
  readonly matches?: (seed: Uint8Array, publicKey: Uint8Array) => boolean;
  /** Its new keys are stored: it may begin, or begin anew. */
  readonly onProvisioned: (provision: Provision) => void;
}

export interface ProvisionConsole {
  /** What the board says of itself: every second while it waits, every half second of its window; without a line end. */
  greeting(): string;
  /** The answer to a line, without line ends; null: it is no request, and others may read it. */
  take(line: string): string | null;
}

/** Throws Refusal where what is stored is damaged. */
export function createProvisionConsole(options: ProvisionConsoleOptions): ProvisionConsole {
  const storage = options.storage;
  const identity = readIdentity(storage);
  /** Whether the last request brought anything new. */
  let fresh = false;
  let kid = identity === null ? null : kidOf(identity.publicKey, options.crypto);

  const keep = (record: Uint8Array): boolean => {
    try {
      storage.write(IDENTITY_RECORD, record);
    } catch (_error) {
      return false;
    }
    const back = storage.read(IDENTITY_RECORD);
    return back !== undefined && equalBytes(back, record);
  };
  const judge = (line: string): ProvisionRefusal | Provision => {
    if (kid !== null && !options.open()) return "closed";
    if (line.length > MAX_PROVISION_LINE) return "form";
    let framed: Uint8Array;
    let within: CborMap;
    let provision: Provision;
    try {
      framed = fromBase64(line, REQUEST.length, line.length);
    } catch (_error) {
      return "crc";
    }
    const length = framed.length - 4;
    if (length < 1) return "crc";
    const encoded = framed.subarray(0, length);
    const view = new DataView(framed.buffer, framed.byteOffset + length, 4);
    if (view.getUint32(0, true) !== crc32(encoded)) return "crc";
    let replaces: Uint8Array | null;
    try {
      within = open(encoded);
      provision = readProvision(within);
      replaces = maybe(within, ENTRY_REPLACES, KID, "the kid that it replaces");
    } catch (_error) {
      return "form";
    }
    // Keys are replaced by who names the key that is there, and in no other way; the same request again is answered again.
    const kept = encodeProvision(provision, null);
    const stored = storage.read(IDENTITY_RECORD);
    fresh = stored === undefined || !equalBytes(stored, kept);
    if (!fresh) return provision;
    if (kid === null ? replaces !== null : replaces === null || !equalBytes(replaces, kid)) return "kid";
    if (
      provision.seed !== null &&
      options.matches !== undefined &&
      !options.matches(provision.seed, provision.publicKey)
    )
      return "seed";
    if (!keep(kept)) return "storage";
    kid = kidOf(provision.publicKey, options.crypto);
    return provision;
  };
  return {
    greeting: () => (kid === null ? `${WAITING}${options.model}` : `${CONSOLE}${kidText(kid)}`),
    take(line) {
      if (line.slice(0, REQUEST.length) !== REQUEST) return null;
      const verdict = judge(line);
      if (typeof verdict === "string") return `${REFUSED}${verdict}`;
      if (fresh) options.onProvisioned(verdict);
      return `${DONE}${kidText(kidOf(verdict.publicKey, options.crypto))}`;
    },
  };
}
