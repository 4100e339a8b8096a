/**
 * Automatic LED current: keeps each LED's light in the upper half of the converter, without coming to its end. In whole
 * milliamperes, as a command sets it, so that event 6 can tell each change. Device side.
 *
 * The light is looked at in windows of a second. No finger: nothing changes, for more light would find none. Else a LED whose
 * mean leaves LOWEST to HIGHEST three windows in a row, or whose converter is at its end in one, is changed in the direction
 * of TARGET, by a factor of two at most; the other LEDs with it, for each change makes the vitals begin anew. The next change
 * comes two seconds later at the earliest, then four, up to 64, for as long as the finger stays and the light does not.
 */
import { type Channel, FLAG_BUS_FAULT, FLAG_LED_CHANGED, FLAG_TEST_SIGNAL, type Frame } from "../drivers/driver.ts";
import { OFF_BODY } from "./contact.ts";

/** mA, by LED: as a driver's configuration has it. */
export type Currents = Readonly<Record<string, number>>;

export interface LightControl {
  /** A poll's frame, measured at these currents. Other ones that are wanted from here on; null: they are right, or it is too early. */
  take(frame: Frame, currents: Currents): Currents | null;
}

/** Of the converter's range. */
const LOWEST = 1 / 2;
const HIGHEST = 7 / 8;
const TARGET = 11 / 16;
/** Largest factor of one change, up and down. */
const FACTOR = 2;
/** mA: smallest change, and smallest current. */
const STEP = 1;
/** Windows: outside in a row, before the next change, and at most; as many with the light inside forget the changes before. */
const OUTSIDE = 3;
const SOONEST = 2;
const LONGEST = 64;
/** Says nothing of the light at these currents. */
const NO_LIGHT = FLAG_LED_CHANGED | FLAG_TEST_SIGNAL | FLAG_BUS_FAULT;

interface Led {
  readonly name: string;
  /** Its channels: several where it has several slots. */
  readonly places: readonly number[];
  /** Brightest channel: mean, part of the converter's range; whether one is at the end. */
  level: number;
  clipped: boolean;
}

/**
 * `limit`: mA that no LED is given more than; one that has more is given less. A LED that is configured to 0 mA stays dark.
 * null: none of the channels is the light of a LED that `currents` names.
 */
export function createLightControl(
  channels: readonly Channel[],
  currents: Currents,
  limit: number,
): LightControl | null {
  const leds: Led[] = [];
  const names = Object.keys(currents);
  /** The LED that shows whether there is a finger. */
  let reference = 0;
  for (let i = 0; i < names.length; i++) {
    const places: number[] = [];
    for (let c = 0; c < channels.length; c++) if (channels[c].role === names[i]) places.push(c);
    if (places.length === 0 || currents[names[i]] === 0) continue;
    if (names[i] === "infrared") reference = leds.length;
    leds.push({ name: names[i], places: places, level: 0, clipped: false });
  }
  if (leds.length === 0) return null;
  const lead = leds[0].places[0];
  const rate = channels[lead].rate;
  const top = channels[lead].maximum;
  const most = Math.max(Math.floor(limit / STEP) * STEP, STEP);
  const sums = new Float64Array(channels.length);
  const peaks = new Float64Array(channels.length);
  /** Samples of the window. */
  let count = 0;
  /** Windows: since the last change, how many must be between two, and in a row with a light outside. */
  let since = SOONEST;
  let wait = SOONEST;
  let outside = 0;

  const begin = (): void => {
    sums.fill(0);
    peaks.fill(0);
    count = 0;
  };
  const measure = (): void => {
    for (let i = 0; i < leds.length; i++) {
      const led = leds[i];
      let sum = 0;
      let peak = 0;
      for (let k = 0; k < led.places.length; k++) {
        sum = Math.max(sum, sums[led.places[k]]);
        peak = Math.max(peak, peaks[led.places[k]]);
      }
      led.level = sum / count / (top + 1);
      led.clipped = peak >= top;
    }
  };
  /** In the direction of TARGET. */
  const better = (led: Led, current: number): number => {
    const ideal = led.clipped ? 0 : (current * TARGET) / led.level;
    const bounded = Math.min(Math.max(ideal, current / FACTOR), current * FACTOR);
    let next = Math.round(bounded / STEP) * STEP;
    if (!led.clipped && (led.level * next) / current > HIGHEST) next -= STEP;
    return Math.min(Math.max(next, STEP), most);
  };
  const judge = (now: Currents): Currents | null => {
    since++;
    if (leds[reference].level < OFF_BODY) {
      outside = 0;
      wait = SOONEST;
      return null;
    }
    const next: Record<string, number> = Object.assign({}, now);
    let clipped = false;
    let wrong = false;
    for (let i = 0; i < leds.length; i++) {
      const led = leds[i];
      const current = now[led.name];
      next[led.name] = better(led, current);
      const out = led.clipped || led.level < LOWEST || led.level > HIGHEST || current > limit;
      if (!out || next[led.name] === current) continue;
      wrong = true;
      clipped = clipped || led.clipped;
    }
    outside = wrong ? outside + 1 : 0;
    if (!wrong && since >= LONGEST) wait = SOONEST;
    if (!wrong || since < wait || (outside < OUTSIDE && !clipped)) return null;
    since = outside = 0;
    wait = Math.min(wait * 2, LONGEST);
    return next;
  };

  return {
    take(frame, now) {
      for (let c = 0; c < leds.length; c++) {
        const block = frame.channels[leds[c].places[0]];
        if ((block.flags & NO_LIGHT) === 0 && block.lost === 0) continue;
        begin();
        return null;
      }
      for (let i = 0; i < leds.length; i++) {
        for (let k = 0; k < leds[i].places.length; k++) {
          const place = leds[i].places[k];
          const block = frame.channels[place];
          for (let s = 0; s < block.count; s++) {
            const sample = block.samples[s];
            sums[place] += sample;
            if (sample > peaks[place]) peaks[place] = sample;
          }
        }
      }
      count += frame.channels[lead].count;
      if (count < rate) return null;
      measure();
      begin();
      return judge(now);
    },
  };
}
