/** What the command line evaluates. */
export {
  type Detections,
  type Detector,
  type DetectorFactory,
  detectorRateFor,
  type Latency,
  RESAMPLER,
} from "./detections.ts";
export * from "./noise.ts";
export * from "./qrs.ts";
export { createLinearResampler, type Resampler, resampleLinear } from "./resample.ts";
export * from "./score.ts";
