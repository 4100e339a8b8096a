/** The ADS1292R driver: transactions, status word and samples, time and loss, configuration. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ads1292rConfiguration, chip } from "../../drivers/ads1292r/driver.ts";
import {
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_TEST_SIGNAL,
} from "../../drivers/driver.ts";
import {
  asks,
  DEFAULT,
  data,
  fine,
  look,
  opened,
  pin,
  play,
  poll,
  rdata,
  rdatac,
  read,
  registers,
  send,
  sets,
  stream,
  WIRED,
  write,
} from "./ads1292r-script.ts";

const create = (configuration: Partial<Ads1292rConfiguration> = {}) => chip.create(configuration, WIRED);
/** WREG values of a configuration, as `open` writes them. */
function encoded(configuration: Partial<Ads1292rConfiguration>): number[] {
  const driver = create(configuration);
  const frame = driver.createFrame();
  let step = driver.open();
  for (const turn of [asks(0x73), { ops: [] }]) {
    const replies = "replies" in turn ? turn.replies! : [];
    step = step.next!({ replies, error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 }, frame)!;
  }
  return (step.ops[1] as { transfer: number[] }).transfer.slice(2, -1);
}

describe("ADS1292R opening", () => {
  test("wakes it, stops RDATAC, asks who it is, resets, writes ten registers, reads them back, and START is last", () => {
    const { frame } = opened();
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "ID 0x73" });
    expect(create()).toMatchObject({ spiMode: 1, maxHz: 900000, dataReady: "falling", pollEvery: 40 });
  });

  test("a byte at the fastest clock lasts 4 tCLK of the slowest oscillator, 2170 ns (Timing Requirements)", () => {
    expect(8e9 / create().maxHz).toBeGreaterThanOrEqual(4 * 2170);
  });

  test("holds START low and pulses PWDN/RESET where the board drives them", () => {
    const driver = chip.create({}, { interrupt: true, pins: ["reset", "start"] });
    const frame = driver.createFrame();
    play(driver.open(), frame, [
      { ops: [pin("start", 0), pin("reset", 0)], pause: 1 },
      { ops: [pin("reset", 1)], pause: 40 },
      asks(0x73),
      ...sets(DEFAULT),
    ]);
    expect(frame.faults).toEqual([]);
    const started = chip.create({}, { interrupt: true, pins: ["start"] });
    play(started.open(), frame, [{ ops: [pin("start", 0)] }, asks(0x73), ...sets(DEFAULT)]);
  });

  test("asks three times, 40 ms apart, where nothing answers: it needs 32 ms after its power came", () => {
    const driver = create();
    const frame = driver.createFrame();
    play(driver.open(), frame, [
      asks(0),
      { ops: [], pause: 40 },
      asks(0xff),
      { ops: [], pause: 40 },
      asks(0x73),
      ...sets(DEFAULT),
    ]);
    expect(frame.faults).toEqual([]);
    play(driver.open(), frame, [asks(0), { ops: [] }, asks(0), { ops: [] }, asks(0)]);
    expect(frame.identity).toEqual({ verdict: "refused", read: "ID 0x0" });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: "ADS1292R: ID reads 0x0, 0x73 was expected; check power, select and data lines",
      },
    ]);
  });

  test.each([
    [0x53, "ID 0x53 (ADS1292)", 'it has no respiration: choose channel1 "ecg"'],
    [0x52, "ID 0x52 (ADS1291)", "check power, select and data lines"],
    [0x51, "ID 0x51 (ADS1192)", "check power, select and data lines"],
    [0x50, "ID 0x50 (ADS1191)", "check power, select and data lines"],
    [0x92, "ID 0x92", "check power, select and data lines"],
  ])("refuses ID 0x%x at once and by name, and writes nothing to it", (id, text, advice) => {
    const driver = create();
    const frame = driver.createFrame();
    play(driver.open(), frame, [asks(id)]);
    expect(frame.identity).toEqual({ verdict: "refused", read: text });
    expect(frame.faults).toEqual([
      { code: FAULT_IDENTITY, message: `ADS1292R: ${text.replace("ID", "ID reads")}, 0x73 was expected; ${advice}` },
    ]);
  });

  test("takes an ADS1292 where no respiration is asked for, with RESP1 02 and RESP_FREQ 1 as it wants them", () => {
    const driver = create({ channel1: "ecg" });
    const frame = driver.createFrame();
    const values = [0x00, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0f, 0x00, 0x02, 0x07];
    play(driver.open(), frame, [asks(0x53), ...sets(values)]);
    expect(frame.identity).toEqual({ verdict: "plausible", read: "ID 0x53 (ADS1292)" });
  });

  test("names the register that does not keep its value, and leaves the chip in standby", () => {
    const driver = create();
    const frame = driver.createFrame();
    for (let i = 0; i < 10; i++) {
      const spoilt = DEFAULT.map((value, at) => (at === i ? value ^ 0x40 : value));
      play(driver.open(), frame, [
        asks(0x73),
        ...sets(DEFAULT).slice(0, 2),
        { ops: [read(1, 10)], replies: [registers(...spoilt)] },
        { ops: [send(0x02), send(0x11), send(0x06)], pause: 1 },
        { ops: [send(0x11), send(0x04)] },
      ]);
      const hex = (value: number) => `0x${value.toString(16)}`;
      expect(frame.faults).toEqual([
        {
          code: FAULT_CONFIGURATION,
          message: `ADS1292R: register ${hex(i + 1)} reads ${hex(spoilt[i])}, ${hex(DEFAULT[i])} was written; check the SPI wiring and slow the bus down`,
        },
      ]);
    }
  });

  test("lead-off bits in LOFF_STAT are no failure: only CLK_DIV is a setting (LOFF_STAT)", () => {
    const driver = create();
    const frame = driver.createFrame();
    const found = DEFAULT.map((value, i) => (i === 7 ? 0x1f : value));
    const script = sets(DEFAULT);
    play(driver.open(), frame, [
      asks(0x73),
      ...script.slice(0, 2),
      { ...script[2], replies: [registers(...found)] },
      script[3],
    ]);
    expect(frame.faults).toEqual([]);
  });

  test("conversions before START are a START pin that is high: it says so instead of running at the wrong time", () => {
    const driver = create();
    const frame = driver.createFrame();
    const script = sets(DEFAULT);
    play(driver.open(), frame, [
      asks(0x73),
      script[0],
      { ...script[1], at: 1000, edgeAt: 90000, edges: 60 },
      { ops: [send(0x02), send(0x11), send(0x06)] },
      { ops: [send(0x11), send(0x04)] },
    ]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_CONFIGURATION,
        message: "ADS1292R: it converts before START; wire its START pin to ground, or name the pin that drives it",
      },
    ]);
    // One from before the reset, told late, is not.
    play(driver.open(), frame, [asks(0x73), script[0], { ...script[1], at: 1000, edgeAt: 1000 }, ...script.slice(2)]);
    expect(frame.faults).toEqual([]);
  });

  test.each([0, 1, 2, 3])("a bus that fails in step %d behind the identity ends in standby", (failing) => {
    const driver = create();
    const frame = driver.createFrame();
    const script = sets(DEFAULT).map((turn, i) => (i === failing ? { ...turn, replies: [], fails: true } : turn));
    play(driver.open(), frame, [
      asks(0x73),
      ...script.slice(0, failing + 1),
      { ops: [send(0x02), send(0x11), send(0x06)] },
      { ops: [send(0x11), send(0x04)] },
    ]);
    expect(driver.poll().ops).toEqual([rdata, look]);
  });
});

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

