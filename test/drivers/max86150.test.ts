/** A MAX86150 opened, resumed, reconfigured and tested by itself: operations in, answers out. */
import { describe, expect, it } from "vitest";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, FLAG_LED_CHANGED, FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip, type Max86150Configuration } from "../../drivers/max86150/chip.ts";
import { createDriver, type Max86150Setup } from "../../drivers/max86150/driver.ts";
import { codes, DEFAULT, opened, opening, play, read, STATUS, status } from "./max86150-script.ts";

const create = (configuration: Partial<Max86150Configuration> = {}, wiring = {}) => chip.create(configuration, wiring);

describe("MAX86150 open", () => {
  it("identifies, resets, writes all registers and the vendor's tuning, reads back, then enables the FIFO (19-8402; AN6843)", () => {
    const driver = create();
    const frame = play(driver.open(), driver.createFrame(), opening());
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "PART_ID 0x1e" });
    expect(frame.faults).toEqual([]);
  });

  it("leaves the test registers alone without ecg, and where it is told to", () => {
    const light = create({ channels: ["red", "infrared"] });
    play(light.open(), light.createFrame(), opening([[0x08, 0x1f, 0x21, 0], ...DEFAULT.slice(1)], false));
    const plain = create({ tuning: false });
    play(plain.open(), plain.createFrame(), opening(DEFAULT, false));
  });

  it.each([
    [0x15, "0x15"],
    [0x00, "0x00"],
    [0xff, "0xff"],
  ])("refuses PART_ID %d and writes nothing", (part, shown) => {
    const driver = create();
    const frame = play(driver.open(), driver.createFrame(), [{ ops: [{ read: 1, at: 0xff }], replies: [[part]] }]);
    expect(frame.identity).toEqual({ verdict: "refused", read: `PART_ID ${shown}` });
    const message = `MAX86150 at 0x5e: PART_ID (0xff) reads ${shown}, not 0x1e; check the part and the address`;
    expect(frame.faults).toEqual([{ code: FAULT_IDENTITY, message }]);
    play(driver.close(), frame, [{ ops: [] }]);
  });

  it("gives up on a RESET bit that never clears itself", () => {
    const driver = create();
    const look = { ops: [{ read: 1, at: 0x0d }], replies: [[0x01]] };
    const frame = play(driver.open(), driver.createFrame(), [...opening().slice(0, 2), ...Array(8).fill(look)]);
    const message = "MAX86150 at 0x5e: SYSTEM_CONTROL (0x0d) keeps its RESET bit; check the supply";
    expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message }]);
  });

  it.each([
    [0, 0, "0x08", "0x00", "0x1f"],
    [0, 2, "0x0a", "0x00", "0x09"],
    [1, 0, "0x0e", "0x00", "0x97"],
    [5, 0, "0x3e", "0x00", "0x0d"],
    [6, 0, "0x02", "0x00", "0x80"],
    [6, 1, "0x03", "0x00", "0x80"],
    [7, 0, "0xff", "0x00", "0x1e"],
  ])(
    "starts nothing when reply %d, byte %d is not what was written: register %s",
    (reply, byte, name, reads, wanted) => {
      const driver = create();
      const script = opening().slice(0, 4);
      const replies = script[3].replies!.map((bytes, i) => bytes.map((b, k) => (i === reply && k === byte ? 0 : b)));
      const frame = play(driver.open(), driver.createFrame(), [...script.slice(0, 3), { ...script[3], replies }]);
      const message = `MAX86150 at 0x5e: register ${name} reads ${reads}, not ${wanted}; check the supply`;
      expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message }]);
      play(driver.poll(), frame, [{ ops: [] }]);
      expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: not open; open it first");
    },
  );
});

describe("MAX86150 resume", () => {
  it("resets and writes everything again, without asking who it is, and goes on behind a loss", () => {
    const driver = createDriver(chip.setup!({}, {}) as Max86150Setup);
    const frame = driver.createFrame();
    play(driver.open(), frame, opening());
    read(driver, frame, 0, 3, 15_000);
    play(driver.resume(), frame, opening().slice(1));
    read(driver, frame, 0, 2, 25_000);
    expect(frame.channels.map(({ count, index, lost }) => [count, index, lost])).toEqual(Array(3).fill([2, 3, -1]));
    // What comes then is counted.
    read(driver, frame, 2, 1, 30_000);
    expect(frame.channels.map(({ index, lost }) => [index, lost])).toEqual(Array(3).fill([5, 0]));
  });

  it("does not convert where that failed", () => {
    const driver = createDriver(chip.setup!({}, {}) as Max86150Setup);
    const frame = driver.createFrame();
    play(driver.open(), frame, opening());
    play(driver.resume(), frame, [
      { ...opening()[1], error: "nack" },
      { ops: opening()[2].ops, error: "nack" },
    ]);
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: not open; open it first");
    play(driver.close(), frame, [{ ops: [{ write: [0x0d, 0x02] }] }]);
  });
});

