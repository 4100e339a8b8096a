import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Inspector } from "../../gateway/audit/inspector.ts";
import { verifyStore } from "../../gateway/audit/verify.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { tweetnaclCrypto } from "../../protocol/tweetnacl.node.ts";
import { createRandom } from "../../simulator/random.ts";
import { createTestDevice, createTestGateway, createTestOrigin, gatewayKey, site } from "../support/gateway.ts";

let folder: string;
let good: string;
const inspector = new Inspector();
const devices = [createTestDevice("a"), createTestDevice("b")];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
  good = join(folder, "good.db");
  const bench = createTestGateway(openSqliteStore(good));
  const origin = createTestOrigin();
  for (const device of devices) device.enrollAt(bench.gateway);
  for (let seq = 0; seq < 20; seq++) {
    for (const device of devices) {
      const samples = Array.from({ length: 40 }, (_, i) => i * seq);
      bench.now += 400;
      bench.gateway.receive(device.seal(seq === 0 ? device.birth() : device.data(seq, samples)), origin);
    }
    bench.settle();
  }
  bench.gateway.receive(devices[0].seal({ type: "presence", boot: 1, connection: 1, state: 1 }), origin);
  bench.settle();
  bench.gateway.close();
});
afterAll(() => {
  inspector.close();
  rmSync(folder, { recursive: true });
});

const verify = (path: string, verifiers: Parameters<typeof verifyStore>[0]["verifiers"] = [nodeCrypto]) =>
  verifyStore({ path, sitePublicKey: site.publicKey, verifiers, inspector });

/** A copy of the good store after some SQL. */
const altered = (...statements: string[]) => {
  const path = join(folder, "altered.db");
  copyFileSync(good, path);
  const db = new Database(path);
  for (const sql of statements) db.exec(sql);
  db.close();
  return path;
};

test("a store as the gateway left it is whole: every message verified, by both verifiers", async () => {
  expect(await verify(good, [nodeCrypto, tweetnaclCrypto])).toEqual({
    messages: 41,
    verified: 41,
    failed: [],
    gaps: 0,
    duplicates: 0,
    audit: "whole",
  });
});

const FLIPS: Record<string, string> = {
  position: "UPDATE messages SET position = 1000 WHERE position = 7",
  kid: "UPDATE messages SET kid = CAST(x'00' || substr(kid, 2) AS BLOB) WHERE position = 7",
  boot: "UPDATE messages SET boot = 9 WHERE position = 7",
  space: "UPDATE messages SET space = 1 WHERE position = 7",
  seq: "UPDATE messages SET seq = 99 WHERE position = 7",
  kind: "UPDATE messages SET kind = 4 WHERE position = 7",
  received: "UPDATE messages SET received = received + 1 WHERE position = 7",
  evidence: "UPDATE messages SET evidence = 2 WHERE position = 7",
  message:
    "UPDATE messages SET message = CAST(substr(message, 1, 60) || x'00' || substr(message, 62) AS BLOB) WHERE position = 7",
  chain: "UPDATE messages SET chain = CAST(x'00' || substr(chain, 2) AS BLOB) WHERE position = 7",
};
for (const [column, sql] of Object.entries(FLIPS)) {
  test(`a change in column ${column} of a message row is found, and only that message is named`, async () => {
    const report = await verify(altered(sql));
    expect(report.audit).toBe("broken");
    expect(report.messages).toBe(41);
    // Position 7 is seq 3 of the first device.
    expect(report.failed).toHaveLength(1);
    expect(report.verified).toBe(40);
    const named = report.failed[0];
    const own = { kid: kidText(devices[0].kid), boot: 1, seq: 3 };
    if (column !== "kid") expect(named.kid).toBe(own.kid);
    if (column !== "boot") expect(named.boot).toBe(1);
    if (column !== "seq") expect(named.seq).toBe(3);
  });
}

test("a changed card is named, and with it every message that it proved", async () => {
  const kid = kidText(devices[1].kid);
  const report = await verify(
    altered(
      `UPDATE cards SET card = CAST(substr(card, 1, 60) || x'00' || substr(card, 62) AS BLOB) WHERE kid = x'${kid}'`,
    ),
  );
  expect(report.failed[0]).toMatchObject({ kid, boot: null, seq: null });
  expect(report.failed).toHaveLength(21);
  expect(report.verified).toBe(21);
});

