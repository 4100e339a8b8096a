/**
 * Synthetic ECG: McSharry, Clifford, Tarassenko, Smith, "A dynamical model for generating synthetic electrocardiogram
 * signals", IEEE Trans. Biomed. Eng. 50(3):289-294, 2003. Equations (1) and (2):
 *
 *   x' = alpha x - omega y      alpha = 1 - sqrt(x^2 + y^2), omega = 2 pi / RR
 *   y' = alpha y + omega x
 *   z' = - sum a_i d_i exp(-d_i^2 / (2 b_i^2)) - (z - z0(t))      d_i = theta - theta_i, theta = atan2(y, x)
 *   z0 = A sin(2 pi f2 t)
 *
 * In polar coordinates the first two read r' = r (1 - r), theta' = omega. The trajectory starts on the limit cycle r = 1 and
 * so stays there, and omega is constant from one R (theta = 0) to the next: the angle is exact without a solver, and z alone
 * is integrated, by the paper's fourth-order Runge-Kutta at a fixed step.
 */
import { exp, gaussian } from "./arithmetic.ts";
import type { Random } from "./random.ts";
import { createRhythm, inOrder, type Rhythm, within } from "./rhythm.ts";

/** Table I of the paper. */
const waves = [
  { name: "P", angle: -Math.PI / 3, a: 1.2, b: 0.25 },
  { name: "Q", angle: -Math.PI / 12, a: -5, b: 0.1 },
  { name: "R", angle: 0, a: 30, b: 0.1 },
  { name: "S", angle: Math.PI / 12, a: -7.5, b: 0.1 },
  { name: "T", angle: Math.PI / 2, a: 0.75, b: 0.4 },
] as const;

/** Internal steps a second. */
const STEP_RATE = 512;
/** Steps kept: 4 s, more than readers may look back. A power of two. */
const KEPT = 2048;
const BEATS_KEPT = 64;
/** Between T and P, where the ECG is called isoelectric: as a part of the beat. */
const ISOELECTRIC = 0.62;

export interface EcgOptions {
  /** Mean, beats/min, 20..250. */
  readonly heartRate: number;
  /** Standard deviation of the heart rate, beats/min; 1 where absent. */
  readonly sdRate?: number;
  /** Breaths/min; 15 where absent. */
  readonly respirationRate?: number;
  /** R peak above the isoelectric line at the mean heart rate, mV, 0.01..20. */
  readonly amplitude: number;
  /** A of equation (2), mV, 0..10; 0.15 where absent, as the paper. About half of it is seen: z follows z0 with a time constant of 1 s. */
  readonly baseline?: number;
  readonly random: Random;
}

export interface Ecg {
  /**
   * mV at a time, s from 0 on. Times may come in any steps, but not more than 3 s before the latest one asked for, nor more
   * than a day after it (what lies between is integrated): RangeError. What else was asked makes no difference to a value.
   */
  at(time: number): number;
  /** The last 64 R times up to the latest time asked for, s, oldest first. */
  readonly beats: readonly number[];
  /** The beats themselves, for whatever else hangs on this heart; `rhythm.between` has them all. */
  readonly rhythm: Rhythm;
}

