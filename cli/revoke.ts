/** vitalwire revoke: the site takes back what it said of a key. Writes DIR/revoked.crl with its number raised. */
import { fromHex, kidText } from "../protocol/keys.ts";
import { putOnList, REVOCATION_REASONS } from "./enroll/revocations.ts";
import { openSite } from "./enroll/site-files.ts";
import { UsageError } from "./usage.ts";

export interface RevokeOptions {
  readonly cards: string;
  readonly device: string;
  readonly reason: string;
  readonly sitePassphraseFile?: string;
  readonly json?: boolean;
}

export function revoke(options: RevokeOptions): void {
  if (!/^[0-9a-f]{16}$/.test(options.device))
    throw new UsageError(`--device "${options.device}": give the device's name, 16 hex digits`);
  const reason = REVOCATION_REASONS[options.reason];
  if (reason === undefined)
    throw new UsageError(`--reason "${options.reason}": give one of ${Object.keys(REVOCATION_REASONS).join(", ")}`);
  const site = openSite(options.cards, options.sitePassphraseFile);
  const { path, list } = putOnList(site, fromHex(options.device), reason);
  const { number } = list;
  const document = { list: path, number, revoked: list.revoked.map(({ kid }) => kidText(kid)).sort() };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : `${options.device}: revoked (${options.reason}); list ${number} of ${site.name} in ${path}, ${list.revoked.length} in all\n` +
          "  a gateway that watches this folder refuses it from now on; others need the file\n",
  );
}
