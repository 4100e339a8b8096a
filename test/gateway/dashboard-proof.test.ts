/** What the browser takes for proven, in every mode: signatures, countersignatures, manifests; and what it does not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Board } from "../../gateway/dashboard/board.ts";
import type { FedMessage } from "../../gateway/dashboard/feed.ts";
import { type Proof, prove, unseal } from "../../gateway/dashboard/proof.ts";
import { createVerifier } from "../../gateway/dashboard/verify.ts";
import { decodeRecord } from "../../gateway/record.ts";
import { kidText } from "../../protocol/keys.ts";
import { encodeMessage, type Message } from "../../protocol/messages.ts";
import { createTestDevice, createTestGateway, gatewayKey } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const [S, M, ES, E] = MODES;
const gateway = kidText(gatewayKey.kid);
const gateways = new Map([[gateway, gatewayKey.publicKey]]);
const webCrypto = await createVerifier(globalThis.crypto.subtle);
const tweetnacl = await createVerifier(undefined);
const presence = { type: "presence", boot: 1, connection: 1, state: 1 } as const;

/** What a page is sent of these messages, in the order in which a gateway stored them. */
function fed(
  mode: (typeof MODES)[number],
  messages: (device: ReturnType<typeof createSpeaker>) => Message[],
  settings = {},
) {
  const bench = createTestGateway(undefined, settings);
  const device = createSpeaker(mode);
  device.join(bench.gateway);
  for (const message of messages(device)) bench.gateway.receive(device.seal(message), device.origin);
  bench.settle();
  const frames = bench.stored.map(({ row }): FedMessage => {
    const { countersignature, plaintext } = decodeRecord(row.record);
    return { received: row.received, message: row.message, countersignature, plaintext };
  });
  const proofOf = (frame: FedMessage, verifier = webCrypto, known: ReadonlyMap<string, Uint8Array> = gateways) =>
    prove(unseal(frame), device.signer.publicKey, known, verifier);
  return { device, frames, proofOf };
}

const births = (device: ReturnType<typeof createSpeaker>): Message[] => [device.birth(), presence, device.data(1)];

describe.each([
  [S, "SSS"],
  [M, "MMM"],
  [ES, "SSS"],
  [E, "MME"],
] as const)("mode $name", (mode, kept) => {
  test.each([webCrypto, tweetnacl])("is proven by who signed, to $by", async (verifier) => {
    const { device, frames, proofOf } = fed(mode, births);
    const proofs = await Promise.all(frames.map((frame) => proofOf(frame, verifier)));
    const signed = (one: string): Proof =>
      one === "S" ? { mode: "S", by: "device", gateway: null } : { mode: one as "M", by: "gateway", gateway };
    expect(proofs).toEqual([...kept].map(signed));
    expect(frames.map((frame) => unseal(frame).payload)).toEqual(births(device).map(encodeMessage));
  });

  test("no byte of it can be another, of what proves it and of what is read", async () => {
    const { device, frames, proofOf } = fed(mode, births);
    const kid = kidText(device.kid);
    const frame = fc.constantFrom(...frames);
    const part = fc.constantFrom("message", "plaintext", "signature", "kid");
    await fc.assert(
      fc.asyncProperty(frame, part, fc.nat(), fc.integer({ min: 1, max: 255 }), async (one, where, place, flip) => {
        const alter = (bytes: Uint8Array) => bytes.map((byte, i) => (i === place % bytes.length ? byte ^ flip : byte));
        const { message, plaintext, countersignature } = one;
        const other = {
          ...one,
          ...(where === "message" && { message: alter(message) }),
          ...(where === "plaintext" && { plaintext: plaintext && alter(plaintext) }),
          countersignature: countersignature && {
            ...countersignature,
            ...(where === "signature" && { signature: alter(countersignature.signature) }),
            ...(where === "kid" && { protectedBytes: alter(countersignature.protectedBytes) }),
          },
        };
        const same =
          where !== "message" && (countersignature === null || (where === "plaintext" && plaintext === null));
        let proof: Proof | null = null;
        try {
          if (unseal(other).kid === kid) proof = await proofOf(other);
        } catch {}
        expect(proof !== null).toBe(same);
      }),
    );
  });
});

test("a countersignature of another gateway, or none, proves nothing: it is drawn as unchecked, and never as proven", async () => {
  for (const mode of [M, E]) {
    const { frames, proofOf } = fed(mode, births);
    const alone = fed(mode, births, { countersign: false });
    for (const frame of frames) {
      expect(await proofOf(frame, webCrypto, new Map())).toMatchObject({ by: "nobody", gateway: null });
      // Another key under the gateway's name.
      const other = new Map([[gateway, createTestDevice("other").signer.publicKey]]);
      expect(await proofOf(frame, webCrypto, other)).toBe(null);
    }
    for (const frame of alone.frames) expect(await alone.proofOf(frame)).toMatchObject({ by: "nobody" });
  }
  const { frames } = fed(E, births);
  expect(() => unseal({ ...frames[2], plaintext: null })).toThrow(/without its plaintext/);
});

