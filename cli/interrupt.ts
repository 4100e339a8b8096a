/** Ctrl-C: what runs ends itself, and where it hangs the process ends all the same. */

export const INTERRUPTED = 130;
/** After an interrupt everything has ended by then, ms. */
const LIMIT = 900;

export interface Interrupt {
  /** Has it come? */
  readonly came: boolean;
  readonly signal: "SIGINT" | "SIGTERM" | null;
  /** Resolves when it comes. */
  readonly coming: Promise<void>;
  /** What is done at once where the time is up, just before the process exits: what must not be left open. */
  onLimit(action: () => void): void;
}

/** Listens for SIGINT and SIGTERM. After either, the process exits with 130 within a second, whatever hangs. */
export function listenForInterrupt(): Interrupt {
  let signal: Interrupt["signal"] = null;
  const actions: (() => void)[] = [];
  const coming = new Promise<void>((resolve) => {
    const take = (which: "SIGINT" | "SIGTERM") => {
      signal = which;
      resolve();
      // Whatever hangs: the store commits whole transactions, so it is whole at any moment.
      setTimeout(() => {
        try {
          for (const action of actions) action();
        } finally {
          process.exit(INTERRUPTED);
        }
      }, LIMIT).unref();
    };
    process.once("SIGINT", () => take("SIGINT"));
    process.once("SIGTERM", () => take("SIGTERM"));
  });
  return {
    get came() {
      return signal !== null;
    },
    get signal() {
      return signal;
    },
    coming,
    onLimit: (action) => void actions.push(action),
  };
}
