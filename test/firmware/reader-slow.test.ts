/**
 * Thermometers that are polled more seldom than a sensor has to be back. A brown-out is seen at the next poll (their answers
 * show it, their acknowledge does not); the value that was due then comes at once, so that it costs no interval besides.
 */
import { expect, test } from "vitest";
import type { Chip } from "../../drivers/driver.ts";
import type { EmulatedChip } from "../../drivers/emulator.ts";
import { max30205, max30205Emulator, mlx90614, mlx90614Emulator, tmp117, tmp117Emulator } from "../../drivers/index.ts";
import { createReader } from "../../firmware/reader.ts";
import { createBench } from "../../simulator/bench.ts";
import { shake } from "../drivers/subjects.ts";

const SECOND = 1e6;
const INTERVAL = 16;
/** From the poll that finds it to the value: 1 s, a conversion of 1 s, and the opening. */
const SOON = 2.5;

const CHIPS: [string, Chip<never>, EmulatedChip, object][] = [
  ["TMP117", tmp117 as Chip<never>, tmp117Emulator, { sampleRate: 1 / INTERVAL, averaging: 64 }],
  ["TMP117 in one-shots", tmp117 as Chip<never>, tmp117Emulator, { sampleRate: 1 / INTERVAL, mode: "oneShot" }],
  ["MAX30205", max30205 as unknown as Chip<never>, max30205Emulator, { sampleRate: 1 / INTERVAL }],
  [
    "MAX30205 without one-shots",
    max30205 as unknown as Chip<never>,
    max30205Emulator,
    { sampleRate: 1 / INTERVAL, mode: "continuous" },
  ],
  ["MLX90614", mlx90614 as unknown as Chip<never>, mlx90614Emulator, { sampleRate: 1 / INTERVAL }],
];

function watched(chip: Chip<never>, emulated: EmulatedChip, configuration: object) {
  const { board, clock, attachment, emulator } = createBench(chip, emulated, { configuration: configuration as never });
  shake(emulator);
  const values: number[] = [];
  const reader = createReader(board, attachment, {
    onFrame: (frame) => {
      if (frame.channels[0]!.count > 0) values.push(clock.now / SECOND);
    },
    onFault: () => {},
    onRestart: () => {},
  });
  reader.open(() => {});
  clock.runUntil(100 * SECOND);
  return { board, clock, emulator, values };
}

test.each(CHIPS)(
  "a %s of one value in 16 s that browns out gives the next one at most 2.5 s late",
  (_name, ...what) => {
    for (let at = 0.1; at < INTERVAL; at += 1.3) {
      const { clock, emulator, values } = watched(...what);
      clock.runUntil(clock.now + at * SECOND);
      emulator.powerOn(clock.now);
      const before = values.length;
      const since = clock.now / SECOND;
      clock.runUntil(clock.now + 60 * SECOND);
      expect(values[before]! - since, `${at} s`).toBeLessThan(INTERVAL + SOON);
      expect(values[before]! - values[before - 1]!, `${at} s`).toBeLessThan(2 * INTERVAL + SOON);
      expect(values.length - before).toBeGreaterThanOrEqual(3);
    }
  },
);

test.each(CHIPS)("a %s of one value in 16 s that was unplugged for a minute is back within 5 s", (_name, ...what) => {
  for (let more = 0; more < 3; more += 0.7) {
    const { board, clock, emulator, values } = watched(...what);
    board.busFault = () => "nack";
    clock.runUntil(clock.now + (60 + more) * SECOND);
    board.busFault = null;
    emulator.powerOn(clock.now);
    const before = values.length;
    const end = clock.now / SECOND;
    clock.runUntil(clock.now + 60 * SECOND);
    expect(values[before]! - end, `${more} s`).toBeLessThan(5);
    expect(values.length - before).toBeGreaterThanOrEqual(3);
  }
});
