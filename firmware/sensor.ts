/**
 * The face a user programs against, after ECMA-419 (3rd edition, 2025), section 13: one options object, callbacks only
 * in it and never from inside a public method, `sample()` that never touches the bus, `close()` that may be called twice.
 */
import type { Board, Executor, Pin } from "../boards/board.ts";
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
  /** The bus, from `board.i2c(...)` or `board.spi(...)`; I2C address or SPI select pin where not the default. */
  readonly sensor: { readonly io: Executor; readonly address?: number; readonly select?: Pin };
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
  photoplethysmograph?: { red?: Float64Array; infrared?: Float64Array };
  /** `voltage` in V at the electrodes. */
  electrocardiograph?: { voltage: Float64Array; leadOff: boolean };
  /** `temperature` in degrees Celsius. */
  thermometer?: { temperature: number };
}

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
    if (channels[i].name === "ecg") {
      sample.electrocardiograph = { voltage: values, leadOff: (block.flags & FLAG_LEAD_OFF) !== 0 };
    } else if (channels[i].name === "temperature") {
      sample.thermometer = { temperature: values[values.length - 1] };
    } else {
      const ppg = sample.photoplethysmograph ?? {};
      if (channels[i].name === "red") ppg.red = values;
      else ppg.infrared = values;
      sample.photoplethysmograph = ppg;
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
    const wiring = Object.assign(
      { maxRead: options.sensor.io.maxRead, interrupt: options.interrupt !== undefined },
      options.sensor.address === undefined ? null : { address: options.sensor.address },
    );
    this.chip = options.driver.create(options.configuration ?? {}, wiring);
    this.open = true;
    this.newest = undefined;
    const attachment = Object.assign(
      { driver: this.chip as Driver, executor: options.sensor.io },
      options.sensor.select === undefined ? null : { select: options.sensor.select },
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
