import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeRespiration } from "../../cli/evaluate/respiration.ts";
import { evaluateRespiration, observeRespiration, strongestFrequency } from "../../simulator/evaluate/respiration.ts";

const RATE = 125;
const SECONDS = 160;
const BREATHS = 15;
let folder: string;

/** PLETH with 75 beats a minute whose height, level and times breathe, or do not. */
function pleth(breathing: boolean): number[] {
  const samples: number[] = [];
  let phase = 0;
  for (let i = 0; i < RATE * SECONDS; i++) {
    const breath = breathing ? Math.sin((2 * Math.PI * BREATHS * i) / RATE / 60) : 0;
    phase += (75 / 60 / RATE) * (1 + 0.04 * breath);
    samples.push(0.5 + 0.03 * breath + (0.2 + 0.02 * breath) * (1 - Math.cos(2 * Math.PI * phase)));
  }
  return samples;
}
const light = (breathing: boolean) => Int32Array.from(pleth(breathing), (value) => Math.round(100_000 - 2000 * value));

function write(name: string, breathing: boolean, monitor: ((second: number) => string) | null) {
  const rows = pleth(breathing).map((value) => `${value.toFixed(5)},0.1`);
  writeFileSync(join(folder, `${name}.csv`), ["PLETH,II", ...rows].join("\n"));
  if (monitor === null) return;
  const seconds = Array.from({ length: SECONDS + 1 }, (_, s) => `${s},75,75,${monitor(s)},97`);
  writeFileSync(join(folder, `${name}_Numerics.csv`), ["Time [s], HR, PULSE, RESP, SpO2", ...seconds].join("\n"));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-respiration-"));
  write("a", true, () => "16");
  write("b", false, () => "20");
  // the monitor had nothing from 40 s on
  write("c", true, (second) => (second < 40 ? "15" : second % 2 === 0 ? "NaN" : "0"));
  write("d", true, null);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("respiration", () => {
  test("is compared every 8 s from 64 s on, with the mean of the monitor's numbers", async () => {
    const { records, times, constant } = await evaluateRespiration({ dataFolder: folder });
    expect(records.map(({ record, times: count, reference }) => [record, count, reference])).toEqual([
      ["a", 13, 16],
      ["b", 13, 20],
      ["c", 0, null],
      ["d", 0, null],
    ]);
    expect([times, constant.value]).toEqual([26, 18]);
  });

  test("is shown where the pulse breathes, and not where it does not", async () => {
    const { records, coverage } = await evaluateRespiration({ dataFolder: folder, only: ["a", "b"] });
    expect(records[0]!.coverage).toBeGreaterThan(80);
    expect(records[0]!.mae).toBeCloseTo(16 - BREATHS, 0);
    expect(records[1]).toMatchObject({ coverage: 0, mae: null, wrong: null });
    expect(coverage).toBeCloseTo(records[0]!.coverage! / 2, 2);
  });

  test("each peer is there, and the mean of all looks at nobody", async () => {
    const { peers } = await evaluateRespiration({ dataFolder: folder, only: ["a"] });
    const { mae, ...rest } = peers[4]!;
    expect(peers.slice(0, 4).map(({ name, coverage }) => [name, coverage])).toEqual([
      ["light alone", 100],
      ["height alone", 100],
      ["interval alone", 100],
      ["mean of the three", 100],
    ]);
    for (const peer of peers.slice(0, 4)) expect(peer.mae).toBeCloseTo(1, 0);
    expect([mae, rest]).toEqual([0, { name: "mean of all", coverage: 100, wrong: 0 }]);
  });

  test("a recording that is not there is named", async () => {
    await expect(evaluateRespiration({ dataFolder: folder, only: ["a", "z"] })).rejects.toThrow("no recording z");
  });

  test("progress is told after each recording", async () => {
    const parts: number[][] = [];
    await evaluateRespiration({ dataFolder: folder, only: ["a", "d"], onPart: (...part) => parts.push(part) });
    expect(parts).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  test("nothing is shown before 64 s, whatever the beats", () => {
    const { beats, shown } = observeRespiration({ rate: RATE, light: light(true) });
    expect(shown).toHaveLength(SECONDS);
    expect(shown.findIndex((value) => value !== null)).toBeGreaterThanOrEqual(64);
    expect(beats.length).toBeGreaterThan(190);
    for (const { time, emitted } of beats) expect(emitted).toBeGreaterThanOrEqual(time);
  });

  test("the strongest frequency of uneven values is found under a trend; too few have none", () => {
    const values = (rate: number, count: number) =>
      Array.from({ length: count }, (_, k): [number, number] => {
        const at = 36 + k * 0.8 + 0.1 * Math.sin(k * k);
        return [at, 500 + 3 * at + Math.sin((2 * Math.PI * rate * at) / 60)];
      });
    for (const rate of [7, 12.5, 20, 33]) expect(strongestFrequency(values(rate, 80), 100)).toBeCloseTo(rate, 0);
    expect(strongestFrequency(values(12, 15), 100)).toBeNull();
  });

  test("the lines say whose count it is held against", async () => {
    const lines = describeRespiration(await evaluateRespiration({ dataFolder: folder, only: ["a"] }));
    expect(lines[0]).toMatch(/^respiration over 64 s, estimated +error 1\/min +shown % +over 5 off %$/);
    expect(lines.at(-1)).toContain("which is not the truth");
    expect(lines.at(-1)).toContain("13 times, mean 16/min");
  });
});
