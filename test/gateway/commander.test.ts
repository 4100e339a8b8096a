/** Commands: one outcome each, by what the device itself has said and the store holds. */
import { describe, expect, test } from "vitest";
import { type CommandError, createCommander } from "../../gateway/commander.ts";
import { OP_SEND_BIRTH, OP_SET_LED_CURRENT } from "../../protocol/messages.ts";
import { createTestGateway } from "../support/gateway.ts";
import { createSpeaker, MODES, type Mode } from "../support/speaking.ts";

/** A gateway whose timers run when a test says so, with a device that has spoken. */
function setUp(mode: Mode = MODES[0]) {
  const timers = new Map<number, () => void>();
  const bench = createTestGateway();
  const commander = createCommander(bench.gateway, {
    timer(ms, callback) {
      timers.set(ms, callback);
      return () => void timers.delete(ms);
    },
  });
  const device = createSpeaker(mode);
  device.join(bench.gateway);
  const receive = (bytes: Uint8Array) => {
    bench.gateway.receive(bytes, device.origin);
    bench.settle();
  };
  const speak = () => {
    receive(device.seal(device.birth()));
    receive(device.seal(device.data(1)));
  };
  const send = (options = { validFor: 30_000, wait: 10_000 }) => {
    const outcome = commander.send(device.kid, OP_SET_LED_CURRENT, [[1, 24]], options);
    // Whoever is late must not end the test run.
    outcome.catch(() => {});
    bench.settle();
    return outcome;
  };
  return { bench, commander, device, receive, speak, send, timers };
}
const faultOf = (outcome: Promise<unknown>) =>
  outcome.then(
    () => "none",
    (error: CommandError) => error.fault,
  );

describe.each(MODES)("in mode $name", (mode) => {
  test("a command reaches the device with its boot, a number and a tick of expiry, and its status comes back", async () => {
    const { bench, device, receive, speak, send, timers } = setUp(mode);
    speak();
    bench.now += 2000;
    const outcome = send();
    const [command] = device.commands;
    // Tick 1000 was heard two seconds ago; the estimate may be low by the drift of a bad crystal, never high.
    expect(command).toMatchObject({ boot: 1, op: OP_SET_LED_CURRENT, parameters: [[1, 24]] });
    expect(command.expires).toBeLessThanOrEqual(33_000);
    expect(command.expires).toBeGreaterThan(32_990);
    receive(device.seal(device.result(2, command.n, 3)));
    expect(await outcome).toEqual({ boot: 1, n: command.n, status: 3 });
    expect(timers.size).toBe(0);
  });
});

test("two commands under way have two numbers, and each its own answer, in whatever order", async () => {
  const { device, receive, speak, send } = setUp();
  speak();
  const outcomes = [send(), send({ validFor: 5000, wait: 9000 })];
  const [first, second] = device.commands;
  expect(second.n).toBeGreaterThan(first.n);
  receive(device.seal(device.result(2, second.n, 0)));
  receive(device.seal(device.result(3, first.n, 5)));
  expect(await Promise.all(outcomes)).toMatchObject([{ status: 5 }, { status: 0 }]);
});

test("a device that is not enrolled, or was not heard, is not asked", async () => {
  const { commander, device, send } = setUp();
  const stranger = commander.send(new Uint8Array(8), OP_SEND_BIRTH, [], { validFor: 1000, wait: 1000 });
  await expect(stranger).rejects.toThrow(/device 0000000000000000 is not enrolled here/);
  const unheard = send();
  expect(await faultOf(unheard)).toBe("unheard");
  await expect(unheard).rejects.toThrow(/has not been heard since the gateway began; switch it on/);
  expect(device.raw).toEqual([]);
});

test("a device of which only the birth was heard is not asked yet: it has not come through its start", async () => {
  const { device, receive, send } = setUp(MODES[3]);
  receive(device.seal(device.birth()));
  expect(await faultOf(send())).toBe("unheard");
  receive(device.seal(device.data(1)));
  const outcome = send();
  receive(device.seal(device.result(2, device.commands[0].n, 0)));
  expect(await outcome).toMatchObject({ status: 0 });
});

test("an operation or parameter that is not in the table is not sent", async () => {
  const { commander, device, speak } = setUp();
  speak();
  const before = device.raw.length;
  const ask = (op: number, parameters: [number, number][], validFor = 1000) =>
    faultOf(commander.send(device.kid, op, parameters, { validFor, wait: 1000 }));
  expect(await ask(31, [])).toBe("invalid");
  expect(await ask(OP_SEND_BIRTH, [[9, 1]])).toBe("invalid");
  expect(await ask(OP_SET_LED_CURRENT, [])).toBe("invalid");
  expect(await ask(OP_SEND_BIRTH, [], 10)).toBe("invalid");
  expect(await ask(OP_SEND_BIRTH, [], 1e8)).toBe("invalid");
  expect(device.raw).toHaveLength(before);
});

test("without an answer it fails in time, says that it may still be obeyed, and is not sent again", async () => {
  const { device, receive, speak, send, timers } = setUp();
  speak();
  const outcome = send();
  timers.get(10_000)!();
  await expect(outcome).rejects.toThrow(/has not answered command \d+ in 10 s; until it expires it may still obey/);
  receive(device.seal(device.data(2)));
  receive(device.seal(device.result(3, device.commands[0].n, 0)));
  expect(device.commands).toHaveLength(1);
});

test("a device that begins a new boot has not answered: superseded", async () => {
  const { bench, device, speak, send } = setUp();
  speak();
  const outcome = send();
  const young = createSpeaker(MODES[0], "speaker", 2, 8);
  bench.gateway.receive(young.seal(young.birth()), device.origin);
  bench.settle();
  expect(await faultOf(outcome)).toBe("superseded");
});

test("at most eight commands of a device are under way", async () => {
  const { speak, send } = setUp();
  speak();
  for (let i = 0; i < 8; i++) void send();
  expect(await faultOf(send())).toBe("busy");
});

test("where the store fails nothing is sent, and the command says so", async () => {
  const { bench, device, speak, send } = setUp();
  speak();
  const { commit } = bench.gateway.store;
  bench.gateway.store.commit = () => {
    throw new Error("disk full");
  };
  const before = device.raw.length;
  const outcome = send();
  bench.gateway.store.commit = commit;
  await expect(outcome).rejects.toThrow(/was not sent: disk full/);
  expect(device.raw).toHaveLength(before);
});

test("the end of the gateway ends what waits", async () => {
  const { commander, speak, send } = setUp();
  speak();
  const outcome = send();
  commander.close();
  expect(await faultOf(outcome)).toBe("unsent");
});

test("a device in quarantine, or revoked, is told nothing", async () => {
  const { bench, device, receive, speak, send } = setUp();
  speak();
  receive(device.seal(device.data(1, [9, 9, 9])));
  const before = device.raw.length;
  const outcome = send();
  await expect(outcome).rejects.toThrow(/is in quarantine: .*--release/);
  expect(bench.gateway.devices.release(device.kid, bench.now)).toBe(true);
  const revoked = { number: 1, revoked: [{ kid: device.kid, reason: 1, time: 0 }] };
  bench.gateway.devices.applyRevocations(revoked, Uint8Array.of(1));
  await expect(send()).rejects.toThrow(/the site has revoked its key/);
  expect(device.raw).toHaveLength(before);
});
