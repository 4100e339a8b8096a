/** A chip of the MAX30102's kind alone on a bus, in bytes and in the words of its FIFO. */
import type { EmulatorOptions, I2cEmulator } from "../../drivers/emulator.ts";
import { probe } from "../../simulator/probe.ts";

/** Powered at 0 us; time goes by where `chip.advance` is called. */
export function probeFifo(
  emulated: { readonly model: string; readonly bus: "i2c"; create(options: EmulatorOptions): I2cEmulator },
  options: EmulatorOptions = {},
) {
  const { chip, write, read } = probe(emulated, options);
  const words = (count: number) => {
    const bytes = read(7, count * 3);
    return Array.from({ length: count }, (_, i) => (bytes[3 * i] << 16) | (bytes[3 * i + 1] << 8) | bytes[3 * i + 2]);
  };
  return { chip, write, read, words };
}
