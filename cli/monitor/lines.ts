/** One line for a person for everything that came; objects.ts has the same for a program. */
import { alarmOf, eventWords } from "../../gateway/dashboard/alarms.ts";
import { lossWords } from "../../gateway/dashboard/losses.ts";
import { claimText, unitText } from "../../gateway/dashboard/scales.ts";
import { toldOf } from "../../gateway/dashboard/told.ts";
import { capacityWords, flagWords } from "../../gateway/dashboard/words.ts";
import { channelName } from "../../gateway/read.ts";
import { kidText, toHex } from "../../protocol/keys.ts";
import * as vsp from "../../protocol/messages.ts";
import { isSkin, ROLE_PREDICTED, TEMPERATURES } from "../../protocol/vital.ts";
import { definitionOf } from "./boards.ts";
import type { Entry, LogEntry, PacketEntry } from "./session.ts";
import { type Line, visible, visibleLog } from "./text.ts";

const SHORT = new Map([
  [vsp.MDC_HEART_RATE, "HR"],
  [vsp.MDC_PULSE_RATE, "PR"],
  [vsp.MDC_SPO2, "SpO2"],
  [vsp.MDC_PERFUSION_INDEX, "PI"],
  [vsp.MDC_RR_INTERVAL, "RR"],
]);
/** Of those that told.ts, losses.ts and alarms.ts have no words for. */
const EVENTS = new Map([
  [vsp.EVENT_CONTACT, "contact"],
  [vsp.EVENT_OVERFLOW, "overflow"],
  [vsp.EVENT_COMMAND_RESULT, "command result"],
  [vsp.EVENT_CONFIGURATION, "configuration"],
  [vsp.EVENT_FAULT, "fault"],
  [vsp.EVENT_DISOWNED, "never sent"],
  [vsp.EVENT_ALARM, "alarm"],
]);
const STATES = ["gone", "online", "offline"];

/** Board time behind the newest packet from which on a packet is called late, ms. */
const OLD = 2000;

/** A log line that carries the board's own time: `I (1234) …`, `[    1.234] …`, `[00:00:01.234,567] …`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: some firmware colours its log
const STAMPED = /^(?:\x1b\[[\d;]*m)?(?:[EWIDV] \(\d+\)|\[\s*\d[\d:.,]*\])/;

/** What a person calls a channel; `undefined`: its birth has not come. */
export function nameOf(id: number, definition: vsp.ChannelDefinition | undefined | null): string {
  if (!definition) return `channel ${id}`;
  if (TEMPERATURES.includes(definition.mdc)) return temperatureName(definition);
  return SHORT.get(definition.mdc) ?? visible(channelName({ definition }));
}

/** "T" of the body, "Tskin", "Tchip": as the chip read it, "Tpredicted". */
function temperatureName({ mdc, attributes }: vsp.ChannelDefinition): string {
  if (attributes.role === ROLE_PREDICTED) return "Tpredicted";
  if (attributes.processing === 0) return "Tchip";
  return isSkin(mdc) ? "Tskin" : "T";
}

/** A value in its unit, "< 70 %" where the channel claims no less; null: could not be measured. */
export function valueText(definition: vsp.ChannelDefinition, raw: number | null): string {
  if (raw === null) return "--";
  const digits = definition.mul === 1 ? Math.max(0, -definition.exp10) : 2;
  const unit = visible(unitText(definition.ucum));
  const space = unit === "" || unit.startsWith("/") ? "" : " ";
  return `${claimText(definition, raw, Math.min(digits, 6))}${space}${unit}`;
}

/** The flags of a quality in words; none where nothing was judged. `site`: of the body, of the light it was made of. */
export const qualityWords = (qual: number | null, site: string | undefined): string[] =>
  flagWords(vsp.qualFlags(qual), site);

/** Where the light of a birth is, on the body; a vital does not say where it is from. */
export const siteOf = (channels: readonly vsp.ChannelDefinition[] | undefined): string | undefined =>
  channels?.find(({ mdc }) => mdc === vsp.MDC_PLETH)?.attributes.site;

/** Time of the board, h:mm:ss.t since boot. */
export function deviceClock(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${tenths % 10}`;
}

/** Local time of day, ms. */
function hostClock(ms: number): string {
  const date = new Date(ms);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** "holds 5.2 h offline": how long the outbox keeps what this configuration sends, s. */
export const holdsWords = (offline: number) => `holds ${capacityWords(offline)} offline`;

/** `several`: more than one board talks here, so each line says whose it is. null: nothing that a person wants as a line. */
export function lineOf(entry: Entry, several: boolean): Line | null {
  if (entry.type === "log") return logLine(entry);
  // What is sent again because nobody acknowledges would flood the screen: it is counted.
  return entry.again ? null : packetLine(entry, several);
}

function logLine(entry: LogEntry): Line {
  const text = visibleLog(entry);
  const estimate = entry.deviceTime === null || STAMPED.test(entry.text) ? "" : `~${deviceClock(entry.deviceTime)}  `;
  const host = entry.hostTime === null ? "" : `${hostClock(entry.hostTime)}  `;
  return [["dim", `${host}${estimate}`], text];
}

function packetLine(entry: PacketEntry, several: boolean): Line {
  const { message, refusal, unchecked, proof, kid, hostTime } = entry;
  const tick = message !== null && "tick" in message ? deviceClock(message.tick) : "";
  const time = hostTime === null ? tick : hostClock(hostTime);
  const head: Line[number][] = time === "" ? [] : [["dim", `${time}  `]];
  if (several && kid !== null) head.push(["strong", `${kid.slice(0, 4)}… `]);
  if (message !== null) {
    const number = "seq" in message ? ` #${message.seq}` : "";
    head.push(["strong", `${message.type}${number}`]);
    head.push(proof === null ? ["warning", ` ${unchecked ?? "unverified"}  `] : ["good", ` ${proof}  `]);
    if (isLate(entry, message)) head.push(["dim", "late  "]);
    return [...head, describe(entry, message, proof !== null)];
  }
  if (unchecked !== null) return [...head, ["warning", `${unchecked}, ${entry.bytes} bytes`]];
  if (refusal!.reason === "kid") {
    return [...head, ["warning", `unverified: unknown key ${kid}, ${entry.bytes} bytes; give --cards`]];
  }
  const place = [entry.place, kid === null ? null : `key ${kid}`].filter((one) => one !== null);
  const where = place.length === 0 ? "" : ` (${place.join(", ")})`;
  return [...head, ["bad", `REJECTED ${visible(refusal!.detail)}`], where];
}

