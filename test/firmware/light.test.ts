/** Automatic LED current: a board that asks for it keeps the light in the upper half of the converter, and tells each change. */
import { describe, expect, test } from "vitest";
import type { Driver } from "../../drivers/driver.ts";
import { FLAG_BUS_FAULT, FLAG_LED_CHANGED, FLAG_OFF_BODY, FLAG_SATURATED } from "../../drivers/driver.ts";
import { max30102 } from "../../drivers/index.ts";
import type { Max30102Configuration } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { DEVICE_LIMITS } from "../../firmware/commands.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { createRuntime } from "../../firmware/runtime.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { createDownlinkSealer, type DownlinkMessage } from "../../gateway/downlink.ts";
import { decode, get, isMap } from "../../protocol/cbor.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import {
  type BirthMessage,
  type DataMessage,
  decodeMessage,
  EVENT_CONFIGURATION,
  EVENT_FAULT,
  type EventMessage,
  MDC_PULSE_RATE,
  type Message,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  qualFlags,
  type Wave,
} from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { createBench } from "../../simulator/bench.ts";
import { createPpg, createRandom, createRhythm } from "../../simulator/index.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { channelOf } from "./commanded.ts";

const [RED, INFRARED] = [0, 1];
const FULL = 262_144;
/** Register of the first LED's current. */
const LED1_PA = 0x0c;
const signer = testOnlySigner("board of a light");
const gateway = testOnlySigner("gateway of a light");

interface Finger {
  /** nA of photocurrent per mA. */
  readonly red: number;
  readonly infrared: number;
}
/** 6.2 mA give a tenth, a half, and more than all of the converter's range. */
const DARK: Finger = { red: 220, infrared: 250 };
const COMMON: Finger = { red: 780, infrared: 800 };
const BRIGHT: Finger = { red: 1350, infrared: 1450 };

interface Options {
  readonly automatic?: boolean;
  readonly limit?: number;
  readonly configuration?: Partial<Max30102Configuration>;
}

/** A board with an oximeter alone, a finger in it, and all that it sends. */
function board(finger: Finger, { automatic = true, limit, configuration }: Options = {}) {
  const bench = createBench(max30102, emulated, { interrupt: true, ...(configuration && { configuration }) });
  const make = (light: Finger) => {
    const random = createRandom("light");
    const rhythm = createRhythm({ heartRate: 72, random: random.fork("rhythm") });
    return createPpg({ ...light, rhythm, spo2: 97, perfusionIndex: 2, random: random.fork("ppg") });
  };
  /** null: none. */
  const put = (light: Finger | null) => {
    if (light === null) for (const name of ["red", "infrared"]) bench.emulator.set(name, 2);
    else {
      const ppg = make(light);
      bench.emulator.set("red", (time) => ppg.red(time, time));
      bench.emulator.set("infrared", (time) => ppg.infrared(time, time));
    }
  };
  put(finger);
  const sent: Uint8Array[] = [];
  let events!: LinkEvents;
  const runtime = createRuntime({
    board: bench.board,
    link: {
      presence: true,
      open: (given) => {
        events = given;
      },
      send: (_letter, message) => sent.push(message) > 0,
      close: (done) => done(),
    },
    crypto: nodeCrypto,
    signer,
    gateways: [gateway],
    device: { ueid: new Uint8Array(17).fill(1), boot: 1, bootSeed: new Uint8Array(16), software: "test", version: "1" },
    sensors: [
      {
        attachment: bench.attachment,
        site: "finger",
        automaticLedCurrent: automatic,
        recreate: (other) => max30102.create(other as object, { interrupt: true }) as Driver,
      },
    ],
    vitals: createVitals([{ channels: bench.driver.channels() }]),
    packet: { period: 1000, codec: "rice" },
    outboxBytes: 1 << 20,
    ...(limit !== undefined && { limits: { ledCurrent: limit } }),
  });
  const messages = () => {
    const bySeq = new Map<number, Message & { seq: number }>();
    for (const bytes of sent) {
      const message = decodeMessage(decodeEnvelope(bytes).payload);
      if ("seq" in message) bySeq.set(message.seq, message);
    }
    return [...bySeq.values()];
  };
  const birth = () => messages().find((one): one is BirthMessage => one.type === "birth")!;
  const eventsOf = (code: number) =>
    messages().filter((one): one is EventMessage => one.type === "event" && one.code === code);
  const blocks = (id: number) =>
    messages()
      .filter((one): one is DataMessage => one.type === "data")
      .flatMap(({ tick, channels }) =>
        channels
          .filter((one): one is Wave => one.kind === "wave" && one.id === id)
          .map((one) => ({
            flags: qualFlags(one.qual),
            at: tick / 1000 + one.dt / 1e6,
            samples: [...decodeSamples(one.codec, one.bytes, one.n)],
          })),
      );
  runtime.start();
  events.onUp(1);
  let n = 0;
  return {
    bench,
    runtime,
    put,
    blocks,
    eventsOf,
    run: (seconds: number) => bench.clock.runUntil(bench.clock.now + seconds * 1e6),
    /** Event 6: [s, channel, mA]. */
    changes: () =>
      eventsOf(EVENT_CONFIGURATION).map(({ tick, small }) => {
        const [, op, bytes] = small as [number, number, Uint8Array];
        const parameters = decode(bytes);
        if (op !== OP_SET_LED_CURRENT || !isMap(parameters)) throw new Error(`event 6 of op ${op}`);
        return { at: tick / 1000, channel: get(parameters, 2) ?? null, current: get(parameters, 1) as number };
      }),
    /** Mean of the last second, part of the range. */
    level: (id: number) => {
      const last = blocks(id)
        .flatMap(({ samples }) => samples)
        .slice(-100);
      return last.reduce((sum, one) => sum + one, 0) / last.length / FULL;
    },
    pulseRate: () => {
      const id = channelOf(birth(), MDC_PULSE_RATE);
      const data = messages().filter((one): one is DataMessage => one.type === "data");
      const last = data.flatMap(({ channels }) => channels).findLast((one) => one.kind === "num" && one.id === id)!;
      return last.kind === "num" ? last.value : null;
    },
    command(op: number, parameters: readonly (readonly [number, number])[]) {
      n++;
      const heard = { kid: signer.kid, boot: 1, births: new Map([[1, birth()]]), seal: "sign" as const };
      const body = { type: "command", op, parameters, expires: Number.MAX_SAFE_INTEGER };
      const message = { ...body, kid: signer.kid, boot: 1, n } as unknown as DownlinkMessage;
      const sealer = createDownlinkSealer({ signer: gateway, crypto: nodeCrypto, aead: nodeAead });
      events.onMessage(sealer.seal({ psk: null, encrypts: false }, heard as never, message));
    },
  };
}

