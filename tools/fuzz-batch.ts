/** One batch: ten thousand inputs through the serial source into a gateway of its own, every verdict held against what must be. */
import { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { Gateway, type GatewayOptions } from "../gateway/gateway.ts";
import type { Origin } from "../gateway/origin.ts";
import type { Accepted, ReceiverOptions, Verdict } from "../gateway/receiver.ts";
import { storedPayload } from "../gateway/record.ts";
import { attachSerial } from "../gateway/sources/serial.ts";
import { encodeCard } from "../protocol/card.ts";
import { type Crypto, decodeEnvelope, type Signer } from "../protocol/cose.ts";
import { nodeAead } from "../protocol/crypto.node.ts";
import { decodeLine, encodeLine } from "../protocol/frame.ts";
import { isRefusal, REASONS, type Reason } from "../protocol/refusal.ts";
import { testOnlySigner } from "../simulator/keys.ts";
import { ed25519, keyedHash } from "./fuzz-crypto.ts";
import { makeInput } from "./fuzz-inputs.ts";
import { disputed, ruleOf, takenElsewhere } from "./fuzz-oracle.ts";
import { createDice, type Dice } from "./fuzz-random.ts";
import { type Authentic, createKeyring, type Form, type Sealing, sealAs } from "./fuzz-seal.ts";
import type { Seeds } from "./fuzz-seeds.ts";
import { createMemoryStore } from "./fuzz-store.ts";

export const BATCH = 10_000;
/** Every so many batches one with real Ed25519, and with cbor-x asked about all that is refused. */
export const THOROUGH_EVERY = 8;
/** Every so many batches one comes faster than its rate limit allows. */
const HURRIED_EVERY = 4;
/** How the seeds' messages come. */
const ONE_FORM: readonly Form[] = ["S"];
const ALL_FORMS: readonly Form[] = ["S", "M", "ES", "EM"];
/** Inputs between two commits. */
const COMMIT_EVERY = 500;
const START = 1_800_000_000_000;

export interface Find {
  readonly seed: number;
  readonly batch: number;
  readonly what: string;
  /** The message or line, hex; empty where no single one is to blame. */
  readonly input: string;
}

export interface Tally {
  inputs: number;
  /** Inputs in batches with real Ed25519. */
  thorough: number;
  readonly origins: Record<string, number>;
  /** reached[s]: messages that came to step s of PROTOCOL.md section 8 or beyond; [0]: lines that the splitter passed on. */
  readonly reached: number[];
  readonly verdicts: Record<string, number>;
  /** Accepted messages by the form in which they came. */
  readonly forms: Record<string, number>;
  /** Of what we refused as CBOR: rules, and how often cbor-x took the bytes. */
  readonly laxer: Record<string, { refused: number; taken: number }>;
  /** Longest time of one message in the receiver, ms. */
  slowest: number;
  readonly finds: Find[];
}

export function createTally(): Tally {
  const reached = new Array<number>(11).fill(0);
  return { inputs: 0, thorough: 0, origins: {}, reached, verdicts: {}, forms: {}, laxer: {}, slowest: 0, finds: [] };
}

const add = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1;
};
const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The step at which a refusal fell. `authentic`: its signature had held. */
function stepOf(reason: Reason, authentic: boolean): number {
  if (authentic) return reason === "replay" ? 7 : reason === "codec" ? 8 : 6;
  const steps: Partial<Record<Reason, number>> = { size: 1, cbor: 2, header: 3, signature: 5 };
  return steps[reason] ?? 4;
}

interface Bench {
  readonly tally: Tally;
  readonly thorough: boolean;
  /** Everything that the enrolled device's keys have really sealed, by the bytes as latin1. */
  readonly authentic: Map<string, Authentic>;
  readonly find: (what: string, input: Uint8Array) => void;
}

/** The gateway that ships, with an eye on every call. */
class WatchedGateway extends Gateway {
  private readonly bench: Bench;
  private readonly lines: () => readonly Uint8Array[];

  constructor(
    options: GatewayOptions & Pick<ReceiverOptions, "rate">,
    bench: Bench,
    lines: () => readonly Uint8Array[],
  ) {
    super(options);
    this.bench = bench;
    this.lines = lines;
  }

