/** What a board gave is written down and given again: the same frames, byte for byte, without chips, bus or clock. */
import { describe, expect, test } from "vitest";
import type { BusFault } from "../../boards/simulated.ts";
import { LINE_LENGTH, recordBoard, replayBoard } from "../../boards/transcript.ts";
import { createBench, I2C_PINS } from "../../simulator/bench.ts";
import { names, type Subject, shake, subjects } from "../drivers/subjects.ts";
import { readOn } from "./transcript-support.ts";

const plain = subjects.filter(({ name }) => names.includes(name));
const cases = plain.flatMap((subject) => {
  const { chip } = subject;
  const { driver } = createBench(chip, subject.emulated, { interrupt: true });
  return [false, true]
    .filter((wired) => (wired ? driver.dataReady !== null : chip.needsInterrupt !== true))
    .map((wired) => ({ name: subject.name, wired, subject }));
});

/** Every 11th operation fails, each time another way, the fourth in its middle. */
function createFaults(): BusFault {
  const kinds = ["nack", "timeout", "bus", { kind: "short", after: 2 }] as const;
  let operations = 0;
  return () => (++operations % 11 === 0 ? (kinds[(operations / 11) % kinds.length] ?? null) : null);
}

/** Reads a chip for so long, s, over a bus that fails, through a brown-out and a stall; then closes it. */
function record({ chip, emulated }: Subject, wired: boolean, seconds: number) {
  const lines: string[] = [];
  const bench = createBench(chip, emulated, { interrupt: wired });
  shake(bench.emulator);
  const recording = recordBoard(bench.board, (line) => lines.push(line));
  const { reader, told } = readOn(recording, { chip }, wired);
  bench.wait(500);
  bench.board.busFault = createFaults();
  bench.wait(seconds * 400);
  bench.emulator.powerOn(bench.clock.now);
  bench.wait(seconds * 200);
  bench.board.stall(700);
  bench.wait(seconds * 200);
  if (chip.bus === "i2c") bench.board.holdData(I2C_PINS, 5);
  bench.wait(seconds * 200);
  recording.mark("close");
  reader.close(() => told.push("closed"));
  bench.wait(1000);
  recording.end();
  return { lines, told };
}

function replay({ chip }: Pick<Subject, "chip">, wired: boolean, lines: Iterable<string>) {
  const board = replayBoard(lines);
  const { reader, told } = readOn(board, { chip }, wired);
  expect(board.run()).toBe("close");
  reader.close(() => told.push("closed"));
  expect(board.run()).toBe(null);
  return told;
}

test("every bus kind is tried, with its data-ready line and without", () => {
  const tried = cases.map(({ subject, wired }) => `${subject.chip.bus} ${wired}`);
  expect(new Set(tried)).toEqual(new Set(["i2c false", "i2c true", "spi false", "spi true", "analog false"]));
});

describe("a reader over a bus that fails gets the same frames, faults and restarts from the transcript", () => {
  test.each(cases)("$name, data-ready line $wired", ({ subject, wired }) => {
    const { lines, told } = record(subject, wired, 5);
    expect(told.at(-1)).toBe("closed");
    expect(told.filter((one) => one.startsWith("[")).length).toBeGreaterThan(3);
    if (subject.chip.bus !== "analog") expect(told.some((one) => one.startsWith("fault 1 "))).toBe(true);
    expect(replay(subject, wired, lines)).toEqual(told);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(LINE_LENGTH);
  });
});

const tmp117 = plain.find(({ name }) => name === "tmp117")!;
const max30102 = plain.find(({ name }) => name === "max30102")!;

