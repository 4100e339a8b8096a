/** What the gateway holds in memory of each device: its card, its boots, what is settled. Read from the store when first needed. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { PSK_LENGTH } from "../protocol/boot-keys.ts";
import { type Card, decodeCard } from "../protocol/card.ts";
import type { Crypto } from "../protocol/cose.ts";
import { REASON_SUPERSEDED, type Revocation, type RevocationList } from "../protocol/crl.ts";
import { kidText, toHex } from "../protocol/keys.ts";
import { type BirthMessage, TYPE_BIRTH } from "../protocol/messages.ts";
import { addSettled, addStored, type Boot, bootNonceOf, createBoot } from "./boot.ts";
import { openStored } from "./record.ts";
import type { Quarantine, Rotation, Store } from "./store/store.ts";

export { type Boot, RANGES_HELD } from "./boot.ts";

export interface Device {
  /** The newest that was enrolled. */
  card: Card;
  /** Pre-shared key, 32 bytes: with it modes M or E are allowed. null: mode S alone. */
  psk: Uint8Array | null;
  /** Its enrolment says that it encrypts: nothing of it but births and presences is taken otherwise, nor is it answered otherwise. */
  encrypts: boolean;
  readonly boots: Map<number, Boot>;
  /** Its newest boot with a birth; -1: none. */
  currentBoot: number;
  /** The board's ueid as its newest birth tells it, hex; null: none. */
  ueid: string | null;
  /** Why nothing of it is taken; null: it is. */
  quarantine: Quarantine | null;
  /** How far its key is good, since a newer one replaced it; null: it is the board's key. */
  rotation: Rotation | null;
}

/** Boots of one device held in memory between commits; a device may name any of 2^32. */
export const BOOTS_HELD = 64;

/** Births of one boot held in memory; data of one that was forgotten wait until it is sent again. */
export const BIRTHS_HELD = 64;

/** Marks a card of the demonstration: its key is derived from a seed that everybody knows. */
export const TEST_ONLY = "TEST-ONLY";

/** A birth that is stored, or about to be. */
export function addBirth(device: Device, boot: Boot, birth: BirthMessage): void {
  boot.births.delete(birth.cfg);
  boot.births.set(birth.cfg, birth);
  for (const oldest of boot.births.keys()) {
    if (boot.births.size <= BIRTHS_HELD) break;
    boot.births.delete(oldest);
  }
  if (birth.boot >= device.currentBoot) device.ueid = toHex(birth.claims.ueid);
  device.currentBoot = Math.max(device.currentBoot, birth.boot);
}

/** The enrolled devices. */
export class Devices {
  private readonly devices = new Map<string, Device>();
  private readonly store: Store;
  private readonly crypto: Crypto;
  private revoked = new Map<string, Pick<Revocation, "reason" | "time">>();
  /** Keys that a newer one of the same board ends, once it is heard. */
  private superseded = new Set<string>();

  constructor(store: Store, crypto: Crypto) {
    this.store = store;
    this.crypto = crypto;
  }

  get(kid: Uint8Array): Device | undefined {
    return this.devices.get(kidText(kid));
  }

  all(): Iterable<Device> {
    return this.devices.values();
  }

  /**
   * Takes a card that the site has signed. Throws Refusal where its signature, form or key does not hold, Error on a
   * TEST-ONLY card where those are not allowed.
   */
  enroll(bytes: Uint8Array, sitePublicKey: Uint8Array, allowTestKeys: boolean): Card {
    const card = decodeCard(bytes, sitePublicKey, this.crypto);
    if (card.issuer.includes(TEST_ONLY) && !allowTestKeys) {
      throw new Error(`card ${kidText(card.kid)}: a TEST-ONLY key; give --allow-test-keys if this is a demonstration`);
    }
    checkPublicKey(card.publicKey);
    this.store.putCard(card.kid, bytes);
    if (card.role === "device") {
      const known = this.get(card.kid);
      if (known !== undefined) known.card = card;
      else {
        const device: Device = {
          card,
          psk: null,
          encrypts: false,
          boots: new Map(),
          currentBoot: -1,
          ueid: null,
          quarantine: null,
          rotation: null,
        };
        this.recall(device);
        this.devices.set(kidText(card.kid), device);
      }
    }
    return card;
  }

  /**
   * Allows an enrolled device mode M, or with `encrypts` mode E. Throws Error where it is not enrolled, or `psk` is not 32
   * bytes.
   */
  givePsk(kid: Uint8Array, psk: Uint8Array, encrypts: boolean): void {
    const device = this.get(kid);
    if (device === undefined)
      throw new Error(`pre-shared key of ${kidText(kid)}: it is not enrolled; give its card first`);
    if (psk.length !== PSK_LENGTH) {
      throw new Error(`pre-shared key of ${kidText(kid)}: ${psk.length} bytes, must be ${PSK_LENGTH}`);
    }
    device.psk = psk;
    device.encrypts = encrypts;
    for (const boot of device.boots.values()) boot.keys.clear();
  }

