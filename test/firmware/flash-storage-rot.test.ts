/** Storage on flash whose bits rot: no older value, and no absence, is ever taken for what was written last. */
import { describe, expect, test } from "vitest";
import { createSimulatedFlash, type SimulatedFlash } from "../../boards/simulated-flash.ts";
import { startBoot } from "../../firmware/boot.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { testOnlySigner } from "../../simulator/keys.ts";

const PAGE = 512;
const NAMES = ["boot", "time", "end"];
const { kid } = testOnlySigner("device");
const start = (flash: SimulatedFlash) => {
  const entropy = Uint8Array.from([flash.operations & 255, flash.operations >> 8]);
  const storage = createFlashStorage(flash);
  return startBoot({ storage, kid, psk: new Uint8Array(32), entropy, crypto: nodeCrypto });
};

/** A flash after so many writes, and what each name holds. */
function written(pages: number, writes: number) {
  const flash = createSimulatedFlash({ pageSize: PAGE, pages });
  const storage = createFlashStorage(flash);
  const newest = new Map<string, Uint8Array>();
  for (let i = 0; i < writes; i++) {
    const name = NAMES[i % NAMES.length];
    const bytes = new Uint8Array(4 + (i % 9)).fill(i);
    storage.write(name, bytes);
    newest.set(name, bytes);
  }
  return { flash, newest };
}
/** What `call` gives, "error" where it throws what the storage throws of damage. */
const orError = <T>(call: () => T): T | "error" => {
  try {
    return call();
  } catch (error) {
    if (!/^flash storage: .*damaged/.test((error as Error).message)) throw error;
    return "error";
  }
};

describe.each([
  [2, 1],
  [2, 2],
  [2, 5],
  [2, 40],
  [3, 60],
])("of %i pages after %i writes, bits flipped at each byte in turn", (pages, writes) => {
  const { flash, newest } = written(pages, writes);
  const before = flash.snapshot();

  test("each name reads the newest value or throws; what can be written then is there after reopening", () => {
    let told = 0;
    for (let at = 0; at < pages * PAGE; at++) {
      for (const mask of [1 << (at % 8), 1 << ((at * 5 + 3) % 8), 0xff]) {
        flash.restore(before);
        flash.damage(at, mask);
        const opened = orError(() => createFlashStorage(flash));
        for (const [name, bytes] of newest) {
          const seen = opened === "error" ? opened : orError(() => opened.read(name));
          if (seen === "error") told++;
          else if (String(seen) !== String(bytes)) expect(seen, `byte ${at}, mask ${mask}`).toEqual(bytes);
        }
        const next = new Uint8Array(6).fill(0xcc);
        if (opened === "error" || orError(() => opened.write("time", next)) === "error") continue;
        // A bit that rotted where nothing was written yet is met by the write itself: it turns the page.
        const again = createFlashStorage(flash);
        for (const [name, bytes] of newest) {
          const seen = orError(() => again.read(name));
          if (name !== "time" && seen === "error") continue;
          const due = name === "time" ? next : bytes;
          if (String(seen) !== String(due)) expect(seen, `byte ${at}, mask ${mask}`).toEqual(due);
        }
      }
    }
    expect(told).toBeGreaterThan(30 * newest.size);
  });

  test("while it is open, too", () => {
    for (let at = 0; at < pages * PAGE; at++) {
      flash.restore(before);
      const storage = createFlashStorage(flash);
      flash.damage(at, 0x10);
      for (const [name, bytes] of newest) expect(["error", bytes]).toContainEqual(orError(() => storage.read(name)));
    }
  });
});

test("a damaged boot record, the last one written, starts nothing; nothing is written, and no number falls back", () => {
  const flash = createSimulatedFlash({ pageSize: PAGE, pages: 2 });
  for (let boot = 1; boot <= 30; boot++) expect(start(flash).boot).toBe(boot);
  const before = flash.snapshot();
  let refused = 0;
  for (let at = 0; at < 2 * PAGE; at++) {
    flash.restore(before);
    flash.damage(at, 0x41);
    const seen = orError(() => start(flash).boot);
    if (seen !== "error") {
      expect(seen).toBe(31);
      continue;
    }
    expect(flash.operations).toBe(before.operations);
    refused++;
  }
  expect(refused).toBeGreaterThan(50);
});

test("a damaged value hurts its own name only, is carried over a page turn as damaged, and is mended by writing it", () => {
  const { flash } = written(2, 2);
  const boot = flash.read(0, PAGE).findIndex((_, at, all) => String(all.subarray(at, at + 4)) === "98,111,111,116");
  flash.damage(boot + 4, 1);
  const storage = createFlashStorage(flash);
  for (let i = 0; i < 40; i++) storage.write("time", new Uint8Array(8).fill(i));
  expect(Math.min(...flash.wear)).toBeGreaterThan(0);
  for (const opened of [storage, createFlashStorage(flash)]) {
    expect(() => opened.read("boot")).toThrow(/^flash storage: record "boot" at byte \d+ of page [01] is damaged/);
    expect(opened.read("time")).toEqual(new Uint8Array(8).fill(39));
  }
  storage.write("boot", Uint8Array.of(1));
  expect(createFlashStorage(flash).read("boot")).toEqual(Uint8Array.of(1));
});

test("a damaged name whose record is known by its head is mended by a page turn", () => {
  const { flash } = written(2, 5);
  const all = flash.read(0, PAGE);
  const at = all.findIndex((_, i) => i > 100 && String(all.subarray(i, i + 4)) === "98,111,111,116");
  flash.damage(at, 1);
  const storage = createFlashStorage(flash);
  const bytes = storage.read("boot");
  expect(bytes).toBeDefined();
  for (let i = 0; i < 40; i++) storage.write("time", new Uint8Array(8).fill(i));
  expect(createFlashStorage(flash).read("boot")).toEqual(bytes);
});

test("a record cut just before its mark, once read, is not taken back when it rots", () => {
  const { flash } = written(2, 5);
  const storage = createFlashStorage(flash);
  flash.cutAfter(1, "all");
  expect(() => storage.write("boot", new Uint8Array(4).fill(0xb0))).toThrow("the power went within a write");
  flash.powerOn();
  expect(createFlashStorage(flash).read("boot")).toEqual(new Uint8Array(4).fill(0xb0));
  flash.damage(flash.read(0, PAGE).lastIndexOf(0xb0), 2);
  expect(() => createFlashStorage(flash).read("boot")).toThrow('record "boot"');
});
