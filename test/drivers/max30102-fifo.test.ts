import { describe, expect, it } from "vitest";
import { FAULT_CONFIGURATION, FAULT_RESTARTED, FLAG_BUS_FAULT, FLAG_SATURATED } from "../../drivers/driver.ts";
import {
  counting,
  type Exchange,
  infrareds,
  opened,
  play,
  read,
  reds,
  STATUS,
  samples,
  status,
} from "./max30102-script.ts";

const PERIOD = 10_000;

describe("MAX30102 poll", () => {
  it("reads pointers, then pointers and samples in one burst (p14)", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 3, 30_000);
    expect(reds(frame)).toEqual([1000, 1001, 1002]);
    expect(infrareds(frame)).toEqual([2000, 2001, 2002]);
    expect(frame.channels[0]).toMatchObject({ count: 3, index: 0, lost: 0, flags: 0 });
    read(driver, frame, 3, 2, 50_000);
    expect(frame.channels[1]).toMatchObject({ count: 2, index: 3, lost: 0 });
  });

  it("wraps the pointers at 32", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 31, 310_000);
    read(driver, frame, 31, 5, 360_000);
    expect(reds(frame)).toEqual(counting(1031, 5));
  });

  it("reads nothing from an empty FIFO, never 32 stale samples", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0)], began: 500_000 }]);
    expect(frame.channels[0].count).toBe(0);
    expect(frame.faults).toEqual([]);
  });

  it("takes equal pointers for empty where A_FULL came between the last status and its samples", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 17, 170_000);
    const soon = 170_000 + 15 * PERIOD;
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(17, 0, 17, 0x80)], began: soon }]);
    expect(frame.channels[0].count).toBe(0);
  });

  it("takes equal pointers for empty, however late, where no A_FULL came: the chip does not convert", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], began: 170_000 },
      { ops: [{ read: 105, at: 4 }], replies: [[17, 0, 0, ...samples(0, 17)]], began: 170_000 },
    ]);
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(17, 0, 17)], began: 5_000_000 }]);
    expect(frame.channels[0].count).toBe(0);
  });

  it("takes equal pointers for full where A_FULL came and half a FIFO's time went by: 32 samples", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 17, 170_000);
    const late = 170_000 + 32 * PERIOD;
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 17, 0x80)], began: late },
      { ops: [{ read: 1, at: 5 }], replies: [[0]], began: late + 200 },
      { ops: [{ read: 1, at: 5 }], replies: [[1]], began: late + 1500 },
      { ops: [{ read: 9, at: 4 }], replies: [[17, 1, 17, ...samples(17, 1)]], began: late + 2800 },
      {
        ops: [{ read: 3 + 186, at: 4 }],
        replies: [[17, 0, 18, ...samples(18, 31)]],
        began: late + 3000,
        ended: late + 7500,
      },
    ]);
    expect(reds(frame)).toEqual(counting(1017, 32));
    expect(frame.channels[0]).toMatchObject({ index: 17, lost: 0 });
    read(driver, frame, 17, 1, late + PERIOD);
    expect(frame.channels[0]).toMatchObject({ index: 50, lost: 1 });
  });

  it("counts what OVF_COUNTER says before the block that follows the 32 that were kept (p13)", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 5, 0, 0x80)], began: 375_000 },
      { ops: [{ read: 1, at: 5 }], replies: [[6]], began: 376_000, ended: 376_100 },
      { ops: [{ read: 9, at: 4 }], replies: [[0, 6, 0, ...samples(0, 1)]], began: 377_500, ended: 377_800 },
      { ops: [{ read: 189, at: 4 }], replies: [[0, 0, 1, ...samples(1, 31)]], began: 377_900, ended: 382_000 },
    ]);
    expect(reds(frame)).toEqual(counting(1000, 32));
    expect(frame.channels[0].lost).toBe(0);
    read(driver, frame, 0, 4, 420_000);
    expect(frame.channels[0]).toMatchObject({ index: 38, lost: 6, count: 4 });
    expect(frame.channels[1]).toMatchObject({ index: 38, lost: 6, count: 4 });
    read(driver, frame, 4, 4, 460_000);
    expect(frame.channels[0]).toMatchObject({ index: 42, lost: 0 });
  });

  it("says that nobody knows how many where OVF_COUNTER stands at its end, 0x1F", () => {
    const { driver, frame } = opened();
    const before = { ...read(driver, frame, 0, 20, 200_000).channels[0] };
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(20, 0x1f, 20, 0x80)], began: 2_000_000 },
      { ops: [{ read: 195, at: 4 }], replies: [[20, 0x1f, 20, ...samples(20, 32)]], began: 2_000_000 },
    ]);
    expect(frame.channels[0]).toMatchObject({ count: 32, index: 20, lost: 0 });
    // It follows the last block, 20 samples after that one's first.
    expect(frame.channels[0].time).toBe(before.time + 20 * PERIOD);
    expect(frame.channels[0].uncertainty).toBe(before.uncertainty + (20 * PERIOD) / 64);
    read(driver, frame, 20, 4, 2_040_000);
    expect(frame.channels[0]).toMatchObject({ count: 4, lost: -1 });
  });

  it("dates what follows two losses of unknown length between the last sample and the room that the second one needs", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 20, 200_000);
    const overflowed = (at: number) =>
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(20, 0x1f, 20, 0x80)], began: at, ended: at + 200 },
        { ops: [{ read: 195, at: 4 }], replies: [[20, 0x1f, 20, ...samples(0, 32)]], began: at + 300 },
      ]);
    const { time, uncertainty } = { ...overflowed(2_000_000).channels[0] };
    overflowed(4_000_000);
    const earliest = time - uncertainty + 32 * PERIOD - (32 * PERIOD) / 64;
    const latest = 4_000_200 - (31 + 31) * PERIOD * (63 / 64);
    expect(frame.channels[0]).toMatchObject({
      count: 32,
      lost: -1,
      time: (earliest + latest) / 2,
      uncertainty: (latest - earliest) / 2,
    });
  });

  it.each([
    [384_800, 6],
    [384_900, -1],
  ])(
    "counts only where the pop came before the next conversion by the fastest oscillator: at %i us, %i",
    (ended, lost) => {
      const { driver, frame } = opened();
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(0, 5, 0, 0x80)], began: 375_000 },
        { ops: [{ read: 1, at: 5 }], replies: [[6]], began: 376_000 },
        { ops: [{ read: 9, at: 4 }], replies: [[0, 6, 0, ...samples(0, 1)]], began: 376_500, ended },
        { ops: [{ read: 189, at: 4 }], replies: [[1, 0, 1, ...samples(1, 31)]], began: ended, ended },
      ]);
      read(driver, frame, 0, 1, 390_000);
      expect(frame.channels[0].lost).toBe(lost);
    },
  );

  it("looks no more than ten times at a counter that does not move", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 5, 0, 0x80)], began: 375_000 },
      ...Array.from({ length: 10 }, (): Exchange => ({ ops: [{ read: 1, at: 5 }], replies: [[5]], began: 376_000 })),
      { ops: [{ read: 195, at: 4 }], replies: [[0, 5, 0, ...samples(0, 32)]], began: 390_000 },
    ]);
    expect(reds(frame)).toEqual(counting(1000, 32));
    read(driver, frame, 0, 1, 400_000);
    expect(frame.channels[0].lost).toBe(-1);
  });

  it("asks for a restart where the FIFO filled again behind a gap and the host is too slow to tell what was lost", () => {
    const { driver, frame } = opened();
    const overflowed: Exchange[] = [
      { ops: [STATUS], replies: [status(0, 5, 0, 0x80)], began: 375_000 },
      { ops: [{ read: 1, at: 5 }], replies: [[6]], began: 376_000 },
      { ops: [{ read: 9, at: 4 }], replies: [[0, 6, 0, ...samples(0, 1)]], began: 376_500, ended: 377_000 },
    ];
    const rest = (ended: number): Exchange => ({
      ops: [{ read: 189, at: 4 }],
      replies: [[1, 0, 1, ...samples(1, 31)]],
      began: 380_000,
      ended,
    });
    play(driver.poll(), frame, [...overflowed, rest(386_000)]);
    expect(frame.restart).toBe(false);
    const late = opened();
    play(late.driver.poll(), late.frame, [...overflowed, rest(388_000)]);
    expect(late.frame.restart).toBe(true);
  });

  it("notices a FIFO that filled between its two steps", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(30, 0, 0, 0x80)], began: 300_000, ended: 300_200 },
      { ops: [{ read: 183, at: 4 }], replies: [[0, 3, 0, ...samples(0, 30)]], began: 345_000, ended: 349_000 },
      { ops: [{ read: 15, at: 4 }], replies: [[0, 0, 30, ...samples(30, 2)]], began: 349_000, ended: 349_300 },
    ]);
    expect(reds(frame)).toEqual(counting(1000, 32));
    read(driver, frame, 0, 2, 370_000);
    expect(frame.channels[0]).toMatchObject({ index: 35, lost: 3 });
  });

  it("reads whole samples in pieces of 30 bytes where the bus carries no more (Firmata)", () => {
    const { driver, frame } = opened({}, 30);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(20, 0, 0)], began: 200_000 },
      {
        ops: [
          { read: 27, at: 4 },
          { read: 30, at: 7 },
          { read: 30, at: 7 },
          { read: 30, at: 7 },
          { read: 6, at: 7 },
        ],
        replies: [[20, 0, 0, ...samples(0, 4)], samples(4, 5), samples(9, 5), samples(14, 5), samples(19, 1)],
        began: 200_000,
      },
    ]);
    expect(reds(frame)).toEqual(counting(1000, 20));
    expect(infrareds(frame)).toEqual(counting(2000, 20));
  });

  it("keeps what came before a failure and reads again what the failed read popped (p16)", () => {
    const { driver, frame } = opened({}, 30);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(9, 0, 0)], began: 90_000 },
      {
        ops: [
          { read: 27, at: 4 },
          { read: 30, at: 7 },
        ],
        replies: [[9, 0, 0, ...samples(0, 4)]],
        error: "short",
      },
    ]);
    expect(reds(frame)).toEqual(counting(1000, 4));
    expect(frame.channels[0].flags).toBe(FLAG_BUS_FAULT);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(11, 0, 7)], began: 110_000 },
      {
        ops: [{ write: [0x06, 4] }, { read: 27, at: 4 }, { read: 18, at: 7 }],
        replies: [[11, 0, 4, ...samples(4, 4)], samples(8, 3)],
        began: 110_000,
      },
    ]);
    expect(reds(frame)).toEqual(counting(1004, 7));
    expect(frame.channels[0]).toMatchObject({ index: 4, lost: 0, flags: 0 });
  });

  it("counts what a failed read popped where the chip has written over it", () => {
    const { driver, frame } = opened();
    const popped: Exchange[] = [
      { ops: [STATUS], replies: [status(10, 0, 0)], began: 100_000 },
      { ops: [{ read: 63, at: 4 }], error: "short" },
    ];
    play(driver.poll(), frame, popped);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 10)], began: 320_000 },
      { ops: [{ read: 135, at: 4 }], replies: [[0, 0, 10, ...samples(10, 22)]], began: 320_000 },
    ]);
    expect(reds(frame)).toEqual(counting(1010, 22));
    expect(frame.channels[0]).toMatchObject({ index: 10, lost: 10 });
  });

  it("does not take a full FIFO for an empty one because the status with A_FULL was lost", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], error: "short", began: 200_000 }]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 0)], began: 320_000 },
      { ops: [{ read: 1, at: 5 }], error: "nack" },
    ]);
  });

  it("reports a loss twice in one FIFO as a restart, never as one gap", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0x1f, 0, 0x80)], began: 2_000_000 },
      { ops: [{ read: 195, at: 4 }], replies: [[0, 0x1f, 0, ...samples(0, 1)]], error: "short" },
    ]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 2, 1)], began: 2_400_000 },
      { ops: [{ read: 189, at: 4 }], replies: [[1, 2, 1, ...samples(1, 31)]], began: 2_400_000 },
    ]);
    expect(frame.restart).toBe(true);
    expect(frame.faults[0]).toMatchObject({ code: FAULT_RESTARTED });
  });

  it("shifts each pulse width's code down from bit 17 and ignores bits 18 to 23 (p14-15, Table 1)", () => {
    for (const [pulseWidth, shift] of [
      [69, 3],
      [118, 2],
      [215, 1],
      [411, 0],
    ]) {
      const registers = [0x0f, 0x83, 0x44 + (3 - shift), 0, 31, 31];
      const { driver, frame } = opened({ pulseWidth }, undefined, registers);
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(1, 0, 0)], began: 10_000 },
        { ops: [{ read: 9, at: 4 }], replies: [[1, 0, 0, 0xfe, 0xcd, 0xef, 0xff, 0xff, 0xff]], began: 10_000 },
      ]);
      expect(reds(frame)).toEqual([0x2cdef >> shift]);
      expect(infrareds(frame)).toEqual([0x3ffff >> shift]);
      expect(frame.channels.map(({ flags }) => flags)).toEqual([0, FLAG_SATURATED]);
    }
  });

  it.each([
    ["PWR_RDY in the status", [0x01, 0, 0, 0, 0, 0, 0]],
    ["PWR_RDY where the enable was written again", [0x01, 0, 0x80, 0, 0, 0, 0]],
    ["the interrupt enable of a chip that another program reset", [0, 0, 0, 0, 0, 0, 0]],
    ["a line that reads high", Array(7).fill(0xff)],
  ])("asks for a restart on %s (p12)", (_, reply) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [reply] }]);
    expect(frame.restart).toBe(true);
    expect(frame.faults[0]).toMatchObject({ code: FAULT_RESTARTED });
    expect(frame.channels.map(({ lost }) => lost)).toEqual([-1, -1]);
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame.faults[0]).toMatchObject({ code: FAULT_CONFIGURATION });
  });
});
