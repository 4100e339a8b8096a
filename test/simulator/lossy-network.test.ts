/** A network that loses, repeats and delays, and a supply that goes: what both ends see of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedBoard, createVirtualClock } from "../../boards/simulated.ts";
import { createSimulatedFlash } from "../../boards/simulated-flash.ts";
import type { Link } from "../../firmware/link.ts";
import { createNetwork } from "../../simulator/lossy/network.ts";
import { createPower, type Power } from "../../simulator/lossy/power.ts";
import { drawWeather, moments, SECOND, type Weather } from "../../simulator/lossy/weather.ts";
import { createRandom } from "../../simulator/random.ts";

const CALM: Weather = {
  loss: 0,
  twice: 0,
  delay: { least: 5000, mean: 100_000 },
  held: { share: 0, most: 0 },
  deaths: [],
  outage: null,
};

/** One board on a network; what arrives at either end, in order. */
function between(weather: Partial<Weather>, seed = 1) {
  const clock = createVirtualClock();
  const atGateway: { letter: string; number: number; at: number }[] = [];
  const atBoard: number[] = [];
  const states: string[] = [];
  const network = createNetwork({
    clock,
    random: createRandom(seed),
    weather: { ...CALM, ...weather },
    deliver: (_name, letter, message) => atGateway.push({ letter, number: message[0], at: clock.now }),
  });
  const connect = (): { link: Link; power: Power } => {
    const power = createPower(clock, () => network.gone("board"));
    const link = network.link("board", power);
    link.open(
      {
        onUp: (connection) => states.push(`up ${connection}`),
        onDown: () => states.push("down"),
        onMessage: (message) => atBoard.push(message[0]),
      },
      (connection) => Uint8Array.of(100 + connection),
    );
    return { link, power };
  };
  return { clock, network, connect, atGateway, atBoard, states };
}

test("shares of messages are lost and come twice, in both directions, and pass each other", () => {
  const { clock, network, connect, atGateway, atBoard } = between({ loss: 0.05, twice: 0.02 });
  const { link } = connect();
  clock.runUntil(SECOND);
  for (let i = 0; i < 10_000; i++) {
    link.send("d", Uint8Array.of(i & 0xff));
    network.toBoard("board", Uint8Array.of(i & 0xff));
    clock.runUntil(clock.now + 1000);
  }
  clock.runUntil(clock.now + 60 * SECOND);
  for (const arrived of [atGateway, atBoard]) {
    expect(arrived.length).toBeGreaterThan(9400 * 1.02);
    expect(arrived.length).toBeLessThan(9600 * 1.02);
  }
  const { sent, lost, twice, died } = network.tally;
  expect(sent).toBe(20_000);
  expect(atGateway.length + atBoard.length).toBe(sent - lost + twice);
  expect(died).toBe(0);
  const passed = atGateway.slice(1).filter(({ number }, i) => ((number - atGateway[i]!.number) & 0xff) > 0x80);
  expect(passed.length).toBeGreaterThan(1000);
});

test("with a broker dies what it carried and what it would have said of its boards; they come back", () => {
  const death = 100 * SECOND;
  const { clock, connect, atGateway, states } = between({ delay: { least: SECOND, mean: 1 }, deaths: [death] });
  const { link } = connect();
  clock.runUntil(death - SECOND / 2);
  expect(link.send("d", Uint8Array.of(1))).toBe(true);
  clock.runUntil(death);
  expect(states).toEqual(["up 1", "down"]);
  expect(link.send("d", Uint8Array.of(2))).toBe(false);
  clock.runUntil(death + 5 * SECOND - 1);
  expect(states).toHaveLength(2);
  clock.runUntil(death + 60 * SECOND);
  expect(states).toEqual(["up 1", "down", "up 2"]);
  link.send("d", Uint8Array.of(3));
  clock.runUntil(death + 300 * SECOND);
  expect(atGateway.map(({ number }) => number)).toEqual([3]);
});

test("in an outage nothing passes, the board finds out late, its will is published, and nobody connects before it ends", () => {
  const outage = { from: 100 * SECOND, to: 1000 * SECOND };
  const { clock, network, connect, atGateway, atBoard, states } = between({ outage });
  const { link } = connect();
  clock.runUntil(outage.from);
  // it does not know yet
  expect(link.send("d", Uint8Array.of(1))).toBe(true);
  network.toBoard("board", Uint8Array.of(2));
  clock.runUntil(outage.from + 20 * SECOND);
  expect(states).toEqual(["up 1", "down"]);
  clock.runUntil(outage.to - 1);
  expect(atGateway.map(({ letter, number }) => `${letter} ${number}`)).toEqual(["w 101"]);
  expect(states).toHaveLength(2);
  clock.runUntil(outage.to + 60 * SECOND);
  expect(states).toEqual(["up 1", "down", "up 2"]);
  expect(atBoard).toEqual([]);
  expect(network.tally.died).toBe(2);
});

