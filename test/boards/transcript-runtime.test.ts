/** A whole runtime, its acks too, out of a transcript: every sealed message again, byte for byte. */
import { beforeAll, expect, test } from "vitest";
import type { Board } from "../../boards/board.ts";
import { createSimulatedBoard, createVirtualClock } from "../../boards/simulated.ts";
import { recordBoard, replayBoard } from "../../boards/transcript.ts";
import type { Chip, Driver, Fault } from "../../drivers/driver.ts";
import type { I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import * as chips from "../../drivers/index.ts";
import type { Link, LinkEvents } from "../../firmware/link.ts";
import { createRuntime, type Runtime } from "../../firmware/runtime.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { toHex } from "../../protocol/keys.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createRandom } from "../../simulator/random.ts";
import { recordLink, replayLink } from "../../simulator/transcript-link.ts";
import { createTestGateway, gatewayKey, site } from "../support/gateway.ts";

const I2C = { data: "D21", clock: "D22", hz: 400_000 };
const SPI = { out: "D23", in: "D25", clock: "D18", hz: 4_000_000 };
const signer = testOnlySigner("transcript");

/** Three chips under a runtime, on whatever board and link. */
function compose(board: Board, link: Link) {
  const faults: Fault[] = [];
  const driverOf = <C>(chip: Chip<C>, configuration: Partial<C>, interrupt: boolean) =>
    chip.create(configuration, { interrupt }) as Driver;
  const sensors = [
    {
      attachment: {
        driver: driverOf(chips.max30102, { sampleRate: 100 }, true),
        executor: board.i2c(I2C),
        interrupt: "D19",
      },
      site: "finger" as const,
    },
    {
      attachment: {
        driver: driverOf(chips.max30003, { sampleRate: 256 }, true),
        executor: board.spi(SPI),
        select: "D5",
        interrupt: "D4",
      },
      site: "chest" as const,
    },
    { attachment: { driver: driverOf(chips.tmp117, {}, false), executor: board.i2c(I2C) }, site: "axilla" as const },
  ];
  const runtime = createRuntime({
    board,
    link,
    crypto: nodeCrypto,
    signer,
    seal: { mode: "sign", encrypt: false, psk: null, aead: nodeAead },
    gateways: [gatewayKey],
    device: { ueid: new Uint8Array(17).fill(1), boot: 1, bootSeed: new Uint8Array(16), software: "test", version: "1" },
    sensors,
    vitals: createVitals(sensors.map((plan) => ({ ...plan, channels: plan.attachment.driver.channels() }))),
    packet: { period: 1000, codec: "rice" },
    outboxBytes: 1 << 20,
    onFault: (fault) => faults.push(fault),
  });
  return { runtime, faults };
}

interface Run {
  readonly runtime: Runtime;
  readonly faults: readonly Fault[];
  /** Every message sent, hexadecimal. */
  readonly sent: readonly string[];
}

