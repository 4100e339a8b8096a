/**
 * A chip without registers: a waveform and a value, both computed from a key, so that whatever is stored can be checked by its
 * value. It answers at once and costs next to nothing.
 */
import type { Executor } from "../../boards/board.ts";
import { type Channel, createFrame, type Driver, type Step } from "../../drivers/driver.ts";
import { MDC_PLETH, MDC_TEMPERATURE } from "../../protocol/messages.ts";

/** Samples a second of the waveform, hz; ids of the two channels. */
export const WAVE_RATE = 25;
export const WAVE_CHANNEL = 0;
export const VALUE_CHANNEL = 1;
const INTERVAL = 1e6 / WAVE_RATE;
const POLL_EVERY = 5000;
/** What its FIFO holds. */
const DEPTH = 1024;

/** 32 bits in, 32 bits out, each of them changed by each (the finalizer of MurmurHash3, Appleby). */
const mix = (word: number) => {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** Sample `index` under a key: a triangle of 1 s with noise on it that no other index or key has. */
export const waveAt = (key: number, index: number) => {
  const phase = index % WAVE_RATE;
  return 40 * Math.min(phase, WAVE_RATE - phase) + (mix(key + Math.imul(index, 0x9e3779b1)) & 0x3f);
};

/** Reading `index` under a key, hundredths of a degree. */
export const valueAt = (key: number, index: number) => 3650 + (mix(~key + Math.imul(index, 0x9e3779b1)) & 0x7f);

const channel = (name: string, own: Partial<Channel>): Channel => ({
  name,
  mdc: MDC_PLETH,
  rate: WAVE_RATE,
  waveform: true,
  bits: 16,
  offset: 0,
  mul: 1,
  exp10: 0,
  unit: "1",
  minimum: 0,
  maximum: 32767,
  accuracy: "exact: it is computed",
  processing: 0,
  ...own,
});

/** Performs nothing, at once. */
export function instantExecutor(now: () => number): Executor {
  return {
    maxRead: 32,
    run(_target, _ops, done) {
      const at = now();
      done({ replies: [], error: null, began: at, ended: at, edges: 0, edgeAt: 0, inputs: 0 });
    },
  };
}

export interface SyntheticChip {
  readonly driver: Driver;
  /** Board time of the conversion of sample `index`, us; samples converted up to `time`. */
  at(index: number): number;
  count(time: number): number;
}

/** Converts from the moment it is opened, once a boot. */
export function createSyntheticChip(key: number): SyntheticChip {
  const channels = [
    channel("synthetic", {}),
    channel("temperature", { mdc: MDC_TEMPERATURE, rate: 1000 / POLL_EVERY, waveform: false, exp10: -2, unit: "Cel" }),
  ];
  /** Board time of opening, us; null: not yet. */
  let opened: number | null = null;
  let read = 0;
  let readings = 0;
  const at = (index: number) => (opened ?? 0) + (index + 1) * INTERVAL;
  const count = (time: number) => (opened === null ? 0 : Math.max(0, Math.floor((time - opened) / INTERVAL)));
  const poll: Step = {
    ops: [],
    next(outcome, frame) {
      const [wave, value] = frame.channels;
      wave.count = Math.min(DEPTH, count(outcome.ended) - read);
      wave.index = read;
      wave.time = at(read);
      for (let i = 0; i < wave.count; i++) wave.samples[i] = waveAt(key, read + i);
      read += wave.count;
      value.count = 1;
      value.time = outcome.ended;
      value.samples[0] = valueAt(key, readings++);
      return null;
    },
  };
  const open: Step = {
    ops: [],
    next(outcome, frame) {
      opened = outcome.ended;
      frame.identity = { verdict: "confirmed", read: "synthetic" };
      return null;
    },
  };
  return {
    driver: {
      model: "SYNTHETIC",
      bus: "i2c",
      maxHz: 400_000,
      configuration: {},
      dataReady: null,
      pollEvery: POLL_EVERY,
      channels: () => channels,
      createFrame: () => createFrame([DEPTH, 1]),
      open: () => open,
      poll: () => poll,
      reconfigure: () => null,
      selfTest: () => ({ ops: [] }),
      close: () => poll,
    },
    at,
    count,
  };
}