/** Sent anew, of a time before: what it says is not what is so now. */
function isLate({ boot }: PacketEntry, message: vsp.Message): boolean {
  return boot !== null && "tick" in message && message.tick + OLD < boot.tick;
}

function describe({ boot }: PacketEntry, message: vsp.Message, verified: boolean): string {
  const define = (cfg: number) => (id: number) => definitionOf(boot, cfg, id);
  switch (message.type) {
    case "data":
      return describeData(message, define(message.cfg), siteOf(boot?.births.get(message.cfg)?.channels), verified);
    case "birth": {
      const { claims, channels } = message;
      const names = channels.map((one) => {
        const rate = one.rateMilliHz === 0 ? "" : ` ${one.rateMilliHz / 1000} Hz`;
        return nameOf(one.id, one) + rate;
      });
      const software = visible(`${claims.swname} ${claims.swversion[0]}`);
      const holds = claims.offline === undefined ? "" : `; ${holdsWords(claims.offline)}`;
      return `boot ${message.boot} cfg ${message.cfg}, ${software}: ${names.join(", ")}${holds}`;
    }
    case "event": {
      const alarm = verified ? alarmOf(message, newestOf(boot)) : null;
      if (alarm !== null) return visible(eventWords(alarm));
      const range = verified ? vsp.decodeDisowned(message) : null;
      if (range !== null) return lossWords(range);
      const told = verified ? toldOf(message, newestOf(boot), nameOf) : null;
      if (told !== null) return visible(told.text);
      const word = EVENTS.get(message.code) ?? `event ${message.code}`;
      return verified ? `${word} ${smallText(message.small)}` : word;
    }
    case "manifest":
      return `covers #${message.first} to #${message.first + message.hashes.length / 16 - 1} of boot ${message.ofBoot}`;
    case "presence":
      return `boot ${message.boot} connection ${message.connection} ${STATES[message.state]}`;
    default:
      return `for ${kidText(message.kid)} boot ${message.boot}`;
  }
}

/** Of a boot: the one with the highest seq, for an older one may come later. */
export function newestBirth(boot: PacketEntry["boot"]): vsp.BirthMessage | undefined {
  const births = [...(boot?.births.values() ?? [])];
  return births.sort((a, b) => b.seq - a.seq)[0];
}

/** Channels as the newest birth has them: an event does not say its configuration. */
export const newestOf = (boot: PacketEntry["boot"]) => (id: number) =>
  newestBirth(boot)?.channels.find((one) => one.id === id);

/** Values that carry quality flags have a star; the words stand at the end. Unverified: names and counts alone. */
function describeData(
  message: vsp.DataMessage,
  definition: (id: number) => vsp.ChannelDefinition | undefined,
  site: string | undefined,
  verified: boolean,
): string {
  const values: string[] = [];
  const counts = new Map<string, number>();
  const flagged = new Map<string, Set<string>>();
  for (const block of message.channels) {
    const known = definition(block.id);
    const name = nameOf(block.id, known);
    const words = verified ? qualityWords(block.qual, site) : [];
    for (const word of words) flagged.set(word, (flagged.get(word) ?? new Set()).add(name));
    if (block.kind === "wave") counts.set(name, (counts.get(name) ?? 0) + block.n);
    else if (!verified) values.push(name);
    else {
      const text = known === undefined ? `raw ${block.value ?? "--"}` : valueText(known, block.value);
      values.push(`${name} ${text}${words.length === 0 ? "" : "*"}`);
    }
  }
  const samples = counts.size === 0 ? [] : [`${[...counts].map(([name, n]) => `${name} ${n}`).join(" ")} samples`];
  const quality = [...flagged].map(([word, names]) => `${word} ${[...names].join(" ")}`);
  const stars = quality.length === 0 ? [] : [`* ${quality.join(", ")}`];
  const birthless = message.channels.some(({ id }) => definition(id) === undefined) ? ["(no birth yet)"] : [];
  return [...birthless, ...values, ...samples, ...stars].join("  ");
}

function smallText(small: vsp.EventMessage["small"]): string {
  if (small instanceof Uint8Array) return toHex(small);
  if (Array.isArray(small)) return small.map(smallText).join(" ");
  return small === null ? "unknown" : visible(String(small));
}
