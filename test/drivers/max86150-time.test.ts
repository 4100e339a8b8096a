/** When the samples of a MAX86150 were: by pointers, by edges, behind losses. Periods are 5 ms. */
import { describe, expect, it } from "vitest";
import type { Frame } from "../../drivers/driver.ts";
import {
  codes,
  ENABLES,
  fifo,
  HEAD,
  opened,
  play,
  read,
  reading,
  STATUS,
  samples,
  status,
  TAIL,
} from "./max86150-script.ts";

const PERIOD = 5000;

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
