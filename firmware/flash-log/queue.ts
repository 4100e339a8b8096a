/**
 * What is to be done with the flash, one small operation after the other, so that a board that samples is never held for
 * longer than one of them. Device side.
 */

export interface Queue {
  readonly idle: boolean;
  /** To be done when all before it is: it puts its operations in front. */
  add(task: () => void): void;
  /** Operations that come before all others. Each does one thing to the flash at most, or puts others in front. */
  first(operations: (() => void)[]): void;
  /** An operation that holds the board long, as an erasure does: when the moment is good, or after a while. */
  holding(operation: () => void): (() => void)[];
  /** Looks whether there is something to do. */
  wake(): void;
  /** The buffers of the chips are empty: the moment to be held. */
  calm(): void;
}

export interface QueueOptions {
  /** Calls back in a later turn; as Board.timer. */
  readonly timer: (ms: number, callback: () => void) => () => void;
  /** Is there something that goes before every task? */
  readonly isPressed: () => boolean;
  readonly relieve: () => void;
  /** An operation threw: nothing more is done. */
  readonly onFailed: (error: Error) => void;
}

/** Between two operations, ms: after a long one the chips' buffers have to be emptied. */
const AFTER_SHORT = 1;
const AFTER_LONG = 60;
/** How long a long one waits for a good moment, ms. */
const CALM_WITHIN = 300;

export function createQueue(options: QueueOptions): Queue {
  let operations: (() => void)[] = [];
  const tasks: (() => void)[] = [];
  let failed = false;
  let scheduled = false;
  let pause = AFTER_SHORT;
  let wantsCalm = false;
  let cancelTurn = (): void => {};

  const wake = (): void => {
    if (scheduled || failed || (operations.length === 0 && tasks.length === 0 && !options.isPressed())) return;
    scheduled = true;
    cancelTurn = options.timer(pause, turn);
    pause = AFTER_SHORT;
  };
  const turn = (): void => {
    scheduled = false;
    if (failed) return;
    try {
      if (operations.length === 0) {
        if (options.isPressed()) options.relieve();
        else if (tasks.length > 0) tasks.shift()!();
      }
      const operation = operations.shift();
      if (operation !== undefined) operation();
    } catch (error) {
      failed = true;
      options.onFailed(error as Error);
      return;
    }
    wake();
  };

  return {
    get idle() {
      return operations.length === 0 && tasks.length === 0;
    },
    add(task) {
      tasks.push(task);
      wake();
    },
    first(more) {
      operations = more.concat(operations);
    },
    holding: (operation) => [
      () => {
        wantsCalm = true;
        pause = CALM_WITHIN;
      },
      () => {
        wantsCalm = false;
        operation();
        pause = AFTER_LONG;
      },
    ],
    wake: wake,
    calm() {
      if (!wantsCalm || !scheduled) return;
      wantsCalm = false;
      cancelTurn();
      cancelTurn = options.timer(0, turn);
    },
  };
}
