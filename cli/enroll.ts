/** vitalwire enroll: the site signs a card for a device or a gateway; a board on a serial port gets its keys. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Provision } from "../firmware/provision.ts";
import { checkPublicKey } from "../gateway/devices.ts";
import { REASON_SUPERSEDED } from "../protocol/crl.ts";
import { nodeCrypto } from "../protocol/crypto.node.ts";
import { fromHex, kidOf, kidText, toHex } from "../protocol/keys.ts";
import { putOnList } from "./enroll/revocations.ts";
import { issueCard, knownCards, openSite, readRevocations, type Site } from "./enroll/site-files.ts";
import { keyPath, newDevice } from "./keys/new-keys.ts";
import { needWrapping, readWrapping, type WrappingOptions } from "./keys/passphrase.ts";
import { claimsToEncrypt, pskPath, readPsk } from "./keys/psk-file.ts";
import { readKey } from "./keys/seed-file.ts";
import { parsePublicKey, readPublicKey } from "./keys.ts";
import { UsageError } from "./usage.ts";

export interface EnrollOptions extends WrappingOptions {
  readonly cards: string;
  /** A kid whose key lies in the folder, or a key file. */
  readonly key?: string;
  readonly publicKey?: string;
  readonly gateway?: boolean;
  readonly rotate?: string;
  readonly mac?: boolean;
  readonly macOnly?: boolean;
  readonly encrypt?: boolean;
  readonly days: number;
  readonly port?: string;
  readonly baud: number;
  readonly sitePassphraseFile?: string;
  readonly json?: boolean;
}

/** What is enrolled; the private halves are there where a board is to get them. */
interface Subject {
  readonly kid: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array | null;
  readonly psk: Uint8Array | null;
  readonly ueid: Uint8Array | null;
}

const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

export async function enroll(options: EnrollOptions): Promise<void> {
  const site = openSite(options.cards, options.sitePassphraseFile);
  check(options);
  const old = options.rotate === undefined ? null : oldKey(site, options.rotate);
  const subject = subjectOf(site, options, old?.ueid ?? null);
  const kid = kidText(subject.kid);
  const cards = knownCards(site.folder, site.signer.publicKey);
  const role = options.gateway ? "gateway" : "device";
  const known = cards.get(kid) ?? null;
  if (known !== null && known.role !== role)
    throw new Error(`${kid} has a card as a ${known.role}: one key has one role; make another key`);
  if (readRevocations(site.folder, site.signer.publicKey)?.list.revoked.some((one) => kidText(one.kid) === kid))
    throw new Error(`${kid} is revoked, and a revoked key gets no card; make a new one (--rotate ${kid})`);
  if (options.port !== undefined) {
    const gateways = [...cards.values()].filter((card) => card.role === "gateway" && card.expires * 1000 > Date.now());
    const provision: Provision = {
      publicKey: subject.publicKey,
      ueid: subject.ueid!,
      seed: options.macOnly ? null : subject.seed,
      psk: subject.psk,
      gateways: gateways.map(({ publicKey }) => publicKey),
      sitePublicKey: site.signer.publicKey,
      releasePublicKey: releaseKey(site.folder),
    };
    const say = (sentence: string) => process.stderr.write(`${sentence}\n`);
    say(
      `${options.port}: waiting for a board that asks for keys; its keys lie in ${keyPath(site.folder, subject.kid)}`,
    );
    if (gateways.length === 0 && subject.psk === null)
      say(
        `no gateway has a card in ${join(site.folder, "cards")}: the board will believe no acks; enroll --gateway first`,
      );
    const { giveKeysAt } = await import("./enroll/port.ts");
    await giveKeysAt(options.port, options.baud, { provision, replaces: options.rotate ?? null, say });
  }
  const after = known ?? (options.rotate === undefined ? null : (cards.get(options.rotate) ?? null));
  const { card, path } = issueCard(site, { ...subject, role, days: options.days, after }, Date.now());
  // The old key ends when a gateway has both the list and the new key's birth.
  const list = options.rotate === undefined ? null : putOnList(site, fromHex(options.rotate), REASON_SUPERSEDED);
  const encrypts = claimsToEncrypt(site.folder, subject.kid);
  const document = {
    kid,
    role,
    publicKey: toHex(subject.publicKey),
    issuer: card.issuer,
    expires: new Date(card.expires * 1000).toISOString(),
    card: path,
    ...(subject.ueid && { ueid: toHex(subject.ueid) }),
    mac: encrypts !== null,
    encrypt: encrypts === true,
    ...(list !== null && { rotates: options.rotate!, list: list.path }),
    ...(options.port !== undefined && { port: options.port }),
  };
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : `${sentence(document)}\n`);
}

