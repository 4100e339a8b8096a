/** Line 18: when a sample was taken, as its arrival, a count at the nominal rate, and the board's fitted clock have it. */
import { expect } from "vitest";
import { MDC_ECG } from "../../protocol/messages.ts";
import { createRandom } from "../../simulator/random.ts";
import { createFrontEnd, REGISTER } from "./front-end.ts";
import { holds } from "./holds.ts";
import { createWire } from "./wire.ts";
import { createWorld, record, type WorldOptions } from "./world.ts";

/** The board's crystal is 50 ppm fast, the chip's half a percent; a message takes 5 ms and an exponential of 20 ms, as over WiFi. */
const PPM = 50;
const SECONDS = 300;
const RATE = 128;
const options = (): WorldOptions => {
  const random = createRandom("delays");
  return {
    chips: [
      {
        chip: "max30003",
        inputs: { ecg: (time) => 0.0005 * Math.sin(2 * Math.PI * time) },
        interrupt: true,
        configuration: { sampleRate: RATE },
      },
    ],
    faults: [{ kind: "oscillator", chip: "max30003", percent: 0.5 }],
    crystal: (since) => since * (1 + PPM / 1e6),
    delay: () => 5000 - 20_000 * Math.log(1 - random.uniform()),
  };
};
/** Largest of them, whatever their sign, us. */
const largest = (errors: readonly number[]) => errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0);

holds(18, () => {
  // the host stamps what arrives; or it stamps the first and counts on, at the rate of the data sheet
  const world = createWorld(options());
  const { delay } = options();
  const wire = createWire(world, 0);
  const frontEnd = createFrontEnd(wire);
  frontEnd.begin();
  frontEnd.write(0x0a, 0);
  const converted = world.wired[0]!.converted.get("ecg")!;
  const skipped = converted.length;
  const arrivals: number[] = [];
  while (wire.now < SECONDS) {
    if ((frontEnd.read(REGISTER.STATUS) & 0x800000) !== 0) {
      wire.transfer((REGISTER.FIFO_BURST << 1) | 1, ...new Array<number>(48).fill(0));
      const arrival = Math.max(arrivals.at(-1) ?? 0, wire.now * 1e6 + delay!());
      for (let i = 0; i < 16; i++) arrivals.push(arrival);
    }
    wire.delay(10);
  }
  const truth = converted.slice(skipped).map(({ at }) => at);
  const arrived = arrivals.map((time, i) => time - truth[i]!);
  const counted = arrivals.map((_, i) => arrivals[0]! + (i * 1e6) / RATE - truth[i]!);
  const steps = arrivals.map((time, i) => time - (arrivals[i - 1] ?? 0));
  // up to a quarter of a second late and sixteen samples at one instant; or 1.5 s away after five minutes, and going on
  expect(largest(arrived)).toBeGreaterThan(200_000);
  expect(steps.filter((step) => step === 0).length).toBeGreaterThan(0.9 * steps.length);
  expect(largest(counted)).toBeGreaterThan(1_400_000);

  const ours = record(options(), SECONDS);
  const real = ours.world.wired[0]!.converted.get("ecg")!;
  const { blocks } = ours.channels(MDC_ECG)[0]!;
  const errors: number[] = [];
  let beyond = 0;
  for (const { seg, idx, samples, utc, interval } of blocks) {
    expect(seg).toBe(0);
    for (let i = 0; i < samples.length; i++) {
      const error = utc!.utc + i * interval - ours.epoch - real[idx + i]!.at;
      if (Math.abs(error) > utc!.uncertainty) beyond++;
      errors.push(error);
    }
  }
  expect(errors.length).toBeGreaterThan((SECONDS - 2) * RATE);
  // measured: 12 ms, most of it the way to the gateway, and 0.11 ms more or less from sample to sample
  expect(beyond).toBe(0);
  expect(largest(errors)).toBeLessThan(20_000);
  expect(largest(errors.slice(1).map((error, i) => error - errors[i]!))).toBeLessThan(200);
});
