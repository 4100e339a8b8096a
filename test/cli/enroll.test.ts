/** keygen, enroll, revoke, devices: what a site's folder holds after each, and what is refused. */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { devices } from "../../cli/devices.ts";
import { giveKeys } from "../../cli/enroll/port.ts";
import { readPsk } from "../../cli/keys/psk-file.ts";
import { readKey } from "../../cli/keys/seed-file.ts";
import { keyFileWrapping } from "../../cli/keys/wrapping.ts";
import { readKeyring } from "../../cli/monitor/keyring.ts";
import { UsageError } from "../../cli/usage.ts";
import { createProvisionConsole, type Provision, readIdentity } from "../../firmware/provision.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { createWire } from "../../gateway/wire.ts";
import { decodeCard } from "../../protocol/card.ts";
import { decodeRevocations, encodeRevocations, MAX_REVOKED, REASON_SUPERSEDED } from "../../protocol/crl.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
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

describe("a board on a line", () => {
  const seed = new Uint8Array(32).fill(1);
  const { publicKey, kid } = nodeSigner(seed);
  const provision: Provision = {
    publicKey,
    seed,
    ueid: Uint8Array.of(1, ...new Uint8Array(16)),
    psk: null,
    gateways: [],
    sitePublicKey: new Uint8Array(32),
    releasePublicKey: null,
  };

  /** A board that greets once; `open`: in its window. */
  function board(storage = createMemoryStorage(), open = true) {
    const [near, far] = createWire();
    const heard: string[] = [];
    const console = createProvisionConsole({
      storage,
      crypto: nodeCrypto,
      model: "simulated",
      open: () => open,
      onProvisioned() {},
    });
    readLines(
      near,
      (line) => {
        heard.push(line);
        const answer = console.take(line);
        if (answer !== null) near.write(`${answer}\n`);
      },
      () => {},
    );
    return { far, near, storage, heard, greet: () => near.write(`${console.greeting()}\r\n`) };
  }
  const give = (far: ReturnType<typeof board>["far"], replaces: string | null = null, said: string[] = []) =>
    giveKeys(far, { provision, replaces, say: (sentence) => said.push(sentence) });

  test("is given its keys when it asks, and nothing is sent before", async () => {
    const one = board();
    one.near.write("boot\nmax30102: ok\n");
    const given = give(one.far);
    await new Promise(setImmediate);
    expect(one.heard).toEqual([]);
    one.greet();
    await given;
    expect(readIdentity(one.storage)).toEqual(provision);
  });

  test("that has another key keeps it, unless that is named", async () => {
    const one = board();
    one.greet();
    await give(one.far);
    const seed = new Uint8Array(32).fill(2);
    const next = { ...provision, seed, publicKey: nodeSigner(seed).publicKey };
    const again = board(one.storage);
    again.greet();
    await expect(giveKeys(again.far, { provision: next, replaces: null, say() {} })).rejects.toThrow(
      `has the key ${kidText(kid)} already; for a new one in its place give --rotate ${kidText(kid)}`,
    );
    const last = board(one.storage);
    last.greet();
    await giveKeys(last.far, { provision: next, replaces: kidText(kid), say() {} });
    expect(readIdentity(one.storage)).toEqual(next);
  });

  test("that has this key already gets what else has changed, such as a new gateway", async () => {
    const one = board();
    one.greet();
    await give(one.far);
    const again = board(one.storage);
    again.greet();
    const changed = { ...provision, gateways: [new Uint8Array(32).fill(8)] };
    await giveKeys(again.far, { provision: changed, replaces: null, say() {} });
    expect(readIdentity(one.storage)).toEqual(changed);
  });

  test("that has none is not the one whose key was to be replaced", async () => {
    const one = board();
    one.greet();
    await expect(give(one.far, "0123456789abcdef")).rejects.toThrow(/has no keys, so it is not 0123456789abcdef/);
    expect(one.heard).toEqual([]);
  });

  test("that refuses says why; one that runs already is told to a person", async () => {
    const one = board();
    const said: string[] = [];
    const given = give(one.far, null, said);
    one.near.write("~AAAA\nvsp-provision-refused 1 closed\n");
    await expect(given).rejects.toThrow(/refused its keys \(closed\): its console is closed: press its reset button/);
    expect(said).toEqual([expect.stringMatching(/press its reset button/)]);
  });

  test("that says it has become another is not believed", async () => {
    const one = board();
    const given = give(one.far);
    one.near.write("vsp-unprovisioned 1 x\nvsp-provisioned 1 0123456789abcdef\n");
    await expect(given).rejects.toThrow(/says that it is 0123456789abcdef now/);
  });

  test("that never asks, never answers, or goes away ends the waiting", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const silent = expect(give(board().far)).rejects.toThrow(/no board asked for keys in 60 s/);
      await vi.advanceTimersByTimeAsync(60_000);
      await silent;
      const [near, far] = createWire();
      const deaf = expect(give(far)).rejects.toThrow(/did not answer in 5 s/);
      near.write("vsp-unprovisioned 1 x\n");
      near.resume();
      await vi.advanceTimersByTimeAsync(0);
      await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(5_000);
      await deaf;
      const gone = board();
      const left = expect(give(gone.far)).rejects.toThrow(/the port went away/);
      gone.far.destroy();
      await left;
    } finally {
      vi.useRealTimers();
    }
  });
});
