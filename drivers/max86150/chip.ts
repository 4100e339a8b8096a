/**
 * MAX86150: what can be set, and what the chip takes for it. Device side, for boards that take configurations; a board with
 * a setup needs driver.ts alone.
 */
import { choose, createChip } from "../chip.ts";
import { type Channel, type Chip, hexByte, type Wiring } from "../driver.ts";
import { createDriver, type Max86150Setup } from "./driver.ts";
import * as reg from "./registers.ts";
import { selfTest } from "./selftest.ts";

export type { Max86150Channel, Max86150Configuration } from "./registers.ts";

const defaults: reg.Max86150Configuration = {
  channels: ["red", "infrared", "ecg"],
  sampleRate: 200,
  averaging: 1,
  pulseWidth: 400,
  adcRange: 16384,
  ledCurrent: { red: 10, infrared: 10 },
  gain: 76,
  tuning: true,
};

/** MDC_PULS_OXIM_PLETH and MDC_ECG_ELEC_POTL (ISO/IEEE 11073-10101). */
const PLETH = 150452;
const ECG = 131328;
/** Samples between two polls where the interrupt at 17 calls first. */
const POLL_AFTER_INTERRUPT = 24;

/** The channels in the order in which they stand in the FIFO, and how FIFO Data Control names them. */
const NAMES: readonly reg.Max86150Channel[] = ["infrared", "red", "ecg"];
const ELEMENTS = [reg.FD_LED1, reg.FD_LED2, reg.FD_ECG];

const LIGHT = {
  mdc: PLETH,
  bits: 19,
  mul: 1,
  exp10: 0,
  unit: "1",
  minimum: 0,
  maximum: reg.PPG_TOP,
  accuracy: "no figure seen",
};
/** `gain`: V/V. */
const potential = (gain: number): typeof LIGHT => ({
  mdc: ECG,
  bits: 18,
  // 12.247 uV / gain, to 16 digits.
  mul: Math.round((reg.ECG_STEP * 1e12) / gain),
  exp10: -21,
  unit: "V",
  minimum: ~reg.ECG_TOP,
  maximum: reg.ECG_TOP,
  accuracy: "no figure seen; trimmed at gain 76 only",
});

/** LEDn_PA, and LEDn_RGE above it. */
const amplitude = (led: string, current: number): number => {
  const range = current > 51 ? 1 : 0;
  const exact = (current * 5) / (range + 1);
  const steps = Math.round(exact);
  if (!(steps >= 0 && steps <= 255 && Math.abs(exact - steps) < 1 / 1024)) {
    throw new Error(`${reg.MODEL}: ledCurrent.${led} ${current} mA: choose 0 to 51 by 0.2, or to 102 by 0.4`);
  }
  return (range << 8) | steps;
};

/** Throws Error: which two settings fight, and what to choose. */
const fight = (one: string, other: string, advice: string): void => {
  throw new Error(`${reg.MODEL}: ${one} and ${other} do not go together: choose ${advice}`);
};

