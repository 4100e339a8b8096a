/**
 * What an MLX90614 must prove before it starts: who it is by its EEPROM, and that a changed emissivity is kept (erase,
 * write, read back, restart; p. 17). Device side.
 */
import type { Frame, Op, Outcome, Setup, Step, Target } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** A word that can be read: its command, and the PEC of all that precedes its data on the bus. */
export interface Word {
  readonly at: number;
  readonly prefix: number;
}

/** The word of a channel; `place` is that among the channels. */
export interface Temperature extends Word {
  readonly place: number;
}

/** An emissivity that the EEPROM shall hold: as it was said, as its cell holds it; what erases and what writes that. */
export interface Emissivity {
  readonly value: number;
  readonly code: number;
  readonly erase: Op;
  readonly write: Op;
}

/** An MLX90614 in one configuration. */
export interface Mlx90614Setup extends Setup {
  readonly target: Target & { readonly address: number };
  /** Of the EEPROM, as `CELLS` of registers.ts. */
  readonly cells: readonly Word[];
  /** In the order in which they are read, the ambient one first. */
  readonly temperatures: readonly Temperature[];
  /** null: as it is. */
  readonly emissivity: Emissivity | null;
  /** null: not read. */
  readonly flags: Word | null;
  /** Puts it to sleep; `sleep`: close() does. */
  readonly asleep: Op;
  readonly sleep: boolean;
}

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => tell(frame, code, r.MODEL, message);

export const WRONG_PEC = "slow the bus down and check its pull-ups, and what else is at this address";

/** One read a word: its two bytes and their PEC. */
export const reads = (words: readonly Word[]): Op[] => words.map((word) => ({ read: 3, at: word.at }));

/** A step whose `next` runs when the bus did not fail; a failure ends the chain. */
const heard = (ops: Op[], next: (outcome: Outcome, frame: Frame) => Step | null): Step => ({
  ops: ops,
  next: (outcome, frame) => (outcome.error !== null ? null : next(outcome, frame)),
});

/** Reads a word; `next` gets it, or null where its PEC is wrong. A bus that fails ends the chain. */
export const ask = (word: Word, next: (value: number | null, frame: Frame) => Step | null): Step =>
  heard(reads([word]), (outcome, frame) => next(r.wordOf(word.prefix, outcome.replies[0]), frame));

/** Bits 2:0 of ConfigRegister1: what is left of a spike, percent (table 7, p. 15). */
const IIR = [50, 25, 17, 13, 100, 80, 67, 57];

const described = (cells: number[]): string => {
  const words = cells.map(hex);
  const config = cells[1];
  return (
    `ID ${words.slice(4).join(" ")}, emissivity ${words[0]}, cell 0x0f ${words[3]}, ConfigRegister1 ${words[1]} ` +
    `(FIR ${8 << ((config >> r.FIR_SHIFT) & 7)}, IIR ${IIR[config & 7]} %, ` +
    `${config & r.DUAL ? "two zones" : "one zone"}), SMBus address ${words[2]}`
  );
};

/**
 * Who is it? It has no identification: eight cells whose PECs are right, one of them its own address, make it plausible.
 * `then` gets the cells.
 */
export const identified = (setup: Mlx90614Setup, then: (cells: number[], frame: Frame) => Step | null): Step => {
  const address = setup.target.address;
  let repeats = 0;
  const step = heard(reads(setup.cells), (outcome, frame) => {
    const cells: number[] = [];
    let read = "";
    let doubt = "";
    setup.cells.forEach((cell, i) => {
      const reply = outcome.replies[i];
      const word = r.wordOf(cell.prefix, reply);
      if (word !== null) cells.push(word);
      else if (!doubt) {
        read = `cell ${hex(cell.at)} reads ${hex(reply[0])} ${hex(reply[1])}, PEC ${hex(reply[2])}`;
        doubt = `it is wrong; ${r.REPEATS} repetitions did not help; ${WRONG_PEC}`;
      }
    });
    if (!doubt) {
      read = described(cells);
      if ((cells[2] & 255) !== address) {
        const moved = "or was not switched off and on since its address changed";
        doubt = `${hex(address)} was expected; it is another chip, ${moved}`;
      }
    } else if (repeats++ < r.REPEATS) return step;
    frame.identity = { verdict: doubt ? "refused" : "plausible", read: read };
    return doubt ? fault(frame, FAULT_IDENTITY, `${read}; ${doubt}`) : then(cells, frame);
  });
  return step;
};

/** Looks at the flags until it is initialised and its EEPROM idle, then `next`. */
export const initialised = (word: Word, next: Step): Step => {
  let looks = 0;
  const look = ask(word, (flags, frame) => {
    let what = "the PEC of its flags is wrong; choose flags false";
    if (flags !== null) {
      what = `flags ${hex(flags)}: `;
      if (flags & r.EE_DEAD) {
        return fault(frame, FAULT_CONFIGURATION, `${what}its EEPROM is damaged (EE_DEAD); replace it`);
      }
      if ((flags & (r.INIT | r.EEBUSY)) === r.INIT) return next;
      what += `not initialised after ${r.FLAG_LOOKS * r.FLAG_PAUSE} ms; check the supply`;
    }
    looks++;
    return looks < r.FLAG_LOOKS ? step : fault(frame, FAULT_DATA, what);
  });
  const step: Step = Object.assign({ pause: r.FLAG_PAUSE }, look);
  return step;
};

/**
 * Erases the emissivity and writes another one, reads it back, and puts the chip to sleep: it works with the old one until
 * it has been restarted, or with neither (README.md). So whoever answers later has been restarted.
 */
export const programmed = (setup: Mlx90614Setup, wanted: Emissivity): Step => {
  const done: Step = {
    ops: [setup.asleep],
    next: (_, frame) => {
      const what = `emissivity ${wanted.value} is in the EEPROM and counts from the next start; it was put to sleep for that`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; switch its supply off and on`);
    },
  };
  const compare = ask(setup.cells[0], (word, frame) => {
    if (word === wanted.code) return done;
    const what = word === null ? "cannot be read back, its PEC is wrong" : `reads ${hex(word)}`;
    return fault(frame, FAULT_CONFIGURATION, `emissivity ${what}, ${hex(wanted.code)} was written; open it again`);
  });
  const put = (op: Op, next: Step): Step =>
    Object.assign(
      { pause: r.EEPROM_PAUSE },
      heard([op], () => next),
    );
  return put(wanted.erase, put(wanted.write, compare));
};
