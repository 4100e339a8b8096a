/** An MLX90614 by its own means: right PECs, plausible cells and temperatures. Device side. */
import { type Core, measure, type Step } from "../driver.ts";
import { type Mlx90614Setup, reads, type Word } from "./opening.ts";
import * as r from "./registers.ts";

const celsius = (code: number): number => (2 * code - 27315) / 100;

/**
 * Reads the EEPROM's cells and the temperatures. Measured: "PEC errors", a count, 0; "address", what the chip thinks it
 * has; "emissivity", 0.1 to 1, or the one that was asked for; "refresh", the longest time from result to result, ms, within
 * the period; "ambient", -40 to 125 Cel (p. 1); "object" and "object2", -70.01 to 382.19 Cel (p. 20), which an error flag is
 * not. A word whose PEC is wrong is not judged.
 */
export const selfTest = (driver: Core<Mlx90614Setup>): Step => {
  const setup = driver.configuration;
  const cells = setup.cells;
  const channels = setup.channels;
  const temperatures = setup.temperatures;
  const address = setup.target.address;
  const asked: Word[] = cells.concat(temperatures);
  const resumed = driver.resume();
  return {
    ops: reads(asked),
    next: (outcome, frame) => {
      // Nothing was written: there is nothing to be resumed on the bus, so that this is the last step.
      resumed.next?.(outcome, frame);
      if (outcome.error !== null) return null;
      const words = asked.map((word, i) => r.wordOf(word.prefix, outcome.replies[i]));
      measure(frame, "PEC errors", words.filter((word) => word === null).length, "1", 0, 0);
      const cell = words[0];
      if (cell !== null) {
        const wanted = setup.emissivity === null ? null : setup.emissivity.code / 65535;
        measure(frame, "emissivity", cell / 65535, "1", wanted ?? r.LOWEST_EMISSIVITY / 65535, wanted ?? 1);
      }
      const config = words[1];
      if (config !== null) measure(frame, "refresh", r.refreshOf(config) / 1000, "ms", 0, 1000 / channels[0].rate);
      const own = words[2];
      if (own !== null) measure(frame, "address", own & 255, "1", address, address);
      for (let i = 0; i < temperatures.length; i++) {
        const code = words[cells.length + i];
        if (code === null) continue;
        const name = channels[temperatures[i].place].name;
        if (i === 0) measure(frame, name, celsius(code), "Cel", -40, 125);
        else measure(frame, name, celsius(code), "Cel", celsius(r.OBJECT_MINIMUM), celsius(r.OBJECT_MAXIMUM));
      }
      return null;
    },
  };
};
