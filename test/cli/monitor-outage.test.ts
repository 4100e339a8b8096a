/** What a monitor tells of an outage: how long a board holds, what it has lost, how far it has caught up. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Keyring } from "../../cli/monitor/keyring.ts";
import { lineOf } from "../../cli/monitor/lines.ts";
import { objectOf, summaryObject } from "../../cli/monitor/objects.ts";
import { Sequence } from "../../cli/monitor/sequence.ts";
import { type Entry, Session } from "../../cli/monitor/session.ts";
import { statusLines } from "../../cli/monitor/status.ts";
import { render } from "../../cli/monitor/text.ts";
import { decodeCard, encodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import {
  type BirthMessage,
  type Disowned,
  EVENT_DISOWNED,
  type EventMessage,
  encodeDisowned,
  type Message,
} from "../../protocol/messages.ts";
import { createTestDevice, site } from "../support/gateway.ts";

const old = createTestDevice("monitor outage", 16);
const device = createTestDevice("monitor outage", 17);
const birth: BirthMessage = { ...device.birth(), claims: { ...device.birth().claims, offline: 18_820 } };
const lost = (seq: number, range: Disowned): EventMessage => ({
  ...{ type: "event", boot: 17, seq, tick: 1000 * seq, code: EVENT_DISOWNED, small: encodeDisowned(range) },
});
const evicted = (boot: number, first: number, count: number): Disowned => ({
  boot,
  first,
  count,
  reason: 1,
  end: null,
});
const cut: Disowned = { boot: 16, first: 3, count: 2 ** 32 - 3, reason: 2, end: { tick: 3_720_000, within: 10_000 } };

const { kid, signer } = device;
const card = encodeCard(
  { issuer: "TEST", role: "device", kid, publicKey: signer.publicKey, issuedAt: 0, expires: 4e9 },
  site,
);
const keyring: Keyring = {
  cards: new Map([[kidText(kid), decodeCard(card, site.publicKey, nodeCrypto)]]),
  psks: new Map(),
  folder: "cards",
  given: true,
  notes: [],
};

/** A monitor that hears what is new in time and what is old behind it; of a file it knows no time. */
function listen(messages: readonly Message[], source: "port" | "file" = "port") {
  const entries: Entry[] = [];
  let time = 0;
  const session = new Session({
    keyring,
    now: () => (source === "file" ? null : time),
    onEntry: (entry) => entries.push(entry),
  });
  for (const message of messages) {
    if ("tick" in message && message.boot === 17) time = Math.max(time, message.tick);
    session.message(device.seal(message));
  }
  const text = (line: Parameters<typeof render>[0] | null) => (line === null ? "" : render(line, null, false));
  const where = { name: "/dev/ttyUSB0", baud: source === "file" ? null : 115_200, cards: "cards" };
  return {
    session,
    lines: entries.map((entry) => text(lineOf(entry, false))),
    objects: entries.map((entry) => JSON.parse(JSON.stringify(objectOf(entry)))),
    /** `later`: ms after the last message. */
    status(later = 0) {
      const now = source === "file" ? null : time + later;
      return statusLines({ where, trouble: null, finding: null, session, keyring, load: null, now }, 80, 14).map(text);
    },
  };
}

