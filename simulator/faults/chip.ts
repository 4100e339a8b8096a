/** An emulator that can fail: between it and the board. Without a fault every byte, edge and conversion is the emulator's own. */
import type { I2cOptions } from "../../boards/board.ts";
import type {
  AnalogEmulator,
  EmulatedChip,
  Emulator,
  EmulatorOptions,
  I2cEmulator,
  SpiEmulator,
} from "../../drivers/emulator.ts";
import { createDisturbedInputs, type DisturbedInputs } from "./inputs.ts";

/** What is read instead of byte `place` (from 0) of an answer that began at a register. */
export type Spoil = (register: number, place: number, byte: number) => number;

export interface FaultyChip {
  readonly model: string;
  readonly bus: EmulatedChip["bus"];
  readonly inputs: Emulator["inputs"];
  /** Of its I2C bus; null: it hangs on none. */
  readonly wires: I2cOptions | null;
  /** What is attached to the board and fed by the patient. */
  readonly emulator: Emulator;
  readonly disturbed: DisturbedInputs;
  readonly spoils: Set<Spoil>;
  /** Takes its power, or gives it back; what was taken twice is given back twice. `at`: us. */
  power(on: boolean, at: number): void;
}

/** Makes a chip that can fail. `faster`: its oscillator over what `options` say. */
export function createFaultyChip(
  emulated: EmulatedChip,
  options: EmulatorOptions,
  wires: I2cOptions | null,
  faster: number,
): FaultyChip {
  const disturbed = createDisturbedInputs();
  const { noise } = options;
  const inner: Emulator = emulated.create({
    ...options,
    ...(faster !== 1 && { oscillator: (options.oscillator ?? 1) * faster }),
    ...(noise && {
      noise: () => {
        const deviate = noise();
        return disturbed.still ? 0 : deviate;
      },
    }),
  });
  let taken = 0;
  let onInterrupt: Emulator["onInterrupt"] = null;
  const spoils = new Set<Spoil>();
  const spoiled = (register: number, place: number, byte: number) => {
    let read = byte;
    for (const spoil of spoils) read = spoil(register, place, read);
    return read;
  };

  const common = {
    model: inner.model,
    inputs: inner.inputs,
    set: (name, value) => inner.set(name, disturbed.through(name, typeof value === "number" ? () => value : value)),
    powerOn: (at) => inner.powerOn(at),
    advance(to) {
      if (taken === 0) inner.advance(to);
    },
    get nextAt() {
      return taken === 0 ? inner.nextAt : Number.POSITIVE_INFINITY;
    },
    /** A line that nobody drives is pulled up. */
    get interrupt() {
      return taken === 0 ? inner.interrupt : 1;
    },
    get onInterrupt() {
      return onInterrupt;
    },
    set onInterrupt(listener) {
      onInterrupt = listener;
      inner.onInterrupt = listener;
    },
    get onConvert() {
      return inner.onConvert;
    },
    set onConvert(listener) {
      inner.onConvert = listener;
    },
    pin: (name, level) => inner.pin?.(name, level),
  } satisfies Emulator;
  // What can be set by faults alone begins as an emulator's own does: no electrode off, no light but the LEDs'.
  for (const [name, { unit, channel }] of Object.entries(inner.inputs)) {
    if (channel === undefined && (unit === "uA" || /^leadOff/.test(name))) common.set(name, 0);
  }
  const dead = () => taken > 0;
  const face =
    emulated.bus === "i2c"
      ? i2cFace(inner as I2cEmulator, dead, spoiled)
      : emulated.bus === "spi"
        ? spiFace(inner as SpiEmulator, dead, spoiled)
        : analogFace(inner as AnalogEmulator, dead);
  return {
    model: inner.model,
    bus: emulated.bus,
    wires,
    inputs: inner.inputs,
    emulator: Object.create(common, Object.getOwnPropertyDescriptors(face)) as Emulator,
    disturbed,
    spoils,
    power(on, at) {
      taken += on ? -1 : 1;
      if (on && taken === 0) inner.powerOn(at);
      else if (!on && taken === 1 && inner.interrupt === 0) onInterrupt?.(1, at);
    },
  };
}

type Spoiled = (register: number, place: number, byte: number) => number;

/** The first byte of a write is a register, as on every I2C chip here. */
function i2cFace(inner: I2cEmulator, dead: () => boolean, spoiled: Spoiled) {
  let pointer = 0;
  let place = 0;
  let addressing = false;
  return {
    address: inner.address,
    start(read: boolean) {
      addressing = !read;
      place = 0;
      return !dead() && inner.start(read);
    },
    write(byte: number) {
      if (addressing) pointer = byte;
      addressing = false;
      return !dead() && inner.write(byte);
    },
    read: () => (dead() ? 0xff : spoiled(pointer, place++, inner.read())),
    stop() {
      if (!dead()) inner.stop();
    },
  };
}

/** The first byte is the command, its upper seven bits the register, as on the MAX30003. */
function spiFace(inner: SpiEmulator, dead: () => boolean, spoiled: Spoiled) {
  let register = 0;
  let place = -1;
  return {
    select() {
      place = -1;
      if (!dead()) inner.select();
    },
    exchange(byte: number) {
      // Nobody drives the data line.
      if (dead()) return 0xff;
      if (place < 0) register = byte >> 1;
      const answer = inner.exchange(byte);
      return place++ < 0 ? answer : spoiled(register, place - 1, answer);
    },
    deselect() {
      if (!dead()) inner.deselect();
    },
  };
}

function analogFace(inner: AnalogEmulator, dead: () => boolean) {
  return {
    output: inner.output,
    voltage: () => (dead() ? 0 : inner.voltage()),
    get levels() {
      return dead() ? 0 : inner.levels;
    },
  };
}
