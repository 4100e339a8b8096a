/** What the MAX30003 emulator detects, at its bytes: R events, leads on and off, saturation. Pages: MAX30001G data sheet. */
import { describe, expect, test } from "vitest";
import type { EmulatorOptions } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";

const STATUS = 0x01;
const RRINT = 0x400;
const LONINT = 0x800;
const PERIOD = 1e6 / 512;

function powered(options: EmulatorOptions = {}) {
  const chip = emulated.create(options);
  chip.powerOn(0);
  const exchange = (...bytes: number[]) => {
    chip.select();
    const reply = bytes.map((byte) => chip.exchange(byte));
    chip.deselect();
    return reply;
  };
  const read = (register: number) => {
    const [, high, middle, low] = exchange((register << 1) | 1, 0, 0, 0);
    return (high << 16) | (middle << 8) | low;
  };
  const write = (register: number, value: number) =>
    exchange(register << 1, value >> 16, (value >> 8) & 255, value & 255);
  /** 512 sps, gain 20; begins at 50 ms. Registers beside these: [register, value], ... */
  const start = (...more: [number, number][]) => {
    write(0x10, 0x080000);
    write(0x14, 0);
    write(0x15, 0);
    for (const [register, value] of more) write(register, value);
    chip.advance(50_000);
    write(0x09, 0);
  };
  const seconds = (time: number) => chip.advance(50_000 + time * 1e6);
  return { chip, exchange, read, write, start, seconds };
}

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

