/** The ADS1292R driver: RDATAC, closing, and what may change while it runs. */
import { describe, expect, test } from "vitest";
import { chip } from "../../drivers/ads1292r/chip.ts";
import {
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
} from "../../drivers/driver.ts";
import {
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
  stream,
  write,
} from "./ads1292r-script.ts";

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
