/**
 * What goes wrong with one board of a soak: every kind of the catalogue that it can have, a few times an hour, for random times
 * and of random strengths, mostly one after the other. From the seed and the board's index alone.
 */
import { exp, log } from "../arithmetic.ts";
import { type FaultEntry, type FaultKind, type FaultPlan, planFaults } from "../faults.ts";
import { createRandom, type Random } from "../random.ts";

export interface SoakPlanOptions {
  readonly seed: number;
  /** Index of the board. */
  readonly board: number;
  /** How long the world lasts, s. */
  readonly seconds: number;
  /** Faults an hour. */
  readonly perHour: number;
  /** It talks over a serial line; else through a broker. */
  readonly serial: boolean;
}

/** The chips of every board of a soak, as faults name them. */
export const SOAK_CHIPS = ["max30102", "max30003", "tmp117"] as const;
export type SoakChip = (typeof SOAK_CHIPS)[number];

/** About 36 s from one to the next: each kind about three times an hour on each chip that can have it. */
export const PER_HOUR = 100;
/** Nothing before: sensors have been opened, s. Nothing lasts longer than so long before the end, s. */
const FIRST = 30;
const LAST = 40;
/** Share of faults that begin while another one lasts. */
const OVERLAPPING = 0.15;
/** Mean length of a fault, s: what is left of their distance is the pause. */
const MEAN = 9;

const LIGHT = ["max30102"] as const;
const HEART = ["max30003"] as const;
const I2C = ["max30102", "tmp117"] as const;
const NONE = [null] as const;

/** Kinds that change what is measured: two of one chip at a time have no truth that is worth anything. */
export const INPUTS: readonly FaultKind[] = [
  "swapped-leds",
  "lead-off",
  "saturation",
  "ambient-light",
  "stuck-value",
  "noise-burst",
  "motion",
  "finger-off",
];

const between = (random: Random, low: number, high: number) => low + (high - low) * random.uniform();
/** As likely within any factor of 2 as within any other. */
const scaled = (random: Random, low: number, high: number) => high * exp(random.uniform() * log(low / high));
const milli = (value: number) => Math.round(value * 1000) / 1000;
const either = <T>(random: Random, ...values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)];

/** s: most are short; one in ten lasts so long that a sensor is given up. */
function usual(random: Random): number {
  const share = random.uniform();
  if (share < 0.75) return between(random, 1, 8);
  return share < 0.9 ? between(random, 8, 20) : between(random, 20, 50);
}

/** RMS of a noise burst: about what hides the signal. */
const BURSTS: Readonly<Record<SoakChip, readonly [low: number, high: number]>> = {
  max30102: [5, 60],
  max30003: [0.0003, 0.003],
  tmp117: [0.5, 3],
};

type Own = Readonly<Record<string, number | string>>;
type Draw = (random: Random, chip: SoakChip | null) => Own;
interface Drawn {
  readonly kind: FaultKind;
  readonly chips: readonly (SoakChip | null)[];
  readonly draw: Draw;
  readonly lasts?: (random: Random) => number;
}

const briefly = (low: number, high: number) => (random: Random) => between(random, low, high);
const nothing: Draw = () => ({});