describe("ADS1292R in RDATAC mode", () => {
  const CONTINUOUS = [0x06, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0c, 0x00, 0xf2, 0x03];
  const open = () => opened({ sampleRate: 8000, continuous: true }, CONTINUOUS);
  const checking = [send(0x11), look, send(0x10)];
  const quick = (reply: Uint8Array, at: number, edgeAt?: number) => ({
    ops: [rdatac],
    replies: [reply],
    at,
    ...(edgeAt !== undefined && { edgeAt }),
  });
  const checked = (at: number, reply = registers(0x06, 0xe0), edgeAt?: number) => ({
    ops: checking,
    replies: [Uint8Array.from([0]), reply, Uint8Array.from([0])],
    at,
    ...(edgeAt !== undefined && { edgeAt }),
  });

  test("a poll is the frame alone; its first byte is the first of the status word (RDATAC)", () => {
    const { driver, frame } = open();
    expect(driver.pollEvery).toBe(1);
    play(driver.poll(), frame, [quick(stream(0xfffffe, 0x7fffff, 4), 1000, 990)]);
    expect(frame.channels.map(({ samples, flags, time }) => [samples[0], flags, time])).toEqual([
      [-2, 0, 990],
      [8388607, FLAG_SATURATED | FLAG_LEAD_OFF, 990],
    ]);
  });

  test("five periods without an edge, or all zeros, or a status word that is none: the registers are looked at", () => {
    const { driver, frame } = open();
    play(driver.poll(), frame, [quick(stream(1, 2), 1000, 990)]);
    // 5 periods of 125 us behind the end of that reading.
    play(driver.poll(), frame, [quick(stream(1, 2), 1600)]);
    play(driver.poll(), frame, [quick(stream(1, 2), 1625), checked(1900)]);
    expect(frame.faults).toEqual([]);
    expect(frame.channels[0].count).toBe(0);
    play(driver.poll(), frame, [quick(stream(0, 0), 2000, 1990), checked(2100), quick(stream(0, 0), 2300)]);
    expect(frame.channels.map(({ samples, count, lost }) => [samples[0], count, lost])).toEqual([
      [0, 1, 0],
      [0, 1, 0],
    ]);
    // Zeros of one channel alone are nothing special: a channel that is off has them.
    play(driver.poll(), frame, [quick(stream(0, 7), 2600, 2590)]);
    expect(frame.channels[1].samples[0]).toBe(7);
    const bad = stream(3, 4);
    bad[0] = 0;
    play(driver.poll(), frame, [quick(bad, 3000, 2990), checked(3100), quick(stream(3, 4), 3300)]);
    expect(frame.channels[0]).toMatchObject({ count: 1, index: 3, lost: 0 });
    play(driver.poll(), frame, [
      quick(bad, 4000, 3990),
      checked(4100),
      quick(bad, 4300),
      quick(bad, 4500),
      quick(bad, 4700),
    ]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_DATA]);
  });

  test("an edge that comes with the look is read after it", () => {
    const { driver, frame } = open();
    play(driver.poll(), frame, [quick(stream(1, 2), 1625), checked(1900, undefined, 1950), quick(stream(3, 4), 2200)]);
    expect(frame.channels[0]).toMatchObject({ count: 1, index: 0, lost: 0, time: 1950 });
  });

  test("a chip that was reset is silent, or says zeros: the look finds it", () => {
    const { driver, frame } = open();
    play(driver.poll(), frame, [quick(stream(0, 0), 1000, 990), checked(1100, registers(0x02, 0x80))]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_RESTARTED]);
    expect(frame.restart).toBe(true);
    play(driver.poll(), frame, [quick(stream(0, 0), 2000), checked(2100, registers(0, 0))]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_BUS]);
    play(driver.poll(), frame, [quick(stream(0, 0), 3000), { ops: checking, fails: true, at: 3100 }]);
    expect(frame.restart).toBe(false);
  });

  test("twelve quiet periods with registers in order are a fault here, too", () => {
    const { driver, frame } = open();
    play(driver.poll(), frame, [quick(stream(1, 2), 1000, 990)]);
    play(driver.poll(), frame, [quick(stream(1, 2), 2500), checked(2600)]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_DATA]);
    expect(frame.restart).toBe(true);
  });

  test("close reads, leaves the mode, stops, waits for the last conversion and asks for it by RDATA", () => {
    const { driver, frame } = open();
    const fine = registers(0x06, 0xe0);
    play(driver.close(), frame, [
      {
        ops: [rdatac, send(0x11), look, send(0x0a)],
        replies: [stream(1, 2), Uint8Array.from([0]), fine, Uint8Array.from([0])],
        at: 1000,
        edgeAt: 990,
      },
      { ops: [], pause: 2, at: 3000, edgeAt: 1300 },
      { ops: [rdata, look], replies: [data(3, 4), fine], at: 3100 },
      { ops: [send(0x02), send(0x11), send(0x06)], pause: 1 },
      { ops: [send(0x11), send(0x04)] },
    ]);
    expect(frame.faults).toEqual([]);
    expect(frame.channels.map(({ count, time, samples }) => [count, time, ...samples])).toEqual([
      [2, 990, 1, 3],
      [2, 990, 2, 4],
    ]);
  });
});

