/** A whole ward's transcripts: what its boards' firmware was given, and the same firmware again out of that alone. */
import { beforeAll, expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { createWard } from "../../cli/ward.ts";
import { type FaultEntry, faultKinds, planFaults } from "../../simulator/faults.ts";
import { createVirtualNode } from "../../simulator/node.ts";
import { recordNode, retraceNode } from "../../simulator/transcript-node.ts";

/** Every kind that these chips can have, on some board or on all. */
const PLAN: readonly FaultEntry[] = [
  { kind: "oscillator", board: 1, chip: "max30003", percent: 0.5 },
  { kind: "host-stall", probability: 0.1 },
  { kind: "lead-off", chip: "max30003", at: 3, for: 2 },
  { kind: "finger-off", chip: "max30102", at: 4, for: 6 },
  { kind: "nack", chip: "tmp117", at: 5, for: 2, share: 0.5 },
  { kind: "stuck-sda", board: 0, chip: "tmp117", at: 8, for: 3 },
  { kind: "slow-clock", board: 1, chip: "max30102", at: 8, for: 2, factor: 300 },
  { kind: "flash-pause", board: 2, at: 8, for: 2 },
  { kind: "saturation", chip: "max30102", at: 12, for: 2 },
  { kind: "fifo-overflow", chip: "max30003", at: 13, for: 1 },
  { kind: "brown-out", chip: "max30102", at: 15 },
  { kind: "unplugged", chip: "max30003", board: 0, at: 16, for: 4 },
  { kind: "wrong-id", chip: "tmp117", board: 1, at: 16, for: 4 },
  { kind: "broker-gone", at: 18, for: 6 },
  { kind: "serial-garbage", at: 18, for: 4 },
  { kind: "stuck-value", chip: "max30102", board: 0, at: 20, for: 3 },
  { kind: "noise-burst", chip: "max30003", at: 21, for: 2 },
  { kind: "motion", chip: "max30102", board: 1, at: 20, for: 4 },
  { kind: "ambient-light", chip: "max30102", board: 2, at: 20, for: 3 },
  { kind: "swapped-leds", chip: "max30102", at: 25, for: 4 },
];
const SECONDS = 32;

interface Recorded {
  readonly lines: string[];
  readonly messages: number;
  readonly sha256: string;
}

/** Three boards in lock step; the transcript of each. */
async function record(plan: readonly FaultEntry[], seal: "sign" | "mac", encrypt: boolean): Promise<Recorded[]> {
  const lines: string[][] = [[], [], []];
  const ward = await createWard({
    boards: 3,
    seed: 4,
    noise: true,
    epoch: 1_767_225_600_000,
    seal: { mode: seal, encrypt },
    ...(plan.length > 0 && { faults: planFaults(plan) }),
    transcript: (index) => (line) => void lines[index].push(line),
  });
  await ward.start();
  await ward.runLockStep(SECONDS * 1e6, () => false);
  await ward.stop();
  return ward.boards.map(({ recorder }, index) => ({
    lines: lines[index],
    messages: recorder!.messages,
    sha256: recorder!.sha256(),
  }));
}

let boards: Recorded[];
beforeAll(async () => {
  boards = await record(PLAN, "sign", false);
});

test("with every kind of fault on three boards, serial and MQTT, the transcript gives the same messages, byte for byte", () => {
  const planned = new Set(PLAN.map(({ kind }) => kind));
  // No board of a ward has an MLX90614.
  expect(faultKinds.filter((kind) => !planned.has(kind))).toEqual(["bad-pec"]);
  for (const { lines, messages, sha256 } of boards) {
    const again = retraceNode(lines);
    expect(again.difference).toBe(null);
    expect(messages).toBeGreaterThan(SECONDS);
    expect(again).toMatchObject({ messages, recorded: sha256, replayed: sha256 });
    expect(again.time! / 1e6).toBeGreaterThan(SECONDS);
  }
  expect(new Set(boards.map(({ sha256 }) => sha256)).size).toBe(3);
});

test.each([
  ["mac", false],
  ["sign", true],
  ["mac", true],
] as const)("sealed by %s, encrypted %s, it is the same too: no key stands in it", async (seal, encrypt) => {
  for (const { lines, sha256 } of await record([], seal, encrypt)) {
    expect(retraceNode(lines)).toMatchObject({ replayed: sha256, recorded: sha256, difference: null });
  }
});

test("the header holds all that the firmware is made of, and no key: TEST-ONLY ones follow from its origin", () => {
  const { about } = JSON.parse(boards[0].lines[0]);
  expect(Object.keys(about).sort()).toEqual(
    ["bn", "boot", "gateways", "node", "origin", "outboxBytes", "presence", "prev", "seal", "sensors"].sort(),
  );
  expect(about.sensors.map(({ chip }: { chip: string }) => chip)).toEqual(["max30102", "max30003", "tmp117"]);
  expect(JSON.parse(boards[1].lines[0]).about.origin).not.toBe(about.origin);
});

test("a board with keys of its own is not recorded", () => {
  const key = new Uint8Array(32);
  const identity = { kid: key.subarray(8, 16), publicKey: key, signer: null, psk: key, ueid: key.subarray(0, 17) };
  const link = { presence: false, open() {}, send: () => true, close() {} };
  const lines: string[] = [];
  expect(() =>
    createVirtualNode({
      clock: createVirtualClock(),
      ...{ seed: 1, index: 0, noise: true, gateways: [], boot: () => 1, seal: { mode: "mac", encrypt: false } },
      ...{ identity, link: () => link, wrap: recordNode((line) => lines.push(line)).wrap },
    }),
  ).toThrow("a transcript of a board with keys of its own could not be replayed without them");
  expect(lines).toEqual([]);
});

/** Lines of the first board with one of them changed; its number, from 1. */
function edited(find: (line: string) => boolean, change: (line: string) => string) {
  const at = boards[0].lines.findIndex(find);
  const lines = boards[0].lines.slice();
  lines[at] = change(lines[at]);
  expect(lines[at]).not.toBe(boards[0].lines[at]);
  return { lines, line: at + 1 };
}

/** Samples of a FIFO: many bytes; after a while. */
const isBurst = (from: number) => (line: string) => {
  const { event, replies, t } = JSON.parse(line) as { event?: string; replies?: string[]; t?: number };
  return event === "done" && t! > from * 1e6 && replies!.some((reply) => reply.length > 60);
};

test("one bit of one sample changed is found: at the message of that second, within a second and its lines", () => {
  const { lines, line } = edited(isBurst(10), (text) =>
    text.replace(
      /([0-9a-f]{50})([0-9a-f])/,
      (_, before, digit) => before + (Number.parseInt(digit, 16) ^ 1).toString(16),
    ),
  );
  const { difference, recorded, replayed, messages } = retraceNode(lines);
  expect(difference!.line).toBeGreaterThan(line);
  const said = JSON.parse(lines[difference!.line - 1]);
  expect(said).toMatchObject({ ask: "send", letter: "d" });
  expect(difference!.message).toContain(`transcript line ${difference!.line}: the firmware asked for {"ask":"send"`);
  const between = lines.slice(line, difference!.line - 1).map((text) => JSON.parse(text) as { ask?: string });
  expect(between.filter(({ ask }) => ask === "send").length).toBeLessThan(2);
  expect(recorded).toBe(boards[0].sha256);
  expect(replayed).not.toBe(recorded);
  expect(messages).toBeLessThan(boards[0].messages);
});

test("one operation changed is found at its own line", () => {
  const { lines, line } = edited(
    (text) => text.includes('"write":[9,131]'),
    (text) => text.replace('"write":[9,131]', '"write":[9,130]'),
  );
  expect(retraceNode(lines).difference).toMatchObject({ line });
});

test("an answer that is too short is found where the firmware cannot go on, with its line", () => {
  const { lines, line } = edited(isBurst(10), (text) => text.replace(/"replies":\[[^\]]*\]/, '"replies":[]'));
  const { difference } = retraceNode(lines);
  expect(Math.abs(difference!.line - line)).toBeLessThan(200);
  expect(difference!.message).toMatch(/^transcript line \d+: /);
});

