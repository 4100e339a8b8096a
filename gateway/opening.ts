/** Steps 1 to 3 and 5 of PROTOCOL.md section 8, for all three modes: from the bytes received to a payload that is proven. */
import { birthKey, bootKey, type KeyLabel } from "../protocol/boot-keys.ts";
import { type Aead, type Crypto, decodeEnvelope, type Envelope, verify1 } from "../protocol/cose.ts";
import { decodeEncrypt0, type Encrypt0, type OpenedEncrypt0, openEncrypt0 } from "../protocol/encrypt0.ts";
import { modeOf } from "../protocol/header.ts";
import { kidText } from "../protocol/keys.ts";
import { decodeMac0, type Mac0, macLabelOf, verifyMac0 } from "../protocol/mac0.ts";
import { isDownlink, peekPayload } from "../protocol/peek.ts";
import { refuse } from "../protocol/refusal.ts";

/** A message taken apart, nothing of it proven yet. */
export type Sealed =
  | { readonly mode: "S"; readonly kid: Uint8Array; readonly envelope: Envelope }
  | { readonly mode: "M"; readonly kid: Uint8Array; readonly mac0: Mac0 }
  | { readonly mode: "E"; readonly kid: Uint8Array; readonly encrypt0: Encrypt0 };

/** A message whose signature or tag holds. */
export interface Opened {
  readonly payload: Uint8Array;
  /** What is kept of it: the bytes received; of mode E around S, the S message inside. */
  readonly message: Uint8Array;
  readonly seal: "sign" | "mac";
  readonly encrypted: boolean;
  /** What a gateway may countersign; null: the device signed. */
  readonly target: Mac0 | Encrypt0 | null;
}

/** What proves a device's messages: its enrolment record, and what a birth has told of the boot. */
export interface Prover {
  readonly publicKey: Uint8Array;
  /** null: mode S alone is allowed. */
  readonly psk: Uint8Array | null;
  /** Whether E is allowed. What an encrypting device says in the clear is the caller's to refuse, by its type. */
  readonly encrypts: boolean;
  /** bn of a boot whose birth is here; undefined: it is not. */
  bootNonce(boot: number): Uint8Array | undefined;
  /** Keys of this boot that were derived before; undefined: nothing is kept of this boot. */
  keysOf(boot: number): Map<string, Uint8Array> | undefined;
}

/** Steps 1 to 3: size, strict envelope, exact headers of whichever mode. Throws Refusal "size", "cbor", "header". */
export function decodeSealed(bytes: Uint8Array): Sealed {
  const mode = modeOf(bytes);
  if (mode === "M") {
    const mac0 = decodeMac0(bytes);
    return { mode, kid: mac0.kid, mac0 };
  }
  if (mode === "E") {
    const encrypt0 = decodeEncrypt0(bytes);
    return { mode, kid: encrypt0.kid, encrypt0 };
  }
  const envelope = decodeEnvelope(bytes);
  return { mode, kid: envelope.kid, envelope };
}

/**
 * Step 5, over the exact bytes received. Throws Refusal "header" where the enrolment record does not allow the mode,
 * "signature" where nothing proves the message, and what `openEncrypt0` throws of what is authentic and wrong.
 */
export function openSealed(sealed: Sealed, bytes: Uint8Array, prover: Prover, crypto: Crypto, aead: Aead): Opened {
  const kid = kidText(sealed.kid);
  if (sealed.mode === "S") {
    checkSignature(sealed.envelope, prover, crypto);
    return { payload: sealed.envelope.payload, message: bytes, seal: "sign", encrypted: false, target: null };
  }
  const { psk } = prover;
  if (psk === null) {
    throw refuse("header", `kid ${kid}: mode ${sealed.mode}, but no pre-shared key is here: only S is allowed`);
  }
  if (sealed.mode === "E" && !prover.encrypts) {
    throw refuse("header", `kid ${kid}: mode E, but it is not enrolled as one that encrypts: enrol it with --encrypt`);
  }
  const derive = (boot: number, label: KeyLabel | "birth"): Uint8Array => {
    const kept = prover.keysOf(boot);
    const known = kept?.get(label);
    if (known !== undefined) return known;
    const secret = { psk, kid: sealed.kid, boot };
    const bn = label === "birth" ? null : prover.bootNonce(boot);
    if (bn === undefined) {
      throw refuse(
        "signature",
        `kid ${kid}: the birth of boot ${boot} is not here, and without it no key: send it first`,
      );
    }
    const key = bn === null ? birthKey(secret, crypto) : bootKey(label as KeyLabel, secret, bn, crypto);
    kept?.set(label, key);
    return key;
  };
  if (sealed.mode === "M") {
    const { mac0 } = sealed;
    const { type, boot } = peekPayload(mac0.payload);
    if (isDownlink(type)) {
      throw refuse("signature", `kid ${kid}: a gateway's message (type ${type}) has no key on the way to a gateway`);
    }
    if (!verifyMac0(mac0, derive(boot, macLabelOf(type)), crypto)) {
      throw refuse("signature", `kid ${kid}: the MAC does not hold over these bytes`);
    }
    return { payload: mac0.payload, message: bytes, seal: "mac", encrypted: false, target: mac0 };
  }
  const { encrypt0 } = sealed;
  const keys = { key: derive(encrypt0.boot, "d2g enc"), iv: derive(encrypt0.boot, "d2g iv") };
  const opened: OpenedEncrypt0 | null = openEncrypt0(encrypt0, keys, aead);
  if (opened === null) throw refuse("signature", `kid ${kid}: the tag of the ciphertext does not hold`);
  const { signed, payload, plaintext } = opened;
  if (signed === null) return { payload, message: bytes, seal: "mac", encrypted: true, target: encrypt0 };
  checkSignature(signed, prover, crypto);
  return { payload, message: plaintext, seal: "sign", encrypted: true, target: null };
}

function checkSignature(envelope: Envelope, { publicKey }: Prover, crypto: Crypto): void {
  if (verify1(envelope, publicKey, crypto)) return;
  throw refuse("signature", `kid ${kidText(envelope.kid)}: the signature does not hold over these bytes`);
}
