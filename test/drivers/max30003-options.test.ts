/** What can be set on a MAX30003 beyond rate and gain: registers, refusals, fast recovery, what needs a new record. */
import { describe, expect, test } from "vitest";
import { FAULT_RESTARTED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { chip, type Max30003Configuration } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, opened, play, status, write } from "./max30003-script.ts";
import { followStreams } from "./streams.ts";

/** Registers that an opening writes, by address. */
function written(configuration: Partial<Max30003Configuration>, interrupt = false): Record<number, number> {
  const step = chip.create(configuration, { interrupt }).open();
  const frame = chip.create({}, {}).createFrame();
  const outcome = { error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 };
  const reset = step.next!({ ...outcome, replies: [answer(0), answer(0x513000)] }, frame)!;
  const configure = reset.next!({ ...outcome, replies: [answer(0)] }, frame)!;
  const registers: Record<number, number> = {};
  for (const op of configure.ops) {
    const [command, high, middle, low] = (op as { transfer: number[] }).transfer;
    registers[command >> 1] = (high << 16) | (middle << 8) | low;
  }
  return registers;
}

describe("MAX30003 registers of an option", () => {
  test.each<[Partial<Max30003Configuration>, number, number]>([
    [{}, 0x10, 0x081217],
    [{ leadOffThreshold: 400 }, 0x10, 0x081257],
    [{ leadOffThreshold: 450 }, 0x10, 0x081297],
    [{ leadOffThreshold: 500 }, 0x10, 0x0812d7],
    [{ leadOffPullUp: "negative" }, 0x10, 0x081a17],
    [{ leadOff: 100, leadBias: 200 }, 0x10, 0x08151b],
    [{ leadOff: 20, leadBias: 50 }, 0x10, 0x081313],
    [{ leadOff: 5, leadBias: 0 }, 0x10, 0x081104],
    [{ leadOff: 0, leadOffThreshold: 500, leadOffPullUp: "negative" }, 0x10, 0x080017],
    [{ sampleRate: 250 }, 0x10, 0x181217],
    [{ sampleRate: 200 }, 0x10, 0x281217],
    [{ leadOn: 1 }, 0x10, 0x400004], // the channel off, lead-on detection, no bias
    [{ leadOn: 1, sampleRate: 200 }, 0x10, 0x600004],
    [{}, 0x05, 0xbf0000],
    [{ fastRecovery: "off" }, 0x05, 0x3f0000],
    [{ fastRecovery: "manual" }, 0x05, 0x7f0000],
    [{ fastRecoveryThreshold: 1 }, 0x05, 0x810000],
    [{ fastRecovery: "off", fastRecoveryThreshold: 32 }, 0x05, 0x200000],
    [{}, 0x12, 0x004800],
    [{}, 0x14, 0x000000],
    [{ leadOff: 0, calibration: {} }, 0x12, 0x704800], // on, bipolar, 0.5 mV, FCAL 4: 1 hz, FIFTY
    [{ leadOff: 0, calibration: {} }, 0x14, 0x390000], // both isolated, VCALP, VMID
    [{ leadOff: 0, calibration: { inputs: "common" } }, 0x14, 0x3a0000],
    [{ leadOff: 0, calibration: { inputs: "differential" } }, 0x14, 0x3b0000],
    [{ leadOff: 0, calibration: { amplitude: 0.25 } }, 0x12, 0x604800],
    [{ leadOff: 0, calibration: { bipolar: false } }, 0x12, 0x504800],
    [{ leadOff: 0, calibration: { frequency: 256 } }, 0x12, 0x700800],
    [{ leadOff: 0, calibration: { frequency: 1 / 64 } }, 0x12, 0x707800],
    [{ leadOff: 0, calibration: { high: 100_000 / 3 } }, 0x12, 0x704444], // 1092 periods of 30.5 us
    [{ leadOff: 0, calibration: { high: 62_474 } }, 0x12, 0x7047ff],
    [{ leadOff: 0, calibration: { high: 31 } }, 0x12, 0x704001],
    [{ leadOff: 0, sampleRate: 500, calibration: { high: 31.25 * 64, frequency: 64 } }, 0x12, 0x701040],
    [{ leadOff: 0, calibration: { high: 15_594, frequency: 64 } }, 0x12, 0x7011ff], // one period of the clock low
    [{}, 0x04, 0x380004],
    [{ rrInterval: true }, 0x04, 0x380014],
    [{ rrInterval: {} }, 0x1d, 0x3fa300],
    [{ rrInterval: true }, 0x1e, 0x202400],
    [{ rrInterval: { window: 6, gain: 1, peakAveraging: 2, threshold: 1 } }, 0x1d, 0x008000],
    [{ rrInterval: { window: 28, gain: 16384, peakAveraging: 16, threshold: 16 } }, 0x1d, 0xbebf00],
    [{ rrInterval: { gain: 64, peakAveraging: 4 } }, 0x1d, 0x369300],
    [{ rrInterval: { holdOff: 0, intervalAveraging: 2, holdOffFraction: 0 } }, 0x1e, 0x000000],
    [{ rrInterval: { holdOff: 63, intervalAveraging: 16, holdOffFraction: 7 } }, 0x1e, 0x3f3700],
    [{ rrInterval: { intervalAveraging: 4 } }, 0x1e, 0x201400],
  ])("%j: register %i is %i", (configuration, register, value) => {
    expect(written(configuration)[register].toString(16)).toBe(value.toString(16));
  });

  test("LONINT goes to INTB only where it is waited for, RRINT never: its edges are words", () => {
    expect(written({}, true)[0x02]).toBe(0x800003);
    expect(written({ rrInterval: true }, true)[0x02]).toBe(0x800003);
    expect(written({ leadOn: 3 }, true)[0x02]).toBe(0x800803);
    expect(written({ leadOn: 3 })[0x02]).toBe(0x000003);
  });

  test("the detector's registers are left alone where it is not wanted", () => {
    for (const off of [{}, { rrInterval: false }]) {
      expect(written(off)[0x1d]).toBeUndefined();
      expect(written(off)[0x1e]).toBeUndefined();
    }
  });
});

