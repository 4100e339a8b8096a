/**
 * The firmware's runtime with a scripted chip, board and link: opened, polled, a loss, a fault, a lost ack, stopped. Tells
 * every message that it seals. Device dialect.
 */
import type { Board, Executor, Storage } from "../../../boards/board.ts";
import { type Channel, createFrame, type Driver, type Frame, type Step } from "../../../drivers/driver.ts";
import type { Link, LinkEvents } from "../../../firmware/link.ts";
import { createRuntime } from "../../../firmware/runtime.ts";
import { createVitals } from "../../../firmware/vitals.ts";
import { type Signer, sign1 } from "../../../protocol/cose.ts";
import { encodeMessage } from "../../../protocol/messages.ts";
import { hex, xorshift } from "./text.ts";

const ecg: Channel = {
  name: "ecg",
  mdc: 131328,
  rate: 128,
  waveform: true,
  bits: 18,
  offset: 0,
  mul: 3814697265625,
  exp10: -19,
  unit: "V",
  minimum: -131072,
  maximum: 131071,
  accuracy: "",
  processing: 0,
};

interface Timer {
  at: number;
  order: number;
  callback: (() => void) | null;
}

/**
 * A board whose time goes from timer to timer, and whose bus answers at once after a timer of no time. `storage`: absent, it
 * keeps nothing.
 */
export function createBoard(storage?: Storage) {
  const timers: Timer[] = [];
  let now = 0;
  let order = 0;
  let busFails = false;
  const timer = (ms: number, callback: () => void): (() => void) => {
    const entry: Timer = { at: now + ms * 1000, order: order++, callback: callback };
    timers.push(entry);
    return () => {
      entry.callback = null;
    };
  };
  const executor: Executor = {
    maxRead: 64,
    run: (target, _ops, done) => {
      timer(1, () => {
        const error = busFails ? { kind: "nack" as const, op: 0, message: `${target.model}: no answer` } : null;
        done({ replies: [], error: error, began: now - 1000, ended: now, edges: 0, edgeAt: 0, inputs: 0 });
      });
    },
  };
  const board: Board = {
    model: "scripted",
    i2c: () => executor,
    spi: () => executor,
    analog: () => {
      throw new Error("no analog pins here");
    },
    now: () => now,
    timer: timer,
    watch: () => () => {},
    storage: storage ?? { read: () => undefined, write: () => {} },
  };
  return {
    board: board,
    executor: executor,
    fail: (value: boolean): void => {
      busFails = value;
    },
    /** Runs timers up to a time in ms. */
    runUntil: (ms: number): void => {
      for (;;) {
        let first = -1;
        for (let i = 0; i < timers.length; i++) {
          if (timers[i].at > ms * 1000) continue;
          if (first < 0 || timers[i].at < timers[first].at) first = i;
          else if (timers[i].at === timers[first].at && timers[i].order < timers[first].order) first = i;
        }
        if (first < 0) break;
        const entry = timers[first];
        timers.splice(first, 1);
        now = entry.at;
        if (entry.callback !== null) entry.callback();
      }
      now = ms * 1000;
    },
  };
}

/** 16 samples a poll: a spike a second over noise. */
export function createDriver(lose: () => number): Driver {
  const random = xorshift(7);
  let index = 0;
  const fill = (frame: Frame): void => {
    const block = frame.channels[0];
    block.lost = lose();
    block.index = index;
    block.time = index * 7812;
    block.count = 16;
    for (let i = 0; i < 16; i++) {
      const phase = (index + i) % 128;
      block.samples[i] = (random() % 32) + (phase < 8 ? 400 * (4 - Math.abs(phase - 4)) : 0);
    }
    index += 16;
  };
  const nothing: Step = { ops: [] };
  return {
    model: "TEST",
    bus: "i2c",
    maxHz: 400000,
    configuration: null,
    dataReady: null,
    pollEvery: 124,
    channels: () => [ecg],
    createFrame: () => createFrame([32]),
    open: () => ({
      ops: [],
      next: (outcome, frame) => {
        if (outcome.error === null) frame.identity = { verdict: "confirmed", read: "scripted" };
        return null;
      },
    }),
    poll: () => ({
      ops: [],
      next: (outcome, frame) => {
        if (outcome.error === null) fill(frame);
        return null;
      },
    }),
    reconfigure: () => null,
    selfTest: () => nothing,
    close: () => ({
      ops: [],
      next: (_outcome, frame) => {
        fill(frame);
        return null;
      },
    }),
  };
}

/** A link that prints what is sent; `events`: whom it was opened for. */
export function createPrintingLink(print: (line: string) => void, presence: boolean) {
  let events: LinkEvents | null = null;
  const link: Link = {
    presence: presence,
    open: (given) => {
      events = given;
    },
    send: (letter, message) => {
      print(`${letter} ${hex(message)}`);
      return true;
    },
    close: (done) => done(),
  };
  return { link: link, events: (): LinkEvents | null => events };
}

export function program(print: (line: string) => void): void {
  const world = createBoard();
  let lost = 0;
  const line = createPrintingLink(print, true);
  const link = line.link;
  const zeros = new Uint8Array(64);
  const gateway: Signer = { kid: new Uint8Array(8).fill(9), alg: -8, sign: () => zeros };
  /** Nothing has arrived, but somebody hears: what had to go is told. */
  const hear = (n: number): void => {
    const events = line.events();
    if (events === null) return;
    events.onMessage(
      sign1(
        encodeMessage({
          type: "ack",
          kid: new Uint8Array(8),
          boot: 3,
          n: n,
          ofBoot: 3,
          next: 0,
          bitmap: new Uint8Array(0),
          refused: [],
        }),
        gateway,
      ),
    );
  };
  const driver = createDriver(() => lost);
  const runtime = createRuntime({
    board: world.board,
    link: link,
    crypto: { sha256: () => new Uint8Array(32), verify: () => true },
    signer: { kid: new Uint8Array(8), alg: -8, sign: () => zeros },
    gateways: [{ kid: gateway.kid, publicKey: new Uint8Array(32) }],
    device: {
      ueid: new Uint8Array(17).fill(1),
      boot: 3,
      bootSeed: new Uint8Array(16),
      software: "vitalwire",
      version: "test",
    },
    sensors: [{ attachment: { driver: driver, executor: world.executor }, site: "chest" }],
    vitals: createVitals([{ channels: driver.channels() }]),
    // the chip's spikes are 60 a minute
    alarms: { heartRate: { low: 100, delay: 5 } },
    packet: { period: 1000, codec: "rice" },
    outboxBytes: 2000,
  });
  runtime.start();
  world.runUntil(500);
  const up = line.events();
  if (up !== null) up.onUp(1);
  world.runUntil(4100);
  lost = 5;
  world.runUntil(4300);
  lost = -1;
  world.runUntil(4400);
  lost = 0;
  world.fail(true);
  world.runUntil(6000);
  world.fail(false);
  world.runUntil(21100);
  hear(0);
  let stopped = false;
  runtime.stop(() => {
    stopped = true;
  });
  world.runUntil(22000);
  hear(1);
  world.runUntil(40000);
  print(`${stopped} ${runtime.produced} ${runtime.wireBytes} ${runtime.outbox.waiting.length}`);
}
