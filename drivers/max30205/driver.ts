/**
 * MAX30205: human body temperature on I2C (Maxim, 19-8505, Rev 0, 3/16). It shows no new conversion: so every value is a
 * conversion that a poll has started. What the data sheet leaves open stands in README.md. Device side.
 */
import type { Block, Channel, Chip, Driver, Frame, Outcome, Step, Wiring } from "../driver.ts";
import { createFrame, FAULT_DATA, FAULT_RESTARTED, FLAG_SATURATED, hex } from "../driver.ts";
import * as r from "./registers.ts";
import { changed, fault, opened, said, tested } from "./selftest.ts";

export type { Max30205Alert, Max30205Configuration } from "./registers.ts";

const DEFAULTS: r.Max30205Configuration = {
  sampleRate: 1,
  mode: "oneShot",
  extended: false,
  alert: null,
  output: "comparator",
  faultQueue: 1,
  activeHigh: false,
  busTimeout: true,
};

const create = (configuration: Partial<r.Max30205Configuration>, wiring: Wiring): Driver<r.Max30205Configuration> => {
  const settings: r.Max30205Configuration = Object.assign({}, DEFAULTS, configuration);
  const address = wiring.address ?? r.ADDRESSES[0];
  if (r.ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x40 to 0x5f, as A0, A1 and A2 are wired`);
  }
  /** Configuration between two conversions, T_HYST and T_OS: what it must read at every poll. */
  let register = r.encode(settings);
  let limits = r.limitsOf(settings);
  const single = settings.mode === "oneShot";
  const offset = settings.extended ? r.EXTENDED_OFFSET * r.PER_DEGREE : 0;
  const period = 1000 / settings.sampleRate;
  const channel: Channel = {
    name: "temperature",
    mdc: 150364,
    rate: settings.sampleRate,
    waveform: false,
    bits: 16,
    offset: offset,
    mul: 390625,
    exp10: -8,
    unit: "Cel",
    minimum: -10 * r.PER_DEGREE - offset,
    maximum: 50 * r.PER_DEGREE - offset,
    accuracy: "0.1 Cel from 37 to 39 Cel, 0.5 Cel from 0 to 50 Cel, at one value in 10 s (19-8505 p. 2)",
    processing: 0,
  };

  let index = 0;
  /** The next value follows a loss that nobody can count. */
  let gap = false;
  /** One-shot: a conversion was started and not taken. It ends between these times, us. */
  let running = false;
  let earliest = 0;
  let latest = 0;
  /** Looks that are left for a conversion that takes its time. */
  let looks = 0;
  /** Continuous: a reading that begins before this time, us, may show what was read already. */
  let freshAt = 0;
  /** The last value was above alert.high, and none below alert.low has come since. */
  let above = false;

  const begin = (lost: boolean): ((outcome: Outcome) => void) => {
    return (outcome) => {
      running = above = false;
      gap = lost;
      freshAt = outcome.ended + r.FRESH;
    };
  };

  /** The value; its conversion ended between `low` and `high`, us. */
  const take = (raw: number, low: number, high: number, frame: Frame): void => {
    const block: Block = frame.channels[0];
    running = false;
    if (gap || !single) block.lost = -1;
    gap = false;
    block.index = index;
    index++;
    block.samples[0] = raw;
    block.count = 1;
    block.time = (low + high) / 2;
    block.uncertainty = (high - low) / 2;
    if (raw === 32767 || raw === -32768) block.flags |= FLAG_SATURATED;
    if (settings.alert === null) return;
    if (raw < r.signed(limits[0])) above = false;
    if (above || raw <= r.signed(limits[1])) return;
    above = true;
    const now = (raw + offset) / r.PER_DEGREE;
    fault(frame, FAULT_DATA, `above alert.high, ${settings.alert.high} Cel, now ${now} Cel`);
  };

  /** Is it the chip that was set up? Its registers go with every temperature. */
  const alive = (reply: Uint8Array, frame: Frame): boolean => {
    if (
      ((reply[2] ^ register) & r.SETTINGS) === 0 &&
      ((reply[3] ^ register) & r.SETTINGS) === 0 &&
      r.unsigned(reply, 4) === limits[0] &&
      r.unsigned(reply, 6) === limits[1]
    ) {
      return true;
    }
    running = false;
    frame.restart = true;
    const what = `${hex(register)}, ${hex(limits[0])} and ${hex(limits[1])} were written`;
    fault(frame, FAULT_RESTARTED, `${said(reply, 2)}; ${what}: it lost its state; open it again`);
    return false;
  };

  /** Takes what there is; true: there was something, or there will be. */
  const fresh = (outcome: Outcome, frame: Frame): boolean => {
    const raw = r.signed(r.unsigned(outcome.replies[0], 0));
    if (single) {
      if (!running) return false;
      const high = Math.min(outcome.ended, latest);
      take(raw, Math.min(earliest, high), high, frame);
    } else if (outcome.began >= freshAt) {
      take(raw, outcome.began - r.FRESH, outcome.ended, frame);
      freshAt = outcome.ended + r.FRESH;
    }
    return true;
  };

  const poll: Step = {
    ops: [r.READ_ALL],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      if (!alive(reply, frame)) return null;
      if ((reply[2] & r.ONE_SHOT) !== 0) {
        looks--;
        return looks > 0 ? again : fault(frame, FAULT_DATA, `no conversion within ${r.PAUSE} ms; check the supply`);
      }
      return fresh(outcome, frame) ? null : trigger;
    },
  };
  const again: Step = { ops: [], pause: r.READY_PAUSE, next: () => poll };
  const start = [r.writeConfiguration(register | r.ONE_SHOT)];
  const trigger: Step = {
    ops: start,
    pause: r.PAUSE,
    next: (outcome) => {
      // Whether it has begun, nobody knows: the next value may follow one that was never read.
      if (outcome.error !== null) {
        gap = true;
        return null;
      }
      running = true;
      earliest = outcome.began + r.SHORTEST;
      latest = outcome.ended + r.LONGEST;
      return poll;
    },
  };

  /** Sleep, and power-up limits: so a closed chip is none that was set up, and OS never acts. */
  const closed = (): Step => ({
    ops: [r.writeConfiguration(register | r.SHUTDOWN), r.write(r.THYST, r.POR_THYST), r.write(r.TOS, r.POR_TOS)],
  });
  const close: Step = {
    ops: [r.READ_ALL],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      const config = reply[2];
      const atRest = r.unsigned(reply, 4) === r.POR_THYST && r.unsigned(reply, 6) === r.POR_TOS;
      if (atRest && config === (register | r.SHUTDOWN)) return null;
      // One that lost its state converts all the time: it is stopped, another chip is left alone.
      if (!alive(reply, frame)) return atRest && config === reply[3] ? closed() : null;
      if ((config & r.ONE_SHOT) !== 0 && looks > 0) {
        looks--;
        return { ops: [], pause: r.READY_PAUSE, next: () => close };
      }
      if ((config & r.ONE_SHOT) === 0) fresh(outcome, frame);
      if (gap || running) frame.channels[0].lost = -1;
      return closed();
    },
  };

  const driver: Driver<r.Max30205Configuration> = {
    model: r.MODEL,
    bus: "i2c",
    address: address,
    maxHz: 400000,
    configuration: settings,
    dataReady: null,
    // One-shot: the rest of the period.
    pollEvery: Math.round(single ? period - r.PAUSE : period),
    channels: () => [channel],
    createFrame: () => createFrame([1]),
    open: () => {
      index = 0;
      return opened(register, limits, begin(false));
    },
    poll: () => {
      looks = r.READY_TRIES;
      return poll;
    },
    reconfigure: (next) => {
      const value = r.encode(next);
      const beyond = r.limitsOf(next);
      const same = next.sampleRate === settings.sampleRate && ((value ^ register) & (r.SHUTDOWN | r.EXTENDED)) === 0;
      if (!same) return null;
      if (value === register && `${beyond}` === `${limits}`) return { ops: [] };
      return changed(value, beyond, () => {
        register = value;
        limits = beyond;
        start[0] = r.writeConfiguration(register | r.ONE_SHOT);
        above = false;
        Object.assign(settings, next);
      });
    },
    selfTest: () => tested(register, limits, begin(true)),
    close: () => {
      looks = r.READY_TRIES;
      return close;
    },
  };
  return driver;
};

export const chip: Chip<r.Max30205Configuration> = {
  model: r.MODEL,
  bus: "i2c",
  addresses: r.ADDRESSES,
  defaults: DEFAULTS,
  create: create,
};
