/** Pre-shared keys for who looks on: `verify` and `monitor` with --keys. */
import { kidText } from "../../protocol/keys.ts";
import { UsageError } from "../usage.ts";
import { readWrapping, type WrappingOptions } from "./passphrase.ts";
import { readPsks } from "./psk-file.ts";
import { testOnlyWrapping } from "./wrapping.ts";

export interface KeysOptions extends WrappingOptions {
  /** Folder with keys/KID.psk. */
  readonly keys?: string;
}

/** The keys of the folder, by kid; none where no folder is named. Throws UsageError where one of them cannot be read. */
export function preSharedKeys(options: KeysOptions): ReadonlyMap<string, Uint8Array> {
  const given = readWrapping(options);
  if (options.keys === undefined) {
    if (given !== null) throw new UsageError("--passphrase-file and --key-file open the keys of --keys DIR: give it");
    return new Map();
  }
  const { psks, faults } = readPsks(options.keys, given === null ? [testOnlyWrapping()] : [testOnlyWrapping(), given]);
  if (faults.length > 0) throw new UsageError(faults.join("; "));
  return new Map(psks.map(({ kid, psk }) => [kidText(kid), psk]));
}
