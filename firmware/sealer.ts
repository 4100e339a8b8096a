/**
 * How a board seals what it sends, and opens what it is sent (PROTOCOL.md sections 1 and 3): mode "sign" (S) or "mac" (M),
 * and E around either where it encrypts. One place decides, so that no message can leave in another mode.
 */
import { birthKey, bootKey } from "../protocol/boot-keys.ts";
import { equalBytes } from "../protocol/constant-time.ts";
import {
  type Aead,
  type Crypto,
  decodeEnvelope,
  type Envelope,
  type Signer,
  sign1,
  verify1,
} from "../protocol/cose.ts";
import { decodeEncrypt0, type EncryptionKeys, encrypt0, openEncrypt0 } from "../protocol/encrypt0.ts";
import { modeOf } from "../protocol/header.ts";
import { decodeMac0, mac0, verifyMac0 } from "../protocol/mac0.ts";
import { encodeMessage, type Message } from "../protocol/messages.ts";
import { isDownlink, peekPayload } from "../protocol/peek.ts";

/** A gateway whose signature this board believes. */
export interface GatewayKey {
  readonly kid: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What a board is set to, for its whole life: another mode is another enrolment. */
export interface SealSettings {
  /** "sign": COSE_Sign1 by the board's own key. "mac": COSE_Mac0 under a key of the boot, and manifests where it can sign. */
  readonly mode: "sign" | "mac";
  /** COSE_Encrypt0 around all but births and presences. */
  readonly encrypt: boolean;
  /** Pre-shared key, 32 bytes: for "mac" and for `encrypt`. */
  readonly psk: Uint8Array | null;
  /** AES-CCM-16-64-128: for `encrypt`. */
  readonly aead: Aead | null;
}

export interface SealerOptions extends SealSettings {
  /** For "sign", and for the manifests of "mac"; null: it cannot sign. */
  readonly signer: Signer | null;
  /** The device's, 8 bytes. */
  readonly kid: Uint8Array;
  readonly boot: number;
  /** bn, 16 bytes, as the births of this boot tell it. */
  readonly bn: Uint8Array;
  /** May grow while it runs. */
  readonly gateways: readonly GatewayKey[];
  readonly crypto: Crypto;
}

/** A message of a gateway, proven; its payload is not decoded yet. */
export interface OpenedDownlink {
  readonly payload: Uint8Array;
  /** kid of who sealed it: the gateway's of a signature; in M the device's own, which names the PSK. */
  readonly gateway: Uint8Array;
}

export interface Sealer {
  /**
   * Seals once; `payload`: the message encoded, where the caller has it already. Throws Refusal as encodeMessage, sign1, mac0
   * and encrypt0 do, Error for a manifest where there is no signer.
   */
  seal(message: Message, payload?: Uint8Array): Uint8Array;
  /**
   * What a gateway sent, once its signature, MAC or AEAD tag holds; null for everything else. An encrypting board takes E
   * alone; in "sign" a signature is asked for, in "mac" a MAC (or bare E), or the signature of an enrolled gateway. Throws for
   * nothing that a message contains.
   */
  open(bytes: Uint8Array): OpenedDownlink | null;
}

/** Throws Error where the settings ask for a key or a cipher that is not there: nothing may be sealed in a lesser way. */
export function createSealer(options: SealerOptions): Sealer {
  const mac = options.mode === "mac";
  const kid = options.kid;
  const signer = options.signer;
  const crypto = options.crypto;
  const aead = options.encrypt ? options.aead : null;
  if (!mac && signer === null) throw new Error("seal: mode sign without a signing key; enrol one, or seal by mac");
  if (signer !== null && !equalBytes(signer.kid, kid)) throw new Error("seal: the signer's kid is not the device's");
  if (options.psk === null && (mac || options.encrypt))
    throw new Error(`seal: ${mac ? "mode mac" : "encryption"} without a pre-shared key; enrol the board with one`);
  if (options.encrypt && aead === null)
    throw new Error("seal: encryption without AES-CCM on this board; do without it");
  const secret = options.psk === null ? null : { psk: options.psk, kid: kid, boot: options.boot };

  // the keys of this boot that this mode uses, and no others
  const keysOf = (direction: "d2g" | "g2d"): EncryptionKeys | null =>
    secret === null || aead === null
      ? null
      : {
          key: bootKey(direction === "d2g" ? "d2g enc" : "g2d enc", secret, options.bn, crypto),
          iv: bootKey(direction === "d2g" ? "d2g iv" : "g2d iv", secret, options.bn, crypto),
        };
  const births = secret !== null && mac ? birthKey(secret, crypto) : null;
  const upward = secret !== null && mac && aead === null ? bootKey("d2g mac", secret, options.bn, crypto) : null;
  const downward = secret !== null && mac && aead === null ? bootKey("g2d mac", secret, options.bn, crypto) : null;
  const sealKeys = keysOf("d2g");
  const openKeys = keysOf("g2d");

  const signed = (message: Message, payload: Uint8Array): Uint8Array => {
    if (signer === null) throw new Error(`seal: a ${message.type} is signed, and this board has no signing key`);
    return sign1(payload, signer);
  };
  const gatewayOf = (envelope: Envelope): OpenedDownlink | null => {
    for (let i = 0; i < options.gateways.length; i++) {
      if (!equalBytes(options.gateways[i].kid, envelope.kid)) continue;
      if (!verify1(envelope, options.gateways[i].publicKey, crypto)) return null;
      return { payload: envelope.payload, gateway: envelope.kid };
    }
    return null;
  };
  const openEncrypted = (bytes: Uint8Array, keys: EncryptionKeys, cipher: Aead): OpenedDownlink | null => {
    const message = decodeEncrypt0(bytes);
    if (!equalBytes(message.kid, kid) || message.boot !== options.boot) return null;
    const opened = openEncrypt0(message, keys, cipher);
    if (opened === null || !isDownlink(opened.identity.type)) return null;
    if (opened.signed !== null) return gatewayOf(opened.signed);
    return mac ? { payload: opened.payload, gateway: kid } : null;
  };
  const openMac = (bytes: Uint8Array, key: Uint8Array): OpenedDownlink | null => {
    const message = decodeMac0(bytes);
    if (!equalBytes(message.kid, kid)) return null;
    const found = peekPayload(message.payload);
    if (!isDownlink(found.type) || found.boot !== options.boot || !verifyMac0(message, key, crypto)) return null;
    return { payload: message.payload, gateway: kid };
  };
  const open = (bytes: Uint8Array): OpenedDownlink | null => {
    if (aead !== null) return openKeys === null ? null : openEncrypted(bytes, openKeys, aead);
    if (downward !== null && modeOf(bytes) === "M") return openMac(bytes, downward);
    return gatewayOf(decodeEnvelope(bytes));
  };

  return {
    seal(message, encoded) {
      const payload = encoded ?? encodeMessage(message);
      const first = message.type === "birth" || message.type === "presence";
      if (first) return births === null ? signed(message, payload) : mac0(payload, kid, births, crypto);
      if (upward !== null && message.type !== "manifest") return mac0(payload, kid, upward, crypto);
      const inner = mac && message.type !== "manifest" ? payload : signed(message, payload);
      return aead === null || sealKeys === null ? inner : encrypt0(inner, kid, sealKeys, aead);
    },
    open(bytes) {
      try {
        return open(bytes);
      } catch (_error) {
        // what cannot be decoded is no more than what cannot be verified
        return null;
      }
    },
  };
}
