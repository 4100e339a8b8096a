/** revoke and devices: what a site takes back, and what is told of who is enrolled. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { devices } from "../../cli/devices.ts";
import { readKey } from "../../cli/keys/seed-file.ts";
import { readKeyring } from "../../cli/monitor/keyring.ts";
import { UsageError } from "../../cli/usage.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { decodeRevocations, encodeRevocations, MAX_REVOKED } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { ownFolder } from "../support/folder.ts";
import { createSiteFolder, documentOf } from "../support/site.ts";

const folder = ownFolder();
let ward: ReturnType<typeof createSiteFolder>;
let sitePublicKey: Uint8Array;

beforeEach(async () => {
  ward = createSiteFolder(join(folder(), "ward"));
  const { publicKey } = await ward.keygen({ site: "ward 7" });
  sitePublicKey = fromHex(publicKey);
});

const list = () => decodeRevocations(new Uint8Array(readFileSync(ward.path("revoked.crl"))), sitePublicKey, nodeCrypto);
const wrap = () => join(folder(), "wrap.key");

describe("revoke", () => {
  test("writes a list that the site has signed; its number rises and nobody leaves it", async () => {
    const [one, two] = [await ward.enroll(), await ward.enroll()];
    expect(await ward.revoke({ device: one.kid, reason: "stolen" })).toMatchObject({ number: 1, revoked: [one.kid] });
    expect(list()).toMatchObject({ issuer: "ward 7", number: 1, revoked: [{ kid: fromHex(one.kid), reason: 1 }] });
    const { time } = list().revoked[0]!;
    await ward.revoke({ device: two.kid, reason: "retired" });
    await ward.revoke({ device: one.kid, reason: "lost" });
    expect(list().number).toBe(3);
    expect(
      list()
        .revoked.map(({ kid }) => toHex(kid))
        .sort(),
    ).toEqual([one.kid, two.kid].sort());
    expect(list().revoked.find(({ kid }) => toHex(kid) === one.kid)!.time).toBe(time);
  });

  test("a monitor says of a key that it is revoked, and still tells whose packets they are", async () => {
    const { kid } = await ward.enroll();
    await ward.revoke({ device: kid, reason: "stolen" });
    const keyring = readKeyring(ward.folder, true, Date.now());
    expect([...keyring.cards.keys()]).toEqual([kid]);
    expect(keyring.notes).toEqual([`card ${kid} is revoked: a gateway refuses what this key signs`]);
    writeFileSync(ward.path("revoked.crl"), "x");
    expect(readKeyring(ward.folder, true, Date.now()).notes).toEqual([
      expect.stringMatching(/^who is revoked is not known/),
    ]);
  });

  test("a key that is revoked gets no card any more; its board gets a new one", async () => {
    const { kid, ueid } = await ward.enroll();
    await ward.revoke({ device: kid, reason: "stolen" });
    await expect(ward.enroll({ key: kid })).rejects.toThrow(/is revoked, and a revoked key gets no card/);
    expect((await ward.enroll({ rotate: kid })).ueid).toBe(ueid);
  });

  test("a list that is full makes room by who has expired for a day, and else refuses instead of forgetting somebody", async () => {
    vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z"), toFake: ["Date"] });
    try {
      const [short, long] = [await ward.enroll({ days: 1 }), await ward.enroll({ days: 30 })];
      const { signer } = readKey(ward.path("site.key"));
      const others = Array.from({ length: MAX_REVOKED - 1 }, (_, i) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, i));
      const revoked = [...others, fromHex(short.kid)].map((kid) => ({ kid, reason: 1, time: 0 }));
      const full = encodeRevocations({ issuer: "ward 7", issuedAt: 0, number: 7, revoked }, signer);
      writeFileSync(ward.path("revoked.crl"), full);
      vi.setSystemTime(Date.parse("2026-01-02T23:00:00Z"));
      await expect(ward.revoke({ device: long.kid, reason: "stolen" })).rejects.toThrow(/190 keys are revoked/);
      expect(new Uint8Array(readFileSync(ward.path("revoked.crl")))).toEqual(full);
      vi.setSystemTime(Date.parse("2026-01-03T01:00:00Z"));
      await ward.revoke({ device: long.kid, reason: "stolen" });
      expect(list().number).toBe(8);
      const kids = list().revoked.map(({ kid }) => toHex(kid));
      expect(kids).toEqual([...others.map(toHex), long.kid].sort());
    } finally {
      vi.useRealTimers();
    }
  });

  test("of no device, for no reason, or over a list that is not the site's, does nothing", async () => {
    await expect(ward.revoke({ device: "x", reason: "stolen" })).rejects.toThrow(UsageError);
    await expect(ward.revoke({ device: "0123456789abcdef", reason: "bored" })).rejects.toThrow(
      /give one of unspecified, stolen/,
    );
    writeFileSync(ward.path("revoked.crl"), "x");
    await expect(ward.revoke({ device: "0123456789abcdef", reason: "stolen" })).rejects.toThrow(/revoked\.crl: cbor/);
    expect(readFileSync(ward.path("revoked.crl"), "utf8")).toBe("x");
  });
});

describe("devices", () => {
  const rows = async (options: object = {}) =>
    (await documentOf(() => devices({ cards: ward.folder, json: true, ...options }))).devices as unknown as Record<
      string,
      unknown
    >[];

  test("tells of each key its role, its modes and whether it is revoked", async () => {
    const mac = await ward.enroll({ mac: true, keyFile: wrap() });
    const { key } = await ward.keygen({ gateway: true });
    const gateway = await ward.enroll({ key, gateway: true });
    await ward.revoke({ device: mac.kid, reason: "stolen" });
    expect(await rows()).toEqual([
      expect.objectContaining({
        kid: mac.kid,
        role: "device",
        issuer: "ward 7",
        modes: ["sign", "mac"],
        expired: false,
        messages: null,
        revoked: { reason: "stolen", time: expect.any(String) },
      }),
      expect.objectContaining({ kid: gateway.kid, role: "gateway", modes: ["sign"], revoked: null }),
    ]);
  });

  test("without a site, and with a store that is not there, say so", async () => {
    await expect(rows({ cards: folder() })).rejects.toThrow(/no site key/);
    await expect(rows({ store: join(folder(), "none.db") })).rejects.toThrow(/no such file; name the store/);
  });

  test("--release lets a device out of quarantine where no gateway runs, and says where it was in none", async () => {
    const { kid } = await ward.enroll();
    const path = join(folder(), "s.db");
    const store = openSqliteStore(path);
    const quarantine = {
      kid: fromHex(kid),
      since: 5,
      boot: 1,
      seq: 2,
      message: Uint8Array.of(1),
      sentence: "clone or rollback",
      released: null,
    };
    store.commit({ messages: [], boots: [], settled: [], checkpoints: [], quarantines: [quarantine] });
    store.close();
    expect((await rows({ store: path }))[0]).toMatchObject({
      kid,
      quarantined: { since: new Date(5).toISOString(), why: "clone or rollback" },
      messages: 0,
      boots: 0,
      lastHeard: null,
      evidence: null,
    });
    const release = () => documentOf(() => devices({ store: path, cards: ward.folder, release: kid, json: true }));
    expect(await release()).toEqual({ released: kid });
    expect((await rows({ store: path }))[0]).toMatchObject({ kid, quarantined: null });
    await expect(release()).rejects.toThrow(/not in quarantine/);
    await expect(documentOf(() => devices({ release: kid }))).rejects.toThrow(/give --store/);
  });
});
