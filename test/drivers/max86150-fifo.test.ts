/** How the MAX86150's FIFO is read: bytes in, blocks out. Periods are 5 ms, samples of nine bytes. */
import { describe, expect, it } from "vitest";
import {
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_LED_CHANGED,
  FLAG_SATURATED,
  type Frame,
  type Op,
} from "../../drivers/driver.ts";
import {
  codes,
  counting,
  ENABLES,
  fifo,
  HEAD,
  opened,
  opening,
  play,
  read,
  reading,
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

describe("MAX86150 reading that fails", () => {
  const REWIND: Op = { write: [0x06, 0] };

  const torn = (unread: number) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(unread, 0, 0)], began: unread * PERIOD },
      { ops: [HEAD, fifo(9 * unread), TAIL], replies: [[unread, 0, 0]], error: "timeout", began: unread * PERIOD },
    ]);
    expect(shape(frame)).toEqual(all(0, 0, 0, 0));
    return { driver, frame };
  };

  it("sets FIFO_RD_PTR back and reads again what was popped", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(20, 0, 12)], began: 100_000, ended: 100_200 },
      {
        ops: [REWIND, HEAD, fifo(180), TAIL],
        replies: [[20, 0, 0], samples(0, 20), [...ENABLES, 20, 0, 20]],
        began: 100_200,
      },
    ]);
    expect(shape(frame)).toEqual(all(20, 0, 0, FLAG_BUS_FAULT));
    expect(frame.channels[2].time).toBe(100_200 - 2600 - 19 * PERIOD);
    read(driver, frame, 20, 1, 105_000);
    expect(shape(frame)).toEqual(all(1, 20, 0, 0));
  });

  it("counts what was popped where 32 newer ones may have written over it", () => {
    const { driver, frame } = torn(16);
    const script = (write: number) => [
      { ops: [STATUS], replies: [status(write, 0, 12)] },
      { ops: [HEAD, fifo(180), TAIL], replies: [[write, 0, 12], samples(12, 20), [...ENABLES, write, 0, 0]] },
    ];
    play(driver.poll(), frame, script(0));
    expect(shape(frame)).toEqual(all(20, 12, 12, FLAG_BUS_FAULT));
  });

  it("sets it back also where the next status is lost", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [{ ops: [STATUS], error: "nack" }]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(20, 0, 12)] },
      { ops: [REWIND, HEAD, fifo(180), TAIL], replies: [[20, 0, 0], samples(0, 20), [...ENABLES, 20, 0, 20]] },
    ]);
    expect(shape(frame)).toEqual(all(20, 0, 0, FLAG_BUS_FAULT));
  });

  it("sets it back with one place to spare", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(31, 0, 12)] },
      { ops: [REWIND, HEAD, fifo(216), TAIL], replies: [[31, 0, 0], samples(0, 24), [...ENABLES, 31, 0, 24]] },
    ]);
    expect(shape(frame)).toEqual(all(24, 0, 0, FLAG_BUS_FAULT));
  });

  it("sets it back also where nothing has come since, and equal pointers mean empty", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(16, 0, 16)], began: 81_000 },
      { ops: [REWIND, HEAD, fifo(144), TAIL], replies: [[16, 0, 0], samples(0, 16), [...ENABLES, 16, 0, 16]] },
    ]);
    expect(shape(frame)).toEqual(all(16, 0, 0, FLAG_BUS_FAULT));
  });

  it("does not set it back where equal pointers mean full: 16 periods and what it popped later", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(16, 0, 16)], began: 32 * PERIOD },
      { ops: [HEAD, fifo(216), TAIL], replies: [[16, 0, 16], samples(16, 24), [...ENABLES, 16, 0, 8]] },
    ]);
    expect(shape(frame)).toEqual(all(24, 16, 16, FLAG_BUS_FAULT));
  });

  it("does not take what it popped itself for a FIFO that has filled", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], began: 85_000, ended: 85_200 },
      { ops: [HEAD, fifo(153), TAIL], replies: [[17, 0, 0], samples(0, 17)], error: "timeout", began: 85_200 },
    ]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 17, 0x80)], began: 88_000 },
      { ops: [REWIND, HEAD, fifo(153), TAIL], replies: [[17, 0, 0], samples(0, 17), [...ENABLES, 17, 0, 17]] },
    ]);
    expect(shape(frame)).toEqual(all(17, 0, 0, FLAG_BUS_FAULT));
  });

  it("loses nothing where nothing was popped", () => {
    const { driver, frame } = torn(16);
    read(driver, frame, 0, 17, 85_000);
    expect(shape(frame)).toEqual(all(17, 0, 0, FLAG_BUS_FAULT));
  });

  it("says that nobody knows where the FIFO overflowed behind a reading that failed", () => {
    const { driver, frame } = torn(16);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(12, 2, 12)] },
      { ops: [HEAD, fifo(216), TAIL], replies: [[12, 2, 12], samples(12, 24), [...ENABLES, 12, 0, 4]] },
    ]);
    expect(shape(frame)).toEqual(all(24, 0, -1, FLAG_BUS_FAULT));
  });

  it("says that nobody knows where the same overflow is read twice: the first reading may have popped", () => {
    const { driver, frame } = opened();
    const first = { ops: [STATUS], replies: [status(5, 5, 5)] };
    const ops = [HEAD, fifo(216), TAIL];
    play(driver.poll(), frame, [first, { ops, replies: [[5, 5, 5]], error: "bus" }]);
    play(driver.poll(), frame, [first, { ops, replies: [[5, 5, 5], samples(37, 24), [...ENABLES, 5, 0, 29]] }]);
    expect(shape(frame)).toEqual(all(24, 0, -1, FLAG_BUS_FAULT));
  });

  it("knows that nothing was popped where not even the pointers came", () => {
    const { driver, frame } = opened();
    const first = { ops: [STATUS], replies: [status(5, 5, 5)] };
    const ops = [HEAD, fifo(216), TAIL];
    play(driver.poll(), frame, [first, { ops, error: "nack" }]);
    play(driver.poll(), frame, [first, { ops, replies: [[5, 5, 5], samples(37, 24), [...ENABLES, 5, 0, 29]] }]);
    expect(shape(frame)).toEqual(all(24, 5, 5, FLAG_BUS_FAULT));
  });

  it("flags the next block where a status was lost", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], error: "nack" }]);
    read(driver, frame, 0, 4, 20_000);
    expect(shape(frame)).toEqual(all(4, 0, 0, FLAG_BUS_FAULT));
  });
});

