/** The newest event of each alarm of a board's boot: who opens a page later must see what stands since before. */
import { ALARM_INACTIVE, type Message, TYPE_EVENT } from "../../protocol/messages.ts";
import { alarmOf } from "../dashboard/alarms.ts";
import { openStored } from "../record.ts";
import type { Store } from "../store/store.ts";

export interface AlarmBacklog {
  /** A message of this device, by its kid in words, is stored. */
  stored(kid: string, message: Message): void;
  /** Seqs of the events, rising, whose alarms are not over. The store is read once a boot, where its birth was not heard here. */
  standing(kid: string, bytes: Uint8Array, boot: number): number[];
}

interface Known {
  readonly boot: number;
  /** Newest event by alarm: its seq, and whether the alarm stands. */
  readonly newest: Map<string, { readonly seq: number; readonly stands: boolean }>;
}

export function createAlarmBacklog(store: Store): AlarmBacklog {
  const boots = new Map<string, Known>();
  const add = ({ newest }: Known, message: Message) => {
    const alarm = message.type === "event" ? alarmOf(message, () => undefined) : null;
    if (alarm === null || (newest.get(alarm.key)?.seq ?? -1) >= alarm.seq) return;
    newest.set(alarm.key, { seq: alarm.seq, stands: alarm.state !== ALARM_INACTIVE });
  };
  return {
    stored(kid, message) {
      let known = boots.get(kid);
      // A boot that begins has no alarms yet.
      if (message.type === "birth" && message.seq === 0 && message.boot > (known?.boot ?? -1)) {
        known = { boot: message.boot, newest: new Map() };
        boots.set(kid, known);
      }
      if (known !== undefined && "seq" in message && message.boot === known.boot) add(known, message);
    },
    standing(kid, bytes, boot) {
      let known = boots.get(kid);
      if (known?.boot !== boot) {
        known = { boot, newest: new Map() };
        for (const row of store.ofKind(bytes, boot, TYPE_EVENT)) add(known, openStored(row));
        boots.set(kid, known);
      }
      const standing = [...known.newest.values()].filter(({ stands }) => stands);
      return standing.map(({ seq }) => seq).sort((a, b) => a - b);
    },
  };
}
