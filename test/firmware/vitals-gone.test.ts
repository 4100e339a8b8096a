/**
 * No vital is shown after its signal is gone, nor after it has come back as what it was before: whatever happens to the sensors,
 * a value is that of the person who is on them now.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Block,
  createBlock,
  FLAG_LEAD_OFF,
  FLAG_LED_CHANGED,
  FLAG_OFF_BODY,
  FLAG_TEST_SIGNAL,
} from "../../drivers/driver.ts";
import { max30003, max30102, tmp117 } from "../../drivers/index.ts";
import { createVitals } from "../../firmware/vitals.ts";
import {
  MDC_HEART_RATE,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_SPO2,
  MDC_TEMP_AXILLA,
} from "../../protocol/messages.ts";
import { createEcg, createPpg, createRandom } from "../../simulator/index.ts";

const SECONDS = 60;
/** Reads, and blocks of each chip, a second. */
const TURNS = 4;

/** People who cannot be taken for each other. */
const people = [
  { heartRate: 60, spo2: 98, perfusionIndex: 3, temperature: 33 },
  { heartRate: 105, spo2: 84, perfusionIndex: 1, temperature: 38 },
].map((truth, index) => {
  const random = createRandom(`somebody ${index}`);
  const ecg = createEcg({ heartRate: truth.heartRate, sdRate: 1, amplitude: 1, random: random.fork("ecg") });
  const ppg = createPpg({ ...truth, rhythm: ecg.rhythm, random: random.fork("ppg") });
  const draw = (rate: number, signal: (time: number) => number) =>
    Int32Array.from({ length: SECONDS * rate }, (_, i) => Math.round(signal(i / rate)));
  return {
    truth,
    ecg: draw(256, (time) => (ecg.at(time) / 1000) * 2_621_440),
    red: draw(100, (time) => ppg.red(time, time) * 150),
    infrared: draw(100, (time) => ppg.infrared(time, time) * 150),
  };
});

const chips = [
  { channels: max30102.create({ sampleRate: 100 }, {}).channels() },
  { channels: max30003.create({ sampleRate: 256 }, {}).channels() },
  { channels: tmp117.create({}, {}).channels(), site: "axilla" },
];
const [OXIMETER, ELECTRODES, THERMOMETER] = [0, 1, 2];

/** What can happen to a sensor, and how long after it a vital of it may still be shown, s. */
const LIMITS = { off: 0.5, silent: 3.25, test: 0, saturated: 0.5 } as const;
type Trouble = keyof typeof LIMITS;
type Mode = Trouble | "on";
interface Act {
  readonly mode: Mode;
  /** Somebody else puts the sensors on, the chip having been opened anew. */
  readonly next: boolean;
  readonly ledChanged: boolean;
  /** Turns. */
  readonly lasts: number;
}

const act: fc.Arbitrary<Act> = fc.record({
  mode: fc.constantFrom<Mode>("on", "on", "on", "off", "silent", "test", "saturated"),
  next: fc.boolean(),
  ledChanged: fc.boolean(),
  lasts: fc.integer({ min: 1, max: 18 * TURNS }),
});

/** Troubles after which a sensor knows by itself that what comes may be somebody else's; a reader opens a chip anew after others. */
const noticed: readonly Mode[] = ["off", "test", "saturated"];

/** One chip's own life: who is on it, and since when it is as it is. `notices`: it knows when it is off. */
function life(acts: readonly Act[], notices: boolean) {
  let at = -1;
  let left = 0;
  let somebody = 0;
  let before = 0;
  const state = { mode: "on" as Mode, since: 0, somebody: 0, ledChanged: false, opened: false };
  return (turn: number) => {
    state.opened = state.ledChanged = false;
    if (left === 0) {
      at++;
      const now = acts[at % acts.length]!;
      left = now.lasts;
      if (now.mode !== state.mode) state.since = turn;
      if (now.mode === "on" && now.next) {
        somebody = 1 - somebody;
        state.opened = !notices || !noticed.includes(state.mode) || before < TURNS;
        state.since = turn;
      }
      before = now.lasts;
      state.mode = now.mode;
      state.somebody = somebody;
      state.ledChanged = now.ledChanged;
    }
    left--;
    return state;
  };
}

const near = (mdc: number, value: number, somebody: number): boolean => {
  const { truth } = people[somebody]!;
  if (mdc === MDC_HEART_RATE || mdc === MDC_PULSE_RATE) return Math.abs(value / 10 - truth.heartRate) < 12;
  if (mdc === MDC_SPO2) return Math.abs(value / 10 - truth.spo2) < 5;
  if (mdc === MDC_PERFUSION_INDEX)
    return value / 100 / truth.perfusionIndex < 1.7 && value / 100 / truth.perfusionIndex > 0.6;
  return Math.abs(value / 100 - truth.temperature) < 0.1;
};

