/**
 * Alarms on the wire (PROTOCOL.md section 2, event 16): ids that never change their meaning, words for displays, and the event's
 * list. Priorities are three, as IEC 60601-1-8 has them; this is evidence towards it, not more. Device side, and in browsers.
 */
import type { Refusal } from "../refusal.ts";
import { type Field, MAX_INTEGER, wrong } from "./check.ts";
import {
  BODY_TEMPERATURES,
  MDC_HEART_RATE,
  MDC_PULSE_RATE,
  MDC_RESPIRATION,
  MDC_RESPIRATION_PLETH,
  MDC_SPO2,
} from "./codes.ts";
import type { Scalar } from "./types.ts";

/** All alarms of the board: its id stands in the events that begin and end a pause. */
export const ALARM_ALL = 0;
/** A vital beyond its limit: 1..31. */
export const ALARM_SPO2_LOW = 1;
export const ALARM_SPO2_HIGH = 2;
export const ALARM_HEART_RATE_LOW = 3;
export const ALARM_HEART_RATE_HIGH = 4;
export const ALARM_PULSE_RATE_LOW = 5;
export const ALARM_PULSE_RATE_HIGH = 6;
export const ALARM_TEMPERATURE_LOW = 7;
export const ALARM_TEMPERATURE_HIGH = 8;
export const ALARM_RESPIRATION_LOW = 9;
export const ALARM_RESPIRATION_HIGH = 10;
/** What the rhythm of the heart is called: 32..63. */
export const ALARM_RHYTHM_ASYSTOLE = 32;
/** Waves that cannot be counted: ventricular fibrillation or flutter, or noise like them. */
export const ALARM_RHYTHM_UNCOUNTABLE = 33;
export const ALARM_RHYTHM_PAUSE = 34;
export const ALARM_RHYTHM_FIBRILLATION = 35;
/** Technical, a vital that is not measured: 64..95. */
export const ALARM_SPO2_MISSING = 64;
export const ALARM_HEART_RATE_MISSING = 65;
export const ALARM_PULSE_RATE_MISSING = 66;
export const ALARM_TEMPERATURE_MISSING = 67;
export const ALARM_RESPIRATION_MISSING = 68;

export const PRIORITY_HIGH = 1;
export const PRIORITY_MEDIUM = 2;
export const PRIORITY_LOW = 3;
/** By priority. */
export const PRIORITY_WORDS = ["", "high", "medium", "low"];

export const ALARM_INACTIVE = 0;
/** The condition holds, and nobody has said that he knows. */
export const ALARM_ACTIVE = 1;
/** The condition has ended unseen: the alarm stands until it is acknowledged. */
export const ALARM_LATCHED = 2;
/** Somebody knows; the condition still holds. */
export const ALARM_ACKNOWLEDGED = 3;
/** It would be active or latched, but alarms are paused. */
export const ALARM_PAUSED = 4;
/** By state. */
export const ALARM_STATE_WORDS = ["inactive", "active", "latched", "acknowledged", "paused"];

/** Longest pause, s. */
export const LONGEST_PAUSE = 120;

export type AlarmKind = "all" | "limit" | "rhythm" | "technical";

function whole(value: Field, minimum: number, maximum: number): value is number {
  return typeof value === "number" && value >= minimum && value <= maximum && Math.floor(value) === value;
}

/** What kind an alarm is, by its id; null: no such id. Ids of a kind may be newer than the words here. */
export function alarmKind(id: number): AlarmKind | null {
  if (id === ALARM_ALL) return "all";
  if (!whole(id, 0, 95)) return null;
  return id < 32 ? "limit" : id < 64 ? "rhythm" : "technical";
}

/** Vitals that have alarms, in the order of the ids: low 1 + 2p, high 2 + 2p, not measured 64 + p. */
const VITALS = ["SpO2", "heart rate", "pulse rate", "temperature", "respiration"];
const RHYTHMS = ["asystole", "waves cannot be counted", "pause", "atrial fibrillation"];

/** Place of a vital in the order of the ids, by its 11073 code; -1: it has no alarms, as a skin's temperature. */
export function alarmVital(mdc: number): number {
  if (BODY_TEMPERATURES.indexOf(mdc) >= 0) return 3;
  if (mdc === MDC_RESPIRATION || mdc === MDC_RESPIRATION_PLETH) return 4;
  return [MDC_SPO2, MDC_HEART_RATE, MDC_PULSE_RATE].indexOf(mdc);
}

