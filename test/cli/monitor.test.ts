/** vitalwire monitor on captures: what a person and what a program see of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePsk } from "../../cli/keys/psk-file.ts";
import { testOnlyWrapping } from "../../cli/keys/wrapping.ts";
import { writeCards } from "../../cli/keys.ts";
import { type MonitorOptions, runMonitor, type World } from "../../cli/monitor/monitor.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { mac0 } from "../../protocol/mac0.ts";
import {
  ALARM_SPO2_LOW,
  type AlarmEvent,
  EVENT_ALARM,
  encodeAlarm,
  encodeMessage,
  MDC_SPO2,
  MDC_TEMP_FINGER,
  MDC_TEMPERATURE,
  type Message,
} from "../../protocol/messages.ts";
import { createTestDevice, site } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const device = createTestDevice("monitor");
const stranger = createTestDevice("monitor stranger");
const event: Message = { type: "event", boot: 1, seq: 3, tick: 3000, code: 4, small: [0, 0, 12] };
const messages = [device.birth(), device.data(1), device.data(2), event].map(device.seal);
const lines = messages.map(encodeLine);
const log = "I (12) sensor: ready\n";
const text = [log, ...lines].join("");

let folder: string;
let bare: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-monitor-"));
  bare = mkdtempSync(join(tmpdir(), "vitalwire-monitor-"));
  const { kid, signer } = device;
  const life = { issuedAt: 0, expires: 4e9 };
  const card = encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey: signer.publicKey, ...life }, site);
  writeCards(folder, site.publicKey, [{ kid, card }]);
});
afterAll(() => {
  for (const path of [folder, bare]) rmSync(path, { recursive: true });
});

const run = async (content: string | Uint8Array, options: MonitorOptions = {}, home = folder, terminal = {}) => {
  const path = join(home, "capture");
  writeFileSync(path, content, "latin1");
  const result = { out: "", err: "", path };
  const into = (name: "out" | "err") => (some: string) => {
    result[name] += some;
  };
  const world: World = {
    out: { ...terminal, write: into("out") },
    err: { write: into("err") },
    now: () => 1_800_000_000_000,
    environment: {},
    interrupt: new AbortController().signal,
  };
  await runMonitor(path, options, world);
  return result;
};
const objects = async (content: string | Uint8Array, options: MonitorOptions = {}, home = folder) => {
  const { out } = await run(content, { ...options, json: true }, home);
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};

test("--json gives one object a line: log, packet, and last the summary", async () => {
  const [first, birth, data, , overflow, summary] = await objects(text);
  expect(first).toEqual({ type: "log", text: "I (12) sensor: ready", hostTime: null });
  expect(birth).toMatchObject({ type: "packet", kind: "birth", seq: 0, verified: true, reason: null, channels: [] });
  expect(data).toMatchObject({ kind: "data", boot: 1, seq: 1, tick: 1000, verified: true });
  expect(data.channels).toEqual([
    { id: 0, mdc: 131328, idx: 0, n: 3, samples: [1, 2, 1], qual: null, seg: 0, dt: -1000, name: "ecg", ucum: "V" },
  ]);
  expect(overflow).toMatchObject({ kind: "event", code: 4, small: [0, 0, 12] });
  expect(summary).toEqual({
    type: "summary",
    lines: 5,
    packets: 4,
    verified: 4,
    rejected: {},
    gaps: 0,
    duplicates: 0,
    logs: 1,
    fragments: 0,
  });
});

test("lines and a CBOR sequence of the same messages give the same packets", async () => {
  const packets = async (content: string | Uint8Array) =>
    (await objects(content)).filter(({ type }) => type === "packet").map(({ where, ...packet }) => packet);
  expect(await packets(Buffer.concat(messages))).toEqual(await packets(lines.join("")));
});

describe("what is damaged or foreign", () => {
  test("each is rejected by its word, with its line; verified and rejected make up all packets", async () => {
    const tampered = Uint8Array.from(messages[1]);
    tampered[tampered.length - 1] ^= 1;
    const damaged = lines[1].replace(/.(?=\n)/, "!");
    const foreign = encodeLine(stranger.seal(stranger.birth()));
    const all = await objects(
      `${text}${damaged}${foreign}${encodeLine(tampered)}${lines[1]}${"x".repeat(6000)}\n${lines[3]}`,
    );
    const refused = all.filter(({ verified }) => verified === false);
    expect(refused.map(({ reason, where }) => [reason, where])).toEqual([
      ["base64", "line 6"],
      ["kid", "line 7"],
      ["signature", "line 8"],
      ["size", expect.stringContaining("line")],
    ]);
    for (const { kind, boot, seq, channels } of refused) expect({ kind, boot, seq, channels }).toEqual(nothing);
    const summary = all.at(-1);
    expect(summary).toMatchObject({ packets: 10, verified: 6, gaps: 0, duplicates: 2 });
    expect(summary.rejected).toEqual({ base64: 1, kid: 1, signature: 1, size: 1 });
  });
  const nothing = { kind: null, boot: null, seq: null, channels: [] };

  test("log text in front of a packet is shown, a packet cut off by another one is counted", async () => {
    const all = await objects(`${lines[0]}hello${lines[1]}${lines[2].slice(0, 50)}${lines[2]}`);
    expect(all.map(({ text, seq }) => text ?? seq)).toEqual([0, "hello", 1, 2, undefined]);
    expect(all.at(-1)).toMatchObject({ verified: 3, fragments: 1, rejected: {} });
  });

  test("the end of a packet at the start of a capture is no log text", async () => {
    const all = await objects(lines[0].slice(100) + lines[1]);
    expect(all.map(({ type }) => type)).toEqual(["packet", "summary"]);
    expect(all.at(-1)).toMatchObject({ fragments: 1, logs: 0, verified: 1 });
  });
});

test("lines cut at every byte give what is whole before the cut, and name the piece that is cut", async () => {
  const small = log + lines[1] + lines[2];
  const ends = [log, log + lines[1], small].map(({ length }) => length);
  for (let length = 0; length <= small.length; length++) {
    const all = await objects(small.slice(0, length));
    // Without its LF a line is still whole.
    const whole = ends.slice(1).filter((end) => end - 1 <= length).length;
    const summary = all.at(-1);
    expect(summary.verified, `cut at ${length}`).toBe(whole);
    const within = length > ends[0] && !ends.some((end) => length === end || length === end - 1);
    const refused = all.filter(({ verified }) => verified === false);
    expect(refused, `cut at ${length}`).toHaveLength(within ? 1 : 0);
    if (within) expect(refused[0].where).toMatch(/^line \d, where the capture ends in the middle of it$/);
  }
});

test("a CBOR sequence cut at every byte gives what is whole before the cut, and names the piece that is cut", async () => {
  const sequence = Buffer.concat(messages.slice(1, 3));
  const ends = [0, messages[1].length, sequence.length];
  for (let length = 0; length <= sequence.length; length++) {
    const all = await objects(sequence.subarray(0, length));
    expect(all.at(-1).verified, `cut at ${length}`).toBe(ends.filter((end) => end > 0 && end <= length).length);
    const refused = all.filter(({ verified }) => verified === false);
    expect(refused, `cut at ${length}`).toHaveLength(ends.includes(length) ? 0 : 1);
    if (refused.length > 0) expect(refused[0].detail).toMatch(/the capture ends \d+ bytes into a message/);
  }
});

describe("keys", () => {
  const sample = device.seal({
    ...device.data(1),
    channels: [{ kind: "num", id: 0, dt: 0, value: 424_242, qual: null }],
  });
  const capture = lines[0] + encodeLine(sample);

  test("without a site key anywhere the structure is shown as unverified, no value, and a program gets none of it", async () => {
    const { out, err } = await run(capture, {}, bare);
    expect(out).toMatch(/birth #0 unverified/);
    // 424242 raw would be 0.16 V.
    expect(out).toMatch(/data #1 unverified {2}ecg$/m);
    expect(out).not.toMatch(/424242|0\.16| V|signed/);
    expect(err).toMatch(/no cards to check them with; give --cards DIR/);
    const all = await objects(capture, {}, bare);
    expect(all.slice(0, 2).map(({ verified, reason, seq, channels }) => [verified, reason, seq, channels])).toEqual([
      [false, "kid", null, []],
      [false, "kid", null, []],
    ]);
  });

  test("with a site key, what no card is for is not decoded at all", async () => {
    const { out, err } = await run(encodeLine(stranger.seal(stranger.birth())));
    expect(out).toMatch(/unverified: unknown key [0-9a-f]{16}, \d+ bytes; give --cards/);
    expect(out).not.toMatch(/birth #0/);
    expect(err).toMatch(/no card in .* is for their key/);
  });

  test("--cards where there is no site key is bad usage", async () => {
    await expect(run(capture, { cards: bare }, folder)).rejects.toThrow(/no site key at .*site\.pub/);
  });

  test("a device's message sealed with a gateway's key is refused", async () => {
    const home = mkdtempSync(join(tmpdir(), "vitalwire-monitor-"));
    const { kid, signer } = device;
    const card = { issuer: "TEST-ONLY", role: "gateway" as const, kid, publicKey: signer.publicKey };
    writeCards(home, site.publicKey, [{ kid, card: encodeCard({ ...card, issuedAt: 0, expires: 4e9 }, site) }]);
    expect((await objects(capture, {}, home)).at(-1)).toMatchObject({ verified: 0, rejected: { payload: 2 } });
    rmSync(home, { recursive: true });
  });
});

describe("for a person", () => {
  test("a packet is a line with kind, seq, signature state and what it holds; before the birth there are ids alone", async () => {
    const { out } = await run(lines[2] + lines[0] + lines[1]);
    const [before, birth, after] = out.split("\n");
    expect(before).toMatch(/data #2 signed {2}\(no birth yet\) {2}channel 0 3 samples/);
    expect(birth).toMatch(/birth #0 signed .*ecg 256 Hz/);
    expect(after).toMatch(/data #1 signed .*ecg 3 samples/);
    expect(out).toMatch(/signed \(TEST-ONLY\)/);
  });

  test("what is no terminal gets no escape code, also from the line; a terminal gets no line wider than it is", async () => {
    const evil = `\x1b]0;title\x07\x9b31m\n${text}`;
    const plain = await run(evil);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(plain.out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(plain.out).toContain("\\x1b]0;title\\x07");
    const { out } = await run(evil, {}, folder, { isTTY: true, columns: 40, rows: 20 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what colours are made of
    for (const line of out.replace(/\x1b\[\d+m/g, "").split("\n")) expect(line.length).toBeLessThanOrEqual(40);
    expect(out).not.toContain("\x1b]");
  });

  test("an empty file, and one without packets, are told in a sentence", async () => {
    expect((await run("")).err).toMatch(/the file is empty/);
    expect((await run("hello\nworld\n")).err).toMatch(/text but no packets/);
  });
});

test("bad usage says what to do: no such file, a folder, --record of a file", async () => {
  const world = { now: () => 0, environment: {}, interrupt: new AbortController().signal };
  const nowhere = { write() {} };
  const start = (path: string, options = {}) => runMonitor(path, options, { ...world, out: nowhere, err: nowhere });
  await expect(start(join(folder, "absent"))).rejects.toThrow(/no such file or port; "vitalwire ports"/);
  await expect(start(folder)).rejects.toThrow(/a folder that is neither/);
  await expect(run(text, { record: join(folder, "other") })).rejects.toThrow(/is a recording already/);
});

describe("vitals and alarms", () => {
  const channel = (id: number, mdc: number, ucum: string, attributes: object) => ({
    ...{ id, mdc, rateMilliHz: 0, bits: 13, offset: 0, mul: 1, exp10: -1, ucum, attributes },
  });
  const channels = [
    channel(1, MDC_SPO2, "%", { processing: 2, minimum: 700 }),
    channel(2, MDC_TEMPERATURE, "Cel", { processing: 0 }),
    channel(3, MDC_TEMPERATURE, "Cel", { processing: 2 }),
    channel(4, MDC_TEMP_FINGER, "Cel", { processing: 2 }),
    channel(5, MDC_TEMPERATURE, "Cel", { processing: 2, role: "predicted" }),
  ];
  const birth: Message = { ...device.birth(), channels };
  const vitals = (seq: number, ...raws: (number | null)[]): Message => ({
    ...device.data(seq),
    channels: raws.map((value, i) => ({ kind: "num" as const, id: i + 1, dt: 0, value, qual: null })),
  });
  const alarm = (seq: number, tick: number, changes: Partial<AlarmEvent>): Message => {
    const own = { id: ALARM_SPO2_LOW, priority: 1, state: 1, dt: -12e6, value: 820, limit: 900, channel: 1 };
    return { type: "event", boot: 1, seq, tick, code: EVENT_ALARM, small: encodeAlarm({ ...own, ...changes }) };
  };
  const capture = [
    birth,
    vitals(1, 655, 361, 365, 331, 372),
    alarm(2, 100_000, {}),
    alarm(3, 110_000, { state: 0, value: 931, dt: -22e6 }),
  ]
    .map(device.seal)
    .map(encodeLine)
    .join("");

  test("below what is claimed a value is shown as less than that, and each temperature is told apart", async () => {
    const { out } = await run(capture);
    const line = out.split("\n").find((one) => one.includes("data #1"))!;
    expect(line).toContain("SpO2 < 70 %  Tchip 36.1 °C  T 36.5 °C  Tskin 33.1 °C  Tpredicted 37.2 °C");
  });

  test("an alarm is a sentence with its value, its limit and since when", async () => {
    const { out } = await run(capture);
    expect(out).toContain("event #2 signed  ALARM high: SpO2 82.0 % below 90 (since 12 s)\n");
    expect(out).toContain("event #3 signed  alarm ended: SpO2 low, now 93.1 % (after 22 s)\n");
  });

  test("a program gets the exact number, the event as it is, and the alarm by name", async () => {
    const [, data, begun] = await objects(capture);
    expect(data.channels[0]).toMatchObject({ value: 655, physical: 65.5 });
    expect(begun).toMatchObject({ kind: "event", code: EVENT_ALARM, small: [1, 1, 1, -12e6, 820, 900, 1] });
    expect(begun.alarm).toEqual({
      ...{ id: 1, name: "SpO2 low", priority: "high", state: "active", onset: 88, time: 100, channel: 1 },
      ...{ value: 82, limit: 90, ucum: "%" },
    });
  });

  test("nobody's word is no alarm: without cards it is not told", async () => {
    const { out } = await run(capture, {}, bare);
    expect(out).toContain("event #2 unverified  alarm\n");
    expect(out).not.toContain("ALARM");
    expect((await objects(capture, {}, bare)).some((one) => "alarm" in one)).toBe(false);
  });
});

describe("a board in modes M and E", () => {
  const speak = (mode: (typeof MODES)[number]) => {
    const speaker = createSpeaker(mode, "monitor");
    return [speaker.birth(), speaker.data(1), speaker.data(2)].map((one) => encodeLine(speaker.seal(one))).join("");
  };
  const [, M, ES, E] = MODES;

  test("without its key is shown as not checked, never as verified, and its values never", async () => {
    const { out } = await run(speak(M));
    expect(out).toContain("birth #0 mac, not checked: no key");
    expect(out).toContain("data #1 mac, not checked: no key");
    expect(out).not.toMatch(/signed|[1-9]\d* verified/);
    for (const mode of [E, ES]) {
      const encrypted = await run(speak(mode));
      expect(encrypted.out).toContain("encrypted, not opened: no key");
      expect(encrypted.out).not.toContain("data #");
    }
    const objects = (await run(speak(M), { json: true })).out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const object of objects.slice(0, 3)) {
      expect(object).toMatchObject({
        type: "packet",
        verified: false,
        reason: null,
        seq: null,
        kind: null,
        channels: [],
      });
      expect(object.unchecked).toBe("mac, not checked: no key");
    }
    expect(objects[3]).toMatchObject({ type: "summary", packets: 3, verified: 0, unchecked: 3, rejected: {} });
  });

  test("with its key is verified, and what does not hold is rejected", async () => {
    const keys = mkdtempSync(join(tmpdir(), "vitalwire-monitor-"));
    writePsk(keys, { kid: device.kid, psk: createSpeaker(M, "monitor").psk!, encrypts: false }, testOnlyWrapping());
    for (const mode of [M, ES, E]) {
      const summary = (await run(speak(mode), { json: true, keys })).out.trimEnd().split("\n").at(-1)!;
      expect(JSON.parse(summary)).toMatchObject({ packets: 3, verified: 3, rejected: {} });
    }
    expect((await run(speak(M), { keys })).out).toContain("data #2 mac  ");
    const other = createSpeaker(M, "monitor stranger");
    const forged = mac0(encodeMessage(other.birth()), device.kid, new Uint8Array(32), nodeCrypto);
    const { out } = await run(encodeLine(forged), { json: true, keys });
    expect(JSON.parse(out.trimEnd().split("\n").at(-1)!)).toMatchObject({ verified: 0, rejected: { signature: 1 } });
    rmSync(keys, { recursive: true });
  });
});
