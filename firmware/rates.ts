/**
 * Whether chips measure as fast as they say. What is computed from a signal takes its nominal rate for granted: at another
 * one a heart rate is as wrong, and a filter's frequencies are. Device side.
 */
import { type Block, type Driver, FAULT_CONFIGURATION, type Fault } from "../drivers/driver.ts";
import { type Bounds, createRateMeter, type RateMeter } from "./rate.ts";

/**
 * "nominal": as far as is known. "off": surely by more than OFF; "wrong": by more than WRONG. Surely is by hard bounds, so a
 * chip at its data sheet's limits (1/64 on MAX30101 and MAX30102; taken for 1/32 on MAX86150) is "nominal".
 */
export type RateVerdict = "nominal" | "off" | "wrong";

const OFF = 1 / 32;
const WRONG = 1 / 10;

/** The rate is that of a stretch so long, and of what has come of the one that runs, us. */
const STRETCH = 5000000;
/** Stamps of either end (rate.ts). */
const STAMPS = 4;

/** Rates, hz, at which chips are made to run. */
const USUAL: readonly number[] = [
  25, 50, 100, 125, 128, 200, 250, 256, 400, 500, 512, 800, 1000, 1600, 2000, 3200, 4000, 8000,
];

interface Settings {
  readonly sampleRate?: number;
}

/** Surely more than `limit` of the nominal rate away from it. */
const isBeyond = (rate: Bounds, nominal: number, limit: number): boolean =>
  rate.low > nominal * (1 + limit) || rate.high < nominal * (1 - limit);
const isWithin = (rate: Bounds, nominal: number, limit: number): boolean =>
  rate.low >= nominal * (1 - limit) && rate.high <= nominal * (1 + limit);

/** The waveform that shows a chip's rate: its first; -1: it has none. */
const waveformOf = (driver: Driver): number => {
  const channels = driver.channels();
  for (let i = 0; i < channels.length; i++) if (channels[i].waveform) return i;
  return -1;
};

/** The setting at which the chip is as fast as was measured; null: it has none. */
const settingFor = (
  driver: Driver,
  rate: Bounds,
  recreate: ((configuration: unknown) => Driver) | undefined,
): number | null => {
  const settings = (driver.configuration ?? {}) as Settings;
  if (recreate === undefined || settings.sampleRate === undefined) return null;
  // chips that average count conversions, the channel counts samples
  const each = Math.round(settings.sampleRate / driver.channels()[waveformOf(driver)].rate);
  const middle = (rate.low + rate.high) / 2;
  let setting: number | null = null;
  let nearest = Infinity;
  for (let i = 0; i < USUAL.length; i++) {
    const distance = Math.abs(USUAL[i] - middle);
    if (distance >= nearest || isBeyond(rate, USUAL[i], OFF)) continue;
    const next = USUAL[i] * Math.max(each, 1);
    try {
      recreate(Object.assign({}, settings, { sampleRate: next }));
      setting = next;
      nearest = distance;
    } catch (_error) {
      // not this chip, or not with its other settings
    }
  }
  return setting;
};

/** A sentence that fits an event (64 bytes for a model of 8). `recreate`: as SensorPlan.recreate. */
export function rateWords(driver: Driver, rate: Bounds, recreate?: (configuration: unknown) => Driver): string {
  const nominal = driver.channels()[waveformOf(driver)].rate;
  const setting = settingFor(driver, rate, recreate);
  const mend = setting === null ? "check its oscillator" : `set sampleRate: ${setting}`;
  return `${driver.model}: ${((rate.low + rate.high) / 2).toFixed(1)} samples/s, not ${nominal}; ${mend}`;
}

/** The rates of a board's chips. */
export interface Rates {
  /** The chip is opened, perhaps in another configuration: nothing is known of its rate, and it may be told once more. */
  begin(sensor: number, driver: Driver): void;
  /** A block of the sensor's channel at `place`. */
  take(sensor: number, place: number, block: Block): void;
  /** Judges; to be called before each reading of the vitals. */
  look(): void;
}

interface Watch {
  driver: Driver;
  /** Of its waveform. */
  place: number;
  readonly meter: RateMeter;
  verdict: RateVerdict;
  told: boolean;
}

/**
 * `onVerdict`: another one than before; at an opening it is "nominal". `onFault`: once an opening, of the channel at `place`,
 * when the rate was off for a whole stretch.
 * `recreate`: as SensorPlan's, by sensor.
 */
export function createRates(
  drivers: readonly Driver[],
  recreate: (sensor: number) => ((configuration: unknown) => Driver) | undefined,
  onVerdict: (sensor: number, verdict: RateVerdict) => void,
  onFault: (sensor: number, place: number, fault: Fault) => void,
): Rates {
  const watches = drivers.map(
    (driver): Watch => ({
      driver: driver,
      place: waveformOf(driver),
      meter: createRateMeter(STAMPS),
      verdict: "nominal",
      told: false,
    }),
  );
  const decide = (sensor: number, verdict: RateVerdict): void => {
    const watch = watches[sensor];
    if (watch.verdict === verdict) return;
    watch.verdict = verdict;
    onVerdict(sensor, verdict);
  };
  const judge = (sensor: number): void => {
    const watch = watches[sensor];
    const rate = watch.meter.rate();
    if (rate === null) return;
    const nominal = watch.driver.channels()[watch.place].rate;
    const before = watch.verdict;
    const whole = watch.meter.span() >= STRETCH;
    if (isBeyond(rate, nominal, WRONG)) decide(sensor, "wrong");
    else if (isBeyond(rate, nominal, OFF)) {
      if (before === "nominal" || whole) decide(sensor, "off");
    } else if (whole && isWithin(rate, nominal, OFF)) decide(sensor, "nominal");
    // what was measured while it changed is neither the one rate nor the other
    if (whole || (before === "nominal" && watch.verdict !== before)) watch.meter.begin();
    if (!whole || watch.verdict === "nominal" || before === "nominal" || watch.told) return;
    watch.told = true;
    onFault(sensor, watch.place, {
      code: FAULT_CONFIGURATION,
      message: rateWords(watch.driver, rate, recreate(sensor)),
    });
  };
  return {
    begin(sensor, driver) {
      const watch = watches[sensor];
      watch.driver = driver;
      watch.place = waveformOf(driver);
      watch.meter.begin();
      watch.told = false;
      decide(sensor, "nominal");
    },
    take(sensor, place, block) {
      if (place === watches[sensor].place) watches[sensor].meter.push(block);
    },
    look() {
      for (let s = 0; s < watches.length; s++) judge(s);
    },
  };
}
