/** The alarms of a board as people read them: what stands, in which order, in which words. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Alarms,
  alarmOf,
  conditionWords,
  eventWords,
  limitSign,
  standingWords,
} from "../../gateway/dashboard/alarms.ts";
import { alarmEpisodes } from "../../gateway/read.ts";
import {
  ALARM_ACKNOWLEDGED,
  ALARM_ACTIVE,
  ALARM_ALL,
  ALARM_HEART_RATE_HIGH,
  ALARM_INACTIVE,
  ALARM_LATCHED,
  ALARM_PAUSED,
  ALARM_RHYTHM_ASYSTOLE,
  ALARM_SPO2_LOW,
  ALARM_SPO2_MISSING,
  type AlarmEvent,
  EVENT_ALARM,
  type EventMessage,
  encodeAlarm,
  MDC_HEART_RATE,
  MDC_SPO2,
  PRIORITY_HIGH,
  PRIORITY_LOW,
  PRIORITY_MEDIUM,
} from "../../protocol/messages.ts";
import { vitalChannel } from "../support/vital-channel.ts";

const spo2 = vitalChannel(5, MDC_SPO2, "%", { minimum: 700 });
const heartRate = vitalChannel(7, MDC_HEART_RATE, "/min");
const define = (id: number) => [spo2, heartRate].find((one) => one.id === id);

const low: AlarmEvent = {
  id: ALARM_SPO2_LOW,
  priority: PRIORITY_HIGH,
  state: ALARM_ACTIVE,
  dt: -12e6,
  value: 820,
  limit: 900,
  channel: 5,
};
const missing = { ...low, id: ALARM_SPO2_MISSING, priority: PRIORITY_LOW, dt: -21e6, value: null, limit: 20 };
const asystole = { ...low, id: ALARM_RHYTHM_ASYSTOLE, dt: -4e6, value: null, limit: null, channel: 7 };
const fast = { ...low, id: ALARM_HEART_RATE_HIGH, priority: PRIORITY_MEDIUM, value: 1391, limit: 1200, channel: 7 };
const pause = { ...missing, id: ALARM_ALL, state: ALARM_PAUSED, dt: 0, limit: 60, channel: null };

const event = (alarm: AlarmEvent, seq = 1, tick = 1000 * seq): EventMessage => ({
  type: "event",
  boot: 1,
  seq,
  tick,
  code: EVENT_ALARM,
  small: encodeAlarm(alarm),
});
const told = (alarm: AlarmEvent, tick = 100_000) => alarmOf(event(alarm, 1, tick), define)!;
const namesOf = (alarms: Alarms) => alarms.standing.map(conditionWords);

describe("what stands", () => {
  test("is what began and is not over, the most urgent first, technical alarms behind all others", () => {
    const alarms = new Alarms();
    expect(alarms.standing).toEqual([]);
    for (const [i, one] of [missing, fast, low, { ...asystole, state: ALARM_LATCHED }].entries())
      alarms.take(event(one, i), define);
    expect(namesOf(alarms)).toEqual([
      "SpO2 below 90 %",
      "asystole",
      "heart rate above 120 /min",
      "SpO2 not measured for 20 s",
    ]);
    alarms.take(event({ ...low, state: ALARM_INACTIVE, value: 940 }, 9), define);
    alarms.take(event({ ...missing, priority: PRIORITY_HIGH }, 10), define);
    expect(namesOf(alarms)).toEqual(["asystole", "heart rate above 120 /min", "SpO2 not measured for 20 s"]);
  });

  test("two channels have an alarm of the same id each", () => {
    const alarms = new Alarms();
    alarms.take(event(low, 1), define);
    alarms.take(event({ ...low, channel: 6 }, 2), define);
    alarms.take(event({ ...low, state: ALARM_INACTIVE }, 3), define);
    expect(alarms.standing.map((one) => one.channel)).toEqual([6]);
  });

  test("in whatever order events arrive, and however often, the newest of each alarm counts", () => {
    const step = fc.record({
      base: fc.constantFrom(low, fast, missing, asystole),
      state: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.nat()), (steps, random) => {
        const events = steps.map(({ base, state }, seq) => event({ ...base, state }, seq));
        const shuffled = [...events, ...events].sort(() => (random.next().value % 2 === 0 ? 1 : -1));
        const alarms = new Alarms();
        for (const one of shuffled) alarms.take(one, define);
        const newest = new Map(steps.map(({ base, state }) => [base.id, state]));
        const expected = [...newest].filter(([, state]) => state !== ALARM_INACTIVE).map(([id]) => id);
        expect(alarms.standing.map(({ id }) => id).sort()).toEqual(expected.sort());
      }),
    );
  });

  test("a change tells what was before, and what is no alarm changes nothing", () => {
    const alarms = new Alarms();
    expect(alarms.take(event(low, 1), define)).toMatchObject({
      before: ALARM_INACTIVE,
      alarm: { state: ALARM_ACTIVE },
    });
    expect(alarms.take(event({ ...low, state: ALARM_LATCHED }, 2), define)).toMatchObject({ before: ALARM_ACTIVE });
    expect(alarms.take(event(low, 1), define)).toBe(null);
    expect(alarms.take({ ...event(low, 3), code: 7 }, define)).toBe(null);
    expect(alarms.take({ ...event(low, 3), small: [1, 2, 3] }, define)).toBe(null);
  });

  test("a pause of all alarms is told apart from them, until it ends", () => {
    const alarms = new Alarms();
    alarms.take(event({ ...low, state: ALARM_PAUSED }, 1), define);
    alarms.take(event(pause, 2), define);
    expect(alarms.pause).toMatchObject({ limit: 60 });
    expect(alarms.standing.length).toBe(1);
    alarms.take(event({ ...pause, state: ALARM_INACTIVE }, 3), define);
    expect(alarms.pause).toBe(null);
  });
});

describe("an event in words", () => {
  test.each([
    [low, "ALARM high: SpO2 82.0 % below 90 (since 12 s)"],
    [fast, "ALARM medium: heart rate 139.1 /min above 120 (since 12 s)"],
    [asystole, "ALARM high: asystole (since 4.0 s)"],
    [missing, "ALARM low: SpO2 not measured for 20 s (since 21 s)"],
    [{ ...low, value: 650 }, "ALARM high: SpO2 < 70 % below 90 (since 12 s)"],
    [{ ...low, state: ALARM_LATCHED, value: 931 }, "alarm latched, high: SpO2 low, now 93.1 % (after 12 s)"],
    [{ ...low, state: ALARM_INACTIVE, value: 931 }, "alarm ended: SpO2 low, now 93.1 % (after 12 s)"],
    [{ ...low, state: ALARM_ACKNOWLEDGED }, "alarm acknowledged, high: SpO2 82.0 % below 90 (since 12 s)"],
    [{ ...low, state: ALARM_PAUSED }, "alarm paused, high: SpO2 82.0 % below 90 (since 12 s)"],
    [pause, "alarms paused for 60 s"],
    [{ ...pause, state: ALARM_INACTIVE }, "alarms are no longer paused"],
  ])("%j", (alarm, words) => {
    expect(eventWords(told(alarm))).toBe(words);
  });

  test("without a birth there are no numbers, for nobody knows what they mean", () => {
    const unborn = alarmOf(event(low), () => undefined)!;
    expect(eventWords(unborn)).toBe("ALARM high: SpO2 low (since 12 s)");
    expect(standingWords(unborn, 820, unborn.time)).toBe("SpO2 low since 12 s");
    expect(limitSign(unborn)).toBe("");
  });
});

describe("a standing alarm in short", () => {
  const now = 102e6;
  test("has the value that is beyond its limit, and since when", () => {
    expect(standingWords(told(low), 820, now)).toBe("SpO2 82.0 < 90 % since 14 s");
    expect(standingWords(told(fast), 1391, now)).toBe("heart rate 139.1 > 120 /min since 14 s");
    expect(limitSign(told(low))).toBe("< 90");
    expect(limitSign(told(asystole))).toBe("");
  });

  test("stands with the limit alone where there is no value, where it is back, and where it is too low to be told", () => {
    expect(standingWords(told(low), null, now)).toBe("SpO2 -- %, low limit 90, since 14 s");
    expect(standingWords(told(low), 905, now)).toBe("SpO2 90.5 %, low limit 90, since 14 s");
    expect(standingWords(told(low), 655, now)).toBe("SpO2 < 70 %, low limit 90, since 14 s");
  });

  test("says its state in a word where that is asked for", () => {
    const latched = told({ ...low, state: ALARM_LATCHED });
    expect(standingWords(latched, 950, now)).toBe("SpO2 95.0 %, low limit 90, since 14 s, latched");
    expect(standingWords(latched, 950, now, false)).toBe("SpO2 95.0 %, low limit 90, since 14 s");
    expect(standingWords(told({ ...asystole, state: ALARM_ACKNOWLEDGED }), 600, now)).toBe(
      "asystole since 6.0 s, acknowledged",
    );
  });
});

test("in a document an alarm is one entry from its beginning to its end, in the channel's unit, and begins anew after it", () => {
  const events = [
    event(low, 1, 100_000),
    event({ ...missing, dt: -20e6 }, 2, 105_000),
    event({ ...low, state: ALARM_LATCHED, value: 931, dt: -32e6 }, 3, 120_000),
    event({ ...low, state: ALARM_INACTIVE, value: 931, dt: -52e6 }, 4, 140_000),
    event({ ...low, value: 844, dt: -10e6 }, 5, 200_000),
    { ...event(low, 6), code: 7 },
  ];
  const channels = new Map([[5, { definition: spo2, blocks: [], values: [] }]]);
  expect(alarmEpisodes({ events, channels })).toEqual([
    {
      ...{ id: ALARM_SPO2_LOW, name: "SpO2 low", priority: "high", onset: 88, value: 82, limit: 90 },
      states: [
        { state: "active", time: 100 },
        { state: "latched", time: 120 },
        { state: "inactive", time: 140 },
      ],
    },
    {
      ...{ id: ALARM_SPO2_MISSING, name: "SpO2 not measured", priority: "low", onset: 85, value: null, limit: 20 },
      states: [{ state: "active", time: 105 }],
    },
    {
      ...{ id: ALARM_SPO2_LOW, name: "SpO2 low", priority: "high", onset: 190, value: 84.4, limit: 90 },
      states: [{ state: "active", time: 200 }],
    },
  ]);
});
