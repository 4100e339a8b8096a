import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeTemperature } from "../../../cli/evaluate/temperature.ts";
import type { TemperatureDocument } from "../../../simulator/evaluate/temperature.ts";
import { chips, type Story, warm } from "../../../simulator/evaluate/temperature-signals.ts";
import { createRandom } from "../../../simulator/index.ts";
import { temperaturePage, temperatureShort } from "../../../tools/accuracy-page-light.ts";
import { table } from "../../../tools/accuracy-sections.ts";
import { holds } from "../../support/accuracy-page.ts";
import { killAll, vitalwire } from "../../support/process.ts";

afterEach(killAll);

const [tmp117] = chips;
const story: Story = { name: "on", seconds: 600, contacts: [[20, 500]] };
const read = (more: Partial<Story> = {}, timeConstant = 30, seed = 1) => [
  ...warm(tmp117!, { ...story, ...more }, timeConstant, createRandom(seed)),
];

describe("a synthetic thermometer", () => {
  test("is the room's, warms up to the truth with its time constant, and cools when it is taken off", () => {
    const readings = read();
    expect(readings).toHaveLength(600);
    expect(readings[19]).toMatchObject({ truth: null, contact: null, reading: expect.closeTo(23, 1) });
    const truth = readings[50]!.truth!;
    expect(readings[50]?.contact).toBe(20);
    expect((truth - readings[49]!.reading) / (truth - 23)).toBeCloseTo(Math.exp(-1), 1);
    expect(Math.abs(readings[499]!.reading - readings[499]!.truth!)).toBeLessThan(0.02);
    expect(readings[500]?.truth).toBeNull();
    expect(readings[590]!.reading).toBeLessThan(readings[500]!.reading - 5);
  });

  test("a slow part takes four times as long", () => {
    const [quick, mixed] = [read(), read({ slow: 0.2 })];
    const left = (readings: typeof quick, at: number) => readings[at]!.truth! - readings[at]!.reading;
    expect(left(mixed, 200) / (mixed[200]!.truth! - 23)).toBeCloseTo(0.2 * Math.exp(-181 / 120), 2);
    expect(left(quick, 200)).toBeLessThan(0.1);
  });

  test("its chip has steps, spikes and a place where it is stuck", () => {
    const readings = read({ spikes: 0.1, stuck: [300, 320] });
    for (const { reading } of readings) expect(Number.isInteger(reading / tmp117!.step)).toBe(true);
    const plain = read();
    const changed = readings.filter(({ reading }, k) => Math.abs(reading - plain[k]!.reading) > 0.4);
    expect(changed.length).toBeGreaterThan(50);
    expect(changed.length).toBeLessThan(110);
    for (let k = 300; k < 320; k++) expect(readings[k]?.reading).toBe(tmp117!.maximum);
  });
});

describe("evaluate temperature", () => {
  let document: TemperatureDocument;
  /** Once, through the command, as the page has it: it takes its time. */
  beforeAll(async () => {
    const running = vitalwire("evaluate", "temperature", "--compare", "--json");
    expect(await running.ended(110_000)).toBe(0);
    expect(running.output()).toBe(running.stdout());
    document = JSON.parse(running.stdout());
  }, 120_000);
  const of = (groups: TemperatureDocument["stories"], name: string) => groups.find((group) => group.name === name)!;

  test("what is shown as settled is within 0.04 K RMS of the truth; of sensors up to 60 s, less than 1 % is wrong", () => {
    expect(document.rms).toBeLessThan(0.04);
    expect(document.wrong).toBeLessThan(2.5);
    for (const name of ["10 s", "30 s", "60 s"]) expect(of(document.timeConstants, name).wrong).toBeLessThan(1);
    for (const { settled } of document.stories) expect(settled).toBeGreaterThan(55);
  });

  test("a quick sensor settles within 160 s; a new contact is noticed within 10 s, by the noisiest chip within 15", () => {
    expect(of(document.timeConstants, "10 s").settledAfter).toBeLessThan(160);
    expect(of(document.timeConstants, "300 s").settledAfter).toBeGreaterThan(1200);
    expect(of(document.stories, "put on after an hour in the room").unnoticed).toBeGreaterThan(0);
    for (const { name, unnoticed } of document.chips)
      expect(unnoticed).toBeLessThanOrEqual(name.startsWith("MLX90614 BCC") ? 15 : 10);
  });

  test("predictions are counted apart from what is shown", () => {
    const putOn = of(document.stories, "put on");
    expect(putOn.predicted.coverage).toBeGreaterThan(50);
    expect(putOn.predicted.rms).toBeGreaterThan(putOn.rms!);
    expect(putOn.predicted.rms).toBeLessThan(1);
  });

  test("the bare reading and the plain mean have no flag, and are worse where this one is settled", () => {
    expect(document.peers?.map(({ name }) => name)).toEqual(["reading", "mean of 8"]);
    for (const peer of document.peers!) {
      expect(peer.whereSettled.rms).toBeGreaterThan(document.rms!);
      expect(peer.always.rms).toBeGreaterThan(document.always.rms!);
    }
  });

  test("every story, chip and time constant has its row", () => {
    const { stories, timeConstants, rows } = document;
    expect(rows).toHaveLength(stories.length * chips.length * timeConstants.length);
    for (const { rms, max } of rows) expect(rms === null ? max : max! - rms).toSatisfy((x) => x === null || x >= 0);
  });

  test("docs/accuracy.md holds it", () => {
    holds(temperaturePage({ temperature: document }));
    holds(table(["", ""], temperatureShort({ temperature: document })).slice(2));
  });

  test("the text says what the figures are", () => {
    const text = describeTemperature(document).join("\n");
    expect(text).toMatch(/^all +0\.0\d\d +\d\.\d{3} /m);
    expect(text).toMatch(/^mean of 8 +\d/m);
    expect(text).toContain("never shown as a value");
    expect(text).not.toContain("NaN");
  });
});
