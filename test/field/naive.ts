/**
 * Readers of a MAX30102 as those of the complaints are: small re-creations of what the libraries and sketches do that people
 * complain of. Each does what its complaint is about wrong, and the rest right.
 */
import { type Bench, naive, type World } from "./board.ts";

export interface Light {
  /** s since the board's start, when it was read. */
  readonly time: number;
  readonly red: number;
  readonly infrared: number;
}

/** Registers of the MAX30102; the read pointer is the second behind the write pointer. */
const [WRITE_POINTER, FIFO, FIFO_CONFIG, MODE, SPO2_CONFIG, CURRENTS] = [4, 7, 8, 9, 0x0a, 0x0c];
const DEPTH = 32;
/** Bytes of a sample: three of red, three of infrared. */
const SAMPLE = 6;

const word = (bytes: Uint8Array, at: number) => ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) & 0x3ffff;

/** SpO2 mode, 100 a second, 18 bits, 6.2 mA: as the other libraries set it up, and as this project's defaults are. */
export function setUp(bench: Bench, { rollover = true } = {}): void {
  bench.write(FIFO_CONFIG, rollover ? 0x10 : 0);
  bench.write(CURRENTS, 31, 31);
  bench.write(SPO2_CONFIG, (2 << 5) | (1 << 2) | 3);
  bench.write(MODE, 3);
}

/**
 * Reads as many samples as lie between the two pointers, every 50 ms, and asks for no overflow: as the common library does.
 * `full`: how many it takes equal pointers for, 0 (that library) or 32 (drivers that read whenever they are called).
 */
export function readFifo(bench: Bench, onSample: (light: Light) => void, full: 0 | 32 = 0): void {
  let busy = false;
  const take = (bytes: Uint8Array | undefined) => {
    busy = false;
    for (let at = 0; bytes !== undefined && at < bytes.length; at += SAMPLE) {
      onSample({ time: bench.now(), red: word(bytes, at), infrared: word(bytes, at + 3) });
    }
  };
  bench.every(50, () => {
    if (busy) return;
    busy = true;
    bench.read(WRITE_POINTER, 3, (pointers) => {
      const between = pointers === undefined ? 0 : (pointers[0]! - pointers[2]! + DEPTH) % DEPTH || full;
      if (between === 0) take(undefined);
      else bench.read(FIFO, between * SAMPLE, take);
    });
  });
}

/** The newest sample, whatever time has gone by since the last look: a sketch that reads in `loop()`. */
export function readNewest(bench: Bench, every: number, onSample: (light: Light) => void): void {
  bench.every(every, () => {
    bench.read(FIFO, SAMPLE, (bytes) => {
      if (bytes !== undefined) onSample({ time: bench.now(), red: word(bytes, 0), infrared: word(bytes, 3) });
    });
  });
}

/**
 * Beats a minute by a threshold: the mean of the last second taken away, a beat wherever the light falls through half of the
 * deepest pulse of the last two seconds; the interval in samples of the rate that it was told. Shows the last rate until it
 * has another one.
 */
export function createPeakRate(rate: number) {
  const recent: number[] = [];
  const depths: number[] = [];
  let below = false;
  let count = 0;
  let last: number | null = null;
  let shown: number | null = null;
  return {
    push(infrared: number) {
      recent.push(infrared);
      if (recent.length > rate) recent.shift();
      const depth = recent.reduce((sum, one) => sum + one, 0) / recent.length - infrared;
      depths.push(depth);
      if (depths.length > 2 * rate) depths.shift();
      count++;
      const threshold = Math.max(...depths) / 2;
      if (!below && depth > threshold) {
        if (last !== null) shown = (60 * rate) / (count - last);
        last = count;
        below = true;
      } else if (depth < threshold / 2) below = false;
    },
    /** Beats a minute, null before the first two. */
    get shown() {
      return shown;
    },
  };
}

/** SpO2 = 110 - 25 R over the last four seconds, whatever they are; -999 where there is no pulse at all to divide by. */
export function createStraightLine(rate: number) {
  const window: Light[] = [];
  return {
    push(light: Light) {
      window.push(light);
      if (window.length > 4 * rate) window.shift();
    },
    get shown(): number {
      const ratio = (pick: (light: Light) => number) => {
        const codes = window.map(pick);
        const mean = codes.reduce((sum, one) => sum + one, 0) / codes.length;
        return (Math.max(...codes) - Math.min(...codes)) / mean;
      };
      const infrared = ratio((light) => light.infrared);
      if (window.length < 4 * rate || !(infrared > 0)) return -999;
      return 110 - (25 * ratio((light) => light.red)) / infrared;
    },
  };
}

/** What such a sketch has on its screen, once a second. */
export interface Shown {
  readonly time: number;
  readonly rate: number | null;
  readonly spo2: number;
}

/** The whole sketch on this world: the common library at its nominal 100 samples a second, the threshold and the straight line. */
export function sketch(world: World, seconds: number): Shown[] {
  const rate = createPeakRate(100);
  const line = createStraightLine(100);
  const shown: Shown[] = [];
  naive(world, seconds, (bench) => {
    setUp(bench);
    readFifo(bench, (light) => {
      rate.push(light.infrared);
      line.push(light);
    });
    bench.every(1000, () => shown.push({ time: bench.now(), rate: rate.shown, spo2: line.shown }));
  });
  return shown;
}

/** A notch as it stands in many a sketch: numbers that somebody worked out for one rate, and no word of that rate. */
export function createNaiveNotch(rate: number, mains: number) {
  const turn = (2 * Math.PI * mains) / rate;
  const radius = 0.95;
  const gain = (1 - 2 * radius * Math.cos(turn) + radius ** 2) / (2 - 2 * Math.cos(turn));
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  return {
    push(samples: Int32Array, count: number, out: Int32Array): number {
      for (let i = 0; i < count; i++) {
        const x = samples[i]!;
        const y = gain * (x - 2 * Math.cos(turn) * x1 + x2) + 2 * radius * Math.cos(turn) * y1 - radius ** 2 * y2;
        [x2, x1, y2, y1] = [x1, x, y1, y];
        out[i] = Math.round(y);
      }
      return count;
    },
  };
}
