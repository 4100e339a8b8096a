/** How the MAX86150's FIFO is read: bytes in, blocks out. Periods are 5 ms, samples of nine bytes. */
import { describe, expect, it } from "vitest";
import { FAULT_DATA, FLAG_BUS_FAULT, type Frame } from "../../drivers/driver.ts";
import {
  codes,
  counting,
  ENABLES,
  fifo,
  HEAD,
  opened,
  play,
  read,
  STATUS,
  samples,
  status,
  TAIL,
} from "./max86150-script.ts";

const PERIOD = 5000;
const shape = (frame: Frame) => frame.channels.map(({ count, index, lost, flags }) => [count, index, lost, flags]);
const all = (...one: number[]) => [one, one, one];
const DATA = (message: string) => ({ code: FAULT_DATA, message: `MAX86150 at 0x5e: ${message}` });
const STOOD = DATA("FIFO_RD_PTR (0x06) stood still while it was read; nothing is lost yet");
const OVERFLOWED = DATA("its FIFO overflowed while it was read; choose a lower sampleRate or a faster bus");

describe("MAX86150 poll", () => {
  it("reads status, then pointers, whole samples, enables and pointers in one step", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 3, 15_000);
    expect(shape(frame)).toEqual(all(3, 0, 0, 0));
    expect([codes(frame, 0), codes(frame, 1), codes(frame, 2)]).toEqual([
      [70000, 70001, 70002],
      [80000, 80001, 80002],
      [-5, -4, -3],
    ]);
    read(driver, frame, 3, 2, 25_000);
    expect(shape(frame)).toEqual(all(2, 3, 0, 0));
    expect(codes(frame, 2)).toEqual([-2, -1]);
  });

  it("wraps the pointers at 32", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 24, 120_000);
    read(driver, frame, 24, 16, 200_000);
    expect(codes(frame, 0)).toEqual(counting(70024, 16));
    read(driver, frame, 40, 1, 205_000);
    expect(shape(frame)).toEqual(all(1, 40, 0, 0));
  });

  it("reads nothing from an empty FIFO, never stale samples", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0)], began: 500_000 }]);
    expect(shape(frame)).toEqual(all(0, 0, 0, 0));
    expect(frame.faults).toEqual([]);
  });

  it.each([
    [9, [9, 9, 9, 9]],
    [30, [27, 9]],
    [35, [27, 9]],
    [36, [36]],
  ])("reads whole samples in pieces of at most %d bytes", (maxRead, pieces) => {
    const { driver, frame } = opened({}, maxRead);
    let at = 0;
    const bytes = samples(0, 4);
    const replies = pieces.map((size) => {
      at += size;
      return bytes.slice(at - size, at);
    });
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)] },
      { ops: [HEAD, ...pieces.map(fifo), TAIL], replies: [[4, 0, 0], ...replies, [...ENABLES, 4, 0, 4]] },
    ]);
    expect(codes(frame, 1)).toEqual(counting(80000, 4));
  });

  it("reads 24 samples at most, the rest with the next poll", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(29, 0, 0, 0x80)], began: 145_000, ended: 145_200 },
      {
        ops: [HEAD, fifo(216), TAIL],
        replies: [[29, 0, 0], samples(0, 24), [...ENABLES, 30, 0, 24]],
        began: 145_200,
        ended: 151_000,
      },
    ]);
    expect(shape(frame)).toEqual(all(24, 0, 0, 0));
    read(driver, frame, 24, 6, 152_000);
    expect(shape(frame)).toEqual(all(6, 24, 0, 0));
  });

  it("takes equal pointers for full where A_FULL came and what was left and the time since make half a FIFO", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 17, 85_000);
    const script = (began: number, flag: number, full: boolean) =>
      play(driver.poll(), frame, [
        { ops: [STATUS], replies: [status(17, 0, 17, flag)], began, ended: began + 200 },
        ...(full
          ? [
              {
                ops: [HEAD, fifo(216), TAIL],
                replies: [[17, 0, 17], samples(17, 24), [...ENABLES, 17, 0, 9]],
                began: began + 200,
                ended: began + 6000,
              },
            ]
          : []),
      ]);
    // The flag may be of the 17 that were just read: the status is not one moment.
    script(87_000, 0x80, false);
    expect(frame.channels[0].count).toBe(0);
    // 86,200 us is when it was read to the end; 16 periods from then.
    script(166_199, 0, false);
    expect(frame.channels[0].count).toBe(0);
    script(166_200, 0, true);
    expect(shape(frame)).toEqual(all(24, 17, 0, 0));
  });

  it("counts what was left to the time since", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0)], began: 85_000, ended: 85_200 },
      { ops: [HEAD, fifo(153), TAIL], replies: [[17, 0, 0], samples(0, 17), [...ENABLES, 2, 0, 17]], ended: 90_000 },
    ]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 17, 0x80)], began: 90_000 + 15 * PERIOD },
      { ops: [HEAD, fifo(216), TAIL], replies: [[17, 0, 17], samples(17, 24), [...ENABLES, 17, 0, 9]] },
    ]);
    expect(shape(frame)).toEqual(all(24, 17, 0, 0));
  });

  it("counts the time from a reading that was refused, too", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(10, 0, 0, 0x80)], began: 85_000, ended: 85_200 },
      {
        ops: [HEAD, fifo(90), TAIL],
        replies: [[10, 0, 0], samples(0, 10), [...ENABLES, 12, 0, 11]],
        began: 85_200,
        ended: 90_000,
      },
    ]);
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(11, 0, 11)], began: 89_999 + 15 * PERIOD }]);
    expect(frame.channels[0].count).toBe(0);
  });

  it("takes equal pointers for empty, however late, where no A_FULL came: the chip does not convert", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 17, 85_000);
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(17, 0, 17)], began: 9_000_000 }]);
    expect(frame.channels[0].count).toBe(0);
    expect(frame.faults).toEqual([]);
  });
});