describe("MAX30003 emulator: leads (p. 23, 42, 47, 48)", () => {
  test.each([
    ["leadOffPositive", 0x081200, 0x100008],
    ["leadOffNegative", 0x081200, 0x100001],
    ["leadOff", 0x081200, 0x100009],
    ["leadOffPositive", 0x081a00, 0x100004],
    ["leadOffNegative", 0x081a00, 0x100002],
    ["leadOff", 0x081a00, 0x100006],
    ["leadOff", 0x080200, 0], // not enabled
    ["leadOff", 0x081000, 0], // no current
    ["leadOff", 0x082200, 0], // reserved
  ])("%s with CNFG_GEN %i: STATUS %i", (input, general, bits) => {
    const rig = powered();
    rig.start([0x10, general]);
    rig.chip.set(input, 1);
    rig.seconds(0.11);
    expect(rig.read(STATUS) & 0x10000f).toBe(0);
    rig.seconds(0.13);
    expect(rig.read(STATUS) & 0x10000f).toBe(bits);
  });

  test.each([
    // nA x MOhm against mV: an open electrode goes no further than its bias resistor lets it.
    [0x081113, false], // 5 nA, 50 MOhm: 250 of 300 mV
    [0x081117, true], // 5, 100: 500 of 300
    [0x0811d7, false], // 500 of 500
    [0x0811db, true], // 5, 200: 1000 of 500
    [0x081253, true], // 10, 50: 500 of 400
    [0x081293, true], // of 450
    [0x0812d3, false], // of 500
    [0x0812d0, true], // bias enabled, no resistor connected: to the supply
    [0x0812c7, true], // a resistor selected, bias not enabled
    [0x0813d3, true], // 20, 50: 1000 of 500
  ])("CNFG_GEN %i: seen %s", (general, seen) => {
    const rig = powered();
    rig.start([0x10, general]);
    rig.chip.set("leadOff", 1);
    rig.seconds(0.2);
    expect((rig.read(STATUS) & 0x100000) !== 0).toBe(seen);
  });

  test("one electrode that is back on is forgotten with the next STATUS, the other stays", () => {
    const rig = powered();
    rig.start([0x10, 0x081200]);
    rig.chip.set("leadOff", 1);
    rig.seconds(0.2);
    rig.chip.set("leadOff", 0);
    rig.chip.set("leadOffNegative", 1);
    rig.seconds(0.21);
    expect(rig.read(STATUS) & 0x10000f).toBe(0x100009);
    expect(rig.read(STATUS) & 0x10000f).toBe(0x100001);
  });

  test("lead-on says LONINT when the mode begins, and after STATUS was read once, while both leads are on", () => {
    const rig = powered();
    rig.chip.set("leadOffPositive", (time) => (time < 1 ? 1 : 0));
    rig.chip.set("leadOffNegative", (time) => (time >= 2 ? 1 : 0));
    rig.write(0x10, 0x400004);
    expect(rig.read(0x10)).toBe(0x400004);
    rig.chip.advance(100_000);
    expect(rig.read(STATUS)).toBe(LONINT);
    expect(rig.read(STATUS)).toBe(0);
    rig.chip.advance(1_100_000);
    expect(rig.read(STATUS)).toBe(LONINT);
    expect(rig.read(STATUS)).toBe(LONINT);
    rig.chip.advance(2_100_000);
    expect(rig.read(STATUS)).toBe(LONINT); // held until read
    expect(rig.read(STATUS)).toBe(0);
  });

  test("without that reading the comparator is not asked", () => {
    const rig = powered();
    const edges: number[] = [];
    rig.chip.onInterrupt = (level, at) => edges.push(level, at);
    rig.chip.set("leadOff", (time) => (time < 1 ? 1 : 0));
    rig.write(0x02, 0x000803);
    rig.write(0x10, 0x400004);
    expect(edges).toEqual([0, 0]);
    rig.chip.advance(500_000);
    rig.read(STATUS);
    expect(edges.slice(2)).toEqual([1, 500_000]);
    rig.chip.advance(1_500_000);
    expect(edges.slice(4)).toEqual([0, 1_000_000]);
  });

  test.each([
    ["the channel is on", 0x480000],
    ["the code is reserved", 0x800004],
    ["both codes", 0xc00004],
  ])("there is no lead-on where %s (p. 47)", (_, general) => {
    const rig = powered();
    rig.write(0x10, general);
    rig.chip.advance(200_000);
    rig.read(STATUS);
    rig.chip.advance(400_000);
    expect(rig.read(STATUS) & LONINT).toBe(0);
  });

  test("leaving the mode ends it, and nothing happens by itself any more", () => {
    const rig = powered();
    rig.write(0x10, 0x400004);
    rig.read(STATUS);
    rig.chip.advance(50_000);
    expect(rig.chip.nextAt).toBe(60_000);
    rig.write(0x10, 0x000004);
    expect(rig.chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    rig.read(STATUS);
    expect(rig.read(STATUS)).toBe(0);
  });

  test("EN_RBIAS does not stay without the channel (p. 48)", () => {
    const rig = powered();
    rig.write(0x10, 0x000017);
    expect(rig.read(0x10)).toBe(0x000007);
    rig.write(0x10, 0x080017);
    expect(rig.read(0x10)).toBe(0x080017);
  });
});

describe("MAX30003 emulator: fast recovery (p. 26, 27, 44, 45)", () => {
  /** Indices of the samples that are tagged, out of the first `count`. */
  const tagged = (rig: ReturnType<typeof powered>, count: number) => {
    const list: number[] = [];
    for (let k = 0; k < count; k++) {
      rig.chip.advance(50_000 + (k + 0.5) * PERIOD);
      const tag = (rig.read(0x21) >> 3) & 7;
      expect([2, 3]).toContain(tag);
      if (tag === 3) list.push(k);
    }
    return list;
  };
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

  test("automatic: 125 ms beyond the threshold, then table 3's number of samples", () => {
    const rig = powered();
    rig.chip.set("ecg", (_, sinceStart) => (sinceStart < 0.3 ? 0.06 : 0));
    rig.start([0x05, 0xbf0000]);
    // 65 periods are 127 ms.
    expect(tagged(rig, 500)).toEqual(range(65, 255));
  });

  test.each([
    [0.04, 0xa80000, true], // 0.8 of full scale: 51.2 64ths
    [0.04, 0xb30000, true], // 51
    [0.04, 0xb40000, false],
    [-0.04, 0xb30000, true],
    [0.06, 0x3f0000, false], // off
    [0.06, 0xff0000, false], // reserved
  ])("%d V with MNGR_DYN %i", (volts, dynamic, expected) => {
    const rig = powered();
    rig.chip.set("ecg", volts);
    rig.start([0x05, dynamic]);
    expect(tagged(rig, 100).length > 0).toBe(expected);
  });

  test("what lies beyond adds up; 125 ms within forgive it (figure 7, p. 27)", () => {
    const bursts = (apart: number) => (_: number, sinceStart: number) => (sinceStart % apart < 0.05 ? 0.06 : 0);
    const near = powered();
    near.chip.set("ecg", bursts(0.1));
    near.start([0x05, 0xbf0000]);
    expect(tagged(near, 200)[0]).toBeGreaterThan(100);
    const far = powered();
    far.chip.set("ecg", bursts(0.25));
    far.start([0x05, 0xbf0000]);
    expect(tagged(far, 800)).toEqual([]);
  });

  test("manual: from the write until the next one", () => {
    const rig = powered();
    rig.start();
    expect(tagged(rig, 10)).toEqual([]);
    rig.write(0x05, 0x7f0000);
    rig.chip.advance(50_000 + 20.5 * PERIOD);
    expect(rig.read(STATUS) & 0x200000).toBe(0x200000);
    expect(rig.read(STATUS) & 0x200000).toBe(0x200000); // as long as it lasts
    rig.write(0x05, 0x3f0000);
    rig.chip.advance(50_000 + 22.5 * PERIOD);
    expect(rig.read(STATUS) & 0x200000).toBe(0x200000); // held until read
    expect(rig.read(STATUS) & 0x200000).toBe(0);
  });

  test("CLR_FAST: told once, also while it lasts (p. 44)", () => {
    const rig = powered();
    rig.start([0x05, 0x7f0000], [0x04, 0x780044]);
    rig.seconds(0.1);
    expect(rig.read(STATUS) & 0x200000).toBe(0x200000);
    rig.seconds(0.2);
    expect(rig.read(STATUS) & 0x200000).toBe(0);
  });
});
