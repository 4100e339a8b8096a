/** Entry point `vitalwire`: the runtime. */
export type { Board, Executor, Flash, Pin, Storage, Target } from "../boards/board.ts";
export type { SensorPlan } from "./channels.ts";
export { type AnnouncementOptions, createAnnouncements } from "./commands/firmware.ts";
export { type CommandHandlers, DEVICE_LIMITS, type DeviceLimits } from "./commands.ts";
export {
  type OnRhythm,
  RHYTHM_ASYSTOLE,
  RHYTHM_BRADYCARDIA,
  RHYTHM_FIBRILLATION,
  RHYTHM_PAUSE,
  RHYTHM_TACHYCARDIA,
  RHYTHM_UNCOUNTABLE,
} from "./dsp/rhythm.ts";
export { flashRegion } from "./flash-region.ts";
export { createFlashStorage, type FlashStorage } from "./flash-storage.ts";
export type { Letter, Link, LinkEvents } from "./link.ts";
export type { LogSettings, Outbox } from "./outbox-types.ts";
export { createRuntime, type Runtime, type RuntimeOptions } from "./runtime.ts";
export type { GatewayKey, SealSettings } from "./sealer.ts";
export { type Sample, Sensor, type SensorOptions } from "./sensor.ts";
export { createVitals, type OnVital, type Vitals, type VitalsSensor } from "./vitals.ts";
