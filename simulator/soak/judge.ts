/** The record of one board of a soak, message by message as it is stored, held against the truth; it keeps windows only. */
import { FAULT_GIVEN_UP } from "../../drivers/driver.ts";
import {
  type ChannelDefinition,
  decodeDisowned,
  EVENT_FAULT,
  MDC_ECG,
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_RR_INTERVAL,
  MDC_SPO2,
  type Message,
  type Num,
  qualFlags,
  type Wave,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { TEMPERATURES } from "../../protocol/vital.ts";
import { SOAK_CHIPS, type SoakChip } from "./plan.ts";
import { createReadingJudge, type ReadingReport } from "./readings.ts";
import { createRecoveryJudge, type RecoveryReport } from "./recovery.ts";
import { SECOND, type SoakTruth } from "./truth.ts";
import {
  blamed,
  createVitalJudge,
  type Finding,
  faultsAround,
  RULES,
  VITALS,
  type VitalName,
  type VitalReport,
} from "./vitals.ts";
import { createWaveJudge, type WaveReport } from "./waves.ts";

export interface JudgeReport {
  readonly vitals: readonly VitalReport[];
  readonly waves: readonly WaveReport[];
  readonly reading: ReadingReport;
  readonly recovery: RecoveryReport;
  /** Occurrences, by kind of fault. */
  readonly faults: Record<string, number>;
  /** Seqs that are neither stored nor disowned, and those that were disowned. */
  readonly missing: number;
  readonly disowned: number;
  /** Times that the board told that it had given a sensor up. */
  readonly givenUp: number;
  readonly findings: readonly FindingGroup[];
}

/** What was found of one sort: how many values, samples or recoveries, and the first ones. */
export interface FindingGroup {
  readonly what: string;
  readonly why: string;
  readonly kind: string;
  count: number;
  readonly examples: Finding[];
}

export interface Judge {
  /** A message of this boot that was stored, in any order. */
  take(message: Message): void;
  /** No more comes; what was measured until then, us of board time, must be there. `sealed`: messages with a seq. */
  end(until: number, sealed: number): JudgeReport;
}

const DERIVED = 2;
const VITAL_CODES: Readonly<Record<number, VitalName>> = {
  [MDC_HEART_RATE]: "heartRate",
  [MDC_RR_INTERVAL]: "rrInterval",
  [MDC_PULSE_RATE]: "pulseRate",
  [MDC_SPO2]: "spo2",
  [MDC_PERFUSION_INDEX]: "perfusionIndex",
};
/** A message that has not come while so many later ones have is not waited for any more. */
const AHEAD = 600;
/** Findings that are kept of each sort. */
const KEPT = 8;

/** Which vital a channel of the birth is; null: none that is judged. */
function vitalOf({ mdc, attributes }: ChannelDefinition): VitalName | null {
  if (attributes.processing !== DERIVED) return null;
  return VITAL_CODES[mdc] ?? (TEMPERATURES.includes(mdc) ? "temperature" : null);
}

/** The chip and the name of a converter's channel; null: the channel is none. */
function converterOf({ mdc, rateMilliHz, attributes }: ChannelDefinition): readonly [SoakChip, string] | null {
  if (attributes.processing === DERIVED || rateMilliHz === 0) return null;
  if (attributes.role === "red" || attributes.role === "infrared") return ["max30102", attributes.role];
  if (mdc === MDC_ECG) return ["max30003", "ecg"];
  return TEMPERATURES.includes(mdc) ? ["tmp117", "temperature"] : null;
}

export function createJudge(truth: SoakTruth): Judge {
  const groups = new Map<string, FindingGroup>();
  const tell = (finding: Finding, count = 1) => {
    const { what, why, kind } = finding;
    const sort = `${what} ${why} ${kind}`;
    const group = groups.get(sort) ?? { what, why, kind, count: 0, examples: [] };
    groups.set(sort, group);
    group.count += count;
    if (group.examples.length < KEPT) group.examples.push(finding);
  };
  const vitals = new Map(VITALS.map((vital) => [vital, createVitalJudge(truth, vital, (finding) => tell(finding))]));
  const waves = new Map(
    (
      [
        ["red", "max30102"],
        ["infrared", "max30102"],
        ["ecg", "max30003"],
      ] as const
    ).map(([channel, chip]) => [channel as string, createWaveJudge(truth, chip, channel)]),
  );
  const reading = createReadingJudge(truth, "tmp117", "temperature");
  const recovery = createRecoveryJudge(truth, SOAK_CHIPS, ({ span, chip, delay }) =>
    tell({
      what: `${chip} back`,
      why: delay === null ? "never" : "late",
      at: span.to / SECOND,
      value: (delay ?? -SECOND) / SECOND,
      truth: null,
      kind: span.kind,
      faults: faultsAround(truth, chip, span.to),
    }),
  );
  /** Of the newest sample of each chip in the record, board time, us. */
  const heard = new Map<SoakChip, number>(SOAK_CHIPS.map((chip) => [chip, Number.NEGATIVE_INFINITY]));
  const waiting = new Map<number, Message>();
  const gone = new Set<number>();
  let definitions = new Map<number, ChannelDefinition>();
  let next = 0;
  let missing = 0;
  let disowned = 0;
  let givenUp = 0;

  const takeWave = (block: Wave, tick: number) => {
    const converter = converterOf(definitions.get(block.id)!);
    if (converter === null) return;
    const [chip, channel] = converter;
    const judge = waves.get(channel)!;
    const { report } = judge;
    const before = report.wrong + report.misplaced + report.silent + report.duplicates;
    const falseBefore = { ...report.falseGood };
    const stored = judge.take({
      seg: block.seg,
      idx: block.idx,
      time: tick * 1000 + block.dt,
      flags: qualFlags(block.qual),
      samples: decodeSamples(block.codec, block.bytes, block.n),
    });
    const found = (why: string, kind: string, count: number) => {
      if (count === 0) return;
      const faults = faultsAround(truth, chip, tick * 1000);
      tell({ what: channel, why, at: tick / 1000, value: count, truth: null, kind, faults }, count);
    };
    const wrong = report.wrong + report.misplaced + report.silent + report.duplicates - before;
    found("wrong", blamed(truth, chip, tick * 1000), wrong);
    for (const [kind, count] of Object.entries(report.falseGood))
      found("no flag", kind, count - (falseBefore[kind] ?? 0));
    if (stored === null) return;
    heard.set(chip, Math.max(heard.get(chip)!, stored.to));
    recovery.heard(chip, stored);
  };
  const takeValue = (num: Num, tick: number) => {
    const definition = definitions.get(num.id)!;
    const time = tick * 1000 + num.dt;
    const flags = qualFlags(num.qual);
    const vital = vitalOf(definition);
    if (vital !== null) {
      const scaled =
        num.value === null ? null : (num.value + definition.offset) * definition.mul * 10 ** definition.exp10;
      vitals.get(vital)!.take(scaled, flags, time, heard.get(RULES[vital].chip)!);
      return;
    }
    if (num.value === null || converterOf(definition)?.[0] !== "tmp117") return;
    heard.set("tmp117", Math.max(heard.get("tmp117")!, time));
    recovery.heard("tmp117", reading.take(num.value, flags, time));
  };
  const consume = (message: Message) => {
    if (message.type === "birth") definitions = new Map(message.channels.map((channel) => [channel.id, channel]));
    else if (message.type === "event") {
      if (message.code === EVENT_FAULT && Array.isArray(message.small) && message.small[0] === FAULT_GIVEN_UP)
        givenUp++;
      const told = decodeDisowned(message);
      for (let i = 0; told !== null && i < told.count; i++) gone.add(told.first + i);
    } else if (message.type === "data") {
      for (const one of message.channels) if (one.kind === "wave") takeWave(one, message.tick);
      for (const one of message.channels) if (one.kind === "num") takeValue(one, message.tick);
    }
  };
  /** All that has its turn; `all`: what is missing does not come. */
  const drain = (all: boolean) => {
    while (waiting.size > 0) {
      const message = waiting.get(next);
      if (message !== undefined) {
        waiting.delete(next++);
        consume(message);
      } else if (gone.delete(next)) {
        disowned++;
        next++;
      } else if (all || waiting.size > AHEAD) {
        missing++;
        next++;
      } else return;
    }
  };
  return {
    take(message) {
      if (!("seq" in message)) return;
      // the word about what is gone has its own place behind it
      if (message.type === "event" && decodeDisowned(message) !== null) consume(message);
      waiting.set(message.seq, message);
      drain(false);
    },
    end(until, sealed) {
      drain(true);
      missing += Math.max(0, sealed - next);
      for (const { end } of waves.values()) end(until);
      for (const { end } of vitals.values()) end(until);
      recovery.end(until);
      const faults: Record<string, number> = {};
      for (const { kind } of truth.spans) faults[kind] = (faults[kind] ?? 0) + 1;
      return {
        vitals: [...vitals.values()].map(({ report }) => report),
        waves: [...waves.values()].map(({ report }) => report),
        reading: reading.report,
        recovery: recovery.report,
        faults,
        missing,
        disowned,
        givenUp,
        findings: [...groups.values()],
      };
    },
  };
}
