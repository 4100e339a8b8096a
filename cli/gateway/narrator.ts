/** What a gateway tells the person at its terminal: boards that come, fall silent, return; gaps; refusals; clones. */
import { releaseCommand } from "../../gateway/api/notices.ts";
import { lossWords } from "../../gateway/dashboard/losses.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Origin } from "../../gateway/origin.ts";
import type { Accepted, DeviceAlarm } from "../../gateway/receiver.ts";
import type { Card } from "../../protocol/card.ts";
import { kidText } from "../../protocol/keys.ts";
import { decodeDisowned } from "../../protocol/messages.ts";
import type { Reason } from "../../protocol/refusal.ts";

/** A board that has said nothing for this long is silent, ms. */
const SILENT = 3000;
/** Refusals of one kind are told together, at most this often, ms. */
const REFUSALS = 10_000;

interface BoardState {
  heardAt: number;
  silent: boolean;
  boot: number;
  /** Messages that are missing without a word, of the boots that lack any. */
  readonly missing: Map<number, number>;
}

function sumOf(missing: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const count of missing.values()) sum += count;
  return sum;
}

export interface Narrator {
  /** A device has a card; says too where it is in quarantine since before. */
  enrolled(card: Card): void;
  /** Something of a device itself that a person must look at. */
  alarm(alarm: DeviceAlarm): void;
  stored(accepted: Accepted): void;
  refused(origin: Origin, reason: Reason, detail: string): void;
  /** To be called about once a second. */
  tick(): void;
}

/** `store`: its path, for the command that releases from it. */
export function createNarrator(
  gateway: () => Gateway,
  now: () => number,
  say: (line: string) => void,
  store: string,
): Narrator {
  const boards = new Map<string, BoardState>();
  const refusals = new Map<string, { count: number; detail: string; toldAt: number }>();

  const born = ({ message, origin }: Accepted, kid: string, state: BoardState) => {
    if (message.type !== "birth" || message.boot === state.boot) return;
    state.boot = message.boot;
    const chips = [...new Set(message.channels.map(({ attributes }) => attributes.chip ?? ""))].filter(
      (chip) => chip !== "",
    );
    say(`board ${kid}: boot ${message.boot} on ${origin.name}: ${chips.join(", ")}`);
  };
  return {
    enrolled({ kid: bytes, issuer }) {
      const kid = kidText(bytes);
      say(`board ${kid}: enrolled by ${issuer}`);
      const standing = gateway().devices.get(bytes)?.quarantine ?? null;
      if (standing === null) return;
      const since = new Date(standing.since).toISOString();
      say(
        `board ${kid}: in quarantine since ${since}: ${standing.sentence}; to release it: ${releaseCommand(store, kid)}`,
      );
    },
    alarm({ kind, kid: bytes, sentence }) {
      const kid = kidText(bytes);
      const release =
        kind === "clone or rollback"
          ? `; nothing of it is stored until a person releases it: ${releaseCommand(store, kid)}`
          : "";
      say(`ALARM ${kind}: board ${kid}: ${sentence}${release}`);
    },
    stored(accepted) {
      const { device, message } = accepted;
      const kid = kidText(device.card.kid);
      const time = now();
      if (message.type === "presence") {
        if (message.state === 0) say(`board ${kid}: its connection died`);
        if (message.state === 2) say(`board ${kid}: has signed off`);
        return;
      }
      const known = boards.has(kid);
      const state = boards.get(kid) ?? { heardAt: time, silent: false, boot: -1, missing: new Map() };
      boards.set(kid, state);
      born(accepted, kid, state);
      const range = message.type === "event" ? decodeDisowned(message) : null;
      if (range !== null) say(`board ${kid}: ${lossWords(range)}`);
      const before = sumOf(state.missing);
      const touched = range === null ? message.boot : range.boot;
      for (const boot of new Set([message.boot, touched])) {
        const left = gateway().devices.boot(device, boot).settled.missing;
        if (left > 0) state.missing.set(boot, left);
        else state.missing.delete(boot);
      }
      const missing = sumOf(state.missing);
      if (!known && message.type !== "birth")
        say(`board ${kid}: heard on ${accepted.origin.name}, boot ${message.boot}`);
      if (state.silent) {
        const silence = ((time - state.heardAt) / 1000).toFixed(1);
        say(`board ${kid}: back after ${silence} s${missing > 0 ? `; ${missing} messages are missing` : ""}`);
      } else if (missing > 0 && before === 0) say(`board ${kid}: ${missing} messages are missing`);
      if (missing === 0 && before > 0) say(`board ${kid}: complete again, nothing is missing`);
      state.silent = false;
      state.heardAt = time;
    },
    refused(origin, reason, detail) {
      const key = `${origin.name} ${reason}`;
      const told = refusals.get(key);
      if (told !== undefined) {
        told.count++;
        told.detail = detail;
        return;
      }
      refusals.set(key, { count: 0, detail, toldAt: now() });
      // What was sent twice is the ordinary way of a board that did not hear an ack.
      if (reason !== "replay") say(`${origin.name}: refused (${reason}): ${detail}`);
    },
    tick() {
      const time = now();
      for (const [kid, state] of boards) {
        if (state.silent || time - state.heardAt < SILENT) continue;
        state.silent = true;
        say(`board ${kid}: nothing for ${Math.round((time - state.heardAt) / 1000)} s`);
      }
      for (const [key, refusal] of refusals) {
        if (time - refusal.toldAt < REFUSALS) continue;
        refusals.delete(key);
        if (refusal.count === 0 || key.endsWith("replay")) continue;
        say(`${key.replace(/ (\w+)$/, ": refused ($1)")} ${refusal.count} times more, last: ${refusal.detail}`);
      }
    },
  };
}
