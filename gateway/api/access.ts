/** Who may see the page: whoever opened the address that the terminal shows, on this very host. */
import { timingSafeEqual } from "node:crypto";
import { parse, serialize } from "hono/utils/cookie";

/** Why a request is not answered with what it asks for. */
export interface Denial {
  readonly status: 401 | 403 | 404 | 421 | 503;
  /** What a person reads. */
  readonly sentence: string;
}

export interface Access {
  /** The one-time address that is good now. */
  readonly address: string;
  /** `host`: the Host header, `cookie`: the Cookie header. null: it may pass. */
  check(host: string | undefined, cookie: string | undefined): Denial | null;
  /** As `check`; a browser also says on every socket which page opens it, and that must be our own. */
  checkSocket(host: string | undefined, cookie: string | undefined, origin: string | undefined): Denial | null;
  /** Uses up the token of the address and returns the Set-Cookie header of a new session; null: not the good token. */
  redeem(host: string | undefined, token: string): string | null;
}

export interface AccessOptions {
  /** The address that was bound. */
  readonly host: string;
  readonly port: number;
  readonly random: (bytes: number) => Uint8Array;
  readonly onAddress: (url: string) => void;
}

/** 128 bits are the least that nobody guesses; bytes. */
const TOKEN = 24;
const SESSION = 32;
/** The oldest goes: sessions end with the process, and nobody has more browsers. */
const MAX_SESSIONS = 16;
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const HTTP_PORT = 80;

const sameBytes = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b);

export function createAccess(options: AccessOptions): Access {
  const { port } = options;
  const bound = (options.host.includes(":") ? `[${options.host}]` : options.host).toLowerCase();
  // Nobody can open "every interface" by that name.
  const shown = bound === "0.0.0.0" || bound === "[::]" ? "127.0.0.1" : bound;
  const suffix = port === HTTP_PORT ? "" : `:${port}`;
  const hosts = new Set([...LOOPBACK, bound].map((name) => `${name}${suffix}`));
  // Cookies do not know ports: a second gateway on this machine must not take this one's.
  const cookieName = `vitalwire-${port}`;
  const sessions: Uint8Array[] = [];
  let token!: Buffer;
  let address!: string;

  const draw = (bytes: number): Buffer => {
    const secret = Buffer.from(options.random(bytes));
    // No secret at all would let everybody in.
    if (secret.length !== bytes) throw new Error(`random gave ${secret.length} bytes where ${bytes} were asked for`);
    return secret;
  };
  const renew = () => {
    token = draw(TOKEN);
    address = `http://${shown}${suffix}/?token=${token.toString("base64url")}`;
    options.onAddress(address);
  };
  /** A name that is not ours means that some other page's server points here (DNS rebinding). */
  const foreign = (host: string | undefined): Denial | null =>
    host !== undefined && hosts.has(host.toLowerCase())
      ? null
      : {
          status: 421,
          sentence: `This page answers to http://${shown}${suffix}/ only: open the address that the terminal shows.`,
        };
  const check = (host: string | undefined, cookie: string | undefined): Denial | null => {
    const denial = foreign(host);
    if (denial !== null) return denial;
    const session = Buffer.from(parse(cookie ?? "", cookieName)[cookieName] ?? "", "base64url");
    let known = false;
    for (const one of sessions) known = sameBytes(one, session) || known;
    return known
      ? null
      : { status: 401, sentence: "Open the address that the terminal shows: it lets one browser in." };
  };
  renew();
  return {
    get address() {
      return address;
    },
    check,
    checkSocket(host, cookie, origin) {
      const denial = check(host, cookie);
      if (denial !== null) return denial;
      return origin === `http://${host}` ? null : { status: 403, sentence: "Only this gateway's own page may listen." };
    },
    redeem(host, given) {
      if (foreign(host) !== null || !sameBytes(token, Buffer.from(given, "base64url"))) return null;
      const session = draw(SESSION);
      sessions.push(session);
      if (sessions.length > MAX_SESSIONS) sessions.shift();
      renew();
      return serialize(cookieName, session.toString("base64url"), { httpOnly: true, sameSite: "Strict", path: "/" });
    },
  };
}
