/** A virtual board: three emulated chips, a synthetic patient on them, and the firmware's runtime as on any other board. */
import type { Board, Storage } from "../boards/board.ts";
import type { SimulatedBoard } from "../boards/simulated.ts";
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { Calibration } from "../firmware/dsp/calibration.ts";
import type { Link } from "../firmware/link.ts";
import type { LogSettings } from "../firmware/outbox.ts";
import type { Runtime } from "../firmware/runtime.ts";
import type { GatewayKey } from "../firmware/sealer.ts";
import type { KeyedSigner } from "../protocol/crypto.node.ts";
import type { Faults } from "./faults.ts";
import { type NodeIdentity, type SealMode, startedBoot, testOnlyIdentity, withoutKey } from "./identity.ts";
import { sha256 } from "./keys.ts";
import { type ChipsOptions, createNodeChips, type NodeChips, type Source } from "./node-chips.ts";
import { createNodeRuntime, type NodeParts, type NodeSetup, sensorsOf } from "./node-runtime.ts";

export { NODE_CHIPS, type NodeFaults, type Recording, type Source } from "./node-chips.ts";
export type { NodeIdentity, SealMode };

export interface NodeOptions extends ChipsOptions, Omit<NodeParts, "log"> {
  /** What its vitals are held against; absent: nothing. */
  readonly alarms?: AlarmSettings;
  /** Of its oximeter; absent: a published curve, and SpO2 is flagged as uncalibrated. */
  readonly calibration?: Calibration;
  /** true: the board sets its oximeter's LED currents itself, until a command sets one. */
  readonly automaticLedCurrent?: boolean;
  /** Who signs its acks. */
  readonly gateways: readonly GatewayKey[];
  /** Called with the node's signer and pre-shared key to make the link that it talks over. */
  readonly link: (signer: KeyedSigner, psk: Uint8Array | null) => Link;
  /** The number of this boot, or what counts it and survives, once its key is known. */
  readonly boot: (signer: KeyedSigner) => number | Storage;
  /** What differs between boots of the same world, for bn; absent: nothing, so that every byte is the same again. */
  readonly entropy?: Uint8Array;
  /** Absent: signed, and not encrypted. */
  readonly seal?: SealMode;
  /** Where messages outlive a power cut, on this board; absent: nowhere. */
  readonly log?: (board: SimulatedBoard) => LogSettings;
  /** Of messages that wait in RAM; absent: OUTBOX_BYTES. */
  readonly outboxBytes?: number;
  /** Absent: a TEST-ONLY device, another one for every world. */
  readonly identity?: NodeIdentity;
  /** What else makes this world another one, and so the device another device. */
  readonly world?: string;
  /** A seam between the firmware and the world, from the beginning: what it returns stands in their place. */
  readonly wrap?: (world: NodeWorld) => Pick<NodeWorld, "board" | "link">;
}

/** What a node's firmware is made of: the same again says the same, byte for byte. */
export interface NodeWorld {
  readonly board: Board;
  readonly link: Link;
  readonly setup: NodeSetup;
  /** From which a TEST-ONLY node has its keys; null: it has keys of its own. */
  readonly origin: Uint8Array | null;
}

export interface VirtualNode {
  readonly signer: KeyedSigner;
  /** TEST-ONLY; null: it seals without one. */
  readonly psk: Uint8Array | null;
  readonly boot: number;
  readonly board: SimulatedBoard;
  readonly runtime: Runtime;
  readonly link: Link;
  /** null: nothing goes wrong with it. */
  readonly faults: Faults | null;
  /** The chips themselves: electrodes come off, fingers are withdrawn. */
  readonly emulators: NodeChips["emulators"];
  /** Waveform channels in the order of the birth. */
  readonly sources: readonly Source[];
  /** To be called when nothing more will be sealed: the next boot can tell where this one ended. */
  ended(): void;
}

/** RAM of a virtual board for messages that wait for their ack. */
const OUTBOX_BYTES = 1 << 20;

/** Everything that shapes what a board will measure: another world is another device, so no boot is ever told twice. */
function worldOf(options: NodeOptions): Uint8Array {
  const { recording } = options;
  const played = recording === undefined ? "none" : Buffer.from(recording.millivolts.buffer);
  const label = options.world === undefined ? "" : `${options.world} `;
  const story = options.story === undefined ? "" : `story ${options.story.label} `;
  const { alarms, calibration, seal } = options;
  const sealed = seal === undefined || (seal.mode === "sign" && !seal.encrypt) ? "" : `${seal.mode} ${seal.encrypt} `;
  const settings = alarms || calibration ? `${JSON.stringify([alarms, calibration])} ` : "";
  const lights = options.automaticLedCurrent === true ? "automatic LED current " : "";
  const faults = options.faults === undefined ? "" : `faults ${JSON.stringify(options.faults.plan)} `;
  const rest = `${label}${story}${settings}${lights}${sealed}${faults}`;
  return sha256(`${options.seed} ${options.index} ${options.noise} ${recording?.rate ?? 0} ${rest}`, played);
}

/** Puts the chips on a board, the patient on the chips, and the runtime above. Nothing runs before `runtime.start()`. */
export function createVirtualNode(options: NodeOptions): VirtualNode {
  const origin = worldOf(options);
  const { seal = { mode: "sign", encrypt: false }, alarms, calibration, automaticLedCurrent } = options;
  const { crypto, handlers, log, onSettled, onFault, wrapDriver } = options;
  const identity = options.identity ?? testOnlyIdentity(origin, seal);
  const signer = identity.signer ?? withoutKey(identity);
  const { psk } = identity;
  const counter = options.boot(signer);
  const started = startedBoot(identity, origin, counter, options.entropy);
  const chips = createNodeChips(options, typeof counter === "number" ? undefined : counter);
  const { board, faults } = chips;
  const carrier = options.link(signer, psk);
  const { boot, bn, prev } = started;
  const world: NodeWorld = {
    board: chips.given,
    link: faults?.link(carrier) ?? carrier,
    setup: {
      seal,
      boot: { boot, bn, prev },
      sensors: sensorsOf({ ...(calibration && { calibration }), ...(automaticLedCurrent && { automaticLedCurrent }) }),
      gateways: options.gateways,
      ...(alarms && { alarms }),
      outboxBytes: options.outboxBytes ?? OUTBOX_BYTES,
    },
    origin: options.identity === undefined ? origin : null,
  };
  const given = options.wrap?.(world) ?? world;
  const runtime = createNodeRuntime(given.board, given.link, identity, world.setup, {
    ...(crypto && { crypto }),
    ...(handlers && { handlers }),
    ...(log && { log: log(board) }),
    ...(onSettled && { onSettled }),
    ...(onFault && { onFault }),
    ...(wrapDriver && { wrapDriver }),
  });
  faults?.start();
  return {
    signer,
    psk,
    boot,
    board,
    runtime,
    link: world.link,
    faults,
    emulators: chips.emulators,
    sources: chips.sources,
    ended: () => started.end(runtime.produced - 1),
  };
}
