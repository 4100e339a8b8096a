/** Electrodes that come off and on again: what a board says of them, and how often (FAULTS.md 12, 13). */
import { describe, expect, test } from "vitest";
import { type Chip, FLAG_BUS_FAULT, FLAG_LEAD_OFF, FLAG_SETTLING } from "../../drivers/driver.ts";
import type { EmulatedChip } from "../../drivers/emulator.ts";
import { ad8232, ad8232Emulator, ads1292r, ads1292rEmulator, max30003, max30003Emulator } from "../../drivers/index.ts";
import { type ContactState, contactOf, createContactNews } from "../../firmware/contact.ts";
import { createPacker } from "../../firmware/packer.ts";
import { createSensing, type SensingEvents } from "../../firmware/sensing.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { EVENT_CONTACT, MDC_HEART_RATE, type Num, qualFlags } from "../../protocol/messages.ts";
import { createBench } from "../../simulator/bench.ts";
import { planFaults } from "../../simulator/faults.ts";
import { createPatient } from "../../simulator/patient.ts";
import { shake } from "../drivers/subjects.ts";
import { channelOf, createCommanded, ECG } from "./commanded.ts";

type Told = [number, number[]];

/** The states in a row, and how many s each of them lasted. */
function spansOf(states: readonly (ContactState | null)[]) {
  const spans: [ContactState | null, number][] = [];
  for (const state of states) {
    if (spans.at(-1)?.[0] === state) spans.at(-1)![1]++;
    else spans.push([state, 1]);
  }
  return spans;
}

test("electrodes are off by their flag, settling without a heart rate, good from the first on, whatever hides it then", () => {
  for (const before of [null, "off", "settling", "good"] as const) {
    expect(contactOf(before, FLAG_LEAD_OFF, false)).toBe("off");
    expect(contactOf(before, FLAG_SETTLING, false)).toBe("settling");
    expect(contactOf(before, 0, true)).toBe("good");
    expect(contactOf(before, 0, false)).toBe(before === "good" ? "good" : "settling");
  }
});

test("a contact that flaps is told four times, then once in 10 s, its last state in the end; one that was calm, at once", () => {
  const news = createContactNews();
  const told: [number, ContactState][] = [];
  const look = (tenths: number, state: ContactState) => {
    news.state = state;
    const due = news.due(tenths * 1e5);
    if (due !== null) told.push([tenths / 10, due]);
  };
  for (let tenths = 1; tenths <= 600; tenths++) look(tenths, tenths % 2 === 0 ? "settling" : "off");
  for (let tenths = 601; tenths <= 800; tenths++) look(tenths, "settling");
  expect(told.slice(0, 4).map(([at]) => at)).toEqual([0.1, 0.2, 0.3, 0.4]);
  expect(told.length).toBeLessThanOrEqual(4 + 7);
  expect(told.slice(4).every(([at], i) => at >= (i + 1) * 10)).toBe(true);
  expect(told.at(-1)![1]).toBe("settling");
  const before = told.length;
  for (let tenths = 801; tenths <= 1400; tenths++) look(tenths, tenths === 1400 ? "off" : "settling");
  expect(told.slice(before)).toEqual([[140, "off"]]);
});

/** A board whose electrodes come off as planned, with its state and heart rate at the end of each second. */
function watched(plan: Parameters<typeof planFaults>[0], seconds: number) {
  const board = createCommanded({ faults: { plan: planFaults(plan) } });
  const states: (ContactState | null)[] = [];
  board.start(0.5);
  for (let second = 0; second < seconds; second++) {
    board.run(1);
    states.push(board.node.runtime.electrodes);
  }
  const rate = channelOf(board.births()[0]!, MDC_HEART_RATE);
  const rates = board
    .data()
    .flatMap(({ channels }) => channels)
    .filter((one): one is Num => one.kind === "num" && one.id === rate)
    .map(({ value, qual }) => ({ value, flags: qualFlags(qual) }));
  const events = board
    .eventsOf(EVENT_CONTACT)
    .map(({ small, tick }): Told => [Math.round(tick / 1000), small as number[]]);
  return { board, states, rates, events };
}

/** 0.3 s off, 0.3 s on, not in step with the readings. */
function* flaps(from: number, to: number) {
  for (let i = 0; from + i * 0.6 < to; i++)
    yield { kind: "lead-off" as const, chip: "max30003", at: from + i * 0.6 + (i % 7) / 100, for: 0.3 };
}

test("electrodes that come off are off within a second, then settle, and are good with the first heart rate", () => {
  const { states, rates, events } = watched([{ kind: "lead-off", chip: "max30003", at: 20, for: 10 }], 60);
  const spans = spansOf(states);
  expect(spans.map(([state]) => state)).toEqual(["settling", "good", "off", "settling", "good"]);
  const [first, there, off, again] = spans.map(([, lasted]) => lasted);
  expect(first! + there!).toBe(20);
  expect(off).toBe(10);
  expect(again).toBeLessThanOrEqual(12);
  expect(events).toEqual([
    [21, [ECG, FLAG_LEAD_OFF]],
    [31, [ECG, FLAG_SETTLING]],
    [31 + again!, [ECG, 0]],
  ]);
  expect(rates).toHaveLength(states.length);
  rates.forEach(({ value, flags }, second) => {
    if (states[second] === "good") expect(value).not.toBeNull();
    else
      expect({ value, flags }).toEqual({
        value: null,
        flags: states[second] === "off" ? FLAG_LEAD_OFF : FLAG_SETTLING,
      });
  });
});

