import { describe, expect, test } from "vitest";
import { createOximeter } from "../../firmware/dsp/ppg.ts";
import { evaluateSpo2, type Spo2MeterFactory } from "../../simulator/evaluate/index.ts";
import { desaturationOf, RAMP, rampAt } from "../../simulator/evaluate/spo2-desaturation.ts";
import { runIncidents } from "../../simulator/evaluate/spo2-incidents.ts";
import { createTally, readMeter } from "../../simulator/evaluate/spo2-meter.ts";
import { sweepSpo2 } from "../../simulator/evaluate/spo2-sweep.ts";
import { ratioOf, referenceDesignCurve } from "../../simulator/index.ts";
import { oximeterPeers } from "../peers/ppg-oximeters.ts";

const ships: Spo2MeterFactory = (told) => createOximeter({ ...told, calibration: null });
const ratio90 = ratioOf(90, referenceDesignCurve);
/** Shows the same all the time. */
const constant =
  (ratio: number | null): Spo2MeterFactory =>
  () => ({ result: { ratio }, push() {} });
/** Shows an R in every second second alone, and before 20 s nothing. */
const blinking: Spo2MeterFactory = ({ rate }) => {
  const result: { ratio: number | null } = { ratio: null };
  let seen = 0;
  return {
    result,
    push(_red, _infrared, count) {
      seen += count;
      const second = Math.round(seen / rate);
      result.ratio = second > 20 && second % 2 === 0 ? ratio90 : null;
    },
  };
};
const small = { conditions: ["quiet"], perfusions: [2], levels: [80, 90], pulseRates: [75] } as const;

describe("the tally", () => {
  test("counts root mean square, mean and worst where shown, seconds shown, and the longest blank within a run", () => {
    const tally = createTally();
    for (const error of [null, null, 1, -3, null]) tally.add(error);
    tally.cut();
    for (const error of [null, null, null, 2, null]) tally.add(error);
    expect(tally.figures()).toEqual({
      seconds: 10,
      arms: 2.16, // sqrt((1 + 9 + 4) / 3)
      bias: 0,
      worst: 3,
      shown: 30,
      longestBlank: 3,
    });
  });

  test("has no error where nothing is shown", () => {
    const tally = createTally();
    tally.add(null);
    expect(tally.figures()).toEqual({ seconds: 1, arms: null, bias: null, worst: null, shown: 0, longestBlank: 1 });
  });
});

describe("readings of an oximeter", () => {
  test("are taken at the end of every whole second, at 30 hz too, in blocks that hold all samples in order", () => {
    const samples = Int32Array.from({ length: 95 }, (_, k) => k);
    const seen: number[] = [];
    const last: Spo2MeterFactory = () => {
      const result = { ratio: 0 };
      return {
        result,
        push(red, infrared, count) {
          expect(red.subarray(0, count)).toEqual(infrared.subarray(0, count));
          seen.push(...red.subarray(0, count));
          result.ratio = seen.at(-1)!;
        },
      };
    };
    const limits = { offBodyBelow: 1, saturatedAbove: 9 };
    expect(readMeter(last, { rate: 30, red: samples, infrared: samples }, limits)).toEqual([29, 59, 89]);
    expect(seen).toEqual([...samples.subarray(0, 90)]);
  });
});

describe("the sweep", () => {
  test("holds what is shown against the finger's own SpO2, by row, by level and in all", async () => {
    const [{ sweep } = { sweep: null }] = await sweepSpo2([constant(ratio90)], small);
    const shownAll = { shown: 100, longestBlank: 0 };
    expect(sweep).toMatchObject({ seconds: 160, arms: 7.071, bias: 5, worst: 10, ...shownAll });
    expect(sweep!.rows).toMatchObject([
      { condition: "quiet", perfusionIndex: 2, seconds: 160, arms: 7.071, bias: 5, ...shownAll },
    ]);
    expect(sweep!.levels).toMatchObject([
      { spo2: 80, seconds: 80, arms: 10, bias: 10 },
      { spo2: 90, seconds: 80, arms: 0, bias: 0 },
    ]);
  });

  test("settling, the first 10 s, does not count; blanks after it do", async () => {
    const [{ sweep } = { sweep: null }] = await sweepSpo2([blinking], { ...small, levels: [90] });
    expect(sweep).toMatchObject({ seconds: 80, shown: 43.75, longestBlank: 11, arms: 0 });
  });

  test("an oximeter that shows nothing has no error, no delay, and is blank all the time", async () => {
    const [result] = await sweepSpo2([constant(null)], small);
    expect(result!.sweep).toMatchObject({ arms: null, bias: null, shown: 0, longestBlank: 80 });
    const during = RAMP.fall + RAMP.recovery;
    expect(result!.desaturation).toEqual([
      {
        ...{ condition: "quiet", perfusionIndex: 2, delay: null, rms: null, rmsAtOnce: null },
        ...{ shown: 0, longestBlank: during, below90: null },
      },
    ]);
  });

  test("the oximeter that ships recovers R at a perfusion of 2 % within 0.1 points, and follows a desaturation in 8 s", async () => {
    const [result] = await sweepSpo2([ships], small);
    expect(result!.sweep.shown).toBe(100);
    expect(result!.sweep.arms).toBeLessThan(0.1);
    const [row] = result!.desaturation;
    expect(row!.delay).toBeLessThan(8);
    expect(row!.rms).toBeLessThan(0.3);
    expect(row!.below90).toBeLessThan(9);
    expect(row!.shown).toBe(100);
  });

  test("less perfusion costs more, and the same seed gives the same document, another one another", async () => {
    const some = { ...small, perfusions: [2, 0.2] };
    const [first, again, other] = [
      (await sweepSpo2([ships], some))[0]!,
      (await sweepSpo2([ships], some))[0]!,
      (await sweepSpo2([ships], { ...some, seed: 2 }))[0]!,
    ];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    for (const { sweep } of [first, other]) expect(sweep.rows[1]!.arms).toBeGreaterThan(3 * sweep.rows[0]!.arms!);
  });

  test("onPart counts every light, and what it throws ends it", async () => {
    const parts: string[] = [];
    await sweepSpo2([constant(null)], { ...small, onPart: (done, total) => parts.push(`${done}/${total}`) });
    expect(parts).toEqual(["1/3", "2/3", "3/3"]);
    const stop = () => {
      throw new Error("stopped");
    };
    await expect(sweepSpo2([constant(null)], { ...small, onPart: stop })).rejects.toThrow("stopped");
  });
});

