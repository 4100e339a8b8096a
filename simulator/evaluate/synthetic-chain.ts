/** The chain that ships (firmware/vitals.ts with its detector and meter) over a signal, and what it showed when. */
import type { Block, Channel } from "../../drivers/driver.ts";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { MDC_HEART_RATE } from "../../protocol/messages.ts";

/** An 18-bit front end with a gain of 20 (MAX30003): uV a count, and what it takes, mV. */
export const MICROVOLTS = 0.381;
export const RANGE = 50;

/** The heart rate as shown at a time, s: beats/min or null with flags. */
export interface Reading {
  readonly time: number;
  readonly value: number | null;
  readonly flags: number;
}

export interface Observation {
  /** Every 1/8 s. */
  readonly readings: readonly Reading[];
  /** Times of the detector's R peaks, s, as they were emitted: by a detector of its own, run when it is asked for. */
  beats(): readonly number[];
}

const READS_A_SECOND = 8;

const channelOf = (rate: number): Channel => ({
  name: "ecg",
  mdc: 131328, // MDC_ECG_ELEC_POTL
  rate,
  waveform: true,
  bits: 18,
  offset: 0,
  mul: Math.round(MICROVOLTS * 1000),
  exp10: -9,
  unit: "V",
  minimum: -131072,
  maximum: 131071,
  accuracy: "",
  processing: 0,
});

/** Feeds counts of `MICROVOLTS` block by block, as a board would, and reads after every block. */
export function observe(rate: number, counts: Int32Array): Observation {
  const channel = channelOf(rate);
  const vitals = createVitals([{ channels: [channel] }]);
  const place = vitals.definitions(0).findIndex(({ mdc }) => mdc === MDC_HEART_RATE);
  if (place < 0) throw new RangeError(`the chain makes no heart rate of an ecg channel of ${rate} hz`);
  const scale = 10 ** vitals.definitions(0)[place]!.exp10;
  const readings: Reading[] = [];
  for (let k = 1, from = 0; from < counts.length; k++) {
    const to = Math.min(counts.length, Math.round((k * rate) / READS_A_SECOND));
    const block: Block = {
      samples: counts.slice(from, to),
      count: to - from,
      index: from,
      time: Math.round((from * 1e6) / rate),
      uncertainty: 0,
      lost: 0,
      flags: 0,
    };
    vitals.take(0, 0, block);
    vitals.read(Math.round((to * 1e6) / rate), (index, raw, flags) => {
      if (index === place) readings.push({ time: to / rate, value: raw === null ? null : raw * scale, flags });
    });
    from = to;
  }
  return {
    readings,
    beats: () => {
      const beats: number[] = [];
      createQrsDetector(rate, MICROVOLTS, (index) => beats.push(index / rate)).push(counts, counts.length);
      return beats;
    },
  };
}
