/** What came of one chip while the doctor watched it. Device side. */
import {
  type Channel,
  type Driver,
  type Fault,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  type Frame,
} from "../../drivers/driver.ts";
import { MDC_PLETH } from "../../protocol/messages.ts";
import { OFF_BODY } from "../contact.ts";
import { createRateMeter, type RateMeter } from "../rate.ts";

export interface Tally {
  take(frame: Frame): void;
  /** A fault of the chip, or of its bus. */
  fault(fault: Fault): void;
  /** The chip was opened anew. */
  restart(): void;
  /** Of the first channel that has a rate; null: it has none. */
  readonly channel: Channel | null;
  readonly rate: RateMeter;
  /** Polls that brought samples, and those of them that were flagged, in any channel. */
  readonly polls: number;
  readonly saturated: number;
  readonly leadOff: number;
  /** Polls in which no light came back from a finger. */
  readonly dark: number;
  readonly faults: readonly Fault[];
  readonly restarts: number;
  /** Mean of each light, of the converter's range, 0 to 1. */
  lights(): { readonly name: string; readonly level: number }[];
}

/** Of the rate (rate.ts). */
const STAMPS = 8;
/** Faults that are kept; what goes wrong again and again is said once. */
const KEPT = 8;

export const createTally = (driver: Driver): Tally => {
  const channels = driver.channels();
  const rate = createRateMeter(STAMPS);
  const faults: Fault[] = [];
  const sums = channels.map(() => ({ sum: 0, count: 0 }));
  let first = -1;
  channels.forEach((channel, i) => {
    if (first < 0 && channel.rate > 0) first = i;
  });
  let polls = 0;
  let saturated = 0;
  let leadOff = 0;
  let dark = 0;
  let restarts = 0;
  return {
    channel: first < 0 ? null : channels[first],
    rate: rate,
    faults: faults,
    get polls() {
      return polls;
    },
    get saturated() {
      return saturated;
    },
    get leadOff() {
      return leadOff;
    },
    get dark() {
      return dark;
    },
    get restarts() {
      return restarts;
    },
    take(frame) {
      if (first >= 0) rate.push(frame.channels[first]);
      let flags = 0;
      let count = 0;
      let lights = 0;
      let lit = false;
      for (let i = 0; i < frame.channels.length; i++) {
        const block = frame.channels[i];
        count += block.count;
        // a chip that waits for its electrodes has flags and no samples
        flags |= block.flags;
        let sum = 0;
        for (let k = 0; k < block.count; k++) sum += block.samples[k];
        sums[i].sum += sum;
        sums[i].count += block.count;
        if (channels[i].mdc !== MDC_PLETH || block.count === 0) continue;
        lights++;
        if (sum >= OFF_BODY * block.count * (channels[i].maximum + 1)) lit = true;
      }
      if (count === 0 && flags === 0) return;
      polls++;
      if (lights > 0 && !lit) dark++;
      if ((flags & FLAG_SATURATED) !== 0) saturated++;
      if ((flags & FLAG_LEAD_OFF) !== 0) leadOff++;
    },
    fault(fault) {
      const known = faults.some((one) => one.message === fault.message);
      if (!known && faults.length < KEPT) faults.push(fault);
    },
    restart() {
      restarts++;
    },
    lights() {
      const lights: { name: string; level: number }[] = [];
      channels.forEach((channel, i) => {
        if (channel.mdc !== MDC_PLETH || sums[i].count === 0) return;
        lights.push({ name: channel.name, level: sums[i].sum / sums[i].count / (channel.maximum + 1) });
      });
      return lights;
    },
  };
};
