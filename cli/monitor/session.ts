/** From lines and messages to what a monitor shows of them: every packet is verified before its payload is decoded. */
import { Opener, type Opening } from "../../gateway/audit/opener.ts";
import { identityOf } from "../../gateway/identity.ts";
import { decodeSealed } from "../../gateway/opening.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { kidText } from "../../protocol/keys.ts";
import { decodeMessage, type Message } from "../../protocol/messages.ts";
import { isRefusal, type Reason, type Refusal, refuse } from "../../protocol/refusal.ts";
import { Boards, type HeardBoot } from "./boards.ts";
import type { Keyring } from "./keyring.ts";
import { decodeText } from "./text.ts";

export interface LogEntry {
  readonly type: "log";
  readonly text: string;
  /** False: the bytes are no UTF-8, and `text` has them one character each. */
  readonly utf8: boolean;
  /** Arrival, ms since the epoch; null in a file. */
  readonly hostTime: number | null;
  /** The board's clock as the newest packet lets it be estimated, ms since boot; null before there was one. */
  readonly deviceTime: number | null;
}

export interface PacketEntry {
  readonly type: "packet";
  readonly hostTime: number | null;
  /** Length of the sealed message; null where there was none. */
  readonly bytes: number | null;
  readonly kid: string | null;
  /** Why it was refused; null: it was not. */
  readonly refusal: { readonly reason: Reason; readonly detail: string } | null;
  /** What proves it; null: nothing here. */
  readonly proof: "signed" | "mac" | null;
  /** "mac, not checked: no key": neither verified nor refused. null: one of the two. */
  readonly unchecked: string | null;
  /** Verified, or what the packet claims: where it is unchecked, or there are no cards at all. null: not decoded. */
  readonly message: Message | null;
  /** Line or byte of a file; null on a port. */
  readonly place: string | null;
  /** Heard before. */
  readonly again: boolean;
  readonly boot: HeardBoot | null;
}

export type Entry = LogEntry | PacketEntry;

export interface Totals {
  /** Log text and packets. */
  lines: number;
  logs: number;
  /** Packets, and what was taken for one: verified + all that were rejected. */
  packets: number;
  verified: number;
  /** Packets in modes M and E whose key is not here: neither verified nor rejected. */
  unchecked: number;
  /** Beginnings and ends of packets whose other part is missing. */
  fragments: number;
  readonly rejected: Map<Reason, number>;
}

export interface SessionOptions {
  readonly keyring: Keyring;
  /** Arrival of what is taken now, ms since the epoch; null: not known, as in a file. */
  readonly now: () => number | null;
  readonly onEntry: (entry: Entry) => void;
}

/** The end of a packet whose beginning was sent before anybody listened. */
const TAIL = /^[A-Za-z0-9+/]{40,}\r?$/;

/**
 * Where no cards are given at all (no site key, and none was asked for), a packet whose key is not known is still decoded, by
 * the same strict decoder, so that a bench sees whether its board talks: kind, seq and which channels come how fast. It stays
 * unverified and rejected by "kid", its values are never shown, and a program gets none of it. With a site key, what is not
 * verified is not decoded.
 */
export class Session {
  readonly totals: Totals = {
    lines: 0,
    logs: 0,
    packets: 0,
    verified: 0,
    unchecked: 0,
    fragments: 0,
    rejected: new Map(),
  };
  readonly boards = new Boards();
  private readonly options: SessionOptions;
  private readonly opener: Opener;
  private joining = true;

  constructor(options: SessionOptions) {
    this.options = options;
    const { cards, psks } = options.keyring;
    const publicKeyOf = (kid: string) => cards.get(kid)?.publicKey;
    this.opener = new Opener({ publicKeyOf, pskOf: (kid) => psks.get(kid) }, [nodeCrypto]);
  }

  /** A port was opened anew: the next line may be the end of one. */
  joined(): void {
    this.joining = true;
  }

  /** One line, its bytes as latin1, without LF. `place`: where it stands in a file. */
  line(line: string, place: string | null = null): void {
    this.totals.lines++;
    const first = line.indexOf("~");
    const tail = this.joining && TAIL.test(first < 0 ? line : line.slice(0, first));
    this.joining = false;
    if (tail) this.totals.fragments++;
    else if (first !== 0) this.log(first < 0 ? line : line.slice(0, first));
    if (first < 0) return;
    if (line.lastIndexOf("~") !== first) this.totals.fragments++;
    let message: Uint8Array;
    try {
      message = decodeLine(line)!;
    } catch (error) {
      this.refused(error as Refusal, place);
      return;
    }
    this.message(message, place);
  }

  /** A line that was too long to be kept, bytes. */
  oversize(bytes: number, place: string | null = null): void {
    this.totals.lines++;
    this.joining = false;
    this.refused(refuse("size", `${bytes} bytes without a line end were dropped`), place);
  }

  /** What is not even a message. */
  refused(refusal: Refusal, place: string | null = null): void {
    this.packet({ bytes: null, kid: null, place }, refusal, null, null);
  }

  /** One sealed message. */
  message(bytes: Uint8Array, place: string | null = null): void {
    const { keyring } = this.options;
    let kid: string | null = null;
    try {
      kid = kidText(decodeSealed(bytes).kid);
      const card = keyring.cards.get(kid);
      if (card === undefined) throw refuse("kid", `${kid} has no card in ${keyring.folder}; give --cards DIR`);
      const opening = this.opener.open(bytes);
      const { message } = opening;
      if (message !== null && (identityOf(message) === null) !== (card.role === "gateway")) {
        throw refuse("payload", `a ${message.type} signed by the key of a ${card.role}`);
      }
      this.packet({ bytes: bytes.length, kid, place }, null, message, opening);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const claim = kid !== null && !keyring.given ? claimed(bytes) : null;
      this.packet({ bytes: bytes.length, kid, place }, error, claim, null);
    }
  }

  private log(line: string): void {
    this.totals.logs++;
    const hostTime = this.options.now();
    const { newest } = this.boards;
    const since = hostTime === null || newest?.tickAt == null ? 0 : hostTime - newest.tickAt;
    const deviceTime = newest === null ? null : newest.tick + since;
    this.options.onEntry({ type: "log", ...decodeText(line), hostTime, deviceTime });
  }

  private packet(
    what: Pick<PacketEntry, "bytes" | "kid" | "place">,
    error: Refusal | null,
    message: Message | null,
    opening: Opening | null,
  ) {
    const { totals, boards } = this;
    const hostTime = this.options.now();
    const unchecked = opening?.unchecked ?? null;
    const verified = error === null && unchecked === null;
    totals.packets++;
    if (verified) totals.verified++;
    else if (error === null) totals.unchecked++;
    else totals.rejected.set(error.reason, (totals.rejected.get(error.reason) ?? 0) + 1);
    const { kid } = what;
    const taken = kid === null || message === null ? null : boards.take(kid, message, verified, hostTime);
    const refusal = error === null ? null : { reason: error.reason, detail: error.message };
    const proof = verified && opening !== null ? (opening.seal === "sign" ? "signed" : "mac") : null;
    const again = taken?.again ?? false;
    const boot = taken?.boot ?? null;
    this.options.onEntry({ type: "packet", ...what, hostTime, refusal, proof, unchecked, message, again, boot });
  }
}

function claimed(bytes: Uint8Array): Message | null {
  try {
    const sealed = decodeSealed(bytes);
    if (sealed.mode === "E") return null;
    return decodeMessage(sealed.mode === "S" ? sealed.envelope.payload : sealed.mac0.payload);
  } catch {
    return null;
  }
}
