/** `vitalwire calibrate` as a person or a program meets it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CalibrateOptions, calibrate } from "../../cli/calibrate/calibrate.ts";
import { readPairs, readReference } from "../../cli/calibrate/pairs.ts";
import { pairUp, ratiosOf } from "../../cli/calibrate/stored.ts";
import { readCalibrationFile, writeCalibrationFile } from "../../cli/calibration-file.ts";
import { UsageError } from "../../cli/usage.ts";
import { FLAG_LED_CHANGED, FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import { readBoot } from "../../gateway/read.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { kidText } from "../../protocol/keys.ts";
import { type ChannelDefinition, MDC_PLETH, makeQual, type Wave } from "../../protocol/messages.ts";
import { encodeSamples } from "../../protocol/samples.ts";
import { finger, join as joinLights, type Light } from "../firmware/dsp/pulses.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";
import { vitalwire } from "../support/process.ts";

const folder = ownFolder();
const write = (name: string, text: string) => {
  const path = join(folder(), name);
  writeFileSync(path, text);
  return path;
};
const faultOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(`${folder()}/`, "");
  }
  throw new Error("it was taken");
};
const run = async (...args: string[]) => {
  const running = vitalwire("calibrate", ...args);
  const code = await running.ended(60_000);
  return { code, out: running.stdout(), all: running.output() };
};

/** 24 pairs on a line, of two people. */
const PAIRS = Array.from({ length: 24 }, (_, k) => {
  const ratio = 0.45 + k * 0.05;
  return `${ratio.toFixed(2)},${(110 - 25 * ratio + (k % 2 === 0 ? 0.2 : -0.2)).toFixed(2)},${k % 3 === 0 ? "anna" : "ben"}`;
}).join("\n");
const pairsFile = () => write("pairs.csv", `ratio,spo2,subject\n${PAIRS}\n`);

describe("files of pairs", () => {
  test("columns stand in any order and case, with quotes, comments, empty lines and others beside them", () => {
    const text = '\uFEFF# clip 7\r\nSpO2, note ,"Ratio"\r\n\r\n97.5,"x",0.5\r\n# later\r\n70,,1.6\r\n';
    expect(readPairs(write("a.csv", text))).toEqual([
      { ratio: 0.5, spo2: 97.5 },
      { ratio: 1.6, spo2: 70 },
    ]);
  });

  test("whose they are is in subject, or in recording", () => {
    expect(readPairs(write("a.csv", "ratio,spo2,recording\n0.5,97,r1\n")).at(0)?.subject).toBe("r1");
    expect(readPairs(write("b.csv", "ratio,spo2,recording,subject\n0.5,97,r1,anna\n")).at(0)?.subject).toBe("anna");
  });

  test.each([
    ["", 'a.csv:1: no column "ratio" in ""'],
    ["r,spo2\n", 'a.csv:1: no column "ratio" in "r,spo2"'],
    ["ratio,spo2\n0.5,97\n0.6\n", "a.csv:3: 1 fields, the first line names 2"],
    ["ratio,spo2\n0.5,49.9\n", 'a.csv:2: spo2 "49.9" is not 50 to 100'],
    ["ratio,spo2\n0.5,101\n", 'a.csv:2: spo2 "101" is not 50 to 100'],
    ["ratio,spo2\n\n5,97\n", 'a.csv:3: ratio "5" is not 0.1 to 4'],
    ["ratio,spo2\n,97\n", 'a.csv:2: ratio "" is not 0.1 to 4'],
    ["ratio,spo2\n0.5,ok\n", 'a.csv:2: spo2 "ok" is not 50 to 100'],
  ])("%j: its file, line and value are told", (text, message) => {
    expect(faultOf(() => readPairs(write("a.csv", text)))).toContain(message);
  });

  test("a reference has times with a zone, or ms", () => {
    const text = "time,spo2\n2026-01-01T00:00:00Z,97\n2026-01-01T01:00:01.5+01:00,96\n1767225602000,95\n";
    expect(readReference(write("a.csv", text)).map(({ time }) => time - Date.UTC(2026, 0, 1))).toEqual([0, 1500, 2000]);
    for (const time of ["2026-01-01T00:00:00", "yesterday", "", "12:00"])
      expect(faultOf(() => readReference(write("a.csv", `time,spo2\n${time},97\n`)))).toContain(
        `a.csv:2: time "${time}" is neither`,
      );
  });

  test("one that is not there is bad usage", () => {
    expect(faultOf(() => readPairs("/nowhere/a.csv"))).toBe("/nowhere/a.csv: no such file");
  });
});

