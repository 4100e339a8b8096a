import { describe, expect, test } from "vitest";
import { ADULT_ALARMS, type AlarmSettings } from "../../firmware/alarms.ts";
import * as vsp from "../../protocol/messages.ts";
import { board, channels, S, SPO2, simple, times } from "./alarms-board.ts";

const { ALARM_SPO2_LOW } = vsp;

describe("settings", () => {
  const wrong = (settings: AlarmSettings) => () => board(settings);

  test("the defaults keep their own rules", () => expect(wrong(ADULT_ALARMS)).not.toThrow());

  test.each([
    [{ spo2: { low: 90, high: 90 } }, "spo2 low 90 must be below high 90"],
    [{ spo2: { low: 90, high: 91.5 } }, "spo2 hysteresis 1 leaves nothing between low 90 and high 91.5"],
    [{ spo2: { low: 49 } }, "spo2 low 49 is not 50 to 100"],
    [{ heartRate: { high: 301 } }, "heartRate high 301 is not 15 to 300"],
    [{ temperature: { low: Number.NaN } }, "temperature low NaN"],
    [{ spo2: { low: 90, delay: 61 } }, "spo2 delay 61 is not 0 to 60"],
    [{ spo2: { low: 90, delay: -1 } }, "spo2 delay -1"],
    [{ spo2: { low: 90, blank: 0 } }, "spo2 blank 0 is not 1 to 300"],
    [{ spo2: { low: 90, blank: 2.5 } }, "spo2 blank 2.5 is no whole number"],
    [{ spo2: { low: 90, hysteresis: -1 } }, "spo2 hysteresis -1"],
    [{ spo2: { low: 90, priority: 0 } }, "spo2 priority 0 is none of 1 (high), 2 (medium), 3 (low)"],
    [{ rhythm: { asystole: { priority: 4, latching: true } } }, "asystole priority 4"],
  ] as [AlarmSettings, string][])("%o is refused", (settings, message) => expect(wrong(settings)).toThrow(message));

  test("a channel that grows downwards is refused", () =>
    expect(() => board(ADULT_ALARMS, [{ ...channels[0]!, mul: -1 }])).toThrow("channel 4 has mul -1"));

  test("limits can be changed within the same bounds; a refused change changes nothing", () => {
    const { alarms, feed, told } = board(simple);
    expect(() => alarms.setLimits(SPO2, { low: 40 }, 0)).toThrow("spo2 low 40");
    expect(() => alarms.setLimits(SPO2, { low: 98 }, 0)).toThrow("low 98 must be below high 98");
    expect(() => alarms.setLimits(9, { low: 88 }, 0)).toThrow("channel 9 has none");
    feed(SPO2, times(11, 89));
    expect(told).toHaveLength(1);
    alarms.setLimits(SPO2, { low: 85 }, 11 * S);
    expect(told).toHaveLength(1);
    feed(SPO2, [89, 89]);
    expect(told.at(-1)).toMatchObject({ state: 0, limit: 850 });
  });

  test("a delay goes on under a new limit that the last value is beyond too, and is over where it is not", () => {
    for (const [low, begun] of [
      [88, 11],
      [85, undefined],
    ] as const) {
      const { alarms, feed, told } = board(simple);
      feed(SPO2, times(5, 86));
      alarms.setLimits(SPO2, { low }, 5 * S);
      feed(SPO2, times(6, 86));
      expect(told[0]?.at).toBe(begun);
    }
  });

  test("taking a limit away ends its alarm, latched or not", () => {
    const { alarms, feed, told } = board({ spo2: { low: 90, delay: 0 } });
    feed(SPO2, [85]);
    alarms.setLimits(SPO2, { low: null }, 2 * S);
    expect(told.at(-1)).toMatchObject({ id: ALARM_SPO2_LOW, state: 0, at: 2 });
    feed(SPO2, times(20, 60));
    expect(told).toHaveLength(2);
  });
});
