/**
 * MAX30205 at register level (Maxim 19-8505, Rev 0): pointer that goes on after every two bytes, one-byte Configuration
 * that comes twice, continuous and one-shot conversions, shutdown after the conversion under way, data format, OS as
 * comparator and as interrupt with its fault queue. Not modelled: bus timeout (its bit is kept), self-heating. What the
 * data sheet leaves open, and is assumed here: README.md.
 */
import {
  type EmulatedChip,
  type EmulatorOptions,
  type I2cEmulator,
  type Input,
  type Signal,
  setSignal,
} from "../emulator.ts";
import * as r from "./registers.ts";

/** us: one conversion (p. 2). */
const CONVERSION = 44_000;
/** Cel: repeatability, one sigma (p. 2). */
const NOISE = 0.009;
const QUEUES = [1, 2, 4, 6];

const inputs: Record<string, Input<r.Max30205Configuration>> = {
  temperature: {
    channel: "temperature",
    unit: "Cel",
    minimum: -10,
    maximum: 50,
    epsilon: 0.5 / r.PER_DEGREE,
  },
};

function create(options: EmulatorOptions): I2cEmulator {
  const oscillator = options.oscillator ?? 1;
  const signals: Record<string, Signal> = { temperature: () => 25 };
  /** THYST and TOS. */
  const limits = [0, 0];
  let result = 0;
  let configuration = 0;
  let now = 0;
  let level: 0 | 1 = 1;
  /** When the conversion under way began; Infinity: none is. */
  let startedAt = Number.POSITIVE_INFINITY;
  /** Conversions since the chip began to convert. */
  let k = 0;
  /** Data format of the next result: that of the setting when the conversion before it ended (p. 13). */
  let extended = false;
  /** Mode or format changed in the midst of the conversion: nobody can say whose result it will be. */
  let disturbed = false;
  /** OS: active; results in a row that would change it; interrupt: what it waits for. */
  let active = false;
  let inRow = 0;
  let waitsForLow = false;
  let pointer = 0;
  /** Bytes of this transaction, the pointer not counted. */
  let bytes = 0;
  let word = 0;
  let pointed = false;

  const has = (bit: number) => (configuration & bit) !== 0;
  const endsAt = () => startedAt + CONVERSION / oscillator;
  /** OS is open drain; a pull-up makes it 1 (p. 12). */
  const update = () => {
    const next = active === has(r.OS_HIGH) ? 1 : 0;
    if (next === level) return;
    level = next;
    emulator.onInterrupt?.(level, now);
  };
  const start = () => {
    startedAt = now;
    disturbed = false;
  };

  /** OS after a result (p. 8, 9, 12); as many results in a row must agree as the fault queue says. */
  const compare = (code: number) => {
    const [low, high] = limits.map(r.signed);
    const interrupt = has(r.INTERRUPT);
    const lowSide = interrupt ? waitsForLow : active;
    const beyond = lowSide ? code < low : code > high;
    inRow = beyond ? inRow + 1 : 0;
    if (inRow < QUEUES[(configuration >> r.QUEUE_SHIFT) & 3]) return;
    inRow = 0;
    if (interrupt) {
      active = true;
      waitsForLow = !waitsForLow;
    } else active = !active;
  };

  const convert = () => {
    let degrees = signals.temperature(now / 1e6, (k * CONVERSION) / 1e6);
    if (options.noise !== undefined) degrees += options.noise() * NOISE;
    const steps = (degrees - (extended ? r.EXTENDED_OFFSET : 0)) * r.PER_DEGREE;
    const rounded = steps < 0 ? -Math.round(-steps) : Math.round(steps);
    const code = Math.max(-32768, Math.min(32767, rounded)) | 0;
    if (!disturbed && extended === has(r.EXTENDED)) emulator.onConvert?.("temperature", code, now);
    result = code & 0xffff;
    extended = has(r.EXTENDED);
    k++;
    configuration &= ~r.ONE_SHOT;
    if (has(r.SHUTDOWN)) startedAt = Number.POSITIVE_INFINITY;
    else start();
    compare(code);
    update();
  };

  const configure = (value: number) => {
    const before = configuration;
    const idle = startedAt === Number.POSITIVE_INFINITY;
    configuration = (value & r.SETTINGS) | (before & r.ONE_SHOT);
    if (((value ^ before) & (r.SHUTDOWN | r.EXTENDED)) !== 0) disturbed = true;
    if (!has(r.SHUTDOWN)) {
      // Out of shutdown a conversion begins (p. 12).
      configuration &= ~r.ONE_SHOT;
      if ((before & r.SHUTDOWN) !== 0) {
        k = 0;
        start();
      }
    } else if ((before & r.SHUTDOWN) === 0) {
      // The conversion under way is completed (p. 12). In interrupt mode OS is reset.
      if (has(r.INTERRUPT)) active = false;
    } else if ((value & r.ONE_SHOT) !== 0 && idle) {
      // Only in shutdown (p. 13).
      configuration |= r.ONE_SHOT;
      k = 0;
      start();
    }
    update();
  };

  const fetch = (): number => {
    // A read of any register ends an interrupt (p. 9).
    if (has(r.INTERRUPT)) active = false;
    update();
    if (pointer === r.TEMPERATURE) return result;
    if (pointer === r.CONFIGURATION) return (configuration << 8) | configuration;
    // Beyond the last register nobody drives the bus.
    return pointer > r.TOS ? 0xffff : limits[pointer - r.THYST];
  };

  const emulator: I2cEmulator = {
    model: r.MODEL,
    address: options.address ?? r.ADDRESS,
    inputs: inputs as Readonly<Record<string, Input<never>>>,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return endsAt();
    },
    get interrupt() {
      return level;
    },
    set: (name, value) => setSignal(r.MODEL, signals, name, value),
    powerOn(at) {
      now = at;
      configuration = 0;
      result = 0;
      limits[0] = r.POR_THYST;
      limits[1] = r.POR_TOS;
      extended = active = waitsForLow = false;
      inRow = 0;
      k = 0;
      pointer = 0;
      start();
      update();
    },
    advance(to) {
      while (endsAt() <= to) {
        now = endsAt();
        convert();
      }
      now = Math.max(now, to);
    },
    start(read) {
      bytes = 0;
      pointed = read;
      return true;
    },
    write(byte) {
      if (!pointed) {
        pointer = byte & 0x03;
        pointed = true;
        return true;
      }
      // Configuration takes every byte, the limits their high byte first (p. 10).
      if (pointer === r.CONFIGURATION) configure(byte);
      else if (pointer === r.THYST || pointer === r.TOS) {
        const at = pointer - r.THYST;
        limits[at] = bytes % 2 === 0 ? (byte << 8) | (limits[at] & 0xff) : (limits[at] & 0xff00) | byte;
      }
      bytes++;
      if (bytes % 2 === 0) pointer++;
      return true;
    },
    read() {
      if (bytes % 2 === 0) word = fetch();
      bytes++;
      if (bytes % 2 === 0) {
        pointer++;
        return word & 0xff;
      }
      return word >> 8;
    },
    stop() {
      bytes = 0;
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "i2c", create } satisfies EmulatedChip;
