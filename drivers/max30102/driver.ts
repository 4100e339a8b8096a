/**
 * MAX30102 pulse oximeter: red and infrared light through its 32-sample FIFO; and what the MAX30101 shares. Device side.
 * Data sheet 19-7740, Rev 1, 10/18; pages stand beside the registers, the decisions in README.md.
 */
import { type Chip, createFrame, type Driver, FLAG_LED_CHANGED, type Wiring } from "../driver.ts";
import { createSampling } from "./fifo.ts";
import * as reg from "./registers.ts";
import {
  CURRENTS,
  channelsOf,
  encode,
  hasTemperature,
  hex,
  isCrossed,
  LED3,
  longestRead,
  slotsOf,
} from "./settings.ts";
import { createThermometer } from "./thermometer.ts";

export type Max30102Configuration = reg.Max30102Configuration;

/** Samples between two polls: half a FIFO; past the interrupt at 17 where that calls first. */
const POLL_AFTER = 16;
const POLL_AFTER_INTERRUPT = 24;

/** Both chips. `leds`: those that the model has, LED1 first. */
export const createChip = <C extends reg.Configuration>(
  model: string,
  leds: readonly string[],
  defaults: C,
): Chip<C> => {
  const create = (partial: Partial<C>, wiring: Wiring): Driver<C> => {
    const configuration: C = Object.assign({}, defaults, partial);
    const registers = encode(model, leds, configuration);
    const slots = slotsOf(configuration);
    const averaging = configuration.averaging;
    const rate = configuration.sampleRate / averaging;
    const address = wiring.address ?? reg.ADDRESS;
    const where = `${model} at ${hex(address)}`;
    const wired = wiring.interrupt === true;
    const sampling = createSampling(
      where,
      registers,
      slots,
      isCrossed(configuration),
      rate,
      averaging,
      wired && configuration.interruptOn === "sample",
      longestRead(where, slots, wiring.maxRead),
      hasTemperature(configuration) ? createThermometer(where, configuration.dieTemperature, slots.length) : null,
    );

    const channels = channelsOf(configuration);

    return {
      model,
      bus: "i2c",
      address,
      maxHz: 400_000, // p5
      configuration,
      dataReady: wired ? "falling" : null,
      pollEvery: ((wired ? POLL_AFTER_INTERRUPT : POLL_AFTER) * 1000) / rate,
      channels: () => channels,
      createFrame: () => createFrame(channels.map((one) => (one.waveform ? reg.FIFO_DEPTH : 1))),
      open: sampling.open,
      poll: sampling.poll,
      reconfigure: (next) => {
        const wanted = encode(model, leds, next);
        let changed = false;
        for (let i = 0; i < wanted.length; i++) {
          if (wanted[i] === registers[i]) continue;
          if (i < CURRENTS || i > LED3) return null;
          changed = true;
        }
        if (!changed) return { ops: [] };
        const currents = wanted.slice(CURRENTS, CURRENTS + leds.length);
        return {
          ops: [{ write: [reg.LED1_PA].concat(currents) }],
          next: (outcome) => {
            sampling.flag(FLAG_LED_CHANGED);
            if (outcome.error !== null) return null;
            Object.assign(configuration, next);
            for (let i = 0; i < currents.length; i++) registers[CURRENTS + i] = currents[i];
            return null;
          },
        };
      },
      selfTest: sampling.selfTest,
      close: sampling.close,
    };
  };
  return { model, bus: "i2c", addresses: [reg.ADDRESS], defaults, create };
};

/** The MAX30102 (also MAX30101 and MAX30105 with their red and infrared LEDs). */
export const chip: Chip<Max30102Configuration> = /* @__PURE__ */ createChip("MAX30102", reg.LEDS.slice(0, 2), {
  sampleRate: 100,
  averaging: 1,
  pulseWidth: 411,
  adcRange: 8192,
  ledCurrent: { red: 31 / 5, infrared: 31 / 5 },
});
