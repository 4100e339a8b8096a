/** `vitalwire bench dsp` as a person or a program meets it. Nothing here holds a time: another program may be running. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { bench, type Figure, figure, Unavailable } from "../../cli/bench/bench.ts";
import { type CostDocument, dspFigures } from "../../cli/bench/dsp.ts";
import { whatFits } from "../../cli/bench/profiles.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { drawSignals, inInterpreter, type CostDocument as Measured, statementsOf } from "../../tools/dsp-cost.ts";
import { objects } from "../../tools/dsp-objects.ts";
import { board } from "../../tools/dsp-work.ts";
import { lacks } from "../support/needs.ts";
import { killAll, vitalwire } from "../support/process.ts";

const signals = drawSignals();

afterEach(() => {
  killAll();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Runs it in this process; what it wrote, and the exit code that it leaves. */
async function benched(name: string | undefined, json: boolean, all: Parameters<typeof bench>[2]) {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += text;
      return true;
    });
  }
  try {
    await bench(name, { json }, all);
  } finally {
    vi.restoreAllMocks();
  }
  return { ...written, code: process.exitCode ?? 0 };
}

const giving =
  (...figures: Figure[]) =>
  async () =>
  async () =>
    figures;
const lacking = (what: string) => async () => async () => {
  throw new Unavailable(what);
};

test("bench dsp --json prints one document: every object's statements, state and time, all above 0", async () => {
  vi.stubEnv("ESPRUINO_BIN", undefined);
  const running = vitalwire("bench", "dsp", "--json");
  expect(await running.ended(60_000)).toBe(0);
  const figures = JSON.parse(running.stdout()) as Figure[];
  expect(running.output()).toContain("no Espruino interpreter (set ESPRUINO_BIN)");
  for (const one of figures) {
    expect(Object.keys(one)).toEqual(["name", "value", "unit", "limit", "limitValue", "ratio"]);
    expect(one.value, one.name).toBeGreaterThan(0);
  }
  const names = figures.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name } of objects) {
    expect(names).toEqual(expect.arrayContaining([`${name}: statements`, `${name}: state`, `${name}: Node`]));
  }
  const limited = figures.filter(({ limit }) => limit !== null);
  expect(limited.map(({ name, limitValue, unit }) => [name, limitValue, unit])).toEqual([
    ["QRS detector, 128 hz: statements", 55, "1/sample"],
    ["QRS detector, 256 hz: statements", 55, "1/sample"],
    ["oximeter, 100 hz: statements", 45, "1/sample"],
    ["pulse detector, 50 hz: statements", 45, "1/sample"],
    ["three sensors, vitals, at 1.5 us/turn (estimated from statements)", 25, "ms/s"],
  ]);
  for (const { value, limitValue, ratio } of limited) expect(ratio).toBeCloseTo(value / limitValue!, 2);
  // The same as counted here and now.
  const again = statementsOf(objects[0]!, signals);
  expect(figures[0]).toMatchObject({ name: `${objects[0]!.name}: statements`, value: Number(again.toPrecision(4)) });
});

test("the patient that they work on has a heart rate, a pulse, a saturation", () => {
  const vitals = createVitals(board);
  const last: (number | null)[] = [];
  const read: typeof vitals.read = (now) =>
    vitals.read(now, (index, value) => {
      last[index] = value;
    });
  const work = objects.find(({ name }) => name === "three sensors, vitals")!.open(() => ({ ...vitals, read }), signals);
  work.run(0, work.length);
  expect(last.length).toBeGreaterThanOrEqual(4);
  expect(last).not.toContain(null);
});

test("statements are the same whenever they are counted", () => {
  for (const one of objects.slice(0, 3)) expect(statementsOf(one, signals)).toBe(statementsOf(one, signals));
});

/** What the program would print of one object. */
const cost = (
  name: string,
  statements: number,
  microseconds: number,
  emptyLoop: number,
): Measured["objects"][number] => ({
  name,
  unit: "s",
  statements,
  stateBytes: 8,
  nanoseconds: 1,
  espruino: { variables: 1, microseconds, emptyLoop },
});
const beyond = (document: CostDocument) => dspFigures(document).filter(({ ratio }) => ratio !== null && !(ratio <= 1));