describe("ADS1292R closing", () => {
  const end = [{ ops: [send(0x02), send(0x11), send(0x06)], pause: 1 }, { ops: [send(0x11), send(0x04)] }];

  test("reads what waits, stops, waits a period, reads what ended in it, resets, and goes to standby", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: [rdata, look, send(0x0a)], replies: [data(1, 2), fine, Uint8Array.from([0])], at: 40000, edgeAt: 39990 },
      { ops: [], pause: 9, at: 40200, edgeAt: 47990 },
      { ops: [rdata, look], replies: [data(3, 4), fine], at: 50000 },
      ...end,
    ]);
    expect(
      frame.channels.map(({ count, index, lost, time, samples }) => [count, index, lost, time, ...samples]),
    ).toEqual([
      [2, 0, 0, 39990, 1, 3],
      [2, 0, 0, 39990, 2, 4],
    ]);
    play(driver.close(), frame, end);
    expect(frame.faults).toEqual([]);
  });

  test("flags of both samples hold for the block", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      {
        ops: [rdata, look, send(0x0a)],
        replies: [data(0x7fffff, 2, 4), fine, Uint8Array.from([0])],
        at: 40000,
        edgeAt: 39990,
      },
      { ops: [], at: 40200, edgeAt: 47990 },
      { ops: [rdata, look], replies: [data(3, 4), fine], at: 50000 },
      ...end,
    ]);
    expect(frame.channels.map(({ count, flags }) => [count, flags])).toEqual([
      [2, FLAG_SATURATED],
      [2, FLAG_LEAD_OFF],
    ]);
  });

  test("a conversion that ends within its first reading is left to the second one", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      {
        ops: [rdata, look, send(0x0a)],
        replies: [data(1, 2), fine, Uint8Array.from([0])],
        at: 40000,
        edgeAt: 40010,
        edges: 2,
      },
      { ops: [], at: 40200 },
      { ops: [rdata, look], replies: [data(3, 4), fine], at: 50000 },
      ...end,
    ]);
    expect(frame.channels[0]).toMatchObject({ count: 1, index: 1, lost: 1, time: 40010 });
    expect(frame.channels[0].samples[0]).toBe(3);
  });

  test("without an edge there is nothing to hand over; what is no status word is not handed over", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: [rdata, look, send(0x0a)], replies: [data(1, 2), fine, Uint8Array.from([0])], at: 40000 },
      { ops: [], at: 40200, edgeAt: 47990 },
      { ops: [rdata, look], replies: [new Uint8Array(11), fine], at: 50000 },
      ...end,
    ]);
    expect(frame.channels[0].count).toBe(0);
  });

  test("a chip that lost its state, or a bus that fails, is put to rest all the same", () => {
    for (const turn of [{ replies: [data(1, 2), registers(2, 0x80)], edgeAt: 39990, at: 40000 }, { fails: true }]) {
      const { driver, frame } = opened();
      play(driver.close(), frame, [{ ops: [rdata, look, send(0x0a)], ...turn }, ...end]);
      expect(frame.channels[0].count).toBe(0);
      expect(frame.restart).toBe(!("fails" in turn));
    }
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: [rdata, look, send(0x0a)], replies: [data(1, 2), fine], at: 40000 },
      { ops: [] },
      { ops: [rdata, look], fails: true },
      ...end,
    ]);
    expect(frame.channels[0].count).toBe(0);
  });

  test("power-down is PWDN/RESET held low where the board drives it", () => {
    const driver = chip.create({}, { interrupt: true, pins: ["reset"] });
    play(driver.close(), driver.createFrame(), [{ ops: [pin("reset", 0)] }]);
  });
});