test.each([webCrypto, tweetnacl])(
  "the same signature with S + L is refused by $by, under a MAC too",
  async (verifier) => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    for (const mode of [S, M]) {
      const { device, frames } = fed(mode, births);
      const { bytes, signature } = unseal(frames[0]).signed!;
      const publicKey = mode === S ? device.signer.publicKey : gatewayKey.publicKey;
      expect(await verifier.verify(publicKey, { bytes, signature })).toBe(true);
      const longer = Uint8Array.from(signature);
      let s = order;
      for (let i = 31; i >= 0; i--) s += BigInt(longer[32 + i]) << BigInt(8 * i);
      for (let i = 0; i < 32; i++) longer[32 + i] = Number((s >> BigInt(8 * i)) & 255n);
      expect(await verifier.verify(publicKey, { bytes, signature: longer })).toBe(false);
    }
  },
);

describe("manifests", () => {
  const speaker = createSpeaker(M);
  const byMac: Proof = { mode: "M", by: "gateway", gateway };
  const byDevice: Proof = { mode: "S", by: "device", gateway: null };
  const [birth, one, two] = [speaker.birth(), speaker.data(1), speaker.data(2)];
  const setUp = () => {
    const board = new Board(kidText(speaker.kid), speaker.signer.publicKey, "TEST-ONLY");
    const take = (message: Message, proof = byMac) =>
      board.take(message, encodeMessage(message), proof, { at: 0, live: true });
    return { board, take, evidence: board.evidence };
  };

  test("what one lists that the device signed is device-signed, whichever of them came first; nothing else is", () => {
    const { board, take, evidence } = setUp();
    for (const message of [birth, presence, one]) take(message);
    expect(evidence.counts).toEqual({ signed: 0, listed: 0, countersigned: 3, unchecked: 0 });
    take(manifestOf(3, [birth, one, two]), byDevice);
    expect(evidence.counts).toEqual({ signed: 1, listed: 2, countersigned: 1, unchecked: 0 });
    expect(take(two, { ...byMac, by: "nobody", gateway: null }).spans).toHaveLength(1);
    take(speaker.data(4));
    expect(evidence.counts).toEqual({ signed: 1, listed: 3, countersigned: 2, unchecked: 0 });
    expect([evidence.lowest, evidence.mode, ...evidence.gateways]).toEqual([2, "M", gateway]);
    expect(board.failed).toBe(0);
    // What comes again is known already.
    for (const message of [birth, one, two]) take(message);
    expect(evidence.counts.listed).toBe(3);
  });

  test("under a MAC one raises nothing and accuses nobody", () => {
    const { board, take, evidence } = setUp();
    for (const message of [birth, one]) take(message);
    take(manifestOf(3, [birth, speaker.data(1, [9])]));
    expect(evidence.counts).toEqual({ signed: 0, listed: 0, countersigned: 3, unchecked: 0 });
    expect([board.failed, evidence.contradicted.size]).toEqual([0, 0]);
  });

  test("one that lists another payload than is drawn raises nothing and is told; what comes with another is not drawn", () => {
    const { board, take, evidence } = setUp();
    for (const message of [birth, one]) take(message);
    take(manifestOf(3, [birth, speaker.data(1, [9]), two]), byDevice);
    expect(evidence.counts).toEqual({ signed: 1, listed: 0, countersigned: 2, unchecked: 0 });
    expect([...evidence.contradicted]).toEqual(["1 1"]);
    take(manifestOf(4, [two]), byDevice);
    expect(take(speaker.data(2, [9])).spans).toEqual([]);
    expect([...board.failures]).toEqual([["another payload", 1]]);
    // The true one comes after it.
    expect(take(two).spans).toHaveLength(1);
    expect(evidence.counts.listed).toBe(1);
  });

  test("what is remembered is bounded: the oldest is forgotten, and stays at the level that it had", () => {
    const { take, evidence } = setUp();
    const messages = Array.from({ length: 4200 }, (_, i) => speaker.data(i + 1, [1]));
    for (const message of [birth, ...messages]) take(message);
    take(manifestOf(4201, messages.slice(-240)), byDevice);
    take(manifestOf(4202, [birth, ...messages.slice(0, 59)]), byDevice);
    expect(evidence.counts).toEqual({ signed: 2, listed: 240, countersigned: 3961, unchecked: 0 });
  });
});