describe("a calibration file", () => {
  const calibration = { id: "finger-07", curve: { square: 0, linear: -25, constant: 110 } };
  const table = {
    id: "t",
    table: [
      [0.4, 99],
      [2, 60],
    ] as const,
  };

  test.each(["c.yaml", "c.json"])("%s is read as it was written, and never overwritten", (name) => {
    const path = join(folder(), name);
    const content = { calibration, date: "2026-01-31", ratio: [0.4, 1.6] as [number, number], pairs: 12 };
    writeCalibrationFile(path, content);
    expect(readCalibrationFile(path)).toEqual(content);
    expect(faultOf(() => writeCalibrationFile(path, content))).toContain("it is there already");
    const other = join(folder(), `t-${name}`);
    writeCalibrationFile(other, { calibration: table });
    expect(readCalibrationFile(other)).toEqual({ calibration: table });
  });

  test.each([
    ["id: Finger\ncurve: { square: 0, linear: -25, constant: 110 }\n", 'c.yaml: calibration "Finger": an id is'],
    ["id: a\ncurve: { square: 0, linear: 25, constant: 110 }\n", "c.yaml: calibration a: linear 25 makes SpO2 rise"],
    ["id: a\ncurve: { square: 0, linear: steep, constant: 110 }\n", 'c.yaml:2: curve.linear: "steep" is no number'],
    ["id: a\ncurve: { square: 0, linear: -25 }\n", "c.yaml:2: curve.constant"],
    ["id: a\n\ncurv: 1\n", 'c.yaml:3: there is no setting "curv" here'],
    ["id: a\n", "c.yaml: neither curve nor table; give one of them"],
    [
      "id: a\ntable: [[0.4, 99], [2, 60]]\ncurve: { square: 0, linear: -25, constant: 110 }\n",
      "c.yaml: both curve and",
    ],
    ["id: a\ntable: [[0.4, 99], [2, 80]]\n", "c.yaml: calibration a: the table ends at 80 %"],
    ["id: a\ntable: [[0.4, 99, 1], [2, 60]]\n", "c.yaml:2: table.0"],
    ["curve: { square: 0, linear: -25, constant: 110 }\n", "c.yaml: id"],
    ["id: [\n", "c.yaml:2:"],
  ])("%j: a fault is told with its place", (yaml, message) => {
    expect(faultOf(() => readCalibrationFile(write("c.yaml", yaml)))).toContain(message);
  });
});

const RATE = 100;
const PLATEAU = 30;
/** R goes up in plateaus of 30 s. */
const RATIOS = [0.45, 0.6, 0.75, 0.9, 1.05, 1.2, 1.35, 1.5];
const spo2Of = (ratio: number) => 112 - 27 * ratio;
const EPOCH = 1_800_000_000_000;
const light = joinLights(
  ...RATIOS.map((ratio) => finger({ rate: RATE, seconds: PLATEAU, pulseRate: 72, perfusionIndex: 2, ratio })),
);

