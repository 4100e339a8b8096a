/**
 * The runtime over a log in flash: a boot that nobody hears until the power goes in the middle of a record, and the next one,
 * which a gateway hears after a while and whose acks it obeys. Tells every message. Device dialect.
 */
import { createEspruinoFlash } from "../../../boards/espruino/flash.ts";
import type { LinkEvents } from "../../../firmware/link.ts";
import { createRuntime } from "../../../firmware/runtime.ts";
import { createVitals } from "../../../firmware/vitals.ts";
import { decodeEnvelope, type Signer, sign1 } from "../../../protocol/cose.ts";
import { modeOf } from "../../../protocol/header.ts";
import { decodeMac0 } from "../../../protocol/mac0.ts";
import { decodeDisowned, decodeMessage, encodeMessage } from "../../../protocol/messages.ts";
import { cutting, memoryModule } from "./flash.ts";
import { createBoard, createDriver } from "./runtime.ts";
import { createStorage } from "./storage.ts";
import { hex } from "./text.ts";

const PAGE = 2048;
const PAGES = 6;

/** What a gateway has, by boot. */
interface Has {
  readonly boot: number;
  readonly seqs: boolean[];
}

export function program(print: (line: string) => void, sha256: (bytes: Uint8Array) => Uint8Array): void {
  const power = { left: 1000000 };
  const flash = cutting(createEspruinoFlash(memoryModule(0, PAGES * PAGE, PAGE), 0, PAGES), power);
  const storage = createStorage(power);
  const kid = new Uint8Array(8).fill(3);
  const zeros = new Uint8Array(64);
  const gateway: Signer = { kid: new Uint8Array(8).fill(9), alg: -8, sign: () => zeros };
  const stored: Has[] = [];
  const of = (boot: number): Has => {
    for (let i = 0; i < stored.length; i++) if (stored[i].boot === boot) return stored[i];
    const one: Has = { boot: boot, seqs: [] };
    stored.push(one);
    return one;
  };
  const has = (one: Has, seq: number): void => {
    while (one.seqs.length <= seq) one.seqs.push(false);
    one.seqs[seq] = true;
  };
  const hear = (letter: string, bytes: Uint8Array): void => {
    const payload = modeOf(bytes) === "M" ? decodeMac0(bytes).payload : decodeEnvelope(bytes).payload;
    const message = decodeMessage(payload);
    if (message.type === "presence" || message.type === "ack") return;
    if (message.type === "command" || message.type === "time") return;
    print(`${letter} ${message.type} ${message.boot}:${message.seq} ${hex(bytes)}`);
    has(of(message.boot), message.seq);
    const told = message.type === "event" ? decodeDisowned(message) : null;
    if (told === null) return;
    print(`gone ${told.boot}:${told.first} ${told.count} for ${told.reason}`);
    const to = Math.min(told.first + told.count, told.first + 200);
    for (let seq = told.first; seq < to; seq++) has(of(told.boot), seq);
  };
  let n = 0;
  const ack = (one: Has, boot: number, events: LinkEvents): void => {
    let next = 0;
    while (one.seqs[next] === true) next++;
    const bitmap = new Uint8Array(4);
    for (let bit = 0; bit < 32; bit++) if (one.seqs[next + 1 + bit] === true) bitmap[bit >> 3] |= 128 >> (bit & 7);
    const payload = encodeMessage({
      type: "ack",
      kid: kid,
      boot: boot,
      n: n++,
      ofBoot: one.boot,
      next: next,
      bitmap: bitmap,
      refused: [],
    });
    events.onMessage(sign1(payload, gateway));
  };

  const start = (boot: number) => {
    const world = createBoard(storage);
    const line: { events: LinkEvents | null } = { events: null };
    const driver = createDriver(() => 0);
    const runtime = createRuntime({
      board: world.board,
      link: {
        presence: false,
        open: (given) => {
          line.events = given;
        },
        send: (letter, message) => {
          hear(letter, message);
          return true;
        },
        close: (done) => done(),
      },
      crypto: { sha256: sha256, verify: () => true },
      signer: { kid: kid, alg: -8, sign: () => zeros },
      seal: { mode: "mac", encrypt: false, psk: new Uint8Array(32).fill(5), aead: null },
      gateways: [{ kid: gateway.kid, publicKey: new Uint8Array(32) }],
      device: {
        ueid: new Uint8Array(17).fill(1),
        boot: boot,
        bootSeed: new Uint8Array(16).fill(boot),
        software: "vitalwire",
        version: "test",
      },
      sensors: [{ attachment: { driver: driver, executor: world.executor }, site: "chest" }],
      vitals: createVitals([{ channels: driver.channels() }]),
      // the chip's spikes are 60 a minute
      alarms: { heartRate: { low: 100, delay: 5 } },
      packet: { period: 1000, codec: "raw24" },
      outboxBytes: 2000,
      log: { flash: flash, writeAfter: 0, markEvery: 4000 },
      backfill: 1500,
      onFault: (fault) => print(fault.message),
    });
    runtime.start();
    return { world: world, runtime: runtime, line: line };
  };

  const one = start(1);
  one.world.runUntil(16500);
  power.left = 1;
  one.world.runUntil(18000);
  print(`${one.runtime.produced} sealed`);
  power.left = 1000000;

  const two = start(2);
  two.world.runUntil(2500);
  const events = two.line.events;
  if (events !== null) events.onUp(1);
  for (let second = 3; second < 16; second++) {
    two.world.runUntil(1000 * second);
    for (let i = 0; i < stored.length && events !== null; i++) ack(stored[i], 2, events);
    print(`${two.runtime.outbox.count} wait`);
  }
  let stopped = false;
  two.runtime.stop(() => {
    stopped = true;
  });
  for (let second = 16; second < 26; second++) {
    two.world.runUntil(1000 * second);
    for (let i = 0; i < stored.length && events !== null && !stopped; i++) ack(stored[i], 2, events);
  }
  const left: string[] = [];
  for (let i = 0; i < stored.length; i++) left.push(`${stored[i].boot}: ${stored[i].seqs.indexOf(false)}`);
  print(`${stopped} ${two.runtime.produced} ${two.runtime.wireBytes} ${two.runtime.outbox.count} ${left.join(" ")}`);
}
