/** Opens messages of all three modes for who looks on, with the keys that he has. */
import { type Crypto, decodeEnvelope, verify1 } from "../../protocol/cose.ts";
import { nodeAead } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { macLabelOf } from "../../protocol/mac0.ts";
import { decodeMessage, type Message } from "../../protocol/messages.ts";
import { peekPayload } from "../../protocol/peek.ts";
import { type Reason, refuse } from "../../protocol/refusal.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { decodeSealed, type Opened, openSealed, type Prover, type Sealed } from "../opening.ts";

export interface Keys {
  /** Ed25519 key of a device or gateway, 32 bytes. */
  publicKeyOf(kid: string): Uint8Array | undefined;
  /** Pre-shared key of a device, 32 bytes. Absent: none is here. */
  pskOf?(kid: string): Uint8Array | undefined;
}

/** What became of a message. */
export interface Opening {
  readonly kid: string;
  /** null: the device signed it, or its tag holds. Else why nobody can say here whether it does. */
  readonly unchecked: string | null;
  /** null: encrypted, and not to be opened here. */
  readonly message: Message | null;
  /** null: it cannot be told. */
  readonly seal: "sign" | "mac" | null;
  /** Boot and seq that an encrypted message claims where it is not opened. */
  readonly claim: { readonly boot: number; readonly seq: number } | null;
}

/** The message, its samples decoded too. Throws Refusal. */
export function readPayload(payload: Uint8Array): Message {
  const message = decodeMessage(payload);
  if (message.type === "data") {
    for (const channel of message.channels) {
      if (channel.kind === "wave") decodeSamples(channel.codec, channel.bytes, channel.n);
    }
  }
  return message;
}

/** Opens one message that is signed, with one key, by every verifier given. Throws Refusal. */
export function openMessage(
  bytes: Uint8Array,
  keyOf: (kid: string) => Uint8Array | undefined,
  verifiers: readonly Crypto[],
): { kid: string; message: Message } {
  const envelope = decodeEnvelope(bytes);
  const kid = kidText(envelope.kid);
  const publicKey = keyOf(kid);
  if (publicKey === undefined) throw refuse("kid", `kid ${kid} has no card: give --cards or --site`);
  for (const crypto of verifiers) {
    if (!verify1(envelope, publicKey, crypto)) throw refuse("signature", "the signature does not hold");
  }
  return { kid, message: readPayload(envelope.payload) };
}

/** Remembers the nonces of the boots whose births it has seen, without which modes M and E have no keys. */
export class Opener {
  private readonly keys: Keys;
  private readonly verifiers: readonly [Crypto, ...Crypto[]];
  private readonly nonces = new Map<string, Uint8Array>();
  private readonly derived = new Map<string, Map<string, Uint8Array>>();

  constructor(keys: Keys, verifiers: readonly [Crypto, ...Crypto[]]) {
    this.keys = keys;
    this.verifiers = verifiers;
  }

  /** Notes the nonce that a birth tells. */
  born(kid: string, message: Message): void {
    if (message.type === "birth") this.nonces.set(`${kid} ${message.boot}`, message.claims.bootseed);
  }

  /** Opens a message as it was received. Throws Refusal for what is not authentic, or no message of the protocol. */
  open(bytes: Uint8Array): Opening {
    const sealed = decodeSealed(bytes);
    const kid = kidText(sealed.kid);
    const publicKey = this.keys.publicKeyOf(kid);
    if (publicKey === undefined) throw refuse("kid", `kid ${kid} has no card: give --cards or --site`);
    const missing = this.lacks(kid, sealed);
    if (missing !== null) {
      if (sealed.mode === "M") {
        return { kid, unchecked: missing, message: readPayload(sealed.mac0.payload), seal: "mac", claim: null };
      }
      const claim = sealed.mode === "E" ? { boot: sealed.encrypt0.boot, seq: sealed.encrypt0.number } : null;
      return { kid, unchecked: missing, message: null, seal: null, claim };
    }
    const { payload, seal } = this.prove(sealed, bytes, publicKey);
    const message = readPayload(payload);
    this.born(kid, message);
    return { kid, unchecked: null, message, seal, claim: null };
  }

  /** Whether the tag of a message in mode M or E holds, around this payload; null: no key is here, or no birth. */
  holds(bytes: Uint8Array, payload: Uint8Array): boolean | null {
    const sealed = decodeSealed(bytes);
    if (this.lacks(kidText(sealed.kid), sealed) !== null) return null;
    try {
      return Buffer.compare(this.prove(sealed, bytes, new Uint8Array(32)).payload, payload) === 0;
    } catch (error) {
      if ((error as { reason?: Reason }).reason === undefined) throw error;
      return false;
    }
  }

  /** What is not here to open it; null: nothing. Throws Refusal "signature" for a payload that chooses no key. */
  private lacks(kid: string, sealed: Sealed): string | null {
    if (sealed.mode === "S") return null;
    const done = sealed.mode === "M" ? "mac, not checked" : "encrypted, not opened";
    if (this.keys.pskOf?.(kid) === undefined) return `${done}: no key`;
    const { type, boot } =
      sealed.mode === "M" ? peekPayload(sealed.mac0.payload) : { type: null, boot: sealed.encrypt0.boot };
    const born = this.nonces.has(`${kid} ${boot}`);
    return born || (type !== null && macLabelOf(type) === "birth")
      ? null
      : `${done}: the birth of boot ${boot} is not here`;
  }

  private prove(sealed: Sealed, bytes: Uint8Array, publicKey: Uint8Array): Opened {
    const kid = kidText(sealed.kid);
    const prover: Prover = {
      publicKey,
      psk: this.keys.pskOf?.(kid) ?? null,
      encrypts: true,
      bootNonce: (boot) => this.nonces.get(`${kid} ${boot}`),
      keysOf: (boot) => {
        const name = `${kid} ${boot}`;
        let kept = this.derived.get(name);
        if (kept === undefined && this.nonces.has(name)) {
          kept = new Map();
          this.derived.set(name, kept);
        }
        return kept;
      },
    };
    const [first, ...others] = this.verifiers.map((crypto) => openSealed(sealed, bytes, prover, crypto, nodeAead));
    if (others.some((one) => Buffer.compare(one.payload, first.payload) !== 0))
      throw refuse("signature", "two verifiers disagree");
    return first;
  }
}
