/** A board whose messages nobody acknowledges, with an outbox that is full of events. */
import { expect, test } from "vitest";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeMessage, EVENT_ALARM, EVENT_DISOWNED, EVENT_OVERFLOW } from "../../protocol/messages.ts";
import { program } from "../espruino/programs/runtime.ts";

test("what goes to make room is disowned when somebody hears, run by run, and that makes nothing else go for ever", () => {
  const lines: string[] = [];
  program((line) => lines.push(line));
  const sent = new Map<number, ReturnType<typeof decodeMessage>>();
  for (const line of lines) {
    if (line[0] !== "d" && line[0] !== "b") continue;
    const message = decodeMessage(decodeEnvelope(Uint8Array.from(Buffer.from(line.slice(2), "hex"))).payload);
    if ("seq" in message) sent.set(message.seq, message);
  }
  const events = [...sent.values()].flatMap((message) => (message.type === "event" ? [message] : []));
  const codes = new Set(events.map(({ code }) => code));
  for (const code of [EVENT_ALARM, EVENT_OVERFLOW, EVENT_DISOWNED]) expect(codes).toContain(code);
  const produced = Number(lines.at(-1)!.split(" ")[1]);
  const waiting = Number(lines.at(-1)!.split(" ")[3]);
  const disowned = new Set<number>();
  for (const { code, small } of events) {
    if (code !== EVENT_DISOWNED || !Array.isArray(small)) continue;
    const [boot, first, count] = small as [number, number, number];
    expect(boot).toBe(3);
    for (let seq = first; seq < first + count; seq++) {
      expect(disowned.has(seq)).toBe(false);
      disowned.add(seq);
    }
  }
  // Every message is either still waiting or disowned: none went without a word.
  expect(disowned.size + waiting).toBe(produced);
});