test("a board that starts without electrodes says so at once, and again nothing until they are on", () => {
  const { states, events } = watched([{ kind: "lead-off", chip: "max30003", at: 0, for: 15 }], 40);
  expect(states.slice(0, 14)).toEqual(states.slice(0, 14).fill("off"));
  expect(states.at(-1)).toBe("good");
  expect(events.map(([, small]) => small)).toEqual([
    [ECG, FLAG_LEAD_OFF],
    [ECG, FLAG_SETTLING],
    [ECG, 0],
  ]);
  expect(events[0]![0]).toBeLessThanOrEqual(2);
});

test("electrodes that come and go every 0.3 s for two minutes do not flood the record, and are told as they are in the end", () => {
  const { states, events, rates } = watched([...flaps(20, 140)], 180);
  expect(states.at(-1)).toBe("good");
  expect(events.length).toBeGreaterThan(6);
  expect(events.length).toBeLessThanOrEqual(4 + 16);
  expect(events.at(-1)![1]).toEqual([ECG, 0]);
  for (const { value } of rates.slice(21, 139)) expect(value).toBeNull();
});

test("a chip that is unplugged has no electrodes that anybody knows of, and no event tells any", () => {
  const { states, rates, events } = watched([{ kind: "unplugged", chip: "max30003", at: 20, for: 15 }], 34);
  expect(states.at(-1)).toBeNull();
  expect(rates.at(-1)).toEqual({ value: null, flags: FLAG_BUS_FAULT });
  expect(events).toEqual([]);
});

/** An ECG front end alone on a board, with what is told of it: from its registers to event 3. */
function createRig(chip: Chip<never>, emulated: EmulatedChip, configuration: object) {
  const { clock, board, emulator, attachment, driver } = createBench(chip, emulated, {
    configuration: configuration as never,
    interrupt: chip.bus === "spi",
  });
  // a channel beside it, for no converter gives one code for ever
  shake(emulator);
  emulator.set("ecg", createPatient({ seed: 1, index: 0 }).signals.ecg);
  const vitals = createVitals([{ channels: driver.channels() }]);
  const told: [number, number, number][] = [];
  const events: SensingEvents = {
    onEmptied: () => {},
    onFull: () => {},
    onLost: () => {},
    onFault: () => {},
    onContact: (channel, flags) => told.push([Math.round(clock.now / 1e6), channel, flags]),
    onCurrent: () => {},
    onChannels: () => {},
    mayChange: () => false,
  };
  const sensing = createSensing(board, [{ attachment }], createPacker("rice", false), vitals, events, 51);
  sensing.open(() => {});
  return {
    emulator,
    told,
    ecg: driver.channels().findIndex(({ name }) => name === "ecg"),
    /** Runs for so many seconds: at the end of each the electrodes, and the flags of the heart rate. */
    *seconds(count: number) {
      for (let second = 1; second <= count; second++) {
        clock.runUntil(second * 1e6);
        let flags = 0;
        vitals.read(board.now(), (index, _value, why) => {
          if (index === 0) flags = why;
        });
        sensing.contacts.tell(board.now());
        yield { second, state: sensing.contacts.electrodes, flags };
      }
    },
  };
}

describe("each ECG front end by its own detection", () => {
  const ad: [Chip<never>, EmulatedChip, object] = [ad8232 as unknown as Chip<never>, ad8232Emulator, {}];
  const ads: typeof ad = [ads1292r as unknown as Chip<never>, ads1292rEmulator, { sampleRate: 250 }];
  const max: typeof ad = [max30003 as unknown as Chip<never>, max30003Emulator, { sampleRate: 256 }];
  const sleeper: typeof ad = [max[0], max[1], { sampleRate: 256, leadOn: 2 }];

  test.each([
    ["AD8232", ad, "leadOffPlus", 1],
    ["ADS1292R", ads, "leadOff", 4],
    ["MAX30003", max, "leadOffNegative", 1],
    ["MAX30003 that sleeps without them", sleeper, "leadOffPositive", 1],
  ] as const)("%s: off, settling, good", (_name, chip, input, off) => {
    const { emulator, told, ecg, seconds } = createRig(...chip);
    emulator.set(input, (time) => (time >= 20 && time < 40 ? off : 0));
    const states: (ContactState | null)[] = [];
    for (const { second, state, flags } of seconds(70)) {
      states.push(state);
      if (second > 22 && second < 40) expect(flags, `${second} s`).toBe(FLAG_LEAD_OFF);
    }
    expect(spansOf(states).map(([state]) => state)).toEqual(["settling", "good", "off", "settling", "good"]);
    expect(told.map(([, ...what]) => what)).toEqual([
      [ecg, FLAG_LEAD_OFF],
      [ecg, FLAG_SETTLING],
      [ecg, 0],
    ]);
    expect(told[0]![0]).toBeLessThanOrEqual(22);
    expect(told[1]![0] - 40).toBeLessThanOrEqual(3);
  });

  test.each([
    ["AD8232", ad, "leadOffPlus", 1],
    ["ADS1292R", ads, "leadOff", 4],
  ] as const)(
    "%s: ten times a second for two minutes is 16 events at most, the last one good",
    (_name, chip, input, off) => {
      const { emulator, told, ecg, seconds } = createRig(...chip);
      emulator.set(input, (time) => (time >= 20 && time < 140 && (time * 10.03) % 1 < 0.5 ? off : 0));
      for (const _ of seconds(180));
      expect(told.length).toBeGreaterThan(0);
      expect(told.length).toBeLessThanOrEqual(4 + 12);
      expect(told.at(-1)!.slice(1)).toEqual([ecg, 0]);
    },
  );
});
