/** What goes wrong on a bus, and what a reader makes of it: real drivers on emulated chips, frames and faults out. */
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_GIVEN_UP } from "../../drivers/driver.ts";
import { I2C_PINS } from "../../simulator/bench.ts";
import { createBedside, type Member, SECOND } from "./recovered.ts";

const givenUp = ({ log }: Member) => log.faults.filter(({ code }) => code === FAULT_GIVEN_UP);
/** s between one time, us, and the next. */
const gaps = (times: readonly number[]) => times.slice(1).map((at, i) => (at - times[i]) / SECOND);

test("the bedside without a fault is whole: what the tests below find is found", () => {
  const { members, wait } = createBedside();
  wait(30);
  for (const member of members) member.expectWhole();
});

describe("SDA that a chip holds", () => {
  test("is let go by nine clocks at once: one restart of who noticed, nobody else is disturbed", () => {
    const { board, clock, oximeter, thermometer, ecg, wait } = createBedside();
    // the thermometer was polled just now, and is not again within half a second
    wait(0.1);
    const before = oximeter.log.samples.length;
    board.holdData(I2C_PINS, 9);
    const since = clock.now;
    wait(20);
    expect(oximeter.codesOf).toEqual([FAULT_BUS]);
    expect(oximeter.log.faults[0].message).toContain("no answer in time");
    expect(oximeter.log.recoveries).toHaveLength(1);
    expect(oximeter.log.restarts).toHaveLength(1);
    // one poll's operations that time out, 25 ms each, and no wait besides
    expect(oximeter.log.restarts[0] - oximeter.log.faults[0].at).toBeLessThan(0.05 * SECOND);
    expect(oximeter.backAfter(since)).toBeLessThan(1);
    expect(oximeter.log.samples.length - before).toBeGreaterThan(80);
    thermometer.expectWhole();
    ecg.expectWhole();
  });

  test("for good is tried again after 0.1 s, doubled up to 2.5 s, a recovery each time; let go, all are back in 5 s", () => {
    const { board, clock, oximeter, thermometer, ecg, members, wait } = createBedside();
    board.holdData(I2C_PINS, Number.POSITIVE_INFINITY);
    wait(20);
    board.holdData(I2C_PINS, 0);
    const end = clock.now;
    wait(20);
    for (const { log, model } of [oximeter, thermometer]) {
      const expected = [0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5, 2.5];
      const waited = gaps(log.recoveries);
      expect(waited.length, model).toBeGreaterThanOrEqual(expected.length);
      for (const [i, gap] of waited.entries()) {
        expect(gap, model).toBeGreaterThanOrEqual(expected[i] ?? 2.5);
        expect(gap, model).toBeLessThan((expected[i] ?? 2.5) + 0.25);
      }
      expect(log.restarts, model).toHaveLength(1);
      expect(log.faults.length, model).toBeLessThanOrEqual(4);
    }
    for (const member of members) expect(member.backAfter(end), member.model).toBeLessThan(5);
    for (const member of members) expect(givenUp(member)).toEqual([]);
    ecg.expectWhole();
  });

  test("for 40 s: each chip is given up once, after 30 s of failures, with what to do; the next time again", () => {
    const { board, clock, oximeter, thermometer, ecg, wait } = createBedside();
    for (let round = 1; round <= 2; round++) {
      const begin = clock.now;
      board.holdData(I2C_PINS, Number.POSITIVE_INFINITY);
      wait(40);
      for (const member of [oximeter, thermometer]) {
        const told = givenUp(member);
        expect(told).toHaveLength(round);
        const { at, message } = told[round - 1];
        expect((at - begin) / SECOND).toBeGreaterThan(29);
        expect((at - begin) / SECOND).toBeLessThan(33);
        // an event has room for its first 64 bytes
        expect(message.slice(0, 64)).toBe(
          `${member.model}: given up after 30 s; a chip holds SDA, cut its power; tried on. Last:`.slice(0, 64),
        );
        expect(message).toContain(`Last: ${member.model} at address`);
        expect(message).toContain("no answer in time");
        expect(member.log.faults.at(-1)!.code, "the last word").toBe(FAULT_GIVEN_UP);
      }
      board.holdData(I2C_PINS, 0);
      const end = clock.now;
      wait(20);
      for (const member of [oximeter, thermometer]) {
        expect(member.backAfter(end)).toBeLessThan(5);
        expect(member.log.restarts).toHaveLength(round);
      }
    }
    ecg.expectWhole();
  });

  test("and lets go of, but does not answer then, is no longer what the advice is about", () => {
    const { board, oximeter, wait } = createBedside();
    board.holdData(I2C_PINS, Number.POSITIVE_INFINITY);
    wait(10);
    oximeter.plug(false);
    board.holdData(I2C_PINS, 0);
    wait(30);
    expect(givenUp(oximeter)).toHaveLength(1);
    expect(givenUp(oximeter)[0].message).toMatch(/; check power and wiring; .*not acknowledged/);
  });

  test("is waited out where the board has no recovery", () => {
    const { board, clock, oximeter, wait } = createBedside({ recovers: false });
    board.holdData(I2C_PINS, 9);
    wait(20);
    expect(oximeter.log.restarts).toEqual([]);
    board.holdData(I2C_PINS, 0);
    const end = clock.now;
    wait(5);
    expect(oximeter.log.restarts).toHaveLength(1);
    expect(oximeter.backAfter(end)).toBeLessThan(5);
  });

  test("when a chip is closed is let go first, so that it is stopped all the same", () => {
    const { board, clock, oximeter, wait } = createBedside();
    wait(0.1);
    board.holdData(I2C_PINS, 3);
    while (!oximeter.log.busy) clock.step();
    let closed = false;
    oximeter.reader.close(() => {
      closed = true;
    });
    wait(1);
    expect(closed).toBe(true);
    expect(oximeter.log.recoveries).toHaveLength(1);
    const before = oximeter.log.samples.length;
    let converted = 0;
    oximeter.emulator.onConvert = () => converted++;
    wait(10);
    expect([oximeter.log.samples.length, converted]).toEqual([before, 0]);
  });
});

