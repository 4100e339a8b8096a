/** FAULTS.md 24: what a plotter does not show, and what `monitor` says in its place. */
import { expect } from "vitest";
import { ByteCounter, diagnose, PATIENCE } from "../../cli/monitor/diagnosis.ts";
import { Session } from "../../cli/monitor/session.ts";
import type { Card } from "../../protocol/card.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { kidText } from "../../protocol/keys.ts";
import { record } from "./board.ts";
import { holds } from "./holds.ts";

/** Bytes that were sent at one baud rate, as a receiver at another one takes them: 8 data bits, no parity, one stop bit. */
function atBaud(bytes: Uint8Array, sent: number, read: number): Uint8Array {
  const line = [...bytes].flatMap((byte) => [0, ...Array.from({ length: 8 }, (_, i) => (byte >> i) & 1), 1]);
  const level = (bit: number) => line[Math.floor((bit * sent) / read)] ?? 1;
  const taken: number[] = [];
  const end = (line.length * read) / sent;
  // a quarter of a bit after another it looks for a start, then in the middle of each bit
  for (let at = 0; at < end; at += 1 / 4) {
    if (level(at) === 1) continue;
    taken.push(Array.from({ length: 8 }, (_, i) => level(at + 1.5 + i) << i).reduce((sum, bit) => sum | bit));
    at += 9.5;
  }
  return Uint8Array.from(taken);
}

/** What a plotter draws: each line that is a number. */
const drawn = (text: string) => text.split("\n").filter((one) => one.trim() !== "" && Number.isFinite(Number(one)));

holds(24, ({ heard }) => {
  const board = record({}, 3);
  const { kid, publicKey } = board.node.signer;
  const cards = new Map([[kidText(kid), { kid, publicKey } as unknown as Card]]);
  const bytes = Buffer.from(board.sent.map((message) => encodeLine(message)).join(""), "latin1");
  const hopeless: readonly (readonly [string, Uint8Array, number])[] = [
    ["silence", new Uint8Array(0), 115_200],
    ["baud", atBaud(bytes, 115_200, 57_600), 57_600],
    ["text", Buffer.from("boot\nmain task started\n"), 115_200],
    [
      "damaged",
      Buffer.from(`${bytes.toString("latin1").split("\n")[0]!.replace(/.$/, "")}A\n`.repeat(2), "latin1"),
      115_200,
    ],
  ];
  for (const [kind, given, baud] of hopeless) {
    const text = Buffer.from(given).toString("latin1");
    expect(drawn(text), kind).toEqual([]);

    const counter = new ByteCounter();
    counter.take(given);
    const { totals } = listen(text, cards);
    const evidence = { ...counter, ...totals, byteAt: given.length === 0 ? null : 2000, wholeAt: null };
    const finding = diagnose(evidence, PATIENCE, { name: "/dev/ttyUSB0", baud, cards: "." });
    expect(finding?.kind).toBe(kind);
    heard(finding!.sentence);
  }

  // the board's own clock on each line, and no complaint
  const { totals } = listen(bytes.toString("latin1"), cards);
  expect(totals.verified).toBe(totals.packets);
  const lines = board.monitor().filter((line) => line.includes("data #"));
  const seconds = lines.map((line) => {
    const [hours, minutes, rest] = line.split("  ")[0]!.split(":").map(Number);
    return hours! * 3600 + minutes! * 60 + rest!;
  });
  expect(seconds).toEqual([1, 2, 3]);
});

function listen(text: string, cards: ReadonlyMap<string, Card>): Session {
  const session = new Session({
    keyring: { cards, psks: new Map(), folder: ".", given: true, notes: [] },
    now: () => null,
    onEntry: () => {},
  });
  for (const line of text.split("\n").filter((one) => one !== "")) session.line(line);
  return session;
}
