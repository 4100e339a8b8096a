/** Skin temperature under a sensor: it warms from the room's to the body's with one time constant, then wanders slowly. */
import { exp } from "./arithmetic.ts";
import type { Random } from "./random.ts";
import { createWander, within } from "./rhythm.ts";

/** Typical equilibria of a covered sensor at rest in a room of 23 Cel, Cel: starting points chosen for simulation, not a reference. */
export const siteTemperatures = { axilla: 36.7, chest: 35, forehead: 34.8, finger: 33.5, wrist: 33 } as const;

export interface SkinOptions {
  /** Where the temperature settles, Cel, 20..45; see siteTemperatures. */
  readonly equilibrium: number;
  /** What the sensor has before contact, Cel, -20..60; 23 where absent. */
  readonly ambient?: number;
  /** s, 0.1..3600; 40 where absent. */
  readonly timeConstant?: number;
  /** When it is put on, s, from 0 on; 0 where absent. */
  readonly contact?: number;
  /** Standard deviation of the body's slow wander (periods of some minutes), Cel, 0..1; 0.02 where absent. */
  readonly wander?: number;
  readonly random: Random;
}

/** Cel at a time, s: a pure function. Throws RangeError that names the option outside its range. */
export function createSkin(options: SkinOptions): (time: number) => number {
  const { equilibrium, ambient = 23, timeConstant = 40, contact = 0, wander = 0.02, random } = options;
  within("equilibrium", equilibrium, 20, 45, "Cel");
  within("ambient", ambient, -20, 60, "Cel");
  within("timeConstant", timeConstant, 0.1, 3600, "s");
  within("contact", contact, 0, 1e9, "s");
  within("wander", wander, 0, 1, "Cel");
  const slow = createWander({ frequency: 0.004, spread: 0.0015, sd: wander, count: 6, random: random.fork("wander") });
  return (time) => {
    if (time <= contact) return ambient;
    const cold = exp((contact - time) / timeConstant);
    return ambient * cold + (equilibrium + slow(time)) * (1 - cold);
  };
}
