/** Leads on and off, and saturation, as the MAX30003 emulator detects them, at its bytes. Pages: MAX30001G data sheet. */
import { describe, expect, test } from "vitest";
import { powered } from "./max30003-script.ts";

const STATUS = 0x01;
const LONINT = 0x800;
const PERIOD = 1e6 / 512;

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
