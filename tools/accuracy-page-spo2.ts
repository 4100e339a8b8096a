/** docs/accuracy.md on SpO2: the prose around the tables of accuracy-spo2.ts. */
import type { IncidentRow, PhoneRow, Spo2Document, Spo2Sweep } from "../simulator/evaluate/index.ts";
import { RAMP } from "../simulator/evaluate/index.ts";
import { SETTLING } from "../simulator/evaluate/spo2-desaturation.ts";
import type { Spo2Condition } from "../simulator/evaluate/spo2-light.ts";
import { PULSE_RATES, RUN, SPO2_LEVELS, shownSpo2 } from "../simulator/evaluate/spo2-sweep.ts";
import type { MeasuredLight } from "./accuracy-light.ts";
import { type Cell, fixed, prose } from "./accuracy-sections.ts";
import {
  desaturationSection,
  incidentsSection,
  phonePeersSection,
  phoneSection,
  spo2PeersSection,
  spo2Section,
} from "./accuracy-spo2.ts";

const percent = (value: number | null) => (value === null ? "-" : `${value.toFixed(2)} %`);
const points = (value: number | null) => fixed(value, 2);

/** Nothing in it looks like a pulse and is none. */
const STEADY: readonly Spo2Condition[] = ["quiet", "respiration", "ambient drift"];
/** Percent: below it, motion is not promised anything. */
const FAINT = 0.2;

const largest = (values: readonly (number | null)[]) => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
};
const smallest = (values: readonly (number | null)[]) => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};
const span = (values: readonly (number | null)[], digits: number) =>
  `${fixed(smallest(values), digits)} to ${fixed(largest(values), digits)}`;

/** Largest error of the rows of a perfusion without motion, SpO2 points. */
const steadyError = ({ rows }: Spo2Document, perfusion: number) =>
  largest(
    rows
      .filter(({ condition, perfusionIndex }) => perfusionIndex === perfusion && STEADY.includes(condition))
      .map(({ arms }) => arms),
  );

const motionRows = ({ rows }: Spo2Sweep) =>
  rows.filter(({ condition, perfusionIndex }) => condition === "motion bursts" && perfusionIndex >= FAINT);

/** By the light's own colours that are nearest to a chip's: one row a recording. */
const greenRows = ({ phone = [] }: Spo2Document) => phone.filter(({ channels }) => channels === "red over green");

/** The answers, one line each. */
export function spo2Short({ spo2, otherSeed }: Pick<MeasuredLight, "spo2" | "otherSeed">): Cell[][] {
  const motion = motionRows(spo2);
  const others = motionRows(otherSeed.sweep);
  const steady = spo2.desaturation.filter(({ condition }) => STEADY.includes(condition));
  const phone = greenRows(spo2);
  const scored = phone.filter(({ rms }) => rms !== null);
  return [
    [
      "SpO2 on drawn pulses (no accuracy on people): error of R in SpO2 points at a perfusion of 0.2 % and of 0.1 %?",
      `${points(steadyError(spo2, 0.2))} and ${points(steadyError(spo2, 0.1))}`,
    ],
    [
      `The same with bursts of motion, at ${FAINT} % and more; how much is shown; the longest blank?`,
      `${points(largest(motion.map(({ arms }) => arms)))}, with other motion ${points(largest(others.map(({ arms }) => arms)))}; ${percent(smallest(motion.map(({ shown }) => shown)))}; ` +
        `${largest(motion.map(({ longestBlank }) => longestBlank)) ?? "-"} s`,
    ],
    [
      `How late does a drawn fall from ${RAMP.high} to ${RAMP.low} % show, without motion?`,
      `${span(
        steady.map(({ delay }) => delay),
        1,
      )} s`,
    ],
    [
      "SpO2 of people: a phone's camera, red over green, the half that nothing was fitted to?",
      `${span(
        scored.map(({ rms }) => rms),
        1,
      )} points off in ${scored.length} of ${phone.length} recordings` +
        (scored.length < phone.length ? ", nothing shown in the others" : ""),
    ],
  ];
}

/** What is farthest off of all that happens. */
const worstOf = (incidents: readonly IncidentRow[]) =>
  incidents.reduce((worst, row) => ((row.rms ?? 0) > (worst.rms ?? 0) ? row : worst));

const named = (rows: readonly PhoneRow[]) => rows.map(({ record, channels }) => `${record} ${channels}`).join(", ");

