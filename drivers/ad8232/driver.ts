/**
 * AD8232: single-lead ECG front end with an analog output (Analog Devices, data sheet Rev. A; page numbers are its). The
 * board samples the output; what only one source tells or none stands in README.md. Device side.
 */
import type { Core, Frame, Outcome, Sampled, Step } from "../driver.ts";
import {
  createCore,
  FAULT_BUS,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
  tell,
} from "../driver.ts";
import { type Ad8232Setup, awake, isDead, leadsOf, opening } from "./opening.ts";
import * as r from "./registers.ts";

export type { Ad8232Setup } from "./opening.ts";

export interface Ad8232Core extends Core<Ad8232Setup> {
  /** Samples again, behind a loss, where the chip is on. */
  readonly again: Step;
}

/** Copies the first `count` samples to `to`, from its element `at` on. */
const copy = (from: Int32Array, count: number, to: Int32Array, at: number): void => {
  for (let i = 0; i < count; i++) to[at + i] = from[i];
};

/** Its driver. */
export const createDriver = (first: Ad8232Setup): Ad8232Core => {
  let setup = first;
  let index = 0;
  /** The next samples follow a loss that nobody can count. */
  let gap = false;
  /** What open() looked at: the first poll hands it over. */
  const kept = new Int32Array(r.KEPT);
  let keptCount = 0;
  let keptAt = 0;
  /** Board clock up to which samples are settling, us. */
  let settledAt = 0;
  /** Nothing but rail since then, us. */
  let railedAt = Infinity;
  let off = "";

  /** A record begins; `lost`: it goes on after one that was cut off. */
  const begin = (lost: boolean): void => {
    gap = lost;
    keptCount = 0;
    railedAt = Infinity;
    off = "";
  };
  const keep = (sampled: Sampled): void => {
    // Its power may have come just now; where the driver switched it on, it has waited.
    if (setup.on.length === 0) settledAt = sampled.firstAt + setup.settling * 1000;
    gap = sampled.count > r.KEPT;
    if (gap) return;
    keptCount = sampled.count;
    keptAt = sampled.firstAt;
    copy(sampled.samples, keptCount, kept, 0);
  };

  /** Quality of the block's samples, at least one; `inputs`: levels at any of them. */
  const judge = (frame: Frame, inputs: number): void => {
    const block = frame.channels[0];
    const samples = block.samples;
    const end = block.count - 1;
    off = leadsOf(setup, inputs).off;
    let saturated = 0;
    let last = -1;
    for (let i = 0; i <= end; i++) {
      const code = samples[i];
      if (code > setup.low && code < setup.high) continue;
      saturated++;
      last = i;
    }
    if (saturated > 0) block.flags |= FLAG_SATURATED;
    if (off !== "") {
      block.flags |= FLAG_LEAD_OFF;
      last = end;
    }
    const at = (i: number): number => block.time + i * setup.period;
    if (last >= 0) settledAt = Math.max(settledAt, at(last) + setup.settling * 1000);
    if (block.time < settledAt) block.flags |= FLAG_SETTLING;
    // A rail is a fault where it lasts and no lead is known to be off; a line that nothing drives, a restart.
    railedAt = saturated > end && off === "" ? Math.min(railedAt, block.time) : Infinity;
    if (at(end) - railedAt < setup.railTimeout * 1000000) return;
    railedAt = at(end); // told again after as long again, not at every poll
    const what = `code ${samples[end]} for ${setup.railTimeout} s`;
    frame.restart = isDead(setup, samples, block.count);
    if (frame.restart) tell(frame, FAULT_BUS, r.MODEL, `${what}: nothing drives the output; check power and SDN`);
    else {
      const cause = setup.leads.length === 1 ? "LO+, LO- not wired" : "no lead off";
      tell(frame, FAULT_DATA, r.MODEL, `${what}: output at a rail, ${cause}; check electrodes, power and gain`);
    }
  };

  /** Hands over what open() kept and what the board sampled since. */
  const take = (outcome: Outcome, frame: Frame): null => {
    const sampled = outcome.sampled;
    if (sampled === undefined) return null;
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
    block.count = keptCount + sampled.count;
    copy(kept, keptCount, block.samples, 0);
    copy(sampled.samples, sampled.count, block.samples, keptCount);
    index += block.count;
    keptCount = 0;
    if (block.count > 0) judge(frame, sampled.inputs);
    return null;
  };

  const poll: Step = {
    ops: [],
    next: (outcome, frame) => {
      if (outcome.sampled !== undefined || outcome.error !== null) return take(outcome, frame);
      frame.restart = true;
      return tell(frame, FAULT_RESTARTED, r.MODEL, "the board does not sample it; open it");
    },
  };
  const close: Step = { ops: setup.stop, next: take };
  const again: Step = {
    ops: setup.start,
    next: () => {
      begin(true);
      return null;
    },
  };

  const core: Ad8232Core = createCore(first, {
    electrodesOff: () => off,
    again: again,
    open: () => {
      index = 0;
      settledAt = 0;
      begin(false);
      return opening(setup, keep);
    },
    poll: () => poll,
    reconfigure: (next: Ad8232Setup) => {
      if (JSON.stringify(next.record) !== JSON.stringify(setup.record)) return null;
      core.configuration = setup = next;
      return { ops: [] };
    },
    resume: () => awake(setup, again, again),
    close: () => close,
  });
  return core;
};
