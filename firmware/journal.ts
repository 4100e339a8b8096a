/**
 * What a board tells, in the order of its seqs: births, data, events, and the manifests over them. Each is sealed once and given
 * to the sender; what had to go to make room is disowned once somebody hears. Device side.
 */
import type { Board } from "../boards/board.ts";
import type { Crypto } from "../protocol/cose.ts";
import { hashList } from "../protocol/manifest.ts";
import {
  type BirthMessage,
  type ChannelDefinition,
  type Claims,
  EVENT_DISOWNED,
  encodeDisowned,
  encodeMessage,
  type Message,
  type Scalar,
} from "../protocol/messages.ts";
import type { Remains } from "./backlog.ts";
import { createManifests, MANIFEST_MESSAGES, type Manifests } from "./manifests.ts";
import type { About, Kind } from "./outbox.ts";
import type { Packer } from "./packer.ts";
import type { Sealer } from "./sealer.ts";
import type { Sender } from "./sender.ts";

export interface JournalOptions {
  readonly board: Board;
  readonly sealer: Sealer;
  readonly sender: Pick<Sender, "submit" | "outbox">;
  readonly crypto: Crypto;
  readonly claims: Claims;
  /** Mode "mac" on a board that can sign. */
  readonly manifests: boolean;
}

export interface Journal {
  /** Messages sealed with a seq in this boot. */
  readonly produced: number;
  /** The configuration that data are of; its birth was sealed. 0: no birth was. */
  readonly cfg: number;
  /** Board time, ms. */
  readonly tick: number;
  birth(
    cfg: number,
    channels: readonly ChannelDefinition[],
    prev: BirthMessage["prev"],
    hint: BirthMessage["hint"],
    offline: number,
  ): void;
  /** Events of before the first birth wait for it: seq 0 is the birth's. `tick`: now unless said otherwise. */
  event(code: number, small: Scalar[], tick?: number): void;
  /** Seals all that was collected; nothing before the first birth. */
  data(packer: Packer): void;
  /** Event 8 of what had to go and is not told; `powerOnly` as Outbox.takeGone. */
  disown(powerOnly: boolean): void;
  /** Manifests over what earlier boots left unsigned in the outbox: to be called when this boot has its birth. */
  signRemains(): void;
  /** The manifest over what has none yet. */
  flush(): void;
  /** From here on nothing is sealed. */
  halt(): void;
}

/** Manifests over what earlier boots left unsigned, at most; the time between two, ms: signing is long on some boards. */
const MOST_LISTS = 8;
const BETWEEN_LISTS = 100;

/** In lists of one boot's messages with consecutive seqs, `most` in each. */
function consecutive(remains: readonly Remains[], most: number): Remains[][] {
  const lists: Remains[][] = [];
  let list: Remains[] = [];
  for (let i = 0; i < remains.length; i++) {
    const one = remains[i];
    const last = list.length === 0 ? null : list[list.length - 1];
    if (last === null || list.length === most || last.boot !== one.boot || last.seq + 1 !== one.seq) {
      list = [];
      lists.push(list);
    }
    list.push(one);
  }
  return lists;
}

interface EarlyEvent {
  readonly tick: number;
  readonly code: number;
  readonly small: Scalar[];
}

export function createJournal(options: JournalOptions): Journal {
  const boot = options.claims.bootcount;
  const sender = options.sender;
  const early: EarlyEvent[] = [];
  let manifests: Manifests | null = null;
  let seq = 0;
  let cfg = 0;
  let halted = false;

  const tickNow = (): number => Math.floor(options.board.now() / 1000);
  const submit = (kind: Kind, number: number, message: Message, about: About): void => {
    const payload = encodeMessage(message);
    let known = about;
    if (manifests !== null && message.type !== "manifest") {
      known = Object.assign({}, about, { hash: manifests.add(number, payload, kind !== "data") });
    }
    sender.submit(kind, boot, number, options.sealer.seal(message, payload), known);
    if (manifests !== null) manifests.check();
  };
  const manifest = (ofBoot: number, first: number, hashes: Uint8Array, lasts: boolean, about: About): void => {
    if (halted) return;
    const number = seq++;
    const message: Message = {
      type: "manifest",
      boot: boot,
      seq: number,
      tick: tickNow(),
      ofBoot: ofBoot,
      first: first,
      hashes: hashes,
    };
    submit(lasts ? "manifest" : "data-manifest", number, message, about);
  };
  if (options.manifests) {
    manifests = createManifests(options.board, options.crypto, (first, hashes, lasts) =>
      manifest(boot, first, hashes, lasts, {}),
    );
  }
  const sealEvent = (event: EarlyEvent): void => {
    const number = seq++;
    submit(
      "event",
      number,
      {
        type: "event",
        boot: boot,
        seq: number,
        tick: event.tick,
        code: event.code,
        small: event.small,
      },
      {},
    );
  };

  return {
    get produced() {
      return seq;
    },
    get cfg() {
      return cfg;
    },
    get tick() {
      return tickNow();
    },
    birth(next, channels, prev, hint, offline) {
      if (halted) return;
      const number = seq++;
      cfg = next;
      submit(
        "birth",
        number,
        {
          type: "birth",
          boot: boot,
          seq: number,
          tick: tickNow(),
          cfg: next,
          claims: Object.assign({}, options.claims, { offline: offline }),
          channels: channels,
          prev: prev,
          hint: hint,
        },
        {},
      );
      for (let i = 0; i < early.length; i++) sealEvent(early[i]);
      early.splice(0, early.length);
    },
    event(code, small, tick) {
      if (halted) return;
      const event: EarlyEvent = { tick: tick ?? tickNow(), code: code, small: small };
      if (cfg > 0) sealEvent(event);
      else early.push(event);
    },
    data(packer) {
      if (cfg === 0 || halted) return;
      const tick = tickNow();
      while (!packer.empty) {
        const number = seq++;
        const channels = packer.take(tick);
        const message: Message = { type: "data", boot: boot, seq: number, tick: tick, cfg: cfg, channels: channels };
        submit(channels[0].kind === "wave" ? "data" : "vital", number, message, {});
      }
    },
    disown(powerOnly) {
      if (halted) return;
      const gone = sender.outbox.takeGone(powerOnly);
      for (let i = 0; i < gone.length; i++) {
        const run = gone[i];
        const number = seq++;
        const small = encodeDisowned({
          boot: run.boot,
          first: run.first,
          count: run.last - run.first + 1,
          reason: run.reason,
          end: run.end,
        });
        const event: Message = {
          type: "event",
          boot: boot,
          seq: number,
          tick: tickNow(),
          code: EVENT_DISOWNED,
          small: small,
        };
        submit("event", number, event, { tells: run });
      }
    },
    signRemains() {
      const backlog = sender.outbox.backlog;
      if (manifests === null || backlog === null) return;
      const remains = backlog.remains(sender.outbox.signed);
      const lists = consecutive(remains, MANIFEST_MESSAGES);
      // what is newest is signed, where signing all would take too long
      let next = Math.max(0, lists.length - MOST_LISTS);
      const one = (): void => {
        if (next === lists.length || halted) return;
        const list = lists[next];
        next++;
        // a manifest's list has no hole: what waits for its own is listed before this one takes its seq
        manifests!.flush();
        const about = next < lists.length ? {} : { signs: boot - 1 };
        manifest(list[0].boot, list[0].seq, hashList(list.map((message) => message.hash)), true, about);
        options.board.timer(BETWEEN_LISTS, one);
      };
      one();
    },
    flush() {
      if (manifests !== null) manifests.flush();
    },
    halt() {
      halted = true;
    },
  };
}
