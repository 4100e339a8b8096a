/** The ADS1292R driver: status word and samples, time and loss. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, FLAG_LEAD_OFF, FLAG_SATURATED } from "../../drivers/driver.ts";
import { data, look, opened, play, poll, rdata, registers } from "./ads1292r-script.ts";

describe("ADS1292R reading", () => {
  test("one poll is RDATA and two registers: one sample of each channel, dated by its edge (Data Retrieval)", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(0x123456, 0x654321), 40000, 39990)]);
    expect(frame.faults).toEqual([]);
    const block = { count: 1, index: 0, lost: 0, flags: 0, time: 39990, uncertainty: 100 };
    expect(frame.channels).toMatchObject([block, block]);
    expect(frame.channels.map(({ samples }) => samples[0])).toEqual([0x123456, 0x654321]);
  });

  test.each([
    [0x000000, 0],
    [0x000001, 1],
    [0x7ffffe, 8388606],
    [0x800001, -8388607],
    [0xffffff, -1],
    [0xff8000, -32768],
    [0x008000, 32768],
    [0x0080ff, 33023],
  ])("code 0x%s is two's complement, and no rail (Data Format)", (code, value) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(code, 5), 40000, 39990)]);
    play(driver.poll(), frame, [poll(data(6, code), 48000, 47990)]);
    expect([frame.channels[0].samples[0], frame.channels[1].samples[0]]).toEqual([6, value]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0]);
  });

  test.each([
    [0x7fffff, 8388607],
    [0x800000, -8388608],
  ])("code 0x%s is a rail of its own channel, not of the other one (Data Format)", (code, value) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(code, 5), 40000, 39990)]);
    expect(frame.channels.map(({ flags, samples }) => [flags, samples[0]])).toEqual([
      [FLAG_SATURATED, value],
      [0, 5],
    ]);
    play(driver.poll(), frame, [poll(data(6, code), 48000, 47990)]);
    expect(frame.channels.map(({ flags, samples }) => [flags, samples[0]])).toEqual([
      [0, 6],
      [FLAG_SATURATED, value],
    ]);
  });

  test("every 24-bit value comes back as it is", () => {
    const { driver, frame } = opened();
    let at = 40000;
    const value = fc.integer({ min: -8388608, max: 8388607 });
    fc.assert(
      fc.property(value, value, (first, second) => {
        at += 8000;
        play(driver.poll(), frame, [poll(data(first & 0xffffff, second & 0xffffff), at, at - 10)]);
        expect(frame.channels.map(({ samples }) => samples[0])).toEqual([first, second]);
        expect(frame.channels[0]).toMatchObject({ lost: 0, time: at - 10 });
      }),
      { seed: 1292, numRuns: 200 },
    );
  });

  test.each([
    [0x01, 0, 0],
    [0x02, 0, 0],
    [0x04, 0, FLAG_LEAD_OFF],
    [0x08, 0, FLAG_LEAD_OFF],
    [0x10, 0, 0],
  ])("LOFF_STAT 0x%s counts where it is looked at: channel 2 beside respiration (LOFF_SENS)", (off, first, second) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2, off), 40000, 39990)]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([first, second]);
  });

  test.each([
    [0x01, FLAG_LEAD_OFF, 0],
    [0x02, FLAG_LEAD_OFF, 0],
    [0x0c, 0, FLAG_LEAD_OFF],
    [0x10, 0, 0],
  ])("LOFF_STAT 0x%s of two ecg channels is the lead-off of the one or the other", (off, first, second) => {
    const values = [0x00, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0f, 0x00, 0x02, 0x07];
    const { driver, frame } = opened({ channel1: "ecg" }, values);
    play(driver.poll(), frame, [poll(data(1, 2, off), 40000, 39990)]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([first, second]);
  });

  test("the levels of the GPIO pins in the status word are the board's business", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2, 0, 3), 40000, 39990)]);
    expect(frame.channels.map(({ count, flags }) => [count, flags])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  test("without an edge nothing is a sample, whatever comes: a value is never repeated", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990)]);
    play(driver.poll(), frame, [poll(data(1, 2), 41000, undefined)]);
    expect(frame.channels.map(({ count, lost }) => [count, lost])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(frame.faults).toEqual([]);
  });

  test("edges without a reading are what is lost, and the index goes on", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990, 2)]);
    expect(frame.channels[0]).toMatchObject({ lost: 1, index: 1, count: 1 });
    play(driver.poll(), frame, [poll(data(3, 4), 104000, 103990, 8)]);
    for (const block of frame.channels) expect(block).toMatchObject({ lost: 7, index: 9, count: 1, time: 103990 });
    play(driver.poll(), frame, [poll(data(5, 6), 112000, 111990)]);
    for (const block of frame.channels) expect(block).toMatchObject({ lost: 0, index: 10, count: 1 });
  });

  test("a conversion that ends while it is read is read again; the one before it is lost", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990)]);
    play(driver.poll(), frame, [poll(data(3, 4), 55900, 56000, 2), poll(data(5, 6), 56100, undefined)]);
    for (const block of frame.channels) expect(block).toMatchObject({ lost: 1, index: 2, count: 1, time: 56000 });
    expect(frame.channels[0].samples[0]).toBe(5);
  });

  test("an edge at the very begin of a reading is before it, one a microsecond later is within it", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(3, 4), 40000, 40000)]);
    expect(frame.channels[1]).toMatchObject({ lost: 0, index: 0, count: 1, time: 40000 });
    play(driver.poll(), frame, [poll(data(3, 4), 48000, 48001), poll(data(5, 6), 48200, undefined)]);
    expect(frame.channels[1]).toMatchObject({ lost: 0, index: 1, count: 1, time: 48001 });
  });

  test("conversions that end within every reading leave it after four, and the next poll counts them", () => {
    const { driver, frame } = opened();
    const torn = (at: number) => poll(data(7, 8), at, at + 100);
    play(driver.poll(), frame, [torn(40000), torn(40300), torn(40600), torn(40900)]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message: "ADS1292R: conversions end faster than they are read; lower sampleRate, or use a faster bus",
      },
    ]);
    expect(frame.channels[0].count).toBe(0);
    play(driver.poll(), frame, [poll(data(9, 10), 42000, undefined)]);
    expect(frame.channels[0]).toMatchObject({ lost: 3, index: 3, count: 1, time: 41000 });
  });

  test("an edge that is told after its conversion may have been read makes the loss unknown, and no second sample", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990)]);
    // It came at the end of the bytes above, at 40200, and was told one poll later.
    play(driver.poll(), frame, [poll(data(3, 4), 41000, 40200)]);
    expect(frame.channels[0].count).toBe(0);
    play(driver.poll(), frame, [poll(data(5, 6), 48000, 47990)]);
    expect(frame.channels.map(({ lost, count }) => [lost, count])).toEqual([
      [-1, 1],
      [-1, 1],
    ]);
    play(driver.poll(), frame, [poll(data(7, 8), 56000, 55990)]);
    expect(frame.channels[0]).toMatchObject({ lost: 0, index: 2 });
  });

  test("what a failed transfer did not bring is still there: the next poll reads it, and counts", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [rdata, look], fails: true, at: 40000, edgeAt: 39990 }]);
    expect(frame.channels[0].count).toBe(0);
    play(driver.poll(), frame, [poll(data(1, 2), 41000, undefined)]);
    expect(frame.channels[0]).toMatchObject({ lost: 0, index: 0, count: 1, time: 39990 });
    play(driver.poll(), frame, [{ ops: [rdata, look], fails: true, at: 48000, edgeAt: 47990 }]);
    play(driver.poll(), frame, [poll(data(3, 4), 56000, 55990)]);
    expect(frame.channels[0]).toMatchObject({ lost: 1, index: 2, count: 1, time: 55990 });
  });

  test.each([
    ["a nibble that is not 1100", 0xd00000],
    ["a line that is high", 0xffffff],
    ["a line that is low", 0x000000],
    ["a bit among the 13 zeros", 0xc01000],
    ["the last bit", 0xc00001],
  ])("a status word with %s is no data: read again, then a fault, and the sample is counted", (_, word) => {
    const { driver, frame } = opened();
    const bad = data(1, 2);
    bad.set([word >> 16, (word >> 8) & 255, word & 255], 1);
    play(driver.poll(), frame, [poll(bad, 40000, 39990), poll(data(1, 2), 40300, undefined)]);
    expect(frame.faults).toEqual([]);
    expect(frame.channels[0]).toMatchObject({ count: 1, lost: 0 });
    play(
      driver.poll(),
      frame,
      [48000, 48300, 48600, 48900].map((at, i) => poll(bad, at, i === 0 ? 47990 : undefined)),
    );
    const hex = [word >> 16, (word >> 8) & 255, word & 255].map((byte) => `0x${byte.toString(16)}`).join(", ");
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message: `ADS1292R: status word reads ${hex}, 0xc..... was expected; slow the bus down`,
      },
    ]);
    expect(frame.channels[0].count).toBe(0);
    play(driver.poll(), frame, [poll(data(3, 4), 56000, 55990)]);
    expect(frame.channels[0]).toMatchObject({ count: 1, lost: 1, index: 2 });
  });

  test.each([
    [
      "its reset values",
      registers(0x02, 0x80),
      FAULT_RESTARTED,
      "read 0x2, 0x80, 0x0, 0xe0 were written: it lost its state; open it again",
    ],
    [
      "another rate",
      registers(0x01, 0xe0),
      FAULT_RESTARTED,
      "read 0x1, 0xe0, 0x0, 0xe0 were written: it lost its state; open it again",
    ],
    [
      "a frame of RDATAC, its mode after power-up",
      Uint8Array.from([0xc0, 0, 0, 0, 0]),
      FAULT_RESTARTED,
      "read 0x0, 0x0, 0x0, 0xe0 were written: it lost its state; open it again",
    ],
    [
      "zeros but for CONFIG1",
      Uint8Array.from([0, 0, 5, 0, 0]),
      FAULT_RESTARTED,
      "read 0x5, 0x0, 0x0, 0xe0 were written: it lost its state; open it again",
    ],
    [
      "zeros",
      Uint8Array.from([0, 0, 0, 0, 0]),
      FAULT_BUS,
      "read 0x0, 0x0: no chip answers; check power, select and data lines",
    ],
    [
      "ones",
      Uint8Array.from([255, 255, 255, 255, 255]),
      FAULT_BUS,
      "read 0xff, 0xff: no chip answers; check power, select and data lines",
    ],
  ])("registers that are %s: no sample, a fault, a restart", (_, reply, code, text) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [rdata, look], replies: [data(1, 2), reply], at: 40000, edgeAt: 39990 }]);
    expect(frame.faults).toEqual([{ code, message: `ADS1292R: CONFIG1, CONFIG2 ${text}` }]);
    expect(frame.restart).toBe(true);
    expect(frame.channels.map(({ count }) => count)).toEqual([0, 0]);
  });

  test("twelve periods without an edge, though the registers are in order, are a fault and a restart", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990)]);
    play(driver.poll(), frame, [poll(data(1, 2), 135900, undefined)]);
    expect(frame.faults).toEqual([]);
    play(driver.poll(), frame, [poll(data(1, 2), 136000, undefined)]);
    expect(frame.restart).toBe(true);
    expect(frame.faults).toEqual([
      {
        code: FAULT_DATA,
        message:
          "ADS1292R: no edge of DRDY for 12 periods, though its registers are in order; check the DRDY line, open it again",
      },
    ]);
  });
});
