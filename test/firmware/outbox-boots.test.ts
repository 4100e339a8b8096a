/** What an outbox takes over from the boot before, and what it does where that, or its flash, is not as it should be. */
import { expect, test } from "vitest";
import type { Storage } from "../../boards/board.ts";
import { createMemoryStorage, createSimulatedBoard } from "../../boards/simulated.ts";
import { createSimulatedFlash } from "../../boards/simulated-flash.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { MAX_SEQ } from "../../firmware/gone.ts";
import { createOutbox, type LogSettings } from "../../firmware/outbox.ts";
import { bench, newTruth } from "./power-cuts.ts";

function opened(storage: Storage, boot: number, log: LogSettings | null = null) {
  const clock = createVirtualClock();
  const durable: number[] = [];
  const failed: string[] = [];
  const outbox = createOutbox({
    board: createSimulatedBoard(clock, storage),
    boot,
    capacity: 8192,
    log,
    onDurable: ({ seq }) => durable.push(seq),
    onFailed: ({ message }) => failed.push(message),
  });
  return { clock, outbox, durable, failed };
}
const bytes = (size = 100) => new Uint8Array(size);
const flashOf = (pages = 8) => createSimulatedFlash({ pageSize: 4096, pages });
const logOn = (flash: ReturnType<typeof flashOf>): LogSettings => ({ flash, writeAfter: 0, markEvery: 10_000 });

test("in RAM alone: of a boot that did not say goodbye nothing more will come, and when it died nobody knows", () => {
  const storage = createMemoryStorage();
  expect(opened(storage, 1).outbox.gone).toEqual([]);
  const second = opened(storage, 2).outbox;
  const lost = { boot: 1, first: 0, last: MAX_SEQ, reason: 2, end: null };
  expect(second.gone).toEqual([lost]);
  // nobody has to be heard for it
  expect(second.takeGone(true)).toEqual([lost]);
  // it was told by nothing that is durable: the next boot tells it again, and its own
  expect(
    opened(storage, 3)
      .outbox.gone.map(({ boot }) => boot)
      .sort(),
  ).toEqual([1, 2]);
});

test("after a goodbye only what waited in RAM is gone, by its number; with all of it settled, nothing", () => {
  const storage = createMemoryStorage();
  const { outbox } = opened(storage, 1);
  for (let seq = 0; seq < 4; seq++) outbox.add("data", 1, seq, bytes(), {});
  const kid = bytes(8);
  outbox.settle({ type: "ack", kid, boot: 1, n: 0, ofBoot: 1, next: 2, bitmap: bytes(0), refused: [] });
  outbox.end(1000, () => {});
  const second = opened(storage, 2).outbox;
  expect(second.gone).toEqual([{ boot: 1, first: 2, last: 3, reason: 1, end: null }]);
  for (const run of second.takeGone(false)) second.add("event", 2, 0, bytes(), { tells: run });
  second.settle({ type: "ack", kid, boot: 2, n: 0, ofBoot: 2, next: 1, bitmap: bytes(0), refused: [] });
  second.end(1000, () => {});
  expect(opened(storage, 3).outbox.gone).toEqual([]);
});

test("a log of a boot that is not over yet is an old storage beside a newer flash: nothing is sealed on it", () => {
  const flash = flashOf();
  const first = bench(flash, createMemoryStorage(), 5, newTruth());
  first.make("birth", 200);
  first.run();
  for (const boot of [4, 5])
    expect(() => opened(createMemoryStorage(), boot, logOn(flash))).toThrow(
      /log is of boot 5, this is boot \d: an old/,
    );
  expect(opened(createMemoryStorage(), 6, logOn(flash)).outbox.count).toBe(1);
});

test("a damaged record of its own is an error that says so; too little flash too", () => {
  const storage = createMemoryStorage();
  storage.write("outbox", Uint8Array.of(1, 2, 3));
  expect(() => opened(storage, 2)).toThrow(/storage "outbox": damaged/);
  expect(() => opened(createMemoryStorage(), 1, logOn(flashOf(5)))).toThrow("a log in 5 pages of flash; it needs 6");
});

test("where the flash fails it says so and goes on in RAM: what was not sent may be sent now", () => {
  const flash = flashOf();
  const broken = {
    ...logOn(flash).flash,
    write: () => {
      throw new Error("flash: worn out");
    },
  };
  const { clock, outbox, durable, failed } = opened(createMemoryStorage(), 1, {
    flash: broken,
    writeAfter: 0,
    markEvery: 10_000,
  });
  const message = outbox.add("data", 1, 0, bytes(), {});
  expect(outbox.isSendable(message)).toBe(false);
  clock.runUntil(2e6);
  expect(failed).toEqual(["flash: worn out"]);
  expect(outbox.isSendable(message)).toBe(true);
  expect(durable).toEqual([0]);
  outbox.add("data", 1, 1, bytes(), {});
  expect([outbox.count, outbox.room]).toEqual([2, 8192]);
});

test("with writeAfter what an ack settles in time is never written; what none settles is, and comes in the next boot", () => {
  const storage = createMemoryStorage();
  const flash = flashOf();
  const log = { ...logOn(flash), writeAfter: 5000 };
  const { clock, outbox } = opened(storage, 1, log);
  clock.runUntil(3e6);
  const written = flash.bytesWritten;
  const message = outbox.add("data", 1, 0, bytes(), {});
  expect(outbox.isSendable(message)).toBe(true);
  outbox.tick();
  clock.runUntil(6e6);
  const kid = bytes(8);
  outbox.settle({ type: "ack", kid, boot: 1, n: 0, ofBoot: 1, next: 1, bitmap: bytes(0), refused: [] });
  outbox.add("data", 1, 1, bytes(), {});
  clock.runUntil(9e6);
  outbox.tick();
  clock.runUntil(9.5e6);
  expect(flash.bytesWritten).toBe(written);
  clock.runUntil(11.1e6);
  outbox.tick();
  clock.runUntil(12e6);
  expect(flash.bytesWritten).toBeGreaterThan(written);
  const second = opened(storage, 2, log).outbox;
  expect(second.gone).toMatchObject([{ boot: 1, first: 2, reason: 2 }]);
  expect(second.load()).toMatchObject({ boot: 1, seq: 1, kind: "data" });
});
