/** The FIFO of an emulated MAX86150: 32 samples of one to four words, two pointers, a counter of what was lost. */
import * as reg from "./registers.ts";

/** Words of a sample at most. */
const WIDEST = 4;

/**
 * Lives in the chip's registers (pointers, OVF_COUNTER, configuration, flags). `raise` sets bits of a status register
 * and moves the interrupt line.
 */
export function createFifo(registers: Uint8Array, raise: (register: number, bits: number) => void) {
  const memory = new Int32Array(reg.FIFO_DEPTH * WIDEST);
  let elements = 0;
  let unread = 0;
  /** Bytes of the sample being read that were not asked for yet. */
  let held: number[] = [];
  let popping = false;

  const next = (register: number) => {
    registers[register] = (registers[register] + 1) & reg.FIVE_BITS;
  };
  const flush = () => {
    registers.fill(0, reg.FIFO_WR_PTR, reg.FIFO_RD_PTR + 1);
    unread = 0;
    held = [];
  };

  return {
    flush,
    clear() {
      flush();
      memory.fill(0);
    },
    /** How many elements a sample has from now on. */
    setElements(count: number) {
      elements = count;
      held = [];
    },
    push(words: readonly number[]) {
      const config = registers[reg.FIFO_CONFIG];
      if (unread === reg.FIFO_DEPTH) {
        registers[reg.OVF_COUNTER] = Math.min(registers[reg.OVF_COUNTER] + 1, reg.FIVE_BITS);
        if ((config & reg.FIFO_ROLLS_ON_FULL) === 0) return;
        next(reg.FIFO_RD_PTR);
        unread--;
        // What is being read was taken out whole: it is gone either way.
        popping = false;
      }
      memory.set(words, registers[reg.FIFO_WR_PTR] * WIDEST);
      next(reg.FIFO_WR_PTR);
      unread++;
      const threshold = reg.FIFO_DEPTH - (config & 15);
      const almost = (config & reg.A_FULL_ONCE) !== 0 ? unread === threshold : unread >= threshold;
      if (almost) raise(reg.INT_STATUS_1, reg.A_FULL);
    },
    /** WR_PTR and RD_PTR can be written; where they are made equal, the FIFO is empty. */
    writePointer(register: number, value: number) {
      registers[register] = value & reg.FIVE_BITS;
      if (register === reg.OVF_COUNTER) return;
      unread = (registers[reg.FIFO_WR_PTR] - registers[reg.FIFO_RD_PTR]) & reg.FIVE_BITS;
    },
    /** One byte. The last one of a sample pops it; an empty FIFO repeats its last sample. */
    read() {
      registers[reg.INT_STATUS_1] &= ~(reg.PPG_RDY | ((registers[reg.FIFO_CONFIG] & reg.A_FULL_CLR) << 1));
      registers[reg.INT_STATUS_2] &= ~reg.ECG_RDY;
      if (elements === 0) return 0;
      if (held.length === 0) {
        popping = unread > 0;
        const slot = (registers[reg.FIFO_RD_PTR] - (popping ? 0 : 1)) & reg.FIVE_BITS;
        const words = Array.from(memory.subarray(slot * WIDEST, slot * WIDEST + elements));
        held = words.flatMap((word) => [(word >> 16) & 0xff, (word >> 8) & 0xff, word & 0xff]);
      }
      const byte = held.shift()!;
      if (held.length === 0) {
        if (popping) {
          unread--;
          next(reg.FIFO_RD_PTR);
        }
        registers[reg.OVF_COUNTER] = 0;
      }
      return byte;
    },
    /** The transaction ended: a sample that was read in part stays where it is. */
    release() {
      held = [];
    },
  };
}
