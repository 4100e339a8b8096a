/**
 * MLX90614: infrared thermometer on SMBus (Melexis 3901090614, Rev 13, 2019). It converts all the time and shows no new
 * result: so it is read less often than it makes one. Its configuration is in its EEPROM; what the data sheet leaves open
 * stands in README.md. Device side.
 */
import type { Channel, Chip, Driver, Frame, Outcome, Step, Wiring } from "../driver.ts";
import {
  createFrame,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_RESTARTED,
  FLAG_BUS_FAULT,
  FLAG_SATURATED,
  hex,
} from "../driver.ts";
import * as r from "./registers.ts";
import { asleep, fault, identified, initialised, programmed, tested, WRONG_PEC } from "./selftest.ts";

export type { Mlx90614Configuration } from "./registers.ts";

const DEFAULTS: r.Mlx90614Configuration = { sampleRate: 5, zones: 1, emissivity: null, sleep: false, flags: false };

/** Cells in the order in which they are read: the ambient temperature first, since without it the others mean nothing. */
const CELLS = [r.TA, r.TOBJ1, r.TOBJ2];
/** Their places among the channels. */
const PLACES = [1, 0, 2];
const AMBIENT = 1;

const CLOSED = "it is not open; open it first";

/** 0x5a from the factory; any other that its EEPROM may hold and I2C does not reserve. */
const ADDRESSES: number[] = [r.DEFAULT_ADDRESS];
for (let i = 0x08; i < 0x78; i++) if (i !== r.DEFAULT_ADDRESS) ADDRESSES.push(i);

/** MDC_TEMP (ISO/IEEE 11073-10101): what it looks at may be no body. */
const TEMPERATURE = 150344;

const channelOf = (name: string, rate: number, ambient: boolean): Channel => ({
  name: name,
  mdc: TEMPERATURE,
  rate: rate,
  waveform: false,
  bits: 15,
  offset: 0,
  mul: 2,
  exp10: -2,
  unit: "K",
  minimum: ambient ? r.AMBIENT_MINIMUM : r.OBJECT_MINIMUM,
  maximum: ambient ? r.AMBIENT_MAXIMUM : r.OBJECT_MAXIMUM,
  accuracy: ambient
    ? "none given; 0.6 K more for each V of supply (p. 36)"
    : "0.5 K from 0 to 50 Cel of chip and object; MLX90614D 0.2 K from 36 to 38 Cel (p. 34, 36)",
  role: name,
  processing: 0,
});

