/** The serial interface of the MAX30003 emulator (MAX30001G data sheet p. 38): 32 clocks, and bursts of the ECG FIFO. */
import * as r from "./registers.ts";

export interface RegisterFile {
  /** The 24 bits that a read of this register delivers. */
  fetch(register: number): number;
  /** They are through: what their reading clears is cleared. */
  conclude(register: number): void;
  write(register: number, value: number): void;
}

/** select, exchange, deselect: one command byte, then words of three bytes, the first bit first. */
export function createSpiFrame(file: RegisterFile) {
  let command = 0;
  let bytes = 0;
  /** The word that goes out, the word that came in. */
  let outgoing = 0;
  let incoming = 0;
  return {
    select() {
      bytes = 0;
    },
    exchange(byte: number): number {
      bytes++;
      if (bytes === 1) {
        command = byte;
        incoming = 0;
        return 0xff; // the data line is not driven yet
      }
      const register = command >> 1;
      const place = (bytes - 2) % 3;
      if ((command & 1) === 0) {
        incoming = (incoming << 8) | byte;
        if (bytes === 4) file.write(register, incoming & 0xffffff);
        return 0xff;
      }
      if (bytes > 4 && register !== r.ECG_FIFO_BURST) return 0;
      if (place === 0) outgoing = file.fetch(register);
      if (place === 2) file.conclude(register);
      return (outgoing >> (16 - 8 * place)) & 0xff;
    },
    deselect() {
      bytes = 0;
    },
  };
}
