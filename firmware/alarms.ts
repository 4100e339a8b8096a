/**
 * Alarm conditions on the board, from the values that are sent: a vital beyond its limit for as long as its delay, a rhythm that
 * has a name, a vital that is not measured. Every change of an alarm's state is told once (PROTOCOL.md section 2.2).
 *
 * What a missing value does: nothing, to limits and rhythms. An alarm ends by values inside its limit again, never by null, by
 * silence, or because a signal begins anew. A delay runs on through nulls; the alarm then begins with the next value beyond the
 * limit, or when the delay is over if two values were beyond it and the last of them is at most 3 s old. A value of a test signal
 * is none; a temperature that is still settling begins no alarm of a low one, and ends none. That a vital is missing is a technical alarm of its own:
 * it needs one value first, for a sensor that was never applied is not missed, and ends with the next value.
 * After a reboot nothing is known: no alarm, no latch, no acknowledgement, no pause is carried over, and delays begin anew.
 * Device side.
 */
import { FLAG_BUS_FAULT, FLAG_LEAD_OFF, FLAG_OFF_BODY, FLAG_SETTLING, FLAG_TEST_SIGNAL } from "../drivers/driver.ts";
import {
  ALARM_INACTIVE,
  ALARM_RHYTHM_ASYSTOLE,
  ALARM_RHYTHM_FIBRILLATION,
  ALARM_RHYTHM_PAUSE,
  ALARM_RHYTHM_UNCOUNTABLE,
  ALARM_SPO2_LOW,
  ALARM_SPO2_MISSING,
  type AlarmEvent,
  alarmVital,
  type ChannelDefinition,
  MDC_HEART_RATE,
  PRIORITY_LOW,
} from "../protocol/messages.ts";
import { makeSide, type Side, setSide, takeSide, updateSide } from "./alarms/limits.ts";
import { type RhythmWatch, takeHeartRate, tellRhythm, watchRhythm } from "./alarms/rhythms.ts";
import {
  type AlarmSettings,
  type CheckedLimits,
  checkLimits,
  checkPriority,
  type LimitSettings,
  type RhythmSettings,
  settingsOf,
} from "./alarms/settings.ts";
import { type Alarm, alarmOf, createAlarmStates, type Entry, type OnAlarm } from "./alarms/states.ts";
import { RHYTHM_ASYSTOLE, RHYTHM_FIBRILLATION, RHYTHM_PAUSE, RHYTHM_UNCOUNTABLE } from "./dsp/rhythm.ts";

export type { AlarmSettings, LimitSettings } from "./alarms/settings.ts";
export { ADULT_ALARMS } from "./alarms/settings.ts";
export type { Alarm, OnAlarm } from "./alarms/states.ts";

export interface Alarms {
  /** A value of a channel as it is sent, raw, or null, with its flags; `now`: board clock, us, never going back. */
  take(channel: number, raw: number | null, flags: number, now: number): void;
  /** What dsp/rhythm.ts tells. */
  rhythm(state: number, onset: number, end: number | null): void;
  /** Looks at what time alone changes: delays, blanks, the end of a pause. Call it once a second, after the values. */
  update(now: number): void;
  /** Somebody knows of all alarms with this id; returns how many there were. */
  acknowledge(id: number, now: number): number;
  acknowledgeAll(now: number): number;
  /**
   * No alarm is active for so many s, a whole number, at most 120; it ends by itself, or by 0. Returns false, and changes
   * nothing, within a pause: it cannot be made longer. Throws Error for another length.
   */
  pause(seconds: number, now: number): boolean;
  /**
   * Other settings for a channel; those absent stay, null takes a limit away and ends its alarm. An alarm that is on ends by
   * values inside the new limit, no sooner. Throws Error (setting, value, what to do) and changes nothing where they break
   * the bounds (alarms/settings.ts), or where the channel has no alarms.
   */
  setLimits(channel: number, changes: LimitSettings, now: number): void;
  /** The channel, where it has alarms; null: it has none. */
  watched(channel: number): ChannelDefinition | null;
  /** All that are not inactive, the most urgent first. */
  active(): Alarm[];
}

/** The alarm for an event of this tick, ms: `encodeAlarm` makes its `small`. */
export const alarmEvent = (alarm: Alarm, tick: number): AlarmEvent => ({
  id: alarm.id,
  priority: alarm.priority,
  state: alarm.state,
  dt: Math.round(alarm.onset - tick * 1000),
  value: alarm.value,
  limit: alarm.limit,
  channel: alarm.channel,
});

const MICROSECONDS = 1000000;
/** Its place in the order of the ids (`alarmVital`). */
const ALARM_TEMPERATURE = 3;
/** Values with these are no measurement of a patient. */
const NO_PATIENT = FLAG_TEST_SIGNAL | FLAG_OFF_BODY | FLAG_LEAD_OFF | FLAG_BUS_FAULT;

interface Watch {
  readonly definition: ChannelDefinition;
  /** In the order of the alarms' ids. */
  readonly place: number;
  settings: CheckedLimits;
  readonly sides: readonly Side[];
  readonly missing: Entry;
  /** It had a value, the last one at `measuredAt`. */
  armed: boolean;
  measuredAt: number;
}

/**
 * `vitals`: channels of the birth; those without an alarm (a skin's temperature: limits of a body's mean nothing there) and
 * without settings are left out. Throws Error (setting, value, what to do) for settings outside their bounds, or that fight.
 */