/** Throws RangeError that names the option outside its range. */
export function createEcg(options: EcgOptions): Ecg {
  const { heartRate, amplitude, baseline = 0.15, random } = options;
  within("amplitude", amplitude, 0.01, 20, "mV");
  within("baseline", baseline, 0, 10, "mV");
  const rhythm = createRhythm({ ...options, random: random.fork("rhythm") });
  const force = forcing(heartRate);
  const { start, isoelectric, peak } = steady(force, 60 / heartRate);
  const scale = amplitude / (peak - isoelectric);
  const wander = baseline / scale;

  const next = rhythm.walk();
  let from = next();
  let to = next();
  const beats: number[] = [];
  /** Right side of z' + z at a time; the times come in order. */
  const drive = (time: number) => {
    while (time >= to) {
      from = to;
      to = next();
      if (from < 0) continue;
      beats.push(from);
      if (beats.length > BEATS_KEPT) beats.shift();
    }
    return force((time - from) / (to - from)) + wander * rhythm.respiration(time);
  };

  const values = new Float64Array(KEPT);
  const slopes = new Float64Array(KEPT);
  const h = 1 / STEP_RATE;
  let index = Math.ceil(from * STEP_RATE); // step number of z; the walk's first beats are before 0, so what it starts from is forgotten by 0
  let z = start;
  let driven = drive(index * h);
  const store = () => {
    values[index & (KEPT - 1)] = z;
    slopes[index & (KEPT - 1)] = driven - z;
  };
  store();
  let latest = 0;
  const step = () => {
    const middle = drive((index + 0.5) * h);
    const end = drive((index + 1) * h);
    z = rungeKutta(z, h, driven, middle, end);
    driven = end;
    index++;
    store();
  };

  return {
    rhythm,
    beats,
    at(time) {
      latest = inOrder("ecg", time, latest);
      const position = time * STEP_RATE;
      const base = Math.floor(position);
      while (index <= base) step();
      const left = base & (KEPT - 1);
      const right = (base + 1) & (KEPT - 1);
      const raw = hermite(position - base, values[left]!, slopes[left]! * h, values[right]!, slopes[right]! * h);
      return (raw - isoelectric) * scale;
    },
  };
}

/**
 * - sum a_i d_i exp(-d_i^2 / (2 b_i^2)) over the phase (0: R, 1: the next R) at a mean heart rate, beats/min. Widths go with
 * the square root of the rate (Bazett), the angles of Q and S too, those of P and T with its fourth root: the refinement of
 * the authors' published program, so that QRS and QT keep their durations. At 60 beats/min it is Table I.
 */
function forcing(heartRate: number): (phase: number) => number {
  const root = Math.sqrt(heartRate / 60);
  const stretch = [Math.sqrt(root), root, 1, root, Math.sqrt(root)];
  const angles = Float64Array.from(waves, (wave, i) => wave.angle * stretch[i]!);
  const heights = Float64Array.from(waves, (wave) => wave.a);
  const widths = Float64Array.from(waves, (wave) => wave.b * root);
  return (phase) => {
    let sum = 0;
    for (let i = 0; i < 5; i++) {
      let d = 2 * Math.PI * phase - angles[i]!;
      if (d > Math.PI) d -= 2 * Math.PI;
      sum -= heights[i]! * d * gaussian(d / widths[i]!);
    }
    return sum;
  };
}

/** The limit cycle at a constant RR, s, without wander: z at R, at the isoelectric angle, and at the top of the R wave. */
function steady(force: (phase: number) => number, interval: number) {
  const steps = 512;
  const h = interval / steps;
  const beat = (begin: number): Float64Array => {
    const z = Float64Array.of(begin, ...new Float64Array(steps));
    for (let i = 0; i < steps; i++) {
      z[i + 1] = rungeKutta(z[i]!, h, force(i / steps), force((i + 0.5) / steps), force((i + 1) / steps));
    }
    return z;
  };
  // a beat takes z to gain + z exp(-RR), and the limit cycle is where that is z again
  const gain = beat(0)[steps]!;
  const cycle = beat(gain / (1 - exp(-interval)));
  // the top of the parabola through R and its neighbours
  const [before, top, after] = [cycle[steps - 1]!, cycle[steps]!, cycle[1]!];
  const peak = top + ((after - before) * (after - before)) / (8 * (2 * top - before - after));
  return { start: top, isoelectric: cycle[Math.round(steps * ISOELECTRIC)]!, peak };
}

/** One step of z' = drive - z, the drive given at its begin, middle and end. */
function rungeKutta(z: number, h: number, begin: number, middle: number, end: number): number {
  const k1 = begin - z;
  const k2 = middle - (z + (h / 2) * k1);
  const k3 = middle - (z + (h / 2) * k2);
  const k4 = end - (z + h * k3);
  return z + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4);
}

/** Between two steps, by their values and slopes (per step): the solution's own order, where a straight line cuts R by 0.3 %. */
function hermite(u: number, left: number, leftSlope: number, right: number, rightSlope: number): number {
  const rise = right - left;
  return left + u * (leftSlope + u * (3 * rise - 2 * leftSlope - rightSlope + u * (leftSlope + rightSlope - 2 * rise)));
}
