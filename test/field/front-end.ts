/** A MAX30003 as widespread drivers use it: their registers, their reading of RTOR and of the FIFO. */
import type { Wire } from "./wire.ts";

export const REGISTER = {
  STATUS: 0x01,
  MNGR_INT: 0x04,
  SW_RST: 0x08,
  SYNCH: 0x09,
  CNFG_GEN: 0x10,
  CNFG_CAL: 0x12,
  CNFG_EMUX: 0x14,
  CNFG_ECG: 0x15,
  CNFG_RTOR1: 0x1d,
  FIFO_BURST: 0x20,
  FIFO: 0x21,
  RTOR: 0x25,
} as const;

export function createFrontEnd(wire: Wire) {
  const write = (register: number, value: number) =>
    wire.transfer(register << 1, value >> 16, (value >> 8) & 255, value & 255);
  /** 24 bits. */
  const read = (register: number) => {
    const [, high, middle, low] = wire.transfer((register << 1) | 1, 0, 0, 0);
    return (high! << 16) | (middle! << 8) | low!;
  };
  return {
    write,
    read,
    /** 128 samples a second, gain 20, R-to-R detection, lead-off detection without a current. Absent: no calibration. */
    begin(calibration: readonly [cal: number, emux: number] = [0x004800, 0x000000]) {
      write(REGISTER.SW_RST, 0);
      wire.delay(100);
      write(REGISTER.CNFG_GEN, 0x081007);
      write(REGISTER.CNFG_CAL, calibration[0]);
      write(REGISTER.CNFG_EMUX, calibration[1]);
      write(REGISTER.CNFG_ECG, 0x805000);
      write(REGISTER.CNFG_RTOR1, 0x3fc600);
      write(REGISTER.SYNCH, 0);
      wire.delay(100);
    },
    /** Beats a minute of whatever RTOR holds: nobody looks whether it is new, or an interval at all. */
    heartRate: () => Math.floor(60 / (((read(REGISTER.RTOR) >> 10) & 0x3fff) * 0.0078125)),
    /** The sample of whatever word comes. */
    sample: () => ((read(REGISTER.FIFO) << 8) >> 14) + 0,
  };
}
