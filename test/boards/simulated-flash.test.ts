/** The simulated flash: what it refuses, what a torn operation leaves, what it counts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createSimulatedFlash,
  INTERNAL_FLASH,
  type Leaves,
  PowerCut,
  SPI_FLASH,
} from "../../boards/simulated-flash.ts";
import { createRandom } from "../../simulator/random.ts";

const make = (seed = 1) =>
  createSimulatedFlash({ pageSize: 64, pages: 4, random: createRandom(seed).fork("flash").uniform });
const bytes = (...values: number[]) => Uint8Array.from(values);
const erased = (length: number) => new Uint8Array(length).fill(0xff);

describe("the physics", () => {
  test("erased bytes read 0xff, a byte is written once between two erasures, a page is erased whole", () => {
    const flash = make();
    expect(flash.read(0, 256)).toEqual(erased(256));
    flash.write(64, bytes(1, 2, 3, 4));
    flash.write(68, bytes(0xff, 0xff, 0xff, 0xff));
    flash.write(128, bytes(9, 9, 9, 9));
    expect(flash.read(62, 8)).toEqual(bytes(0xff, 0xff, 1, 2, 3, 4, 0xff, 0xff));
    expect(() => flash.write(60 + 4, bytes(0, 0, 0, 0))).toThrow("byte 64 was written before; erase page 1 first");
    // What was written as ones is written too.
    expect(() => flash.write(68, bytes(0, 0, 0, 0))).toThrow("byte 68 was written before");
    flash.erase(1);
    expect(flash.read(64, 64)).toEqual(erased(64));
    expect(flash.read(128, 4)).toEqual(bytes(9, 9, 9, 9));
    flash.write(64, bytes(0, 0, 0, 0));
  });

  test.each<[string, (flash: ReturnType<typeof make>) => void, string]>([
    ["an address off the words", (f) => f.write(2, bytes(1, 2, 3, 4)), "write 4 bytes at 2; both are multiples of 4"],
    ["a length off the words", (f) => f.write(4, bytes(1, 2)), "write 2 bytes at 4; both are multiples of 4"],
    ["over the end of a page", (f) => f.write(60, new Uint8Array(8)), "write 8 bytes at 60, over the end of page 0"],
    ["over the end", (f) => f.write(256, new Uint8Array(4)), "write 4 bytes at 256; it has 256"],
    ["before the start", (f) => f.read(-4, 4), "read 4 bytes at -4; it has 256"],
    ["a read over the end", (f) => f.read(254, 4), "read 4 bytes at 254; it has 256"],
    ["a read of no length", (f) => f.read(0, -1), "a read of -1 bytes"],
    ["a page that is not there", (f) => f.erase(4), "erase page 4; it has 4"],
  ])("%s is an Error, and changes nothing", (_name, call, words) => {
    const flash = make();
    expect(() => call(flash)).toThrow(words);
    expect(flash.read(0, 256)).toEqual(erased(256));
    expect(flash.operations).toBe(0);
  });

  test.each([
    [{ pageSize: 6, pages: 1 }, "pages of 6 bytes"],
    [{ pageSize: 0, pages: 1 }, "pages of 0 bytes"],
    [{ pageSize: 64, pages: 0 }, "0 pages"],
  ])("a geometry that is none is refused: %j", (geometry, words) => {
    expect(() => createSimulatedFlash(geometry)).toThrow(words);
  });

  test("a read is a copy, and what was handed over may change after", () => {
    const flash = make();
    const values = bytes(1, 2, 3, 4);
    flash.write(0, values);
    values.fill(0);
    flash.read(0, 4).fill(7);
    expect(flash.read(0, 4)).toEqual(bytes(1, 2, 3, 4));
  });

  test("each call takes the part's time, told to the board and added up", () => {
    const spent: number[] = [];
    const internal = createSimulatedFlash({ pageSize: 4096, pages: 1, spend: (us) => spent.push(us) });
    internal.write(0, new Uint8Array(256));
    internal.erase(0);
    expect(spent).toEqual([64 * 41, 85_000]);
    expect(internal.busy).toBe(64 * 41 + 85_000);
    const spi = createSimulatedFlash({ pageSize: 4096, pages: 1, timings: SPI_FLASH });
    spi.write(0, new Uint8Array(256));
    expect(spi.busy).toBeCloseTo(400, -1);
    spi.read(0, 100);
    expect(spi.busy).toBeCloseTo(30 + 64 * 5.8 + 1 + 20, 6);
    expect(INTERNAL_FLASH.erase).toBeGreaterThan(SPI_FLASH.erase);
  });

  test("writes, erasures and bytes are counted; a snapshot brings all of it back", () => {
    const flash = make();
    flash.write(0, bytes(1, 2, 3, 4));
    flash.erase(2);
    flash.erase(2);
    const then = flash.snapshot();
    expect([flash.operations, flash.bytesWritten, flash.wear]).toEqual([3, 4, [0, 0, 2, 0]]);
    flash.erase(0);
    flash.write(0, bytes(5, 5, 5, 5));
    flash.cutAfter(0, "all");
    expect(() => flash.erase(1)).toThrow(PowerCut);
    flash.restore(then);
    expect(flash.snapshot()).toEqual(then);
    expect(() => flash.write(0, bytes(1, 2, 3, 4))).toThrow("written before");
    expect(() => createSimulatedFlash({ pageSize: 64, pages: 2 }).restore(then)).toThrow("a snapshot of 4 pages");
  });

  test("bit rot flips what it is told to", () => {
    const flash = make();
    flash.write(4, bytes(0xf0, 1, 2, 3));
    flash.damage(4, 0x81);
    expect(flash.read(4, 4)).toEqual(bytes(0x71, 1, 2, 3));
    flash.damage(8, 0x0f);
    flash.write(8, bytes(0x3c, 1, 2, 3));
    expect(flash.read(8, 4)).toEqual(bytes(0x30, 1, 2, 3));
  });
});

describe("the power", () => {
  test("goes within the operation that comes after so many more; every call throws until it is back", () => {
    const flash = make();
    flash.cutAfter(2, "nothing");
    flash.write(0, bytes(1, 2, 3, 4));
    flash.erase(1);
    expect(() => flash.write(4, bytes(5, 6, 7, 8))).toThrow(PowerCut);
    for (const call of [
      () => flash.read(0, 4),
      () => flash.erase(0),
      () => flash.sync(),
      () => flash.write(8, bytes()),
    ])
      expect(call).toThrow(PowerCut);
    flash.powerOn();
    expect(flash.read(0, 8)).toEqual(bytes(1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff));
    flash.write(4, bytes(5, 6, 7, 8));
    expect(flash.operations).toBe(4);
    flash.cutAfter(0, "nothing");
    flash.cutAfter(null);
    flash.erase(0);
    flash.powerOff();
    expect(() => flash.read(0, 4)).toThrow("the power is off");
  });

  test("what a torn operation leaves is the test's choice, or chance's: then all three come", () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const flash = make(seed);
      flash.cutAfter(0);
      expect(() => flash.write(0, new Uint8Array(64))).toThrow(PowerCut);
      flash.powerOn();
      const zeros = flash.read(0, 64).filter((value) => value === 0).length;
      left.add(zeros === 0 ? "nothing" : zeros === 64 ? "all" : "part");
    }
    expect([...left].sort()).toEqual(["all", "nothing", "part"]);
    const mute = createSimulatedFlash({ pageSize: 64, pages: 1 });
    mute.cutAfter(0);
    expect(() => mute.erase(0)).toThrow("what a torn operation leaves needs `random`");
  });

  const leaves = fc.constantFrom<Leaves>("nothing", "part", "all");
  test("a torn write is its first words, bits of one more, and nothing after; what stood elsewhere stays", () => {
    fc.assert(
      fc.property(fc.nat(), leaves, fc.uint8Array({ minLength: 16, maxLength: 16 }), (seed, leave, values) => {
        const flash = make(seed);
        flash.write(0, bytes(1, 2, 3, 4));
        flash.cutAfter(0, leave);
        expect(() => flash.write(4, values)).toThrow(PowerCut);
        flash.powerOn();
        expect(flash.read(0, 4)).toEqual(bytes(1, 2, 3, 4));
        expect(flash.read(20, 44)).toEqual(erased(44));
        const there = flash.read(4, 16);
        if (leave !== "part") expect(there).toEqual(leave === "all" ? values : erased(16));
        let whole = 0;
        while (whole < 16 && there[whole] === values[whole]) whole++;
        whole -= whole % 4;
        expect(there.subarray(whole + 4)).toEqual(erased(Math.max(0, 12 - whole)));
        // A bit is programmed or not: none is 0 that should be 1.
        for (let i = whole; i < 16; i++) expect(there[i] & values[i]).toBe(values[i]);
      }),
    );
  });

  test("a torn erasure is anything between what stood there and erased, and is erased again before it is written", () => {
    fc.assert(
      fc.property(fc.nat(), leaves, (seed, leave) => {
        const flash = make(seed);
        const values = new Uint8Array(64).map((_, i) => i * 5);
        flash.write(64, values);
        flash.cutAfter(0, leave);
        expect(() => flash.erase(1)).toThrow(PowerCut);
        flash.powerOn();
        const there = flash.read(64, 64);
        for (let i = 0; i < 64; i++) expect(there[i] & values[i]).toBe(values[i]);
        expect(flash.wear[1]).toBe(1);
        if (leave === "nothing") expect(there).toEqual(values);
        if (leave === "all") return flash.write(64, values);
        for (let at = 64; at < 128; at += 4) expect(() => flash.write(at, bytes(0, 0, 0, 0))).toThrow("written before");
        flash.erase(1);
        flash.write(64, values);
      }),
    );
  });
});
