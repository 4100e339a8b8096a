/** Complaints about rates (FAULTS.md 3, 4, 5), from the registers to the record. */
import { expect, test } from "vitest";
import { FLAG_CLOCK_UNCERTAIN } from "../../drivers/driver.ts";
import { max30003, max30003Emulator } from "../../drivers/index.ts";
import { createNotch } from "../../firmware/dsp/notch.ts";
import { MDC_HEART_RATE, MDC_PULSE_RATE, MDC_SPO2, OP_SET_RATE, OP_START, OP_STOP } from "../../protocol/messages.ts";
import { createBench } from "../../simulator/bench.ts";
import { ECG, RED } from "../firmware/commanded.ts";
import { naive, patientOf, record, type Told, type World } from "./board.ts";
import { holds } from "./holds.ts";
import { createNaiveNotch, createPeakRate, readFifo, setUp, sketch } from "./naive.ts";

const { heartRate } = patientOf({}).truth;
const after = <T extends { readonly time: number }>(told: readonly T[], from: number) =>
  told.filter(({ time }) => time > from);
const values = (told: readonly Told[]) => told.flatMap(({ value }) => (value === null ? [] : [value]));

/** A wave of a pulse, so many s behind its onset. */
const wave = (since: number, width: number) => Math.exp(-((since / width) ** 2) / 2);
/** A finger with a pulse of 2 %, an R of 0.6 (97 %), a shape that comes again every `period` s. */
function finger(period: number, shape: (since: number) => number): World {
  const pulse = (time: number) => [-1, 0, 1].reduce((sum, turn) => sum + shape((time % period) + turn * period), 0);
  return {
    light: {
      red: (time) => 600 * (1 - 0.6 * 0.02 * pulse(time)),
      infrared: (time) => 700 * (1 - 0.02 * pulse(time)),
    },
  };
}

/** Both chips that a rate is counted from are as many percent faster. */
const faster = (percent: number): World => ({
  faults: ["max30102", "max30003"].map((chip) => ({ kind: "oscillator", chip, percent })),
});

holds(3, ({ heard }) => {
  // half as fast from the start
  for (const { rate } of after(sketch(faster(-50), 30), 10)) expect(Math.abs(rate! / heartRate - 2)).toBeLessThan(0.2);
  const slow = record(faster(-50), 30);
  for (const mdc of [MDC_PULSE_RATE, MDC_HEART_RATE, MDC_SPO2]) {
    const told = slow.vital(mdc);
    expect([told.length, values(told)]).toEqual([30, []]);
    for (const { flags } of told) expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(FLAG_CLOCK_UNCERTAIN);
  }
  expect(slow.faults()[0]).toMatch(/^MAX30102: 50\.\d samples\/s, not 100; /);

  // another program on the same wires sets the chip to average four samples (FIFO_CONFIG, data sheet p. 17)
  const averaging = [0x08, 0x5f] as const;
  const shown: { time: number; rate: number | null }[] = [];
  naive({}, 30, (bench) => {
    const rate = createPeakRate(100);
    setUp(bench);
    readFifo(bench, ({ infrared }) => rate.push(infrared));
    bench.every(1000, () => {
      if (Math.round(bench.now()) === 12) bench.write(...averaging);
      shown.push({ time: bench.now(), rate: rate.shown });
    });
  });
  for (const { rate } of after(shown, 18)) expect(Math.abs(rate! / heartRate - 4)).toBeLessThan(0.4);

  const board = record({}, 12);
  const chip = board.node.emulators.ppg;
  chip.advance(board.clock.now);
  chip.start(false);
  for (const byte of averaging) chip.write(byte);
  chip.stop();
  board.run(18);
  const rates = () => board.vital(MDC_PULSE_RATE);
  expect(values(after(rates(), 12.5))).toEqual([]);
  heard(...board.faults(), ...board.monitor());
  // set up anew
  board.command(OP_STOP, [[2, RED]]);
  board.run(1);
  board.command(OP_START, [[2, RED]]);
  board.run(19);
  const mended = after(rates(), 40);
  expect(values(mended)).toHaveLength(mended.length);
  for (const rate of values(mended)) expect(Math.abs(rate - heartRate)).toBeLessThan(2);
  expect(board.faults()).toHaveLength(1);

  // 5 %: marked, and no further away than that
  const near = after(record(faster(5), 40).vital(MDC_PULSE_RATE), 10);
  expect(values(near)).toHaveLength(near.length);
  for (const { value, flags } of near) {
    expect(Math.abs(value! * 1.05 - heartRate)).toBeLessThan(2);
    expect(flags & FLAG_CLOCK_UNCERTAIN).toBe(FLAG_CLOCK_UNCERTAIN);
  }
});

