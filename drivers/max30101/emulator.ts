/**
 * MAX30101 at register level: the MAX30102's emulator with a green LED (LED3_PA and LED4_PA add up) and, as early
 * revisions have it, the proximity function. README.md says what is assumed.
 */
import type { EmulatedChip, EmulatorOptions } from "../emulator.ts";
import { createEmulator } from "../max30102/emulator.ts";
import { LEDS } from "../max30102/registers.ts";

export const emulated = {
  model: "MAX30101",
  bus: "i2c",
  create: (options: EmulatorOptions) => createEmulator("MAX30101", LEDS, options),
} satisfies EmulatedChip;
