/** The bench for one emulated chip. */
import { expect, test } from "vitest";
import * as drivers from "../../drivers/index.ts";
import { emulators, probe } from "../../simulator/index.ts";
import { names } from "../drivers/subjects.ts";

test("a chip on I2C is written and read, and what it does not acknowledge is an error that names the byte", () => {
  const bench = probe(emulators.tmp117, { address: 0x4b });
  bench.wait(2); // its EEPROM is being read
  bench.write(0x02, 0x12, 0x34);
  expect(bench.read(0x02, 2)).toEqual([0x12, 0x34]);
  bench.chip.write = () => false;
  expect(() => bench.read(0x02, 2)).toThrow("TMP117: byte 0x2 was not acknowledged at 2 ms");
  bench.chip.start = () => false;
  expect(() => bench.write(0x02)).toThrow("TMP117: address 0x4b for a write was not acknowledged");
});

test("a chip on SPI answers a byte for a byte", () => {
  const bench = probe(emulators.max30003);
  bench.transfer(0x00, 0, 0, 0);
  expect(bench.transfer((0x0f << 1) | 1, 0, 0, 0)[1] >> 4).toBe(5); // INFO
});

test("time moves only when it is told to, and a chip that lost its power has forgotten everything", () => {
  const bench = probe(emulators.tmp117);
  bench.chip.set("temperature", 37);
  expect(bench.now).toBe(0);
  expect(bench.read(0, 2)).toEqual([0x80, 0]);
  bench.wait(125);
  expect(bench.now).toBe(125);
  expect(bench.read(0, 2)).toEqual([0x80, 0]);
  bench.wait(1);
  expect(bench.read(0, 2)).toEqual([0x12, 0x80]);
  bench.cutPower();
  expect(bench.read(0, 2)).toEqual([0x80, 0]);
});

test("every chip of drivers/ is exported by its name, and so is its emulator", () => {
  expect(Object.keys(emulators).sort()).toEqual(names);
  const exported = drivers as unknown as Record<string, { model: string }>;
  for (const name of names) {
    expect(exported[name]?.model.toLowerCase(), name).toBe(name);
    expect(exported[`${name}Emulator`]).toBe(emulators[name as keyof typeof emulators]);
  }
});

test("an analog chip is a voltage", () => {
  const bench = probe(emulators.ad8232);
  bench.wait(500);
  expect(bench.voltage()).toBeCloseTo(1.65, 2);
  bench.chip.set("ecg", 1 / 1100);
  expect(bench.voltage()).toBeCloseTo(2.65, 2);
});
