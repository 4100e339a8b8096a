/** What `demo` and `simulate` are told of a simulated patient and of what watches over him. */
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { Calibration } from "../firmware/dsp/calibration.ts";
import { type Story, type StoryName, stories } from "../simulator/story.ts";
import { readAlarmSettings } from "./alarm-settings.ts";

export interface PatientOptions {
  readonly story?: StoryName;
  /** A file, "off", or absent: as for an adult. */
  readonly alarms?: string;
  /** File of the oximeter's calibration. */
  readonly calibration?: string;
  readonly automaticLedCurrent?: boolean;
}

/** What was asked for, and nothing else: to be spread into a node's options. */
export interface PatientSettings {
  readonly story?: Story;
  readonly alarms?: AlarmSettings;
  readonly calibration?: Calibration;
  readonly automaticLedCurrent?: true;
}

/** Throws UsageError (file, key, value, what to do) for a file that cannot be used. */
export async function patientSettings(options: PatientOptions): Promise<PatientSettings> {
  const alarms = readAlarmSettings(options.alarms);
  const file = options.calibration;
  return {
    ...(options.story !== undefined && { story: stories[options.story]() }),
    ...(alarms && { alarms }),
    ...(options.automaticLedCurrent && { automaticLedCurrent: true }),
    ...(file !== undefined && {
      calibration: (await import("./calibration-file.ts")).readCalibrationFile(file).calibration,
    }),
  };
}
