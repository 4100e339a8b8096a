/** The states of alarms and what moves them (PROTOCOL.md section 2.2), whatever the condition is. Device side. */
import {
  ALARM_ACKNOWLEDGED,
  ALARM_ACTIVE,
  ALARM_ALL,
  ALARM_INACTIVE,
  ALARM_LATCHED,
  ALARM_PAUSED,
  LONGEST_PAUSE,
  PRIORITY_LOW,
} from "../../protocol/messages.ts";

/** An alarm as it is. Values and limits are raw values of the channel; ids, priorities, states as in protocol/messages/alarms.ts. */
export interface Alarm {
  readonly id: number;
  readonly priority: number;
  readonly state: number;
  /** When the condition began, board clock, us. */
  readonly onset: number;
  readonly value: number | null;
  readonly limit: number | null;
  readonly channel: number | null;
}

/** An alarm that can move. */
export interface Entry {
  readonly id: number;
  readonly channel: number;
  priority: number;
  latching: boolean;
  state: number;
  /** The condition holds. */
  holds: boolean;
  onset: number;
  value: number | null;
  limit: number | null;
}

/** `at`: when its state changed, board clock, us. */
export type OnAlarm = (alarm: Alarm, at: number) => void;

export interface AlarmStates {
  /** A new alarm, inactive. */
  add(id: number, channel: number, priority: number, latching: boolean): Entry;
  readonly entries: readonly Entry[];
  /** The condition holds from `onset` on. Nothing is told where it did already. */
  begin(entry: Entry, onset: number, value: number | null, limit: number | null, now: number): void;
  /** The condition has ended, by `value`. */
  end(entry: Entry, value: number | null, now: number): void;
  /** Nobody wants this alarm any more. */
  drop(entry: Entry, now: number): void;
  acknowledge(entry: Entry, now: number): void;
  /** For so many s, a whole number up to LONGEST_PAUSE; 0 ends a pause. False, and nothing happens, within a pause. */
  pause(seconds: number, now: number): boolean;
  /** Ends the pause that is over. */
  update(now: number): void;
}

const MICROSECONDS = 1000000;

/** The alarm as it is now; what becomes of the entry does not change it. */
export const alarmOf = (entry: Entry): Alarm => ({
  id: entry.id,
  priority: entry.priority,
  state: entry.state,
  onset: entry.onset,
  value: entry.value,
  limit: entry.limit,
  channel: entry.channel,
});

export function createAlarmStates(onAlarm: OnAlarm): AlarmStates {
  const entries: Entry[] = [];
  /** Length of the pause, s; 0: none. */
  let pause = 0;
  let pausedAt = 0;

  const go = (entry: Entry, state: number, now: number): void => {
    if (entry.state === state) return;
    entry.state = state;
    onAlarm(alarmOf(entry), now);
  };
  const tellPause = (state: number, now: number): void => {
    onAlarm(
      { id: ALARM_ALL, priority: PRIORITY_LOW, state, onset: pausedAt, value: null, limit: pause, channel: null },
      now,
    );
  };
  const unpause = (now: number): void => {
    if (pause === 0) return;
    tellPause(ALARM_INACTIVE, now);
    pause = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry.state === ALARM_PAUSED) go(entry, entry.holds ? ALARM_ACTIVE : ALARM_LATCHED, now);
    }
  };

  return {
    entries,
    add: (id, channel, priority, latching) => {
      const entry: Entry = {
        id,
        channel,
        priority,
        latching,
        state: ALARM_INACTIVE,
        holds: false,
        onset: 0,
        value: null,
        limit: null,
      };
      entries.push(entry);
      return entry;
    },
    begin: (entry, onset, value, limit, now) => {
      if (entry.holds) return;
      entry.holds = true;
      entry.onset = onset;
      entry.value = value;
      entry.limit = limit;
      go(entry, pause > 0 ? ALARM_PAUSED : ALARM_ACTIVE, now);
    },
    end: (entry, value, now) => {
      if (!entry.holds) return;
      entry.holds = false;
      entry.value = value;
      if (entry.state === ALARM_ACKNOWLEDGED || !entry.latching) go(entry, ALARM_INACTIVE, now);
      else if (entry.state === ALARM_ACTIVE) go(entry, ALARM_LATCHED, now);
    },
    drop: (entry, now) => {
      entry.holds = false;
      go(entry, ALARM_INACTIVE, now);
    },
    acknowledge: (entry, now) => {
      if (entry.state !== ALARM_INACTIVE) go(entry, entry.holds ? ALARM_ACKNOWLEDGED : ALARM_INACTIVE, now);
    },
    pause: (seconds, now) => {
      if (!(seconds >= 0 && seconds <= LONGEST_PAUSE && Math.floor(seconds) === seconds))
        throw new Error(`alarms: a pause of ${seconds} s is no whole number 0 to ${LONGEST_PAUSE}`);
      if (seconds === 0) {
        unpause(now);
        return true;
      }
      if (pause > 0) return false;
      pause = seconds;
      pausedAt = now;
      tellPause(ALARM_PAUSED, now);
      for (let i = 0; i < entries.length; i++) {
        const state = entries[i].state;
        if (state === ALARM_ACTIVE || state === ALARM_LATCHED) go(entries[i], ALARM_PAUSED, now);
      }
      return true;
    },
    update: (now) => {
      if (pause > 0 && now - pausedAt >= pause * MICROSECONDS) unpause(now);
    },
  };
}
