/**
 * Readers as those of the complaints are: small re-creations of what the drivers and sketches do that people complain of,
 * on the same emulated registers as ours. Each does one thing wrong, the rest right.
 */
import type { I2cEmulator } from "../../drivers/emulator.ts";

/** Writes registers of a chip on I2C, one transaction. `now`: us of its clock. */
export function writeRegister(chip: I2cEmulator, now: number, at: number, ...bytes: readonly number[]): void {
  chip.advance(now);
  chip.start(false);
  for (const byte of [at, ...bytes]) chip.write(byte);
  chip.stop();
}

/** Reads `count` bytes from a register on. */
export function readRegister(chip: I2cEmulator, now: number, at: number, count: number): number[] {
  chip.advance(now);
  chip.start(false);
  chip.write(at);
  chip.start(true);
  const bytes = Array.from({ length: count }, () => chip.read());
  chip.stop();
  return bytes;
}
