/**
 * Whether a finger is in an oximeter's light, or an ECG's electrodes are on, in one word, and when that is worth an event.
 * Device side.
 */
import { FLAG_LEAD_OFF, FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../drivers/driver.ts";

/** Of the converter's range: light below it comes back from no finger. */
export const OFF_BODY = 1 / 16;

/**
 * "off": there is no finger. "settling": there is one, or so it seems, and no pulse was found in its light yet, or none any
 * more; or the converter is at its end. "good": there is a pulse, or there was one and motion or a low perfusion hides it.
 * Of electrodes likewise: one of them is off; all are on, and there is no heart rate yet; there is one, or there was one.
 */
export type ContactState = "off" | "settling" | "good";

/**
 * `before`: the state until now, null where nothing was heard of the sensor. `flags`: why the pulse rate is or is not there
 * (Oximetry.pulseFlags); of an ECG FLAG_LEAD_OFF and FLAG_SETTLING alone: too fast a heart is no electrode. `measured`:
 * whether it is.
 */
export function contactOf(before: ContactState | null, flags: number, measured: boolean): ContactState {
  if ((flags & (FLAG_OFF_BODY | FLAG_LEAD_OFF)) !== 0) return "off";
  if ((flags & (FLAG_SETTLING | FLAG_SATURATED)) !== 0) return "settling";
  return measured || before === "good" ? "good" : "settling";
}

/** What event 3 says of a finger's state; of electrodes "off" is FLAG_LEAD_OFF. */
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

/** Events about one contact at once, and us until there may be one more: a loose one is told, and does not fill the record. */
const AT_ONCE = 4;
const ONE_MORE = 10_000_000;

/** What is told of one contact, and what is not yet. */
export interface ContactNews {
  /** As it is; null: nothing is heard of it. */
  state: ContactState | null;
  /** The state, where an event is to tell it now, board clock, us: it is taken for told then. null: none is; what is too much waits. */
  due(now: number): ContactState | null;
}

export function createContactNews(): ContactNews {
  let told: ContactState = "good";
  let left = AT_ONCE;
  /** Since when the time of one more counts. */
  let since = 0;
  const news: ContactNews = {
    state: null,
    due(now) {
      const more = Math.min(Math.floor((now - since) / ONE_MORE), AT_ONCE - left);
      left += more;
      since = left === AT_ONCE ? now : since + more * ONE_MORE;
      const state = news.state;
      if (state === null || left === 0 || !isNews(told, state)) return null;
      told = state;
      left--;
      return state;
    },
  };
  return news;
}
