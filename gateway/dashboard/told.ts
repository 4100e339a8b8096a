/** What a board tells of itself that is no alarm (PROTOCOL.md section 2, events 3, 4, 6 and 7), in words. Pure. */
import { type Cbor, type CborMap, decode, get, isMap } from "../../protocol/cbor.ts";
import { operations } from "../../protocol/messages/ops.ts";
import {
  type ChannelDefinition,
  EVENT_CONFIGURATION,
  EVENT_CONTACT,
  EVENT_FAULT,
  EVENT_OVERFLOW,
  type EventMessage,
  KEY_CHANNEL,
  MDC_ECG,
  MDC_ECG_LEAD_II,
} from "../../protocol/messages.ts";
import { FLAGS, spanWords } from "./words.ts";

export interface Told {
  readonly kind: "contact" | "loss" | "setting" | "fault";
  /** One sentence. */
  readonly text: string;
  /** Of the sensor that it is about, as its births name it; "": of none, or nobody knows. */
  readonly chip: string;
  /** It holds until the sensor says otherwise: a finger or an electrode that is off, a sensor that was given up. */
  readonly lasting: boolean;
}

/** Codes of event 7 (drivers/driver.ts, FAULT_…). */
const FAULTS: Readonly<Record<number, string>> = {
  1: "no answer",
  2: "another chip",
  3: "restarted",
  4: "data",
  5: "configuration",
  6: "SENSOR GIVEN UP",
  7: "driver",
  8: "old storage image",
  9: "self-test",
  10: "storage",
};
const GIVEN_UP = 6;
/** Bytes of an event's text at most: there a longer one was cut off. */
const TEXT = 64;

/** Whether a finger or electrodes are there, by the flags of event 3 or of a value: off, settling, good. */
export function contactWords(flags: number, channel: ChannelDefinition | undefined): string {
  const { leadOff, sensorOff, settling } = FLAGS;
  if ((channel !== undefined && isEcg(channel)) || flags & leadOff) {
    if (flags & leadOff) return "an electrode is off";
    return flags & settling ? "electrodes on, settling" : "electrodes on, good";
  }
  const what = channel?.attributes.site === "finger" ? "finger" : "sensor";
  if (flags & sensorOff) return what === "finger" ? "no finger" : "sensor off the body";
  return flags & settling ? `${what} there, settling` : `${what} there, good`;
}

/** What the page calls a channel: the light of a LED, the ECG, else the chip. */
export function nameOf(id: number, channel: ChannelDefinition | undefined): string {
  if (channel === undefined) return `channel ${id}`;
  return channel.attributes.role ?? (isEcg(channel) ? "the ECG" : (channel.attributes.chip ?? `channel ${id}`));
}

const isEcg = ({ mdc }: ChannelDefinition) => mdc === MDC_ECG || mdc === MDC_ECG_LEAD_II;

/** null: another event, or one that is none of this protocol. `channelOf`: of its birth; `nameOf`: as a person calls it. */
export function toldOf(
  { code, small }: EventMessage,
  channelOf: (id: number) => ChannelDefinition | undefined,
  nameOf: (id: number, channel: ChannelDefinition | undefined) => string,
): Told | null {
  if (!Array.isArray(small)) return null;
  const [a, b, c] = small;
  const name = (id: Cbor | undefined) => (typeof id === "number" ? nameOf(id, channelOf(id)) : "");
  const chip = (id: Cbor | undefined) => (typeof id === "number" ? (channelOf(id)?.attributes.chip ?? "") : "");
  switch (code) {
    case EVENT_CONTACT: {
      if (typeof a !== "number" || typeof b !== "number") return null;
      const off = (b & (FLAGS.sensorOff | FLAGS.leadOff)) !== 0;
      return { kind: "contact", text: `contact: ${contactWords(b, channelOf(a))}`, chip: chip(a), lasting: off };
    }
    case EVENT_OVERFLOW: {
      if (typeof a !== "number") return null;
      const count = typeof c === "number" ? `${c} sample${c === 1 ? "" : "s"}` : "an unknown number of samples";
      return { kind: "loss", text: `lost: ${count} of ${name(a)}`, chip: chip(a), lasting: false };
    }
    case EVENT_CONFIGURATION: {
      const parameters = c instanceof Uint8Array ? mapOf(c) : null;
      if (typeof b !== "number" || parameters === null) return null;
      return { kind: "setting", text: `set: ${settingWords(b, parameters, name)}`, chip: "", lasting: false };
    }
    case EVENT_FAULT: {
      if (typeof a !== "number" || typeof c !== "string") return null;
      const what = FAULTS[a] ?? `code ${a}`;
      const text = a === GIVEN_UP ? `${what}: ${whole(c).replace(": given up", "")}` : `fault (${what}): ${whole(c)}`;
      return { kind: "fault", text, chip: chip(b), lasting: a === GIVEN_UP };
    }
    default:
      return null;
  }
}