describe("MAX86150 loss", () => {
  /** A full FIFO that lost `overflow` samples, `over` of them between the head and the first byte. */
  const late = (overflow: number, over = 0, more: { moved?: number; ended?: number } = {}) => {
    const { driver, frame } = opened();
    const at = overflow & 31;
    const first = (at + over) & 31;
    const end = (first + (more.moved ?? 24)) & 31;
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(at, Math.min(31, overflow), at, 0x80)], began: 300_000, ended: 300_200 },
      {
        ops: [HEAD, fifo(216), TAIL],
        replies: [[at, Math.min(31, overflow), at], samples(32 + overflow, 24), [...ENABLES, (at + over) & 31, 0, end]],
        began: 300_200,
        ended: more.ended ?? 306_000,
      },
    ]);
    return { driver, frame };
  };

  it.each([1, 2, 17, 30])("counts %d samples that were overwritten, before the block", (overflow) => {
    const { frame } = late(overflow);
    expect(shape(frame)).toEqual(all(24, overflow, overflow, 0));
    expect(frame.faults).toEqual([]);
  });

  it("says that nobody knows where OVF_COUNTER stands at its end, 0x1F", () => {
    const { driver, frame } = late(31);
    expect(shape(frame)).toEqual(all(24, 0, -1, 0));
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(31, 0, 23)] },
      { ops: [HEAD, fifo(72), TAIL], replies: [[31, 0, 23], samples(0, 8), [...ENABLES, 31, 0, 31]] },
    ]);
    expect(shape(frame)).toEqual(all(8, 24, 0, 0));
  });

  it("counts the one that was overwritten between the pointers and the first byte", () => {
    // 23 periods for 24 samples: the bus is just faster than a chip at the end of its tolerance.
    for (const ended of [306_000, 300_200 + 23 * PERIOD - 1]) {
      const { frame } = late(5, 1, { ended });
      expect(shape(frame)).toEqual(all(24, 6, 6, 0));
      // The newest of the status is 30 periods behind the first one now.
      expect(frame.channels[0].time).toBe(300_200 - (200 + PERIOD) / 2 - 30 * PERIOD);
    }
  });

  it("takes a long reading as long as the read pointer moved by what was read, and as five bits can tell", () => {
    const { frame } = late(5, 0, { ended: 300_200 + 24 * PERIOD - 1 });
    expect(shape(frame)).toEqual(all(24, 5, 5, 0));
    expect(frame.faults).toEqual([]);
  });

  it("still does not know when one more is overwritten before the first byte", () => {
    const { frame } = late(31, 1);
    expect(shape(frame)).toEqual(all(24, 0, -1, 0));
  });

  it("says that nobody knows where read pointer and OVF_COUNTER do not agree", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(9, 3, 9)] },
      { ops: [HEAD, fifo(216), TAIL], replies: [[9, 3, 9], samples(0, 24), [...ENABLES, 9, 0, 1]] },
    ]);
    expect(shape(frame)).toEqual(all(24, 0, -1, 0));
  });

  it("says that nobody knows where the read pointer moved though nothing overflowed: emptied by somebody else", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 10, 50_000);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 0)] },
      { ops: [HEAD, fifo(18), TAIL], replies: [[2, 0, 0], samples(12, 2), [...ENABLES, 2, 0, 2]] },
    ]);
    expect(shape(frame)).toEqual(all(2, 10, -1, 0));
    // The same where there is nothing to read yet: the loss waits for the next block.
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(7, 0, 7)] }]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(8, 0, 7)] },
      { ops: [HEAD, fifo(9), TAIL], replies: [[8, 0, 7], samples(14, 1), [...ENABLES, 8, 0, 8]] },
    ]);
    expect(shape(frame)).toEqual(all(1, 12, -1, 0));
  });

  it("takes nothing that came while the read pointer stood still, and reads it again", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)], began: 20_000, ended: 20_200 },
      { ops: [HEAD, fifo(36), TAIL], replies: [[4, 0, 0], Array(36).fill(255), [...ENABLES, 5, 0, 0]], began: 20_200 },
    ]);
    expect(shape(frame)).toEqual(all(0, 0, 0, 0));
    expect(frame.faults).toEqual([STOOD]);
    read(driver, frame, 0, 5, 25_000);
    expect(shape(frame)).toEqual(all(5, 0, 0, 0));
    expect(frame.faults).toEqual([]);
  });

  it.each<[string, number, number, { moved?: number; ended?: number }]>([
    ["the read pointer moved by less than was read", 5, 0, { moved: 20 }],
    ["more than one was overwritten: the second one under the reader", 5, 2, {}],
    ["one was overwritten, and the bus is no faster than the chip", 5, 1, { ended: 300_200 + 23 * PERIOD }],
    ["the reading took so long that the pointer may have come round", 5, 0, { ended: 300_200 + 24 * PERIOD }],
  ])("takes nothing where %s", (_, overflow, over, more) => {
    const { driver, frame } = late(overflow, over, more);
    expect(shape(frame)).toEqual(all(0, 0, 0, 0));
    expect(frame.faults).toEqual([OVERFLOWED]);
    const at = (overflow + over + (more.moved ?? 24)) & 31;
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status((at + 1) & 31, 0, at)] },
      {
        ops: [HEAD, fifo(9), TAIL],
        replies: [[(at + 1) & 31, 0, at], samples(70, 1), [...ENABLES, (at + 1) & 31, 0, (at + 1) & 31]],
      },
    ]);
    expect(shape(frame)).toEqual(all(1, 0, -1, 0));
  });

  it("takes nothing where the pointer moved by more than a FIFO with free places can explain", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(10, 0, 0)] },
      { ops: [HEAD, fifo(90), TAIL], replies: [[10, 0, 0], samples(0, 10), [...ENABLES, 12, 0, 11]] },
    ]);
    expect(frame.faults).toEqual([OVERFLOWED]);
    expect(frame.channels[0].count).toBe(0);
  });
});

