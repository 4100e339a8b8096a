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
}

/** Listens for SIGINT and SIGTERM. After either, the process exits with 130 within a second, whatever hangs. */
export function listenForInterrupt(): Interrupt {
  let signal: Interrupt["signal"] = null;
  const coming = new Promise<void>((resolve) => {
    const take = (which: "SIGINT" | "SIGTERM") => {
      signal = which;
      resolve();
      // Whatever hangs: the store commits whole transactions, so it is whole at any moment.
      setTimeout(() => process.exit(INTERRUPTED), LIMIT).unref();
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
  };
}