/** A store with a device's light, in messages of `seconds`; `edit` may change a message's blocks. */
function storeLight(path: string, { red, infrared }: Light, edit?: (seq: number, blocks: Wave[]) => Wave[]) {
  const device = createTestDevice("clip");
  const bench = createTestGateway(openSqliteStore(path));
  const origin = createTestOrigin();
  device.enrollAt(bench.gateway);
  const channel = (id: number, role: string): ChannelDefinition => ({
    id,
    mdc: MDC_PLETH,
    rateMilliHz: RATE * 1000,
    bits: 18,
    offset: 0,
    mul: 1,
    exp10: 0,
    ucum: "1",
    attributes: { chip: "MAX30102", role, maximum: 262_143 },
  });
  const receive = (tick: number, message: Parameters<typeof device.seal>[0]) => {
    bench.now = EPOCH + tick;
    bench.gateway.receive(device.seal(message), origin);
    bench.settle();
  };
  receive(10, { ...device.birth(), channels: [channel(0, "red"), channel(1, "infrared")] });
  for (let seq = 1; seq * RATE <= infrared.length; seq++) {
    const idx = (seq - 1) * RATE;
    const block = (id: number, samples: Int32Array): Wave => ({
      kind: "wave",
      id,
      seg: 0,
      idx,
      dt: -1_000_000,
      codec: 1,
      n: RATE,
      bytes: encodeSamples(1, samples.slice(idx, idx + RATE), 0, RATE),
      qual: null,
    });
    const blocks = [block(0, red), block(1, infrared)];
    const tick = 1000 * seq;
    receive(tick, { type: "data", boot: 1, seq, tick, cfg: 1, channels: edit?.(seq, blocks) ?? blocks });
  }
  bench.gateway.close();
  return device.kid;
}

/** What a reference says every 5 s from 15 s into a plateau on, `lag` s later than the finger. */
const reference = (lag = 0) =>
  `time,spo2\n${RATIOS.flatMap((ratio, at) =>
    [15, 20, 25].map((into) => `${EPOCH + 1000 * (at * PLATEAU + into + lag)},${spo2Of(ratio).toFixed(1)}`),
  ).join("\n")}\n`;

describe("R of stored light", () => {
  let stores = 0;
  const stored = (edit?: Parameters<typeof storeLight>[2]) => {
    const path = join(folder(), `${stores++}.db`);
    const kid = storeLight(path, light, edit);
    const store = openSqliteStore(path, { readonly: true });
    try {
      return ratiosOf(readBoot(store, kid, 1)!);
    } finally {
      store.close();
    }
  };
  const within = (shown: ReturnType<typeof stored>, from: number, to: number) =>
    shown.filter(({ time }) => time > EPOCH + from * 1000 && time <= EPOCH + to * 1000);

  test("is what the oximeter shows, twice a second, at the time of the blood", () => {
    const shown = stored();
    for (const [at, ratio] of RATIOS.entries()) {
      const plateau = within(shown, at * PLATEAU + 12, (at + 1) * PLATEAU);
      expect(plateau).toHaveLength(36);
      for (const one of plateau) expect(Math.abs(one.ratio - ratio)).toBeLessThan(0.02);
    }
    // the arrivals are whole milliseconds, cut off: the time is known to one
    for (const { time } of shown) expect(Math.abs(((time - EPOCH + 250) % 500) - 250)).toBeLessThanOrEqual(1.1);
  });

  test("is not shown while one of the lights is missing; it starts anew behind that, and behind a change of LED current", () => {
    const qual = makeQual(null, FLAG_LED_CHANGED);
    for (const shown of [
      stored((seq, blocks) => (seq === 20 ? [blocks[0]!] : blocks)),
      stored((seq, blocks) => (seq === 20 ? blocks.map((block) => ({ ...block, qual })) : blocks)),
    ]) {
      expect(within(shown, 15, 19).length).toBe(8);
      expect(within(shown, 20, 22)).toEqual([]);
      expect(within(shown, 27, 30).length).toBeGreaterThan(0);
    }
  });

  test("of a chip's own test signal is none", () => {
    const qual = makeQual(null, FLAG_TEST_SIGNAL);
    expect(stored((_, blocks) => blocks.map((block) => ({ ...block, qual })))).toEqual([]);
  });

  test("does not depend on how red and infrared were cut into blocks", () => {
    const whole = stored();
    // red comes in halves
    const cut = stored((_, [first, infrared]) => {
      const red = first!;
      const samples = light.red.slice(red.idx, red.idx + RATE);
      const half = RATE / 2;
      const part = (from: number): Wave => ({
        ...red,
        idx: red.idx + from,
        n: half,
        dt: red.dt + (from / RATE) * 1e6,
        bytes: encodeSamples(1, samples.slice(from, from + half), 0, half),
      });
      return [part(0), part(half), infrared!];
    });
    expect(cut).toEqual(whole);
  });
});

