/** Thermometers in the field: lines 10 and 11, and what was found in other drivers of them, on the same chips and faults. */
import { expect, test } from "vitest";
import type { Emulator, I2cEmulator } from "../../drivers/emulator.ts";
import { MDC_TEMP, MDC_TEMP_AXILLA, MDC_TEMP_SKIN, MDC_TEMPERATURE } from "../../protocol/messages.ts";
import { holds } from "./holds.ts";
import { createWire, Hangs, type Wire } from "./wire.ts";
import { createWorld, type Placed, type Reading, record, type WorldOptions } from "./world.ts";

const numbers = (readings: readonly Reading[]) => readings.flatMap(({ value }) => (value === null ? [] : [value]));
/** How far the numbers are from a value at most. */
const farthest = (readings: readonly Reading[], truth: number) =>
  Math.max(...numbers(readings).map((value) => Math.abs(value - truth)));

/** Once a second from 2 s on, as the examples of such drivers do it, up to a time, s. */
function everySecond(wire: Wire, until: number, look: () => number): { time: number; value: number }[] {
  const shown: { time: number; value: number }[] = [];
  wire.delay(2000);
  while (wire.now < until) {
    const value = look();
    shown.push({ time: wire.now, value });
    wire.delay(1000);
  }
  return shown;
}
const word = (bytes: readonly number[]) => (bytes[0]! << 8) | bytes[1]!;

/** `Wire.requestFrom()` brought nothing, nobody looked, and `Wire.read()` says -1 for "there is none". */
const readTmp117 = (wire: Wire) => ((word(wire.read(0x00, 2) ?? [-1, -1]) << 16) >> 16) / 128;

const skin: Placed = { chip: "tmp117", inputs: { temperature: 36.5 }, on: "axilla" };

holds(10, ({ heard }) => {
  // held until somebody gives it nine clocks
  const options: WorldOptions = {
    chips: [skin],
    faults: [{ kind: "stuck-sda", chip: "tmp117", at: 10, for: 1000, clocks: 9 }],
  };
  const wire = createWire(createWorld(options), 0);
  const shown = everySecond(wire, 60, () => readTmp117(wire));
  expect(shown.filter(({ time }) => time < 10).every(({ value }) => Math.abs(value - 36.5) < 0.1)).toBe(true);
  // the number for "nothing", for ever: what a person takes for a temperature just below zero
  const after = shown.filter(({ time }) => time > 11);
  expect(after.length).toBeGreaterThan(40);
  expect(new Set(after.map(({ value }) => value))).toEqual(new Set([-1 / 128]));

  const ours = record(options, 60);
  const back = numbers(ours.values(MDC_TEMPERATURE, 15));
  expect(back.length).toBeGreaterThan(40);
  expect(farthest(ours.values(MDC_TEMPERATURE), 36.5)).toBeLessThan(0.1);
  // at most one reading in 5 s from where it came
  expect(numbers(ours.values(MDC_TEMPERATURE, 10, 15)).length).toBeGreaterThan(0);
  heard(...ours.monitor());

  // a chip that never lets go
  const dead = record(
    { ...options, faults: [{ kind: "stuck-sda", chip: "tmp117", at: 10, for: 1000, clocks: "never" }] },
    60,
  );
  expect(dead.values(MDC_TEMPERATURE, 11)).toEqual([]);
  const vital = dead.values(MDC_TEMP_AXILLA, 15);
  expect(vital.length).toBeGreaterThan(40);
  for (const { value, words } of vital) expect({ value, words }).toEqual({ value: null, words: ["sensor fault"] });
  // once: an event each second would fill the record
  const last = dead.told.at(-1)!;
  expect(last.words).toContain("given up");
  expect(last.time).toBeLessThan(10 + 35);
  expect(dead.told.length).toBeLessThan(6);
  heard(...dead.monitor());
});

/** Every answer of the chip in these spans, s, has a bit turned over on its way: of its second byte, the value's high one. */
function badLine(...spans: readonly [from: number, to: number, every: number][]) {
  return (emulator: Emulator) => {
    const chip = emulator as I2cEmulator;
    const { start, read, advance } = chip;
    let now = 0;
    let place = 0;
    let answers = 0;
    chip.advance = (to) => {
      now = to / 1e6;
      advance.call(chip, to);
    };
    chip.start = (reading) => {
      place = 0;
      if (reading) answers++;
      return start.call(chip, reading);
    };
    chip.read = () => {
      const bad = spans.some(([from, to, every]) => now >= from && now < to && answers % every === 0);
      return read.call(chip) ^ (bad && place++ === 1 ? 0x10 : 0);
    };
  };
}

