/** What an outbox has still to tell, and what it keeps of itself over reboots. Device side. */
import type { Storage } from "../boards/board.ts";
import { type AckMessage, DISOWNED_POWER } from "../protocol/messages.ts";
import { createMarks, type Marks } from "./acks.ts";
import { addRun, MAX_SEQ, type Run, readOutboxState, unsettledRuns, writeOutboxState } from "./gone.ts";

export interface Ledger {
  /** What had to go and is not told. */
  readonly gone: readonly Run[];
  /** The newest boot whose remains are signed. */
  readonly signed: number;
  readonly marks: Marks;
  /**
   * Takes over what the boot before left; `lastOf` says what the log has of it. Where it did not say itself that it ended, how
   * it ended is to be told.
   */
  begin(within: number | null, lastOf: (boot: number) => { readonly seq: number; readonly at: number } | null): void;
  lose(run: Run): void;
  /**
   * Gives what can be told: of a run what lies below the lowest seq that still waits, where that is all or much of it.
   * `powerOnly`: of reason 2 alone.
   */
  take(powerOnly: boolean, lowestOf: (run: Run) => number | null): readonly Run[];
  /** It is told by an event that a power cut would take. */
  telling(run: Run): void;
  /** The event that tells it is durable, or settled. */
  told(run: Run): void;
  /** The event that told it had to go. */
  untold(run: Run): void;
  /** The manifest over what earlier boots left is durable, or settled. */
  signs(boot: number): void;
  /** Forgets what is gone and settled: it was sent before it went. */
  settle(ack: AckMessage): void;
  /** The log has failed: no sign of life is kept from here on. */
  withoutLog(): void;
  keep(): void;
  /** Nothing more is sealed, and nothing waits in RAM alone. */
  end(): void;
}

/**
 * Seqs that are worth an event of their own. Half of what an ack reaches: what waits within its reach is settled without, so
 * that what is told can always go on.
 */
const MUCH = 128;

/** `boot`: the current one; `most`: runs that are held apart. Throws Error where the record is damaged. */
export function createLedger(storage: Storage, boot: number, most: number): Ledger {
  const before = readOutboxState(storage);
  const marks = createMarks(before === null ? [] : before.levels);
  let gone: Run[] = before === null ? [] : before.runs.concat();
  /** Told by events that are in RAM alone. */
  let told: Run[] = [];
  let signed = before === null ? boot - 1 : before.signed;
  let within: number | null = null;
  let ended = false;

  const keep = (): void =>
    writeOutboxState(storage, {
      boot: boot,
      ended: ended,
      within: within,
      signed: signed,
      runs: gone.concat(told),
      levels: marks.levels,
    });
  const lose = (run: Run): void => {
    gone = addRun(gone, run, most);
  };
  const forget = (run: Run): void => {
    told = told.filter((one) => one !== run);
  };
  return {
    get gone() {
      return gone;
    },
    get signed() {
      return signed;
    },
    marks: marks,
    begin(bound, lastOf) {
      within = bound;
      if (before !== null && before.boot < boot && !before.ended) {
        const last = lastOf(before.boot);
        const first = last === null ? 0 : last.seq + 1;
        const end = last === null || before.within === null ? null : { tick: last.at * 100, within: before.within };
        lose({ boot: before.boot, first: first, last: MAX_SEQ, reason: DISOWNED_POWER, end: end });
      }
      keep();
    },
    lose: lose,
    take(powerOnly, lowestOf) {
      const some: Run[] = [];
      const left: Run[] = [];
      for (let i = 0; i < gone.length; i++) {
        const run = gone[i];
        const lowest = powerOnly && run.reason !== DISOWNED_POWER ? run.first : lowestOf(run);
        if (lowest === null) some.push(run);
        else if (lowest - run.first < MUCH) left.push(run);
        else {
          some.push(Object.assign({}, run, { last: lowest - 1 }));
          left.push(Object.assign({}, run, { first: lowest }));
        }
      }
      gone = left;
      return some;
    },
    telling(run) {
      told.push(run);
    },
    told(run) {
      forget(run);
      keep();
    },
    untold(run) {
      forget(run);
      lose(run);
    },
    signs(newest) {
      signed = Math.max(signed, newest);
      keep();
    },
    settle(ack) {
      const left = unsettledRuns(gone, ack);
      const changed = left.length !== gone.length;
      gone = left;
      if (changed && within !== null) keep();
    },
    withoutLog() {
      within = null;
    },
    keep: keep,
    end() {
      ended = true;
      keep();
    },
  };
}
