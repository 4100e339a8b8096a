/**
 * What disturbs the light of a pulse oximeter, as pure functions of time, and the truth about it. In the order in which they
 * act on DC (1 + wander) (1 - pulse), the light of ppg.ts in nA of photocurrent per mA of LED current:
 *
 *   perfusion     the pulse becomes `factor` times as high, within 1 s
 *   motion        light (1 + g), g: noise in a band about the pulse's. What red and infrared share of it has an R of 1
 *   probe shift   light times a factor of its own for each LED, at once: the sensor has slipped
 *   finger off    the light of no finger instead, within 0.1 s, and back within 0.1 s
 *   ambient       light of no LED is added to both alike: constant, slow drift, and flicker at twice the mains frequency,
 *                 which a sampled signal shows at a frequency of its own
 *   clipping      so much more light on both (a window, a lamp) that the converter comes to its end
 */
import { sine } from "./arithmetic.ts";
import type { Random } from "./random.ts";
import { createWander, within } from "./rhythm.ts";

interface Span {
  /** From when on and until when it acts, s, 0 <= from < to. Before and after it the light is as it was. */
  readonly from: number;
  readonly to: number;
}

export interface Motion extends Span {
  readonly kind: "motion";
  /** A sine of the same power would be so many times as high, peak to peak, as the infrared pulse; 0..1000. */
  readonly amplitude: number;
  /** Lowest and highest frequency, hz, 0.1..20; 0.5 and 4 where absent. */
  readonly band?: readonly [number, number];
  /** Part of it that each LED has for itself, 0..1; 0 where absent: both the same. The power stays the same. */
  readonly difference?: number;
}

export interface Ambient extends Span {
  readonly kind: "ambient";
  /** What the chip's own subtraction leaves, nA per mA of LED current, 0 where absent: constant; standard deviation of a drift
   * of 0.02 to 0.1 hz; amplitude of the flicker. */
  readonly constant?: number;
  readonly drift?: number;
  readonly flicker?: number;
  /** Mains frequency, hz, 45..65; 50 where absent. */
  readonly mains?: number;
}

export interface Clipping extends Span {
  readonly kind: "clipping";
  /** Added, nA per mA, 0..1e5. */
  readonly light: number;
}

export interface FingerOff extends Span {
  readonly kind: "finger off";
}

export interface Perfusion extends Span {
  readonly kind: "perfusion";
  /** 0..100; 0: no pulse. */
  readonly factor: number;
}

export interface ProbeShift extends Span {
  readonly kind: "probe shift";
  /** Light after it over light before it, 0..10. */
  readonly red: number;
  readonly infrared: number;
}

export type LightArtefact = Motion | Ambient | Clipping | FingerOff | Perfusion | ProbeShift;

export interface LightArtefacts {
  /** By `from`: what disturbs the light, and when. */
  readonly truth: readonly LightArtefact[];
  /** Those of `truth` that act at a time, s; edges count. */
  at(time: number): LightArtefact[];
  /** Height of the pulse over what it would be, at a time, s. */
  pulse(time: number): number;
  /** What is seen of a light that would be `light`, nA per mA, at a time, s. */
  red(time: number, light: number): number;
  infrared(time: number, light: number): number;
}

export interface LightArtefactOptions {
  /** Percent, of the undisturbed infrared pulse: what a motion's amplitude counts in. */
  readonly perfusionIndex: number;
  /** Light without a finger, nA per mA. */
  readonly open: number;
  readonly random: Random;
}

/** How long a change takes, s. */
const PERFUSION_EDGE = 1;
const MOTION_EDGE = 0.25;
const FINGER_EDGE = 0.1;
/** Sinusoids of a motion. */
const COUNT = 24;

type Light = (time: number, light: number) => number;
interface Part {
  readonly pulse?: (time: number) => number;
  readonly red?: Light;
  readonly infrared?: Light;
}

