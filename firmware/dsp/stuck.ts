/**
 * Whether a converter gives the same code again and again. No signal does at 16 bits and more, for its noise is above one of
 * them: a chip that has hung does, or a register that is read in the place of its data.
 */
import {
  type Block,
  type Channel,
  FLAG_BUS_FAULT,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_TEST_SIGNAL,
} from "../../drivers/driver.ts";

export interface StuckCodes {
  /**
   * The blocks of a poll, by channel: those whose samples have been one code for a second get the flag bus fault. Returns the
   * place of the first of them; -1: there is none.
   */
  mark(blocks: readonly Block[]): number;
}

/** Bits of a converter whose least one is noise. */
const FINE = 16;
/** s */
const LASTING = 1;
/** Of the range: so near to its lower end there is no light, or an input out of range; at the upper end it is saturated. */
const END = 1 / 16;
/** Why a code may stay as it is. */
const ENDED = FLAG_SATURATED | FLAG_LEAD_OFF | FLAG_TEST_SIGNAL;

/** Of a chip's channels, the waveforms among them. */
export function createStuckCodes(channels: readonly Channel[]): StuckCodes {
  const count = channels.length;
  const codes = new Int32Array(count);
  /** Samples of that code at the end of what came. */
  const runs = new Int32Array(count);
  const enough = new Int32Array(count);
  const least = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const one = channels[i];
    enough[i] = one.waveform && one.bits >= FINE ? Math.ceil(one.rate * LASTING) : 0;
    least[i] = one.minimum + (one.maximum - one.minimum) * END;
  }
  const isStuck = (i: number, block: Block): boolean => {
    const samples = block.samples;
    const first = samples[0];
    const last = samples[block.count - 1];
    if (first !== codes[i]) runs[i] = 0;
    const was = runs[i] >= enough[i];
    codes[i] = last;
    if (first !== last || (block.flags & ENDED) !== 0 || first < least[i]) {
      runs[i] = 0;
      return was;
    }
    const all = samples.subarray(0, block.count) as unknown as number[];
    if (Math.max.apply(null, all) !== first || Math.min.apply(null, all) !== first) runs[i] = 0;
    else runs[i] += block.count;
    return was || runs[i] >= enough[i];
  };

  return {
    mark: (blocks) => {
      let place = -1;
      for (let i = 0; i < count; i++) {
        const block = blocks[i];
        if (enough[i] === 0 || block.count === 0) continue;
        if (isStuck(i, block)) {
          block.flags |= FLAG_BUS_FAULT;
          if (place < 0) place = i;
        }
      }
      return place;
    },
  };
}
