/** What really happened on one board of a soak: what its converters gave, what was wrong with which chip, how its patient was. */
import type { Emulator } from "../../drivers/emulator.ts";
import type { Fault, FaultKind, FaultPlan } from "../faults.ts";
import type { Patient } from "../patient.ts";
import { SOAK_CHIPS, type SoakChip } from "./plan.ts";

export const SECOND = 1_000_000;

/** The codes of one converter, the newest KEPT of them. */
export interface Conversions {
  /** So many so far. */
  readonly count: number;
  /** The oldest one that is still known. */
  readonly oldest: number;
  value(index: number): number;
  /** us. */
  at(index: number): number;
  /** The first one at or after a time, us; `count`: none is. */
  firstAt(time: number): number;
  add(code: number, at: number): void;
}

/** A power of two: 17 minutes of an ECG. */
const KEPT = 1 << 18;

export function createConversions(kept = KEPT): Conversions {
  const codes = new Int32Array(kept);
  const times = new Float64Array(kept);
  const mask = kept - 1;
  let count = 0;
  return {
    get count() {
      return count;
    },
    get oldest() {
      return Math.max(0, count - kept);
    },
    value: (index) => codes[index & mask],
    at: (index) => times[index & mask],
    firstAt(time) {
      let low = Math.max(0, count - kept);
      for (let high = count; low < high; ) {
        const middle = (low + high) >> 1;
        if (times[middle & mask] < time) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    add(code, at) {
      codes[count & mask] = code;
      times[count++ & mask] = at;
    },
  };
}

/** One occurrence of a fault, us: from <= t < to. */
export interface FaultSpan {
  readonly kind: FaultKind;
  /** null: of no one chip. */
  readonly chip: SoakChip | null;
  readonly from: number;
  readonly to: number;
  /** Chips that it can do something to. */
  readonly touches: readonly SoakChip[];
}

/** They share a bus. */
const I2C: readonly SoakChip[] = ["max30102", "tmp117"];
const WHOLE_BUS: readonly FaultKind[] = ["stuck-sda", "slow-clock"];
const WHOLE_HOST: readonly FaultKind[] = ["host-stall", "flash-pause"];
/** Between them and the patient stands nothing that the board could measure through. */
const ABSENT: readonly FaultKind[] = ["finger-off", "lead-off", "saturation", "stuck-value", "wrong-id", "unplugged"];
/** Data stop, or may: a chip that gives one code is opened anew. */
const INTERRUPTING: readonly FaultKind[] = [
  "nack",
  "stuck-sda",
  "slow-clock",
  "wrong-id",
  "fifo-overflow",
  "host-stall",
  "brown-out",
  "unplugged",
  "stuck-value",
  "flash-pause",
];

/** What a converter gives meanwhile, or the board hears, cannot be the patient's. */
export const isAbsent = ({ kind }: Pick<FaultSpan, "kind">): boolean => ABSENT.includes(kind);
export const isInterrupting = ({ kind }: Pick<FaultSpan, "kind">): boolean => INTERRUPTING.includes(kind);

function touched(kind: FaultKind, chip: SoakChip | null): readonly SoakChip[] {
  if (WHOLE_BUS.includes(kind)) return I2C;
  if (chip !== null) return [chip];
  return WHOLE_HOST.includes(kind) ? SOAK_CHIPS : [];
}

function spanOf(fault: Fault): FaultSpan {
  const chip = "chip" in fault ? (fault.chip as SoakChip) : null;
  const from = Math.round(fault.at! * SECOND);
  const to = from + Math.round(fault.for * SECOND);
  return { kind: fault.kind, chip, from, to, touches: touched(fault.kind, chip) };
}

/** Beats, R times and onsets of pulses, walked in pieces: a walk begins at time 0 each time. */
const PIECE = 1800;

function createTimes(between: (from: number, to: number) => number[]) {
  let known = 0;
  let times: number[] = [];
  return (from: number, to: number): number[] => {
    while (known < to) {
      times = [...times.filter((time) => time > known - PIECE), ...between(known, known + PIECE)];
      known += PIECE;
    }
    let first = 0;
    for (let high = times.length; first < high; ) {
      const middle = (first + high) >> 1;
      if (times[middle] < from) first = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (let i = first; i < times.length && times[i] < to; i++) found.push(times[i]);
    return found;
  };
}

export interface SoakTruth {
  readonly patient: Patient;
  /** By chip and name of its channel. */
  conversions(chip: SoakChip, channel: string): Conversions;
  /** All that was planned, in order of time. */
  readonly spans: readonly FaultSpan[];
  /** Those that touch a chip and lie within from..to, us, at least partly. Ask in about the order of time: 20 minutes back at most. */
  touching(chip: SoakChip, from: number, to: number): FaultSpan[];
  /** Nothing is wrong with the chip in from..to, us. */
  isSound(chip: SoakChip, from: number, to: number): boolean;
  /** The chip had no patient in all of from..to, us; faults of the kind `but` do not count. */
  isAbsent(chip: SoakChip, from: number, to: number, but?: FaultKind | null): boolean;
  /** R times, and onsets of the pulses, in from <= t < to, s. */
  beats(from: number, to: number): number[];
  pulses(from: number, to: number): number[];
  /** Hears a chip's converters from now on. */
  listen(chip: SoakChip, emulator: Emulator, channels: readonly string[]): void;
}

/** How far back spans are asked for, us. */
const BACK = 1200 * SECOND;

/** `plan`: of this board alone; every fault but an oscillator has its `at`. */
export function createTruth(patient: Patient, plan: FaultPlan): SoakTruth {
  const spans = plan
    .filter(({ kind }) => kind !== "oscillator")
    .map(spanOf)
    .sort((a, b) => a.from - b.from);
  const own = new Map(SOAK_CHIPS.map((chip) => [chip, spans.filter(({ touches }) => touches.includes(chip))]));
  const passed = new Map<SoakChip, number>();
  const conversions = new Map<string, Conversions>();
  const of = (chip: SoakChip, channel: string) => {
    const key = `${chip} ${channel}`;
    const found = conversions.get(key) ?? createConversions();
    conversions.set(key, found);
    return found;
  };
  const touching = (chip: SoakChip, from: number, to: number) => {
    const all = own.get(chip)!;
    let first = passed.get(chip) ?? 0;
    while (first < all.length && all[first].to < from - BACK) first++;
    passed.set(chip, first);
    const found: FaultSpan[] = [];
    for (let i = first; i < all.length && all[i].from <= to; i++) if (all[i].to >= from) found.push(all[i]);
    return found;
  };
  return {
    patient,
    conversions: of,
    spans,
    touching,
    isSound: (chip, from, to) => touching(chip, from, to).length === 0,
    isAbsent(chip, from, to, but) {
      let covered = from;
      for (const span of touching(chip, from, to)) {
        if (span.kind !== but && isAbsent(span) && span.from <= covered) covered = Math.max(covered, span.to);
      }
      return covered >= to;
    },
    beats: createTimes(patient.truth.beats),
    pulses: createTimes(patient.truth.pulses),
    listen(chip, emulator, channels) {
      const before = emulator.onConvert;
      const to = new Map(channels.map((channel) => [channel, of(chip, channel)]));
      emulator.onConvert = (channel, code, at) => {
        before?.(channel, code, at);
        to.get(channel)?.add(code, at);
      };
    },
  };
}
