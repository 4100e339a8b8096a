/** An outage in words: how long a silent board keeps what it measures, and how far a board that is back has filled its gap. Pure. */
import type { BoardCounts } from "./feed.ts";
import { capacityWords, countWords, longSpanWords } from "./words.ts";

/** Silence from which on a board counts as offline, and not as late by a message; ms. */
const OFFLINE = 10_000;
/** So long after the last message that filled a gap a board still counts as catching up, ms. */
const PAUSE = 30_000;
/** So long it is said that a gap is closed, ms. */
const PRAISE = 60_000;
/** Time over which the speed of a backfill is taken, ms; over less than LEAST it says nothing. */
const BASIS = 60_000;
const LEAST = 5000;

/** "14:07:05", by this browser's clock and place. */
const clockWords = (ms: number) => new Date(ms).toLocaleTimeString("en-GB");

/** What a board's birth promises: "keeps 5.2 h offline"; empty: nothing. `offline`: its claim, s. */
export const keepsWords = (offline: number | undefined) =>
  offline === undefined ? "" : `keeps ${capacityWords(offline)} offline`;

/**
 * Of a board that is not heard since `heardAt`: since when, and until when it keeps all of it. `behind`: some of the time before
 * is still on the board alone, so that less room is left. Empty where the silence is short. All times ms since the epoch.
 */
export function offlineWords(
  offline: number | undefined,
  heardAt: number | null,
  now: number,
  behind: boolean,
): string {
  if (heardAt === null || now - heardAt < OFFLINE) return "";
  const since = `last heard at ${clockWords(heardAt)}`;
  if (offline === undefined) return since;
  const full = heardAt + offline * 1000;
  const keeps = `${since}\nif it runs, it keeps ${capacityWords(offline)}`;
  if (now >= full) return `${keeps}: since ${clockWords(full)} its oldest waveforms are being lost`;
  const most = behind ? "at most " : "";
  return `${keeps}: no waveform is lost before ${clockWords(full)}, in ${most}${longSpanWords(full - now)}`;
}

/** Fewer are missing for a moment wherever one is lost on the way: the count at the foot has them. */
const MANY = 10;

/** Where a board stands; "lossy": done, but for what it has declared lost. */
export type Filling = "none" | "filling" | "done" | "lossy";

/** A gap as it closes, from what the gateway counts. */
export class CatchUp {
  private counts: BoardCounts | null = null;
  /** When the newest message that filled a gap came, by this page's clock, ms since the epoch. */
  private filledAt = Number.NEGATIVE_INFINITY;
  private doneAt = Number.NEGATIVE_INFINITY;
  private basis: { readonly at: number; readonly missing: number }[] = [];

  /** Takes counts that came at `now`; `ahead`: this page's clock less the gateway's, ms. */
  take(counts: BoardCounts, now: number, ahead: number): void {
    const was = this.state(now) === "filling";
    const before = this.missing;
    this.counts = counts;
    if (counts.backfill !== null) this.filledAt = counts.backfill.at + ahead;
    const { missing } = this;
    // A short one is filled before anybody could say so.
    if ((was || before >= MANY) && missing === 0) this.doneAt = now;
    // The time before the first of them came, and a gap that opens, are no speed.
    const last = this.basis.at(-1);
    if (!was || (last !== undefined && missing > last.missing + 1)) this.basis = [];
    this.basis = [...this.basis, { at: now, missing }].filter(({ at }) => now - at <= BASIS);
  }

  /** Messages that are missing without a word, of any boot. */
  get missing(): number {
    return this.counts === null ? 0 : this.counts.missing + this.counts.earlierMissing;
  }

  /** Messages that the board has declared lost, of any boot. */
  private get lost(): number {
    return this.counts === null ? 0 : this.counts.declared + this.counts.earlierDeclared;
  }

  state(now: number): Filling {
    if (this.missing > 0) return now - this.filledAt <= PAUSE ? "filling" : "none";
    return now - this.doneAt > PRAISE ? "none" : this.lost > 0 ? "lossy" : "done";
  }

  /**
   * "catching up: 3 h 12 min behind, about 25 min left", at first "11 520 messages left"; "11 520 messages missing" where none of
   * them comes; empty: there is nothing to say.
   */
  words(now: number): string {
    const state = this.state(now);
    if (state === "none" && this.missing >= MANY) return `${countWords(this.missing)} messages missing`;
    if (state === "none" || this.counts === null) return "";
    if (state === "done") return "caught up: nothing is missing";
    if (state === "lossy") return `caught up, ${countWords(this.lost)} declared lost`;
    const { age = null, boot = 0 } = this.counts.backfill ?? {};
    const where = age === null ? `in boot ${boot}` : `${longSpanWords(age)} behind`;
    // The count stands at the foot too: there is little room beside the state.
    const { missing, left } = this;
    const rest =
      left === null ? `${countWords(missing)} message${missing === 1 ? "" : "s"}` : `about ${longSpanWords(left)}`;
    return `catching up: ${where}, ${rest} left`;
  }

  /** Until all is here at the speed of the last minute, ms; null: not known. */
  private get left(): number | null {
    const first = this.basis[0];
    const last = this.basis.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < LEAST) return null;
    const speed = (first.missing - last.missing) / (last.at - first.at);
    return speed > 0 ? last.missing / speed : null;
  }
}