describe("MAX30003 refusals", () => {
  const off = { leadOff: 0 };
  test.each<[Partial<Max30003Configuration>, string]>([
    [{ leadOffThreshold: 350 }, "leadOffThreshold is 350; choose one of 300, 400, 450, 500"],
    [{ leadOffPullUp: "ECGP" }, "leadOffPullUp is ECGP; choose one of positive, negative"],
    [
      { leadOff: 5, leadBias: 100, leadOffThreshold: 500 },
      "leadOff 5 and leadBias 100 fight: an open electrode moves by 500 mV only, not beyond leadOffThreshold 500 mV; " +
        "choose a larger current or resistor",
    ],
    [{ fastRecovery: "on" }, "fastRecovery is on; choose one of off, manual, automatic"],
    [{ fastRecoveryThreshold: 0 }, "fastRecoveryThreshold is 0; choose a whole number, 1 to 63"],
    [{ fastRecoveryThreshold: 64 }, "fastRecoveryThreshold is 64; choose a whole number, 1 to 63"],
    [{ fastRecoveryThreshold: 1.5 }, "fastRecoveryThreshold is 1.5; choose a whole number, 1 to 63"],
    [{ fastRecoveryThreshold: Number.NaN }, "fastRecoveryThreshold is NaN; choose a whole number, 1 to 63"],
    [{ leadOn: -1 }, "leadOn is -1; choose 0 to 3600 s"],
    [{ leadOn: 3601 }, "leadOn is 3601; choose 0 to 3600 s"],
    [{ leadOn: Number.NaN }, "leadOn is NaN; choose 0 to 3600 s"],
    [
      { leadOn: 10, leadOff: 0 },
      "leadOn 10 and leadOff 0 fight: nothing tells that a lead is off again; choose leadOff 5 to 100",
    ],
    [
      { calibration: {} },
      "calibration and leadOff 10 fight: the electrodes are isolated, so their state tells nothing; choose leadOff 0",
    ],
    [{ ...off, calibration: { amplitude: 1 } }, "calibration.amplitude is 1; choose one of 0.25, 0.5"],
    [
      { ...off, calibration: { frequency: 2 } },
      "calibration.frequency is 2; choose one of 256, 64, 16, 4, 1, 0.25, 0.0625, 0.015625",
    ],
    [
      { ...off, calibration: { inputs: "both" } },
      "calibration.inputs is both; choose one of single, common, differential",
    ],
    [{ ...off, calibration: { high: 10 } }, "calibration.high is 10; choose 0 (half of the period), or 31 to 62474 us"],
    [
      { ...off, calibration: { high: -500 } },
      "calibration.high is -500; choose 0 (half of the period), or 31 to 62474 us",
    ],
    [
      { ...off, sampleRate: 200, calibration: { high: 70_000 } },
      "calibration.high is 70000; choose 0 (half of the period), or 32 to 62474 us",
    ],
    [
      { ...off, calibration: { high: 15_625, frequency: 64 } },
      "calibration.high 15625 and calibration.frequency 64 fight: it would never be low; " +
        "choose a shorter time or a lower frequency",
    ],
    [
      { rrInterval: { window: 7 } },
      "rrInterval.window is 7; choose one of 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28",
    ],
    [
      { rrInterval: { gain: 3 } },
      "rrInterval.gain is 3; choose one of 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 0",
    ],
    [{ rrInterval: { peakAveraging: 1 } }, "rrInterval.peakAveraging is 1; choose one of 2, 4, 8, 16"],
    [{ rrInterval: { threshold: 0 } }, "rrInterval.threshold is 0; choose a whole number, 1 to 16"],
    [{ rrInterval: { threshold: 17 } }, "rrInterval.threshold is 17; choose a whole number, 1 to 16"],
    [{ rrInterval: { holdOff: 64 } }, "rrInterval.holdOff is 64; choose a whole number, 0 to 63"],
    [{ rrInterval: { intervalAveraging: 3 } }, "rrInterval.intervalAveraging is 3; choose one of 2, 4, 8, 16"],
    [{ rrInterval: { holdOffFraction: 8 } }, "rrInterval.holdOffFraction is 8; choose a whole number, 0 to 7"],
  ])("%j", (configuration, message) => {
    expect(() => chip.create(configuration, {})).toThrow(`MAX30003: ${message}`);
  });
});

