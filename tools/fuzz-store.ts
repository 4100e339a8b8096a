/** A store in memory, as much of one as a receiver asks for: what it takes is unique, as in the one that ships. */

import {
  type BootState,
  type CardRow,
  DISOWNED,
  type Settled,
  type Space,
  type Store,
  type StoredMessage,
} from "../gateway/store/store.ts";
import { kidText } from "../protocol/keys.ts";
import { TYPE_BIRTH } from "../protocol/messages.ts";

export function createMemoryStore(): Store {
  const rows = new Map<string, StoredMessage>();
  const boots = new Map<string, BootState>();
  const settled: Settled[] = [];
  const cards: CardRow[] = [];
  let last: StoredMessage | undefined;
  const key = (kid: Uint8Array, boot: number, space: Space, seq: number) => `${kidText(kid)} ${boot} ${space} ${seq}`;
  const of = (kid: Uint8Array, boot: number) =>
    [...rows.values()].filter((row) => row.boot === boot && kidText(row.kid) === kidText(kid));
  const births = (kid: Uint8Array) =>
    [...rows.values()]
      .filter((row) => row.space === 0 && row.kind === TYPE_BIRTH && kidText(row.kid) === kidText(kid))
      .sort((a, b) => a.boot - b.boot || a.seq - b.seq);
  return {
    head: () => ({ position: last?.position ?? 0, chain: last?.chain ?? new Uint8Array(32) }),
    commit(commit) {
      const keys = commit.messages.map((row) => key(row.kid, row.boot, row.space, row.seq));
      if (new Set(keys).size < keys.length || keys.some((one) => rows.has(one))) throw new Error("an identity twice");
      commit.messages.forEach((row, i) => {
        rows.set(keys[i]!, row);
        last = row;
      });
      for (const state of commit.boots) boots.set(`${kidText(state.kid)} ${state.boot}`, state);
      settled.push(...commit.settled);
    },
    find: (kid, boot, space, seq) => rows.get(key(kid, boot, space, seq)),
    messages: () => rows.values(),
    seqs: (kid, boot, space) =>
      of(kid, boot)
        .filter((row) => row.space === space)
        .map(({ seq }) => seq)
        .sort((a, b) => a - b),
    ofKind: (kid, boot, kind) => of(kid, boot).filter((row) => row.kind === kind),
    between: (kid, boot, first, last) =>
      of(kid, boot)
        .filter((row) => row.space === 0 && row.seq >= first && row.seq <= last)
        .sort((a, b) => a.seq - b.seq),
    nextBirth: (kid, boot) => births(kid).find((row) => row.boot > boot),
    newestBirth: (kid) => births(kid).at(-1),
    listed: () => undefined,
    levelChanges: () => [],
    newest: () => [],
    boots: (kid) => [...boots.values()].filter((state) => kidText(state.kid) === kidText(kid)),
    settled: (kid, boot) => settled.filter((range) => range.boot === boot && kidText(range.kid) === kidText(kid)),
    refused: (kid, boot, seq) =>
      settled.some(
        (range) =>
          range.reason !== DISOWNED &&
          range.first === seq &&
          range.boot === boot &&
          kidText(range.kid) === kidText(kid),
      ),
    putCard: (kid, card) => cards.push({ kid, card }),
    cards: () => cards,
    checkpoints: () => [],
    pings: () => [],
    quarantines: () => [],
    releaseQuarantine() {},
    rotations: () => [],
    revocations: () => undefined,
    putRevocations() {},
    close() {},
  };
}
