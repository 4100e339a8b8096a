/** Entry point `vitalwire/simulator`: emulated chips, synthetic people, recorded signals, and whole virtual boards. */
export {
  createSimulatedFlash,
  type FlashTimings,
  INTERNAL_FLASH,
  PowerCut,
  type SimulatedFlash,
  type SimulatedFlashOptions,
  SPI_FLASH,
} from "../boards/simulated-flash.ts";
export { createVirtualClock, type VirtualClock } from "../boards/virtual-clock.ts";
export type * from "../drivers/emulator.ts";
export { type Bench, type BenchOptions, createBench } from "./bench.ts";
export { createEcg, type Ecg, type EcgOptions } from "./ecgsyn.ts";
export { emulators } from "./emulators.ts";
export {
  beatTimes,
  drawEcg,
  gaussianBeat,
  gaussianWave,
  halfSine,
  type Pulse,
  type SyntheticEcg,
  standardBeat,
  triangularQrs,
  type Wave,
} from "./evaluate/synthetic-ecg.ts";
export {
  createFaults,
  type Fault,
  type FaultEntry,
  type FaultEvent,
  type FaultKind,
  type FaultOptions,
  type FaultPlan,
  type Faults,
  faultKinds,
  planFaults,
} from "./faults.ts";
export { sha256, testOnlyPsk, testOnlySigner } from "./keys.ts";
export {
  createLightArtefacts,
  drawMotionBursts,
  type LightArtefact,
  type LightArtefactOptions,
  type LightArtefacts,
  type MotionBurstOptions,
} from "./light-artefacts.ts";
export {
  createVirtualNode,
  type NodeFaults,
  type NodeOptions,
  type Recording,
  type Source,
  type VirtualNode,
} from "./node.ts";
export { createPatient, type Patient, type PatientOptions } from "./patient.ts";
export { createPpg, type Ppg, type PpgOptions } from "./ppg.ts";
export { type AnalogProbe, type I2cProbe, type Probe, probe, type SpiProbe } from "./probe.ts";
export { createRandom, type Random } from "./random.ts";
export { recordingSignal } from "./recording.ts";
export { createRhythm, type Rhythm, type RhythmOptions } from "./rhythm.ts";
export { createSkin, type SkinOptions, siteTemperatures } from "./skin.ts";
export { an6845Curve, ratioOf, referenceDesignCurve, type Spo2Curve, spo2Of } from "./spo2.ts";
export { asystole, desaturation, fever, fingerOff, type Story, type StoryName, stories, type Turn } from "./story.ts";
