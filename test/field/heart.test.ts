/** Hearts in the field: lines 12, 13, 14, and what was found in other drivers of front ends, on the same chips and faults. */
import { expect, test } from "vitest";
import { max30003 } from "../../drivers/index.ts";
import { flagWords } from "../../gateway/dashboard/words.ts";
import {
  MDC_ECG,
  MDC_HEART_RATE,
  MDC_RESPIRATION,
  MDC_RESPIRATION_PLETH,
  MDC_RR_INTERVAL,
  qualFlags,
} from "../../protocol/messages.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createFrontEnd, REGISTER } from "./front-end.ts";
import { holds } from "./holds.ts";
import { createWire, type Wire } from "./wire.ts";
import { createWorld, type Placed, record, type WorldOptions } from "./world.ts";

const person = (index: number) => createPatient({ seed: 5, index });
/** Electrodes of one person on a MAX30003. */
const chest = (index: number, configuration: object = {}): Placed => ({
  chip: "max30003",
  inputs: { ecg: person(index).signals.ecg },
  interrupt: true,
  on: "chest",
  configuration: { sampleRate: 128, ...configuration },
});

/** A number every second, up to a time, s. */
function everySecond<T>(wire: Wire, until: number, look: () => T): { time: number; value: T }[] {
  const shown: { time: number; value: T }[] = [];
  while (wire.now < until) {
    wire.delay(1000);
    shown.push({ time: wire.now, value: look() });
  }
  return shown;
}
/** The heart rate of a front end that is begun so, every second. */
function watch(options: WorldOptions, until: number, calibration?: readonly [number, number]) {
  const wire = createWire(createWorld(options), 0);
  const frontEnd = createFrontEnd(wire);
  frontEnd.begin(calibration);
  const shown = everySecond(wire, until, () => ({
    heartRate: frontEnd.heartRate(),
    off: (frontEnd.read(REGISTER.STATUS) & 0x0f) !== 0,
  }));
  return shown.map(({ time, value }) => ({ time, ...value }));
}

holds(12, ({ heard }) => {
  // an example that leaves the calibration source on, at its reset frequency of 1 hz, and no electrode on anybody
  const nobody = (configuration?: object): Placed => ({ ...chest(0, configuration), inputs: { ecg: 0, leadOff: 1 } });
  const shown = watch({ chips: [nobody()] }, 40, [0x704800, 0x0b0000]);
  const late = shown.filter(({ time }) => time > 8);
  expect(late.length).toBeGreaterThan(25);
  // a heart of some 120, and all electrodes on
  for (const { heartRate, off } of late) {
    expect(heartRate).toBeGreaterThan(90);
    expect(heartRate).toBeLessThan(160);
    expect(off).toBe(false);
  }

  // here the two cannot be asked for together
  const both = { calibration: { frequency: 1 }, leadOff: 10 };
  let words = "";
  try {
    max30003.create(both, {});
  } catch (error) {
    words = (error as Error).message;
  }
  expect(words).toContain("calibration");
  heard(words);

  // and alone it says what it is, in the birth, in every sample, in place of a heart rate
  const ours = record({ chips: [nobody({ calibration: { frequency: 1 }, leadOff: 0 })] }, 40);
  const [wave] = ours.channels(MDC_ECG);
  expect(wave!.definition.attributes.processing).toBe(3);
  expect(wave!.blocks.length).toBeGreaterThan(30);
  for (const { qual } of wave!.blocks) expect(flagWords(qualFlags(qual))).toContain("test signal");
  const rates = ours.values(MDC_HEART_RATE, 5);
  expect(rates.length).toBeGreaterThan(30);
  for (const rate of rates) expect(rate).toMatchObject({ value: null, words: ["test signal"] });
  expect(ours.values(MDC_RR_INTERVAL)).toEqual([]);
  heard(...ours.monitor());

  // without it, the same electrodes are off
  const off = record({ chips: [nobody()] }, 20);
  for (const rate of off.values(MDC_HEART_RATE, 5)) expect(rate).toMatchObject({ value: null, words: ["lead off"] });
  heard(...off.monitor());
});

/** ADS1292R: a chest whose impedance breathing changes by so many V, 15 times a minute, and a heart that stops. */
const STOPS = 40;
const breathing = (amplitude: number): Placed => {
  const { ecg } = person(2).signals;
  return {
    chip: "ads1292r",
    inputs: {
      ecg: (time, since) => (time < STOPS ? ecg(time, since) : 0),
      respiration: (time) => amplitude * Math.sin((2 * Math.PI * time) / 4),
    },
    interrupt: true,
    on: "chest",
  };
};