describe("MAX86150 state", () => {
  it.each([
    ["PWR_RDY", [1, 0, 0x80, 0x80, 0, 0, 0], "status 0x01, enables 0x80"],
    ["its first enable lost", [0, 0, 0, 0x80, 0, 0, 0], "status 0x00, enables 0x00"],
    ["its second enable lost", [0, 0, 0x80, 0, 0, 0, 0], "status 0x00, enables 0x80"],
  ])("asks for a restart with %s", (_, reply, message) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [reply] }]);
    expect(frame.restart).toBe(true);
    expect(frame.channels.map(({ lost }) => lost)).toEqual([-1, -1, -1]);
    const text = `MAX86150 at 0x5e: lost its registers (${message}): brown-out, or reset by another; check the supply`;
    expect(frame.faults).toEqual([{ code: FAULT_RESTARTED, message: text }]);
    play(driver.poll(), frame, [{ ops: [] }]);
  });

  it.each([
    [0, 0x80],
    [0x80, 0],
  ])("takes nothing that came before the enables read %d, %d", (one, two) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(3, 0, 0)] },
      { ops: [HEAD, fifo(27), TAIL], replies: [[3, 0, 0], Array(27).fill(0), [one, two, 0, 0, 0]] },
    ]);
    expect(frame.restart).toBe(true);
    expect(frame.channels.map(({ count, lost }) => [count, lost])).toEqual(Array(3).fill([0, -1]));
  });

  it("reports a supply out of range once while it lasts, and hands samples over", () => {
    const { driver, frame } = opened();
    const fault = DATA("VDD_OOR, its supply is outside 1.65 to 2.05 V; check the 1.8 V supply");
    [0x80, 0x80, 0, 0x80].forEach((two, k) => {
      play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(k + 1, 0, k, 0, two)] }, reading(k, 1, 0)]);
      expect(frame.channels[0].count).toBe(1);
      expect(frame.faults).toEqual(k === 0 || k === 3 ? [fault] : []);
    });
  });

  it("flags what is at an end of its range, channel by channel", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 0, 0)] },
      {
        ops: [HEAD, fifo(9), TAIL],
        replies: [
          [1, 0, 0],
          [7, 255, 255, 0, 0, 1, 2, 0, 0],
          [...ENABLES, 1, 0, 1],
        ],
      },
    ]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_SATURATED, 0, FLAG_SATURATED]);
  });

  it("keeps more than one flag for the next block", () => {
    const { driver, frame } = opened();
    play(driver.reconfigure({ ...driver.configuration, ledCurrent: { red: 1, infrared: 1 } })!, frame, [
      { ops: [{ write: [0x11, 5, 5] }, { write: [0x14, 0] }] },
    ]);
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0, 0x20)] }]);
    read(driver, frame, 0, 1, 5000);
    expect(frame.channels[1].flags).toBe(FLAG_SATURATED | FLAG_LED_CHANGED);
  });

  it("flags light as saturated where the ambient light was too much (ALC_OVF), not the ECG", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0, 0x20)] }]);
    read(driver, frame, 0, 2, 10_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_SATURATED, FLAG_SATURATED, 0]);
    read(driver, frame, 2, 2, 20_000);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([0, 0, 0]);
  });
});

