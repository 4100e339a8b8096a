/**
 * Firmware announcements (PROTOCOL.md section 5): a release key vouches for one image. That a device takes none that is not
 * newer than what it runs is the device's to hold. Device side.
 */
import { encode } from "./cbor.ts";
import { type Crypto, type Signer, sign1 } from "./cose.ts";
import { openObject, shortText, wholeNumber } from "./object.ts";
import { refuse } from "./refusal.ts";

export interface Firmware {
  /** Rises with every release, from 1 on. */
  readonly version: number;
  /** Of the image, bytes. */
  readonly size: number;
  /** SHA-256 of the image, 32 bytes. */
  readonly digest: Uint8Array;
  /** The board it is for, as `Board.model`: 1..64 bytes. */
  readonly board: string;
}

/** typ of a firmware announcement in the protected header. */
export const TYP_FIRMWARE = "vsp-fw";

function checked(version: unknown, size: unknown, digest: unknown, board: unknown): Firmware {
  if (!(digest instanceof Uint8Array) || digest.length !== 32)
    throw refuse("payload", "the firmware's digest is not the 32 bytes of a SHA-256");
  return {
    version: wholeNumber(version, 1, "the firmware's version"),
    size: wholeNumber(size, 1, "the firmware's size"),
    digest: digest,
    board: shortText(board, "the firmware's board"),
  };
}

/** The signed announcement [version, size, digest, board]. Throws Refusal "payload" for what no reader would take. */
export function encodeFirmware(firmware: Firmware, releaseSigner: Signer): Uint8Array {
  const good = checked(firmware.version, firmware.size, firmware.digest, firmware.board);
  return sign1(encode([good.version, good.size, good.digest, good.board]), releaseSigner, TYP_FIRMWARE);
}

/**
 * The announcement that the release key has signed. Throws Refusal "size", "cbor", "header", "kid" (another signer),
 * "signature", "payload".
 */
export function decodeFirmware(bytes: Uint8Array, releasePublicKey: Uint8Array, crypto: Crypto): Firmware {
  const parts = openObject(bytes, TYP_FIRMWARE, releasePublicKey, crypto, "firmware announcement", "the release key");
  if (!Array.isArray(parts) || parts.length !== 4)
    throw refuse("payload", "a firmware announcement is not [version, size, SHA-256, board]");
  return checked(parts[0], parts[1], parts[2], parts[3]);
}
