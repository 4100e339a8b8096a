/** Commands about chips: sampling, rate, filter, LED current, self-test. Device side. */
import { FAULT_SELF_TEST, type Frame, type Step } from "../../drivers/driver.ts";
import {
  type CommandMessage,
  KEY_CHANNEL,
  KEY_HIGH_PASS,
  KEY_VALUE,
  OP_SELF_TEST,
  OP_SET_FILTER,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  OP_STOP,
  STATUS_BAD_PARAMETER,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_FAILED,
  STATUS_NOT_POSSIBLE,
} from "../../protocol/messages.ts";
import { type ChipControl, type CommandHost, type Done, numberOf } from "./host.ts";

/** A driver's configuration, as far as commands know it: the names are those of the drivers. */
interface Settings {
  readonly sampleRate?: number;
  readonly lowPass?: number;
  readonly highPass?: boolean;
  /** mA, by LED. */
  readonly ledCurrent?: Readonly<Record<string, number>>;
}

const settingsOf = (chip: ChipControl): Settings => (chip.driver.configuration ?? {}) as Settings;

/** The chip that has this channel; null: none. */
const chipOf = (host: CommandHost, channel: number): ChipControl | null => {
  for (let i = 0; i < host.chips.length; i++) {
    const chip = host.chips[i];
    if (channel >= chip.first && channel < chip.first + chip.driver.channels().length) return chip;
  }
  return null;
};

/** The chip that is meant and has the setting: named by a channel, or the only one. A status: there is none. */
const chosen = (
  host: CommandHost,
  channel: number | null,
  has: (settings: Settings) => boolean,
): ChipControl | number => {
  let found: ChipControl | null = channel === null ? null : chipOf(host, channel);
  if (channel !== null && found === null) return STATUS_BAD_PARAMETER;
  if (found !== null && !has(settingsOf(found))) return STATUS_NOT_POSSIBLE;
  for (let i = 0; channel === null && i < host.chips.length; i++) {
    if (!has(settingsOf(host.chips[i]))) continue;
    if (found !== null) return STATUS_BAD_PARAMETER;
    found = host.chips[i];
  }
  // what is stopped has nothing that could be changed
  return found === null || !found.running ? STATUS_NOT_POSSIBLE : found;
};

/** While it runs, where the chip can; else by close and open. */
const configure = (
  host: CommandHost,
  chip: ChipControl,
  changes: Settings,
  command: CommandMessage,
  done: Done,
): void => {
  const next = Object.assign({}, settingsOf(chip), changes);
  let step: Step | null;
  try {
    step = chip.driver.reconfigure(next);
    if (step === null) {
      chip.replace(next, (cfg) => host.changed(command, cfg), done);
      return;
    }
  } catch (_error) {
    // the chip has no such setting, or not with the others that it has
    done(STATUS_BAD_PARAMETER);
    return;
  }
  chip.perform(step, (frame) => {
    if (frame.faults.length > 0) {
      done(STATUS_FAILED);
      return;
    }
    host.changed(command);
    done(STATUS_DONE);
  });
};

/** From mHz as a birth tells a rate, rounded: what is below 1 Hz is a whole number of seconds. */
const hertzOf = (milli: number): number => (milli < 1000 ? 1 / Math.round(1000 / milli) : milli / 1000);

const setRate = (host: CommandHost, command: CommandMessage, done: Done): void => {
  const chip = chosen(host, numberOf(command, KEY_CHANNEL), (settings) => settings.sampleRate !== undefined);
  const rate = hertzOf(numberOf(command, KEY_VALUE) ?? 0);
  if (typeof chip === "number") done(chip);
  else if (rate > host.limits.rate) done(STATUS_BEYOND_LIMIT);
  else {
    // chips that average count conversions, the channel counts samples
    const each = Math.round((settingsOf(chip).sampleRate ?? 0) / chip.driver.channels()[0].rate);
    configure(host, chip, { sampleRate: rate * Math.max(each, 1) }, command, done);
  }
};

