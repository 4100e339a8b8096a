/** What a report must say of boots that were played (coverage-board.ts): message by message, without any cleverness. */
import { DISOWNED_POWER, decodeDisowned } from "../../protocol/messages.ts";
import { INTERVAL, isHere, type Played } from "./coverage-board.ts";

/** us. */
export interface Truth {
  received: number;
  declared: number;
  silent: number;
  uncertain: number;
  ends: "declared" | "clean" | "unknown" | "open";
  missing: { declared: number; silent: number };
}

export function truthOf(boots: readonly Played[], at: number): Truth {
  const { boot, sealed, pieces, begins, script } = boots[at]!;
  const here = new Set(sealed.filter(isHere).map(({ message }) => message.seq));
  const newest = at === boots.length - 1;
  const events = boots.flatMap((one) => one.sealed.filter(isHere).map(({ message }) => message));
  const told = events
    .map((message) => (message.type === "event" ? decodeDisowned(message) : null))
    .filter((range) => range?.boot === boot)
    .map((range) => range!);
  const isTold = (seq: number) => told.some(({ first, count }) => seq >= first && seq < first + count);
  const power = told.find(({ reason }) => reason === DISOWNED_POWER);
  const truth: Truth = {
    ...{ received: 0, declared: 0, silent: 0, uncertain: 0 },
    ends: "unknown",
    missing: { declared: 0, silent: 0 },
  };
  const seqs = (after: number, before: number) =>
    sealed.map(({ message }) => message.seq).filter((seq) => seq > after && seq < before && !here.has(seq));
  const add = (from: number, to: number, isDeclared: boolean) => {
    truth[isDeclared ? "declared" : "silent"] += to - from;
  };

  const stored = pieces.filter(({ seq }) => seq !== null && here.has(seq));
  let before: { seq: number; to: number; seg: number } | null = null;
  for (const piece of stored) {
    const seq = piece.seq!;
    truth.received += piece.to - piece.from;
    const lost = seqs(before?.seq ?? 0, seq);
    const hidden = pieces.filter(({ to, from }) => to <= piece.from && from >= (before?.to ?? 0));
    const ofSegment = hidden.filter((one) => one.seg === piece.seg && !one.isRestart);
    const begin = begins.get(piece.seg)!;
    const changes = before !== null ? before.seg !== piece.seg : piece.seg > 0 && lost.length > 0;
    const from = before !== null ? before.to : changes ? 10_000 : begin;
    if (lost.length > 0) add(from, piece.from, lost.every(isTold));
    else {
      const inside = Math.max(from, begin);
      add(from, inside, true);
      add(
        inside,
        piece.from,
        ofSegment.every((one) => one.told),
      );
    }
    if (changes) truth.uncertain += INTERVAL;
    before = { seq, to: piece.to, seg: piece.seg };
  }
  const last = sealed.filter(({ message }) => here.has(message.seq)).at(-1)!.message;
  let known = before?.to ?? 10_000;
  // Behind the last samples: from one message that is here to the next, where some between them are not.
  let previous = before?.seq ?? 0;
  for (const { message } of sealed) {
    if (message.seq <= previous || !here.has(message.seq)) continue;
    const lost = seqs(previous, message.seq);
    if (lost.length > 0) {
      add(known, Math.max(known, message.tick * 1000), lost.every(isTold));
      known = Math.max(known, message.tick * 1000);
    }
    previous = message.seq;
  }
  if (power !== undefined) {
    const first = Math.max(known, power.end!.tick * 1000);
    add(known, first, seqs(last.seq, Number.POSITIVE_INFINITY).every(isTold));
    truth.uncertain += power.end!.within * 1000;
  }
  const highest = sealed.at(-1)!.message.seq;
  const goodbye = !newest && script.end.how === "goodbye";
  const behind = seqs(last.seq, Number.POSITIVE_INFINITY);
  if (power !== undefined) truth.ends = "declared";
  else if (newest) truth.ends = "open";
  else if (goodbye) truth.ends = behind.length === 0 ? "clean" : behind.every(isTold) ? "declared" : "unknown";
  // A seq is known to have been where a higher one is here, or is named.
  const named = told.map(({ first, count, reason }) => (reason === DISOWNED_POWER ? first - 1 : first + count - 1));
  const top = Math.max(last.seq, ...named, goodbye ? highest : -1);
  for (const seq of seqs(-1, top + 1)) truth.missing[isTold(seq) ? "declared" : "silent"]++;
  return truth;
}
