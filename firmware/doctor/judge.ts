/** What is to be said of a chip that was watched. Device side. */
import { FAULT_DATA, type Fault, type Measurement } from "../../drivers/driver.ts";
import { OFF_BODY } from "../contact.ts";
import type { Bounds } from "../rate.ts";
import type { Witness } from "./clock.ts";
import { decimalsOf, good, notGood, partsOf, type Tell, withUncertainty } from "./finding.ts";
import type { NoiseFigure } from "./noise.ts";
import type { Tally } from "./tally.ts";

/** What a data sheet says of a chip's oscillator. */
export interface Oscillator extends Bounds {
  /** Whose figures these are: "data sheet p. 3". */
  readonly source: string;
}

/** Where no data sheet says anything: lowest and highest frequency over nominal. */
export const ANY_OSCILLATOR: Oscillator = { low: 63 / 64, high: 65 / 64, source: "no figure known, 1/64 allowed" };
/** Noise over the data sheet's figure, which is a typical one: from here on a person should know; it is broken. */
const NOISY = 3 / 2;
const LOUD = 3;

/** Three decimals at most, fewer where they are zeros. */
const rounded = (value: number): string => {
  let text = value.toFixed(Math.abs(value) >= 10 ? 2 : 3);
  while (text.endsWith("0")) text = text.slice(0, -1);
  return text.endsWith(".") ? text.slice(0, -1) : text;
};

const percent = (part: number): string => `${Math.round(part * 100)} %`;

const rangeOf = (one: Measurement): string =>
  one.minimum === one.maximum ? rounded(one.minimum) : `${rounded(one.minimum)} to ${rounded(one.maximum)}`;

/** "die temperature 25.1 Cel" */
const written = (one: Measurement): string =>
  `${one.name} ${rounded(one.value)}${one.unit === "1" ? "" : ` ${one.unit}`}`;

/** A chip's self-test. */
export const judgeSelfTest = (
  name: string,
  measurements: readonly Measurement[],
  faults: readonly Fault[],
  tell: Tell,
): void => {
  const what = `${name} self-test`;
  const failed = measurements.filter((one) => !one.pass);
  if (faults.length > 0) {
    const parts = partsOf(faults[0].message);
    tell(notGood("bad", what, parts.what, null, parts.words));
  } else if (failed.length > 0) {
    const measured = failed.map(written).join(", ");
    const expected = failed.map(rangeOf).join(", ");
    const words = "measure the supply at the chip and look at its solder joints; if it stays so, replace the chip";
    tell(notGood("bad", what, measured, expected, words));
  } else if (measurements.length === 0) {
    tell(
      notGood("look", what, "it measured nothing", null, "run it again; if it stays so, tell the driver's maintainers"),
    );
  } else tell(good(what, measurements.map(written).join(", "), measurements.map(rangeOf).join(", ")));
};

/** What a chip's rate says of the board's clock; null: no rate. */
export const witnessOf = (name: string, tally: Tally, oscillator: Oscillator): Witness | null => {
  const rate = tally.rate.rate();
  if (rate === null || tally.channel === null) return null;
  const nominal = tally.channel.rate;
  return { model: name, ratio: { low: rate.low / nominal, high: rate.high / nominal }, oscillator: oscillator };
};

const adviceOf = (ratio: number): string => {
  if (Math.abs(ratio - 2) < 1 / 8 || Math.abs(ratio - 1 / 2) < 1 / 16) {
    return "it measures twice or half as often as it was told: look at sampleRate and averaging, and whether it is a clone";
  }
  return "what is computed from its samples (heart rate, pulse rate) is wrong by that: replace the chip or its crystal";
};

/** `speed`: the board's clock over true time, as far as that is known. */
const judgeRate = (
  name: string,
  tally: Tally,
  seconds: number,
  oscillator: Oscillator,
  speed: number,
  tell: Tell,
): void => {
  const channel = tally.channel;
  if (channel === null) return;
  const what = `${name} rate`;
  const rate = tally.rate.rate();
  const low = (channel.rate * oscillator.low) / speed;
  const high = (channel.rate * oscillator.high) / speed;
  if (rate === null) {
    const few = tally.rate.samples > 0;
    const measured = few
      ? `${tally.rate.samples} samples in ${seconds} s, too few for a rate`
      : `no samples in ${seconds} s`;
    tell(
      notGood(
        "bad",
        what,
        measured,
        `${channel.rate} Hz`,
        "look at its clock or crystal, its supply, and its configuration",
      ),
    );
    return;
  }
  const middle = (rate.low + rate.high) / 2;
  const half = (rate.high - rate.low) / 2;
  const decimals = Math.max(1, decimalsOf(channel.rate / 128));
  const measured = withUncertainty(middle, half, "Hz");
  const expected = `${channel.rate} Hz, ${low.toFixed(decimals)} to ${high.toFixed(decimals)} (${oscillator.source})`;
  if (rate.high < low || rate.low > high)
    tell(notGood("bad", what, measured, expected, adviceOf(middle / channel.rate)));
  else if (speed !== 1)
    tell(notGood("look", what, measured, expected, "the board's clock is off, not this chip: see there"));
  else tell(good(what, measured, expected));
};

const counted = (count: number, one: string, many: string): string => (count === 1 ? one : `${count} ${many}`);