const kinds: readonly Drawn[] = [
  {
    kind: "nack",
    chips: I2C,
    draw: (random): Own => (random.uniform() < 0.7 ? {} : { share: milli(between(random, 0.1, 0.9)) }),
  },
  {
    kind: "stuck-sda",
    chips: I2C,
    draw: (random) => ({ clocks: either<number | string>(random, 1, 5, 9, 9, "never") }),
  },
  { kind: "slow-clock", chips: I2C, draw: (random) => ({ factor: Math.round(scaled(random, 2, 50)) }) },
  { kind: "wrong-id", chips: SOAK_CHIPS, draw: nothing },
  { kind: "swapped-leds", chips: LIGHT, draw: nothing, lasts: briefly(5, 40) },
  { kind: "fifo-overflow", chips: SOAK_CHIPS, draw: nothing, lasts: briefly(0.2, 5) },
  { kind: "host-stall", chips: NONE, draw: nothing, lasts: briefly(0.05, 2) },
  {
    kind: "brown-out",
    chips: SOAK_CHIPS,
    draw: nothing,
    lasts: (random) => either(random, 0, between(random, 0, 0.5)),
  },
  {
    kind: "lead-off",
    chips: HEART,
    draw: (random) => ({
      electrode: either(random, "both", "positive", "negative"),
      voltage: milli(between(random, 0.05, 0.3)),
    }),
  },
  {
    kind: "saturation",
    chips: ["max30102", "max30003"],
    draw: (random, chip): Own =>
      chip === "max30102"
        ? { light: Math.round(scaled(random, 10_000, 100_000)) }
        : { voltage: milli(either(random, -1, 1) * between(random, 0.06, 0.3)) },
  },
  {
    kind: "ambient-light",
    chips: LIGHT,
    draw: (random) => ({
      current: Math.round(between(random, 0, 150)),
      constant: Math.round(between(random, 10, 100)),
      drift: Math.round(between(random, 0, 40)),
      flicker: Math.round(between(random, 0, 60)),
      mains: either(random, 50, 60),
    }),
  },
  { kind: "stuck-value", chips: SOAK_CHIPS, draw: nothing },
  {
    kind: "noise-burst",
    chips: SOAK_CHIPS,
    draw(random, chip) {
      const [low, high] = BURSTS[chip!];
      return { amplitude: Math.round(scaled(random, low, high) * 1e5) / 1e5 };
    },
  },
  {
    kind: "motion",
    chips: LIGHT,
    draw: (random) => ({
      amplitude: milli(scaled(random, 0.5, 10)),
      difference: milli(between(random, 0.1, 0.6)),
    }),
  },
  { kind: "finger-off", chips: LIGHT, draw: nothing },
  { kind: "unplugged", chips: SOAK_CHIPS, draw: nothing },
  {
    kind: "flash-pause",
    chips: NONE,
    draw: (random) => ({ pause: Math.round(between(random, 20, 150)) }),
    lasts: briefly(0.5, 5),
  },
];
const serialKinds: readonly Drawn[] = [
  {
    kind: "serial-garbage",
    chips: NONE,
    draw: (random) => ({
      rate: Math.round(scaled(random, 20, 2000)),
      share: milli(between(random, 0.1, 0.9)),
    }),
    lasts: briefly(1, 10),
  },
];
const brokerKinds: readonly Drawn[] = [{ kind: "broker-gone", chips: NONE, draw: nothing, lasts: briefly(2, 45) }];

interface Placed {
  readonly kind: FaultKind;
  readonly chip: SoakChip | null;
  /** s. */
  readonly from: number;
  readonly to: number;
}

/** Both at once: each does what it does alone, and the truth about both is known. */
function mayMeet(one: Pick<Placed, "kind" | "chip">, other: Pick<Placed, "kind" | "chip">): boolean {
  if (one.kind === other.kind) return false;
  return one.chip !== other.chip || !INPUTS.includes(one.kind) || !INPUTS.includes(other.kind);
}

/** One kind after the other on one chip after the other in random order, all of them before any comes again. */
function createDeck(random: Random, all: readonly Drawn[]) {
  let deck: { drawn: Drawn; chip: SoakChip | null }[] = [];
  return (fits: (kind: FaultKind, chip: SoakChip | null) => boolean) => {
    for (;;) {
      const place = deck.findIndex(({ drawn, chip }) => fits(drawn.kind, chip));
      if (place >= 0) return deck.splice(place, 1)[0];
      const more = all.flatMap((drawn) => drawn.chips.map((chip) => ({ drawn, chip, key: random.uniform() })));
      deck = [...deck, ...more.sort((a, b) => a.key - b.key)];
    }
  };
}

/** Every third board's oximeter, ECG, thermometer has an oscillator that is off. */
const oscillatorOf = (random: Random, board: number): FaultEntry => ({
  kind: "oscillator",
  board,
  chip: SOAK_CHIPS[board % SOAK_CHIPS.length],
  percent: milli(between(random, -2, 2)),
});

/** Times in whole ms; in order of time. */
export function soakPlan({ seed, board, seconds, perHour, serial }: SoakPlanOptions): FaultPlan {
  const random = createRandom(`soak plan ${seed}`).fork(`board ${board}`);
  const next = createDeck(random.fork("deck"), [...kinds, ...(serial ? serialKinds : brokerKinds)]);
  const entries: FaultEntry[] = [oscillatorOf(random, board)];
  const pause = Math.max(2, 3600 / perHour - MEAN);
  let placed: Placed[] = [];
  let free = FIRST;
  for (;;) {
    const last = placed.at(-1);
    const at = milli(
      last !== undefined && random.uniform() < OVERLAPPING
        ? between(random, last.from, last.to)
        : free + between(random, 0.2, 1.8) * pause,
    );
    placed = placed.filter(({ to }) => to >= at);
    const { drawn, chip } = next((kind, on) => placed.every((one) => mayMeet(one, { kind, chip: on })));
    const lasts = milli((drawn.lasts ?? usual)(random));
    if (at + lasts > seconds - LAST) break;
    const own = drawn.draw(random, chip);
    entries.push({ kind: drawn.kind, board, at, for: lasts, ...(chip !== null && { chip }), ...own } as FaultEntry);
    placed.push({ kind: drawn.kind, chip, from: at, to: at + lasts });
    free = Math.max(free, at + lasts);
  }
  return planFaults(entries);
}
