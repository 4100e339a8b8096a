import { expect, test } from "vitest";
import { createNarrator } from "../../cli/gateway/narrator.ts";
import type { Accepted } from "../../gateway/receiver.ts";
import { kidText } from "../../protocol/keys.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";

function setUp() {
  const bench = createTestGateway();
  const device = createTestDevice("narrated");
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin("serial:/dev/ttyX");
  const told: string[] = [];
  const narrator = createNarrator(
    () => bench.gateway,
    () => bench.now,
    (line) => told.push(line.replaceAll(kidText(device.kid), "KID")),
    "/var/vitals.db",
  );
  return {
    bench,
    device,
    narrator,
    /** Receives messages at once, and gives what was told meanwhile. */
    receive(...messages: Uint8Array[]) {
      for (const message of messages) bench.gateway.receive(message, origin);
      bench.settle();
      for (const accepted of bench.stored.splice(0) as Accepted[]) narrator.stored(accepted);
      return told.splice(0);
    },
    pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        bench.now += Math.min(left, 1000);
        narrator.tick();
      }
      return told.splice(0);
    },
    origin,
    told,
  };
}

test("a board is told at its birth, with its chips, once", () => {
  const { device, receive } = setUp();
  expect(receive(device.seal(device.birth()))).toEqual(["board KID: boot 1 on serial:/dev/ttyX: MAX30003"]);
  expect(receive(device.seal(device.data(1)), device.seal(device.data(2)))).toEqual([]);
});

test("silence, the return, what is missing, and that it is complete again", () => {
  const { device, receive, pass } = setUp();
  receive(device.seal(device.birth()), device.seal(device.data(1)));
  expect(pass(2900)).toEqual([]);
  expect(pass(200)).toEqual(["board KID: nothing for 3 s"]);
  expect(pass(20_000)).toEqual([]);
  expect(receive(device.seal(device.data(5)))).toEqual(["board KID: back after 23.1 s; 3 messages are missing"]);
  expect(receive(device.seal(device.data(2)), device.seal(device.data(3)))).toEqual([]);
  expect(receive(device.seal(device.data(4)))).toEqual(["board KID: complete again, nothing is missing"]);
});

test("a gap without silence is told too", () => {
  const { device, receive } = setUp();
  receive(device.seal(device.birth()));
  expect(receive(device.seal(device.data(3)))).toEqual(["board KID: 2 messages are missing"]);
});

test("what a board declares lost is told with its reason; two boots that lack something are complete when both are", () => {
  const { device, receive } = setUp();
  receive(device.seal(device.birth()));
  expect(receive(device.seal(device.data(3)))).toEqual(["board KID: 2 messages are missing"]);
  const event = (seq: number, small: number[]) => device.seal({ type: "event", boot: 2, seq, tick: 5, code: 8, small });
  expect(
    receive(
      device.seal({
        ...device.birth(),
        boot: 2,
        claims: { ...device.birth().claims, bootcount: 2, bootseed: new Uint8Array(16).fill(2) },
      }),
      event(1, [1, 4, 2 ** 32 - 4, 2, 60_000, 11_000]),
    ),
  ).toEqual([
    "board KID: boot 2 on serial:/dev/ttyX: MAX30003",
    "board KID: boot 1 ended with message 3, power cut: it ran for 60 s, at most 11 s more",
  ]);
  expect(receive(event(3, [1, 1, 1, 1]))).toEqual(["board KID: boot 1: message 1 declared lost, outbox full"]);
  expect(receive(event(2, [1, 2, 1, 1]))).toEqual([
    "board KID: boot 1: message 2 declared lost, outbox full",
    "board KID: complete again, nothing is missing",
  ]);
});

test("a presence is no measurement: a board that only greets is not back", () => {
  const { device, receive, pass } = setUp();
  receive(device.seal(device.birth()));
  pass(4000);
  expect(receive(device.seal({ type: "presence", boot: 1, connection: 2, state: 1 }))).toEqual([]);
  expect(receive(device.seal({ type: "presence", boot: 1, connection: 2, state: 0 }))).toEqual([
    "board KID: its connection died",
  ]);
  expect(receive(device.seal(device.data(1)))).toEqual(["board KID: back after 4.0 s"]);
});

test("refusals of one kind are told at once, then together; repetitions of a board are not", () => {
  const { narrator, origin, told, pass } = setUp();
  for (let i = 0; i < 50; i++) narrator.refused(origin, "crc", `line ${i}`);
  narrator.refused(origin, "replay", "seen before");
  expect(told.splice(0)).toEqual(["serial:/dev/ttyX: refused (crc): line 0"]);
  expect(pass(11_000)).toEqual(["serial:/dev/ttyX: refused (crc) 49 times more, last: line 49"]);
  expect(pass(60_000)).toEqual([]);
});

test("a clone is told with the command that releases it, and again by a gateway started anew; other alarms by their kind", () => {
  const { bench, device, narrator, receive, told } = setUp();
  receive(device.seal(device.birth()), device.seal(device.data(1)), device.seal(device.data(1, [9])));
  for (const alarm of bench.alarms) narrator.alarm(alarm);
  const why = "boot 1 seq 1 is stored with another payload: a clone or a rollback";
  const command = "vitalwire devices --store /var/vitals.db --release KID";
  expect(told.splice(0)).toEqual([
    `ALARM clone or rollback: board KID: ${why}; nothing of it is stored until a person releases it: ${command}`,
  ]);
  const { card } = bench.gateway.devices.get(device.kid)!;
  narrator.enrolled(card);
  expect(told.splice(0)).toEqual([
    "board KID: enrolled by TEST-ONLY",
    `board KID: in quarantine since 2027-01-15T08:00:00.000Z: ${why}; to release it: ${command}`,
  ]);
  bench.gateway.devices.release(device.kid, bench.now);
  narrator.enrolled(card);
  narrator.alarm({ kind: "rotation", kid: device.kid, sentence: "another key speaks for its board now" });
  expect(told).toEqual([
    "board KID: enrolled by TEST-ONLY",
    "ALARM rotation: board KID: another key speaks for its board now",
  ]);
});
