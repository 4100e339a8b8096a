/** What the page says, in words. Pure. */
import { FLAG_WORDS } from "../../protocol/messages.ts";

/** Quality flags by their bit (PROTOCOL.md section 2). */
export const FLAGS = {
  settling: 1,
  sensorOff: 2,
  leadOff: 4,
  saturated: 32,
  busFault: 64,
  testSignal: 128,
} as const;

/** Said to a person instead of the flag's own word. */
const PLAIN: Readonly<Record<string, string>> = { "bus fault": "sensor fault" };

/** The flags in words, lowest bit first. `site`: "finger" says "no finger" where the sensor is off it. */
export function flagWords(flags: number, site?: string): string[] {
  return FLAG_WORDS.filter((_, bit) => flags & (1 << bit)).map((word) =>
    word === "sensor off" && site === "finger" ? "no finger" : (PLAIN[word] ?? word),
  );
}

/** Why samples are not drawn as a line, or null: they are. `site`: as for flagWords. */
export function bandWords(flags: number, site?: string): string | null {
  if (flags & FLAGS.leadOff) return "LEAD OFF";
  if (flags & FLAGS.sensorOff) return site === "finger" ? "NO FINGER" : "SENSOR OFF";
  if (flags & FLAGS.busFault) return "SENSOR FAULT";
  if (flags & FLAGS.saturated) return "SATURATED";
  return null;
}

export function evidenceWords(level: number): string {
  return ["unsigned", "mac", "mac + gateway", "device-signed"][level] ?? `level ${level}`;
}

export function presenceWords(state: 0 | 1 | 2): string {
  return (["dead", "online", "offline"] as const)[state];
}

export function identityWords(identity: 0 | 1 | 2 | undefined): string {
  if (identity === undefined) return "identity not stated";
  return (["identity confirmed", "identity plausible", "identity unknown"] as const)[identity];
}

/** A span of time as a person says it: "2.4 s", "38 s", "5 min", "3 h", "2 d". `ms` below 0 counts as 0. */
export function spanWords(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A long span to the minute: "3 h 12 min", "2 d 4 h"; a shorter one as `spanWords`. */
export function longSpanWords(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 60) return spanWords(ms);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long an outbox holds, s (claim `offline` of a birth), never more than it says: "95 s", "42 min", "5.2 h", "3.1 d". */
export function capacityWords(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  const [whole, unit] = seconds < 172_800 ? [3600, "h"] : [86_400, "d"];
  return `${(Math.floor((seconds * 10) / whole) / 10).toFixed(1)} ${unit}`;
}

/** A count in groups of three, "11 520". */
export const countWords = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Digits in fours: "1563 5446 44dd 02b0". */
export function inFours(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
}
