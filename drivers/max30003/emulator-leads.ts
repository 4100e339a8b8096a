/**
 * What the MAX30003 emulator makes of its electrodes: direct-current lead-off with its threshold and polarity, and lead-on
 * at ultra-low power (MAX30001G data sheet p. 23, 42, 47, 48).
 */
import type { Get } from "./emulator-analog.ts";
import * as r from "./registers.ts";

/** A comparator must be beyond its threshold for longer than this, us (p. 23: 115 to 140 ms). */
const LEAD_OFF_TIME = 115_000;
/** mV. */
const THRESHOLDS = [300, 400, 450, 500];
/** nA. */
const CURRENTS = [0, 5, 10, 20, 50, 100, 0, 0];
/** MOhm. */
const RESISTORS = [50, 100, 200, 200];

export interface LeadComparators {
  /** Forgets since when electrodes are off. */
  reset(): void;
  /** A conversion at `now`, us: DCLOFFINT and LDOFF bits whose condition holds. */
  leadOff(now: number, positiveOff: boolean, negativeOff: boolean): number;
}

/** Ultra-low-power detection is on: asked for, and the channel off (p. 47). */
export const detectsLeadOn = (get: Get): boolean =>
  ((get(r.CNFG_GEN) >> 22) & 3) === 1 && (get(r.CNFG_GEN) & r.EN_ECG) === 0;

export function createLeadComparators(get: Get): LeadComparators {
  const since = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

  /** How far the current takes an electrode that is off, mV: to the supply where no resistor holds it. */
  const reach = (general: number, resistor: number) => {
    const current = CURRENTS[(general >> r.IMAG_SHIFT) & 7];
    const held = (general & 0x30) === r.EN_RBIAS && (general & resistor) !== 0;
    return current > 0 && !held ? Number.POSITIVE_INFINITY : current * RESISTORS[(general >> r.RBIASV_SHIFT) & 3];
  };

  return {
    reset() {
      since.fill(Number.POSITIVE_INFINITY);
    },
    leadOff(now, positiveOff, negativeOff) {
      const general = get(r.CNFG_GEN);
      const looked = ((general >> 12) & 3) === 1;
      const threshold = THRESHOLDS[(general >> r.VTH_SHIFT) & 3];
      // One is pulled up, the other down.
      const down = (general & r.DCLOFF_IPOL) !== 0;
      const bits = down ? [0x4, 0x2] : [0x8, 0x1];
      let status = 0;
      [positiveOff, negativeOff].forEach((off, i) => {
        const beyond = looked && off && reach(general, i === 0 ? 2 : 1) > threshold;
        since[i] = beyond ? Math.min(since[i], now) : Number.POSITIVE_INFINITY;
        if (now - since[i] > LEAD_OFF_TIME) status |= r.DCLOFFINT | bits[i];
      });
      return status;
    },
  };
}
