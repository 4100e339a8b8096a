/**
 * The events of a board's boot that who opens a page later must be told, however old: the newest of each alarm that stands, and
 * what the board has declared lost.
 */
import { ALARM_INACTIVE, decodeDisowned, type Message, TYPE_EVENT } from "../../protocol/messages.ts";
import { alarmOf } from "../dashboard/alarms.ts";
import { openStored } from "../record.ts";
import type { Store } from "../store/store.ts";

export interface EventBacklog {
  /** A message of this device, by its kid in words, is stored. */
  stored(kid: string, message: Message): void;
  /** Seqs of these events, rising. The store is read once a boot, where its birth was not heard here. */
  standing(kid: string, bytes: Uint8Array, boot: number): number[];
}

interface Known {
  readonly boot: number;
  /** Newest event by alarm: its seq, and whether the alarm stands. */
  readonly newest: Map<string, { readonly seq: number; readonly stands: boolean }>;
  /** Seqs of events 8, as they came. */
  disowned: number[];
}

/** Events 8 of a boot that are remembered, the newest. */
const DISOWNED_HELD = 16;

export function createEventBacklog(store: Store): EventBacklog {
  const boots = new Map<string, Known>();
  const none = (boot: number): Known => ({ boot, newest: new Map(), disowned: [] });
  const add = (known: Known, message: Message) => {
    if (message.type !== "event") return;
    const { seq } = message;
    if (decodeDisowned(message) !== null && !known.disowned.includes(seq))
      known.disowned = [...known.disowned, seq].slice(-DISOWNED_HELD);
    const { newest } = known;
    const alarm = alarmOf(message, () => undefined);
    if (alarm === null || (newest.get(alarm.key)?.seq ?? -1) >= alarm.seq) return;
    newest.set(alarm.key, { seq: alarm.seq, stands: alarm.state !== ALARM_INACTIVE });
  };
  return {
    stored(kid, message) {
      let known = boots.get(kid);
      // A boot that begins has no events yet.
      if (message.type === "birth" && message.seq === 0 && message.boot > (known?.boot ?? -1)) {
        known = none(message.boot);
        boots.set(kid, known);
      }
      if (known !== undefined && "seq" in message && message.boot === known.boot) add(known, message);
    },
    standing(kid, bytes, boot) {
      let known = boots.get(kid);
      if (known?.boot !== boot) {
        known = none(boot);
        for (const row of store.ofKind(bytes, boot, TYPE_EVENT)) add(known, openStored(row));
        boots.set(kid, known);
      }
      const alarms = [...known.newest.values()].filter(({ stands }) => stands).map(({ seq }) => seq);
      return [...alarms, ...known.disowned].sort((a, b) => a - b);
    },
  };
}
