/** Chips that do not measure as fast as they say: what is computed from them is not told for good (FAULTS.md 3, 4, 5). */
import { describe, expect, test } from "vitest";
import { type Chip, type Driver, FAULT_CONFIGURATION, FLAG_CLOCK_UNCERTAIN } from "../../drivers/driver.ts";
import type { EmulatedChip } from "../../drivers/emulator.ts";
import {
  ads1292r,
  max30003,
  max30101,
  max30101Emulator,
  max30102,
  max30102Emulator,
  max86150,
  max86150Emulator,
} from "../../drivers/index.ts";
import { ADULT_ALARMS } from "../../firmware/alarms.ts";
import { createRates, type RateVerdict, rateWords } from "../../firmware/rates.ts";
import { createReader } from "../../firmware/reader.ts";
import {
  EVENT_ALARM,
  EVENT_FAULT,
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_RR_INTERVAL,
  MDC_SPO2,
  type Num,
  OP_SET_RATE,
  qualFlags,
  STATUS_DONE,
} from "../../protocol/messages.ts";
import { createBench } from "../../simulator/bench.ts";
import { planFaults } from "../../simulator/faults.ts";
import { shake } from "../drivers/subjects.ts";
import { channelOf, createCommanded, ECG, RED, TEMPERATURE } from "./commanded.ts";

const OF_LIGHT = [MDC_PULSE_RATE, MDC_SPO2, MDC_PERFUSION_INDEX];
const OF_HEART = [MDC_HEART_RATE, MDC_RR_INTERVAL];

type Board = ReturnType<typeof createCommanded>;

/** What a board told of a vital: board time, s, raw value, flags. */
const valuesOf = (board: Board, mdc: number) => {
  const id = channelOf(board.births()[0]!, mdc);
  return board
    .data()
    .flatMap(({ tick, channels }) =>
      channels
        .filter((one): one is Num => one.kind === "num" && one.id === id)
        .map(({ value, qual, dt }) => ({ at: tick / 1000 + dt / 1e6, value, flags: qualFlags(qual) })),
    );
};
const faultsOf = (board: Board) =>
  board
    .eventsOf(EVENT_FAULT)
    .map(({ small, tick }) => ({ at: tick / 1000, what: small as [number, number, string] }))
    .filter(({ what: [code] }) => code === FAULT_CONFIGURATION);

test("chips at a quarter of their rate: a pulse of 61 that would read as 244 is null, and one event a chip says why", () => {
  const board = createCommanded({ oscillator: 1 / 4 });
  board.start(40);
  for (const mdc of [...OF_LIGHT, MDC_HEART_RATE]) {
    const values = valuesOf(board, mdc);
    expect(values.length).toBeGreaterThan(30);
    for (const { value } of values) expect(value).toBeNull();
    for (const { flags } of values.slice(4)) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(FLAG_CLOCK_UNCERTAIN);
  }
  for (const { value } of valuesOf(board, MDC_RR_INTERVAL)) expect(value).toBeNull();
  const faults = faultsOf(board);
  expect(faults.map(({ what }) => what).sort()).toEqual([
    [
      FAULT_CONFIGURATION,
      RED,
      expect.stringMatching(/^MAX30102: 2(4\.9|5\.[01]) samples\/s, not 100; check its oscillator$/),
    ],
    [FAULT_CONFIGURATION, ECG, "MAX30003: 64.0 samples/s, not 256; check its oscillator"],
  ]);
  for (const { at } of faults) expect(at).toBeLessThan(10);
  // a temperature does not rest on a rate
  const readings = board.data().flatMap(({ channels }) => channels.filter(({ id }) => id === TEMPERATURE));
  expect(readings.length).toBeGreaterThan(4);
});

