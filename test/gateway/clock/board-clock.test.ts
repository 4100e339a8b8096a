import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BOARD_WANDER, type BoardClock, createBoardClock, DELAY } from "../../../gateway/clock/board-clock.ts";
import { createChannelClock } from "../../../gateway/clock/channel-clock.ts";
import { BOOT, createWorld, type World, type WorldOptions } from "./world.ts";

const SECOND = 1e6;
const HOUR = 3600e6;
const loopback = { least: 100, mean: 200 };
const wifi = { least: 5000, mean: 20_000 };
/** 30 ppm off, and as wandering as is assumed: 17 ppm an hour at most. */
const board = { drift: 30e-6, swing: 8e-6, swingPeriod: 3 * HOUR };

interface Run {
  /** Between two messages, us. */
  readonly every: number;
  readonly length: number;
  /** Between two pings, us; null: none. */
  readonly pings: number | null;
  /** Added to what the gateway's clock shows, by true time. */
  readonly step?: (t: number) => number;
}

/** Messages in the order in which they come, each dated when it is there. */
function play(world: World, clock: BoardClock, run: Run, dated: (tick: number, t: number, step: number) => void) {
  const { every, length, pings, step = () => 0 } = run;
  const arrivals: { there: number; tick: number; ping?: number }[] = [];
  let pinged = every / 2;
  for (let k = 1; k * every <= length; k++) {
    const t = world.trueOf(k * every + 300);
    arrivals.push({ there: world.arrival(t), tick: world.tick(k * every + 300) });
    if (pings === null || t < pinged) continue;
    pinged = t + pings;
    const answered = world.arrival(t + 3000);
    arrivals.push({ there: world.arrival(answered + 50), tick: world.tick(world.board(answered)), ping: t + 3000 });
  }
  arrivals.sort((a, b) => a.there - b.there);
  for (const { there, tick, ping } of arrivals) {
    const shift = step(there);
    clock.arrival(tick, BOOT + there + shift, true);
    dated(tick, there, shift);
    if (ping !== undefined) clock.ping(Math.floor(BOOT + ping + step(ping)), tick);
  }
}

/** Plays, and says what never must be: how often the truth was outside; and the largest uncertainty behind 15 min. */
function judge(options: WorldOptions, run: Run) {
  const world = createWorld(options);
  const clock = createBoardClock();
  const seen = { dated: 0, untimed: 0, outside: 0, uncertainty: 0, error: 0, clock };
  play(world, clock, run, (tick, t) => {
    const at = clock.at(tick);
    if (at === null) {
      seen.untimed++;
      return;
    }
    seen.dated++;
    const error = Math.abs(at.utc - BOOT - world.trueOf(tick));
    const rate =
      1 / (1 + options.drift + options.swing * Math.sin((2 * Math.PI * world.trueOf(tick)) / options.swingPeriod)) - 1;
    if (error > at.uncertainty || Math.abs(at.slope - rate) > at.slopeUncertainty) seen.outside++;
    if (t > 900 * SECOND) {
      seen.uncertainty = Math.max(seen.uncertainty, at.uncertainty);
      seen.error = Math.max(seen.error, error);
    }
  });
  return seen;
}

describe("24 h of a board 30 ppm off whose temperature moves it by 17 ppm an hour", () => {
  const day = { every: 4 * SECOND, length: 24 * HOUR };
  test.each(["a", "b"])(
    "on loopback with bursts, pinged: every tick within its uncertainty, below 1 ms behind 15 min (seed %s)",
    (seed) => {
      const seen = judge(
        { seed, ...board, delay: loopback, burst: { every: 97, delay: 50_000 } },
        { ...day, pings: 30 * SECOND },
      );
      expect(seen).toMatchObject({ outside: 0 });
      expect(seen.untimed).toBeLessThan(3);
      expect(seen.uncertainty).toBeLessThan(1000);
      expect(seen.clock.restarts).toBe(0);
    },
  );

  test("over WiFi with outages, pinged: every tick within its uncertainty, half of the shortest ways there and back", () => {
    const outages = [
      { from: HOUR, to: 1.3 * HOUR },
      { from: 10 * HOUR, to: 14 * HOUR },
    ];
    const seen = judge({ seed: "w", ...board, delay: wifi, outages }, { ...day, pings: 30 * SECOND });
    expect(seen).toMatchObject({ outside: 0 });
    expect(seen.clock.restarts).toBe(0);
    const quiet = judge({ seed: "w", ...board, delay: wifi }, { ...day, length: 3 * HOUR, pings: 30 * SECOND });
    expect(quiet).toMatchObject({ outside: 0 });
    expect(quiet.uncertainty).toBeGreaterThan(wifi.least);
    expect(quiet.uncertainty).toBeLessThan(25_000);
  });

  test("never pinged: it says that a delay is assumed, its uncertainty holds that delay, and the error is the real one", () => {
    const seen = judge({ seed: "n", ...board, delay: wifi }, { ...day, length: 4 * HOUR, pings: null });
    expect(seen).toMatchObject({ outside: 0 });
    expect(seen.clock.at(4 * HOUR)).toMatchObject({ assumed: true });
    expect(seen.clock.at(4 * HOUR)!.uncertainty).toBeGreaterThan(DELAY / 2);
    expect(seen.error).toBeLessThan(25_000);
  });
});

