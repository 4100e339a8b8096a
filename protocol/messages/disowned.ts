/** Event 8 (PROTOCOL.md section 2.4): messages that will never come, and why. Device side, and in browsers. */
import { EVENT_DISOWNED } from "./codes.ts";
import type { EventMessage, Scalar } from "./types.ts";

/** The outbox was full. */
export const DISOWNED_EVICTED = 1;
/** The boot ended without a goodbye. */
export const DISOWNED_POWER = 2;
/** The flash gave back something else than was written. */
export const DISOWNED_DAMAGED = 3;
/** By reason. */
export const DISOWNED_WORDS = ["", "outbox full", "power cut", "damaged in flash"];

/** One past the highest seq. */
const SEQS = 4294967296;

export interface Disowned {
  readonly boot: number;
  readonly first: number;
  readonly count: number;
  /** 1..3; a reader takes any. */
  readonly reason: number;
  /**
   * Of reason 2: the board was alive at this tick of that boot, ms, and ran less than `within` ms longer. null: not known, or
   * another reason.
   */
  readonly end: { readonly tick: number; readonly within: number } | null;
}

/** The event's list. */
export function encodeDisowned(disowned: Disowned): Scalar[] {
  const small: Scalar[] = [disowned.boot, disowned.first, disowned.count, disowned.reason];
  if (disowned.reason === DISOWNED_POWER) {
    const end = disowned.end;
    small.push(end === null ? null : end.tick);
    small.push(end === null ? null : end.within);
  }
  return small;
}

const isBelow = (value: unknown, limit: number): value is number =>
  typeof value === "number" && value >= 0 && value < limit;

/** null: the event is another one, or does not have that form: then it disowns nothing. */
export function decodeDisowned(event: EventMessage): Disowned | null {
  const small = event.small;
  if (event.code !== EVENT_DISOWNED || !Array.isArray(small) || (small.length !== 4 && small.length !== 6)) return null;
  const boot = small[0];
  const first = small[1];
  const count = small[2];
  const reason = small[3];
  if (!isBelow(boot, SEQS) || !isBelow(first, SEQS) || !isBelow(count, SEQS + 1) || !isBelow(reason, 256)) return null;
  if (count === 0 || first + count > SEQS) return null;
  const one = { boot: boot, first: first, count: count, reason: reason };
  if (small.length === 4) return Object.assign(one, { end: null });
  const tick = small[4];
  const within = small[5];
  if (tick === null && within === null) return Object.assign(one, { end: null });
  if (!isBelow(tick, 9007199254740992) || !isBelow(within, 9007199254740992)) return null;
  return Object.assign(one, { end: { tick: tick, within: within } });
}