  override receive(bytes: Uint8Array, origin: Origin): Verdict {
    const { tally } = this.bench;
    const authentic = origin.counters.authentic;
    const began = performance.now();
    let verdict: Verdict;
    try {
      verdict = super.receive(bytes, origin);
    } catch (error) {
      this.bench.find(`an exception: ${(error as Error).stack ?? error}`, bytes);
      return { status: "refused", reason: "payload", detail: "" };
    }
    tally.slowest = Math.max(tally.slowest, performance.now() - began);
    this.count(bytes, verdict, origin.counters.authentic > authentic);
    return verdict;
  }

  private count(bytes: Uint8Array, verdict: Verdict, authentic: boolean): void {
    const { tally, find } = this.bench;
    add(tally.verdicts, verdict.status === "refused" ? verdict.reason : verdict.status);
    const refused = verdict.status === "refused";
    const step = refused ? stepOf(verdict.reason, authentic) : verdict.status === "duplicate" ? 7 : 9;
    for (let i = 0; i <= step; i++) tally.reached[i]!++;
    if (authentic || !refused) {
      const sealed = this.bench.authentic.get(text(bytes));
      if (sealed === undefined) find("a forgery held as authentic", bytes);
      else if (verdict.status === "accepted") add(tally.forms, sealed.form);
    }
    if (refused && !REASONS.includes(verdict.reason)) find(`refused for "${verdict.reason}"`, bytes);
    if (refused && verdict.reason === "cbor" && this.bench.thorough) this.compare(bytes, verdict.detail, authentic);
  }

  private compare(bytes: Uint8Array, detail: string, authentic: boolean): void {
    const { laxer } = this.bench.tally;
    const offset = Number(/ \(at byte (\d+)\)$/.exec(detail)?.[1]);
    if (!(offset <= bytes.length)) this.bench.find(`a refusal as CBOR without its place: ${detail}`, bytes);
    const rule = ruleOf(detail);
    const counts = laxer[rule] ?? { refused: 0, taken: 0 };
    laxer[rule] = counts;
    counts.refused++;
    if (takenElsewhere(this.bench.authentic.get(authentic ? text(bytes) : "")?.payload ?? bytes)) counts.taken++;
  }

  override refuse(origin: Origin, reason: Reason, detail: string): void {
    const known = REASONS.includes(reason);
    if (!known)
      this.bench.find(`an exception in a line: ${detail}`, this.lines().find(breaksLine) ?? new Uint8Array(0));
    add(this.bench.tally.verdicts, `line ${reason}`);
    this.bench.tally.reached[0]!++;
    if (known) super.refuse(origin, reason, detail);
  }
}

/** What is wrong with an accepted payload, an exception of the other decoders and encoders included; null: nothing. */
function opinionOn(payload: Uint8Array): string | null {
  try {
    return disputed(payload);
  } catch (error) {
    return `accepted, and then: ${(error as Error).message}`;
  }
}

/** Whether the line decoder throws what is no refusal. */
function breaksLine(line: Uint8Array): boolean {
  try {
    decodeLine(text(line));
    return false;
  } catch (error) {
    return !isRefusal(error);
  }
}

/** The same bytes in chunks as a port gives them: they begin and end anywhere. */
function* cut(lines: Iterable<Uint8Array>, dice: Dice): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  for (const line of lines) {
    held.push(line);
    length += line.length;
    if (length < 16_384) continue;
    const all = Buffer.concat(held);
    const end = dice.below(all.length);
    if (end > 0) yield all.subarray(0, end);
    held = [all.subarray(end)];
    length = all.length - end;
  }
  yield Buffer.concat(held);
}

/** A stream that gives these chunks; what is written to it is lost. */
function cable(chunks: Iterator<Uint8Array>): Duplex {
  return new Duplex({
    read() {
      const { done, value } = chunks.next();
      this.push(done ? null : value);
    },
    write: (_chunk, _encoding, done) => done(),
  });
}

export interface BatchOptions {
  readonly seeds: Seeds;
  readonly seed: number;
  readonly batch: number;
  readonly inputs: number;
  /** In place of the batch's own: how the tests see that a gateway which errs is found out. */
  readonly crypto?: Crypto;
  /** Called before every input: a watchdog's pulse. */
  readonly onInput?: (index: number) => void;
}

