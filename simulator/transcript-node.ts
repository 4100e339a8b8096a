/** A virtual node's whole run as a transcript, and the same firmware again out of it, without a chip, a patient or a clock. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { bytesOf, hexOf, TranscriptError } from "../boards/transcript-lines.ts";
import { type Recording, recordBoard } from "../boards/transcript-record.ts";
import { replayBoard } from "../boards/transcript-replay.ts";
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { Link } from "../firmware/link.ts";
import { kidText } from "../protocol/keys.ts";
import { testOnlyIdentity } from "./identity.ts";
import type { NodeWorld } from "./node.ts";
import { createNodeRuntime, type NodeSensor, type NodeSetup } from "./node-runtime.ts";
import { recordLink, replayLink } from "./transcript-link.ts";

/** What the header says of the firmware: all that it is made of, and from what its TEST-ONLY keys follow; no key. */
const VERSION = 1;
const bytes = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * length}}$`), `${length} bytes in hex`);
const u32 = z.int().min(0).max(0xffffffff);
const header = z.strictObject({
  node: z.literal(VERSION, { error: ({ input }) => `${JSON.stringify(input)}, this program makes ${VERSION}` }),
  presence: z.boolean(),
  origin: bytes(32),
  seal: z.strictObject({ mode: z.enum(["sign", "mac"]), encrypt: z.boolean() }),
  boot: u32,
  bn: bytes(16),
  prev: z.strictObject({ boot: u32, seq: u32 }).nullable(),
  sensors: z.array(
    z.strictObject({
      chip: z.enum(["max30102", "max30003", "tmp117"]),
      configuration: z.record(z.string(), z.unknown()),
      site: z.string(),
      calibration: z.looseObject({ id: z.string() }).optional(),
      automaticLedCurrent: z.boolean().optional(),
    }),
  ),
  gateways: z.array(z.strictObject({ kid: bytes(8), publicKey: bytes(32) })),
  alarms: z.record(z.string(), z.unknown()).optional(),
  outboxBytes: z.int().min(1),
});
type Header = z.infer<typeof header>;

const STOP = "stop";
/** The last mark: how many messages were given to the link, and SHA-256 over all of them in their order. */
const SEALED = "sealed";

/** Messages as they were given to a link, those that were sent again again. */
function createTally() {
  const hash = createHash("sha256");
  let messages = 0;
  return {
    add(message: Uint8Array) {
      messages++;
      hash.update(message);
    },
    get messages() {
      return messages;
    },
    /** Up to now, hex. */
    sha256: () => hash.copy().digest("hex"),
  };
}

export interface NodeRecorder {
  /** For `NodeOptions.wrap`. Throws Error for a node with keys of its own: its transcript would need them. */
  readonly wrap: (world: NodeWorld) => Pick<NodeWorld, "board" | "link">;
  /** To be called before its runtime is stopped. */
  stopping(): void;
  /** Nothing more is written; what happens now is not in it. */
  end(): void;
  /** The error that ended the recording before; null: none. The node does not notice it. */
  readonly failed: Error | null;
  /** Given to the link so far. */
  readonly messages: number;
  /** SHA-256 over them, hex. */
  sha256(): string;
}

/** `write` is given one line after the other, without line ends. */
export function recordNode(write: (line: string) => void): NodeRecorder {
  const tally = createTally();
  let recording: Recording | null = null;
  let ended = false;
  return {
    wrap({ board, link, setup, origin }) {
      if (origin === null)
        throw new Error("a transcript of a board with keys of its own could not be replayed without them");
      recording = recordBoard(board, write, headerOf(setup, origin, link.presence));
      const counting: Link = {
        ...link,
        send(letter, message, current) {
          tally.add(message);
          return link.send(letter, message, current);
        },
      };
      return { board: recording, link: recordLink(recording, counting) };
    },
    stopping: () => recording?.mark(STOP),
    end() {
      if (ended) return;
      ended = true;
      recording?.mark(`${SEALED} ${tally.messages} ${tally.sha256()}`);
      recording?.end();
    },
    get failed() {
      return recording?.failed ?? null;
    },
    get messages() {
      return tally.messages;
    },
    sha256: tally.sha256,
  };
}

function headerOf({ boot, gateways, ...setup }: NodeSetup, origin: Uint8Array, presence: boolean): object {
  return {
    node: VERSION,
    presence,
    origin: hexOf(origin),
    boot: boot.boot,
    bn: hexOf(boot.bn),
    prev: boot.prev,
    gateways: gateways.map(({ kid, publicKey }) => ({ kid: hexOf(kid), publicKey: hexOf(publicKey) })),
    ...setup,
  };
}

function setupOf({ boot, bn, prev, seal, sensors, gateways, alarms, outboxBytes }: Header, line: number): NodeSetup {
  const bytes = (text: string) => bytesOf(line, text);
  return {
    seal,
    boot: { boot, bn: bytes(bn), prev },
    sensors: sensors as NodeSensor[],
    gateways: gateways.map(({ kid, publicKey }) => ({ kid: bytes(kid), publicKey: bytes(publicKey) })),
    ...(alarms && { alarms: alarms as AlarmSettings }),
    outboxBytes,
  };
}

export interface Retraced {
  /** 16 hex digits; null: the header did not say whose it is. */
  readonly kid: string | null;
  readonly boot: number | null;
  /** Of the board's clock, us, at its end; null: that was not reached. */
  readonly time: number | null;
  /** Given to the link in the replay. */
  readonly messages: number;
  /** SHA-256 over them, recorded and replayed; null: the transcript does not say. */
  readonly recorded: string | null;
  readonly replayed: string;
  /** The first line from which on it is not the same, or is no transcript; null: it is the same to its end. */
  readonly difference: TranscriptError | null;
}

/** Composes the node's firmware from the header and lets happen again what happened, to the end or the first difference. */
export function retraceNode(lines: Iterable<string>): Retraced {
  const tally = createTally();
  let line = 0;
  let sealed: string | null = null;
  let kid: string | null = null;
  let boot: number | null = null;
  let made = false;
  let now = () => 0;
  const source = numbered(lines, (at) => {
    line = at;
  });
  const replay = () => {
    const board = replayBoard(source);
    const about = checked(board.about, line);
    const identity = testOnlyIdentity(bytesOf(line, about.origin), about.seal);
    kid = kidText(identity.kid);
    boot = about.boot;
    const link = replayLink(board, about.presence, (_letter, message) => tally.add(message));
    const runtime = createNodeRuntime(board, link, identity, setupOf(about, line));
    now = () => board.now();
    made = true;
    runtime.start();
    for (let mark = board.run(); mark !== null; mark = board.run()) {
      if (mark === STOP) runtime.stop(() => {});
      else if (mark.startsWith(SEALED)) sealed = mark;
    }
    const told: string | null = sealed;
    if (told !== null && told !== `${SEALED} ${tally.messages} ${tally.sha256()}`)
      throw new TranscriptError(line, `the recording says "${told}"; now they are ${tally.messages} ${tally.sha256()}`);
  };
  const result = (difference: TranscriptError | null): Retraced => ({
    kid,
    boot,
    time: difference === null ? now() : null,
    messages: tally.messages,
    recorded: sealed?.split(" ")[2] ?? null,
    replayed: tally.sha256(),
    difference,
  });
  try {
    replay();
    return result(null);
  } catch (error) {
    const at = line;
    try {
      sealed ??= lastMark(source);
    } catch {
      // what is behind cannot be read: then nobody knows
    }
    // Firmware that is given what no chip says may throw whatever it likes.
    const cannot = made ? "go on after it" : "be made as its header says";
    const what = `the firmware cannot ${cannot}: ${(error as Error).message}`;
    return result(error instanceof TranscriptError ? error : new TranscriptError(at, what));
  }
}

function checked(about: unknown, line: number): Header {
  if (about === undefined)
    throw new TranscriptError(
      line,
      "its header does not say what firmware was above the board; replayBoard() of vitalwire/testing gives it to any",
    );
  const parsed = header.safeParse(about);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `about.${path.join(".")}: ${message}`);
  throw new TranscriptError(line, faults.join("; "));
}

/** What cannot be read ends it with an error of its own, which is not the firmware's. */
function* numbered(lines: Iterable<string>, count: (line: number) => void): Generator<string> {
  let line = 0;
  try {
    for (const text of lines) {
      count(++line);
      yield text;
    }
  } catch (error) {
    throw new TranscriptError(line + 1, (error as Error).message);
  }
}

/** Looks for the last mark in what was not replayed. */
function lastMark(lines: Iterable<string>): string | null {
  const begins = `{"event":"mark","name":"${SEALED} `;
  let found: string | null = null;
  for (const text of lines) if (text.startsWith(begins)) found = (JSON.parse(text) as { name: string }).name;
  return found;
}
