/**
 * Which beats of light are a pulse and nothing else. Motion that red and infrared share has an R of 1 and correlates as a
 * pulse does, so it is known by what a pulse does not do:
 *
 *   loud       more power than 1.5 x the amplitude of the quieter beats
 *   unlike     a wave that is not shaped like that of the beat before, or in a rhythm of its own
 *   two-faced  red is not a multiple of infrared, by more than the noise: two things with different R are in the light
 *
 * What two things leave over grows with the error that they make of R, while the stronger is not much stronger; beyond that it
 * is loud. A pulse that has become stronger for good is loud too, until it has been regular for some beats in its old rhythm.
 */
import { ranked } from "./rank.ts";

/** One beat. Powers are in squares of the light's own mean. */
export interface BeatShape {
  /** Internal samples. */
  span: number;
  /** Of infrared's wave, and of what red leaves beside its multiple, a sample. */
  power: number;
  rest: number;
  /** Whether the wave begins like that of the last good beat (the first one does). */
  alike: boolean;
}

export interface MotionGate {
  /** The next beat: is it a pulse and nothing else? */
  judge(beat: BeatShape): boolean;
  reset(): void;
}

/** How many beats the quieter ones are among. */
const KEPT = 16;
/** Power of 1.5 times the amplitude. */
const LOUD = 9 / 4;
/** Of what red leaves: times that of the better beats, and the part of the power that may come on top. */
const RESTLESS = 3;
const LEFT = 1 / 4096;
/** So many beats alike, in the rhythm of before, make what is loud the pulse. */
const STEADY = 3;
/** Part of a beat's length by which the next may differ in the same rhythm. */
const RHYTHM = 1 / 5;
/** So many beats in a row that were not good: what comes after them is learned from, good or not. One, among the first few. */
const STUBBORN = 12;
const SURE = 4;

/** `follows`: whether the wave of the beat that is judged begins like that of the one before, good or not. */
export function createMotionGate(follows: () => boolean): MotionGate {
  const powers = new Float64Array(KEPT);
  const rests = new Float64Array(KEPT);
  const scratch = new Float64Array(KEPT);
  let seen = 0;
  let strays = 0;
  let steady = 0;
  let power = 0;
  let span = 0;

  const learn = (beat: BeatShape): void => {
    powers[seen % KEPT] = beat.power;
    rests[seen % KEPT] = beat.rest;
    seen++;
  };
  /** Which value of those kept has `share` of them below it. */
  const typical = (values: Float64Array, share: number): number => {
    const kept = Math.min(seen, KEPT);
    return ranked(values, kept, Math.min(kept - 1, Math.floor((kept + 1) * share)), scratch);
  };

  return {
    judge: (beat) => {
      const far = span === 0 ? 0 : Math.abs(beat.span - span);
      const even = beat.power <= LOUD * power && power <= LOUD * beat.power;
      power = beat.power;
      const first = seen === 0;
      const lost = strays >= (seen < SURE ? 1 : STUBBORN);
      if (first || lost) {
        learn(beat);
        span = beat.span;
      }
      let loud = power > LOUD * typical(powers, 1 / 4);
      steady = loud && even && far <= span * RHYTHM && follows() ? steady + 1 : 0;
      if (steady >= STEADY) {
        powers.fill(power);
        loud = false;
      }
      const limit = RESTLESS * typical(rests, 1 / 2) + power * LEFT;
      const pulse = !loud && (beat.alike || (lost && follows())) && 2 * far <= Math.max(span, beat.span);
      const good = pulse && beat.rest <= limit;
      // what is two-faced counts as at the limit: else noise would seem less than it is
      beat.rest = Math.min(beat.rest, limit);
      if (pulse && !lost && !first) learn(beat);
      if (good) span = beat.span;
      strays = good ? 0 : strays + 1;
      return good;
    },
    reset: () => {
      seen = strays = steady = power = span = 0;
    },
  };
}
