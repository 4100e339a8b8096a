/** When a chip that does not answer is opened again, and when it is given up. Device side. */

/** Waiting before an opening, ms: none before the first after a good run, then this, doubled each time up to the limit. */
export const RETRY_FIRST = 100;
export const RETRY_LIMIT = 2500;
/** A sensor that fails, without a good opening or poll, for so long is given up, ms. It is tried on all the same. */
export const GIVE_UP_AFTER = 30_000;

/** Times are the board's clock, us. */
export interface Retry {
  /** It was given up, and has not come back. */
  readonly givenUp: boolean;
  /** The chip is about to be opened for the first time, or after it was closed. */
  begin(): void;
  /** Waiting before the next opening, ms. */
  delay(): number;
  /** It was opened. */
  opened(now: number): void;
  /** A poll went well; `read`: it brought something. */
  polled(now: number, read: boolean): void;
  /** It failed once more: is it to be given up now? true once, and again only after it came back. */
  failed(now: number): boolean;
}

export function createRetry(): Retry {
  let next = 0;
  let openedAt = 0;
  let failing = false;
  /** Its first failure since it last went well. */
  let failedAt = 0;
  /** The last opening was the first, or something was read after it: else one more of its kind is no sign of life. */
  let proven = true;
  let givenUp = false;
  const good = (): void => {
    failing = false;
    givenUp = false;
  };
  return {
    get givenUp() {
      return givenUp;
    },
    begin() {
      // the opening that comes is the one without a wait
      next = RETRY_FIRST;
      proven = true;
      good();
    },
    delay() {
      const delay = next;
      next = delay === 0 ? RETRY_FIRST : Math.min(2 * delay, RETRY_LIMIT);
      return delay;
    },
    opened(now) {
      openedAt = now;
      if (proven) good();
      proven = false;
    },
    polled(now, read) {
      if (read) proven = true;
      if (!proven) return;
      good();
      // One that comes and goes is not opened at once each time.
      if (now - openedAt >= RETRY_LIMIT * 1000) next = 0;
    },
    failed(now) {
      if (!failing) failedAt = now;
      failing = true;
      if (givenUp || now - failedAt < GIVE_UP_AFTER * 1000) return false;
      givenUp = true;
      return true;
    },
  };
}
