/** Re-checks everything that a store, or a capture, says: signatures, columns, audit chain, checkpoints, gaps. */
import { type Card, decodeCard } from "../../protocol/card.ts";
import { chainStep, decodeCheckpoint, TYP_CHECKPOINT } from "../../protocol/checkpoint.ts";
import { type Crypto, decodeEnvelope } from "../../protocol/cose.ts";
import { decodeRevocations } from "../../protocol/crl.ts";
import { kidText } from "../../protocol/keys.ts";
import { SPACE_LEVELS } from "../evidence.ts";
import { Sequences } from "../sequence.ts";
import type { InspectionLine, MessageColumns } from "./inspect.ts";
import { Inspector } from "./inspector.ts";
import { RowCheck } from "./rows.ts";

export { openMessage } from "./opener.ts";

/** CONTRACT.md, `verify --json`. A card row has no boot and seq. */
export interface VerifyReport {
  messages: number;
  verified: number;
  failed: { kid: string; boot: number | null; seq: number | null; reason: string }[];
  /** Messages that are missing without a word. */
  gaps: number;
  duplicates: number;
  audit: "whole" | "broken" | "damaged";
  /** Messages that are missing, and their device says so (event 8). Only where there are any. */
  declared?: number;
  /** Boots that ended by a power cut or a reset, and their device says so. Only where there are any. */
  cut?: number;
  /**
   * Messages in modes M and E that are neither verified nor failed: nothing but a tag proves them, whose key is not here.
   * Only where there are any.
   */
  unchecked?: number;
  /** Messages by what proves them now, only where not all are signed: see PROTOCOL.md section 3. */
  evidence?: { signed: number; countersigned: number; mac: number };
  detail?: string;
}

const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, "base64");
const hex = (base64: string) => Buffer.from(base64, "base64").toString("hex");
const equal = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

export interface StoreVerifyOptions {
  readonly path: string;
  /** The site's public key, against which every card is checked. */
  readonly sitePublicKey: Uint8Array;
  /** The first one also hashes. */
  readonly verifiers: readonly [Crypto, ...Crypto[]];
  /** Pre-shared key of a device, by its kid: what else is not proven is checked with it. */
  readonly pskOf?: (kid: string) => Uint8Array | undefined;
  /** One for many files; the caller closes it. */
  readonly inspector?: Inspector;
}

/** Re-checks a store file. Never throws for what the file contains. */
export async function verifyStore(options: StoreVerifyOptions): Promise<VerifyReport> {
  const check = new StoreCheck(options);
  const inspector = options.inspector ?? new Inspector();
  try {
    for await (const line of inspector.inspect(options.path)) check.take(line);
  } finally {
    if (options.inspector === undefined) inspector.close();
  }
  return check.finish();
}

/** Chain values that a row may be held against, behind one that did not follow. */
const MOST_CANDIDATES = 4;

class StoreCheck {
  private readonly options: StoreVerifyOptions;
  private readonly crypto: Crypto;
  private readonly report: VerifyReport = {
    messages: 0,
    verified: 0,
    failed: [],
    gaps: 0,
    duplicates: 0,
    audit: "whole",
  };
  private readonly damages: string[] = [];
  private readonly breaks: string[] = [];
  private readonly cards = new Map<string, Card>();
  private readonly rows: RowCheck;
  private readonly sequences = new Sequences();
  /** Checkpoints by the position that they speak of: the chain value signed there. */
  private readonly checkpoints = new Map<number, Uint8Array>();
  /** Chain values that the next row may build on: the stored one, and what it should have been. */
  private previous: Uint8Array[] = [new Uint8Array(32)];
  private position = 0;
  /** Positions where no row followed, with the chain values before them. */
  private readonly gaps: { readonly position: number; readonly previous: readonly Uint8Array[] }[] = [];

  constructor(options: StoreVerifyOptions) {
    this.options = options;
    this.crypto = options.verifiers[0];
    this.rows = new RowCheck(this.cards, options);
  }

  take(line: InspectionLine): void {
    if ("damage" in line) this.damages.push(line.damage);
    else if ("done" in line) return;
    else if (line.table === "cards") this.takeCard(line.kid, line.card);
    else if (line.table === "checkpoints") this.takeCheckpoint(line.position, line.object);
    else if (line.table === "revocations") this.takeRevocations(line.number, line.object);
    else this.takeRow(line.row);
  }

  private takeCard(kid: string, bytes: string): void {
    try {
      const card = decodeCard(bytesOf(bytes), this.options.sitePublicKey, this.crypto);
      this.cards.set(kidText(card.kid), card);
      if (kidText(card.kid) !== hex(kid)) throw new Error("column kid is not the card's");
    } catch (error) {
      this.report.failed.push({ kid: hex(kid), boot: null, seq: null, reason: `card: ${(error as Error).message}` });
    }
  }