test("a vital is that of whoever is on the sensor now, or null with a flag; gone with its signal within its limit", () => {
  const shown = new Map<number, number>();
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 3 }),
      fc.array(act, { minLength: 3 }),
      fc.array(act, { minLength: 3 }),
      (a, b, c) => {
        const vitals = createVitals(chips);
        const definitions = vitals.definitions(0);
        const sensorOf = (mdc: number) =>
          mdc === MDC_TEMP_AXILLA
            ? THERMOMETER
            : mdc === MDC_PULSE_RATE || mdc === MDC_SPO2 || mdc === MDC_PERFUSION_INDEX
              ? OXIMETER
              : ELECTRODES;
        const lives = [life(a, true), life(b, true), life(c, false)];
        const block = createBlock(64);
        const give = (
          sensor: number,
          place: number,
          samples: ArrayLike<number>,
          rate: number,
          turn: number,
          flags: number,
        ) => {
          const one: Block = { ...block, samples: Int32Array.from(samples), count: samples.length };
          Object.assign(one, { time: (turn / TURNS) * 1e6, index: (turn * rate) / TURNS, flags });
          vitals.take(sensor, place, one);
        };
        for (let turn = 0; turn < SECONDS * TURNS; turn++) {
          const states = lives.map((next) => next(turn));
          states.forEach(({ mode, somebody, ledChanged, opened }, sensor) => {
            if (opened)
              for (let place = 0; place < chips[sensor]!.channels.length; place++) vitals.interrupted(sensor, place, 0);
            if (mode === "silent") return;
            const who = people[somebody]!;
            const flags = mode === "test" ? FLAG_TEST_SIGNAL : 0;
            const part = (samples: Int32Array, rate: number) =>
              samples.subarray((turn * rate) / TURNS, ((turn + 1) * rate) / TURNS);
            if (sensor === OXIMETER) {
              for (const [place, light] of [who.red, who.infrared].entries()) {
                const seen = Array.from(part(light, 100), (count) =>
                  mode === "off" ? 300 : mode === "saturated" ? 262_143 : count,
                );
                give(
                  sensor,
                  place,
                  seen,
                  100,
                  turn,
                  flags | (ledChanged ? FLAG_LED_CHANGED : 0) | (mode === "off" ? FLAG_OFF_BODY : 0),
                );
              }
            } else if (sensor === ELECTRODES) {
              give(
                sensor,
                0,
                part(who.ecg, 256),
                256,
                turn,
                flags | (mode === "off" || mode === "saturated" ? FLAG_LEAD_OFF : 0),
              );
            } else if (turn % TURNS === 0) {
              give(sensor, 0, [who.truth.temperature * 128], 1, turn, flags);
            }
          });
          vitals.read(((turn + 1) / TURNS) * 1e6, (index, value, flags) => {
            const { mdc } = definitions[index]!;
            if (definitions[index]!.ucum === "ms") return;
            if (value === null) {
              expect(flags, `channel ${mdc}: null without a flag`).not.toBe(0);
              return;
            }
            const sensor = sensorOf(mdc);
            const { mode, since, somebody } = states[sensor]!;
            const gone = (turn + 1 - since) / TURNS;
            // a thermometer does not know whether it is on anybody, and reads once a second
            const limit =
              mode === "on" || (sensor === THERMOMETER && mode !== "silent" && mode !== "test")
                ? Infinity
                : LIMITS[mode] + (sensor === THERMOMETER ? 1 : 0);
            expect(gone, `channel ${mdc}: ${value} shown ${gone} s after ${mode}`).toBeLessThanOrEqual(limit);
            expect(near(mdc, value, somebody), `channel ${mdc}: ${value} of somebody else, turn ${turn}`).toBe(true);
            shown.set(mdc, (shown.get(mdc) ?? 0) + 1);
          });
        }
      },
    ),
    { numRuns: 40 },
  );
  // It is no proof where nothing is ever shown.
  for (const mdc of [MDC_HEART_RATE, MDC_PULSE_RATE, MDC_SPO2, MDC_PERFUSION_INDEX, MDC_TEMP_AXILLA])
    expect(shown.get(mdc) ?? 0, `channel ${mdc}`).toBeGreaterThan(40);
}, 60_000);
