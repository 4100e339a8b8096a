/** vitalwire evaluate: one command for each signal. */
import { Command } from "commander";
import { QRS_RATES } from "../../firmware/dsp/qrs.ts";
import { count, json, oneRate } from "../options.ts";

/** An evaluation over a folder of WFDB records. */
const evaluation = (name: string, description: string, data: string) =>
  new Command(name)
    .description(description)
    .exitOverride()
    .requiredOption("--data <dir>", data)
    .option("--lead <n>", "signal to use", count(0), 0)
    .option(
      "--rate <hz>",
      `rate at which the detector runs: ${QRS_RATES.join(", ")} (default: as a board would)`,
      oneRate,
    )
    .option("--reference <dir>", "folder of .atr files, or one record's path (default: where the data are)")
    .option("--compare", "published detectors on the same samples, in the same run")
    .addOption(json());

export const evaluateCommand = () =>
  new Command("evaluate")
    .exitOverride()
    .showHelpAfterError("(--help shows what there is)")
    .description("score what the firmware computes against reference recordings")
    .addCommand(
      evaluation(
        "qrs",
        "beats against reference annotations of WFDB records, as ANSI/AAMI EC57 scores them",
        "folder of WFDB records",
      ).action(async (options) => (await import("./qrs.ts")).evaluateQrsCommand(options)),
    )
    .addCommand(
      evaluation(
        "noise",
        "beats on the MIT-BIH records 118 and 119 with recorded noise mixed in, at 24 to 0 dB",
        "folder with 118, 119 and noise records (bw, ma, em), or with folders mitdb and nstdb that hold them",
      ).action(async (options) => (await import("./noise.ts")).evaluateNoiseCommand(options)),
    )
    .addCommand(
      evaluation(
        "rhythm",
        "atrial fibrillation and heart rate from the beats, against annotated rhythms and reference beats",
        "folder of WFDB records",
      ).action(async (options) => (await import("./rhythm.ts")).evaluateRhythmCommand(options)),
    )
    .addCommand(
      new Command("pulse")
        .description("beats and rate of recorded photoplethysmograms against the ECG recorded beside them")
        .exitOverride()
        .requiredOption(
          "--data <dir>",
          "folder of BIDMC recordings as CSV (bidmc_01.csv.gz or bidmc_01_Signals.csv, ...)",
        )
        .option("--compare", "other detectors of pulses on the same samples, in the same run")
        .addOption(json())
        .action(async (options) => (await import("./pulse.ts")).evaluatePulseCommand(options)),
    )
    .addCommand(
      new Command("spo2")
        .description("R recovered from synthetic fingers, in SpO2 points; with --data also recorded desaturation")
        .exitOverride()
        .option(
          "--data <dir>",
          "folder of phone recordings (SUBJECT.Left.csv ..., SUBJECT.gt.csv), or with oximetry-phone in it",
        )
        .option("--seed <n>", "of beats, motion and noise", count(0), 1)
        .option("--compare", "other oximeters on the same samples, in the same run")
        .addOption(json())
        .action(async (options) => (await import("./spo2.ts")).evaluateSpo2Command(options)),
    )
    .addCommand(
      new Command("temperature")
        .description(
          "what is shown of synthetic skins that warm a sensor up: errors, time to settled, predictions apart",
        )
        .exitOverride()
        .option("--seed <n>", "of skins and noise", count(0), 1)
        .option("--compare", "the bare reading and a plain mean of 8, in the same run")
        .addOption(json())
        .action(async (options) => (await import("./temperature.ts")).evaluateTemperatureCommand(options)),
    );
