/** What a plan of faults may say, and when it then happens: by the seed alone. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createSimulatedBoard, createVirtualClock } from "../../../boards/simulated.ts";
import { createFaults, type FaultEntry, faultKinds, planFaults, unsuited } from "../../../simulator/faults.ts";

const refused: readonly (readonly [unknown, string])[] = [
  [{ kind: "gremlin", at: 1 }, '0.kind: "gremlin" is no kind of fault; there are nack, stuck-sda'],
  [{ at: 1 }, "0.kind: no kind of fault"],
  [{ kind: "nack", chip: "tmp117" }, "0.kind: it needs one of at, every and probability, not none"],
  [
    { kind: "nack", chip: "tmp117", at: 1, every: 9 },
    "0.every: it needs one of at, every and probability, not at and every",
  ],
  [{ kind: "nack", chip: "tmp117", at: -1 }, "0.at: -1 is not 0 to 1000000 s"],
  [{ kind: "nack", at: 1 }, "0.chip: the chip that it is about"],
  [{ kind: "nack", chip: "tmp117", at: 1, share: 2 }, "0.share: 2 is not 0 to 1"],
  [{ kind: "nack", chip: "tmp117", at: 1, for: 0 }, "0.for: 0 s is no time"],
  [{ kind: "host-stall", every: 1, for: 1 }, "0.every: every 1 s must be longer than the fault, which lasts 1 s"],
  [{ kind: "host-stall", probability: 1 }, "0.probability: 1 is not"],
  [{ kind: "host-stall", at: 1, board: 0.5 }, "0.board: a whole number from 0"],
  [{ kind: "flash-pause", at: 1, pause: 300 }, "0.interval: interval 200 ms must be longer than pause 300 ms"],
  [{ kind: "oscillator", chip: "tmp117", at: 3 }, "0.at: an oscillator is off from the start and for good; remove it"],
];
test.each(refused)("%j is refused, with what is wrong and what to do", (entry, words) => {
  expect(() => planFaults([entry as FaultEntry])).toThrow(words);
});

test("what is not written has a default, kind by kind", () => {
  expect(planFaults([{ kind: "host-stall", at: 2 }])).toEqual([{ kind: "host-stall", at: 2, for: 0.125 }]);
  expect(planFaults([{ kind: "lead-off", chip: "max30003", every: 60 }])).toEqual([
    { kind: "lead-off", chip: "max30003", every: 60, for: 10, electrode: "both", voltage: 0.1 },
  ]);
  expect(faultKinds).toHaveLength(21);
});

const chip = (model: string, bus: "i2c" | "spi" | "analog", inputs: Record<string, string>) => ({
  model,
  bus,
  inputs: Object.fromEntries(
    Object.entries(inputs).map(([name, unit]) => [name, { unit, channel: name, minimum: 0, maximum: 1, epsilon: 0 }]),
  ),
});
const parts = {
  index: 1,
  chips: [
    chip("MAX30102", "i2c", { red: "nA/mA" }),
    chip("MAX30003", "spi", { ecg: "V" }),
    chip("TMP117", "i2c", { t: "Cel" }),
  ],
  line: false,
  broker: true,
};
const refusals: readonly (readonly [FaultEntry, string | null])[] = [
  [{ kind: "nack", chip: "max30102", at: 1 }, null],
  [{ kind: "nack", chip: "max30003", at: 1 }, "a MAX30003 is not on I2C; choose another chip"],
  [{ kind: "nack", chip: "mlx90614", at: 1 }, 'board 1 has no chip "mlx90614"; it has max30102, max30003, tmp117'],
  [{ kind: "finger-off", chip: "max30003", at: 1 }, "a MAX30003 measures no light; choose another chip"],
  [{ kind: "saturation", chip: "tmp117", at: 1 }, "a TMP117 does not saturate within its range; choose another chip"],
  [{ kind: "bad-pec", chip: "tmp117", at: 1 }, "a TMP117 sends no packet error code; choose another chip"],
  [
    { kind: "lead-off", chip: "max30003", at: 1 },
    "a MAX30003 does not tell that of its electrodes; choose another chip",
  ],
  [{ kind: "serial-garbage", at: 1 }, "board 1 has no serial line; choose another board"],
  [{ kind: "broker-gone", at: 1 }, null],
  [{ kind: "broker-gone", board: 0, at: 1 }, "it is about board 0, not 1"],
];
test.each(refusals)("whether a board can have %j depends on its parts", (entry, reason) => {
  expect(unsuited(planFaults([entry])[0], parts)).toBe(reason);
});

/** The stalls of a board, s: when they began and ended. */
const stalls = (
  entry: Omit<FaultEntry & { kind: "host-stall" }, "kind">,
  seed: number,
  index: number,
  seconds: number,
) => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const faults = createFaults({ plan: planFaults([{ kind: "host-stall", ...entry }]), clock, board, index, seed });
  faults.start();
  clock.runUntil(seconds * 1e6);
  faults.stop();
  return faults.truth.map(({ state, at }) => [state, at]);
};