test("an oscillator that is 5 % off: values are shown, a pulse by so much wrong, and each of them says that its clock is uncertain", () => {
  const plan = planFaults(["max30102", "max30003"].map((chip) => ({ kind: "oscillator" as const, chip, percent: 5 })));
  const [board, nominal] = [createCommanded({ faults: { plan } }), createCommanded()];
  for (const one of [board, nominal]) one.start(60);
  for (const mdc of [...OF_LIGHT, ...OF_HEART]) {
    const shown = valuesOf(board, mdc).filter(({ value }) => value !== null);
    expect(shown.length).toBeGreaterThan(20);
    for (const { flags } of shown) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(FLAG_CLOCK_UNCERTAIN);
    for (const { flags } of valuesOf(nominal, mdc)) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(0);
  }
  const mean = (one: Board) => {
    const shown = valuesOf(one, MDC_PULSE_RATE).filter(({ at, value }) => at > 30 && value !== null);
    return shown.reduce((sum, { value }) => sum + value!, 0) / shown.length;
  };
  expect(mean(nominal) / mean(board)).toBeCloseTo(1.05, 1.5);
  expect(faultsOf(board)).toHaveLength(2);
  expect(faultsOf(nominal)).toEqual([]);
});

test("a chip whose rate somebody else halves is told with the setting that it has now, and is good again when it is right again", () => {
  const board = createCommanded();
  const ppg = board.node.emulators.ppg;
  const SPO2_CONFIG = 0x0a;
  const write = (value: number) => {
    ppg.start(false);
    ppg.write(SPO2_CONFIG);
    ppg.write(value);
    ppg.stop();
  };
  ppg.start(false);
  ppg.write(SPO2_CONFIG);
  ppg.start(true);
  const own = ppg.read();
  ppg.stop();
  board.start(30);
  ppg.start(false);
  ppg.write(SPO2_CONFIG);
  ppg.start(true);
  const running = ppg.read();
  ppg.stop();
  expect([own, (running >> 2) & 7], "100 samples a second").toEqual([0, 1]);
  // 50 samples a second
  write(running & ~0x1c);
  board.run(40);
  write(running);
  board.run(50);
  const values = valuesOf(board, MDC_PULSE_RATE);
  const shown = (from: number, to: number) => values.filter(({ at, value }) => at > from && at < to && value !== null);
  expect(shown(10, 30)).toHaveLength(19);
  for (const { flags } of shown(0, 30.5)) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(0);
  expect(shown(33, 70)).toEqual([]);
  for (const { at, flags } of values)
    if (at > 33 && at < 70) expect(flags & FLAG_CLOCK_UNCERTAIN, `${at} s`).toBe(FLAG_CLOCK_UNCERTAIN);
  // within the stretch that is mixed, one whole one, and the time that a pulse takes to be found
  const back = shown(70, 120);
  expect(back[0]!.at).toBeLessThan(90);
  for (const { value, flags } of back) {
    expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(0);
    expect(Math.abs(value! - shown(10, 30)[0]!.value!)).toBeLessThan(30);
  }
  expect(faultsOf(board).map(({ what }) => what)).toEqual([
    [FAULT_CONFIGURATION, RED, "MAX30102: 50.0 samples/s, not 100; set sampleRate: 50"],
  ]);
  for (const { flags } of valuesOf(board, MDC_HEART_RATE)) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(0);
});

describe("a chip at its data sheet's limits is nominal, by its data-ready line and polled", () => {
  const LIMITS: [string, Chip<never>, EmulatedChip, number][] = [
    ["MAX30101", max30101 as unknown as Chip<never>, max30101Emulator, 1 / 64],
    ["MAX30102", max30102 as unknown as Chip<never>, max30102Emulator, 1 / 64],
    ["MAX86150", max86150 as unknown as Chip<never>, max86150Emulator, 1 / 32],
  ];
  test.each(LIMITS)("%s", (_name, chip, emulated, limit) => {
    for (const interrupt of [true, false])
      for (const side of [-1, 1])
        for (const more of [0, 0.04]) {
          const oscillator = 1 + side * (limit + more);
          const bench = createBench(chip, emulated, { oscillator, interrupt });
          shake(bench.emulator);
          const driver = bench.driver as Driver;
          const verdicts: RateVerdict[] = [];
          const rates = createRates(
            [driver],
            () => undefined,
            (_sensor, verdict) => verdicts.push(verdict),
            () => {},
          );
          const reader = createReader(bench.board, bench.attachment, {
            onFrame: (frame) => {
              for (let i = 0; i < frame.channels.length; i++) rates.take(0, i, frame.channels[i]!);
            },
            onFault: () => {},
            onRestart: () => {},
          });
          reader.open(() => {});
          for (let second = 1; second <= 60; second++) {
            bench.clock.runUntil(second * 1e6);
            rates.look();
          }
          expect(verdicts, `${oscillator} ${interrupt}`).toEqual(more === 0 ? [] : ["off"]);
        }
  });
});