test("a card under another kid is named, but still proves its messages", async () => {
  const kid = kidText(devices[1].kid);
  const report = await verify(altered(`UPDATE cards SET kid = x'0011223344556677' WHERE kid = x'${kid}'`));
  expect(report.failed).toEqual([
    { kid: "0011223344556677", boot: null, seq: null, reason: "card: column kid is not the card's" },
  ]);
});

test("a deleted message breaks the chain, the order, and shows as a gap", async () => {
  const report = await verify(altered("DELETE FROM messages WHERE position = 7"));
  expect(report).toMatchObject({ audit: "broken", gaps: 1, messages: 40, verified: 40, failed: [] });
  expect(report.detail).toContain("position 7 is missing");
});

test("messages cut off the end are missed by the signed checkpoint", async () => {
  const report = await verify(altered("DELETE FROM messages WHERE position > 30"));
  expect(report).toMatchObject({ audit: "broken", failed: [] });
  expect(report.detail).toContain("messages 31 to 41 are missing");
});

test("two rows that were exchanged are found", async () => {
  const report = await verify(
    altered(
      "UPDATE messages SET position = -7 WHERE position = 7",
      "UPDATE messages SET position = 7 WHERE position = 8",
      "UPDATE messages SET position = 8 WHERE position = -7",
    ),
  );
  expect(report.audit).toBe("broken");
  expect(report.messages).toBe(41);
});

test("a checkpoint that was changed is damage", async () => {
  expect((await verify(altered("UPDATE checkpoints SET position = 40"))).audit).toBe("damaged");
  const flipped = "UPDATE checkpoints SET object = CAST(substr(object, 1, 40) || x'00' || substr(object, 42) AS BLOB)";
  expect((await verify(altered(flipped))).audit).toBe("damaged");
});

test("a checkpoint is signed after every 1000 messages, and at the end", () => {
  const bench = createTestGateway();
  const device = createTestDevice("many");
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  for (let seq = 0; seq < 1001; seq++) {
    bench.now += 1000;
    bench.gateway.receive(device.seal(seq === 0 ? device.birth() : device.data(seq)), origin);
    if (seq % 50 === 0) bench.settle();
  }
  bench.settle();
  expect(bench.gateway.store.checkpoints().map(({ position }) => position)).toEqual([1001]);
});

test("a settled range or an acknowledged number that was changed is damage", async () => {
  expect((await verify(altered("UPDATE boots SET next = next - 1"))).audit).toBe("damaged");
});

test("a table that is missing, a file that is no database and a file that is cut are damaged, never a crash", async () => {
  expect((await verify(altered("DROP TABLE boots"))).audit).toBe("damaged");
  const path = join(folder, "cut.db");
  const bytes = readFileSync(good);
  for (const length of [0, 1, 99, 512, 4096, 10_000, bytes.length - 1]) {
    writeFileSync(path, bytes.subarray(0, length));
    const report = await verify(path);
    expect(report.audit, `${length} bytes`).toBe("damaged");
  }
  writeFileSync(path, "~this is text\n");
  expect((await verify(path)).audit).toBe("damaged");
});

test("a store of another site has no valid card: nothing is verified", async () => {
  const report = await verifyStore({
    path: good,
    sitePublicKey: gatewayKey.publicKey,
    verifiers: [nodeCrypto],
    inspector,
  });
  expect(report.verified).toBe(0);
  expect(report.audit).toBe("broken");
});

test("500 random bytes, each flipped alone: whole where nothing of the record changed, else named or damaged", async () => {
  const random = createRandom("flips");
  const original = readFileSync(good);
  const path = join(folder, "flip.db");
  const tally = { whole: 0, broken: 0, damaged: 0 };
  for (let i = 0; i < 500; i++) {
    const bytes = Buffer.from(original);
    const at = Math.floor(random.uniform() * bytes.length);
    bytes[at] ^= 1 << Math.floor(random.uniform() * 8);
    writeFileSync(path, bytes);
    const report = await verify(path);
    tally[report.audit]++;
    if (report.audit === "whole") expect(report.verified, `byte ${at}`).toBe(41);
    else expect(report.failed.length + (report.detail ?? "").length, `byte ${at}`).toBeGreaterThan(0);
  }
  // A tenth of the file and more is messages, the rest pages of small tables.
  expect(tally.broken).toBeGreaterThan(50);
  console.log(`500 flips: ${JSON.stringify(tally)}`);
});
