/**
 * Synthetic photoplethysmogram, red and infrared, as a MAX3010x sees it: light that comes back from a finger, which a pulse
 * of blood makes LESS. Each beat of a rhythm is three Gaussians: the systolic wave, its reflection and the dicrotic wave
 * (pulses as sums of Gaussians: Tang, Chen, Ward, Elgendi, Sci. Rep. 10:13799, 2020; the numbers here are chosen by eye).
 *
 *   infrared = DC_ir  (1 + wander) (1 - m)        m: the pulse, mean 0 and peak to peak PI / 100 at the mean heart rate
 *   red      = DC_red (1 + wander) (1 - R m)      so that (AC_red / DC_red) / (AC_ir / DC_ir) = R exactly
 *
 * What disturbs it, and when, is told by light-artefacts.ts.
 */
import type { Signal } from "../drivers/emulator.ts";
import { gaussian } from "./arithmetic.ts";
import { createLightArtefacts, type LightArtefact, type LightArtefacts } from "./light-artefacts.ts";
import type { Random } from "./random.ts";
import { createWander, inOrder, type Rhythm, within } from "./rhythm.ts";
import { ratioOf, referenceDesignCurve, type Spo2Curve, spo2Of } from "./spo2.ts";

/** Centres and widths, s, from the pulse's onset at RR 1 s; they go with the square root of RR. Heights relative. */
const waves = [
  { centre: 0.17, width: 0.06, height: 1 }, // systolic
  { centre: 0.27, width: 0.075, height: 0.4 }, // reflected
  { centre: 0.49, width: 0.13, height: 0.42 }, // dicrotic
] as const;

/** How long before its onset and after it a pulse at RR 1 s is not nothing, s. */
const LEADS = 0.3;
const LASTS = 1.3;
/** Pulses kept: those of LOOK_BACK and of the one that lasts longest, at 250 beats/min. A power of two. */
const KEPT = 64;
/** A rhythm keeps every RR within half and twice its mean: no stretch is above twice another. */
const SPREAD = 2;

export interface PpgOptions {
  readonly rhythm: Rhythm;
  /** Percent, 0..100, or percent over time, s. Beyond the curve's maximum (99.957 by default) it is that maximum. */
  readonly spo2: number | ((time: number) => number);
  /** AC over DC of infrared, peak to peak, percent, 0..20. */
  readonly perfusionIndex: number;
  /** The calibration that turns SpO2 into R; the reference design's where absent. */
  readonly curve?: Spo2Curve;
  /** From R to the onset of the pulse at the finger, s, 0..1; 0.2 where absent. */
  readonly transitTime?: number;
  /** Returned light without a pulse, nA of photocurrent per mA of LED current; 600 and 700 where absent. */
  readonly red?: number;
  readonly infrared?: number;
  /** What comes back without a finger, nA per mA; 2 where absent. */
  readonly open?: number;
  /** Breathing: on the pulse's height (part of it), on its arrival (s), on the light (part of DC); 0.08, 0.008, 0.002 where absent. */
  readonly respiration?: { readonly height: number; readonly arrival: number; readonly light: number };
  /** Standard deviation of the slow drift of the light, part of DC; 0.003 where absent. */
  readonly drift?: number;
  /** Motion, ambient light, probe shifts ...; none where absent. */
  readonly artefacts?: readonly LightArtefact[];
  readonly random: Random;
}

export interface Ppg {
  /** nA of photocurrent per mA of LED current. In order, as `Ecg.at`. */
  readonly red: Signal;
  readonly infrared: Signal;
  /** Whether there is a finger at a time, s. To be set; always, at first. */
  finger: (time: number) => boolean;
  /** SpO2 that the curve gives for `ratio`, percent. */
  spo2(time: number): number;
  /** R. */
  ratio(time: number): number;
  /** Percent, undisturbed. */
  readonly perfusionIndex: number;
  /** What disturbs the light, and when: `artefacts.truth`. */
  readonly artefacts: LightArtefacts;
  /** Onsets of the pulses in from <= t < to, s. Walks from the start: for tests and truth. */
  pulses(from: number, to: number): number[];
}

