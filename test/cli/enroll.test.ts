/** keygen and enroll: what a site's folder holds after each, and what is refused. */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { readPsk } from "../../cli/keys/psk-file.ts";
import { readKey } from "../../cli/keys/seed-file.ts";
import { keyFileWrapping } from "../../cli/keys/wrapping.ts";
import { UsageError } from "../../cli/usage.ts";
import { decodeCard } from "../../protocol/card.ts";
import { decodeRevocations, REASON_SUPERSEDED } from "../../protocol/crl.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { ownFolder } from "../support/folder.ts";
import { createSiteFolder } from "../support/site.ts";

const folder = ownFolder();
let ward: ReturnType<typeof createSiteFolder>;
let sitePublicKey: Uint8Array;

beforeEach(async () => {
  ward = createSiteFolder(join(folder(), "ward"));
  const { publicKey } = await ward.keygen({ site: "ward 7" });
  sitePublicKey = fromHex(publicKey);
});

const mode = (path: string) => statSync(path).mode & 0o777;
const cardOf = (kid: string) =>
  decodeCard(new Uint8Array(readFileSync(ward.path("cards", `${kid}.card`))), sitePublicKey, nodeCrypto);
const list = () => decodeRevocations(new Uint8Array(readFileSync(ward.path("revoked.crl"))), sitePublicKey, nodeCrypto);
const wrap = () => join(folder(), "wrap.key");

describe("keygen", () => {
  test("--site makes a folder for its owner alone, a key of mode 0600 with the site's name, and a public one", () => {
    expect(mode(ward.folder)).toBe(0o700);
    expect(mode(ward.path("site.key"))).toBe(0o600);
    expect(readKey(ward.path("site.key"))).toMatchObject({ site: "ward 7", ueid: null });
    expect(readFileSync(ward.path("site.pub"), "utf8")).toBe(`${toHex(sitePublicKey)}\n`);
    expect(toHex(readKey(ward.path("site.key")).signer.publicKey)).toBe(toHex(sitePublicKey));
  });

  test("never puts a key over another one, nor into a folder that others may write", async () => {
    const before = readFileSync(ward.path("site.key"), "utf8");
    await expect(ward.keygen({ site: "ward 8" })).rejects.toThrow(
      /has a site key already, and it is never overwritten/,
    );
    rmSync(ward.path("site.pub"));
    await expect(ward.keygen({ site: "ward 8" })).rejects.toThrow(/site\.key: is there already/);
    expect(readFileSync(ward.path("site.key"), "utf8")).toBe(before);
    chmodSync(ward.folder, 0o770);
    await expect(ward.keygen({ device: true })).rejects.toThrow(/others may write into it \(mode 770\).*chmod go-w/);
  });

  test.each(["", " ward", "x".repeat(65), "a\nb", "TEST-ONLY ward"])("--site %j is no name of a site", async (name) => {
    await expect(createSiteFolder(join(folder(), "b")).keygen({ site: name })).rejects.toThrow(UsageError);
    expect(existsSync(join(folder(), "b"))).toBe(false);
  });

  test("--device --mac makes a key pair, a ueid and a wrapped PSK; no two are alike", async () => {
    const one = await ward.keygen({ device: true, mac: true, keyFile: wrap() });
    const other = await ward.keygen({ device: true, mac: true, keyFile: wrap() });
    const key = readKey(one.key);
    expect(kidText(key.signer.kid)).toBe(one.kid);
    expect(toHex(key.ueid!)).toBe(one.ueid);
    expect(one.ueid).toMatch(/^01[0-9a-f]{32}$/);
    const wrapping = [keyFileWrapping(fromHex(readFileSync(wrap(), "utf8").trim()))];
    const psks = [one, other].map(({ psk }) => toHex(readPsk(psk, wrapping).psk));
    for (const name of ["kid", "ueid", "publicKey"]) expect(one[name]).not.toBe(other[name]);
    expect(psks[0]).not.toBe(psks[1]);
    for (const name of readdirSync(ward.path("keys"))) expect(mode(ward.path("keys", name))).toBe(0o600);
    expect(mode(ward.path("keys"))).toBe(0o700);
    expect(JSON.stringify(one)).not.toContain(toHex(key.seed));
    expect(JSON.stringify(one)).not.toContain(psks[0]);
  });

  test("--encrypt enrols a board of which nothing else is taken; a rotated key keeps it, one for mode mac does not become one", async () => {
    const made = await ward.keygen({ device: true, encrypt: true, keyFile: wrap() });
    expect(await ward.enroll({ key: made.kid })).toMatchObject({ mac: true, encrypt: true });
    const rotated = await ward.enroll({ rotate: made.kid, keyFile: wrap() });
    expect(rotated).toMatchObject({ encrypt: true, rotates: made.kid });
    const macs = await ward.keygen({ device: true, mac: true, keyFile: wrap() });
    expect(await ward.enroll({ key: macs.kid })).toMatchObject({ mac: true, encrypt: false });
    await expect(ward.keygen({ release: true, encrypt: true })).rejects.toThrow(UsageError);
  });

  test("says what it needs where it was asked for nothing, for two things, or for a bare PSK", async () => {
    await expect(ward.keygen({})).rejects.toThrow(/give one of --site NAME, --device, --gateway, --release/);
    await expect(ward.keygen({ device: true, release: true })).rejects.toThrow(UsageError);
    await expect(ward.keygen({ release: true, mac: true })).rejects.toThrow(UsageError);
    await expect(ward.keygen({ device: true, mac: true })).rejects.toThrow(/a pre-shared key is never kept bare/);
    await expect(ward.keygen({ device: true, keyFile: wrap() })).rejects.toThrow(/give --mac too/);
    await expect(ward.keygen({ gateway: true, keyFile: wrap() })).rejects.toThrow(/it is not wrapped/);
  });

  test("a site's key under a passphrase signs with it, and neither without it nor with its name changed", async () => {
    const words = join(folder(), "words");
    writeFileSync(words, "correct horse battery\n", { mode: 0o600 });
    const other = createSiteFolder(join(folder(), "wrapped"));
    await other.keygen({ site: "ward 9", passphraseFile: words });
    const text = readFileSync(other.path("site.key"), "utf8");
    expect(text).toMatch(
      /^vitalwire-seed 1 [0-9a-f]{16} scrypt:15:8:1:[0-9a-f]{32} [0-9a-f]+ [0-9a-f]+\nsite ward 9\n$/,
    );
    await expect(other.enroll()).rejects.toThrow(/it needs the passphrase it was made with/);
    expect((await other.enroll({ sitePassphraseFile: words })).issuer).toBe("ward 9");
    writeFileSync(other.path("site.key"), text.replace("ward 9", "ward 1"));
    await expect(other.enroll({ sitePassphraseFile: words })).rejects.toThrow(/does not open/);
    writeFileSync(words, "another horse battery\n");
    writeFileSync(other.path("site.key"), text);
    await expect(other.enroll({ sitePassphraseFile: words })).rejects.toThrow(
      /a wrong passphrase, or the file was altered/,
    );
  });
});

