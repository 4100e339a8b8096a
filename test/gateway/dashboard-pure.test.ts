/** The page's parts that need no browser: decimals, words, schedule, pen, windows, boards. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Board } from "../../gateway/dashboard/board.ts";
import { MAX_MARGIN, Pen, Schedule } from "../../gateway/dashboard/playout.ts";
import { claimText, exactDecimal, labelOf, roundDecimal, VITALS } from "../../gateway/dashboard/scales.ts";
import { endOf, joins, Wave } from "../../gateway/dashboard/wave.ts";
import { bandWords, flagWords, spanWords } from "../../gateway/dashboard/words.ts";
import { kidText } from "../../protocol/keys.ts";
import {
  ALL_FLAGS,
  type BirthMessage,
  type ChannelDefinition,
  type DataMessage,
  EVENT_ALARM,
  encodeAlarm,
  encodeMessage,
  MDC_SPO2,
  MDC_TEMP_FINGER,
  MDC_TEMPERATURE,
  type Message,
  makeQual,
} from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { createTestDevice } from "../support/gateway.ts";

const heartRate: ChannelDefinition = {
  id: 1,
  mdc: VITALS[0].mdc,
  rateMilliHz: 0,
  bits: 13,
  offset: 0,
  mul: 1,
  exp10: -1,
  ucum: "/min",
  attributes: { processing: 2 },
};

describe("decimals", () => {
  test("a decimal is exact: scaled back it is the integer it came from", () => {
    const integer = fc.integer({ min: -(2 ** 31), max: 2 ** 31 });
    const scale = fc.record({
      offset: integer,
      mul: fc.integer({ min: -1e6, max: 1e6 }),
      exp10: fc.integer({ min: -12, max: 3 }),
    });
    fc.assert(
      fc.property(integer, scale, (raw, { offset, mul, exp10 }) => {
        const text = exactDecimal({ ...heartRate, offset, mul, exp10 }, raw);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        const digits = BigInt(text.replace(".", ""));
        expect(digits).toBe((BigInt(raw) + BigInt(offset)) * BigInt(mul) * 10n ** BigInt(Math.max(0, exp10)));
        expect(text.split(".")[1]?.length ?? 0).toBe(Math.max(0, -exp10));
      }),
    );
  });

  test("rounding is half away from zero and never wrong by more than half a digit", () => {
    expect(roundDecimal("36.6171875", 2)).toBe("36.62");
    expect(roundDecimal("-0.125", 2)).toBe("-0.13");
    expect(roundDecimal("99.95", 1)).toBe("100.0");
    expect(roundDecimal("-0.001", 2)).toBe("0.00");
    expect(roundDecimal("72.4", 1)).toBe("72.4");
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 4 }), (raw, decimals) => {
        const exact = exactDecimal({ ...heartRate, exp10: -5 }, raw);
        const rounded = roundDecimal(exact, decimals);
        expect(Math.abs(Number(rounded) - Number(exact))).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
      }),
    );
  });
});

describe("words", () => {
  test("every flag has a word of its own, and none is lost", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: ALL_FLAGS }), (flags) => {
        const words = flagWords(flags);
        expect(new Set(words).size).toBe(flags.toString(2).replaceAll("0", "").length);
      }),
    );
    expect(flagWords(2 + 8, "finger")).toEqual(["no finger", "motion"]);
    expect(flagWords(2)).toEqual(["sensor off"]);
  });

  test("lead off, sensor off, a bus fault and saturation have no line; settling and a test signal have", () => {
    expect([4, 2, 64, 32, 1, 128].map((flags) => bandWords(flags))).toEqual([
      "LEAD OFF",
      "SENSOR OFF",
      "SENSOR FAULT",
      "SATURATED",
      null,
      null,
    ]);
  });

  test("a span is told in the unit that a person uses", () => {
    expect([-5, 2400, 9960, 38_000, 300_000, 8e6, 2e8].map(spanWords)).toEqual([
      "0.0 s",
      "2.4 s",
      "10 s",
      "38 s",
      "5 min",
      "2 h",
      "2 d",
    ]);
  });
});

/** Messages of 1 s each; `jitter`: how late each one is, ms. Moves the pen in frames; calls `see` at each arrival. */
function play(
  jitter: readonly number[],
  see: (left: number, drawnAtOnce: boolean, schedule: Schedule, i: number) => void,
  frame = 16,
) {
  const schedule = new Schedule();
  const pen = new Pen();
  let now = 0;
  let newest = 0;
  let before = Number.NEGATIVE_INFINITY;
  jitter.forEach((late, i) => {
    const arrival = 1000 * (i + 1) + 40 + late;
    for (; now < arrival; now += frame) {
      if (pen.at === null) continue;
      const at = pen.move(now);
      if (at < before || at > newest)
        throw new Error(`at ${now} ms the pen went from ${before} to ${at}, newest ${newest}`);
      before = at;
    }
    const tick = 1000 * (i + 1);
    const left = pen.at === null ? 0 : newest - pen.at;
    schedule.arrived(tick, arrival);
    const first = (tick - 1000) * 1000 + 4000;
    newest = tick * 1000;
    pen.extend(first, newest, arrival, schedule.due(arrival));
    see(left / 1000, pen.at! >= first, schedule, i);
  });
}

