/**
 * The operations of a command: number, name as typed on a command line, parameters, and the status that answers it
 * (PROTOCOL.md section 2.3). One table for the board that obeys, the gateway that asks, and who types. Device side.
 *
 * An operation is made when it is asked for and kept by nobody: on a board every row would cost RAM.
 */
import {
  OP_ACKNOWLEDGE_ALARM,
  OP_CONSOLE,
  OP_FIRMWARE_ANNOUNCE,
  OP_PAUSE_ALARM,
  OP_REBOOT,
  OP_REKEY,
  OP_SELF_TEST,
  OP_SEND_BIRTH,
  OP_SET_ALARM_LIMITS,
  OP_SET_FILTER,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  OP_STOP,
  OP_TIME_PING,
} from "./codes.ts";
import type { CommandMessage } from "./types.ts";

export const STATUS_DONE = 0;
export const STATUS_UNKNOWN_OP = 1;
export const STATUS_BAD_PARAMETER = 2;
export const STATUS_BEYOND_LIMIT = 3;
export const STATUS_NOT_POSSIBLE = 4;
export const STATUS_FAILED = 5;
export const STATUS_EXPIRED = 6;
export const STATUS_REFUSED = 7;

/** The statuses in words, by their number. */
export const STATUS_WORDS = [
  "done",
  "unknown operation",
  "bad parameter",
  "beyond a hard limit of the device",
  "not possible on this board",
  "failed",
  "expired",
  "refused",
];

/** Keys of parameters. A channel is one that the birth defines; where an operation is about a chip, any channel of it. */
export const KEY_VALUE = 1;
export const KEY_CHANNEL = 2;
export const KEY_HIGH_PASS = 3;
export const KEY_LOW = 3;
export const KEY_HIGH = 4;
export const KEY_DELAY = 5;
export const KEY_PRIORITY = 6;
export const KEY_LATCHING = 7;
export const KEY_HYSTERESIS = 8;
export const KEY_BLANK = 9;

export interface Parameter {
  readonly key: number;
  /** As typed on a command line. */
  readonly name: string;
  readonly kind: "int" | "text" | "bytes";
  /** UCUM; "raw": a raw value of the channel; "": a number without a unit. */
  readonly unit: string;
  /** Of an int its value, of text and bytes their length in bytes. The device's own limits may be narrower. */
  readonly lowest: number;
  readonly highest: number;
  readonly required: boolean;
}

