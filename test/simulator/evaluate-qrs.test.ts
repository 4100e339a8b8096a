import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportWfdbSync, INVALID_SAMPLE, writeRecordSync } from "../../formats/index.ts";
import { type DetectorFactory, detectorRateFor, evaluateQrs } from "../../simulator/evaluate/index.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { beats, ecg, every, silent, threshold } from "./evaluate-support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-evaluate-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("evaluate qrs", () => {
  test.each([125, 128, 250, 256, 360, 500, 512, 1000])(
    "at %i hz finds the beats where they are, and says at which rate",
    async (rate) => {
      const times = every(0.5, 0.8, 30);
      writeRecordSync(folder, { name: "a", rate, signals: [ecg(times, rate, 25)] }, beats(times, rate));
      const { records, gross, latency } = await evaluateQrs({ dataFolder: folder, detectorFactory: threshold });
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({ record: "a", lead: 0, leadName: "II", rate, beats: 30, tp: 30, fn: 0, fp: 0 });
      expect(records[0]?.detectorRate).toBe(detectorRateFor(rate));
      expect(gross.whole).toEqual({ se: 100, ppv: 100, der: 0 });
      expect(gross.fromFiveMinutes).toEqual({ se: null, ppv: null, der: null });
      expect(latency.mean).toBeGreaterThan(100);
      expect(latency.p99).toBeLessThan(150);
    },
  );

  test("runs at the rates of chips as they are, at 500 or 250 for their multiples, at 256 for all others", () => {
    const rates = [125, 128, 250, 256, 500, 512, 750, 1000, 360, 200, 199.8];
    expect(rates.map(detectorRateFor)).toEqual([125, 128, 250, 256, 500, 512, 250, 500, 256, 256, 256]);
  });

  test("counts by hand: missed, false, both parts of the time, gross and average over sorted records", async () => {
    const reference = every(1, 1, 309);
    const shown = [...reference.filter((time) => time !== 7 && time !== 305), 10.5, 303.5];
    writeRecordSync(folder, { name: "b", rate: 250, signals: [ecg(shown, 250, 310)] }, beats(reference, 250));
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([1, 2], 250, 5)] }, beats([1, 2, 3, 4], 250));
    const document = await evaluateQrs({ dataFolder: folder, detectorFactory: threshold });
    expect(document.records.map(({ record, beats, tp, fn, fp }) => [record, beats, tp, fn, fp])).toEqual([
      ["a", 4, 2, 2, 0],
      ["b", 309, 307, 2, 2],
    ]);
    expect(document.records.map(({ fromFiveMinutes }) => fromFiveMinutes)).toEqual([
      { beats: 0, tp: 0, fn: 0, fp: 0 },
      { beats: 10, tp: 9, fn: 1, fp: 1 },
    ]);
    expect(document.gross).toEqual({
      whole: { se: 98.722, ppv: 99.357, der: 1.917 },
      fromFiveMinutes: { se: 90, ppv: 90, der: 20 },
    });
    expect(document.average).toEqual({
      whole: { se: 74.676, ppv: 99.676, der: 25.647 },
      fromFiveMinutes: { se: 90, ppv: 90, der: 20 },
    });
  });

  test("a beat that was not emitted before the end is missed: nothing is flushed", async () => {
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([1, 1.95], 250, 2)] }, beats([1, 1.95], 250));
    const { records } = await evaluateQrs({ dataFolder: folder, detectorFactory: threshold });
    expect(records[0]).toMatchObject({ beats: 2, tp: 1, fn: 1 });
  });

  test("beats emitted more than a second late count, but apart from the latency", async () => {
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([], 250, 9)] }, beats([1, 2, 3], 250));
    const late: DetectorFactory = (_rate, _scale, onBeat) => {
      let at = 0;
      return {
        push(_samples, count) {
          at += count;
          if (at === 1000)
            for (const [index, emitted] of [
              [750, 800],
              [250, 850],
              [500, 850],
            ] as const)
              onBeat(index, emitted);
        },
      };
    };
    const { records, latency } = await evaluateQrs({ dataFolder: folder, detectorFactory: late });
    expect(records[0]).toMatchObject({ tp: 3, fn: 0, fp: 0 });
    expect(latency).toEqual({ mean: 200, p99: 200, late: 2 });
  });

  test("late beats are counted by record, and the score without them is told", async () => {
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([], 250, 9)] }, beats([1, 2, 3], 250));
    const late: DetectorFactory = (_rate, _scale, onBeat) => {
      let at = 0;
      return {
        push(_samples, count) {
          at += count;
          if (at === 1000) for (const index of [250, 375, 550, 750]) onBeat(index, 800);
        },
      };
    };
    const { records, gross, prompt } = await evaluateQrs({ dataFolder: folder, detectorFactory: late });
    expect(records).toMatchObject([{ tp: 2, fn: 1, fp: 2, late: 2 }]);
    expect(gross.whole).toEqual({ se: 66.667, ppv: 50, der: 100 });
    expect(prompt.whole).toEqual({ se: 33.333, ppv: 50, der: 100 });
    expect(prompt.fromFiveMinutes).toEqual({ se: null, ppv: null, der: null });
  });

  test("peers get the same samples and their own results, in their order; without any there is no such field", async () => {
    writeRecordSync(folder, { name: "a", rate: 360, signals: [ecg([1, 2, 3], 360, 9)] }, beats([1, 2, 3, 4], 360));
    const seen: string[] = [];
    const spy =
      (factory: DetectorFactory): DetectorFactory =>
      (rate, scale, onBeat) => {
        const inner = factory(rate, scale, onBeat);
        let text = `${rate} ${scale}`;
        const at = seen.push("") - 1;
        return {
          push(samples, count) {
            text += ` ${samples.subarray(0, count)}`;
            seen[at] = text;
            inner.push(samples, count);
          },
        };
      };
    const peers = [
      { name: "silence", source: "nobody", factory: spy(silent) },
      { name: "same", source: "ours", factory: spy(threshold) },
    ];
    const document = await evaluateQrs({ dataFolder: folder, detectorFactory: spy(threshold), peers });
    expect(document.gross.whole).toEqual({ se: 75, ppv: 100, der: 25 });
    expect(document.peers?.map(({ name, source }) => [name, source])).toEqual([
      ["silence", "nobody"],
      ["same", "ours"],
    ]);
    expect(document.peers?.[0]).toMatchObject({
      gross: { whole: { se: 0, ppv: null, der: 100 } },
      latency: { mean: null, p99: null, late: 0 },
    });
    const { gross, average, prompt, latency } = document;
    expect(document.peers?.[1]).toMatchObject({ gross, average, prompt, latency });
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]?.length).toBeGreaterThan(1000);
    expect(await evaluateQrs({ dataFolder: folder, detectorFactory: threshold })).not.toHaveProperty("peers");
  });

  test("the detector runs at the rate that is asked for", async () => {
    const times = every(0.5, 0.8, 10);
    writeRecordSync(folder, { name: "a", rate: 360, signals: [ecg(times, 360, 9)] }, beats(times, 360));
    for (const rate of [125, 128, 250, 256, 360, 500, 512]) {
      const { records } = await evaluateQrs({ dataFolder: folder, rate, detectorFactory: threshold });
      expect(records).toMatchObject([{ rate: 360, detectorRate: rate, tp: 10, fn: 0, fp: 0 }]);
    }
  });

  test("what the progress callback throws ends the evaluation", async () => {
    for (const name of ["a", "b"])
      writeRecordSync(folder, { name, rate: 250, signals: [ecg([1], 250, 3)] }, beats([1], 250));
    const calls: number[] = [];
    const onPart = (done: number) => {
      calls.push(done);
      throw new Error("enough");
    };
    await expect(evaluateQrs({ dataFolder: folder, detectorFactory: threshold, onPart })).rejects.toThrow("enough");
    expect(calls).toEqual([1]);
  });

  test("ventricular flutter from [ to ] is left out: its waves, beats and detections", async () => {
    const reference = [
      ...beats([1, 2], 250),
      { sample: 625, symbol: "[" },
      { sample: 750, symbol: "!" },
      { sample: 1000, symbol: "N" },
      { sample: 1125, symbol: "]" },
      ...beats([5], 250),
      { sample: 1500, symbol: "[" },
    ];
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([1, 2, 3, 3.3, 5, 7, 8], 250, 9)] }, reference);
    const { records } = await evaluateQrs({ dataFolder: folder, detectorFactory: threshold });
    expect(records[0]).toMatchObject({ beats: 3, tp: 3, fn: 0, fp: 0 });
  });

  test("the detector gets blocks of a second, counts with 0 at 0 V, and the last valid value for an invalid one", async () => {
    const samples = Int32Array.of(110, 120, INVALID_SAMPLE[24], 90, ...new Array(300).fill(100));
    const signal = { samples, format: 24 as const, gain: 4, baseline: 100, units: "uV" };
    writeRecordSync(folder, { name: "a", rate: 128, signals: [signal] }, beats([1], 128));
    const made: number[][] = [];
    const seen: number[] = [];
    const spy: DetectorFactory = (rate, microvoltsPerCount) => {
      made.push([rate, microvoltsPerCount]);
      return {
        push(block, count) {
          made.push([count]);
          seen.push(...block.subarray(0, count));
        },
      };
    };
    await evaluateQrs({ dataFolder: folder, detectorFactory: spy });
    expect(made).toEqual([[128, 0.25], [128], [128], [48]]);
    expect(seen.slice(0, 5)).toEqual([10, 20, 20, -10, 0]);
  });

  test("resampled counts are rounded half away from zero", async () => {
    const samples = Int32Array.of(0, 2, 0, -2, 0);
    writeRecordSync(folder, { name: "a", rate: 64, signals: [{ samples, gain: 1000 }] }, beats([0.03], 64));
    const seen: number[] = [];
    const spy: DetectorFactory = () => ({ push: (block, count) => void seen.push(...block.subarray(0, count)) });
    await evaluateQrs({ dataFolder: folder, detectorFactory: spy });
    expect(seen).toEqual([0, 1, 1, 2, 2, 2, 1, 1, 0, -1, -1, -2, -2, -2, -1, -1, 0]);
  });

  test("lead picks the signal; records without it, without a voltage there or without reference are named, not hidden", async () => {
    const flat = ecg([], 250, 5);
    const good = ecg([1, 2], 250, 5);
    writeRecordSync(folder, { name: "a", rate: 250, signals: [flat, good] }, beats([1, 2], 250));
    writeRecordSync(folder, { name: "one", rate: 250, signals: [good] }, beats([1, 2], 250));
    writeRecordSync(folder, { name: "pleth", rate: 250, signals: [flat, { ...good, units: "nA" }] }, beats([1], 250));
    writeRecordSync(folder, { name: "bare", rate: 250, signals: [flat, good] });
    writeFileSync(join(folder, "nodata.hea"), "nodata 0 250\n");
    const { records, skipped } = await evaluateQrs({ dataFolder: folder, lead: 1, detectorFactory: threshold });
    expect(records).toMatchObject([{ record: "a", lead: 1, tp: 2, fn: 0 }]);
    expect(skipped).toEqual([
      { record: "bare", reason: "no reference beats (bare.atr)" },
      { record: "one", reason: "no signal 1: it has 1" },
      { record: "pleth", reason: "signal 1 is in nA, not a voltage" },
    ]);
  });

  test("only the records that are asked for are taken, and one that is not there is an error", async () => {
    for (const name of ["a", "b", "c"])
      writeRecordSync(folder, { name, rate: 250, signals: [ecg([1], 250, 3)] }, beats([1], 250));
    const run = (only: string[]) => evaluateQrs({ dataFolder: folder, only, detectorFactory: threshold });
    expect((await run(["c", "a"])).records.map(({ record }) => record)).toEqual(["a", "c"]);
    await expect(run(["a", "x", "y"])).rejects.toThrow(`${folder}: no record x, y`);
  });

  test("errors name the folder, the lead, and what is missing", async () => {
    const run = (options: object) => evaluateQrs({ dataFolder: folder, detectorFactory: silent, ...options });
    await expect(run({ dataFolder: join(folder, "none") })).rejects.toThrow("none: no such folder");
    await expect(run({})).rejects.toThrow("no record to evaluate (no NAME.hea with NAME.dat)");
    await expect(run({ lead: -1 })).rejects.toThrow("lead -1");
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([1], 250, 2)] });
    await expect(run({})).rejects.toThrow("no record to evaluate; a: no reference beats (a.atr)");
    await expect(run({ referenceFolder: join(folder, "x") })).rejects.toThrow(
      "neither a folder nor a record with x.atr",
    );
  });

  test("a detector that emits a beat it cannot have seen is refused", async () => {
    writeRecordSync(folder, { name: "a", rate: 250, signals: [ecg([1], 250, 3)] }, beats([1], 250));
    const run = (index: number, emittedAt: number) =>
      evaluateQrs({
        dataFolder: folder,
        detectorFactory: (_rate, _scale, onBeat) => ({ push: () => onBeat(index, emittedAt) }),
      });
    await expect(run(300, 300)).rejects.toThrow("a: a beat at sample 300, emitted at 300, but only 250 were there");
    await expect(run(200, 199)).rejects.toThrow("a beat at sample 200, emitted at 199");
    await expect(run(Number.NaN, 250)).rejects.toThrow("a beat at sample NaN");
  });
});

