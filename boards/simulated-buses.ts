/** Simulated I2C and SPI: operations one after the other, byte by byte, each as long as the bus clock says. */
import type { BusError, Op, Outcome } from "../drivers/driver.ts";
import type { Emulator, I2cEmulator, SpiEmulator } from "../drivers/emulator.ts";
import type { Executor, Pin, Target } from "./board.ts";

/** A failure to be simulated: at once, or when so many bytes of the operation (its address counts) have gone through. */
export type SimulatedFailure = BusError["kind"] | { readonly kind: BusError["kind"]; readonly after: number };

/** Decides before operation `at` of a step whether it fails, and how; null: it works. */
export type BusFault = (target: Target, ops: readonly Op[], at: number) => SimulatedFailure | null;

/** What a bus asks of its board. */
export interface BusHost {
  /** us. */
  readonly now: number;
  /** What the board's clock shows at a time, us since boot, and the other way round. */
  local(time: number): number;
  truly(shown: number): number;
  readonly fault: BusFault | null;
  /** Runs a callback of the host at a time, or when its stall ends. */
  at(time: number, callback: () => void): void;
  /** A transaction may have changed when this chip next wants to be woken. */
  touched(chip: Emulator): void;
}

export interface Bus {
  readonly executor: Executor;
  /** By address or select pin. */
  readonly chips: Map<number | Pin, Emulator>;
  readonly line: Line;
}

/** What is wrong with the wires. */
export interface Line {
  /** Clocks that a recovery must give before the chip that holds SDA lets go; 0: nobody holds it. */
  held: number;
  /** A bit takes so many times as long as the clock says. */
  slow: number;
}

/** A bus that is stuck is given up after this, us: also where a single bit takes so long (SMBus 3.1, T_TIMEOUT). */
const TIME_LIMIT = 25_000;
/** Clocks of a recovery: the rest of a byte and its acknowledge, whichever bit a chip stands at. */
const RECOVERY_CLOCKS = 9;

/** Does one operation; `advance` lets so many bits of time go by and throws BusFailure where the bus is to fail. */
type Perform = (chip: Emulator | undefined, op: Op, advance: (bits: number) => void) => Uint8Array | null;

class BusFailure {
  readonly kind: BusError["kind"];
  constructor(kind: BusError["kind"]) {
    this.kind = kind;
  }
}

const ADVICE: Record<BusError["kind"], string> = {
  nack: "not acknowledged; check wiring, power and address",
  timeout: "no answer in time; check the pull-ups, and whether a chip holds the line",
  short: "fewer bytes than asked for; check the wiring and slow the bus down",
  bus: "the bus failed; check the wiring",
};

const hex = (value: number) => `0x${value.toString(16)}`;

function describe(op: Op): string {
  if ("write" in op) return `write of ${op.write.length} bytes to register ${hex(op.write[0] ?? 0)}`;
  if ("read" in op) return `read of ${op.read} bytes${op.at === undefined ? "" : ` at register ${hex(op.at)}`}`;
  if ("transfer" in op) return `transfer of ${op.transfer.length} bytes, command ${hex(op.transfer[0] ?? 0)}`;
  return "pin" in op ? `pin ${op.pin}` : "sample";
}

