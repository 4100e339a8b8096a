/** Complaints of electrodes, hearts and clocks: lines 12, 13, 14, 16, 17, 18. */
import type { Complaint } from "./complaint.ts";

const test = { file: "test/field/heart.test.ts" };

export const heart: readonly Complaint[] = [
  {
    line: 12,
    title: "lead-off against calibration, calibration left on",
    seen: "a steady heart rate of 60 or 120, whoever wears the electrodes",
    where: ["protocentral_max30003#17", "#21"],
    symptoms: ["A value without a finger or an electrode", "A wrong pulse or heart rate"],
    see: "A steady heart rate, often 60 or 120, whoever wears it and when nobody does; lead-off is never reported.",
    why:
      "An example left the chip's calibration source on: a square wave runs into the amplifier in place of the electrodes. While it " +
      "does, nothing can be said of them. Several libraries have this as their default.",
    act:
      "Remove `calibration` from the chip's configuration. If you want the test signal, set `leadOff: 0` beside it: the two exclude " +
      "each other, and a configuration that asks for both is refused.",
    says: [
      "MAX30003: calibration and leadOff 10 fight: the electrodes are isolated, so their state tells nothing; choose leadOff 0",
      "test signal ecg HR",
      "lead off ecg HR",
    ],
    naive: "a heart of some 120 beats a minute, and all electrodes on, of a cable that lies on the table.",
    ours:
      "the combination is refused when it is configured; a test signal says so in the channel's birth and in every sample, and gives " +
      "no heart rate and no interval.",
    test,
  },
  {
    line: 13,
    title: "RR always 0",
    seen: "the respiration rate, or the interval between beats, is always 0",
    where: ["ADS1292rShield#9"],
    symptoms: ["A wrong pulse or heart rate", "No value"],
    see: "The respiration rate (or the interval between beats) is there, and is always 0.",
    why:
      "A variable begins as 0 and is printed every second; what should fill it has a threshold that this person's breath never " +
      "reaches, or was never called.",
    act:
      "Look at the waveform: the ADS1292R's respiration channel is in the record. A respiration rate is not computed from it here, so " +
      "there is none; from the pulse of an oximeter one is estimated where its sensor has `respiration: true` in firmware.",
    says: [],
    naive: "0 breaths a minute, every second, of a chest that breathes 15 times a minute.",
    ours: "no channel for what nobody computes, intervals only where there are beats, and never a 0.",
    test,
  },
  {
    line: 14,
    title: "20/240 bpm, zeros in mid-run",
    seen: "the heart rate jumps to 20 or 240, or the ECG turns to zeros",
    where: ["protocentral_max30003#23", "#30"],
    symptoms: ["A wrong pulse or heart rate", "A wrong curve", "It stops, or samples are missing"],
    see: "The heart rate jumps to 20 or 240 for a moment; or the ECG turns to zeros and stays so, with everything still connected.",
    why:
      "Jumps: a loose electrode scratches, the chip's R-to-R detector takes that for a beat or misses some, and its register is shown as " +
      "it is. Zeros: the supply dipped, the chip forgot its settings and converts nothing; its empty FIFO reads as 0.",
    act:
      "Jumps: fresh electrodes, and a fixed cable; `motion` beside HR says that noise drowns the beats. Zeros: look for a fault that begins as below, and the loss beside it; they name the " +
      "moment of the dip. A supply that dips more than once needs a capacitor at the chip, or another regulator.",
    says: [
      "fault (restarted): MAX30003: CNFG_GEN reads 0x4",
      "lost: an unknown number of samples of ecg",
      "motion ecg HR",
    ],
    naive: "9 to 121 beats a minute of a heart of 94, and zeros for ever after a dip of the supply.",
    ours:
      "within 12 % through the scratches, null where waves cannot be counted; after the dip the chip is set up anew within a second, " +
      "and the gap is told as one of unknown length.",
    test,
    missing:
      "Scratches that come every four seconds are counted as beats: the rate is then up to 22 % too high, without a flag, and single " +
      "intervals of 0.2 to 0.5 s stand beside it.",
  },
  {
    line: 16,
    title: "wrong tag parsing in the vendor's example",
    seen: "the ECG runs a little too fast, or stutters",
    where: ["protocentral_max30001_arduino#12"],
    symptoms: ["It stops, or samples are missing", "A wrong curve", "A wrong pulse or heart rate"],
    see: "The ECG looks right, but runs 6 % too fast or stutters; a rate that is counted from it is too high.",
    why:
      "Each FIFO word has a tag. A common library takes words tagged `000` alone for samples and drops `010`: that is a sample too, " +
      "the last one that waits. So one in sixteen is lost without a word.",
    act: "With this project nothing. If an overflow is told, the host reads too seldom: poll as often as the sentence says.",
    says: [
      "fault (data): MAX30003: FIFO overflow, samples lost; poll at least every 124 m…",
      "lost: an unknown number of samples of ecg",
    ],
    naive: "15 of every 16 samples.",
    ours:
      "each tag of the data sheet has its vector: valid, fast recovery, last, empty, overflow, unused; the record holds every sample " +
      "that was converted, and after an overflow a gap.",
    test: { file: "test/field/tags.test.ts" },
  },
  {
    line: 17,
    title: "SpO2 takes 10 to 90 s",
    seen: "SpO2 is long in coming after the finger is put in, or begins with nonsense",
    where: ["protocentral_healthypi5_zephyr#13"],
    symptoms: ["No value", "A wrong SpO2"],
    see: "After the finger is put in, SpO2 is absent for long, or shows 10 %, 70 %, 85 % before it settles.",
    why:
      "SpO2 needs a few whole pulses. A program that computes from the first second on has the step of the arriving finger in its " +
      "window, and shows numbers that mean nothing.",
    act:
      "Hold still and wait for `settling` to go: 4 to 6 s. Where it stays longer than 15 s the pulse is too weak or the finger moves: " +
      "the reason stands in its place.",
    says: ["contact: finger there, settling", "settling PI SpO2 PR", "contact: finger there, good"],
    naive: "numbers from the first second on, more than 5 points off at first for 20 of 20 people.",
    ours: "null and `settling` until there is one: of 20 people who put a finger in twice, half within 5 s, all within 6.",
    test: { file: "test/field/oximeter.test.ts" },
  },
  {
    line: 18,
    title: "no device timestamps",
    seen: "many samples have the same time, or two sensors of one person drift apart",
    where: ["healthypi5_zephyr#46", "OpenBCI#129"],
    symptoms: ["Times are missing or wrong"],
    see: "Samples carry the time of their arrival, many of them the same one; two sensors of one person drift apart by seconds.",
    why:
      "A chip's oscillator may be 1 % off, a board's crystal 50 ppm, and a radio delays by chance. Neither the arrival nor a count at " +
      "the nominal rate is when a sample was taken.",
    act:
      "Use the times of the record or of an export: they come from the sample's index and the fitted clocks of chip and board, with an " +
      "uncertainty that is a bound ([time](time.md)).",
    says: [],
    naive:
      "up to 0.27 s late and sixteen samples at one instant by arrival; 1.6 s away after five minutes by counting at the nominal rate.",
    ours: "at most 12 ms away over WiFi, 0.11 ms from sample to sample, and never outside the uncertainty.",
    test: { file: "test/field/clock.test.ts" },
  },
];