describe("how long a board holds", () => {
  test("stands behind its birth, in the status, and in s for a program", () => {
    const { lines, objects, status } = listen([birth]);
    expect(lines[0]).toMatch(/birth #0 signed {2}boot 17 cfg 1, test 1: ecg 256 Hz; holds 5\.2 h offline$/);
    expect(objects[0]).toMatchObject({ kind: "birth", cfg: 1, offline: 18_820 });
    expect(status()).toContain("  holds 5.2 h offline");
  });

  test("is not told of a board that does not say it", () => {
    const { lines, objects, status } = listen([device.birth()]);
    expect([lines[0], ...status()].join()).not.toContain("holds");
    expect(objects[0]).not.toHaveProperty("offline");
  });

  test("follows the newest configuration, also where an older birth comes later", () => {
    const next: BirthMessage = { ...birth, seq: 5, cfg: 2, claims: { ...birth.claims, offline: 5000 } };
    expect(listen([birth, next]).status()).toContain("  holds 83 min offline");
    expect(listen([next, birth]).status()).toContain("  holds 83 min offline");
  });
});

describe("what is lost", () => {
  test("is a sentence with its reason, and named for a program", () => {
    const { lines, objects } = listen([birth, lost(9, evicted(17, 3, 2)), lost(10, cut)]);
    expect(lines[1]).toMatch(/event #9 signed {2}boot 17: messages 3 to 4 declared lost, outbox full$/);
    expect(lines[2]).toMatch(/boot 16 ended with message 2, power cut: it ran for 1 h 2 min, at most 10 s more$/);
    expect(objects[1]).toMatchObject({
      small: [17, 3, 2, 1],
      lost: { boot: 17, first: 3, count: 2, reason: "outbox full", end: null },
    });
    // An open end is no number: 4 billion messages never were.
    expect(objects[2].lost).toEqual({
      ...{ boot: 16, first: 3, count: null, reason: "power cut" },
      end: { tick: 3_720_000, within: 10_000 },
    });
  });

  test("is counted apart from what is missing, up to the newest that was heard, and no more where it comes after all", () => {
    const heard = [birth, device.data(1), device.data(6), lost(7, evicted(17, 2, 3)), lost(8, cut)];
    const first = listen(heard);
    expect(first.status().join("\n")).toMatch(/gaps 1 .*\n {2}.*declared lost 3/);
    expect(summaryObject(first.session)).toMatchObject({ gaps: 1, lost: 3, duplicates: 0 });
    const after = listen([...heard, device.data(3), device.data(5)]);
    expect(summaryObject(after.session)).toMatchObject({ gaps: 0, lost: 2, duplicates: 0 });
    expect(after.lines[5]).toMatch(/data #3 signed {2}late {2}/);
    expect(summaryObject(listen([birth]).session)).not.toHaveProperty("lost");
  });

  test("however seqs, ranges and repetitions mix, heard + lost + missing is all there was", () => {
    const range = fc.record({
      first: fc.nat(40),
      count: fc.integer({ min: 1, max: 2 ** 32 - 41 }),
      open: fc.boolean(),
    });
    const step = fc.oneof(fc.record({ seq: fc.nat(40) }), range);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const sequence = new Sequence();
        const heard = new Set<number>();
        const told: [number, number][] = [];
        sequence.add({ seq: 0, tick: 0, birth: true }, null);
        heard.add(0);
        let again = 0;
        for (const one of steps) {
          if ("seq" in one) {
            if (heard.has(one.seq)) again++;
            heard.add(one.seq);
            sequence.add({ seq: one.seq, tick: 0, birth: false }, null);
          } else {
            const count = one.open ? 2 ** 32 - one.first : one.count;
            told.push([one.first, one.first + count - 1]);
            sequence.disown(one.first, count);
          }
        }
        const top = Math.max(...heard);
        const silent = Array.from({ length: top + 1 }, (_, seq) => seq).filter((seq) => !heard.has(seq));
        const lostNow = silent.filter((seq) => told.some(([from, to]) => seq >= from && seq <= to));
        expect([sequence.lost, sequence.gaps]).toEqual([lostNow.length, silent.length - lostNow.length]);
        expect(sequence.duplicates).toBe(again);
      }),
    );
  });
});

describe("a board that catches up", () => {
  const live = device.data(5000);
  test("is told with how far behind it is, as long as something comes", () => {
    const { status } = listen([birth, live, device.data(3000)]);
    expect(status().join("\n")).toContain("catching up: #3000, 33 min behind");
    expect(status(5001).join("\n")).not.toContain("catching up");
    expect(
      listen([birth, live, device.data(4990)])
        .status()
        .join("\n"),
    ).not.toContain("catching up");
    expect(
      listen([birth, live, device.data(3000)], "file")
        .status()
        .join("\n"),
    ).not.toContain("catching up");
  });

  test("of the boot before, and its newest boot stays the one that is shown", () => {
    const { status, session } = listen([birth, device.data(1), old.birth(), old.data(700)]);
    expect(status()[1]).toContain(" boot 17 ");
    expect(status().join("\n")).toContain("catching up: #700, in boot 16");
    expect(session.boards.newest?.boot).toBe(17);
  });
});
