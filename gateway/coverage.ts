/**
 * How much of what a device should have measured is here, by boot and by day in UTC: what is received, what is missing and
 * declared lost by the device, and what is missing without a word. From the store alone, boot by boot; no sample is decoded.
 *
 * All seconds are of the board's clock, over the waveforms that the births declare; of several the one counts, boot by boot,
 * of which the least is here.
 *
 * - received: the stored samples times their interval, which is that of the blocks' own times where a segment is 10 s or longer,
 *   else what the birth declares.
 * - Missing within a segment: the samples that `idx` skips, also those before its first stored block. Between two segments: what
 *   the board's clock says, known to within one interval. Behind the last stored sample: from there on while messages are missing,
 *   up to the tick of the message that follows them. A segment that comes first of a boot begins when it begins: not with the birth.
 * - declared: each message between the two around the stretch that is not stored is disowned (event 8, any reason). Where all of
 *   them are stored: an event 4 tells of so many samples of the segment, or another segment begins, by which a board says that it
 *   does not know how many it lost. Also, of a boot that ended by a power cut (event 8, reason 2), the time from its last sample to
 *   the tick at which the board was last known to be alive.
 * - silent: all other missing time; a stretch is declared as a whole, or silent.
 * - expected: the sum of the three. Not expected: what is between a stop by command and the start after it, and what may have been
 *   behind the last stored message of a boot, unless a power cut tells of it (`ends`).
 * - uncertain: how much longer `expected` may be: `within` of a power cut, one interval of each change of segment. Of a board
 *   without waveforms the time between its messages counts, and of n missing between two of them n of the n + 1 steps: the last
 *   one is uncertain.
 *
 * Days are of the times that are stored with the messages; a boot without any is listed under no day.
 */
import { kidText } from "../protocol/keys.ts";
import type { Disowned } from "../protocol/messages.ts";
import { type BootParts, type ChannelParts, type Kind, readParts } from "./gaps/boot.ts";
import { createDays } from "./gaps/days.ts";
import type { Store } from "./store/store.ts";

/** In s. */
export interface Coverage {
  readonly expected: number;
  readonly received: number;
  readonly declared: number;
  readonly silent: number;
  readonly uncertain: number;
}

/** `id` null: not a channel, but the messages of a board without waveforms. */
export interface ChannelCoverage extends Coverage {
  readonly id: number | null;
  readonly name: string;
}

export interface DayCoverage extends Coverage {
  readonly kid: string;
  /** "2027-01-15", in UTC; null: of boots without a time. */
  readonly day: string | null;
  readonly channels: readonly ChannelCoverage[];
}

/**
 * How a boot ended. "declared": its device says that power was cut, or that all it lost at the end is lost. "clean": a later birth
 * names a last message that is here. "unknown": nobody says, or the last message is missing. "open": it is the newest, and goes on.
 */
export type BootEnd = "declared" | "clean" | "unknown" | "open";

export interface BootCoverage extends Coverage {
  readonly kid: string;
  readonly boot: number;
  readonly ends: BootEnd;
  /** Of a power cut, where it is known: alive at this tick of the boot, ms, and less than `within` ms longer. */
  readonly cut: { readonly tick: number; readonly within: number } | null;
  /** Stored messages; those that are missing. */
  readonly messages: number;
  readonly missing: { readonly declared: number; readonly silent: number };
  /** RFC 3339, of the first and the last moment that counts; null: untimed, or nothing counts. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface DeviceCoverage {
  /** In order of days; that of untimed boots last. */
  readonly days: readonly DayCoverage[];
  /** In order of boots: those of which something is stored, and those of which the device has said how they ended. */
  readonly boots: readonly BootCoverage[];
}

/** Days rise, what is untimed comes last. */
export function compareDays(a: Pick<DayCoverage, "day">, b: Pick<DayCoverage, "day">): number {
  if (a.day === b.day) return 0;
  if (a.day === null || b.day === null) return a.day === null ? 1 : -1;
  return a.day < b.day ? -1 : 1;
}

interface Sum extends Record<Kind, number> {
  uncertain: number;
}
const createSum = (): Sum => ({ received: 0, declared: 0, silent: 0, uncertain: 0 });

/** From us, each to the millisecond. */
function coverage({ received, declared, silent, uncertain }: Sum): Coverage {
  const s = (us: number) => Math.round(us / 1000) / 1000;
  const parts = { received: s(received), declared: s(declared), silent: s(silent) };
  const expected = s((parts.received + parts.declared + parts.silent) * 1e6);
  return { expected, ...parts, uncertain: s(uncertain) };
}

