/**
 * What a board tells, in the order of its seqs: births, data, events, and the manifests over them. Each is sealed once and given
 * to the sender; what had to go to make room is disowned once somebody hears. Device side.
 */
import type { Board } from "../boards/board.ts";
import type { Crypto } from "../protocol/cose.ts";
import {
  type BirthMessage,
  type ChannelDefinition,
  type Claims,
  EVENT_DISOWNED,
  encodeMessage,
  type Message,
  type Scalar,
} from "../protocol/messages.ts";
import { createManifests, type Manifests } from "./manifests.ts";
import type { Kind, Run } from "./outbox.ts";
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
  ): void;
  /** Events of before the first birth wait for it: seq 0 is the birth's. `tick`: now unless said otherwise. */
  event(code: number, small: Scalar[], tick?: number): void;
  /** Seals all that was collected; nothing before the first birth. */
  data(packer: Packer): void;
  /** Event 8 (reason 1) of what had to go to make room and is not told. */
  disown(): void;
  /** The manifest over what has none yet. */
  flush(): void;
  /** From here on nothing is sealed. */
  halt(): void;
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
  const seal = (number: number, message: Message): Uint8Array => {
    const payload = encodeMessage(message);
    if (manifests !== null && message.type !== "manifest") manifests.add(number, payload);
    return options.sealer.seal(message, payload);
  };
  const submit = (kind: Kind, number: number, message: Message, tells?: Run): void => {
    sender.submit(kind, boot, number, seal(number, message), tells);
    if (manifests !== null) manifests.check();
  };
  if (options.manifests) {
    manifests = createManifests(options.board, options.crypto, (first, hashes) => {
      if (halted) return;
      const number = seq++;
      submit("manifest", number, {
        type: "manifest",
        boot: boot,
        seq: number,
        tick: tickNow(),
        ofBoot: boot,
        first: first,
        hashes: hashes,
      });
    });
  }
  const sealEvent = (event: EarlyEvent): void => {
    const number = seq++;
    submit("event", number, {
      type: "event",
      boot: boot,
      seq: number,
      tick: event.tick,
      code: event.code,
      small: event.small,
    });
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
    birth(next, channels, prev, hint) {
      if (halted) return;
      const number = seq++;
      cfg = next;
      submit("birth", number, {
        type: "birth",
        boot: boot,
        seq: number,
        tick: tickNow(),
        cfg: next,
        claims: options.claims,
        channels: channels,
        prev: prev,
        hint: hint,
      });
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
        submit("data", number, {
          type: "data",
          boot: boot,
          seq: number,
          tick: tick,
          cfg: cfg,
          channels: packer.take(tick),
        });
      }
    },
    disown() {
      if (halted) return;
      const gone = sender.outbox.takeGone();
      for (let i = 0; i < gone.length; i++) {
        const run = gone[i];
        const number = seq++;
        const event: Message = {
          type: "event",
          boot: boot,
          seq: number,
          tick: tickNow(),
          code: EVENT_DISOWNED,
          small: [run.boot, run.first, run.last - run.first + 1, 1],
        };
        submit("event", number, event, run);
      }
    },
    flush() {
      if (manifests !== null) manifests.flush();
    },
    halt() {
      halted = true;
    },
  };
}
