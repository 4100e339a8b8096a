/** docs/accuracy.md on pulse, breathing and temperature: the prose around the tables of accuracy-light.ts. */
import { RESPIRATION_WINDOW, RESPIRATION_WRONG, WRONG } from "../simulator/evaluate/index.ts";
import {
  type MeasuredLight,
  pulseBeatsSection,
  pulseRateSection,
  pulseRecordsSection,
  pulseTunedSection,
  respirationSection,
  temperatureSection,
} from "./accuracy-light.ts";
import { spo2Page, spo2Short } from "./accuracy-page-spo2.ts";
import { type Cell, count, fixed, prose, percent as thousandths } from "./accuracy-sections.ts";

const percent = (value: number | null) => (value === null ? "-" : `${value.toFixed(2)} %`);

/** The answers, one line each. */
export function pulseShort({ pulse, tuned }: Pick<MeasuredLight, "pulse" | "tuned">): Cell[][] {
  const { beats, monitor } = pulse;
  return [
    [
      `Of ${count(beats.beats)} pulse beats in ${pulse.records.length} recordings of light, how many are found, and how many of those told are beats?`,
      `${percent(beats.se)} and ${percent(beats.ppv)}`,
    ],
    [
      "Both in one (F1), and on recordings that were not used for tuning?",
      `${percent(beats.f1)} and ${tuned === null ? "not measured yet" : percent(tuned.heldOut.f1)}`,
    ],
    [
      "How far off is the pulse rate over 10 s, where its quality is good enough?",
      `${thousandths(pulse.mae)} a minute on average, in ${percent(pulse.coverage)} of the seconds`,
    ],
    [
      "The same on recordings that were not used for tuning?",
      tuned === null
        ? "not measured yet"
        : `${thousandths(tuned.heldOut.mae)} a minute, in ${percent(tuned.heldOut.coverage)}`,
    ],
    [
      "How far off is the pulse rate that the oximeter shows, and the bedside monitor's?",
      `${thousandths(pulse.oximeter.mae)} and ${thousandths(monitor?.mae ?? null)} a minute`,
    ],
  ];
}

export const respirationShort = ({ respiration }: Pick<MeasuredLight, "respiration">): Cell[][] => [
  [
    "How far is the estimated breathing from the monitor's count, where it is shown?",
    `${thousandths(respiration.mae)} a minute on average, in ${percent(respiration.coverage)} of the times`,
  ],
];

export const temperatureShort = ({ temperature }: Pick<MeasuredLight, "temperature">): Cell[][] => [
  [
    "How far off is a temperature shown as settled, on drawn skins?",
    `${fixed(temperature.rms, 3)} K RMS, ${fixed(temperature.max, 2)} K at most`,
  ],
];

export const lightShort = (light: MeasuredLight): Cell[][] => [
  ...pulseShort(light),
  ...spo2Short(light),
  ...respirationShort(light),
  ...temperatureShort(light),
];

export function pulsePage({ pulse, tuned }: Pick<MeasuredLight, "pulse" | "tuned">): string[] {
  const { records, excluded, seconds } = pulse;
  const length = records.reduce((sum, { duration }) => sum + duration, 0);
  const long = records.filter((row) => row.excluded > row.duration / 10);
  const without = records.filter((row) => row.seconds === 0);
  const poorest = records.toSorted((a, b) => (a.f1 ?? 0) - (b.f1 ?? 0)).slice(0, 3);
  const most = long.map((row) => `${row.record} (${fixed(row.excluded, 0)} s)`).join(" and ");
  return [
    "## Pulse",
    "",
    ...prose(
      `Light through a finger of patients in intensive care, with an ECG beside it: ${records.length} recordings of`,
      `${fixed(length / records.length / 60, 0)} minutes at ${records[0]?.rate ?? "-"} Hz (BIDMC). It is what a bedside monitor made of one wavelength,`,
      "filtered and scaled, without the steady part of the light, so that no SpO2 can be had from it. It is turned over and put on a",
      "steady light, for blood takes light away from a chip; a chip's noise, range and LED are not in it.",
    ),
    "",
    ...prose(
      "Nobody has marked the beats. The reference is made from lead II: R peaks on which two detectors that have nothing in common (this",
      "project's and Hamilton's) agree within 50 ms. Where they do not, time is excluded, from the agreed beat before to the one after:",
      `${fixed(excluded, 0)} s of ${count(Math.round(length))} s${long.length === 0 ? "." : `, most of it in ${most}.`}`,
      "What is hard for the ECG may be hard for the light too, and is then missing here. From R to the pulse there is one delay for each",
      "recording and detector, fixed on the first 60 s; a beat within 150 ms of R plus that delay matches. The first seconds count, and",
      "nothing is told after the end. F1 is twice the beats that match over beats and detections together.",
    ),
    "",
    ...pulseRecordsSection(pulse),
    "",
    ...prose(
      `The lowest F1 have ${poorest.map((row) => `${row.record} (${percent(row.f1)})`).join(", ")}.`,
      ...(without.length === 0
        ? []
        : [
            `${without.map(({ record }) => record).join(", ")}: beats are scored, but no 10 s are free of excluded time, so no rate is.`,
          ]),
    ),
    "",
    ...pulseBeatsSection(pulse),
    "",
    ...prose(
      "The others have their authors' numbers; ours was tuned on these recordings and on drawn pulses. So it was tuned anew on three",
      "quarters of them and scored on the rest, four times. The parts are made of recordings; whether two of these are of one person is",
      "not known. How the detector is built, which numbers were open, and from which quality on a rate is let through were chosen with",
      "all of them in view.",
    ),
    "",
    ...pulseTunedSection(tuned),
    "",
    ...prose(
      "Every second, the pulse rate is held against 60 over the median RR interval of the 10 s before, where these are free of excluded",
      `time: ${count(seconds)} seconds. "Ungated" is the same over the detector's beats that were told by then, "gated" that where`,
      'quality lets it through; nothing is shifted for the time that a pulse comes after its R. "As a vital sign" is the mean that a',
      'board makes of these beats, steadier and later, silent by rules of its own; "the oximeter" is what a board shows of one light',
      "behind all of its gates. The bedside monitor's number is from the same finger; over how long it is a mean",
      "is not known, and it was not made to follow 10 s.",
    ),
    "",
    ...pulseRateSection(pulse),
  ];
}

