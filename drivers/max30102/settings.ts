/** A configuration of MAX30102 or MAX30101: checked, and turned into what the chip takes. Device side. */
import { choose } from "../chip.ts";
import { type Channel, hexByte, type Op, type Wiring } from "../driver.ts";
import type { Kept, Max30102Setup } from "./opening.ts";
import * as reg from "./registers.ts";

/** Places in what `encode` returns. */
const MODE = 3;
const CURRENTS = 6;
const LED3 = 8;
const SLOTS = 11;
const THRESHOLD = 13;
const REGISTERS = 14;

/** Samples between two polls: half a FIFO; past the interrupt at 17 where that calls first. */
const POLL_AFTER = 16;
const POLL_AFTER_INTERRUPT = 24;
/** A_FULL comes with the 17th sample. */
const CALLED = 16;
/** Seconds between two die temperatures where the configuration says only that there shall be some. */
const USUAL = 10;

/** The LED of each slot, in the order of the FIFO. */
export const slotsOf = (c: reg.Configuration): readonly string[] => c.slots || reg.LEDS.slice(0, 2);

/** Whether the die temperature is a channel. 0 s is no way to say no: `createThermometer` refuses it. */
export const hasTemperature = (c: reg.Configuration): boolean =>
  c.dieTemperature !== undefined && c.dieTemperature !== false;

/**
 * INT_ENABLE_1 and 2, FIFO_CONFIG to SLOTS_3_4 (tables 3 to 8; shut down, FIFO_ROLLOVER_EN off), PROX_INT_THRESH; behind
 * them what no register holds, so that two configurations differ where these do. `leds`: those that the model has.
 * Throws Error: which setting, or which two fight, the value, and what to choose.
 */
const encode = (model: string, leds: readonly string[], c: reg.Configuration): number[] => {
  const refuse = (what: string): never => {
    throw new Error(`${model}: ${what}`);
  };
  const amplitude = (setting: string, current: number): number => {
    const steps = Math.round(current * 5);
    return steps >= 0 && steps <= 255 && Math.abs(current * 5 - steps) < 1 / 1024
      ? steps
      : refuse(`${setting} ${current} mA: choose 0 to 51 in steps of 0.2`);
  };

  const rate = choose(model, "sampleRate", c.sampleRate, reg.RATES);
  const width = choose(model, "pulseWidth", c.pulseWidth, reg.WIDTHS);
  const range = choose(model, "adcRange", c.adcRange, reg.RANGES);
  const averaging = choose(model, "averaging", c.averaging, reg.AVERAGES);
  const sample = c.interruptOn === "sample";
  if (!sample) choose(model, "interruptOn", c.interruptOn || "burst", ["burst", "sample"]);
  const multi = c.slots !== undefined;
  const highest = reg.HIGHEST_RATES[width];
  if (c.sampleRate > highest) {
    refuse(
      `sampleRate ${c.sampleRate} hz and pulseWidth ${c.pulseWidth} us do not go together in ${multi ? "multi-LED" : "SpO2"} ` +
        `mode (data sheet, Table 11): choose at most ${highest} hz${width > 0 ? ", or a shorter pulse" : ""}`,
    );
  }
  const swap = c.swapLeds === true ? 3 : 0;
  const names = slotsOf(c);
  if (names.length < 1 || names.length > 4) refuse(`slots: ${names.length} LEDs: choose one to four`);
  const numbers = names.map((led) => {
    const number = choose(model, "slots", led, leds) + 1;
    return number < 3 && swap > 0 ? swap - number : number;
  });
  const currents = leds.map((led) =>
    amplitude(`ledCurrent.${led}`, (c.ledCurrent as Readonly<Record<string, number>>)[led]),
  );
  const near = c.proximity;
  if (near !== undefined && (multi || leds.length < 3)) {
    refuse(`proximity and ${multi ? "slots" : "this chip"} do not go together: leave out one`);
  }
  const threshold = near === undefined ? 0 : near.threshold;
  if (threshold < 0 || threshold > 255 || threshold % 1 !== 0) {
    refuse(`proximity.threshold ${threshold}: choose 0 to 255`);
  }
  return [
    reg.A_FULL |
      (sample ? reg.PPG_RDY : 0) |
      (c.ambientOverflow === true ? reg.ALC_OVF : 0) |
      (near === undefined ? 0 : reg.PROX_INT),
    hasTemperature(c) ? reg.DIE_TEMP_RDY : 0,
    (averaging << 5) | reg.ALMOST_FULL,
    reg.SHDN | (multi ? reg.MODE_MULTI_LED : reg.MODE_SPO2),
    (range << 5) | (rate << 2) | width,
    0,
    currents[swap > 0 ? 1 : 0],
    currents[swap > 0 ? 0 : 1],
    leds.length > 2 ? currents[2] : 0,
    0,
    near === undefined ? 0 : amplitude("proximity.current", near.current),
    multi ? numbers[0] | (numbers[1] << 4) : 0,
    multi ? numbers[2] | (numbers[3] << 4) : 0,
    threshold,
    swap,
  ];
};

