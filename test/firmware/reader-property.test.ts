/** Whatever happens to buses and chips, for however long: afterwards all run again, and no loss went without a mark. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FAULT_GIVEN_UP } from "../../drivers/driver.ts";
import { I2C_PINS } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { createBedside, SECOND } from "./recovered.ts";

/** Longest fault, and latest begin of one, s. */
const LONGEST = 45;

const fault = fc.record({
  kind: fc.constantFrom("hold", "slow", "brown-out", "unplugged", "nack", "timeout", "short", "bus", "flap"),
  /** Which chip, where it is one's. */
  member: fc.nat({ max: 2 }),
  at: uniform(0, LONGEST),
  /** s */
  lasts: uniform(0, LONGEST),
  /** 0 to 1: how bad. */
  amount: uniform(0, 1),
});

interface Fault {
  readonly kind: string;
  readonly member: number;
  readonly at: number;
  readonly lasts: number;
  readonly amount: number;
}

/** Lets it begin and end on a bedside; returns the time of its end, us. */
function plan({ kind, member, at, lasts, amount }: Fault, { clock, board, members }: ReturnType<typeof createBedside>) {
  const chip = members[member];
  const begin = clock.now + at * SECOND;
  const end = begin + lasts * SECOND;
  const between = (start: () => void, stop: () => void) => {
    clock.at(begin, start);
    clock.at(end, stop);
  };
  if (kind === "hold") {
    const clocks = amount > 0.5 ? Number.POSITIVE_INFINITY : Math.ceil(amount * 60);
    between(
      () => board.holdData(I2C_PINS, clocks),
      () => board.holdData(I2C_PINS, 0),
    );
  } else if (kind === "slow") {
    between(
      () => board.slowClock(I2C_PINS, 1 + amount * 20),
      () => board.slowClock(I2C_PINS, 1),
    );
  } else if (kind === "brown-out") clock.at(end, () => chip.emulator.powerOn(clock.now));
  else if (kind === "flap") {
    const times = 1 + Math.floor(amount * 20);
    for (let i = 1; i <= times; i++)
      clock.at(begin + ((end - begin) * i) / times, () => chip.emulator.powerOn(clock.now));
  } else if (kind === "unplugged")
    between(
      () => chip.plug(false),
      () => chip.plug(true),
    );
  else {
    const failing = kind as "nack" | "timeout" | "short" | "bus";
    let random = Math.floor(amount * 0xffff);
    const often = 0.2 + 0.8 * amount;
    between(
      () =>
        chip.fail({ kind: failing, after: Math.floor(amount * 4) }, () => {
          random = (random * 25173 + 13849) & 0xffff;
          return random < often * 0x10000;
        }),
      () => chip.fail(null),
    );
  }
  return end;
}

test("every sensor runs again within 5 s of the last fault's end, and every sample is there or marked as lost", () => {
  let restarts = 0;
  let givenUp = 0;
  const property = fc.property(fc.array(fault, { minLength: 1, maxLength: 4 }), (faults) => {
    const bedside = createBedside();
    const { clock, members, wait } = bedside;
    const begin = clock.now;
    const end = Math.max(...faults.map((one) => plan(one, bedside)));
    clock.runUntil(end);
    wait(20);
    for (const member of members) {
      const { log, model } = member;
      expect(member.backAfter(end), `${model} is back`).toBeLessThan(5);
      // and stays so
      const late = log.samples.filter((at) => at > end + 5 * SECOND);
      expect(late.length, model).toBeGreaterThanOrEqual(13);
      expect(Math.max(...log.faults.map(({ at }) => at), 0), model).toBeLessThan(end + 5 * SECOND);
      expect(Math.max(...log.restarts, 0), model).toBeLessThan(end + 5 * SECOND);
      expect(member.whole, model).toBe(true);
      // bounded: seven attempts while the back-off grows, each time that it begins anew after a good run, then one in 2.5 s
      const seconds = (clock.now - begin) / SECOND;
      expect(log.restarts.length, model).toBeLessThan(14 + seconds / 1.2);
      expect(log.recoveries.length, model).toBeLessThan(14 + seconds / 1.2);
      restarts += log.restarts.length;
      givenUp += log.faults.filter(({ code }) => code === FAULT_GIVEN_UP).length;
    }
  });
  fc.assert(property, { seed: 5, numRuns: 30 });
  expect(restarts).toBeGreaterThan(60);
  expect(givenUp).toBeGreaterThan(3);
});
