import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readRecordSync, writeRecordSync } from "../../formats/index.ts";
import { countsOf } from "../../simulator/evaluate/detections.ts";
import { evaluateNoise } from "../../simulator/evaluate/noise.ts";
import {
  mix,
  noiseAmplitude,
  noiseGain,
  noisyStretches,
  qrsAmplitude,
  trimmedMean,
} from "../../simulator/evaluate/noise-mix.ts";
import { readReference } from "../../simulator/evaluate/reference.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { beats, ecg, every, silent, threshold } from "./evaluate-support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-noise-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const RATE = 100;
const counts = (samples: Int32Array, rate = RATE) => ({ name: "a", rate, microvoltsPerCount: 1, samples });
/** A sine of `amplitude` and 5 hz. */
const sine = (amplitude: number, seconds: number) =>
  Float64Array.from({ length: seconds * RATE }, (_, i) => amplitude * Math.sin((2 * Math.PI * 5 * i) / RATE));

describe("mixing noise in, as nst(1) does", () => {
  test("amplitudes are means without the largest and the smallest 5 %", () => {
    expect(trimmedMean([5, 1, 1000, ...new Array(17).fill(3), -50, 4])).toBeCloseTo((5 + 1 + 17 * 3 + 4) / 20, 12);
    expect(trimmedMean([1, 2, 6])).toBe(3);
    expect(() => trimmedMean([])).toThrow("no value");
  });

  test("the signal is the height of the first 300 QRS within 50 ms, whatever happens elsewhere", () => {
    const samples = new Int32Array(400 * RATE);
    for (let second = 1; second < 400; second++) {
      samples[second * RATE - 5] = -200;
      samples[second * RATE + 5] = second <= 300 ? 600 : 5000;
      samples[second * RATE + 6] = 9000;
    }
    expect(qrsAmplitude(counts(samples), every(1, 1, 399))).toBe(800);
  });

  test("the noise is the RMS about each second's mean over 300 s: wander slower than that hardly counts", () => {
    const drifting = sine(100, 310).map(
      (value, i) => value + 50 * Math.floor(i / RATE) + (i >= 300 * RATE ? 1e6 * (i % 2) : 0),
    );
    expect(noiseAmplitude(drifting, RATE)).toBeCloseTo(100 / Math.SQRT2, 6);
  });

  test("at 0 dB a sine as high as the QRS is added as it is; 20 dB are a tenth of it", () => {
    const rms = noiseAmplitude(sine(400, 300), RATE);
    expect(noiseGain(800, rms, 0)).toBeCloseTo(1, 9);
    expect(noiseGain(800, rms, 20)).toBeCloseTo(0.1, 9);
  });

  test("noise comes for two minutes in four from 5:00 on", () => {
    expect(noisyStretches(1805)).toEqual(
      [300, 540, 780, 1020, 1260, 1500, 1740].map((start) => [start, Math.min(start + 120, 1805)]),
    );
    const clean = Int32Array.from({ length: 800 * RATE }, (_, i) => i % 7);
    const mixed = mix(counts(clean), sine(100, 800), 2);
    const moved = (from: number, to: number) => {
      let most = 0;
      const level = mixed[from * RATE]! - clean[from * RATE]!;
      for (let i = from * RATE; i < to * RATE; i++) most = Math.max(most, Math.abs(mixed[i]! - clean[i]! - level));
      return most;
    };
    expect([moved(0, 300), moved(420, 540), moved(660, 780)]).toEqual([0, 0, 0]);
    expect(mixed.subarray(0, 300 * RATE)).toEqual(clean.subarray(0, 300 * RATE));
    for (const [from, to] of noisyStretches(800)) expect(moved(from, to)).toBeGreaterThan(199);
  });

  test("the level does not jump where noise begins, ends, or begins again", () => {
    const clean = new Int32Array(800 * RATE);
    const noise = sine(100, 50).map((value) => value + 70);
    const mixed = mix(
      counts(clean),
      noise.map((value, i) => value + i / 10),
      3,
    );
    let jump = 0;
    for (let i = 1; i < mixed.length; i++) jump = Math.max(jump, Math.abs(mixed[i]! - mixed[i - 1]!));
    expect(jump).toBeLessThan(3 * 100 * 2 * Math.PI * (5 / RATE) + 3);
    expect(mix(counts(clean), new Float64Array(50).fill(1000), 3)).toEqual(clean);
  });
});