/**
 * Bytes that a read may have. `limit`: `Wiring.maxRead`. Throws Error where the status (seven bytes) or a sample of these
 * slots does not fit.
 */
const longestRead = (where: string, slots: readonly string[], limit: number | undefined): number => {
  const least = Math.max(slots.length * reg.WORD, 7);
  if (limit === undefined) return 1024;
  if (limit >= least) return limit;
  throw new Error(
    `${where}: maxRead ${limit} bytes and slots ${slots.join(", ")} do not go together: ` +
      `choose a bus that reads at least ${least} at once, or fewer slots`,
  );
};

/** Seconds between two die temperatures; 0: none. Throws Error. */
const interval = (where: string, c: reg.Configuration): number => {
  if (!hasTemperature(c)) return 0;
  const seconds = typeof c.dieTemperature === "number" ? c.dieTemperature : USUAL;
  if (seconds >= 1 && seconds <= 3600) return seconds;
  throw new Error(`${where}: dieTemperature ${seconds} s: choose 1 to 3600, or true for every ${USUAL} s`);
};

/** MDC_PULS_OXIM_PLETH and MDC_TEMP (ISO/IEEE 11073-10101): the die is no body. */
const PLETH = 150452;
const TEMPERATURE = 150344;

/** A channel for each slot in the order of the FIFO (red first in SpO2 mode), then the die temperature if it is wanted. */
const channelsOf = (c: reg.Configuration): Channel[] => {
  const width = reg.WIDTHS.indexOf(c.pulseWidth);
  const channel = (name: string, role: string): Channel => ({
    name,
    mdc: PLETH,
    rate: c.sampleRate / c.averaging,
    waveform: true,
    bits: reg.FEWEST_BITS + width,
    offset: 0,
    mul: 1,
    exp10: 0,
    unit: "1",
    minimum: 0,
    maximum: reg.highestCode(width),
    accuracy: "none given; supply rejection 0.25 % of full scale typically, 1 % at most (p3)",
    role,
    processing: 0,
  });
  const slots = slotsOf(c);
  const channels = slots.map((led, slot) => channel(slots.indexOf(led) < slot ? led + (slot + 1) : led, led));
  if (!hasTemperature(c)) return channels;
  const temperature = {
    mdc: TEMPERATURE,
    rate: 0,
    waveform: false,
    bits: 12,
    mul: 625,
    exp10: -4,
    unit: "Cel",
    minimum: -640,
    maximum: 1360,
    accuracy: "1 Cel at 25 Cel, typically (p4)",
  };
  channels.push(Object.assign(channel("dieTemperature", "die"), temperature));
  return channels;
};

