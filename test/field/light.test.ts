/** Complaints about the light of a finger (FAULTS.md 1, 2, 6, 7), from the registers to the record. */
import { expect, test } from "vitest";
import { type Driver, FLAG_MOTION, FLAG_OFF_BODY, FLAG_SATURATED } from "../../drivers/driver.ts";
import { max30102 } from "../../drivers/index.ts";
import { EVENT_CONTACT, MDC_PULSE_RATE, MDC_SPO2 } from "../../protocol/messages.ts";
import type { FaultEntry } from "../../simulator/faults.ts";
import { desaturation } from "../../simulator/story.ts";
import { patientOf, record, type Told, type World } from "./board.ts";
import { holds } from "./holds.ts";
import { sketch } from "./naive.ts";

const chip = "max30102";
/** The fault lasts from 20 to 40 s of 60. */
const BEGIN = 20;
const END = 40;
const during = (kind: "finger-off" | "noise-burst" | "stuck-value" | "motion"): FaultEntry => ({
  kind,
  chip,
  at: BEGIN,
  for: END - BEGIN,
});
const { heartRate, spo2 } = patientOf({}).truth;
const within = <T extends { readonly time: number }>(told: readonly T[], from: number, to: number) =>
  told.filter(({ time }) => time > from && time <= to);
const values = (told: readonly Told[]) => told.flatMap(({ value }) => (value === null ? [] : [value]));

holds(1, ({ entry, heard }) => {
  // a finger of 97 %, all the time
  const world: World = {
    story: desaturation({ from: 97, to: 97 }),
    faults: [{ kind: "swapped-leds", chip, at: 0, for: 1000 }],
  };
  const theirs = within(sketch(world, 35), 5, 35).map((one) => one.spo2);
  for (const shown of theirs) expect(Math.abs(shown - 71)).toBeLessThan(3);

  const ours = record(world, 35);
  expect(values(ours.vital(MDC_SPO2))).toEqual([]);
  expect(ours.faults()).toEqual(entry.says);
  heard(...ours.faults());
  expect(values(ours.vital(MDC_PULSE_RATE)).length).toBeGreaterThan(25);

  // as the sentence says it: the same board, with that line in its configuration
  const [, setting, value] = /set (\w+): (true|false)$/.exec(entry.says[0]!)!;
  const line = { sampleRate: 100, [setting!]: value === "true" };
  const mended = record(world, 35, {
    wrapDriver: (driver) =>
      driver.model === "MAX30102" ? (max30102.create(line, { interrupt: true }) as Driver) : driver,
  });
  expect(mended.faults()).toEqual([]);
  const saturations = values(mended.vital(MDC_SPO2));
  expect(saturations.length).toBeGreaterThan(25);
  for (const saturation of saturations) expect(Math.abs(saturation - 97)).toBeLessThan(1);
});

test("line 1: swapped LEDs are found from 94 % up; further down they look like the blood of another finger", () => {
  const swapped = (saturation: number) =>
    record(
      {
        story: desaturation({ from: saturation, to: saturation }),
        faults: [{ kind: "swapped-leds", chip, at: 0, for: 1000 }],
      },
      15,
    );
  const found = swapped(94);
  expect(values(found.vital(MDC_SPO2))).toEqual([]);
  expect(found.faults()).toEqual(["MAX30102: red and infrared are swapped; set swapLeds: true"]);
  // 1 / R of such a finger is the R of another: no flag can say so, the page does
  for (const [truth, reads] of [
    [90, 63],
    [85, 74],
    [75, 84],
  ] as const) {
    const shown = values(swapped(truth).vital(MDC_SPO2));
    expect(shown.length).toBeGreaterThan(5);
    for (const one of shown) expect(Math.abs(one - reads), `${truth} %`).toBeLessThan(1);
  }
});