/** Runs one batch, the same one for the same seed, number and size, and adds what it saw to the tally. */
export async function runBatch(options: BatchOptions, tally: Tally): Promise<void> {
  const { seeds, seed, batch } = options;
  const thorough = batch % THOROUGH_EVERY === 0;
  // Every other batch has a device that encrypts, and then nothing else is taken of it but births and presences.
  const encrypts = batch % 2 === 1;
  const suite = thorough ? ed25519 : keyedHash;
  const dice = createDice(seed, `batch ${batch}`);
  const sealingOf = (signer: Signer, kid: Uint8Array, psk: Uint8Array): Sealing => {
    const secret = { psk, kid, bn: seeds.bn, crypto: suite.crypto };
    return { signer, ...secret, aead: nodeAead, keys: createKeyring(secret) };
  };
  const deviceSigner = suite.signer(seeds.device);
  const device = sealingOf(deviceSigner, deviceSigner.kid, seeds.psk);
  const strangerSigner = suite.signer(seeds.stranger);
  const stranger = sealingOf(strangerSigner, strangerSigner.kid, seeds.strangerPsk);
  const disguised = sealingOf({ ...strangerSigner, kid: deviceSigner.kid }, deviceSigner.kid, seeds.strangerPsk);
  // The messages of the seeds are sealed anew by this batch's suite, in every form; the birth stays signed, and first.
  const original = seeds.messages.map((message) => decodeEnvelope(message).payload);
  const sealed = original.flatMap((payload, i) =>
    (i === 0 ? ONE_FORM : ALL_FORMS).map((form) => sealAs(form, payload, device)),
  );
  const messages = sealed.map(({ message }) => message);
  const authentic = new Map<string, Authentic>();
  const remember = (one: Authentic) => {
    authentic.set(text(one.kept), one);
    authentic.set(text(one.message), one);
  };
  sealed.forEach(remember);
  const find = (what: string, input: Uint8Array) => tally.finds.push({ seed, batch, what, input: hexOf(input) });
  const lines: Uint8Array[] = [];
  let later: (() => void) | null = null;
  let now = START;
  const onStored = ({ row }: Accepted) => {
    tally.reached[10]!++;
    if (!authentic.has(text(row.message))) find("other bytes are kept than were sealed", row.message);
    const what = opinionOn(storedPayload(row));
    if (what !== null) find(what, row.message);
  };
  const site = testOnlySigner("fuzz site");
  const gateway = new WatchedGateway(
    {
      store: createMemoryStore(),
      crypto: options.crypto ?? suite.crypto,
      aead: nodeAead,
      signer: suite.signer(testOnlySigner("fuzz gateway")),
      now: () => now,
      ...(batch % HURRIED_EVERY === 3 && { rate: { perSecond: 20, burst: 100 } }),
      soon: (callback) => {
        later = callback;
      },
      onStored,
      onError: (error) => find(`the commit failed: ${error.message}`, new Uint8Array(0)),
    },
    { tally, thorough, authentic, find },
    () => lines,
  );
  const { kid, publicKey } = seeds.device;
  const card = encodeCard(
    { issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 },
    suite.signer(site),
  );
  gateway.devices.enroll(card, site.publicKey, true);
  gateway.devices.givePsk(kid, seeds.psk, encrypts);
  const enrolled = gateway.devices.get(kid)!;
  const source = { dice, device, stranger, disguised, messages, payloads: seeds.payloads };
  const flush = () => {
    const callback = later;
    later = null;
    callback?.();
  };
  function* lineBytes(): Generator<Uint8Array> {
    yield Buffer.from(encodeLine(messages[0]!), "latin1");
    for (let index = 0; index < options.inputs; index++) {
      options.onInput?.(index);
      now += 10;
      const input = makeInput(source, 1000 + index);
      if (input.sealed !== undefined) remember(input.sealed);
      add(tally.origins, input.origin);
      if (lines.push(input.line) > COMMIT_EVERY) lines.shift();
      if (index % COMMIT_EVERY === COMMIT_EVERY - 1) flush();
      if (enrolled.quarantine !== null) {
        // A person looks, and lets it go on: else nothing behind the first contradiction would be tried.
        flush();
        gateway.devices.release(kid, now);
      }
      yield input.line;
    }
  }
  const stream = cable(cut(lineBytes(), dice));
  attachSerial(gateway, stream, "serial:fuzz");
  stream.end();
  await finished(stream);
  await new Promise((resolve) => setImmediate(resolve));
  flush();
  gateway.close();
  tally.inputs += options.inputs;
  if (thorough) tally.thorough += options.inputs;
}