  private takeCheckpoint(position: number, bytes: string): void {
    try {
      const card = this.cards.get(kidText(decodeEnvelope(bytesOf(bytes), TYP_CHECKPOINT).kid));
      if (card === undefined || card.role !== "gateway") {
        this.breaks.push(`checkpoint at position ${position}: signed by no gateway whose card is here`);
        return;
      }
      const checkpoint = decodeCheckpoint(bytesOf(bytes), card.publicKey, this.crypto);
      if (checkpoint.position !== position) throw new Error(`it speaks of position ${checkpoint.position}`);
      this.checkpoints.set(position, checkpoint.chain);
    } catch (error) {
      this.damages.push(`checkpoint at position ${position}: ${(error as Error).message}`);
    }
  }

  private takeRevocations(number: number, bytes: string): void {
    try {
      const list = decodeRevocations(bytesOf(bytes), this.options.sitePublicKey, this.crypto);
      if (list.number !== number) throw new Error(`it is list ${list.number}`);
    } catch (error) {
      this.damages.push(`revocation list ${number}: ${(error as Error).message}`);
    }
  }

  /** The chain values that this row could have, after those that its predecessor could have. */
  private steps(previous: readonly Uint8Array[], row: MessageColumns): Uint8Array[] {
    return previous.map((from) => chainOf(this.crypto, from, row)).filter((step) => step !== null);
  }

  /** Is this the row that was missing earlier, under another position? Then it is missing no more. */
  private fillsGap(row: MessageColumns, stored: Uint8Array): boolean {
    const found = this.gaps.findIndex(({ previous }) => this.steps(previous, row).some((step) => equal(step, stored)));
    if (found >= 0) this.gaps.splice(found, 1);
    return found >= 0;
  }

  private takeRow(row: MessageColumns): void {
    const { report } = this;
    const found = this.rows.check(row);
    let { reason } = found;
    if (row.space !== SPACE_LEVELS) report.messages++;
    if (found.proves > 0) {
      report.verified += found.proves;
      report.unchecked = (report.unchecked ?? 0) - found.proves;
    }
    if (found.message !== null) this.sequences.add(hex(row.kid), found.message);
    const stored = bytesOf(row.chain);
    const steps = this.steps(this.previous, row);
    const links = steps.some((step) => equal(step, stored));
    const expected = this.position + 1;
    this.position = expected;
    if (row.position === expected) {
      if (!links) reason ??= "column received, evidence, record or chain";
    } else if (links || this.fillsGap(row, stored)) {
      reason ??= "column position";
    } else {
      this.gaps.push({ position: expected, previous: this.previous });
      this.position = row.position;
    }
    // Where a row does not follow, its own chain value may be the damaged one.
    this.previous = links ? [stored] : [stored, ...steps].slice(0, MOST_CANDIDATES);
    const signed = this.checkpoints.get(row.position);
    if (signed !== undefined && !this.previous.some((chain) => equal(chain, signed))) {
      this.breaks.push(`checkpoint at position ${row.position}: the chain is another`);
    }
    if (reason !== null) report.failed.push({ kid: hex(row.kid), boot: row.boot, seq: row.seq, reason });
    else if (found.unchecked) report.unchecked = (report.unchecked ?? 0) + 1;
    else if (row.space !== SPACE_LEVELS) report.verified++;
  }

  finish(): VerifyReport {
    const { report } = this;
    for (const { position } of this.gaps) this.breaks.push(`position ${position} is missing or out of order`);
    for (const position of this.checkpoints.keys()) {
      if (position > this.position) this.breaks.push(`messages ${this.position + 1} to ${position} are missing`);
    }
    if (report.unchecked === 0) delete report.unchecked;
    const { evidence } = this.rows;
    if (evidence.countersigned + evidence.mac > 0) report.evidence = evidence;
    Object.assign(report, this.sequences.report());
    const details = this.damages.length > 0 ? this.damages : this.breaks;
    if (this.breaks.length > 0 || report.failed.length > 0) report.audit = "broken";
    if (this.damages.length > 0) report.audit = "damaged";
    if (details.length > 0) report.detail = details.slice(0, 3).join("; ");
    return report;
  }
}

function chainOf(crypto: Crypto, from: Uint8Array, row: MessageColumns): Uint8Array | null {
  try {
    const hash = crypto.sha256(bytesOf(row.message));
    return chainStep(
      crypto,
      from,
      bytesOf(row.kid),
      row.boot,
      row.seq,
      hash,
      row.received,
      row.evidence,
      bytesOf(row.record),
    );
  } catch {
    // A column that is no number any more has no place in the chain.
    return null;
  }
}
