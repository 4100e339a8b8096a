/**
 * A board in virtual time: buses that take the time their clock says, chips that are register-level emulators, pins,
 * timers, a host that can stall. It performs a step's operations one after the other and calls `done` later, when the
 * bus would be done; so whatever runs on it runs on an asynchronous bus too.
 */
import type { BusError, Op, Outcome } from "../drivers/driver.ts";
import type { Emulator, I2cEmulator, SpiEmulator } from "../drivers/emulator.ts";
import type { Board, Executor, I2cOptions, Pin, SpiOptions, Storage, Target } from "./board.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

/** Decides before a step whether its bus fails, and how; null: it works. */
export type BusFault = (target: Target, ops: readonly Op[]) => BusError["kind"] | null;

export interface SimulatedBoard extends Board {
  attachI2c(bus: I2cOptions, chip: I2cEmulator, interrupt?: Pin): void;
  attachSpi(bus: SpiOptions, select: Pin, chip: SpiEmulator, interrupt?: Pin): void;
  /** The host does nothing for `ms` from now: timers, edges and outcomes wait; the chips go on. */
  stall(ms: number): void;
  /** A seam for faults on the bus; null: none. */
  busFault: BusFault | null;
}

/** Default bus clocks, hz. */
const I2C_HZ = 400_000;
const SPI_HZ = 4_000_000;
/** A bus that is stuck is given up after this, us. */
const TIME_LIMIT = 25_000;

interface Watcher {
  readonly pin: Pin;
  readonly level: 0 | 1;
  readonly callback: (at: number) => void;
}

/** What a bus does with one operation: the reply, and the bits that it took. Throws a string: the kind of failure. */
type Perform = (target: Target, op: Op, advance: (bits: number) => void) => Uint8Array | null;

class BusFailure {
  readonly kind: BusError["kind"];
  constructor(kind: BusError["kind"]) {
    this.kind = kind;
  }
}

const describe = (op: Op | undefined): string => {
  if (op === undefined) return "step";
  if ("write" in op) return `write of ${op.write.length} bytes to register 0x${(op.write[0] ?? 0).toString(16)}`;
  if ("read" in op)
    return `read of ${op.read} bytes${op.at === undefined ? "" : ` at register 0x${op.at.toString(16)}`}`;
  if ("transfer" in op)
    return `transfer of ${op.transfer.length} bytes, command 0x${(op.transfer[0] ?? 0).toString(16)}`;
  return `pin ${op.pin}`;
};

const ADVICE: Record<BusError["kind"], string> = {
  nack: "not acknowledged; check wiring, power and address",
  timeout: "no answer in time; check the pull-ups, and whether a chip holds the line",
  short: "fewer bytes than asked for; check the wiring and slow the bus down",
  bus: "the bus failed; check the wiring",
};

