/** What one row of a store proves by itself and by the rows before it: its message, its columns, its evidence level. */
import type { Card } from "../../protocol/card.ts";
import type { Crypto } from "../../protocol/cose.ts";
import { verifyCountersignature } from "../../protocol/countersign.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { kidText } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { manifestCovers, manifestLists, PAYLOAD_HASH_LENGTH, payloadHash } from "../../protocol/manifest.ts";
import type { ManifestMessage, Message } from "../../protocol/messages.ts";
import { type Refusal, refuse } from "../../protocol/refusal.ts";
import {
  decodeLevelChange,
  EVIDENCE_COUNTERSIGNED,
  EVIDENCE_MAC,
  EVIDENCE_SIGNED,
  KIND_LEVELS,
  SPACE_LEVELS,
} from "../evidence.ts";
import { identityOf } from "../identity.ts";
import { Intervals } from "../intervals.ts";
import { decodeRecord, type StoredRecord, storedPayload } from "../record.ts";
import type { MessageColumns } from "./inspect.ts";
import { Opener, openMessage, readPayload } from "./opener.ts";

export interface RowOutcome {
  /** What contradicts; null: nothing. */
  readonly reason: string | null;
  /** Nothing but a tag proves it, whose key is not here. */
  readonly unchecked: boolean;
  /** Rows before it that were unchecked and are proven by it. */
  readonly proves: number;
  readonly message: Message | null;
}

/** A row of a boot in modes M or E that no manifest has raised yet. */
interface Maced {
  readonly hash: Uint8Array;
  readonly evidence: number;
  /** It is counted under its level, as verified or as unchecked. */
  readonly counted: "verified" | "unchecked" | null;
}

interface BootRows {
  readonly seen: Intervals;
  readonly maced: Map<number, Maced>;
  /** Hashes that manifests listed for what came later. */
  readonly listed: Map<number, Uint8Array>;
}

const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, "base64");
const equal = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const wordOf = (evidence: number) =>
  evidence === EVIDENCE_SIGNED ? "signed" : evidence === EVIDENCE_MAC ? "mac" : "countersigned";

/** Which of a row's columns contradict the message that it holds. */
function wrongColumn(row: MessageColumns, kid: Uint8Array, message: Message): string | null {
  if (!equal(bytesOf(row.kid), kid)) return "column kid";
  const identity = identityOf(message);
  if (identity === null) return "payload";
  for (const column of ["boot", "seq", "space", "kind"] as const) {
    if (row[column] !== identity[column]) return `column ${column}`;
  }
  return null;
}

export class RowCheck {
  readonly evidence = { signed: 0, countersigned: 0, mac: 0 };
  private readonly cards: ReadonlyMap<string, Card>;
  private readonly verifiers: readonly [Crypto, ...Crypto[]];
  private readonly opener: Opener;
  private readonly boots = new Map<string, BootRows>();
  /** The newest manifest of each device: what it raises follows it. */
  private readonly manifests = new Map<string, ManifestMessage>();

  /** `cards` is filled before the first row. */
  constructor(
    cards: ReadonlyMap<string, Card>,
    options: {
      readonly verifiers: readonly [Crypto, ...Crypto[]];
      readonly pskOf?: (kid: string) => Uint8Array | undefined;
    },
  ) {
    this.cards = cards;
    this.verifiers = options.verifiers;
    const { pskOf } = options;
    this.opener = new Opener(
      { publicKeyOf: (kid) => cards.get(kid)?.publicKey, ...(pskOf && { pskOf }) },
      options.verifiers,
    );
  }

  /** Rows in the order of their positions. Never throws for what they contain. */
  check(row: MessageColumns): RowOutcome {
    try {
      if (row.space === SPACE_LEVELS) {
        return { reason: null, unchecked: false, proves: this.checkLevels(row), message: null };
      }
      return modeOf(bytesOf(row.message)) === "S" ? this.checkSigned(row) : this.checkMaced(row);
    } catch (error) {
      return {
        reason: (error as Refusal).reason ?? (error as Error).message,
        unchecked: false,
        proves: 0,
        message: null,
      };
    }
  }

  private checkSigned(row: MessageColumns): RowOutcome {
    const { kid, message } = openMessage(bytesOf(row.message), (id) => this.cards.get(id)?.publicKey, this.verifiers);
    const record = this.recordOf(row);
    let reason = wrongColumn(row, this.cards.get(kid)!.kid, message);
    if (row.evidence !== EVIDENCE_SIGNED) reason ??= "column evidence";
    if (record.countersignature !== null || record.plaintext !== null) reason ??= "column record";
    this.opener.born(kid, message);
    if ("seq" in message) {
      const { seen, listed } = this.boot(kid, message.boot);
      seen.add(message.seq);
      listed.delete(message.seq);
    }
    if (message.type === "manifest") reason ??= this.takeManifest(kid, message);
    if (reason === null) this.evidence.signed++;
    return { reason, unchecked: false, proves: 0, message };
  }

