/** Storage on flash: what it keeps, refuses and wears; random writes, reopenings and power cuts against a plain map. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSimulatedFlash, PowerCut } from "../../boards/simulated-flash.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import { createRandom } from "../../simulator/random.ts";

const make = (pages = 2, pageSize = 256, seed = 1) =>
  createSimulatedFlash({ pageSize, pages, random: createRandom(seed).uniform });
const value = (length: number, fill: number) => new Uint8Array(length).fill(fill);

describe("storage on flash", () => {
  test("a name that was never written is absent, and looking writes nothing", () => {
    const flash = make();
    const storage = createFlashStorage(flash);
    expect(storage.read("boot")).toBeUndefined();
    expect(storage.wear).toEqual([0, 0]);
    expect(flash.operations).toBe(0);
  });

  test("the newest of each name is there at once and after reopening, whatever its bytes", () => {
    const flash = make(2, 1024);
    const storage = createFlashStorage(flash);
    const values = { boot: value(0, 0), "a name of thirty-two bytes -- é": value(70, 0xff), é: value(3, 0) };
    for (const [name, bytes] of Object.entries(values)) {
      storage.write(name, value(5, 1));
      storage.write(name, bytes);
    }
    for (const opened of [storage, createFlashStorage(flash)])
      for (const [name, bytes] of Object.entries(values)) expect(opened.read(name)).toEqual(bytes);
    expect(storage.read("b")).toBeUndefined();
  });

  test("what is read or was handed over may change after", () => {
    const storage = createFlashStorage(make());
    const bytes = value(4, 1);
    storage.write("x", bytes);
    bytes.fill(2);
    storage.read("x")!.fill(3);
    expect(storage.read("x")).toEqual(value(4, 1));
  });

  test("a write of what is stored already writes nothing", () => {
    const flash = make();
    const storage = createFlashStorage(flash);
    storage.write("x", value(4, 1));
    const before = flash.operations;
    storage.write("x", value(4, 1));
    createFlashStorage(flash).write("x", value(4, 1));
    expect(flash.operations).toBe(before);
    storage.write("x", value(4, 2));
    expect(flash.operations).toBe(before + 3);
  });

  test.each([2, 3, 5])("%i pages are used in turn, and each page's erasures are known after reopening", (pages) => {
    const flash = make(pages);
    let storage = createFlashStorage(flash);
    for (let i = 0; i < 400; i++) {
      if (i % 7 === 0) storage = createFlashStorage(flash);
      storage.write(["boot", "end", "time"][i % 3], value(12, i));
      expect(storage.wear).toEqual(flash.wear);
    }
    expect(createFlashStorage(flash).wear).toEqual(flash.wear);
    expect(Math.max(...flash.wear) - Math.min(...flash.wear)).toBeLessThanOrEqual(1);
    expect(Math.min(...flash.wear)).toBeGreaterThan(10);
  });

  test("one page holds the newest of all names: what does not fit beside the others is refused, and nothing lost", () => {
    const flash = make(2);
    const storage = createFlashStorage(flash);
    storage.write("a", value(80, 1));
    storage.write("b", value(60, 2));
    const before = flash.snapshot();
    expect(() => storage.write("c", value(40, 3))).toThrow(
      '"c" of 40 bytes takes 64; beside the others a page of 256 has 44',
    );
    expect(() => storage.write("b", value(105, 3))).toThrow("takes 132; beside the others a page of 256 has 128");
    expect(flash.snapshot().bytes).toEqual(before.bytes);
    storage.write("b", value(104, 3));
    for (const opened of [storage, createFlashStorage(flash)]) {
      expect(opened.read("a")).toEqual(value(80, 1));
      expect(opened.read("b")).toEqual(value(104, 3));
      expect(opened.read("c")).toBeUndefined();
    }
  });

  test.each(["", "a".repeat(33), "é".repeat(17)])('the name "%s" is refused', (name) => {
    const flash = make();
    expect(() => createFlashStorage(flash).write(name, value(1, 1))).toThrow(/has (0|33|34) bytes; give it 1 to 32/);
    expect(flash.operations).toBe(0);
  });

  test("two names of one CRC-32 are not taken for one another: the second is refused", () => {
    const storage = createFlashStorage(make());
    storage.write("plumless", value(1, 1));
    expect(() => storage.write("buckeroo", value(1, 2))).toThrow(
      'the names "buckeroo" and "plumless" have one CRC-32; rename one',
    );
    expect(storage.read("buckeroo")).toBeUndefined();
    expect(storage.read("plumless")).toEqual(value(1, 1));
  });

  test("a flash of one page, or of too small ones, is refused", () => {
    expect(() => createFlashStorage(make(1))).toThrow("1 pages of 256 bytes; it needs 2");
    expect(() => createFlashStorage(make(2, 64))).toThrow("2 pages of 64 bytes; it needs 2, and room");
  });

  test("what is neither erased nor a storage is not erased by opening it", () => {
    const flash = make();
    flash.write(400, value(4, 7));
    expect(() => createFlashStorage(flash)).toThrow("no page has a storage's header, and it is not erased");
    flash.erase(1);
    createFlashStorage(flash).write("x", value(1, 1));
  });

  test("what fails half way for another reason than the power is not built upon", () => {
    const flash = make();
    let failing = -1;
    const faulty = {
      ...flash,
      write: (at: number, bytes: Uint8Array) => {
        if (failing-- === 0) throw new Error("the bus");
        flash.write(at, bytes);
      },
    };
    for (let at = 0; at < 3; at++) {
      const storage = createFlashStorage(faulty);
      storage.write("a", value(4, 10 + at));
      storage.write("b", value(4, 20 + at));
      failing = at;
      expect(() => storage.write("a", value(4, 30 + at))).toThrow("the bus");
      storage.write("b", value(4, 40 + at));
      expect(storage.read("a")).toEqual(createFlashStorage(flash).read("a"));
      expect(createFlashStorage(flash).read("b")).toEqual(value(4, 40 + at));
    }
  });
});

test.each([
  ["header", (at: number) => at === 256],
  ["first record", (at: number) => at > 256],
])("a page that does not keep its %s is an Error, and what was stored stays", (_what, stuckAt) => {
  const flash = make();
  let stuck = true;
  const write = (at: number, bytes: Uint8Array) =>
    flash.write(at, stuck && stuckAt(at) ? bytes.map((value) => value & 0xfe) : bytes);
  const storage = createFlashStorage({ ...flash, write });
  storage.write("a", value(100, 3));
  expect(() => storage.write("a", value(100, 5))).toThrow("page 1 does not keep what is written to it");
  for (const opened of [storage, createFlashStorage(flash)]) expect(opened.read("a")).toEqual(value(100, 3));
  stuck = false;
  storage.write("b", value(8, 7));
  for (const opened of [storage, createFlashStorage(flash)]) {
    expect(opened.read("a")).toEqual(value(100, 3));
    expect(opened.read("b")).toEqual(value(8, 7));
  }
});

test("random writes, reopenings and power cuts: each name reads what a map says, or what was being written", () => {
  const write = fc.record({
    name: fc.constantFrom("boot", "end", "time", "outbox"),
    bytes: fc.uint8Array({ maxLength: 24 }),
    reopen: fc.boolean(),
    cut: fc.option(fc.nat(7), { freq: 2 }),
  });
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(2, 3), fc.array(write, { maxLength: 120 }), (seed, pages, writes) => {
      const flash = make(pages, 256, seed);
      const model = new Map<string, Uint8Array>();
      let storage = createFlashStorage(flash);
      for (const { name, bytes, reopen, cut } of writes) {
        const before = model.get(name);
        let torn = false;
        flash.cutAfter(cut);
        try {
          if (reopen) storage = createFlashStorage(flash);
          storage.write(name, bytes);
          model.set(name, bytes);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          torn = true;
        }
        flash.cutAfter(null);
        if (torn) {
          flash.powerOn();
          storage = createFlashStorage(flash);
          const there = storage.read(name);
          if (String(there) !== String(before)) expect(there).toEqual(bytes);
          if (there !== undefined) model.set(name, there);
        }
        for (const known of ["boot", "end", "time", "outbox"]) expect(storage.read(known)).toEqual(model.get(known));
      }
    }),
    { numRuns: 300 },
  );
});
