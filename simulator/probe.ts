/** One emulated chip and nothing else: bytes to it and from it, in time that moves only when it is told to. */
import type { AnalogEmulator, EmulatorOptions, I2cEmulator, SpiEmulator } from "../drivers/emulator.ts";

/** An emulator on a bench. Times in ms since its power came. */
export interface Probe<E> {
  readonly chip: E;
  readonly now: number;
  /** Lets time go by: conversions end, FIFOs fill, interrupts come. */
  wait(ms: number): void;
  /** The power fails and comes again. */
  cutPower(): void;
}

export interface I2cProbe extends Probe<I2cEmulator> {
  /** Start, address, bytes, stop. Throws Error where the chip does not acknowledge one. */
  write(...bytes: number[]): void;
  /** Writes the register number, starts again, reads so many bytes. Throws Error where the chip does not acknowledge. */
  read(register: number, count: number): number[];
}

export interface SpiProbe extends Probe<SpiEmulator> {
  /** Select, exchange, deselect: what came back, a byte for a byte. */
  transfer(...bytes: number[]): number[];
}

export interface AnalogProbe extends Probe<AnalogEmulator> {
  /** V at its output, now. */
  voltage(): number;
}

interface Made<B, E> {
  readonly model: string;
  readonly bus: B;
  create(options: EmulatorOptions): E;
}

/** Powers a chip; `options` as for `create`: noise, address, an oscillator that is off. */
export function probe(emulated: Made<"i2c", I2cEmulator>, options?: EmulatorOptions): I2cProbe;
export function probe(emulated: Made<"spi", SpiEmulator>, options?: EmulatorOptions): SpiProbe;
export function probe(emulated: Made<"analog", AnalogEmulator>, options?: EmulatorOptions): AnalogProbe;
export function probe(
  emulated: Made<string, I2cEmulator | SpiEmulator | AnalogEmulator>,
  options: EmulatorOptions = {},
): I2cProbe | SpiProbe | AnalogProbe {
  const chip = emulated.create(options);
  let now = 0;
  chip.powerOn(0);
  const common = {
    get now() {
      return now / 1000;
    },
    wait(ms: number) {
      now += ms * 1000;
      chip.advance(now);
    },
    cutPower: () => chip.powerOn(now),
  };
  if ("exchange" in chip) {
    return Object.assign(common, {
      chip,
      transfer(...bytes: number[]) {
        chip.select();
        const answer = bytes.map((byte) => chip.exchange(byte));
        chip.deselect();
        return answer;
      },
    });
  }
  if ("voltage" in chip) return Object.assign(common, { chip, voltage: () => chip.voltage() });
  const acknowledged = (did: boolean, what: string) => {
    if (did) return;
    chip.stop();
    throw new Error(`${chip.model}: ${what} was not acknowledged at ${now / 1000} ms`);
  };
  const send = (bytes: readonly number[]) => {
    acknowledged(chip.start(false), `address 0x${chip.address.toString(16)} for a write`);
    for (const byte of bytes) acknowledged(chip.write(byte), `byte 0x${byte.toString(16)}`);
  };
  return Object.assign(common, {
    chip,
    write(...bytes: number[]) {
      send(bytes);
      chip.stop();
    },
    read(register: number, count: number) {
      send([register]);
      acknowledged(chip.start(true), `address 0x${chip.address.toString(16)} for a read`);
      const bytes = Array.from({ length: count }, () => chip.read());
      chip.stop();
      return bytes;
    },
  });
}