export function respirationPage({ respiration }: Pick<MeasuredLight, "respiration">): string[] {
  const { times, constant, records } = respiration;
  const wrong = records.filter(({ mae }) => (mae ?? 0) > RESPIRATION_WRONG).map(({ record }) => record);
  return [
    "## Breathing",
    "",
    ...prose(
      "An estimate, and named so: from the brightness, the height and the interval of the pulses, all of which breathing changes a little. It",
      "is held against what the bedside monitor of the same recordings counted by the chest's impedance, which is not the truth: it misses",
      `breaths, and counts heart beats at times. Every 8 s, over ${RESPIRATION_WINDOW} s: ${count(times)} times. "Alone" is the strongest frequency of one of the`,
      'three; "mean of the three" is there where they are near each other (Karlen 2013). The rates of these patients',
      `vary little: to say ${fixed(constant.value, 1)} a minute of everybody, without looking at anybody ("mean of all"), is what an estimate must be`,
      "better than. It was built with these recordings in view; nothing is held out.",
    ),
    "",
    ...respirationSection(respiration),
    ...(wrong.length === 0
      ? []
      : [
          "",
          ...prose(`What is shown is more than ${RESPIRATION_WRONG} a minute off on average in ${wrong.join(", ")}.`),
        ]),
  ];
}

export function temperaturePage({ temperature }: Pick<MeasuredLight, "temperature">): string[] {
  const { tolerance, settledOff, unnoticed, rows, stories, chips, timeConstants } = temperature;
  const poorest = [stories, chips, timeConstants].map((group) =>
    group.reduce((worst, one) => ((one.wrong ?? 0) > (worst.wrong ?? 0) ? one : worst)),
  );
  return [
    "## Temperature",
    "",
    ...prose(
      "All of it is drawn: chips that read a skin with the noise, steps and rate of their data sheets and follow it with one time constant.",
      "The filter assumes one time constant too, so the figures say what it makes of a sensor, not how well a thermometer measures a person;",
      "one story, with a part that is four times slower, breaks that. The truth is where the sensor would come to rest at that moment: the",
      `temperature of its place, which need not be the body's. A board shows a value as settled when no more than ${tolerance} K should be`,
      `left to go; until then it is flagged. ${rows.length} cases, two skins each.`,
    ),
    "",
    ...prose(
      '"Settled after" is from contact on, the median. "Not noticed" is the longest time on the body and still shown as settled at the',
      `room's temperature (${fixed(unnoticed, 0)} s at most); those errors count nowhere else. Taken off, and yet settled: ${count(Math.round(settledOff))} s of all runs`,
      "together, first still at the body's temperature, in the end at the room's. A prediction is what the filter expects while it settles:",
      "it is never shown as a value.",
    ),
    "",
    ...temperatureSection(temperature),
    "",
    ...prose(
      `Of what is shown as settled ${percent(temperature.wrong)} is more than ${WRONG} K off. The largest shares of a story, a chip and a time constant:`,
      `${poorest.map(({ name, wrong }) => `${name} (${percent(wrong)})`).join("; ")}.`,
    ),
  ];
}

/** The sections on light and temperature. */
export const lightPage = (light: MeasuredLight): string[] => [
  ...pulsePage(light),
  "",
  ...spo2Page(light),
  "",
  ...respirationPage(light),
  "",
  ...temperaturePage(light),
];
