/** Complaints about samples that are lost (FAULTS.md 8, 9), from the registers to the record. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { createSimulatedFlash, holdUp } from "../../boards/simulated-flash.ts";
import { MDC_PULSE_RATE } from "../../protocol/messages.ts";
import { ECG, INFRARED, RED } from "../firmware/commanded.ts";
import { naive, record, type World } from "./board.ts";
import { holds } from "./holds.ts";
import { type Light, readFifo, readNewest, setUp } from "./naive.ts";

const RATE = 100;

/** What a naive reader has read, and what the chip converted meanwhile. */
function read(world: World, seconds: number, how: Parameters<typeof naive>[2], rollover = true) {
  let converted = 0;
  naive(world, seconds, (bench, chip) => {
    chip.onConvert = (name) => {
      if (name === "infrared") converted++;
    };
    setUp(bench, { rollover });
    how(bench, chip);
  });
  return converted;
}

holds(8, ({ heard }) => {
  // nobody reads the chip for half a second
  const world: World = { faults: [{ kind: "fifo-overflow", chip: "max30102", at: 10, for: 0.5 }] };
  const stalled: Light[] = [];
  read(world, 30, (bench) => readFifo(bench, (light) => stalled.push(light)), false);
  // not one more, twenty seconds long
  expect(stalled.at(-1)!.time).toBeLessThan(11);
  expect(stalled.length).toBeGreaterThan(9 * RATE);

  const slipped: Light[] = [];
  const converted = read(world, 30, (bench) => readFifo(bench, (light) => slipped.push(light), 32));
  // at the end no more than one poll's worth is still in the chip
  expect(converted - slipped.length).toBeGreaterThan(15);

  const ours = record(world, 30);
  ours.drain();
  expect(ours.losses()).toEqual([
    [RED, null],
    [INFRARED, null],
  ]);
  // reading goes on: what is missing is what the chip had no room for, half a second's samples but 32 or a few less
  const given = ours.node.sources.find(({ name }) => name === "infrared")!.samples;
  const missing = given - ours.codes(INFRARED).length;
  expect(missing).toBeGreaterThanOrEqual(0.5 * RATE - 32);
  expect(missing).toBeLessThan(0.5 * RATE);
  expect(ours.vital(MDC_PULSE_RATE).filter(({ time, value }) => time > 17 && value !== null)).toHaveLength(13);
  heard(...ours.monitor());
});

holds(9, ({ heard }) => {
  // five writes of 125 ms
  const world: World = { faults: [{ kind: "host-stall", every: 4.93, for: 0.125 }] };
  const theirs: Light[] = [];
  const converted = read(world, 28, (bench) => readNewest(bench, 1000 / RATE, (light) => theirs.push(light)));
  expect(converted - theirs.length).toBeGreaterThan(5 * 11);

  const ours = record(world, 28);
  ours.drain();
  const given = (name: string) => ours.node.sources.find((source) => source.name === name)!;
  // every sample of the light, to the last bit
  for (const [id, name] of [
    [RED, "red"],
    [INFRARED, "infrared"],
  ] as const) {
    const bytes = Buffer.from(Int32Array.from(ours.codes(id)).buffer);
    expect(createHash("sha256").update(bytes).digest("hex"), name).toBe(given(name).digest());
    expect(ours.losses().filter(([channel]) => channel === id)).toEqual([]);
  }
  // the ECG's chip is full after 125 ms: where it lost something, it is declared
  const lost = ours.losses().filter(([channel]) => channel === ECG);
  expect(given("ecg").samples - ours.codes(ECG).length > 0).toBe(lost.length > 0);
  heard(...ours.faults());

  // an outbox in flash whose pages take 85 ms to erase: 4 kB written at once would hold the board for 125 ms
  const spent: number[] = [];
  const timed = (spend: (us: number) => void) => createSimulatedFlash({ pageSize: 4096, pages: 16, spend });
  const atOnce = timed((us) => spent.push(us / 1000));
  atOnce.erase(0);
  atOnce.write(0, new Uint8Array(4096));
  expect(spent.reduce((sum, ms) => sum + ms)).toBeGreaterThan(125);

  /** How long the board was held at one moment, ms. */
  const held: number[] = [];
  let hold = (_us: number) => {};
  const flash = timed((us) => hold(us));
  const logged = record({}, 60, {
    outboxBytes: 16_384,
    log: (board) => {
      const clock = {
        get now() {
          return board.now();
        },
      };
      hold = holdUp(clock, (ms) => {
        held.push(ms);
        board.stall(ms);
      });
      return { flash, writeAfter: 0, markEvery: 10_000 };
    },
  });
  expect(Math.max(...flash.wear)).toBeGreaterThan(0);
  // an erasure, or 256 bytes of a message
  const erasures = held.filter((ms) => ms >= 85);
  expect(Math.max(...erasures)).toBeLessThan(90);
  expect(Math.max(...held.filter((ms) => ms < 85))).toBeLessThan(3);
  expect([logged.faults(), logged.losses()]).toEqual([[], []]);
});
