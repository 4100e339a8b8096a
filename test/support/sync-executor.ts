/**
 * The smallest board there can be: bytes straight into an emulator, time that moves only inside, everything at once.
 * Every operation is done, and `done` called, before `run` returns; a timer has run out when `timer` returns.
 */
import type { Board, Executor, Target } from "../../boards/board.ts";
import type { Converter, Driver, Op, Outcome, Sampled } from "../../drivers/driver.ts";
import type { AnalogEmulator, I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import type { Edges } from "../../firmware/steps.ts";
import type { AnyEmulator } from "../../simulator/bench.ts";

/** Bus clocks, hz: these, or the target's where it is slower. */
const I2C_HZ = 400_000;
const SPI_HZ = 4_000_000;

export interface SyncBoard {
  readonly now: number;
  /** What a step runner needs of a board. */
  readonly board: Board;
  readonly executor: Executor;
  readonly edges: Edges;
  /** Lets time go by, us, or until the data-ready line calls. */
  wait(us: number, untilEdge: boolean): void;
}

/** Powers an emulator. `edge`: of its data-ready line, null: not wired. */
export function createSyncBoard(
  emulator: AnyEmulator,
  edge: Driver["dataReady"],
  converter: Converter = { bits: 12, reference: 3.3 },
): SyncBoard {
  const edges: Edges = { count: 0, at: 0 };
  let now = 0;
  let period = 0;
  let nextSample = Number.POSITIVE_INFINITY;
  let codes: number[] = [];
  let seen = 0;
  /** What a byte takes, us. */
  let byte = 0;

  const convert = (chip: AnalogEmulator) => {
    const full = 2 ** converter.bits;
    const code = Math.max(0, Math.min(full - 1, Math.floor((chip.voltage() / converter.reference) * full)));
    chip.onConvert?.(chip.output, code, nextSample);
    codes.push(code);
    seen |= chip.levels;
    nextSample += period;
  };
  /** Moves on, and stops at everything that happens on the way. */
  const go = (until: number, untilEdge = false) => {
    while (!untilEdge || edges.count === 0) {
      const next = Math.min(emulator.nextAt, nextSample, until);
      now = Math.max(now, next);
      emulator.advance(now);
      if ("voltage" in emulator && nextSample <= now) convert(emulator);
      else if (next >= until) return;
    }
  };

  const i2c = (chip: I2cEmulator, op: Op): Uint8Array | null => {
    const acknowledged = (did: boolean) => {
      if (!did) throw new Error(`${chip.model}: not acknowledged`);
      go(now + byte);
    };
    if ("write" in op) {
      acknowledged(chip.start(false));
      for (const value of op.write) acknowledged(chip.write(value));
      chip.stop();
      return null;
    }
    if (!("read" in op)) throw new Error("no operation of I2C");
    if (op.at !== undefined) {
      acknowledged(chip.start(false));
      acknowledged(chip.write(op.at));
    }
    acknowledged(chip.start(true));
    const reply = new Uint8Array(op.read);
    for (let i = 0; i < op.read; i++) {
      go(now + byte);
      reply[i] = chip.read();
    }
    chip.stop();
    return reply;
  };
  const spi = (chip: SpiEmulator, op: Op): Uint8Array => {
    if (!("transfer" in op)) throw new Error("no operation of SPI");
    chip.select();
    const reply = Uint8Array.from(op.transfer, (value) => {
      go(now + byte);
      return chip.exchange(value);
    });
    chip.deselect();
    return reply;
  };
  const perform = (op: Op): Uint8Array | null => {
    if ("pin" in op) {
      emulator.pin?.(op.pin, op.level);
      return null;
    }
    if ("exchange" in emulator) return spi(emulator, op);
    if ("start" in emulator) return i2c(emulator, op);
    if (!("sample" in op)) throw new Error("no operation of an analog chip");
    period = op.sample === 0 ? 0 : 1e6 / op.sample;
    nextSample = op.sample === 0 ? Number.POSITIVE_INFINITY : now;
    codes = [];
    seen = 0;
    return null;
  };
  const take = (): Sampled => {
    const { levels } = emulator as AnalogEmulator;
    const lastAt = nextSample - period;
    const firstAt = lastAt - (codes.length - 1) * period;
    const count = codes.length;
    const samples = Int32Array.from(codes);
    const inputs = seen | levels;
    codes = [];
    seen = 0;
    return { samples, count, firstAt, lastAt, uncertainty: 0, lost: 0, inputs };
  };

  const executor: Executor = {
    maxRead: 1024,
    run(target: Target, ops: readonly Op[], done) {
      byte = "exchange" in emulator ? 8e6 / Math.min(SPI_HZ, target.maxHz) : 9e6 / Math.min(I2C_HZ, target.maxHz);
      go(now);
      const began = now;
      const sampled = period > 0 ? take() : null;
      const replies = ops.map(perform).filter((reply) => reply !== null);
      const outcome: Outcome = {
        replies,
        error: null,
        began,
        ended: now,
        edges: 0,
        edgeAt: 0,
        inputs: "levels" in emulator ? emulator.levels : 0,
        ...(sampled !== null && { sampled }),
      };
      done(outcome);
    },
  };
  const board = {
    timer(ms: number, callback: () => void) {
      go(now + ms * 1000);
      callback();
      return () => {};
    },
  } as Board;

  if (edge !== null) {
    emulator.onInterrupt = (level, at) => {
      if (level !== (edge === "rising" ? 1 : 0)) return;
      edges.count++;
      edges.at = at;
    };
  }
  emulator.powerOn(0);
  return {
    get now() {
      return now;
    },
    board,
    executor,
    edges,
    wait: (us, untilEdge) => go(now + us, untilEdge),
  };
}