/** The registers as `Max86150Setup.groups`. Throws Error: which setting, or which two fight, the value, what to choose. */
const encode = (c: reg.Max86150Configuration): number[][] => {
  const elements = ELEMENTS.filter((_, i) => c.channels.indexOf(NAMES[i]) >= 0);
  const count = elements.length;
  if (count === 0 || count !== c.channels.length) {
    throw new Error(`${reg.MODEL}: channels ${c.channels.join(", ")}: choose some of ${NAMES.join(", ")}, each once`);
  }
  const averaging = choose(reg.MODEL, "averaging", c.averaging, reg.AVERAGES);
  const width = choose(reg.MODEL, "pulseWidth", c.pulseWidth, reg.WIDTHS);
  const range = choose(reg.MODEL, "adcRange", c.adcRange, reg.RANGES);
  const red = amplitude("red", c.ledCurrent.red);
  const infrared = amplitude("infrared", c.ledCurrent.infrared);
  const gain = reg.GAIN_CODES[choose(reg.MODEL, "gain", c.gain, reg.GAINS)];
  const rate = `sampleRate ${c.sampleRate} hz`;
  const ecg = elements[count - 1] === reg.FD_ECG;
  const leds = ecg ? count - 1 : count;
  if (ecg && reg.ECG_RATES.indexOf(c.sampleRate) < 0) fight(rate, "channel ecg", "200, 400, 800, 1600 or 3200 hz");
  if (ecg && averaging > 0) fight(`averaging ${c.averaging}`, "channel ecg", "averaging 1, or leave out ecg");
  if (leds > 0) {
    choose(reg.MODEL, "sampleRate", c.sampleRate, reg.PPG_RATES);
    const highest = reg.HIGHEST_RATES[leds * 4 - 4 + width];
    const pulse = `pulseWidth ${c.pulseWidth} us of ${leds} LED(s)`;
    if (c.sampleRate > highest) fight(rate, pulse, `at most ${highest} hz, or a shorter pulse`);
  }
  const one = elements[0] === reg.FD_LED1 ? infrared : 0;
  const two = elements.indexOf(reg.FD_LED2) >= 0 ? red : 0;
  return [
    [reg.FIFO_CONFIG, reg.FIFO_ROLLS_ON_FULL | reg.ALMOST_FULL, elements[0] | (elements[1] << 4), elements[2] | 0],
    [reg.PPG_CONFIG_1, (range << 6) | (Math.max(0, reg.PPG_RATES.indexOf(c.sampleRate)) << 2) | width, averaging],
    [reg.LED1_PA, one & 255, two & 255],
    [reg.LED_RANGE, (one >> 8) | ((two >> 8) << 2)],
    [reg.ECG_CONFIG_1, Math.max(0, reg.ECG_RATES.indexOf(c.sampleRate))],
    [reg.ECG_CONFIG_3, gain],
    // Also where the line is not wired: A_FULL tells full from empty, and the loss of the enables shows a reset.
    [reg.INT_ENABLE_1, reg.A_FULL, reg.VDD_OOR, 0, 0, 0],
  ];
};

/** Checks a configuration. Throws Error. */
const setup = (c: reg.Max86150Configuration, wiring: Wiring): Max86150Setup => {
  const groups = encode(c);
  const names = NAMES.filter((name) => c.channels.indexOf(name) >= 0);
  const ecg = names.indexOf("ecg");
  const period = (c.averaging * 1e6) / c.sampleRate;
  const address = wiring.address ?? reg.ADDRESS;
  const wired = wiring.interrupt === true;
  const maxRead = wiring.maxRead ?? 1024;
  // A sample, or the status and the pointers.
  const least = Math.max(names.length * reg.WORD, 7);
  if (maxRead < least) {
    const advice = `a bus that reads ${least} at once, or fewer channels`;
    fight(`channels ${names.join(", ")}`, `maxRead ${maxRead} bytes`, advice);
  }
  const channel = (name: reg.Max86150Channel): Channel => {
    const common = { name, rate: 1e6 / period, waveform: true, offset: 0, role: name, processing: 0 as const };
    return Object.assign(common, name === "ecg" ? potential(c.gain) : LIGHT);
  };
  return {
    target: {
      model: reg.MODEL,
      bus: "i2c",
      address: address,
      maxHz: 400_000,
      dataReady: wired ? "falling" : null,
      pollEvery: ((wired ? POLL_AFTER_INTERRUPT : reg.POLL_AFTER) * period) / 1000,
    },
    channels: names.map(channel),
    capacities: names.map(() => reg.FIFO_DEPTH),
    where: `${reg.MODEL} at ${hexByte(address)}`,
    groups: groups,
    tuning: c.tuning && ecg >= 0 ? reg.TUNING : [],
    record: [names.join("+"), c.sampleRate, c.averaging, c.pulseWidth, c.adcRange, c.gain, c.tuning].join(" "),
    period: period,
    lag: (c.averaging - 1) / c.averaging / 2,
    piece: Math.floor(maxRead / (names.length * reg.WORD)),
    ecg: ecg,
  };
};

/** The MAX86150. */
export const chip: Chip<reg.Max86150Configuration> = createChip({
  chip: { model: reg.MODEL, bus: "i2c", addresses: [reg.ADDRESS], defaults: defaults },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