/** Reads it as the shields' example: a number for respiration that a breath would change which its threshold never sees. */
function readShield(options: WorldOptions, until: number): number[] {
  const world = createWorld(options);
  const wire = createWire(world, 0);
  const send = (...bytes: number[]) => {
    const replies = wire.transfer(...bytes);
    wire.delay(1);
    return replies;
  };
  wire.delay(1000);
  send(0x06, 0);
  wire.delay(100);
  send(0x11, 0);
  // CONFIG1 to RESP2: 125 samples a second, gain 6, respiration
  send(0x41, 9, 0x00, 0xa0, 0x10, 0x00, 0x00, 0x2c, 0x00, 0x00, 0xf2, 0x03, 0);
  send(0x08, 0);
  const shown: number[] = [];
  let respirationRate = 0;
  let breaths: number[] = [];
  let above = false;
  for (let second = 2; second < until; second++) {
    while (wire.now < second) {
      if (world.wired[0]!.emulator.interrupt === 1) {
        wire.delay(1);
        continue;
      }
      const bytes = wire.transfer(0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      const code = ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8)) >> 8;
      const was = above;
      above = code > 1_000_000;
      if (above && !was) breaths = [...breaths, wire.now].slice(-4);
      if (breaths.length === 4) respirationRate = Math.round((60 * 3) / (breaths[3]! - breaths[0]!));
    }
    shown.push(respirationRate);
  }
  return shown;
}

holds(13, () => {
  // a chest whose breath comes to some 0.2 mV behind the demodulator
  const shown = readShield({ chips: [breathing(0.0002)] }, 40);
  expect(shown.length).toBeGreaterThan(35);
  expect(new Set(shown)).toEqual(new Set([0]));
  // it is its threshold: a breath a thousand times as large is counted
  expect(readShield({ chips: [breathing(0.1)] }, 40).at(-1)).toBe(15);

  const ours = record({ chips: [breathing(0.0002)] }, 60);
  // the waveform is there, and no number that nobody computes from it: absent, not 0
  const wave = [...ours.boot.channels.values()].find(({ definition }) => definition.attributes.role === "respiration");
  const waves = wave ?? [...ours.boot.channels.values()][0]!;
  const codes = waves.blocks.flatMap(({ samples }) => Array.from(samples));
  expect(codes.length).toBeGreaterThan(7000);
  expect(Math.max(...codes) - Math.min(...codes)).toBeGreaterThan(1000);
  for (const mdc of [MDC_RESPIRATION, MDC_RESPIRATION_PLETH]) expect(ours.channels(mdc)).toEqual([]);
  // intervals between beats come when there are beats, and never as 0: not while it settles, not when the heart stands still
  const intervals = ours.values(MDC_RR_INTERVAL);
  expect(intervals.length).toBeGreaterThan(25);
  for (const { value } of intervals) expect(value).toBeGreaterThan(200);
  expect(ours.values(MDC_RR_INTERVAL, STOPS + 2)).toEqual([]);
  for (const { value } of ours.values(MDC_HEART_RATE, STOPS + 6)) expect(value).toBe(null);
  expect(ours.values(MDC_HEART_RATE).some(({ value }) => value === 0)).toBe(false);
});

holds(14, ({ heard }) => {
  // a loose electrode scratches for a moment, every seven seconds
  const options = (): WorldOptions => ({
    chips: [chest(0)],
    faults: [{ kind: "noise-burst", chip: "max30003", every: 7, for: 0.4, amplitude: 0.001 }],
  });
  const truth = person(0).truth.heartRate;
  const shown = watch(options(), 60).filter(({ time }) => time > 6);
  expect(Math.max(...shown.map(({ heartRate }) => heartRate))).toBeGreaterThan(1.25 * truth);
  expect(Math.min(...shown.map(({ heartRate }) => heartRate))).toBeLessThan(truth / 4);

  const rates = record(options(), 60).values(MDC_HEART_RATE);
  expect(rates.filter(({ value }) => value !== null).length).toBeGreaterThan(40);
  for (const { value } of rates) if (value !== null) expect(Math.abs(value / truth - 1)).toBeLessThan(0.12);

  // an electrode that noise comes through for 20 s: no number that could be a heart's
  const loud: WorldOptions["faults"] = [{ kind: "noise-burst", chip: "max30003", at: 20, for: 20, amplitude: 0.0005 }];
  const ours = record({ chips: [chest(0)], faults: loud }, 60);
  const noisy = ours.values(MDC_HEART_RATE, 25, 40);
  expect(noisy.length).toBeGreaterThan(12);
  for (const { value, words } of noisy) expect({ value, words }).toEqual({ value: null, words: ["motion"] });
  expect(ours.values(MDC_HEART_RATE, 50).every(({ value }) => Math.abs(value! / truth - 1) < 0.05)).toBe(true);
  heard(...ours.monitor(), ...zeros().monitor());
});