/** The report of one device. */
export function coverageOf(store: Store, kid: Uint8Array): DeviceCoverage {
  const boots = partsOfBoots(store, kid);
  const hasWaveforms = boots.some(({ heard }) => heard.length > 0);
  const name = kidText(kid);
  const days = new Map<string | null, { readonly worst: Sum; readonly channels: Map<string, NamedSum> }>();
  const reports = boots.map((one, i): BootCoverage => {
    const channels = channelsOf(one, hasWaveforms);
    const parts = channels.flatMap((channel) => channel.parts);
    const begin = parts.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY);
    const end = parts.reduce((most, { to }) => Math.max(most, to), begin === Number.POSITIVE_INFINITY ? 0 : begin);
    const calendar = createDays(one, Math.min(begin, end), end);
    const sums = channels.map((channel) => sumByDay(channel, calendar));
    const whole = sums.map(({ sum }) => sum);
    const worst = whole.length === 0 ? -1 : whole.indexOf(whole.reduce((a, b) => (share(b) < share(a) ? b : a)));
    for (const [at, { channel, byDay }] of sums.entries()) {
      for (const [day, sum] of byDay) {
        const held = days.get(day) ?? { worst: createSum(), channels: new Map() };
        days.set(day, held);
        if (at === worst) add(held.worst, sum);
        const key = `${channel.id} ${channel.name}`;
        const all = held.channels.get(key) ?? { id: channel.id, name: channel.name, sum: createSum() };
        held.channels.set(key, all);
        add(all.sum, sum);
      }
    }
    const { declared, silent } = one.sequence;
    const { cut } = one;
    return {
      kid: name,
      boot: one.boot,
      ends: i === boots.length - 1 && !one.sequence.cut ? "open" : endOf(one),
      cut: cut === null ? null : { tick: cut.time / 1000, within: cut.within / 1000 },
      messages: one.messages,
      missing: { declared, silent },
      from: isoOf(parts.length === 0 ? null : calendar.utc(begin)),
      to: isoOf(parts.length === 0 ? null : calendar.utc(end)),
      ...coverage(worst < 0 ? createSum() : whole[worst]!),
    };
  });
  const rows = [...days].map(([day, { worst, channels }]): DayCoverage => {
    const each = [...channels.values()].sort((a, b) => (a.id ?? -1) - (b.id ?? -1));
    return {
      kid: name,
      day,
      ...coverage(worst),
      channels: each.map(({ sum, ...channel }) => ({ ...channel, ...coverage(sum) })),
    };
  });
  return { days: rows.sort(compareDays), boots: reports };
}

interface NamedSum extends Pick<ChannelCoverage, "id" | "name"> {
  readonly sum: Sum;
}

/** The boots of a device, rising. From the last to the first: a boot's end is told by later ones. */
function partsOfBoots(store: Store, kid: Uint8Array): BootParts[] {
  const told = new Map<number, Disowned[]>();
  const prevs = new Map<number, number>();
  const found: BootParts[] = [];
  const read = (boot: number) => {
    const one = readParts(store, kid, boot, { told: told.get(boot) ?? [], prev: prevs.get(boot) ?? null });
    for (const range of one.told) told.set(range.boot, [...(told.get(range.boot) ?? []), range]);
    for (const { prev } of one.births) {
      if (prev !== null) prevs.set(prev.boot, Math.max(prev.seq, prevs.get(prev.boot) ?? 0));
    }
    if (one.messages > 0 || one.sequence.cut) found.push(one);
  };
  const numbers = store.boots(kid).map(({ boot }) => boot);
  for (const boot of numbers.toReversed()) read(boot);
  for (const boot of [...told.keys()]) if (!numbers.includes(boot)) read(boot);
  return found.sort((a, b) => a.boot - b.boot);
}

/** What counts of a boot: its waveforms; where nothing of them is here, those that it declares; of a board without, its messages. */
function channelsOf(boot: BootParts, hasWaveforms: boolean): readonly ChannelParts[] {
  const { heard, unheard, byMessages, messages } = boot;
  if (heard.length > 0) return heard;
  if (hasWaveforms && messages > 0) return unheard;
  return byMessages.parts.length > 0 ? [byMessages] : [];
}

function endOf({ sequence, prev }: BootParts): BootEnd {
  if (sequence.cut) return "declared";
  if (prev === null) return "unknown";
  const last = sequence.stored.highest;
  if (prev <= last) return "clean";
  return sequence.declares(last + 1, prev) ? "declared" : "unknown";
}

function sumByDay(channel: ChannelParts, calendar: ReturnType<typeof createDays>) {
  const sum = createSum();
  const byDay = new Map<string | null, Sum>();
  for (const part of channel.parts) {
    for (const { day, kind, from, to, uncertain } of calendar.split(part)) {
      const one = byDay.get(day) ?? createSum();
      byDay.set(day, one);
      for (const each of [one, sum]) {
        each[kind] += to - from;
        each.uncertain += uncertain;
      }
    }
  }
  return { channel, sum, byDay };
}

function add(to: Sum, { received, declared, silent, uncertain }: Sum): void {
  to.received += received;
  to.declared += declared;
  to.silent += silent;
  to.uncertain += uncertain;
}

/** How much of what is expected is here, 0 to 1. */
function share({ received, declared, silent }: Sum): number {
  const expected = received + declared + silent;
  return expected === 0 ? 1 : received / expected;
}

const isoOf = (ms: number | null) => (ms === null || !(Math.abs(ms) < 8.64e15) ? null : new Date(ms).toISOString());
