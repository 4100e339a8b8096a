/**
 * A broker and the way to it, in virtual time, at the layer of messages: they get lost, come twice, pass each other; the
 * broker dies with all that is under way; an outage keeps every board off. Both ends are told what a real client is told.
 */
import type { VirtualClock } from "../../boards/virtual-clock.ts";
import type { Letter, Link, LinkEvents } from "../../firmware/link.ts";
import { log } from "../arithmetic.ts";
import type { Random } from "../random.ts";
import type { Power } from "./power.ts";
import { SECOND, type Weather } from "./weather.ts";

/** What became of messages, both directions together. */
export interface Tally {
  sent: number;
  lost: number;
  twice: number;
  /** Under way when the broker died, or sent where nobody was any more. */
  died: number;
  connections: number;
}

export interface Network {
  readonly tally: Readonly<Tally>;
  /** The link of one boot of a board; `name` is the board's. */
  link(name: string, power: Power): Link;
  /** The board's power is gone: its broker finds out later. */
  gone(name: string): void;
  /** What the gateway sends to a board. */
  toBoard(name: string, message: Uint8Array): void;
}

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly weather: Weather;
  /** A message has reached the gateway. */
  readonly deliver: (name: string, letter: Letter, message: Uint8Array) => void;
}

/** A broker ends a silent connection after one and a half keepalives. */
const SILENCE = 90 * SECOND;
/** A board notices within so long that nobody is there. */
const NOTICE = 20 * SECOND;
/** Boards are back between so long after a broker died, or the outage ended. */
const BACK_FIRST = 5 * SECOND;
const BACK_LAST = 60 * SECOND;
const CONNECT_LEAST = 0.05 * SECOND;
const CONNECT_MOST = 0.8 * SECOND;

/** One connection at the broker. */
interface Session {
  readonly will: Uint8Array;
  /** The board is there: what is sent to it arrives. */
  alive: boolean;
}

interface Line {
  readonly power: Power;
  events: LinkEvents;
  will: (connection: number) => Uint8Array;
  connection: number;
  session: Session | null;
  /** The board believes that it is connected. */
  up: boolean;
  open: boolean;
}

export function createNetwork({ clock, random, weather, deliver }: NetworkOptions): Network {
  const tally: Tally = { sent: 0, lost: 0, twice: 0, died: 0, connections: 0 };
  /** The newest line and the broker's session of each board. */
  const lines = new Map<string, Line>();
  const sessions = new Map<string, Session>();
  /** Brokers so far: what one carried dies with it. */
  let epoch = 0;
  /** Nobody connects before. */
  let closedUntil = 0;

  const between = (from: number, to: number) => Math.floor(from + random.uniform() * (to - from));
  const delay = () => {
    const held = random.uniform() < weather.held.share ? random.uniform() * weather.held.most : 0;
    return Math.floor(weather.delay.least - weather.delay.mean * log(1 - random.uniform()) + held);
  };
  /** Delivers once, twice or never. `there`: asked when it arrives. */
  const pass = (arrive: () => void, there = () => true) => {
    tally.sent++;
    if (random.uniform() < weather.loss) {
      tally.lost++;
      return;
    }
    const copies = random.uniform() < weather.twice ? 2 : 1;
    tally.twice += copies - 1;
    const sentIn = epoch;
    for (let i = 0; i < copies; i++) {
      clock.at(clock.now + delay(), () => {
        if (sentIn === epoch && there()) arrive();
        else tally.died++;
      });
    }
  };
  /** Nobody is there, whether or not the sender knows. */
  const fail = () => {
    tally.sent++;
    tally.died++;
  };
  /** The broker publishes what a board left for the case of its death. */
  const dies = (name: string, session: Session) => {
    if (sessions.get(name) !== session) return;
    sessions.delete(name);
    pass(() => deliver(name, "w", session.will));
  };
  const silent = (name: string, session: Session) => {
    session.alive = false;
    clock.at(clock.now + SILENCE, () => dies(name, session));
  };

  const connect = (name: string, line: Line) => {
    if (!line.open || !line.power.on) return;
    if (clock.now < closedUntil) {
      plan(name, line);
      return;
    }
    line.power.run(() => {
      const will = line.will(line.connection + 1);
      // a client that comes again under its name ends what the broker still holds under it
      const before = sessions.get(name);
      if (before !== undefined) dies(name, before);
      line.connection++;
      line.session = { will, alive: true };
      line.up = true;
      sessions.set(name, line.session);
      tally.connections++;
      line.events.onUp(line.connection);
    });
  };
  const plan = (name: string, line: Line) => {
    const now = clock.now;
    const at =
      now < closedUntil ? closedUntil + between(0, BACK_LAST - BACK_FIRST) : now + between(CONNECT_LEAST, CONNECT_MOST);
    clock.at(at, () => connect(name, line));
  };
  const isDown = (name: string, line: Line) => {
    if (!line.up) return;
    line.up = false;
    line.session = null;
    line.power.run(() => line.events.onDown());
    plan(name, line);
  };
  for (const at of weather.deaths) {
    clock.at(at, () => {
      epoch++;
      sessions.clear();
      closedUntil = Math.max(closedUntil, at + BACK_FIRST);
      for (const [name, line] of lines) {
        if (line.session !== null) line.session.alive = false;
        isDown(name, line);
      }
    });
  }
  const { outage } = weather;
  if (outage !== null) {
    clock.at(outage.from, () => {
      closedUntil = Math.max(closedUntil, outage.to);
      for (const [name, line] of lines) {
        const { session } = line;
        if (session === null) continue;
        silent(name, session);
        clock.at(clock.now + between(0, NOTICE), () => {
          if (line.session === session) isDown(name, line);
        });
      }
    });
  }

  return {
    tally,
    link(name, power) {
      const line: Line = {
        power,
        events: { onUp() {}, onDown() {}, onMessage() {} },
        will: () => new Uint8Array(0),
        connection: 0,
        session: null,
        up: false,
        open: false,
      };
      return {
        presence: true,
        open(events, will) {
          line.events = events;
          line.open = true;
          line.will = will;
          lines.set(name, line);
          plan(name, line);
        },
        send(letter, message) {
          const { session } = line;
          if (!line.up || session === null || !power.on) return false;
          if (session.alive) pass(() => deliver(name, letter, message));
          else fail();
          return true;
        },
        close(done) {
          if (line.session !== null && sessions.get(name) === line.session) sessions.delete(name);
          line.up = false;
          line.open = false;
          line.session = null;
          power.clock.at(clock.now, done);
        },
      };
    },
    gone(name) {
      const line = lines.get(name);
      if (line === undefined) return;
      line.up = false;
      line.open = false;
      if (line.session !== null && sessions.get(name) === line.session) silent(name, line.session);
      line.session = null;
      lines.delete(name);
    },
    toBoard(name, message) {
      const line = lines.get(name);
      const session = line?.session ?? null;
      if (line === undefined || session === null) fail();
      else
        pass(
          () => line.power.run(() => line.events.onMessage(message)),
          () => line.session === session && session.alive,
        );
    },
  };
}
