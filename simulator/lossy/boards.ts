/** The two kinds of board of a lossy world: the firmware over a synthetic chip, and a whole board down to its registers. */
import { createSimulatedBoard, type SimulatedBoard } from "../../boards/simulated.ts";
import { holdUp } from "../../boards/simulated-flash.ts";
import { startBoot } from "../../firmware/boot.ts";
import type { Link } from "../../firmware/link.ts";
import { createRuntime, type Runtime } from "../../firmware/runtime.ts";
import type { GatewayKey } from "../../firmware/sealer.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { deviceOf, type NodeIdentity, type SealMode, testOnlyIdentity } from "../identity.ts";
import { sha256 } from "../keys.ts";
import { createVirtualNode } from "../node.ts";
import { createSyntheticChip, instantExecutor, WAVE_CHANNEL, WAVE_RATE, waveAt } from "./chip.ts";
import type { Kept } from "./kept.ts";
import type { Power } from "./power.ts";
import type { Tap, WaveTruth } from "./truth.ts";

export interface BootOptions {
  readonly power: Power;
  readonly link: Link;
  readonly kept: Kept;
  /** What makes this boot another one. */
  readonly entropy: Uint8Array;
  readonly tap: Tap;
}

export interface RunningBoot {
  readonly boot: number;
  readonly runtime: Runtime;
  readonly waves: readonly WaveTruth[];
  /** Brings the chips up to now: what they have converted is in `waves`. */
  advance(): void;
}

export interface BoardModel {
  readonly identity: NodeIdentity;
  readonly seal: SealMode;
  /** Makes another boot, which its `runtime.start()` begins. May throw PowerCut, as all that runs on a board. */
  boot(options: BootOptions): RunningBoot;
}

export interface ModelOptions {
  readonly seed: number;
  /** 0, 1, 2 …: which board of the world. */
  readonly index: number;
  readonly mode: SealMode["mode"];
  readonly gateways: readonly GatewayKey[];
}

export interface PacketOptions extends ModelOptions {
  /** Between two packets, ms. */
  readonly period: number;
  /** RAM for messages that wait, bytes. */
  readonly outboxBytes: number;
}

/** TEST-ONLY, as testOnlyIdentity: another device for every world. */
function identityOf(kind: string, { seed, index, mode }: ModelOptions): { identity: NodeIdentity; seal: SealMode } {
  const seal: SealMode = { mode, encrypt: false };
  return { identity: testOnlyIdentity(sha256(`lossy ${kind} ${seed} ${index} ${mode}`), seal), seal };
}

/** What is kept, for one boot; `hold` names the board that waits for its flash. */
function opened(kept: Kept, { clock, cut }: Power) {
  let held: SimulatedBoard | null = null;
  const there = kept.open({ onBusy: holdUp(clock, (ms) => held?.stall(ms)), onCut: cut });
  const hold = (board: SimulatedBoard) => {
    held = board;
  };
  return { ...there, hold };
}

/** The real firmware over a chip that is computed. */
export function packetBoard(options: PacketOptions): BoardModel {
  const { identity, seal } = identityOf("packets", options);
  const { kid, psk } = identity;
  return {
    identity,
    seal,
    boot({ power, link, kept, entropy, tap }) {
      const { clock } = power;
      const startedAt = clock.now;
      const { storage, log, hold } = opened(kept, power);
      const board = createSimulatedBoard(clock, storage);
      hold(board);
      const crypto = tap.crypto(nodeCrypto);
      const started = startBoot({ storage, kid, psk, entropy, crypto });
      const key = (options.seed * 1009 + options.index) * 65_537 + started.boot;
      const chip = createSyntheticChip(key);
      const attachment = { driver: chip.driver, executor: instantExecutor(() => board.now()) };
      const runtime = createRuntime({
        board,
        link,
        crypto,
        signer: identity.signer === null ? null : tap.signer(identity.signer),
        seal: { ...seal, psk, aead: nodeAead },
        gateways: options.gateways,
        device: deviceOf(identity, started),
        sensors: [{ attachment, site: "axilla" }],
        vitals: createVitals([{ channels: chip.driver.channels(), site: "axilla" }]),
        packet: { period: options.period, codec: "delta" },
        outboxBytes: options.outboxBytes,
        ...(log && { log }),
      });
      const wave: WaveTruth = {
        channel: WAVE_CHANNEL,
        interval: 1e6 / WAVE_RATE,
        count: (time) => chip.count(time - startedAt),
        value: (index) => waveAt(key, index),
        at: chip.at,
      };
      return { boot: started.boot, runtime, waves: [wave], advance() {} };
    },
  };
}

/** Codes of one converter, as they come. */
function createConversions(startedAt: number, interval: number, channel: number) {
  let codes = new Int32Array(1 << 14);
  let times = new Float64Array(1 << 14);
  let used = 0;
  const wave: WaveTruth = {
    channel,
    interval,
    count(time) {
      let count = used;
      while (count > 0 && times[count - 1] > time) count--;
      return count;
    },
    value: (index) => codes[index],
    at: (index) => times[index] - startedAt,
  };
  return {
    wave,
    add(code: number, at: number) {
      if (used === codes.length) {
        const more = new Int32Array(2 * used);
        more.set(codes);
        codes = more;
        const later = new Float64Array(2 * used);
        later.set(times);
        times = later;
      }
      codes[used] = code;
      times[used++] = at;
    },
  };
}

/** Three chips with their registers, the drivers, the firmware with all its vitals (simulator/node.ts). */
export function registerBoard(options: ModelOptions): BoardModel {
  const { identity, seal } = identityOf("registers", options);
  return {
    identity,
    seal,
    boot({ power, link, kept, entropy, tap }) {
      const { clock } = power;
      const startedAt = clock.now;
      const { signer } = identity;
      const { storage, log, hold } = opened(kept, power);
      const node = createVirtualNode({
        clock,
        seed: options.seed,
        index: options.index,
        noise: true,
        gateways: options.gateways,
        seal,
        identity: { ...identity, signer: signer === null ? null : tap.signer(signer) },
        boot: () => storage,
        entropy,
        crypto: tap.crypto(nodeCrypto),
        link: () => link,
        ...(log && { log: () => log }),
      });
      hold(node.board);
      const { ppg, ecg } = node.emulators;
      // the order of the births: red, infrared of the first chip, then the second chip's ECG
      const lights = [createConversions(startedAt, 1e4, 0), createConversions(startedAt, 1e4, 1)];
      const heart = createConversions(startedAt, 1e6 / 256, 2);
      const listen = (chip: typeof ppg | typeof ecg, names: readonly string[], to: readonly (typeof heart)[]) => {
        const before = chip.onConvert;
        chip.onConvert = (channel, code, at) => {
          before?.(channel, code, at);
          to[names.indexOf(channel)]?.add(code, at);
        };
      };
      listen(ppg, ["red", "infrared"], lights);
      listen(ecg, ["ecg"], [heart]);
      return {
        boot: node.boot,
        runtime: node.runtime,
        waves: [...lights, heart].map(({ wave }) => wave),
        advance() {
          for (const chip of Object.values(node.emulators)) chip.advance(clock.now);
        },
      };
    },
  };
}
