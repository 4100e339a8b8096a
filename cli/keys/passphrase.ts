/** What opens wrapped keys, as the command line and the settings name it: a passphrase in a file, or a wrapping key. */
import { existsSync } from "node:fs";
import { fromHex } from "../../protocol/keys.ts";
import { UsageError } from "../usage.ts";
import { readSecret, writeSecret } from "./secret-file.ts";
import { keyFileWrapping, newWrappingKey, passphraseWrapping, type Wrapping } from "./wrapping.ts";

export interface WrappingOptions {
  /** File with one line: a passphrase. */
  readonly passphraseFile?: string;
  /** File with one line: 64 hex digits. */
  readonly keyFile?: string;
}

/** The one line of a secret file, without its end. */
function lineOf(path: string): string {
  const text = readSecret(path).replace(/\r?\n$/, "");
  if (text === "" || /[\r\n]/.test(text))
    throw new Error(`${path}: one line with the secret is expected, and nothing else`);
  return text;
}

/** What was asked for; null where nothing was. Throws UsageError for both at once, Error where a file is not good. */
export function readWrapping(options: WrappingOptions): Wrapping | null {
  const { passphraseFile, keyFile } = options;
  if (passphraseFile !== undefined && keyFile !== undefined)
    throw new UsageError("--passphrase-file and --key-file: give one of them");
  if (passphraseFile !== undefined) return passphraseWrapping(lineOf(passphraseFile));
  if (keyFile === undefined) return null;
  const line = lineOf(keyFile);
  if (!/^[0-9a-f]{64}$/.test(line)) throw new Error(`wrapping key ${keyFile}: not 64 hex digits; name the right file`);
  return keyFileWrapping(fromHex(line));
}

/** As `readWrapping`, where one is needed; a wrapping key that is not there yet is made. Throws UsageError where none is named. */
export function needWrapping(options: WrappingOptions, what: string): Wrapping {
  if (options.keyFile !== undefined && !existsSync(options.keyFile)) writeSecret(options.keyFile, newWrappingKey());
  const wrapping = readWrapping(options);
  if (wrapping !== null) return wrapping;
  throw new UsageError(
    `${what} is never kept bare: give --passphrase-file FILE (one line) or --key-file FILE (made where it is not there)`,
  );
}
