/** The whole road in every mode: what the chips' converters gave, sealed, carried, opened, stored, raised in evidence. */
import { afterEach, describe, expect, test } from "vitest";
import { reportOf } from "../../cli/demo-report.ts";
import { createWard, type Ward } from "../../cli/ward.ts";
import { toHex } from "../../protocol/keys.ts";
import { encodeMessage, type Message } from "../../protocol/messages.ts";
import { vitalwire } from "../support/process.ts";

let ward: Ward | null = null;
afterEach(async () => {
  await ward?.stop();
  ward = null;
});

const MODES = [
  { name: "S", mode: "sign", encrypt: false },
  { name: "M", mode: "mac", encrypt: false },
  { name: "E around S", mode: "sign", encrypt: true },
  { name: "E, bare", mode: "mac", encrypt: true },
] as const;
type Mode = (typeof MODES)[number];

/** Runs a ward in lock step to its end: its document, and what was stored of each board. */
async function run(seal: Mode, boards: number, seconds: number) {
  const stored = new Map<string, Message[]>();
  ward = await createWard({
    boards,
    seed: 1,
    noise: true,
    epoch: 1_767_225_600_000,
    seal,
    onStored: ({ device, message }) => {
      const kid = toHex(device.card.kid);
      stored.set(kid, [...(stored.get(kid) ?? []), message]);
    },
  });
  await ward.start();
  await ward.runLockStep(seconds * 1e6, () => false);
  await ward.stopBoards();
  const report = reportOf(ward, { seed: 1 }, seconds);
  // over every stored byte, what the gateway adds and what manifests raised
  const chain = toHex(ward.gateway.store.head().chain);
  await ward.stop();
  ward = null;
  return { report, stored, chain };
}

/** Bytes of a byte string's head. */
const head = (length: number) => (length < 24 ? 1 : length < 256 ? 2 : 3);
/** What the message takes on the wire: the table of PROTOCOL.md section 1, which is for payloads of 256 bytes and more. */
const wireLength = ({ mode, encrypt }: Mode, message: Message) => {
  const payload = encodeMessage(message).length;
  const first = message.type === "birth" || message.type === "presence";
  const signed = payload + 83 + head(payload);
  const maced = payload + 26 + head(payload);
  const encrypted = (inside: number) => inside + 35 + head(inside + 8);
  if (first) return mode === "sign" ? signed : maced;
  if (message.type === "manifest" || mode === "sign") return encrypt ? encrypted(signed) : signed;
  return encrypt ? encrypted(payload) : maced;
};

describe.each(MODES)("mode $name", (seal) => {
  test("every packet is verified, every sample is the converter's, evidence is 3, twice the same to the byte", async () => {
    const { report, stored, chain } = await run(seal, 2, 3);
    for (const { kid, evidence, packets, channels, wireBytes } of report.boards) {
      const { produced } = packets;
      expect(packets).toEqual({
        produced,
        received: produced,
        verified: produced,
        rejected: 0,
        duplicates: 0,
        gaps: 0,
      });
      expect(produced).toBeGreaterThan(3);
      expect(channels.length).toBe(3);
      for (const channel of channels) expect(channel.storedSha256).toBe(channel.sourceSha256);
      expect(evidence).toBe(3);
      const messages = stored.get(kid)!;
      const manifests = messages.filter(({ type }) => type === "manifest").length;
      expect(manifests).toBe(seal.mode === "mac" ? 1 : 0);
      expect(wireBytes).toBe(messages.reduce((sum, message) => sum + wireLength(seal, message), 0));
    }
    const again = await run(seal, 2, 3);
    expect(again.report).toEqual(report);
    expect(again.chain).toBe(chain);
  });
});

test("in M, manifests follow one another without a hole, and each seq is one's own or in one", async () => {
  const { report, stored } = await run(MODES[1], 1, 64);
  const [board] = report.boards;
  expect(board!.evidence).toBe(3);
  const covered: number[] = [];
  for (const message of stored.get(board!.kid)!) {
    if (message.type !== "manifest") continue;
    expect(message.hashes.length / 16).toBeLessThanOrEqual(60);
    for (let i = 0; i < message.hashes.length / 16; i++) covered.push(message.first + i);
    covered.push(message.seq);
  }
  expect(covered).toEqual(Array.from({ length: board!.packets.produced }, (_, seq) => seq));
});

test("another mode is another device", async () => {
  const kids = new Set<string>();
  for (const seal of MODES) {
    ward = await createWard({ boards: 1, seed: 1, noise: true, epoch: 0, seal });
    kids.add(ward.boards[0]!.kid);
    await ward.stop();
    ward = null;
  }
  expect(kids.size).toBe(4);
});

test("demo --seal mac --encrypt on the command line", async () => {
  const one = vitalwire("demo", "--boards", "1", "--fast", "--seconds", "2", "--seal", "mac", "--encrypt", "--json");
  expect(await one.ended(60_000)).toBe(0);
  const [board] = JSON.parse(one.stdout()).boards;
  expect(board).toMatchObject({ evidence: 3, packets: { rejected: 0, gaps: 0 } });
  expect(board.packets.verified).toBe(board.packets.produced);
});
