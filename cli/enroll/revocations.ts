/** The site's revocation list as a file: DIR/revoked.crl, with a number that rises. */
import { lock } from "../../gateway/store/lock.ts";
import {
  encodeRevocations,
  MAX_REVOKED,
  REASON_SUPERSEDED,
  type Revocation,
  type RevocationList,
} from "../../protocol/crl.ts";
import { kidText } from "../../protocol/keys.ts";
import { writeDurably } from "../durable.ts";
import { knownCards, readRevocations, revocationsPath, type Site } from "./site-files.ts";

/** Words of the command line for the CRLReasons of RFC 5280 section 5.3.1. */
export const REVOCATION_REASONS: Readonly<Record<string, number>> = {
  unspecified: 0,
  stolen: 1,
  lost: 1,
  replaced: REASON_SUPERSEDED,
  retired: 5,
};

/** How long a gateway's clock may be behind: who has expired since less than that stays on the list, s. */
const GRACE = 86_400;

/** Puts a key on the list, or changes its reason there, and writes the list. */
export function putOnList(site: Site, kid: Uint8Array, reason: number): { path: string; list: RevocationList } {
  const path = revocationsPath(site.folder);
  // Two at once would both write the same number, and one of them be lost.
  const held = lock(`${path}.lock`, path);
  try {
    const list = nextList(site, kid, reason, Math.floor(Date.now() / 1000));
    writeDurably(path, encodeRevocations(list, site.signer));
    return { path, list };
  } finally {
    held.release();
  }
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
  // A key that was stolen is not good again because the board has another one now.
  const weaker = reason === REASON_SUPERSEDED && before !== undefined;
  const one: Revocation = { kid, reason: weaker ? before.reason : reason, time: before?.time ?? now };
  return { issuer: site.name, issuedAt: now, number: (old?.number ?? 0) + 1, revoked: [...others, one] };
}
