/** Certificates and private keys as PEM files, looked at before they are used: a fault is told here, not by a handshake. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSecret } from "./keys/secret-file.ts";
import { UsageError } from "./usage.ts";

/** Paths. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Their texts, PEM; exactly what `files` named. */
export interface TlsTexts {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

function certificatesIn(path: string): { text: string; all: X509Certificate[] } {
  if (!existsSync(path)) throw new UsageError(`certificate ${path}: no such file; docs/tls.md shows how one is made`);
  const text = readFileSync(path, "utf8");
  const blocks = text.match(PEM) ?? [];
  if (blocks.length === 0) throw new UsageError(`certificate ${path}: no certificate in PEM form; name the right file`);
  try {
    return { text, all: blocks.map((block) => new X509Certificate(block)) };
  } catch (error) {
    throw new UsageError(`certificate ${path}: ${(error as Error).message}; name the right file`);
  }
}

function commonName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
}

/**
 * Reads them. `now` is ms since the epoch; `name`: the common name that the certificate must have. Throws UsageError or Error
 * where one is missing or no PEM, others may read the key, it is not the certificate's, the certificate is not valid now, not
 * by that authority or for another name. No error holds a key.
 */
export function readTls(files: TlsFiles, now: number, name?: string): TlsTexts {
  const { ca, certificate, key } = files;
  if ((certificate === undefined) !== (key === undefined))
    throw new UsageError(
      `TLS: a certificate and its key go together; ${key === undefined ? "key" : "certificate"} is missing`,
    );
  const authority = ca === undefined ? null : certificatesIn(ca);
  if (certificate === undefined || key === undefined) return authority === null ? {} : { ca: authority.text };
  const own = certificatesIn(certificate);
  const leaf = own.all[0]!;
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (now < from) throw new Error(`certificate ${certificate}: valid from ${leaf.validFrom} on; is this clock right?`);
  if (now > to) throw new Error(`certificate ${certificate}: expired on ${leaf.validTo}; make a new one`);
  const last = own.all.at(-1)!;
  if (authority !== null && !authority.all.some((one) => last.checkIssued(one) && last.verify(one.publicKey)))
    throw new Error(`certificate ${certificate}: is not by the authority in ${ca}; have it sign one`);
  if (name !== undefined && commonName(leaf) !== name)
    throw new Error(`certificate ${certificate}: is for ${JSON.stringify(commonName(leaf))}, not for "${name}"`);
  const secret = readSecret(key);
  let matches: boolean;
  try {
    matches = leaf.checkPrivateKey(createPrivateKey(secret));
  } catch {
    throw new Error(`key ${key}: no private key in PEM form, or one with a passphrase; name the right file`);
  }
  if (!matches) throw new Error(`key ${key}: is not the key of ${certificate}; name the two that belong together`);
  return { ...(authority !== null && { ca: authority.text }), certificate: own.text, key: secret };
}

/** What a folder for one client holds: ca.crt, client.crt, client.key. */
export function clientFiles(folder: string): TlsFiles {
  return { ca: join(folder, "ca.crt"), certificate: join(folder, "client.crt"), key: join(folder, "client.key") };
}
