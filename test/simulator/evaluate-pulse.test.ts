import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import { readPulseRecording, recordingsOf } from "../../simulator/evaluate/bidmc.ts";
import { type DetectorFactory, evaluatePulse, type PulseFactory } from "../../simulator/evaluate/index.ts";
import { comparePulse, pulseRateFigures } from "../../simulator/evaluate/pulse-rates.ts";
import { agreedBeats, pulseDelay, scorePulse } from "../../simulator/evaluate/pulse-reference.ts";
import { pulseWindows } from "../../simulator/evaluate/pulse-windows.ts";
import { createHamiltonDetector } from "../peers/hamilton.ts";
import { every, threshold } from "./evaluate-support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-pulse-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Made {
  /** R peaks, s. */
  readonly beats: readonly number[];
  /** Pulses, s; half a second after each R where absent. */
  readonly pulses?: readonly number[];
  readonly seconds: number;
  readonly rate?: number;
}

/** Lead II as triangles of 1, PLETH as bells 0.5 high whose steepest rise is at the pulse. */
function signals({ beats, pulses = beats.map((time) => time + 0.5), seconds, rate = 125 }: Made) {
  return Array.from({ length: Math.round(seconds * rate) }, (_, i) => {
    const time = i / rate;
    const lead = beats.reduce((sum, beat) => sum + Math.max(0, 1 - Math.abs(time - beat) / 0.03), 0);
    const pleth = pulses.reduce((sum, pulse) => sum + 0.5 * Math.exp(-(((time - pulse - 0.1) / 0.1) ** 2) / 2), 0.2);
    return { time, lead: lead.toFixed(5), pleth: pleth.toFixed(5) };
  });
}
const inUsersForm = (made: Made) =>
  ["PLETH,II", ...signals(made).map(({ lead, pleth }) => `${pleth},${lead}`)].join("\n");
const asPublished = (made: Made) =>
  [
    "Time [s], RESP, PLETH, V, AVR, II",
    ...signals(made).map(({ time, lead, pleth }) => `${time}, 0.1, ${pleth}, 0.2, 0.3, ${lead}`),
  ].join("\r\n");