  /**
   * Takes a revocation list that the site has signed (`decodeRevocations`) and keeps its bytes. Throws Error where the store
   * has one with a higher number, or another one with the same.
   */
  applyRevocations(list: Pick<RevocationList, "number" | "revoked">, object: Uint8Array): void {
    const stored = this.store.revocations();
    if (stored !== undefined && list.number <= stored.number && Buffer.compare(stored.object, object) !== 0) {
      throw new Error(
        `revocation list ${list.number}: list ${stored.number} was given before, and numbers only rise; give the newest`,
      );
    }
    if (list.number !== stored?.number) this.store.putRevocations({ number: list.number, object });
    const of = (superseded: boolean) =>
      list.revoked.filter(({ reason }) => superseded === (reason === REASON_SUPERSEDED));
    this.revoked = new Map(of(false).map((one) => [kidText(one.kid), one]));
    this.superseded = new Set(of(true).map(({ kid }) => kidText(kid)));
  }

  /** Why the site no longer vouches for a key; undefined: it does. */
  revocation(kid: Uint8Array): Pick<Revocation, "reason" | "time"> | undefined {
    return this.revoked.get(kidText(kid));
  }

  /** A person says that a device may be heard again, at `now`, ms since the epoch. False where it was in no quarantine. */
  release(kid: Uint8Array, now: number): boolean {
    const device = this.get(kid);
    const standing = this.store.quarantines(kid).some(({ released }) => released === null);
    this.store.releaseQuarantine(kid, Math.floor(now));
    if (device !== undefined) device.quarantine = null;
    return standing;
  }

  /**
   * The device whose newer key has spoken for the board of this ueid, hex, where the site has said that this one's key is
   * superseded: without that word a ueid, which anybody can read in a birth, ends nobody. undefined: there is none.
   */
  successorOf(device: Device, ueid: string | null): Device | undefined {
    if (ueid === null || !this.superseded.has(kidText(device.card.kid))) return undefined;
    return this.claimants(device, ueid).find(({ card }) => card.issuedAt > device.card.issuedAt);
  }

  /** Other devices that tell the same ueid, hex. */
  claimants(device: Device, ueid: string): Device[] {
    return [...this.devices.values()].filter((other) => other !== device && other.ueid === ueid);
  }

  /**
   * bn of a boot; undefined: no birth of it is here. Loads no boot: this is asked for messages that nobody has proven yet.
   */
  bootNonce(device: Device, number: number): Uint8Array | undefined {
    const known = device.boots.get(number);
    const held = known && bootNonceOf(known);
    if (held !== undefined) return held;
    const row = this.store.nextBirth(device.card.kid, number - 1);
    const birth = row === undefined ? undefined : (openStored(row) as BirthMessage);
    return birth?.boot === number ? birth.claims.bootseed : undefined;
  }

  /** The first birth of the lowest boot above `number` that is known. */
  birthAfter(device: Device, number: number): BirthMessage | undefined {
    const row = this.store.nextBirth(device.card.kid, number);
    let found = row === undefined ? undefined : (openStored(row) as BirthMessage);
    for (const { boot, births } of device.boots.values()) {
      if (boot > number && births.size > 0 && (found === undefined || boot < found.boot)) [found] = births.values();
    }
    return found;
  }

  /** A boot of a device, as the store has it. */
  boot(device: Device, number: number): Boot {
    const known = device.boots.get(number);
    if (known !== undefined) return known;
    const kid = device.card.kid;
    const boot = createBoot(kid, number, this.store.boots(kid).find((row) => row.boot === number)?.downlink ?? -1);
    device.boots.set(number, boot);
    for (const seq of this.store.seqs(kid, number, 0)) addStored(boot, seq);
    for (const row of this.store.ofKind(kid, number, TYPE_BIRTH))
      addBirth(device, boot, openStored(row) as BirthMessage);
    for (const presence of this.store.seqs(kid, number, 1)) boot.connection = Math.max(boot.connection, presence >> 2);
    for (const range of this.store.settled(kid, number)) addSettled(boot, range);
    return boot;
  }

  /**
   * Forgets the boots that came into memory first, above BOOTS_HELD and never the current one: the store has them. Only where
   * nothing waits for a commit.
   */
  trim(device: Device): void {
    for (const number of device.boots.keys()) {
      if (device.boots.size <= BOOTS_HELD) break;
      if (number !== device.currentBoot) device.boots.delete(number);
    }
  }

  /** Forgets what is only in memory: what counts is what the store has. */
  reload(): void {
    for (const device of this.devices.values()) {
      device.boots.clear();
      this.recall(device);
    }
  }

  private recall(device: Device): void {
    const { kid } = device.card;
    const row = this.store.newestBirth(kid);
    const birth = row === undefined ? undefined : (openStored(row) as BirthMessage);
    device.currentBoot = birth?.boot ?? -1;
    device.ueid = birth === undefined ? null : toHex(birth.claims.ueid);
    device.quarantine = this.store.quarantines(kid).find(({ released }) => released === null) ?? null;
    device.rotation = this.store.rotations().find((one) => kidText(one.kid) === kidText(kid)) ?? null;
  }
}

/**
 * The one strict check of a public key, at enrolment: node:crypto accepts small-order and non-canonical keys.
 * Throws Error.
 */
export function checkPublicKey(publicKey: Uint8Array): void {
  try {
    const point = ed25519.Point.fromBytes(publicKey, false);
    if (point.isSmallOrder()) throw new Error("small order");
    point.assertValidity();
  } catch (error) {
    throw new Error(`public key refused at enrolment: ${(error as Error).message}; make a new key pair`);
  }
}