const create = (configuration: Partial<r.Mlx90614Configuration>, wiring: Wiring): Driver<r.Mlx90614Configuration> => {
  const settings: r.Mlx90614Configuration = Object.assign({}, DEFAULTS, configuration);
  const address = wiring.address ?? r.DEFAULT_ADDRESS;
  if (ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x8 to 0x77, as its EEPROM says`);
  }
  r.check(settings);
  const rate = settings.sampleRate;
  const channels = [channelOf("object", rate, false), channelOf("ambient", rate, true)];
  if (settings.zones === 2) channels.push(channelOf("object2", rate, false));
  const count = channels.length;
  const cells = CELLS.slice(0, count);
  // A word takes 0.57 ms at 100 khz; the poll itself is a part of the period.
  const pollEvery = Math.round(1000 / rate - (57 * count) / 100);
  const prefixes = cells.map((cell) => r.prefixOf(address, cell));

  /** Opened, and nothing has ended that. */
  let running = false;
  let closing = false;
  /** Longest time from one result to the next, us; a reading that begins before `freshAt` may show an old one. */
  let refresh = 0;
  let freshAt = 0;
  // By place, one bit each: the next value follows a loss that nobody can count; a code that was no temperature was told.
  let gaps = 0;
  let told = 0;
  const indices: number[] = channels.map(() => 0);
  /** By cell, one bit each: its last reading had a wrong PEC. Repetitions in this poll. */
  let wrong = 0;
  let repeats = 0;

  /** A code whose PEC was right; false: the chip is not what it was, nothing of this poll counts. */
  const take = (place: number, code: number, outcome: Outcome, frame: Frame): boolean => {
    const channel = channels[place];
    const block = frame.channels[place];
    const bit = 1 << place;
    freshAt = outcome.ended + refresh;
    if (code >= channel.minimum && code <= channel.maximum) {
      told &= ~bit;
      if ((gaps & bit) !== 0) block.lost = -1;
      gaps &= ~bit;
      block.index = indices[place];
      indices[place]++;
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
    const what = `${channel.name} reads ${hex(code)}`;
    if (place === AMBIENT) {
      gaps = -1;
      for (let i = 0; i < count; i++) frame.channels[i].count = 0;
      frame.restart = true;
      fault(frame, FAULT_RESTARTED, `${what}, which is no temperature: it has just started; open it again`);
      return false;
    }
    if ((told & bit) === 0) {
      const why = (code & r.ERROR) !== 0 ? "its error flag is set" : "which is no temperature";
      fault(frame, FAULT_DATA, `${what}, ${why}; check what it looks at, and its supply`);
    }
    told |= bit;
    return true;
  };

  /** The end of a poll, and of what a close takes. */
  const ended = (frame: Frame): Step | null => {
    if (!closing) return null;
    closing = running = false;
    for (let i = 0; i < count; i++) if ((gaps & (1 << i)) !== 0) frame.channels[i].lost = -1;
    return settings.sleep ? asleep(address, () => null) : null;
  };

  /** What came of the cells `from` to `to`; a wrong PEC is read again, a bus that fails is not. */
  const collect = (from: number, to: number, outcome: Outcome, frame: Frame): Step | null => {
    for (let i = from; i < to; i++) {
      const reply = outcome.replies[i - from];
      const code = reply === undefined ? null : r.wordOf(prefixes[i], reply);
      if (code === null) wrong |= 1 << i;
      else if (!take(PLACES[i], code, outcome, frame)) return ended(frame);
    }
    for (let i = 0; i < count; i++) {
      const bit = 1 << i;
      if ((wrong & bit) === 0) continue;
      if (outcome.error === null && repeats < r.REPEATS) {
        repeats++;
        wrong &= ~bit;
        return singles[i];
      }
      gaps |= 1 << PLACES[i];
      if (outcome.error === null) {
        const what = `the PEC of ${channels[PLACES[i]].name} (${hex(cells[i])}) is wrong`;
        fault(frame, FAULT_DATA, `${what}, also after ${repeats} repetitions; ${WRONG_PEC}`);
      }
    }
    return ended(frame);
  };

  const all: Step = { ops: cells.map(r.read), next: (outcome, frame) => collect(0, count, outcome, frame) };
  const singles = cells.map(
    (cell, i): Step => ({ ops: [r.read(cell)], next: (outcome, frame) => collect(i, i + 1, outcome, frame) }),
  );
  /** Too early: there may be nothing new. */
  const begin = (outcome: Outcome, frame: Frame): Step | null => {
    wrong = repeats = 0;
    return outcome.began < freshAt ? ended(frame) : all;
  };
  const poll: Step = {
    ops: [],
    next: (outcome, frame) => (running ? begin(outcome, frame) : fault(frame, FAULT_CONFIGURATION, CLOSED)),
  };
  const close: Step = {
    ops: [],
    next: (outcome, frame) => {
      if (!running) return null;
      closing = true;
      return begin(outcome, frame);
    },
  };

  const start: Step = {
    ops: [],
    pause: r.START_UP,
    next: () => {
      running = true;
      return null;
    },
  };
  /** The cells are known: do they go with the settings? */
  const suit = (words: number[], frame: Frame): Step | null => {
    const config = words[1];
    refresh = r.refreshOf(config);
    if (settings.zones === 2 && (config & r.DUAL) === 0) {
      const what = `zones 2 fights with ConfigRegister1 ${hex(config)}, which says one zone`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; choose zones 1`);
    }
    if (pollEvery * 1000 < refresh) {
      const what = `sampleRate ${rate} fights with the filters of ConfigRegister1 ${hex(config)}`;
      const most = Math.floor(10000000 / (refresh + 570 * count + 500)) / 10;
      return fault(
        frame,
        FAULT_CONFIGURATION,
        `${what}: a new result may take ${refresh / 1000} ms; choose ${most} hz or less`,
      );
    }
    if (settings.emissivity !== null && words[0] !== r.emissivityCode(settings.emissivity)) {
      return programmed(address, settings.emissivity);
    }
    if (words[0] < r.LOWEST_EMISSIVITY - 1) {
      const what = `emissivity reads ${hex(words[0])}, below 0.1: a write was cut off`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; open it with the emissivity that it shall have`);
    }
    return settings.flags ? initialised(address, start) : start;
  };

  const open: Step = {
    ops: [],
    // Not before it runs: a poll may be under way.
    next: () => {
      running = closing = false;
      gaps = told = freshAt = 0;
      for (let i = 0; i < count; i++) indices[i] = 0;
      return identified(address, suit);
    },
  };

  const driver: Driver<r.Mlx90614Configuration> = {
    model: r.MODEL,
    bus: "i2c",
    address: address,
    maxHz: 100000,
    configuration: settings,
    dataReady: null,
    pollEvery: pollEvery,
    channels: () => channels,
    createFrame: () => createFrame(channels.map(() => 1)),
    open: () => open,
    poll: () => poll,
    reconfigure: (next) => {
      r.check(next);
      if (next.sampleRate !== rate || next.zones !== settings.zones) return null;
      return {
        ops: [r.read(r.EMISSIVITY)],
        next: (outcome, frame) => {
          if (outcome.error !== null) return null;
          const word = r.wordOf(r.prefixOf(address, r.EMISSIVITY), outcome.replies[0]);
          if (word === null) return fault(frame, FAULT_DATA, `the PEC of the emissivity is wrong; ${WRONG_PEC}`);
          Object.assign(settings, next);
          const wanted = settings.emissivity;
          if (wanted === null || word === r.emissivityCode(wanted)) return null;
          running = false;
          return programmed(address, wanted);
        },
      };
    },
    selfTest: () =>
      tested(
        address,
        cells,
        cells.map((_, i) => channels[PLACES[i]].name),
        settings.emissivity,
        1000 / rate,
        () => {
          // Results that it took are in no block.
          gaps = -1;
        },
      ),
    close: () => close,
  };
  return driver;
};

export const chip: Chip<r.Mlx90614Configuration> = {
  model: r.MODEL,
  bus: "i2c",
  addresses: ADDRESSES,
  defaults: DEFAULTS,
  create: create,
};
