/** One side of a vital: values beyond a limit for as long as a delay, values inside it again. Device side. */
import type { ChannelDefinition } from "../../protocol/messages.ts";
import type { CheckedLimits } from "./settings.ts";
import type { AlarmStates, Entry } from "./states.ts";

export interface Side {
  readonly entry: Entry;
  /** -1: low, 1: high. */
  readonly sign: number;
  on: boolean;
  /** Raw: the limit, and from where on a value is back inside. */
  limit: number;
  inside: number;
  /** us */
  delay: number;
  /** Values beyond the limit in a row, nulls left out; time of the first of them; the last of them and its time. */
  beyond: number;
  since: number;
  last: number;
  lastAt: number;
  /** Values in a row that are back inside. */
  back: number;
}

/** So many values in a row inside the limit end an alarm. */
const CLEARING = 2;
/** How old the last value beyond the limit may be when the delay is over, us. */
const FRESH = 3000000;
const MICROSECONDS = 1000000;
const KELVIN = 27315 / 100;

export const makeSide = (entry: Entry, sign: number): Side => ({
  entry,
  sign,
  on: false,
  limit: 0,
  inside: 0,
  delay: 0,
  beyond: 0,
  since: 0,
  last: 0,
  lastAt: 0,
  back: 0,
});

/** A difference in the vital's unit as one of the channel's raw values, not rounded. */
const rawOf = (definition: ChannelDefinition, difference: number): number => {
  let raw = difference;
  for (let i = definition.exp10; i < 0; i++) raw *= 10;
  for (let i = definition.exp10; i > 0; i--) raw /= 10;
  return raw / definition.mul;
};

const isBeyond = (side: Side, raw: number): boolean => (side.sign < 0 ? raw < side.limit : raw > side.limit);

/** Sets limit and delay. A condition that the last value does not meet by the new limit has not begun. */
export function setSide(side: Side, definition: ChannelDefinition, settings: CheckedLimits): void {
  const value = side.sign < 0 ? settings.low : settings.high;
  side.on = value !== null;
  side.delay = settings.delay * MICROSECONDS;
  side.back = 0;
  if (value !== null) {
    const offset = definition.ucum === "K" ? KELVIN : 0;
    side.limit = Math.round(rawOf(definition, value + offset) - definition.offset);
    const margin = rawOf(definition, settings.hysteresis);
    side.inside = side.limit - side.sign * (margin > 0 ? Math.max(1, Math.round(margin)) : 0);
    if (side.entry.holds) side.entry.limit = side.limit;
  }
  if (!side.on || !isBeyond(side, side.last)) side.beyond = 0;
}

const begin = (side: Side, states: AlarmStates, now: number): void => {
  states.begin(side.entry, side.since, side.last, side.limit, now);
  side.beyond = 0;
  side.back = 0;
};

/** A value of the patient, raw. */
export function takeSide(side: Side, states: AlarmStates, raw: number, now: number): void {
  const beyond = isBeyond(side, raw);
  if (side.entry.holds) {
    if (beyond) side.entry.value = raw;
    side.back = (side.sign < 0 ? raw >= side.inside : raw <= side.inside) ? side.back + 1 : 0;
    if (side.back >= CLEARING) states.end(side.entry, raw, now);
    return;
  }
  if (!beyond) {
    side.beyond = 0;
    return;
  }
  if (side.beyond === 0) side.since = now;
  side.beyond++;
  side.last = raw;
  side.lastAt = now;
  if (now - side.since >= side.delay) begin(side, states, now);
}

/** The delay may be over, with no value just then. */
export function updateSide(side: Side, states: AlarmStates, now: number): void {
  if (side.beyond > 1 && now - side.since >= side.delay && now - side.lastAt <= FRESH) begin(side, states, now);
}