test("limits: 55 statements for a QRS detector, 45 for the oximeter, 25 ms a second at 1.5 us a turn for the board", () => {
  const document = (qrs: number, oximeter: number, vitals: number) => ({
    emptyLoop: 1,
    objects: [
      cost("QRS detector, 128 hz", qrs, 1, 3),
      cost("oximeter, 100 hz", oximeter, 1, 3),
      cost("three sensors, vitals", 1e6, vitals, 3),
      cost("respiration meter", 1e6, 1000, 3),
      cost("three sensors, packing, rice", 1e6, 2000, 3),
    ],
  });
  expect(beyond(document(55, 45, 50_000))).toEqual([]);
  expect(beyond(document(56, 45, 50_000)).map(({ name }) => name)).toEqual(["QRS detector, 128 hz: statements"]);
  expect(beyond(document(55, 46, 50_000)).map(({ name }) => name)).toEqual(["oximeter, 100 hz: statements"]);
  expect(beyond(document(55, 45, 51_000))).toMatchObject([{ value: 25.5, unit: "ms/s", limitValue: 25 }]);
  const figures = dspFigures(document(55, 45, 50_000));
  const named = (name: string) => figures.find((one) => one.name === name);
  expect(named("three sensors, packing, rice, at 1.5 us/turn")).toMatchObject({ value: 1, limit: null });
  expect(named("profile full, rice, x20: busy")).toMatchObject({ value: 53, unit: "%", limit: null });
  expect(named("profile vitals, x20: busy")).toMatchObject({ value: 50 });
});

test("a board whose time is missing is beyond its limit, not within it", () => {
  expect(beyond({ emptyLoop: 1, objects: [cost("QRS detector", 1, 1, 1)] })).toHaveLength(1);
});

test("without an interpreter a board's time is estimated from its statements, and says so", () => {
  const { espruino: _, ...rest } = cost("three sensors, vitals", 10_000, 1, 1);
  const figures = dspFigures({ emptyLoop: 1, objects: [{ ...rest, espruino: null }] });
  const found = figures.find(({ name }) => name.startsWith("three sensors, vitals, at 1.5 us/turn"))!;
  expect(found.name).toContain("estimated from statements");
  expect(found.value).toBeGreaterThan(10);
  expect(found.value).toBeLessThan(25);
});

test("what does not fit on a slower board is named, with the profile that drops it", () => {
  const [x10, x20, x50] = whatFits({ vitals: 40, respiration: 0, packing: { rice: 30, delta: 20 } });
  expect(x10).toBe("a processor 10 times slower: profile full, rice fits, 70 % busy, more than half of its time");
  expect(x20).toMatch(
    /vitals fits, 80 % busy, .*without waveforms and respiration \(too much: full, rice 140 %; full, delta 120 %\)$/,
  );
  expect(x50).toMatch(/raw, delta fits, 100 % busy.*without vitals.*vitals 200 %; raw, rice 150 %\)$/);
  expect(whatFits({ vitals: 4000, respiration: 0, packing: { rice: 3000 } })[0]).toMatch(
    /nothing fits.*raw, rice \(3000 %\)/,
  );
});

describe("bench", () => {
  test("ends with 1 where a figure is beyond its limit, and says which", async () => {
    const figures = [figure("good", 2, "1/s", ["at most", 2]), figure("bad", 3, "1/s", ["at most", 2])];
    const { code, stdout } = await benched("dsp", false, { dsp: giving(...figures) });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^good +2 1\/s +at most 2 1\/s\nbad +3 1\/s +at most 2 1\/s {2}BEYOND\n$/);
  });

  test("ends with 0 where all are within theirs", async () => {
    const { code, stdout } = await benched("dsp", true, { dsp: giving(figure("good", 2, "1/s", ["at most", 2])) });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { name: "good", value: 2, unit: "1/s", limit: "at most", limitValue: 2, ratio: 1 },
    ]);
  });

  test("without a name runs all there is, in one document, and says what it left out", async () => {
    const all = {
      a: giving(figure("a", 1, "", null)),
      b: lacking("b needs a browser"),
      c: giving(figure("c", 2, "", null)),
    };
    const { code, stdout, stderr } = await benched(undefined, true, all);
    expect(JSON.parse(stdout).map(({ name }: Figure) => name)).toEqual(["a", "c"]);
    expect([code, stderr]).toEqual([0, "left out: b needs a browser\n"]);
  });

  test("fails where what was asked for cannot be measured, or nothing can", async () => {
    await expect(benched("a", true, { a: lacking("a needs a browser") })).rejects.toThrow("a needs a browser");
    await expect(benched(undefined, true, { a: lacking("x") })).rejects.toThrow("nothing can be measured here");
  });

  test("refuses a name that there is not, with those that there are", async () => {
    const running = vitalwire("bench", "wirr");
    expect(await running.ended()).toBe(2);
    expect(running.output()).toContain("bench wirr: there is none of this name yet; there are dsp, latency, wire");
  });
});

describe.skipIf(lacks("espruino"))("in the interpreter", () => {
  test.each(["temperature filter", "three sensors, vitals"])("%s runs, and is timed", (name) => {
    const one = objects.find((object) => object.name === name)!;
    const { variables, microseconds, emptyLoop } = inInterpreter(one, signals);
    expect(variables).toBeGreaterThan(10);
    expect(microseconds).toBeGreaterThan(0);
    expect(emptyLoop).toBeGreaterThan(0);
  });
});
