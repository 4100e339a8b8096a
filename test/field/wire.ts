/**
 * The bus as simple drivers have it: they wait for each transfer, and get no more of a failure than a transfer that brought
 * nothing. On the same board, chips and faults as the runtime's (world.ts).
 */
import type { Target } from "../../boards/board.ts";
import type { Op } from "../../drivers/driver.ts";
import type { World } from "./world.ts";

/** Thrown where a reader waits for ever. */
export class Hangs extends Error {}

export interface Wire {
  /** s of the world. */
  readonly now: number;
  /** I2C. null: nobody answered, or the bus did not move. */
  read(register: number, count: number): number[] | null;
  write(...bytes: number[]): boolean;
  /** SPI. */
  transfer(...bytes: number[]): number[];
  /** Lets time go by, ms. */
  delay(ms: number): void;
}

/** `which`: chip of the world. `address`: that the reader talks to. `patience`: it hangs after so many s of the world. */
export function createWire(world: World, which: number, address?: number, patience = 600): Wire {
  const { clock } = world;
  const { executor, emulator, select } = world.wired[which]!;
  const own = (emulator as { address?: number }).address;
  const target: Target = {
    model: emulator.model,
    maxHz: select === undefined ? 100_000 : 500_000,
    ...(select === undefined ? { address: address ?? own! } : { select }),
  };
  const run = (op: Op): { reply: number[]; ok: boolean } => {
    let result: { reply: number[]; ok: boolean } | null = null;
    executor.run(target, [op], ({ replies, error }) => {
      result = { reply: Array.from(replies[0] ?? []), ok: error === null };
    });
    while (result === null && clock.now < patience * 1e6 && clock.step());
    if (result === null || clock.now >= patience * 1e6) throw new Hangs(`still waiting after ${patience} s`);
    return result;
  };
  return {
    get now() {
      return clock.now / 1e6;
    },
    read(register, count) {
      const { reply, ok } = run({ read: count, at: register });
      return ok ? reply : null;
    },
    write: (...bytes) => run({ write: bytes }).ok,
    transfer: (...bytes) => run({ transfer: bytes }).reply,
    delay: (ms) => clock.runUntil(clock.now + ms * 1000),
  };
}