const within = (light: ReturnType<typeof board>) => {
  for (const id of [RED, INFRARED]) {
    expect(light.level(id), `channel ${id}`).toBeGreaterThan(0.5);
    expect(light.level(id), `channel ${id}`).toBeLessThan(0.875);
  }
};

describe("automatic LED current", () => {
  test.each([
    ["dark", DARK],
    ["common", COMMON],
    ["bright", BRIGHT],
  ] as const)(
    "brings a %s finger into the converter's upper half, leaves it there, and the pulse is measured",
    (name, finger) => {
      const light = board(finger);
      light.run(20);
      within(light);
      expect(light.blocks(INFRARED).at(-1)!.flags).toBe(0);
      const done = light.changes();
      expect(done.length > 0).toBe(name !== "common");
      light.run(60);
      within(light);
      expect(light.changes()).toEqual(done);
      expect(light.pulseRate()! / 10).toBeCloseTo(72, -0.5);
      expect(light.eventsOf(EVENT_FAULT)).toEqual([]);
      if (name === "bright") expect(light.blocks(INFRARED)[0]!.flags & FLAG_SATURATED).toBe(FLAG_SATURATED);
    },
  );

  test("flags the samples around each change, tells it by event 6, and no two come within two seconds", () => {
    const light = board(DARK);
    light.run(30);
    const changes = light.changes().filter(({ channel }) => channel === INFRARED);
    expect(changes.length).toBeGreaterThan(0);
    const marked = light.blocks(INFRARED).filter(({ flags }) => (flags & FLAG_LED_CHANGED) !== 0);
    expect(marked).toHaveLength(changes.length);
    changes.forEach(({ at }, i) => {
      expect(Math.abs(marked[i]!.at - at)).toBeLessThan(0.5);
      if (i > 0) expect(at - changes[i - 1]!.at).toBeGreaterThan(2);
    });
    const { ledCurrent } = light.bench.driver.configuration;
    expect(ledCurrent.infrared).toBe(changes.at(-1)!.current);
    // a step is a factor of two at most
    let before = 6.2;
    for (const { current } of changes) {
      expect(current).toBeLessThanOrEqual(2 * before);
      expect(Number.isInteger(current)).toBe(true);
      before = current;
    }
  });

  test.each([DEVICE_LIMITS.ledCurrent, 12])("never exceeds the device's limit of %d mA", (limit) => {
    const light = board({ red: 100, infrared: 120 }, limit === DEVICE_LIMITS.ledCurrent ? {} : { limit });
    light.run(60);
    expect(Math.max(...light.changes().map(({ current }) => current))).toBe(limit);
    expect(light.bench.driver.configuration.ledCurrent).toEqual({ red: limit, infrared: limit });
    expect(light.changes().length).toBeLessThanOrEqual(6);
  });

  test("brings a LED that is configured above the limit below it, and leaves a dark one dark", () => {
    const light = board(COMMON, { limit: 5 });
    light.run(10);
    expect(light.bench.driver.configuration.ledCurrent).toEqual({ red: 5, infrared: 5 });
    const one = board(DARK, { configuration: { ledCurrent: { red: 0, infrared: 6.2 } } });
    one.run(20);
    expect(one.bench.driver.configuration.ledCurrent.red).toBe(0);
    expect(one.level(INFRARED)).toBeGreaterThan(0.5);
  });

  test("changes nothing while the finger is away, and finds another one when it comes", () => {
    const light = board(DARK);
    light.run(20);
    const before = light.changes().length;
    light.put(null);
    light.run(60);
    expect(light.changes()).toHaveLength(before);
    expect(light.runtime.contact).toBe("off");
    light.put(BRIGHT);
    light.run(30);
    expect(light.changes().length).toBeGreaterThan(before);
    within(light);
    expect(light.runtime.contact).toBe("good");
    expect(light.pulseRate()).not.toBeNull();
  });

  test("light that never stays is followed less and less often", () => {
    const light = board(COMMON);
    for (let i = 0; i < 40; i++) {
      light.put(i % 2 === 0 ? DARK : BRIGHT);
      light.run(6);
    }
    const times = [...new Set(light.changes().map(({ at }) => Math.round(at)))];
    expect(times.length).toBeGreaterThan(3);
    // 2 + 4 + 8 + 16 + 32 + 64 + 64 s and no more fit into 240
    expect(times.length).toBeLessThanOrEqual(9);
  });

  test("ends where a command sets a current, also in another configuration of the chip", () => {
    const light = board(COMMON);
    light.run(3);
    light.command(OP_SET_LED_CURRENT, [[1, 2]]);
    light.run(20);
    expect(light.changes()).toEqual([{ at: expect.any(Number), channel: null, current: 2 }]);
    expect(light.level(INFRARED)).toBeLessThan(0.25);
    light.command(OP_SET_RATE, [
      [1, 50_000],
      [2, RED],
    ]);
    light.run(20);
    expect(light.eventsOf(EVENT_CONFIGURATION)).toHaveLength(2);
    expect(light.level(INFRARED)).toBeLessThan(0.25);
  });

  test("goes on in another configuration of the chip", () => {
    const light = board(COMMON);
    light.run(3);
    light.command(OP_SET_RATE, [
      [1, 50_000],
      [2, RED],
    ]);
    light.run(3);
    light.put(DARK);
    light.run(20);
    expect(light.level(INFRARED)).toBeGreaterThan(0.5);
  });

  test("where a change fails on the bus, it is tried again, and what is told is what holds", () => {
    const light = board(DARK);
    const { board: simulated, clock } = light.bench;
    // the first write of the currents after the opening
    let failed = 0;
    simulated.busFault = (_target, ops, at) => {
      const [op] = ops;
      const sets = op !== undefined && "write" in op && op.write[0] === LED1_PA && at === 0 && clock.now > 1e6;
      return sets && failed++ === 0 ? "nack" : null;
    };
    light.run(30);
    expect(failed).toBeGreaterThan(1);
    expect(light.eventsOf(EVENT_FAULT)).toHaveLength(1);
    within(light);
    const { ledCurrent } = light.bench.driver.configuration;
    expect(light.changes().findLast(({ channel }) => channel === INFRARED)!.current).toBe(ledCurrent.infrared);
    expect(light.changes().length).toBe(2 * (failed - 1));
    expect(light.blocks(INFRARED).at(-1)!.flags & (FLAG_BUS_FAULT | FLAG_OFF_BODY)).toBe(0);
  });

  test("is off unless the configuration asks for it", () => {
    const light = board(DARK, { automatic: false });
    light.run(20);
    expect(light.changes()).toEqual([]);
    expect(light.level(INFRARED)).toBeLessThan(0.25);
  });
});