describe("evaluate noise", () => {
  const seconds = 600;
  const times = every(0.5, 1, seconds);
  /** 1 mV beats every second; noise of a triangle every second in between, high enough to be taken for a beat at 12 dB and below. */
  const write = (mitdb: string, nstdb: string, noises: readonly string[]) => {
    for (const name of ["118", "119"])
      writeRecordSync(mitdb, { name, rate: 128, signals: [ecg(times, 128, seconds)] }, beats(times, 128));
    const noise = ecg(every(0.25, 1, seconds), 128, seconds);
    for (const name of noises) writeRecordSync(nstdb, { name, rate: 128, signals: [{ ...noise, gain: 0 }] });
  };

  test("mixes every noise that is there into 118 and 119, at five ratios, and says what is missing", async () => {
    write(folder, folder, ["bw", "ma"]);
    const document = await evaluateNoise({ dataFolder: folder, detectorFactory: threshold });
    expect(document.missing).toEqual(["em"]);
    const { rows } = document;
    expect(rows.map(({ record, noise, snr }) => `${record} ${noise} ${snr}`)).toEqual(
      ["118", "119"].flatMap((record) =>
        ["bw", "ma"].flatMap((noise) => [24, 18, 12, 6, 0].map((snr) => `${record} ${noise} ${snr}`)),
      ),
    );
    expect(rows[1]!.gain / rows[0]!.gain).toBeCloseTo(10 ** (6 / 20), 3);
  });

  test("Se and +P are taken from five minutes on, and over the noisy stretches alone", async () => {
    write(folder, folder, ["ma"]);
    const { rows, gross, scored } = await evaluateNoise({ dataFolder: folder, detectorFactory: threshold });
    expect(scored).toContain("from 5:00");
    // 300 beats from 5:00 on, 180 false ones; 180 and the same in noise
    expect(rows[4]).toMatchObject({ snr: 0, se: 100, ppv: 62.5, noisy: { se: 100, ppv: 50 } });
    expect(rows[2]).toMatchObject({ snr: 12, se: 100, ppv: 62.5 });
    expect(rows[1]).toMatchObject({ snr: 18, se: 100, ppv: 100, noisy: { se: 100, ppv: 100 } });
    expect(gross).toHaveLength(5);
    expect(gross[4]).toEqual({ noise: "ma", snr: 0, se: 100, ppv: 62.5, noisy: { se: 100, ppv: 50 } });
  });

  test("folders mitdb and nstdb give the same as one folder; peers get the same mixtures", async () => {
    write(join(folder, "mitdb"), join(folder, "nstdb"), ["ma"]);
    write(join(folder, "flat"), join(folder, "flat"), ["ma"]);
    const peers = [{ name: "silence", source: "nobody", factory: silent }];
    const done: string[] = [];
    const nested = await evaluateNoise({
      dataFolder: folder,
      detectorFactory: threshold,
      peers,
      onPart: (at, of) => done.push(`${at}/${of}`),
    });
    const flat = await evaluateNoise({ dataFolder: join(folder, "flat"), detectorFactory: threshold });
    expect(nested.rows).toEqual(flat.rows);
    expect(nested.peers).toHaveLength(1);
    expect(nested.peers?.[0]?.gross[0]).toEqual({
      noise: "ma",
      snr: 24,
      se: 0,
      ppv: null,
      noisy: { se: 0, ppv: null },
    });
    expect(flat).not.toHaveProperty("peers");
    expect([done.length, done.at(-1)]).toEqual([10, "10/10"]);
  });

  test("noise of another rate is brought to the recording's", async () => {
    write(folder, folder, ["ma"]);
    const slow = join(folder, "slow");
    write(slow, folder, []);
    writeRecordSync(slow, {
      name: "ma",
      rate: 64,
      signals: [{ ...ecg(every(0.25, 1, seconds), 64, seconds), gain: 0 }],
    });
    const [at128, at64] = [folder, slow].map((dataFolder) => evaluateNoise({ dataFolder, detectorFactory: threshold }));
    expect((await at64!).gross[4]).toEqual((await at128!).gross[4]);
  });

  test("reference beats may lie in a folder of their own", async () => {
    write(folder, folder, ["ma"]);
    const other = join(folder, "other");
    for (const name of ["118", "119"])
      writeRecordSync(other, { name, rate: 128, signals: [ecg([], 128, seconds)] }, beats(every(400, 10, 20), 128));
    const { gross } = await evaluateNoise({ dataFolder: folder, referenceFolder: other, detectorFactory: threshold });
    expect(gross[0]).toMatchObject({ se: 0, ppv: 0 });
  });

  test("errors name the folder and what is not in it", async () => {
    const run = () => evaluateNoise({ dataFolder: folder, detectorFactory: silent });
    await expect(run()).rejects.toThrow(`${folder}: none of the records 118, 119 in it, nor in its folders`);
    write(folder, folder, []);
    await expect(run()).rejects.toThrow("none of the records bw, ma, em");
    write(folder, folder, ["ma"]);
    rmSync(join(folder, "118.atr"));
    rmSync(join(folder, "119.atr"));
    await expect(run()).rejects.toThrow("no reference beats (118.atr)");
    await expect(evaluateNoise({ dataFolder: folder, lead: 3, detectorFactory: silent })).rejects.toThrow(
      "no signal 3",
    );
  });
});

describe.skipIf(lacks("recordings"))("the MIT-BIH records with recorded noise", () => {
  const nstdb = `${dataFolder}/nstdb`;

  test("have the amplitudes that the mixture rests on", () => {
    const record = readRecordSync(`${dataFolder}/mitdb/118`);
    const { annotations } = readReference(`${dataFolder}/mitdb/118.atr`, `${dataFolder}/mitdb`, record);
    const normal = annotations.filter(({ symbol }) => symbol === "R" || symbol === "A").map(({ time }) => time);
    expect(qrsAmplitude(countsOf(record, record.signals[0]!), normal)).toBeCloseTo(548.6, 1);
    const rms = (name: string) => noiseAmplitude(readRecordSync(`${nstdb}/${name}`).signals[0]!.samples, 360);
    expect([rms("bw"), rms("ma")].map((value) => Number(value.toFixed(2)))).toEqual([20.09, 16.2]);
  });
});
