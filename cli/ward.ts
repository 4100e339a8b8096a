/** A simulated ward on this machine: virtual boards, their links, an embedded broker, a gateway and its store. */
import type { Duplex } from "node:stream";
import { createVirtualClock, type VirtualClock } from "../boards/virtual-clock.ts";
import type { Driver } from "../drivers/driver.ts";
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { Calibration } from "../firmware/dsp/calibration.ts";
import type { LinkEvents } from "../firmware/link.ts";
import { createMqttLink, type MqttLink } from "../firmware/transports/host/mqtt.ts";
import { createSerialLink, type SerialLink } from "../firmware/transports/host/serial.ts";
import { type Broker, startBroker } from "../gateway/broker.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { Counters } from "../gateway/origin.ts";
import type { Accepted, DeviceAlarm } from "../gateway/receiver.ts";
import { attachMqtt, type MqttSource } from "../gateway/sources/mqtt.ts";
import { attachSerial } from "../gateway/sources/serial.ts";
import { openSqliteStore } from "../gateway/store/sqlite.ts";
import { createWire } from "../gateway/wire.ts";
import { type KeyedSigner, nodeAead, nodeCrypto } from "../protocol/crypto.node.ts";
import { kidText } from "../protocol/keys.ts";
import type { FaultEvent, FaultPlan } from "../simulator/faults.ts";
import { testOnlySigner } from "../simulator/keys.ts";
import { createVirtualNode, type Recording, type SealMode, type VirtualNode } from "../simulator/node.ts";
import type { Story } from "../simulator/story.ts";
import { type NodeRecorder, recordNode } from "../simulator/transcript-node.ts";
import { createSignal } from "./signal.ts";
import { DEFAULT_SITE, testCard, testSite } from "./site.ts";

export interface WardOptions {
  readonly boards: number;
  readonly seed: number;
  readonly noise: boolean;
  readonly recording?: Recording;
  /** What happens to the patient of the first board. */
  readonly story?: Story;
  /** What the boards hold their vitals against; absent: nothing. */
  readonly alarms?: AlarmSettings;
  /** Of every board's oximeter. */
  readonly calibration?: Calibration;
  readonly automaticLedCurrent?: boolean;
  /** Absent: in memory. */
  readonly store?: string;
  /** Unix time of the clock's 0, ms. */
  readonly epoch: number;
  readonly onStored?: (accepted: Accepted) => void;
  readonly onAlarm?: (alarm: DeviceAlarm) => void;
  /** What goes wrong, and who is told the truth; absent: nothing. */
  readonly faults?: FaultPlan;
  readonly onFault?: (event: FaultEvent) => void;
  /** Between the starts of two boards, us: boards of their own are not in step. 0 unless said otherwise. */
  readonly stagger?: number;
  /** How the boards seal; absent: they sign, and do not encrypt. */
  readonly seal?: SealMode;
  /** A seam between decode and seal, for tests. */
  readonly wrapDriver?: (driver: Driver) => Driver;
  /** Where the lines of each board's transcript go; absent: none is written. */
  readonly transcript?: (index: number) => (line: string) => void;
}

export interface WardBoard {
  readonly node: VirtualNode;
  readonly kid: string;
  readonly transport: "serial" | "mqtt";
  readonly link: SerialLink | MqttLink;
  /** What the gateway counted of it. */
  readonly counters: () => Counters;
  readonly card: Uint8Array;
  readonly recorder: NodeRecorder | null;
  /** Both ends of the cable, the board's and the gateway's; serial only. */
  readonly cable?: { readonly near: Duplex; readonly far: Duplex };
}

export interface Ward {
  readonly clock: VirtualClock;
  readonly gateway: Gateway;
  readonly boards: readonly WardBoard[];
  readonly sitePublicKey: Uint8Array;
  readonly gatewayCard: { readonly kid: Uint8Array; readonly card: Uint8Array };
  /** Switches every board on, one after the other, and waits until each is heard. */
  start(): Promise<void>;
  /** Runs virtual time up to `until` (us): the clock moves only when every message sent has been acknowledged. */
  runLockStep(until: number, interrupted: () => boolean): Promise<void>;
  /** Runs virtual time up to `until` (us) without waiting for anybody. */
  runFree(until: number): void;
  /** Drains and stops the boards one after the other, then the broker, the gateway, the store. Bounded. */
  stop(): Promise<void>;
  /** The gateway, the broker and the store stay; used where a test needs them after the boards. */
  stopBoards(): Promise<void>;
}

