/**
 * Whether the beats of a light that has just begun are those of a heart. The motion gate (motion.ts) compares beats with those
 * before them; where a finger is moving from the first one on, motion is all that it knows, and agrees with itself. Blood leaves
 * nothing beside red's multiple of infrared, motion hardly ever does so. So beats that stand clear are believed after a few; a
 * weak pulse, that noise makes unclear, after half a minute. Until then numbers are told as settling.
 */
import type { BeatShape } from "./motion.ts";

export interface Belief {
  /** A beat that the gate found good, at an internal sample. true: those before it are not to be believed, and count no more. */
  good(beat: BeatShape, at: number): boolean;
  /** One that it did not. */
  bad(): void;
  /** Is what is shown of beats that nobody can believe yet? */
  doubts(): boolean;
  /** The light begins. */
  reset(): void;
}

/** What red leaves of a clear beat, part of its power. */
const CLEAR = 1 / 1024;
/**
 * So many clear ones in a row are believed, so many where there were others, which are forgotten; or whatever has gone on for so
 * long, s: longer than most motion.
 */
const FEW = 3;
const MORE = 8;
const LONG = 30;

/** `frequency`: internal samples a second. */
export function createBelief(frequency: number): Belief {
  let believed = false;
  let clear = 0;
  /** Of the first one. */
  let since: number | null = null;
  let wasUnclear = false;
  return {
    good: (beat, at) => {
      if (believed) return false;
      since ??= at;
      if (beat.rest <= beat.power * CLEAR) clear++;
      else {
        clear = 0;
        wasUnclear = true;
      }
      const isClear = clear >= (wasUnclear ? MORE : FEW);
      believed = isClear || at - since >= LONG * frequency;
      return isClear && wasUnclear;
    },
    bad: () => {
      clear = 0;
    },
    doubts: () => !believed,
    reset: () => {
      believed = false;
      clear = 0;
      since = null;
      wasUnclear = false;
    },
  };
}
