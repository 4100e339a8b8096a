/** Seals what a gateway sends, in the mode in which the device speaks (PROTOCOL.md section 3). */
import { bootKey, type KeyLabel } from "../protocol/boot-keys.ts";
import { type Aead, type Crypto, type Signer, sign1 } from "../protocol/cose.ts";
import { encrypt0 } from "../protocol/encrypt0.ts";
import { kidText } from "../protocol/keys.ts";
import { mac0 } from "../protocol/mac0.ts";
import { type AckMessage, type CommandMessage, encodeMessage, type TimeMessage } from "../protocol/messages.ts";
import { type Boot, bootNonceOf } from "./boot.ts";
import type { Device } from "./devices.ts";

/** What a gateway says. */
export type DownlinkMessage = AckMessage | CommandMessage | TimeMessage;

/** What of a device and its boot decides how it is answered. */
export type Heard = Pick<Device, "psk" | "encrypts">;
/** Without `keys` they are derived anew for every message. */
export type HeardBoot = Pick<Boot, "kid" | "boot" | "births" | "seal"> & Partial<Pick<Boot, "keys">>;

type Unaddressed<T> = Omit<T, "kid" | "boot" | "n">;
/** The same before it has an address and a number. */
export type DownlinkBody = Unaddressed<AckMessage> | Unaddressed<CommandMessage> | Unaddressed<TimeMessage>;

export interface SealerOptions {
  /** The gateway's own key: mode S. */
  readonly signer: Signer;
  readonly crypto: Pick<Crypto, "sha256">;
  /** AES-CCM: mode E. */
  readonly aead: Aead;
}

export interface DownlinkSealer {
  /**
   * Seals a message under `boot`, the device's current one, as the device's newest message of that boot came. Throws Error
   * where `canAnswer` says no, Refusal for a message that breaks a rule.
   */
  seal(device: Heard, boot: HeardBoot, message: DownlinkMessage): Uint8Array;
  /** The kid by which event 5 names this gateway: its own in S, the device's in M (PROTOCOL.md section 2). */
  nameIn(boot: HeardBoot): Uint8Array;
}

/** May anything be sent to the device under this boot? Its birth is stored, it has spoken, and its keys are here. */
export function canAnswer(device: Heard, boot: HeardBoot): boolean {
  if (boot.births.size === 0 || boot.seal === null) return false;
  return device.psk !== null || (boot.seal !== "mac" && !device.encrypts);
}

export function createDownlinkSealer({ signer, crypto, aead }: SealerOptions): DownlinkSealer {
  const keyOf = (device: Heard, boot: HeardBoot, label: KeyLabel): Uint8Array => {
    const known = boot.keys?.get(label);
    if (known !== undefined) return known;
    const { psk } = device;
    const bn = bootNonceOf(boot);
    if (bn === undefined || psk === null)
      throw new Error(`device ${kidText(boot.kid)}, boot ${boot.boot}: no keys of it`);
    const key = bootKey(label, { psk, kid: boot.kid, boot: boot.boot }, bn, crypto);
    boot.keys?.set(label, key);
    return key;
  };
  return {
    seal(device, boot, message) {
      if (!canAnswer(device, boot)) {
        throw new Error(`device ${kidText(boot.kid)}, boot ${boot.boot}: nothing was heard in it that may be answered`);
      }
      const payload = encodeMessage(message);
      const signs = boot.seal !== "mac";
      if (!device.encrypts)
        return signs ? sign1(payload, signer) : mac0(payload, boot.kid, keyOf(device, boot, "g2d mac"), crypto);
      const keys = { key: keyOf(device, boot, "g2d enc"), iv: keyOf(device, boot, "g2d iv") };
      return encrypt0(signs ? sign1(payload, signer) : payload, boot.kid, keys, aead);
    },
    nameIn: (boot) => (boot.seal === "mac" ? boot.kid : signer.kid),
  };
}