/** Zeros in the middle of a run are a chip that lost its settings: opened anew, and the gap is told. */
function zeros() {
  const options = (): WorldOptions => ({
    chips: [chest(1)],
    faults: [{ kind: "brown-out", chip: "max30003", at: 20 }],
  });
  const wire = createWire(createWorld(options()), 0);
  const frontEnd = createFrontEnd(wire);
  frontEnd.begin();
  const samples: { time: number; code: number }[] = [];
  while (wire.now < 40) {
    samples.push({ time: wire.now, code: frontEnd.sample() });
    wire.delay(8);
  }
  const before = samples.filter(({ time }) => time > 10 && time < 20);
  const after = samples.filter(({ time }) => time > 20.5);
  expect(before.filter(({ code }) => code !== 0).length).toBeGreaterThan(1000);
  expect(after.length).toBeGreaterThan(2000);
  expect(after.every(({ code }) => code === 0)).toBe(true);

  const ours = record(options(), 40);
  const { blocks } = ours.channels(MDC_ECG)[0]!;
  const [first, second] = [blocks.filter(({ seg }) => seg === 0), blocks.filter(({ seg }) => seg > 0)];
  const zeros = blocks.flatMap(({ samples: all }) => Array.from(all)).filter((code) => code === 0).length;
  expect(zeros).toBeLessThan(100);
  const end = first.at(-1)!;
  expect(end.time / 1e6 + end.samples.length / 128).toBeLessThan(20.1);
  expect(second[0]!.time / 1e6).toBeLessThan(21);
  // nobody knows how many samples it would have been: null
  expect(ours.events("loss").map(({ small }) => small[2])).toEqual([null]);
  expect(ours.told.map(({ words }) => words).join()).toContain("lost its state");
  return ours;
}

test("line 14: scratches every four or five seconds add beats: the rate is off by a quarter at most", () => {
  const worlds = [
    { index: 1, every: 5, for: 0.2, amplitude: 0.0005 },
    { index: 2, every: 4, for: 0.3, amplitude: 0.0003 },
    { index: 3, every: 4, for: 0.4, amplitude: 0.001 },
  ];
  for (const { index, ...scratch } of worlds) {
    const faults: WorldOptions["faults"] = [{ kind: "noise-burst", chip: "max30003", ...scratch }];
    const truth = person(index).truth.heartRate;
    const rates = record({ chips: [chest(index)], faults }, 60).values(MDC_HEART_RATE);
    const off = rates.flatMap(({ value }) => (value === null ? [] : [Math.abs(value / truth - 1)]));
    expect(off.length).toBeGreaterThan(40);
    expect(Math.max(...off), `person ${index}`).toBeLessThan(0.25);
  }
});

holds("repeated-vital", ({ heard }) => {
  const options = (): WorldOptions => ({
    chips: [chest(3)],
    faults: [{ kind: "lead-off", chip: "max30003", at: 20, for: 20 }],
  });
  const truth = person(3).truth.heartRate;
  const shown = watch(options(), 40).filter(({ time }) => time > 22);
  // the last interval stands in RTOR, and is shown again every second of a person who is not connected any more
  expect(shown.length).toBeGreaterThan(15);
  expect(new Set(shown.map(({ heartRate }) => heartRate)).size).toBe(1);
  expect(Math.abs(shown[0]!.heartRate / truth - 1)).toBeLessThan(0.3);

  const ours = record(options(), 60);
  const off = ours.values(MDC_HEART_RATE, 21.5, 40);
  expect(off.length).toBeGreaterThan(15);
  for (const { value, words } of off) {
    expect(value).toBe(null);
    expect(words).toContain("lead off");
  }
  expect(ours.values(MDC_RR_INTERVAL, 20.7, 40)).toEqual([]);
  const again = ours.values(MDC_HEART_RATE, 50);
  expect(again.every(({ value }) => value !== null && Math.abs(value / truth - 1) < 0.15)).toBe(true);
  heard(...ours.monitor());
});
