/** A chip whose converter has hung: told once, and opened anew once. Device side. */
import { type Driver, FAULT_DATA, type Fault, type Frame } from "../drivers/driver.ts";
import { createStuckCodes } from "./dsp/stuck.ts";

export interface StuckWatch {
  /**
   * A poll's frame: whether a waveform of the chip is stuck, whose blocks it flags. When that begins it is told, and the frame
   * asks for a restart: a converter that hangs after a dip of its supply comes back so.
   */
  look(frame: Frame): boolean;
}

/** `onFault`: with the place of the channel. */
export function createStuckWatch(driver: Driver, onFault: (place: number, fault: Fault) => void): StuckWatch {
  const channels = driver.channels();
  const codes = createStuckCodes(channels);
  let stuck = false;
  return {
    look: (frame) => {
      const place = codes.mark(frame.channels);
      const began = place >= 0 && !stuck;
      stuck = place >= 0;
      if (began) {
        // an event has room for 64 bytes
        const what = `${channels[place].name} stuck at ${frame.channels[place].samples[0]}`;
        onFault(place, { code: FAULT_DATA, message: `${driver.model}: ${what}; opened anew, else cut power` });
        frame.restart = true;
      }
      return stuck;
    },
  };
}