export function createAlarms(options: {
  readonly vitals: readonly ChannelDefinition[];
  readonly settings: AlarmSettings;
  readonly onAlarm: OnAlarm;
}): Alarms {
  const states = createAlarmStates(options.onAlarm);
  const watches: Watch[] = [];
  const rhythms: RhythmWatch[] = [];
  let heartRateChannel = -1;
  let heartRate: number | null = null;
  /** The latest time heard of, us. */
  let clock = 0;

  const watch = (definition: ChannelDefinition, place: number, wanted: LimitSettings): void => {
    const id = definition.id;
    if (!(definition.mul > 0)) throw new Error(`alarms: channel ${id} has mul ${definition.mul}, not above 0`);
    const settings = checkLimits(place, wanted);
    const lowId = ALARM_SPO2_LOW + 2 * place;
    const sides = [
      makeSide(states.add(lowId, id, settings.priority, settings.latching), -1),
      makeSide(states.add(lowId + 1, id, settings.priority, settings.latching), 1),
    ];
    for (let i = 0; i < 2; i++) setSide(sides[i], definition, settings);
    const missing = states.add(ALARM_SPO2_MISSING + place, id, PRIORITY_LOW, false);
    watches.push({ definition, place, settings, sides, missing, armed: false, measuredAt: 0 });
  };
  const addRhythm = (name: string, id: number, state: number, settings: RhythmSettings | undefined): void => {
    if (settings === undefined) return;
    const priority = checkPriority(name, settings.priority);
    rhythms.push(watchRhythm(states.add(id, heartRateChannel, priority, settings.latching), state));
  };

  for (let i = 0; i < options.vitals.length; i++) {
    const definition = options.vitals[i];
    if (definition.mdc === MDC_HEART_RATE) heartRateChannel = definition.id;
    const place = alarmVital(definition.mdc);
    const settings = place < 0 ? undefined : settingsOf(options.settings, place);
    if (settings === undefined) continue;
    watch(definition, place, settings);
  }
  const named = options.settings.rhythm;
  if (named !== undefined && heartRateChannel >= 0) {
    addRhythm("asystole", ALARM_RHYTHM_ASYSTOLE, RHYTHM_ASYSTOLE, named.asystole);
    addRhythm("uncountable", ALARM_RHYTHM_UNCOUNTABLE, RHYTHM_UNCOUNTABLE, named.uncountable);
    addRhythm("pause", ALARM_RHYTHM_PAUSE, RHYTHM_PAUSE, named.pause);
    addRhythm("fibrillation", ALARM_RHYTHM_FIBRILLATION, RHYTHM_FIBRILLATION, named.fibrillation);
  }

  const find = (channel: number): Watch | null => {
    for (let i = 0; i < watches.length; i++) if (watches[i].definition.id === channel) return watches[i];
    return null;
  };

  return {
    take: (channel, raw, flags, now) => {
      clock = now;
      const measured = (flags & NO_PATIENT) === 0 ? raw : null;
      if (channel === heartRateChannel) {
        heartRate = measured;
        for (let i = 0; i < rhythms.length; i++) takeHeartRate(rhythms[i], states, measured, now);
      }
      const one = find(channel);
      if (one === null || measured === null) return;
      one.armed = true;
      one.measuredAt = now;
      states.end(one.missing, measured, now);
      const moving = one.place === ALARM_TEMPERATURE && (flags & FLAG_SETTLING) !== 0;
      for (let i = 0; i < one.sides.length; i++) {
        const side = one.sides[i];
        // a thermometer that still warms up is no cold patient, nor is one that falls off a fever's end; but fever it is
        if (moving && (side.sign < 0 || (side.entry.holds && measured <= side.limit))) continue;
        if (side.on) takeSide(side, states, measured, now);
      }
    },
    rhythm: (state, onset, end) => {
      for (let i = 0; i < rhythms.length; i++) {
        if (rhythms[i].state !== state) continue;
        tellRhythm(rhythms[i], states, end !== null, onset, heartRate, Math.max(clock, onset));
      }
    },
    update: (now) => {
      clock = now;
      states.update(now);
      for (let i = 0; i < watches.length; i++) {
        const one = watches[i];
        const blank = one.settings.blank;
        if (one.armed && now - one.measuredAt > blank * MICROSECONDS)
          states.begin(one.missing, one.measuredAt, null, blank, now);
        for (let k = 0; k < one.sides.length; k++) updateSide(one.sides[k], states, now);
      }
    },
    acknowledge: (id, now) => {
      let count = 0;
      for (let i = 0; i < states.entries.length; i++) {
        const entry = states.entries[i];
        if (entry.id !== id || entry.state === ALARM_INACTIVE) continue;
        states.acknowledge(entry, now);
        count++;
      }
      return count;
    },
    acknowledgeAll: (now) => {
      let count = 0;
      for (let i = 0; i < states.entries.length; i++) {
        if (states.entries[i].state !== ALARM_INACTIVE) count++;
        states.acknowledge(states.entries[i], now);
      }
      return count;
    },
    pause: (seconds, now) => states.pause(seconds, now),
    setLimits: (channel, changes, now) => {
      const one = find(channel);
      if (one === null) throw new Error(`alarms: channel ${channel} has none`);
      one.settings = checkLimits(one.place, Object.assign({}, one.settings, changes));
      for (let i = 0; i < one.sides.length; i++) {
        const side = one.sides[i];
        side.entry.priority = one.settings.priority;
        side.entry.latching = one.settings.latching;
        setSide(side, one.definition, one.settings);
        if (!side.on) states.drop(side.entry, now);
      }
    },
    watched: (channel) => {
      const one = find(channel);
      return one === null ? null : one.definition;
    },
    active: () => {
      const found: Alarm[] = [];
      for (let priority = 1; priority <= 3; priority++) {
        for (let i = 0; i < states.entries.length; i++) {
          const entry = states.entries[i];
          if (entry.state === ALARM_INACTIVE || entry.priority !== priority) continue;
          found.push(alarmOf(entry));
        }
      }
      return found;
    },
  };
}