test("a fault at a time happens once, one that returns at every multiple of its time, and the truth says from when to when", () => {
  const once = [
    ["began", 2.5],
    ["ended", 2.75],
  ];
  expect(stalls({ at: 2.5, for: 0.25 }, 1, 0, 100)).toEqual(once);
  expect(stalls({ every: 4, for: 1 }, 1, 0, 10)).toEqual([
    ["began", 4],
    ["ended", 5],
    ["began", 8],
    ["ended", 9],
  ]);
  expect(stalls({ at: 2.5, board: 1 }, 1, 0, 10)).toEqual([]);
});

test("what lasts when the world ends has ended there, and nothing begins after it", () => {
  expect(stalls({ at: 2, for: 50 }, 1, 0, 10)).toEqual([
    ["began", 2],
    ["ended", 10],
  ]);
});

test("by its probability a fault begins in that part of all seconds, elsewhere for every board and seed, the same for one", () => {
  const began = (seed: number, index: number) =>
    stalls({ probability: 0.02, for: 0.001 }, seed, index, 50_000).filter(([state]) => state === "began");
  const times = began(1, 0);
  // 1000 expected; the standard deviation of the count is 32.
  expect(Math.abs(times.length - 50_000 * -Math.log(0.98))).toBeLessThan(130);
  const seconds = new Set(times.map(([, at]) => Math.floor(at as number)));
  expect(Math.abs(seconds.size / 50_000 - 0.02)).toBeLessThan(0.0026);
  expect(began(1, 0)).toEqual(times);
  expect(began(1, 1)[0]).not.toEqual(times[0]);
  expect(began(2, 0)[0]).not.toEqual(times[0]);
});

test("a plan that names this board and a chip that it has not does not start", () => {
  const clock = createVirtualClock();
  const plan = planFaults([{ kind: "nack", chip: "tmp117", board: 0, at: 1 }]);
  const faults = createFaults({ plan, clock, board: createSimulatedBoard(clock), index: 0, seed: 1 });
  expect(() => faults.start()).toThrow('faults: 0 (nack): board 0 has no chip "tmp117"');
});

test("the page has every kind, what each takes, and the defaults that the plan has", () => {
  const rows = readFileSync(new URL("../../../simulator/faults/README.md", import.meta.url), "utf8").split("\n");
  const cells = rows
    .filter((row) => /^\| [a-z-]+ \|/.test(row))
    .map((row) => row.split("|").map((cell) => cell.trim()));
  expect(cells.slice(1).map(([, kind]) => kind)).toEqual(faultKinds);
  for (const [, kind, , chip, lasts, own] of cells.slice(1)) {
    const entry = { kind, ...(chip !== "none" && { chip: "max30102" }), ...(kind !== "oscillator" && { at: 1 }) };
    const [{ kind: _kind, at: _at, ...fault }] = planFaults([entry as FaultEntry]) as readonly Record<
      string,
      unknown
    >[];
    expect(String(lasts || 0)).toBe(String(fault.for));
    for (const [name, value] of Object.entries(fault)) {
      if (name !== "for" && name !== "chip") expect(own).toContain(`\`${name}\` ${value}`);
    }
  }
});
