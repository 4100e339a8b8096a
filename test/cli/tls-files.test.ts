import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { clientFiles, readTls } from "../../cli/tls-files.ts";
import { makeCertificates, oneMore } from "../support/certificates.ts";
import { lacks } from "../support/needs.ts";

const KID = "8b13b7d2640083e6";
const GATEWAY = "7f0da1e4b2ac72f5";

describe.skipIf(lacks("openssl"))("certificates and keys as files", () => {
  let folder: string;
  let foreign: string;
  let now: number;
  beforeAll(() => {
    const root = mkdtempSync(join(tmpdir(), "vitalwire-"));
    folder = makeCertificates(root, { board: KID, gateway: GATEWAY });
    foreign = makeCertificates(mkdtempSync(join(root, "other-")), { board: KID, gateway: GATEWAY });
    now = Date.now();
    return () => rmSync(root, { recursive: true });
  });
  const files = (change: Partial<ReturnType<typeof clientFiles>> = {}) => ({
    ...clientFiles(join(folder, KID)),
    ...change,
  });

  test("that belong together are read, whole", () => {
    const { ca, certificate, key } = readTls(files(), now, KID);
    expect(ca).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(certificate).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(readTls({}, now)).toEqual({});
    expect(readTls({ ca: join(folder, "ca.crt") }, now)).toEqual({ ca });
  });

  test("a key that others may read is refused, and no word of it is in the error", () => {
    const key = join(folder, "open.key");
    copyFileSync(join(folder, KID, "client.key"), key);
    chmodSync(key, 0o640);
    expect(() => readTls(files({ key }), now)).toThrow(/others may read it \(mode 640\); chmod 600/);
    chmodSync(key, 0o600);
    writeFileSync(key, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    expect(() => readTls(files({ key }), now)).toThrow(/no private key in PEM form/);
    expect(() => readTls(files({ key }), now)).not.toThrow(/c2VjcmV0/);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "a key of another certificate",
      () => readTls(files({ key: join(folder, "gateway.key") }), now),
      /is not the key of .*client\.crt/,
    ],
    [
      "a certificate by another authority",
      () => readTls(files({ ca: join(foreign, "ca.crt") }), now),
      /is not by the authority in .*ca\.crt/,
    ],
    [
      "a certificate for another",
      () => readTls(files(), now, "1563545644dd02b0"),
      /is for "8b13b7d2640083e6", not for "1563545644dd02b0"/,
    ],
    ["one that will expire, then", () => readTls(files(), now + 900 * 86_400_000), /expired on .*; make a new one/],
    [
      "one that is not valid yet, before",
      () => readTls(files(), now - 86_400_000),
      /valid from .* on; is this clock right\?/,
    ],
    [
      "a certificate without its key",
      () => readTls({ certificate: join(folder, "gateway.crt") }, now),
      /key is missing/,
    ],
    [
      "a file that is not there",
      () => readTls(files({ certificate: "/nowhere.crt" }), now),
      /\/nowhere\.crt: no such file; docs\/tls\.md/,
    ],
    [
      "a file that is no certificate",
      () => readTls(files({ ca: join(folder, "broker.ext") }), now),
      /no certificate in PEM form/,
    ],
  ])("%s is refused by its name", (_what, read, words) => {
    expect(read).toThrow(words);
  });

  test("a certificate that somebody else made in the authority's name is not by it", () => {
    // Same names, other keys: only the signature tells.
    oneMore(foreign, KID);
    const forged = { certificate: join(foreign, "more.crt"), key: join(foreign, "more.key") };
    expect(() => readTls(files(forged), Date.now())).toThrow(/is not by the authority/);
    expect(() => readTls(files({ ...forged, ca: join(foreign, "ca.crt") }), Date.now())).not.toThrow();
  });
});
