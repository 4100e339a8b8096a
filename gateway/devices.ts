/** What the gateway holds in memory of each device: its card, its boots, what is settled. Read from the store when first needed. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { PSK_LENGTH } from "../protocol/boot-keys.ts";
import { type Card, decodeCard } from "../protocol/card.ts";
import type { Crypto } from "../protocol/cose.ts";
import { kidText } from "../protocol/keys.ts";
import { type BirthMessage, EVENT_DISOWNED, type EventMessage, TYPE_BIRTH } from "../protocol/messages.ts";
import { Intervals } from "./intervals.ts";
import { openStored } from "./record.ts";
import { DISOWNED, type Settled, type Store } from "./store/store.ts";

/** One boot of one device. */
export interface Boot {
  readonly kid: Uint8Array;
  readonly boot: number;
  readonly settled: Intervals;
  /** Births by cfg. */
  readonly births: Map<number, BirthMessage>;
  /** The newest seqs refused for good, as many as travel in an ack, with the place of the reason in REASONS. */
  readonly refused: Map<number, number>;
  /** Seqs that the device has said it will never send. */
  readonly disowned: Intervals;
  /** Highest `n` of a downlink message under this boot. */
  downlink: number;
  /** Newest presence: connection and state; -1: none. */
  connection: number;
  /** Mode of the newest authentic message that was heard here, but for manifests; null: none since the gateway began. */
  seal: "sign" | "mac" | null;
  /** Whether the newest authentic data or event came in mode E: births and presences never do. */
  encrypted: boolean;
}

export interface Device {
  /** The newest that was enrolled. */
  card: Card;
  /** Pre-shared key, 32 bytes: with it modes M and E are allowed. null: mode S alone. */
  psk: Uint8Array | null;
  readonly boots: Map<number, Boot>;
  /** Its newest boot with a birth; -1: none. */
  currentBoot: number;
}

/** Refused seqs in one ack (CDDL). */
export const ACK_REFUSED = 16;
/** Boots of one device held in memory between commits; a device may name any of 2^32. */
export const BOOTS_HELD = 64;

/** Marks a card of the demonstration: its key is derived from a seed that everybody knows. */
export const TEST_ONLY = "TEST-ONLY";

/** First and count of an event 8, whose small is [of-boot, first, count, reason]; null: it does not have that form. */
export function disownedRange(event: EventMessage): { boot: number; first: number; count: number } | null {
  const small = event.small;
  if (event.code !== EVENT_DISOWNED || !Array.isArray(small) || small.length !== 4) return null;
  const [boot, first, count] = small as unknown[];
  const whole = (value: unknown): value is number => typeof value === "number" && value >= 0 && value < 2 ** 32;
  return whole(boot) && whole(first) && whole(count) && count > 0 ? { boot, first, count } : null;
}

/** A birth that is stored, or about to be. */
export function addBirth(device: Device, boot: Boot, birth: BirthMessage): void {
  boot.births.set(birth.cfg, birth);
  device.currentBoot = Math.max(device.currentBoot, birth.boot);
}

/** Seqs that are settled without being stored. */
export function addSettled(boot: Boot, range: Settled): void {
  const last = range.first + range.count - 1;
  boot.settled.add(range.first, last);
  if (range.reason === DISOWNED) boot.disowned.add(range.first, last);
  else {
    boot.refused.set(range.first, range.reason);
    for (const oldest of boot.refused.keys()) {
      if (boot.refused.size <= ACK_REFUSED) break;
      boot.refused.delete(oldest);
    }
  }
}

/** The enrolled devices. */
export class Devices {
  private readonly devices = new Map<string, Device>();
  private readonly store: Store;
  private readonly crypto: Crypto;

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
        const currentBoot = this.newestBoot(card.kid);
        this.devices.set(kidText(card.kid), { card, psk: null, boots: new Map(), currentBoot });
      }
    }
    return card;
  }

  /** Allows an enrolled device modes M and E. Throws Error where it is not enrolled, or `psk` is not 32 bytes. */
  givePsk(kid: Uint8Array, psk: Uint8Array): void {
    const device = this.get(kid);
    if (device === undefined)
      throw new Error(`pre-shared key of ${kidText(kid)}: it is not enrolled; give its card first`);
    if (psk.length !== PSK_LENGTH) {
      throw new Error(`pre-shared key of ${kidText(kid)}: ${psk.length} bytes, must be ${PSK_LENGTH}`);
    }
    device.psk = psk;
  }

  /** A boot of a device, as the store has it. */
  boot(device: Device, number: number): Boot {
    const known = device.boots.get(number);
    if (known !== undefined) return known;
    const kid = device.card.kid;
    const boot: Boot = {
      kid,
      boot: number,
      settled: new Intervals(),
      births: new Map(),
      refused: new Map(),
      disowned: new Intervals(),
      downlink: this.store.boots(kid).find((row) => row.boot === number)?.downlink ?? -1,
      connection: -1,
      seal: null,
      encrypted: false,
    };
    device.boots.set(number, boot);
    for (const seq of this.store.seqs(kid, number, 0)) boot.settled.add(seq);
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
      device.currentBoot = this.newestBoot(device.card.kid);
    }
  }

  private newestBoot(kid: Uint8Array): number {
    return this.store.boots(kid).at(-1)?.boot ?? -1;
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
