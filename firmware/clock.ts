/**
 * What a board knows of the time of day: nothing but what a gateway says in a `time` message, for the tick that it echoes
 * (PROTOCOL.md section 4). A board dates nothing by it: it tells it in its births as a hint. Device side.
 */
import type { Storage } from "../boards/board.ts";
import { decode, encode } from "../protocol/cbor.ts";
import type { BirthMessage, TimeMessage } from "../protocol/messages.ts";

export type Hint = NonNullable<BirthMessage["hint"]>;

export interface DeviceClock {
  /**
   * Takes an authentic `time` message at `now`, board clock, us. The gateway's time lies between the tick that it echoes and
   * now. Returns false for an echo of a tick that has not been yet: nothing is known by it.
   */
  take(message: TimeMessage, now: number): boolean;
  /** The best of what was heard in this boot; null: nothing. */
  readonly hint: Hint | null;
  /** What was kept of that boot; null: nothing. */
  before(boot: number): Hint | null;
  /** Keeps what is known, at the end. */
  keep(now: number): void;
}

const NAME = "time";
/** How fast what is known grows old: what a crystal may be off, 50 ppm, as 1 / 20000. */
const DRIFT = 20000;
/** Between two writes of a boot, us: flash wears. */
const KEEP_EVERY = 600000000;

const isWhole = (value: unknown): value is number => typeof value === "number" && value >= 0;

/** What was stored: [boot, gw-ms, tick, uncertainty-ms]; null where it is not that. */
const stored = (storage: Storage): { readonly boot: number; readonly hint: Hint } | null => {
  const bytes = storage.read(NAME);
  if (bytes === undefined) return null;
  try {
    const parts = decode(bytes);
    if (!Array.isArray(parts) || parts.length !== 4) return null;
    const boot = parts[0];
    const gatewayMs = parts[1];
    const tick = parts[2];
    const uncertaintyMs = parts[3];
    if (!isWhole(boot) || !isWhole(gatewayMs) || !isWhole(tick) || !isWhole(uncertaintyMs)) return null;
    return { boot: boot, hint: { gatewayMs: gatewayMs, tick: tick, uncertaintyMs: uncertaintyMs } };
  } catch (_error) {
    return null;
  }
};

/** `boot`: the current one. Reads the storage once, and writes it at most once in ten minutes, and at the end. */
export function createClock(storage: Storage, boot: number): DeviceClock {
  const last = stored(storage);
  let best: Hint | null = null;
  let keptAt: number | null = null;
  let kept: Hint | null = null;

  const grown = (hint: Hint, tick: number): number => hint.uncertaintyMs + (tick - hint.tick) / DRIFT;
  const keep = (now: number): void => {
    if (best === null || best === kept) return;
    kept = best;
    keptAt = now;
    storage.write(NAME, encode([boot, best.gatewayMs, best.tick, best.uncertaintyMs]));
  };
  return {
    take(message, now) {
      const tick = Math.ceil(now / 1000);
      const roundTrip = tick - message.echoTick;
      if (roundTrip < 0) return false;
      const one: Hint = {
        gatewayMs: message.gatewayMs,
        tick: message.echoTick + Math.floor(roundTrip / 2),
        // half of the way there and back, and a millisecond for what both clocks cut off
        uncertaintyMs: Math.ceil(roundTrip / 2) + 1,
      };
      if (best === null || grown(one, tick) <= grown(best, tick)) best = one;
      if (keptAt === null || now - keptAt >= KEEP_EVERY) keep(now);
      return true;
    },
    get hint() {
      return best;
    },
    before: (wanted) => (last !== null && last.boot === wanted ? last.hint : null),
    keep: keep,
  };
}
