/** vitalwire doctor --board simulated: one board with each fault, in virtual time; what it says, and what it says to do. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { max30003, max30102, tmp117 as tmp117Figures } from "../../cli/doctor/figures.ts";
import { type DoctorReport, findingLines, safetyLines, summary } from "../../cli/doctor/report.ts";
import { createSimulatedSubject, type SimulatedOptions, type SimulatedSubject } from "../../cli/doctor/simulated.ts";
import { examineSimulated, simulatedReport } from "../../cli/doctor.ts";
import { emulated as max30205 } from "../../drivers/max30205/emulator.ts";
import { emulated as tmp117 } from "../../drivers/tmp117/emulator.ts";
import { type Finding, SAFETY } from "../../firmware/doctor/doctor.ts";
import { type FaultEntry, planFaults } from "../../simulator/faults.ts";

const examined = (options: Omit<SimulatedOptions, "seed"> = {}, prepare?: (subject: SimulatedSubject) => void) =>
  simulatedReport({ seed: 1, ...options }, prepare);
/** What is not good, a line each. */
const complaints = (report: DoctorReport) =>
  report.findings.filter(({ verdict }) => verdict !== "good").flatMap((one) => findingLines(one, null, false));
const whatOf = (report: DoctorReport) => report.findings.map(({ what }) => what);

const healthy = examined();

test("a healthy board is good in all that is looked at: buses, identity, self-test, rate, range, contact, noise, clock", () => {
  expect(complaints(healthy)).toEqual([]);
  expect(healthy.verdict).toBe("good");
  expect(whatOf(healthy).sort()).toEqual(
    [
      "I2C D21, D22",
      ...["identity", "self-test", "rate", "range", "contact", "interrupt"].map((what) => `MAX30102 ${what}`),
      ...["identity", "self-test", "rate", "range", "electrodes", "interrupt", "noise"].map(
        (what) => `MAX30003 ${what}`,
      ),
      ...["identity", "self-test", "rate", "range", "noise"].map((what) => `TMP117 ${what}`),
      "board clock",
    ].sort(),
  );
  const rates = healthy.findings.filter(({ what }) => what.endsWith("rate")).map(({ measured }) => measured);
  expect(rates).toEqual(["100.00 +- 0.02 Hz", "256.000 +- 0.008 Hz", expect.stringMatching(/^1\.00 \+- 0\.0\d Hz$/)]);
});

test("the same seed gives the same document to the last byte, another seed another one that is good too", () => {
  expect(JSON.stringify(examined())).toBe(JSON.stringify(healthy));
  const other = simulatedReport({ seed: 2 });
  expect(other.verdict).toBe("good");
  expect(other.findings).not.toEqual(healthy.findings);
});

