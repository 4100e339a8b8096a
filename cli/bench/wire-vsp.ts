/** The packet as this project sends it. */
import { MANIFEST_MESSAGES } from "../../firmware/manifests.ts";
import { bootKey, type KeyLabel } from "../../protocol/boot-keys.ts";
import { type Envelope, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, encrypt0, openEncrypt0 } from "../../protocol/encrypt0.ts";
import { decodeLine, encodeLine } from "../../protocol/frame.ts";
import {
  type DataMessage,
  decodeEnvelope,
  decodeMessage,
  decodeSamples,
  encodeMessage,
  encodeSamples,
} from "../../protocol/index.ts";
import { type Mac0, mac0, verifyMac0 } from "../../protocol/mac0.ts";
import { PAYLOAD_HASH_LENGTH } from "../../protocol/manifest.ts";
import type { Codec } from "../../protocol/samples.ts";
import { sha256, testOnlySigner } from "../../simulator/keys.ts";
import type { WirePacket } from "./wire-packets.ts";

export const signer = testOnlySigner("bench wire");
/** sqi not known, no flag: what a wave of a healthy sensor says. */
const QUALITY = 127;

export function payloadOf(packet: WirePacket, codec: Codec): Uint8Array {
  const {
    temperature: { id, dt, value },
  } = packet;
  const message: DataMessage = {
    type: "data",
    boot: packet.boot,
    seq: packet.seq,
    tick: packet.tick,
    cfg: packet.cfg,
    channels: [
      ...packet.waves.map(({ id, idx, dt, samples }) => ({
        kind: "wave" as const,
        id,
        seg: 0,
        idx,
        dt,
        codec,
        n: samples.length,
        bytes: encodeSamples(codec, samples, 0, samples.length),
        qual: QUALITY,
      })),
      { kind: "num", id, dt, value, qual: null },
    ],
  };
  return encodeMessage(message);
}

/** COSE_Sign1. */
export const seal = (payload: Uint8Array): Uint8Array => sign1(payload, signer);

const secret = { psk: sha256("TEST-ONLY vitalwire bench wire psk"), kid: signer.kid };
const bn = sha256("TEST-ONLY vitalwire bench wire bn").subarray(0, 16);

const keyOf = (label: KeyLabel, boot: number) => bootKey(label, { ...secret, boot }, bn, nodeCrypto);
/** The key that a board's data are MACed with. */
export const macKey = (boot: number): Uint8Array => keyOf("d2g mac", boot);

/** COSE_Mac0. */
export const authenticate = (payload: Uint8Array, key: Uint8Array): Uint8Array =>
  mac0(payload, signer.kid, key, nodeCrypto);

/** Whether the MAC holds. */
export const isAuthentic = (message: Mac0, key: Uint8Array): boolean => verifyMac0(message, key, nodeCrypto);

/** COSE_Encrypt0 around a signed message or a payload. Throws Error where it does not come back as it was. */
export function encrypt(plaintext: Uint8Array, payload: Uint8Array, boot: number): Uint8Array {
  const keys = { key: keyOf("d2g enc", boot), iv: keyOf("d2g iv", boot) };
  const message = encrypt0(plaintext, signer.kid, keys, nodeAead);
  const opened = openEncrypt0(decodeEncrypt0(message), keys, nodeAead);
  if (opened === null || Buffer.compare(opened.payload, payload) !== 0)
    throw new Error("bench wire: the encrypted packet came back changed");
  return message;
}

/** Bytes of a signed manifest over as many messages as one covers at most. */
export function manifestLength({ boot, seq, tick }: WirePacket): number {
  const hashes = new Uint8Array(PAYLOAD_HASH_LENGTH * MANIFEST_MESSAGES);
  const first = seq - MANIFEST_MESSAGES;
  return seal(encodeMessage({ type: "manifest", boot, seq, tick, ofBoot: boot, first, hashes })).length;
}

/** A receiver's decoding, strict: envelope, payload, samples. `check` stands between the first two. Throws Refusal. */
export function open(
  bytes: Uint8Array,
  check?: (envelope: Envelope) => void,
): { message: DataMessage; samples: Int32Array[] } {
  const envelope = decodeEnvelope(bytes);
  check?.(envelope);
  const message = decodeMessage(envelope.payload);
  if (message.type !== "data") throw new Error(`a ${message.type} came back`);
  const samples: Int32Array[] = [];
  for (const block of message.channels) {
    if (block.kind === "wave") samples.push(decodeSamples(block.codec, block.bytes, block.n));
  }
  return { message, samples };
}

/** Whether the signature holds. */
export const isSigned = (envelope: Envelope): boolean => verify1(envelope, signer.publicKey, nodeCrypto);

/** The values of a sealed message whose signature holds. */
export function valuesOf(bytes: Uint8Array): number[][] {
  const { message, samples } = open(bytes, (envelope) => {
    if (!isSigned(envelope)) throw new Error("the signature does not hold");
  });
  const last = message.channels.at(-1);
  return [...samples.map((one) => [...one]), [last?.kind === "num" ? last.value! : Number.NaN]];
}

export const lineOf = (message: Uint8Array): string => encodeLine(message);

/** Throws Error for a line that is no packet. */
export function unlined(line: string): Uint8Array {
  const message = decodeLine(line);
  if (message === null) throw new Error("the line holds no message");
  return message;
}
