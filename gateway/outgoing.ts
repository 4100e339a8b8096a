/**
 * What is on its way out of a gateway: acks that are owed, and whatever else is posted to a device. All of it takes its
 * number from one counter of the device's current boot, and the counter is durable before a number is used: a number that
 * came back after a crash would be a second message under it (PROTOCOL.md section 3).
 */
import { kidText } from "../protocol/keys.ts";
import type { BoardTimes } from "./board-time.ts";
import type { Boot, Device, Devices } from "./devices.ts";
import { canAnswer, type DownlinkBody, type DownlinkMessage, type DownlinkSealer } from "./downlink.ts";
import type { Origin } from "./origin.ts";
import type { BootState } from "./store/store.ts";

/** A message for a device, and what became of it: one of the last two is called, once. */
export interface Posting {
  /** Makes it for the boot that is current when it is sent. What it throws ends the posting. */
  body(boot: Boot): DownlinkBody;
  /** It is committed and leaves now, under this boot and number. */
  left(boot: Boot, n: number): void;
  /** It was not sent, and never will be. */
  failed(error: Error): void;
}

/** A sealed message that leaves once its number is durable. */
export interface Letter {
  readonly origin: Origin;
  readonly message: Uint8Array;
  /** Called just before it leaves. */
  readonly left?: () => void;
  readonly failed?: (error: Error) => void;
}

export interface Outgoing {
  /** Is there anything to commit and send? */
  readonly waiting: boolean;
  /** Notes the way by which the device was last heard. */
  heard(kid: Uint8Array, origin: Origin): void;
  /** Notes that a device is to hear how far one of its boots is settled. */
  owe(kid: Uint8Array, boot: number): void;
  post(kid: Uint8Array, posting: Posting): void;
  /**
   * May it be told anything, and by which way? null: not heard since the gateway began, or not in its current boot; in
   * quarantine; revoked.
   */
  current(device: Device): { readonly boot: Boot; readonly origin: Origin } | null;
  /** Numbers and seals all that waits. The rows make the numbers durable: the letters leave after them, or never. */
  collect(): { readonly letters: readonly Letter[]; readonly boots: readonly BootState[] };
}

interface Posted {
  readonly kid: Uint8Array;
  readonly posting: Posting;
}

export function createOutgoing(devices: Devices, sealer: DownlinkSealer, times: BoardTimes): Outgoing {
  const routes = new Map<string, Origin>();
  /** Boots whose device waits for an ack, by kid and boot. */
  const owed = new Map<string, Boot>();
  let posted: Posted[] = [];

  const current = (device: Device) => {
    const { kid } = device.card;
    const origin = routes.get(kidText(kid));
    if (origin === undefined || device.currentBoot < 0) return null;
    // Who is not believed is not spoken to.
    if (device.quarantine !== null || devices.revocation(kid) !== undefined) return null;
    const boot = devices.boot(device, device.currentBoot);
    return canAnswer(device, boot) ? { boot, origin } : null;
  };
  const ackOf = (boot: Boot): DownlinkBody => ({
    type: "ack",
    ofBoot: boot.boot,
    next: boot.settled.next,
    bitmap: boot.settled.bitmap(),
    refused: [...boot.refused].map(([seq, reason]) => ({ seq, reason })),
  });
  return {
    get waiting() {
      return owed.size > 0 || posted.length > 0;
    },
    heard: (kid, origin) => void routes.set(kidText(kid), origin),
    owe(kid, boot) {
      const device = devices.get(kid);
      if (device !== undefined) owed.set(`${kidText(kid)} ${boot}`, devices.boot(device, boot));
    },
    post: (kid, posting) => void posted.push({ kid, posting }),
    current,
    collect() {
      const letters: Letter[] = [];
      const touched = new Set<Boot>();
      const seal = (device: Device, boot: Boot, body: DownlinkBody) => {
        touched.add(boot);
        const n = ++boot.downlink;
        return {
          n,
          message: sealer.seal(device, boot, { ...body, kid: boot.kid, boot: boot.boot, n } as DownlinkMessage),
        };
      };
      for (const { kid, posting } of posted) {
        const device = devices.get(kid);
        const to = device === undefined ? null : current(device);
        if (device === undefined || to === null) {
          posting.failed(
            new Error(`device ${kidText(kid)} is not to be reached: nothing was heard of it in its current boot`),
          );
          continue;
        }
        try {
          const { n, message } = seal(device, to.boot, posting.body(to.boot));
          const left = () => posting.left(to.boot, n);
          letters.push({ origin: to.origin, message, left, failed: (error) => posting.failed(error) });
        } catch (error) {
          posting.failed(error as Error);
        }
      }
      posted = [];
      const told = new Set<Device>();
      for (const boot of owed.values()) {
        touched.add(boot);
        const device = devices.get(boot.kid);
        const to = device === undefined ? null : current(device);
        if (device === undefined || to === null) continue;
        if (!told.has(device)) {
          told.add(device);
          for (const body of times.due(boot.kid, to.boot.boot)) {
            const { n, message } = seal(device, to.boot, body);
            const left = () => times.left(boot.kid, to.boot.boot, n);
            letters.push({ origin: to.origin, message, ...(body.type === "command" && { left }) });
          }
        }
        letters.push({ origin: to.origin, message: seal(device, to.boot, ackOf(boot)).message });
      }
      owed.clear();
      const boots = [...touched].map(({ kid, boot, settled, downlink }) => ({
        kid,
        boot,
        next: settled.next,
        downlink,
      }));
      return { letters, boots };
    },
  };
}
