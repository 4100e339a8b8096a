/**
 * A board that is told what to do: commands, times and acks under a signature that always holds, on the scripted chip of
 * runtime.ts. Tells every message that it seals. Device dialect.
 */
import type { Driver } from "../../../drivers/driver.ts";
import { createRuntime } from "../../../firmware/runtime.ts";
import { createVitals } from "../../../firmware/vitals.ts";
import { sign1 } from "../../../protocol/cose.ts";
import { type CommandMessage, encodeMessage } from "../../../protocol/messages.ts";
import { createBoard, createDriver, createPrintingLink } from "./runtime.ts";

interface Settings {
  readonly sampleRate: number;
  readonly ledCurrent: Readonly<Record<string, number>>;
}

/** The scripted chip with settings: its light changes while it runs, its rate does not. */
function createChip(settings: Settings): Driver {
  const chip = createDriver(() => 0);
  const channel = Object.assign({}, chip.channels()[0], { rate: settings.sampleRate });
  let now = settings;
  return Object.assign({}, chip, {
    get configuration() {
      return now;
    },
    channels: () => [channel],
    reconfigure: (next: unknown) => {
      const wanted = next as Settings;
      if (wanted.sampleRate > 1000) throw new Error("TEST: too fast");
      if (wanted.sampleRate !== now.sampleRate) return null;
      now = wanted;
      return { ops: [] };
    },
    selfTest: () => ({
      ops: [],
      next: (_outcome: unknown, frame: { measurements: unknown[] }) => {
        frame.measurements.push({ name: "offset", value: 7, unit: "mV", minimum: -5, maximum: 5, pass: false });
        return null;
      },
    }),
  });
}

export function program(print: (line: string) => void): void {
  const world = createBoard();
  const line = createPrintingLink(print, false);
  const link = line.link;
  const zeros = new Uint8Array(64);
  const kid = new Uint8Array(8);
  const gateway = { kid: new Uint8Array(8).fill(9), alg: -8, sign: () => zeros };
  const driver = createChip({ sampleRate: 128, ledCurrent: { red: 5 } });
  const runtime = createRuntime({
    board: world.board,
    link: link,
    crypto: { sha256: () => new Uint8Array(32), verify: () => true },
    signer: { kid: kid, alg: -8, sign: () => zeros },
    gateways: [{ kid: gateway.kid, publicKey: new Uint8Array(32) }],
    device: {
      ueid: new Uint8Array(17).fill(1),
      boot: 3,
      bootSeed: new Uint8Array(16),
      software: "vitalwire",
      version: "test",
    },
    sensors: [
      {
        attachment: { driver: driver, executor: world.executor },
        site: "chest",
        recreate: (configuration) => createChip(configuration as Settings),
      },
    ],
    vitals: createVitals([{ channels: driver.channels() }]),
    alarms: { heartRate: { low: 40, delay: 5 } },
    handlers: { reboot: () => print("reboot") },
    packet: { period: 1000, codec: "rice" },
    outboxBytes: 4000,
  });
  runtime.start();
  world.runUntil(500);
  const up = line.events();
  if (up === null) return;
  up.onUp(1);
  let n = 0;
  const receive = (payload: Uint8Array): void => up.onMessage(sign1(payload, gateway));
  const command = (op: number, parameters: CommandMessage["parameters"], expires: number): void => {
    n++;
    receive(
      encodeMessage({ type: "command", kid: kid, boot: 3, n: n, expires: expires, op: op, parameters: parameters }),
    );
    world.runUntil(2000 + 100 * n);
  };
  world.runUntil(2000);
  receive(encodeMessage({ type: "time", kid: kid, boot: 3, n: 0, echoTick: 1990, gatewayMs: 1800000000000 }));
  for (let op = 1; op <= 16; op++) command(op, [], 100000);
  command(1, [], 100000);
  command(5, [[1, 24]], 100000);
  command(5, [[1, 26]], 100000);
  command(5, [[1, 24]], 1);
  command(
    3,
    [
      [1, 200000],
      [2, 0],
    ],
    100000,
  );
  command(
    3,
    [
      [1, 125000],
      [2, 0],
    ],
    100000,
  );
  command(
    3,
    [
      [1, 5000000],
      [2, 0],
    ],
    100000,
  );
  command(
    12,
    [
      [2, 1],
      [3, 500],
      [4, 1500],
    ],
    100000,
  );
  command(14, [[1, 30]], 100000);
  command(14, [[1, 30]], 100000);
  command(2, [[2, 0]], 100000);
  command(1, [], 100000);
  for (let i = 0; i < 12; i++) {
    n++;
    receive(encodeMessage({ type: "command", kid: kid, boot: 3, n: n, expires: 100000, op: 11, parameters: [] }));
  }
  receive(encodeMessage({ type: "command", kid: kid, boot: 2, n: 999, expires: 100000, op: 7, parameters: [] }));
  world.runUntil(9000);
  let stopped = false;
  runtime.stop(() => {
    stopped = true;
  });
  world.runUntil(20000);
  print(`${stopped} ${runtime.produced} ${runtime.refused} ${runtime.outbox.waiting.length}`);
}
