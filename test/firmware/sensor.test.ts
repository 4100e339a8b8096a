/** The ECMA-419 face on emulated chips: options, sample, configure, close. */
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import {
  ad8232,
  ad8232Emulator,
  ads1292r,
  ads1292rEmulator,
  max30003,
  max30003Emulator,
  max30101,
  max30101Emulator,
  max30102,
  max30102Emulator,
  mlx90614,
  mlx90614Emulator,
  tmp117,
  tmp117Emulator,
} from "../../drivers/index.ts";
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

test("an infrared thermometer, whose record is in kelvin, gives degrees Celsius of object and air", () => {
  const { board, wait } = setUp();
  const emulator = mlx90614Emulator.create({});
  emulator.set("object", 37.01);
  emulator.set("ambient", 22.01);
  board.attachI2c(I2C, emulator);
  const sensor = new Sensor({ driver: mlx90614, board, sensor: { io: board.i2c(I2C) } });
  wait(5000);
  const { thermometer } = sensor.sample()!;
  expect(thermometer!.temperature).toBeCloseTo(37.01, 6);
  expect(thermometer!.ambient).toBeCloseTo(22.01, 6);
  expect(thermometer!.die).toBeUndefined();
});

test("an analog electrocardiograph says by its pins that a lead is off, and is switched off by its pin", () => {
  const { board, wait } = setUp();
  const emulator = ad8232Emulator.create({});
  const levels: number[] = [];
  const { pin } = emulator;
  emulator.pin = (name, level) => {
    expect(name).toBe("shutdown");
    levels.push(level);
    pin!(name, level);
  };
  board.attachAnalog({ pin: "A0", inputs: ["D10", "D11"] }, emulator);
  const sensor = new Sensor({
    driver: ad8232,
    board,
    sensor: {
      io: board.analog({ pin: "A0", inputs: ["D10", "D11"] }),
      pins: { shutdown: "D27" },
      inputs: ["LO+", "LO-"],
    },
  });
  emulator.set("ecg", 0.0005);
  wait(2000);
  const { electrocardiograph } = sensor.sample()!;
  expect(electrocardiograph!.voltage![0]).toBeCloseTo(0.0005, 5);
  expect(electrocardiograph!.leadOff).toBe(false);
  emulator.set("leadOffPlus", 1);
  wait(1000);
  expect(sensor.sample()!.electrocardiograph!.leadOff).toBe(true);
  sensor.close();
  wait(100);
  expect(levels).toEqual([1, 0]);
});

test("two leads, and three lights, are told apart", () => {
  const { board, wait } = setUp();
  const ecg = ads1292rEmulator.create({});
  board.attachSpi(SPI, "D5", ecg, "D4");
  const heart = new Sensor({
    driver: ads1292r,
    board,
    sensor: { io: board.spi(SPI), select: "D5" },
    interrupt: "D4",
    configuration: { channel1: "ecg" },
  });
  const ppg = max30101Emulator.create({});
  ppg.set("red", 300);
  ppg.set("green", 600);
  board.attachI2c(I2C, ppg);
  const light = new Sensor({
    driver: max30101,
    board,
    sensor: { io: board.i2c(I2C) },
    configuration: { slots: ["red", "green"] },
  });
  wait(2000);
  const { electrocardiograph, thermometer } = heart.sample()!;
  expect(electrocardiograph!.voltage!.length).toBe(1);
  expect(electrocardiograph!.second!.length).toBe(1);
  expect(thermometer).toBeUndefined();
  const { photoplethysmograph } = light.sample()!;
  expect(photoplethysmograph!.green![0] / photoplethysmograph!.red![0]).toBeCloseTo(2, 3);
  expect(photoplethysmograph!.infrared).toBeUndefined();
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
  expect(electrocardiograph!.voltage!.length).toBeGreaterThan(0);
  for (const volts of electrocardiograph!.voltage!) expect(volts).toBeCloseTo(0.001, 6);
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