/** Of the kinds above in the order in which they act. */
const ORDER = ["perfusion", "motion", "probe shift", "finger off", "ambient", "clipping"] as const;

/**
 * Artefacts of one finger. Those of one kind may overlap; each draws from a stream of its own, set by its kind and its place
 * among its kind. Throws RangeError that names the value outside its range.
 */
export function createLightArtefacts(list: readonly LightArtefact[], options: LightArtefactOptions): LightArtefacts {
  const truth = [...list].sort((a, b) => a.from - b.from);
  const parts: Part[] = [];
  for (const kind of ORDER) {
    for (const [place, artefact] of truth.filter((one) => one.kind === kind).entries()) {
      within(`${kind} from`, artefact.from, 0, Number.MAX_VALUE, "s");
      if (!(artefact.to > artefact.from))
        throw new RangeError(`${kind} from ${artefact.from} s to ${artefact.to} s: it must end after it begins`);
      parts.push(partOf(artefact, { ...options, random: options.random.fork(`${kind} ${place}`) }));
    }
  }
  const pulses = parts.flatMap(({ pulse }) => pulse ?? []);
  const reds = parts.flatMap(({ red }) => red ?? []);
  const infrareds = parts.flatMap(({ infrared }) => infrared ?? []);
  const through =
    (lights: readonly Light[]): Light =>
    (time, light) => {
      let seen = light;
      for (const change of lights) seen = change(time, seen);
      return seen;
    };
  return {
    truth,
    at: (time) => truth.filter(({ from, to }) => time >= from && time < to),
    pulse(time) {
      let factor = 1;
      for (const change of pulses) factor *= change(time);
      return factor;
    },
    red: through(reds),
    infrared: through(infrareds),
  };
}

function partOf(artefact: LightArtefact, options: LightArtefactOptions): Part {
  switch (artefact.kind) {
    case "perfusion": {
      const { factor } = artefact;
      within("perfusion factor", factor, 0, 100, "");
      return { pulse: (time) => 1 + (factor - 1) * weight(artefact, time, PERFUSION_EDGE) };
    }
    case "motion":
      return motion(artefact, options);
    case "probe shift": {
      const { red, infrared } = artefact;
      within("probe shift red", red, 0, 10, "");
      within("probe shift infrared", infrared, 0, 10, "");
      const shift = (factor: number) => scaled((time) => (acts(artefact, time) ? factor : 1));
      return { red: shift(red), infrared: shift(infrared) };
    }
    case "finger off": {
      const lift: Light = (time, light) => {
        const away = weight(artefact, time, FINGER_EDGE);
        return light * (1 - away) + options.open * away;
      };
      return { red: lift, infrared: lift };
    }
    case "ambient":
      return both(ambient(artefact, options.random));
    case "clipping": {
      const { light } = artefact;
      within("clipping light", light, 0, 1e5, "nA/mA");
      return both((time) => (acts(artefact, time) ? light : 0));
    }
  }
}

const acts = ({ from, to }: Span, time: number) => time >= from && time < to;

/** 0 outside, 1 inside, half a cosine of `edge` s within it at both ends (less where it is too short for them). */
function weight({ from, to }: Span, time: number, edge: number): number {
  const inside = Math.min(time - from, to - time);
  if (!(inside > 0)) return 0;
  const rise = Math.min(edge, (to - from) / 2);
  return inside >= rise ? 1 : (1 - sine(0.25 + inside / (2 * rise))) / 2;
}

const scaled =
  (factor: (time: number) => number): Light =>
  (time, light) =>
    light * factor(time);

/** Added to both lights alike. */
function both(added: (time: number) => number): Part {
  const add: Light = (time, light) => light + added(time);
  return { red: add, infrared: add };
}

