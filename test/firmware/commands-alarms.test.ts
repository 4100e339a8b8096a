/** What a board does with commands about alarms: limits, acknowledgement, pause. */
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../protocol/index.ts";
import {
  EVENT_CONFIGURATION,
  MDC_HEART_RATE,
  MDC_SPO2,
  OP_ACKNOWLEDGE_ALARM,
  OP_PAUSE_ALARM,
  OP_SET_ALARM_LIMITS,
  OP_SET_RATE,
  STATUS_BAD_PARAMETER,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_NOT_POSSIBLE,
  STATUS_REFUSED,
} from "../../protocol/messages.ts";
import { channelOf, createCommanded, ECG, RED } from "./commanded.ts";

describe("alarms", () => {
  const watching = () => {
    const board = createCommanded({ alarms: { spo2: { low: 90, delay: 0 }, heartRate: { low: 40, delay: 0 } } });
    board.start(15);
    const birth = board.births()[0]!;
    return { board, spo2: channelOf(birth, MDC_SPO2), heartRate: channelOf(birth, MDC_HEART_RATE) };
  };

  test("other limits hold from then on, in raw values of the vital, and the change is told in event 6", () => {
    const { board, heartRate } = watching();
    expect(board.node.runtime.alarms!.active()).toEqual([]);
    const n = board.command(OP_SET_ALARM_LIMITS, [
      [2, heartRate],
      [3, 1400],
      [4, 2000],
      [5, 0],
      [6, 1],
      [7, 1],
      [8, 20],
      [9, 30],
    ]);
    board.run(3);
    expect(board.statusOf(n)).toBe(STATUS_DONE);
    expect(board.node.runtime.alarms!.active()).toMatchObject([
      { channel: heartRate, priority: 1, state: 1, limit: 1400 },
    ]);
    const [cfg, op, parameters] = board.eventsOf(EVENT_CONFIGURATION)[0]!.small as [number, number, Uint8Array];
    expect([cfg, op]).toEqual([1, OP_SET_ALARM_LIMITS]);
    expect(decodeCbor(parameters)).toMatchObject({ entries: expect.arrayContaining([[3, 1400]]) });
    const acknowledged = board.command(OP_ACKNOWLEDGE_ALARM, [[1, 3]]);
    expect(board.statusOf(acknowledged)).toBe(STATUS_DONE);
    expect(board.node.runtime.alarms!.active()[0]!.state).toBe(3);
  });

  test("no command sets a limit outside the bounds of the vital, or one against the other", () => {
    const { board, spo2, heartRate } = watching();
    for (const parameters of [
      [
        [2, spo2],
        [3, 400],
      ],
      [
        [2, heartRate],
        [4, 4000],
      ],
      [
        [2, heartRate],
        [3, 1500],
        [4, 1400],
      ],
    ] as [number, number][][])
      expect(board.statusOf(board.command(OP_SET_ALARM_LIMITS, parameters))).toBe(STATUS_BEYOND_LIMIT);
    expect(board.statusOf(board.command(OP_SET_ALARM_LIMITS, [[2, spo2]]))).toBe(STATUS_BAD_PARAMETER);
    expect(
      board.statusOf(
        board.command(OP_SET_ALARM_LIMITS, [
          [2, RED],
          [3, 900],
        ]),
      ),
    ).toBe(STATUS_NOT_POSSIBLE);
    expect(board.eventsOf(EVENT_CONFIGURATION)).toEqual([]);
  });

  test("a pause ends by itself, is not made longer, and ends by 0", () => {
    const { board } = watching();
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 20]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 20]]))).toBe(STATUS_REFUSED);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 0]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 120]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 121]]))).toBe(STATUS_BAD_PARAMETER);
    expect(board.statusOf(board.command(OP_ACKNOWLEDGE_ALARM))).toBe(STATUS_DONE);
  });

  test("no command takes a vital away that alarms watch: such a rate is refused, and nothing changes", () => {
    const found = [{ heartRate: { low: 40 } }, undefined].map((alarms) => {
      const board = createCommanded(alarms && { alarms });
      board.start(2);
      // the chip can, but no heart rate is computed at 200 Hz
      const n = board.command(OP_SET_RATE, [
        [1, 200_000],
        [2, ECG],
      ]);
      board.run(2);
      const birth = board.births().at(-1)!;
      return [board.statusOf(n), birth.cfg, birth.channels.some(({ mdc }) => mdc === MDC_HEART_RATE)];
    });
    expect(found).toEqual([
      [STATUS_REFUSED, 1, true],
      [STATUS_DONE, 2, false],
    ]);
  });

  test("a board without alarms has none to set, acknowledge or pause", () => {
    const board = createCommanded();
    board.start(1);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 5]]))).toBe(STATUS_NOT_POSSIBLE);
    expect(board.statusOf(board.command(OP_ACKNOWLEDGE_ALARM))).toBe(STATUS_NOT_POSSIBLE);
    expect(
      board.statusOf(
        board.command(OP_SET_ALARM_LIMITS, [
          [2, 5],
          [3, 900],
        ]),
      ),
    ).toBe(STATUS_NOT_POSSIBLE);
  });
});
