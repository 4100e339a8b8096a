import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSealer, type SealerOptions } from "../../firmware/sealer.ts";
import { birthKey, bootKey } from "../../protocol/boot-keys.ts";
import { decodeEnvelope, type Signer, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, encrypt0, openEncrypt0 } from "../../protocol/encrypt0.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { decodeMac0, mac0, verifyMac0 } from "../../protocol/mac0.ts";
import { decodeMessage, encodeMessage, type Message } from "../../protocol/messages.ts";
import { everyFlip, modes as vectors } from "../protocol/modes.ts";
import { message as anyMessage, bytes, device, gateway, testSigner } from "../protocol/support.ts";

const psk = fromHex(vectors.secret.psk);
const bn = fromHex(vectors.secret.bn);
const boot = 17;
const secret = { psk, kid: device.kid, boot };
const keysOf = (direction: "d2g" | "g2d", of = secret) => ({
  key: bootKey(`${direction} enc`, of, bn, nodeCrypto),
  iv: bootKey(`${direction} iv`, of, bn, nodeCrypto),
});
const sealer = (changes: Partial<SealerOptions> = {}) =>
  createSealer({
    mode: "sign",
    encrypt: false,
    signer: device,
    kid: device.kid,
    psk,
    boot,
    bn,
    gateways: [gateway],
    crypto: nodeCrypto,
    aead: nodeAead,
    ...changes,
  });
const all = {
  S: sealer(),
  M: sealer({ mode: "mac" }),
  "E(S)": sealer({ encrypt: true }),
  "E(M)": sealer({ mode: "mac", encrypt: true }),
};

const birth: Message = {
  type: "birth",
  boot,
  seq: 0,
  tick: 1,
  cfg: 1,
  claims: { ueid: new Uint8Array(17).fill(1), bootcount: boot, bootseed: bn, swname: "x", swversion: ["1"] },
  channels: [
    { id: 0, mdc: 131328, rateMilliHz: 1000, bits: 8, offset: 0, mul: 1, exp10: 0, ucum: "uV", attributes: {} },
  ],
  prev: null,
  hint: null,
};
const presence: Message = { type: "presence", boot, connection: 1, state: 1 };
const event: Message = { type: "event", boot, seq: 3, tick: 5, code: 7, small: [1, 2, "text"] };
const manifest: Message = {
  type: "manifest",
  boot,
  seq: 4,
  tick: 6,
  ofBoot: boot,
  first: 0,
  hashes: new Uint8Array(64),
};
const command = (n: number, to = device.kid, of = boot): Message => ({
  type: "command",
  kid: to,
  boot: of,
  n,
  expires: 1000,
  op: 7,
  parameters: [],
});
/** What a gateway sends, in each form, as this device's keys make it. */
const answers = (message: Message, by: Signer = gateway, of = secret) => {
  const payload = encodeMessage(message);
  return {
    S: sign1(payload, by),
    M: mac0(payload, device.kid, bootKey("g2d mac", of, bn, nodeCrypto), nodeCrypto),
    "E(S)": encrypt0(sign1(payload, by), device.kid, keysOf("g2d", of), nodeAead),
    "E(M)": encrypt0(payload, device.kid, keysOf("g2d", of), nodeAead),
  };
};

describe("what a board seals", () => {
  const insideE = (message: Uint8Array) => openEncrypt0(decodeEncrypt0(message), keysOf("d2g"), nodeAead)!;

  test("births and presences are signed in S, and MACed without bn in M, and never in E", () => {
    for (const message of [birth, presence]) {
      const payload = toHex(encodeMessage(message));
      for (const mode of ["S", "E(S)"] as const) {
        const envelope = decodeEnvelope(all[mode].seal(message));
        expect(verify1(envelope, device.publicKey, nodeCrypto)).toBe(true);
        expect(toHex(envelope.payload)).toBe(payload);
      }
      for (const mode of ["M", "E(M)"] as const) {
        const opened = decodeMac0(all[mode].seal(message));
        expect(verifyMac0(opened, birthKey(secret, nodeCrypto), nodeCrypto)).toBe(true);
        expect(toHex(opened.payload)).toBe(payload);
      }
    }
  });

  test("an event is an S message, a MAC, an S message in E, or bare in E", () => {
    const payload = toHex(encodeMessage(event));
    expect(toHex(all.S.seal(event))).toBe(toHex(sign1(encodeMessage(event), device)));
    const mac = decodeMac0(all.M.seal(event));
    expect(verifyMac0(mac, bootKey("d2g mac", secret, bn, nodeCrypto), nodeCrypto)).toBe(true);
    const signed = insideE(all["E(S)"].seal(event));
    expect(verify1(signed.signed!, device.publicKey, nodeCrypto)).toBe(true);
    const bare = insideE(all["E(M)"].seal(event));
    expect(bare.signed).toBeNull();
    for (const one of [mac.payload, signed.payload, bare.payload]) expect(toHex(one)).toBe(payload);
  });

  test("a manifest is signed in every mode, and inside E where the board encrypts", () => {
    for (const mode of ["S", "M"] as const)
      expect(verify1(decodeEnvelope(all[mode].seal(manifest)), device.publicKey, nodeCrypto)).toBe(true);
    for (const mode of ["E(S)", "E(M)"] as const)
      expect(verify1(insideE(all[mode].seal(manifest)).signed!, device.publicKey, nodeCrypto)).toBe(true);
  });

  test("costs 86, 29 and 38 bytes over a payload of 256 bytes and more; with what is encoded already the same bytes", () => {
    const long: Message = { ...manifest, hashes: new Uint8Array(16 * 20) };
    const large: Message = { ...event, small: Array.from({ length: 5 }, () => new Uint8Array(64)) };
    const payload = encodeMessage(large).length;
    const over = (mode: keyof typeof all) => all[mode].seal(large).length - payload;
    expect([over("S"), over("M"), over("E(S)"), over("E(M)")]).toEqual([86, 29, 86 + 38, 38]);
    expect(all.M.seal(long).length - encodeMessage(long).length).toBe(86);
    for (const one of Object.values(all)) expect(one.seal(large, encodeMessage(large))).toEqual(one.seal(large));
  });

  test("keys that are not there are an error at once, never a lesser seal", () => {
    expect(() => sealer({ signer: null })).toThrow(/mode sign without a signing key/);
    expect(() => sealer({ mode: "mac", psk: null })).toThrow(/mode mac without a pre-shared key/);
    expect(() => sealer({ encrypt: true, psk: null })).toThrow(/encryption without a pre-shared key/);
    expect(() => sealer({ encrypt: true, aead: null })).toThrow(/encryption without AES-CCM/);
    expect(() => sealer({ signer: gateway })).toThrow(/the signer's kid is not the device's/);
    expect(() => sealer({ mode: "mac", psk: psk.subarray(1) })).toThrow(/pre-shared key of 31 bytes/);
    const unsigned = sealer({ mode: "mac", signer: null });
    expect(unsigned.seal(event)).toEqual(all.M.seal(event));
    expect(() => unsigned.seal(manifest)).toThrow(/a manifest is signed, and this board has no signing key/);
  });
});

