/** How fast one device may send over one way: a bucket of tokens each. */

export interface Rate {
  /** Messages a second, and in a burst. */
  readonly perSecond: number;
  readonly burst: number;
}

/** Takes a token of `key` at `now`, ms; false: there is none. A clock that was set back fills no bucket. */
export function createRateLimit({ perSecond, burst }: Rate): (key: string, now: number) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (key, now) => {
    const bucket = buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
}
