/** The power goes at every single write and erasure of a thousand messages, and at random in long runs. */
import { expect, test } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import {
  createSimulatedFlash,
  type Leaves,
  PowerCut,
  type SimulatedFlash,
  SPI_FLASH,
} from "../../boards/simulated-flash.ts";
import type { Kind } from "../../firmware/outbox.ts";
import { createRandom } from "../../simulator/random.ts";
import { type Bench, bench, checkRecovery, copiedStorage, newTruth } from "./power-cuts.ts";

/** The part that is slower to read: opening is held against it. */
const PAGES = { pageSize: 4096, pages: 8, timings: SPI_FLASH };
const KINDS: readonly Kind[] = ["data", "data", "data", "vital", "event", "manifest"];
const WAYS: readonly Leaves[] = ["nothing", "part", "all"];

/** Messages, acks and outages as they come: the outbox fills, evicts, tells and empties. */
function live(one: Bench, messages: number, uniform: () => number): void {
  let away = 0;
  one.make("birth", 200);
  one.run();
  for (let i = 1; i < messages; i++) {
    const kind = KINDS[Math.floor(uniform() * KINDS.length)]!;
    one.make(kind, 60 + Math.floor(uniform() * (kind === "data" ? 500 : 100)));
    one.clock.runUntil(one.clock.now + 1e6);
    one.outbox.tick();
    one.run();
    if (away > 0) away--;
    else if (uniform() < 0.02) away = Math.floor(uniform() * 150);
    else {
      one.ack(one.outbox.waiting.filter(() => uniform() < 0.9));
      one.tell();
      for (let k = 0; k < 4; k++) one.outbox.load();
    }
  }
}

test("the power goes at every write and erasure of a thousand messages, in every way: what was durable is there or was told, everything else is named", () => {
  const random = createRandom("every write");
  const flash = createSimulatedFlash({ ...PAGES, random: () => random.uniform() });
  const storage = createMemoryStorage();
  const truth = newTruth();
  let cuts = 0;
  let one: Bench | null = null;
  /** The next boot is looked at after each way in which the power may go within this operation, and then it is done. */
  const cutWithin = (operation: (on: SimulatedFlash) => void) => {
    const here = flash.snapshot();
    for (const leaves of WAYS) {
      if (one === null) break;
      flash.cutAfter(0, leaves);
      expect(() => operation(flash)).toThrow(PowerCut);
      flash.powerOn();
      checkRecovery(flash, copiedStorage(storage), one, truth);
      flash.restore(here);
      cuts++;
    }
    operation(flash);
  };
  const watched = {
    ...PAGES,
    read: flash.read,
    sync: flash.sync,
    write: (address: number, bytes: Uint8Array) => cutWithin((on) => on.write(address, bytes)),
    erase: (page: number) => cutWithin((on) => on.erase(page)),
  };
  one = bench(watched, storage, 1, truth);
  live(one, 1000, () => random.uniform());
  expect(cuts).toBe(3 * flash.operations);
  expect(flash.operations).toBeGreaterThan(2500);
  expect(truth.told.length, "some had to go").toBeGreaterThan(10);
  // it was used evenly
  expect(Math.max(...flash.wear) - Math.min(...flash.wear)).toBeLessThanOrEqual(3);
}, 120_000);

test("the power goes at random, a hundred times in each of forty lives: all is there, or named, through all boots", () => {
  let boots = 0;
  for (let world = 0; world < 40; world++) {
    const random = createRandom(`random cuts ${world}`);
    const uniform = () => random.uniform();
    const flash = createSimulatedFlash({ ...PAGES, random: uniform });
    const storage = createMemoryStorage();
    const truth = newTruth();
    const writeAfter = world % 2 === 0 ? 0 : 5000;
    let one: Bench | null = null;
    for (let boot = 1; boot <= 100; boot++) {
      one = bench(flash, storage, boot, truth, { writeAfter });
      flash.cutAfter(Math.floor(uniform() * 200));
      try {
        live(one, 60, uniform);
        flash.powerOff();
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
      }
      boots++;
      flash.powerOn();
    }
    checkRecovery(flash, storage, one!, truth);
  }
  expect(boots).toBe(4000);
}, 120_000);

test("a full log of 100 kB is opened in 50 ms at most, of flash that is read by one line", () => {
  const pages = 25;
  const flash = createSimulatedFlash({ ...PAGES, pages });
  const storage = createMemoryStorage();
  const truth = newTruth();
  const first = bench(flash, storage, 1, truth);
  first.make("birth", 200);
  for (let i = 0; i < 400; i++) {
    first.make(i % 2 === 0 ? "data" : "vital", i % 2 === 0 ? 500 : 90);
    first.run();
  }
  const { live } = first.outbox.backlog!.log;
  expect(live).toBeGreaterThan(200);
  const before = flash.busy;
  const second = bench(flash, storage, 2, truth);
  const opening = (flash.busy - before) / 1000;
  expect(second.outbox.backlog!.log.live).toBe(live);
  expect(opening).toBeGreaterThan(0.5);
  expect(opening).toBeLessThan(50);
});