describe("what a board opens", () => {
  /** Which of the four forms each board takes, with whom it takes for the sender. */
  const taken = (message: Uint8Array) =>
    Object.fromEntries(Object.entries(all).map(([mode, one]) => [mode, one.open(message)]));
  const byDevice = { gateway: device.kid };
  const byGateway = { gateway: gateway.kid };

  test("a signature by an enrolled gateway, a MAC where the board seals by mac, and E alone where it encrypts", () => {
    const sent = answers(command(1));
    const payload = encodeMessage(command(1));
    expect(taken(sent.S)).toEqual({
      S: { payload, ...byGateway },
      M: { payload, ...byGateway },
      "E(S)": null,
      "E(M)": null,
    });
    expect(taken(sent.M)).toEqual({ S: null, M: { payload, ...byDevice }, "E(S)": null, "E(M)": null });
    expect(taken(sent["E(S)"])).toEqual({
      S: null,
      M: null,
      "E(S)": { payload, ...byGateway },
      "E(M)": { payload, ...byGateway },
    });
    // a pre-shared key alone commands no board that signs
    expect(taken(sent["E(M)"])).toEqual({ S: null, M: null, "E(S)": null, "E(M)": { payload, ...byDevice } });
  });

  test("nothing of a stranger, under the keys of another boot or device, and nothing that a device sends", () => {
    const stranger = testSigner("TEST-ONLY stranger");
    const foreign = [
      ...Object.values(answers(command(1), stranger)).filter((_, i) => i === 0 || i === 2),
      ...Object.values(answers(command(1, device.kid, 18), stranger, { ...secret, boot: 18 })),
      ...Object.values(answers(command(1), stranger, { ...secret, psk: new Uint8Array(32) })),
      // reflections: the board's own messages, in every mode
      ...[birth, presence, event, manifest].flatMap((message) => Object.values(all).map((one) => one.seal(message))),
      // of the gateway's keys, but of a device's type
      mac0(encodeMessage(event), device.kid, bootKey("g2d mac", secret, bn, nodeCrypto), nodeCrypto),
      encrypt0(encodeMessage(event), device.kid, keysOf("g2d"), nodeAead),
      mac0(encodeMessage(command(1, gateway.kid)), gateway.kid, bootKey("g2d mac", secret, bn, nodeCrypto), nodeCrypto),
    ];
    for (const message of foreign)
      expect(taken(message), toHex(message)).toEqual({ S: null, M: null, "E(S)": null, "E(M)": null });
  });

  test("every byte of every form, flipped in any way, is refused", () => {
    for (const [form, message] of Object.entries(answers(command(5))))
      for (const one of [all.S, all.M, all["E(S)"], all["E(M)"]])
        everyFlip(message, (flipped, what) => expect(one.open(flipped), `${form}, ${what}`).toBeNull());
  });

  test("a gateway that is enrolled while the board runs is believed from then on", () => {
    const gateways: SealerOptions["gateways"][number][] = [];
    const one = sealer({ gateways });
    expect(one.open(answers(command(1)).S)).toBeNull();
    gateways.push(gateway);
    expect(one.open(answers(command(1)).S)).not.toBeNull();
  });

  test("a gateway's key that is none throws nothing: who it names is not believed", () => {
    const one = sealer({ gateways: [{ kid: gateway.kid, publicKey: new Uint8Array(5) }] });
    expect(one.open(answers(command(1)).S)).toBeNull();
  });

  test("no bytes throw, and no message of any content is taken unless a key has proven it", () => {
    fc.assert(
      fc.property(bytes(0, 200), (garbage) => {
        for (const one of Object.values(all)) expect(one.open(garbage)).toBeNull();
      }),
    );
    fc.assert(
      fc.property(anyMessage, (message) => {
        const down = message.type === "command" || message.type === "ack" || message.type === "time";
        const bare = mac0(encodeMessage(message), device.kid, bootKey("g2d mac", secret, bn, nodeCrypto), nodeCrypto);
        const opened = all.M.open(bare);
        expect(opened !== null).toBe(down && message.boot === boot);
        if (opened !== null) expect(decodeMessage(opened.payload)).toEqual(decodeMessage(encodeMessage(message)));
      }),
    );
  });
});