describe("MAX86150 loss upon loss", () => {
  const poll = (at: number[], head: number[], count: number, tail: number[]) => [
    { ops: [STATUS], replies: [status(at[0], at[1], at[2])], began: 300_000, ended: 300_200 },
    {
      ops: [HEAD, fifo(9 * count), TAIL],
      replies: [head, samples(0, count), [...ENABLES, ...tail]],
      began: 300_200,
      ended: 306_000,
    },
  ];

  it("counts on from what was there before", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 10, 50_000);
    play(driver.poll(), frame, poll([13, 3, 13], [13, 3, 13], 24, [13, 0, 5]));
    expect(shape(frame)).toEqual(all(24, 13, 3, 0));
    play(driver.poll(), frame, poll([9, 4, 9], [9, 4, 9], 24, [9, 0, 1]));
    expect(shape(frame)).toEqual(all(24, 41, 4, 0));
  });

  it("counts one that was overwritten though the pointers had said that the FIFO was just full", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 0, 0x80)], began: 160_000, ended: 160_200 },
      poll([], [0, 0, 0], 24, [1, 0, 25])[1],
    ]);
    expect(shape(frame)).toEqual(all(24, 1, 1, 0));
  });

  it("does not believe that more was overwritten than came", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, poll([3, 3, 3], [3, 3, 3], 24, [4, 0, 29]));
    expect(frame.faults).toEqual([OVERFLOWED]);
  });

  it("says that nobody knows what was overwritten since a reading of a full FIFO that stood still", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, poll([5, 5, 5], [5, 5, 5], 24, [5, 5, 5]));
    expect(frame.faults).toEqual([STOOD]);
    play(driver.poll(), frame, poll([6, 6, 6], [7, 7, 7], 24, [7, 0, 31]));
    expect(shape(frame)).toEqual(all(24, 0, -1, 0));
  });

  it("stays with what nobody knows, whatever is known later", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(7, 0, 7)] }]);
    play(driver.poll(), frame, poll([10, 3, 10], [10, 3, 10], 24, [10, 0, 2]));
    expect(shape(frame)).toEqual(all(24, 0, -1, 0));
  });

  it("knows nothing where a count is followed by what nobody knows", () => {
    const { driver, frame } = opened();
    const torn = [
      { ops: [STATUS], replies: [status(5, 0, 0)] },
      { ops: [HEAD, fifo(45), TAIL], replies: [[5, 0, 0]], error: "bus" as const },
    ];
    // Five were popped, and may be written over; then the FIFO overflows behind one more reading that fails.
    play(driver.poll(), frame, torn);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(0, 0, 5)] },
      { ops: [HEAD, fifo(216), TAIL], replies: [[0, 0, 5]], error: "bus" as const },
    ]);
    play(driver.poll(), frame, poll([8, 3, 8], [8, 3, 8], 24, [8, 0, 0]));
    expect(frame.channels[0].lost).toBe(-1);
  });

  it("adds up what several readings popped that failed", () => {
    const { driver, frame } = opened();
    const failing = (write: number, readAt: number, count: number) => [
      { ops: [STATUS], replies: [status(write, 0, readAt)] },
      { ops: [HEAD, fifo(9 * count), TAIL], replies: [[write, 0, readAt]], error: "bus" as const },
    ];
    play(driver.poll(), frame, failing(16, 0, 16));
    play(driver.poll(), frame, failing(8, 16, 24));
    play(driver.poll(), frame, poll([27, 0, 8], [27, 0, 8], 19, [27, 0, 27]));
    expect(shape(frame)).toEqual(all(19, 40, 40, FLAG_BUS_FAULT));
  });

  it("knows nothing where the same count of overflow stands behind a reading that popped", () => {
    const { driver, frame } = opened();
    const [first, second] = poll([2, 2, 2], [2, 2, 2], 24, [2, 0, 26]);
    play(driver.poll(), frame, [first, { ops: second.ops, replies: [[2, 2, 2]], error: "bus" }]);
    play(driver.poll(), frame, poll([5, 2, 5], [5, 2, 5], 24, [5, 0, 29]));
    expect(frame.channels[0].lost).toBe(-1);
  });

  it("counts exactly again behind a reading that failed and was read again", () => {
    const { driver, frame } = opened();
    const [first, second] = poll([5, 0, 0], [5, 0, 0], 5, [5, 0, 5]);
    play(driver.poll(), frame, [first, { ops: second.ops, replies: [[5, 0, 0]], error: "bus" }]);
    play(driver.poll(), frame, poll([5, 0, 0], [5, 0, 0], 5, [5, 0, 5]));
    play(driver.poll(), frame, poll([9, 4, 9], [9, 4, 9], 24, [9, 0, 1]));
    expect(shape(frame)).toEqual(all(24, 9, 4, 0));
  });
});