test("any crystal within 150 ppm, any temperature within the assumed wander, any delays: the truth is never outside", () => {
  fc.assert(
    fc.property(
      fc.record({
        drift: fc.double({ min: -150e-6, max: 150e-6, noNaN: true }),
        wander: fc.double({ min: 0, max: BOARD_WANDER, noNaN: true }),
        swingPeriod: fc.double({ min: 0.2 * HOUR, max: 10 * HOUR, noNaN: true }),
        least: fc.double({ min: 0, max: 40_000, noNaN: true }),
        mean: fc.double({ min: 10, max: 30_000, noNaN: true }),
        every: fc.constantFrom(1, 5, 20),
        pings: fc.constantFrom(10, 30, 300),
        seed: fc.string(),
      }),
      ({ drift, wander, swingPeriod, least, mean, every, pings, seed }) => {
        const swing = Math.min(40e-6, (wander * swingPeriod) / (2 * Math.PI));
        const options = { seed, drift, swing, swingPeriod, delay: { least, mean } };
        const seen = judge(options, { every: every * SECOND, length: HOUR, pings: pings * SECOND });
        expect(seen.outside).toBe(0);
        expect(seen.clock.restarts).toBe(0);
        expect(seen.dated).toBeGreaterThan(100);
      },
    ),
    { numRuns: 25 },
  );
});

describe("what would corrupt a fit", () => {
  const run = { every: SECOND, length: HOUR, pings: 10 * SECOND };
  test.each([5 * SECOND, -5 * SECOND, 0.2 * SECOND])(
    "a step of the gateway's clock by %d us begins anew; then the new time is followed",
    (by) => {
      const world = createWorld({ seed: "s", ...board, delay: loopback });
      const clock = createBoardClock();
      let wrong = 0;
      let followed = 0;
      play(world, clock, { ...run, step: (t) => (t > HOUR / 2 ? by : 0) }, (tick, t, step) => {
        const at = clock.at(tick);
        if (at === null) return;
        const truth = BOOT + world.trueOf(tick);
        const inNew = Math.abs(at.utc - truth - step) <= at.uncertainty;
        // until a ping shows it, a step forward looks like a delay: then the old time goes on
        if (!inNew && Math.abs(at.utc - truth) > at.uncertainty) wrong++;
        if (inNew && t > HOUR / 2 + 15 * SECOND) followed++;
        if (t > HOUR / 2 + 15 * SECOND && !inNew) wrong++;
      });
      expect({ wrong, restarts: clock.restarts }).toEqual({ wrong: 0, restarts: 1 });
      expect(followed).toBeGreaterThan(1700);
    },
  );

  test("without pings a step is believed after a minute, a stall of half a minute is not one", () => {
    for (const [lasts, restarts] of [
      [30 * SECOND, 0],
      [HOUR, 1],
    ]) {
      const world = createWorld({ seed: "t", ...board, delay: loopback });
      const clock = createBoardClock();
      const late = (t: number) => (t > 600 * SECOND && t < 600 * SECOND + lasts ? 3 * SECOND : 0);
      play(world, clock, { every: SECOND, length: 1200 * SECOND, pings: null, step: late }, () => {});
      expect(clock.restarts).toBe(restarts);
    }
  });

  test("a queue that runs empty is no live message: nothing is assumed of it", () => {
    const clock = createBoardClock();
    // an hour of messages comes within 100 s, then one a second
    for (let k = 0; k < 3600; k++) clock.arrival(k * SECOND, BOOT + HOUR + (k / 36) * SECOND, true);
    expect(clock.at(3599 * SECOND)).toBeNull();
    for (let k = 3700; k < 3710; k++) clock.arrival(k * SECOND, BOOT + k * SECOND + 500, true);
    const at = clock.at(3709 * SECOND)!;
    expect(Math.abs(at.utc - BOOT - 3709 * SECOND)).toBeLessThanOrEqual(at.uncertainty);
    expect(clock.restarts).toBe(0);
  });

  test("what was not sent when it was sealed is an upper bound only: a boot of which nothing was live has no time", () => {
    const clock = createBoardClock();
    for (let k = 0; k < 100; k++) clock.arrival(k * SECOND, BOOT + HOUR + k * SECOND, false);
    expect(clock.at(50 * SECOND)).toBeNull();
    expect(createBoardClock().at(0)).toBeNull();
  });

  test("the first ping takes the place of what was assumed, and stays while it is fresh", () => {
    const clock = createBoardClock();
    for (let k = 0; k < 10; k++) clock.arrival(k * SECOND, BOOT + k * SECOND + 400, true);
    expect(clock.at(9 * SECOND)).toMatchObject({ assumed: true });
    clock.ping(BOOT + 9 * SECOND + 200, 9 * SECOND);
    const at = clock.at(9 * SECOND)!;
    expect(at.assumed).toBe(false);
    // from there (200 us) back (400 us), and the millisecond that the tick cuts off
    expect(at.uncertainty).toBeCloseTo((1000 + 200) / 2, 0);
    for (let k = 10; k < 300; k++) clock.arrival(k * SECOND, BOOT + k * SECOND + 400, true);
    expect(clock.at(299 * SECOND)).toMatchObject({ assumed: false });
  });
});