describe("play-out", () => {
  test("with a few milliseconds of jitter every first sample is drawn at its arrival, and the pen waits for less than two frames", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 20, maxLength: 40 }), (jitter) => {
        play(jitter, (left, atOnce, { margin }) => {
          expect({ atOnce, left: left < 30 + 16, margin: margin <= 6 }).toEqual({
            atOnce: true,
            left: true,
            margin: true,
          });
        });
      }),
    );
  });

  test("frames that come seldom hold no first sample back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 20, maxLength: 40 }), (jitter) => {
        play(jitter, (_left, atOnce) => expect(atOnce).toBe(true), 41);
      }),
    );
  });

  test("the margin follows the jitter, and never beyond its bound", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 5, maxLength: 60 }), (jitter) => {
        play(jitter, (_left, _atOnce, { margin }) => {
          expect(margin >= 0 && margin <= MAX_MARGIN).toBe(true);
        });
      }),
    );
    let last = 0;
    play(
      Array.from({ length: 40 }, (_, i) => (i % 2) * 120),
      (_left, _atOnce, { margin }) => {
        last = margin;
      },
    );
    expect(last).toBe(120);
  });

  test("after a stall the pen has caught up within two messages", () => {
    const jitter = Array.from({ length: 30 }, (_, i) => (i === 12 ? 700 : i % 3));
    play(jitter, (_left, atOnce, _schedule, i) => {
      if (i >= 14) expect(atOnce, `message ${i}`).toBe(true);
    });
  });

  test("the period is the median spacing of the ticks", () => {
    const schedule = new Schedule();
    expect(schedule.period).toBe(1000);
    for (const tick of [100, 600, 1100, 5000, 5500, 6000]) schedule.arrived(tick, tick);
    expect(schedule.period).toBe(500);
  });

  test("what comes later than ever is known as late, however slowly clocks drift", () => {
    const schedule = new Schedule();
    for (let i = 0; i < 4000; i++) schedule.arrived(1000 * i, 1000 * i * 1.00003);
    expect(schedule.late).toBeLessThan(1);
    schedule.arrived(4_000_000, 4_000_000 * 1.00003 + 20_000);
    expect(schedule.late).toBeGreaterThan(19_000);
  });
});

const ecg = createTestDevice("page").birth().channels[0];
const block = (idx: number, n = 256, seg = 0) => ({
  seq: 1 + idx / 256,
  seg,
  idx,
  time: 1e6 * seg + (idx * 1e6) / 256,
  samples: new Int32Array(n).fill(5),
  flags: 0,
});

describe("windows", () => {
  test("blocks in any order end up in the order of the board's clock, each once", () => {
    const places = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 1 });
    fc.assert(
      fc.property(places, (order) => {
        const wave = new Wave(ecg);
        let newest = -1;
        for (const k of order) {
          expect(wave.add(block(256 * k))).toBe(k > newest ? "new" : "backfill");
          expect(wave.add(block(256 * k))).toBe("known");
          newest = Math.max(newest, k);
        }
        expect(wave.stretches.map(({ idx }) => idx)).toEqual([...order].sort((a, b) => a - b).map((k) => 256 * k));
        // A line leads from one to the next only where nothing is missing.
        wave.stretches.forEach((one, i) => {
          expect(joins(wave.stretches[i - 1], one)).toBe(i > 0 && one.idx - wave.stretches[i - 1].idx === 256);
        });
      }),
    );
  });

  test("a new segment joins nothing", () => {
    const wave = new Wave(ecg);
    wave.add(block(0));
    wave.add(block(256, 256, 1));
    expect(joins(wave.stretches[0], wave.stretches[1])).toBe(false);
  });

  test("what is older than any screen is forgotten", () => {
    const wave = new Wave(ecg);
    // What is forgotten meanwhile makes nothing a backfill.
    for (let k = 0; k < 100; k++) expect(wave.add(block(256 * k))).toBe("new");
    expect(endOf(wave.stretches.at(-1)!) - wave.stretches[0].time).toBeLessThan(47e6);
    expect(wave.add(block(0))).toBe("known");
  });
});

