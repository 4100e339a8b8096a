/** vitalwire announce: the release key vouches for a firmware image; `command … firmware-announce` carries it to a board. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { encodeFirmware, type Firmware } from "../protocol/firmware-object.ts";
import { kidText, toHex } from "../protocol/keys.ts";
import { writeDurably } from "./durable.ts";
import { readWrapping } from "./keys/passphrase.ts";
import { readKey } from "./keys/seed-file.ts";
import { UsageError } from "./usage.ts";

export interface AnnounceOptions {
  /** release.key, as `keygen --release` makes it. */
  readonly key: string;
  readonly image: string;
  /** Rises with every release. */
  readonly version: number;
  /** As the board names itself. */
  readonly board: string;
  readonly out: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

export function announce(options: AnnounceOptions): void {
  const { key, image, version, board, out, passphraseFile } = options;
  for (const path of [key, image]) if (!existsSync(path)) throw new UsageError(`${path}: no such file`);
  const wrapping = passphraseFile === undefined ? null : readWrapping({ passphraseFile });
  const { signer, ueid, site } = readKey(key, wrapping === null ? [] : [wrapping]);
  if (ueid !== null || site !== null)
    throw new UsageError(`${key}: a ${site === null ? "device's" : "site's"} key; firmware is signed by release.key`);
  const bytes = readFileSync(image);
  if (bytes.length === 0) throw new UsageError(`${image}: empty; name the image that the board will run`);
  const digest = new Uint8Array(createHash("sha256").update(bytes).digest());
  const firmware: Firmware = { version, size: bytes.length, digest, board };
  writeDurably(out, encodeFirmware(firmware, signer));
  const document = { announcement: out, version, size: bytes.length, sha256: toHex(digest), board };
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...document, signedBy: kidText(signer.kid) })}\n`
      : `version ${version} for ${board}, ${bytes.length} bytes, SHA-256 ${document.sha256}: announced in ${out}\n` +
          `  to a board: vitalwire command --store FILE --device KID firmware-announce object=@${out}\n`,
  );
}
