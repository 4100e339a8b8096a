/** Who a virtual board is, and how its boots begin. */
import type { Storage } from "../boards/board.ts";
import { type StartedBoot, startBoot } from "../firmware/boot.ts";
import type { RuntimeOptions } from "../firmware/runtime.ts";
import type { SealSettings } from "../firmware/sealer.ts";
import { newBootNonce } from "../protocol/boot-keys.ts";
import { ALG_EDDSA } from "../protocol/cose.ts";
import { type KeyedSigner, nodeCrypto } from "../protocol/crypto.node.ts";
import { sha256, testOnlyPsk, testOnlySigner } from "./keys.ts";

/** Who a board is that was given its keys. */
export interface NodeIdentity {
  /** 8 bytes. */
  readonly kid: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** null: it cannot sign. */
  readonly signer: KeyedSigner | null;
  readonly psk: Uint8Array | null;
  /** 17 bytes. */
  readonly ueid: Uint8Array;
}

/** How a virtual board seals: each is another device. */
export type SealMode = Pick<SealSettings, "mode" | "encrypt">;

/** From its storage; or as a number says, with a nonce from the world: then the same boot is the same, byte for byte. */
export function startedBoot(
  { kid, psk }: NodeIdentity,
  world: Uint8Array,
  counter: number | Storage,
  ownEntropy: Uint8Array = world,
): StartedBoot {
  const crypto = nodeCrypto;
  if (typeof counter !== "number") return startBoot({ storage: counter, kid, psk, entropy: ownEntropy, crypto });
  const boot = counter;
  const entropy = sha256(`boot ${boot}`, world).subarray(0, 16);
  const bn = psk === null ? entropy : newBootNonce({ psk, kid, boot }, entropy, null, crypto);
  return { boot, bn, prev: null, end() {} };
}

/** What a virtual board tells of itself in its births. */
export function deviceOf(
  { kid, ueid }: Pick<NodeIdentity, "kid" | "ueid">,
  started: Pick<StartedBoot, "boot" | "bn" | "prev">,
): RuntimeOptions["device"] {
  const { boot, bn, prev } = started;
  return { kid, ueid, boot, bootSeed: bn, prev, software: "vitalwire", version: "0.1.0" };
}

/** Everything of it follows from its world: anybody can derive it. */
export function testOnlyIdentity(world: Uint8Array, seal: SealMode): NodeIdentity {
  const signer = testOnlySigner("device", world);
  const psk = seal.mode === "mac" || seal.encrypt ? testOnlyPsk(world) : null;
  const ueid = Uint8Array.of(1, ...sha256("ueid", world).subarray(0, 16));
  return { kid: signer.kid, publicKey: signer.publicKey, signer, psk, ueid };
}

/** The name of a board that cannot sign. */
export function withoutKey({ kid, publicKey }: NodeIdentity): KeyedSigner {
  const sign = () => {
    throw new Error("this board was given no signing key");
  };
  return { kid, publicKey, alg: ALG_EDDSA, sign };
}
