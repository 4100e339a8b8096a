/** Heart rate from an ECG and pulse rate from light are of one heart: where they differ, neither is to be relied on. */

export interface Agreement {
  /** Both as of `now`, us, in beats a minute, or null. true: they have differed for so long that one is wrong. */
  update(heartRate: number | null, pulseRate: number | null, now: number): boolean;
}

/** Beats a minute, and part of the heart rate, whichever is more: where they differ, and where they agree again. */
const APART = 5;
const APART_PART = 1 / 10;
const TOGETHER = 3;
const TOGETHER_PART = 1 / 20;
/** How long, us: each follows a change within its own time (heart-rate.ts), so that for seconds they may differ. */
const BEGINS = 10000000;
const ENDS = 3000000;

/**
 * Differing is a sign of quality, not of which is wrong: a missed beat, a wave counted twice, a finger that moves, or a heart
 * whose early beats give no pulse (pulse deficit). Where one is null nothing is compared: what was found stays until both
 * agree again, or one has been null for ENDS.
 */
export function createAgreement(): Agreement {
  let differ = false;
  /** Since when it is otherwise, us. */
  let since: number | null = null;
  return {
    update(heartRate, pulseRate, now) {
      let other = differ;
      if (heartRate !== null && pulseRate !== null) {
        const apart = Math.abs(heartRate - pulseRate);
        if (differ) other = apart > Math.max(TOGETHER, heartRate * TOGETHER_PART);
        else other = apart > Math.max(APART, heartRate * APART_PART);
      } else if (differ) other = false;
      if (other === differ) since = null;
      else if (since === null) since = now;
      else if (now - since >= (differ ? ENDS : BEGINS)) {
        differ = other;
        since = null;
      }
      return differ;
    },
  };
}
