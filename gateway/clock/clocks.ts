/**
 * The clocks of all boards and of their channels, as far as this gateway has heard: what goes into each stored row, and
 * what reads it back. Memory is bounded; what is not there is made from the store.
 */
import { kidText } from "../../protocol/keys.ts";
import type { ChannelDefinition, Message } from "../../protocol/messages.ts";
import type { Boot, Device } from "../devices.ts";
import { decodeRecord, openStored, type RecordClock } from "../record.ts";
import type { PingRow, Store, StoredMessage } from "../store/store.ts";
import { type BoardClock, type BoardTime, createBoardClock } from "./board-clock.ts";
import { type ChannelClock, createChannelClock } from "./channel-clock.ts";
import { intervalOfRecord } from "./stored-times.ts";

/** Boots of one device whose clocks are held; what comes of more is old. */
const BOOTS_HELD = 4;
/** Rows from which a clock is made anew after a restart of the gateway. */
const ROWS = 256;
/** A gateway's clock that moves against the monotonic one by this between two messages was set, ms. */
const STEP = 100;
const NANO = 1e9;
/** Larger numbers say nothing, and a record holds whole numbers. */
const MOST = 1e15;

interface BootClocks {
  readonly board: BoardClock;
  readonly channels: Map<number, ChannelClock>;
}

export interface ClocksOptions {
  readonly store: Pick<Store, "newest">;
  /** ms that never jump; absent: steps of the gateway's clock show only by what contradicts. */
  readonly monotonic?: () => number;
}

/** Whole milliseconds were cut off, fractions were not: the latest instant that the number may stand for, us. */
const latest = (ms: number) => (Number.isInteger(ms) ? ms + 1 : ms) * 1000;
const whole = (value: number) => Math.min(MOST, Math.ceil(value));

export class Clocks {
  private readonly options: ClocksOptions;
  private readonly devices = new Map<string, Map<number, BootClocks>>();
  /** Gateway's time less the monotonic one at the last message. */
  private ahead: number | null = null;

  constructor(options: ClocksOptions) {
    this.options = options;
  }

  /**
   * Takes a message that is about to be stored, arrived at `received` (ms since the epoch, with fractions where the clock
   * has them). Gives what its row is to say of time; null: untimed.
   */
  record(device: Device, boot: Boot, message: Message, received: number): RecordClock | null {
    if (!("tick" in message)) return null;
    this.watchSteps(received);
    const clocks = this.of(boot);
    const tick = message.tick * 1000;
    if (!Number.isSafeInteger(tick)) return null;
    clocks.board.arrival(tick, latest(received), boot.boot >= device.currentBoot);
    takeBlocks(clocks, boot, message);
    const time = clocks.board.at(tick);
    // a device may send any numbers: what is beyond whole ones is no time
    return time === null || !Number.isSafeInteger(Math.ceil(time.utc)) ? null : recordOf(time, message, clocks);
  }

  /** A ping that was answered by a stored message. */
  ping({ kid, boot, sent, tick }: PingRow): void {
    this.devices
      .get(kidText(kid))
      ?.get(boot)
      ?.board.ping(sent, tick * 1000);
  }

  /** The board's time in UTC by what is known now; `board`: us since boot. null: unknown. */
  at(boot: Boot, board: number): BoardTime | null {
    return this.of(boot).board.at(board);
  }

  private watchSteps(received: number): void {
    const { monotonic } = this.options;
    if (monotonic === undefined) return;
    const ahead = received - monotonic();
    if (this.ahead !== null && Math.abs(ahead - this.ahead) > STEP) {
      for (const boots of this.devices.values()) for (const { board } of boots.values()) board.restart();
    }
    this.ahead = ahead;
  }

  private of(boot: Boot): BootClocks {
    const kid = kidText(boot.kid);
    let boots = this.devices.get(kid);
    if (boots === undefined) {
      boots = new Map();
      this.devices.set(kid, boots);
    }
    let clocks = boots.get(boot.boot);
    if (clocks === undefined) {
      clocks = { board: createBoardClock(), channels: new Map() };
      for (const row of this.options.store.newest(boot.kid, boot.boot, 0, ROWS)) restore(clocks, boot, row);
      boots.set(boot.boot, clocks);
      for (const oldest of boots.keys()) {
        if (boots.size <= BOOTS_HELD) break;
        boots.delete(oldest);
      }
    }
    return clocks;
  }
}

/** A stored row, opened; null where it was changed in the store since: `verify` finds that, and no message waits for it. */
function opened(row: StoredMessage) {
  try {
    return { message: openStored(row), clock: decodeRecord(row.record).clock };
  } catch {
    return null;
  }
}

/** What a row says: its own bounds, or that its tick was before its arrival. */
function restore(clocks: BootClocks, boot: Boot, row: StoredMessage): void {
  const { message, clock } = opened(row) ?? { message: null, clock: null };
  if (message === null || !("tick" in message) || !Number.isSafeInteger(message.tick * 1000)) return;
  const tick = message.tick * 1000;
  if (clock === null) clocks.board.arrival(tick, latest(row.received), false);
  else {
    const { from, to } = intervalOfRecord(clock);
    clocks.board.known(tick, from, to, clock.assumed);
  }
  takeBlocks(clocks, boot, message);
}

/** The sampling interval that a birth declares, us; undefined: the channel has none. */
export function intervalOf(definition: ChannelDefinition | undefined): number | undefined {
  return definition === undefined || definition.rateMilliHz === 0 ? undefined : 1e9 / definition.rateMilliHz;
}

function takeBlocks({ channels }: BootClocks, boot: Boot, message: Message): void {
  if (message.type !== "data") return;
  const birth = boot.births.get(message.cfg);
  for (const block of message.channels) {
    if (block.kind !== "wave") continue;
    const interval = intervalOf(birth?.channels.find(({ id }) => id === block.id));
    if (interval === undefined) continue;
    let clock = channels.get(block.id);
    if (clock === undefined || clock.nominal !== interval) {
      clock = createChannelClock(interval);
      channels.set(block.id, clock);
    }
    clock.add(block.seg, block.idx, message.tick * 1000 + block.dt);
  }
}

function recordOf(time: BoardTime, message: Message, { channels }: BootClocks): RecordClock {
  const { slope, slopeUncertainty } = time;
  const rates = new Map<number, { id: number; rate: number; uncertainty: number }>();
  for (const block of message.type === "data" ? message.channels : []) {
    const clock = channels.get(block.id);
    if (block.kind !== "wave" || clock === undefined || clock.segment !== block.seg) continue;
    const { fit } = clock;
    if (fit === null) continue;
    const uncertainty = fit.intervalUncertainty / fit.interval + slopeUncertainty;
    const rate = Math.round(1e12 / (fit.interval * (1 + slope)));
    if (!Number.isSafeInteger(rate)) continue;
    rates.set(block.id, { id: block.id, rate, uncertainty: whole(uncertainty * NANO) });
  }
  // rounded up, so up to a microsecond wider
  return {
    utc: Math.ceil(time.utc),
    uncertainty: whole(time.uncertainty + 1),
    drift: 0 - Math.round(slope * NANO),
    driftUncertainty: whole(slopeUncertainty * NANO),
    assumed: time.assumed,
    channels: [...rates.values()],
  };
}