describe("MAX86150 time", () => {
  const HALF = (200 + PERIOD) / 2;

  it("puts the newest sample half a period before its pointer was read, and spares one part in 32 for the rest", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 10, 50_000);
    for (const { time, uncertainty } of frame.channels) {
      expect(time).toBe(50_200 - HALF - 9 * PERIOD);
      expect(uncertainty).toBe(HALF + (10 * PERIOD) / 32);
    }
  });

  it("dates averages to their middle", () => {
    const configuration = { channels: ["red"] as const, sampleRate: 400, averaging: 8, pulseWidth: 100 };
    const groups = [
      [0x08, 0x1f, 0x02, 0],
      [0x0e, 0x99, 3],
      [0x11, 0, 50],
      [0x14, 0],
      [0x3c, 2],
      [0x3e, 13],
      [0x02, 0x80, 0x80, 0, 0, 0],
    ];
    const { driver, frame } = opened(configuration, undefined, groups);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 0)], began: 50_000, ended: 50_200 },
      {
        ops: [HEAD, fifo(6), TAIL],
        replies: [
          [2, 0, 0],
          [0, 0, 1, 0, 0, 2],
          [...ENABLES, 2, 0, 2],
        ],
        began: 50_200,
      },
    ]);
    // 20 ms a sample; the middle of eight conversions is 3.5 of them, 8.75 ms, before the last.
    expect(frame.channels[0].time).toBe(50_200 - 10_100 - 20_000 - 8750);
    expect(codes(frame, 0)).toEqual([1, 2]);
  });

  it("dates by the reading itself where the host stalled behind the status", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)], began: 20_000, ended: 20_200 },
      { ...reading(0, 4, 60_200), replies: [[12, 0, 0], samples(0, 4), [...ENABLES, 12, 0, 4]] },
    ]);
    expect(frame.channels[1].time).toBe(61_200 - (1000 + PERIOD) / 2 - 11 * PERIOD);
    expect(frame.channels[1].uncertainty).toBe((1000 + PERIOD) / 2 + (12 * PERIOD) / 32);
  });

  const byEdge =
    (from: number, edgeAt: number, began: number, edges = 1) =>
    (driver: Parameters<typeof read>[0], frame: Frame) =>
      read(driver, frame, from, 17, began, { edges, edgeAt });

  it("takes the edge of the interrupt for the 17th sample, from the second one with the measured period", () => {
    const { driver, frame } = opened();
    byEdge(0, 80_000, 80_100)(driver, frame);
    expect(frame.channels[0].time).toBe(0);
    expect(frame.channels[0].uncertainty).toBe((17 * PERIOD) / 32);
    // 17 samples in 86.7 ms: 5.1 ms each.
    byEdge(17, 166_700, 166_800)(driver, frame);
    expect(frame.channels[2].time).toBe(166_700 - 16 * 5100);
    expect(frame.channels[2].uncertainty).toBe(PERIOD / 16);
  });

  it("keeps to the status up to eight periods before the reading", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)], began: 20_000, ended: 20_200 },
      { ...reading(0, 4, 60_199), replies: [[11, 0, 0], samples(0, 4), [...ENABLES, 12, 0, 4]] },
    ]);
    expect(frame.channels[1].time).toBe(20_200 - HALF - 3 * PERIOD);
  });

  it("takes the edge as long as it agrees with the FIFO within both uncertainties", () => {
    // Uncertain by 5256.25 and 2656.25 us.
    for (const [began, taken] of [
      [79_900, true],
      [90_112, true],
      [90_113, false],
    ] as const) {
      const { driver, frame } = opened();
      byEdge(0, 79_800, began)(driver, frame);
      expect([began, frame.channels[0].time === -200]).toEqual([began, taken]);
    }
  });

  it("measures no period that the oscillator cannot have", () => {
    const { driver, frame } = opened();
    byEdge(0, 80_000, 80_100)(driver, frame);
    // 17 samples in 78.2 ms would be 4.6 ms each.
    byEdge(17, 158_200, 158_300)(driver, frame);
    expect(frame.channels[0].time).toBe(158_200 - 16 * PERIOD);
    expect(frame.channels[0].uncertainty).toBe((17 * PERIOD) / 32);
  });

  it("measures no period across a loss", () => {
    const { driver, frame } = opened();
    byEdge(0, 80_000, 80_100)(driver, frame);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(22, 5, 22)], began: 300_000, ended: 300_200, edges: 1, edgeAt: 160_000 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[22, 5, 22], samples(0, 24), [...ENABLES, 22, 0, 14]], began: 300_200 },
    ]);
    expect(frame.channels[0].time).toBe(300_200 - HALF - 31 * PERIOD);
    const from = 46;
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(31, 0, 14, 0x80)], began: 345_100, ended: 345_300, edges: 1, edgeAt: 345_000 },
      {
        ops: [HEAD, fifo(153), TAIL],
        replies: [[31, 0, 14], samples(from, 17), [...ENABLES, 31, 0, 31]],
        began: 345_300,
      },
    ]);
    expect(frame.channels[0].time).toBe(345_000 - 16 * PERIOD);
    expect(frame.channels[0].uncertainty).toBe((17 * PERIOD) / 32);
  });

  it("dates by the FIFO where a sample was lost behind the edge: the first one is not its sixteenth before", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 1, 1, 0x80)], began: 165_100, ended: 165_300, edges: 1, edgeAt: 80_000 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[1, 1, 1], samples(1, 24), [...ENABLES, 1, 0, 25]], began: 165_300 },
    ]);
    expect(frame.channels[0].lost).toBe(1);
    expect(frame.channels[0].time).toBe(165_300 - HALF - 31 * PERIOD);
  });

  it("measures no period across a loss that nobody knows", () => {
    const { driver, frame } = opened();
    byEdge(0, 80_000, 80_100)(driver, frame);
    // One was read by somebody else.
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(19, 0, 18)], began: 90_100, ended: 90_300 },
      { ops: [HEAD, fifo(9), TAIL], replies: [[19, 0, 18], samples(18, 1), [...ENABLES, 19, 0, 19]], began: 90_300 },
    ]);
    expect(frame.channels[0].lost).toBe(-1);
    byEdge(19, 175_000, 175_100)(driver, frame);
    expect(frame.channels[0].time).toBe(175_000 - 16 * PERIOD);
    expect(frame.channels[0].uncertainty).toBe((17 * PERIOD) / 32);
  });

  it("dates averages by the edge to their middle too", () => {
    const configuration = { channels: ["red"] as const, sampleRate: 400, averaging: 2, pulseWidth: 100 };
    const groups = [
      [0x08, 0x1f, 0x02, 0],
      [0x0e, 0x99, 1],
      [0x11, 0, 50],
      [0x14, 0],
      [0x3c, 2],
      [0x3e, 13],
      [0x02, 0x80, 0x80, 0, 0, 0],
    ];
    const { driver, frame } = opened(configuration, undefined, groups);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], began: 80_100, ended: 80_300, edges: 1, edgeAt: 80_000 },
      { ops: [HEAD, fifo(51), TAIL], replies: [[17, 0, 0], Array(51).fill(0), [...ENABLES, 17, 0, 17]], began: 80_300 },
    ]);
    // The middle of two conversions is 1.25 ms before the second.
    expect(frame.channels[0].time).toBe(80_000 - 16 * PERIOD - 1250);
  });

  it.each([
    ["two edges came", 80_000, 80_100, 2],
    ["it came after the status began", 80_150, 80_100, 1],
    ["it does not agree with the FIFO", 60_000, 80_100, 1],
  ])("does without it where %s", (_, edgeAt, began, edges) => {
    const { driver, frame } = opened();
    byEdge(0, edgeAt, began, edges)(driver, frame);
    expect(frame.channels[0].time).toBe(began + 200 - HALF - 16 * PERIOD);
  });

  it("does without it where the edge is not A_FULL's: the supply pulls the line too", () => {
    const { driver, frame } = opened();
    read(driver, frame, 0, 16, 80_100, { edges: 1, edgeAt: 80_000 });
    expect(frame.channels[0].time).toBe(80_300 - HALF - 15 * PERIOD);
  });

  it("does without it where the supply pulled the line beside A_FULL: whose edge it is, nobody knows", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      {
        ops: [STATUS],
        replies: [status(17, 0, 0, 0x80, 0x80)],
        began: 80_100,
        ended: 80_300,
        edges: 1,
        edgeAt: 78_000,
      },
      reading(0, 17, 80_300),
    ]);
    expect(frame.channels[0].time).toBe(80_300 - HALF - 16 * PERIOD);
  });

  it.each([
    [16, true],
    [17, false],
  ])("where %d samples were left, takes the next edge for the 17th sample's: %s", (rest, taken) => {
    const { driver, frame } = opened();
    // So many came while 17 were read. With 17 of them the next one pulls the line, and that is the 18th.
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0)], began: 85_000, ended: 85_200 },
      {
        ops: [HEAD, fifo(153), TAIL],
        replies: [[17, 0, 0], samples(0, 17), [...ENABLES, 17 + rest, 0, 17]],
        began: 85_200,
        ended: 85_000 + rest * PERIOD,
      },
    ]);
    const began = 85_100 + (rest + 1) * PERIOD;
    play(driver.poll(), frame, [
      {
        ops: [STATUS],
        replies: [status(18 + rest, 0, 17, 0x80)],
        began,
        ended: began + 200,
        edges: 1,
        edgeAt: 169_000,
      },
      {
        ops: [HEAD, fifo(9 * (rest + 1)), TAIL],
        replies: [[18 + rest, 0, 17], samples(17, rest + 1), [...ENABLES, 18 + rest, 0, 18 + rest]],
        began: began + 200,
      },
    ]);
    expect(frame.channels[0].time).toBe(taken ? 169_000 - 16 * PERIOD : began + 200 - HALF - rest * PERIOD);
  });

  it("does without it where A_FULL was seen before: its edge is a later sample's", () => {
    const { driver, frame } = opened();
    const at = { began: 80_100, ended: 80_300, edges: 1, edgeAt: 80_000 };
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], ...at },
      { ops: [HEAD, fifo(153), TAIL], error: "nack" },
    ]);
    byEdge(0, 85_000, 85_100)(driver, frame);
    expect(frame.channels[0].time).toBe(85_300 - HALF - 16 * PERIOD);
    // Nor where a status was lost, and A_FULL with it.
    const other = opened();
    play(other.driver.poll(), other.frame, [{ ops: [STATUS], error: "nack" }]);
    byEdge(0, 85_000, 85_100)(other.driver, other.frame);
    expect(other.frame.channels[0].time).toBe(85_300 - HALF - 16 * PERIOD);
  });
});

