/**
 * Alarms of the rhythm. That a rhythm has ended is told by a beat, but also where the signal ends (dsp/rhythm.ts): so the
 * alarm waits for heart rates after it. Device side.
 */
import { ALARM_RHYTHM_FIBRILLATION } from "../../protocol/messages.ts";
import type { AlarmStates, Entry } from "./states.ts";

export interface RhythmWatch {
  readonly entry: Entry;
  /** RHYTHM_ constant. */
  readonly state: number;
  /** It is said to have ended. Since then: heart rates in a row, time of the first of them, whether one was missing. */
  ended: boolean;
  rates: number;
  since: number;
  broken: boolean;
}

/** So many heart rates in a row show that what was said to have ended has. */
const CLEARING = 2;
/** Fibrillation is known by 127 beats: where the signal was lost, only as long a heart rate without it, us. */
const PROOF = 240000000;

export const watchRhythm = (entry: Entry, state: number): RhythmWatch => ({
  entry,
  state,
  ended: false,
  rates: 0,
  since: 0,
  broken: false,
});

/** `ended` false: it begins, or is there again. `heartRate`: raw, the last one known or null. */
export function tellRhythm(
  watch: RhythmWatch,
  states: AlarmStates,
  ended: boolean,
  onset: number,
  heartRate: number | null,
  now: number,
): void {
  watch.ended = ended;
  watch.rates = 0;
  watch.broken = false;
  if (!ended) states.begin(watch.entry, onset, heartRate, null, now);
}

/** A heart rate, or that there is none. */
export function takeHeartRate(watch: RhythmWatch, states: AlarmStates, raw: number | null, now: number): void {
  if (!watch.entry.holds || !watch.ended) return;
  if (raw === null) {
    watch.rates = 0;
    watch.broken = true;
    return;
  }
  if (watch.rates === 0) watch.since = now;
  watch.rates++;
  const unproven = watch.broken && watch.entry.id === ALARM_RHYTHM_FIBRILLATION;
  if (unproven ? now - watch.since >= PROOF : watch.rates >= CLEARING) states.end(watch.entry, raw, now);
}
