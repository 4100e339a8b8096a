/** One JSON object for everything that came (CONTRACT.md, `monitor --json`). */
import { alarmOf } from "../../gateway/dashboard/alarms.ts";
import { isOpenEnd, reasonWords } from "../../gateway/dashboard/losses.ts";
import { toPhysical } from "../../gateway/read.ts";
import { toHex } from "../../protocol/keys.ts";
import * as vsp from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { definitionOf } from "./boards.ts";
import { nameOf, newestOf } from "./lines.ts";
import type { Entry, PacketEntry, Session } from "./session.ts";

/** Samples and values are raw integers; `physical` is the value in `ucum`. */
export function objectOf(entry: Entry): object {
  if (entry.type === "log") {
    const { type, text, hostTime, deviceTime } = entry;
    return { type, text, hostTime, ...(deviceTime !== null && { deviceTime, estimated: true }) };
  }
  const { kid, refusal, unchecked, hostTime, bytes, again } = entry;
  const verified = entry.proof !== null;
  // What is not verified is nobody's word.
  const message = verified ? entry.message : null;
  return {
    type: "packet",
    kid,
    boot: message?.boot ?? null,
    seq: message !== null && "seq" in message ? message.seq : null,
    tick: message !== null && "tick" in message ? message.tick : null,
    kind: message?.type ?? null,
    verified,
    reason: refusal?.reason ?? null,
    channels: message?.type === "data" ? message.channels.map((block) => channelObject(entry, message.cfg, block)) : [],
    hostTime,
    bytes,
    ...(entry.place !== null && { where: entry.place }),
    ...(again && { duplicate: true }),
    ...(refusal !== null && { detail: refusal.detail }),
    ...(unchecked !== null && { unchecked }),
    ...(message?.type === "event" && {
      code: message.code,
      small: plain(message.small),
      ...alarmObject(entry, message),
      ...lossObject(message),
    }),
    ...(message?.type === "birth" && {
      cfg: message.cfg,
      definitions: message.channels,
      ...(message.claims.offline !== undefined && { offline: message.claims.offline }),
    }),
  };
}

function channelObject({ boot }: PacketEntry, cfg: number, block: vsp.Wave | vsp.Num): object {
  const definition = definitionOf(boot, cfg, block.id);
  const { id, dt, qual } = block;
  const mdc = definition?.mdc ?? null;
  const known = definition && { name: nameOf(id, definition), ucum: definition.ucum };
  if (block.kind === "wave") {
    const { idx, n, seg } = block;
    const samples = Array.from(decodeSamples(block.codec, block.bytes, n));
    return { id, mdc, idx, n, samples, qual, seg, dt, ...known };
  }
  const { value } = block;
  const physical = definition && { physical: value === null ? null : toPhysical(definition, value) };
  return { id, mdc, idx: null, n: 1, value, qual, dt, ...known, ...physical };
}

/** What an alarm's event says, by name; `onset` and `time`: s since boot; `value` and `limit` in `ucum`. */
function alarmObject({ boot }: PacketEntry, message: vsp.EventMessage): { alarm?: object } {
  const alarm = alarmOf(message, newestOf(boot));
  if (alarm === null) return {};
  const { id, kind, priority, state, onset, time, channel, definition } = alarm;
  const physical = (raw: number | null) => (raw === null || definition === null ? null : toPhysical(definition, raw));
  const measured = kind === "limit" || kind === "rhythm";
  return {
    alarm: {
      id,
      name: vsp.alarmWords(id),
      priority: vsp.PRIORITY_WORDS[priority],
      state: vsp.ALARM_STATE_WORDS[state],
      onset: onset / 1e6,
      time: time / 1e6,
      channel,
      value: physical(alarm.value),
      // A technical alarm's is the time without a value, a pause's its length, s.
      limit: measured ? physical(alarm.limit) : alarm.limit,
      ucum: definition?.ucum ?? null,
    },
  };
}

/**
 * What a board declares lost, by name. `count` null: an open end, nothing of `boot` from `first` on will come. `end`: of a boot
 * whose power was cut, ms: it was alive at `tick` and ran less than `within` longer.
 */
function lossObject(message: vsp.EventMessage): { lost?: object } {
  const range = vsp.decodeDisowned(message);
  if (range === null) return {};
  const { boot, first, count, reason, end } = range;
  return { lost: { boot, first, count: isOpenEnd(range) ? null : count, reason: reasonWords(reason), end } };
}

/** Byte strings as hexadecimal. */
function plain(small: vsp.EventMessage["small"]): unknown {
  if (small instanceof Uint8Array) return toHex(small);
  return Array.isArray(small) ? small.map(plain) : small;
}

/** The last object. */
export function summaryObject({ totals, boards }: Session): object {
  const { lines, packets, verified, unchecked, rejected, logs, fragments } = totals;
  const { gaps, lost, duplicates } = boards;
  const reasons = Object.fromEntries(rejected);
  return {
    type: "summary",
    lines,
    packets,
    verified,
    rejected: reasons,
    gaps,
    duplicates,
    logs,
    fragments,
    ...(lost > 0 && { lost }),
    ...(unchecked > 0 && { unchecked }),
  };
}
