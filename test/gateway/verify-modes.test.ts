/** What `verify` makes of a store with modes M and E: what each row proves, and whether an edit of any column is found. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Inspector } from "../../gateway/audit/inspector.ts";
import { verifyStore } from "../../gateway/audit/verify.ts";
import { openSqliteStore, withBuffers } from "../../gateway/store/sqlite.ts";
import type { StoredMessage } from "../../gateway/store/store.ts";
import { CHAIN_START, chainStep } from "../../protocol/checkpoint.ts";
import { encodeRevocations } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { tweetnaclCrypto } from "../../protocol/tweetnacl.node.ts";
import { createTestDevice, createTestGateway, site } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const [S, M, ES, E] = MODES;
const speakers = {
  s: createSpeaker(S, "s"),
  m: createSpeaker(M, "m"),
  es: createSpeaker(ES, "es"),
  e: createSpeaker(E, "e"),
};
const all = Object.values(speakers);
let folder: string;
const inspector = new Inspector();
const file = (name: string) => join(folder, `${name}.db`);

/** `countersigned`: as a gateway does; else level 1. Both have manifests of some messages, and what came after its manifest. */
function record(path: string, countersign: boolean): void {
  const bench = createTestGateway(openSqliteStore(path), { countersign });
  for (const device of all) device.join(bench.gateway);
  for (const device of all) {
    const send = (message: Parameters<typeof device.seal>[0]) => {
      bench.now += 100;
      expect(bench.gateway.receive(device.seal(message), device.origin).status).toBe("accepted");
      bench.settle();
    };
    const messages = [device.birth(), device.data(1), device.data(2), device.data(3)];
    for (const message of [
      ...messages.slice(0, 3),
      manifestOf(4, messages),
      messages[3],
      device.data(5),
      device.data(6),
    ]) {
      send(message);
    }
    send({ type: "presence", boot: 1, connection: 20, state: 1 });
  }
  const { store, devices } = bench.gateway;
  const { kid } = speakers.s;
  const stranger = createTestDevice("stranger");
  const list = {
    ...{ issuer: "TEST-ONLY", issuedAt: 1, number: 3 },
    revoked: [{ kid: stranger.kid, reason: 1, time: 1_700_000_000 }],
  };
  devices.applyRevocations(list, encodeRevocations(list, site));
  store.commit({
    ...{ messages: [], boots: [], checkpoints: [] },
    settled: [{ kid, boot: 1, first: 90, count: 2, reason: 9 }],
    quarantines: [
      { kid, since: 5, boot: 1, seq: 1, message: Uint8Array.of(1, 2), sentence: "a clone", released: 6 },
      {
        kid: stranger.kid,
        since: 5,
        boot: 1,
        seq: 1,
        message: Uint8Array.of(1, 2),
        sentence: "a clone",
        released: null,
      },
    ],
    rotations: [{ kid: stranger.kid, successor: kid, boot: 1, seq: 2, since: 3 }],
    listed: [{ kid: stranger.kid, boot: 1, seq: 2, hash: new Uint8Array(16) }],
    pings: [{ kid, boot: 1, n: 4, sent: 5, tick: 6, received: 7 }],
  });
  bench.gateway.close();
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
  record(file("good"), true);
  record(file("mac"), false);
});
afterAll(() => {
  inspector.close();
  rmSync(folder, { recursive: true });
});

const psks = new Map(all.flatMap(({ kid, psk }) => (psk === null ? [] : [[kidText(kid), psk] as const])));
const verify = (
  path: string,
  withKeys = false,
  verifiers: Parameters<typeof verifyStore>[0]["verifiers"] = [nodeCrypto],
) =>
  verifyStore({
    ...{ path, sitePublicKey: site.publicKey, verifiers, inspector },
    ...(withKeys && { pskOf: (kid: string) => psks.get(kid) }),
  });
