/**
 * Step 7 of PROTOCOL.md section 8, and what section 4 says of clones, rollbacks and rotation: what one device may say after
 * what it has said before.
 */
import { kidText, toHex } from "../protocol/keys.ts";
import { payloadHash } from "../protocol/manifest.ts";
import type { BirthMessage, ManifestMessage, Message, PresenceMessage } from "../protocol/messages.ts";
import { type Refusal, refuse } from "../protocol/refusal.ts";
import { type Boot, bootNonceOf } from "./boot.ts";
import type { Device } from "./devices.ts";
import { EVIDENCE_SIGNED } from "./evidence.ts";
import type { Identity } from "./identity.ts";
import type { Opened } from "./opening.ts";
import type { ReceiverOptions } from "./receiver.ts";
import type { Comparison, Staging } from "./staging.ts";

/** One authentic message, and where it belongs. */
export interface Case {
  readonly device: Device;
  readonly boot: Boot;
  readonly identity: Identity;
  readonly message: Message;
  readonly opened: Opened;
  /** As received. */
  readonly bytes: Uint8Array;
}

export interface Order {
  /** A key that a newer one has replaced is good for what it had reached by then. Throws Refusal "revoked". */
  checkRotation(device: Device, identity: Identity, message: Message): void;
  /** Whether it repeats `earlier`, the payload stored under its identity. Throws Refusal where it contradicts it. */
  checkEarlier(one: Case, earlier: Uint8Array): void;
  /** Births, presences, and what waits for its birth. Throws Refusal "replay". */
  check(one: Case): void;
  /**
   * The level at once: signed where the device signed it, or has listed it in a manifest before it came. null: a MAC. Throws
   * Refusal where a manifest lists another payload for it.
   */
  evidence(one: Case): number | null;
  /** What a manifest that the device signed says of what is known. Throws Refusal where it contradicts that. */
  compare(one: Case, manifest: ManifestMessage): Comparison;
  /** A birth of this device is here: it ends an older key of its board that the site has superseded. */
  checkBoard(device: Device): void;
}

/** State of a presence. */
const ONLINE = 1;
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

export function createOrder(options: ReceiverOptions, staging: Staging): Order {
  const { devices, crypto, now, onAlarm } = options;

  /** Two things that one device cannot both have said: it is heard no more until a person has looked. */
  const contradiction = ({ device, identity: { boot, seq }, bytes }: Case, what: string): Refusal => {
    const { kid } = device.card;
    const sentence = `${what}: a clone or a rollback`;
    device.quarantine = { kid, since: Math.floor(now()), boot, seq, message: bytes, sentence, released: null };
    staging.quarantine(device.quarantine);
    onAlarm?.({ kind: "clone or rollback", kid, sentence });
    return refuse("replay", sentence);
  };

  /**
   * A boot below the newest that was never heard of may be an outbox that comes late. It may not be where the birth after it
   * says that the boot before was another (null says nothing: power was cut), nor where its board says that it is online.
   */
  const checkRegression = (message: BirthMessage | PresenceMessage, device: Device) => {
    const { boot } = message;
    if (boot >= device.currentBoot) return;
    let why = "says that it is online";
    if (message.type === "birth") {
      const after = devices.birthAfter(device, boot);
      if (after === undefined || after.prev === null || after.prev.boot >= boot) return;
      why = `was born, and before boot ${after.boot} its board had boot ${after.prev.boot}`;
    } else if (message.state !== ONLINE) return;
    const sentence = `boot ${boot} ${why}, after boot ${device.currentBoot}: a clone or a rollback?`;
    onAlarm?.({ kind: "boot regression", kid: device.card.kid, sentence });
  };

  /** From here on the old key is good for what it had reached. */
  const rotate = (old: Device, { card }: Device) => {
    const { kid } = old.card;
    const seq = Math.max(0, devices.boot(old, old.currentBoot).sequence.stored.highest);
    old.rotation = { kid, successor: card.kid, boot: old.currentBoot, seq, since: Math.floor(now()) };
    staging.rotate(old.rotation);
    const sentence = `${kidText(card.kid)} speaks for its board now: it is good up to boot ${old.currentBoot} seq ${seq}`;
    onAlarm?.({ kind: "rotation", kid, sentence });
  };

  return {
    checkRotation(device, { boot, space, seq }, message) {
      const kid = kidText(device.card.kid);
      if (device.rotation === null) {
        const ueid = message.type === "birth" ? toHex(message.claims.ueid) : device.ueid;
        const successor = devices.successorOf(device, ueid);
        if (successor === undefined) return;
        if (device.currentBoot < 0) {
          throw refuse("revoked", `kid ${kid}: its board has had a newer key, ${kidText(successor.card.kid)}`);
        }
        rotate(device, successor);
      }
      const rotation = device.rotation!;
      const below = boot < rotation.boot || (boot === rotation.boot && seq <= rotation.seq);
      if (space === 0 && below) return;
      const reach = `boot ${rotation.boot} seq ${rotation.seq}`;
      throw refuse("revoked", `kid ${kid}: ${kidText(rotation.successor)} replaced it after ${reach}`);
    },
    checkEarlier(one, earlier) {
      if (sameBytes(earlier, one.opened.payload)) return;
      const { boot, seq } = one.identity;
      throw contradiction(one, `boot ${boot} seq ${seq} is stored with another payload`);
    },
    check(one) {
      const { message, boot, device } = one;
      if (message.type === "presence") {
        if (message.connection < boot.connection) {
          throw refuse("replay", `presence of connection ${message.connection}, the newest is ${boot.connection}`);
        }
        checkRegression(message, device);
      } else if (message.type === "birth") {
        const bn = bootNonceOf(boot);
        if (bn === undefined) checkRegression(message, device);
        else if (!sameBytes(bn, message.claims.bootseed)) {
          throw contradiction(one, `boot ${message.boot} was born before with another seed`);
        }
      } else if (boot.births.size === 0) {
        throw refuse("replay", `boot ${boot.boot} has no birth here yet: send it first`);
      }
    },
    evidence(one) {
      const { device, boot, identity, opened } = one;
      // A manifest lists what came before it: nothing is looked up for what comes in its order.
      const late = identity.boot < device.currentBoot || identity.seq < boot.sequence.stored.highest;
      const listed = identity.space === 0 && late ? staging.listed(device, identity) : undefined;
      if (listed !== undefined && !sameBytes(listed, payloadHash(opened.payload, crypto))) {
        throw contradiction(
          one,
          `boot ${identity.boot} seq ${identity.seq} is listed in a manifest with another payload`,
        );
      }
      return listed !== undefined || opened.seal === "sign" ? EVIDENCE_SIGNED : null;
    },
    compare(one, manifest) {
      const found = staging.compare(one.device, manifest);
      if (found.other === null) return found;
      const lists = `the manifest of boot ${manifest.boot} seq ${manifest.seq} lists`;
      throw contradiction(
        one,
        `boot ${manifest.ofBoot} seq ${found.other} is known with another payload than ${lists}`,
      );
    },
    checkBoard(device) {
      if (device.ueid === null) return;
      for (const other of devices.claimants(device, device.ueid)) {
        if (other.rotation !== null) continue;
        if (devices.successorOf(other, other.ueid) === device) rotate(other, device);
        else {
          const sentence = `it tells the ueid of ${kidText(other.card.kid)}: another key for that board (enroll --rotate), or a copy`;
          onAlarm?.({ kind: "two keys for one board", kid: device.card.kid, sentence });
        }
      }
    },
  };
}
