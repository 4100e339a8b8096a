/** The ECMA-419 face on emulated chips: options, sample, configure, close. */
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import { max30003, max30003Emulator, max30102, max30102Emulator, tmp117, tmp117Emulator } from "../../drivers/index.ts";
import { Sensor } from "../../firmware/sensor.ts";

const I2C = { data: "D21", clock: "D22" };
const SPI = { out: "D23", in: "D25", clock: "D18" };
const setUp = () => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  return { clock, board, wait: (ms: number) => clock.runUntil(clock.now + ms * 1000) };
};

test("a thermometer gives degrees Celsius, once a reading; nothing else is there", () => {
  const { board, wait } = setUp();
  const emulator = tmp117Emulator.create({}) as I2cEmulator;
  emulator.set("temperature", -1);
  board.attachI2c(I2C, emulator);
  let readable = 0;
  const sensor = new Sensor({ driver: tmp117, board, sensor: { io: board.i2c(I2C) }, onReadable: () => readable++ });
  expect(sensor.sample()).toBeUndefined();
  expect(readable).toBe(0);
  wait(3000);
  const sample = sensor.sample()!;
  expect(readable).toBeGreaterThanOrEqual(2);
  expect(sample.thermometer!.temperature).toBeCloseTo(-1, 6);
  expect(sample.electrocardiograph).toBeUndefined();
  expect(sample.photoplethysmograph).toBeUndefined();
  expect(sensor.sample(), "the same reading is not given twice").toBeUndefined();
  expect(sensor.identification!.verdict).toBe("confirmed");
});

test("an electrocardiograph gives volts at the electrodes in batches, a photoplethysmograph counts of both lights", () => {
  const { board, wait } = setUp();
  const ecg = max30003Emulator.create({}) as SpiEmulator;
  ecg.set("ecg", 0.001);
  board.attachSpi(SPI, "D5", ecg, "D4");
  const ppg = max30102Emulator.create({}) as I2cEmulator;
  ppg.set("red", 300);
  ppg.set("infrared", 400);
  board.attachI2c(I2C, ppg);
  const heart = new Sensor({
    driver: max30003,
    board,
    sensor: { io: board.spi(SPI), select: "D5" },
    interrupt: "D4",
  });
  const light = new Sensor({ driver: max30102, board, sensor: { io: board.i2c(I2C) } });
  wait(1000);
  const { electrocardiograph } = heart.sample()!;
  expect(electrocardiograph!.voltage.length).toBeGreaterThan(0);
  for (const volts of electrocardiograph!.voltage) expect(volts).toBeCloseTo(0.001, 6);
  expect(electrocardiograph!.leadOff).toBe(false);
  const { photoplethysmograph } = light.sample()!;
  expect(photoplethysmograph!.infrared![0] / photoplethysmograph!.red![0]).toBeCloseTo(4 / 3, 3);
});

test("a chip that does not answer is an error that says so, in the callback, never a value and never from a method", () => {
  const { board, wait } = setUp();
  const errors: string[] = [];
  const sensor = new Sensor({
    driver: tmp117,
    board,
    sensor: { io: board.i2c(I2C) },
    onError: ({ message }) => errors.push(message),
  });
  expect(errors).toEqual([]);
  wait(30_000);
  expect(sensor.sample()).toBeUndefined();
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/TMP117 at address 0x48: .*not acknowledged/);
});

test("close may be called twice, ends the callbacks, and everything after it throws", () => {
  const { board, wait } = setUp();
  board.attachI2c(I2C, tmp117Emulator.create({}) as I2cEmulator);
  let readable = 0;
  const sensor = new Sensor({ driver: tmp117, board, sensor: { io: board.i2c(I2C) }, onReadable: () => readable++ });
  wait(2000);
  const before = readable;
  sensor.close();
  sensor.close();
  wait(5000);
  expect(readable).toBe(before);
  for (const use of [() => sensor.sample(), () => sensor.configuration, () => sensor.identification]) {
    expect(use).toThrow("TMP117");
  }
});

test("configure changes what can be changed while it runs, and refuses what would change the channels", () => {
  const { board, wait } = setUp();
  const ppg = max30102Emulator.create({}) as I2cEmulator;
  ppg.set("infrared", 300);
  board.attachI2c(I2C, ppg);
  const sensor = new Sensor({ driver: max30102, board, sensor: { io: board.i2c(I2C) } });
  wait(500);
  const before = sensor.sample()!.photoplethysmograph!.infrared![0];
  sensor.configure({ ...sensor.configuration, ledCurrent: { red: 6.2, infrared: 12.4 } });
  wait(1000);
  expect(sensor.sample()!.photoplethysmograph!.infrared![0] / before).toBeCloseTo(2, 2);
  expect(() => sensor.configure({ ...sensor.configuration, sampleRate: 200 })).toThrow(
    /close\(\) and make a new Sensor/,
  );
});
