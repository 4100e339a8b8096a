/**
 * A board in virtual time: buses that take the time their clock says, chips that are register-level emulators, pins,
 * timers, a host that can stall. It performs a step's operations one after the other and calls `done` later, when the
 * bus would be done; so whatever runs on it runs on an asynchronous bus too.
 */
import type { Converter } from "../drivers/driver.ts";
import type { AnalogEmulator, Emulator, I2cEmulator, SpiEmulator } from "../drivers/emulator.ts";
import type { AnalogOptions, Board, I2cOptions, Pin, SpiOptions, Storage } from "./board.ts";
import { type AnalogInput, createAnalog } from "./simulated-analog.ts";
import { type Bus, type BusFault, type BusHost, createBus } from "./simulated-buses.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export type { BusFault, SimulatedFailure } from "./simulated-buses.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

export interface SimulatedBoard extends Board {
  attachI2c(bus: I2cOptions, chip: I2cEmulator, interrupt?: Pin): void;
  attachSpi(bus: SpiOptions, select: Pin, chip: SpiEmulator, interrupt?: Pin): void;
  /** `inputs`: the pins that the chip's levels are wired to, in the order of their bits. */
  attachAnalog(options: AnalogOptions, chip: AnalogEmulator, converter?: Converter): void;
  /** The host does nothing for `ms` from now: timers, edges and outcomes wait; the chips go on. */
  stall(ms: number): void;
  /**
   * A chip holds SDA low from now until a recovery has given it so many clock pulses (Infinity: for good; 0: it lets go now);
   * every operation on that bus times out meanwhile. Throws Error on a number below 0.
   */
  holdData(bus: I2cOptions, clocks: number): void;
  /**
   * Every bit on that bus takes `factor` times as long from now (1: as its clock says); operations time out where a bit
   * takes longer than 25 ms. Throws Error on a factor below 1.
   */
  slowClock(bus: I2cOptions, factor: number): void;
  /** A seam for faults on the bus; null: none. */
  busFault: BusFault | null;
}

/** Default bus clocks, hz. */
const I2C_HZ = 400_000;
const SPI_HZ = 4_000_000;
/** Its converter, unless another one is asked for: that of an ESP32 at full attenuation, made ideal. */
const CONVERTER: Converter = { bits: 12, reference: 3.3 };

interface Watcher {
  readonly pin: Pin;
  readonly level: 0 | 1;
  readonly callback: (at: number) => void;
}

/** What a board's clock shows, us since boot, after so many true us since boot: rising, near to 1 us a us. */
export type Crystal = (since: number) => number;

/** Steps of Newton's way from what a crystal shows to the true time: each makes the error a ten-thousandth at least. */
const INVERSION_STEPS = 4;