export function spo2Page({ spo2, otherSeed }: Pick<MeasuredLight, "spo2" | "otherSeed">): string[] {
  const { from, fall, recovery, high, low } = RAMP;
  const { peers = [], phone = [] } = spo2;
  const worst = worstOf(spo2.incidents);
  return [
    "## SpO2",
    "",
    ...prose(
      "**The figures on drawn pulses are no accuracy on people.** An oximeter finds R, the ratio of red to infrared. Which SpO2 belongs to",
      "an R is a matter of calibration against blood, for each kind of device, and no study of that kind was made. These figures say how",
      "well R is recovered from a drawn finger whose R is known, as an R-recovery error in SpO2 points: by a reference design's curve. The",
      "drawing has the same R in every part of its pulse, as the method assumes; tissue is less kind. What ISO 80601-2-61 asks for, the",
      "error on people who breathe less and less oxygen (Arms), can not be had this way.",
    ),
    "",
    ...prose(
      `Fingers of ${SPO2_LEVELS[0]} to ${SPO2_LEVELS.at(-1)} % (${SPO2_LEVELS.length} levels) at ${PULSE_RATES.length} pulse rates from`,
      `${Math.min(...PULSE_RATES)} to ${Math.max(...PULSE_RATES)} a minute, ${RUN} s each, through the converter of the MAX30102's emulator with its noise;`,
      `the first ${SETTLING} s do not count. The error is the root mean square where a value is shown. Who shows little errs little: so the`,
      "seconds shown and the longest time without a value stand beside it. Perfusion is the part of the light that pulses. The last two",
      `columns are of other beats, motion and noise (seed ${otherSeed.seed}). The oximeter was built with such drawings in view, of every`,
      "one of these kinds: they say what it does with these, not with what it has never met. The curve is flat at its top, so that an error",
      "of R costs little there.",
    ),
    "",
    ...spo2Section(spo2, otherSeed),
    "",
    "### A fall of SpO2",
    "",
    ...prose(
      `From ${high} to ${low} % in ${fall} s and back in ${recovery} s, from ${from} s on, at the same pulse rates. The delay is the one at which what is shown`,
      'fits the truth best; "error at once" is without it. Shown and blank are of the fall and the recovery.',
    ),
    "",
    ...desaturationSection(spo2),
    "",
    "### What happens to a finger",
    "",
    ...prose(
      "Two levels and two pulse rates each; the error is of what is shown from its begin on.",
      `The largest comes with "${worst.incident}", at a perfusion of ${worst.perfusionIndex} %: ${points(worst.rms)} points RMS and`,
      `${points(worst.worst)} at most, while ${fixed(worst.shownDuring, 0)} % of the time has a value. Motion that changes both lights alike has an R of its own,`,
      `1, which is ${fixed(shownSpo2(1), 0)} % by that curve, and motion as regular as a pulse can be taken for one.`,
    ),
    "",
    ...incidentsSection(spo2),
    "",
    "### Beside others",
    "",
    ...prose(
      "Two common ways to find R, over the same samples in the same run:",
      `${peers.map((peer) => `${peer.name} shows a value in ${fixed(peer.shown, 1)} % of the seconds`).join(", ")}.`,
    ),
    "",
    ...spo2PeersSection(spo2),
    "",
    "### Recorded desaturation",
    "",
    ...phonePage(phone),
    "",
    ...phonePeersSection(spo2),
  ];
}

export function phonePage(phone: readonly PhoneRow[]): string[] {
  const blind = phone.filter(({ rms }) => rms === null);
  const better = phone.filter(({ rms, constantRms }) => rms !== null && constantRms !== null && rms < constantRms);
  const upside = phone.filter(({ slope }) => slope !== null && slope > 0);
  const recordings = new Set(phone.map(({ record }) => record));
  const people = new Set(phone.map(({ record }) => record.replace(/\..*/, "")));
  return [
    ...prose(
      `What there is of people: ${recordings.size} recordings of a finger on a phone's camera while the air held less and less oxygen, both hands`,
      `of ${people.size} people (Hoffman 2022). Each colour's mean over a frame, 30 a second, stands for a light. These are broad colours, not two`,
      "LEDs, so R is not a chip's, and no figure here is a chip's. The reference is the median of four clinical oximeters on other fingers.",
      "For each recording by itself, a line from R to SpO2 and a lag are fitted on its first half; with these, unchanged, its second half is",
      "scored. The second half goes deeper than the first: the line is drawn beyond what it was fitted to. All recordings and both pairs of",
      "colours, the bad ones too:",
    ),
    "",
    ...phoneSection(phone),
    "",
    ...prose(
      `Of ${phone.length} rows ${better.length} have a smaller error than the mean of the first half shown all the time.`,
      ...(blind.length === 0 ? [] : [`${blind.length} have too little of an R for a line (${named(blind)}).`]),
      ...(upside.length === 0
        ? []
        : [`${upside.length} have a line that rises with R, which blood does not (${named(upside)}).`]),
      "Where the correlation in the second half is high, R follows the fall; the numbers made of it are of no use to anybody. A line fitted",
      "to a small range does not carry over: a calibration needs pairs from all of the range.",
    ),
  ];
}
