/** Why a monitor has nothing to show, in one sentence: a judgement from counts and time alone. */
import type { Reason } from "../../protocol/refusal.ts";

/** What came since the port was opened, or from a file. */
export interface Evidence {
  readonly bytes: number;
  /** Characters of UTF-8 that the bytes gave, and those among them that no text has: controls and undecodable bytes. */
  readonly characters: number;
  readonly odd: number;
  /** Log lines. */
  readonly logs: number;
  /** Packets, and what was taken for one. */
  readonly packets: number;
  readonly verified: number;
  /** Packets in modes M and E whose key is not here. */
  readonly unchecked: number;
  readonly rejected: ReadonlyMap<Reason, number>;
  /** When the last byte and the last packet whose frame was whole arrived, ms since the opening; null: none, or a file. */
  readonly byteAt: number | null;
  readonly wholeAt: number | null;
}

export interface Where {
  /** Path of the port or the file. */
  readonly name: string;
  /** Bits a second; null: a file. */
  readonly baud: number | null;
  /** Folder of the cards; null: none were given. */
  readonly cards: string | null;
}

export type Finding = {
  readonly kind: "silence" | "baud" | "noise" | "text" | "damaged" | "keys" | "strange" | "quiet" | "stopped";
  readonly sentence: string;
};

/** A board sends every second: so long a port may show nothing before it is said why, ms. */
export const PATIENCE = 3000;
/** So long a board that was heard may be quiet, ms. */
export const QUIET = 5000;
/** So long text may come without packets; a birth is repeated every 10 s, ms. */
export const STOPPED = 15_000;
/** Share of characters that no text has, above which the bytes are no text. */
const ODD_SHARE = 0.15;
const COMMON_BAUDS = [9600, 57_600, 115_200, 230_400, 460_800, 921_600];
const FRAME: readonly Reason[] = ["size", "base64", "crc"];
const KEYS: readonly Reason[] = ["kid", "signature"];

/** `elapsed`: ms since the port was opened; a file that was read to its end: Infinity. null: nothing to complain of, or too early. */
export function diagnose(evidence: Evidence, elapsed: number, where: Where): Finding | null {
  if (elapsed < PATIENCE) return null;
  const { bytes, characters, odd, logs, packets, verified, rejected } = evidence;
  const { name } = where;
  const port = where.baud !== null;
  const of = (reasons: readonly Reason[]) => reasons.reduce((sum, reason) => sum + (rejected.get(reason) ?? 0), 0);
  const whole = packets - of(FRAME);
  if (bytes === 0) {
    return {
      kind: "silence",
      sentence: port
        ? `${name}: nothing arrives; is the board powered and running, is this its port, is its TX wired to RX?`
        : `${name}: the file is empty`,
    };
  }
  if (whole > 0) {
    if (port && evidence.byteAt !== null && elapsed - evidence.byteAt > QUIET) {
      const seconds = Math.floor((elapsed - evidence.byteAt) / QUIET) * (QUIET / 1000);
      return {
        kind: "quiet",
        sentence: `${name}: nothing for ${seconds} s; has the board stopped, or lost its power?`,
      };
    }
    if (port && evidence.wholeAt !== null && elapsed - evidence.wholeAt > STOPPED) {
      return {
        kind: "stopped",
        sentence: `${name}: no packet any more, only other bytes; was the board reset, or has its console taken the port?`,
      };
    }
    if (verified > 0) return null;
    if (evidence.unchecked > 0) {
      return {
        kind: "keys",
        sentence: `${name}: packets come that a shared key proves, and it is not here; give --keys DIR (the folder with keys/KID.psk)`,
      };
    }
    return of(KEYS) > 0 ? keys(evidence, where) : strange(name, rejected);
  }
  if (odd > characters * ODD_SHARE) return wrongBaud(where, Math.round((100 * odd) / characters));
  if (packets > 0) {
    return {
      kind: "damaged",
      sentence: `${name}: packets begin but none arrives whole (${words(rejected)}); is the cable loose, or does another program read the port too?`,
    };
  }
  if (logs === 0) {
    return {
      kind: "noise",
      sentence: port
        ? `${name}: ${bytes} bytes and no line end; another protocol, or the wrong baud rate? Try ${bauds(where)}`
        : `${name}: ${bytes} bytes and no line end; is it a capture?`,
    };
  }
  return {
    kind: "text",
    sentence: port
      ? `${name}: text but no packets; is other firmware on the board, or has its console the port? Reset the board, or flash it`
      : `${name}: text but no packets; was it recorded from a vitalwire board?`,
  };
}

function keys({ rejected }: Evidence, { name, cards }: Where): Finding {
  const sentence =
    cards === null
      ? `${name}: packets come, but there are no cards to check them with; give --cards DIR (the folder with site.pub and cards/)`
      : (rejected.get("kid") ?? 0) > 0
        ? `${name}: packets come, but no card in ${cards} is for their key; enrol the board, or give another --cards DIR`
        : `${name}: packets come, but no signature holds; is the card in ${cards} of this board's key?`;
  return { kind: "keys", sentence };
}

function strange(name: string, rejected: ReadonlyMap<Reason, number>): Finding {
  const sentence = `${name}: packets come whole, but none is as VSP/1 has it (${words(rejected)}); is the firmware of another version?`;
  return { kind: "strange", sentence };
}

function wrongBaud(where: Where, share: number): Finding {
  const { name, baud } = where;
  const sentence =
    baud === null
      ? `${name}: ${share} % of it is no text; is it a capture?`
      : `${name}: ${share} % of what comes is no text; ${baud} baud is probably wrong: try ${bauds(where)}`;
  return { kind: "baud", sentence };
}

function bauds({ baud }: Where): string {
  const others = COMMON_BAUDS.filter((one) => one !== baud);
  return `--baud ${others.slice(0, -1).join(", ")} or ${others.at(-1)}`;
}

/** Refusals in words, the most frequent first. */
export function words(rejected: ReadonlyMap<Reason, number>): string {
  const sorted = [...rejected].sort((a, b) => b[1] - a[1]);
  return sorted.map(([reason, count]) => `${reason} ${count}`).join(", ");
}

/** Characters that no text has: controls but tab, line ends and escape; what does not decode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is counted
const ODD = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]/g;

/** Counts bytes as they come. */
export class ByteCounter {
  private readonly decoder = new TextDecoder();
  bytes = 0;
  characters = 0;
  odd = 0;

  take(chunk: Uint8Array): void {
    const text = this.decoder.decode(chunk, { stream: true });
    this.bytes += chunk.length;
    this.characters += text.length;
    this.odd += text.match(ODD)?.length ?? 0;
  }
}
