/** The measured day, as long as CI has time for: minutes; and that it counts what it says it counts. */
import { expect, test } from "vitest";
import { createVirtualClock } from "../../boards/simulated.ts";
import { createDayBoard, offline } from "../../tools/outbox-day/board.ts";
import { type DaySettings, type Measured, measureOffline, measureOnline } from "../../tools/outbox-day/measure.ts";
import { report } from "../../tools/outbox-day/tables.ts";
import { lacks } from "../support/needs.ts";
import { readLead } from "../support/recorded-lead.ts";

const SETTINGS: DaySettings = {
  profile: "lead",
  rate: 128,
  packet: { period: 1000, codec: "rice" },
  mode: "mac",
  hours: 1 / 6,
  pages: null,
  writeAfter: 0,
  markEvery: 10_000,
};

/** Every written byte has a purpose that is known. */
const partsOf = ({ tally }: Measured) =>
  tally.sealed + tally.headers + tally.extras + tally.ends + tally.markBytes + tally.moved + tally.pages;

test.skipIf(lacks("recordings"))("ten minutes of a recorded ECG cost what forecast and layout say, within 5 %", () => {
  const rate = 360;
  const { counts, microvoltsPerCount } = readLead("208", rate);
  const millivolts = Float64Array.from(counts, (count) => (count * microvoltsPerCount) / 1000);
  const recording = { millivolts, rate, period: (millivolts.length - 1) / rate };
  for (const [codec, lead] of [
    ["rice", 128],
    ["rice", 256],
    ["delta", 128],
    ["raw24", 128],
  ] as const) {
    const settings: DaySettings = {
      ...SETTINGS,
      rate: lead,
      packet: { period: 1000, codec },
      recording,
      record: "208",
    };
    const { tally, arithmetic } = measureOffline(settings);
    expect(Math.abs((600 * arithmetic.sealed) / tally.sealed - 1), `${codec} ${lead}`).toBeLessThan(0.05);
    expect(Math.abs((600 * arithmetic.written) / tally.written - 1), `${codec} ${lead}`).toBeLessThan(0.05);
  }
});

test("ten minutes of a computed ECG, which is smoother, cost no more than the forecast says; a byte in six is the log's own", () => {
  const day = measureOffline(SETTINGS);
  const { tally, arithmetic } = day;
  const seconds = 600;
  expect(tally.kinds[1]!.messages).toBe(600);
  expect(tally.kinds[2]!.messages).toBe(10);
  for (const ratio of [arithmetic.sealed / tally.sealed, arithmetic.written / tally.written]) {
    expect(ratio * seconds).toBeGreaterThan(1);
    expect(ratio * seconds).toBeLessThan(1.15);
  }
  expect(day.amplification).toBeGreaterThan(1.15);
  expect(day.amplification).toBeLessThan(1.25);
  expect(partsOf(day)).toBe(tally.written);
  // nothing had to go, and no page was needed twice
  expect([day.holds, day.wear.most, tally.moved]).toEqual([null, 1, 0]);
  expect(report([day])).toContain("| one lead, ECG 128 Hz, rice, 1 s, mac |");
});

test("a log that is too small wears evenly while it evicts, and holds what a birth promises", () => {
  const day = measureOffline({ ...SETTINGS, mode: "sign", pages: 12 });
  const { tally, wear, promised } = day;
  expect(partsOf(day)).toBe(tally.written);
  expect(day.amplification).toBeLessThan(1.15);
  expect(wear.mean).toBeGreaterThan(3);
  expect(wear.most - wear.least).toBeLessThanOrEqual(1);
  // where the birth is
  expect(wear.staying).toBe(1);
  // the reserve, the open pages and the ends of pages hold nothing
  expect(day.holds).toBeGreaterThan(0.6 * promised.taken);
  expect(day.holds).toBeLessThan(1.1 * promised.taken);
});

test("while somebody hears, what no ack waits for is never written: marks alone", () => {
  const day = measureOnline({ ...SETTINGS, hours: 1 / 30, pages: 12, writeAfter: 30_000 });
  expect(day.tally.messages).toBe(0);
  expect(day.tally.marks).toBeGreaterThanOrEqual(11);
  expect(day.tally.marks).toBeLessThanOrEqual(24);
  expect(partsOf(day)).toBe(day.tally.written);
  expect(report([day])).toContain("marks every 10 s");
});

test("what is tallied is what the flash was given", () => {
  const clock = createVirtualClock();
  const board = createDayBoard({ ...SETTINGS, clock, pages: 8, link: offline, gateways: [] });
  board.runtime.start();
  clock.runUntil(60.5e6);
  expect(board.tally.written).toBe(board.flash.bytesWritten);
  expect(board.tally.erasures).toBe(board.flash.wear.reduce((sum, one) => sum + one, 0));
  expect(board.tally.messages).toBe(board.runtime.produced);
});