/** Faults, restarts and losses while it was polled: one finding, since the one brings the other. */
const judgePolling = (name: string, tally: Tally, faults: readonly Fault[], tell: Tell): void => {
  const what = `${name} polling`;
  const rate = tally.rate;
  const lost: string[] = [];
  if (tally.restarts > 0) lost.push(`opened anew ${counted(tally.restarts, "once", "times")}`);
  if (rate.lost > 0) lost.push(counted(rate.lost, "a sample lost", "samples lost"));
  if (rate.gaps > 0) lost.push(counted(rate.gaps, "a loss of unknown size", "losses of unknown size"));
  if (faults.length > 0) {
    const parts = partsOf(faults[0].message);
    const more = faults.length > 1 ? [counted(faults.length - 1, "another fault", "more faults")] : [];
    tell(notGood("bad", what, [parts.what].concat(more, lost).join(", "), "no fault", parts.words));
  } else if (lost.length > 0) {
    const words = "the host comes too late: wire the data-ready line, lower sampleRate, or give the bus a faster clock";
    tell(notGood("look", what, lost.join(", "), "no loss", words));
  }
};

const judgeLight = (name: string, tally: Tally, tell: Tell): void => {
  const lights = tally.lights();
  if (lights.length === 0 || tally.saturated > 0) return;
  const measured = `${lights.map((one) => `${one.name} ${percent(one.level)}`).join(", ")} of the range`;
  const expected = `${percent(OFF_BODY)} or more with a finger`;
  if (lights.some((one) => one.level >= OFF_BODY)) {
    if (tally.dark === 0) {
      tell(good(`${name} contact`, measured, expected));
      return;
    }
    const gone = `${measured}, but no finger in ${percent(tally.dark / tally.polls)} of the polls`;
    tell(notGood("look", `${name} contact`, gone, expected, "keep the finger there and still, or look at its clip"));
  } else {
    const words =
      "nothing is on the sensor: as it should be on an empty bench; else look at the LEDs, ledCurrent and the finger";
    tell(notGood("look", `${name} contact`, measured, expected, words));
  }
};

const judgeRange = (name: string, tally: Tally, tell: Tell): void => {
  const what = `${name} range`;
  if (tally.polls === 0) return;
  if (tally.saturated === 0) {
    tell(good(what, "never at full scale", null));
    return;
  }
  const lit = tally.lights().length > 0;
  tell(
    notGood(
      // one movement is none
      tally.saturated * 10 > tally.polls ? "bad" : "look",
      what,
      `saturated in ${percent(tally.saturated / tally.polls)} of the polls`,
      "never",
      lit
        ? "lower ledCurrent or choose a wider adcRange; shade the sensor from sun and lamps"
        : "lower the gain, look at the electrodes and at what drives the input",
    ),
  );
};

/** `leads`: the chip looks after its electrodes. */
const judgeLeads = (name: string, tally: Tally, earlier: readonly Fault[], leads: boolean, tell: Tell): void => {
  const what = `${name} electrodes`;
  if (tally.leadOff === 0) {
    if (leads) tell(good(what, "none off", null));
    return;
  }
  // which one is told when it comes off, perhaps before the chip was watched
  const told = earlier
    .concat(tally.faults)
    .filter((one) => one.code === FAULT_DATA && one.message.includes("lead off"));
  const where = told.length === 0 ? "lead off" : partsOf(told[0].message).what;
  const measured = `${where}, in ${percent(tally.leadOff / tally.polls)} of the polls`;
  tell(
    notGood(
      "look",
      what,
      measured,
      "none off",
      "as it should be with nothing attached; else put the electrode on again",
    ),
  );
};

/** A chip that was watched for so many seconds; `earlier`: faults that were told before. */
export const judgeTally = (
  name: string,
  tally: Tally,
  earlier: readonly Fault[],
  seconds: number,
  oscillator: Oscillator,
  speed: number,
  leads: boolean,
  tell: Tell,
): void => {
  judgeRate(name, tally, seconds, oscillator, speed, tell);
  judgeRange(name, tally, tell);
  judgeLight(name, tally, tell);
  judgeLeads(name, tally, earlier, leads, tell);
  // What a flag says already is said once.
  const flagged = tally.leadOff > 0 || tally.saturated > 0;
  const rest = tally.faults.filter((one) => !(flagged && one.code === FAULT_DATA));
  judgePolling(name, tally, rest, tell);
};

/** The data-ready line: edges while the chip was watched. */
export const judgeEdges = (name: string, edges: number, seconds: number, tell: Tell): void => {
  const what = `${name} interrupt`;
  if (edges > 0) tell(good(what, `${edges} edges in ${seconds} s`, null));
  else {
    const words =
      "look at the wire, its pin and its pull-up, or take `interrupt` out of the configuration: it is polled then";
    tell(notGood("look", what, `no edge in ${seconds} s`, null, words));
  }
};

/** Noise of a channel's still signal: `rms` in the channel's unit; null: it was not measured. */
export const judgeNoise = (name: string, figure: NoiseFigure, rms: number | null, tell: Tell): void => {
  const what = `${name} noise`;
  const shown = (value: number): string => `${(value * figure.scale).toFixed(2)} ${figure.unit}`;
  const expected = `${shown(figure.rms)} rms (${figure.source})`;
  if (rms === null) {
    tell(
      notGood(
        "look",
        what,
        "no whole stretch of samples",
        expected,
        "run it again; if it stays so, look at the chip's rate",
      ),
    );
    return;
  }
  const measured = `${shown(rms)} rms`;
  if (rms <= figure.rms * NOISY) tell(good(what, measured, expected));
  else {
    const words =
      "look at the supply's ripple and the capacitors at the chip, at long or open wires, and at switching supplies near it";
    tell(notGood(rms <= figure.rms * LOUD ? "look" : "bad", what, measured, expected, words));
  }
};
