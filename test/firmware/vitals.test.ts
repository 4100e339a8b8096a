/** Vitals as the record holds them, against what is true of the synthetic patient. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWard, type Ward } from "../../cli/ward.ts";
import {
  createBlock,
  FLAG_BUS_FAULT,
  FLAG_LEAD_OFF,
  FLAG_SETTLING,
  FLAG_TEST_SIGNAL,
  FLAG_UNCALIBRATED,
} from "../../drivers/driver.ts";
import { max30003, max30102, mlx90614, tmp117 } from "../../drivers/index.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { readBoot, toPhysical } from "../../gateway/read.ts";
import {
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_RR_INTERVAL,
  MDC_SPO2,
  MDC_TEMP,
  MDC_TEMP_AXILLA,
  MDC_TEMP_SKIN,
  MDC_TEMPERATURE,
  qualFlags,
  qualSqi,
} from "../../protocol/messages.ts";
import { createPatient } from "../../simulator/index.ts";

const SECONDS = 60;
const SEED = 5;
let ward: Ward;
beforeAll(async () => {
  ward = await createWard({ boards: 1, seed: SEED, noise: true, epoch: 1_767_225_600_000 });
  await ward.start();
  await ward.runLockStep(SECONDS * 1e6, () => false);
  await ward.stopBoards();
});
afterAll(() => ward.stop());

const series = (mdc: number) => {
  const { node } = ward.boards[0];
  const stored = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
  const channel = [...stored.channels.values()].find(({ definition }) => definition.mdc === mdc)!;
  return channel.values.map(({ time, raw, qual }) => ({
    at: time / 1e6,
    value: raw === null ? null : toPhysical(channel.definition, raw),
    flags: qualFlags(qual),
  }));
};
const { truth } = createPatient({ seed: SEED, index: 0 });

test.each([
  ["heart rate", MDC_HEART_RATE, truth.heartRate, 4],
  ["pulse rate", MDC_PULSE_RATE, truth.heartRate, 4],
  ["SpO2", MDC_SPO2, truth.spo2, 1],
  ["perfusion index", MDC_PERFUSION_INDEX, truth.perfusionIndex, 0.5],
])(
  "%s comes once a second; null and settling at first, then close to what is true",
  (_name, mdc, expected, tolerance) => {
    const values = series(mdc);
    expect(values.length).toBeGreaterThanOrEqual(SECONDS - 2);
    expect(values[0]).toMatchObject({ value: null });
    for (const { value, flags } of values) if (value === null) expect(flags & FLAG_SETTLING).not.toBe(0);
    const settled = values.filter(({ at }) => at > 15);
    expect(settled.every(({ value }) => value !== null)).toBe(true);
    const mean = settled.reduce((sum, { value }) => sum + value!, 0) / settled.length;
    expect(Math.abs(mean - expected)).toBeLessThan(tolerance);
  },
);

test("intervals between beats come with the beats' own times, in ms, and with the quality of their signal", () => {
  const { node } = ward.boards[0];
  const stored = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
  const channel = [...stored.channels.values()].find(({ definition }) => definition.mdc === MDC_RR_INTERVAL)!;
  expect(channel.definition).toMatchObject({ ucum: "ms", rateMilliHz: 0, attributes: { processing: 2 } });
  const found = channel.values.map(({ time, raw, qual }) => ({
    at: time / 1e6,
    seconds: toPhysical(channel.definition, raw!) / 1000,
    quality: qualSqi(qual),
  }));
  const mean = found.reduce((sum, { seconds }) => sum + seconds, 0) / found.length;
  expect(Math.abs(60 / mean - truth.heartRate)).toBeLessThan(2);
  found.forEach(({ at, seconds }, k) => {
    if (k > 0) expect(at - found[k - 1]!.at).toBeCloseTo(seconds, 3);
  });
  const late = found.filter(({ at }) => at > 30);
  expect(late.length).toBeGreaterThan(20);
  for (const { quality } of late) expect(quality!).toBeGreaterThan(50);
});

test("SpO2 by a curve that is not this device's own is always flagged as uncalibrated", () => {
  for (const { value, flags } of series(MDC_SPO2)) if (value !== null) expect(flags & FLAG_UNCALIBRATED).not.toBe(0);
});

test("a thermometer that is still warming up gives its true readings, flagged as settling", () => {
  const values = series(MDC_TEMPERATURE);
  expect(values.length).toBeGreaterThanOrEqual(SECONDS - 2);
  expect(values.at(-1)!.value! - values[0].value!).toBeGreaterThan(3);
  for (const { flags } of values) expect(flags & FLAG_SETTLING).not.toBe(0);
});

test("the temperature is the mean of the chip's readings, under the code of its site, no hotter and settling as long as they", () => {
  const readings = series(MDC_TEMPERATURE);
  const values = series(MDC_TEMP_AXILLA);
  expect(values.length).toBeGreaterThanOrEqual(SECONDS - 2);
  expect(values[0]).toEqual({ at: expect.anything(), value: null, flags: FLAG_SETTLING });
  values.slice(4).forEach(({ at, value, flags }) => {
    const reading = readings.findLast((one) => one.at <= at)!;
    expect(value!).toBeLessThanOrEqual(reading.value! + 0.02);
    expect(value!).toBeGreaterThan(readings[0]!.value! - 0.02);
    expect(flags).toBe(FLAG_SETTLING);
  });
});

/** One thermometer, a reading a second; what the vital is after each. */
function warm(chip: typeof tmp117 | typeof mlx90614, name: string, site: string, raws: readonly number[]) {
  const channels = chip.create({} as never, {}).channels();
  const place = channels.findIndex((one) => one.name === name);
  const vitals = createVitals([{ channels, site }]);
  const block = createBlock(1);
  const [definition] = vitals.definitions(0);
  const shown = raws.map((raw, second) => {
    block.samples[0] = raw;
    Object.assign(block, { count: 1, time: second * 1e6 });
    vitals.take(0, place, block);
    return readAll(vitals, second * 1e6 + 1000)[0]!;
  });
  return { vitals, definition: definition!, shown };
}