describe("MAX30003 fast recovery (p. 26, 45)", () => {
  test("a lower threshold calls less a saturation", () => {
    for (const [fastRecoveryThreshold, settles] of [
      [20, true],
      [30, false],
    ] as const) {
      const bench = createBench(chip, emulated, { configuration: { fastRecoveryThreshold } });
      bench.emulator.set("ecg", 0.02); // 0.4 of full scale: 25.6 64ths
      bench.run(bench.driver.open());
      bench.wait(62);
      bench.run(bench.driver.poll());
      bench.wait(62);
      bench.run(bench.driver.poll());
      bench.wait(62);
      const [block] = bench.run(bench.driver.poll()).channels;
      expect((block.flags & FLAG_SETTLING) !== 0).toBe(settles);
    }
  });

  test("off: an output at its rail stays a saturation", () => {
    const bench = createBench(chip, emulated, { configuration: { fastRecovery: "off" } });
    bench.emulator.set("ecg", 0.06);
    bench.run(bench.driver.open());
    for (let i = 0; i < 10; i++) {
      bench.wait(60);
      expect(bench.run(bench.driver.poll()).channels[0].flags & FLAG_SETTLING).toBe(0);
    }
  });

  test("manual begins and ends by reconfiguration, and the record goes on", () => {
    const bench = createBench(chip, emulated, { interrupt: false });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(256 * sinceStart) / (20 * 131072));
    const streams = followStreams(bench.emulator, bench.driver.channels());
    bench.run(bench.driver.open());
    const flags: number[] = [];
    for (let i = 0; i < 12; i++) {
      if (i === 4 || i === 8) {
        const fastRecovery = i === 4 ? "manual" : "automatic";
        const step = bench.driver.reconfigure({ ...bench.driver.configuration, fastRecovery })!;
        expect(step.ops).toEqual([write(0x05, i === 4 ? 0x7f0000 : 0xbf0000)]);
        bench.run(step);
        expect(bench.driver.configuration.fastRecovery).toBe(fastRecovery);
      }
      bench.wait(60);
      streams.follow(bench.run(bench.driver.poll()));
      expect(bench.frame.channels[0].lost).toBe(0);
      flags.push(bench.frame.channels[0].flags);
    }
    streams.end(bench.run(bench.driver.close()));
    // The poll behind a change may have samples of before and after it.
    expect(flags.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(flags.slice(5, 8)).toEqual(new Array(3).fill(FLAG_SETTLING));
    expect(flags.slice(9)).toEqual([0, 0, 0]);
  });

  test("where that write fails, the next poll asks for an opening", () => {
    const { driver, frame } = opened();
    const step = driver.reconfigure({ ...driver.configuration, fastRecovery: "off" })!;
    play(step, frame, [{ ops: [write(0x05, 0x3f0000)], fails: true }]);
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });

  test("a change of nothing asks for nothing; of detector, test signal or waiting for a new record", () => {
    const { driver } = opened();
    const now = driver.configuration;
    expect(driver.reconfigure({ ...now })?.ops).toEqual([]);
    expect(driver.reconfigure({ ...now, rrInterval: true })).toBeNull();
    expect(driver.reconfigure({ ...now, leadOn: 5 })).toBeNull();
    expect(driver.reconfigure({ ...now, leadOff: 0, calibration: {} })).toBeNull();
    expect(driver.configuration).toEqual(now);
    const detector = chip.create({ rrInterval: true }, {});
    expect(detector.reconfigure({ ...detector.configuration, rrInterval: { holdOff: 40 } })).toBeNull();
    expect(detector.reconfigure({ ...detector.configuration, rrInterval: false })).toBeNull();
    const waiting = chip.create({ leadOn: 5 }, {});
    expect(waiting.reconfigure({ ...waiting.configuration, leadOn: 6 })).toBeNull();
  });
});