describe("MAX86150 close", () => {
  const STOP: Op[] = [STATUS, { write: [0x0d, 0x06] }, STATUS];
  const OFF = [{ ops: [{ write: [0x0d, 0x01] }] }, { ops: [{ write: [0x0d, 0x02] }] }];

  it("reads the flags, stops, reads what is left in two readings, resets, shuts down", () => {
    const { driver, frame } = opened();
    const rest = [[31, 0, 24], samples(24, 7), [...ENABLES, 31, 0, 31]];
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(30, 0, 0, 0x80), status(31, 0, 0)], began: 155_000, ended: 155_500 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[31, 0, 0], samples(0, 24), [...ENABLES, 31, 0, 24]], began: 155_500 },
      { ops: [HEAD, fifo(63), TAIL], replies: rest },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(31, 0, 0, 0));
    expect(codes(frame, 0)).toEqual(counting(70000, 31));
    expect(frame.faults).toEqual([]);
    play(driver.close(), frame, [{ ops: [{ write: [0x0d, 0x02] }] }]);
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame.faults[0].message).toBe("MAX86150 at 0x5e: not open; open it first");
  });

  it("knows a FIFO that became full while it was being stopped", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(31, 0, 0, 0x80), status(0, 0, 0)], began: 160_000, ended: 160_500 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[0, 0, 0], samples(0, 24), [...ENABLES, 0, 0, 24]] },
      { ops: [HEAD, fifo(72), TAIL], replies: [[0, 0, 24], samples(24, 8), [...ENABLES, 0, 0, 0]] },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(32, 0, 0, 0));
  });

  /** A reading of four failed, and 30 have come since: what it popped may be written over. */
  const failing = () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)] },
      { ops: [HEAD, fifo(36), TAIL], replies: [[4, 0, 0]], error: "bus" },
    ]);
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(2, 0, 4)] },
      { ops: [HEAD, fifo(216), TAIL], replies: [[2, 0, 4]], error: "bus" },
    ]);
    return { driver, frame };
  };

  it("reads again what a reading popped that failed, before it shuts down", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(4, 0, 0)] },
      { ops: [HEAD, fifo(36), TAIL], replies: [[4, 0, 0]], error: "bus" },
    ]);
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(4, 0, 4), status(4, 0, 4)] },
      {
        ops: [{ write: [0x06, 0] }, HEAD, fifo(36), TAIL],
        replies: [[4, 0, 0], samples(0, 4), [...ENABLES, 4, 0, 4]],
      },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(4, 0, 0, FLAG_BUS_FAULT));
  });

  it("reads no more than a frame holds, should the chip go on", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(31, 0, 0, 0x80), status(31, 0, 0)], began: 155_000, ended: 155_500 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[31, 0, 0], samples(0, 24), [...ENABLES, 1, 0, 24]] },
      { ops: [HEAD, fifo(72), TAIL], replies: [[1, 0, 24], samples(24, 8), [...ENABLES, 1, 0, 0]] },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(32, 0, 0, 0));
  });

  it("says what was lost before the first of what it still reads", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(5, 5, 5, 0x80), status(5, 5, 5)], began: 185_000, ended: 185_500 },
      { ops: [HEAD, fifo(216), TAIL], replies: [[5, 5, 5], samples(37, 24), [...ENABLES, 5, 0, 29]] },
      { ops: [HEAD, fifo(72), TAIL], replies: [[5, 0, 29], samples(61, 8), [...ENABLES, 5, 0, 5]] },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(32, 5, 5, 0));
  });

  it("says what was lost behind the last sample", () => {
    const { driver, frame } = failing();
    const ops = [HEAD, fifo(216), TAIL];
    play(driver.close(), frame, [
      { ops: STOP, replies: [status(2, 0, 4), status(2, 0, 4)] },
      { ops, replies: [[2, 0, 4]], error: "bus" },
      ...OFF,
    ]);
    expect(shape(frame)).toEqual(all(0, 0, 4, 0));
    // Emptied by somebody else.
    const other = opened();
    play(other.driver.close(), other.frame, [{ ops: STOP, replies: [status(7, 0, 7), status(7, 0, 7)] }, ...OFF]);
    expect(shape(other.frame)).toEqual(all(0, 0, -1, 0));
  });

  it("shuts down also where it finds a chip that lost its state, and asks for no restart", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [
      {
        ops: STOP,
        replies: [
          [1, 0, 0, 0, 0, 0, 0],
          [0, 0, 0, 0, 0, 0, 0],
        ],
      },
      ...OFF,
    ]);
    expect(frame.restart).toBe(false);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_RESTARTED]);
  });

  it("says that nobody knows what a chip that lost its state had still lost", () => {
    const { driver, frame } = failing();
    play(driver.close(), frame, [{ ops: STOP, replies: [Array(7).fill(0), Array(7).fill(0)] }, ...OFF]);
    expect(shape(frame)).toEqual(all(0, 0, -1, 0));
  });

  it("opens again as if nothing had been before", () => {
    const { driver, frame } = failing();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(4, 0, 4, 0x20, 0x80)] }]);
    play(driver.open(), frame, opening());
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0, 0, 0x80)], began: 1000, ended: 1200 }]);
    expect(frame.faults).toHaveLength(1);
    read(driver, frame, 0, 17, 80_100, { edges: 1, edgeAt: 80_000 });
    expect(shape(frame)).toEqual(all(17, 0, 0, 0));
    expect(frame.channels[0].time).toBe(0);
  });

  it("shuts down where nothing answers, or the reading fails", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [{ ops: STOP, error: "nack" }, ...OFF]);
    const second = opened();
    play(second.driver.close(), second.frame, [
      { ops: STOP, replies: [status(2, 0, 0), status(2, 0, 0)] },
      { ops: [HEAD, fifo(18), TAIL], error: "nack" },
      ...OFF,
    ]);
    play(second.driver.close(), second.frame, [{ ops: [{ write: [0x0d, 0x02] }] }]);
  });
});