/** A minute on a patient, a gateway that answers: a brown-out of the oximeter, a stall of the host, the link down. */
function record(): Run & { lines: string[]; stored: number } {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const { signals } = createPatient({ seed: 3, index: 0 });
  const random = createRandom(3);
  const noise = () => random.normal();
  const ppg = chips.max30102Emulator.create({ noise }) as I2cEmulator;
  const thermometer = chips.tmp117Emulator.create({ noise }) as I2cEmulator;
  const ecg = chips.max30003Emulator.create({ noise }) as SpiEmulator;
  ppg.set("red", signals.red);
  ppg.set("infrared", signals.infrared);
  thermometer.set("temperature", signals.temperature);
  ecg.set("ecg", signals.ecg);
  board.attachI2c(I2C, ppg, "D19");
  board.attachI2c(I2C, thermometer);
  board.attachSpi(SPI, "D5", ecg, "D4");

  const world = createTestGateway();
  const epoch = world.now;
  const { kid, publicKey } = signer;
  const card = { issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 } as const;
  world.gateway.devices.enroll(encodeCard(card, site), site.publicKey, true);
  const sent: string[] = [];
  let events: LinkEvents | null = null;
  let up = true;
  const soon = (what: () => void) => clock.at(clock.now + 8000 * random.uniform(), what);
  const origin: Origin = {
    name: "test",
    counters: createCounters(),
    reply: (message) => void soon(() => events?.onMessage(message)),
  };
  const link: Link = {
    presence: true,
    open(given, will) {
      events = given;
      will(1);
      given.onUp(1);
      clock.at(40e6, () => {
        up = false;
        given.onDown();
      });
      clock.at(47e6, () => {
        up = true;
        will(2);
        given.onUp(2);
      });
    },
    send(_letter, message) {
      sent.push(toHex(message));
      soon(() => {
        world.now = epoch + clock.now / 1000;
        world.gateway.receive(message, origin);
        world.settle();
      });
      return up;
    },
    close: (done) => void soon(done),
  };

  const lines: string[] = [];
  const recording = recordBoard(board, (line) => lines.push(line));
  const { runtime, faults } = compose(recording, recordLink(recording, link));
  clock.at(20e6, () => ppg.powerOn(clock.now));
  clock.at(30e6, () => board.stall(700));
  runtime.start();
  clock.runUntil(60e6);
  recording.mark("stop");
  runtime.stop(() => {});
  clock.runUntil(70e6);
  recording.end();
  return { runtime, faults, sent, lines, stored: world.stored.length };
}

function replay(lines: readonly string[]): Run {
  const sent: string[] = [];
  const board = replayBoard(lines);
  const { runtime, faults } = compose(
    board,
    replayLink(board, true, (_letter, message) => sent.push(toHex(message))),
  );
  runtime.start();
  expect(board.run()).toBe("stop");
  runtime.stop(() => {});
  expect(board.run()).toBe(null);
  return { runtime, faults, sent };
}

let recorded: ReturnType<typeof record>;
beforeAll(() => {
  recorded = record();
});

test("a minute of three chips with a brown-out, a stall and a link that was down is sealed again byte for byte", () => {
  expect(recorded.stored).toBeGreaterThan(60);
  expect(recorded.faults.length).toBeGreaterThan(0);
  expect(recorded.runtime.drained).toBe(true);
  const again = replay(recorded.lines);
  expect(again.sent).toEqual(recorded.sent);
  expect(again.faults).toEqual(recorded.faults);
  expect(again.runtime.produced).toBe(recorded.runtime.produced);
  expect(again.runtime.drained).toBe(true);
});

test("one changed digit of one reply, and the first message that it reaches is told with the line where it was sent", () => {
  const { lines } = recorded;
  // A read of the MAX30102's FIFO behind its three counters: the lowest digit of the first sample.
  const isRead = /^\{"ask":"run","n":(\d+),"chip":0,"ops":\[\{"read":\d+,"at":4\}\]/;
  const read = lines.find((line, i) => i > lines.length / 2 && isRead.test(line));
  const at = lines.findIndex((line) => line.startsWith(`{"event":"done","of":${isRead.exec(read!)![1]},`));
  const flip = (_: string, before: string, digit: string) => before + (digit === "0" ? "1" : "0");
  const changed = lines.with(at, lines[at]!.replace(/("replies":\["[0-9a-f]{11})(.)/, flip));
  expect(changed).not.toEqual(lines);
  let told: { line?: number; message?: string } = {};
  try {
    replay(changed);
  } catch (error) {
    told = error as Error;
  }
  expect(told.message).toMatch(
    /^transcript line \d+: the firmware asked for \{"ask":"send","letter":"d".*; now the firmware asks for \{"ask":"send","letter":"d"/,
  );
  expect(told.line).toBeGreaterThan(at);
  expect(told.line).toBeLessThan(at + 2000);
});

test("cut off anywhere, it says so behind the last whole line", () => {
  const { lines } = recorded;
  for (let part = 1; part < 12; part++) {
    const end = Math.floor((lines.length * part) / 12);
    const cut = [...lines.slice(0, end), lines[end]!.slice(0, -1)];
    expect(() => replay(cut)).toThrow(`transcript line ${end + 1}: it is cut off here`);
  }
});
