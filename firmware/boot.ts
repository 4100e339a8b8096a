/**
 * The number and the nonce of this boot, from what the board's storage keeps (PROTOCOL.md sections 3 and 4). Both stand in one
 * record, which is written before anything is sealed: a write is whole or absent, so there is no number without its nonce.
 * Device side.
 */
import type { Storage } from "../boards/board.ts";
import { BOOT_NONCE_LENGTH, newBootNonce } from "../protocol/boot-keys.ts";
import { type Cbor, decode, encode } from "../protocol/cbor.ts";
import { equalBytes } from "../protocol/constant-time.ts";
import type { Crypto } from "../protocol/cose.ts";
import { OUTBOX_RECORD } from "./gone.ts";

/** Record [boot, bn]; bn null: of a boot whose nonce was not kept. */
export const BOOT_RECORD = "boot";
/** Record [boot, seq] of the last message, written at a clean end. */
export const END_RECORD = "end";
/** Records that begin with the boot they were written in: none may be of a later boot than the boot record says. */
const WITNESSES: readonly string[] = [END_RECORD, "time", OUTBOX_RECORD];
const MAX_BOOT = 4294967295;

export interface BootOptions {
  /** Survives power loss. */
  readonly storage: Storage;
  /** The device's, 8 bytes. */
  readonly kid: Uint8Array;
  /** Pre-shared key, 32 bytes; null: the board signs and does not encrypt, and bn is no secret's. */
  readonly psk: Uint8Array | null;
  /** All that differs between boots, of any length. */
  readonly entropy: Uint8Array;
  readonly crypto: Pick<Crypto, "sha256">;
}

export interface StartedBoot {
  /** 1 at first: durable already. */
  readonly boot: number;
  /** 16 bytes; another one than the boot before had. */
  readonly bn: Uint8Array;
  /** Last message of the boot before; null where it did not end cleanly, and on the first. */
  readonly prev: { readonly boot: number; readonly seq: number } | null;
  /** Keeps the seq of the last message: once, when nothing more will be sealed. */
  end(seq: number): void;
}

const isU32 = (value: Cbor | undefined): value is number =>
  typeof value === "number" && value >= 0 && value <= MAX_BOOT;

/** A record's items, the first a boot; null: it was never written, "damaged": it is something else. */
const read = (storage: Storage, name: string): Cbor[] | null | "damaged" => {
  const bytes = storage.read(name);
  if (bytes === undefined) return null;
  try {
    const items = decode(bytes);
    return Array.isArray(items) && isU32(items[0]) ? items : "damaged";
  } catch (_error) {
    return "damaged";
  }
};

/** What another record says; a damaged one says nothing, as one that is not there: whoever can damage can also delete. */
const witness = (storage: Storage, name: string): Cbor[] | null => {
  try {
    const items = read(storage, name);
    return items === "damaged" ? null : items;
  } catch (_error) {
    return null;
  }
};

/** Without a pre-shared key nobody asks bn to be unknown: the hash of all that makes it another one. */
const openNonce = (boot: number, entropy: Uint8Array, crypto: Pick<Crypto, "sha256">): Uint8Array =>
  new Uint8Array(crypto.sha256(encode(["bn", boot, entropy])).subarray(0, BOOT_NONCE_LENGTH));

/**
 * Raises the boot number, draws bn and commits both. Throws Error, and then nothing may be sealed: where the boot record is
 * damaged, where another says that it is older than what was sent (a rolled-back image), where bn equals the last one stored,
 * where the storage does not keep what it is given, and after boot 2^32 - 1.
 */
export function startBoot(options: BootOptions): StartedBoot {
  const storage = options.storage;
  const record = read(storage, BOOT_RECORD);
  if (record === "damaged" || (record !== null && record.length !== 2))
    throw new Error(`storage "${BOOT_RECORD}": damaged, the boot number is not known; never lower it: make a new key`);
  const last = record === null ? 0 : (record[0] as number);
  for (let i = 0; i < WITNESSES.length; i++) {
    const other = witness(storage, WITNESSES[i]);
    if (other !== null && (other[0] as number) > last)
      throw new Error(
        `storage "${BOOT_RECORD}" says boot ${last}, "${WITNESSES[i]}" says ${other[0]}: an old image was put back; make a new key`,
      );
  }
  const lastNonce = record === null ? null : record[1];
  if (lastNonce !== null && !(lastNonce instanceof Uint8Array))
    throw new Error(`storage "${BOOT_RECORD}": no bn beside the boot number; make a new key`);
  if (last >= MAX_BOOT) throw new Error(`boot ${last} was the last one of this key; make a new key`);
  const boot = last + 1;
  const bn =
    options.psk === null
      ? openNonce(boot, options.entropy, options.crypto)
      : newBootNonce({ psk: options.psk, kid: options.kid, boot: boot }, options.entropy, lastNonce, options.crypto);
  const ended = witness(storage, END_RECORD);
  const kept = encode([boot, bn]);
  storage.write(BOOT_RECORD, kept);
  const back = storage.read(BOOT_RECORD);
  if (back === undefined || !equalBytes(back, kept))
    throw new Error(`storage "${BOOT_RECORD}": it does not keep boot ${boot}; this board needs storage that survives`);
  return {
    boot: boot,
    bn: bn,
    prev: ended !== null && ended[0] === last && isU32(ended[1]) ? { boot: last, seq: ended[1] } : null,
    end: (seq) => storage.write(END_RECORD, encode([boot, seq])),
  };
}