const device = createTestDevice("board");
const birth: BirthMessage = { ...device.birth(), channels: [ecg, heartRate] };
const message = (seq: number, value: number | null, flags: number, tick = 1000 * seq): DataMessage => ({
  type: "data",
  boot: 1,
  seq,
  tick,
  cfg: 1,
  channels: [
    {
      kind: "wave",
      id: 0,
      seg: 0,
      idx: 3 * (seq - 1),
      dt: -1000,
      codec: 1,
      n: 3,
      bytes: encodeSamples(1, Int32Array.of(1, 2, 3), 0, 3),
      qual: null,
    },
    { kind: "num", id: 1, dt: 0, value, qual: flags === 0 ? null : makeQual(null, flags) },
  ],
});
const arrival = (at: number) => ({ at, live: true });
const take = (board: Board, one: Message, when: ReturnType<typeof arrival>) =>
  board.take(one, encodeMessage(one), { mode: "S", by: "device", gateway: null }, when);
const bornBoard = () => {
  const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
  take(board, birth, arrival(0));
  return board;
};
const HR = heartRate.mdc;

describe("boards", () => {
  test("a board waits for its birth, lives with its data, and is stopped before two periods are over", () => {
    const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    expect(board.state(0, true)).toBe("waiting");
    take(board, birth, arrival(0));
    expect(board.state(0, true)).toBe("waiting");
    for (let seq = 1; seq < 5; seq++) take(board, message(seq, 720, 0), arrival(1000 * seq));
    expect(board.state(4000, true)).toBe("live");
    expect(board.state(5500, true)).toBe("live");
    expect(board.state(6000, true)).toBe("stopped");
    expect(board.state(4000, false)).toBe("lost");
  });

  test("a number is the newest one, null is none with its reasons, and neither is told of a board that is silent", () => {
    const board = bornBoard();
    take(board, message(1, 724, 0), arrival(1000));
    expect(board.shown(HR, 1000, "live")).toEqual({ value: "72.4", text: "72.4", words: [] });
    take(board, message(2, 731, 1), arrival(2000));
    expect(board.shown(HR, 2000, "live")).toEqual({ value: "73.1", text: "73.1", words: ["settling"] });
    take(board, message(3, null, 4), arrival(3000));
    expect(board.shown(HR, 3000, "live")).toEqual({ value: null, text: "--", words: ["lead off"] });
    take(board, message(4, 700, 0), arrival(4000));
    expect(board.shown(HR, 7400, "stopped")).toEqual({ value: null, text: "--", words: ["no data for 3 s"] });
    // The board goes on, but this vital does not.
    expect(board.shown(HR, 7400, "live")).toEqual({ value: null, text: "--", words: ["no data for 3 s"] });
  });

  test("an older value that comes later replaces nothing, and no message counts twice", () => {
    const board = bornBoard();
    take(board, message(5, 800, 0), arrival(5000));
    const late = take(board, message(3, 600, 0), arrival(5100));
    expect(late).toMatchObject({ backfill: true, spans: [] });
    expect(board.shown(HR, 5100, "live").value).toBe("80.0");
    expect(board.heardAt).toBe(5000);
    expect(take(board, message(5, 800, 0), arrival(5200)).spans).toEqual([]);
    expect(board.failed).toBe(0);
    // Another payload in its place is none of one device.
    take(board, message(5, 900, 0), arrival(5200));
    expect(board.evidence.counts.signed).toBe(3);
    expect([...board.failures]).toEqual([["another payload", 1]]);
    expect(board.shown(HR, 5200, "live").value).toBe("80.0");
  });

  test("a board whose messages come ever later is late, never live", () => {
    const board = bornBoard();
    for (let seq = 1; seq < 8; seq++) take(board, message(seq, 700, 0), arrival(1000 * seq));
    for (let seq = 8; seq < 12; seq++) take(board, message(seq, 700, 0), arrival(1000 * seq + 12_000));
    expect(board.state(23_100, true)).toBe("late");
    expect(board.shown(HR, 23_100, "late").value).toBe(null);
  });

  test("a new boot forgets what the earlier one told; what the earlier one sends afterwards changes nothing", () => {
    const board = bornBoard();
    take(board, message(1, 724, 0), arrival(1000));
    const reborn = take(board, { ...birth, boot: 2, claims: { ...birth.claims, bootcount: 2 } }, arrival(2000));
    expect(reborn.reborn).toBe(true);
    expect(board.shown(HR, 2000, "live")).toEqual({ value: null, text: "--", words: ["no value yet"] });
    take(board, message(2, 731, 0), arrival(2100));
    expect(board.vitals.size).toBe(0);
  });

  test("a quality below 50 is a poor signal; an unknown one is not", () => {
    const board = bornBoard();
    const [, vital] = message(1, 720, 0).channels;
    const hear = (seq: number, qual: number | null) =>
      take(board, { ...message(seq, 720, 0), channels: [{ ...vital, qual }] }, arrival(1000 * seq));
    const wordsAfter = (seq: number, qual: number | null) => {
      hear(seq, qual);
      return board.shown(HR, 1000 * seq, "live").words;
    };
    expect(wordsAfter(1, makeQual(49, 0))).toEqual(["poor signal"]);
    expect(wordsAfter(2, makeQual(50, 0))).toEqual([]);
    expect(wordsAfter(3, makeQual(null, 1))).toEqual(["settling"]);
    expect(wordsAfter(4, makeQual(20, 1))).toEqual(["settling", "poor signal"]);
  });

  test("below what its channel claims a vital is shown as less than that; the exact number stays in the data", () => {
    const spo2: ChannelDefinition = {
      ...heartRate,
      mdc: MDC_SPO2,
      ucum: "%",
      attributes: { minimum: 700, maximum: 1000 },
    };
    expect([699, 700, 974, 1001].map((raw) => claimText(spo2, raw, 1))).toEqual(["< 70", "70.0", "97.4", "> 100"]);
    const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    take(board, { ...birth, channels: [ecg, spo2] }, arrival(0));
    take(board, message(1, 655, 0), arrival(1000));
    expect(board.shown(MDC_SPO2, 1000, "live")).toEqual({ value: "65.5", text: "< 70", words: [] });
  });

  test("a temperature is the derived one, with its site; a prediction is none", () => {
    const thermometer = (id: number, attributes: ChannelDefinition["attributes"]): ChannelDefinition => ({
      ...heartRate,
      id,
      mdc: MDC_TEMPERATURE,
      ucum: "Cel",
      attributes,
    });
    const channels = [
      thermometer(1, { processing: 0, site: "axilla" }),
      thermometer(2, { processing: 2, site: "axilla" }),
      thermometer(3, { processing: 2, site: "axilla", role: "predicted" }),
    ];
    const board = new Board(kidText(device.kid), device.signer.publicKey, "TEST-ONLY");
    take(board, { ...birth, channels }, arrival(0));
    const values = [361, 365, 372].map((value, i) => ({ kind: "num" as const, id: i + 1, dt: 0, value, qual: null }));
    take(board, { ...message(1, 0, 0), channels: values }, arrival(1000));
    expect(board.shown(MDC_TEMPERATURE, 1000, "live").value).toBe("36.5");
    const kind = VITALS.find(({ mdc }) => mdc === MDC_TEMPERATURE)!;
    expect(labelOf(kind, board.channelOf(MDC_TEMPERATURE))).toBe("Temp, axilla");
    expect(labelOf(kind, { ...channels[1], mdc: MDC_TEMP_FINGER, attributes: { site: "finger" } })).toBe(
      "Skin, finger",
    );
    expect(labelOf(kind, { ...channels[1], attributes: {} })).toBe("Temp");
    take(board, { ...birth, seq: 9, cfg: 2, channels: [channels[2]] }, arrival(2000));
    expect(board.shown(MDC_TEMPERATURE, 2000, "live").words).toEqual(["not measured"]);
  });

  test("an alarm stands though its vital is null or silent, in a reading anew too, and ends with the boot", () => {
    const board = bornBoard();
    const small = encodeAlarm({ id: 3, priority: 2, state: 1, dt: -3e6, value: 380, limit: 500, channel: 1 });
    const alarm = { type: "event" as const, boot: 1, seq: 2, tick: 2000, code: EVENT_ALARM, small };
    take(board, message(1, 380, 0), arrival(1000));
    take(board, alarm, arrival(2000));
    const words = () => board.alarmOf(HR)?.limit;
    expect(words()).toBe(500);
    take(board, message(3, null, 4), arrival(3000));
    expect(words()).toBe(500);
    expect(board.state(60_000, true)).toBe("stopped");
    expect(words()).toBe(500);
    expect(board.boardTime(60_000)).toBe(60e6);
    expect(board.alarmOf(MDC_SPO2)).toBe(undefined);
    take(board, { ...birth, boot: 2, claims: { ...birth.claims, bootcount: 2 } }, arrival(61_000));
    expect(words()).toBe(undefined);
  });

  test("data of a configuration without a birth are counted and not shown", () => {
    const board = bornBoard();
    take(board, { ...message(1, 720, 0), cfg: 9 }, arrival(1000));
    expect(board.failures.get("data before their birth")).toBe(1);
    expect(board.vitals.size).toBe(0);
  });
});