describe("MAX86150 reconfigure", () => {
  it("changes LED currents and flags the next block of light, not the ECG's", () => {
    const { driver, frame } = opened();
    const next = { ...chip.defaults, ledCurrent: { red: 80, infrared: 4 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 20, 200] }, { write: [0x14, 4] }] }]);
    expect(driver.configuration.ledCurrent).toEqual({ red: 80, infrared: 4 });
    read(driver, frame, 0, 2, 10_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_LED_CHANGED, FLAG_LED_CHANGED, 0]);
    read(driver, frame, 2, 2, 20_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0, 0]);
    // What it changed is where it stands: the same once more is nothing.
    play(driver.reconfigure(next)!, frame, [{ ops: [] }]);
    read(driver, frame, 4, 1, 30_000);
    expect(frame.channels[0].flags).toBe(0);
  });

  it("keeps the old configuration where the bus failed", () => {
    const { driver, frame } = opened();
    const next = { ...chip.defaults, ledCurrent: { red: 2, infrared: 2 } };
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 10, 10] }, { write: [0x14, 0] }], error: "nack" }]);
    expect(driver.configuration.ledCurrent).toEqual({ red: 10, infrared: 10 });
    play(driver.reconfigure(next)!, frame, [{ ops: [{ write: [0x11, 10, 10] }, { write: [0x14, 0] }] }]);
  });

  it.each<Partial<Max86150Configuration>>([
    { channels: ["ecg"] },
    { sampleRate: 400 },
    { pulseWidth: 100 },
    { adcRange: 4096 },
    { gain: 38 },
    { tuning: false },
  ])("asks for close and open for %j", (part) => {
    const { driver } = opened();
    expect(driver.reconfigure({ ...chip.defaults, ...part })).toBeNull();
  });

  it("refuses what create would refuse", () => {
    const { driver } = opened();
    expect(() => driver.reconfigure({ ...chip.defaults, gain: 1 })).toThrow("MAX86150: gain is 1");
  });
});

describe("MAX86150 self-test", () => {
  const WRITES = [
    { write: [0x15, 0x55] },
    { read: 1, at: 0x15 },
    { write: [0x15, 0xaa] },
    { read: 1, at: 0x15 },
    { write: [0x15, 0] },
  ];

  it("measures the register, the supply and the rate by its own means", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(30, 0, 20)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(6, 0, 20)], began: 41_200, ended: 41_400 },
    ]);
    expect(frame.faults).toEqual([]);
    const [bits, supply, rate] = frame.measurements;
    expect(bits).toEqual({
      name: "register bits that differ",
      value: 0,
      unit: "1",
      minimum: 0,
      maximum: 0,
      pass: true,
    });
    expect(supply).toEqual({ name: "supply out of range", value: 0, unit: "1", minimum: 0, maximum: 0, pass: true });
    expect(rate).toMatchObject({ name: "sample rate", unit: "Hz", pass: true });
    // Eight samples in 40.2 ms; at least 40 / 5 x 31 / 32 - 1 = 6.75, at most 40.4 / 5 x 33 / 32 + 1 = 9.3325.
    expect(rate.value).toBeCloseTo(8 / 0.0402, 6);
    expect(rate.minimum).toBeCloseTo(6.75 / 0.0402, 6);
    expect(rate.maximum).toBeCloseTo(9.3325 / 0.0402, 6);
  });

  it("fails on bits that stick, on a supply out of range, and on a chip that stands still", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x57], [0xab]] },
      { ops: [STATUS], replies: [status(30, 0, 20, 0, 0x80)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(30, 0, 20)], began: 41_200, ended: 41_400 },
    ]);
    expect(frame.measurements.map(({ value, pass }) => [value, pass])).toEqual([
      [2, false],
      [1, false],
      [0, false],
    ]);
  });

  it("does not count where the host came too late to", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(0, 0, 0)], began: 1000, ended: 1200 },
      { ops: [STATUS], replies: [status(28, 0, 0)], began: 141_200, ended: 141_400 },
    ]);
    expect(frame.measurements).toHaveLength(2);
    expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: the host came too late; test it again");
  });

  it("keeps the flags that it read: a FIFO that is full when the test is over is full", () => {
    const { driver, frame } = opened({}, 1024);
    play(driver.selfTest(), frame, [
      { ops: WRITES, replies: [[0x55], [0xaa]] },
      { ops: [STATUS], replies: [status(10, 0, 0, 0x20)], began: 50_000, ended: 50_200 },
      { ops: [STATUS], replies: [status(18, 0, 0, 0x80)], began: 90_200, ended: 90_400 },
    ]);
    const head = { read: 3, at: 0x04 };
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 0)], began: 158_000, ended: 158_200 },
      { ops: [head, { read: 216, at: 7 }, { read: 5, at: 2 }], error: "nack" },
    ]);
    read(driver, frame, 0, 3, 158_500);
    // ALC_OVF of the first reading.
    expect(frame.channels.map(({ flags }) => flags & FLAG_SATURATED)).toEqual([FLAG_SATURATED, FLAG_SATURATED, 0]);
    expect(codes(frame, 2)).toEqual([-5, -4, -3]);
  });
});
