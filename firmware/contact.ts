/** Whether a finger is in an oximeter's light, in one word, and when that is worth an event. Device side. */
import { FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../drivers/driver.ts";

/** Of the converter's range: light below it comes back from no finger. */
export const OFF_BODY = 1 / 16;

/**
 * "off": there is no finger. "settling": there is one, or so it seems, and no pulse was found in its light yet, or none any
 * more; or the converter is at its end. "good": there is a pulse, or there was one and motion or a low perfusion hides it.
 */
export type ContactState = "off" | "settling" | "good";

/**
 * `before`: the state until now, null where nothing was heard of the sensor. `flags`: why the pulse rate is or is not there
 * (Oximetry.pulseFlags). `measured`: whether it is.
 */
export function contactOf(before: ContactState | null, flags: number, measured: boolean): ContactState {
  if ((flags & FLAG_OFF_BODY) !== 0) return "off";
  if ((flags & (FLAG_SETTLING | FLAG_SATURATED)) !== 0) return "settling";
  return measured || before === "good" ? "good" : "settling";
}

/** What event 3 says of a state. */
export function contactFlags(state: ContactState): number {
  if (state === "off") return FLAG_OFF_BODY;
  return state === "settling" ? FLAG_SETTLING : 0;
}

/**
 * Whether an event tells it, where the last one told `told` ("good" where there was none): that a finger is gone, and then
 * each state until all is good again. A pulse that hides for a while is in the flags of the values alone.
 */
export function isNews(told: ContactState, state: ContactState | null): boolean {
  return state !== null && state !== told && (state === "off" || told !== "good");
}

/** The least good of two; null where neither is known. */
export function leastContact(one: ContactState | null, other: ContactState | null): ContactState | null {
  if (one === null || other === null) return one ?? other;
  if (one === "off" || other === "off") return "off";
  return one === "settling" ? one : other;
}