describe("ADS1292R reconfigured", () => {
  test("writes all but CONFIG1, which would begin anew, and reads all back; the record goes on", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [poll(data(1, 2), 40000, 39990)]);
    const next = { ...driver.configuration, leadOff: 22, leadOffThreshold: 75, rightLegDrive: "both", chop: 4 };
    const values = [0x00, 0xe0, 0xd4, 0x00, 0x00, 0xef, 0x0c, 0x00, 0xf2, 0x03];
    play(driver.reconfigure(next)!, frame, [
      {
        ops: [send(0x11), write(2, ...values.slice(1)), read(1, 10)],
        replies: [Uint8Array.from([0]), Uint8Array.from([0]), registers(...values)],
        at: 47900,
        edgeAt: 47950,
      },
    ]);
    expect(frame.faults).toEqual([]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [poll(data(3, 4), 48500, undefined)]);
    expect(frame.channels[0]).toMatchObject({ count: 1, lost: 0, index: 1, time: 47950 });
  });

  test("a register that does not keep its value asks for a restart", () => {
    const { driver, frame } = opened();
    const values = [0x00, 0xa0, 0x10, 0x00, 0x00, 0x2c, 0x00, 0x00, 0xf2, 0x03];
    play(driver.reconfigure({ ...driver.configuration, leadOff: 0 })!, frame, [
      {
        ops: [send(0x11), write(2, ...values.slice(1)), read(1, 10)],
        replies: [Uint8Array.from([0]), Uint8Array.from([0]), registers(...DEFAULT)],
      },
    ]);
    expect(frame.restart).toBe(true);
    expect(frame.faults[0].code).toBe(FAULT_CONFIGURATION);
    play(driver.reconfigure({ ...driver.configuration, leadOff: 0 })!, frame, [
      { ops: [send(0x11), write(2, ...values.slice(1)), read(1, 10)], fails: true },
    ]);
    expect(frame.restart).toBe(false);
  });

  test("goes back to RDATAC where that is how it is read", () => {
    const values = [0x00, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0c, 0x00, 0xf2, 0x03];
    const { driver } = opened({ continuous: true }, values);
    const { ops } = driver.reconfigure({ ...driver.configuration, leadOff: 0 })!;
    expect(ops[3]).toEqual(send(0x10));
  });

  test.each([
    { sampleRate: 250 },
    { gain1: 4 },
    { gain2: 12 },
    { input2: "short", leadOff: 0, rightLegDrive: "off" },
    { reference: 4033 / 1000 },
    { channel1: "ecg" },
    { channel1: "off" },
    { continuous: true },
  ])("%o is another record: close and open", (change) => {
    const { driver } = opened();
    expect(driver.reconfigure({ ...driver.configuration, ...change })).toBeNull();
    expect(driver.configuration).toEqual(chip.defaults);
  });
});

