/**
 * AD8232: single-lead ECG front end with an analog output (Analog Devices, data sheet Rev. A; page numbers are its). The
 * board samples the output; what only one source tells or none stands in README.md. Device side.
 */
import type { Channel, Chip, Driver, Frame, Sampled, Step, Wiring } from "../driver.ts";
import {
  ANALOG_BUFFER,
  createFrame,
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
} from "../driver.ts";
import * as r from "./registers.ts";
import { fault, opening, type Setup, selfTest } from "./selftest.ts";

export type { Ad8232Configuration } from "./registers.ts";

export interface Ad8232Driver extends Driver<r.Ad8232Configuration> {
  /** Electrodes that were off in the last poll: "", "+IN", "-IN", "+IN, -IN"; with two of them "+IN or -IN". */
  readonly electrodesOff: string;
}

const create = (configuration: Partial<r.Ad8232Configuration>, wiring: Wiring): Ad8232Driver => {
  const settings: r.Ad8232Configuration = Object.assign({}, r.DEFAULTS, configuration);
  const converter = r.check(settings, wiring);
  const rate = settings.sampleRate;
  const period = 1000000 / rate;
  const scale = r.scaleOf(settings, converter);
  const top = r.codeOf(settings.supply, converter);
  const inputs = wiring.inputs ?? [];
  const switched = (wiring.pins ?? []).indexOf(r.SHUTDOWN) >= 0;
  const setup: Setup = {
    settings: settings,
    converter: converter,
    // 0 where it is not wired.
    plus: (1 << (inputs.indexOf(r.LO_PLUS) + 1)) >> 1,
    minus: (1 << (inputs.indexOf(r.LO_MINUS) + 1)) >> 1,
    deadLow: r.codeOf(1 / r.DEAD_PER_VOLT, converter),
    // Out of reach where the converter ends below the supply: its last code is then one of the chip's.
    deadHigh:
      converter.reference < settings.supply ? top + 1 : r.codeOf(settings.supply - 1 / r.DEAD_PER_VOLT, converter),
    on: switched ? [{ pin: r.SHUTDOWN, level: 1 }] : [],
    off: switched ? [{ pin: r.SHUTDOWN, level: 0 }] : [],
    sample: [{ sample: rate }],
  };
  const leads = setup.plus | setup.minus;
  const low = r.codeOf(1 / r.SWING_PER_VOLT, converter);
  const high = r.codeOf(settings.supply - 1 / r.SWING_PER_VOLT, converter);
  const channel: Channel = {
    name: "ecg",
    mdc: 131328,
    rate: rate,
    waveform: true,
    bits: converter.bits,
    offset: scale.offset,
    mul: scale.mul,
    exp10: scale.exp10,
    unit: "V",
    minimum: 0,
    maximum: top,
    accuracy: "gain of the chip 3.5 % (data sheet table 1)",
    processing: 0,
  };

  let index = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  /** What open() looked at: the first poll hands it over. */
  const kept = new Int32Array(r.KEPT);
  let keptCount = 0;
  let keptAt = 0;
  /** Board clock up to which samples are settling, us. */
  let settledAt = 0;
  /** Nothing but rail since `railedAt`, us; nothing but a dead line. */
  let railed = false;
  let railedAt = 0;
  let off = 0;

  /** A record begins; `lost`: it goes on after one that was cut off. */
  const begin = (lost: boolean): void => {
    gap = lost;
    keptCount = 0;
    railed = false;
    off = 0;
  };
  const keep = (sampled: Sampled): void => {
    // Its power may have come just now; where the driver switched it on, it has waited.
    if (!switched) settledAt = sampled.firstAt + settings.settling * 1000;
    gap = sampled.count > r.KEPT;
    if (gap) return;
    for (let i = 0; i < sampled.count; i++) kept[i] = sampled.samples[i];
    keptCount = sampled.count;
    keptAt = sampled.firstAt;
  };

  /** A rail is a fault where it lasts and no lead is known to be off; a line that nothing drives, a restart. */
  const complain = (frame: Frame, dead: boolean, code: number): void => {
    const what = `code ${code} for ${settings.railTimeout} s`;
    frame.restart = dead;
    if (dead) fault(frame, FAULT_BUS, `${what}: nothing drives the output; check power and SDN`);
    else {
      const cause = leads === 0 ? "LO+, LO- not wired" : "no lead off";
      fault(frame, FAULT_DATA, `${what}: output at a rail, ${cause}; check electrodes, power and gain`);
    }
  };

  /** Quality of the block's samples; `inputs`: levels at any of them. */
  const judge = (frame: Frame, inputs: number): void => {
    const block = frame.channels[0];
    const count = block.count;
    let saturated = 0;
    let dead = 0;
    let last = -1;
    for (let i = 0; i < count; i++) {
      const code = block.samples[i];
      if (code > low && code < high) continue;
      saturated++;
      last = i;
      if (code <= setup.deadLow || code >= setup.deadHigh) dead++;
    }
    const end = block.time + (count - 1) * period;
    off = inputs & leads;
    if (off !== 0) {
      block.flags |= FLAG_LEAD_OFF;
      last = count - 1;
    }
    if (saturated > 0) block.flags |= FLAG_SATURATED;
    if (last >= 0) settledAt = Math.max(settledAt, block.time + last * period + settings.settling * 1000);
    if (block.time < settledAt) block.flags |= FLAG_SETTLING;
    if (saturated < count || off !== 0) {
      railed = false;
      return;
    }
    if (!railed) railedAt = block.time;
    railed = true;
    if (end - railedAt < settings.railTimeout * 1000000) return;
    railedAt = end; // told again after as long again, not at every poll
    complain(frame, dead === count, block.samples[count - 1]);
  };

  /** Hands over what open() kept and what the board sampled since. */
  const take = (sampled: Sampled, frame: Frame): void => {
    const block = frame.channels[0];
    let lost = sampled.lost;
    // One block cannot hold a hole behind what was kept.
    if (gap || (lost !== 0 && keptCount > 0)) {
      lost = -1;
      keptCount = 0;
    }
    gap = false;
    if (lost > 0) index += lost;
    block.lost = lost;
    block.index = index;
    block.time = keptCount > 0 ? keptAt : sampled.firstAt;
    block.uncertainty = sampled.uncertainty;
    const samples = block.samples;
    for (let i = 0; i < keptCount; i++) samples[i] = kept[i];
    for (let i = 0; i < sampled.count; i++) samples[keptCount + i] = sampled.samples[i];
    block.count = keptCount + sampled.count;
    index += block.count;
    keptCount = 0;
    if (block.count > 0) judge(frame, sampled.inputs);
  };

  const poll: Step = {
    ops: [],
    next: (outcome, frame) => {
      if (outcome.sampled !== undefined) take(outcome.sampled, frame);
      else if (outcome.error === null) {
        frame.restart = true;
        return fault(frame, FAULT_RESTARTED, "the board does not sample it; open it");
      }
      return null;
    },
  };
  const close: Step = {
    ops: [{ sample: 0 } as Step["ops"][0]].concat(setup.off),
    next: (outcome, frame) => {
      if (outcome.sampled !== undefined) take(outcome.sampled, frame);
      return null;
    },
  };
  /** Samples again, behind a self-test. */
  const again: Step = {
    ops: setup.sample,
    next: () => {
      begin(true);
      return null;
    },
  };

  const driver: Ad8232Driver = {
    model: r.MODEL,
    bus: "analog",
    maxHz: 1000,
    configuration: settings,
    dataReady: null,
    pollEvery: Math.floor((r.POLL_SAMPLES * 1000) / rate),
    channels: () => [channel],
    createFrame: () => createFrame([r.KEPT + ANALOG_BUFFER]),
    open: () => {
      index = 0;
      begin(false);
      settledAt = 0;
      return opening(setup, keep);
    },
    poll: () => poll,
    reconfigure: (next) => {
      r.check(next, wiring);
      if (
        next.sampleRate !== rate ||
        next.gain !== settings.gain ||
        next.supply !== settings.supply ||
        r.offsetOf(next) !== r.offsetOf(settings) ||
        next.electrodes !== settings.electrodes
      ) {
        return null;
      }
      Object.assign(settings, next);
      return { ops: [] };
    },
    selfTest: () => selfTest(setup, again),
    close: () => close,
    get electrodesOff() {
      if (off === 0) return "";
      if (settings.electrodes === 2) return "+IN or -IN";
      if ((off & setup.plus) === 0) return "-IN";
      return (off & setup.minus) === 0 ? "+IN" : "+IN, -IN";
    },
  };
  return driver;
};

export const chip = {
  model: r.MODEL,
  bus: "analog",
  addresses: [],
  defaults: r.DEFAULTS,
  pins: r.PINS,
  inputs: r.INPUTS,
  create: create,
} satisfies Chip<r.Ad8232Configuration>;