test("skin and body are told apart by the site, in Cel whatever the chip's unit", () => {
  const body = warm(tmp117, "temperature", "axilla", Array(100).fill(37 * 128));
  expect(body.definition).toMatchObject({ mdc: MDC_TEMP_AXILLA, ucum: "Cel", attributes: { site: "axilla" } });
  expect(body.shown.at(-1)).toEqual([3700, 0]);
  const skin = warm(mlx90614, "object", "forehead", Array(400).fill(Math.round((34 + 273.15) * 50)));
  expect(skin.definition).toMatchObject({ mdc: MDC_TEMP_SKIN, ucum: "Cel", attributes: { site: "forehead" } });
  expect(skin.shown.at(-1)![0]! / 100).toBeCloseTo(34, 1);
  expect(warm(tmp117, "temperature", "pocket", [0]).definition.mdc).toBe(MDC_TEMP);
});

test("a thermometer that has been silent for longer than three readings has no temperature", () => {
  const { vitals, shown } = warm(tmp117, "temperature", "axilla", Array(100).fill(37 * 128));
  expect(shown.at(-1)![0]).toBe(3700);
  expect(readAll(vitals, 99e6 + 2.9e6)[0]![0]).toBe(3700);
  expect(readAll(vitals, 99e6 + 3.1e6)[0]).toEqual([null, FLAG_BUS_FAULT]);
});

const ecg = max30003.create({}, {}).channels();
const light = max30102.create({}, {}).channels();
const readAll = (vitals: ReturnType<typeof createVitals>, now: number) => {
  const all: [number | null, number][] = [];
  vitals.read(now, (index, value, flags) => {
    all[index] = [value, flags];
  });
  return all;
};

test("a lead that is off makes the heart rate null with its flag at once, and no beat of before counts afterwards", () => {
  const vitals = createVitals([{ channels: ecg }]);
  const block = createBlock(256);
  block.count = 256;
  let time = 0;
  const feed = (flags: number) => {
    // A spike of 1 mV every 0.8 s.
    for (let i = 0; i < 256; i++) {
      const phase = (time / 1e6 + i / 256) % 0.8;
      block.samples[i] = phase < 0.06 ? Math.round(2620 * (1 - Math.abs(phase - 0.03) / 0.03)) : 0;
    }
    Object.assign(block, { time, flags });
    vitals.take(0, 0, block);
    time += 1e6;
  };
  for (let i = 0; i < 12; i++) feed(0);
  expect(readAll(vitals, time)[0][0]).toBeCloseTo(750, -1);
  feed(FLAG_LEAD_OFF);
  expect(readAll(vitals, time)).toEqual([[null, FLAG_LEAD_OFF]]);
  feed(0);
  expect(readAll(vitals, time)[0]).toEqual([null, FLAG_SETTLING]);
});

test("a chip that has given nothing for three seconds gives no vital, and says that it is the bus", () => {
  const vitals = createVitals([{ channels: light }]);
  expect(readAll(vitals, 10e6)).toEqual([
    [null, FLAG_BUS_FAULT],
    [null, FLAG_BUS_FAULT],
    [null, FLAG_BUS_FAULT],
  ]);
});

test("a test signal has no heart rate, however much its waves look like beats", () => {
  const channels = max30003.create({}, {}).channels();
  const vitals = createVitals([{ channels }]);
  const read = () => {
    const got: [number | null, number][] = [];
    vitals.read(20e6, (_, value, flags) => got.push([value, flags]));
    return got[0];
  };
  const feed = (flags: number) => {
    const block = createBlock(256);
    for (let second = 0; second < 20; second++) {
      for (let i = 0; i < 256; i++) block.samples[i] = Math.max(0, 3000 - 500 * Math.abs(i - 100));
      Object.assign(block, { count: 256, index: 256 * second, time: second * 1e6, flags });
      vitals.take(0, 0, block);
    }
  };
  feed(0);
  expect(read()[0]).not.toBe(null);
  feed(FLAG_TEST_SIGNAL);
  expect(read()).toEqual([null, FLAG_TEST_SIGNAL]);
});
