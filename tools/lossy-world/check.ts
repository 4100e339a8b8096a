/** Holds the store of a lossy world against the truth: every sample and every message is there, or named by an event. */
import { createHash } from "node:crypto";
import { Intervals } from "../../gateway/intervals.ts";
import { storedPayload } from "../../gateway/record.ts";
import type { StoredMessage } from "../../gateway/store/store.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { DISOWNED_POWER, type Disowned, decodeDisowned, decodeMessage } from "../../protocol/messages.ts";
import { REASONS } from "../../protocol/refusal.ts";
import type { Life } from "../../simulator/lossy/life.ts";
import type { BootTruth } from "../../simulator/lossy/truth.ts";
import { checkGaps } from "./gaps.ts";
import { checkWave, isNamed } from "./waves.ts";
import { dueBy, type World } from "./world.ts";

/** Produced = stored + declared + silent. */
export interface Balance {
  produced: number;
  stored: number;
  /** Not stored, and named by a stored event 8. */
  declared: number;
  /** Neither. */
  silent: number;
}

export interface BoardReport {
  readonly name: string;
  readonly mode: "sign" | "mac";
  readonly boots: number;
  readonly messages: Balance;
  readonly samples: Balance;
  /** Of the samples stored: with another value than the chip gave, or stored twice. */
  wrong: number;
  readonly rows: number;
  /** Rows under an identity that another row has. */
  readonly duplicateRows: number;
  /** Messages that the gateway was offered again. */
  readonly offeredAgain: number;
  /** Messages that waited in RAM for their ack when the power went, all boots together. */
  readonly waiting: number;
  /** In words. */
  readonly problems: string[];
}

export interface WorldReport {
  readonly boards: readonly BoardReport[];
  /** Not of one board. */
  readonly problems: readonly string[];
  readonly rows: number;
  /** SHA-256 over every stored row, in order, hex. */
  readonly hash: string;
}

/** Reasons of refusal that a lossy network explains: what comes before its birth, or again. */
const EXPLAINED = new Set(["replay", "signature"]);

const balance = (): Balance => ({ produced: 0, stored: 0, declared: 0, silent: 0 });

/** What a board's stored rows say. */
interface Stored {
  /** Payloads by boot and seq. */
  readonly boots: Map<number, Map<number, Uint8Array>>;
  /** Events 8, by the boot that they speak of. */
  readonly named: Map<number, Disowned[]>;
  readonly rows: number;
  readonly duplicateRows: number;
}

function readStored(world: World, life: Life): Stored {
  const boots = new Map<number, Map<number, Uint8Array>>();
  const named = new Map<number, Disowned[]>();
  const seen = new Set<string>();
  let rows = 0;
  for (const row of world.gateway.store.messages(life.model.identity.kid)) {
    rows++;
    seen.add(`${row.boot} ${row.space} ${row.seq} ${row.space === 2 ? row.position : 0}`);
    if (row.space !== 0) continue;
    const payload = storedPayload(row);
    let boot = boots.get(row.boot);
    if (boot === undefined) {
      boot = new Map();
      boots.set(row.boot, boot);
    }
    boot.set(row.seq, payload);
    const message = row.kind === 4 ? decodeMessage(payload) : null;
    const disowned = message?.type === "event" ? decodeDisowned(message) : null;
    if (disowned !== null) named.set(disowned.boot, [...(named.get(disowned.boot) ?? []), disowned]);
  }
  return { boots, named, rows, duplicateRows: rows - seen.size };
}

interface Checked {
  readonly report: BoardReport;
  readonly tell: (problem: string) => void;
}

/** Every message that was sealed by `due`: stored with these bytes, or named. */
function checkMessages(
  { report, tell }: Checked,
  truth: BootTruth,
  stored: ReadonlyMap<number, Uint8Array>,
  named: readonly Disowned[],
  due: number,
): void {
  for (const [seq, payload] of stored) {
    const sealed = truth.sealed.get(seq);
    if (sealed === undefined) tell(`boot ${truth.boot} seq ${seq} is stored and was never sealed`);
    else if (!equalBytes(sealed.payload, payload)) tell(`boot ${truth.boot} seq ${seq} is stored with other bytes`);
  }
  const silent = new Intervals();
  for (const [seq, { at }] of truth.sealed) {
    if (at > due) continue;
    report.messages.produced++;
    if (stored.has(seq)) report.messages.stored++;
    else if (isNamed(named, seq)) report.messages.declared++;
    else {
      report.messages.silent++;
      silent.add(seq);
    }
  }
  for (const [from, to] of silent.list) tell(`boot ${truth.boot} seqs ${from} to ${to} are neither stored nor named`);
}

