/** vitalwire revoke: the site takes back what it said of a key. Writes DIR/revoked.crl with its number raised. */
import { encodeRevocations, MAX_REVOKED, type Revocation } from "../protocol/crl.ts";
import { fromHex, kidText } from "../protocol/keys.ts";
import { writeDurably } from "./durable.ts";
import { knownCards, openSite, readRevocations, revocationsPath } from "./enroll/site-files.ts";
import { UsageError } from "./usage.ts";

/** Words of the command line for the CRLReasons of RFC 5280 section 5.3.1. */
export const REVOCATION_REASONS: Readonly<Record<string, number>> = {
  unspecified: 0,
  stolen: 1,
  lost: 1,
  replaced: 4,
  retired: 5,
};

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
  const now = Math.floor(Date.now() / 1000);
  const cards = knownCards(site.folder, site.signer.publicKey);
  const old = readRevocations(site.folder, site.signer.publicKey)?.list ?? null;
  if (!cards.has(options.device))
    process.stderr.write(`${options.device}: no card of this site is in ${site.folder}; it is revoked all the same\n`);
  // A key whose card has expired is refused for that: it need not stay on the list.
  const kept = (old?.revoked ?? []).filter(({ kid }) => {
    const card = cards.get(kidText(kid));
    return kidText(kid) !== options.device && (card === undefined || card.expires > now);
  });
  // Who was revoked before stays revoked since then.
  const before = old?.revoked.find(({ kid }) => kidText(kid) === options.device);
  const one: Revocation = { kid: fromHex(options.device), reason, time: before?.time ?? now };
  if (kept.length >= MAX_REVOKED)
    throw new Error(
      `${revocationsPath(site.folder)}: ${kept.length} keys are revoked, a list holds ${MAX_REVOKED}: begin a new site, or let cards expire`,
    );
  const number = (old?.number ?? 0) + 1;
  const list = { issuer: site.name, issuedAt: now, number, revoked: [...kept, one] };
  const path = revocationsPath(site.folder);
  writeDurably(path, encodeRevocations(list, site.signer));
  const document = { list: path, number, revoked: list.revoked.map(({ kid }) => kidText(kid)).sort() };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : `${options.device}: revoked (${options.reason}); list ${number} of ${site.name} in ${path}, ${list.revoked.length} in all\n` +
          "  a gateway that watches this folder refuses it from now on; others need the file\n",
  );
}
