/**
 * The runtime: opens the sensors, collects what they read, seals a message every period, keeps it until it is settled.
 * It knows no particular chip and no particular board.
 */
import type { Board } from "../boards/board.ts";
import { type Channel, FAULT_ROLLBACK, type Fault, type Frame } from "../drivers/driver.ts";
import type { Crypto, Signer } from "../protocol/cose.ts";
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
import { createDownlink } from "./downlink.ts";
import type { Link } from "./link.ts";
import { createManifests, type Manifests } from "./manifests.ts";
import type { Kind, Outbox, Sealed } from "./outbox.ts";
import { type Codec, createPacker } from "./packer.ts";
import { createReader, type Reader } from "./reader.ts";
import { createSealer, type GatewayKey, type SealSettings } from "./sealer.ts";
import { createSender } from "./sender.ts";
import type { Vitals } from "./vitals.ts";

export interface RuntimeOptions {
  readonly board: Board;
  readonly link: Link;
  readonly crypto: Crypto;
  /** null: this board cannot sign, so it seals by mac alone, and `device.kid` names it. */
  readonly signer: Signer | null;
  /** Absent: every message is signed, and none encrypted. Throws as createSealer does. */
  readonly seal?: SealSettings;
  readonly gateways: readonly GatewayKey[];
  readonly device: {
    /** 8 bytes; absent: the signer's. */
    readonly kid?: Uint8Array;
    /** 0x01 and 16 random bytes, injected once, kept for the device's life. */
    readonly ueid: Uint8Array;
    /** Committed to storage before the first message. */
    readonly boot: number;
    /** 16 bytes, another one for every boot. */
    readonly bootSeed: Uint8Array;
    /** Last message of the boot before (boot.ts); absent or null: not known. */
    readonly prev?: { readonly boot: number; readonly seq: number } | null;
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

const SIGN: SealSettings = { mode: "sign", encrypt: false, psk: null, aead: null };

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
  /** Nothing is sealed any more. */
  let halted = false;
  let cancelPeriod = (): void => {};

  const signer = options.signer;
  const kid = device.kid ?? signer?.kid;
  if (kid === undefined)
    throw new Error("runtime: neither a signer nor device.kid: nobody would know whose messages these are");
  const settings = options.seal ?? SIGN;
  const sealer = createSealer(
    Object.assign({}, settings, {
      signer: signer,
      kid: kid,
      boot: device.boot,
      bn: device.bootSeed,
      gateways: options.gateways,
      crypto: options.crypto,
    }),
  );
  let manifests: Manifests | null = null;
  /** Seals a message of the seq space. */
  const seal = (number: number, message: Message): Uint8Array => {
    const payload = encodeMessage(message);
    if (manifests !== null && message.type !== "manifest") manifests.add(number, payload);
    return sealer.seal(message, payload);
  };
  const downlink = createDownlink(sealer.open, kid, device.boot);
  /** Set below: it needs what needs the sender. */
  const rollback = { known: false, found: (_newest: number): void => {} };
  const sender = createSender({
    board,
    link: options.link,
    downlink,
    capacity: options.outboxBytes,
    presence: (connection, state) => sealer.seal({ type: "presence", boot: device.boot, connection, state }),
    credible: (ack, newest) => {
      if (ack.ofBoot !== device.boot || newest < seq) return true;
      rollback.found(newest);
      return false;
    },
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
      sender.submit("event", device.boot, number, seal(number, event), true);
      first = i;
    }
  };
  const submit = (kind: Kind, number: number, message: Message): void => {
    disown(sender.submit(kind, device.boot, number, seal(number, message)));
    if (manifests !== null) manifests.check();
  };
  if (signer !== null && settings.mode === "mac") {
    manifests = createManifests(board, options.crypto, (first, hashes) => {
      if (halted) return;
      const number = seq++;
      const tick = tickNow();
      submit("manifest", number, {
        type: "manifest",
        boot: device.boot,
        seq: number,
        tick,
        ofBoot: device.boot,
        first,
        hashes,
      });
    });
  }
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
    if (halted) return;
    const event = { tick, code, small };
    if (born) sealEvent(event);
    else early.push(event);
  };
  const emit = (code: number, small: Scalar[]): void => emitAt(tickNow(), code, small);

  const sealData = (): void => {
    if (!born || halted) return;
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
  /**
   * A gateway has, under our keys of this boot, a seq that was not sent in it: this is the image of a board that ran on
   * elsewhere. What it would encrypt from here on could be under a nonce that was used.
   */
  rollback.found = (newest) => {
    if (rollback.known) return;
    rollback.known = true;
    const what = `boot ${device.boot} was told before, up to seq ${newest}: an old storage image`;
    const message = settings.encrypt ? `${what}; nothing more is encrypted, start the board anew` : what;
    if (options.onFault !== undefined) options.onFault({ code: FAULT_ROLLBACK, message: message });
    if (!settings.encrypt) {
      emit(EVENT_FAULT, [FAULT_ROLLBACK, null, what.substring(0, DETAIL_BYTES)]);
      return;
    }
    // also no event: it would be under such a nonce
    halted = true;
    cancelPeriod();
    const closed = (): void => {};
    for (let i = 0; i < readers.length; i++) readers[i].close(closed);
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
    if (born || halted) return;
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
      prev: device.prev ?? null,
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
        if (manifests !== null) manifests.flush();
        isDrained = true;
        sender.close(ACK_LIMIT, done);
      };
      for (let i = 0; i < readers.length; i++) readers[i].close(drained);
      drained();
    },
  };
}