/** CRC-8 of SMBus. */
const crc8 = (bytes: readonly number[]) =>
  bytes.reduce((crc, byte) => {
    let bits = crc ^ byte;
    for (let i = 0; i < 8; i++) bits = bits & 0x80 ? ((bits << 1) ^ 0x107) & 0xff : bits << 1;
    return bits;
  }, 0);
const kelvins = ([low, high]: readonly number[]) => ((high! << 8) | low!) * 0.02 - 273.15;

/** As the chip has it: its reading goes into the record in K, the vital in Cel. */
const IN_KELVIN = 36.5 + 273.15;
const forehead: Placed = {
  chip: "mlx90614",
  inputs: { object: 36.5, ambient: 24 },
  on: "forehead",
  configuration: { sampleRate: 2 },
};

holds(11, ({ heard }) => {
  // every third answer for 20 s, and then all of them for 6 s
  const options: WorldOptions = { chips: [{ ...forehead, spoil: badLine([10, 30, 3], [40, 46, 1]) }], noise: false };
  const wire = createWire(createWorld(options), 0);
  const shown = everySecond(wire, 60, () => kelvins(wire.read(0x07, 3) ?? [0, 0]));
  // 16 x 256 steps of 0.02 K from the truth, published as a temperature
  const wrong = shown.filter(({ value }) => Math.abs(value - 36.5) > 1);
  expect(wrong.length).toBeGreaterThan(6);
  for (const { value } of wrong) expect(value).toBeCloseTo(36.5 - 81.92, 1);

  const ours = record(options, 60);
  const all = ours.values(MDC_TEMP_SKIN);
  expect(all.length).toBeGreaterThan(90);
  expect(farthest(all, IN_KELVIN)).toBeLessThan(0.1);
  // one bad answer costs nothing: it is asked for again, and the value says that
  expect(ours.values(MDC_TEMP_SKIN, 10, 30).length).toBeGreaterThan(35);
  expect(ours.values(MDC_TEMP_SKIN, 10, 30).some(({ words }) => words.includes("sensor fault"))).toBe(true);
  // none of them good: no number at all
  expect(ours.values(MDC_TEMP_SKIN, 40.5, 46)).toEqual([]);
  for (const { value, words } of ours.values(MDC_TEMP_SKIN, 45, 46, 1))
    expect({ value, words }).toEqual({ value: null, words: ["sensor fault"] });
  expect(ours.values(MDC_TEMP_SKIN, 50).length).toBeGreaterThan(15);
  heard(...ours.monitor());
});

holds("dropped-pec", ({ heard }) => {
  const options: WorldOptions = { chips: [{ ...forehead, spoil: badLine([10, 16, 1]) }], noise: false };
  /** It does check: but its options' `onError` never became what the check calls. */
  class Thermometer {
    #onError: ((what: string) => void) | undefined;
    readonly wire: Wire;
    constructor(wire: Wire, _options: { onError: (what: string) => void }) {
      this.wire = wire;
    }
    sample() {
      const bytes = this.wire.read(0x07, 3) ?? [0, 0, 0];
      if (crc8([0xb4, 0x07, 0xb5, bytes[0]!, bytes[1]!]) !== bytes[2]) this.#onError?.("bad checksum");
      return kelvins(bytes);
    }
  }
  const errors: string[] = [];
  const wire = createWire(createWorld(options), 0);
  const thermometer = new Thermometer(wire, { onError: (what) => errors.push(what) });
  const shown = everySecond(wire, 20, () => thermometer.sample());
  expect(shown.filter(({ value }) => Math.abs(value - 36.5) > 80).length).toBeGreaterThan(4);
  expect(errors).toEqual([]);

  const ours = record(options, 20);
  expect(farthest(ours.values(MDC_TEMP_SKIN), IN_KELVIN)).toBeLessThan(0.1);
  // told as it happens, and in the record
  const first = ours.told[0]!;
  expect(first.time).toBeGreaterThan(10);
  expect(first.time).toBeLessThan(11);
  expect(String(ours.events("fault")[0]!.small[2])).toContain("PEC");
  heard(...ours.monitor());
});