/** What a boot's end is said to be holds, and nothing is named that cannot have been. */
function checkNames({ tell }: Checked, truth: BootTruth, named: readonly Disowned[]): void {
  const sealed = truth.sealed.size;
  for (const { first, count, reason, end } of named) {
    const what = `boot ${truth.boot}: event 8, reason ${reason}, from seq ${first}`;
    if (reason !== DISOWNED_POWER) {
      if (first + count > sealed) tell(`${what}, names ${count} messages, ${sealed} were sealed`);
      continue;
    }
    if (truth.endedAt === null) {
      tell(`${what}: the boot still runs`);
      continue;
    }
    if (end === null) continue;
    const ran = (truth.endedAt - truth.startedAt) / 1000;
    if (ran < end.tick || ran >= end.tick + end.within)
      tell(`${what}: ended between ${end.tick} and ${end.tick + end.within} ms, it ran ${ran} ms`);
  }
}

function checkLife(world: World, life: Life): BoardReport {
  const stored = readStored(world, life);
  const counters = world.counters.get(life.name)!;
  const report: BoardReport = {
    name: life.name,
    mode: life.model.seal.mode,
    boots: life.boots.length,
    messages: balance(),
    samples: balance(),
    wrong: 0,
    rows: stored.rows,
    duplicateRows: stored.duplicateRows,
    offeredAgain: counters.refused.replay,
    waiting: life.boots.reduce((sum, { waiting }) => sum + waiting, 0),
    problems: [...life.violations],
  };
  const tell = (problem: string) => void report.problems.push(problem);
  const checked = { report, tell };
  const samples = new Map<BootTruth, number[]>();
  for (const truth of life.boots) {
    const rows = stored.boots.get(truth.boot) ?? new Map<number, Uint8Array>();
    const named = stored.named.get(truth.boot) ?? [];
    checkMessages(checked, truth, rows, named, dueBy(world));
    checkNames(checked, truth, named);
    const { until } = world.options;
    samples.set(
      truth,
      truth.waves.map((wave) => checkWave({ ...checked, truth, stored: rows, named, until }, wave)),
    );
  }
  const storedOf = (truth: BootTruth) => {
    const end = stored.named.get(truth.boot)?.find(({ reason }) => reason === DISOWNED_POWER);
    const seqs = new Set(stored.boots.get(truth.boot)?.keys());
    return { seqs, samples: samples.get(truth)!, endsAt: end?.first ?? null };
  };
  checkGaps(world, life, storedOf, tell);
  for (const boot of stored.boots.keys()) {
    if (!life.boots.some((truth) => truth.boot === boot)) tell(`boot ${boot} is stored and never was`);
  }
  for (const reason of REASONS) {
    const count = counters.refused[reason];
    if (count > 0 && !EXPLAINED.has(reason)) tell(`${count} messages were refused: ${reason}`);
  }
  if (stored.duplicateRows > 0) tell(`${stored.duplicateRows} rows are there twice`);
  return report;
}

/** SHA-256 over all columns of every row, in order. */
function hashOf(rows: Iterable<StoredMessage>): { rows: number; hash: string } {
  const hash = createHash("sha256");
  let count = 0;
  for (const row of rows) {
    count++;
    const { position, boot, space, seq, kind, received, evidence } = row;
    hash.update(`${position} ${boot} ${space} ${seq} ${kind} ${received} ${evidence} ${row.message.length} `);
    for (const bytes of [row.kid, row.message, row.record, row.chain]) hash.update(bytes);
  }
  return { rows: count, hash: hash.digest("hex") };
}

export function checkWorld(world: World): WorldReport {
  const boards = world.lives.map((life) => checkLife(world, life));
  const problems = [
    ...world.errors.map(({ message }) => `store: ${message}`),
    ...world.alarms.map(({ kind, sentence }) => `alarm, ${kind}: ${sentence}`),
  ];
  return { boards, problems, ...hashOf(world.gateway.store.messages()) };
}

/** Nothing is lost that no event names, nothing is there twice, nothing is other than it was. */
export const isWhole = ({ boards, problems }: WorldReport): boolean =>
  problems.length === 0 && boards.every((board) => board.problems.length === 0);