test("cut off anywhere, it says so, and what came before was the same", () => {
  const { lines, messages, sha256 } = boards[2];
  for (const share of [0.1, 0.5, 0.9]) {
    const some = lines.slice(0, Math.floor(lines.length * share));
    const again = retraceNode(some);
    expect(again.difference).toMatchObject({
      line: some.length,
      message: expect.stringContaining("it is cut off here, with no end"),
    });
    expect(again.recorded).toBe(null);
    expect(again.messages).toBeLessThan(messages);
    expect(again.replayed).not.toBe(sha256);
  }
});

const header = (change: (about: Record<string, unknown>) => object | undefined) => {
  const [first, ...rest] = boards[0].lines;
  const { about, ...fields } = JSON.parse(first);
  return [JSON.stringify({ ...fields, about: change(about) }), ...rest];
};

test.each<readonly [string, () => string[], string]>([
  ["nothing", () => [], "transcript line 0: it is cut off here"],
  ["text", () => ["hello", "you"], "transcript line 1: it is no JSON"],
  ["another JSON", () => ['{"a":1}', "{}"], 'transcript line 1: no transcript begins with {"a":1}'],
  ["a transcript of other firmware", () => header(() => undefined), "its header does not say what firmware was above"],
  ["one of a later version", () => header((about) => ({ ...about, node: 2 })), "about.node: 2, this program makes 1"],
  [
    "a chip that is not there",
    () => header((about) => ({ ...about, sensors: [{ chip: "x" }] })),
    "about.sensors.0.chip:",
  ],
  ["a short origin", () => header((about) => ({ ...about, origin: "00" })), "about.origin: 32 bytes in hex"],
  [
    "an impossible rate",
    () =>
      header((about) => ({
        ...about,
        sensors: [{ chip: "max30102", configuration: { sampleRate: 7 }, site: "finger" }],
      })),
    "the firmware cannot be made as its header says: MAX30102: sampleRate is 7; choose one of 50",
  ],
])("%s is refused at its first lines, in words", (_, lines, words) => {
  const { difference, messages } = retraceNode(lines());
  expect(difference!.message).toContain(words);
  expect(difference!.line).toBeLessThan(3);
  expect(messages).toBe(0);
});

test("under other keys it differs with the first message that is sealed with them", () => {
  const { difference } = retraceNode(header((about) => ({ ...about, origin: "00".repeat(32) })));
  expect(difference!.message).toContain('"ask":"send"');
});

test("where what was sent is not what the last line says, that is told", () => {
  const { lines, line } = edited(
    (text) => text.includes('"name":"sealed '),
    (text) => text.replace(/sealed \d+/, "sealed 1"),
  );
  const { difference } = retraceNode(lines);
  expect(difference!.message).toContain('the recording says "sealed 1 ');
  expect(Math.abs(difference!.line - line)).toBeLessThanOrEqual(1);
});
