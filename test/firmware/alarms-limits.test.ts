import { describe, expect, test } from "vitest";
import { FLAG_SETTLING, FLAG_TEST_SIGNAL, FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { type AlarmSettings, alarmEvent } from "../../firmware/alarms.ts";
import * as vsp from "../../protocol/messages.ts";
import { board, channels, RATE, S, SPO2, simple, times, vital, WARM } from "./alarms-board.ts";

const { ALARM_SPO2_LOW, ALARM_ACTIVE } = vsp;

describe("a limit", () => {
  test("SpO2 below 90 for 10 s is an alarm that began with the first value below; the event holds what was sent", () => {
    const { feed, told } = board(simple);
    feed(SPO2, [97, ...times(12, 88.4)]);
    const alarm = { id: ALARM_SPO2_LOW, priority: 2, state: 1, onset: 2 * S, value: 884, limit: 900, channel: SPO2 };
    expect(told).toEqual([{ ...alarm, at: 12 }]);
    expect(vsp.decodeAlarm(vsp.encodeAlarm(alarmEvent(told[0]!, 12_000)))).toEqual({
      ...{ id: 1, priority: 2, state: 1, dt: -10 * S, value: 884, limit: 900, channel: SPO2 },
    });
  });

  test("a value at the limit is not beyond it, and one such value begins the delay anew", () => {
    const { feed, told, short } = board(simple);
    feed(SPO2, times(60, 90));
    feed(SPO2, [...times(10, 89.9), 90, ...times(10, 89.9)]);
    expect(told).toEqual([]);
    feed(SPO2, [89.9]);
    expect(short()).toEqual([[ALARM_SPO2_LOW, ALARM_ACTIVE, 82, 72]]);
  });

  test("it ends by two values in a row that are inside by the hysteresis of 1 %", () => {
    const { feed, told, short } = board(simple);
    feed(SPO2, [...times(11, 85), 95, 89, 90.9, 90.9, 90.9, 91, 90.9, 91]);
    expect(told).toHaveLength(1);
    feed(SPO2, [91]);
    expect(short()).toEqual([
      [ALARM_SPO2_LOW, ALARM_ACTIVE, 11, 1],
      [ALARM_SPO2_LOW, vsp.ALARM_INACTIVE, 20, 1],
    ]);
    expect(told[1]).toMatchObject({ value: 910, limit: 900 });
  });

  test("the high side is its mirror image", () => {
    const { feed, short } = board(simple);
    feed(SPO2, [...times(11, 98.1), 97.1, 97.1, 97, 97]);
    expect(short()).toEqual([
      [vsp.ALARM_SPO2_HIGH, ALARM_ACTIVE, 11, 1],
      [vsp.ALARM_SPO2_HIGH, 0, 15, 1],
    ]);
  });

  test("null, silence and a sensor off never end it", () => {
    const { feed, told } = board(simple);
    feed(SPO2, times(11, 85));
    feed(SPO2, times(300, null));
    feed(SPO2, times(300, "silence" as const));
    expect(told.filter(({ id }) => id === ALARM_SPO2_LOW)).toHaveLength(1);
    feed(SPO2, [95, null, 95]);
    expect(told.at(-1)).toMatchObject({ id: ALARM_SPO2_LOW, state: 0 });
  });

  test("a delay runs on through nulls and ends with the next value beyond", () => {
    const { feed, short } = board({ spo2: { low: 90, delay: 10, blank: 300, latching: false } });
    feed(SPO2, [85, 85, ...times(30, null), 85]);
    expect(short()).toEqual([[ALARM_SPO2_LOW, ALARM_ACTIVE, 33, 1]]);
  });

  test("nulls do not end a delay: after them a value inside does", () => {
    const { feed, told } = board(simple);
    feed(SPO2, [85, 85, ...times(12, null), 90, ...times(10, 85)]);
    expect(told).toEqual([]);
  });

  test("where the last values were beyond 3 s ago and less, the alarm does not wait for another", () => {
    const begun = (missing: number) => {
      const { feed, told } = board(simple);
      feed(SPO2, [...times(11 - missing, 85), ...times(missing + 3, null)]);
      return told.map(({ at }) => at);
    };
    expect([1, 2, 3, 4].map(begun)).toEqual([[11], [11], [11], []]);
  });

  test("one value is never enough for a delay of 3 s, two are", () => {
    const begun = (values: (number | null)[]) => {
      const { feed, told } = board({ spo2: { low: 90, delay: 3 } });
      feed(SPO2, [...values, ...times(8, null)]);
      return told.length;
    };
    expect([begun([85]), begun([85, 85])]).toEqual([0, 1]);
  });

  test("without a delay the first value is enough", () => {
    const { feed, short } = board({ spo2: { low: 90, delay: 0 } });
    feed(SPO2, [95, 89]);
    expect(short()).toEqual([[ALARM_SPO2_LOW, ALARM_ACTIVE, 2, 2]]);
  });

  test("a test signal is nobody's value: it begins nothing and ends nothing", () => {
    const { feed, told } = board(simple);
    feed(SPO2, times(30, 80), FLAG_TEST_SIGNAL);
    expect(told).toEqual([]);
    feed(SPO2, times(11, 85), FLAG_UNCALIBRATED);
    feed(SPO2, times(10, 97), FLAG_TEST_SIGNAL);
    expect(told).toHaveLength(1);
  });

  test("a temperature that still moves is a fever beyond the limit, but no cold patient, and the end of no fever", () => {
    const settings: AlarmSettings = { temperature: { low: 35, high: 38.5, delay: 2 } };
    const { alarms, told } = board(settings, [{ ...channels[2]!, mdc: vsp.MDC_TEMP_AXILLA }]);
    let at = 0;
    const take = (value: number, flags: number, seconds: number) => {
      for (let i = 0; i < seconds; i++) alarms.take(WARM, Math.round(value * 128), flags, ++at * S);
      return told.length;
    };
    expect(take(30, FLAG_SETTLING, 20)).toBe(0);
    expect(take(38.6, FLAG_SETTLING, 3)).toBe(1);
    expect(told[0]).toMatchObject({ id: vsp.ALARM_TEMPERATURE_HIGH, state: vsp.ALARM_ACTIVE });
    expect(take(25, FLAG_SETTLING, 60)).toBe(1);
    expect(take(37, 0, 2)).toBe(2);
    expect(told[1]).toMatchObject({ id: vsp.ALARM_TEMPERATURE_HIGH, state: vsp.ALARM_INACTIVE });
    expect(take(34, 0, 3)).toBe(3);
    expect(told[2]).toMatchObject({ id: vsp.ALARM_TEMPERATURE_LOW, state: vsp.ALARM_ACTIVE });
  });

  test("a temperature counts on the body only, in the chip's own counts", () => {
    const settings: AlarmSettings = { temperature: { low: 35, high: 38.5, delay: 2 } };
    const warm = (mdc: number, flags: number) => {
      const { alarms, told } = board(settings, [{ ...channels[2]!, mdc }]);
      for (let at = 1; at < 5; at++) alarms.take(WARM, 128 * 39, flags, at * S);
      return told;
    };
    expect(warm(vsp.MDC_TEMP_AXILLA, 0)).toMatchObject([
      { id: vsp.ALARM_TEMPERATURE_HIGH, value: 4992, limit: 4928, channel: WARM },
    ]);
    expect(warm(vsp.MDC_TEMPERATURE, 0)).toHaveLength(1);
    for (const elsewhere of [vsp.MDC_TEMP_FINGER, vsp.MDC_TEMP_SKIN, vsp.MDC_TEMP]) {
      expect(warm(elsewhere, 0)).toEqual([]);
    }
    const kelvin = { ...vital(WARM, vsp.MDC_TEMPERATURE, "K", { site: "ear" }), mul: 2, exp10: -2 };
    const { alarms, told } = board(settings, [kelvin]);
    for (let at = 1; at < 5; at++) alarms.take(WARM, Math.round((273.15 + 39) * 50), 0, at * S);
    expect(told).toMatchObject([{ id: vsp.ALARM_TEMPERATURE_HIGH, limit: 15583 }]);
  });

  test("a vital without settings, and one that has no alarms, is left alone", () => {
    const { feed, told } = board({ spo2: { low: 90 } });
    feed(RATE, times(20, 20));
    feed(7, times(20, 0));
    expect(told).toEqual([]);
  });
});
