/** R events that the MAX30003 emulator detects, at its bytes. Pages: MAX30001G data sheet. */
import { describe, expect, test } from "vitest";
import { powered } from "./max30003-script.ts";

const STATUS = 0x01;
const RRINT = 0x400;
const PERIOD = 1e6 / 512;

/** Pulses of 1 mV and 40 ms at these times, s since the start. */
const beats = (times: readonly number[]) => (_: number, sinceStart: number) =>
  times.reduce((volts, at) => volts + Math.max(0, 1 - Math.abs(sinceStart - at) / 0.02) / 1000, 0);
/** Every so many s from half a second on. */
const steady = (every: number) => beats(Array.from({ length: Math.floor(19 / every) }, (_, i) => 0.5 + i * every));
const ON: [number, number] = [0x1d, 0x3fa300];

/** Values of RTOR at each R event from 0 to `until` s, RRINT cleared by RTOR. */
function events(rig: ReturnType<typeof powered>, until: number) {
  const list: [time: number, value: number][] = [];
  for (let time = 0; time < until; time += 0.01) {
    rig.seconds(time);
    if ((rig.read(STATUS) & RRINT) !== 0) list.push([Math.round(time * 100) / 100, rig.read(0x25) >> 10]);
  }
  return list;
}

describe("MAX30003 emulator: R-to-R (p. 28, 59, 60, 64)", () => {
  test("is off after power-up, whatever the heart does", () => {
    const rig = powered();
    rig.chip.set("ecg", steady(0.75));
    rig.start();
    expect(events(rig, 6)).toEqual([]);
    expect(rig.read(0x25)).toBe(0);
  });

  test("RTOR counts 7.8125 ms from R to R, left-justified in 14 bits", () => {
    const rig = powered();
    rig.chip.set("ecg", steady(0.75));
    rig.start(ON, [0x04, 0x780014]);
    const told: number[] = [];
    rig.chip.onConvert = (name, code) => {
      if (name === "rrInterval") told.push(code);
    };
    const [first, ...others] = events(rig, 8);
    // It learns for two seconds; the first event counts from SYNCH, and is told as no interval.
    expect(first[0]).toBeGreaterThan(2);
    expect(first[1]).toBeGreaterThan(2 * 128);
    expect(others.length).toBeGreaterThanOrEqual(6);
    expect(new Set(others.map(([, value]) => value))).toEqual(new Set([96]));
    expect(told).toEqual(others.map(() => 96));
    expect(rig.read(0x25)).toBe(96 << 10);
  });

  test.each([
    [0x100000, 8],
    [0x200000, 8],
  ])("at a master clock of 32 khz (FMSTR %i) a step is 8 ms (table 28, p. 49)", (master, step) => {
    const rig = powered();
    rig.chip.set("ecg", steady(0.8));
    rig.start(ON, [0x04, 0x780014], [0x10, 0x080000 | master], [0x15, master === 0x200000 ? 0x800000 : 0]);
    const [, ...others] = events(rig, 8);
    for (const [, value] of others) expect(Math.abs(value - 800 / step)).toBeLessThanOrEqual(1);
    expect(others.length).toBeGreaterThanOrEqual(5);
  });

  test("HOFF and RHSF keep a second peak from being an R event (p. 60)", () => {
    // A wave of the same height 0.25 s behind each beat.
    const signal = (time: number, sinceStart: number) =>
      steady(1)(time, sinceStart) + steady(1)(time, sinceStart - 0.25);
    const counts = [
      [0x1e, 0x102000], // HOFF 16: 125 ms, no RHSF
      [0x1e, 0x282000], // HOFF 40: 313 ms
      [0x1e, 0x002400], // RHSF 4/8 of an average that begins with both
    ].map(([register, value]) => {
      const rig = powered();
      rig.chip.set("ecg", signal);
      rig.start(ON, [0x04, 0x780014], [register, value]);
      return events(rig, 10).map(([, interval]) => interval);
    });
    expect(new Set(counts[0].slice(1))).toEqual(new Set([32, 96]));
    expect(new Set(counts[1].slice(1))).toEqual(new Set([128]));
    expect(counts[2].slice(1, 3)).toEqual([32, 96]);
    expect(counts[2].slice(-2)).toEqual([128, 128]);
  });

  test("PTSF decides which peaks count, against an average that PAVG carries (p. 60)", () => {
    const signal = (time: number, sinceStart: number) =>
      steady(1)(time, sinceStart) + 0.5 * steady(1)(time, sinceStart - 0.5);
    for (const [rtor1, expected] of [
      [0x3fa300, [64]], // 4/16: the half one, too
      [0x3fab00, [128]], // 12/16
    ] as const) {
      const rig = powered();
      rig.chip.set("ecg", signal);
      rig.start([0x1d, rtor1], [0x04, 0x780014]);
      expect(
        new Set(
          events(rig, 10)
            .slice(1)
            .map(([, value]) => value),
        ),
      ).toEqual(new Set(expected));
    }
  });

  test("a wider window finds a beat later (p. 28)", () => {
    const [narrow, wide] = [0x0fa300, 0xbfa300].map((rtor1) => {
      const rig = powered();
      rig.chip.set("ecg", steady(1));
      rig.start([0x1d, rtor1], [0x04, 0x780014]);
      return events(rig, 6)[1][0];
    });
    // 6 and 28 steps.
    expect(wide - narrow).toBeGreaterThan(0.1);
    expect(wide - narrow).toBeLessThan(0.25);
  });

  test("RRINT goes with STATUS, with RTOR, or by itself after one sample (CLR_RRINT, p. 44)", () => {
    const at = (mode: number) => {
      const rig = powered();
      rig.chip.set("ecg", steady(0.75));
      rig.start(ON, [0x04, 0x780004 | (mode << 4)]);
      let raised = 0;
      rig.chip.onConvert = (name, _, time) => {
        if (name === "rrInterval" && raised === 0) raised = time;
      };
      while (raised === 0) rig.chip.advance(rig.chip.nextAt);
      return rig;
    };
    const status = at(0);
    expect(status.read(STATUS) & RRINT).toBe(RRINT);
    expect(status.read(STATUS) & RRINT).toBe(0);
    const rtor = at(1);
    expect(rtor.read(STATUS) & RRINT).toBe(RRINT);
    expect(rtor.read(STATUS) & RRINT).toBe(RRINT);
    rtor.read(0x25);
    expect(rtor.read(STATUS) & RRINT).toBe(0);
    expect(rtor.read(0x25)).toBe(96 << 10); // the value stays
    const self = at(2);
    expect(self.read(STATUS) & RRINT).toBe(RRINT);
    expect(self.read(STATUS) & RRINT).toBe(RRINT);
    self.chip.advance(self.chip.nextAt);
    expect(self.read(STATUS) & RRINT).toBe(0);
  });

  test("RRINT pulls the pin that it is enabled for: INT2B as a heart-rate indicator (p. 43, 64)", () => {
    const rig = powered();
    rig.chip.set("ecg", steady(0.75));
    rig.start(ON, [0x04, 0x780024], [0x03, 0x000403]);
    let low = 0;
    let before = 1;
    for (let time = 0; time < 6; time += PERIOD / 2e6) {
      rig.seconds(time);
      expect(rig.chip.interrupt).toBe(1);
      if (rig.chip.interrupt2 < before) low++;
      before = rig.chip.interrupt2;
    }
    expect(low).toBeGreaterThanOrEqual(4);
    expect(low).toBeLessThanOrEqual(6);
  });

  test("a timer that goes over says 0x3FFF, is forgotten when that was read, and counts on (p. 64)", () => {
    const rig = powered();
    rig.start(ON, [0x04, 0x780014]);
    const limit = 16383 / 128;
    rig.seconds(limit - 0.01);
    expect(rig.read(STATUS) & RRINT).toBe(0);
    rig.seconds(limit + 0.01);
    expect(rig.read(STATUS) & RRINT).toBe(RRINT);
    expect(rig.read(0x25)).toBe(0xfffc00);
    expect(rig.read(0x25)).toBe(0);
    rig.seconds(2 * limit - 0.01);
    expect(rig.read(STATUS) & RRINT).toBe(0);
    rig.seconds(2 * limit + 0.01);
    expect(rig.read(0x25)).toBe(0xfffc00);
  });

  test("as a mere indicator it rolls over in silence (p. 64)", () => {
    const rig = powered();
    rig.start(ON, [0x04, 0x780024]);
    rig.seconds(140);
    expect(rig.read(STATUS) & RRINT).toBe(0);
    expect(rig.read(0x25)).toBe(0);
  });

  test("SYNCH and power-up begin anew, and a signal that grew smaller is learned after four seconds", () => {
    const rig = powered();
    rig.chip.set("ecg", (time, sinceStart) => steady(0.75)(time, sinceStart) * (sinceStart < 5 ? 40 : 1));
    rig.start(ON, [0x04, 0x780014]);
    const times = events(rig, 14).map(([time]) => time);
    expect(times.filter((time) => time > 5.3 && time < 11)).toEqual([]);
    expect(times.filter((time) => time > 11).length).toBeGreaterThanOrEqual(2);
    rig.chip.powerOn(20e6);
    expect(rig.read(0x25)).toBe(0);
    expect(rig.read(0x1d)).toBe(0x3f2300);
  });
});
