/** The ADS1292R emulator at byte level: registers, and the time that bytes need (TI SBAS502C; titles of its sections). */
import { describe, expect, test } from "vitest";
import { awake, bench, converting, signed, T_CLK, T_MOD } from "./ads1292r-emulator-script.ts";

describe("ADS1292R emulator, registers", () => {
  const RESET = [0x73, 0x02, 0x80, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0c];

  test("have the reset values of table 16", () => {
    const b = bench();
    b.command(0x11);
    expect(b.read(0, 12)).toEqual(RESET);
  });

  test("cannot be read or written in RDATAC mode, the mode after power-up (table 15)", () => {
    const b = bench();
    b.write(1, 0x03);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0, 2)).toEqual([0x73, 0x02]);
    b.command(0x10);
    expect(b.read(0, 2)).toEqual([0, 0]);
  });

  test("keep what is written, but fixed and read-only bits (Register Maps)", () => {
    const b = bench();
    b.command(0x11);
    b.write(0, ...new Array(12).fill(0xff));
    expect(b.read(0, 12)).toEqual([0x73, 0x87, 0xfb, 0xfd, 0xff, 0xff, 0xff, 0x3f, 0x40, 0xff, 0x87, 0x0c]);
    b.write(0, ...new Array(12).fill(0));
    // CONFIG2 bit 2 and LOFF bit 1 are 0, whatever is written; LOFF_STAT keeps CLK_DIV alone.
    expect(b.read(0, 12)).toEqual([0x73, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("beyond the last one are zeros, and nothing is written there", () => {
    const b = bench();
    b.command(0x11);
    expect(b.read(10, 4)).toEqual([0x02, 0x0c, 0, 0]);
    b.write(10, 0x07, 0x00, 0x55, 0x55);
    expect(b.read(10, 4)).toEqual([0x07, 0x00, 0, 0]);
    expect(b.read(0)).toEqual([0x73]);
  });

  test("come back by RESET, in 9 tMOD in which nothing is heard, and RDATAC with them (RESET)", () => {
    const b = bench();
    b.command(0x11);
    b.write(1, 0x03, 0xb0);
    b.transfer([0x06], 4 * T_CLK);
    expect(b.transfer([0x11, 0, 0, 0])).toEqual([0, 0, 0, 0]);
    b.wait(9 * T_MOD);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0, 12)).toEqual(RESET);
  });

  test("GPIO shows outputs as they are set, inputs as low, and both in the status word (Data Retrieval)", () => {
    const b = awake();
    b.write(11, 0x03);
    expect(b.read(11)).toEqual([0x03]);
    converting(b);
    expect(b.data().slice(0, 3)).toEqual([0xc0, 0x60, 0x00]);
    b.write(11, 0x0b);
    expect(b.read(11)).toEqual([0x09]);
    b.wait(8100);
    expect(b.data().slice(0, 3)).toEqual([0xc0, 0x20, 0x00]);
  });

  test.each([0x52, 0x53, 0x73])("ID is 0x%x where that is asked for", (id) => {
    const b = bench({ id });
    b.command(0x11);
    expect(b.read(0)).toEqual([id]);
  });
});

describe("ADS1292R emulator, time on the bus", () => {
  test("a byte that comes within 4 tCLK of a command byte loses both, until CS is high (Sending Multi-Byte Commands)", () => {
    const b = bench();
    b.command(0x11);
    const fast = 4 * T_CLK - 0.01;
    expect(b.transfer([0x20, 0, 0], 10, fast)).toEqual([0, 0, 0]);
    b.transfer([0x41, 0, 0x06], 10, fast);
    expect(b.transfer([0x20, 1, 0, 0], 10, 4 * T_CLK)).toEqual([0, 0, 0x73, 0x02]);
    // A system command loses what it should do.
    b.transfer([0x10, 0], 10, fast);
    expect(b.read(0)).toEqual([0x73]);
    b.transfer([0x10, 0], 10, 4 * T_CLK);
    expect(b.read(0)).toEqual([0]);
  });

  test("a slow oscillator needs more time, a fast one less", () => {
    for (const [oscillator, gap, heard] of [
      [0.9, 4 * T_CLK, false],
      [0.9, (4 * T_CLK) / 0.9, true],
      [1.1, (4 * T_CLK) / 1.1, true],
    ] as const) {
      const b = bench({ oscillator });
      b.command(0x11);
      expect(b.transfer([0x20, 0, 0], 10, gap)[2]).toBe(heard ? 0x73 : 0);
    }
  });

  test("CS that rises within 3 tCLK of a command's last bit loses it (Timing Requirements, tSCCS)", () => {
    const b = bench();
    b.transfer([0x11], 3 * T_CLK - 0.01);
    expect(b.read(0)).toEqual([0]);
    b.transfer([0x11], 3 * T_CLK);
    b.wait(T_CLK);
    expect(b.read(0)).toEqual([0x73]);
    b.transfer([0x41, 0, 0x06], 0);
    expect(b.read(1)).toEqual([0x02]);
    b.transfer([0x41, 1, 0x06, 0xa0], 0);
    expect(b.read(1, 2)).toEqual([0x06, 0x80]);
  });

  test("RDATA and its data know no such limit (RDATA)", () => {
    const b = awake();
    b.chip.set("ecg", 0.1);
    converting(b);
    const fast = b.transfer([0x12, ...new Array(9).fill(0)], 0, 0.5);
    expect(signed(fast, 7)).toBe(Math.round((0.1 * 6 * 8388607) / 2.42));
  });

  test("a zero is no command, and keeps CS low for the time a command needs", () => {
    const b = bench();
    b.transfer([0x11, 0], 0);
    b.transfer([0x41, 0, 0x05, 0], 0);
    expect(b.read(0, 2)).toEqual([0x73, 0x05]);
  });

  test("a transfer that ends in the middle of a command leaves nothing behind (Serial Clock)", () => {
    const b = bench();
    b.command(0x11);
    b.transfer([0x40]);
    b.transfer([0x41, 1]);
    b.transfer([0x41, 1, 0x03]);
    expect(b.read(0, 3)).toEqual([0x73, 0x03, 0x80]);
  });

  test("a host that lets no time go by between bytes is heard", () => {
    const { chip } = bench();
    const transfer = (...bytes: number[]) => {
      chip.select();
      const reply = bytes.map((byte) => chip.exchange(byte));
      chip.deselect();
      return reply;
    };
    transfer(0x11);
    transfer(0x42, 0, 0xa0);
    expect(transfer(0x20, 2, 0, 0, 0)).toEqual([0, 0, 0x73, 0x02, 0xa0]);
    transfer(0x08);
    chip.advance(60_000);
    expect(chip.interrupt).toBe(0);
  });

  test("while CS stays low a command is done 4 tCLK after its byte", () => {
    const b = bench();
    b.transfer([0x08], null);
    expect(b.chip.nextAt).toBeCloseTo(b.now + 4 * T_CLK, 6);
    b.wait(4 * T_CLK);
    expect(b.chip.nextAt).toBeCloseTo(b.now + 1028 * T_MOD, 6);
  });

  test("its next moment is Infinity while nothing converts", () => {
    expect(bench().chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});
