/** `vitalwire/drivers`: the contracts of drivers and emulators, and every chip there is. */

export { type Ad8232Configuration, chip as ad8232 } from "./ad8232/chip.ts";
export { emulated as ad8232Emulator } from "./ad8232/emulator.ts";
export { type Ads1292rConfiguration, chip as ads1292r } from "./ads1292r/chip.ts";
export { emulated as ads1292rEmulator } from "./ads1292r/emulator.ts";
export * from "./chip.ts";
export * from "./driver.ts";
export type * from "./emulator.ts";
export { chip as max30003, type Max30003Configuration } from "./max30003/chip.ts";
export { emulated as max30003Emulator } from "./max30003/emulator.ts";
export { chip as max30101, type Max30101Configuration } from "./max30101/chip.ts";
export { emulated as max30101Emulator } from "./max30101/emulator.ts";
export { chip as max30102, type Max30102Configuration } from "./max30102/chip.ts";
export { emulated as max30102Emulator } from "./max30102/emulator.ts";
export { chip as max30205, type Max30205Alert, type Max30205Configuration } from "./max30205/chip.ts";
export { emulated as max30205Emulator } from "./max30205/emulator.ts";
export { chip as max86150, type Max86150Configuration } from "./max86150/chip.ts";
export { emulated as max86150Emulator } from "./max86150/emulator.ts";
export { chip as mlx90614, type Mlx90614Configuration } from "./mlx90614/chip.ts";
export { emulated as mlx90614Emulator } from "./mlx90614/emulator.ts";
export { chip as tmp117, type Tmp117Alert, type Tmp117Configuration } from "./tmp117/chip.ts";
export { emulated as tmp117Emulator } from "./tmp117/emulator.ts";
