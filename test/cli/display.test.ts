/** The status lines of `demo`: what stands in them, and that they fit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changeLine, Heard } from "../../cli/display.ts";
import { type Line, render, widthOf } from "../../cli/monitor/text.ts";
import {
  ALARM_HEART_RATE_HIGH,
  ALARM_SPO2_LOW,
  ALARM_SPO2_MISSING,
  type AlarmEvent,
  type ChannelDefinition,
  type DataMessage,
  EVENT_ALARM,
  type EventMessage,
  encodeAlarm,
  MDC_HEART_RATE,
  MDC_SPO2,
  MDC_TEMP_FINGER,
  MDC_TEMPERATURE,
  makeQual,
} from "../../protocol/messages.ts";
import { vitalChannel } from "../support/vital-channel.ts";

const channel = vitalChannel;
const spo2 = channel(5, MDC_SPO2, "%", { minimum: 700 });
const heartRate = channel(7, MDC_HEART_RATE, "/min");
const channels: ChannelDefinition[] = [
  channel(3, MDC_TEMPERATURE, "Cel", { processing: 0 }),
  spo2,
  heartRate,
  channel(8, MDC_TEMPERATURE, "Cel", { role: "predicted" }),
];

const data = (tick: number, values: Record<number, number | null>, qual: number | null = null): DataMessage => ({
  type: "data",
  boot: 1,
  seq: tick,
  tick,
  cfg: 1,
  channels: Object.entries(values).map(([id, value]) => ({ kind: "num", id: Number(id), dt: 0, value, qual })),
});
const event = (tick: number, alarm: Partial<AlarmEvent>): EventMessage => {
  const own = { id: ALARM_SPO2_LOW, priority: 1, state: 1, dt: -10e6, value: 890, limit: 900, channel: 5 };
  const small = encodeAlarm({ ...own, ...alarm });
  return { type: "event", boot: 1, seq: tick, tick, code: EVENT_ALARM, small };
};
const text = (line: Line | null) => (line === null ? null : render(line, null, false));

describe("the numbers of a board", () => {
  test("are its newest ones; -- where there is none, < 70 below what is claimed, … while it settles", () => {
    const heard = new Heard();
    expect(heard.cells()).toBe("HR  --/min SpO2    -- % Temp    -- °C ");
    heard.data(data(1000, { 3: 361, 5: 974, 7: 724, 8: 380 }), channels);
    expect(heard.cells()).toBe("HR  72/min SpO2  97.4 % Temp  36.1 °C ");
    heard.data(data(2000, { 5: 655, 7: null }, makeQual(null, 1)), channels);
    expect(heard.cells()).toBe("HR  --/min SpO2  < 70 %…Temp  36.1 °C ");
  });

  test("an older value that comes later replaces nothing", () => {
    const heard = new Heard();
    heard.data(data(3000, { 5: 974 }), channels);
    heard.data(data(2000, { 5: 900, 7: 700 }), channels);
    expect(heard.cells()).toContain("HR  70/min SpO2  97.4 %");
  });

  test("a finger's temperature is the skin's", () => {
    const heard = new Heard();
    const finger = channel(9, MDC_TEMP_FINGER, "Cel");
    heard.data(data(1000, { 9: 331 }), [finger]);
    expect(heard.cells()).toContain("Skin  33.1 °C");
  });

  test("a status line fits into 80 columns, whatever the numbers are", () => {
    const value = fc.option(fc.integer({ min: 0, max: 1000 }));
    fc.assert(
      fc.property(value, value, value, fc.boolean(), (temperature, saturation, rate, settling) => {
        const heard = new Heard();
        const qual = settling ? makeQual(null, 1) : null;
        heard.data(data(1000, { 3: temperature, 5: saturation, 7: rate }, qual), channels);
        expect(widthOf(`3 serial 99999 packets 0 gaps ${heard.cells()} REJECTED`)).toBeLessThanOrEqual(79);
      }),
    );
  });
});

describe("the alarms of a board", () => {
  test("are a line of their own: the most urgent, with its value of now, and how many there are besides", () => {
    const heard = new Heard();
    expect(heard.alarmLine(79)).toBe(null);
    heard.data(data(100_000, { 5: 890, 7: 1300 }), channels);
    heard.event(
      event(100_000, { id: ALARM_HEART_RATE_HIGH, priority: 2, value: 1300, limit: 1200, channel: 7 }),
      channels,
    );
    expect(text(heard.alarmLine(79))).toBe("  !!  ALARM heart rate 130.0 > 120 /min since 10 s");
    heard.event(event(101_000, {}), channels);
    heard.data(data(105_000, { 5: 820 }), channels);
    expect(text(heard.alarmLine(79))).toBe("  !!! ALARM SpO2 82.0 < 90 % since 14 s, +1 more");
    heard.data(data(106_000, { 5: null }), channels);
    expect(text(heard.alarmLine(79))).toBe("  !!! ALARM SpO2 -- %, low limit 90, since 15 s, +1 more");
    heard.event(event(107_000, { state: 2, value: 940, dt: -17e6 }), channels);
    expect(text(heard.alarmLine(79))).toContain("latched, +1 more");
  });

  test("a technical alarm alone is called so; a pause is told", () => {
    const heard = new Heard();
    heard.event(event(30_000, { id: ALARM_SPO2_MISSING, priority: 3, value: null, limit: 20, dt: -21e6 }), channels);
    expect(text(heard.alarmLine(79))).toBe("  !   technical alarm SpO2 not measured for 20 s since 21 s");
    const other = new Heard();
    other.event(event(30_000, { id: 0, priority: 3, state: 4, value: null, limit: 60, channel: null }), channels);
    expect(text(other.alarmLine(79))).toBe("  alarms paused for 60 s");
  });

  test("never take more columns than there are, and how many more there are is not what is cut", () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 120 }), fc.integer({ min: 0, max: 9 }), (width, more) => {
        const heard = new Heard();
        for (let i = 0; i <= more; i++)
          heard.event(event(100_000 + i, { id: 1 + 2 * (i % 5), channel: 10 + i }), channels);
        const line = text(heard.alarmLine(width))!;
        expect(widthOf(line)).toBeLessThanOrEqual(width);
        if (more > 0) expect(line.endsWith(`, +${more} more`)).toBe(true);
      }),
    );
  });

  test("each change is a line with the board and its own time", () => {
    const heard = new Heard();
    const line = changeLine(1, heard.event(event(106_000, {}), channels)!);
    expect(text(line)).toBe("0:01:46.0 board 1: ALARM high: SpO2 89.0 % below 90 (since 10 s)");
    expect(heard.event(event(106_000, {}), channels)).toBe(null);
    const ended = changeLine(1, heard.event(event(120_000, { state: 0, value: 920, dt: -24e6 }), channels)!);
    expect(text(ended)).toBe("0:02:00.0 board 1: alarm ended: SpO2 low, now 92.0 % (after 24 s)");
  });
});