/** Makes a board that starts now. `model` as `Board.model`; storage in memory unless given. */
export function createSimulatedBoard(clock: VirtualClock, storage: Storage = createMemoryStorage()): SimulatedBoard {
  const bootAt = clock.now;
  const watchers: Watcher[] = [];
  const buses = new Map<string, { readonly executor: Executor; readonly chips: Map<number | Pin, Emulator> }>();
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
          if (watchers.includes(watcher)) watcher.callback(at - bootAt);
        });
      }
    };
    chip.powerOn(clock.now);
    return createWaker(clock, chip);
  };

  const createBus = (hz: number, perform: (chips: Map<number | Pin, Emulator>) => Perform) => {
    const chips = new Map<number | Pin, Emulator>();
    const act = perform(chips);
    const queue: (() => void)[] = [];
    let busy = false;
    let limitHz = hz;

    const runNow = (target: Target, ops: readonly Op[], done: (outcome: Outcome) => void) => {
      const began = clock.now;
      limitHz = Math.min(limitHz, target.maxHz);
      const chip = chips.get(target.address ?? target.select ?? "");
      const replies: Uint8Array[] = [];
      let time = began;
      let at = 0;
      let error: BusError | null = null;
      const advance = (bits: number) => {
        time += (bits * 1e6) / limitHz;
        chip?.advance(time);
      };
      try {
        const fault = board.busFault?.(target, ops) ?? null;
        if (fault === "timeout") time += TIME_LIMIT;
        if (fault !== null) throw new BusFailure(fault);
        for (at = 0; at < ops.length; at++) {
          chip?.advance(time);
          const reply = act(target, ops[at], advance);
          if (reply !== null) replies.push(reply);
        }
      } catch (thrown) {
        if (!(thrown instanceof BusFailure)) throw thrown;
        const where =
          target.address === undefined ? `select ${target.select}` : `address 0x${target.address.toString(16)}`;
        error = {
          kind: thrown.kind,
          op: at,
          message: `${target.model} at ${where}: ${describe(ops[at])}: ${ADVICE[thrown.kind]}`,
        };
      }
      if (chip !== undefined) wakers.get(chip)?.();
      host(time, () => {
        const next = queue.shift();
        // The bus is free for whoever waited before the one that just finished asks again.
        if (next === undefined) busy = false;
        else next();
        done({ replies, error, began: began - bootAt, ended: time - bootAt, edges: 0, edgeAt: 0, inputs: 0 });
      });
    };
    const executor: Executor = {
      maxRead: 1024,
      run(target, ops, done) {
        const start = () => runNow(target, ops, done);
        if (busy) queue.push(start);
        else {
          busy = true;
          start();
        }
      },
    };
    return { executor, chips };
  };

  const wakers = new Map<Emulator, () => void>();
  const busOf = (key: string, hz: number, perform: (chips: Map<number | Pin, Emulator>) => Perform) => {
    let bus = buses.get(key);
    if (bus === undefined) {
      bus = createBus(hz, perform);
      buses.set(key, bus);
    }
    return bus;
  };
  const i2cBus = (o: I2cOptions) => busOf(`i2c ${o.data} ${o.clock}`, o.hz ?? I2C_HZ, i2cPerform);
  const spiBus = (o: SpiOptions) => busOf(`spi ${o.out} ${o.in} ${o.clock}`, o.hz ?? SPI_HZ, spiPerform);

  const board: SimulatedBoard = {
    model: "simulated",
    busFault: null,
    storage,
    i2c: (options) => i2cBus(options).executor,
    spi: (options) => spiBus(options).executor,
    analog() {
      throw new Error(
        "simulated board: it has no analog chip attached; remove the analog sensor from the configuration",
      );
    },
    now: () => clock.now - bootAt,
    timer: (ms, callback) => {
      let cancelled = false;
      const cancel = host(clock.now + ms * 1000, () => {
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

/** I2C: nine clocks a byte; a missing chip does not acknowledge its address. */
function i2cPerform(chips: Map<number | Pin, Emulator>): Perform {
  return (target, op, advance) => {
    const chip = chips.get(target.address ?? -1) as I2cEmulator | undefined;
    const send = (byte: number) => {
      advance(9);
      if (!chip!.write(byte)) throw new BusFailure("nack");
    };
    const start = (read: boolean) => {
      advance(10);
      if (chip === undefined || !chip.start(read)) throw new BusFailure("nack");
    };
    if ("pin" in op) {
      chip?.pin?.(op.pin, op.level);
      return null;
    }
    if ("transfer" in op) throw new Error(`${target.model}: a transfer is for SPI, this bus is I2C`);
    let reply: Uint8Array | null = null;
    try {
      if ("write" in op) {
        start(false);
        for (const byte of op.write) send(byte);
      } else {
        if (op.at !== undefined) {
          start(false);
          send(op.at);
        }
        start(true);
        reply = new Uint8Array(op.read);
        for (let i = 0; i < op.read; i++) {
          advance(9);
          reply[i] = chip!.read();
        }
      }
    } finally {
      advance(1);
      chip?.stop();
    }
    return reply;
  };
}

/** SPI: eight clocks a byte; a missing chip leaves the line high. */
function spiPerform(chips: Map<number | Pin, Emulator>): Perform {
  return (target, op, advance) => {
    const chip = chips.get(target.select ?? "") as SpiEmulator | undefined;
    if ("pin" in op) {
      chip?.pin?.(op.pin, op.level);
      return null;
    }
    if (!("transfer" in op)) throw new Error(`${target.model}: SPI knows transfers only`);
    const reply = new Uint8Array(op.transfer.length);
    chip?.select();
    for (let i = 0; i < reply.length; i++) {
      advance(8);
      reply[i] = chip === undefined ? 0xff : chip.exchange(op.transfer[i]);
    }
    chip?.deselect();
    return reply;
  };
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
