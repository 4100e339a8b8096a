/** What is given to a board on the page, and what comes of it (board.ts). */
import type { Role } from "./scales.ts";

/** Where a message came from and when, ms since the epoch by this page's clock. */
export interface Arrival {
  /** At the page; for what was stored before, when it came to the gateway. */
  readonly at: number;
  /** It came as it was stored; else it was stored before the page was there. */
  readonly live: boolean;
}

export type State = "waiting" | "live" | "stopped" | "late" | "lost";

/** New samples of one sweep. */
export interface Span {
  readonly role: Role;
  /** Board time of the first and the last one, us. */
  readonly first: number;
  readonly last: number;
}

export interface Taken {
  /** The board was started anew: what is drawn belongs to an earlier boot. */
  readonly reborn: boolean;
  readonly spans: readonly Span[];
  /** Samples came for a time that is drawn already, or it is known now why there are none. */
  readonly backfill: boolean;
  /** It tells of a time before: what is so now it does not change, and nobody need see it at once. */
  readonly past: boolean;
}