describe("enroll", () => {
  test("gives a device a card by its key, its file or its public key, for as long as was said", async () => {
    const { kid, key, publicKey } = await ward.keygen({ device: true });
    for (const named of [{ key: kid }, { key }, { publicKey }]) {
      const document = await ward.enroll({ ...named, days: 30 });
      expect(document).toMatchObject({ kid, role: "device", issuer: "ward 7", mac: false });
      const card = cardOf(kid);
      expect(card).toMatchObject({ issuer: "ward 7", role: "device", publicKey: fromHex(publicKey) });
      expect(card.expires - card.issuedAt).toBe(30 * 86_400);
      expect(document.expires).toBe(new Date(card.expires * 1000).toISOString());
    }
    const made = await ward.enroll();
    expect(made.kid).not.toBe(kid);
    expect(cardOf(made.kid).kid).toEqual(readKey(ward.path("keys", `${made.kid}.key`)).signer.kid);
  });

  test("refuses public keys that a strict library refuses, though a signature may hold under them", async () => {
    const refused = [
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      `02${"00".repeat(31)}`,
    ];
    for (const publicKey of refused)
      await expect(ward.enroll({ publicKey }), publicKey).rejects.toThrow(/public key refused at enrolment/);
    await expect(ward.enroll({ publicKey: "abc" })).rejects.toThrow(/64 hex digits/);
    expect(existsSync(ward.path("cards"))).toBe(false);
  });

  test("gives a gateway a card as one; a key has one role", async () => {
    const { kid, key } = await ward.keygen({ gateway: true });
    await expect(ward.enroll({ key })).rejects.toThrow(
      /has no ueid, so it is no device's; a gateway is enrolled with --gateway/,
    );
    expect(await ward.enroll({ key, gateway: true })).toMatchObject({ kid, role: "gateway" });
    expect(cardOf(kid).role).toBe("gateway");
    const { publicKey } = nodeSigner(readKey(key).seed);
    await expect(ward.enroll({ publicKey: toHex(publicKey) })).rejects.toThrow(
      /has a card as a gateway: one key has one role/,
    );
    await expect(ward.enroll({ gateway: true })).rejects.toThrow(/whose card\?/);
  });

  test("renews a card by a later one", async () => {
    const { kid } = await ward.enroll({ days: 1 });
    const before = cardOf(kid);
    await ward.enroll({ key: kid, days: 730 });
    expect(cardOf(kid).issuedAt).toBeGreaterThan(before.issuedAt);
    expect(cardOf(kid).expires).toBeGreaterThan(before.expires);
  });

  test("--rotate gives the same board a new key, a new PSK where it had one, and a later card", async () => {
    const old = await ward.enroll({ mac: true, keyFile: wrap() });
    const renewed = await ward.enroll({ rotate: old.kid, keyFile: wrap() });
    expect(renewed).toMatchObject({ ueid: old.ueid, mac: true, rotates: old.kid, list: ward.path("revoked.crl") });
    const listed = () => list().revoked.find((one) => kidText(one.kid) === old.kid)!.reason;
    expect(listed()).toBe(REASON_SUPERSEDED);
    // What was stolen stays stolen, whatever its board gets now.
    await ward.revoke({ device: old.kid, reason: "stolen" });
    expect(listed()).toBe(1);
    await ward.enroll({ rotate: old.kid, keyFile: wrap() });
    expect(listed()).toBe(1);
    expect(renewed.kid).not.toBe(old.kid);
    expect(cardOf(renewed.kid).issuedAt).toBeGreaterThan(cardOf(old.kid).issuedAt);
    await expect(ward.enroll({ rotate: old.kid })).rejects.toThrow(/never kept bare/);
    await expect(ward.enroll({ rotate: "0123456789abcdef", keyFile: wrap() })).rejects.toThrow(/no such file/);
    await expect(ward.enroll({ rotate: "x" })).rejects.toThrow(UsageError);
  });

  test("without the site's private key, or with another's, says so and signs nothing", async () => {
    const key = readFileSync(ward.path("site.key"), "utf8");
    rmSync(ward.path("site.key"));
    await expect(ward.enroll()).rejects.toThrow(/site\.key: not here.*signed where the site's key is/);
    writeFileSync(ward.path("site.key"), `${"11".repeat(32)}\nsite ward 7\n`, { mode: 0o600 });
    await expect(ward.enroll()).rejects.toThrow(/not the private key of .*site\.pub/);
    writeFileSync(ward.path("site.key"), key, { mode: 0o600 });
    chmodSync(ward.path("site.key"), 0o640);
    await expect(ward.enroll()).rejects.toThrow(/others may read it \(mode 640\); chmod 600/);
    expect(existsSync(ward.path("cards"))).toBe(false);
  });

  test("takes no key file under another's name, nor one with other lines", async () => {
    const { kid, key } = await ward.keygen({ device: true });
    writeFileSync(key, `${"22".repeat(32)}\n`);
    await expect(ward.enroll({ key: kid })).rejects.toThrow(
      /holds the key of .*; put each file back under its own name/,
    );
    writeFileSync(join(folder(), "a.key"), `${"22".repeat(32)}\nname x\n`, { mode: 0o600 });
    await expect(ward.enroll({ key: join(folder(), "a.key") })).rejects.toThrow(/a line that is neither/);
  });

  test.each([
    ["two names", { key: "a", publicKey: "b" }],
    ["a port for a public key", { publicKey: "00".repeat(32), port: "/dev/null" }],
    ["a PSK for a gateway", { gateway: true, key: "a", mac: true }],
  ])("does not know what to do with %s", async (_name, options) => {
    await expect(ward.enroll(options)).rejects.toThrow(UsageError);
  });
});
