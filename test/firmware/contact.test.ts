/** Off, settling, good: what a board says of a finger that is taken away and put back (FAULTS.md 6 and 17). */
import { expect, test } from "vitest";
import { FLAG_LOW_PERFUSION, FLAG_MOTION, FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { type ContactState, contactFlags, contactOf, isNews, leastContact } from "../../firmware/contact.ts";
import {
  EVENT_CONTACT,
  MDC_PERFUSION_INDEX,
  MDC_PULSE_RATE,
  MDC_SPO2,
  type Num,
  OP_STOP,
  qualFlags,
} from "../../protocol/messages.ts";
import { fingerOff } from "../../simulator/story.ts";
import { channelOf, createCommanded, INFRARED, RED } from "./commanded.ts";

const STATES: readonly ContactState[] = ["off", "settling", "good"];

test("a finger is off by its flag, settling without a pulse, good from the first pulse on, also while motion hides it", () => {
  for (const before of [null, ...STATES]) {
    for (const measured of [true, false]) expect(contactOf(before, FLAG_OFF_BODY, measured)).toBe("off");
    expect(contactOf(before, FLAG_SETTLING, false)).toBe("settling");
    expect(contactOf(before, FLAG_SATURATED, false)).toBe("settling");
    expect(contactOf(before, 0, true)).toBe("good");
    for (const hidden of [FLAG_MOTION, FLAG_LOW_PERFUSION])
      expect(contactOf(before, hidden, false)).toBe(before === "good" ? "good" : "settling");
  }
});

test("an event tells that a finger is gone, and each state until all is good; of two sensors the least good counts", () => {
  const news = STATES.map((told) => STATES.filter((state) => isNews(told, state)));
  expect(news).toEqual([["settling", "good"], ["off", "good"], ["off"]]);
  for (const told of STATES) expect(isNews(told, null)).toBe(false);
  expect(STATES.map(contactFlags)).toEqual([FLAG_OFF_BODY, FLAG_SETTLING, 0]);
  STATES.forEach((one, i) => {
    for (const other of STATES.slice(i)) {
      expect(leastContact(one, other)).toBe(one);
      expect(leastContact(other, one)).toBe(one);
    }
    expect(leastContact(null, one)).toBe(one);
    expect(leastContact(one, null)).toBe(one);
  });
  expect(leastContact(null, null)).toBeNull();
});

/** A board whose finger is away from `begin` on for `hold` s, with its state and values at the end of each second. */
function watched(begin: number, hold: number, seconds: number) {
  const board = createCommanded({ story: fingerOff({ begin, hold }) });
  const states: (ContactState | null)[] = [];
  board.start(0.5);
  for (let second = 0; second < seconds; second++) {
    board.run(1);
    states.push(board.node.runtime.contact);
  }
  const values = (mdc: number) => {
    const id = channelOf(board.births()[0]!, mdc);
    return board
      .data()
      .flatMap(({ channels }) => channels)
      .filter((one): one is Num => one.kind === "num" && one.id === id)
      .map(({ value, qual }) => ({ value, flags: qualFlags(qual) }));
  };
  const events = () => board.eventsOf(EVENT_CONTACT).map(({ small, tick }) => [Math.round(tick / 1000), small]);
  return { board, states, values, events };
}

test("a finger that is taken away is off within a second, put back it settles, and is good within ten", () => {
  const { states, values, events } = watched(20, 10, 45);
  const spans: [ContactState | null, number][] = [];
  for (const state of states) {
    if (spans.at(-1)?.[0] === state) spans.at(-1)![1]++;
    else spans.push([state, 1]);
  }
  expect(spans.map(([state]) => state)).toEqual(["settling", "good", "off", "settling", "good"]);
  const [first, there, off, again] = spans.map(([, lasted]) => lasted);
  expect(first).toBeLessThanOrEqual(10);
  expect(first! + there!).toBe(20);
  expect(off).toBe(10);
  expect(again).toBeLessThanOrEqual(10);
  // the first settling of a boot is what values say; that a finger went is an event, and so is all until it is good again
  expect(events()).toEqual([
    [21, [INFRARED, FLAG_OFF_BODY]],
    [31, [INFRARED, FLAG_SETTLING]],
    [31 + again!, [INFRARED, 0]],
  ]);
  for (const mdc of [MDC_PULSE_RATE, MDC_PERFUSION_INDEX, MDC_SPO2]) {
    const found = values(mdc);
    expect(found).toHaveLength(states.length);
    found.forEach(({ value, flags }, second) => {
      const state = states[second];
      if (state === "off") expect({ value, flags }).toEqual({ value: null, flags: FLAG_OFF_BODY });
      else if (state === "settling") {
        expect(value).toBeNull();
        expect(flags & FLAG_SETTLING).toBe(FLAG_SETTLING);
      } else if (mdc === MDC_PULSE_RATE) expect(value).not.toBeNull();
    });
  }
});

test("a board that starts without a finger says so at once, and again nothing until there is one", () => {
  const { states, events } = watched(0, 15, 30);
  expect(states.slice(1, 14).every((state) => state === "off")).toBe(true);
  expect(events().map(([, small]) => small)).toEqual([
    [INFRARED, FLAG_OFF_BODY],
    [INFRARED, FLAG_SETTLING],
    [INFRARED, 0],
  ]);
});

test("of a chip that is stopped no contact is known, and no event tells one", () => {
  const { board, states, events } = watched(1000, 1, 15);
  expect(states.at(-1)).toBe("good");
  board.command(OP_STOP, [[2, RED]]);
  board.run(6);
  expect(board.node.runtime.contact).toBeNull();
  expect(events()).toEqual([]);
});
