/** The heart that ships (firmware/heart.ts) over a recorded ECG: what it shows from second to second. */
import type { Block, Channel } from "../../drivers/driver.ts";
import type { Rate } from "../../firmware/dsp/heart-rate.ts";
import { createHeart } from "../../firmware/heart.ts";
import { type Counts, streamAt } from "./detections.ts";

/** What is shown at a time. */
export interface Shown {
  /** s */
  readonly time: number;
  /** Beats/min; null: nothing. */
  readonly rate: number | null;
  /** Of the last whole 10 s, 0 to 100; null: unknown. */
  readonly quality: number | null;
}

/** A state of the rhythm (a RHYTHM_ constant) from its onset to its end, s; the end of the recording where it lasts. */
export interface Episode {
  readonly state: number;
  readonly onset: number;
  readonly end: number;
}

export interface HeartLog {
  /** Every second. */
  readonly seconds: readonly Shown[];
  readonly episodes: readonly Episode[];
}

const MICROSECONDS = 1e6;
const BLOCKS_A_SECOND = 8;

const channelOf = ({ microvoltsPerCount }: Counts, rate: number): Channel => ({
  name: "ecg",
  mdc: 131328, // MDC_ECG_ELEC_POTL
  rate,
  waveform: true,
  bits: 24,
  offset: 0,
  mul: microvoltsPerCount * 1000,
  exp10: -9,
  unit: "V",
  minimum: -(2 ** 23),
  maximum: 2 ** 23 - 1,
  accuracy: "",
  processing: 0,
});

/** Runs it at `rate` hz, in blocks of 1/8 s, time counting from the first sample. */
export async function observeHeart(ecg: Counts, rate: number): Promise<HeartLog> {
  const seconds: Shown[] = [];
  const episodes: Episode[] = [];
  const lasting = new Map<number, number>();
  const heart = createHeart(channelOf(ecg, rate), (state, onset, end) => {
    if (end === null) lasting.set(state, onset);
    else {
      lasting.delete(state);
      episodes.push({ state, onset: onset / MICROSECONDS, end: end / MICROSECONDS });
    }
  });
  const shown: Rate = { value: null, flags: 0 };
  const piece = Math.ceil(rate / BLOCKS_A_SECOND);
  let pushed = 0;
  await streamAt(ecg, rate, (counts, count) => {
    for (let from = 0; from < count; from += piece) {
      const samples = counts.slice(from, Math.min(count, from + piece));
      const block: Block = {
        samples,
        count: samples.length,
        index: pushed,
        time: Math.round((pushed * MICROSECONDS) / rate),
        uncertainty: 0,
        lost: 0,
        flags: 0,
      };
      heart.take(block);
      pushed += samples.length;
    }
    const now = (pushed * MICROSECONDS) / rate;
    heart.read(now, shown);
    seconds.push({ time: now / MICROSECONDS, rate: shown.value, quality: heart.quality() });
  });
  for (const [state, onset] of lasting) episodes.push({ state, onset: onset / MICROSECONDS, end: pushed / rate });
  return { seconds, episodes };
}
