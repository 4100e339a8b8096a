import { FAULT_ROLLBACK, FAULT_STORAGE, type Fault } from "../drivers/driver.ts";
import { type CborMap, encode, map } from "../protocol/cbor.ts";
import { PAYLOAD_HASH_LENGTH } from "../protocol/manifest.ts";
import {
  type ChannelDefinition,
  type CommandMessage,
  EVENT_ALARM,
  EVENT_COMMAND_RESULT,
  EVENT_CONFIGURATION,
  EVENT_CONTACT,
  EVENT_FAULT,
  EVENT_OVERFLOW,
  encodeAlarm,
  KEY_CHANNEL,
  KEY_VALUE,
  OP_SET_LED_CURRENT,
} from "../protocol/messages.ts";
import { type Alarms, alarmEvent, createAlarms } from "./alarms.ts";
import { createClock } from "./clock.ts";
import { createCommands, DEVICE_LIMITS, type DeviceLimits } from "./commands.ts";
import { createDownlink } from "./downlink.ts";
import { offlineOf } from "./forecast.ts";
import { createJournal } from "./journal.ts";
import { createPacker } from "./packer.ts";
import type { Runtime, RuntimeOptions } from "./runtime-types.ts";
import { createSealer, type SealSettings } from "./sealer.ts";
import { createSender } from "./sender.ts";
import { createSensing, type SensingEvents } from "./sensing.ts";

export type { Runtime, RuntimeOptions } from "./runtime-types.ts";

/** Bytes of what is behind, a second: a serial line at 115200 baud carries 8.6 kB of messages in its lines. */
export const BACKFILL_RATE = 6144;
/** How long the first birth waits for a chip that does not open, ms. */
const OPEN_LIMIT = 2000;
/** How long `stop` waits for the last acks, ms. */
const ACK_LIMIT = 5000;
/** Bytes of text in an event at most (CDDL: scalar). */
const DETAIL_BYTES = 64;

/** Highest cfg (CDDL: u16). */
const MAX_CFG = 65535;

const SIGN: SealSettings = { mode: "sign", encrypt: false, psk: null, aead: null };