describe("the reference", () => {
  const times = every(1, 1, 8);
  const data = () => join(folder, "data");
  const run = (referenceFolder?: string) =>
    evaluateQrs({ dataFolder: data(), referenceFolder, detectorFactory: threshold });
  const kid = "00112233aabbccdd";
  const exported = (own: boolean) => {
    const { samples } = ecg(times, 256, 10);
    const channel = { name: "ecg", unit: "mV", offset: -100, mul: 1, exp10: -3, pieces: [{ at: 0, samples }] };
    const mine = own ? { beats: times.map((time) => ({ index: time * 256 })) } : {};
    exportWfdbSync(data(), { kid, boot: 1, rate: 256, channels: [channel], ...mine });
  };

  test("our own beats beside our own export are refused as circular", async () => {
    exported(true);
    await expect(run()).rejects.toThrow(/_1_256\.atr: these beats were found by the device.* circular; .*--reference/);
    await expect(run(`${data()}/../data`)).rejects.toThrow("circular");
  });

  test("another device's export, in a folder of its own, may serve as reference", async () => {
    exported(false);
    const samples = new Int32Array(2560);
    const channels = [{ name: "ecg", unit: "mV", offset: 0, mul: 1, exp10: -3, pieces: [{ at: 0, samples }] }];
    const found = times.map((time) => ({ index: time * 256 }));
    exportWfdbSync(join(folder, "other"), { kid: "ffee", boot: 1, rate: 256, channels, beats: found });
    expect((await run(join(folder, "other"))).records).toMatchObject([{ beats: 8, tp: 8 }]);
  });

  test("a record's path serves an export of another name, at the reference's own rate", async () => {
    exported(true);
    writeRecordSync(join(folder, "reference"), { name: "101", rate: 360, signals: [ecg(times, 360, 20)] }, [
      ...beats(times, 360),
      ...beats(every(12, 1, 5), 360),
    ]);
    const { records } = await run(join(folder, "reference", "101"));
    expect(records).toMatchObject([{ record: `${kid}_1_256`, rate: 256, beats: 8, tp: 8, fn: 0, fp: 0 }]);
  });

  test("a folder serves by the same name first, else by its only annotation file", async () => {
    exported(false);
    const reference = join(folder, "reference");
    writeRecordSync(reference, { name: "x", rate: 360, signals: [ecg([], 360, 20)] }, beats(times.slice(0, 4), 360));
    expect((await run(reference)).records).toMatchObject([{ beats: 4, tp: 4, fp: 4 }]);
    writeRecordSync(reference, { name: `${kid}_1_256`, rate: 360, signals: [ecg([], 360, 20)] }, beats(times, 360));
    expect((await run(reference)).records).toMatchObject([{ beats: 8, tp: 8, fp: 0 }]);
    rmSync(join(reference, `${kid}_1_256.atr`));
    writeRecordSync(reference, { name: "y", rate: 360, signals: [ecg([], 360, 20)] }, beats(times, 360));
    await expect(run(reference)).rejects.toThrow("no reference beats");
  });

  test("counts at the rate the annotations state, else at that of the header beside them, else at the recording's", async () => {
    exported(false);
    const reference = join(folder, "reference");
    const note = { sample: 0, symbol: '"', aux: "## time resolution: 1000" };
    writeRecordSync(reference, { name: "x", rate: 360, signals: [ecg([], 360, 20)] }, [note, ...beats(times, 1000)]);
    expect((await run(reference)).records).toMatchObject([{ tp: 8, fn: 0 }]);
    writeRecordSync(reference, { name: "x", rate: 100, signals: [ecg([], 100, 20)] }, beats(times, 100));
    expect((await run(reference)).records).toMatchObject([{ tp: 8, fn: 0 }]);
    writeRecordSync(reference, { name: "x", rate: 256, signals: [ecg([], 256, 20)] }, beats(times, 256));
    rmSync(join(reference, "x.hea"));
    expect((await run(reference)).records).toMatchObject([{ tp: 8, fn: 0 }]);
  });

  test("detections after the end of a shorter reference recording are not false", async () => {
    exported(false);
    const reference = join(folder, "reference");
    writeRecordSync(reference, { name: "x", rate: 360, signals: [ecg([], 360, 4.5)] }, beats(times.slice(0, 4), 360));
    expect((await run(reference)).records).toMatchObject([{ beats: 4, tp: 4, fn: 0, fp: 0 }]);
  });
});

describe.skipIf(lacks("recordings"))("the MIT-BIH records", () => {
  test("have 55,437 reference beats outside flutter, 46,141 of them from five minutes on, and all are missed by silence", async () => {
    const { records, gross, skipped } = await evaluateQrs({
      dataFolder: `${dataFolder}/mitdb`,
      detectorFactory: silent,
    });
    expect(records.map(({ record }) => record)).toEqual(records.map(({ record }) => record).toSorted());
    expect([records.length, skipped]).toEqual([24, []]);
    const sum = (pick: (row: (typeof records)[number]) => number) =>
      records.reduce((total, row) => total + pick(row), 0);
    expect([sum(({ fn }) => fn), sum(({ fromFiveMinutes }) => fromFiveMinutes.fn), sum(({ fp }) => fp)]).toEqual([
      55437, 46141, 0,
    ]);
    expect(gross.whole).toEqual({ se: 0, ppv: null, der: 100 });
    expect(records.find(({ record }) => record === "114")?.leadName).toBe("V5");
  });
});