/** Throws RangeError that names the option outside its range. */
export function createPpg(options: PpgOptions): Ppg {
  const { rhythm, spo2, perfusionIndex, curve = referenceDesignCurve, transitTime = 0.2, random } = options;
  const { red = 600, infrared = 700, open = 2, drift = 0.003 } = options;
  const breath = options.respiration ?? { height: 0.08, arrival: 0.008, light: 0.002 };
  within("perfusionIndex", perfusionIndex, 0, 20, "percent");
  within("transitTime", transitTime, 0, 1, "s");
  within("red", red, 0, 1e5, "nA/mA");
  within("infrared", infrared, 0, 1e5, "nA/mA");
  within("open", open, 0, 1e5, "nA/mA");
  within("respiration.height", breath.height, 0, 0.9, "");
  within("respiration.arrival", breath.arrival, 0, 0.05, "s");
  within("respiration.light", breath.light, 0, 0.2, "");
  within("drift", drift, 0, 0.1, "");

  const constant = typeof spo2 === "number" ? ratioOf(spo2, curve) : null;
  const ratio = (time: number) => constant ?? ratioOf((spo2 as (time: number) => number)(time), curve);
  const slow = createWander({ frequency: 0.01, spread: 0.004, sd: drift, count: 6, random: random.fork("drift") });
  const light = (time: number) => 1 + slow(time) + breath.light * rhythm.respiration(time);
  const onset = (beat: number) => beat + transitTime + breath.arrival * rhythm.respiration(beat);
  const { mean, swing } = steady(60 / rhythm.heartRate);
  const pulse = () => {
    const at = pulseTrain(rhythm, onset, (beat) => 1 + breath.height * rhythm.respiration(beat));
    return (time: number) => ((at(time) - mean) / swing) * (perfusionIndex / 100);
  };
  // a walk each: how far one channel is read makes no difference to the other; what both ask at one time is computed once
  let known = Number.NaN;
  let height = 0;
  const once = (pulse: (time: number) => number) => (time: number) => {
    if (time !== known) {
      height = pulse(time);
      known = time;
    }
    return height;
  };
  const redPulse = once(pulse());
  const infraredPulse = once(pulse());
  const artefacts = createLightArtefacts(options.artefacts ?? [], {
    perfusionIndex,
    open,
    random: random.fork("artefacts"),
  });
  const redLight = (time: number) =>
    ppg.finger(time) ? red * light(time) * (1 - ratio(time) * (redPulse(time) * artefacts.pulse(time))) : open;
  const infraredLight = (time: number) =>
    ppg.finger(time) ? infrared * light(time) * (1 - infraredPulse(time) * artefacts.pulse(time)) : open;

  const ppg: Ppg = {
    red: (time) => artefacts.red(time, redLight(time)),
    infrared: (time) => artefacts.infrared(time, infraredLight(time)),
    finger: () => true,
    spo2: (time) => spo2Of(ratio(time), curve),
    ratio,
    perfusionIndex,
    artefacts,
    pulses: (from, to) => {
      const reach = transitTime + breath.arrival;
      return rhythm
        .between(from - reach, to + breath.arrival)
        .map(onset)
        .filter((time) => time >= from && time < to);
    },
  };
  return ppg;
}

/** The sum of all pulses at a time, s, of a walk of its own along the rhythm. */
function pulseTrain(rhythm: Rhythm, onset: (beat: number) => number, height: (beat: number) => number) {
  const next = rhythm.walk();
  const onsets = new Float64Array(KEPT);
  const stretches = new Float64Array(KEPT).fill(1);
  const heights = new Float64Array(KEPT);
  let count = 0;
  const ahead = LEADS * Math.sqrt((SPREAD * 60) / rhythm.heartRate);
  let beat = next();
  let latest = 0;
  const add = () => {
    const following = next();
    const slot = count++ & (KEPT - 1);
    onsets[slot] = onset(beat);
    stretches[slot] = Math.sqrt(following - beat);
    heights[slot] = height(beat);
    beat = following;
  };
  add();
  return (time: number): number => {
    latest = inOrder("ppg", time, latest);
    while (onsets[(count - 1) & (KEPT - 1)]! < time + ahead) add();
    let sum = 0;
    for (let i = count - 1; i >= 0 && i >= count - KEPT; i--) {
      const slot = i & (KEPT - 1);
      const stretch = stretches[slot]!;
      const since = (time - onsets[slot]!) / stretch;
      if (since > LASTS * SPREAD) break;
      if (since < LASTS && since > -LEADS) sum += heights[slot]! * shape(since);
    }
    return sum;
  };
}

/** One pulse, `since` s after its onset at RR 1 s. */
function shape(since: number): number {
  let sum = 0;
  for (const wave of waves) sum += wave.height * gaussian((since - wave.centre) / wave.width);
  return sum;
}

/** Mean and peak to peak of the endless train of equal pulses, `interval` s apart. */
function steady(interval: number): { mean: number; swing: number } {
  const steps = 512;
  const stretch = Math.sqrt(interval);
  const reach = Math.ceil((LASTS * stretch) / interval);
  const train = new Float64Array(steps + 2);
  let sum = 0;
  for (let i = 0; i < steps + 2; i++) {
    for (let beat = -1; beat <= reach; beat++) train[i] = train[i]! + shape(((i / steps + beat) * interval) / stretch);
    if (i < steps) sum += train[i]!;
  }
  let top = -Infinity;
  let bottom = Infinity;
  for (let i = 1; i <= steps; i++) {
    const [before, here, after] = [train[i - 1]!, train[i]!, train[i + 1]!];
    const bend = 2 * here - before - after;
    // the turning point of the parabola through three steps
    const turn = here + ((after - before) * (after - before)) / (8 * bend);
    if (here >= before && here >= after && bend !== 0) top = Math.max(top, turn);
    if (here <= before && here <= after && bend !== 0) bottom = Math.min(bottom, turn);
  }
  return { mean: sum / steps, swing: top - bottom };
}