function motion(artefact: Motion, { perfusionIndex, random }: LightArtefactOptions): Part {
  const { amplitude, band = [0.5, 4], difference = 0 } = artefact;
  within("motion amplitude", amplitude, 0, 1000, "times the pulse");
  within("motion band", band[0], 0.1, 20, "hz");
  within("motion band", band[1], band[0], 20, "hz");
  within("motion difference", difference, 0, 1, "");
  // a sine of peak to peak 1 has a standard deviation of 1 / sqrt(8)
  const sd = (amplitude * perfusionIndex) / 100 / Math.sqrt(8);
  const shared = noise(band, sd * Math.sqrt(1 - difference * difference), random.fork("shared"));
  const side = (label: string): Light => {
    const own = noise(band, sd * difference, random.fork(label));
    return (time, light) => {
      const share = weight(artefact, time, MOTION_EDGE);
      return share === 0 ? light : light * (1 + share * (shared(time) + own(time)));
    };
  };
  return { red: side("red"), infrared: side("infrared") };
}

/**
 * Sinusoids spread over a band, one in each of its equal parts. Standard deviation over long times `sd`. Both lights ask it at
 * the same times: the last value is kept.
 */
function noise([low, high]: readonly [number, number], sd: number, random: Random): (time: number) => number {
  if (sd === 0) return () => 0;
  const frequencies = Float64Array.from(
    { length: COUNT },
    (_, k) => low + ((high - low) * (k + random.uniform())) / COUNT,
  );
  const phases = Float64Array.from({ length: COUNT }, () => random.uniform());
  const amplitude = sd * Math.sqrt(2 / COUNT);
  let known = Number.NaN;
  let sum = 0;
  return (time) => {
    if (time !== known) {
      sum = 0;
      for (let k = 0; k < COUNT; k++) sum += sine(phases[k]! + time * frequencies[k]!);
      known = time;
    }
    return amplitude * sum;
  };
}

function ambient(artefact: Ambient, random: Random): (time: number) => number {
  const { constant = 0, drift = 0, flicker = 0, mains = 50 } = artefact;
  within("ambient constant", constant, 0, 1e5, "nA/mA");
  within("ambient drift", drift, 0, 1e5, "nA/mA");
  within("ambient flicker", flicker, 0, 1e5, "nA/mA");
  within("ambient mains", mains, 45, 65, "hz");
  const slow = createWander({ frequency: 0.06, spread: 0.02, sd: drift, random: random.fork("drift") });
  const phase = random.fork("flicker").uniform();
  return (time) =>
    acts(artefact, time) ? constant + slow(time) + flicker * sine(phase + ((2 * time * mains) % 1)) : 0;
}

export interface MotionBurstOptions {
  /** Bursts lie in from..to, s. */
  readonly from: number;
  readonly to: number;
  /** Shortest and longest burst, and pause before each, s; 3 and 8, 8 and 16 where absent. */
  readonly lasting?: readonly [number, number];
  readonly pause?: readonly [number, number];
  /** Least and greatest amplitude, times the pulse; 1 and 5 where absent. */
  readonly amplitude?: readonly [number, number];
  readonly band?: readonly [number, number];
  readonly difference?: number;
  readonly random: Random;
}

/** Motion again and again: pauses, lengths and amplitudes drawn evenly from their ranges. The last one may be cut at `to`. */
export function drawMotionBursts(options: MotionBurstOptions): Motion[] {
  const { lasting = [3, 8], pause = [8, 16], amplitude = [1, 5], random } = options;
  const draw = ([least, most]: readonly [number, number]) => least + (most - least) * random.uniform();
  const about = {
    ...(options.band && { band: options.band }),
    ...(options.difference !== undefined && { difference: options.difference }),
  };
  if (!(pause[0] + lasting[0] > 0)) throw new RangeError("motion bursts: pause and lasting are 0; give one of them");
  const bursts: Motion[] = [];
  for (let from = options.from + draw(pause); from < options.to; ) {
    const end = from + draw(lasting);
    bursts.push({ kind: "motion", from, to: Math.min(end, options.to), amplitude: draw(amplitude), ...about });
    from = end + draw(pause);
  }
  return bursts;
}
