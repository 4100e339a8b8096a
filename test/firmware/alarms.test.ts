import { describe, expect, test } from "vitest";
import { ADULT_ALARMS, type AlarmSettings } from "../../firmware/alarms.ts";
import {
  RHYTHM_ASYSTOLE,
  RHYTHM_BRADYCARDIA,
  RHYTHM_FIBRILLATION,
  RHYTHM_PAUSE,
  RHYTHM_UNCOUNTABLE,
} from "../../firmware/dsp/rhythm.ts";
import * as vsp from "../../protocol/messages.ts";
import { board, channels, RATE, S, SPO2, simple, times } from "./alarms-board.ts";

const { ALARM_SPO2_LOW, ALARM_SPO2_MISSING, ALARM_ACTIVE, ALARM_LATCHED, ALARM_ACKNOWLEDGED, ALARM_PAUSED } = vsp;

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
