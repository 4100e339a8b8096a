/** What a board does not end, a doctor does not wait for. Device side. */
import type { Board } from "../../boards/board.ts";
import { type Finding, notGood } from "./finding.ts";

/** How long a scan, an opening, a self-test and a close may take, ms. */
const LIMIT = 10000;

/** Calls `done` once: when `start` does, or after the limit with `late`. */
export const within = (board: Board, start: (end: () => void) => void, done: (late: boolean) => void): void => {
  let over = false;
  const end = (late: boolean): void => {
    if (over) return;
    over = true;
    cancel();
    done(late);
  };
  const cancel = board.timer(LIMIT, () => end(true));
  start(() => end(false));
};

export const unfinished = (what: string): Finding =>
  notGood(
    "bad",
    what,
    `no end within ${LIMIT / 1000} s`,
    null,
    "the board or its bus hangs: switch the board off and on, and run it again",
  );
