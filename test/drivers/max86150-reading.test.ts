/** MAX86150 readings that fail, states that are lost, and the end: bytes in, blocks out. Periods are 5 ms, samples of nine bytes. */
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
