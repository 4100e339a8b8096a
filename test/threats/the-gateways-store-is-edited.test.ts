/** PROTOCOL.md section 10, "the gateway's store is edited": edit, delete or reorder one row, and the audit finds it. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, expect, test } from "vitest";
import { Inspector } from "../../gateway/audit/inspector.ts";
import { verifyStore } from "../../gateway/audit/verify.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestGateway, site } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const folder = ownFolder();
const inspector = new Inspector();
afterAll(() => inspector.close());

/** A store with a board in each mode, 6 rows each and one more where a manifest has raised them. */
function record(): string {
  const path = join(folder(), "store.db");
  const bench = createTestGateway(openSqliteStore(path));
  for (const mode of MODES) {
    const device = createSpeaker(mode, mode.name);
    device.join(bench.gateway);
    const messages = [device.birth(), device.data(1), device.data(2)];
    for (const message of [...messages, manifestOf(3, messages), device.data(4), device.data(5)]) {
      bench.now += 500;
      bench.gateway.receive(device.seal(message), device.origin);
      bench.settle();
    }
  }
  bench.gateway.close();
  return path;
}

const audit = async (path: string) =>
  (await verifyStore({ path, sitePublicKey: site.publicKey, verifiers: [nodeCrypto], inspector })).audit;

test("every row deleted, edited in its message, or exchanged with the next is found, whatever its mode", async () => {
  const good = record();
  expect(await audit(good)).toBe("whole");
  const path = join(folder(), "edited.db");
  const edited = async (...statements: string[]) => {
    copyFileSync(good, path);
    const db = new Database(path);
    for (const sql of statements) db.exec(sql);
    db.close();
    return audit(path);
  };
  const rows = 26;
  for (let position = 1; position <= rows; position++) {
    const where = `WHERE position = ${position}`;
    expect(await edited(`DELETE FROM messages ${where}`), `row ${position} deleted`).toBe("broken");
    const last = "CASE substr(hex(message), -2) WHEN '00' THEN x'01' ELSE x'00' END";
    const change = `CAST(substr(message, 1, length(message) - 1) || ${last} AS BLOB)`;
    expect(await edited(`UPDATE messages SET message = ${change} ${where}`), `row ${position} edited`).toBe("broken");
    if (position === rows) continue;
    const swap = [
      `UPDATE messages SET position = -1 ${where}`,
      `UPDATE messages SET position = ${position} WHERE position = ${position + 1}`,
      `UPDATE messages SET position = ${position + 1} WHERE position = -1`,
    ];
    expect(await edited(...swap), `rows ${position} and ${position + 1} exchanged`).toBe("broken");
  }
  expect(await edited("DELETE FROM messages WHERE position > 20"), "the end cut off").toBe("broken");
});
