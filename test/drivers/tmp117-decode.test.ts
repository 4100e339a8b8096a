/** What the TMP117 driver makes of replies, at the places where a change of the code used to pass unnoticed. */
import { expect, test } from "vitest";
import { type Driver, FAULT_RESTARTED, type Frame, type Step } from "../../drivers/driver.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";

const SETTINGS = 0x0224;
const READY = 0x2000;
const CLOSED = 0x0404;
/** No two conversions at 1 hz end closer than this, us (section 6.5). */
const SHORTEST = (1000 * 26000) / 31;

interface Turn {
  /** 16-bit words that are read. */
  readonly words?: readonly number[];
  readonly at?: number;
  readonly edgeAt?: number;
}

/** Answers one step after the other; what is left when there are no more answers. */
function answer(first: Step | null, frame: Frame, turns: readonly Turn[]): Step | null {
  return turns.reduce<Step | null>(
    (step, { words = [], at = 0, edgeAt }) =>
      step?.next?.(
        {
          replies: words.map((word) => Uint8Array.of(word >> 8, word & 255)),
          error: null,
          began: at,
          ended: at,
          edges: edgeAt === undefined ? 0 : 1,
          // A board that saw no edge tells of the last one, or of none.
          edgeAt: edgeAt ?? 12345,
          inputs: 0,
        },
        frame,
      ) ?? null,
    first,
  );
}

/** Open since 0 us, its data-ready line wired. */
function opened(): { driver: Driver<Tmp117Configuration>; frame: Frame } {
  const driver = chip.create({}, { interrupt: true });
  const frame = driver.createFrame();
  const opening = [{ words: [0x0117, 0x0220] }, {}, { words: [0x0220] }, { words: [0, SETTINGS] }];
  expect(answer(driver.open(), frame, opening)).toBeNull();
  return { driver, frame };
}

test("at a close the last value has the time of its edge, as in a poll", () => {
  const { driver, frame } = opened();
  const turns = [
    { words: [SETTINGS | READY, CLOSED], at: 500_000, edgeAt: 480_000 },
    { words: [2560], at: 500_300 },
  ];
  expect(answer(driver.close(), frame, turns)).toBeNull();
  expect(frame.channels[0]).toMatchObject({ count: 1, time: 480_000, uncertainty: 100, lost: 0 });
  expect(frame.channels[0].samples[0]).toBe(2560);
});

test("without an edge since the last outcome the board's last edge is nobody's: at a close and in a poll", () => {
  const close = opened();
  answer(close.driver.close(), close.frame, [{ words: [SETTINGS | READY, CLOSED], at: 500_000 }, { words: [1] }]);
  expect(close.frame.channels[0]).toMatchObject({ count: 1, time: 250_000, uncertainty: 250_000 });
  const poll = opened();
  answer(poll.driver.poll(), poll.frame, [
    { words: [SETTINGS | READY], at: 500_000 },
    { words: [1], at: 500_000 },
  ]);
  expect(poll.frame.channels[0]).toMatchObject({ count: 1, time: 250_000, uncertainty: 250_000 });
});

test("an edge so long ago that another result may have come since dates nothing, and a loss is told", () => {
  const at = (end: number) => {
    const { driver, frame } = opened();
    answer(driver.poll(), frame, [
      { words: [SETTINGS | READY], at: end, edgeAt: 100_000 },
      { words: [1], at: end },
    ]);
    return frame.channels[0];
  };
  expect(at(100_000 + Math.floor(SHORTEST))).toMatchObject({ time: 100_000, uncertainty: 100, lost: 0 });
  const end = 100_000 + Math.ceil(SHORTEST);
  expect(at(end)).toMatchObject({ time: (100_000 + end) / 2, uncertainty: (end - 100_000) / 2, lost: -1 });
});

test("a close notices that the chip lost its state: a fault, and its result is not taken", () => {
  const { driver, frame } = opened();
  expect(answer(driver.close(), frame, [{ words: [0x0220 | READY, CLOSED] }])).toBeNull();
  expect(frame.faults).toEqual([{ code: FAULT_RESTARTED, message: expect.stringContaining("reads 0x220") }]);
  expect(frame.channels[0].count).toBe(0);
});

test("a close behind a gap says that something is lost, and one behind none does not", () => {
  const plain = opened();
  answer(plain.driver.close(), plain.frame, [{ words: [SETTINGS, CLOSED] }]);
  expect(plain.frame.channels[0]).toMatchObject({ count: 0, lost: 0 });
  const { driver, frame } = opened();
  // 64 averages take as long as the cycle: a difference, and a new record behind a gap.
  const changed = 0x0264;
  expect(
    answer(driver.reconfigure({ sampleRate: 1, averaging: 64, offset: 0 }), frame, [{ words: [0, changed] }]),
  ).toBeNull();
  answer(driver.close(), frame, [{ words: [changed, CLOSED] }]);
  expect(frame.faults).toEqual([]);
  expect(frame.channels[0]).toMatchObject({ count: 0, lost: -1 });
});
