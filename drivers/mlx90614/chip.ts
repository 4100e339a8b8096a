/**
 * MLX90614: what can be set, and what its driver takes for it. Pages are those of 3901090614, Rev 13 (registers.ts). Device
 * side, for boards that take configurations; a board with a setup needs driver.ts alone.
 */
import { createChip } from "../chip.ts";
import { type Channel, type Chip, hex, type Wiring } from "../driver.ts";
import { createDriver } from "./driver.ts";
import type { Mlx90614Setup, Temperature, Word } from "./opening.ts";
import * as r from "./registers.ts";
import { selfTest } from "./selftest.ts";

export type { Mlx90614Configuration } from "./registers.ts";

const DEFAULTS: r.Mlx90614Configuration = { sampleRate: 5, zones: 1, emissivity: null, sleep: false, flags: false };

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

/** Throws Error where a setting is none, or two fight. */
const check = (c: r.Mlx90614Configuration): void => {
  if (c.zones !== 1 && c.zones !== 2) throw new Error(`${r.MODEL}: zones is ${c.zones}; choose 1 or 2`);
  if (!(c.sampleRate >= 1 / 60 && c.sampleRate <= 22)) {
    throw new Error(`${r.MODEL}: sampleRate is ${c.sampleRate}; choose 1/60 to 22 hz`);
  }
  if (c.zones === 2 && c.sampleRate > 14) {
    const fastest = "a dual-zone chip makes a new result every 66 ms at best";
    throw new Error(
      `${r.MODEL}: zones 2 and sampleRate ${c.sampleRate} fight: ${fastest}; choose 14 hz or less, or zones 1`,
    );
  }
  if (c.emissivity !== null && !(c.emissivity >= 1 / 10 && c.emissivity <= 1)) {
    throw new Error(`${r.MODEL}: emissivity is ${c.emissivity}; choose 0.1 to 1, or null to leave it as it is`);
  }
};

/** Checks a configuration. Throws Error. */
const setup = (c: r.Mlx90614Configuration, wiring: Wiring): Mlx90614Setup => {
  const address = wiring.address ?? r.DEFAULT_ADDRESS;
  if (ADDRESSES.indexOf(address) < 0) {
    throw new Error(`${r.MODEL}: address is ${hex(address)}; choose 0x8 to 0x77, as its EEPROM says`);
  }
  check(c);
  const rate = c.sampleRate;
  const channels = [channelOf("object", rate, false), channelOf("ambient", rate, true)];
  if (c.zones === 2) channels.push(channelOf("object2", rate, false));
  const count = channels.length;
  const wordAt = (command: number): Word => ({ at: command, prefix: r.prefixOf(address, command) });
  const temperature = (command: number, place: number): Temperature => Object.assign(wordAt(command), { place: place });
  // The ambient temperature first: without it the others mean nothing.
  const temperatures = [temperature(r.TA, 1), temperature(r.TOBJ1, 0), temperature(r.TOBJ2, 2)];
  const code = r.emissivityCode(c.emissivity ?? 0);
  return {
    target: {
      model: r.MODEL,
      bus: "i2c",
      address: address,
      maxHz: 100000,
      dataReady: null,
      // A word takes 0.57 ms at 100 khz; the poll itself is a part of the period.
      pollEvery: Math.round(1000 / rate - (57 * count) / 100),
    },
    channels: channels,
    capacities: channels.map(() => 1),
    cells: r.CELLS.map(wordAt),
    temperatures: temperatures.slice(0, count),
    emissivity:
      c.emissivity === null
        ? null
        : {
            value: c.emissivity,
            code: code,
            erase: r.write(address, r.EMISSIVITY, 0),
            write: r.write(address, r.EMISSIVITY, code),
          },
    flags: c.flags ? wordAt(r.READ_FLAGS) : null,
    sleep: c.sleep,
    asleep: r.order(address, r.ENTER_SLEEP),
  };
};

export const chip: Chip<r.Mlx90614Configuration> = createChip({
  chip: { model: r.MODEL, bus: "i2c", addresses: ADDRESSES, defaults: DEFAULTS },
  setup: setup,
  createDriver: createDriver,
  selfTest: selfTest,
});
