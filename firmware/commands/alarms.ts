/** Commands about alarms: limits, acknowledgement, pause. Device side. */
import {
  type ChannelDefinition,
  type CommandMessage,
  KEY_BLANK,
  KEY_CHANNEL,
  KEY_DELAY,
  KEY_HIGH,
  KEY_HYSTERESIS,
  KEY_LATCHING,
  KEY_LOW,
  KEY_PRIORITY,
  KEY_VALUE,
  OP_ACKNOWLEDGE_ALARM,
  OP_PAUSE_ALARM,
  OP_SET_ALARM_LIMITS,
  STATUS_BAD_PARAMETER,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_NOT_POSSIBLE,
  STATUS_REFUSED,
} from "../../protocol/messages.ts";
import type { Alarms, LimitSettings } from "../alarms.ts";
import { type CommandHost, type Done, numberOf } from "./host.ts";

/** A difference of raw values in the channel's unit. */
const scaled = (definition: ChannelDefinition, raw: number): number => {
  let value = raw * definition.mul;
  for (let i = definition.exp10; i < 0; i++) value /= 10;
  for (let i = 0; i < definition.exp10; i++) value *= 10;
  return value;
};

/** What the command sets, in the units of the settings; what it does not name is absent. */
const changesOf = (command: CommandMessage, definition: ChannelDefinition): LimitSettings => {
  const low = numberOf(command, KEY_LOW);
  const high = numberOf(command, KEY_HIGH);
  const delay = numberOf(command, KEY_DELAY);
  const priority = numberOf(command, KEY_PRIORITY);
  const latching = numberOf(command, KEY_LATCHING);
  const hysteresis = numberOf(command, KEY_HYSTERESIS);
  const blank = numberOf(command, KEY_BLANK);
  return Object.assign(
    {},
    low === null ? null : { low: scaled(definition, low + definition.offset) },
    high === null ? null : { high: scaled(definition, high + definition.offset) },
    delay === null ? null : { delay: delay },
    priority === null ? null : { priority: priority },
    latching === null ? null : { latching: latching === 1 },
    hysteresis === null ? null : { hysteresis: scaled(definition, hysteresis) },
    blank === null ? null : { blank: blank },
  );
};

const setLimits = (host: CommandHost, alarms: Alarms, command: CommandMessage): number => {
  const channel = numberOf(command, KEY_CHANNEL);
  const watched = channel === null ? null : alarms.watched(channel);
  if (channel === null || watched === null) return STATUS_NOT_POSSIBLE;
  // without anything to set nothing would change, and say that it did
  if (command.parameters.length < 2) return STATUS_BAD_PARAMETER;
  try {
    alarms.setLimits(channel, changesOf(command, watched), host.now());
  } catch (_error) {
    return STATUS_BEYOND_LIMIT;
  }
  host.changed(command);
  return STATUS_DONE;
};

const pause = (host: CommandHost, alarms: Alarms, seconds: number): number => {
  if (seconds > host.limits.pause) return STATUS_BEYOND_LIMIT;
  return alarms.pause(seconds, host.now()) ? STATUS_DONE : STATUS_REFUSED;
};

/** false: the command is about something else. */
export function obeyAlarms(host: CommandHost, command: CommandMessage, done: Done): boolean {
  const op = command.op;
  if (op !== OP_SET_ALARM_LIMITS && op !== OP_ACKNOWLEDGE_ALARM && op !== OP_PAUSE_ALARM) return false;
  const alarms = host.alarms;
  if (alarms === null) done(STATUS_NOT_POSSIBLE);
  else if (op === OP_SET_ALARM_LIMITS) done(setLimits(host, alarms, command));
  else if (op === OP_PAUSE_ALARM) done(pause(host, alarms, numberOf(command, KEY_VALUE) ?? 0));
  else {
    const id = numberOf(command, KEY_VALUE);
    if (id === null) alarms.acknowledgeAll(host.now());
    else alarms.acknowledge(id, host.now());
    done(STATUS_DONE);
  }
  return true;
}