describe("pairing", () => {
  const shown = Array.from({ length: 200 }, (_, k) => ({ time: k * 500, ratio: k < 100 ? 0.5 : 1 }));
  const at = (time: number, lag = 0, average = 4) => pairUp([{ time: time * 1000, spo2: 90 }], shown, { lag, average });

  test("takes the mean of R about the time, and the lag off the reference's", () => {
    expect(at(20).pairs).toEqual([{ ratio: 0.5, spo2: 90 }]);
    expect(at(50).pairs[0]?.ratio).toBe((3 * 0.5 + 5 * 1) / 8);
    expect(at(60, 20).pairs[0]?.ratio).toBe(0.5);
    expect(at(40, -20).pairs[0]?.ratio).toBe(1);
  });

  test("gives no pair where R was not shown for three quarters of the window", () => {
    expect(at(-30)).toEqual({ pairs: [], unpaired: 1 });
    expect(at(0)).toMatchObject({ unpaired: 1 });
    expect(at(0.5)).toMatchObject({ unpaired: 0 });
    expect(at(200)).toMatchObject({ unpaired: 1 });
  });

  test("keeps whose it was", () => {
    const { pairs } = pairUp([{ time: 20_000, spo2: 90, subject: "anna" }], shown, { lag: 0, average: 2 });
    expect(pairs).toEqual([{ ratio: 0.5, spo2: 90, subject: "anna" }]);
  });
});