holds(2, ({ heard }) => {
  const causes: readonly { readonly fault: FaultEntry; readonly theirs: (spo2: number) => boolean; why: number }[] = [
    { fault: during("stuck-value"), theirs: (one) => one === -999, why: 0 },
    { fault: during("noise-burst"), theirs: (one) => one < spo2 - 8 && one > 50, why: FLAG_MOTION },
    { fault: during("finger-off"), theirs: (one) => one < spo2 - 3 && one > 50, why: FLAG_OFF_BODY },
    {
      fault: { kind: "saturation", chip, at: BEGIN, for: END - BEGIN },
      theirs: (one) => one === -999,
      why: FLAG_SATURATED,
    },
  ];
  for (const { fault, theirs, why } of causes) {
    const world: World = { faults: [fault] };
    // what was measured before is in nobody's window any more
    const shown = within(sketch(world, END), BEGIN + 6, END).map((one) => one.spo2);
    expect(shown.length, fault.kind).toBeGreaterThan(10);
    expect(shown.filter(theirs), fault.kind).toEqual(shown);

    const ours = record(world, END);
    const told = within(ours.vital(MDC_SPO2), BEGIN + 6, END);
    expect(told, fault.kind).toHaveLength(END - BEGIN - 6);
    for (const { value, flags } of told) {
      expect(value, fault.kind).toBeNull();
      expect(flags, fault.kind).not.toBe(0);
      expect(flags & why, fault.kind).toBe(why);
    }
    heard(...ours.monitor());
  }
});

holds(6, ({ heard }) => {
  const world: World = { faults: [during("finger-off")] };
  const shown = within(sketch(world, END), BEGIN + 1, END);
  // not one second without a number, and most rates are no heart's
  expect(shown.every(({ rate, spo2: one }) => rate !== null && one > 0)).toBe(true);
  expect(shown.filter(({ rate }) => rate! > 200).length).toBeGreaterThan(10);

  const ours = record(world, 60);
  for (const mdc of [MDC_PULSE_RATE, MDC_SPO2]) {
    const vital = ours.vital(mdc);
    expect(values(within(vital, BEGIN, END))).toEqual([]);
    for (const { flags } of within(vital, BEGIN, END)) expect(flags & FLAG_OFF_BODY).toBe(FLAG_OFF_BODY);
    expect(values(within(vital, END + 6, 60)).length).toBe(60 - END - 6);
  }
  // gone, there again, its pulse is there again
  expect(ours.eventsOf(EVENT_CONTACT).map(({ small }) => (small as number[])[1])).toEqual([2, 1, 0]);
  heard(...ours.monitor());
});

holds(7, ({ heard }) => {
  const world: World = { faults: [during("motion")] };
  const shown = within(sketch(world, END), BEGIN + 2, END).map(({ rate }) => rate!);
  const wrong = shown.filter((rate) => Math.abs(rate - heartRate) > 10);
  expect(wrong.length).toBeGreaterThan(shown.length / 2);
  expect([Math.min(...shown) < 40, Math.max(...shown) > 150]).toEqual([true, true]);

  const ours = record(world, 60);
  const rates = ours.vital(MDC_PULSE_RATE);
  const saturations = ours.vital(MDC_SPO2);
  const absent = (told: readonly Told[]) => within(told, BEGIN, END).filter(({ value }) => value === null);
  for (const told of [rates, saturations]) {
    expect(absent(told).length).toBeGreaterThan(10);
    expect(absent(told).every(({ flags }) => (flags & FLAG_MOTION) !== 0)).toBe(true);
    expect(values(within(told, END + 8, 60)).length).toBe(60 - END - 8);
  }
  // what is shown without the mark is right
  const plain = (told: readonly Told[]) => values(told.filter(({ flags }) => (flags & FLAG_MOTION) === 0));
  for (const rate of plain(rates)) expect(Math.abs(rate - heartRate)).toBeLessThan(5);
  for (const one of plain(saturations)) expect(Math.abs(one - spo2)).toBeLessThan(3);
  heard(...ours.monitor());
});