describe("a desaturation", () => {
  const curve = (delay: number, offset = 0) =>
    Array.from({ length: RAMP.seconds }, (_, second) => rampAt(second + 1 - delay) + offset);
  const course = (...runs: (readonly (number | null)[])[]) =>
    ({ condition: "quiet", perfusionIndex: 2, runs }) as const;

  test("falls from 97 to 82 in 60 s and is back in 30 s", () => {
    expect([0, 30, 60, 90, 105, 120, 160].map(rampAt)).toEqual([97, 97, 89.5, 82, 89.5, 97, 97]);
  });

  test.each([0, 3.5, 12, 30])("shown %f s late has that delay and no error there", (delay) => {
    const row = desaturationOf(course(curve(delay)));
    expect(row).toMatchObject({ delay, rms: 0, shown: 100, longestBlank: 0 });
    expect(row.rmsAtOnce! > 0).toBe(delay > 0);
    expect(Math.abs(row.below90! - delay)).toBeLessThanOrEqual(1);
  });

  test("an offset is no delay", () => {
    expect(desaturationOf(course(curve(4, 1.5)))).toMatchObject({ rms: 1.5 });
  });

  test("blanks during it are counted, from the begin of the fall to the end of the recovery alone", () => {
    const blank = (from: number, to: number) => curve(0).map((value, at) => (at >= from && at < to ? null : value));
    expect(desaturationOf(course(blank(0, 30)))).toMatchObject({ shown: 100, longestBlank: 0 });
    expect(desaturationOf(course(blank(20, 48)))).toMatchObject({ shown: 80, longestBlank: 18 });
    expect(desaturationOf(course(blank(111, 160), blank(0, 60)))).toMatchObject({ longestBlank: 30, shown: 78.333 });
  });

  test("the wait for a value below 90 is the longest of all runs; one that never came makes it null", () => {
    // 90 itself, at 58 s, is not below; the next reading is a second later
    expect(desaturationOf(course(curve(2), curve(7))).below90).toBe(8);
    expect(desaturationOf(course(curve(2), curve(0, 9))).below90).toBeNull();
    // one that is wrong before the fall does not count
    const early = curve(5).map((value, at) => (at === 40 ? 80 : value));
    expect(desaturationOf(course(early)).below90).toBe(6);
  });
});

describe("incidents", () => {
  test("an oximeter that never blanks is held for what it shows, during and after", async () => {
    const [rows] = await runIncidents([constant(ratioOf(95, referenceDesignCurve))]);
    expect(rows).toHaveLength(18);
    for (const row of rows!) {
      // half of the fingers have 75 percent, half 95
      expect(row).toMatchObject({ worst: 20, rms: 14.142, shownAfter: 100 });
      expect(row.back).toBeLessThanOrEqual(1);
      expect(row.shownDuring).toBe(/[01]\.5 s/.test(row.incident) ? null : 100);
    }
    const [blank] = await runIncidents([constant(null)]);
    for (const row of blank!) expect(row).toMatchObject({ worst: null, rms: null, shownAfter: 0, back: null });
  });

  test("the oximeter that ships shows nothing without a finger and at the converter's end, and is back within 10 s", async () => {
    const [rows] = await runIncidents([ships], 3);
    const blind = rows!.filter(({ incident }) => /finger off|converter/.test(incident));
    expect(blind).toHaveLength(6);
    for (const row of blind) {
      expect(row.shownDuring ?? 0).toBe(0);
      expect(row.back).toBeLessThan(10);
      expect(row.worst).toBeLessThan(1.5);
    }
  });
});

describe("the document", () => {
  test("is the oximeter's own, named by what its figure is, with the others' beside it where there are any", async () => {
    const alone = await evaluateSpo2({ meterFactory: ships, ...small });
    expect(alone.figure).toMatch(/^R-recovery error in SpO2 points .*no accuracy on people$/);
    expect(alone).not.toHaveProperty("peers");
    expect(alone).not.toHaveProperty("phone");
    const { peers, ...own } = await evaluateSpo2({ meterFactory: ships, peers: oximeterPeers, ...small });
    expect(own).toEqual(alone);
    expect(peers!.map(({ name }) => name)).toEqual(["peak-valley", "RMS ratio"]);
    for (const peer of peers!) {
      expect(peer.arms).toBeLessThan(0.3);
      expect(peer.shown).toBe(100);
      expect(peer.desaturation[0]!.rms).toBeLessThan(0.3);
      expect(peer.desaturation[0]!.delay).toBe(2); // middle of a window of 4 s
    }
  });
});
