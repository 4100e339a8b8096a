/** vitalwire keygen: keys of a site, its gateways, its devices, its releases. Public halves are printed, private ones never. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { kidText, toHex } from "../protocol/keys.ts";
import { newDevice, newPair, newSite, siteFolder } from "./keys/new-keys.ts";
import { needWrapping, readWrapping, type WrappingOptions } from "./keys/passphrase.ts";
import { writeKey } from "./keys/seed-file.ts";
import { UsageError } from "./usage.ts";

export interface KeygenOptions extends WrappingOptions {
  readonly site?: string;
  readonly device?: boolean;
  readonly gateway?: boolean;
  readonly release?: boolean;
  readonly mac?: boolean;
  readonly encrypt?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

interface Made {
  readonly what: "site" | "device" | "gateway" | "release";
  readonly kid: string;
  readonly publicKey: string;
  /** File of the private key. */
  readonly key: string;
  /** File of the public one, where there is one. */
  readonly public?: string;
  readonly ueid?: string;
  readonly psk?: string;
}

const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

export function keygen(options: KeygenOptions): void {
  const asked = [options.site !== undefined, options.device, options.gateway, options.release].filter(Boolean).length;
  if (asked !== 1) throw new UsageError("keygen: give one of --site NAME, --device, --gateway, --release");
  const preShared = options.mac || options.encrypt;
  if (preShared && !options.device)
    throw new UsageError("--mac, --encrypt: a pre-shared key is a device's; give --device too");
  const made = make(options);
  if (options.json) process.stdout.write(`${JSON.stringify(made)}\n`);
  else process.stdout.write(`${sentence(made)}\n`);
}

function make(options: KeygenOptions): Made {
  const { out } = options;
  if (options.device) {
    const preShared = options.mac || options.encrypt;
    if (!preShared && (options.passphraseFile ?? options.keyFile) !== undefined)
      throw new UsageError("--passphrase-file and --key-file wrap a pre-shared key: give --mac too, or --encrypt");
    const wrapping = preShared ? needWrapping(options, "a pre-shared key") : null;
    const device = newDevice(out, random, wrapping && { wrapping, encrypts: options.encrypt === true });
    return {
      what: "device",
      kid: kidText(device.signer.kid),
      publicKey: toHex(device.signer.publicKey),
      key: device.path,
      ueid: toHex(device.ueid),
      ...(device.psk && { psk: device.psk.path }),
    };
  }
  if (options.gateway) {
    if ((options.passphraseFile ?? options.keyFile) !== undefined)
      throw new UsageError("keygen --gateway: a gateway reads its key by itself, so it is not wrapped; leave that out");
    siteFolder(out);
    const key = join(out, "gateway.key");
    const { kid, publicKey } = writeKey(key, { seed: random(32) });
    return { what: "gateway", kid: kidText(kid), publicKey: toHex(publicKey), key };
  }
  const what = options.release ? "release" : "site";
  const wrapping = options.keyFile === undefined ? readWrapping(options) : needWrapping(options, "a key");
  const { kid, publicKey } = options.release
    ? newPair(out, "release", { seed: random(32) }, wrapping)
    : newSite(out, options.site!, random, wrapping);
  return {
    what,
    kid: kidText(kid),
    publicKey: toHex(publicKey),
    key: join(out, `${what}.key`),
    public: join(out, `${what}.pub`),
  };
}

const NEXT: Record<Made["what"], string> = {
  site: "it signs the cards of all that belongs here: keep it where no gateway is",
  device: "give it a card with enroll",
  gateway: "give it a card with enroll --gateway",
  release: "it signs firmware: keep it where that is built",
};

function sentence({ what, kid, publicKey, key, psk }: Made): string {
  const files = psk === undefined ? key : `${key}, pre-shared key in ${psk}`;
  return `${what} ${kid}: public key ${publicKey}\n  private key in ${files}\n  ${NEXT[what]}`;
}
