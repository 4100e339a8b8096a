import fc from "fast-check";
import { expect, test } from "vitest";
import { createClock } from "../../firmware/clock.ts";
import { decodeCbor } from "../../protocol/index.ts";
import type { TimeMessage } from "../../protocol/messages.ts";
import { createCommanded } from "./commanded.ts";

const time = (echoTick: number, gatewayMs: number): TimeMessage => ({
  type: "time",
  kid: new Uint8Array(8),
  boot: 1,
  n: 1,
  echoTick,
  gatewayMs,
});
function createStorage() {
  const kept = new Map<string, Uint8Array>();
  let writes = 0;
  return {
    kept,
    get writes() {
      return writes;
    },
    read: (name: string) => kept.get(name),
    write(name: string, bytes: Uint8Array) {
      writes++;
      kept.set(name, bytes);
    },
  };
}

test("the gateway's time is of the middle of the way there and back, half of it uncertain, and a millisecond of both clocks", () => {
  const clock = createClock(createStorage(), 1);
  expect(clock.hint).toBe(null);
  expect(clock.take(time(1000, 50_000), 1_040_000)).toBe(true);
  expect(clock.hint).toEqual({ gatewayMs: 50_000, tick: 1020, uncertaintyMs: 21 });
});

test("an echo of a tick that has not been tells nothing", () => {
  const clock = createClock(createStorage(), 1);
  expect(clock.take(time(1001, 50_000), 1_000_000)).toBe(false);
  expect(clock.hint).toBe(null);
});

test("whatever the way, the true time lies within the uncertainty", () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.nat(500_000), fc.nat(500_000), fc.nat(2 ** 40), (sent, there, back, offset) => {
      // us of board time; the gateway's clock is ahead by a constant, in us, and cuts off what is below a ms
      const gatewayMs = Math.floor((sent + there + offset) / 1000);
      const clock = createClock(createStorage(), 1);
      clock.take(time(Math.floor(sent / 1000), gatewayMs), sent + there + back);
      const { tick, uncertaintyMs } = clock.hint!;
      const truth = (tick * 1000 + offset) / 1000;
      expect(Math.abs(gatewayMs - truth)).toBeLessThanOrEqual(uncertaintyMs);
    }),
  );
});

test("a worse time does not take the place of a better one until the better one is old, at 50 ppm", () => {
  const clock = createClock(createStorage(), 1);
  clock.take(time(1000, 50_000), 1_010_000);
  clock.take(time(2000, 51_000), 2_030_000);
  expect(clock.hint!.gatewayMs).toBe(50_000);
  // 10 ms more are what 50 ppm make in 200 s
  clock.take(time(150_000, 199_000), 150_030_000);
  expect(clock.hint!.gatewayMs).toBe(50_000);
  clock.take(time(250_000, 299_000), 250_030_000);
  expect(clock.hint!.gatewayMs).toBe(299_000);
  clock.take(time(251_000, 300_000), 251_004_000);
  expect(clock.hint!.gatewayMs).toBe(300_000);
});

test("what is known is written at most once in ten minutes, and at the end, and is known in the boot behind alone", () => {
  const storage = createStorage();
  const clock = createClock(storage, 4);
  for (let second = 1; second <= 1500; second++) clock.take(time(second * 1000, second), second * 1e6 + 500);
  expect(storage.writes).toBe(3);
  clock.keep(1500e6);
  clock.keep(1500e6);
  expect(storage.writes).toBe(4);
  expect(decodeCbor(storage.kept.get("time")!)).toEqual([4, 1500, 1_500_000, 2]);
  const next = createClock(storage, 5);
  expect(next.hint).toBe(null);
  expect(next.before(4)).toEqual({ gatewayMs: 1500, tick: 1_500_000, uncertaintyMs: 2 });
  expect(next.before(3)).toBe(null);
});

test("a damaged record is no time", () => {
  for (const bytes of [[], [0xff], [0x83, 1, 2, 3], [0x84, 1, 2, 3, 0x20], [0x84, 1, 2, 3, 0x61, 0x34], [0xa0]]) {
    const storage = createStorage();
    storage.kept.set("time", Uint8Array.from(bytes));
    expect(createClock(storage, 2).before(1)).toBe(null);
  }
});

test("a board tells in its births what it was told: at first of the boot before, later of its own", () => {
  const storage = createStorage();
  const boot = (during: (board: ReturnType<typeof createCommanded>) => void) => {
    const board = createCommanded({ boot: () => storage });
    board.start(3);
    during(board);
    board.node.runtime.stop(() => board.node.ended());
    board.run(8);
    return board.births().map(({ hint }) => hint);
  };
  const first = boot((board) => {
    board.command(7);
    board.say({ type: "time", echoTick: 2990, gatewayMs: 1_800_000_000_000 });
    board.run(1);
    board.command(7);
  });
  const hint = { gatewayMs: 1_800_000_000_000, tick: 2995, uncertaintyMs: 6 };
  expect(first).toEqual([null, null, hint]);
  // another boot that hears of no time: the hint is told once, by its first birth
  expect(boot((board) => board.command(7))).toEqual([hint, null]);
  // and it is not carried over a boot: nobody could say which one it is of
  expect(boot(() => {})).toEqual([null]);
});
