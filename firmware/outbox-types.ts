/** What an outbox keeps, and what is asked of it (outbox.ts). Device side. */
import type { Board, Flash } from "../boards/board.ts";
import type { AckMessage } from "../protocol/messages.ts";
import type { Backlog } from "./backlog.ts";
import type { Run } from "./gone.ts";

export type { Run };

/** "data": waveforms, maybe with vitals; "vital": vitals alone; "data-manifest": a manifest over hardly anything but waveforms. */
export type Kind = "birth" | "data" | "vital" | "event" | "manifest" | "data-manifest";

export interface Sealed {
  readonly kind: Kind;
  readonly boot: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly about: About;
  /** Board time when it was made or read, ms. */
  readonly since: number;
  /** Board time of the last sending, ms; null: not sent yet. */
  sentAt: number | null;
  /** Where it lies in the log; null: in RAM alone. */
  address: number | null;
  /** It is on its way into the log. */
  writing: boolean;
  /** It was read back from the log. */
  readonly old: boolean;
}

/** What the board has to remember beside a message. Absent: nothing. */
export interface About {
  /** Of an event 8: what it tells. */
  readonly tells?: Run;
  /** Of a message that a manifest is to list: SHA-256(payload)[0..15]. */
  readonly hash?: Uint8Array;
  /** Of the last manifest over what earlier boots left: the newest of them. */
  readonly signs?: number;
}

/** Where and when messages are kept in flash. */
export interface LogSettings {
  readonly flash: Flash;
  /**
   * 0: nothing is sent before it is durable, so that no power cut loses what was sent. Otherwise: what no ack has settled in
   * this time is written, ms; it spares the flash while somebody hears.
   */
  readonly writeAfter: number;
  /** The board notes that it is alive at least so often, ms: what is not known of its end after a power cut. */
  readonly markEvery: number;
}

export interface OutboxOptions {
  readonly board: Pick<Board, "now" | "timer" | "storage">;
  /** The current one; what earlier ones left is taken over. */
  readonly boot: number;
  /** Bytes of sealed messages that it holds in RAM at most. */
  readonly capacity: number;
  /** null: RAM alone. */
  readonly log: LogSettings | null;
  /** May be sent from now on. */
  readonly onDurable: (message: Sealed) => void;
  /** The flash does not work: from here on RAM alone. */
  readonly onFailed: (error: Error) => void;
}

export interface Outbox {
  /** What of the messages that wait for their ack is in RAM, oldest first. */
  readonly waiting: readonly Sealed[];
  /** Bytes of those. */
  readonly bytes: number;
  /** All messages that wait. */
  readonly count: number;
  /** Bytes that it can hold, of messages and `overhead` for each; `page`: in pieces of this size, null: in one. */
  readonly room: number;
  readonly page: number | null;
  /** Without the hash that is kept beside what a manifest is to list. */
  readonly overhead: number;
  /** Bytes that it was given in this boot, `overhead` included. */
  readonly taken: number;
  /** Vitals and events travel in messages of their own: they outlive the waveforms. */
  readonly persistent: boolean;
  /** What had to go and is not told. */
  readonly gone: readonly Run[];
  /** The newest boot whose remains are signed. */
  readonly signed: number;
  /** null: RAM alone. */
  readonly backlog: Backlog | null;
  /**
   * Takes a sealed message, and makes room for it. None is made for an event 8, which `tells` what it is about: the next
   * message makes it, else telling would make others go for ever.
   */
  add(kind: Kind, boot: number, seq: number, bytes: Uint8Array, about: About): Sealed;
  /** May it be sent yet? */
  isSendable(message: Sealed): boolean;
  /** Was it sent, and too far ahead for the acks to tell of it yet? */
  isBeyond(message: Sealed): boolean;
  /** Nobody knows what of the last connection arrived: all of it is due again. */
  reconnected(): void;
  /** Gives of `gone` what can be told: none of it waits. `powerOnly`: of reason 2 alone, which no ack has to be waited for. */
  takeGone(powerOnly: boolean): readonly Run[];
  /** Frees what the ack settles, and forgets what is gone and settled; returns how many were freed. Only for an authentic ack. */
  settle(ack: AckMessage): number;
  /** Reads one more message of the log into RAM; null: there is none, or no room. */
  load(): Sealed | null;
  /** The buffers of the chips are empty: what holds the board may be done now. */
  calm(): void;
  /** To be called every second or so: writes what has waited for its ack long enough. */
  tick(): void;
  /** Nothing more is added. Writes what is in RAM alone, or remembers that it goes; bounded by `limit`, ms; then `done`. */
  end(limit: number, done: () => void): void;
}
