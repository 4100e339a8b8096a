import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_OFF_BODY, FLAG_SETTLING, FLAG_TEST_SIGNAL, FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { ADULT_ALARMS, type Alarm, type AlarmSettings, alarmEvent, createAlarms } from "../../firmware/alarms.ts";
import {
  RHYTHM_ASYSTOLE,
  RHYTHM_BRADYCARDIA,
  RHYTHM_FIBRILLATION,
  RHYTHM_PAUSE,
  RHYTHM_UNCOUNTABLE,
} from "../../firmware/dsp/rhythm.ts";
import * as vsp from "../../protocol/messages.ts";

const S = 1_000_000;
const vital = (id: number, mdc: number, ucum: string, attributes: vsp.Attributes = {}): vsp.ChannelDefinition => ({
  ...{ id, mdc, rateMilliHz: 0, bits: 16, offset: 0, mul: 1, exp10: -1, ucum, attributes },
});
const SPO2 = 4;
const RATE = 5;
const WARM = 6;
const channels = [
  vital(SPO2, vsp.MDC_SPO2, "%"),
  vital(RATE, vsp.MDC_HEART_RATE, "/min"),
  // as a TMP117 gives it: 1/128 degree
  { ...vital(WARM, vsp.MDC_TEMPERATURE, "Cel", { site: "axilla" }), mul: 78125, exp10: -7 },
  vital(7, vsp.MDC_PERFUSION_INDEX, "%"),
];

