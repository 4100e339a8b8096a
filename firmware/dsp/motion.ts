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
  /** R of this beat alone; 0 where there is no red. */
  ratio: number;
  /** Whether the wave begins like that of the last good beat (the first one does). */
  alike: boolean;
  /** Of the gate: whether its first beats agreed. Until then the good ones count only once they do. */
  sure: boolean;
  /** Of the gate: where it is good, whether the next ones are to be held against it. */
  model: boolean;
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
/** As what two-faced beats are learned from, times what is usual. */
const ABOVE = 5 / 4;
/** So many beats alike make what is loud the pulse, in the rhythm of before; and so many what was not good for long, in one of theirs. */
const STEADY = 3;
const STEADIER = 5;
/** Part of a beat's length by which the next may differ in the same rhythm. */
const RHYTHM = 1 / 5;
/** For long: so many beats in a row that were not good. */
const LONG = 12;
/** And so many: whatever it is, it is what there is. */
const FOREVER = 96;
/** R of beats may differ by so much and be the same: from beat to beat of a weak pulse it does. */
const NEAR = 1 / 8;
/** The first ones may be motion too: so many that are like the first must follow it. */
const AGREED = 2;

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
  /** Of red to infrared, of good beats lately. */
  let ratio = 0;
  let before = 0;
  let agreed = 0;

  const learn = (one: number, rest: number): void => {
    powers[seen % KEPT] = one;
    rests[seen % KEPT] = rest;
    seen++;
  };
  /** Which value of those kept has `share` of them below it. */
  const typical = (values: Float64Array, share: number): number => {
    const kept = Math.min(seen, KEPT);
    return ranked(values, kept, Math.min(kept - 1, Math.floor((kept + 1) * share)), scratch);
  };

  /** Learns anew from this beat on. */
  const begin = (beat: BeatShape): boolean => {
    seen = strays = steady = 0;
    learn(beat.power, beat.rest);
    power = beat.power;
    span = before = beat.span;
    ratio = beat.ratio;
    agreed = AGREED;
    beat.sure = beat.model = true;
    return true;
  };

  const sameRatio = (beat: BeatShape): boolean => Math.abs(beat.ratio - ratio) <= NEAR;

  return {
    judge: (beat) => {
      if (seen === 0) {
        begin(beat);
        agreed = 0;
        beat.sure = false;
        return true;
      }
      const far = Math.abs(beat.span - span);
      const even = beat.power <= LOUD * power && power <= LOUD * beat.power;
      power = beat.power;
      const quiet = typical(powers, 1 / 4);
      const noise = typical(rests, 1 / 2);
      const loud = power > LOUD * quiet;
      if (!loud && beat.alike && 2 * far <= Math.max(span, beat.span)) {
        if (beat.rest <= RESTLESS * noise + power * LEFT) {
          learn(power, beat.rest);
          // one alone among others that are not good may be motion that looks like a pulse
          beat.model = strays === 0;
          if (beat.model) span = beat.span;
          ratio += (beat.ratio - ratio) / 4;
          strays = steady = 0;
          if (agreed < AGREED) agreed++;
          beat.sure = agreed === AGREED;
          return true;
        }
        // it counts as somewhat above what is usual: else noise would seem less than it is
        learn(Math.min(power, quiet * ABOVE), noise * ABOVE);
      }
      beat.sure = agreed === AGREED;
      // what is much quieter than what was taken for a pulse is no motion on top of it
      const lost = !beat.sure || strays >= LONG || power * LOUD < quiet;
      agreed = beat.sure ? AGREED : 0;
      strays++;
      const inRhythm = Math.abs(beat.span - (lost ? before : span)) <= span * RHYTHM;
      before = beat.span;
      const whole = beat.rest <= RESTLESS * noise * Math.max(1, power / quiet) + power * LEFT;
      const known = beat.sure && strays < FOREVER;
      // Steady motion may be all that is left: both lights alike, unless that is what the blood had.
      const likely = lost ? sameRatio(beat) || Math.abs(beat.ratio - 1) > NEAR : loud && beat.alike && sameRatio(beat);
      const regular = even && inRhythm && (known ? whole && likely : true) && follows();
      steady = regular ? steady + 1 : 0;
      if (steady < (!beat.sure ? AGREED : lost ? STEADIER : STEADY)) return false;
      return begin(beat);
    },
    reset: () => {
      seen = strays = steady = power = span = 0;
    },
  };
}
