/** What several commands ask for in the same words, and how what is typed is read. */
import { InvalidArgumentError, Option } from "commander";
import { QRS_RATES } from "../firmware/dsp/qrs.ts";

export const count = (low: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low) throw new InvalidArgumentError(`give a whole number from ${low} on.`);
  return value;
};
export const seconds = (text: string) => {
  const value = Number(text);
  if (!(value > 0 && value < 1e9)) throw new InvalidArgumentError("give a number of seconds above 0.");
  return value;
};
export const anyNumber = (text: string) => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("give a number.");
  return value;
};
export const oneRate = (text: string) => {
  const value = Number(text);
  if (!QRS_RATES.includes(value)) throw new InvalidArgumentError(`give one of ${QRS_RATES.join(", ")}.`);
  return value;
};
/** RFC 3339, or milliseconds since the epoch. */
export const time = (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(value))
    throw new InvalidArgumentError("give RFC 3339 (2026-01-01T00:00:00Z) or ms since the epoch.");
  return value;
};

/** For a simulated board; the names are those of simulator/story.ts. */
export const story = () =>
  new Option("--story <name>", "what happens to the patient").choices([
    "desaturation",
    "fever",
    "finger-off",
    "asystole",
  ]);
export const alarms = () =>
  new Option("--alarms <file>", "alarm settings as YAML, or off (default: as for an adult; no clinical advice)");
export const calibration = () =>
  new Option("--calibration <file>", "of the oximeter, as `calibrate` writes it (default: a published curve, flagged)");

export const automaticLedCurrent = () =>
  new Option("--automatic-led-current", "the board itself keeps the oximeter's light in the converter's upper half");

export const faults = () =>
  new Option(
    "--faults <file>",
    "what goes wrong, as YAML or JSON: a list such as - { kind: nack, chip: tmp117, at: 10, for: 2 } (s from the start)",
  );

export const seal = () =>
  new Option("--seal <mode>", "sign every message, or mac it and sign manifests")
    .choices(["sign", "mac"])
    .default("sign");
export const encrypt = () => new Option("--encrypt", "encrypt all but births and presences");

export const passphraseFile = () =>
  new Option("--passphrase-file <file>", "one line with the passphrase of pre-shared keys");
export const keyFile = () => new Option("--key-file <file>", "instead of a passphrase: a wrapping key");

export const json = () => new Option("--json", "one JSON document on stdout, logs on stderr");
