import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as vsp from "../../protocol/index.ts";
import { int, refusalOf } from "./support.ts";

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const between = (min: number, max: number) => fc.integer({ min, max });
const common = { priority: between(1, 3), state: between(0, 4), dt: int, channel: between(0, 63) };
const alarm: fc.Arbitrary<vsp.AlarmEvent> = fc.oneof(
  fc.record({ ...common, id: between(1, 31), value: int, limit: int }),
  fc.record({ ...common, id: between(32, 63), value: option(int), limit: fc.constant(null) }),
  fc.record({ ...common, id: between(64, 95), value: option(int), limit: fc.nat() }),
  fc.record({
    ...common,
    id: fc.constant(0),
    state: fc.constantFrom(0, 4),
    value: fc.constant(null),
    limit: between(1, 120),
    channel: fc.constant(null),
  }),
);
const spo2Low: vsp.AlarmEvent = { id: 1, priority: 2, state: 1, dt: -10_000_000, value: 884, limit: 900, channel: 4 };
const pause: vsp.AlarmEvent = { id: 0, priority: 3, state: 4, dt: 0, value: null, limit: 60, channel: null };

describe("event 16", () => {
  test("every alarm that keeps the rules decodes to itself, through the message too", () => {
    fc.assert(
      fc.property(alarm, (original) => {
        const small = vsp.encodeAlarm(original);
        expect(vsp.decodeAlarm(small)).toEqual(original);
        const event: vsp.Message = { type: "event", boot: 1, seq: 2, tick: 3, code: vsp.EVENT_ALARM, small };
        const sent = vsp.decodeMessage(vsp.encodeMessage(event)) as vsp.EventMessage;
        expect(vsp.decodeAlarm(sent.small)).toEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  test("SpO2 below 90 is seven integers", () => {
    expect(vsp.encodeAlarm(spo2Low)).toEqual([1, 2, 1, -10_000_000, 884, 900, 4]);
  });

  test("what is no alarm decodes to null and never throws", () => {
    const scalar: fc.Arbitrary<vsp.Scalar> = fc.oneof(
      between(-2, 130),
      fc.double(),
      fc.constant(null),
      fc.string(),
      fc.uint8Array(),
    ) as fc.Arbitrary<vsp.Scalar>;
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.oneof(scalar, fc.array(scalar, { maxLength: 9 }), alarm),
        alarm,
        between(0, 6),
        scalar,
        (...all) => {
          const [garbage, base, place, wrong] = all;
          if (!("id" in Object(garbage))) vsp.decodeAlarm(garbage as vsp.Scalar[]);
          const small = vsp.encodeAlarm(base);
          small[place] = wrong;
          const read = vsp.decodeAlarm(small);
          if (read === null) refused++;
          else {
            accepted++;
            expect(vsp.encodeAlarm(read)).toEqual(small);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(500);
    for (const nothing of [undefined, {}, [undefined], true]) expect(vsp.decodeAlarm(nothing as never)).toBeNull();
  });

  test.each([
    ["six items", [1, 2, 1, 0, 884, 900]],
    ["eight items", [1, 2, 1, 0, 884, 900, 4, 0]],
    ["id 96", [96, 2, 1, 0, 884, 900, 4]],
    ["priority 0", [1, 0, 1, 0, 884, 900, 4]],
    ["priority 4", [1, 4, 1, 0, 884, 900, 4]],
    ["state 5", [1, 2, 5, 0, 884, 900, 4]],
    ["an onset that is no integer", [1, 2, 1, 0.5, 884, 900, 4]],
    ["a limit alarm without a value", [1, 2, 1, 0, null, 900, 4]],
    ["a limit alarm without a limit", [1, 2, 1, 0, 884, null, 4]],
    ["channel 64", [1, 2, 1, 0, 884, 900, 64]],
    ["no channel", [1, 2, 1, 0, 884, 900, null]],
    ["a rhythm with a limit", [32, 1, 1, 0, null, 900, 4]],
    ["a technical alarm without its blank", [64, 3, 1, 0, null, null, 4]],
    ["a blank below 0", [64, 3, 1, 0, null, -1, 4]],
    ["a pause of 121 s", [0, 3, 4, 0, null, 121, null]],
    ["all alarms active", [0, 3, 1, 0, null, 60, null]],
    ["a pause of one channel", [0, 3, 4, 0, null, 60, 4]],
    ["a pause with a value", [0, 3, 4, 0, 1, 60, null]],
  ] as [string, vsp.Scalar[]][])("%s is refused", (_, small) => expect(vsp.decodeAlarm(small)).toBeNull());

  test("the encoder names the field", () => {
    expect(refusalOf(() => vsp.encodeAlarm({ ...spo2Low, priority: 0 })).message).toBe(
      "payload: alarm priority is 0, must be an integer 1..3",
    );
    expect(refusalOf(() => vsp.encodeAlarm({ ...spo2Low, value: null })).message).toContain("alarm value is null");
    expect(refusalOf(() => vsp.encodeAlarm({ ...pause, limit: 121 })).message).toContain("length of a pause is 121");
  });
});

describe("words", () => {
  const ids = Object.entries(vsp).filter(
    ([name, value]) => /^ALARM_(?:SPO2|HEART|PULSE|TEMP|RESP|RHYTHM)/.test(name) && typeof value === "number",
  ) as [string, number][];

  test("every id has its own, and PROTOCOL.md has the id", () => {
    const protocol = readFileSync(new URL("../../protocol/PROTOCOL.md", import.meta.url), "utf8");
    const table = protocol.slice(protocol.indexOf("### 2.2 Alarms"), protocol.indexOf("## 3."));
    expect(ids).toHaveLength(19);
    expect(new Set(ids.map(([, id]) => vsp.alarmWords(id))).size).toBe(19);
    for (const [, id] of ids) {
      expect(vsp.alarmWords(id)).not.toMatch(/^alarm/);
      expect(table).toMatch(new RegExp(`\\|[^|]*\\b${id}\\b[^|]*\\|`));
    }
  });

  test("they say what the name of the id says", () => {
    expect(vsp.alarmWords(vsp.ALARM_SPO2_LOW)).toBe("SpO2 low");
    expect(vsp.alarmWords(vsp.ALARM_RESPIRATION_HIGH)).toBe("respiration high");
    expect(vsp.alarmWords(vsp.ALARM_RHYTHM_PAUSE)).toBe("pause");
    expect(vsp.alarmWords(vsp.ALARM_TEMPERATURE_MISSING)).toBe("temperature not measured");
    expect(vsp.alarmWords(vsp.ALARM_ALL)).toBe("all alarms");
    for (const [name, id] of ids) {
      const kind = name.endsWith("_MISSING") ? "technical" : name.startsWith("ALARM_RHYTHM") ? "rhythm" : "limit";
      expect(vsp.alarmKind(id)).toBe(kind);
    }
  });

  test("an id that is newer than the words is shown by its number", () => {
    expect(["11", "31", "36", "69", "95"].map((id) => vsp.alarmWords(Number(id)))).toEqual(
      ["11", "31", "36", "69", "95"].map((id) => `alarm ${id}`),
    );
    expect([-1, 96, 1.5].map(vsp.alarmKind)).toEqual([null, null, null]);
    expect(vsp.alarmWords(96)).toBe("alarm 96");
  });

  test("a vital's alarms have its place in their ids", () => {
    const places = [vsp.MDC_SPO2, vsp.MDC_HEART_RATE, vsp.MDC_PULSE_RATE, vsp.MDC_TEMPERATURE, vsp.MDC_RESPIRATION];
    expect(places.map(vsp.alarmVital)).toEqual([0, 1, 2, 3, 4]);
    expect(vsp.alarmVital(vsp.MDC_RESPIRATION_PLETH)).toBe(4);
    expect(vsp.alarmVital(vsp.MDC_PERFUSION_INDEX)).toBe(-1);
    expect(1 + 2 * vsp.alarmVital(vsp.MDC_PULSE_RATE)).toBe(vsp.ALARM_PULSE_RATE_LOW);
    expect(64 + vsp.alarmVital(vsp.MDC_TEMPERATURE)).toBe(vsp.ALARM_TEMPERATURE_MISSING);
  });
});
