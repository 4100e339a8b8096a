/** Synthetic thermometers on synthetic skins: what a chip reads, and what it would read at rest. */
import { exp } from "../arithmetic.ts";
import type { Random } from "../random.ts";
import { createSkin, siteTemperatures } from "../skin.ts";

/** What a chip makes of its own temperature; its range as its driver declares it, Cel. */
export interface TemperatureChip {
  readonly name: string;
  /** hz */
  readonly rate: number;
  /** One step of its code, and standard deviation of a reading, K: data sheets, as in the chips' READMEs. */
  readonly step: number;
  readonly noise: number;
  readonly minimum: number;
  readonly maximum: number;
}

const TMP117 = { step: 0.0078125, minimum: -55, maximum: 150 };
const MAX30205 = { step: 0.00390625, noise: 0.009, minimum: -10, maximum: 50 };
const MLX90614 = { step: 0.02, minimum: -70.01, maximum: 382.19 };

export const chips: readonly TemperatureChip[] = [
  { ...TMP117, name: "TMP117, 8 averages", rate: 1, noise: TMP117.step / Math.sqrt(8) },
  { ...TMP117, name: "TMP117, 64 averages", rate: 0.1, noise: TMP117.step / 8 },
  { ...TMP117, name: "TMP117, 1 average", rate: 16, noise: TMP117.step },
  { ...MAX30205, name: "MAX30205", rate: 1 },
  { ...MAX30205, name: "MAX30205", rate: 10 },
  { ...MLX90614, name: "MLX90614 BAA", rate: 5, noise: 0.05 },
  { ...MLX90614, name: "MLX90614 BCC", rate: 5, noise: 0.18 },
];

/** What happens to a sensor. Times in s from the first reading. */
export interface Story {
  readonly name: string;
  readonly seconds: number;
  /** On the body from, and until. */
  readonly contacts: readonly (readonly [number, number])[];
  /** K that the body is warmer than at the beginning. */
  readonly fever?: (time: number) => number;
  /** Share of readings that are wrong by 0.5 to 40 K, one at a time. */
  readonly spikes?: number;
  /** Part of the way that it goes with a time constant SLOWER times as long: skin warms up under what covers it. */
  readonly slow?: number;
  /** Stuck at the end of the chip's range from, and until. */
  readonly stuck?: readonly [number, number];
}

const CONTACT = 20;
const END = 3600;

export const stories: readonly Story[] = [
  { name: "put on", seconds: END, contacts: [[CONTACT, END]] },
  {
    name: "fever of 1.5 K in an hour",
    seconds: 2 * END,
    contacts: [[CONTACT, 2 * END]],
    fever: (time) => 1.5 * Math.min(Math.max((time - END / 2) / END, 0), 1),
  },
  {
    name: "taken off for 5 min, and for good",
    seconds: END,
    contacts: [
      [CONTACT, 1500],
      [1800, 3000],
    ],
  },
  { name: "put on after an hour in the room", seconds: 2 * END, contacts: [[END, 2 * END]] },
  { name: "put on, a fifth of it four times slower", seconds: 2 * END, contacts: [[CONTACT, 2 * END]], slow: 0.2 },
  { name: "spikes, and stuck for 20 s", seconds: END, contacts: [[CONTACT, END]], spikes: 0.01, stuck: [1800, 1820] },
];

export interface Reading {
  /** s */
  readonly time: number;
  /** Cel */
  readonly reading: number;
  /** Cel: where the sensor would come to rest now; null: it is not on the body. */
  readonly truth: number | null;
  /** When it was put on, s; null: it is not on. */
  readonly contact: number | null;
}

/** How much slower the slow part is. */
const SLOWER = 4;
/** Time constant of a sensor in still air, s. */
const AIR = 90;
const ROOM = 23;

/** The readings of a chip on one skin. `timeConstant`: of the sensor on the skin, s. */
export function* warm(chip: TemperatureChip, story: Story, timeConstant: number, random: Random): Generator<Reading> {
  const { rate, step, noise } = chip;
  const sites = Object.values(siteTemperatures);
  const equilibrium =
    sites[Math.floor(random.fork("site").uniform() * sites.length)]! + random.fork("body").uniform() - 0.5;
  // the skin itself, without a sensor's lag
  const skin = createSkin({ equilibrium, timeConstant: 0.1, ambient: equilibrium, random: random.fork("skin") });
  const noises = random.fork("noise");
  const faults = random.fork("faults");
  const onSkin = 1 - exp(-1 / (rate * timeConstant));
  const inAir = 1 - exp(-1 / (rate * AIR));
  const slowly = 1 - exp(-1 / (rate * timeConstant * SLOWER));
  const slow = story.slow ?? 0;
  let quickPart = ROOM;
  let slowPart = ROOM;
  let spiked = false;
  for (let index = 0; index < story.seconds * rate; index++) {
    const time = index / rate;
    const contact = story.contacts.find(([from, to]) => time >= from && time < to)?.[0] ?? null;
    const truth = contact === null ? null : skin(time) + (story.fever?.(time) ?? 0);
    quickPart += ((truth ?? ROOM) - quickPart) * (truth === null ? inAir : onSkin);
    slowPart += ((truth ?? ROOM) - slowPart) * (truth === null ? inAir : slowly);
    let reading = (1 - slow) * quickPart + slow * slowPart + noise * noises.normal();
    spiked = !spiked && faults.uniform() < (story.spikes ?? 0);
    if (spiked) reading += (faults.uniform() < 0.5 ? -1 : 1) * (0.5 + 39.5 * faults.uniform());
    if (story.stuck !== undefined && time >= story.stuck[0] && time < story.stuck[1]) reading = chip.maximum;
    const code = Math.round(Math.min(Math.max(reading, chip.minimum), chip.maximum) / step) * step;
    yield { time, reading: Math.min(Math.max(code, chip.minimum), chip.maximum), truth, contact };
  }
}
