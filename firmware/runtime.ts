/**
 * The runtime: opens the sensors, collects what they read, seals a message every period, keeps it until it is settled.
 * It knows no particular chip and no particular board.
 */
import type { Board } from "../boards/board.ts";
import type { Channel, Fault, Frame } from "../drivers/driver.ts";
import { type Crypto, type Signer, sign1 } from "../protocol/cose.ts";
import {
  type ChannelDefinition,
  EVENT_ALARM,
  EVENT_DISOWNED,
  EVENT_FAULT,
  EVENT_OVERFLOW,
  encodeAlarm,
  encodeMessage,
  type Message,
  type Scalar,
} from "../protocol/messages.ts";
import { type AlarmSettings, type Alarms, alarmEvent, createAlarms } from "./alarms.ts";
import { defineChannel, type SensorPlan } from "./channels.ts";
import { createDownlink, type GatewayKey } from "./downlink.ts";
import type { Link } from "./link.ts";
import type { Kind, Outbox, Sealed } from "./outbox.ts";
import { type Codec, createPacker } from "./packer.ts";
import { createReader, type Reader } from "./reader.ts";
import { createSender } from "./sender.ts";
import type { Vitals } from "./vitals.ts";

export interface RuntimeOptions {
  readonly board: Board;
  readonly link: Link;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly gateways: readonly GatewayKey[];
  readonly device: {
    /** 0x01 and 16 random bytes, injected once, kept for the device's life. */
    readonly ueid: Uint8Array;
    /** Committed to storage before the first message. */
    readonly boot: number;
    /** 16 bytes, another one for every boot. */
    readonly bootSeed: Uint8Array;
    readonly software: string;
    readonly version: string;
  };
  readonly sensors: readonly SensorPlan[];
  readonly vitals: Vitals;
  /** What the vitals are held against; absent: against nothing. Throws as createAlarms does. */
  readonly alarms?: AlarmSettings;
  /** `period`: ms between two data messages. */
  readonly packet: { readonly period: number; readonly codec: Codec };
  /** Bytes of sealed messages that wait for their acks at most. */
  readonly outboxBytes: number;
  /** The outbox has just become empty. */
  readonly onSettled?: () => void;
  readonly onFault?: (fault: Fault) => void;
}

export interface Runtime {
  /** null: there are none. */
  readonly alarms: Alarms | null;
  /** Messages sealed with a seq in this boot. */
  readonly produced: number;
  readonly wireBytes: number;
  readonly outbox: Outbox;
  readonly channels: readonly ChannelDefinition[];
  /** Downlink messages that were not accepted. */
  readonly refused: number;
  /** The chips are stopped and all that they gave is sealed: from here on only acks are awaited. */
  readonly drained: boolean;
  start(): void;
  /** Drains the chips, seals the rest, waits for the acks (bounded), closes the link, then `done`. */
  stop(done: () => void): void;
}

/** How long the first birth waits for a chip that does not open, ms. */
const OPEN_LIMIT = 2000;
/** How long `stop` waits for the last acks, ms. */
const ACK_LIMIT = 5000;
/** Bytes of text in an event at most (CDDL: scalar). */
const DETAIL_BYTES = 64;

interface EarlyEvent {
  readonly tick: number;
  readonly code: number;
  readonly small: Scalar[];
}

