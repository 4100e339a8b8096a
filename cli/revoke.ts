/** vitalwire revoke: the site takes back what it said of a key. Writes DIR/revoked.crl with its number raised. */
import { lock } from "../gateway/store/lock.ts";
import { encodeRevocations, MAX_REVOKED, type Revocation, type RevocationList } from "../protocol/crl.ts";
import { fromHex, kidText } from "../protocol/keys.ts";
import { writeDurably } from "./durable.ts";
import { knownCards, openSite, readRevocations, revocationsPath, type Site } from "./enroll/site-files.ts";
import { UsageError } from "./usage.ts";

/** Words of the command line for the CRLReasons of RFC 5280 section 5.3.1. */
export const REVOCATION_REASONS: Readonly<Record<string, number>> = {
  unspecified: 0,
  stolen: 1,
  lost: 1,
  replaced: 4,
  retired: 5,
};

/** How long a gateway's clock may be behind: who has expired since less than that stays on the list, s. */
const GRACE = 86_400;

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
  const path = revocationsPath(site.folder);
  // Two at once would both write the same number, and one of them be lost.
  const held = lock(`${path}.lock`, path);
  let list: RevocationList;
  try {
    list = nextList(site, fromHex(options.device), reason, Math.floor(Date.now() / 1000));
    writeDurably(path, encodeRevocations(list, site.signer));
  } finally {
    held.release();
  }
  const { number } = list;
  const document = { list: path, number, revoked: list.revoked.map(({ kid }) => kidText(kid)).sort() };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : `${options.device}: revoked (${options.reason}); list ${number} of ${site.name} in ${path}, ${list.revoked.length} in all\n` +
          "  a gateway that watches this folder refuses it from now on; others need the file\n",
  );
}

/** The list after this one, at `now` (s since the epoch). */
function nextList(site: Site, kid: Uint8Array, reason: number, now: number): RevocationList {
  const named = kidText(kid);
  const cards = knownCards(site.folder, site.signer.publicKey);
  if (!cards.has(named))
    process.stderr.write(`${named}: no card of this site is in ${site.folder}; it is revoked all the same\n`);
  const old = readRevocations(site.folder, site.signer.publicKey)?.list;
  // Who was revoked before stays revoked since then.
  const before = old?.revoked.find((one) => kidText(one.kid) === named);
  let others = (old?.revoked ?? []).filter((one) => one !== before);
  if (others.length >= MAX_REVOKED) {
    // A key whose card has expired is refused for that.
    others = others.filter((one) => now < (cards.get(kidText(one.kid))?.expires ?? now) + GRACE);
    if (others.length >= MAX_REVOKED)
      throw new Error(
        `${revocationsPath(site.folder)}: ${others.length} keys are revoked and a list holds ${MAX_REVOKED}; begin a new site for the boards that are left`,
      );
  }
  const one: Revocation = { kid, reason, time: before?.time ?? now };
  return { issuer: site.name, issuedAt: now, number: (old?.number ?? 0) + 1, revoked: [...others, one] };
}
