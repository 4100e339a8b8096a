/** What the boards of a soak add up to, and whether that is what is required. */
import { createHash } from "node:crypto";
import type { BoardReport } from "./board.ts";

/** Times of recovery of one kind of fault, s. */
export interface Recovery {
  readonly count: number;
  readonly median: number;
  readonly max: number;
}

export interface KindReport {
  readonly kind: string;
  readonly occurrences: number;
  /** null: it touches no chip. */
  readonly recovery: Recovery | null;
  /** Samples converted meanwhile, and those of them that are flagged; null: they are the patient's. */
  readonly samples: { readonly count: number; readonly flagged: number } | null;
  /** Samples without a patient and without a flag: past the stated latency, and within it. */
  readonly falseGood: number;
  readonly late: number;
}

export interface VitalSum {
  readonly vital: string;
  readonly values: number;
  readonly good: number;
  readonly wrong: number;
  readonly absent: number;
  readonly unheard: number;
  /** Not false: of a thermometer that is stuck, and right. */
  readonly stuckRight: number;
  readonly clean: number;
  readonly falseBad: number;
  /** SpO2 of swapped LEDs, until the chip is opened again. */
  readonly heldBack: number;
  /** Of false good, by the fault behind it; of false bad, by flags. */
  readonly during: Record<string, number>;
  readonly flags: Record<string, number>;
}

export interface ChannelSum {
  readonly channel: string;
  readonly stored: number;
  readonly declared: number;
  readonly silent: number;
  readonly wrong: number;
  readonly misplaced: number;
  readonly duplicates: number;
  readonly falseGood: number;
  readonly late: number;
  readonly clean: number;
  readonly cleanFlagged: number;
  /** Largest difference of a block's time from its first conversion's, us; null: single values have their interval. */
  readonly timing: number | null;
}

export interface SoakReport {
  readonly vitals: readonly VitalSum[];
  readonly channels: readonly ChannelSum[];
  readonly kinds: readonly KindReport[];
  readonly messages: {
    readonly sealed: number;
    readonly missing: number;
    readonly disowned: number;
    readonly refused: number;
  };
  /** Recoveries later than 5 s or never; ends after which another interruption came first. */
  readonly lateRecoveries: number;
  readonly overlapped: number;
  /** Times that a sensor was given up, and came back. */
  readonly givenUp: number;
  /** SHA-256 over the boards' hashes in their order, hex. */
  readonly hash: string;
  /** What is required and not so, in words; none: all is well. */
  readonly failures: readonly string[];
}

function addUp(counts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of counts) for (const [key, count] of Object.entries(one)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}
const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

function vitalsOf(boards: readonly BoardReport[]): VitalSum[] {
  return boards[0].vitals.map(({ vital }, place) => {
    const own = boards.map(({ vitals }) => vitals[place]);
    const sum = (pick: (one: (typeof own)[number]) => number) => own.reduce((all, one) => all + pick(one), 0);
    return {
      vital,
      values: sum(({ values }) => values),
      good: sum(({ good }) => good),
      wrong: sum(({ falseGood }) => falseGood.wrong),
      absent: sum(({ falseGood }) => falseGood.absent),
      unheard: sum(({ falseGood }) => falseGood.unheard),
      stuckRight: sum(({ stuckRight }) => stuckRight),
      clean: sum(({ clean }) => clean),
      heldBack: sum(({ heldBack }) => heldBack),
      falseBad: sum(({ falseBad }) => falseBad),
      during: addUp(own.map(({ during }) => during)),
      flags: addUp(own.map(({ flags }) => flags)),
    };
  });
}