export function createRuntime(options: RuntimeOptions): Runtime {
  const board = options.board;
  const device = options.device;
  const packer = createPacker(options.packet.codec);
  const readers: Reader[] = [];
  /** Of each sensor, the id of its first channel. */
  const firstIds: number[] = [];
  let firstVital = 0;
  let alarms: Alarms | null = null;
  let channels: readonly ChannelDefinition[] = [];
  const early: EarlyEvent[] = [];
  let seq = 0;
  let born = false;
  let isDrained = false;
  let cancelPeriod = (): void => {};

  const seal = (message: Message): Uint8Array => sign1(encodeMessage(message), options.signer);
  const downlink = createDownlink(options.gateways, options.signer.kid, device.boot, options.crypto);
  const sender = createSender({
    board,
    link: options.link,
    downlink,
    capacity: options.outboxBytes,
    presence: (connection, state) => seal({ type: "presence", boot: device.boot, connection, state }),
    onSettled: () => {
      if (options.onSettled !== undefined) options.onSettled();
    },
  });
  const tickNow = (): number => Math.floor(board.now() / 1000);

  /** Event 8 of what had to go to make room (reason 1), a run of numbers at a time. */
  const disown = (gone: readonly Sealed[]): void => {
    let first = 0;
    for (let i = 1; i <= gone.length; i++) {
      if (i < gone.length && gone[i].boot === gone[first].boot && gone[i].seq === gone[first].seq + i - first) continue;
      const number = seq++;
      const small = [gone[first].boot, gone[first].seq, i - first, 1];
      const tick = tickNow();
      const event: Message = { type: "event", boot: device.boot, seq: number, tick, code: EVENT_DISOWNED, small };
      sender.submit("event", device.boot, number, seal(event), true);
      first = i;
    }
  };
  const submit = (kind: Kind, number: number, message: Message): void =>
    disown(sender.submit(kind, device.boot, number, seal(message)));
  const sealEvent = (event: EarlyEvent): void => {
    const number = seq++;
    const small = event.small;
    submit("event", number, {
      type: "event",
      boot: device.boot,
      seq: number,
      tick: event.tick,
      code: event.code,
      small,
    });
  };
  /** Events of before the birth wait for it: seq 0 is the birth's. */
  const emitAt = (tick: number, code: number, small: Scalar[]): void => {
    const event = { tick, code, small };
    if (born) sealEvent(event);
    else early.push(event);
  };
  const emit = (code: number, small: Scalar[]): void => emitAt(tickNow(), code, small);

  const sealData = (): void => {
    if (!born) return;
    const tick = tickNow();
    while (!packer.empty) {
      const number = seq++;
      submit("data", number, {
        type: "data",
        boot: device.boot,
        seq: number,
        tick,
        cfg: 1,
        channels: packer.take(tick),
      });
    }
  };
  const fault = (channel: number, what: Fault): void => {
    if (options.onFault !== undefined) options.onFault(what);
    emit(EVENT_FAULT, [what.code, channel, what.message.substring(0, DETAIL_BYTES)]);
  };
  const takeFrame = (sensor: number, declared: readonly Channel[], first: number, frame: Frame): void => {
    for (let i = 0; i < declared.length; i++) {
      const block = frame.channels[i];
      const id = first + i;
      const settling = options.vitals.take(sensor, i, block);
      if (!declared[i].waveform) {
        for (let k = 0; k < block.count; k++) packer.addValue(id, block.time, block.samples[k], block.flags | settling);
      } else if (block.count > 0 || block.lost !== 0) {
        const segment = packer.segment(id);
        const lost = packer.addBlock(id, block, 1000000 / declared[i].rate);
        if (lost !== 0) emit(EVENT_OVERFLOW, [id, segment, lost]);
      }
    }
    if (packer.full) sealData();
  };
  const restarted = (sensor: number, declared: readonly Channel[], first: number): void => {
    for (let i = 0; i < declared.length; i++) {
      if (declared[i].waveform) emit(EVENT_OVERFLOW, [first + i, packer.startSegment(first + i), null]);
      options.vitals.interrupted(sensor, i);
    }
  };

  const birth = (): void => {
    if (born) return;
    const definitions: ChannelDefinition[] = [];
    for (let s = 0; s < options.sensors.length; s++) {
      const declared = options.sensors[s].attachment.driver.channels();
      for (let i = 0; i < declared.length; i++) {
        definitions.push(defineChannel(firstIds[s] + i, declared[i], options.sensors[s], readers[s].identity));
      }
    }
    channels = definitions.concat(options.vitals.definitions(firstVital));
    const number = seq++;
    born = true;
    submit("birth", number, {
      type: "birth",
      boot: device.boot,
      seq: number,
      tick: tickNow(),
      cfg: 1,
      claims: {
        ueid: device.ueid,
        bootcount: device.boot,
        bootseed: device.bootSeed,
        swname: device.software,
        swversion: [device.version],
      },
      channels,
      prev: null,
      hint: null,
    });
    for (let i = 0; i < early.length; i++) sealEvent(early[i]);
    early.splice(0, early.length);
  };
  /** Alarms see what is sent, when it is sent. */
  const readVitals = (): void => {
    const now = board.now();
    options.vitals.read(now, (index, value, flags, quality, at) => {
      const id = firstVital + index;
      packer.addValue(id, at ?? tickNow() * 1000, value, flags, quality);
      if (alarms !== null) alarms.take(id, value, flags, now);
    });
    if (alarms !== null) alarms.update(now);
  };
  const period = (): void => {
    cancelPeriod = board.timer(options.packet.period, period);
    readVitals();
    sealData();
  };

  const attach = (sensor: number, declared: readonly Channel[], first: number): void => {
    readers.push(
      createReader(board, options.sensors[sensor].attachment, {
        onFrame: (frame) => takeFrame(sensor, declared, first, frame),
        onFault: (what) => fault(first, what),
        onRestart: () => restarted(sensor, declared, first),
      }),
    );
  };
  for (let s = 0; s < options.sensors.length; s++) {
    const declared = options.sensors[s].attachment.driver.channels();
    firstIds.push(firstVital);
    attach(s, declared, firstVital);
    firstVital += declared.length;
  }
  if (options.alarms !== undefined) {
    alarms = createAlarms({
      vitals: options.vitals.definitions(firstVital),
      settings: options.alarms,
      onAlarm: (alarm) => {
        // its times count from the event's own tick
        const tick = tickNow();
        emitAt(tick, EVENT_ALARM, encodeAlarm(alarmEvent(alarm, tick)));
      },
    });
    options.vitals.onRhythm = alarms.rhythm;
  }

  return {
    alarms,
    get produced() {
      return seq;
    },
    get wireBytes() {
      return sender.wireBytes;
    },
    outbox: sender.outbox,
    get channels() {
      return channels;
    },
    get refused() {
      return downlink.refused;
    },
    get drained() {
      return isDrained;
    },
    start() {
      sender.open();
      let waiting = readers.length;
      const opened = (): void => {
        waiting--;
        if (waiting === 0) birth();
      };
      board.timer(OPEN_LIMIT, birth);
      for (let i = 0; i < readers.length; i++) readers[i].open(opened);
      cancelPeriod = board.timer(options.packet.period, period);
    },
    stop(done) {
      cancelPeriod();
      let waiting = readers.length + 1;
      const drained = (): void => {
        waiting--;
        if (waiting > 0) return;
        birth();
        sealData();
        isDrained = true;
        sender.close(ACK_LIMIT, done);
      };
      for (let i = 0; i < readers.length; i++) readers[i].close(drained);
      drained();
    },
  };
}