/** A copy of a store after some SQL. */
const altered = (from: string, ...statements: string[]) => {
  const path = file("altered");
  copyFileSync(file(from), path);
  const db = new Database(path);
  for (const sql of statements) db.exec(sql);
  db.close();
  return path;
};
/** As `altered`, by one who computes the chain anew and takes the checkpoints away. */
const forged = (from: string, ...statements: string[]) => {
  const path = altered(from, ...statements, "DELETE FROM checkpoints");
  const db = new Database(path);
  let chain: Uint8Array = CHAIN_START;
  let count = 0;
  for (const row of db.prepare("SELECT * FROM messages ORDER BY position").all() as StoredMessage[]) {
    const { kid, message, record } = withBuffers(row);
    const { position, boot, seq, received, evidence } = row;
    chain = chainStep(nodeCrypto, chain, kid, boot, seq, nodeCrypto.sha256(message), received, evidence, record);
    db.prepare("UPDATE messages SET position=?, chain=? WHERE position=?").run([++count, chain, position]);
  }
  db.close();
  return path;
};

/** 8 messages of each device, and an entry of the two that raise 3 messages. */
const WHOLE = { messages: 32, failed: [], gaps: 0, duplicates: 0, audit: "whole" };

describe("a store as the gateway left it", () => {
  test("is whole, with and without keys: what is countersigned or listed by a manifest is verified", async () => {
    const evidence = { signed: 26, countersigned: 6, mac: 0 };
    expect(await verify(file("good"))).toEqual({ ...WHOLE, verified: 32, evidence });
    expect(await verify(file("good"), true, [nodeCrypto, tweetnaclCrypto])).toEqual({
      ...WHOLE,
      verified: 32,
      evidence,
    });
  });

  test("where nothing but a MAC proves a message it is neither verified nor failed, and verified with the key", async () => {
    const evidence = { signed: 26, countersigned: 0, mac: 6 };
    expect(await verify(file("mac"))).toEqual({ ...WHOLE, verified: 26, unchecked: 6, evidence });
    expect(await verify(file("mac"), true)).toEqual({ ...WHOLE, verified: 32, evidence });
  });

  test("with another's keys every MAC fails", async () => {
    const report = await verifyStore({
      ...{ path: file("good"), sitePublicKey: site.publicKey, verifiers: [nodeCrypto], inspector },
      pskOf: () => new Uint8Array(32),
    });
    expect(report.failed.map(({ reason }) => reason)).toEqual(new Array(14).fill("signature"));
    expect(report.audit).toBe("broken");
  });
});

/** A position by device and seq; `space` 2: the entry of what its manifest raised. */
const at = (device: { kid: Uint8Array }, seq: number, space = 0) =>
  `WHERE kid = x'${kidText(device.kid)}' AND seq = ${seq} AND space = ${space}`;
const ROWS: Record<string, string> = {
  "a MACed message that was raised": at(speakers.m, 1),
  "a MACed message after its manifest": at(speakers.m, 3),
  "a MACed message of no manifest": at(speakers.m, 5),
  "an encrypted payload that was raised": at(speakers.e, 1),
  "an encrypted payload of no manifest": at(speakers.e, 6),
  "a signed message that came encrypted": at(speakers.es, 2),
  "a manifest": at(speakers.m, 4),
  "an entry of what rose": at(speakers.m, 4, 2),
};
const COLUMNS: Record<string, string> = {
  position: "position = 1000",
  kid: "kid = CAST(x'00' || substr(kid, 2) AS BLOB)",
  boot: "boot = 9",
  space: "space = 1",
  seq: "seq = 99",
  kind: "kind = kind + 1",
  received: "received = received + 1",
  evidence: "evidence = CASE evidence WHEN 3 THEN 2 ELSE 3 END",
  message:
    "message = CAST(substr(message, 1, length(message) - 9) || x'00' || substr(message, length(message) - 7) AS BLOB)",
  record:
    "record = CASE WHEN length(record) = 1 THEN x'a10143010203' ELSE CAST(substr(record, 1, length(record) - 9) || x'00' || substr(record, length(record) - 7) AS BLOB) END",
  chain: "chain = CAST(x'00' || substr(chain, 2) AS BLOB)",
};