test("a board without power sends nothing, hears nothing; its will comes, at once where it connects again", () => {
  const { clock, network, connect, atGateway, atBoard, states } = between({});
  const first = connect();
  clock.runUntil(SECOND);
  first.link.send("d", Uint8Array.of(1));
  network.toBoard("board", Uint8Array.of(9));
  first.power.cut();
  expect(first.link.send("d", Uint8Array.of(2))).toBe(false);
  clock.runUntil(30 * SECOND);
  // what had left arrives
  expect(atGateway.map(({ number }) => number)).toEqual([1]);
  const second = connect();
  clock.runUntil(40 * SECOND);
  expect(atGateway.map(({ number }) => number)).toEqual([1, 101]);
  second.power.cut();
  clock.runUntil(200 * SECOND);
  expect(atGateway.map(({ number }) => number)).toEqual([1, 101, 101]);
  expect(atGateway[2]!.at).toBeGreaterThan(130 * SECOND);
  expect(states).toEqual(["up 1", "up 1"]);
  expect(atBoard).toEqual([]);
});

test("nothing of a boot runs after its power went, whenever that is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 1000 }),
      (timers, cutAt) => {
        const clock = createVirtualClock();
        let cuts = 0;
        const ran: number[] = [];
        const power = createPower(clock, () => cuts++);
        const board = createSimulatedBoard(power.clock);
        for (const ms of timers) {
          board.timer(ms, () => {
            ran.push(ms);
            board.timer(100, () => ran.push(ms + 100));
          });
        }
        clock.at(cutAt * 1000 + 1, power.cut);
        clock.runUntil(3 * SECOND);
        expect(ran.every((ms) => ms <= cutAt)).toBe(true);
        expect(ran.filter((ms) => timers.includes(ms)).length).toBeGreaterThanOrEqual(
          timers.filter((ms) => ms <= cutAt).length,
        );
        power.run(() => ran.push(-1));
        expect(ran).not.toContain(-1);
        expect([cuts, power.on]).toEqual([1, false]);
      },
    ),
  );
});

test("power that goes within an operation of the flash ends the boot there; another error is an error", () => {
  const clock = createVirtualClock();
  const flash = createSimulatedFlash({ pageSize: 16, pages: 2 });
  let cuts = 0;
  const power = createPower(clock, () => cuts++);
  const steps: string[] = [];
  power.clock.at(10, () => {
    flash.cutAfter(1, "nothing");
    for (const address of [0, 4, 8]) {
      flash.write(address, new Uint8Array(4));
      steps.push(`wrote ${address}`);
    }
  });
  power.clock.at(20, () => steps.push("later"));
  clock.runUntil(SECOND);
  expect(steps).toEqual(["wrote 0"]);
  expect([cuts, power.on]).toEqual([1, false]);
  const other = createPower(clock, () => {});
  const broken = () => {
    throw new Error("a bug");
  };
  expect(() => other.run(broken)).toThrow("a bug");
  expect(other.on).toBe(true);
});

test("weather and moments are drawn from the seed, within their bounds", () => {
  const options = { until: 86_400 * SECOND, loss: 0.05, twice: 0.02, deaths: 3, outage: 3600 * SECOND };
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const weather = drawWeather(createRandom(seed), options);
      expect(drawWeather(createRandom(seed), options)).toEqual(weather);
      const { deaths, outage } = weather;
      expect(deaths).toHaveLength(3);
      expect([...deaths].sort((a, b) => a - b)).toEqual(deaths);
      for (const at of [...deaths, outage!.from, outage!.to]) {
        expect(at).toBeGreaterThanOrEqual(7200 * SECOND);
        expect(at).toBeLessThanOrEqual(22 * 3600 * SECOND);
      }
      expect(outage!.to - outage!.from).toBe(3600 * SECOND);
      expect(moments(createRandom(seed), 5, 10, 20).every((at) => at >= 10 && at < 20)).toBe(true);
    }),
  );
});
