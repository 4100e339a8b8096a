import { describe, expect, it } from "vitest";
import { clearFrame } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { createDriver, type Max30102Setup } from "../../drivers/max30102/driver.ts";
import type { Max30102Configuration } from "../../drivers/max30102/registers.ts";
import { opening, play, STATUS, samples, status } from "./max30102-script.ts";

const DEFAULT = [0x0f, 0x83, 0x47, 0, 31, 31];
const setupOf = (configuration: Partial<Max30102Configuration>) =>
  chip.setup!(configuration, { interrupt: true }) as Max30102Setup;

describe("MAX30102 that is written again while a record goes on", () => {
  it("goes on with its indices, behind a loss that nobody can count", () => {
    const driver = createDriver(setupOf({}));
    const frame = driver.createFrame();
    const poll = (from: number, write: number, read: number, began: number) =>
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(write, 0, read)], began },
        { ops: [{ read: 15, at: 4 }], replies: [[write, 0, read, ...samples(from, 2)]], began },
      ]);
    play(driver.open(), frame, opening());
    poll(0, 2, 0, 20_000);
    expect(frame.channels[0]).toMatchObject({ count: 2, index: 0, lost: 0 });
    play(driver.resume(), frame, opening());
    expect(frame.faults).toEqual([]);
    // Its pointers are 0 again.
    poll(50, 2, 0, 500_000);
    expect(frame.channels.map(({ count, index, lost }) => [count, index, lost])).toEqual([
      [2, 2, -1],
      [2, 2, -1],
    ]);
    expect(frame.channels[0].samples[0]).toBe(1050);
    poll(52, 4, 2, 520_000);
    expect(frame.channels[0]).toMatchObject({ count: 2, index: 4, lost: 0 });
    play(driver.open(), frame, opening());
    poll(0, 2, 0, 600_000);
    expect(frame.channels[0]).toMatchObject({ count: 2, index: 0, lost: 0 });
  });

  it("takes no die temperature of a conversion that the reset cut off, and starts another", () => {
    const driver = createDriver(setupOf({ dieTemperature: true }));
    const frame = driver.createFrame();
    const look = (at: number, ready = 0) => ({
      ops: [STATUS],
      replies: [status(0, 0, 0, 0, ready)],
      began: at,
      ended: at + 200,
    });
    const start = (at: number) => ({ ops: [{ write: [0x21, 0x01] }], began: at, ended: at + 100 });
    const value = (at: number) => ({
      ops: [
        { read: 3, at: 0x1f },
        { read: 1, at: 0x03 },
      ],
      replies: [[20, 0, 0], [2]],
      began: at,
    });
    const registers = opening(DEFAULT, [], [0x80, 0x02]);
    play(driver.open(), frame, registers);
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [look(40_000, 2), value(40_300)]);
    play(driver.poll(), frame, [look(10_100_000), start(10_100_300)]);
    play(driver.resume(), frame, registers);
    play(driver.poll(), frame, [look(10_300_000), start(10_300_300)]);
    play(driver.poll(), frame, [look(10_340_000, 2), value(10_340_300)]);
    expect(frame.channels[2]).toMatchObject({ count: 1, index: 1 });
    // Either of the two starts may have been the one.
    expect(frame.channels[2].time).toBe((10_100_300 + 10_340_200) / 2);
  });

  it("has its next configuration when the currents are written, not before", () => {
    const driver = createDriver(setupOf({}));
    const frame = driver.createFrame();
    const next = setupOf({ ledCurrent: { red: 1, infrared: 2 } });
    play(driver.open(), frame, opening());
    const step = driver.reconfigure(next)!;
    expect(driver.configuration).not.toBe(next);
    play(step, frame, [{ ops: [{ write: [0x0c, 5, 10] }] }]);
    expect(driver.configuration).toBe(next);
    clearFrame(frame);
    play(driver.resume(), frame, opening([0x0f, 0x83, 0x47, 0, 5, 10]));
    expect(frame.faults).toEqual([]);
  });

  it("takes an interval of the die temperature for another record, also 1 s instead of true", () => {
    const driver = createDriver(setupOf({ dieTemperature: true }));
    expect(driver.reconfigure(setupOf({ dieTemperature: 1 }))).toBeNull();
    expect(driver.reconfigure(setupOf({ dieTemperature: 10 }))!.ops).toEqual([]);
  });
});
