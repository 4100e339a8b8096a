/** Heart rate and intervals from beat to beat, of an ECG. Device side. */
import type { Channel } from "../../drivers/driver.ts";
import { MDC_HEART_RATE, MDC_RR_INTERVAL } from "../../protocol/messages.ts";
import type { Rate } from "../dsp/heart-rate.ts";
import type { OnRhythm } from "../dsp/rhythm.ts";
import { createHeart } from "../heart.ts";
import type { Kind, Source } from "./source.ts";

const HEART_RATE: Kind = { mdc: MDC_HEART_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const RR_INTERVAL: Kind = { mdc: MDC_RR_INTERVAL, ucum: "ms", exp10: -1, scale: 10, bits: 17 };

/** `ecg`: the sensor's channel at `place`, at one of HEART_RATES (heart.ts). */
export function createHeartRate(ecg: Channel, place: number, onRhythm: OnRhythm): Source {
  const heart = createHeart(ecg, onRhythm);
  const rate: Rate = { value: null, flags: 0 };
  return {
    kinds: [HEART_RATE, RR_INTERVAL],
    take(channel, block) {
      if (channel === place) heart.take(block);
      return 0;
    },
    interrupted(channel) {
      if (channel === place) heart.interrupted();
    },
    read(now, emit) {
      heart.read(now, rate);
      const quality = heart.quality();
      emit(0, rate.value, rate.flags, quality, null);
      heart.takeIntervals((at, milliseconds) => emit(1, milliseconds, 0, quality, at));
    },
  };
}