describe("a transcript that is not whole, or of another firmware", () => {
  const { lines } = record(tmp117, false, 5);
  const text = lines.map((line) => `${line}\n`).join("");

  test("whole, from a file's text, it is replayed", () => {
    expect(() => replay(tmp117, false, text.split("\n"))).not.toThrow();
    expect(() => replay(tmp117, false, text.split(/(?<=\n)/))).not.toThrow();
  });

  test("cut off anywhere, it ends with an error that says so, and where", () => {
    const ends = [0, 1, text.length - 2];
    for (let end = 0; end < text.length - 1; end += end < 300 ? 1 : 211) ends.push(end);
    for (let end = text.indexOf("\n"); end < text.length - 1; end = text.indexOf("\n", end + 1))
      ends.push(end, end + 1);
    for (const end of ends) {
      const part = text.slice(0, end);
      const whole = part.split("\n").filter((line) => line !== "");
      expect(() => replay(tmp117, false, whole), `${end}`).toThrow(
        new RegExp(`^transcript line ${whole.length}: it is cut off here`),
      );
    }
  });

  test("where an operation was changed, the line is told, what was asked for then and what is now", () => {
    const runs = lines.flatMap((line, i) => (line.includes('"ask":"run"') ? [i] : []));
    expect(runs.length).toBeGreaterThan(20);
    for (const at of runs) {
      const changed = lines.map((line, i) => (i === at ? line.replace('"ops":[', '"ops":[{"read":7},') : line));
      expect(() => replay(tmp117, false, changed)).toThrow(
        expect.objectContaining({ name: "TranscriptError", line: at + 1 }),
      );
    }
    const at = runs[3]!;
    const changed = lines.map((line, i) => (i === at ? line.replace('"ops":[', '"ops":[{"read":7},') : line));
    expect(() => replay(tmp117, false, changed)).toThrow(
      /the firmware asked for \{"ask":"run","n":3,.*"read":7.*; now the firmware asks for \{"ask":"run","n":3,/,
    );
  });

  test("a line that is lost is noticed, at the end if nowhere before", () => {
    for (let at = 1; at < lines.length; at++) {
      const without = lines.filter((_, i) => i !== at);
      expect(() => replay(tmp117, false, without), lines[at]).toThrow(/^transcript line \d+: /);
    }
  });

  test("another chip, or none, is told at the first line where it differs", () => {
    expect(() => replay(max30102, false, lines)).toThrow(
      /^transcript line 3: the firmware asked for .*TMP117.*; now the firmware asks for .*MAX30102/,
    );
    const board = replayBoard(lines);
    expect(() => board.run()).toThrow(
      /^transcript line 2: the firmware asked for \{"ask":"i2c".*; now it asks for nothing/,
    );
    expect(() => board.now()).toThrow(/^transcript line 2/);
  });

  test("what is no transcript, of another version, damaged or put together is refused", () => {
    const refused = (changed: readonly string[], what: string) =>
      expect(() => replay(tmp117, false, changed)).toThrow(what);
    const [header = "", ...rest] = lines;
    expect(() => replayBoard(['{"a":1}', ...rest])).toThrow('line 1: no transcript begins with {"a":1}');
    expect(() => replayBoard(["# notes", ...rest])).toThrow("line 1: it is no JSON");
    expect(() => replayBoard(["[1]", ...rest])).toThrow("line 1: it is no JSON object");
    const other = header.replace('"version":1', '"version":2');
    expect(() => replayBoard([other, ...rest])).toThrow("line 1: its version is 2, this program reads 1");
    refused([...lines, ...lines], "there is more behind the end");
    refused([header, " ".repeat(LINE_LENGTH) + rest[0], ...rest.slice(1)], "line 2: it has 4");
    const done = lines.findIndex((line) => line.includes('"event":"done"'));
    const spoilt = (from: RegExp, to: string) => lines.map((line, i) => (i === done ? line.replace(from, to) : line));
    refused(spoilt(/"event":"done"/, '"event":"dream"'), `line ${done + 1}: nobody here takes the event "dream"`);
    refused(spoilt(/"of":\d+/, '"of":77'), `line ${done + 1}: the outcome of run 77 came; now nobody waits for it`);
    refused(spoilt(/"replies":\[.*?\]/, '"replies":["0g"]'), "pairs of hexadecimal digits");
    refused(spoilt(/"replies":\[.*?\]/, '"replies":7'), '"replies" must be a list, it is 7');
    refused(spoilt(/"began":/, '"error":{},"began":'), '"error" must have a kind of nack');
    refused(spoilt(/"began":\d+/, '"began":"now"'), '"began" must be a number, it is "now"');
  });
});

test("a `write` that fails ends the recording, and the firmware does not notice", () => {
  const bench = createBench(tmp117.chip, tmp117.emulated);
  const lines: string[] = [];
  const recording = recordBoard(bench.board, (line) => {
    if (lines.length === 9) throw new Error("disk full");
    lines.push(line);
  });
  const { told } = readOn(recording, tmp117, false);
  bench.wait(5000);
  expect(told.length).toBeGreaterThan(3);
  expect(recording.failed?.message).toBe("disk full");
  expect(lines).toHaveLength(9);
  expect(() => replay(tmp117, false, lines)).toThrow("transcript line 9: it is cut off here");
});
