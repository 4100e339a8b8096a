/** The embedded store's answers, against a plain list. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { Space, StoredMessage } from "../../gateway/store/store.ts";

const kids = [Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1), Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 2)];
const identity = fc.record({
  kid: fc.nat(1),
  boot: fc.nat(2),
  space: fc.constantFrom<Space>(0, 1),
  seq: fc.nat(30),
});
const question = fc.record({
  kid: fc.nat(1),
  boot: fc.nat(2),
  space: fc.constantFrom<Space>(0, 1),
  limit: fc.nat(12),
  last: fc.option(fc.nat(30), { nil: undefined }),
});

test("the newest messages of a boot are those of the highest seqs, in the order in which they were committed", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(identity, { selector: (row) => JSON.stringify(row), maxLength: 60 }),
      fc.array(question, { maxLength: 10 }),
      (identities, questions) => {
        const store = openSqliteStore(":memory:");
        const rows = identities.map(
          ({ kid, boot, space, seq }, i): StoredMessage => ({
            position: i + 1,
            kid: kids[kid],
            boot,
            space,
            seq,
            kind: 2,
            received: 1_800_000_000_000 + i,
            evidence: 3,
            message: Uint8Array.of(i),
            record: Uint8Array.of(0xa0),
            chain: new Uint8Array(32),
          }),
        );
        store.commit({ messages: rows, boots: [], settled: [], checkpoints: [] });
        for (const { kid, boot, space, limit, last } of questions) {
          const expected = rows
            .filter((row) => row.kid === kids[kid] && row.boot === boot && row.space === space)
            .filter((row) => last === undefined || row.seq <= last)
            .sort((a, b) => b.seq - a.seq)
            .slice(0, limit)
            .sort((a, b) => a.position - b.position);
          const found = store.newest(kids[kid], boot, space, limit, last).map((row) => ({
            ...row,
            kid: kids.find((one) => Buffer.compare(one, row.kid) === 0),
            message: Uint8Array.from(row.message),
            record: Uint8Array.from(row.record),
            chain: Uint8Array.from(row.chain),
          }));
          expect(found).toEqual(expected);
        }
        store.close();
      },
    ),
  );
});
