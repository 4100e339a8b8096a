/** A soak in small, and a judge that is given records in which something is wrong. */

import { beforeAll, describe, expect, test } from "vitest";
import { FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { MDC_HEART_RATE, type Message, makeQual, type Num, type Wave } from "../../protocol/messages.ts";
import { decodeSamples, encodeSamples } from "../../protocol/samples.ts";
import { type FaultEntry, planFaults } from "../../simulator/faults.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createJudge, type JudgeReport } from "../../simulator/soak/judge.ts";
import { PER_HOUR, soakPlan } from "../../simulator/soak/plan.ts";
import { createTruth } from "../../simulator/soak/truth.ts";
import { createVitalJudge, type VitalName } from "../../simulator/soak/vitals.ts";
import { runBoard, type SoakBoard } from "../../tools/soak/board.ts";
import { reportOf } from "../../tools/soak/report.ts";
import { tableOf } from "../../tools/soak/table.ts";

const SECOND = 1e6;

describe("five minutes of two boards with a fault every twelve seconds", () => {
  const options = { seed: 3, seconds: 300, perHour: 300 };
  let boards: SoakBoard[];
  beforeAll(() => {
    boards = [0, 1].map((board) => runBoard({ ...options, board }));
  }, 60_000);

  test("every sample is the converter's, at its index, once; every loss is declared, and every sensor is back within 5 s", () => {
    const report = reportOf(boards.map((one) => one.report));
    for (const { wrong, misplaced, silent, duplicates, stored } of report.channels) {
      expect([wrong, misplaced, silent, duplicates]).toEqual([0, 0, 0, 0]);
      expect(stored).toBeGreaterThan(400);
    }
    expect([report.lateRecoveries, report.messages.missing]).toEqual([0, 0]);
    const recoveries = report.kinds.map(({ recovery }) => recovery?.count ?? 0);
    expect(recoveries.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(25);
    for (const { unheard } of report.vitals) expect(unheard).toBe(0);
    for (const { channel, falseGood, late } of report.channels) {
      if (channel === "temperature") continue;
      expect(falseGood, channel).toBe(0);
      expect(late, channel).toBeGreaterThan(0);
    }
  });

  test("the table says what is not met", () => {
    const reports = boards.map((one) => one.report);
    const text = tableOf(reports, reportOf(reports), { seed: 3, seconds: 1 });
    expect(text).toContain("2 boards, 0.08 h of virtual time each, seed 3");
    expect(text.includes("NOT MET")).toBe(reportOf(reports).failures.length > 0);
  });
});

test("the same seed gives the same bytes, another one others", () => {
  const hashOf = (seed: number) => runBoard({ seed, board: 2, seconds: 90, perHour: 900 }).report.hash;
  expect(hashOf(1)).toBe(hashOf(1));
  expect(hashOf(2)).not.toBe(hashOf(1));
}, 30_000);

test("losses that a chip can count are declared by idx alone, to the sample", () => {
  const plan = planFaults(
    Array.from({ length: 10 }, (_, i) => ({ kind: "fifo-overflow", chip: "max30102", at: 6 + 4.013 * i, for: 0.45 })),
  );
  const segments = new Set<number>();
  const { report } = runBoard({
    seed: 1,
    board: 0,
    seconds: 60,
    perHour: 1,
    plan,
    onMessage(message) {
      if (message.type !== "data") return;
      for (const one of message.channels) if (one.kind === "wave" && one.id === 1) segments.add(one.seg);
    },
  });
  const { declared, wrong, misplaced, silent, duplicates } = report.waves[1];
  expect([wrong, misplaced, silent, duplicates]).toEqual([0, 0, 0, 0]);
  expect(declared).toBeGreaterThan(50);
  expect(segments.size).toBe(1);
}, 20_000);

describe("the plan of a day", () => {
  const plan = (board: number) => soakPlan({ seed: 1, board, seconds: 86_400, perHour: PER_HOUR, serial: board === 0 });

  test("every kind that these boards can have comes at least twice an hour, on every chip that can have it", () => {
    const counts = new Map<string, number>();
    const all = plan(0);
    for (const fault of all) {
      const key = `${fault.kind} ${"chip" in fault ? fault.chip : ""}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    counts.delete("oscillator max30102");
    expect(counts.size).toBe(34);
    for (const [key, count] of counts) expect(count, key).toBeGreaterThan(48);
    expect(all.length).toBeLessThan(24 * 150);
    expect(JSON.stringify(plan(0))).toBe(JSON.stringify(all));
    expect(plan(1).some(({ kind }) => kind === "broker-gone")).toBe(true);
  });

  test("two faults of a kind, or of what one chip measures, never meet", () => {
    const { spans } = createTruth(createPatient({ seed: 1, index: 1 }), plan(1));
    let meetings = 0;
    spans.forEach((one, i) => {
      for (const other of spans.slice(i + 1, i + 20)) {
        if (other.from >= one.to) continue;
        meetings++;
        expect(other.kind).not.toBe(one.kind);
      }
    });
    expect(meetings).toBeGreaterThan(100);
    expect(meetings).toBeLessThan(spans.length / 3);
  });
});

describe("the judge of a record", () => {
  const faults: FaultEntry[] = [
    { kind: "lead-off", chip: "max30003", at: 40, for: 10 },
    { kind: "unplugged", chip: "max30102", at: 70, for: 3 },
    { kind: "fifo-overflow", chip: "max30003", at: 90, for: 2 },
    { kind: "stuck-value", chip: "max30003", at: 110, for: 2.9 },
  ];
  const seconds = 130;
  let board: SoakBoard;
  const record: Message[] = [];
  beforeAll(() => {
    const plan = planFaults(faults);
    board = runBoard({ seed: 5, board: 1, seconds, perHour: 1, plan, onMessage: (message) => record.push(message) });
  }, 30_000);

  /** What it says of a record of which `change` made something else. */
  const judged = (change: (messages: Message[]) => Message[]): JudgeReport => {
    const judge = createJudge(board.truth);
    for (const message of change(record)) judge.take(message);
    return judge.end(seconds * SECOND, board.report.sealed);
  };
  /** Every block of a channel, with its board time, s, changed; null: it is not there. */
  const waves = (ids: readonly number[], change: (wave: Wave, time: number) => Wave | null) => (messages: Message[]) =>
    messages.map((message): Message => {
      if (message.type !== "data") return message;
      const channels = message.channels.flatMap((one) => {
        if (one.kind !== "wave" || !ids.includes(one.id)) return [one];
        const changed = change(one, message.tick / 1000 + one.dt / SECOND);
        return changed === null ? [] : [changed];
      });
      return { ...message, channels };
    });
  const samplesOf = ({ codec, bytes, n }: Wave) => decodeSamples(codec, bytes, n);
  const withSamples = (wave: Wave, samples: Int32Array): Wave => ({
    ...wave,
    codec: 0,
    n: samples.length,
    bytes: encodeSamples(0, samples, 0, samples.length),
  });
  const ecgOf = ({ waves }: JudgeReport) => waves.find(({ channel }) => channel === "ecg")!;
  const heartOf = ({ vitals }: JudgeReport) => vitals.find(({ vital }) => vital === "heartRate")!;
  const RED = 0;
  const INFRARED = 1;
  const ECG = 2;

  test("finds nothing wrong in the record as it is", () => {
    const { waves, vitals, recovery, missing, findings } = judged((messages) => messages);
    for (const { wrong, misplaced, silent, duplicates, falseGood } of waves)
      expect([wrong, misplaced, silent, duplicates, falseGood]).toEqual([0, 0, 0, 0, {}]);
    for (const { falseGood } of vitals) expect(falseGood).toEqual({ wrong: 0, absent: 0, unheard: 0 });
    expect([recovery.late, missing, findings]).toEqual([0, 0, []]);
    expect(heartOf(judged((messages) => messages)).good).toBeGreaterThan(80);
    expect(ecgOf(judged((messages) => messages)).declared).toBeGreaterThan(100);
  });

  test("counts a heart rate that is kept after the electrodes came off", () => {
    const id = (record.find(({ type }) => type === "birth") as Extract<Message, { type: "birth" }>).channels.find(
      ({ mdc }) => mdc === MDC_HEART_RATE,
    )!.id;
    let last: number | null = null;
    const kept = (messages: Message[]) =>
      messages.map((message): Message => {
        if (message.type !== "data") return message;
        const channels = message.channels.map((one): Wave | Num => {
          if (one.kind !== "num" || one.id !== id) return one;
          last = one.value ?? last;
          return { ...one, value: last, qual: last === null ? one.qual : makeQual(null, 0) };
        });
        return { ...message, channels };
      });
    const { falseGood } = heartOf(judged(kept));
    // 10 s without electrodes, of which the first three are those of a value that may still be told
    expect(falseGood.absent).toBeGreaterThanOrEqual(6);
    expect(falseGood.absent).toBeLessThanOrEqual(8);
    expect(judged(kept).findings.some(({ what, why }) => what === "heartRate" && why === "absent")).toBe(true);
  });

  test("counts a value whose chip has given nothing for longer than it may be old", () => {
    const { falseGood } = heartOf(judged(waves([ECG], (wave, time) => (time > 100 ? null : wave))));
    expect(falseGood.unheard).toBeGreaterThan(20);
  });

  test("counts a heart rate that is not the patient's", () => {
    const { truth } = board;
    const other = createTruth(createPatient({ seed: 8, index: 1 }), board.plan);
    expect(Math.abs(other.patient.truth.heartRate - truth.patient.truth.heartRate)).toBeGreaterThan(12);
    const judge = createJudge({ ...truth, beats: other.beats });
    for (const message of record) judge.take(message);
    const heart = heartOf(judge.end(seconds * SECOND, board.report.sealed));
    expect(heart.falseGood.wrong).toBe(heart.good);
  });

  test("counts one sample that was changed", () => {
    let isDone = false;
    const changed = waves([ECG], (wave, time) => {
      if (isDone || time < 60) return wave;
      isDone = true;
      const samples = samplesOf(wave);
      samples[7]++;
      return withSamples(wave, samples);
    });
    const { wrong, misplaced, silent } = ecgOf(judged(changed));
    expect([wrong, misplaced, silent]).toEqual([1, 0, 0]);
  });

  test("counts a gap that idx does not show, and one that it does is declared", () => {
    const dropped = (isHidden: boolean) => {
      let isDone = false;
      return waves([ECG], (wave, time) => {
        if (time < 60 || time > 80) return wave;
        if (isDone) return isHidden ? { ...wave, idx: wave.idx - 20 } : wave;
        isDone = true;
        return withSamples(wave, samplesOf(wave).subarray(0, wave.n - 20));
      });
    };
    const before = ecgOf(judged((messages) => messages)).declared;
    expect(ecgOf(judged(dropped(true))).silent).toBe(20);
    const declared = ecgOf(judged(dropped(false)));
    expect([declared.silent, declared.declared - before, declared.wrong]).toEqual([0, 20, 0]);
  });

  test("counts samples that are stored twice, and messages that are not there", () => {
    const twice = (messages: Message[]) =>
      messages.map((message): Message => {
        if (message.type !== "data" || message.tick < 60_000 || message.tick > 61_000) return message;
        const again = message.channels.filter((one) => one.kind === "wave" && one.id === ECG);
        return { ...message, channels: [...message.channels, ...again] };
      });
    expect(ecgOf(judged(twice)).duplicates).toBeGreaterThan(200);
    const gone = record.find((message) => message.type === "data" && message.tick > 60_000);
    expect(judged((messages) => messages.filter((message) => message !== gone)).missing).toBe(1);
  });

  test("counts samples without electrodes that have no flag", () => {
    const ecg = ecgOf(judged(waves([ECG], (wave) => ({ ...wave, qual: null }))));
    expect(ecg.falseGood["lead-off"]).toBe(9 * 256);
    expect(ecg.late["lead-off"]).toBe(256);
    // a stuck one is due two seconds after it has begun to give one code
    expect(ecg.late["stuck-value"]).toBeGreaterThan(1.8 * 256);
    expect(ecg.falseGood["stuck-value"]).toBeGreaterThan(0.5 * 256);
    expect(ecg.falseGood["stuck-value"]).toBeLessThan(1.1 * 256);
  });

  test("counts flags where nothing is wrong", () => {
    const ecg = ecgOf(judged(waves([ECG], (wave) => ({ ...wave, qual: makeQual(null, 8) }))));
    expect(ecg.clean.samples).toBeGreaterThan(256 * 20);
    expect(ecg.clean.flagged).toBe(ecg.clean.samples);
  });

  test("counts a sensor that comes back 6 s after its fault, and one that does not come back", () => {
    const lights = [RED, INFRARED];
    const backAt = (from: number) => waves(lights, (wave, time) => (time >= 73 && time < from ? null : wave));
    const late = judged(backAt(79));
    expect(late.recovery.late).toBe(1);
    expect(late.recovery.delays.unplugged.at(-1)).toBeGreaterThan(5.9 * SECOND);
    expect(judged(backAt(1000)).recovery.late).toBe(1);
    expect(judged(backAt(1000)).findings.some(({ why }) => why === "never")).toBe(true);
    expect(judged(backAt(77)).recovery.late).toBe(0);
  });
});

describe("what is counted apart", () => {
  const judgeOf = (vital: VitalName, faults: FaultEntry[]) => {
    const truth = createTruth(createPatient({ seed: 1, index: 0 }), planFaults(faults));
    const judge = createVitalJudge(truth, vital, () => {});
    const take = (value: number | null, flags: number, at: number) =>
      judge.take(value, flags, at * SECOND, at * SECOND);
    return { truth, take, report: judge.report };
  };

  test("a thermometer that is stuck and right is not false; one that is stuck and wrong is, and one that is unplugged", () => {
    const { truth, take, report } = judgeOf("temperature", [
      { kind: "stuck-value", chip: "tmp117", at: 500, for: 60 },
      { kind: "unplugged", chip: "tmp117", at: 700, for: 60 },
    ]);
    const skin = (at: number) => truth.patient.signals.temperature(at, 0);
    take(skin(480), 0, 480);
    take(skin(520), 0, 520);
    expect([report.falseGood, report.stuckRight]).toEqual([{ wrong: 0, absent: 0, unheard: 0 }, 1]);
    take(skin(521) + 0.6, 0, 521);
    take(skin(710), 0, 710);
    expect([report.falseGood, report.stuckRight]).toEqual([{ wrong: 1, absent: 1, unheard: 0 }, 1]);
  });

  test("SpO2 that is held back after swapped LEDs, until it is told again", () => {
    const { truth, take, report } = judgeOf("spo2", [{ kind: "swapped-leds", chip: "max30102", at: 50, for: 20 }]);
    const spo2 = truth.patient.ppg.spo2(0);
    take(spo2, FLAG_UNCALIBRATED, 40);
    take(null, FLAG_UNCALIBRATED, 100);
    expect([report.heldBack, report.falseBad]).toEqual([1, 0]);
    take(spo2, FLAG_UNCALIBRATED, 101);
    take(null, FLAG_UNCALIBRATED, 102);
    take(spo2 - 5, FLAG_UNCALIBRATED, 103);
    expect([report.heldBack, report.falseBad, report.falseGood.wrong]).toEqual([1, 1, 1]);
  });
});