/** Samples of a burst, and the time between two polls of a chip without a data-ready line, us. */
const BURST = 16;
const POLL = 47_000;

describe("samples, by the channel's clock and the board's together", () => {
  test.each([
    ["1 % fast, dated by edges", 1.01, 256, "edge", 2000],
    ["1 % slow, dated by edges", 0.99, 100, "edge", 2000],
    ["20 ppm off, dated by edges", 1.00002, 256, "edge", 2000],
    ["1 % fast, dated by the FIFO's level", 1.01, 100, "level", 30_000],
    ["300 ppm off, dated by the FIFO's level", 0.9997, 256, "level", 14_000],
  ] as const)("a chip %s, for 24 h: every sample within its uncertainty", (_, oscillator, rate, dating, limit) => {
    const world = createWorld({ seed: "c", ...board, delay: loopback, burst: { every: 97, delay: 50_000 } });
    const clock = createBoardClock();
    const interval = SECOND / rate;
    // the chip's oscillator wanders, too: 100 ppm within four hours
    const w = (2 * Math.PI) / (4 * HOUR);
    const period = interval / oscillator;
    const sampleAt = (idx: number) => 5000 + idx * period + (100e-6 / w) * (1 - Math.cos(w * idx * period));
    /** The newest sample at a true time. */
    const newest = (t: number) => {
      let idx = Math.floor((t - 5000) / (period * 1.0001)) - 1;
      while (sampleAt(idx + 1) <= t) idx++;
      return idx;
    };
    const channel = createChannelClock(interval);
    let [outside, late, checked] = [0, 0, 0];
    let idx = 0;
    play(world, clock, { every: 8 * SECOND, length: 24 * HOUR, pings: 30 * SECOND }, (tick, there) => {
      if (dating === "edge") {
        idx = newest(there) - BURST;
        // an edge is seen up to 100 us late
        channel.add(0, idx, Math.round(world.board(sampleAt(idx)) + 100 * world.random.uniform()));
      } else {
        // the newest sample came in the interval before the poll; the first of its burst at nominal intervals before it
        const poll = Math.floor(tick / POLL) * POLL;
        idx = newest(world.trueOf(poll)) - BURST + 1;
        channel.add(0, idx, Math.round(poll - interval / 2 - (BURST - 1) * interval));
      }
      const at = clock.at(tick);
      const sample = idx + Math.floor(world.random.uniform() * 8 * rate);
      const own = channel.at(sample)!;
      if (at === null) return;
      const away = own.time - tick;
      const utc = at.utc + away * (1 + at.slope);
      const uncertainty = at.uncertainty + own.uncertainty * 1.0002 + Math.abs(away) * at.slopeUncertainty;
      checked++;
      if (Math.abs(utc - BOOT - sampleAt(sample)) > uncertainty) outside++;
      if (there > 900 * SECOND) late = Math.max(late, uncertainty);
    });
    expect({ outside, checked: checked > 10_000 }).toEqual({ outside: 0, checked: true });
    expect(late).toBeLessThan(limit);
    const fit = channel.fit!;
    const rateNow = world.board(1e9) / 1e9;
    expect(Math.abs(fit.interval - period * rateNow)).toBeLessThan(fit.intervalUncertainty + period * 120e-6);
  });

  test("a new segment begins anew; blocks of an older one, or out of order, change nothing", () => {
    const channel = createChannelClock(1000);
    expect(channel.at(0)).toBeNull();
    expect(channel.fit).toBeNull();
    for (let k = 0; k < 5; k++) channel.add(0, 1000 * k, 1e6 * k * 1.01);
    expect(channel.fit!.interval).toBeCloseTo(1010, 6);
    const before = channel.at(4500);
    channel.add(0, 2500, 0);
    expect(channel.at(4500)).toEqual(before);
    channel.add(1, 0, 9e6);
    expect(channel.segment).toBe(1);
    expect(channel.at(0)!.time).toBe(9e6);
    channel.add(0, 9000, 1);
    expect(channel.segment).toBe(1);
  });
});
