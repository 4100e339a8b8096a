/** The MAX86150 at byte level: registers, FIFO, interrupts. Where a name stands in brackets, see "Sources" of its page. */
import { describe, expect, it } from "vitest";
import { createEmulator, pointers, running, until } from "./max86150-script.ts";

describe("MAX86150 emulator: registers", () => {
  it("comes up with PWR_RDY, all else 0, its interrupt low until the status is read", () => {
    const { chip, read } = createEmulator();
    expect(chip.interrupt).toBe(0);
    expect(read(0xff, 1)).toEqual([0x1e]);
    expect(chip.interrupt).toBe(0);
    expect(read(0, 7)).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(chip.interrupt).toBe(1);
    expect(read(0, 1)).toEqual([0]);
    expect(read(8, 14)).toEqual(Array(14).fill(0));
    expect(read(0x3c, 3)).toEqual([0, 0, 0]);
  });

  it("answers at 0x5E, or where it is told to", () => {
    expect(createEmulator().chip.address).toBe(0x5e);
    expect(createEmulator({ address: 0x5f }).chip.address).toBe(0x5f);
    expect(() => createEmulator().chip.set("leadOff", 1)).toThrow(
      'MAX86150 emulator: no input "leadOff"; it has red, infrared, ecg, supply',
    );
  });

  it("counts its register address up, but stays at FIFO_DATA and at 0xFF [H]", () => {
    const bench = running();
    bench.chip.advance(until(1));
    expect(bench.read(4, 9)).toEqual([1, 0, 0, 0, 0x03, 0xe9, 0, 0, 1]);
    bench.write(0x10, 7, 8, 9);
    expect(bench.read(0x10, 3)).toEqual([7, 8, 9]);
    expect(bench.read(0xff, 3)).toEqual([0x1e, 0x1e, 0x1e]);
  });

  it("keeps only the bits that there are, and none where it is read only", () => {
    const { write, read } = createEmulator();
    for (let register = 0x00; register < 0x40; register++) if (register !== 0x0d) write(register, 0xff);
    write(0xff, 0xff);
    const masks = [
      1, 0, 0xf0, 0x84, 0x1f, 0x1f, 0x1f, 0, 0x7f, 0xff, 0xff, 0, 0, 0, 0xff, 0x07, 0xff, 0xff, 0xff, 0, 0x0f, 0xff,
    ];
    expect([...read(0, 7), 0, ...read(8, 14)]).toEqual(masks);
    expect(read(0x3c, 4)).toEqual([0x07, 0, 0x0f, 0]);
    expect(read(0xff, 1)).toEqual([0x1e]);
  });

  it("loses every setting by RESET, which clears itself, and raises no PWR_RDY", () => {
    const bench = running();
    bench.chip.advance(until(20));
    bench.write(0x0d, 0x01);
    expect(bench.read(0x0d, 1)).toEqual([0x01]);
    bench.write(0x11, 1);
    bench.chip.advance(bench.chip.nextAt);
    expect(bench.read(0, 7)).toEqual(Array(7).fill(0));
    expect(bench.read(8, 14)).toEqual(Array(14).fill(0));
    expect([bench.chip.nextAt, bench.chip.interrupt]).toEqual([Number.POSITIVE_INFINITY, 1]);
  });

  it("opens the test registers by 0x54, 0x4D at 0xFF only, and keeps PART_ID [D, H]", () => {
    const { write, read } = createEmulator();
    const attempt = (...keys: number[]) => {
      write(0xce, 0);
      for (const key of keys) write(0xff, key);
      write(0xce, 0x0a, 0x18, 0x01);
      write(0xff, 0);
      return read(0xce, 3);
    };
    expect([attempt(), attempt(0x4d), attempt(0x54), attempt(0x4d, 0x54)]).toEqual(Array(4).fill([0, 0, 0]));
    expect(attempt(0x54, 0x4d)).toEqual([0x0a, 0x18, 0x01]);
    write(0xce, 1);
    expect(read(0xce, 1)).toEqual([0x0a]);
    expect(read(0xff, 1)).toEqual([0x1e]);
  });
});

