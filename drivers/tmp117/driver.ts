/**
 * TMP117: high-accuracy digital thermometer on I2C (TI, SNOSD82D, revised September 2022). What the data sheet leaves
 * open stands in README.md. Device side.
 */
import type { Channel, Chip, Driver, Frame, Outcome, Step, Wiring } from "../driver.ts";
import { createFrame, FAULT_DATA, FAULT_RESTARTED, FLAG_SATURATED } from "../driver.ts";
import * as r from "./registers.ts";
import { configure, fault, hex, identified, oneShot, restart } from "./selftest.ts";

export type { Tmp117Configuration } from "./registers.ts";

const DEFAULTS: r.Tmp117Configuration = { sampleRate: 1, averaging: 8, offset: 0 };

const create = (configuration: Partial<r.Tmp117Configuration>, wiring: Wiring): Driver<r.Tmp117Configuration> => {
  const settings: r.Tmp117Configuration = Object.assign({}, DEFAULTS, configuration);
  const wired = wiring.interrupt === true;
  const address = wiring.address ?? r.ADDRESSES[0];
  if (r.ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x48, 0x49, 0x4a or 0x4b, as ADD0 is wired`);
  }
  let register = r.encode(settings);
  const cycle = r.cycleOf(register);
  /** No two conversions end closer than this, us: its oscillator is taken for a sixth fast at most (README.md). */
  const shortest = (cycle * 26000) / 31;
  const channel: Channel = {
    name: "temperature",
    mdc: 150364,
    rate: 1000 / cycle,
    waveform: false,
    bits: 16,
    offset: 0,
    mul: 78125,
    exp10: -7,
    unit: "Cel",
    minimum: -55 * r.PER_DEGREE,
    maximum: 150 * r.PER_DEGREE,
    accuracy: "0.1 Cel from -20 to 50 Cel, 0.3 Cel from -55 to 150 Cel (SNOSD82D p. 1)",
    processing: 0,
  };

  let index = 0;
  /** The next value follows a loss that nobody can count. */
  let gap = false;
  /** The earliest time at which the next Data_Ready can have been set: its last clearing, us. */
  let clearedAt = 0;
  /** Data_Ready was read, and thereby cleared, but its result was not: it is still there. */
  let owed = false;
  let edgeAt = 0;

  /** Configures, and begins a record; `lost`: it goes on after one that was cut off. */
  const begin = (lost: boolean): Step =>
    configure(register, Math.round(settings.offset * r.PER_DEGREE), (outcome) => {
      clearedAt = outcome.began;
      owed = false;
      edgeAt = 0;
      gap = lost;
    });

  /** The result. Its conversion ended between the last clearing of Data_Ready and now; `ended`: or earlier, at a stop. */
  const take = (outcome: Outcome, frame: Frame, ended: number): void => {
    const raw = r.signed(outcome.replies[0]);
    const block = frame.channels[0];
    owed = false;
    block.index = index;
    if (raw === r.NOTHING_YET) {
      fault(frame, FAULT_DATA, "-256 Cel is what it says before its first conversion, and this was not; open it again");
      frame.restart = true;
      return;
    }
    const low = Math.max(edgeAt, clearedAt);
    const precise = edgeAt > clearedAt && ended - low < shortest;
    // Longer than a cycle: perhaps an older result was written over.
    if (gap || ended - low >= shortest) block.lost = -1;
    gap = false;
    block.time = precise ? edgeAt : (low + ended) / 2;
    block.uncertainty = precise ? r.EDGE_UNCERTAINTY : (ended - low) / 2;
    block.samples[0] = raw;
    block.count = 1;
    if (raw === 32767) block.flags |= FLAG_SATURATED;
    index++;
    clearedAt = outcome.began;
    edgeAt = 0;
  };

  /** Is it the chip that was set up? `value`: its Configuration. */
  const alive = (value: number, frame: Frame): boolean => {
    const set = value & r.SETTINGS;
    if (set === register) return true;
    owed = false;
    frame.restart = true;
    const what = `Configuration reads ${hex(set)}, ${hex(register)} was written`;
    fault(frame, FAULT_RESTARTED, `${what}: it lost its state; open it again`);
    return false;
  };

  const result: Step = {
    ops: [r.read(r.TEMP_RESULT)],
    next: (outcome, frame) => {
      if (outcome.error === null) take(outcome, frame, outcome.ended);
      return null;
    },
  };
  const poll: Step = {
    ops: [r.read(r.CONFIGURATION)],
    next: (outcome, frame) => {
      if (outcome.edges > 0) edgeAt = outcome.edgeAt;
      if (outcome.error !== null) return null;
      const value = r.unsigned(outcome.replies[0]);
      if (!alive(value, frame)) return null;
      if ((value & r.DATA_READY) !== 0) owed = true;
      if (owed) return result;
      clearedAt = outcome.began;
      return null;
    },
  };

  const driver: Driver<r.Tmp117Configuration> = {
    model: r.MODEL,
    bus: "i2c",
    address: address,
    maxHz: 400000,
    configuration: settings,
    dataReady: wired ? "falling" : null,
    // A result is written over after a cycle, which may be a sixth shorter than it says.
    pollEvery: Math.floor(wired ? (cycle * 3) / 4 : cycle / 2),
    channels: () => [channel],
    createFrame: () => createFrame([1]),
    open: () => {
      index = 0;
      return identified(restart(begin(false)));
    },
    poll: () => poll,
    reconfigure: (next) => {
      const value = r.encode(next);
      if (r.cycleOf(value) !== cycle) return null;
      const same = value === register && next.offset === settings.offset;
      register = value;
      Object.assign(settings, next);
      return same ? { ops: [] } : begin(true);
    },
    selfTest: () => identified(restart(oneShot(restart(begin(true))))),
    close: () => ({
      // Once more before and once after the stop: a result that came in between is neither lost nor read too early.
      ops: [r.read(r.CONFIGURATION), r.write(r.CONFIGURATION, r.SHUTDOWN | r.DR_ALERT), r.read(r.CONFIGURATION)],
      next: (stopped, frame) => {
        if (stopped.edges > 0) edgeAt = stopped.edgeAt;
        if (stopped.error !== null) return null;
        const before = r.unsigned(stopped.replies[0]);
        if ((before & r.SETTINGS) === (r.SHUTDOWN | r.DR_ALERT) || !alive(before, frame)) return null;
        if (((before | r.unsigned(stopped.replies[1])) & r.DATA_READY) === 0 && !owed) return null;
        return {
          ops: [r.read(r.TEMP_RESULT)],
          next: (outcome) => {
            if (outcome.error === null) take(outcome, frame, stopped.ended);
            return null;
          },
        };
      },
    }),
  };
  return driver;
};

export const chip: Chip<r.Tmp117Configuration> = {
  model: r.MODEL,
  bus: "i2c",
  addresses: r.ADDRESSES,
  defaults: DEFAULTS,
  create: create,
};
