import { describe, expect, test } from "vitest";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeMessage, EVENT_COMMAND_RESULT } from "../../protocol/messages.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/commands.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

/** Status of each command, by n; a message that is sent again says the same. */
function statuses(lines: readonly string[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of lines) {
    if (line[0] !== "d") continue;
    const message = decodeMessage(decodeEnvelope(Uint8Array.from(Buffer.from(line.slice(2), "hex"))).payload);
    if (message.type !== "event" || message.code !== EVENT_COMMAND_RESULT) continue;
    const [, n, status] = message.small as [Uint8Array, number, number];
    found.set(n, status);
  }
  return found;
}

test("the scripted board answers every command, once it is done or why not", () => {
  const told = runOnNode(program, null);
  const found = statuses(told);
  const list = Array.from({ length: 40 }, (_, i) => found.get(i + 1));
  // start, stop, …, console without parameters, 16; then with them
  expect(list.slice(0, 16)).toEqual([0, 0, 2, 4, 2, 0, 0, 0, 2, 4, 4, 2, 0, 2, 4, 1]);
  expect(list.slice(16)).toEqual([0, 0, 3, 6, 7, 0, 3, 0, 0, 7, 0, 0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
  expect(told).toContain("reboot");
  expect(told.at(-1)).toMatch(/^true \d+ 1 \d+$/);
});

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("commands are obeyed, refused and answered by the same bytes", () => {
    const told = runOnNode(program, null);
    expect(told.length).toBeGreaterThan(45);
    expect(runOnEspruino("commands")).toEqual(told);
  });
});
