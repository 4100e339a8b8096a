/**
 * What a gateway tells boards of time, and asks them: a `time` message after a birth and every ten minutes, a time-ping
 * (op 8) that the board answers by event 5. The tick of the answer is at or after the moment the ping left, which is the
 * lower bound that arrivals alone cannot give (PROTOCOL.md section 4).
 *
 * There is no timer: both travel in front of an ack that is due anyway. A board that is silent is not asked, and in lock
 * step a demonstration stays the same, byte for byte.
 */
import { kidText } from "../protocol/keys.ts";
import { EVENT_COMMAND_RESULT, type Message, OP_TIME_PING } from "../protocol/messages.ts";
import type { DownlinkBody } from "./downlink.ts";
import type { Accepted } from "./receiver.ts";
import type { PingRow } from "./store/store.ts";

/** Between two `time` messages to a boot, ms. */
const TIME_EVERY = 600_000;
/** Between two pings in the first minute of a boot, and later, ms. */
const PING_EARLY = 5000;
const PING_LATER = 30_000;
const EARLY = 60_000;
/** A ping may be obeyed for so long, ms of the board's clock. */
const PING_VALID = 30_000;
/** Pings of a boot whose answers may still come: a board sends an event again until it is acknowledged. */
const PINGS_HELD = 16;
/** A board's clock loses at most so much against the gateway's (200 ppm: twice what a bad crystal does). */
const LOSS = 2e-4;

/** What is known of the newest boot of one device. */
interface BootTime {
  readonly boot: number;
  /** Highest tick heard, ms. */
  tick: number;
  /** Data or an event were heard: it has come through its start. */
  speaks: boolean;
  /** The board's tick less the gateway's time, as far as it is known: never above what is so. ms. */
  offset: number;
  /** When `offset` was so, gateway time, ms. */
  at: number;
  toldAt: number;
  pingedAt: number;
  /** When each ping left, us of gateway time, by its n. */
  readonly sent: Map<number, number>;
}

export interface BoardTimes {
  /** A message that is about to be stored. Gives the observation where it answers a ping, to be stored with it. */
  heard(accepted: Accepted): PingRow | null;
  /** Messages that are due to the device in this boot, before its ack. */
  due(kid: Uint8Array, boot: number): DownlinkBody[];
  /** A ping with this number is leaving now. */
  left(kid: Uint8Array, boot: number, n: number): void;
  /** The board's tick now, ms: at most what it really is. null: no data or event of this boot were heard since the gateway began. */
  tickNow(kid: Uint8Array, boot: number): number | null;
}

/** A clock that was set back must not silence what is due. */
const isDue = (since: number, every: number) => since >= every || since < 0;

/** [name, n] of an event 5, whose small is [name, n, status]; null: it is none. */
export function commandResult(message: Message): { name: Uint8Array; n: number; status: number } | null {
  if (message.type !== "event" || message.code !== EVENT_COMMAND_RESULT) return null;
  const small = message.small;
  if (!Array.isArray(small) || small.length !== 3) return null;
  const [name, n, status] = small as unknown[];
  if (!(name instanceof Uint8Array) || name.length !== 8) return null;
  const whole = (value: unknown): value is number => typeof value === "number" && value >= 0;
  return whole(n) && whole(status) ? { name, n, status } : null;
}

/** `now`: ms since the epoch, with fractions where the clock has them. `pings` false: boards are told the time, not asked. */
export function createBoardTimes(now: () => number, pings: boolean): BoardTimes {
  const times = new Map<string, BootTime>();
  const of = (kid: Uint8Array, boot: number) => {
    const found = times.get(kidText(kid));
    return found?.boot === boot ? found : undefined;
  };

  const observe = (time: BootTime, { row, message }: Accepted): PingRow | null => {
    const result = commandResult(message);
    const sent = result === null ? undefined : time.sent.get(result.n);
    if (result === null || sent === undefined || message.type !== "event") return null;
    time.sent.delete(result.n);
    const { kid, boot, received } = row;
    return { kid, boot, n: result.n, sent, tick: message.tick, received };
  };
  return {
    heard(accepted) {
      const { row, message } = accepted;
      if (!("tick" in message)) return null;
      const kid = kidText(row.kid);
      const offset = message.tick - row.received;
      let time = times.get(kid);
      if (time === undefined || time.boot < row.boot) {
        time = {
          boot: row.boot,
          tick: message.tick,
          speaks: false,
          offset,
          at: row.received,
          toldAt: Number.NEGATIVE_INFINITY,
          pingedAt: Number.NEGATIVE_INFINITY,
          sent: new Map(),
        };
        times.set(kid, time);
      }
      if (time.boot > row.boot) return null;
      time.tick = Math.max(time.tick, message.tick);
      time.speaks ||= message.type === "data" || message.type === "event";
      const least = time.offset - LOSS * Math.max(0, row.received - time.at);
      // What was sent late says too little: it never lowers what another message has said.
      time.offset = Math.max(least, offset);
      time.at = row.received;
      if (message.type === "birth") time.toldAt = Number.NEGATIVE_INFINITY;
      return observe(time, accepted);
    },
    due(kid, boot) {
      const time = of(kid, boot);
      if (time === undefined || !time.speaks) return [];
      const at = now();
      const bodies: DownlinkBody[] = [];
      if (isDue(at - time.toldAt, TIME_EVERY)) {
        time.toldAt = at;
        bodies.push({ type: "time", echoTick: time.tick, gatewayMs: Math.floor(at) });
      }
      if (pings && isDue(at - time.pingedAt, time.tick < EARLY ? PING_EARLY : PING_LATER)) {
        time.pingedAt = at;
        const expires = Math.max(0, Math.floor(time.offset + at)) + PING_VALID;
        bodies.push({ type: "command", expires, op: OP_TIME_PING, parameters: [] });
      }
      return bodies;
    },
    left(kid, boot, n) {
      const sent = of(kid, boot)?.sent;
      if (sent === undefined) return;
      sent.set(n, Math.floor(now() * 1000));
      for (const oldest of sent.keys()) {
        if (sent.size <= PINGS_HELD) break;
        sent.delete(oldest);
      }
    },
    tickNow(kid, boot) {
      const time = of(kid, boot);
      if (time === undefined || !time.speaks) return null;
      const at = now();
      return Math.max(0, Math.floor(time.offset - LOSS * Math.max(0, at - time.at) + at));
    },
  };
}
