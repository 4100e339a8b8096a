/** A link that can fail: between the runtime and what carries its messages. */
import type { Link, LinkEvents } from "../../firmware/link.ts";
import { encodeLine, MAX_LINE } from "../../protocol/frame.ts";
import type { Random } from "../random.ts";

/** Bytes to the far end of a serial line, whatever they are. */
export type RawLine = (bytes: Uint8Array) => void;

export interface FaultyLink {
  readonly link: Link;
  /** It is down because it was cut. */
  readonly isCut: boolean;
  /** Down, and up again; what was cut twice is restored twice. */
  cut(): void;
  restore(): void;
  /** Random bytes on the line. */
  garble(count: number, random: Random): void;
  /** Whether the next message is damaged on its way; null: none is. */
  damage: (() => Random | null) | null;
  /** Was this message damaged when it was last sent? Nobody will acknowledge it. */
  isLost(message: Uint8Array): boolean;
}

/** Bytes that are changed in a damaged line. */
const CHANGED = 3;
const LF = 10;

/** `line`: null where it is no serial line. */
export function createFaultyLink(inner: Link, line: RawLine | null): FaultyLink {
  const lost = new WeakSet<Uint8Array>();
  let events: LinkEvents | null = null;
  /** Of the link itself; 0: it is down. */
  let connection = 0;
  let cuts = 0;
  /** Connections more than the link itself counts. */
  let restored = 0;
  /** Bytes of garbage that the line has had since its last line end. */
  let tail = 0;

  const sendDamaged = (message: Uint8Array, random: Random) => {
    const bytes = Buffer.from(encodeLine(message), "latin1");
    for (let i = 0; i < CHANGED; i++) {
      // Not its line end: where a line is cut in two is another matter.
      const at = Math.floor(random.uniform() * (bytes.length - 1));
      bytes[at] = bytes[at]! ^ (0x80 | Math.floor(random.uniform() * 0x80));
    }
    tail = 0;
    lost.add(message);
    line!(bytes);
  };
  /** Garbage before it makes the line longer than a receiver takes. */
  const isDrowned = (message: Uint8Array) => {
    const drowned = tail > 0 && tail + encodeLine(message).length - 1 > MAX_LINE;
    tail = 0;
    return drowned;
  };
  const faulty: FaultyLink = {
    get isCut() {
      return cuts > 0;
    },
    cut() {
      if (cuts++ === 0 && connection > 0) events?.onDown();
    },
    restore() {
      if (--cuts > 0) return;
      restored++;
      if (connection > 0) events?.onUp(connection + restored);
    },
    garble(count, random) {
      const bytes = random.bytes(count);
      const end = bytes.lastIndexOf(LF);
      tail = end < 0 ? tail + count : count - 1 - end;
      line?.(bytes);
    },
    damage: null,
    isLost: (message) => lost.has(message),
    link: {
      presence: inner.presence,
      open(own, will) {
        events = own;
        inner.open(
          {
            onUp(count) {
              connection = count;
              if (cuts === 0) own.onUp(count + restored);
            },
            onDown() {
              connection = 0;
              if (cuts === 0) own.onDown();
            },
            onMessage(message) {
              if (cuts === 0) own.onMessage(message);
            },
          },
          (count) => will(count + restored),
        );
      },
      send(letter, message, current) {
        if (cuts > 0) return false;
        const random = faulty.damage?.() ?? null;
        if (random !== null && line !== null) {
          sendDamaged(message, random);
          return true;
        }
        if (!inner.send(letter, message, current)) return false;
        if (isDrowned(message)) lost.add(message);
        else lost.delete(message);
        return true;
      },
      close: (done) => inner.close(done),
    },
  };
  return faulty;
}