describe("one fault is one line that says what to do", () => {
  const cases: Record<string, [Parameters<typeof examined>, RegExp]> = {
    "an I2C chip that is missing": [
      [{ absent: ["tmp117"] }],
      /^bad {3}TMP117 identity +nobody answers at 0x48\. Look at its supply and its wires$/,
    ],
    "an SPI chip that is missing": [
      [{ absent: ["max30003"] }],
      /^bad {3}MAX30003 identity +INFO reads 0xffffff.*Check power, select and data lines$/,
    ],
    "another chip at the address": [
      [{ instead: { tmp117: max30205.create({}) } }],
      /^bad {3}TMP117 identity +Device_ID reads 0x5000, 0x\.117 was expected\. Check the address/,
    ],
    "a chip at another of its addresses, which is unknown to the configuration": [
      [{ instead: { tmp117: tmp117.create({ address: 0x4a }) } }],
      /^bad {3}TMP117 identity +nobody answers at 0x48, somebody does at 0x4a\. Look at .*or set address 0x4a in the config/,
    ],
    "a bus on which nobody answers": [
      [{ absent: ["tmp117", "max30102"] }],
      /^bad {3}I2C D21, D22 +nobody answers at 0x08 to 0x77; TMP117, MAX30102 not examined;.*SDA and SCL exchanged/,
    ],
    "a bus that is stuck for good": [
      [
        {},
        ({ board }) => {
          board.busFault = ({ address }) => (address === undefined ? null : "timeout");
        },
      ],
      /^bad {3}I2C D21, D22 +stuck, 3 operations timed out; TMP117, MAX30102 not examined;.*A chip holds SDA or SCL low.*unplug/,
    ],
    "an oscillator that is 5 % slow": [
      [{ oscillator: { max30102: 0.95 } }],
      /^bad {3}MAX30102 rate +95\.00 \+- 0\.\d+ Hz; expected 100 Hz, 98\.5 to 101\.5 \(data sheet p\. 3\)\. What.*is wrong by that: replace/,
    ],
    "a crystal that is 5 % fast": [
      [{ oscillator: { max30003: 1.05 } }],
      /^bad {3}MAX30003 rate +268\.800 \+- 0\.\d+ Hz; expected 256 Hz, 255\.8 to 256\.3 .*replace the chip or its crystal$/,
    ],
    "a chip that measures twice as often as it was told": [
      [{ oscillator: { max30102: 2 } }],
      /^bad {3}MAX30102 rate +200\.\d+ \+- .*It measures twice or half as often as it was told: look at sampleRate/,
    ],
    "a lead that is off": [
      [{}, ({ emulators }) => emulators.ecg.set("leadOffPositive", 1)],
      /^look {2}MAX30003 electrodes +lead off: ECGP \(STATUS 0x8\), in 100 % of the polls;.*else put the electrode on again$/,
    ],
    "saturated light": [
      [{}, ({ emulators }) => emulators.ppg.set("infrared", 1500)],
      /^bad {3}MAX30102 range +saturated in 100 % of the polls; expected never\. Lower ledCurrent.*shade the sensor/,
    ],
    "ambient light beyond what the chip takes away": [
      [{}, ({ emulators }) => emulators.ppg.set("ambient", 300)],
      /^bad {3}MAX30102 range +saturated in 100 % .*shade the sensor from sun and lamps$/,
    ],
    "no finger in the light": [
      [
        {},
        ({ emulators }) => {
          emulators.ppg.set("red", 10);
          emulators.ppg.set("infrared", 10);
        },
      ],
      /^look {2}MAX30102 contact +red 1 %, infrared 1 % of the range;.*Nothing is on the sensor/,
    ],
    "a self-test that fails": [
      [{}, ({ emulators }) => emulators.thermometer.set("temperature", 180)],
      /^bad {3}TMP117 self-test +temperature 179\.99 Cel; expected -55 to 150\. Measure the supply at the chip/,
    ],
    "an ECG chip with six times the noise of its data sheet": [
      [{ noise: { max30003: 6 } }],
      /^bad {3}MAX30003 noise +4\.\d\d uV rms; expected 0\.77 uV rms \(data sheet p\. 28.*Look at the supply's ripple/,
    ],
    "a thermometer with twice the noise": [
      [{ noise: { tmp117: 2 } }],
      /^look {2}TMP117 noise +15\.\d\d mCel rms; expected 7\.81 mCel rms/,
    ],
    "a data-ready line that is not wired": [
      [{ unwired: ["max30102"] }],
      /^look {2}MAX30102 interrupt +no edge in 10 s\. Look at the wire/,
    ],
    "a chip that lost its supply for a moment": [
      [{}, ({ clock, emulators }) => void clock.at(5e6, () => emulators.ppg.powerOn(clock.now))],
      /^bad {3}MAX30102 polling +lost its registers .*opened anew once, a loss of unknown size;.*Check the supply$/,
    ],
    "a chip that held SDA and was clocked free": [
      [{}, ({ board }) => board.holdData({ data: "D21", clock: "D22" }, 9)],
      /^look {2}I2C D21, D22 +a chip held SDA low until it was clocked free; 0x48, 0x57 answered;/,
    ],
    "a chip that nobody configured": [
      [{}, ({ board }) => board.attachI2c({ data: "D21", clock: "D22" }, tmp117.create({ address: 0x49 }))],
      /^look {2}I2C D21, D22 +0x48, 0x49, 0x57 answered;.*0x49 is no sensor of the configuration/,
    ],
  };
  test.each(Object.entries(cases))("%s", (_name, [given, line]) => {
    const report = examined(...given);
    const lines = complaints(report);
    expect(lines).toEqual([expect.stringMatching(line)]);
    expect(report.verdict).toBe(lines[0]!.startsWith("bad") ? "bad" : "look");
  });
});

test("a bus that holds SDA whatever is done is said once, and the chips behind it are not waited for", () => {
  const report = examined({}, ({ board }) => board.holdData({ data: "D21", clock: "D22" }, Number.POSITIVE_INFINITY));
  expect(complaints(report)).toEqual([expect.stringMatching(/^bad {3}I2C D21, D22 +stuck/)]);
  expect(whatOf(report).filter((what) => /MAX30102|TMP117/.test(what))).toEqual([]);
  expect(whatOf(report)).toContain("MAX30003 rate");
});

test("a board whose own clock is 5 % fast is told from chips that are slow, since the chips agree", () => {
  const report = examined({ crystal: (since) => since * 1.05 });
  const bad = report.findings.filter(({ verdict }) => verdict === "bad");
  expect(bad.map(({ what, measured }) => [what, measured])).toEqual([
    ["board clock", "+4.9 to +5.1 % by MAX30102 and MAX30003"],
  ]);
  const rates = report.findings.filter(({ what }) => what.endsWith("rate"));
  expect(rates.map(({ verdict, words }) => [verdict, words])).toEqual(
    rates.map(() => ["look", "the board's clock is off, not this chip: see there"]),
  );
});

test("a board whose operations never end is given up, once for each bus and chip, and the doctor comes to its end", () => {
  const subject = createSimulatedSubject({ seed: 1 });
  const executor = { maxRead: 64, run: () => {} };
  const plan = {
    buses: subject.plan.buses.map((bus) => ({ ...bus, executor })),
    chips: subject.plan.chips.map((chip) => ({ ...chip, attachment: { ...chip.attachment, executor } })),
  };
  const findings: Finding[] = [];
  examineSimulated({ ...subject, plan }, (finding) => findings.push(finding));
  expect(findings.map(({ what, verdict, measured }) => [what, verdict, measured])).toEqual([
    ["I2C D21, D22", "bad", "no end within 10 s"],
    ["MAX30003 identity", "bad", "no end within 10 s"],
  ]);
});

test("nothing is written to a chip that is another one", () => {
  const writes: (readonly number[])[] = [];
  examined({ instead: { tmp117: max30205.create({}) } }, ({ board }) => {
    board.busFault = (target, ops, at) => {
      const op = ops[at]!;
      if (target.address === 0x48 && "write" in op) writes.push(op.write);
      return null;
    };
  });
  expect(writes).toEqual([]);
});

test("a terminal of 80 columns gets one line for what is good, and every word of what is not", () => {
  const report = examined({ oscillator: { max30102: 0.95 } });
  for (const finding of [...healthy.findings, ...report.findings]) {
    const lines = findingLines(finding, 80, false);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    if (finding.verdict === "good") expect(lines).toEqual([expect.not.stringContaining("…")]);
    else {
      const whole = findingLines(finding, null, false)[0]!;
      expect(lines.map((line) => line.trim()).join(" ")).toBe(whole);
    }
  }
  for (const line of safetyLines(SAFETY, 80)) expect(line.length).toBeLessThanOrEqual(80);
  expect(summary(report.findings)).toBe("19 good, 0 look, 1 bad: begin with the first bad line");
});

describe("as a process", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "cli/main.ts", "doctor", ...args], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8",
    });

  test("it says the sentence about electrodes once, before all else, and ends with 0 where nothing is bad", () => {
    const { status, stdout, stderr } = run("--board", "simulated");
    expect([status, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe(SAFETY);
    expect(stdout.split("medical-grade isolation")).toHaveLength(2);
    expect(lines.slice(1, -1)).toEqual(healthy.findings.flatMap((one) => findingLines(one, null, false)));
    expect(lines.at(-1)).toBe("20 good, 0 look, 0 bad: nothing to do");
  });

  test("--json is one document with every finding", () => {
    const { status, stdout } = run("--board", "simulated", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(healthy);
  });

  test("a board that it does not know, or none, is bad usage", () => {
    expect(run("--board", "abacus").status).toBe(2);
    expect(run().status).toBe(2);
  });
});

test("what chips are held against stands on their pages", () => {
  const page = (chip: string) =>
    readFileSync(new URL(`../../drivers/${chip}/README.md`, import.meta.url), "utf8").replaceAll(/\s+/g, " ");
  expect(page("max30102")).toContain("10.32 to 10.64 MHz where 10.48 is typical (p3)");
  expect(page("max30003")).toContain("within 1/1024");
  expect(page("max30003")).toContain("noise 0.77 uV rms at gain 20 and 150 Hz (p. 28)");
  expect(page("tmp117")).toContain("13 to 17.5 ms (section 6.5)");
  expect(page("tmp117")).toContain("a standard deviation of about one step without averaging (section 8.2.2.1)");
  expect(max30102.oscillator).toMatchObject({ low: 10.32 / 10.48, high: 10.64 / 10.48 });
  expect(max30003.oscillator).toMatchObject({ low: 1 - 1 / 1024, high: 1 + 1 / 1024 });
  expect(max30003.still.noise[0]!.rms).toBe(0.77e-6);
  expect(tmp117Figures.oscillator).toMatchObject({ low: 15.5 / 17.5, high: 15.5 / 13 });
  expect(tmp117Figures.still.noise[0]!.rms).toBe(1 / 128);
});

describe("with a plan of faults", () => {
  const planned = (...entries: readonly FaultEntry[]) => examined({ faults: planFaults(entries) });

  test("what goes wrong while it is watched is found, with what it was, and what was wrong on purpose stands beside it", () => {
    const report = planned(
      { kind: "finger-off", chip: "max30102", at: 4, for: 6 },
      { kind: "lead-off", chip: "max30003", at: 4, for: 6 },
      { kind: "nack", chip: "tmp117", at: 5, for: 4 },
    );
    const lines = complaints(report);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^look {2}MAX30102 contact +red .*, but no finger in \d\d % of the polls; .*Keep the finger/,
      ),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^look {2}MAX30003 electrodes +lead off: ECGP and ECGN/));
    expect(lines).toContainEqual(expect.stringMatching(/^bad {3}TMP117 polling +read of .*not acknowledged/));
    expect(report.faults!.map(({ kind, state, at }) => `${kind} ${state} ${at}`)).toEqual([
      "finger-off began 4",
      "lead-off began 4",
      "nack began 5",
      "nack ended 9",
      "finger-off ended 10",
      "lead-off ended 10",
    ]);
  });

  test("a chip that is unplugged before it is looked for is missing; a plan that is over by then leaves nothing", () => {
    expect(complaints(planned({ kind: "unplugged", chip: "tmp117", at: 0, for: 60 }))).toContainEqual(
      expect.stringMatching(/^bad {3}TMP117 identity +nobody answers at 0x48/),
    );
    expect(complaints(planned({ kind: "nack", chip: "tmp117", at: 100 }))).toEqual([]);
  });

  test("a plan without faults is no other examination", () => {
    expect(planned()).toEqual({ ...healthy, faults: [] });
  });

  test("the command takes the same file as demo, prints the truth on stderr, and refuses what a board alone cannot have", () => {
    const folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
    try {
      const path = join(folder, "plan.yaml");
      writeFileSync(path, "- { kind: nack, chip: tmp117, at: 5, for: 4 }\n");
      const command = ["--import", "tsx", "cli/main.ts", "doctor", "--board", "simulated", "--faults", path];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
      expect(status).toBe(1);
      expect(stdout).toMatch(/^bad {3}TMP117 polling/m);
      expect(stderr).toBe(
        "FAULT began: nack of tmp117, board 1, at 5.000 s\nFAULT ended: nack of tmp117, board 1, at 9.000 s\n",
      );
      writeFileSync(path, "- { kind: serial-garbage, at: 5 }\n");
      const refused = spawnSync(process.execPath, command, { encoding: "utf8" });
      expect(refused.status).toBe(2);
      expect(refused.stderr).toContain("plan.yaml:1: 0.kind: board 0 has no serial line");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
