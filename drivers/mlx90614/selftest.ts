/**
 * What an MLX90614 must prove: who it is by its EEPROM, that a changed emissivity is kept (erase, write, read back,
 * restart; p. 17), and in the self-test right PECs, plausible cells and temperatures. Device side.
 */
import type { Frame, Outcome, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex, measure } from "../driver.ts";
import * as r from "./registers.ts";

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

/** Read at opening and in the self-test, in this order. */
const CELLS = [
  r.EMISSIVITY,
  r.CONFIG_REGISTER1,
  r.SMBUS_ADDRESS,
  r.CELL_0F,
  r.ID_NUMBER,
  r.ID_NUMBER + 1,
  r.ID_NUMBER + 2,
  r.ID_NUMBER + 3,
];

export const WRONG_PEC = "slow the bus down and check its pull-ups, and what else is at this address";

/** Bits 2:0 of ConfigRegister1: what is left of a spike, percent (table 7, p. 15). */
const IIR = [50, 25, 17, 13, 100, 80, 67, 57];

const described = (cells: number[]): string => {
  const config = cells[1];
  const zones = (config & r.DUAL) !== 0 ? "two zones" : "one zone";
  const filters = `FIR ${8 << ((config >> r.FIR_SHIFT) & 7)}, IIR ${IIR[config & 7]} %, ${zones}`;
  const id = `ID ${hex(cells[4])} ${hex(cells[5])} ${hex(cells[6])} ${hex(cells[7])}`;
  const emissivity = `emissivity ${hex(cells[0])}, cell 0x0f ${hex(cells[3])}`;
  return `${id}, ${emissivity}, ConfigRegister1 ${hex(config)} (${filters}), SMBus address ${hex(cells[2])}`;
};

const refused = (frame: Frame, read: string, expected: string): null => {
  frame.identity = { verdict: "refused", read: read };
  return fault(frame, FAULT_IDENTITY, `${read}; ${expected}`);
};

/**
 * Who is it? It has no identification: eight cells whose PECs are right, one of them its own address, make it plausible.
 * `then` gets the cells.
 */
export const identified = (address: number, then: (cells: number[], frame: Frame) => Step | null): Step => {
  let repeats = 0;
  const step: Step = {
    ops: CELLS.map(r.read),
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const cells: number[] = [];
      for (let i = 0; i < CELLS.length; i++) {
        const reply = outcome.replies[i];
        const word = r.wordOf(r.prefixOf(address, CELLS[i]), reply);
        if (word !== null) {
          cells.push(word);
        } else if (repeats < r.REPEATS) {
          repeats++;
          return step;
        } else {
          const what = `cell ${hex(CELLS[i])} reads ${hex(reply[0])} ${hex(reply[1])}, PEC ${hex(reply[2])}`;
          return refused(frame, what, `that PEC is wrong; ${r.REPEATS} repetitions did not help; ${WRONG_PEC}`);
        }
      }
      if ((cells[2] & 255) !== address) {
        const moved = "or its address was changed and it was not switched off and on";
        return refused(frame, described(cells), `${hex(address)} was expected there; it is another chip, ${moved}`);
      }
      frame.identity = { verdict: "plausible", read: described(cells) };
      return then(cells, frame);
    },
  };
  return step;
};

/** Looks at the flags until it is initialised and its EEPROM idle, then `next`. */
export const initialised = (address: number, next: Step): Step => {
  let looks = 0;
  const step: Step = {
    ops: [r.read(r.READ_FLAGS)],
    pause: r.FLAG_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const flags = r.wordOf(r.prefixOf(address, r.READ_FLAGS), outcome.replies[0]);
      if (flags !== null && (flags & r.EE_DEAD) !== 0) {
        return fault(frame, FAULT_CONFIGURATION, `flags ${hex(flags)}: its EEPROM is damaged (EE_DEAD); replace it`);
      }
      if (flags !== null && (flags & (r.INIT | r.EEBUSY)) === r.INIT) return next;
      looks++;
      if (looks < r.FLAG_LOOKS) return step;
      if (flags !== null) {
        const what = `flags ${hex(flags)}: not initialised after ${r.FLAG_LOOKS * r.FLAG_PAUSE} ms`;
        return fault(frame, FAULT_DATA, `${what}; check the supply`);
      }
      return fault(frame, FAULT_DATA, "the PEC of its flags is wrong; choose flags false");
    },
  };
  return step;
};