describe.each(Object.entries(ROWS))("%s", (_, where) => {
  test("is named when any of its columns is changed", async () => {
    for (const [column, change] of Object.entries(COLUMNS)) {
      const report = await verify(altered("good", `UPDATE messages SET ${change} ${where}`));
      expect(report.failed.length, column).toBeGreaterThan(0);
      expect(report.audit, column).toBe("broken");
    }
  });

  test("is missed when it is deleted", async () => {
    expect((await verify(altered("good", `DELETE FROM messages ${where}`))).audit).toBe("broken");
  });
});

const TABLES: Record<string, readonly string[]> = {
  boots: ["boot", "next", "downlink", "kid", "checksum"],
  settled: ["kid", "boot", "first", "count", "reason", "checksum"],
  quarantines: ["id", "kid", "since", "boot", "seq", "message", "sentence", "released", "checksum"],
  rotations: ["kid", "successor", "boot", "seq", "since", "checksum"],
  revocations: ["number", "object"],
  listed: ["kid", "boot", "seq", "hash", "checksum"],
  pings: ["kid", "boot", "n", "sent", "tick", "received", "checksum"],
};
const BYTES = ["kid", "message", "successor", "object", "hash", "checksum"];
test("a change in any column of any other table is damage", async () => {
  for (const [table, columns] of Object.entries(TABLES)) {
    for (const column of columns) {
      const value = BYTES.includes(column)
        ? `CAST(substr(${column}, 1, length(${column}) - 1) || CASE substr(hex(${column}), -2) WHEN '00' THEN x'01' ELSE x'00' END AS BLOB)`
        : column === "sentence"
          ? "sentence || ' '"
          : `coalesce(${column}, 0) + 5000`;
      const report = await verify(altered("good", `UPDATE ${table} SET ${column} = ${value}`));
      expect(report.audit, `${table}.${column}`).toBe("damaged");
      expect(report.detail, `${table}.${column}`).toContain(
        table === "revocations" ? "revocation list" : `row of ${table}`,
      );
    }
  }
});

describe("one who computes the chain anew, and has no key", () => {
  const failures = async (path: string, keys = false) => (await verify(path, keys)).failed.map(({ reason }) => reason);

  test("cannot claim more than the file proves", async () => {
    expect(await failures(forged("good"))).toEqual([]);
    const five = at(speakers.m, 5);
    expect(await failures(forged("good", `UPDATE messages SET evidence = 3 ${five}`))).toEqual(["column evidence"]);
    expect(await failures(forged("mac", `UPDATE messages SET evidence = 2 ${five}`))).toEqual(["column evidence"]);
    expect(await failures(forged("mac", `UPDATE messages SET evidence = 0 ${five}`))).toEqual(["column evidence"]);
    expect(await failures(forged("good", `UPDATE messages SET evidence = 2 ${at(speakers.s, 1)}`))).toEqual([
      "column evidence",
    ]);
  });

  test("cannot take a manifest away, nor let it raise another message", async () => {
    const manifest = at(speakers.m, 4);
    // The message that came after it, and the entry of what it raised, have nothing to stand on.
    expect(await failures(forged("good", `DELETE FROM messages ${manifest}`))).toHaveLength(2);
    const other = `UPDATE messages SET message = x'82018184000${"7"}0203' ${at(speakers.m, 4, 2)}`;
    expect((await failures(forged("good", other)))[0]).toContain("are not the manifest's to raise");
  });

  test("cannot change what a gateway has read in an encrypted message", async () => {
    const six = at(speakers.e, 6);
    const change = `UPDATE messages SET record = CAST(substr(record, 1, length(record) - 1) || x'07' AS BLOB) ${six}`;
    expect(await failures(forged("good", change))).toEqual([expect.stringMatching(/countersignature|codec|payload/)]);
    const raised = `UPDATE messages SET record = CAST(substr(record, 1, length(record) - 1) || x'07' AS BLOB) ${at(speakers.e, 1)}`;
    expect((await failures(forged("mac", raised))).length).toBeGreaterThan(0);
  });

  test("cannot put a countersignature on another message", async () => {
    const from = at(speakers.m, 5).replace("WHERE", "").trim();
    const change = `UPDATE messages SET record = (SELECT record FROM messages WHERE ${from}) ${at(speakers.m, 6)}`;
    expect(await failures(forged("good", change))).toEqual(["countersignature"]);
  });
});
