/**
 * MLX90614: infrared thermometer on SMBus (Melexis 3901090614, Rev 13, 2019). It converts all the time and shows no new
 * result: so it is read less often than it makes one. Its configuration is in its EEPROM; what the data sheet leaves open
 * stands in README.md. Device side.
 */
import type { Core, Frame, Outcome, Step } from "../driver.ts";
import {
  createCore,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_SATURATED,
  hex,
} from "../driver.ts";
import {
  ask,
  fault,
  identified,
  initialised,
  type Mlx90614Setup,
  programmed,
  reads,
  type Temperature,
  WRONG_PEC,
} from "./opening.ts";
import * as r from "./registers.ts";

export type { Mlx90614Setup } from "./opening.ts";

/** Its driver. */
export const createDriver = (first: Mlx90614Setup): Core<Mlx90614Setup> => {
  const channels = first.channels;
  const words = first.temperatures;
  const count = words.length;
  const rate = channels[0].rate;
  let setup = first;

  /** Opened, and nothing has ended that. */
  let running = false;
  let closing = false;
  /** Longest time from one result to the next, us; a reading that begins before `freshAt` may show an old one. */
  let refresh = 0;
  let freshAt = 0;
  // By channel, one bit each: the next value follows a loss that nobody can count; a code that was none was told.
  let gaps = 0;
  let told = 0;
  let indices: number[] = [];
  /** What came with a wrong PEC in this poll and was not read again yet, and how often something was. */
  let wrong: Temperature[] = [];
  let repeats = 0;

  /** A code whose PEC was right; false: the chip is not what it was, nothing of this poll counts. */
  const take = (place: number, code: number, outcome: Outcome, frame: Frame): boolean => {
    const channel = channels[place];
    const block = frame.channels[place];
    const bit = 1 << place;
    freshAt = outcome.ended + refresh;
    if (code >= channel.minimum && code <= channel.maximum) {
      told &= ~bit;
      if (gaps & bit) block.lost = -1;
      gaps &= ~bit;
      block.index = indices[place]++;
      block.samples[0] = code;
      block.count = 1;
      // The cell was stored within one refresh before it was read.
      block.time = (outcome.began - refresh + outcome.ended) / 2;
      block.uncertainty = (outcome.ended - outcome.began + refresh) / 2;
      if (code === channel.minimum || code === channel.maximum) block.flags |= FLAG_SATURATED;
      if (repeats > 0) block.flags |= FLAG_BUS_FAULT;
      return true;
    }
    gaps |= bit;
    const what = `${channel.name} reads ${hex(code)}, `;
    const none = "which is no temperature";
    if (place === words[0].place) {
      gaps = -1;
      frame.channels.forEach((each) => {
        each.count = 0;
      });
      frame.restart = true;
      fault(frame, FAULT_RESTARTED, `${what}${none}: it has just started; open it again`);
      return false;
    }
    if (!(told & bit)) {
      const why = code & r.ERROR ? "its error flag is set" : none;
      fault(frame, FAULT_DATA, `${what}${why}; check what it looks at, and its supply`);
    }
    told |= bit;
    return true;
  };

  /** The end of a poll, and of what a close takes. */
  const ended = (frame: Frame): Step | null => {
    if (!closing) return null;
    running = false;
    frame.channels.forEach((block, place) => {
      if (gaps & (1 << place)) block.lost = -1;
    });
    return setup.sleep ? { ops: [setup.asleep] } : null;
  };

  /** Reads `some`; what has a wrong PEC is read again one by one, a bus that fails is not. */
  const reading = (some: readonly Temperature[]): Step => ({
    ops: reads(some),
    next: (outcome, frame) => {
      const failed: Temperature[] = [];
      for (let i = 0; i < some.length; i++) {
        // What a bus that failed did not bring has no PEC either.
        const code = r.wordOf(some[i].prefix, outcome.replies[i] || []);
        if (code === null) failed.push(some[i]);
        else if (!take(some[i].place, code, outcome, frame)) return ended(frame);
      }
      wrong = failed.concat(wrong);
      const heard = outcome.error === null;
      if (heard && wrong.length > 0 && repeats++ < r.REPEATS) return reading(wrong.splice(0, 1));
      wrong.forEach((word) => {
        gaps |= 1 << word.place;
        const what = `the PEC of ${channels[word.place].name} (${hex(word.at)}) is wrong`;
        if (heard) fault(frame, FAULT_DATA, `${what}, also after ${r.REPEATS} repetitions; ${WRONG_PEC}`);
      });
      return ended(frame);
    },
  });

  const all = reading(words);
  const polled = (last: boolean): Step => ({
    ops: [],
    next: (outcome, frame) => {
      if (!running) return last ? null : fault(frame, FAULT_CONFIGURATION, "it is not open; open it first");
      closing = last;
      wrong = [];
      repeats = 0;
      // Too early: there may be nothing new.
      return outcome.began < freshAt ? ended(frame) : all;
    },
  });
  const poll = polled(false);

  const start: Step = {
    ops: [],
    pause: r.START_UP,
    next: () => {
      running = true;
      return null;
    },
  };
  /** The cells are known: do they go with the settings? */
  const suit = (cells: number[], frame: Frame): Step | null => {
    const config = cells[1];
    const wanted = setup.emissivity;
    const fights = ` fights with ConfigRegister1 ${hex(config)}`;
    refresh = r.refreshOf(config);
    if (count > 2 && !(config & r.DUAL)) {
      return fault(frame, FAULT_CONFIGURATION, `zones 2${fights}, one zone; choose zones 1`);
    }
    if (setup.target.pollEvery * 1000 < refresh) {
      const most = Math.floor(10000000 / (refresh + 570 * count + 500)) / 10;
      const what = `sampleRate ${rate}${fights}: a new result may take ${refresh / 1000} ms`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; choose ${most} hz or less`);
    }
    if (wanted !== null && cells[0] !== wanted.code) return programmed(setup, wanted);
    if (cells[0] < r.LOWEST_EMISSIVITY - 1) {
      const what = `emissivity reads ${hex(cells[0])}, below 0.1: a write was cut off`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; open it with the emissivity wanted`);
    }
    return setup.flags === null ? start : initialised(setup.flags, start);
  };

  const open: Step = {
    ops: [],
    // Not before it runs: a poll may be under way.
    next: () => {
      running = closing = false;
      gaps = told = freshAt = 0;
      indices = words.map(() => 0);
      return identified(setup, suit);
    },
  };

  const core = createCore(first, {
    open: () => open,
    poll: () => poll,
    reconfigure: (next: Mlx90614Setup) => {
      if (next.channels[0].rate !== rate || next.channels.length !== count) return null;
      return ask(first.cells[0], (word, frame) => {
        if (word === null) return fault(frame, FAULT_DATA, `the PEC of the emissivity is wrong; ${WRONG_PEC}`);
        core.configuration = setup = next;
        const wanted = next.emissivity;
        if (wanted === null || word === wanted.code) return null;
        running = false;
        return programmed(next, wanted);
      });
    },
    resume: (): Step => ({
      ops: [],
      next: () => {
        // Results that a self-test took are in no block.
        gaps = -1;
        return null;
      },
    }),
    close: () => polled(true),
  });
  return core;
};