export interface Operation {
  readonly op: number;
  /** As typed on a command line. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
}

/** Bytes of an object (a card, a firmware announcement) in a parameter at most. */
const OBJECT_BYTES = 1024;
const RAW = 2147483647;

const int = (
  key: number,
  name: string,
  unit: string,
  lowest: number,
  highest: number,
  required: boolean,
): Parameter => ({
  key: key,
  name: name,
  kind: "int",
  unit: unit,
  lowest: lowest,
  highest: highest,
  required: required,
});

const object = (name: string, required: boolean): Parameter => ({
  key: KEY_VALUE,
  name: name,
  kind: "bytes",
  unit: "",
  lowest: 1,
  highest: OBJECT_BYTES,
  required: required,
});

const channel = (required: boolean): Parameter => int(KEY_CHANNEL, "channel", "", 0, 63, required);

const make = (op: number, name: string, parameters: readonly Parameter[]): Operation => ({
  op: op,
  name: name,
  parameters: parameters,
});

/** The operation with this number; null: there is none. */
export function operationOf(op: number): Operation | null {
  // without a channel: all chips
  if (op === OP_START) return make(op, "start", [channel(false)]);
  if (op === OP_STOP) return make(op, "stop", [channel(false)]);
  // below 1 Hz the nearest 1/n Hz
  if (op === OP_SET_RATE)
    return make(op, "set-rate", [int(KEY_VALUE, "rate", "mHz", 1, 10000000, true), channel(true)]);
  // without a channel: the one chip that has such filters; one of the two is needed
  if (op === OP_SET_FILTER)
    return make(op, "set-filter", [
      int(KEY_VALUE, "low-pass", "Hz", 0, 1000, false),
      channel(false),
      int(KEY_HIGH_PASS, "high-pass", "", 0, 1, false),
    ]);
  // without a channel: all LEDs of the one chip that has some
  if (op === OP_SET_LED_CURRENT)
    return make(op, "set-led-current", [int(KEY_VALUE, "current", "mA", 0, 102, true), channel(false)]);
  if (op === OP_REBOOT) return make(op, "reboot", []);
  if (op === OP_SEND_BIRTH) return make(op, "send-birth", []);
  if (op === OP_TIME_PING) return make(op, "time-ping", []);
  if (op === OP_FIRMWARE_ANNOUNCE) return make(op, "firmware-announce", [object("object", true)]);
  if (op === OP_REKEY) return make(op, "rekey", [object("card", false)]);
  if (op === OP_SELF_TEST) return make(op, "self-test", [channel(false)]);
  if (op === OP_SET_ALARM_LIMITS)
    return make(op, "set-alarm-limits", [
      channel(true),
      int(KEY_LOW, "low", "raw", -RAW, RAW, false),
      int(KEY_HIGH, "high", "raw", -RAW, RAW, false),
      int(KEY_DELAY, "delay", "s", 0, 60, false),
      int(KEY_PRIORITY, "priority", "", 1, 3, false),
      int(KEY_LATCHING, "latching", "", 0, 1, false),
      int(KEY_HYSTERESIS, "hysteresis", "raw", 0, RAW, false),
      int(KEY_BLANK, "blank", "s", 1, 300, false),
    ]);
  // without an id: all alarms
  if (op === OP_ACKNOWLEDGE_ALARM) return make(op, "acknowledge-alarm", [int(KEY_VALUE, "id", "", 0, 95, false)]);
  if (op === OP_PAUSE_ALARM) return make(op, "pause-alarm", [int(KEY_VALUE, "seconds", "s", 0, 120, true)]);
  if (op === OP_CONSOLE) return make(op, "console", []);
  return null;
}

/** All operations, by their numbers. */
export function operations(): Operation[] {
  const all: Operation[] = [];
  for (let op = OP_START; op <= OP_CONSOLE; op++) {
    const one = operationOf(op);
    if (one !== null) all.push(one);
  }
  return all;
}

/** The operation of this name; null: there is none. */
export function operationNamed(name: string): Operation | null {
  const all = operations();
  for (let i = 0; i < all.length; i++) if (all[i].name === name) return all[i];
  return null;
}

/** The value under a key; null: it is not there. */
export function parameterOf(
  parameters: CommandMessage["parameters"],
  key: number,
): number | string | Uint8Array | null {
  for (let i = 0; i < parameters.length; i++) if (parameters[i][0] === key) return parameters[i][1];
  return null;
}

const kindOf = (value: number | string | Uint8Array): Parameter["kind"] =>
  typeof value === "number" ? "int" : typeof value === "string" ? "text" : "bytes";

/**
 * What is wrong with a command's parameters, for a person: one that the operation has not, a required one that is missing,
 * another kind, out of range; null: nothing. Whether this device can, it alone knows.
 */
export function wrongParameter(operation: Operation, parameters: CommandMessage["parameters"]): string | null {
  for (let i = 0; i < parameters.length; i++) {
    const key = parameters[i][0];
    const value = parameters[i][1];
    let found: Parameter | null = null;
    for (let k = 0; k < operation.parameters.length; k++)
      if (operation.parameters[k].key === key) found = operation.parameters[k];
    if (found === null) return `${operation.name} has no parameter ${key}`;
    if (kindOf(value) !== found.kind)
      return `${operation.name}: ${found.name} is ${kindOf(value)}, must be ${found.kind}`;
    const size = typeof value === "number" ? value : value.length;
    if (!(size >= found.lowest && size <= found.highest))
      return `${operation.name}: ${found.name} is ${typeof value === "number" ? value : `${size} bytes`}, must be ${found.lowest} to ${found.highest}${found.unit === "" ? "" : ` ${found.unit}`}`;
  }
  for (let k = 0; k < operation.parameters.length; k++) {
    const wanted = operation.parameters[k];
    if (wanted.required && parameterOf(parameters, wanted.key) === null)
      return `${operation.name}: ${wanted.name} is missing`;
  }
  return null;
}