test("what is said fits an event, with the setting where the chip has one", () => {
  const say = <C>(chip: Chip<C>, configuration: object, rate: number) => {
    const make = (one: unknown) => chip.create(one as Partial<C>, { interrupt: true }) as Driver;
    return rateWords(make(configuration), { low: rate * 0.999, high: rate * 1.001 }, make);
  };
  const words = [
    say(max30102, { sampleRate: 400, averaging: 4 }, 25),
    say(max30102, { sampleRate: 100, averaging: 1 }, 25),
    say(max30003, { sampleRate: 512 }, 256),
    say(ads1292r, { sampleRate: 250 }, 125),
    say(ads1292r, { sampleRate: 8000, continuous: true }, 3333.3),
    say(max86150, { sampleRate: 400 }, 200),
  ];
  expect(words).toEqual([
    "MAX30102: 25.0 samples/s, not 100; set sampleRate: 100",
    "MAX30102: 25.0 samples/s, not 100; check its oscillator",
    "MAX30003: 256.0 samples/s, not 512; set sampleRate: 256",
    "ADS1292R: 125.0 samples/s, not 250; set sampleRate: 125",
    "ADS1292R: 3333.3 samples/s, not 8000; check its oscillator",
    "MAX86150: 200.0 samples/s, not 400; set sampleRate: 200",
  ]);
  for (const one of words) expect(new TextEncoder().encode(one).length).toBeLessThanOrEqual(64);
});

test("a heart at a wrong rate raises no alarm of its rhythm: what seems to stand still or to race is the chip", () => {
  const alarms = { rhythm: ADULT_ALARMS.rhythm!, heartRate: { low: 50, high: 120, delay: 5, priority: 2, blank: 300 } };
  const raised = (oscillator: number) => {
    const board = createCommanded({ oscillator, alarms });
    board.start(60);
    return board.eventsOf(EVENT_ALARM).map(({ small }) => (small as number[])[0]);
  };
  for (const oscillator of [1 / 5, 1 / 3, 1, 3, 4]) expect(raised(oscillator), `${oscillator}`).toEqual([]);
});

test("the setting that the event names makes it good: the chip is opened with it, and measures as it says", () => {
  const board = createCommanded();
  board.start(20);
  const ppg = board.node.emulators.ppg;
  ppg.start(false);
  // SPO2_CONFIG: 50 samples a second, as wide pulses as before
  for (const byte of [0x0a, 0x23]) ppg.write(byte);
  ppg.stop();
  board.run(20);
  expect(faultsOf(board).map(({ what }) => what[2])).toEqual([
    expect.stringMatching(/^MAX30102: 50\.0 samples\/s, not 100; set sampleRate: 50$/),
  ]);
  const command = board.command(OP_SET_RATE, [
    [1, 50_000],
    [2, RED],
  ]);
  board.run(40);
  expect(board.statusOf(command)).toBe(STATUS_DONE);
  expect(board.births()).toHaveLength(2);
  const after = valuesOf(board, MDC_PULSE_RATE).filter(({ at }) => at > 55);
  expect(after.length).toBeGreaterThan(20);
  for (const { value, flags } of after) {
    expect(value).not.toBeNull();
    expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(0);
  }
  expect(faultsOf(board)).toHaveLength(1);
});
