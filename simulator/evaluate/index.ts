/** What the command line evaluates. */
export * from "./qrs.ts";
export { createLinearResampler, type Resampler, resampleLinear } from "./resample.ts";
export * from "./score.ts";