/** Puts it to sleep, then `next`. */
export const asleep = (address: number, next: (outcome: Outcome, frame: Frame) => null): Step => ({
  ops: [r.order(address, r.ENTER_SLEEP)],
  next: next,
});

/**
 * Erases the emissivity and writes another one, reads it back, and puts the chip to sleep: it works with the old one until
 * it has been restarted, or with neither (README.md). So whoever answers later has been restarted.
 */
export const programmed = (address: number, emissivity: number): Step => {
  const code = r.emissivityCode(emissivity);
  const done = asleep(address, (_, frame) => {
    const what = `emissivity ${emissivity} is in the EEPROM and counts from the next start; it was put to sleep for that`;
    return fault(frame, FAULT_CONFIGURATION, `${what}; switch its supply off and on`);
  });
  const compare: Step = {
    ops: [r.read(r.EMISSIVITY)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const word = r.wordOf(r.prefixOf(address, r.EMISSIVITY), outcome.replies[0]);
      if (word === code) return done;
      const what = word === null ? "cannot be read back, its PEC is wrong" : `reads ${hex(word)}`;
      const again = "open it again to write it once more";
      return fault(frame, FAULT_CONFIGURATION, `emissivity ${what}, ${hex(code)} was written; ${again}`);
    },
  };
  const put = (value: number, next: Step): Step => ({
    ops: [r.write(address, r.EMISSIVITY, value)],
    pause: r.EEPROM_PAUSE,
    next: (outcome) => (outcome.error !== null ? null : next),
  });
  return put(0, put(code, compare));
};

const celsius = (code: number): number => (2 * code - 27315) / 100;

/**
 * Reads the EEPROM's cells and `ram`, the temperatures with the ambient one first. Measured: "PEC errors", a count, 0;
 * "address", what the chip thinks it has; "emissivity", 0.1 to 1, or the one that was asked for; "refresh", the longest
 * time from result to result, ms, within `period`; "ambient", -40 to 125 Cel (p. 1); "object" and "object2", -70.01 to
 * 382.19 Cel (p. 20), which an error flag is not. A word whose PEC is wrong is not judged. Then `done`.
 */
export const tested = (
  address: number,
  ram: number[],
  names: string[],
  emissivity: number | null,
  period: number,
  done: () => void,
): Step => ({
  ops: CELLS.concat(ram).map(r.read),
  next: (outcome, frame) => {
    done();
    if (outcome.error !== null) return null;
    const commands = CELLS.concat(ram);
    const words = commands.map((command, i) => r.wordOf(r.prefixOf(address, command), outcome.replies[i]));
    measure(frame, "PEC errors", words.filter((word) => word === null).length, "1", 0, 0);
    const cell = words[0];
    if (cell !== null) {
      const wanted = emissivity === null ? null : r.emissivityCode(emissivity) / 65535;
      measure(frame, "emissivity", cell / 65535, "1", wanted ?? r.LOWEST_EMISSIVITY / 65535, wanted ?? 1);
    }
    const config = words[1];
    if (config !== null) measure(frame, "refresh", r.refreshOf(config) / 1000, "ms", 0, period);
    const own = words[2];
    if (own !== null) measure(frame, "address", own & 255, "1", address, address);
    for (let i = 0; i < ram.length; i++) {
      const code = words[CELLS.length + i];
      if (code === null) continue;
      if (i === 0) measure(frame, names[i], celsius(code), "Cel", -40, 125);
      else measure(frame, names[i], celsius(code), "Cel", celsius(r.OBJECT_MINIMUM), celsius(r.OBJECT_MAXIMUM));
    }
    return null;
  },
});
