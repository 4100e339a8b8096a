/** Three chips on one I2C bus that runs as slowly as the slowest of them, each under its own reader, in virtual time. */
import { describe, expect, test } from "vitest";
import type { Executor } from "../../boards/board.ts";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Chip, Driver, Frame } from "../../drivers/driver.ts";
import type { EmulatedChip, I2cEmulator } from "../../drivers/emulator.ts";
import { chip as max30102 } from "../../drivers/max30102/chip.ts";
import { emulated as emulatedMax30102 } from "../../drivers/max30102/emulator.ts";
import { chip as mlx90614 } from "../../drivers/mlx90614/chip.ts";
import { emulated as emulatedMlx90614 } from "../../drivers/mlx90614/emulator.ts";
import { chip as tmp117 } from "../../drivers/tmp117/chip.ts";
import { emulated as emulatedTmp117 } from "../../drivers/tmp117/emulator.ts";
import { createReader, type Reader } from "../../firmware/reader.ts";
import { I2C_PINS } from "../../simulator/bench.ts";
import { shake } from "./subjects.ts";

/** What a channel was converted to, and what became of it. A million samples: so nothing is expected one by one. */
interface Stream {
  readonly codes: number[];
  readonly times: number[];
  got: number;
  lost: number;
  /** What is wrong with it, the first few. */
  readonly wrong: string[];
}

interface Member {
  readonly driver: Driver;
  readonly emulator: I2cEmulator;
  readonly streams: Stream[];
  readonly reader: Reader;
  /** us that its operations took, and how many chains of them. */
  busy: number;
}

function share(interrupts: boolean) {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const shared = board.i2c(I2C_PINS);
  const faults: string[] = [];
  const members: Member[] = [];

  function add(
    chip: Chip<never>,
    emulated: EmulatedChip,
    configuration: object,
    oscillator: number,
    interrupt?: string,
  ) {
    const emulator = emulated.create({ oscillator }) as I2cEmulator;
    const wire = interrupts ? interrupt : undefined;
    board.attachI2c(I2C_PINS, emulator, wire);
    shake(emulator);
    const driver = chip.create(configuration as never, { interrupt: wire !== undefined }) as unknown as Driver;
    const channels = driver.channels();
    const streams: Stream[] = channels.map(() => ({ codes: [], times: [], got: 0, lost: 0, wrong: [] }));
    emulator.onConvert = (name, code, at) => {
      const stream = streams[channels.findIndex((one) => one.name === name)];
      stream.codes.push(code);
      stream.times.push(at);
    };
    const follow = (frame: Frame) => {
      streams.forEach((stream, i) => {
        const { samples, count, index, lost, time, uncertainty } = frame.channels[i];
        if (lost !== 0) stream.lost++;
        const say = (what: string) => {
          if (stream.wrong.length < 5) stream.wrong.push(`sample ${stream.got}: ${what}`);
        };
        if (count > 0 && index !== stream.got) say(`index ${index}`);
        if (count > 0 && Math.abs(time - stream.times[stream.got]) > uncertainty + 1) say(`time ${time}`);
        for (let k = 0; k < count; k++) {
          if (samples[k] !== stream.codes[stream.got]) say(`${samples[k]}, not ${stream.codes[stream.got]}`);
          stream.got++;
        }
      });
    };
    const executor: Executor = {
      maxRead: shared.maxRead,
      run: (target, ops, done) =>
        shared.run(target, ops, (outcome) => {
          member.busy += outcome.ended - outcome.began;
          done(outcome);
        }),
    };
    const attachment = { driver, executor, ...(wire !== undefined && { interrupt: wire }) };
    const reader = createReader(board, attachment, {
      onFrame: follow,
      onFault: ({ message }) => faults.push(message),
      onRestart: () => faults.push(`${driver.model} restarted`),
    });
    const member: Member = { driver, emulator, streams, reader, busy: 0 };
    members.push(member);
  }

  // Every oscillator goes its own way, so that the chips' phases meet in all manners.
  add(tmp117 as Chip<never>, emulatedTmp117, { mode: "oneShot" }, 1.013);
  add(mlx90614 as Chip<never>, emulatedMlx90614, { zones: 2 }, 0.97);
  add(max30102 as Chip<never>, emulatedMax30102, { sampleRate: 100 }, 1.007, "D19");

  /** Opens all, runs for so long, closes all. */
  const run = (seconds: number) => {
    for (const { reader } of members) reader.open(() => {});
    clock.runUntil(clock.now + seconds * 1e6);
    let closed = 0;
    for (const { reader } of members) reader.close(() => closed++);
    while (closed < members.length && clock.step());
    expect(closed).toBe(members.length);
  };
  return { board, clock, members, faults, run };
}

/** Everything that was converted is in the frames, in order, and nothing else is. */
function expectAll({ members, faults }: ReturnType<typeof share>) {
  expect(faults).toEqual([]);
  for (const { driver, streams } of members) {
    for (const [i, { codes, got, lost, wrong }] of streams.entries()) {
      const name = `${driver.model}, ${driver.channels()[i].name}`;
      expect(wrong, name).toEqual([]);
      expect([got, lost], name).toEqual([codes.length, 0]);
    }
  }
}

const counts = ({ members }: ReturnType<typeof share>) => members.map(({ streams }) => streams.map(({ got }) => got));

describe.each([
  ["polled by time", false],
  ["the MAX30102 by its interrupt", true],
])("TMP117, MLX90614 and MAX30102 on one bus, %s", (_, interrupts) => {
  test("an hour at 100 khz: no overflow, no conversion missed, no value twice, no fault", () => {
    const bus = share(interrupts);
    bus.run(3600);
    expectAll(bus);
    const [[temperature], [object, ambient, object2], [red, infrared]] = counts(bus);
    // 1 hz less what a one-shot waits for the bus, 5 hz, and 100 sps of an oscillator that is 0.7 % fast.
    expect(Math.abs(temperature - 3570)).toBeLessThan(40);
    expect(object).toBe(ambient);
    expect(object).toBe(object2);
    expect(Math.abs(object - 18_000)).toBeLessThan(250);
    expect(red).toBe(infrared);
    expect(Math.abs(red - 362_520)).toBeLessThan(60);
    // It ran at 100 khz: three words of 57 bits, 18,000 times, and what a FIFO of 362,520 x 6 bytes takes.
    const [, mlx, max] = bus.members;
    expect(mlx.busy / object / 1000).toBeCloseTo((3 * 57) / 100, 2);
    expect(max.busy).toBeGreaterThan(362_520 * 6 * 90);
    const load = bus.members.reduce((sum, { busy }) => sum + busy, 0) / 3600e6;
    expect(load).toBeGreaterThan(0.05);
    expect(load).toBeLessThan(0.1);
  });

  test("a host that stands still for 125 ms every 3 s loses nothing either", () => {
    const bus = share(interrupts);
    for (let s = 2; s < 300; s += 3) bus.clock.at(s * 1e6 + s * 7919, () => bus.board.stall(125));
    bus.run(300);
    expectAll(bus);
  });
});

test("the comparison can fail: a host that stands still for 0.5 s is told as a loss", () => {
  const bus = share(false);
  bus.clock.at(10e6, () => bus.board.stall(500));
  bus.run(20);
  const [red] = bus.members[2].streams;
  expect(red.lost).toBeGreaterThan(0);
  expect(red.codes.length).toBeGreaterThan(red.got);
});