function check(options: EnrollOptions): void {
  const { key, publicKey, rotate, port, gateway } = options;
  if ([key, publicKey, rotate].filter((one) => one !== undefined).length > 1)
    throw new UsageError("enroll: give one of --key, --public-key, --rotate");
  if (gateway) {
    if (port !== undefined || rotate !== undefined || needsPsk(options))
      throw new UsageError(
        "enroll --gateway: give --key FILE or --public-key HEX, and neither --port, --rotate nor --mac",
      );
    if (key === undefined && publicKey === undefined)
      throw new UsageError(
        "enroll --gateway: whose card? Give --key FILE (gateway.key) or --public-key HEX, which the gateway prints",
      );
  }
  if (port !== undefined && publicKey !== undefined)
    throw new UsageError("enroll --port: a board is given its private key: --key, --rotate, or neither for new keys");
  if (rotate !== undefined && !/^[0-9a-f]{16}$/.test(rotate))
    throw new UsageError(`--rotate "${rotate}": give the old key's name, 16 hex digits`);
}

/** The key that is replaced. Throws Error where its file is not here, or is no device's. */
function oldKey(site: Site, kid: string): { readonly ueid: Uint8Array } {
  const { ueid } = readKey(keyPath(site.folder, fromHex(kid)));
  if (ueid === null) throw new Error(`${kid}: its key file has no ueid, so it is no device's; name a device`);
  return { ueid };
}

function subjectOf(site: Site, options: EnrollOptions, ueid: Uint8Array | null): Subject {
  const { folder } = site;
  if (options.publicKey !== undefined) {
    const publicKey = parsePublicKey(options.publicKey, "--public-key");
    checkPublicKey(publicKey);
    return { kid: kidOf(publicKey, nodeCrypto), publicKey, seed: null, psk: null, ueid: null };
  }
  if (options.key !== undefined) {
    const path = /^[0-9a-f]{16}$/.test(options.key) ? keyPath(folder, fromHex(options.key)) : options.key;
    const { seed, signer, ueid: own } = readKey(path);
    if (!options.gateway && own === null)
      throw new Error(`key ${path}: has no ueid, so it is no device's; a gateway is enrolled with --gateway`);
    const { kid, publicKey } = signer;
    return { kid, publicKey, seed, ueid: own, psk: options.port === undefined ? null : pskOf(folder, kid, options) };
  }
  // The old one had a PSK: so has the new one, for the same mode.
  const had = options.rotate === undefined ? null : claimsToEncrypt(folder, fromHex(options.rotate));
  const wrapping = needsPsk(options) || had !== null ? needWrapping(options, "a pre-shared key") : null;
  const encrypts = options.encrypt === true || had === true;
  const made = newDevice(folder, random, wrapping && { wrapping, encrypts }, ueid ?? undefined);
  return { ...made, kid: made.signer.kid, publicKey: made.signer.publicKey, psk: made.psk?.psk ?? null };
}

const needsPsk = ({ mac, macOnly, encrypt }: EnrollOptions) => (mac || macOnly || encrypt) === true;

/** The PSK that lies beside a key; null: there is none. Throws where it is there and nothing was named to open it. */
function pskOf(folder: string, kid: Uint8Array, options: EnrollOptions): Uint8Array | null {
  const path = pskPath(folder, kid);
  if (!existsSync(path)) {
    if (needsPsk(options))
      throw new UsageError(`${path}: this key has no pre-shared key; make one with keygen --device --mac`);
    return null;
  }
  const wrapping = readWrapping(options);
  const { psk, encrypts } = readPsk(path, wrapping === null ? [] : [wrapping]);
  if (options.encrypt && !encrypts)
    throw new UsageError(
      `${path}: this pre-shared key is for mode mac; make another key with keygen --device --encrypt`,
    );
  return psk;
}

function releaseKey(folder: string): Uint8Array | null {
  const path = join(folder, "release.pub");
  return existsSync(path) ? readPublicKey(path) : null;
}

function sentence(document: {
  kid: string;
  role: string;
  issuer: string;
  expires: string;
  card: string;
  mac: boolean;
  encrypt: boolean;
  rotates?: string;
  list?: string;
  port?: string;
}): string {
  const { kid, role, issuer, expires, card, mac, encrypt, rotates, list, port } = document;
  const mode = encrypt ? ", must encrypt" : mac ? ", modes sign and mac" : "";
  return [
    `${role} ${kid}: enrolled by ${issuer} until ${expires.slice(0, 10)}${mode}`,
    `  card in ${card}`,
    ...(port === undefined ? [] : [`  the board on ${port} has its keys`]),
    ...(rotates === undefined
      ? []
      : [
          `  ${rotates}: superseded in ${list}, which the gateway needs too;`,
          "  what it had reached when the new key is first heard stays good, above it nothing does",
        ]),
  ].join("\n");
}