function channelsOf(boards: readonly BoardReport[]): ChannelSum[] {
  const waves = boards[0].waves.map(({ channel }, place) => {
    const own = boards.map((board) => board.waves[place]);
    const sum = (pick: (one: (typeof own)[number]) => number) => own.reduce((all, one) => all + pick(one), 0);
    return {
      channel,
      stored: sum(({ stored }) => stored),
      declared: sum(({ declared }) => declared),
      silent: sum(({ silent }) => silent),
      wrong: sum(({ wrong }) => wrong),
      misplaced: sum(({ misplaced }) => misplaced),
      duplicates: sum(({ duplicates }) => duplicates),
      falseGood: sum(({ falseGood }) => total(falseGood)),
      late: sum(({ late }) => total(late)),
      clean: sum(({ clean }) => clean.samples),
      cleanFlagged: sum(({ clean }) => clean.flagged),
      timing: Math.max(...own.map(({ timing }) => timing)),
    };
  });
  const readings = boards.map(({ reading }) => reading);
  const sum = (pick: (one: (typeof readings)[number]) => number) => readings.reduce((all, one) => all + pick(one), 0);
  const reading = {
    channel: readings[0].channel,
    stored: sum(({ stored }) => stored),
    declared: 0,
    silent: 0,
    wrong: sum(({ wrong }) => wrong),
    misplaced: 0,
    duplicates: 0,
    falseGood: sum(({ falseGood }) => total(falseGood)),
    late: sum(({ late }) => total(late)),
    clean: sum(({ clean }) => clean.samples),
    cleanFlagged: sum(({ clean }) => clean.flagged),
    timing: null,
  };
  return [...waves, reading];
}

function kindsOf(boards: readonly BoardReport[]): KindReport[] {
  const faults = addUp(boards.map((board) => board.faults));
  const channels = boards.flatMap(({ waves }) => waves);
  const all = [...channels, ...boards.map(({ reading }) => reading)];
  const falseGood = addUp(all.map((one) => one.falseGood));
  const late = addUp(all.map((one) => one.late));
  return Object.entries(faults)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, occurrences]) => {
      const delays = boards.flatMap(({ recovery }) => recovery.delays[kind] ?? []).sort((a, b) => a - b);
      const faulty = channels.map((one) => one.faulty[kind]).filter((one) => one !== undefined);
      return {
        kind,
        occurrences,
        recovery:
          delays.length === 0
            ? null
            : { count: delays.length, median: delays[delays.length >> 1] / 1e6, max: delays.at(-1)! / 1e6 },
        samples:
          faulty.length === 0
            ? null
            : {
                count: faulty.reduce((sum, { samples }) => sum + samples, 0),
                flagged: faulty.reduce((sum, { flagged }) => sum + flagged, 0),
              },
        falseGood: falseGood[kind] ?? 0,
        late: late[kind] ?? 0,
      };
    });
}

/** `boards` in their order, at least one. */
export function reportOf(boards: readonly BoardReport[]): SoakReport {
  const sum = (pick: (board: BoardReport) => number) => boards.reduce((all, board) => all + pick(board), 0);
  const vitals = vitalsOf(boards);
  const channels = channelsOf(boards);
  const hash = createHash("sha256");
  for (const board of boards) hash.update(board.hash);
  const lateRecoveries = sum(({ recovery }) => recovery.late);
  const missing = sum((board) => board.missing);
  const failures: string[] = [];
  const require0 = (count: number, what: string) => {
    if (count > 0) failures.push(`${count} ${what}`);
  };
  for (const { vital, wrong, absent, unheard } of vitals)
    require0(wrong + absent + unheard, `values of ${vital} are told as good and are not`);
  for (const one of channels) {
    require0(one.falseGood, `samples of ${one.channel} could not be the patient's and have no flag`);
    require0(one.wrong, `samples of ${one.channel} are not what the converter gave`);
    require0(one.misplaced, `samples of ${one.channel} have a wrong index`);
    require0(one.silent, `samples of ${one.channel} are lost without a word`);
    require0(one.duplicates, `samples of ${one.channel} are stored twice`);
  }
  require0(lateRecoveries, "times a sensor was not back within 5 s");
  require0(missing, "messages are neither stored nor disowned");
  return {
    vitals,
    channels,
    kinds: kindsOf(boards),
    messages: {
      sealed: sum(({ sealed }) => sealed),
      missing,
      disowned: sum(({ disowned }) => disowned),
      refused: sum(({ refused }) => refused),
    },
    lateRecoveries,
    overlapped: sum(({ recovery }) => recovery.overlapped),
    givenUp: sum((board) => board.givenUp),
    hash: hash.digest("hex"),
    failures,
  };
}
