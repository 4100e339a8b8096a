/** Heart rate and intervals from beat to beat, of an ECG. Device side. */
import { type Channel, FLAG_BUS_FAULT, FLAG_LEAD_OFF, FLAG_SETTLING, FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import { MDC_HEART_RATE, MDC_RR_INTERVAL } from "../../protocol/messages.ts";
import { type ContactState, contactOf } from "../contact.ts";
import type { Rate } from "../dsp/heart-rate.ts";
import type { OnRhythm } from "../dsp/rhythm.ts";
import { createHeart } from "../heart.ts";
import type { Kind, Source } from "./source.ts";

const HEART_RATE: Kind = { mdc: MDC_HEART_RATE, ucum: "/min", exp10: -1, scale: 10, bits: 13 };
const RR_INTERVAL: Kind = { mdc: MDC_RR_INTERVAL, ucum: "ms", exp10: -1, scale: 10, bits: 17 };

/**
 * `ecg`: the sensor's channel at `place`, at one of HEART_RATES (heart.ts). `onElectrodes`: each change of them, as of a
 * reading; null: nothing is heard of the chip, or it gives a test signal.
 */
export function createHeartRate(
  ecg: Channel,
  place: number,
  onRhythm: OnRhythm,
  onElectrodes: (state: ContactState | null) => void,
): Source {
  const heart = createHeart(ecg, onRhythm);
  const rate: Rate = { value: null, flags: 0 };
  let electrodes: ContactState | null = null;
  const touch = (): void => {
    const unheard = (rate.flags & (FLAG_BUS_FAULT | FLAG_TEST_SIGNAL)) !== 0;
    const why = rate.flags & (FLAG_LEAD_OFF | FLAG_SETTLING);
    const state = unheard ? null : contactOf(electrodes, why, rate.value !== null);
    if (state === electrodes) return;
    electrodes = state;
    onElectrodes(state);
  };
  return {
    kinds: [HEART_RATE, RR_INTERVAL],
    take(channel, block) {
      if (channel === place) heart.take(block);
    },
    flags: (channel) => (channel === place ? heart.flags() : 0),
    quality: (channel) => (channel === place ? heart.quality() : null),
    interrupted(channel, why) {
      if (channel === place) heart.interrupted(why);
    },
    read(now, emit) {
      heart.read(now, rate);
      touch();
      const quality = heart.quality();
      emit(0, rate.value, rate.flags, quality, null);
      heart.takeIntervals((at, milliseconds, flags) => emit(1, milliseconds, flags, quality, at));
    },
  };
}
