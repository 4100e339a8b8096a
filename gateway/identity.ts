/** What identifies a message among all of its device's, and where it may travel (PROTOCOL.md sections 4 and 7). */
import { type Message, TYPE_BIRTH, TYPE_DATA, TYPE_EVENT, TYPE_MANIFEST, TYPE_PRESENCE } from "../protocol/messages.ts";
import type { Space } from "./store/store.ts";

export interface Identity {
  readonly boot: number;
  readonly space: Space;
  /** A presence has no place in the order of messages: 4 x connection + state stands for it. */
  readonly seq: number;
  /** Number of the message type. */
  readonly kind: number;
  /** Last level of the topic that may carry it. */
  readonly letter: "d" | "b" | "w";
}

const KINDS = {
  data: { kind: TYPE_DATA, letter: "d" },
  birth: { kind: TYPE_BIRTH, letter: "b" },
  manifest: { kind: TYPE_MANIFEST, letter: "d" },
  event: { kind: TYPE_EVENT, letter: "d" },
} as const;

/** null: a message from a gateway to a device. */
export function identityOf(message: Message): Identity | null {
  if (message.type === "presence") {
    const { boot, connection, state } = message;
    return { boot, space: 1, seq: connection * 4 + state, kind: TYPE_PRESENCE, letter: "w" };
  }
  if (!("seq" in message)) return null;
  return { boot: message.boot, space: 0, seq: message.seq, ...KINDS[message.type] };
}