holds("ignored-address", () => {
  const room: Placed = { chip: "tmp117", inputs: { temperature: 21 } };
  const options: WorldOptions = { chips: [room, { ...skin, address: 0x49 }] };
  /** Takes `address` and goes on with its own. */
  class Thermometer {
    readonly wire: Wire;
    constructor(world: ReturnType<typeof createWorld>, _options: { address: number }) {
      this.wire = createWire(world, 0, 0x48);
    }
    sample = () => readTmp117(this.wire);
  }
  const thermometer = new Thermometer(createWorld(options), { address: 0x49 });
  thermometer.wire.delay(3000);
  // the room's temperature, of a chip that was said to be under the arm
  expect(Math.abs(thermometer.sample() - 21)).toBeLessThan(0.1);

  const ours = record(options, 10);
  expect(numbers(ours.values(MDC_TEMPERATURE)).length).toBeGreaterThan(5);
  expect(farthest(ours.values(MDC_TEMPERATURE), 36.5)).toBeLessThan(0.1);
  expect(numbers(ours.values(MDC_TEMP)).length).toBeGreaterThan(5);
  expect(farthest(ours.values(MDC_TEMP), 21)).toBeLessThan(0.1);
  expect(ours.told).toEqual([]);
});

holds("unsigned-temperature", ({ heard }) => {
  const options: WorldOptions = { chips: [{ chip: "tmp117", inputs: { temperature: -1 } }], noise: false };
  const wire = createWire(createWorld(options), 0);
  wire.delay(3000);
  const view = new DataView(Uint8Array.from(wire.read(0x00, 2)!).buffer);
  expect(view.getUint16(0) / 128).toBe(511);

  const ours = record(options, 10);
  const readings = numbers(ours.values(MDC_TEMP));
  expect(readings.length).toBeGreaterThan(5);
  expect(new Set(readings)).toEqual(new Set([-1]));
  heard(...ours.monitor());
});

holds("endless-busy", ({ heard }) => {
  // it is pulled out while the host reads it, and never put back; another one shares its bus
  const options: WorldOptions = {
    chips: [skin, { chip: "max30205", address: 0x49, inputs: { temperature: 33 } }],
    faults: [{ kind: "unplugged", chip: "tmp117", at: 10, for: 10_000 }],
  };
  const wire = createWire(createWorld(options), 0);
  const busy = () => (word(wire.read(0x01, 2) ?? [0xff, 0xff]) & 0x1000) !== 0;
  const sample = () => {
    while (busy()) wire.delay(1);
    return readTmp117(wire);
  };
  const shown: number[] = [];
  expect(() => everySecond(wire, 300, () => shown.push(sample()))).toThrow(Hangs);
  // ten minutes later it has said nothing more, and would never have read another sensor either
  expect(wire.now).toBeGreaterThan(590);
  expect(shown.length).toBeLessThan(12);

  const ours = record(options, 60);
  expect(farthest(ours.values(MDC_TEMPERATURE), 36.5)).toBeLessThan(0.1);
  const other = numbers(ours.values(MDC_TEMP, 12));
  expect(other.length).toBeGreaterThan(40);
  expect(farthest(ours.values(MDC_TEMP, 12), 33)).toBeLessThan(0.1);
  const times = ours.values(MDC_TEMP, 5).map(({ time }) => time);
  for (const [i, time] of times.slice(1).entries()) expect(time - times[i]!).toBeLessThan(1.5);
  const given = ours.told.at(-1)!;
  expect(given.time).toBeLessThan(45);
  heard(...ours.monitor());
});

test("line 10: a bus that is held is free again within 5 s for every chip on it", () => {
  const ours = record(
    {
      chips: [
        skin,
        { chip: "max30205", address: 0x49, inputs: { temperature: 33 } },
        { ...forehead, configuration: { sampleRate: 1 } },
      ],
      faults: [{ kind: "stuck-sda", chip: "max30205", at: 10, for: 1000, clocks: 9 }],
    },
    30,
  );
  for (const { definition } of ours.boot.channels.values()) {
    if (definition.attributes.chip === undefined) continue;
    const times = ours.values(definition.mdc).map(({ time }) => time);
    const back = times.find((time) => time > 10.5)!;
    expect(back, definition.attributes.chip).toBeLessThan(15);
  }
});