describe("MAX86150 emulator: FIFO", () => {
  it("holds three bytes an element in the order of the slots: LED1 infrared, LED2 red, ECG [H, X]", () => {
    const bench = running();
    bench.chip.advance(until(3));
    expect(pointers(bench)).toEqual([3, 0, 0]);
    expect(bench.words(9)).toEqual([1001, 1, 0, 1002, 2, 0x3ffff, 1003, 3, 0x3fffe]);
    expect(pointers(bench)).toEqual([3, 0, 3]);
  });

  it.each([
    [0x12, 0x00, [1, 1001]],
    [0x91, 0x00, [1001, 0]],
    [0x09, 0x00, [0]],
    [0x09, 0x21, [0, 1001, 1]],
    [0x20, 0x90, [1, 0]],
    [0x53, 0x01, [1001]],
  ])("takes slots %d and %d in their order, and leaves out those that are empty or unknown", (one, two, sample) => {
    const bench = running(one, two);
    bench.chip.advance(until(1));
    expect(bench.words(sample.length)).toEqual(sample);
    expect(pointers(bench)).toEqual([1, 0, 1]);
  });

  it("pops a sample with its last byte; one that was read in part stays [H]", () => {
    const bench = running();
    bench.chip.advance(until(2));
    bench.read(7, 8);
    expect(pointers(bench)).toEqual([2, 0, 0]);
    expect(bench.read(7, 9).slice(0, 3)).toEqual([0, 0x03, 0xe9]);
    expect(pointers(bench)).toEqual([2, 0, 1]);
  });

  it("repeats its last sample when it is empty, and keeps its pointers [V]", () => {
    const bench = running();
    bench.chip.advance(until(1));
    expect(bench.words(9)).toEqual([1001, 1, 0, 1001, 1, 0, 1001, 1, 0]);
    expect(pointers(bench)).toEqual([1, 0, 1]);
  });

  it("loses its oldest samples with FIFO_ROLLS_ON_FULL, counts them up to 31, and forgets the count with the first pop", () => {
    const bench = running(0x01, 0);
    bench.chip.advance(until(32));
    expect(pointers(bench)).toEqual([0, 0, 0]);
    bench.chip.advance(until(37));
    expect(pointers(bench)).toEqual([5, 5, 5]);
    bench.chip.advance(until(63));
    expect(pointers(bench)).toEqual([31, 31, 31]);
    bench.chip.advance(until(80));
    expect(pointers(bench)).toEqual([16, 31, 16]);
    expect(bench.words(1)).toEqual([1001 + 48]);
    expect(pointers(bench)).toEqual([16, 0, 17]);
    expect(bench.words(31)).toEqual(Array.from({ length: 31 }, (_, k) => 1001 + 49 + k));
  });

  it("loses the new samples without it", () => {
    const bench = running(0x01, 0, 0x0f);
    bench.chip.advance(until(40));
    expect(pointers(bench)).toEqual([0, 8, 0]);
    expect(bench.words(32)).toEqual(Array.from({ length: 32 }, (_, k) => 1001 + k));
    expect(pointers(bench)).toEqual([0, 0, 0]);
  });

  it("hands out whole what is overwritten under its reader", () => {
    const bench = running(0x01, 0);
    bench.chip.advance(until(32));
    const { chip } = bench;
    chip.start(false);
    chip.write(7);
    chip.start(true);
    const bytes = [chip.read(), chip.read()];
    chip.advance(until(33));
    bytes.push(chip.read());
    chip.stop();
    expect(bytes).toEqual([0, 0x03, 0xe9]);
    expect(pointers(bench)).toEqual([1, 0, 1]);
    expect(bench.words(1)).toEqual([1002]);
  });

  it("reads again from a read pointer that is set back [H]", () => {
    const bench = running(0x01, 0);
    bench.chip.advance(until(6));
    bench.words(4);
    bench.write(0x06, 1);
    expect(pointers(bench)).toEqual([6, 0, 1]);
    expect(bench.words(5)).toEqual([1002, 1003, 1004, 1005, 1006]);
    expect(pointers(bench)).toEqual([6, 0, 6]);
  });

  it.each([
    [
      "FIFO_EN's rising edge",
      [
        [0x0d, 0],
        [0x0d, 4],
      ],
    ],
    ["FIFO data control", [[0x09, 0x21]]],
    ["PPG configuration 1", [[0x0e, 0xd7]]],
    ["PPG configuration 2", [[0x0f, 0]]],
    ["ECG configuration 1", [[0x3c, 3]]],
    ["ECG configuration 3", [[0x3e, 0]]],
  ])("is emptied by %s, and starts anew [H]", (_, writes) => {
    const bench = running();
    bench.chip.advance(until(10) + 1000);
    for (const bytes of writes) bench.write(...bytes);
    expect(pointers(bench)).toEqual([0, 0, 0]);
    bench.chip.advance(until(10) + 1000 + 5000);
    expect(pointers(bench)).toEqual([2, 0, 0]);
    expect(bench.words(2)).toEqual([1001, 1]);
  });

  it.each([
    ["LED amplitudes", [0x11, 50, 50]],
    ["LED range", [0x14, 0]],
    ["interrupt enables", [0x02, 0x80]],
    ["the proximity threshold and the pilot", [0x15, 1]],
  ])("is not by %s", (_, bytes) => {
    const bench = running();
    bench.chip.advance(until(10));
    bench.write(...bytes);
    expect(pointers(bench)).toEqual([10, 0, 0]);
  });

  it("does not fill while FIFO_EN is off, or with no slot", () => {
    const bench = running();
    bench.write(0x0d, 0);
    expect(bench.chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(running(0, 0).chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(running(0, 0).words(1)).toEqual([0]);
  });

  it("keeps its samples in shutdown, converts nothing, clears its flags, and goes on after it", () => {
    const bench = running();
    bench.write(0x02, 0xf0, 0x84);
    bench.chip.advance(until(20));
    bench.write(0x0d, 0x06);
    expect([bench.chip.nextAt, bench.chip.interrupt]).toEqual([Number.POSITIVE_INFINITY, 1]);
    bench.chip.advance(until(200));
    expect(bench.read(0, 7)).toEqual([0, 0, 0xf0, 0x84, 20, 0, 0]);
    expect(bench.words(3)).toEqual([1001, 1, 0]);
    bench.write(0x0d, 0x04);
    bench.chip.advance(until(201));
    expect(pointers(bench)).toEqual([22, 0, 1]);
  });
});

describe("MAX86150 emulator: interrupts", () => {
  it("raises A_FULL with every sample at or above the threshold, and reading FIFO_DATA leaves it (A_FULL_TYPE 0) [N]", () => {
    const bench = running();
    const edges: [number, number][] = [];
    bench.chip.onInterrupt = (level, at) => edges.push([level, at]);
    bench.write(0x02, 0x80);
    bench.chip.advance(until(16));
    expect(bench.read(0, 1)[0] & 0x80).toBe(0);
    bench.chip.advance(until(17));
    expect(edges).toEqual([[0, 80_000]]);
    bench.words(3);
    expect(bench.chip.interrupt).toBe(0);
    expect(bench.read(0, 1)[0] & 0x80).toBe(0x80);
    expect(bench.chip.interrupt).toBe(1);
    bench.chip.advance(until(18));
    expect(bench.read(0, 1)[0] & 0x80).toBe(0x80);
    bench.chip.advance(until(19));
    expect(bench.read(0, 1)[0] & 0x80).toBe(0x80);
    expect(edges.map(([level]) => level)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("raises it once with A_FULL_TYPE 1, and lets FIFO_DATA clear it with A_FULL_CLR", () => {
    const bench = running(0x21, 0x09, 0x7f);
    bench.write(0x02, 0x80);
    bench.chip.advance(until(17));
    expect(bench.chip.interrupt).toBe(0);
    bench.read(7, 1);
    expect(bench.chip.interrupt).toBe(1);
    bench.chip.advance(until(32));
    expect(bench.read(0, 1)[0] & 0x80).toBe(0);
  });

  it.each([
    [0x0, 32],
    [0x1, 31],
    [0x8, 24],
    [0xf, 17],
  ])("FIFO_A_FULL %d is %d samples", (field, count) => {
    const bench = running(0x01, 0, 0x10 | field);
    bench.write(0x02, 0x80);
    bench.chip.advance(until(count - 1));
    expect(bench.chip.interrupt).toBe(1);
    bench.chip.advance(until(count));
    expect(bench.chip.interrupt).toBe(0);
  });

  it("shows PPG_RDY and ECG_RDY, which their status register or FIFO_DATA clears", () => {
    const bench = running();
    bench.chip.advance(until(1));
    expect(bench.read(0, 2)).toEqual([0x40, 0x04]);
    expect(bench.read(0, 2)).toEqual([0, 0]);
    bench.write(0x02, 0x40, 0x04);
    bench.chip.advance(until(2));
    expect(bench.chip.interrupt).toBe(0);
    bench.read(7, 9);
    expect(bench.chip.interrupt).toBe(1);
    expect(bench.read(0, 2)).toEqual([0, 0]);
  });

  it.each([
    [0x21, 0x00, [0x40, 0]],
    [0x09, 0x00, [0, 0x04]],
  ])("shows only what is converted: slots %d", (one, two, flags) => {
    const bench = running(one, two);
    bench.chip.advance(until(1));
    expect(bench.read(0, 2)).toEqual(flags);
  });

  it.each([
    [1.65, false],
    [2.05, false],
    [1.64, true],
    [2.06, true],
  ])("with %d V of supply for 10 ms says VDD_OOR: %s [V]", (supply, out) => {
    const bench = running();
    bench.write(0x02, 0, 0x80);
    bench.chip.set("supply", supply);
    bench.chip.advance(until(3) - 2);
    expect(bench.read(1, 1)[0] & 0x80).toBe(0);
    bench.chip.advance(until(3));
    expect(bench.chip.interrupt).toBe(out ? 0 : 1);
    expect(bench.read(1, 1)[0] & 0x80).toBe(out ? 0x80 : 0);
    bench.chip.set("supply", 1.8);
    bench.chip.advance(until(4));
    expect(bench.read(1, 1)[0] & 0x80).toBe(0);
  });
});
