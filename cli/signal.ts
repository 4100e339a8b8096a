/** A condition that many may wait for: whoever changes something notifies. */
export function createSignal() {
  let waiting: (() => void)[] = [];
  return {
    notify() {
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve();
    },
    /** Resolves false after `limit` ms. */
    async until(condition: () => boolean, limit: number): Promise<boolean> {
      const deadline = Date.now() + limit;
      while (!condition()) {
        const left = deadline - Date.now();
        if (left <= 0) return false;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          waiting.push(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      return true;
    },
  };
}
