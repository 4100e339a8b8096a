/** `simulate --faults FILE`: the board that other programs talk to, with what goes wrong in the field. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { decodeMessage, EVENT_FAULT, type EventMessage } from "../../protocol/messages.ts";
import { run as start } from "../support/process.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const plan = (text: string) => {
  const path = join(folder, "plan.yaml");
  writeFileSync(path, text);
  return path;
};
const simulate = async (...args: string[]) => {
  const running = start(process.execPath, ["--import", "tsx", "cli/main.ts", "simulate", ...args]);
  return { code: await running.ended(60_000), out: running.stdout(), all: running.output() };
};

test("a capture holds what the board told of its faults, the report the truth; the same again, byte for byte", async () => {
  const faults = plan("- { kind: nack, chip: tmp117, at: 3, for: 3 }\n- { kind: finger-off, chip: max30102, at: 4 }\n");
  const once = async (name: string) => {
    const path = join(folder, name);
    const result = await simulate("--out", path, "--fast", "--seconds", "12", "--faults", faults, "--json");
    return { ...result, capture: readFileSync(path, "latin1") };
  };
  const [first, second] = [await once("one.txt"), await once("two.txt")];
  expect(first.code).toBe(0);
  expect(second.capture).toBe(first.capture);
  expect(JSON.parse(first.out).faults).toMatchObject([
    { kind: "nack", chip: "tmp117", state: "began", at: 3 },
    { kind: "finger-off", state: "began", at: 4 },
    { kind: "nack", state: "ended", at: 6 },
    { kind: "finger-off", state: "ended" },
  ]);
  expect(first.all).toContain("FAULT began: nack of tmp117, board 1, at 3.000 s");
  const messages = first.capture
    .trim()
    .split("\n")
    .map((line) => decodeMessage(decodeEnvelope(decodeLine(line)!).payload));
  const events = messages.filter((one): one is EventMessage => one.type === "event");
  const told = events.filter(({ code }) => code === EVENT_FAULT).map(({ small }) => String((small as unknown[])[2]));
  expect(told).toContainEqual(expect.stringContaining("TMP117"));
  const without = join(folder, "three.txt");
  await simulate("--out", without, "--fast", "--seconds", "12");
  expect(readFileSync(without, "latin1")).not.toContain(first.capture.split("\n")[0]);
});

test("what this way out cannot have is refused at its line: a file has no serial line and no broker", async () => {
  const serial = await simulate(
    "--out",
    join(folder, "x.txt"),
    "--fast",
    "--faults",
    plan("- { kind: serial-garbage, at: 1 }\n"),
  );
  expect(serial.code).toBe(2);
  expect(serial.all).toContain("plan.yaml:1: 0.kind: board 0 has no serial line");
  const broker = await simulate("--out", "pty", "--faults", plan("- { kind: broker-gone, at: 1 }\n"));
  expect(broker.code).toBe(2);
  expect(broker.all).toContain("board 0 needs no broker");
});