/** Writes what `encode` returned, and reads it back; in SpO2 mode the registers behind LED2_PA keep their power-on state. */
const configuring = (registers: readonly number[]): { configure: Op[]; kept: Kept[] } => {
  const near = (registers[0] & reg.PROX_INT) !== 0;
  const end = near ? REGISTERS : registers[SLOTS] > 0 ? THRESHOLD : LED3;
  const configure: Op[] = [
    // The pointers can be written in SpO2 and multi-LED mode only (p13).
    { write: [reg.MODE_CONFIG, registers[MODE]] },
    { write: [reg.FIFO_CONFIG].concat(registers.slice(2, Math.min(end, THRESHOLD))) },
    // Also where the line is not wired: the flag tells full from empty, and its loss shows a reset.
    { write: [reg.INT_ENABLE_1, registers[0], registers[1]] },
    { write: [reg.FIFO_WR_PTR, 0, 0, 0] },
  ];
  if (near) configure.push({ write: [reg.PROX_INT_THRESH, registers[THRESHOLD]] });
  /** Each read: its first register, the place of that, and the places in `registers` from which to which. */
  const reads = [
    { at: reg.INT_STATUS_1, read: 7, skip: 2, from: 0, to: 2 },
    { at: reg.FIFO_CONFIG, read: 6, skip: 0, from: 2, to: LED3 },
    { at: reg.LED3_PA, read: 5, skip: 0, from: LED3, to: THRESHOLD },
    { at: reg.PROX_INT_THRESH, read: 1, skip: 0, from: THRESHOLD, to: REGISTERS },
  ];
  const kept: Kept[] = [];
  reads.forEach((one, reply) => {
    if (one.from >= end) return;
    configure.push({ read: one.read, at: one.at });
    for (let i = one.from; i < one.to; i++) {
      const place = one.skip + i - one.from;
      kept.push({ reply: reply, place: place, at: one.at + place, value: registers[i] });
    }
  });
  return { configure: configure, kept: kept };
};

/** Checks a configuration of the model that has these LEDs. Throws Error. */
export const setup = (model: string, leds: readonly string[], c: reg.Configuration, wiring: Wiring): Max30102Setup => {
  const registers = encode(model, leds, c);
  const slots = slotsOf(c);
  const address = wiring.address ?? reg.ADDRESS;
  const where = `${model} at ${hexByte(address)}`;
  const wired = wiring.interrupt === true;
  const maxRead = longestRead(where, slots, wiring.maxRead);
  const seconds = interval(where, c);
  const channels = channelsOf(c);
  const multi = c.slots !== undefined;
  const green = slots.indexOf("green") >= 0;
  const steps = configuring(registers);
  return {
    target: {
      model: model,
      bus: "i2c",
      address: address,
      maxHz: 400000, // p5
      dataReady: wired ? "falling" : null,
      pollEvery: ((wired ? POLL_AFTER_INTERRUPT : POLL_AFTER) * 1000) / channels[0].rate,
    },
    channels: channels,
    capacities: channels.map((one) => (one.waveform ? reg.FIFO_DEPTH : 1)),
    where: where,
    record: `${registers.filter((_, i) => i < CURRENTS || i > LED3).join()},${seconds}`,
    currents: [reg.LED1_PA].concat(registers.slice(CURRENTS, CURRENTS + leds.length)),
    configure: steps.configure,
    kept: steps.kept,
    mode: registers[MODE] & 7,
    enable: registers[0],
    slots: multi ? registers.slice(SLOTS, THRESHOLD) : [],
    verdict: green ? "plausible" : "confirmed",
    others: green ? ": MAX30101, MAX30102 or MAX30105" : "",
    // Swapped LEDs in SpO2 mode: the FIFO has the second channel first. In multi-LED mode the slots are swapped back.
    order: c.swapLeds === true && !multi ? [1, 0] : slots.map((_, slot) => slot),
    size: slots.length * reg.WORD,
    shift: 32 - channels[0].bits,
    top: channels[0].maximum,
    period: 1e6 / channels[0].rate,
    lag: (c.averaging - 1) / c.averaging / 2,
    called: wired && c.interruptOn === "sample" ? 0 : CALLED,
    maxRead: maxRead,
    heads: maxRead < (slots.length + 1) * reg.WORD ? 1 : 0,
    every: seconds * 1e6,
  };
};