const write = (name: string, text: string) =>
  writeFileSync(join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
const references: [DetectorFactory, DetectorFactory] = [threshold, threshold];
const beats = every(0.6, 0.8, 60);

describe("recordings", () => {
  test("are read the same as gzip, as text, and under the names and headers of PhysioNet", () => {
    const made = { beats, seconds: 12 };
    write("a.csv.gz", inUsersForm(made));
    write("b.csv", inUsersForm(made));
    write("bidmc_07_Signals.csv", asPublished(made));
    write("bidmc_07_Numerics.csv", "Time [s], HR, PULSE, RESP, SpO2\n0,94,93,25,97\n1,94,,25,97\n2,94,NaN,25,97");
    write("bidmc_07_Breaths.csv", "breaths ann1 [signal sample no],breaths ann2 [signal sample no]\n1,2");
    write("notes.txt", "");
    const found = recordingsOf(folder);
    expect(found.map(({ name }) => name)).toEqual(["a", "b", "bidmc_07"]);
    const [a, b, c] = found.map((one) => readPulseRecording(folder, one));
    for (const other of [b!, c!]) {
      expect(other.rate).toBe(125);
      expect(other.light).toEqual(a!.light);
      expect(other.ecg.samples).toEqual(a!.ecg.samples);
    }
    expect([a!.monitor, b!.monitor]).toEqual([null, null]);
    expect(c!.monitor).toMatchObject([
      { time: 0, pulse: 93 },
      { time: 1, pulse: null },
      { time: 2, pulse: null },
    ]);
  });

  test("PLETH rises with blood and light falls: it is turned over, 2000 counts a unit from 100000 down", () => {
    write("a.csv", "II,PLETH\n0.5,0\n-0.25,0.5\n1,1");
    const { light, ecg } = readPulseRecording(folder, recordingsOf(folder)[0]!);
    expect(Array.from(light)).toEqual([100_000, 99_000, 98_000]);
    expect(Array.from(ecg.samples)).toEqual([500, -250, 1000]);
    expect(ecg.microvoltsPerCount).toBe(4);
  });

  test("the rate comes from the times where there are any", () => {
    write("a.csv", asPublished({ beats, seconds: 10, rate: 250 }));
    expect(readPulseRecording(folder, recordingsOf(folder)[0]!).rate).toBe(250);
  });

  test("a value that is missing repeats the one before it", () => {
    write("a.csv", "PLETH,II\n,0.1\n0.5,\nNaN,0.2\n0.6,x");
    const { light, ecg } = readPulseRecording(folder, recordingsOf(folder)[0]!);
    expect(Array.from(light)).toEqual([100_000, 99_000, 99_000, 98_800]);
    expect(Array.from(ecg.samples)).toEqual([100, 100, 200, 200]);
  });

  test.each([
    ["RED,II\n1,2\n1,2", /a\.csv: no column PLETH; there are RED, II/],
    ["PLETH,V\n1,2\n1,2", /no column II; there are PLETH, V/],
    ["PLETH,II\n1,2", /1 rows of samples/],
    ["", /no column PLETH/],
    ["Time [s],PLETH,II\n0,1,2\n1,1,2\n2,1,2", /1 hz; 25 to 1000 hz are needed|1\.5 hz/],
  ])("of %j nothing is made: it says which file, and what is there", (text, message) => {
    write("a.csv", text);
    expect(() => readPulseRecording(folder, recordingsOf(folder)[0]!)).toThrow(message);
  });

  test("a folder that is not there, or holds none, is an error", async () => {
    expect(() => recordingsOf(join(folder, "absent"))).toThrow(/absent: no such folder/);
    write("a_Numerics.csv", "Time [s],PULSE\n0,60");
    await expect(evaluatePulse({ dataFolder: folder, references })).rejects.toThrow(/no recording to evaluate/);
  });
});

describe("the reference", () => {
  test("is where both agree within 50 ms; where they do not, time from the beat before to the one after is excluded", () => {
    const one = [1, 2, 3, 4, 5, 6, 7, 8];
    const other = [1.04, 2, 3.2, 4, 5.03, 5.5, 6, 8];
    const { beats: agreed, excluded, excludedTime } = agreedBeats(one, other, 9);
    expect(agreed).toEqual([1, 2, 4, 5, 6, 8]);
    expect(excluded).toEqual([
      [0, 1],
      [2, 4],
      [5, 6],
      [6, 8],
    ]);
    expect(excludedTime).toBeCloseTo(6, 9);
  });

  test("a gap of more than 3 s, a silence to the end, and nothing at all are excluded", () => {
    expect(agreedBeats([1, 2, 6, 7], [1, 2, 6, 7], 12).excluded).toEqual([
      [0, 1],
      [2, 6],
      [7, 12],
    ]);
    expect(agreedBeats([], [], 10)).toMatchObject({ beats: [], excluded: [[0, 10]], excludedTime: 10 });
  });

  test("the delay is the median of the first minute, found whatever the interval, and later beats do not move it", () => {
    const at = [0.3, 1.4, 2.1, 3.3, 4.5];
    const irregular = Array.from({ length: 40 }, (_, k) => at.map((time) => time + 5 * k)).flat();
    const reference = agreedBeats(irregular, irregular, 200);
    for (const delay of [0.15, 0.42, 0.6, 0.95]) {
      const own = irregular.map((time, k) => time + delay + (k % 2 === 0 ? 0.01 : -0.01) + (time > 70 ? 0.1 : 0));
      expect(Math.abs(pulseDelay(own, reference) - delay)).toBeLessThan(0.011);
    }
    expect(pulseDelay([], reference)).toBe(0);
  });

  test("matches within 150 ms count; what is in excluded time counts neither way", () => {
    const reference = agreedBeats([1, 2, 3, 4, 5, 6], [1, 2, 3.3, 4, 5, 6], 6.5);
    const score = (times: readonly number[]) => scorePulse(times, reference, 0.4);
    expect(score([1.4, 2.4, 4.4, 5.4, 6.4])).toEqual({ beats: 5, tp: 5, fn: 0, fp: 0 });
    expect(score([1.4, 2.54, 4.4, 5.56, 6.4])).toEqual({ beats: 5, tp: 4, fn: 1, fp: 1 });
    expect(score([0.2, 0.9, 1.4, 2.4, 2.8, 3.1, 3.4, 4.4, 5.4, 5.9, 6.4])).toMatchObject({ tp: 5, fn: 0, fp: 1 });
  });
});

describe("the rate", () => {
  const reference = agreedBeats(every(0.5, 0.8, 60), every(0.5, 0.8, 60), 48);
  const own = (times: readonly number[], delay = 0.2) => times.map((time) => ({ time, emitted: time + delay }));
  const seconds = (quality: number | null = 90, vitals: number | null = 74) =>
    every(1, 1, 48).map((time) => ({ time, vitals, quality }));

  test("is 60 over the median interval of the 10 s before, all of which must have a reference", () => {
    const compared = comparePulse(own(every(0.9, 0.75, 62)), seconds(), reference, null, 50);
    expect(compared.map(({ time }) => time)).toEqual(every(11, 1, 38));
    for (const { reference: truth, all, gated, vitals, monitor } of compared) {
      expect(truth).toBeCloseTo(75, 9);
      expect([all, gated]).toEqual([expect.closeTo(80, 9), expect.closeTo(80, 9)]);
      expect([vitals, monitor]).toEqual([74, null]);
    }
    expect(pulseRateFigures(compared, "all")).toEqual({ mae: 5, coverage: 100 });
    expect(pulseRateFigures(compared, "vitals")).toEqual({ mae: 1, coverage: 100 });
    expect(pulseRateFigures(compared, "monitor")).toEqual({ mae: null, coverage: 0 });
    expect(pulseRateFigures([], "all")).toEqual({ mae: null, coverage: null });
  });

  test("is gated by quality, and coverage says how much is left", () => {
    const half = seconds().map((second) => ({ ...second, quality: second.time % 2 === 0 ? 50 : 49 }));
    const compared = comparePulse(own(every(0.9, 0.8, 58)), half, reference, null, 50);
    expect(pulseRateFigures(compared, "gated")).toEqual({ mae: 0, coverage: 50 });
    expect(pulseRateFigures(compared, "all")).toEqual({ mae: 0, coverage: 100 });
    const unknown = comparePulse(own(every(0.9, 0.8, 58)), seconds(null), reference, null, 0);
    expect(pulseRateFigures(unknown, "gated").coverage).toBe(0);
  });

  test("knows only beats that were emitted by then, and needs two intervals", () => {
    const late = comparePulse(own(every(0.9, 0.8, 58), 9), seconds(), reference, null, 50);
    expect(late.every(({ all }) => all === null)).toBe(true);
  });

  test("is not compared where the 10 s before hold time without a reference", () => {
    const doubtful = { ...reference, excluded: [[20.1, 21.7]] as const };
    const compared = comparePulse(own(every(0.9, 0.8, 58)), seconds(), doubtful, null, 50);
    expect(compared.map(({ time }) => time)).toEqual([...every(10, 1, 11), ...every(32, 1, 17)]);
  });

  test("the monitor's is taken at the same second", () => {
    const monitor = every(0, 1, 49).map((time) => ({ time, pulse: time === 20 ? null : 72, respiration: null }));
    const compared = comparePulse(own(every(0.9, 0.8, 58)), seconds(), reference, monitor, 50);
    expect(pulseRateFigures(compared, "monitor")).toEqual({ mae: 3, coverage: 97.368 });
  });
});

test("a window holds the missed and the false beats of its 10 s, but for the last half second", () => {
  const reference = agreedBeats(every(0.5, 1, 40), every(0.5, 1, 40), 40);
  const own = every(0.9, 1, 39).filter((time) => Math.abs(time - 14.9) > 0.1);
  const seconds = every(1, 1, 40).map((time) => ({ time, vitals: null, quality: time < 10 ? null : time }));
  const windows = pulseWindows([...own, 23.3, 39.8], 0.4, seconds, reference, 10);
  expect(windows.map(({ quality, score: { fn, fp } }) => [quality, fn, fp])).toEqual([
    [20, 1, 0],
    [30, 0, 1],
    [40, 0, 0],
  ]);
});

describe("evaluate pulse", () => {
  test("gives the document of the contract: every beat found, one delay, no error of the rate", async () => {
    write("b.csv.gz", inUsersForm({ beats, seconds: 48 }));
    write("a.csv", inUsersForm({ beats: every(0.6, 1, 47), seconds: 48 }));
    const document = await evaluatePulse({ dataFolder: folder, references });
    expect(document.records.map(({ record }) => record)).toEqual(["a", "b"]);
    expect(document).toMatchObject({ mae: expect.any(Number), coverage: 100, monitor: null, seconds: 76 });
    expect(document.mae).toBeLessThan(0.1);
    for (const row of document.records) {
      expect(row).toMatchObject({ rate: 125, duration: 48, fp: 0, coverage: 100, seconds: 38 });
      expect(row.fn).toBeLessThan(3);
      expect(row.mae).toBeLessThan(0.1);
      expect(Math.abs(row.delay - 500)).toBeLessThan(20);
    }
    expect(document.beats.beats).toBe(document.records[0]!.beats + document.records[1]!.beats);
    expect(document.beats.f1).toBeGreaterThan(98);
    expect(document.vitals.mae).toBeLessThan(0.1);
    expect(document.oximeter.mae).toBeLessThan(0.5);
    expect(document.oximeter.coverage).toBeGreaterThan(95);
    expect(document.peers).toBeUndefined();
  });

  test("a recording of any rate is run at it, its ECG at the nearest that the reference detectors take", async () => {
    write("bidmc_01_Signals.csv", asPublished({ beats, seconds: 48, rate: 200 }));
    const { records } = await evaluatePulse({
      dataFolder: folder,
      references: [createQrsDetector, createHamiltonDetector],
    });
    expect(records[0]).toMatchObject({ record: "bidmc_01", rate: 200, fp: 0, coverage: 100 });
    expect(records[0]!.tp).toBeGreaterThan(55);
    expect(Math.abs(records[0]!.delay - 500)).toBeLessThan(20);
  });

  test("a pulse that did not come is missed, one without a beat is false, and time in doubt counts neither way", async () => {
    const pulses = [...beats.map((time) => time + 0.5).filter((_, k) => k !== 20), 34.35].sort((a, b) => a - b);
    write("a.csv", inUsersForm({ beats, pulses, seconds: 48 }));
    const [row] = (await evaluatePulse({ dataFolder: folder, references })).records;
    expect(row!.fn).toBeGreaterThan(0);
    expect(row).toMatchObject({ fp: 1 });
    const deaf: DetectorFactory = (rate, scale, onBeat) =>
      threshold(rate, scale, (index, emitted) => {
        const time = index / rate;
        if (!(time > 15 && time < 18) && !(time > 33.1 && time < 35)) onBeat(index, emitted);
      });
    const [doubted] = (await evaluatePulse({ dataFolder: folder, references: [threshold, deaf] })).records;
    expect(doubted).toMatchObject({ fn: 0, fp: 0 });
    expect(doubted!.excluded - row!.excluded).toBeGreaterThan(5);
    expect(doubted!.seconds).toBeLessThan(38);
  });

  test("a beat that was not emitted before the end is not there: nothing is flushed", async () => {
    write("a.csv", inUsersForm({ beats, seconds: 30 }));
    const withhold: PulseFactory = (rate, onBeat) => {
      let pushed = 0;
      return {
        push(_, count) {
          pushed += count;
          if (pushed === 20 * rate) for (const beat of beats) if (beat < 15) onBeat((beat + 0.5) * rate, pushed, 1);
        },
      };
    };
    const peers = [{ name: "late", source: "here", factory: withhold }];
    const { peers: results } = await evaluatePulse({ dataFolder: folder, references, peers });
    expect(results![0]).toMatchObject({ name: "late", source: "here", beats: { tp: 18, fp: 0 } });
    expect(results![0]!.beats.fn).toBeGreaterThan(15);
  });

  test("a detector that tells of what it cannot have seen is refused, by name", async () => {
    write("a.csv", inUsersForm({ beats, seconds: 10 }));
    const prophet: PulseFactory = (_, onBeat) => ({ push: () => onBeat(10, 1e6, 1) });
    const peers = [{ name: "prophet", source: "", factory: prophet }];
    await expect(evaluatePulse({ dataFolder: folder, references, peers })).rejects.toThrow(/^a: a pulse at sample 10/);
  });

  test("only what is asked for is run, and what is not there is named", async () => {
    for (const name of ["a", "b"]) write(`${name}.csv`, inUsersForm({ beats, seconds: 15 }));
    const parts: string[] = [];
    const onPart = (done: number, total: number) => parts.push(`${done}/${total}`);
    const { records } = await evaluatePulse({ dataFolder: folder, references, only: ["b"], onPart });
    expect([records.map(({ record }) => record), parts]).toEqual([["b"], ["1/1"]]);
    const absent = evaluatePulse({ dataFolder: folder, references, only: ["b", "c"] });
    await expect(absent).rejects.toThrow(/no recording c$/);
  });
});
