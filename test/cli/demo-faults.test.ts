/** `demo --faults FILE`: a plan as a person writes it, and what the command says of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultWords, wardFaults } from "../../cli/fault-plan.ts";
import { run as start } from "../support/process.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (text: string, name = "plan.yaml") => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const demo = async (...args: string[]) => {
  const running = start(process.execPath, ["--import", "tsx", "cli/main.ts", "demo", ...args]);
  return { code: await running.ended(100_000), out: running.stdout(), all: running.output() };
};

const PLAN = `# a bad afternoon
- { kind: nack, board: 0, chip: tmp117, at: 3 }
- { kind: unplugged, chip: max30102, at: 5, for: 2 }
- { kind: serial-garbage, at: 6, for: 5 }
- { kind: broker-gone, board: 2, at: 6, for: 5 }
- { kind: lead-off, chip: max30003, every: 9, for: 2 }
- { kind: brown-out, chip: max30102, probability: 0.1 }
- { kind: host-stall, probability: 0.2 }
- { kind: stuck-sda, board: 1, chip: tmp117, at: 14, for: 2 }
- kind: oscillator
  chip: max30003
  board: 1
  percent: -1
`;

test("demo --faults --fast prints the same document twice, byte for byte, with the truth in it and nothing missing", async () => {
  const args = ["--faults", file(PLAN), "--fast", "--seed", "1", "--headless", "--json", "--seconds", "20"];
  const [first, second] = [await demo(...args), await demo(...args)];
  expect(first.code).toBe(0);
  expect(second.out).toBe(first.out);
  const { boards, faults } = JSON.parse(first.out);
  for (const { packets } of boards) expect(packets).toMatchObject({ verified: packets.produced, gaps: 0 });
  expect(boards[0].packets.rejected).toBeGreaterThan(0);
  expect(faults[0]).toEqual({ kind: "oscillator", board: 1, chip: "max30003", state: "began", at: 0 });
  expect(faults).toContainEqual({ kind: "broker-gone", board: 2, chip: null, state: "ended", at: 11 });
  const count = (state: string) => faults.filter((one: { state: string }) => one.state === state).length;
  expect(count("began")).toBe(count("ended"));
  expect(new Set(faults.map(({ kind }: { kind: string }) => kind)).size).toBe(9);
  const other = await demo(...args.map((one) => (one === "1" ? "2" : one)));
  const drawn = (text: string) =>
    JSON.parse(text).faults.filter(({ kind }: { kind: string }) => kind === "host-stall" || kind === "brown-out");
  expect(drawn(other.out)).not.toEqual(drawn(first.out));
});

test("what is wrong in a plan is bad usage, with file, line, value and what to do", async () => {
  const path = file("- { kind: nack, chip: tmp117, at: 3 }\n- { kind: nack, chip: max30003, at: 3 }\n");
  const { code, all } = await demo("--faults", path, "--fast");
  expect(code).toBe(2);
  expect(all).toContain("plan.yaml:2: 1.chip: a MAX30003 is not on I2C; choose another chip");
});

const wrong: readonly (readonly [string, string])[] = [
  ["- kind: nack\n  chip: tmp117\n  at: soon\n", "plan.yaml:3: 0.at: a number from 0 to 1000000 s"],
  ["- kind: nack\n  chip: tmp117\n  at: 1\n  why: x\n", 'plan.yaml:4: there is no setting "why" here'],
  ["- kind: nack\n  at: 1\n  chip: max30205\n", 'plan.yaml:3: 0.chip: board 0 has no chip "max30205"'],
  ["- kind: host-stall\n  at: 1\n  board: 3\n", "plan.yaml:3: 0.board: there is no board 3; the last of 3 is 2"],
  ["- kind: broker-gone\n  at: 1\n  board: 0\n", "plan.yaml:3: 0.board: board 0 needs no broker"],
  ["- kind: serial-garbage\n  at: 1\n  board: 1\n", "plan.yaml:3: 0.board: board 1 has no serial line"],
  ["- at: 1\n- kind: gremlin\n", 'plan.yaml:2: 1.kind: "gremlin" is no kind of fault; there are nack'],
  ["faults: []\n", "plan.yaml: the file: a list of faults, such as"],
];
test.each(wrong)("%j is refused at its line", (text, words) => {
  expect(() => wardFaults(file(text), 3)).toThrow(words);
});

test("a plan is YAML or JSON, and about any board that can have it where it names none", () => {
  const entries = [
    { kind: "broker-gone", at: 1, for: 10 },
    { kind: "serial-garbage", at: 1, for: 5, rate: 100, share: 0.5 },
  ];
  expect(wardFaults(file(JSON.stringify(entries), "plan.json"), 2)).toEqual(entries);
  expect(() => wardFaults(file("- { kind: broker-gone, at: 1 }\n"), 1)).toThrow("0.kind: board 0 needs no broker");
});

test("a person reads which board it is by the number that the rest of the ward's lines have", () => {
  expect(faultWords({ kind: "nack", board: 0, chip: "tmp117", state: "began", at: 3 })).toBe(
    "FAULT began: nack of tmp117, board 1, at 3.000 s",
  );
  expect(faultWords({ kind: "host-stall", board: 2, chip: null, state: "ended", at: 1.25 })).toBe(
    "FAULT ended: host-stall, board 3, at 1.250 s",
  );
});
