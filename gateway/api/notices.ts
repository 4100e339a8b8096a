/** What a person should know of a device itself: in quarantine, revoked, replaced, seen in an earlier boot. */
import { kidText } from "../../protocol/keys.ts";
import type { Notice } from "../dashboard/feed.ts";
import type { Device, Devices } from "../devices.ts";
import type { DeviceAlarm } from "../receiver.ts";

export interface Notices {
  /** Keeps of an alarm what the store does not: a boot regression, until the gateway ends. */
  alarm(alarm: DeviceAlarm): void;
  /** All that stands of a device now. */
  of(device: Device): Notice[];
}

/** What a person types to let a device out of quarantine. `store`: its path. */
export function releaseCommand(store: string, kid: string): string {
  const path = /^[\w./-]+$/.test(store) ? store : `'${store.replaceAll("'", "'\\''")}'`;
  return `vitalwire devices --store ${path} --release ${kid}`;
}

/** `store`: path of the store; null: in memory, nobody can release from it. */
export function createNotices(devices: Devices, store: string | null, now: () => number): Notices {
  const regressions = new Map<string, Notice>();
  return {
    alarm({ kind, kid, sentence }) {
      if (kind !== "boot regression") return;
      regressions.set(kidText(kid), { kind, since: Math.floor(now()), sentence, command: "" });
    },
    of({ card, quarantine, rotation }) {
      const kid = kidText(card.kid);
      const notices: Notice[] = [];
      if (quarantine !== null) {
        notices.push({
          kind: "quarantine",
          since: quarantine.since,
          sentence: `${quarantine.sentence}. Nothing of it is stored until a person releases it`,
          command: store === null ? "" : releaseCommand(store, kid),
        });
      }
      const revocation = devices.revocation(card.kid);
      if (revocation !== undefined) {
        const sentence = `the site no longer vouches for its key (reason ${revocation.reason} of RFC 5280): nothing of it is stored`;
        notices.push({ kind: "revoked", since: revocation.time * 1000, sentence, command: "" });
      }
      if (rotation !== null) {
        const { successor, boot, seq, since } = rotation;
        const sentence = `${kidText(successor)} speaks for its board now, this key is good up to boot ${boot} seq ${seq}`;
        notices.push({ kind: "rotation", since, sentence, command: "" });
      }
      const regression = regressions.get(kid);
      if (regression !== undefined) notices.push(regression);
      return notices;
    },
  };
}
