/** What oximeters that work in windows have in common: samples of both lights at about 25 hz, 4 s of them, once a second. */
import type { Spo2MeterFactory } from "../../simulator/evaluate/spo2-meter.ts";

const RATE = 25;
const SECONDS = 4;

/** Both lights of a window, oldest first, counts. */
export interface LightWindow {
  readonly red: Float64Array;
  readonly infrared: Float64Array;
  /** hz */
  readonly rate: number;
}

/**
 * `ratioOf`: R of a window, or null. Between two windows the last one's is shown; a window in which the finger was away or a
 * light clipped has none. Throws Error for a rate below 25 hz.
 */
export const windowed =
  (name: string, ratioOf: (window: LightWindow) => number | null): Spo2MeterFactory =>
  ({ rate, offBodyBelow, saturatedAbove }) => {
    if (!(rate >= RATE)) throw new Error(`${name}: rate ${rate} hz is below ${RATE}`);
    const step = Math.floor(rate / RATE);
    const internal = rate / step;
    const every = Math.round(internal);
    const red = new Float64Array(SECONDS * every);
    const infrared = new Float64Array(red.length);
    let [redSum, infraredSum, gathered, filled, fresh, unfit] = [0, 0, 0, 0, 0, 0];
    const result: { ratio: number | null } = { ratio: null };
    const take = () => {
      for (const [window, sum] of [[red, redSum] as const, [infrared, infraredSum] as const]) {
        window.copyWithin(0, 1);
        window[window.length - 1] = sum / step;
      }
      redSum = infraredSum = gathered = 0;
      filled = Math.min(filled + 1, red.length);
      if (unfit > 0) unfit--;
      if (++fresh < every) return;
      fresh = 0;
      result.ratio = filled < red.length || unfit > 0 ? null : ratioOf({ red, infrared, rate: internal });
    };
    return {
      result,
      push(reds, infrareds, count) {
        for (let i = 0; i < count; i++) {
          const [a, b] = [reds[i]!, infrareds[i]!];
          redSum += a;
          infraredSum += b;
          if (b < offBodyBelow || Math.max(a, b) >= saturatedAbove) unfit = red.length;
          if (++gathered === step) take();
        }
      },
    };
  };
