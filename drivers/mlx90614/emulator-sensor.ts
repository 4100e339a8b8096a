/** What an emulated MLX90614 measures: cycles, filters, emissivity, noise; from temperatures to the cells of its RAM. */
import type { Signal } from "../emulator.ts";
import * as r from "./registers.ts";

/** Factory settings of some versions (table 8, p. 16): zones, IIR and FIR bits, noise in K rms; sleep is for 3 V only. */
export const PARTS = {
  AAA: { dual: false, iir: 4, fir: 7, noise: 0.05, sleeps: false },
  BAA: { dual: false, iir: 4, fir: 7, noise: 0.05, sleeps: true },
  ABA: { dual: true, iir: 4, fir: 7, noise: 0.07, sleeps: false },
  BBA: { dual: true, iir: 4, fir: 7, noise: 0.07, sleeps: true },
  BCC: { dual: true, iir: 4, fir: 7, noise: 0.18, sleeps: true },
  BCF: { dual: true, iir: 0, fir: 7, noise: 0.1, sleeps: true },
  BCK: { dual: true, iir: 1, fir: 7, noise: 0.3, sleeps: true },
} as const;

/** IIR bits: a1 (table 7, p. 15). */
const A1 = [0.5, 0.25, 1 / 6, 0.125, 1, 0.8, 2 / 3, 4 / 7];
/** One cycle of measurements, ms: FIR 128 to 1024, one zone and two (README.md). */
const CYCLES = [
  [40, 50, 60, 100],
  [60, 70, 100, 140],
];
/** First results after power-up, us (p. 11). */
const VALID = 250_000;
const ZERO = 273.15;
/** Raw IR counts for K^4: a figure of this emulator. */
const IR_GAIN = 5e-7;

/** One cell of the RAM. */
export interface Result {
  code: number;
  /** us; when it was stored. */
  at: number;
  /** Nobody has read it. */
  unread: boolean;
}

/** The channel that shows a cell. */
export const CHANNELS: Readonly<Record<number, string>> = {
  [r.TA]: "ambient",
  [r.TOBJ1]: "object",
  [r.TOBJ2]: "object2",
};

export interface Sensor {
  /** RAM by its address; nothing there: reads 0. */
  readonly ram: Map<number, Result>;
  /** INIT: the initialisation is over, the first cycle runs. */
  readonly initialised: boolean;
  /** us; Infinity: it does not measure. */
  readonly nextAt: number;
  /** Starts as after power-up, with these cells of the EEPROM. */
  start(at: number, configuration: number, emissivity: number): void;
  stop(): void;
  /** Stores what is due at `nextAt`. */
  step(): void;
}

export function createSensor(
  signals: Record<string, Signal>,
  oscillator: number,
  noise: (() => number) | undefined,
  rms: number,
): Sensor {
  const ram = new Map<number, Result>();
  /** Output of the IIR filter of each cell, K; absent: the next value passes unfiltered (p. 22). */
  const filtered = new Map<number, number>();
  let startedAt = Number.POSITIVE_INFINITY;
  let now = 0;
  /** Measurements since the start: all cells at once first, then one after the other. */
  let k = 0;
  let cells: number[] = [];
  let cycle = 0;
  let fir = 0;
  let a1 = 1;
  let emissivity = 1;

  const nextAt = () => startedAt + VALID / oscillator + (k * cycle) / cells.length;

  const sinceStart = () => (now - startedAt) / 1e6;
  const kelvin = (name: string) => signals[name](now / 1e6, sinceStart()) + ZERO;

  /** What the chip makes of what it sees: true emissivity against the one that it was told (p. 30, 48). */
  const seen = (name: string, raw: number): number => {
    const object = kelvin(name);
    const ambient = kelvin("ambient");
    const ratio = signals.emissivity(now / 1e6, sinceStart()) / emissivity;
    const infrared = object ** 4 - ambient ** 4;
    const counts = Math.min(0x7fff, Math.round(Math.abs(infrared * ratio * emissivity * IR_GAIN)));
    ram.set(raw, { code: infrared < 0 ? 0x8000 | counts : counts, at: now, unread: false });
    if (ratio === 1) return object;
    return Math.max(0, ambient ** 4 + infrared * ratio) ** 0.25;
  };

  const store = (cell: number) => {
    let value = cell === r.TA ? kelvin("ambient") : seen(CHANNELS[cell], cell === r.TOBJ1 ? r.RAW_IR1 : r.RAW_IR2);
    // A quarter of the filter doubles the noise (p. 16); for the ambient temperature none is given.
    if (noise !== undefined && cell !== r.TA) value += noise() * rms * Math.sqrt(1024 / (8 << fir));
    const before = filtered.get(cell) ?? value;
    const after = before + a1 * (value - before);
    filtered.set(cell, after);
    const [low, high] = cell === r.TA ? [r.AMBIENT_MINIMUM, r.AMBIENT_MAXIMUM] : [r.OBJECT_MINIMUM, r.OBJECT_MAXIMUM];
    const code = Math.max(low, Math.min(high, Math.round(after * 50)));
    const error = signals.error(now / 1e6, sinceStart()) >= 0.5;
    ram.set(cell, { code: error ? code | r.ERROR : code, at: now, unread: !error });
  };

  return {
    ram,
    get initialised() {
      return now >= startedAt + VALID / oscillator - cycle;
    },
    get nextAt() {
      return nextAt();
    },
    start(at, configuration, cell) {
      const dual = (configuration & r.DUAL) !== 0;
      fir = (configuration >> r.FIR_SHIFT) & 7;
      a1 = A1[configuration & 7];
      cells = dual ? [r.TA, r.TOBJ1, r.TOBJ2] : [r.TA, r.TOBJ1];
      cycle = (CYCLES[dual ? 1 : 0][Math.max(0, fir - 4)] * 1000) / oscillator;
      // An erased cell would divide by 0: the least that is not.
      emissivity = Math.max(1, cell) / 65535;
      ram.clear();
      filtered.clear();
      startedAt = at;
      now = at;
      k = 0;
    },
    stop() {
      startedAt = Number.POSITIVE_INFINITY;
      ram.clear();
    },
    step() {
      now = nextAt();
      if (k === 0) for (const cell of cells) store(cell);
      else store(cells[(k - 1) % cells.length]);
      k++;
    },
  };
}