holds(4, ({ heard }) => {
  // doubled: 60 a minute, whose second wave is 85 % as high as the first
  const dicrotic = finger(1, (since) => wave(since - 0.2, 0.07) + 0.85 * wave(since - 0.58, 0.08));
  for (const { rate } of after(sketch(dicrotic, 30), 5)) expect(rate).toBeGreaterThan(115);
  const single = after(record(dicrotic, 30).vital(MDC_PULSE_RATE), 6);
  expect(values(single)).toHaveLength(single.length);
  for (const rate of values(single)) expect(Math.abs(rate - 60)).toBeLessThan(1);

  // halved: 75 a minute, every second one 45 % as high
  const alternating = finger(1.6, (since) => wave(since - 0.2, 0.08) + 0.45 * wave(since - 1, 0.08));
  for (const { rate } of after(sketch(alternating, 30), 5)) expect(Math.abs(rate! - 37.5)).toBeLessThan(2);
  expect(values(record(alternating, 30).vital(MDC_PULSE_RATE))).toEqual([]);

  // a finger and a heart that do not agree, as where every pulse is counted twice: neither is to be relied on
  const twice = finger(0.5, (since) => wave(since - 0.2, 0.07));
  const disputed = record(twice, 40);
  for (const mdc of [MDC_PULSE_RATE, MDC_HEART_RATE]) {
    const told = after(disputed.vital(mdc), 30);
    expect(values(told)).toHaveLength(10);
    for (const { quality } of told) expect(quality).toBeLessThanOrEqual(30);
  }

  // stuck: the signal freezes at 20 s
  const frozen: World = { faults: [{ kind: "stuck-value", chip: "max30102", at: 20, for: 100 }] };
  const shown = after(sketch(frozen, 40), 20).map(({ rate }) => rate!);
  expect(new Set(shown).size).toBe(1);
  expect(Math.abs(shown[0]! - heartRate)).toBeLessThan(3);
  const ours = record(frozen, 40);
  const told = after(ours.vital(MDC_PULSE_RATE), 21.5);
  expect(told).toHaveLength(19);
  for (const { value, flags } of told) expect([value, flags === 0]).toEqual([null, false]);
  heard(...ours.faults(), ...ours.monitor());
});

test("line 4: where every second beat comes early and is weak, an ECG beside the light lowers the quality of half the rate", () => {
  const early = finger(1.6, (since) => wave(since - 0.2, 0.08) + 0.45 * wave(since - 0.8, 0.08));
  for (const { value, quality } of after(record(early, 40).vital(MDC_PULSE_RATE), 30)) {
    if (value !== null && Math.abs(value - 75) > 4) expect(quality).toBeLessThanOrEqual(30);
  }
});

/** What 50 Hz is left of after `filter`, as a part of what it was. */
function left(rate: number, filter: { push(samples: Int32Array, count: number, out: Int32Array): number }): number {
  const bench = createBench(max30003, max30003Emulator, { configuration: { sampleRate: rate, lowPass: 0 } as never });
  bench.emulator.set("ecg", (time) => 0.001 * Math.sin(2 * Math.PI * 50 * time));
  bench.run(bench.driver.open());
  const codes: number[] = [];
  while (codes.length < 4 * rate) {
    bench.wait(bench.driver.pollEvery);
    const { samples, count } = bench.run(bench.driver.poll()).channels[0]!;
    codes.push(...samples.subarray(0, count));
  }
  const taken = Int32Array.from(codes.slice(0, 4 * rate));
  const out = new Int32Array(taken.length);
  filter.push(taken, taken.length, out);
  /** Amplitude at 50 Hz in the last two seconds. */
  const hum = (signal: Int32Array) => {
    let [sine, cosine] = [0, 0];
    for (let i = 2 * rate; i < 4 * rate; i++) {
      sine += signal[i]! * Math.sin((2 * Math.PI * 50 * i) / rate);
      cosine += signal[i]! * Math.cos((2 * Math.PI * 50 * i) / rate);
    }
    return Math.hypot(sine, cosine) / rate;
  };
  expect(hum(taken)).toBeGreaterThan(1000);
  return hum(out) / hum(taken);
}

holds(5, ({ heard }) => {
  for (const rate of [128, 256, 512]) {
    // made for 256, whatever it is fed
    const theirs = left(rate, createNaiveNotch(256, 50));
    if (rate === 256) expect(theirs).toBeLessThan(0.01);
    else expect(theirs).toBeGreaterThan(0.9);
    expect(left(rate, createNotch(rate, 50)), `${rate} hz`).toBeLessThan(0.01);
  }
  expect(() => createNotch(200, 50)).toThrow();
  try {
    createNotch(200, 50);
  } catch (error) {
    heard((error as Error).message);
  }

  // what depends on the rate is made anew with it
  const board = record({}, 20);
  for (const [place, rate] of [500, 128].entries()) {
    board.command(OP_SET_RATE, [
      [1, rate * 1000],
      [2, ECG],
    ]);
    board.run(20);
    const told = after(board.vital(MDC_HEART_RATE), 20 * (place + 1) + 10);
    expect(values(told).length).toBeGreaterThan(8);
    for (const value of values(told)) expect(Math.abs(value - heartRate)).toBeLessThan(4);
  }
  expect(board.births().map(({ channels }) => channels[ECG]!.rateMilliHz / 1000)).toEqual([256, 500, 128]);
});