export function createRuntime(options: RuntimeOptions): Runtime {
  const board = options.board;
  const device = options.device;
  const vitals = options.vitals;
  const packer = createPacker(options.packet.codec, options.log !== undefined);
  let alarms: Alarms | null = null;
  let channels: readonly ChannelDefinition[] = [];
  let isDrained = false;
  let rolledBack = false;
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
  const downlink = createDownlink(sealer.open, kid, device.boot);
  const clock = createClock(board.storage, device.boot);
  /** Set below: they need what needs the sender. */
  const arms = {
    rollback: (_newest: number): void => {},
    command: (_one: CommandMessage, _by: Uint8Array): void => {},
  };
  const sender = createSender({
    board,
    link: options.link,
    downlink,
    boot: device.boot,
    capacity: options.outboxBytes,
    log: options.log ?? null,
    backfill: options.backfill ?? BACKFILL_RATE,
    presence: (connection, state) => sealer.seal({ type: "presence", boot: device.boot, connection, state }),
    credible: (ack, newest) => {
      if (ack.ofBoot !== device.boot || newest < journal.produced) return true;
      arms.rollback(newest);
      return false;
    },
    onOther: (message, gateway) => {
      if (message.type === "time") clock.take(message, board.now());
      else arms.command(message, gateway);
    },
    onGone: () => journal.disown(false),
    onFailed: (error) => fault(null, { code: FAULT_STORAGE, message: error.message }),
    onSettled: () => {
      if (options.onSettled !== undefined) options.onSettled();
    },
  });
  const listsAll = signer !== null && settings.mode === "mac";
  const journal = createJournal({
    board,
    sealer,
    sender,
    crypto: options.crypto,
    claims: {
      ueid: device.ueid,
      bootcount: device.boot,
      bootseed: device.bootSeed,
      swname: device.software,
      swversion: [device.version],
    },
    manifests: listsAll,
  });
  const sealData = (): void => journal.data(packer);
  const fault = (channel: number | null, what: Fault): void => {
    if (options.onFault !== undefined) options.onFault(what);
    journal.event(EVENT_FAULT, [what.code, channel, what.message.substring(0, DETAIL_BYTES)]);
  };
  const birth = (cfg: number): void => {
    channels = sensing.definitions();
    // nothing was heard before the first birth; what was kept is of the boot before
    const hint = journal.cfg === 0 ? clock.before(device.boot - 1) : clock.hint;
    const seconds = board.now() / 1000000;
    const hash = listsAll ? PAYLOAD_HASH_LENGTH : 0;
    const offline = offlineOf(sender.outbox, seconds, channels, options.packet, settings, hash);
    journal.birth(cfg, channels, device.prev ?? null, hint, offline);
  };
  const firstBirth = (): void => {
    if (journal.cfg > 0) return;
    birth(1);
    journal.disown(true);
    journal.signRemains();
  };
  const limits: DeviceLimits = Object.assign({}, DEVICE_LIMITS, options.limits);
  /** Event 6: what holds from here on. */
  const configured = (op: number, parameters: CborMap, cfg?: number): void =>
    journal.event(EVENT_CONFIGURATION, [cfg ?? journal.cfg, op, encode(parameters)]);
  const sensingEvents: SensingEvents = {
    onEmptied: () => sender.outbox.calm(),
    onFull: sealData,
    onLost: (channel, segment, lost) => journal.event(EVENT_OVERFLOW, [channel, segment, lost]),
    onFault: fault,
    onContact: (channel, flags) => journal.event(EVENT_CONTACT, [channel, flags]),
    onCurrent: (channel, current) =>
      configured(
        OP_SET_LED_CURRENT,
        map([
          [KEY_VALUE, current],
          [KEY_CHANNEL, channel],
        ]),
      ),
    onChannels: (told) => {
      // before the first birth there is no other one to tell them from
      firstBirth();
      sealData();
      const next = journal.cfg + 1;
      told(next);
      birth(next);
    },
    // what alarms watch stays; a cfg is never used twice
    mayChange: (same) => journal.cfg < MAX_CFG && (same || options.alarms === undefined),
  };
  const sensing = createSensing(board, options.sensors, packer, vitals, sensingEvents, limits.ledCurrent);
  /**
   * A gateway has, under our keys of this boot, a seq that was not sent in it: this is the image of a board that ran on
   * elsewhere. What it would encrypt from here on could be under a nonce that was used.
   */
  arms.rollback = (newest) => {
    if (rolledBack) return;
    rolledBack = true;
    const what = `boot ${device.boot} was told before, up to seq ${newest}: an old storage image`;
    if (!settings.encrypt) {
      fault(null, { code: FAULT_ROLLBACK, message: what });
      return;
    }
    // also no event: it would be under such a nonce; so nothing can be answered either
    journal.halt();
    commands.end();
    cancelPeriod();
    const message = `${what}; nothing more is encrypted, start the board anew`;
    if (options.onFault !== undefined) options.onFault({ code: FAULT_ROLLBACK, message: message });
    sensing.close(() => {});
  };
  if (options.alarms !== undefined) {
    alarms = createAlarms({
      vitals: vitals.definitions(sensing.firstVital),
      settings: options.alarms,
      onAlarm: (alarm) => {
        // its times count from the event's own tick
        const tick = journal.tick;
        journal.event(EVENT_ALARM, encodeAlarm(alarmEvent(alarm, tick)), tick);
      },
    });
    vitals.onRhythm = alarms.rhythm;
  }
  const commands = createCommands({
    chips: sensing.chips,
    alarms,
    limits: limits,
    handlers: options.handlers ?? {},
    now: () => board.now(),
    timer: (ms, callback) => board.timer(ms, callback),
    answer: (gateway, n, status) => journal.event(EVENT_COMMAND_RESULT, [gateway, n, status]),
    // as it stands in the command: an event's bytes are 64 at most, and no such command has more
    changed: (command, cfg) => configured(command.op, map(command.parameters), cfg),
    fault,
    birth: () => {
      if (journal.cfg > 0) birth(journal.cfg);
    },
  });
  arms.command = (one, by) => {
    if (!isDrained) commands.take(one, by);
  };
  /** Alarms see what is sent, when it is sent. */
  const readVitals = (): void => {
    const now = board.now();
    sensing.lookAtRates();
    vitals.read(now, (index, value, flags, quality, at) => {
      const id = sensing.firstVital + index;
      packer.addValue(id, at ?? journal.tick * 1000, value, flags, quality);
      if (alarms !== null) alarms.take(id, value, flags, now);
    });
    sensing.contacts.tell(now);
    if (alarms !== null) alarms.update(now);
  };
  const period = (): void => {
    cancelPeriod = board.timer(options.packet.period, period);
    readVitals();
    sealData();
  };

  return {
    alarms,
    get produced() {
      return journal.produced;
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
    refusals: downlink.refusals,
    get contact() {
      return sensing.contacts.contact;
    },
    get electrodes() {
      return sensing.contacts.electrodes;
    },
    get drained() {
      return isDrained;
    },
    start() {
      sender.open();
      board.timer(OPEN_LIMIT, firstBirth);
      sensing.open(firstBirth);
      cancelPeriod = board.timer(options.packet.period, period);
    },
    stop(done) {
      cancelPeriod();
      sensing.close(() => {
        firstBirth();
        commands.end();
        sealData();
        journal.flush();
        clock.keep(board.now());
        isDrained = true;
        sender.close(ACK_LIMIT, done);
      });
    },
  };
}
