/** One board of a soak in a world of its own: chips, patient, faults, link, the gateway that ships, and the judge. */
import { createHash } from "node:crypto";
import { createVirtualClock, type VirtualClock } from "../../boards/virtual-clock.ts";
import type { Link, LinkEvents } from "../../firmware/link.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { createCounters, type Origin, rejected } from "../../gateway/origin.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeLine, encodeLine, MAX_LINE } from "../../protocol/frame.ts";
import type { Message } from "../../protocol/messages.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { FaultPlan } from "../../simulator/faults.ts";
import { testOnlyIdentity } from "../../simulator/identity.ts";
import { sha256, testOnlySigner } from "../../simulator/keys.ts";
import { createTap } from "../../simulator/lossy/truth.ts";
import { createVirtualNode } from "../../simulator/node.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createJudge, type JudgeReport } from "../../simulator/soak/judge.ts";
import { soakPlan } from "../../simulator/soak/plan.ts";
import { createTruth, SECOND, type SoakTruth } from "../../simulator/soak/truth.ts";

export interface SoakBoardOptions {
  readonly seed: number;
  /** 0, 1, 2 …; the first board has a serial line, the others a broker. */
  readonly board: number;
  /** Virtual time, s. */
  readonly seconds: number;
  readonly perHour: number;
  /** Instead of what the seed draws. */
  readonly plan?: FaultPlan;
  /** Every message as it was stored, for tests. */
  readonly onMessage?: (message: Message) => void;
}

export interface SoakBoard {
  readonly truth: SoakTruth;
  readonly plan: FaultPlan;
  readonly report: BoardReport;
}

export interface BoardReport extends JudgeReport {
  readonly board: number;
  readonly seconds: number;
  /** Messages that it has sealed by the end, and SHA-256 over the payloads of all of them, hex. */
  readonly sealed: number;
  readonly hash: string;
  /** What the gateway refused, repetitions apart: damaged lines, and what came before its birth. */
  readonly refused: number;
}

/** 2026-01-01T15:00:00Z: a day of the world lies in two of the calendar. */
const EPOCH = 1_767_279_600_000;
/** How long the gateway gathers what shares a commit, and a board needs for its broker, us. */
const SOON = 10_000;
const CONNECTS = 100_000;
/** What waits at the end has so long to arrive, s. */
const DRAIN = 30;

const site = testOnlySigner("site", "soak");
const gatewaySigner = testOnlySigner("gateway", "soak");

export const isSerial = (board: number): boolean => board === 0;

/** The gateway's end of a line: whatever bytes come, the lines among them. */
function createFarEnd(gateway: Gateway, origin: Origin) {
  let held: Buffer = Buffer.alloc(0);
  return (bytes: Uint8Array) => {
    held = Buffer.concat([held, bytes]);
    for (let end = held.indexOf(10); end >= 0; end = held.indexOf(10)) {
      const line = held.subarray(0, end + 1);
      held = held.subarray(end + 1);
      try {
        const message = decodeLine(line.toString("latin1"));
        if (message !== null) gateway.receive(message, origin);
      } catch (error) {
        gateway.refuse(origin, (error as Refusal).reason, (error as Refusal).message);
      }
    }
    if (held.length > MAX_LINE) {
      gateway.refuse(origin, "size", "no line end");
      held = Buffer.alloc(0);
    }
  };
}

function createNearEnd(clock: VirtualClock, serial: boolean, send: (message: Uint8Array) => void) {
  let events: LinkEvents | null = null;
  const link: Link = {
    presence: !serial,
    open(own, will) {
      will(1);
      clock.at(clock.now + (serial ? 0 : CONNECTS), () => {
        events = own;
        own.onUp(1);
      });
    },
    send(_letter, message) {
      if (events === null) return false;
      send(message);
      return true;
    },
    close(done) {
      events = null;
      clock.at(clock.now, done);
    },
  };
  return { link, receive: (message: Uint8Array) => events?.onMessage(message) };
}

