/** Complaints of rates: lines 3, 4, 5. */
import type { Complaint } from "./complaint.ts";

const test = { file: "test/field/rates.test.ts" };

export const rates: readonly Complaint[] = [
  {
    line: 3,
    title: "heart rate 150-250 from a wrong sampling rate",
    seen: "the pulse rate of a resting person is 150 to 250, or a half or a quarter of what it should be",
    where: ["sparkfun#17", "doug-burrell/max30102#3"],
    symptoms: ["A wrong pulse or heart rate", "No value"],
    see:
      "The pulse rate of somebody at rest is 120, 180 or 240, steady: two or four times what you count at the wrist; or a half " +
      "or a quarter of it.",
    why:
      "A rate is counted in samples and told in minutes: it takes for granted how many samples the chip gives in a second. If the " +
      "chip is set to average four of them, is a clone, or has a bad oscillator, fewer come, and each beat seems to follow sooner; if more come, later.",
    act:
      "Read the two numbers of the sentence: what comes, and what was set. Stop and start the chip: it is set up anew. If the " +
      "sentence comes again, another program on the same wires changes its settings, or its oscillator is wrong: change the chip. " +
      "A rate that is off by 3 to 10 % leaves the values standing, marked `clock uncertain`.",
    says: ["MAX30102: 25.1 samples/s, not 100; check its oscillator", "clock uncertain PI SpO2 PR"],
    naive: "240 for a pulse of 61 where a quarter of the samples come, 122 where half of them do.",
    ours:
      "no pulse rate from the second on in which the rate changes, both sampling rates in one sentence, and 61 once the chip is " +
      "set up anew.",
    test,
  },
  {
    line: 4,
    title: "rate doubled, halved, stuck",
    seen: "the pulse rate is twice or half of the real one, or does not move",
    where: ["aromring#11", "espruino/Espruino#2166"],
    symptoms: ["A wrong pulse or heart rate"],
    see: "The pulse rate is twice or half of what you count at the wrist, or it does not move for minutes.",
    why:
      "Doubled: the pulse has a second, smaller wave (the dicrotic wave) that is counted as a beat. Halved: every second beat is " +
      "weak and is not counted. Stuck: no new beat was found, and the program shows the last number again.",
    act:
      "Compare with the heart rate of the ECG, if there is one: where the two differ for some seconds, the quality of both is " +
      "30 of 100 or less. Without an ECG count at the wrist for 15 s. A rate that cannot be told apart is `--`. Of a chip that " +
      "gives one and the same number the board says so, and starts it anew; its values have `sensor fault`. If that does not help, cut its power.",
    says: [
      "fault (data): MAX30102: red stuck at 118148; opened anew, else cut power",
      "sensor fault red infrared PI SpO2 PR",
    ],
    naive: "154 for a pulse of 60, 38 for one of 75, and 61 for twenty seconds after the signal froze.",
    ours: "60; none; and none two seconds after the signal froze, with a fault that names the chip.",
    test,
    missing:
      "Where every second beat comes early and is weak, the light alone shows half the rate as a good one; only an ECG beside it " +
      "lowers its quality.",
  },
  {
    line: 5,
    title: "a 50 Hz filter fed 25 Hz",
    seen: "mains hum is back, or rates are off by a factor, since the sample rate was changed",
    where: ["espruino/BangleApps#1908"],
    symptoms: ["A wrong curve", "A wrong pulse or heart rate"],
    see: "After a change of the sample rate the mains hum is back, the curve looks wrong, or the rate is off by the same factor.",
    why: "A filter's numbers hold for one sample rate. Fed half as fast it takes out 25 Hz in place of 50, and leaves the hum.",
    act:
      "Change the rate by command or configuration, not behind the board's back: then everything that depends on it is made " +
      "anew. A rate for which there is no filter is refused with the list of those that have one.",
    says: ["notch: rate 200 hz is none of 125, 128, 250, 256, 360, 500, 512; resample, or choose another sampleRate"],
    naive: "hum down to a hundredth at 256 Hz, for which the filter was made, and hardly less of it at 128 and 512 Hz.",
    ours: "down to less than a hundredth at all three, and the heart rate stays right across a change of the rate.",
    test,
  },
];