const GATEWAY_ID = "gateway";
/** The first board has a cable; the others go through the broker. */
export const isSerial = (index: number): boolean => index === 0;
/** How long the world may take to answer, ms of real time. */
const PATIENCE = 10_000;
/** How long stopping waits for what is still under way, us of virtual time, ms of real time. */
const STOP_VIRTUAL = 10e6;
const GOODBYE = 500;

export async function createWard(options: WardOptions): Promise<Ward> {
  const clock = createVirtualClock();
  const signal = createSignal();
  const store = openSqliteStore(options.store ?? ":memory:");
  const gatewaySigner = testOnlySigner("gateway", String(options.seed));
  const presences = new Set<string>();
  const gateway = new Gateway({
    store,
    crypto: nodeCrypto,
    aead: nodeAead,
    signer: gatewaySigner,
    now: () => options.epoch + clock.now / 1000,
    soon: setImmediate,
    pings: true,
    onStored(accepted) {
      const { message } = accepted;
      if (message.type === "presence")
        presences.add(`${kidText(accepted.device.card.kid)} ${message.boot} ${message.state}`);
      options.onStored?.(accepted);
      signal.notify();
    },
    onAlarm: (alarm) => options.onAlarm?.(alarm),
    onError: (error) => process.stderr.write(`vitalwire: ${error.message}\n`),
  });
  const cardOf = (signer: KeyedSigner, role: "device" | "gateway") => {
    const card = testCard(signer, role, options.epoch);
    gateway.devices.enroll(card, testSite.publicKey, true);
    return card;
  };
  const gatewayCard = { kid: gatewaySigner.kid, card: cardOf(gatewaySigner, "gateway") };

  const boards: WardBoard[] = [];
  const isEnrolled = (kid: string) => boards.some((board) => board.kid === kid);
  const broker: Broker = await startBroker({ site: DEFAULT_SITE, gatewayId: GATEWAY_ID, enrolled: isEnrolled });
  const source: MqttSource = await attachMqtt(gateway, {
    url: broker.url,
    site: DEFAULT_SITE,
    clientId: GATEWAY_ID,
  });
  const up = new Set<VirtualNode["link"]>();

  const createBoard = (index: number): WardBoard => {
    const serial = isSerial(index);
    const [near, far] = createWire();
    const recorder = options.transcript === undefined ? null : recordNode(options.transcript(index));
    let link!: SerialLink | MqttLink;
    const node = createVirtualNode({
      clock,
      seed: options.seed,
      index,
      noise: options.noise,
      ...(options.recording && { recording: options.recording }),
      ...(options.story && index === 0 && { story: options.story }),
      ...(options.alarms && { alarms: options.alarms }),
      ...(options.calibration && { calibration: options.calibration }),
      ...(options.automaticLedCurrent && { automaticLedCurrent: true }),
      ...(options.seal && { seal: options.seal }),
      ...(options.wrapDriver && { wrapDriver: options.wrapDriver }),
      ...(recorder && { wrap: recorder.wrap }),
      ...(options.faults && {
        faults: {
          plan: options.faults,
          broker: !serial,
          ...(serial && { line: (bytes: Uint8Array) => near.write(bytes) }),
          onFault: (event: FaultEvent) => options.onFault?.(event),
        },
      }),
      gateways: [gatewaySigner],
      boot: (signer) => (store.boots(signer.kid).at(-1)?.boot ?? 0) + 1,
      link(signer) {
        link = serial
          ? createSerialLink(near)
          : createMqttLink({ url: broker.url, site: DEFAULT_SITE, kid: kidText(signer.kid) });
        const open = link.open;
        link.open = (events: LinkEvents, will) =>
          open(
            {
              ...events,
              onUp(connection) {
                up.add(link);
                events.onUp(connection);
                signal.notify();
              },
            },
            will,
          );
        return link;
      },
      onSettled: signal.notify,
    });
    const kid = kidText(node.signer.kid);
    const card = cardOf(node.signer, "device");
    if (node.psk !== null) gateway.devices.givePsk(node.signer.kid, node.psk, options.seal?.encrypt === true);
    const origin = serial ? attachSerial(gateway, far, `serial:board-${index + 1}`) : null;
    return {
      node,
      kid,
      transport: serial ? "serial" : "mqtt",
      link,
      counters: () => origin?.counters ?? source.counters(kid),
      card,
      recorder,
      ...(serial && { cable: { near, far } }),
    };
  };
  for (let index = 0; index < options.boards; index++) boards.push(createBoard(index));

  /** Something is under way whose ack will come. With faults a message may wait for its turn, or have been damaged. */
  const isAwaited = ({ node: { runtime, faults } }: WardBoard) =>
    faults === null
      ? runtime.outbox.count > 0
      : !faults.isCut && runtime.outbox.waiting.some(({ sentAt, bytes }) => sentAt !== null && !faults.isLost(bytes));
  const outstanding = () => boards.some(isAwaited);
  const heard = (board: WardBoard, state: number) =>
    board.transport === "serial" || presences.has(`${board.kid} ${board.node.boot} ${state}`);
  const settle = async () => {
    if (await signal.until(() => !outstanding(), PATIENCE)) return;
    const late = boards.find(isAwaited)!;
    const { boot, seq } = late.node.runtime.outbox.waiting[0];
    throw new Error(`lock step: ${late.kid} boot ${boot} seq ${seq} was not acknowledged in ${PATIENCE / 1000} s`);
  };
  const stopBoard = async (board: WardBoard) => {
    let stopped = false;
    board.recorder?.stopping();
    board.node.runtime.stop(() => {
      stopped = true;
      signal.notify();
    });
    const { runtime } = board.node;
    while (!stopped) {
      if (!runtime.drained) {
        clock.step();
        if (outstanding()) await signal.until(() => !outstanding(), GOODBYE);
      } else if (runtime.outbox.count > 0) {
        // What is behind waits for its turn; where nobody answers, let the board's own patience run out.
        if (board.node.faults !== null && !isAwaited(board)) {
          clock.step();
          continue;
        }
        const settled = await signal.until(() => stopped || runtime.outbox.count === 0, GOODBYE);
        if (!settled) clock.runUntil(clock.now + STOP_VIRTUAL);
      } else if (!(await signal.until(() => stopped, GOODBYE))) break;
    }
    await signal.until(() => heard(board, 2), GOODBYE);
  };
  let stopping: Promise<void> | null = null;
  const stopBoards = () => {
    stopping ??= (async () => {
      for (const { node } of boards) node.faults?.stop();
      for (const board of boards) await stopBoard(board);
      for (const { recorder } of boards) recorder?.end();
    })();
    return stopping;
  };
  return {
    clock,
    gateway,
    boards,
    sitePublicKey: testSite.publicKey,
    gatewayCard,
    async start() {
      for (const board of boards) {
        board.node.runtime.start();
        const cut = board.node.faults?.isCut === true;
        const there = await signal.until(() => up.has(board.link) && (cut || heard(board, 1)), PATIENCE);
        if (!there) throw new Error(`board ${board.kid}: its link did not come up in ${PATIENCE / 1000} s`);
        if (options.stagger !== undefined) clock.runUntil(clock.now + options.stagger);
      }
    },
    async runLockStep(until, interrupted) {
      while (clock.nextAt <= until && !interrupted()) {
        clock.step();
        if (outstanding()) await settle();
      }
      if (!interrupted()) clock.runUntil(until);
    },
    runFree: (until) => clock.runUntil(until),
    stopBoards,
    async stop() {
      await stopBoards();
      await source.close();
      await broker.close();
      gateway.close();
    },
  };
}