test("a clock that is only slow is no fault: nothing is lost, nothing opened anew", () => {
  const { board, members, wait } = createBedside();
  board.slowClock(I2C_PINS, 20);
  wait(30);
  board.slowClock(I2C_PINS, 1);
  wait(10);
  for (const member of members) member.expectWhole();
});

describe("a chip that is unplugged", () => {
  test.each(["oximeter", "thermometer", "ecg"] as const)(
    "for 20 s (%s) is back within 5 s of its being plugged in, with one restart; the others lose nothing",
    (name) => {
      const bedside = createBedside();
      const { clock, members, wait } = bedside;
      const member = bedside[name];
      member.plug(false);
      wait(20);
      member.plug(true);
      const end = clock.now;
      wait(20);
      expect(member.backAfter(end)).toBeLessThan(5);
      expect(member.log.restarts).toHaveLength(1);
      expect(member.log.restarts[0]).toBeGreaterThan(end);
      expect(member.log.faults.length).toBeGreaterThan(0);
      expect(member.log.faults.length).toBeLessThanOrEqual(4);
      expect(member.log.recoveries, "a NACK is no reason to clock the bus").toEqual([]);
      for (const other of members) if (other !== member) other.expectWhole();
    },
  );

  test("for ten minutes is told once as given up, and is back within 5 s all the same", () => {
    const { clock, oximeter, thermometer, wait } = createBedside();
    oximeter.plug(false);
    wait(600);
    expect(givenUp(oximeter)).toHaveLength(1);
    expect(givenUp(oximeter)[0].message).toMatch(
      /^MAX30102: given up after 30 s; check power and wiring; tried on\. Last: MAX30102 at address 0x57: .*not acknowledged/,
    );
    expect(oximeter.log.faults.length).toBeLessThanOrEqual(5);
    oximeter.plug(true);
    const end = clock.now;
    wait(10);
    expect(oximeter.backAfter(end)).toBeLessThan(5);
    expect(oximeter.log.restarts).toHaveLength(1);
    thermometer.expectWhole();
  });
});

describe("a chip that loses its state", () => {
  test.each(["oximeter", "thermometer", "ecg"] as const)(
    "(%s) is opened anew at once, and again if need be",
    (name) => {
      const bedside = createBedside();
      const { clock, members, wait } = bedside;
      const member = bedside[name];
      for (let round = 1; round <= 3; round++) {
        member.emulator.powerOn(clock.now);
        const end = clock.now;
        wait(10);
        expect(member.log.restarts).toHaveLength(round);
        // from the poll that found it to the end of the opening
        expect(member.log.restarts[round - 1] - member.log.lostState[round - 1]).toBeLessThan(0.1 * SECOND);
        expect(member.backAfter(end)).toBeLessThan(5);
      }
      for (const other of members) if (other !== member) other.expectWhole();
    },
  );

  test("every 0.3 s for a minute is opened less and less often, never given up, and back once that ends", () => {
    const { clock, oximeter, thermometer, wait } = createBedside();
    for (let i = 0; i < 200; i++) {
      oximeter.emulator.powerOn(clock.now);
      wait(0.3);
    }
    const end = clock.now;
    // six of the doubling, then one each 2.5 s
    expect(oximeter.log.restarts.length).toBeGreaterThan(15);
    expect(oximeter.log.restarts.length).toBeLessThan(32);
    expect(givenUp(oximeter)).toEqual([]);
    wait(20);
    expect(oximeter.backAfter(end)).toBeLessThan(5);
    thermometer.expectWhole();
    // and it is trusted again: the next brown-out is mended at once
    oximeter.emulator.powerOn(clock.now);
    wait(1);
    expect(oximeter.log.restarts.at(-1)! - oximeter.log.lostState.at(-1)!).toBeLessThan(0.1 * SECOND);
  });
});

test("a chip that can be opened but never read is given up too, once, and is back when it can", () => {
  const { clock, oximeter, wait } = createBedside();
  // its polls read the FIFO from its write pointer on
  oximeter.fail("nack", (op) => "read" in op && op.at === 0x04);
  wait(120);
  expect(givenUp(oximeter)).toHaveLength(1);
  expect(oximeter.log.restarts.length).toBeGreaterThan(5);
  oximeter.fail(null);
  const end = clock.now;
  wait(20);
  expect(oximeter.backAfter(end)).toBeLessThan(5);
  expect(givenUp(oximeter)).toHaveLength(1);
});

test("recoveries for one chip on a bus, for minutes, cost the other not one sample", () => {
  const { clock, oximeter, thermometer, wait } = createBedside();
  thermometer.fail("timeout");
  wait(120);
  expect(thermometer.log.recoveries.length).toBeGreaterThan(40);
  expect(givenUp(thermometer)).toHaveLength(1);
  oximeter.expectWhole();
  thermometer.fail(null);
  const end = clock.now;
  wait(10);
  expect(thermometer.backAfter(end)).toBeLessThan(5);
  oximeter.expectWhole();
});
