/** The table of operations that board, gateway and command line share. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  KEY_CHANNEL,
  OP_CONSOLE,
  OP_FIRMWARE_ANNOUNCE,
  OP_SET_ALARM_LIMITS,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  operationNamed,
  operationOf,
  operations,
  parameterOf,
  STATUS_WORDS,
  wrongParameter,
} from "../../protocol/messages.ts";

test("every operation from 1 to 15 has a name of its own, under which it is found, and parameters with keys of their own", () => {
  const all = operations();
  expect(all.map(({ op }) => op)).toEqual(Array.from({ length: OP_CONSOLE }, (_, i) => i + 1));
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const one of all) {
    expect(one.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(operationNamed(one.name)).toEqual(one);
    expect(new Set(one.parameters.map(({ key }) => key)).size).toBe(one.parameters.length);
    expect(new Set(one.parameters.map(({ name }) => name)).size).toBe(one.parameters.length);
    for (const { key, name, lowest, highest } of one.parameters) {
      expect(lowest).toBeLessThan(highest);
      expect(name === "channel").toBe(key === KEY_CHANNEL);
    }
  }
  expect(operationOf(0)).toBe(null);
  expect(operationOf(16)).toBe(null);
  expect(operationNamed("dance")).toBe(null);
  expect(STATUS_WORDS).toHaveLength(8);
});

test("what is wrong with parameters is told by name, and nothing is where they are as the table says", () => {
  const wrong = (op: number, parameters: [number, number | string | Uint8Array][]) =>
    wrongParameter(operationOf(op)!, parameters);
  expect(wrong(OP_SET_LED_CURRENT, [[1, 24]])).toBe(null);
  expect(wrong(OP_SET_LED_CURRENT, [])).toBe("set-led-current: current is missing");
  expect(wrong(OP_SET_LED_CURRENT, [[1, 103]])).toBe("set-led-current: current is 103, must be 0 to 102 mA");
  expect(wrong(OP_SET_LED_CURRENT, [[1, "24"]])).toBe("set-led-current: current is text, must be int");
  expect(wrong(OP_SET_RATE, [[1, 100_000]])).toBe("set-rate: channel is missing");
  expect(
    wrong(OP_SET_RATE, [
      [1, 100_000],
      [2, 0],
    ]),
  ).toBe(null);
  expect(wrong(OP_START, [])).toBe(null);
  expect(wrong(OP_START, [[1, 0]])).toBe("start has no parameter 1");
  expect(wrong(OP_FIRMWARE_ANNOUNCE, [[1, new Uint8Array(0)]])).toBe(
    "firmware-announce: object is 0 bytes, must be 1 to 1024",
  );
  expect(wrong(OP_FIRMWARE_ANNOUNCE, [[1, new Uint8Array(1024)]])).toBe(null);
  expect(
    wrong(OP_SET_ALARM_LIMITS, [
      [2, 5],
      [6, 0],
    ]),
  ).toBe("set-alarm-limits: priority is 0, must be 1 to 3");
});

test("a parameter is found by its key, or is absent", () => {
  expect(parameterOf([[2, 7]], 2)).toBe(7);
  expect(parameterOf([[2, 7]], 1)).toBe(null);
});

test("PROTOCOL.md section 2.3 has every operation with its parameters, and which of them may be absent", () => {
  const protocol = readFileSync(new URL("../../protocol/PROTOCOL.md", import.meta.url), "utf8");
  for (const { op, name, parameters } of operations()) {
    const row = protocol.split("\n").find((line) => line.startsWith(`| ${op} ${name} `))!;
    const told = [...row.split("|")[2]!.matchAll(/(\? )?(\d+) ([a-z-]+)/g)].map((match) => ({
      key: Number(match[2]),
      name: match[3],
      required: match[1] === undefined,
    }));
    const own = told.filter((one) => parameters.some(({ key, name }) => key === one.key && name === one.name));
    expect(own).toEqual(
      [...parameters].sort((a, b) => a.key - b.key).map(({ key, name, required }) => ({ key, name, required })),
    );
  }
  for (const [status, words] of STATUS_WORDS.entries())
    expect(protocol).toContain(`${status} ${words.split(" ").slice(0, 2).join(" ").replace("operation", "op")}`);
});
