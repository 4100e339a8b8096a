/** Complaints of what comes after the board: lines 15, 19 to 25. */
import type { Complaint } from "./complaint.ts";

export const beyond: readonly Complaint[] = [
  {
    line: 15,
    title: "CSV without units, equal timestamps",
    seen: "a table without units, or with the same time in several lines",
    where: ["protocentral_max30003#16"],
    symptoms: ["Times are missing or wrong", "A recording or an export cannot be used"],
    see: "A table of numbers and nobody knows of what; several lines in a row have the same time.",
    why:
      "The time written is when the host got a packet, so all samples of one packet share it; and the unit stood in the head " +
      "of whoever wrote the program.",
    act:
      "Export with `vitalwire export --format csv`: the unit of each column stands in the header, and a sample's time is its " +
      "number times the period, never its arrival.",
    says: [],
    naive: "one time for a whole packet, no unit.",
    ours: "no two lines with one time, at any rate and length; units in the header.",
    test: {
      file: "test/formats/csv.test.ts",
      name: "has units in the header, time from the sample clock, and an empty field for a missing sample (protocentral_max30003#16)",
    },
  },
  {
    line: 19,
    title: "battery always 100 %",
    seen: "the battery is full until the board goes dark",
    where: ["healthypi-move-fw#153"],
    symptoms: ["Anything else"],
    see: "The battery shows 100 % until the board goes dark.",
    why: "Nothing measures it, and the program sends a full one where it does not know.",
    act: "Do not look for the battery in the record: this project does not send one. Measure it with a meter.",
    says: [],
    naive: "100 %.",
    ours: "no battery value at all, since nothing measures it.",
    test: null,
    missing: "Measure a battery: there is no value, no alarm and no test yet.",
  },
  {
    line: 20,
    title: "how do I look at the exported ECG",
    seen: "a file that no program at hand opens",
    where: ["healthypi-move-fw#174"],
    symptoms: ["A recording or an export cannot be used"],
    see: "A file was exported, and no program at hand opens it.",
    why: "It is in a format of its own, or without the scale that makes millivolts of its numbers.",
    act:
      "Export with `vitalwire export --format wfdb` and open the record with any WFDB program (PhysioNet's tools, `wfdb` for " +
      "Python); or `--format csv` for a spreadsheet. Live, the page of `demo` and `gateway` draws it in mm and mV.",
    says: [],
    naive: "a dump of its own.",
    ours: "a WFDB record with units, gain and gaps.",
    test: {
      file: "test/formats/export.test.ts",
      name: "is one record in format 24, named KID_BOOT_RATE, with raw values as stored and gaps as invalid samples",
    },
    missing: "Write EDF+, or show a file: there is no viewer but the live page.",
  },
  {
    line: 21,
    title: "EDF that other readers refuse",
    seen: "an EDF file that another program refuses",
    where: ["OpenBCI_GUI#904", "#121"],
    symptoms: ["A recording or an export cannot be used"],
    see: "An EDF file that one program wrote and another one refuses, or shows shifted.",
    why: "Header fields of a fixed width were overrun, or its records do not hold whole seconds.",
    act: "Use `--format wfdb` or `--format csv` for now.",
    says: [],
    naive: "a file that only its own program reads.",
    ours: "no EDF file at all yet.",
    test: null,
    missing: "Write EDF or EDF+; a round trip through somebody else's reader is to hold it.",
  },
  {
    line: 22,
    title: "the gateway loses the first 10-20 s",
    seen: "the first seconds, or those after an outage, are missing",
    where: ["thingsboard-gateway#2157"],
    symptoms: ["It stops, or samples are missing"],
    see: "After a start, or after the network was away, the first seconds of the record are missing.",
    why: "What is sent before anybody listens is gone, unless the sender keeps it until it is told that it was stored.",
    act:
      "Wait: a board keeps all it has measured until the gateway says that it is stored, and sends the past beside the present. " +
      "How long it can is told at its start and by `monitor` (`holds 5.2 h offline`); what did not fit is declared lost. See " +
      "[outages](outages.md).",
    says: [],
    naive: "nothing of the first seconds, and no word.",
    ours: "everything, oldest first, with its own times.",
    test: {
      file: "test/firmware/runtime-log.test.ts",
      name: "after an outage: births, events, the newest data and vitals, then what is behind, oldest first and at a bounded rate, beside what is new",
    },
  },
  {
    line: 23,
    title: "no simulator for MAX30102",
    seen: "the sensor is not here, and the program has to be written",
    where: ["wokwi-features#1023", "esphome/feature-requests#1009"],
    symptoms: ["Anything else"],
    see: "The sensor is not here yet, or somebody else has it, and the program has to be written.",
    why: "Most simulators have no pulse oximeter, and none that overflows, saturates or loses its power.",
    act:
      "`npm start` runs three boards with emulated chips and a patient on each; `vitalwire demo --faults FILE` lets go wrong " +
      "what you choose, and [its page](../simulator/faults/README.md) has the kinds. In a program, `vitalwire/simulator` and `vitalwire/testing` have each chip, register by register.",
    says: [],
    naive: "nothing to run the program on.",
    ours: "register-level emulators of every chip that has a driver here.",
    test: { file: "test/docs/readme.test.ts", name: "the ten lines about emulators print what they say" },
  },
  {
    line: 24,
    title: "plotters without timestamps, pause, logging",
    seen: "the plotter or the monitor stays empty",
    where: ["arduino/Arduino#482", "teleplot#45", "Serial-Studio#92"],
    symptoms: ["No value", "Times are missing or wrong"],
    see: "The plotter stays empty, or it draws, but nobody knows when what was.",
    why:
      "A plotter draws what it can read as a number. At a wrong baud rate, with another program on the board, or without the " +
      "board's keys it reads none, and says nothing. The time that it draws is when the bytes came.",
    act:
      "Run `vitalwire monitor PORT`: after three seconds without a packet it says why. `--record FILE` keeps what comes, and " +
      "`monitor FILE` shows it again with the board's own clock.",
    says: [
      "/dev/ttyUSB0: nothing arrives; is the board powered and running, is this its port, is its TX wired to RX?",
      "% of what comes is no text; 57600 baud is probably wrong: try --baud 9600, 115200, 230400, 460800 or 921600",
      "/dev/ttyUSB0: text but no packets; is other firmware on the board, or has its console the port? Reset the board, or flash it",
      "/dev/ttyUSB0: packets begin but none arrives whole (crc 2); is the cable loose, or does another program read the port too?",
    ],
    naive: "an empty window.",
    ours: "the reason in a sentence, the board's time on each line, and a file to play again.",
    test: { file: "test/field/monitor.test.ts" },
    missing: "Pause on the screen: stop it with Ctrl-C and look at the recording.",
  },
  {
    line: 25,
    title: "ECG in FHIR of 6 MB, voltages missing",
    seen: "an ECG in FHIR that is far too large, or has no voltages",
    where: ["StanfordBDHG/HealthKitOnFHIR#55", "microsoft/healthkit-on-fhir#22"],
    symptoms: ["A recording or an export cannot be used"],
    see: "A FHIR document of half a minute of ECG has megabytes, or its voltages are gone.",
    why: "Each sample was written as a number with a dozen digits and a unit, in place of integers with one scale.",
    act: "Use `--format wfdb` or `--format csv` for now.",
    says: [],
    naive: "6 MB for 30 s.",
    ours: "no FHIR document at all yet.",
    test: null,
    missing: "Write FHIR: SampledData of integers, with a size that a test holds.",
  },
];