describe("ADS1292R configuration", () => {
  test.each([
    [{}, DEFAULT],
    [{ sampleRate: 500 }, [0x02]],
    [{ sampleRate: 2000 }, [0x04]],
    [{ sampleRate: 8000, continuous: true }, [0x06]],
    [{ reference: 4033 / 1000 }, [0x00, 0xf0]],
    [{ leadOff: 0 }, [0x00, 0xa0, 0x10, 0x00, 0x00, 0x2c, 0x00]],
    [{ leadOff: 22, leadOffThreshold: 92.5 }, [0x00, 0xe0, 0x34]],
    [{ leadOff: 6000, leadOffThreshold: 87.5 }, [0x00, 0xe0, 0x78]],
    [{ leadOff: 22000, leadOffThreshold: 70 }, [0x00, 0xe0, 0xfc]],
    [{ leadOffMode: "ac" }, [0x00, 0xa0, 0x11, 0x00, 0x00, 0x2c, 0x0c]],
    [{ gain1: 1, gain2: 12 }, [0x00, 0xe0, 0x10, 0x10, 0x60]],
    [{ gain1: 2, gain2: 3 }, [0x00, 0xe0, 0x10, 0x20, 0x30]],
    [{ gain1: 4, gain2: 8 }, [0x00, 0xe0, 0x10, 0x40, 0x50]],
    [{ channel1: "off" }, [0x00, 0xe0, 0x10, 0x81, 0x00, 0x2c, 0x0c, 0x00, 0x02, 0x07]],
    [
      { channel1: "ecg", channel2: "off", rightLegDrive: "channel1" },
      [0x00, 0xe0, 0x10, 0x00, 0x81, 0x23, 0x03, 0x00, 0x02, 0x07],
    ],
    [{ rightLegDrive: "off", chop: 2 }, [0x00, 0xe0, 0x10, 0x00, 0x00, 0x80]],
    [{ rightLegDrive: "both", chop: 4 }, [0x00, 0xe0, 0x10, 0x00, 0x00, 0xef]],
    [{ respirationPhase: 0 }, [...DEFAULT.slice(0, 8), 0xc2, 0x03]],
    [{ respirationPhase: 168.75 }, [...DEFAULT.slice(0, 8), 0xfe, 0x03]],
    [{ respirationPhase: 11.25 }, [...DEFAULT.slice(0, 8), 0xc6, 0x03]],
    [{ respirationFrequency: 64, respirationPhase: 157.5 }, [...DEFAULT.slice(0, 8), 0xde, 0x07]],
    [{ channel1: "ecg", input1: "test" }, [0x00, 0xe3, 0x10, 0x05, 0x00, 0x2c, 0x0c]],
    [{ channel1: "ecg", input1: "test", testSignal: 0 }, [0x00, 0xe2]],
    [
      { input2: "temperature", leadOff: 0, rightLegDrive: "channel1" },
      [0x00, 0xa0, 0x10, 0x00, 0x04, 0x23, 0x00, 0x00, 0xf2, 0x03],
    ],
    [{ channel1: "ecg", input1: "short" }, [0x00, 0xe0, 0x10, 0x01]],
    [{ channel1: "ecg", input1: "rightLegDrive" }, [0x00, 0xe0, 0x10, 0x02]],
    [{ channel1: "ecg", input1: "supply", gain1: 1 }, [0x00, 0xe0, 0x10, 0x13]],
    [{ channel1: "ecg", input1: "auxiliary" }, [0x00, 0xe0, 0x10, 0x09]],
  ] as [Partial<Ads1292rConfiguration>, number[]][])(
    "%o is written as it should be (table 16)",
    (configuration, values) => {
      expect(encoded(configuration).slice(0, values.length)).toEqual(values);
    },
  );

  test("no register is left that could be read as after a reset: CONFIG2 always has its reference on", () => {
    expect(encoded({ leadOff: 0 })[1] & 0x20).toBe(0x20);
  });

  test.each([
    [{ sampleRate: 100 }, "sampleRate is 100; choose one of 125, 250, 500, 1000, 2000, 4000, 8000"],
    [{ channel1: "ppg" }, "channel1 is ppg; choose one of respiration, ecg, off"],
    [{ channel2: "respiration" }, "channel2 is respiration; choose one of ecg, off"],
    [{ gain1: 5 }, "gain1 is 5; choose one of 6, 1, 2, 3, 4, 8, 12"],
    [{ gain2: 24 }, "gain2 is 24; choose one of 6, 1, 2, 3, 4, 8, 12"],
    [
      { input2: "" },
      "input2 is ; choose one of electrodes, short, rightLegDrive, supply, temperature, test, auxiliary",
    ],
    [{ reference: 3 }, "reference is 3; choose one of 2.42, 4.033"],
    [{ leadOff: 10 }, "leadOff is 10; choose one of 0, 6, 22, 6000, 22000"],
    [{ leadOffThreshold: 50 }, "leadOffThreshold is 50; choose one of 95, 92.5, 90, 87.5, 85, 80, 75, 70"],
    [{ leadOffMode: "pulse" }, "leadOffMode is pulse; choose one of dc, ac"],
    [{ rightLegDrive: "left" }, "rightLegDrive is left; choose one of off, channel1, channel2, both"],
    [{ chop: 8 }, "chop is 8; choose one of 16, 4, 2"],
    [{ testSignal: 2 }, "testSignal is 2; choose one of 0, 1"],
    [{ respirationFrequency: 48 }, "respirationFrequency is 48; choose one of 32, 64"],
    [
      { respirationPhase: 10 },
      "respirationPhase 10 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationPhase: 180 },
      "respirationPhase 180 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationPhase: -22.5 },
      "respirationPhase -22.5 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationFrequency: 64, respirationPhase: 33.75 },
      "respirationPhase 33.75 and respirationFrequency 64 fight: choose a multiple of 22.5 up to 157.5 degrees",
    ],
    [
      { respirationFrequency: 64, respirationPhase: 180 },
      "respirationPhase 180 and respirationFrequency 64 fight: choose a multiple of 22.5 up to 157.5 degrees",
    ],
    [{ channel1: "off", channel2: "off" }, "channel1 off and channel2 off fight: choose one to be read"],
    [
      { sampleRate: 4000 },
      "sampleRate 4000 and continuous false fight: there is no time for registers; choose continuous true",
    ],
    [{ input1: "short" }, "channel1 respiration and input1 short fight: choose input1 electrodes, or channel1 ecg"],
    [
      { channel2: "off", input2: "test", leadOff: 0, rightLegDrive: "off" },
      "channel2 off and input2 test fight: choose input2 electrodes, or channel2 ecg",
    ],
    [
      { channel1: "ecg", input1: "supply" },
      "input1 supply and gain1 6 fight: half of the supply is out of range; choose gain1 1",
    ],
    [
      { input2: "test" },
      "leadOff 6 and channel1 respiration fight: no channel is an ecg of electrodes; choose leadOff 0",
    ],
    [
      { channel1: "off", input2: "short" },
      "leadOff 6 and input2 short fight: no channel is an ecg of electrodes; choose leadOff 0",
    ],
    [
      { channel2: "off", leadOff: 0 },
      "rightLegDrive channel2 and channel2 off fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { channel1: "ecg", input1: "short", rightLegDrive: "channel1" },
      "rightLegDrive channel1 and input1 short fight: there are no electrodes; choose another channel, or off",
    ],
    [{ leadOff: 0, leadOffMode: "ac" }, "leadOff 0 and leadOffMode ac fight: choose a current, or dc"],
    [
      { input2: "test", leadOff: 0 },
      "rightLegDrive channel2 and input2 test fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { channel1: "off", rightLegDrive: "both" },
      "rightLegDrive both and channel1 off fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { input2: "auxiliary", leadOff: 0, rightLegDrive: "off" },
      "channel1 respiration and input2 auxiliary fight: its carrier goes out there; choose input2 electrodes",
    ],
  ] as [Partial<Ads1292rConfiguration>, string][])("%o is refused, and why", (configuration, message) => {
    expect(() => create(configuration)).toThrow(new Error(`ADS1292R: ${message}`));
  });

  test("without DRDY, or on a board whose transfers are too short, there is no driver", () => {
    expect(chip.needsInterrupt).toBe(true);
    expect(() => chip.create({}, {})).toThrow(
      "ADS1292R: DRDY is not wired, and nothing else tells a new conversion from one that was read before; connect it and name its pin as interrupt",
    );
    expect(() => chip.create({}, { interrupt: true, maxRead: 12 })).toThrow(
      "ADS1292R: maxRead is 12, its registers take 13 bytes; use another board",
    );
    expect(chip.create({}, { interrupt: true, maxRead: 13 }).model).toBe("ADS1292R");
  });

  test("one step is reference / (gain x (2^23 - 1)) V, to 12 digits (Data Format)", () => {
    for (const reference of [2.42, 4.033]) {
      for (const gain of [1, 2, 3, 4, 6, 8, 12]) {
        const [first, second] = create({ reference, gain1: gain, gain2: gain }).channels();
        const exact = reference / (gain * 8388607);
        expect(Math.abs((first.mul * 10 ** first.exp10) / exact - 1)).toBeLessThan(1e-12);
        expect(second.mul).toBe(first.mul);
        expect(Number.isSafeInteger(first.mul)).toBe(true);
      }
    }
  });

  test("channels are named for what they are, and only those that are on are there", () => {
    const names = (configuration: Partial<Ads1292rConfiguration>) =>
      create(configuration)
        .channels()
        .map(({ name, mdc, processing }) => [name, mdc, processing]);
    expect(names({})).toEqual([
      ["respiration", 151780, 0],
      ["ecg", 131328, 0],
    ]);
    expect(names({ channel1: "ecg" })).toEqual([
      ["ecg1", 131328, 0],
      ["ecg", 131328, 0],
    ]);
    expect(names({ channel1: "off" })).toEqual([["ecg", 131328, 0]]);
    expect(names({ channel2: "off", leadOff: 0, rightLegDrive: "channel1" })).toEqual([["respiration", 151780, 0]]);
    expect(names({ channel1: "ecg", input1: "test" })).toEqual([
      ["ecg1", 131328, 3],
      ["ecg", 131328, 0],
    ]);
    expect(create({ sampleRate: 250 }).channels()[1]).toMatchObject({
      rate: 250,
      bits: 24,
      unit: "V",
      waveform: true,
      minimum: -8388608,
      maximum: 8388607,
      accuracy: "noise 8 uV peak to peak at 150 hz and gain 6 (SBAS502C p. 1)",
    });
  });

  test("a single channel takes its own three bytes, and a test signal is flagged as one", () => {
    const second = opened({ channel1: "off" }, [0x00, 0xe0, 0x10, 0x81, 0x00, 0x2c, 0x0c, 0x00, 0x02, 0x07]);
    play(second.driver.poll(), second.frame, [poll(data(0, 0x42), 40000, 39990)]);
    expect(second.frame.channels.map(({ samples, flags }) => [samples[0], flags])).toEqual([[0x42, 0]]);
    const values = [0x00, 0xa3, 0x10, 0x05, 0x81, 0x00, 0x00, 0x00, 0x02, 0x07];
    const test = { channel1: "ecg", input1: "test", channel2: "off", leadOff: 0, rightLegDrive: "off" };
    const { driver, frame } = opened(test, values);
    play(driver.poll(), frame, [
      { ops: [rdata, look], replies: [data(0x41, 0), registers(0x00, 0xa3)], at: 40000, edgeAt: 39990 },
    ]);
    expect(frame.channels.map(({ samples, flags }) => [samples[0], flags])).toEqual([[0x41, FLAG_TEST_SIGNAL]]);
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/ads1292r/README.md", import.meta.url), "utf8").replace(/ +/g, " ");
    for (const [name, value] of Object.entries(chip.defaults)) {
      expect(page).toContain(`| \`${name}\` | ${JSON.stringify(value)} |`);
    }
  });
});
