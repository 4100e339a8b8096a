/** Whether there is a finger in the light of an oximeter, and the converter is not at its end. */
import { FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";

export interface ContactOptions {
  /** Infrared counts below which there is no finger. */
  readonly offBodyBelow: number;
  /** Counts of either light from which on the converter is at its end. */
  readonly saturatedAbove: number;
  /** How many blocks of good light must pass before it is measured: a finger is still being put down. */
  readonly landing: number;
}

export interface Contact {
  /** What some samples of both lights, or of infrared alone, say: off body, saturated, or 0. One sample is enough. */
  look(red: Int32Array | null, infrared: Int32Array): number;
  /** The next block, of which `look` said this. What is to be said of the light: off body, saturated, settling, or 0. */
  land(seen: number): number;
  reset(): void;
}

/** Throws Error (option, value) unless 0 < offBodyBelow < saturatedAbove. */
export function createContact(options: ContactOptions): Contact {
  const offBodyBelow = options.offBodyBelow;
  const saturatedAbove = options.saturatedAbove;
  if (!(offBodyBelow > 0 && offBodyBelow < saturatedAbove))
    throw new Error(
      `oximeter: offBodyBelow ${offBodyBelow} must be above 0 and below saturatedAbove ${saturatedAbove}`,
    );
  let landing = 0;
  /** Why it is landing. */
  let reason = 0;

  const highest = (light: Int32Array): number => Math.max.apply(null, light as unknown as number[]);
  const look = (red: Int32Array | null, infrared: Int32Array): number => {
    if (infrared.length === 0) return 0;
    if (highest(infrared) >= saturatedAbove || (red !== null && highest(red) >= saturatedAbove)) return FLAG_SATURATED;
    return Math.min.apply(null, infrared as unknown as number[]) < offBodyBelow ? FLAG_OFF_BODY : 0;
  };
  const reset = (): void => {
    // contact is believed until light says otherwise
    landing = options.landing;
    reason = FLAG_SETTLING;
  };
  reset();
  return {
    look,
    land: (seen) => {
      if (seen !== 0) {
        landing = options.landing;
        reason = seen === FLAG_SATURATED ? seen : FLAG_SETTLING;
        return seen;
      }
      if (landing > 0) landing--;
      return landing > 0 ? reason : 0;
    },
    reset,
  };
}
