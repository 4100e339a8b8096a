/** Complaints of lost samples: lines 8, 9. */
import type { Complaint } from "./complaint.ts";

const test = { file: "test/field/samples.test.ts" };

export const samples: readonly Complaint[] = [
  {
    line: 8,
    title: "FIFO overflow stalls the stream",
    seen: "samples stop for good, or the curve jumps, after the host was busy",
    where: ["analogdevicesinc/msdk#1409"],
    symptoms: ["It stops, or samples are missing"],
    see: "After the host was busy for a moment, samples stop for good; or the curve jumps, and nobody says that something is missing.",
    why:
      "The chip keeps 32 samples (a third of a second at 100 Hz). When they are full, its write and read pointers are equal, as " +
      "they are when it is empty: a program that counts by the pointers alone sees nothing to read, for ever.",
    act:
      "Nothing to bring it back: reading goes on by itself, and the record says of which channel samples are lost, and how " +
      "many where that can be known. If that comes again and again, " +
      "something keeps the host busy: look for long loops, slow prints, or another chip that holds the bus; or lower the " +
      "sample rate.",
    says: ["lost: an unknown number of samples of red", "lost: an unknown number of samples of infrared"],
    naive: "no sample any more, or fewer than the chip took, with times that slip by what is missing.",
    ours: "an overflow event for each channel and a new stretch of the record; vitals are back within six seconds.",
    test,
  },
  {
    line: 9,
    title: "a 125 ms flash write breaks sampling",
    seen: "the curve has a step whenever something is saved",
    where: ["aromring#34"],
    symptoms: ["It stops, or samples are missing"],
    see: "Every time something is saved to flash, the curve has a step, and the rate computed from it is wrong.",
    why:
      "While flash is written or erased, many processors stand still: nothing is read for 45 to 125 ms. A program that reads " +
      "one sample each time round misses a dozen, and counts on as if there were none between.",
    act:
      "Nothing for a pulse oximeter at 100 Hz: its chip keeps a third of a second, and that is read afterwards. A MAX30003 keeps " +
      "125 ms of an ECG at 256 Hz: choose 128 Hz, or faster flash, if the board tells of losses after writes.",
    says: ["MAX30003: FIFO overflow, samples lost; poll at least every 62 ms"],
    naive: "a dozen samples fewer for each write, and no word of them.",
    ours: "every sample of the light; for the ECG each loss declared; flash is written a little at a time, between two polls.",
    test,
  },
];
