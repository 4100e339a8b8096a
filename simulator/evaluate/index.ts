/** What the command line evaluates. */
export {
  type Detections,
  type Detector,
  type DetectorFactory,
  detectorRateFor,
  type Latency,
  RESAMPLER,
} from "./detections.ts";
export type { FibrillationFigures } from "./fibrillation.ts";
export type { RateFigures } from "./heart-rate.ts";
export { type IntervalErrors, intervalErrors } from "./intervals.ts";
export * from "./noise.ts";
export * from "./pulse.ts";
export type { PulseRateFigures } from "./pulse-rates.ts";
export * from "./qrs.ts";
export type { QualityFigures } from "./quality.ts";
export type { Skipped } from "./recordings.ts";
export { createLinearResampler, type Resampler, resampleLinear } from "./resample.ts";
export * from "./respiration.ts";
export * from "./rhythm.ts";
export type { EventFigures, RhythmEvents } from "./rhythm-events.ts";
export * from "./score.ts";
export * from "./spo2.ts";
export { RAMP } from "./spo2-desaturation.ts";
export * from "./spo2-meter.ts";
export * from "./temperature.ts";
