/** A board that a test speaks for, before a gateway and its page: what it measures is made up, what it seals is real. */
import { randomBytes } from "node:crypto";
import { type Page, startPage } from "../../gateway/api/page.ts";
import type { Disowned } from "../../protocol/messages.ts";
import {
  type AlarmEvent,
  type BirthMessage,
  type ChannelDefinition,
  type DataMessage,
  EVENT_ALARM,
  EVENT_DISOWNED,
  type EventMessage,
  encodeAlarm,
  encodeDisowned,
  MDC_HEART_RATE,
  MDC_PLETH,
  MDC_SPO2,
  type Message,
} from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { createTestDevice, createTestGateway, createTestOrigin, site } from "../support/gateway.ts";
import { vitalChannel } from "../support/vital-channel.ts";

/** A message holds so much, ms. */
export const PERIOD = 250;
const ECG_RATE = 256;
const PPG_RATE = 100;
const ECG = 0;
const INFRARED = 1;
export const HEART_RATE = 5;
export const SPO2 = 6;
/** Steps a mV of the test device's ECG. */
const STEPS = 2621;

/** mV at a board time, s: P, QRS and T, 72 a minute. */
function ecgAt(time: number): number {
  const phase = (time * 1.2) % 1;
  const hill = (at: number, width: number, height: number) => height * Math.exp(-(((phase - at) / width) ** 2));
  return hill(0.18, 0.03, 0.12) + hill(0.3, 0.008, 1.1) - hill(0.32, 0.01, 0.25) + hill(0.55, 0.05, 0.28);
}

/** Counts: less light with each pulse. */
function ppgAt(time: number): number {
  const phase = (time * 1.2) % 1;
  return 100_000 - 900 * Math.exp(-(((phase - 0.5) / 0.16) ** 2)) - 300 * Math.exp(-(((phase - 0.8) / 0.1) ** 2));
}

export interface BoardOptions {
  readonly boot?: number;
  /** s. */
  readonly offline?: number;
}

/** Messages of a board whose message `seq` holds the `seq`-th quarter second since its boot; seq 0 is its birth. */
export function createOutageBoard(name: string, { boot = 1, offline }: BoardOptions = {}) {
  const device = createTestDevice(name, boot);
  const plain = device.birth();
  const infrared: ChannelDefinition = {
    ...plain.channels[0],
    id: INFRARED,
    mdc: MDC_PLETH,
    rateMilliHz: 1000 * PPG_RATE,
    mul: 1,
    exp10: 0,
    ucum: "1",
    attributes: { role: "infrared", chip: "MAX30102", site: "finger" },
  };
  const vitals = [
    vitalChannel(HEART_RATE, MDC_HEART_RATE, "/min"),
    vitalChannel(SPO2, MDC_SPO2, "%", { minimum: 700, maximum: 1000, site: "finger" }),
  ];
  const birth: BirthMessage = {
    ...plain,
    claims: { ...plain.claims, ...(offline !== undefined && { offline }) },
    channels: [...plain.channels, infrared, ...vitals],
  };
  const wave = (id: number, rate: number, seq: number, at: (time: number) => number) => {
    const first = Math.round(((seq - 1) * PERIOD * rate) / 1000);
    const n = Math.round((seq * PERIOD * rate) / 1000) - first;
    const samples = Int32Array.from({ length: n }, (_, i) => Math.round(at((first + i) / rate)));
    const dt = Math.round((first * 1e6) / rate) - 1000 * PERIOD * seq;
    const bytes = encodeSamples(1, samples, 0, n);
    return { kind: "wave" as const, id, seg: 0, idx: first, dt, codec: 1 as const, n, bytes, qual: null };
  };
  const event = (seq: number, code: number, small: EventMessage["small"], tick = PERIOD * seq): EventMessage => ({
    ...{ type: "event", boot, seq, tick, code, small },
  });
  return {
    ...device,
    boot,
    birth,
    /** `heartRate`: /min. */
    data: (seq: number, heartRate: number): DataMessage => ({
      type: "data",
      boot,
      seq,
      tick: PERIOD * seq,
      cfg: 1,
      channels: [
        wave(ECG, ECG_RATE, seq, (time) => ecgAt(time) * STEPS),
        wave(INFRARED, PPG_RATE, seq, ppgAt),
        { kind: "num", id: HEART_RATE, dt: 0, value: 10 * heartRate, qual: null },
        { kind: "num", id: SPO2, dt: 0, value: 974, qual: null },
      ],
    }),
    alarm: (seq: number, alarm: AlarmEvent, tick?: number) => event(seq, EVENT_ALARM, encodeAlarm(alarm), tick),
    lost: (seq: number, range: Disowned, tick?: number) => event(seq, EVENT_DISOWNED, encodeDisowned(range), tick),
  };
}

export type OutageBoard = ReturnType<typeof createOutageBoard>;

/** A gateway by the clock on the wall, and its page. */
export async function createOutageBench(boards: readonly OutageBoard[]) {
  const bench = createTestGateway();
  for (const board of boards) board.enrollAt(bench.gateway);
  const page: Page = await startPage({
    gateway: bench.gateway,
    sitePublicKey: site.publicKey,
    port: 0,
    now: Date.now,
    random: randomBytes,
    onAddress: () => {},
  });
  const origin = createTestOrigin("mqtt:test");
  return {
    page,
    gateway: bench.gateway,
    /** Hears these messages at `at`, ms since the epoch, and tells the page. */
    hear(board: OutageBoard, messages: readonly Message[], at = Date.now()) {
      bench.now = at;
      const before = bench.stored.length;
      for (const message of messages) bench.gateway.receive(board.seal(message), origin);
      bench.settle();
      for (const accepted of bench.stored.slice(before)) page.stored(accepted);
    },
    close: () => page.close(),
  };
}
