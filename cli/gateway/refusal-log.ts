/** Refusals for a person to read: each sentence once, then how often it came again; as many sentences as fit. */

/** Sentences between two summaries; others can make as many as they like. */
const SENTENCES = 50;

export interface RefusalLog {
  add(sentence: string): void;
  /** Tells what came again since the last time, and begins anew: to be called about once a minute. */
  summarize(): void;
}

export function createRefusalLog(say: (line: string) => void): RefusalLog {
  /** By sentence, how often it came after it was told. */
  const again = new Map<string, number>();
  let more = 0;
  return {
    add(sentence) {
      const count = again.get(sentence);
      if (count !== undefined) again.set(sentence, count + 1);
      else if (again.size < SENTENCES) {
        again.set(sentence, 0);
        say(sentence);
      } else more++;
    },
    summarize() {
      for (const [sentence, count] of again) if (count > 0) say(`${sentence} (${count} times more)`);
      if (more > 0) say(`${more} other refusals`);
      again.clear();
      more = 0;
    },
  };
}
