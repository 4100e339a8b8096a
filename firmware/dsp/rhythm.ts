/**
 * What a monitor would call the rhythm, from beats and the rate: states that begin and end, with hysteresis, each told once
 * when it begins and once when it ends. Names and limits: pause from 3 s, bradycardia below 50, tachycardia above 100 a
 * minute.
 */

/** States, one bit each. */
export const RHYTHM_PAUSE = 1;
export const RHYTHM_ASYSTOLE = 2;
export const RHYTHM_BRADYCARDIA = 4;
export const RHYTHM_TACHYCARDIA = 8;
/** Atrial fibrillation, by its irregularity. */
export const RHYTHM_FIBRILLATION = 16;
/** No rate can be told: ventricular fibrillation or flutter, more than 300 a minute, or noise like them. */
export const RHYTHM_UNCOUNTABLE = 32;

/**
 * `state`: a RHYTHM_ constant. `onset` and `end` in units of time; `end` is null when the state begins. Pause and asystole
 * count from the last beat before them, or from where waves could be counted again, and end with the next beat; the others
 * count from and to when they were noticed.
 */
export type OnRhythm = (state: number, onset: number, end: number | null) => void;

export interface RhythmMonitor {
  /** A signal begins: from here on the absence of beats is one. */
  begin(at: number): void;
  /** A beat at a time that is not before the last one's. */
  beat(at: number): void;
  /**
   * As of `now`, which is not before the last beat: the rate shown or null, the entropy of fibrillation.ts or null, whether
   * the waves cannot be counted. Call it at least twice a second.
   */
  update(now: number, rate: number | null, entropy: number | null, uncountable: boolean): void;
  /** The states that are on, RHYTHM_ constants added up. */
  state(): number;
  /** The signal is gone: every state ends at `at`, and nothing is known until `begin`. */
  gap(at: number): void;
}

const PAUSE = 3;
/** A beat may be known only this much later, s: no pause is told before, nor asystole. */
const PATIENCE = 3 / 8;
/** Of the first beat, s: a detector learns first. */
const START = 8;
/** Beats a minute: where a state begins and where it ends. */
const SLOW = 50;
const NO_LONGER_SLOW = 52;
const FAST = 100;
const NO_LONGER_FAST = 98;
/** Entropy: as published (fibrillation.ts), and a tenth less. */
const IRREGULAR = 639 / 1000;
const NO_LONGER_IRREGULAR = 575 / 1000;
const STATES = 6;

/** `perSecond`: how many units of time make a second. Throws Error where it is not above 0. */
export function createRhythmMonitor(perSecond: number, onRhythm: OnRhythm): RhythmMonitor {
  if (!(perSecond > 0)) throw new Error(`rhythm: ${perSecond} units a second is not above 0`);
  const onsets = new Float64Array(STATES);
  let states = 0;
  let listening = false;
  let beats = 0;
  let last = 0;
  /** s from beat to beat when there was last a rate. */
  let usual = 1;

  /** Turns a state on or off. */
  const set = (place: number, on: boolean, at: number): void => {
    const bit = 1 << place;
    const was = (states & bit) !== 0;
    if (on === was) return;
    states ^= bit;
    if (on) onsets[place] = at;
    onRhythm(bit, onsets[place], on ? null : at);
  };

  return {
    begin: (at) => {
      listening = true;
      beats = 0;
      last = at;
      usual = 1;
    },
    beat: (at) => {
      if (beats > 0 && at - last >= PAUSE * perSecond) set(0, true, last);
      set(0, false, at);
      set(1, false, at);
      beats++;
      last = at;
    },
    update: (now, rate, entropy, uncountable) => {
      if (!listening) return;
      if (uncountable) {
        // whether the heart beats is not known: no silence is one
        last = now;
        set(0, false, now);
        set(1, false, now);
      }
      const silent = (now - last) / perSecond;
      if (beats > 0 && silent >= PAUSE + PATIENCE) set(0, true, last);
      if (silent >= (beats > 0 ? Math.max(PAUSE + PATIENCE, usual + usual / 2) : START)) set(1, true, last);
      if (rate !== null) usual = 60 / rate;
      set(2, rate !== null && rate < ((states & RHYTHM_BRADYCARDIA) === 0 ? SLOW : NO_LONGER_SLOW), now);
      set(3, rate !== null && rate > ((states & RHYTHM_TACHYCARDIA) === 0 ? FAST : NO_LONGER_FAST), now);
      set(
        4,
        entropy !== null && entropy > ((states & RHYTHM_FIBRILLATION) === 0 ? IRREGULAR : NO_LONGER_IRREGULAR),
        now,
      );
      set(5, uncountable, now);
    },
    state: () => states,
    gap: (at) => {
      for (let i = 0; i < STATES; i++) set(i, false, at);
      listening = false;
      beats = 0;
    },
  };
}
