/**
 * The face a user programs against, after ECMA-419 (3rd edition, 2025), section 13: one options object, callbacks only
 * in it and never from inside a public method, `sample()` that never touches the bus, `close()` that may be called twice.
 */
import type { AnalogExecutor, Board, Executor, Pin } from "../boards/board.ts";
import {
  type Block,
  type Channel,
  type Chip,
  type Driver,
  type Fault,
  FLAG_LEAD_OFF,
  type Frame,
  type Identity,
} from "../drivers/driver.ts";
import { createReader, type Reader } from "./reader.ts";

export interface SensorOptions<C> {
  /** The chip, as its folder exports it. */
  readonly driver: Chip<C>;
  readonly board: Board;
  /** How the chip is wired. */
  readonly sensor: {
    /** The bus, from `board.i2c(...)`, `board.spi(...)` or `board.analog(...)`. */
    readonly io: Executor | AnalogExecutor;
    /** 7-bit I2C address where it is not the chip's default; SPI select pin. */
    readonly address?: number;
    readonly select?: Pin;
    /** Pins of the chip that the board drives, by the chip's names for them (`Chip.pins`). */
    readonly pins?: Readonly<Record<string, Pin>>;
    /** Pins of the chip that an analog board reads (`Chip.inputs`), in the order of `board.analog({ inputs })`. */
    readonly inputs?: readonly string[];
  };
  /** Pin of the data-ready line. */
  readonly interrupt?: Pin;
  readonly configuration?: Partial<C>;
  /** There is a new sample. */
  readonly onReadable?: (sensor: Sensor<C>) => void;
  readonly onError?: (fault: Fault, sensor: Sensor<C>) => void;
}

/**
 * The newest batch, by ECMA-419 sensor class. Waveforms are arrays, oldest first; what was not measured is absent.
 * `time` and `uncertainty`: the first value's, by the board's clock, us.
 */
export interface Sample {
  time: number;
  uncertainty: number;
  /** Counts of the chip's converter. */
  photoplethysmograph?: { red?: Float64Array; infrared?: Float64Array; green?: Float64Array };
  /** `voltage` in V at the electrodes; `second`: that of a second lead, where the chip has one. */
  electrocardiograph?: { voltage?: Float64Array; second?: Float64Array; leadOff: boolean };
  /** `rrInterval` in s, as the chip's own detector says. */
  heartRateMonitor?: { rrInterval: Float64Array };
  /** V over the chest, whose impedance breathing changes; what an ohm is in them depends on the board. */
  respirationMonitor?: { voltage: Float64Array };
  /** Degrees Celsius: what is measured, the air around an infrared thermometer, the chip itself. */
  thermometer?: { temperature?: number; ambient?: number; die?: number };
}

/** 0 degrees Celsius in K, times 100. */
const ZERO_CELSIUS = 27315;

/** Which temperature a channel is. */
const THERMOMETERS: Record<string, "temperature" | "ambient" | "die"> = {
  temperature: "temperature",
  object: "temperature",
  ambient: "ambient",
  dieTemperature: "die",
};

const physical = (channel: Channel, block: Block): Float64Array => {
  const values = new Float64Array(block.count);
  let scale = channel.mul;
  for (let i = channel.exp10; i < 0; i++) scale /= 10;
  for (let i = 0; i < channel.exp10; i++) scale *= 10;
  for (let i = 0; i < block.count; i++) values[i] = (block.samples[i] + channel.offset) * scale;
  return values;
};

const toSample = (driver: Driver, frame: Frame): Sample | undefined => {
  const channels = driver.channels();
  let sample: Sample | undefined;
  for (let i = 0; i < channels.length; i++) {
    const block = frame.channels[i];
    if (block.count === 0) continue;
    const values = physical(channels[i], block);
    sample ??= { time: block.time, uncertainty: block.uncertainty };
    const name = channels[i].name;
    if (name === "ecg" || name === "ecg1") {
      const ecg = sample.electrocardiograph ?? { leadOff: false };
      if (name === "ecg") ecg.voltage = values;
      else ecg.second = values;
      ecg.leadOff = ecg.leadOff || (block.flags & FLAG_LEAD_OFF) !== 0;
      sample.electrocardiograph = ecg;
    } else if (name === "rrInterval") {
      sample.heartRateMonitor = { rrInterval: values };
    } else if (name === "respiration") {
      sample.respirationMonitor = { voltage: values };
    } else if (name === "red" || name === "infrared" || name === "green") {
      const ppg = sample.photoplethysmograph ?? {};
      ppg[name] = values;
      sample.photoplethysmograph = ppg;
    } else {
      const place = THERMOMETERS[name];
      if (place === undefined) continue;
      const last = values[values.length - 1];
      const thermometer = sample.thermometer ?? {};
      thermometer[place] = channels[i].unit === "K" ? last - ZERO_CELSIUS / 100 : last;
      sample.thermometer = thermometer;
    }
  }
  return sample;
};

/** One chip on one board. The constructor opens it; faults and samples come by the callbacks. */
export class Sensor<C> {
  private readonly chip: Driver<C>;
  private readonly reader: Reader;
  private newest: Sample | undefined;
  private open: boolean;

  /** Throws Error on a configuration that the chip does not have. */
  constructor(options: SensorOptions<C>) {
    const wired = options.sensor;
    const wiring = Object.assign(
      { maxRead: wired.io.maxRead, interrupt: options.interrupt !== undefined, inputs: wired.inputs ?? [] },
      wired.address === undefined ? null : { address: wired.address },
      wired.pins === undefined ? null : { pins: Object.keys(wired.pins) },
      "converter" in wired.io ? { converter: wired.io.converter } : null,
    );
    this.chip = options.driver.create(options.configuration ?? {}, wiring);
    this.open = true;
    this.newest = undefined;
    const attachment = Object.assign(
      { driver: this.chip as Driver, executor: wired.io },
      wired.select === undefined ? null : { select: wired.select },
      wired.pins === undefined ? null : { pins: wired.pins },
      options.interrupt === undefined ? null : { interrupt: options.interrupt },
    );
    this.reader = createReader(options.board, attachment, {
      onFrame: (frame) => {
        const sample = toSample(this.chip as Driver, frame);
        if (sample === undefined || !this.open) return;
        this.newest = sample;
        if (options.onReadable !== undefined) options.onReadable(this);
      },
      onFault: (fault) => {
        if (this.open && options.onError !== undefined) options.onError(fault, this);
      },
      onRestart: () => {},
    });
    // Not from inside the constructor: a bus that answers at once would call back before `new` has returned.
    options.board.timer(0, () => {
      if (this.open) this.reader.open(() => {});
    });
  }

  private check(what: string): void {
    if (!this.open) throw new Error(`${this.chip.model}: ${what} after close(); make a new Sensor`);
  }

  /** Changes what can be changed while it runs. Throws Error where the change needs close and a new Sensor. */
  configure(next: C): void {
    this.check("configure()");
    const step = this.chip.reconfigure(next);
    if (step === null) {
      throw new Error(`${this.chip.model}: this change needs another channel layout; close() and make a new Sensor`);
    }
    this.reader.perform(step, () => {});
  }

  /** The newest batch, once; undefined where nothing new has come. Never touches the bus. */
  sample(): Sample | undefined {
    this.check("sample()");
    const sample = this.newest;
    this.newest = undefined;
    return sample;
  }

  get configuration(): C {
    this.check("configuration");
    return this.chip.configuration;
  }

  /** Who answered; null until it has. */
  get identification(): Identity | null {
    this.check("identification");
    return this.reader.identity;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.reader.close(() => {});
  }
}
