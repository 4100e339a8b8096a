import fc from "fast-check";

/** Evenly spread over [low, high]: `fc.double` draws representations, nearly all of them close to zero. */
export function uniform(low: number, high: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 10_000 }).map((step) => low + ((high - low) * step) / 10_000);
}
