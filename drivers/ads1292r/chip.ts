/**
 * ADS1292R: what can be set, and what the chip takes for it (TI SBAS502C; registers.ts). Device side, for boards that take
 * configurations; a board with a setup needs driver.ts alone.
 */
import { createChip } from "../chip.ts";
import { type Channel, type Chip, FLAG_TEST_SIGNAL, type Op, type Wiring } from "../driver.ts";
import { type Ads1292rSetup, createDriver, type Slot } from "./driver.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";
import { ECG, ELECTRODES, encode, OFF, RESPIRATION } from "./settings.ts";

export type { Ads1292rConfiguration } from "./registers.ts";

const DEFAULTS: r.Ads1292rConfiguration = {
  sampleRate: 125,
  channel1: RESPIRATION,
  channel2: ECG,
  gain1: 6,
  gain2: 6,
  input1: ELECTRODES,
  input2: ELECTRODES,
  reference: 242 / 100,
  leadOff: 6,
  leadOffThreshold: 95,
  leadOffMode: "dc",
  rightLegDrive: "channel2",
  chop: 16,
  respirationFrequency: 32,
  respirationPhase: 135,
  testSignal: 1,
  continuous: false,
};

/** MDC_ECG_ELEC_POTL: the driver does not know the lead. MDC_IMPED_TTHOR: provisional, see README.md. */
const MDC_ECG = 131328;
const MDC_RESPIRATION = 151780;

const describe = (c: r.Ads1292rConfiguration, place: number): Channel => {
  const chest = place === 0 && c.channel1 === RESPIRATION;
  const gain = place === 0 ? c.gain1 : c.gain2;
  const input = place === 0 ? c.input1 : c.input2;
  return {
    name: chest ? RESPIRATION : place === 0 ? "ecg1" : ECG,
    mdc: chest ? MDC_RESPIRATION : MDC_ECG,
    rate: c.sampleRate,
    waveform: true,
    bits: 24,
    offset: 0,
    // reference / (gain x (2^23 - 1)) V a step, 14 digits of it (table 10 of SBAS502B).
    mul: Math.round((c.reference * 1000000 * 1000000000000000) / (gain * 8388607)),
    exp10: -21,
    unit: "V",
    minimum: -8388608,
    maximum: 8388607,
    accuracy: "noise 8 uV peak to peak at 150 hz and gain 6 (SBAS502C p. 1)",
    processing: input === ELECTRODES ? 0 : 3,
  };
};

/** Checks a configuration. Throws Error. */
const setup = (c: r.Ads1292rConfiguration, wiring: Wiring): Ads1292rSetup => {
  if (wiring.interrupt !== true) {
    throw new Error(
      `${r.MODEL}: DRDY is not wired, and nothing else tells a new conversion from one that was read before; connect it ` +
        "and name its pin as interrupt",
    );
  }
  const limit = wiring.maxRead ?? 1024;
  if (limit < r.LONGEST) {
    throw new Error(`${r.MODEL}: maxRead is ${limit}, its registers take ${r.LONGEST} bytes; use another board`);
  }
  const registers = encode(c);
  const channels: Channel[] = [];
  const slots: Slot[] = [];
  for (let i = 0; i < 2; i++) {
    if ((i === 0 ? c.channel1 : c.channel2) === OFF) continue;
    const channel = describe(c, i);
    channels.push(channel);
    // LOFF_STAT 4:0 are the bits 11:7 of the two bytes.
    const leads = (registers[r.LOFF_SENS - 1] & (3 << (2 * i))) << 7;
    slots.push({ at: 3 + 3 * i, leads: leads, flags: channel.processing === 3 ? FLAG_TEST_SIGNAL : 0 });
  }
  const wired = wiring.pins ?? [];
  const reset = wired.indexOf("reset") >= 0;
  const pins: Op[] = wired.indexOf("start") >= 0 ? [{ pin: "start", level: 0 }] : [];
  const kept = [registers[0], registers[1] & r.VREF_4V, registers[3], registers[4]];
  return {
    target: {
      model: r.MODEL,
      bus: "spi",
      maxHz: r.MAX_HZ,
      spiMode: 1,
      dataReady: "falling",
      // Edges call for polls. This is the net under a chip that has gone quiet: START takes 4 periods.
      pollEvery: Math.ceil(5000 / c.sampleRate),
    },
    channels: channels,
    // Two: what waits at the close, and the conversion that STOP lets end.
    capacities: channels.map(() => 2),
    registers: registers,
    record: `${c.channel1} ${c.continuous} ${kept.join(" ")}`,
    continuous: c.continuous,
    respiration: c.channel1 === RESPIRATION,
    pins: reset ? pins.concat([{ pin: "reset", level: 0 }]) : pins,
    reset: reset,
    period: 1000000 / c.sampleRate,
    slots: slots,
  };
};

export const chip: Chip<r.Ads1292rConfiguration> = createChip({
  chip: {
    model: r.MODEL,
    bus: "spi",
    addresses: [],
    defaults: DEFAULTS,
    needsInterrupt: true,
    pins: ["reset", "start"],
  },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
