/** vitalwire devices: messages that are missing, declared or not, and the report of each day, in every mode. */
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { devices } from "../../cli/devices.ts";
import { writeCards } from "../../cli/keys.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { kidText } from "../../protocol/keys.ts";
import { EVENT_DISOWNED, type Message } from "../../protocol/messages.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestGateway, site } from "../support/gateway.ts";
import { documentOf } from "../support/site.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const folder = ownFolder();
const SECONDS = 120;
/** Of 256 samples. */
const samples = Array.from({ length: 256 }, (_, i) => i % 7);

/** A board in each mode: of two minutes seq 11 to 20 were evicted, which it says, and `silent` more are missing. */
function kept(silent: (board: number) => number) {
  const path = join(folder(), "s.db");
  const bench = createTestGateway(openSqliteStore(path));
  const speakers = MODES.map((mode) => createSpeaker(mode, mode.name));
  const begin = bench.now;
  for (const [board, speaker] of speakers.entries()) {
    speaker.join(bench.gateway);
    bench.now = begin;
    const give = (message: Message) => bench.gateway.receive(speaker.seal(message), speaker.origin);
    give(speaker.birth());
    for (let seq = 1; seq <= SECONDS; seq++) {
      bench.now = begin + 1000 * seq;
      if ((seq > 10 && seq <= 20) || (seq > 60 && seq <= 60 + silent(board))) continue;
      give({ ...speaker.data(seq, samples), tick: 1000 * seq });
    }
    const small = [1, 11, 10, 1];
    give({ type: "event", boot: 1, seq: SECONDS + 1, tick: 1000 * SECONDS, code: EVENT_DISOWNED, small });
    bench.settle();
  }
  const cards = speakers.map(({ kid, enrollAt }) => ({ kid, card: enrollAt(bench.gateway) }));
  bench.gateway.close();
  writeCards(folder(), site.publicKey, cards);
  return { path, kids: speakers.map(({ kid }) => kidText(kid)) };
}
const run = (options: object) => documentOf(() => devices({ cards: folder(), json: true, ...options }));

async function printed(options: object): Promise<string> {
  let out = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  try {
    await devices({ cards: folder(), ...options });
  } finally {
    spy.mockRestore();
  }
  return out;
}

test("the table and its document tell declared losses from silent ones; without a store nothing is known", async () => {
  const { path, kids } = kept((board) => board);
  const rows = (await run({ store: path })).devices as { kid: string; gaps: unknown }[];
  for (const [board, kid] of kids.entries()) {
    expect(rows.find((row) => row.kid === kid)).toMatchObject({ gaps: { declared: 10, silent: board } });
  }
  const lines = (await printed({ store: path })).split("\n");
  expect(lines[0]).toMatch(/messages {2}declared lost {2}silent gaps/);
  expect(lines.find((line) => line.startsWith(kids[3]!))).toMatch(/ 109 +10 +3 /);
  for (const row of (await run({})).devices as { gaps: unknown }[]) expect(row.gaps).toBeNull();
});

test("--days: the same figures in every mode, the device first of which the least is here", async () => {
  const { path, kids } = kept((board) => 2 * board);
  const report = await run({ store: path, days: true });
  expect(report).toEqual({
    days: [3, 2, 1, 0].map((board) => {
      const seconds = { expected: 120, received: 110 - 2 * board, declared: 10, silent: 2 * board, uncertain: 0 };
      return { kid: kids[board], day: "2027-01-15", ...seconds, channels: [{ id: 0, name: "ecg", ...seconds }] };
    }),
    boots: expect.arrayContaining([
      {
        ...{ kid: kids[1], boot: 1, ends: "open", cut: null, messages: 110, missing: { declared: 10, silent: 2 } },
        ...{ from: expect.stringMatching(/^2027-01-15T08:00:00/), to: expect.stringMatching(/^2027-01-15T08:02:01/) },
        ...{ expected: 120, received: 108, declared: 10, silent: 2, uncertain: 0 },
      },
    ]),
  });
  expect((report.boots as unknown[]).length).toBe(4);
  const [head, worst, ...rest] = (await printed({ store: path, days: true })).split("\n");
  expect(head).toMatch(/^day \(UTC\) +device +here +expected +received +declared lost +silent +known to within$/);
  expect(worst).toMatch(new RegExp(`^2027-01-15 +${kids[3]} +86.66 % +0:02:00 +0:01:44 +10.0 s +6.0 s +-$`));
  expect(rest[2]).toMatch(new RegExp(`^2027-01-15 +${kids[0]} +91.66 % +0:02:00 +0:01:50 +10.0 s +- +-$`));
});

test("--days asks for a store, and says where nothing was measured", async () => {
  writeCards(folder(), site.publicKey, []);
  await expect(run({ days: true })).rejects.toThrow(/give --store STORE/);
  const path = join(folder(), "empty.db");
  openSqliteStore(path).close();
  expect(await printed({ store: path, days: true })).toMatch(/^nothing was measured/);
  expect(await run({ store: path, days: true })).toEqual({ days: [], boots: [] });
});