/** Runs it from its start to its end, as fast as it can. */
export function runBoard(options: SoakBoardOptions): SoakBoard {
  const { seed, board, seconds, perHour, onMessage } = options;
  const serial = isSerial(board);
  const plan = options.plan ?? soakPlan({ seed, board, seconds, perHour, serial });
  const clock = createVirtualClock();
  const truth = createTruth(createPatient({ seed, index: board }), plan);
  const judge = createJudge(truth);
  const errors: Error[] = [];
  const gateway = new Gateway({
    store: openSqliteStore(":memory:"),
    crypto: nodeCrypto,
    aead: nodeAead,
    signer: gatewaySigner,
    now: () => EPOCH + clock.now / 1000,
    soon: (callback) => void clock.at(clock.now + SOON, callback),
    pings: true,
    onStored({ message }) {
      onMessage?.(message);
      judge.take(message);
    },
    onError: (error) => errors.push(error),
  });
  const seal = { mode: board % 2 === 0 ? "mac" : "sign", encrypt: false } as const;
  const identity = testOnlyIdentity(sha256(`soak ${seed} ${board}`), seal);
  const enroll = (role: "device" | "gateway", { kid, publicKey }: { kid: Uint8Array; publicKey: Uint8Array }) => {
    const issuedAt = EPOCH / 1000;
    const card = encodeCard({ issuer: "TEST-ONLY", role, kid, publicKey, issuedAt, expires: issuedAt + 1e7 }, site);
    gateway.devices.enroll(card, site.publicKey, true);
  };
  enroll("gateway", gatewaySigner);
  enroll("device", identity);
  if (identity.psk !== null) gateway.devices.givePsk(identity.kid, identity.psk, false);

  const origin: Origin = {
    name: `soak:board-${board}`,
    counters: createCounters(),
    reply: (message) => near.receive(message),
  };
  const far = createFarEnd(gateway, origin);
  const send = (message: Uint8Array) => {
    if (serial) far(Buffer.from(encodeLine(message), "latin1"));
    else gateway.receive(message, origin);
  };
  const near = createNearEnd(clock, serial, send);
  const hash = createHash("sha256");
  let sealed = 0;
  const tap = createTap((_boot, seq, payload) => {
    sealed = Math.max(sealed, seq + 1);
    hash.update(payload);
  });
  const { signer } = identity;
  const node = createVirtualNode({
    clock,
    seed,
    index: board,
    noise: true,
    gateways: [gatewaySigner],
    seal,
    identity: { ...identity, signer: signer === null ? null : tap.signer(signer) },
    crypto: tap.crypto(nodeCrypto),
    boot: () => 1,
    link: () => near.link,
    faults: { plan, broker: !serial, ...(serial && { line: far }) },
  });
  truth.listen("max30102", node.emulators.ppg, ["red", "infrared"]);
  truth.listen("max30003", node.emulators.ecg, ["ecg"]);
  truth.listen("tmp117", node.emulators.thermometer, ["temperature"]);
  node.runtime.start();
  const until = seconds * SECOND;
  clock.runUntil(until);
  const due = sealed;
  const digest = hash.copy().digest("hex");
  clock.runUntil(until + DRAIN * SECOND);
  if (errors.length > 0) throw errors[0];
  checkPlan(truth, node.faults!.truth);
  const judged = judge.end(until, due);
  gateway.close();
  return {
    truth,
    plan,
    report: { board, seconds, sealed: due, hash: digest, refused: rejected(origin.counters), ...judged },
  };
}

/** The judge's truth is the plan: what was put into effect has to be that. Throws Error where it is not. */
function checkPlan({ spans }: SoakTruth, events: readonly { kind: string; state: string; at: number }[]): void {
  const key = (kind: string, state: string, at: number) => `${kind} ${state} ${Math.round(at * SECOND)}`;
  const told = events.filter(({ kind }) => kind !== "oscillator");
  const happened = new Set(told.map(({ kind, state, at }) => key(kind, state, at)));
  for (const { kind, from, to } of spans) {
    for (const expected of [key(kind, "began", from / SECOND), key(kind, "ended", to / SECOND)]) {
      if (!happened.has(expected)) throw new Error(`soak: planned and not done: ${expected} us`);
    }
  }
  if (told.length !== 2 * spans.length) throw new Error(`soak: ${spans.length} faults planned, ${told.length} events`);
}
