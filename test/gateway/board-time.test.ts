/** Time to boards, and ticks from them. */
import { expect, test } from "vitest";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { PingRow } from "../../gateway/store/store.ts";
import { OP_TIME_PING } from "../../protocol/messages.ts";
import { createTestGateway } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

function setUp(pings = true) {
  const store = openSqliteStore(":memory:");
  const seen: PingRow[] = [];
  const bench = createTestGateway(store, { pings, onPing: (ping) => seen.push(ping) });
  const device = createSpeaker(MODES[0]);
  device.join(bench.gateway);
  const receive = (bytes: Uint8Array) => {
    bench.gateway.receive(bytes, device.origin);
    bench.settle();
  };
  /** Data every second, as boards send them, until the board's clock is there. */
  let seq = 1;
  const runUntil = (tick: number) => {
    for (; 1000 * seq <= tick; seq++) {
      bench.now += 1000;
      receive(device.seal(device.data(seq)));
    }
  };
  receive(device.seal(device.birth()));
  return { store, seen, bench, device, receive, runUntil, next: () => seq++ };
}
const times = (device: ReturnType<typeof createSpeaker>) => device.heard.filter((one) => one.type === "time");

test("time is told after a birth, with the newest tick that was heard, and every ten minutes", () => {
  const { bench, device, receive, runUntil, next } = setUp(false);
  runUntil(1000);
  expect(times(device)).toMatchObject([{ echoTick: 1000, gatewayMs: bench.now }]);
  runUntil(600_000);
  expect(times(device)).toHaveLength(1);
  runUntil(601_000);
  expect(times(device)).toHaveLength(2);
  receive(device.seal({ ...device.birth(next()), tick: 602_000 }));
  expect(times(device)).toHaveLength(3);
  expect(device.commands).toEqual([]);
});

test("time and ping stand in front of the ack that lets a board go on", () => {
  const { device, runUntil } = setUp();
  const before = device.heard.length;
  runUntil(1000);
  expect(device.heard.slice(before).map(({ type }) => type)).toEqual(["time", "command", "ack"]);
});

test("a board is pinged every 5 s in the first minute of its boot, then every 30 s; a silent one is not", () => {
  const { bench, device, runUntil } = setUp();
  runUntil(60_000);
  expect(device.commands).toHaveLength(12);
  expect(device.commands.every(({ op }) => op === OP_TIME_PING)).toBe(true);
  runUntil(360_000);
  const many = device.commands.length;
  expect(many).toBeGreaterThanOrEqual(22);
  expect(many).toBeLessThanOrEqual(23);
  bench.now += 3_600_000;
  bench.settle();
  expect(device.commands).toHaveLength(many);
});

test("an answer gives when the ping left, the tick of the answer and its arrival, and the store keeps it", () => {
  const { store, seen, bench, device, receive, runUntil, next } = setUp();
  runUntil(1000);
  const sent = bench.now;
  bench.now += 40;
  const answer = device.seal(device.result(next(), device.commands[0].n, 0, 1025));
  receive(answer);
  const row = { boot: 1, n: device.commands[0].n, sent: sent * 1000, tick: 1025, received: sent + 40 };
  expect(seen).toMatchObject([row]);
  expect(store.pings(device.kid, 1)).toMatchObject([row]);
  // What was replayed, or answers what was never asked, says nothing.
  receive(answer);
  receive(device.seal(device.result(next(), 9999, 0)));
  expect(seen).toHaveLength(1);
});

test("the board's clock is never thought later than it is, however late messages come", () => {
  const { bench, device, receive, runUntil, next } = setUp(false);
  const { times: clock } = bench.gateway;
  expect(clock.tickNow(device.kid, 2)).toBeNull();
  runUntil(10_000);
  // The birth came at tick 10 of what is counted here, and nothing was later than it.
  expect(clock.tickNow(device.kid, 1)).toBe(10_008);
  // An event of long ago, sent again: it moves nothing back by more than drift.
  bench.now += 5000;
  receive(device.seal({ ...device.result(next(), 0, 0), tick: 2000 }));
  expect(clock.tickNow(device.kid, 1)).toBeGreaterThanOrEqual(15_005);
  expect(clock.tickNow(device.kid, 1)).toBeLessThanOrEqual(15_010);
});

test("a gateway's clock that is set back goes on telling and asking", () => {
  const { bench, device, runUntil } = setUp();
  runUntil(2000);
  bench.now -= 86_400_000;
  const before = device.heard.length;
  runUntil(3000);
  expect(device.heard.slice(before).map(({ type }) => type)).toEqual(["time", "command", "ack"]);
});