/** "SpO2 low", "asystole", "heart rate not measured"; "alarm 77" where this table has no words. */
export function alarmWords(id: number): string {
  const kind = alarmKind(id);
  let words: string | undefined;
  if (kind === "all") words = "all alarms";
  else if (kind === "limit") {
    const vital = VITALS[(id - 1) >> 1];
    if (vital !== undefined) words = vital + (id % 2 === 1 ? " low" : " high");
  } else if (kind === "rhythm") words = RHYTHMS[id - 32];
  else if (kind === "technical" && id - 64 < VITALS.length) words = `${VITALS[id - 64]} not measured`;
  return words ?? `alarm ${id}`;
}

/** A change of an alarm's state, as event 16 tells it. */
export interface AlarmEvent {
  /** ALARM_ALL, or an alarm's id. */
  readonly id: number;
  /** PRIORITY_HIGH, PRIORITY_MEDIUM, PRIORITY_LOW. */
  readonly priority: number;
  /** ALARM_INACTIVE .. ALARM_PAUSED. */
  readonly state: number;
  /** When the condition began, not when its delay was over: us relative to the event's tick x 1000. Of a pause: when it began. */
  readonly dt: number;
  /**
   * Raw value of the channel as it was sent: the one that violates the limit, or the one that ends the alarm. Rhythm: the
   * heart rate then, or null. Technical: null, or the first value again. All: null.
   */
  readonly value: number | null;
  /** Raw value of the channel that is the limit. Rhythm: null. Technical: the blank, s. All: length of the pause, s. */
  readonly limit: number | null;
  /** Id of the vital's channel in the birth, 0..63; of the heart rate's for a rhythm. All: null. */
  readonly channel: number | null;
}

/** What is wrong with it, or null. */
function fault(alarm: AlarmEvent): Refusal | null {
  const kind = alarmKind(alarm.id);
  const value = alarm.value;
  const limit = alarm.limit;
  if (kind === null) return wrong("alarm id", alarm.id, "an integer 0..95");
  if (!whole(alarm.priority, PRIORITY_HIGH, PRIORITY_LOW))
    return wrong("alarm priority", alarm.priority, "an integer 1..3");
  if (!whole(alarm.state, ALARM_INACTIVE, ALARM_PAUSED)) return wrong("alarm state", alarm.state, "an integer 0..4");
  if (!whole(alarm.dt, -MAX_INTEGER, MAX_INTEGER)) return wrong("alarm onset dt", alarm.dt, "an integer of us");
  if (kind === "all") {
    if (alarm.state !== ALARM_INACTIVE && alarm.state !== ALARM_PAUSED)
      return wrong("state of all alarms", alarm.state, "0 or 4");
    if (value !== null) return wrong("value of all alarms", value, "null");
    if (!whole(limit, 1, LONGEST_PAUSE)) return wrong("length of a pause", limit, `an integer 1..${LONGEST_PAUSE}`);
    if (alarm.channel !== null) return wrong("channel of all alarms", alarm.channel, "null");
    return null;
  }
  if (!whole(alarm.channel, 0, 63)) return wrong("alarm channel", alarm.channel, "an integer 0..63");
  if (!whole(value, -MAX_INTEGER, MAX_INTEGER) && (kind === "limit" || value !== null))
    return wrong("alarm value", value, kind === "limit" ? "an integer" : "an integer or null");
  if (kind === "rhythm" && limit !== null) return wrong("limit of a rhythm", limit, "null");
  if (kind === "limit" && !whole(limit, -MAX_INTEGER, MAX_INTEGER)) return wrong("alarm limit", limit, "an integer");
  if (kind === "technical" && !whole(limit, 0, MAX_INTEGER)) return wrong("blank", limit, "an integer of s");
  return null;
}

/** The event's `small`. Throws a Refusal ("payload") that names the field for an alarm that breaks the rules above. */
export function encodeAlarm(alarm: AlarmEvent): Scalar[] {
  const found = fault(alarm);
  if (found !== null) throw found;
  return [alarm.id, alarm.priority, alarm.state, alarm.dt, alarm.value, alarm.limit, alarm.channel];
}

/** The alarm that an event's `small` says; null where it says none by these rules. Never throws. */
export function decodeAlarm(small: Scalar | readonly Scalar[]): AlarmEvent | null {
  if (!Array.isArray(small) || small.length !== 7) return null;
  const alarm: AlarmEvent = {
    id: small[0],
    priority: small[1],
    state: small[2],
    dt: small[3],
    value: small[4],
    limit: small[5],
    channel: small[6],
  };
  return fault(alarm) === null ? alarm : null;
}