/** Makes a board that starts now; storage in memory and a clock that is true unless given. */
export function createSimulatedBoard(
  clock: VirtualClock,
  storage: Storage = createMemoryStorage(),
  crystal: Crystal | null = null,
): SimulatedBoard {
  const bootAt = clock.now;
  const local = (time: number) => (crystal === null ? time - bootAt : crystal(time - bootAt));
  const truly = (shown: number) => {
    if (crystal === null) return shown + bootAt;
    let since = shown;
    for (let i = 0; i < INVERSION_STEPS; i++) since -= crystal(since) - shown;
    return since + bootAt;
  };
  const watchers: Watcher[] = [];
  const buses = new Map<string, Bus>();
  const analogs = new Map<Pin, AnalogInput>();
  const wakers = new Map<Emulator, () => void>();
  let hostFreeAt = 0;

  /** Runs a callback of the host at a time, or when its stall ends. */
  const host = (time: number, callback: () => void) =>
    clock.at(time, () => {
      if (clock.now < hostFreeAt) host(hostFreeAt, callback);
      else callback();
    });

  /** Keeps a chip living: one event at its next own moment. */
  const animate = (chip: Emulator, interrupt: Pin | undefined) => {
    chip.onInterrupt = (level, at) => {
      for (const watcher of watchers) {
        if (watcher.pin !== interrupt || watcher.level !== level) continue;
        // An edge seen while a step runs ahead of the clock still happens at its own time.
        host(at, () => {
          if (watchers.includes(watcher)) watcher.callback(local(at));
        });
      }
    };
    chip.powerOn(clock.now);
    return createWaker(clock, chip);
  };

  const busHost: BusHost = {
    local,
    truly,
    get now() {
      return clock.now;
    },
    get fault() {
      return board.busFault;
    },
    at: host,
    touched: (chip) => wakers.get(chip)?.(),
  };
  const busOf = (kind: "i2c" | "spi", pins: string, hz: number) => {
    const key = `${kind} ${pins}`;
    const bus = buses.get(key) ?? createBus(busHost, kind, hz);
    buses.set(key, bus);
    return bus;
  };
  const i2cBus = (o: I2cOptions) => busOf("i2c", `${o.data} ${o.clock}`, o.hz ?? I2C_HZ);
  const spiBus = (o: SpiOptions) => busOf("spi", `${o.out} ${o.in} ${o.clock}`, o.hz ?? SPI_HZ);

  const board: SimulatedBoard = {
    model: "simulated",
    busFault: null,
    storage,
    i2c: (options) => i2cBus(options).executor,
    spi: (options) => spiBus(options).executor,
    analog(options) {
      const input = analogs.get(options.pin);
      if (input === undefined) {
        throw new Error(
          `simulated board: no analog chip at pin ${options.pin}; attach one, or remove it from the configuration`,
        );
      }
      return createAnalog(busHost, clock, input, options.inputs ?? []);
    },
    now: () => local(clock.now),
    timer: (ms, callback) => {
      let cancelled = false;
      const at = crystal === null ? clock.now + ms * 1000 : truly(local(clock.now) + ms * 1000);
      const cancel = host(at, () => {
        if (!cancelled) callback();
      });
      return () => {
        cancelled = true;
        cancel();
      };
    },
    watch(pin, edge, callback) {
      const watcher: Watcher = { pin, level: edge === "rising" ? 1 : 0, callback };
      watchers.push(watcher);
      return () => {
        const index = watchers.indexOf(watcher);
        if (index >= 0) watchers.splice(index, 1);
      };
    },
    attachI2c(options, chip, interrupt) {
      const { chips } = i2cBus(options);
      if (chips.has(chip.address)) {
        throw new Error(
          `simulated board: two chips at I2C address 0x${chip.address.toString(16)}; give one another address`,
        );
      }
      chips.set(chip.address, chip);
      wakers.set(chip, animate(chip, interrupt));
    },
    attachSpi(options, select, chip, interrupt) {
      spiBus(options).chips.set(select, chip);
      wakers.set(chip, animate(chip, interrupt));
    },
    attachAnalog(options, chip, converter = CONVERTER) {
      analogs.set(options.pin, { chip, inputs: options.inputs ?? [], converter });
      wakers.set(chip, animate(chip, undefined));
    },
    holdData(options, clocks) {
      if (!(clocks >= 0)) throw new Error(`simulated board: SDA held for ${clocks} clocks; give 0 or more`);
      i2cBus(options).line.held = clocks;
    },
    slowClock(options, factor) {
      if (!(factor >= 1)) throw new Error(`simulated board: a clock ${factor} times as slow; give 1 or more`);
      i2cBus(options).line.slow = factor;
    },
    stall(ms) {
      hostFreeAt = Math.max(hostFreeAt, clock.now + ms * 1000);
    },
  };
  return board;
}

/** Wakes a chip at its `nextAt`, and again; returns what to call when a transaction may have changed that time. */
function createWaker(clock: VirtualClock, chip: Emulator): () => void {
  let scheduledAt = Number.POSITIVE_INFINITY;
  let cancel = () => {};
  const plan = () => {
    if (chip.nextAt === scheduledAt) return;
    cancel();
    scheduledAt = chip.nextAt;
    if (scheduledAt === Number.POSITIVE_INFINITY) return;
    cancel = clock.at(scheduledAt, () => {
      scheduledAt = Number.POSITIVE_INFINITY;
      chip.advance(clock.now);
      plan();
    });
  };
  plan();
  return plan;
}

/** Storage that lives as long as the process. */
export function createMemoryStorage(): Storage {
  const files = new Map<string, Uint8Array>();
  return {
    read: (name) => files.get(name)?.slice(),
    write: (name, bytes) => {
      files.set(name, bytes.slice());
    },
  };
}