  private checkMaced(row: MessageColumns): RowOutcome {
    const bytes = bytesOf(row.message);
    const record = this.recordOf(row);
    const target = modeOf(bytes) === "M" ? decodeMac0(bytes) : decodeEncrypt0(bytes);
    const kid = kidText(target.kid);
    if (this.cards.get(kid)?.role !== "device") throw refuse("kid", `kid ${kid} has no card of a device`);
    const payload = storedPayload({ message: bytes, record: bytesOf(row.record) });
    const message = readPayload(payload);
    let reason = wrongColumn(row, target.kid, message);
    if ("payload" in target && record.plaintext !== null) reason ??= "column record";
    this.opener.born(kid, message);
    const holds = this.opener.holds(bytes, payload);
    if (holds === false) reason ??= "signature";
    let proven = holds === null ? 0 : EVIDENCE_MAC;
    if (record.countersignature !== null) {
      if (this.countersigned(record, target)) proven = EVIDENCE_COUNTERSIGNED;
      else reason ??= "countersignature";
    }
    const hash = payloadHash(payload, this.verifiers[0]);
    const boot = "seq" in message ? this.boot(kid, message.boot) : null;
    if ("seq" in message && boot !== null) {
      const before = boot.listed.get(message.seq);
      boot.listed.delete(message.seq);
      if (before !== undefined && !equal(before, hash)) reason ??= "manifest";
      else if (before !== undefined) proven = EVIDENCE_SIGNED;
    }
    // A level of 1 claims what a key of the boot would show; who has none cannot say.
    if (!(row.evidence >= EVIDENCE_MAC && row.evidence <= Math.max(proven, EVIDENCE_MAC))) reason ??= "column evidence";
    const counted = reason !== null ? null : proven === 0 ? "unchecked" : "verified";
    if (counted !== null) this.evidence[wordOf(row.evidence)]++;
    if ("seq" in message && boot !== null) {
      boot.seen.add(message.seq);
      if (row.evidence < EVIDENCE_SIGNED) boot.maced.set(message.seq, { hash, evidence: row.evidence, counted });
    }
    return { reason, unchecked: counted === "unchecked", proves: 0, message };
  }

  private recordOf(row: MessageColumns): StoredRecord {
    try {
      return decodeRecord(bytesOf(row.record));
    } catch {
      throw new Error("column record");
    }
  }

  private countersigned(record: StoredRecord, target: Parameters<typeof verifyCountersignature>[1]): boolean {
    const countersignature = record.countersignature!;
    const card = this.cards.get(kidText(countersignature.kid));
    if (card === undefined || card.role !== "gateway") return false;
    return this.verifiers.every((crypto) =>
      verifyCountersignature(countersignature, target, record.plaintext, card.publicKey, crypto),
    );
  }

  /** Notes what a signed manifest says; a reason where a stored message is another. */
  private takeManifest(kid: string, manifest: ManifestMessage): string | null {
    this.manifests.set(kid, manifest);
    const { seen, maced, listed } = this.boot(kid, manifest.ofBoot);
    let reason: string | null = null;
    for (let i = 0; i < manifest.hashes.length / PAYLOAD_HASH_LENGTH; i++) {
      const seq = manifest.first + i;
      const hash = manifest.hashes.slice(PAYLOAD_HASH_LENGTH * i, PAYLOAD_HASH_LENGTH * (i + 1));
      const row = maced.get(seq);
      if (row === undefined) {
        if (!seen.has(seq)) listed.set(seq, hash);
      } else if (!equal(row.hash, hash)) reason = "manifest";
    }
    return reason;
  }

  /**
   * An entry of what the manifest just before it has raised: the number of rows that were unchecked until then. A row that is
   * missing is told of elsewhere, and one that was raised before is not raised again. Throws Error "evidence: …".
   */
  private checkLevels(row: MessageColumns): number {
    const kid = Buffer.from(row.kid, "base64").toString("hex");
    const manifest = this.manifests.get(kid);
    if (manifest === undefined || manifest.boot !== row.boot || manifest.seq !== row.seq) {
      throw new Error("evidence: no manifest of this boot and seq stands before it");
    }
    if (row.kind !== KIND_LEVELS || row.evidence !== EVIDENCE_SIGNED) throw new Error("column kind or evidence");
    const record = this.recordOf(row);
    if (record.clock !== null || record.countersignature !== null || record.plaintext !== null)
      throw new Error("column record");
    const { ofBoot, rises } = decodeLevelChange(bytesOf(row.message));
    const { maced } = this.boot(kid, ofBoot);
    const raised: [number, Maced][] = [];
    for (const { first, count, to } of rises) {
      const last = first + count - 1;
      if (
        to !== EVIDENCE_SIGNED ||
        !manifestCovers(manifest, ofBoot, first) ||
        !manifestCovers(manifest, ofBoot, last)
      ) {
        throw new Error(`evidence: boot ${ofBoot} seq ${first} to ${last} are not the manifest's to raise to ${to}`);
      }
      for (let seq = first; seq <= last; seq++) {
        const one = maced.get(seq);
        if (one === undefined) continue;
        if (!manifestLists(manifest, ofBoot, seq, one.hash)) {
          throw new Error(`evidence: the manifest lists another payload for boot ${ofBoot} seq ${seq}`);
        }
        raised.push([seq, one]);
      }
    }
    let proves = 0;
    for (const [seq, { evidence, counted }] of raised) {
      maced.delete(seq);
      if (counted === null) continue;
      this.evidence[wordOf(evidence)]--;
      this.evidence.signed++;
      if (counted === "unchecked") proves++;
    }
    return proves;
  }

  private boot(kid: string, number: number): BootRows {
    const key = `${kid} ${number}`;
    let boot = this.boots.get(key);
    if (boot === undefined) {
      boot = { seen: new Intervals(), maced: new Map(), listed: new Map() };
      this.boots.set(key, boot);
    }
    return boot;
  }
}