/** Makes a bus of at most `hz`; it slows down to its slowest member. */
export function createBus(host: BusHost, kind: "i2c" | "spi", hz: number): Bus {
  const chips = new Map<number | Pin, Emulator>();
  const perform = kind === "i2c" ? performI2c : performSpi;
  const line: Line = { held: 0, slow: 1 };
  const queue: (() => void)[] = [];
  let busy = false;
  let limitHz = hz;
  const duration = (bits: number) => (bits * line.slow * 1e6) / limitHz;

  /** Runs what has the whole bus: at once, or when those before it are done. */
  const claim = (start: () => void) => {
    if (busy) queue.push(start);
    else {
      busy = true;
      start();
    }
  };
  /** The bus is free at `time`, for whoever waited before the one that then asks again in `done`. */
  const release = (time: number, done: () => void) =>
    host.at(time, () => {
      const next = queue.shift();
      if (next === undefined) busy = false;
      else next();
      done();
    });

  const runNow = (target: Target, ops: readonly Op[], done: (outcome: Outcome) => void) => {
    const began = host.now;
    limitHz = Math.min(limitHz, target.maxHz);
    const chip = chips.get((kind === "i2c" ? target.address : target.select) ?? "");
    const replies: Uint8Array[] = [];
    let time = began;
    let at = 0;
    let error: BusError | null = null;
    let failing: { kind: BusError["kind"]; after: number } | null = null;
    const advance = (bits: number) => {
      if (failing !== null && failing.after-- <= 0) {
        const { kind } = failing;
        failing = null;
        if (kind === "timeout") time += TIME_LIMIT;
        throw new BusFailure(kind);
      }
      if (duration(1) > TIME_LIMIT) {
        time += TIME_LIMIT;
        throw new BusFailure("timeout");
      }
      time += duration(bits);
      chip?.advance(time);
    };
    try {
      for (at = 0; at < ops.length; at++) {
        chip?.advance(time);
        const stuck = line.held > 0 && !("pin" in ops[at]);
        const failure = stuck ? "timeout" : (host.fault?.(target, ops, at) ?? null);
        if (failure !== null) failing = typeof failure === "string" ? { kind: failure, after: 0 } : { ...failure };
        // One that is to fail at once, or on a line of its own, does not begin.
        if (failing?.after === 0 || (failing !== null && "pin" in ops[at])) advance(0);
        const reply = perform(chip, ops[at], advance);
        failing = null;
        if (reply !== null) replies.push(reply);
      }
    } catch (thrown) {
      if (!(thrown instanceof BusFailure)) throw thrown;
      const where = target.address === undefined ? `select ${target.select}` : `address ${hex(target.address)}`;
      const message = `${target.model} at ${where}: ${describe(ops[at])}: ${ADVICE[thrown.kind]}`;
      error = { kind: thrown.kind, op: at, message };
    }
    if (chip !== undefined) host.touched(chip);
    release(time, () =>
      done({ replies, error, began: host.local(began), ended: host.local(time), edges: 0, edgeAt: 0, inputs: 0 }),
    );
  };
  const recoverNow = (done: (free: boolean) => void) => {
    line.held = Math.max(0, line.held - RECOVERY_CLOCKS);
    const free = line.held === 0;
    const stopBit = 1;
    release(host.now + Math.min(duration(RECOVERY_CLOCKS + stopBit), TIME_LIMIT), () => done(free));
  };
  const executor: Executor = {
    maxRead: 1024,
    run: (target, ops, done) => claim(() => runNow(target, ops, done)),
    ...(kind === "i2c" && { recover: (done) => claim(() => recoverNow(done)) }),
  };
  return { executor, chips, line };
}

/** Nine clocks a byte; a missing chip does not acknowledge its address. */
const performI2c: Perform = (found, op, advance) => {
  const chip = found as I2cEmulator | undefined;
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
  if ("transfer" in op) throw new Error("a transfer is for SPI, this bus is I2C; see the driver's `bus`");
  if ("sample" in op) throw new Error("I2C samples no voltage; see the driver's `bus`");
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
  } catch (failure) {
    chip?.stop();
    throw failure;
  }
  advance(1);
  chip?.stop();
  return reply;
};

/** Eight clocks a byte; a missing chip leaves the line high. */
const performSpi: Perform = (found, op, advance) => {
  const chip = found as SpiEmulator | undefined;
  if ("pin" in op) {
    chip?.pin?.(op.pin, op.level);
    return null;
  }
  if (!("transfer" in op)) throw new Error("SPI knows transfers only; see the driver's `bus`");
  const reply = new Uint8Array(op.transfer.length);
  chip?.select();
  try {
    for (let i = 0; i < reply.length; i++) {
      advance(8);
      reply[i] = chip === undefined ? 0xff : chip.exchange(op.transfer[i]);
    }
  } finally {
    chip?.deselect();
  }
  return reply;
};