type Told = Alarm & { at: number };
function board(settings: AlarmSettings = ADULT_ALARMS, vitals: readonly vsp.ChannelDefinition[] = channels) {
  const told: Told[] = [];
  const alarms = createAlarms({ vitals, settings, onAlarm: (alarm, at) => told.push({ ...alarm, at: at / S }) });
  let now = 0;
  return {
    alarms,
    told,
    get now() {
      return now;
    },
    /** One value a second, the first of them a second from now; "silence" is no call at all. */
    feed(channel: number, values: readonly (number | null | "silence")[], flags = 0) {
      for (const value of values) {
        now += S;
        if (value !== "silence")
          alarms.take(
            channel,
            value === null ? null : Math.round(value * 10),
            value === null ? FLAG_OFF_BODY : flags,
            now,
          );
        alarms.update(now);
      }
    },
    /** [id, state, at, onset], s */
    short: () => told.map(({ id, state, at, onset }) => [id, state, at, onset / S]),
  };
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const { ALARM_SPO2_LOW, ALARM_SPO2_MISSING, ALARM_ACTIVE, ALARM_LATCHED, ALARM_ACKNOWLEDGED, ALARM_PAUSED } = vsp;
const simple: AlarmSettings = { spo2: { low: 90, high: 98, delay: 10, latching: false } };

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

describe("latching, acknowledging, pausing", () => {
  const latching: AlarmSettings = { spo2: { low: 90, delay: 2 } };

  test("SpO2 latches unless told otherwise: over, it stands until somebody knows", () => {
    const { alarms, feed, short, told } = board(latching);
    feed(SPO2, [85, 85, 85, 95, 95, 95]);
    expect(short().slice(1)).toEqual([[ALARM_SPO2_LOW, ALARM_LATCHED, 5, 1]]);
    expect(alarms.active()).toMatchObject([{ id: ALARM_SPO2_LOW, state: ALARM_LATCHED }]);
    expect(alarms.acknowledge(ALARM_SPO2_LOW, 7 * S)).toBe(1);
    expect(told.at(-1)).toMatchObject({ state: 0, at: 7 });
    expect(alarms.active()).toEqual([]);
  });

  test("a latched one whose condition comes back is active again, with a new onset", () => {
    const { feed, short } = board(latching);
    feed(SPO2, [85, 85, 85, 95, 95, 85, 85, 85]);
    expect(short().at(-1)).toEqual([ALARM_SPO2_LOW, ALARM_ACTIVE, 8, 6]);
  });

  test("an acknowledged one stays so until its condition ends, then the next one is active anew", () => {
    const { alarms, feed, short, now } = board(latching);
    feed(SPO2, [85, 85, 85]);
    alarms.acknowledge(ALARM_SPO2_LOW, now);
    feed(SPO2, [...times(40, 85), null, ...times(5, 85), 95, 95, 85, 85, 85]);
    expect(short().map(([id, state]) => (id === ALARM_SPO2_LOW ? state : "other"))).toEqual([1, 3, 0, 1]);
  });

  test("what is inactive or has another id cannot be acknowledged", () => {
    const { alarms, feed, told } = board(latching);
    feed(SPO2, [85, 85, 85]);
    expect(alarms.acknowledge(vsp.ALARM_SPO2_HIGH, 4 * S)).toBe(0);
    expect(told).toHaveLength(1);
    expect(alarms.acknowledgeAll(4 * S)).toBe(1);
    expect(alarms.acknowledgeAll(4 * S)).toBe(1);
    expect(told.map(({ state }) => state)).toEqual([ALARM_ACTIVE, ALARM_ACKNOWLEDGED]);
  });

  test("a pause is told, holds back what begins, ends by itself, and then shows what is on", () => {
    const { alarms, feed, short } = board(latching);
    feed(SPO2, [85, 85, 85]);
    expect(alarms.pause(30, 3 * S)).toBe(true);
    feed(SPO2, times(40, 85));
    expect(short().slice(1)).toEqual([
      [vsp.ALARM_ALL, ALARM_PAUSED, 3, 3],
      [ALARM_SPO2_LOW, ALARM_PAUSED, 3, 1],
      [vsp.ALARM_ALL, 0, 33, 3],
      [ALARM_SPO2_LOW, ALARM_ACTIVE, 33, 1],
    ]);
  });

  test("what began and ended within a pause is latched after it, or gone where it does not latch", () => {
    for (const latches of [true, false]) {
      const { alarms, feed, short } = board({ spo2: { low: 90, delay: 2, latching: latches } });
      alarms.pause(30, 0);
      feed(SPO2, [85, 85, 85, 95, 95, ...times(30, 95)]);
      expect(short().filter(([id]) => id === ALARM_SPO2_LOW)).toEqual([
        [ALARM_SPO2_LOW, ALARM_PAUSED, 3, 1],
        latches ? [ALARM_SPO2_LOW, ALARM_LATCHED, 30, 1] : [ALARM_SPO2_LOW, 0, 5, 1],
      ]);
    }
  });

  test("a pause is at most 120 s long, cannot be made longer, and can be cut short", () => {
    const { alarms, short } = board(latching);
    for (const seconds of [121, -1, 0.5, Number.NaN])
      expect(() => alarms.pause(seconds, 0)).toThrow(`a pause of ${seconds} s is no whole number 0 to 120`);
    expect(alarms.pause(120, 0)).toBe(true);
    expect(alarms.pause(120, 60 * S)).toBe(false);
    alarms.update(119 * S);
    expect(short()).toHaveLength(1);
    alarms.update(120 * S);
    expect(short().at(-1)).toEqual([0, 0, 120, 0]);
    alarms.pause(120, 200 * S);
    expect(alarms.pause(0, 210 * S)).toBe(true);
    expect(short().at(-1)).toEqual([0, 0, 210, 200]);
  });
});

describe("a vital that is not measured", () => {
  test("is told after 20 s without a value, from the last one on, and ends with the next", () => {
    for (const missing of [null, "silence"] as const) {
      const { feed, short, told } = board({ spo2: { low: 90 } });
      feed(SPO2, [97, 97, ...times(20, missing)]);
      expect(told).toEqual([]);
      feed(SPO2, [missing, missing, 96]);
      expect(short()).toEqual([
        [ALARM_SPO2_MISSING, ALARM_ACTIVE, 23, 2],
        [ALARM_SPO2_MISSING, 0, 25, 2],
      ]);
      expect(told).toMatchObject([
        { value: null, limit: 20, priority: 3 },
        { value: 960, limit: 20 },
      ]);
    }
  });

  test("is not missed before its first value", () => {
    const { feed, told } = board({ spo2: { low: 90 } });
    feed(SPO2, times(100, null));
    expect(told).toEqual([]);
  });

  test("is told beside a limit that was passed before, which stays", () => {
    const { alarms, feed } = board(simple);
    feed(SPO2, [...times(11, 85), ...times(21, null)]);
    expect(alarms.active().map(({ id, state, value }) => [id, state, value])).toEqual([
      [ALARM_SPO2_LOW, ALARM_ACTIVE, 850],
      [ALARM_SPO2_MISSING, ALARM_ACTIVE, null],
    ]);
  });
});

describe("rhythm", () => {
  test("asystole is active at once, from its onset on, and latches after two heart rates", () => {
    const { alarms, feed, told } = board();
    feed(RATE, [71, 72]);
    alarms.rhythm(RHYTHM_ASYSTOLE, 0.5 * S, null);
    expect(told).toEqual([
      { id: 32, priority: 1, state: 1, onset: 0.5 * S, value: 720, limit: null, channel: RATE, at: 2 },
    ]);
    feed(RATE, [null, null]);
    alarms.rhythm(RHYTHM_ASYSTOLE, 0.5 * S, 4.1 * S);
    feed(RATE, [null, 60, null, 60]);
    expect(told).toHaveLength(1);
    feed(RATE, [60]);
    expect(told.slice(1)).toMatchObject([{ id: 32, state: ALARM_LATCHED, value: 600, at: 9 }]);
  });

  test("an electrode that falls off ends no asystole, though the rhythm is told to have ended", () => {
    const { alarms, feed, told } = board();
    alarms.rhythm(RHYTHM_ASYSTOLE, 0, null);
    alarms.rhythm(RHYTHM_ASYSTOLE, 0, 3 * S);
    feed(RATE, times(100, null));
    expect(told).toMatchObject([{ id: 32, state: 1 }]);
  });

  test("fibrillation ends with its rhythm, but after a loss only by 240 s of heart rate without it", () => {
    const ended = (values: (number | null)[]) => {
      const { alarms, feed, told } = board({ rhythm: { fibrillation: { priority: 3, latching: false } } });
      feed(RATE, [110]);
      alarms.rhythm(RHYTHM_FIBRILLATION, S, null);
      alarms.rhythm(RHYTHM_FIBRILLATION, S, 1.5 * S);
      feed(RATE, values);
      return told.slice(1).map(({ state, at }) => [state, at]);
    };
    expect(ended([80, 80])).toEqual([[0, 3]]);
    expect(ended([null, ...times(240, 80)])).toEqual([]);
    expect(ended([null, ...times(241, 80)])).toEqual([[0, 243]]);
    expect(ended([null, ...times(200, 80), null, ...times(240, 80)])).toEqual([]);
  });

  test("a rhythm that is told again while its alarm stands is told no second time", () => {
    const { alarms, feed, told } = board();
    alarms.rhythm(RHYTHM_UNCOUNTABLE, 0, null);
    alarms.rhythm(RHYTHM_UNCOUNTABLE, 0, 3 * S);
    alarms.rhythm(RHYTHM_UNCOUNTABLE, 5 * S, null);
    feed(RATE, [80, 80, 80, 80]);
    expect(told.filter(({ id }) => id === 33)).toHaveLength(1);
  });

  test("each has its id, priority and default; a slow or fast rhythm is the limits' business", () => {
    const { alarms, told } = board();
    for (const state of [RHYTHM_ASYSTOLE, RHYTHM_UNCOUNTABLE, RHYTHM_PAUSE, RHYTHM_FIBRILLATION, RHYTHM_BRADYCARDIA])
      alarms.rhythm(state, 0, null);
    expect(told.map(({ id, priority }) => [id, priority])).toEqual([
      [32, 1],
      [33, 1],
      [34, 2],
      [35, 3],
    ]);
    expect(alarms.active().map(({ id }) => id)).toEqual([32, 33, 34, 35]);
  });

  test("without a heart rate among the vitals there is none", () => {
    const { alarms, told } = board(ADULT_ALARMS, [channels[0]!]);
    alarms.rhythm(RHYTHM_ASYSTOLE, 0, null);
    expect(told).toEqual([]);
  });
});

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

describe("whatever comes", () => {
  const LEGAL = ["01", "04", "10", "12", "13", "14", "20", "21", "24", "30", "40", "41", "42", "43"];
  const reading = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 85, max: 95 }) },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant("silence" as const) },
  );
  // runs, so that delays and blanks are reached
  const signal = fc
    .array(fc.tuple(reading, fc.integer({ min: 1, max: 14 })), { minLength: 1, maxLength: 25 })
    .map((runs) => runs.flatMap(([value, count]) => times(count, value)));
  const act = fc.oneof(
    { weight: 12, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant("acknowledge" as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }) },
  );
  const settings = fc.record({
    delay: fc.integer({ min: 0, max: 12 }),
    latching: fc.boolean(),
    blank: fc.integer({ min: 1, max: 20 }),
    hysteresis: fc.constantFrom(0, 1, 2),
  });

  test("alarms begin by a violation as long as the delay, end by values only, and their states are legal and told once", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(signal, fc.array(act, { minLength: 400, maxLength: 400 }), settings, (values, acts, chosen) => {
        const { alarms, told } = board({ spo2: { low: 90, ...chosen } });
        const states = new Map<number, number>();
        const take = (from: number, step: number, kind: "time" | "act" | "null" | "value") => {
          for (const one of told.slice(from)) {
            const was = states.get(one.id) ?? 0;
            seen.add(`${was}${one.state}`);
            expect(LEGAL).toContain(`${was}${one.state}`);
            states.set(one.id, one.state);
            if (one.id !== ALARM_SPO2_LOW) continue;
            // an end of the condition needs a value at that very second
            if (one.state === ALARM_LATCHED && was === ALARM_ACTIVE) expect(kind).toBe("value");
            if (one.state === 0 && kind !== "act") expect(kind).toBe("value");
            if (one.state === ALARM_ACKNOWLEDGED) expect(kind).toBe("act");
            if (kind === "null") expect([ALARM_ACTIVE, ALARM_PAUSED]).toContain(one.state);
          }
          const on = [...states].filter(([id, state]) => id !== vsp.ALARM_ALL && state !== 0).length;
          expect(alarms.active()).toHaveLength(on);
          return step;
        };
        /** The truth, kept apart: since when no value inside has come, how many were beyond, whether the condition holds. */
        let since: number | null = null;
        let held = false;
        let inside = 0;
        for (let step = 0; step < values.length; step++) {
          const now = (step + 1) * S;
          const value = values[step]!;
          const before = told.length;
          if (value !== "silence") alarms.take(SPO2, value === null ? null : value * 10, value === null ? 2 : 0, now);
          const real = typeof value === "number";
          take(before, step, real ? "value" : "null");
          if (real) {
            inside = value >= 90 + chosen.hysteresis ? inside + 1 : 0;
            if (value >= 90 && !held) since = null;
            if (value < 90 && since === null) since = now;
            const due = since !== null && value < 90 && now - since >= chosen.delay * S;
            if (held && inside >= 2) {
              held = false;
              since = null;
            } else if (!held && due) {
              held = true;
              inside = 0;
              // it has begun now at the latest
              expect(alarms.active().map(({ id }) => id)).toContain(ALARM_SPO2_LOW);
            }
          }
          const middle = told.length;
          alarms.update(now);
          for (const one of told.slice(middle)) {
            if (one.id !== ALARM_SPO2_LOW || states.get(one.id) === ALARM_PAUSED) continue;
            // begun by time: the violation is as old as the delay
            if (one.state === ALARM_ACTIVE) expect(now - one.onset).toBeGreaterThanOrEqual(chosen.delay * S);
          }
          if (told.slice(middle).some(({ id }) => id === ALARM_SPO2_LOW) && !held && since !== null) {
            const begun = alarms.active().find(({ id }) => id === ALARM_SPO2_LOW);
            if (begun?.onset === since && now - since >= chosen.delay * S && begun.state !== ALARM_LATCHED) {
              held = true;
              inside = 0;
            }
          }
          take(middle, step, "time");
          // never without a violation of at least the delay
          for (const one of told.slice(before)) {
            if (one.id !== ALARM_SPO2_LOW || one.state !== ALARM_ACTIVE) continue;
            expect(held).toBe(true);
            expect(now - one.onset).toBeGreaterThanOrEqual(chosen.delay * S);
            const from = one.onset / S - 1;
            expect(values[from]).toBeLessThan(90);
            expect(one.value).toBeLessThan(one.limit!);
          }
          const after = told.length;
          const what = acts[step]!;
          if (what === "acknowledge") alarms.acknowledgeAll(now);
          else if (what !== null) alarms.pause(what, now);
          take(after, step, "act");
          if (!held) expect(states.get(ALARM_SPO2_LOW) ?? 0).not.toBe(ALARM_ACKNOWLEDGED);
          // no pause is longer than it said
          if (told.length > 0) {
            const last = told.findLast(({ id }) => id === vsp.ALARM_ALL);
            if (last?.state === ALARM_PAUSED) expect(now - last.onset).toBeLessThan(last.limit! * S + S);
          }
        }
      }),
      { numRuns: 300 },
    );
    // all of the graph was walked
    expect([...seen].sort()).toEqual(LEGAL);
  });
});