const setFilter = (host: CommandHost, command: CommandMessage, done: Done): void => {
  const lowPass = numberOf(command, KEY_VALUE);
  const highPass = numberOf(command, KEY_HIGH_PASS);
  const chip = chosen(
    host,
    numberOf(command, KEY_CHANNEL),
    (settings) => settings.lowPass !== undefined && settings.highPass !== undefined,
  );
  if (typeof chip === "number") done(chip);
  else if (lowPass === null && highPass === null) done(STATUS_BAD_PARAMETER);
  else {
    const changes = Object.assign(
      {},
      lowPass === null ? null : { lowPass: lowPass },
      highPass === null ? null : { highPass: highPass === 1 },
    );
    configure(host, chip, changes, command, done);
  }
};

const setLedCurrent = (host: CommandHost, command: CommandMessage, done: Done): void => {
  const channel = numberOf(command, KEY_CHANNEL);
  const current = numberOf(command, KEY_VALUE) ?? 0;
  const chip = chosen(host, channel, (settings) => settings.ledCurrent !== undefined);
  if (typeof chip === "number") {
    done(chip);
    return;
  }
  const leds: Record<string, number> = Object.assign({}, settingsOf(chip).ledCurrent);
  const names = Object.keys(leds);
  // the role is the LED, also where a LED has several slots
  const only = channel === null ? null : chip.driver.channels()[channel - chip.first].role;
  let found = 0;
  for (let i = 0; i < names.length; i++) {
    if (only !== null && names[i] !== only) continue;
    leds[names[i]] = current;
    found++;
  }
  if (found === 0) done(STATUS_BAD_PARAMETER);
  else if (current > host.limits.ledCurrent) done(STATUS_BEYOND_LIMIT);
  else {
    chip.holdCurrents();
    configure(host, chip, { ledCurrent: leds }, command, done);
  }
};

/** Event 7 of each measurement that fails; whether all passed, and nothing went wrong besides. */
const judge = (host: CommandHost, chip: ChipControl, frame: Frame): boolean => {
  let good = frame.faults.length === 0;
  for (let i = 0; i < frame.measurements.length; i++) {
    const one = frame.measurements[i];
    if (one.pass) continue;
    good = false;
    const range = `${one.minimum} to ${one.maximum}`;
    host.fault(chip.first, { code: FAULT_SELF_TEST, message: `${one.name} ${one.value} ${one.unit}, not ${range}` });
  }
  return good;
};

type Each = (host: CommandHost, chip: ChipControl, done: (good: boolean) => void) => void;

const start: Each = (_host, chip, done) => {
  if (chip.running) done(true);
  else chip.start(done);
};
const stop: Each = (_host, chip, done) => chip.stop(() => done(true));
const selfTest: Each = (host, chip, done) =>
  chip.perform(chip.driver.selfTest(), (frame) => done(judge(host, chip, frame)));

/** One chip after the other. */
const each = (host: CommandHost, chips: readonly ChipControl[], what: Each, done: Done): void => {
  let place = 0;
  let good = true;
  const arms: { next: () => void } = { next: () => {} };
  arms.next = (): void => {
    if (place === chips.length) {
      done(good ? STATUS_DONE : STATUS_FAILED);
      return;
    }
    what(host, chips[place++], (one) => {
      good = good && one;
      arms.next();
    });
  };
  arms.next();
};

/** The chip of the channel, or all; for a self-test those that run. */
const forEach = (host: CommandHost, command: CommandMessage, what: Each, done: Done): void => {
  const channel = numberOf(command, KEY_CHANNEL);
  const chip = channel === null ? null : chipOf(host, channel);
  if (channel !== null && chip === null) {
    done(STATUS_BAD_PARAMETER);
    return;
  }
  const all = chip === null ? host.chips : [chip];
  const chips = what === selfTest ? all.filter((one) => one.running) : all;
  if (chips.length === 0) done(STATUS_NOT_POSSIBLE);
  else each(host, chips, what, done);
};

/** false: the command is about something else. */
export function obeyChips(host: CommandHost, command: CommandMessage, done: Done): boolean {
  const op = command.op;
  if (op === OP_START) forEach(host, command, start, done);
  else if (op === OP_STOP) forEach(host, command, stop, done);
  else if (op === OP_SELF_TEST) forEach(host, command, selfTest, done);
  else if (op === OP_SET_RATE) setRate(host, command, done);
  else if (op === OP_SET_FILTER) setFilter(host, command, done);
  else if (op === OP_SET_LED_CURRENT) setLedCurrent(host, command, done);
  else return false;
  return true;
}
