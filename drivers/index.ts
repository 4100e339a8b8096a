/** `vitalwire/drivers`: the contracts of drivers and emulators, and every chip there is. */
export * from "./driver.ts";
export type * from "./emulator.ts";
export { chip as max30003, type Max30003Configuration } from "./max30003/driver.ts";
export { emulated as max30003Emulator } from "./max30003/emulator.ts";
export { chip as max30102, type Max30102Configuration } from "./max30102/driver.ts";
export { emulated as max30102Emulator } from "./max30102/emulator.ts";
export { chip as tmp117, type Tmp117Configuration } from "./tmp117/driver.ts";
export { emulated as tmp117Emulator } from "./tmp117/emulator.ts";