describe("the command", () => {
  test("prints the fits, writes the chosen one, and that is read again", async () => {
    const out = join(folder(), "finger-07.yaml");
    const { code, out: text } = await run(
      ...["--data", pairsFile(), "--id", "finger-07", "--out", out, "--date", "2026-01-31"],
    );
    expect(code).toBe(0);
    expect(text).toMatch(/^24 pairs, of 2; R 0\.450 to 1\.600, SpO2 69\.8 to 98\.95 %$/m);
    expect(text).toMatch(/^line +0\.\d\d .*chosen$/m);
    expect(text).toMatch(/^maxim-an6845 +\d\.\d\d +\d+\.\d\d +published$/m);
    expect(text).toContain("not a medical device");
    const file = readCalibrationFile(out);
    expect(file.calibration.id).toBe("finger-07");
    expect(file).toMatchObject({ pairs: 24, subjects: 2, date: "2026-01-31", spo2: [69.8, 98.95], ratio: [0.45, 1.6] });
    expect(file.data).toMatchObject({ file: "pairs.csv", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(file.error?.bySubject).toBeLessThan(0.5);
    const again = await run("--data", pairsFile(), "--id", "finger-07", "--out", out);
    expect([again.code, again.out]).toEqual([2, ""]);
    expect(again.all).toContain("it is there already");
  });

  test("--json prints one document; without --id nothing is written", async () => {
    const { code, out, all } = await run("--data", pairsFile(), "--json");
    expect([code, all]).toEqual([0, out]);
    expect(JSON.parse(out)).toMatchObject({ pairs: 24, unpaired: 0, id: null, file: null, chosen: { form: "line" } });
  });

  test("a device's stored light and a reference give its calibration", async () => {
    const store = join(folder(), "store.db");
    const kid = kidText(storeLight(store, light));
    const file = write("reference.csv", reference(3));
    const out = join(folder(), "clip.json");
    const options = ["--store", store, "--device", kid, "--reference", file];
    const { code, out: text } = await run(...options, "--lag", "3", "--id", "clip", "--out", out, "--json");
    expect(code).toBe(0);
    const document = JSON.parse(text);
    expect(document.pairs + document.unpaired).toBe(24);
    expect(document.pairs).toBeGreaterThan(20);
    const { calibration, data } = readCalibrationFile(out);
    if (!("curve" in calibration)) throw new Error("it is no line");
    expect(calibration.curve.linear).toBeCloseTo(-27, 0);
    expect(data).toMatchObject({ file: "reference.csv", device: kid, lag: 3, average: 4 });
    const other = { store, device: "0".repeat(16), reference: file };
    await expect(calibrate(other)).rejects.toThrow(`device ${"0".repeat(16)} shows no R`);
    const late = { store, device: kid, reference: write("late.csv", "time,spo2\n1,97\n") };
    await expect(calibrate(late)).rejects.toThrow(/at none of its 1 times does device/);
  });

  test("what it cannot read as a number is bad usage", async () => {
    const { code, out, all } = await run("--lag", "soon");
    expect([code, out]).toEqual([2, ""]);
    expect(all).toMatch(/'soon' is invalid. give a number/);
  });

  test.each<[CalibrateOptions, RegExp]>([
    [{}, /give --data FILE of pairs, or --store STORE --device KID --reference FILE/],
    [{ store: "s.db", device: "0".repeat(16) }, /give --data FILE/],
    [{ data: "PAIRS", lag: 2, store: "s.db" }, /--data holds pairs already; leave out --store, --lag/],
    [{ data: "PAIRS", out: "x.yaml" }, /--out needs --id/],
    [{ data: "PAIRS", id: "a", out: "x.txt" }, /--out x.txt: name it .yaml or .json/],
    [{ data: "PAIRS", id: "Finger 7" }, /--id: calibration "Finger 7": an id is 1 to 32/],
    [{ data: "PAIRS", id: "maxim-an6845" }, /--id: .*a published curve has this name/],
    [{ data: "PAIRS", date: "today" }, /--date today: give a day/],
    [{ data: "absent.csv" }, /absent.csv: no such file/],
    [{ store: "absent.db", device: "0".repeat(16), reference: "PAIRS" }, /no column "time"/],
    [{ store: "absent.db", device: "0".repeat(16), reference: "TIMES" }, /--store absent.db: no such file/],
    [{ store: "TIMES", device: "clip", reference: "TIMES" }, /--device clip: a kid is 16 hex digits/],
    [{ store: "s.db", device: "0".repeat(16), reference: "TIMES", average: 1 }, /--average 1: give 2 to 4 s/],
    [{ store: "s.db", device: "0".repeat(16), reference: "TIMES", lag: 121 }, /--lag 121: give -120 to 120 s/],
  ])("%j is bad usage", async (given, message) => {
    const files = { PAIRS: pairsFile(), TIMES: write("times.csv", "time,spo2\n1,97\n") };
    const path = (name: string | undefined) => files[name as keyof typeof files] ?? name;
    const options = Object.entries(given).map(([key, value]) => [key, typeof value === "string" ? path(value) : value]);
    const refused = calibrate(Object.fromEntries(options));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(UsageError);
    expect(existsSync("x.yaml")).toBe(false);
  });

  test("pairs that make no calibration are a failure that names the file", async () => {
    const refused = calibrate({ data: write("few.csv", "ratio,spo2\n0.5,97\n") });
    await expect(refused).rejects.toThrow(/few.csv: 1 pairs; at least 10 are needed/);
    await expect(refused).rejects.not.toBeInstanceOf(UsageError);
  });

  test("what is written is in the file as it stands in the text", async () => {
    const out = join(folder(), "a.json");
    expect((await run("--data", pairsFile(), "--id", "a", "--out", out)).code).toBe(0);
    const { date, curve, id } = JSON.parse(readFileSync(out, "utf8"));
    expect([date, id, curve.square]).toEqual([undefined, "a", 0]);
  });
});
