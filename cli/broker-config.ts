/** vitalwire broker-config: access rules and configuration for a broker outside, from the site's cards. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TEST_ONLY } from "../gateway/devices.ts";
import { kidText } from "../protocol/keys.ts";
import { mosquittoFiles } from "./broker-config/mosquitto.ts";
import { knownCards, readRevocations } from "./enroll/site-files.ts";
import { readCards, readPublicKey } from "./keys.ts";
import { UsageError } from "./usage.ts";

export interface BrokerConfigOptions {
  readonly broker: "mosquitto";
  readonly cards: string;
  readonly out: string;
  readonly site: string;
  readonly install: string;
  readonly port: number;
  readonly allowTestKeys?: boolean;
  readonly json?: boolean;
}

/**
 * Writes the files into `out`; who is revoked, and cards that the site has not signed, are left out. Throws UsageError for names
 * that no configuration can hold, and Error where the revocation list does not verify: nothing is written then. Gives what
 * it wrote, and how many cards are another site's.
 */
export function writeBrokerConfig(options: BrokerConfigOptions) {
  const { cards: folder, out, site, install, port } = options;
  if (!/^[\w.-]{1,64}$/.test(site))
    throw new UsageError(`--site ${JSON.stringify(site)}: letters, digits, '_', '-' and '.', at most 64`);
  if (!/^\/[\w./-]*[\w-]$/.test(install))
    throw new UsageError(
      `--install ${JSON.stringify(install)}: a path from / on, of letters, digits, '_', '-', '.' and '/'`,
    );
  const sitePublicKey = readPublicKey(join(folder, "site.pub"));
  const cards = [...knownCards(folder, sitePublicKey).values()];
  const test = cards.find(({ issuer }) => issuer.includes(TEST_ONLY));
  if (test !== undefined && options.allowTestKeys !== true)
    throw new Error(`card ${kidText(test.kid)}: a TEST-ONLY key; give --allow-test-keys if this is a demonstration`);
  const list = readRevocations(folder, sitePublicKey)?.list.revoked ?? [];
  const revoked = new Set(list.map(({ kid }) => kidText(kid)));
  const kids = (wanted: "device" | "gateway") =>
    cards
      .filter(({ role, kid }) => role === wanted && !revoked.has(kidText(kid)))
      .map(({ kid }) => kidText(kid))
      .sort();
  const [devices, gateways] = [kids("device"), kids("gateway")];
  mkdirSync(out, { recursive: true });
  const files = mosquittoFiles({ site, devices, gateways, install, port });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
  const paths = Object.keys(files).map((name) => join(out, name));
  const strangers = readCards(folder).length - cards.length;
  return { document: { broker: options.broker, site, files: paths, devices, gateways }, strangers };
}

export function brokerConfig(options: BrokerConfigOptions): void {
  const { document, strangers } = writeBrokerConfig(options);
  const { devices, gateways, files } = document;
  const warn = (sentence: string) => process.stderr.write(`${sentence}\n`);
  if (strangers > 0) warn(`${strangers} of the cards are not signed by this site: left out`);
  if (gateways.length === 0)
    warn(
      `no gateway has a card in ${join(options.cards, "cards")}: nobody may hear the devices; enroll --gateway first`,
    );
  process.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : `${files.join("\n")}\n${devices.length} devices, ${gateways.length} gateways; README.md says what goes where\n`,
  );
}
