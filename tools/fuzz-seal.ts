/**
 * Seals payloads for the fuzzer in every mode. Unlike the protocol's own sealing it asks nothing of what it seals: a mutated
 * payload has to arrive under a tag that holds.
 */
import { birthKey, bootKey, type KeyLabel } from "../protocol/boot-keys.ts";
import { encode, map } from "../protocol/cbor.ts";
import { type Aead, type Crypto, type Signer, sign1 } from "../protocol/cose.ts";
import { ALG_AES_CCM_16_64_128 } from "../protocol/encrypt0.ts";
import { protectedHeader, sealed, TAG_ENCRYPT0 } from "../protocol/header.ts";
import { mac0, macLabelOf } from "../protocol/mac0.ts";
import { identityOf, peekPayload } from "../protocol/peek.ts";
import type { Dice } from "./fuzz-random.ts";

/** sign, mac, encrypted around a signed message, encrypted around a bare payload. */
export type Form = "S" | "M" | "ES" | "EM";

const FORMS: readonly Form[] = ["S", "S", "S", "M", "M", "ES", "EM"];

export const pickForm = (dice: Dice): Form => dice.pick(FORMS);

export type Keyring = (boot: number, label: KeyLabel | "birth") => Uint8Array;

export interface Sealing {
  readonly signer: Signer;
  /** The device's, or a guess of it. */
  readonly psk: Uint8Array;
  /** Names the keys: the device's, or in a stranger's hand the one it pretends to be. */
  readonly kid: Uint8Array;
  /** bn of the only boot that has one. */
  readonly bn: Uint8Array;
  readonly crypto: Crypto;
  readonly aead: Aead;
  /** By createKeyring of all the above. */
  readonly keys: Keyring;
}

/** Boots whose keys are kept; a mutated payload may name any. */
const BOOTS_HELD = 64;

/** Keys by boot and label, derived once. */
export function createKeyring({ psk, kid, bn, crypto }: Omit<Sealing, "keys" | "signer" | "aead">): Keyring {
  const known = new Map<string, Uint8Array>();
  return (boot, label) => {
    const name = `${boot} ${label}`;
    const held = known.get(name);
    if (held !== undefined) return held;
    if (known.size > BOOTS_HELD) known.clear();
    const secret = { psk, kid, boot };
    const key = label === "birth" ? birthKey(secret, crypto) : bootKey(label, secret, bn, crypto);
    known.set(name, key);
    return key;
  };
}

/** What a payload claims to be, where it claims anything: its type, boot and number. */
function claimsOf(payload: Uint8Array): { type: number; boot: number; number: number } {
  let type = 1;
  let boot = 1;
  try {
    ({ type, boot } = peekPayload(payload));
    return { type, boot, number: identityOf(payload).number };
  } catch {
    return { type, boot, number: 0 };
  }
}

export interface Authentic {
  readonly form: Form;
  readonly message: Uint8Array;
  /** What a gateway keeps of it: of E around S the S message inside. */
  readonly kept: Uint8Array;
  readonly payload: Uint8Array;
}

/** Throws Refusal "size". */
export function sealAs(form: Form, payload: Uint8Array, sealing: Sealing): Authentic {
  const { signer, kid, crypto, aead, keys } = sealing;
  if (form === "S") {
    const message = sign1(payload, signer);
    return { form, message, kept: message, payload };
  }
  const { type, boot, number } = claimsOf(payload);
  // Nothing cannot be encrypted.
  if (form === "M" || (form === "EM" && payload.length === 0)) {
    const message = mac0(payload, kid, keys(boot, macLabelOf(type)), crypto);
    return { form, message, kept: message, payload };
  }
  const plaintext = form === "ES" ? sign1(payload, signer) : payload;
  const protectedBytes = protectedHeader(ALG_AES_CCM_16_64_128, kid);
  const partialIv = Buffer.alloc(8);
  partialIv.writeUInt32BE(boot, 0);
  partialIv.writeUInt32BE(number, 4);
  const nonce = Buffer.from(keys(boot, "d2g iv"));
  for (let i = 0; i < 8; i++) nonce[5 + i]! ^= partialIv[i]!;
  const aad = encode(["Encrypt0", protectedBytes, new Uint8Array(0)]);
  const ciphertext = aead.seal(keys(boot, "d2g enc"), nonce, aad, plaintext);
  const message = sealed(TAG_ENCRYPT0, [protectedBytes, map([[6, new Uint8Array(partialIv)]]), ciphertext]);
  return { form, message, kept: form === "ES" ? plaintext : message, payload };
}