/** What was cut off ends with its last whole sentence, or in "…". */
function whole(text: string): string {
  if (text.length < TEXT) return text;
  const end = text.lastIndexOf(". ");
  return end > TEXT / 2 ? text.slice(0, end + 1) : text.endsWith(".") ? text : `${text.trimEnd()}\u2026`;
}

/** null: these bytes are none. */
function mapOf(bytes: Uint8Array): CborMap | null {
  try {
    const value = decode(bytes);
    return isMap(value) ? value : null;
  } catch {
    return null;
  }
}

/** "set-led-current 10 mA, red"; parameters that it does not know by their key. */
function settingWords(op: number, map: CborMap, name: (id: Cbor | undefined) => string): string {
  const operation = operations().find((one) => one.op === op);
  if (operation === undefined) return `operation ${op}`;
  const values = operation.parameters.flatMap(({ key, name: parameter, unit }) => {
    const value = get(map, key);
    if (typeof value !== "number") return [];
    if (key === KEY_CHANNEL) return [name(value)];
    return [unit === "" || unit === "raw" ? `${parameter} ${value}` : `${value} ${unit}`];
  });
  return `${operation.name} ${values.join(", ")}`.trim();
}

/** How long what is over is shown, ms of the board; how many at once. */
const SHOWN = 60_000;
const MOST = 2;

export interface ShownTold extends Told {
  /** Of the board, ms. */
  readonly tick: number;
}

/** With its age where it is over. */
export const toldWords = ({ text, lasting, tick }: ShownTold, now: number): string =>
  lasting ? text : `${text} (${spanWords(1000 * Math.max(1, Math.floor((now - tick) / 1000))).replace(".0", "")} ago)`;

/** What of it a person should see now: the newest of each kind and sensor, what lasts before what is over. */
export class ToldList {
  private readonly entries = new Map<string, ShownTold>();

  /** `tick`: the board's time, ms. What is older than what is known of the same changes nothing. */
  take(told: Told, tick: number): void {
    const key = keyOf(told);
    if ((this.entries.get(key)?.tick ?? -1) > tick) return;
    this.entries.set(key, { ...told, tick });
    // What to do about an electrode that is on again nobody need read.
    if (told.kind === "contact" && !told.lasting) this.entries.delete(keyOf({ ...told, kind: "fault" }));
  }

  /** A sensor has measured something at this time: it is no longer given up. */
  measured(chip: string, tick: number): void {
    const key = keyOf({ kind: "fault", chip, lasting: true });
    if ((this.entries.get(key)?.tick ?? tick) < tick) this.entries.delete(key);
  }

  /** At the board's time, ms: what lasts, then what is newest. */
  shown(now: number): readonly ShownTold[] {
    return [...this.entries.values()]
      .filter(({ lasting, tick }) => lasting || now - tick < SHOWN)
      .sort((a, b) => Number(b.lasting) - Number(a.lasting) || b.tick - a.tick)
      .slice(0, MOST);
  }
}

/** A sensor that was given up is told beside its faults, which come again and again. */
const keyOf = ({ kind, chip, lasting }: Omit<Told, "text">) => `${kind} ${chip} ${kind === "fault" && lasting}`;
