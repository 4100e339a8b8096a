/** `bench.fail`: any kind of the fault catalogue on one chip, with one call. */
import { expect, test } from "vitest";
import { max30003, max30003Emulator, max30102, max30102Emulator, tmp117, tmp117Emulator } from "../../drivers/index.ts";
import { createBench } from "../../simulator/testing.ts";

test("a chip that is failed now does not answer from now on, and does again when the time is over", () => {
  const bench = createBench(tmp117, tmp117Emulator);
  bench.run(bench.driver.open());
  bench.wait(3000);
  expect(bench.run(bench.driver.poll()).faults).toEqual([]);
  bench.fail({ kind: "nack", for: 2 });
  expect(bench.run(bench.driver.poll()).faults.map(({ message }) => message)).toEqual([
    expect.stringContaining("TMP117"),
  ]);
  bench.wait(2000);
  expect(bench.run(bench.driver.poll()).faults).toEqual([]);
  const [began, ended] = bench.truth;
  expect(began).toMatchObject({ kind: "nack", chip: "tmp117", state: "began" });
  expect(ended!.at - began!.at).toBeCloseTo(2, 6);
});

test("at a time of its own it waits for that, and a fault of the host needs no chip", () => {
  const bench = createBench(max30102, max30102Emulator, { interrupt: true });
  bench.run(bench.driver.open());
  bench.fail({ kind: "host-stall", at: 1, for: 0.5 });
  const fired: number[] = [];
  bench.board.timer(1200, () => fired.push(bench.clock.now));
  const began = bench.clock.now;
  bench.wait(2000);
  expect(fired).toEqual([1.5e6]);
  expect(began).toBeLessThan(1e6);
  expect(bench.truth).toMatchObject([
    { kind: "host-stall", chip: null, state: "began", at: 1 },
    { kind: "host-stall", state: "ended", at: 1.5 },
  ]);
});

test("what a chip cannot have is refused in words, and an oscillator belongs into a plan", () => {
  const ecg = createBench(max30003, max30003Emulator, { interrupt: true });
  expect(() => ecg.fail({ kind: "nack" })).toThrow("faults: 0 (nack): a MAX30003 is not on I2C; choose another chip");
  expect(() => ecg.fail({ kind: "broker-gone" })).toThrow("board 0 needs no broker");
  expect(() => ecg.fail({ kind: "lead-off", for: 0 })).toThrow("faults: 0.for: 0 s is no time; give more");
  expect(() => ecg.fail({ kind: "oscillator" })).toThrow("put it into the plan");
  expect(ecg.truth).toEqual([]);
});
