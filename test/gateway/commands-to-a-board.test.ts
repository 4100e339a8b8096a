/** A gateway and a board of this house, each as it ships, over a link that takes its time: commands, times and their effects. */
import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { createCommander } from "../../gateway/commander.ts";
import { createCounters, type Origin, rejected } from "../../gateway/origin.ts";
import { encodeCard } from "../../protocol/card.ts";
import {
  type BirthMessage,
  type CommandMessage,
  EVENT_COMMAND_RESULT,
  OP_SELF_TEST,
  OP_SEND_BIRTH,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
} from "../../protocol/messages.ts";
import { createVirtualNode } from "../../simulator/node.ts";
import { createTestGateway, gatewayKey, site } from "../support/gateway.ts";
import { MODES, type Mode } from "../support/speaking.ts";

/** Each way, us. */
const THERE = 20_000;
const BACK = 35_000;
const EPOCH = 1_800_000_000_000;

function setUp({ mode, encrypt }: Mode) {
  const clock = createVirtualClock();
  const bench = createTestGateway(undefined, {
    pings: true,
    now: () => EPOCH + clock.now / 1000,
    soon: (callback) => void clock.at(clock.now + 1000, callback),
  });
  const { gateway } = bench;
  let events!: LinkEvents;
  const origin: Origin = {
    name: "test",
    counters: createCounters(),
    reply: (message) => void clock.at(clock.now + BACK, () => events.onMessage(message)),
  };
  const node = createVirtualNode({
    clock,
    seed: 4,
    index: 0,
    noise: true,
    seal: { mode, encrypt },
    gateways: [gatewayKey],
    boot: () => 5,
    link: () => ({
      presence: false,
      open(given) {
        events = given;
      },
      send(_letter, message) {
        clock.at(clock.now + THERE, () => gateway.receive(message, origin));
        return true;
      },
      close: (done) => done(),
    }),
  });
  const { kid, publicKey } = node.signer;
  const card = encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 }, site);
  gateway.devices.enroll(card, site.publicKey, true);
  if (node.psk !== null) gateway.devices.givePsk(kid, node.psk, encrypt);
  const commander = createCommander(gateway, {
    timer: (ms, callback) => clock.at(clock.now + ms * 1000, callback),
  });
  node.runtime.start();
  events.onUp(1);
  clock.runUntil(3e6);
  return {
    clock,
    bench,
    node,
    origin,
    run: (seconds: number) => clock.runUntil(clock.now + seconds * 1e6),
    /** The outcome, once virtual time has gone by. */
    async send(op: number, parameters: CommandMessage["parameters"] = [], seconds = 4) {
      const outcome = commander.send(kid, op, parameters, { validFor: 30_000, wait: 10_000 });
      outcome.catch(() => {});
      clock.runUntil(clock.now + seconds * 1e6);
      return (await outcome).status;
    },
    births: () => bench.stored.flatMap(({ message }): BirthMessage[] => (message.type === "birth" ? [message] : [])),
  };
}

describe.each(MODES)("in mode $name", (mode) => {
  test("a board is given another rate: its record goes on under a new birth, whole, and nothing is refused", async () => {
    const { bench, node, origin, births, send, run } = setUp(mode);
    expect(await send(OP_SET_LED_CURRENT, [[1, 24]])).toBe(STATUS_DONE);
    expect(
      await send(OP_SET_RATE, [
        [1, 50_000],
        [2, 0],
      ]),
    ).toBe(STATUS_DONE);
    expect(await send(OP_SET_LED_CURRENT, [[1, 26]])).toBe(STATUS_BEYOND_LIMIT);
    expect(await send(OP_SELF_TEST)).toBe(STATUS_DONE);
    run(2);
    let drained = false;
    node.runtime.stop(() => {
      drained = true;
    });
    run(7);
    expect(drained).toBe(true);
    expect(births().map(({ cfg }) => cfg)).toEqual([1, 2]);
    expect(births()[1]!.channels[0]!.rateMilliHz).toBe(50_000);
    expect(rejected(origin.counters)).toBe(0);
    expect(node.runtime.refusals).toEqual({ signature: 0, payload: 0, kid: 0, boot: 0, replay: 0 });
    // all that was sealed is stored, and the board knows it
    expect(node.runtime.outbox.waiting).toEqual([]);
    expect(bench.stored).toHaveLength(node.runtime.produced);
    const cfgs = bench.stored.flatMap(({ message }) => (message.type === "data" ? [message.cfg] : []));
    expect(new Set(cfgs)).toEqual(new Set([1, 2]));
  });

  test("the time that a gateway tells comes back in the next birth, as uncertain as the way made it", async () => {
    const { births, send, bench } = setUp(mode);
    expect(births()[0]!.hint).toBe(null);
    expect(await send(OP_SEND_BIRTH)).toBe(STATUS_DONE);
    const { hint } = births()[1]!;
    // the board's clock began at the epoch
    const error = Math.abs(hint!.gatewayMs - EPOCH - hint!.tick);
    expect(error).toBeLessThanOrEqual(hint!.uncertaintyMs);
    expect(hint!.uncertaintyMs).toBeGreaterThanOrEqual((THERE + BACK) / 2000);
    // the pings were answered too, each once
    const answers = bench.stored.filter(
      ({ message }) => message.type === "event" && message.code === EVENT_COMMAND_RESULT,
    );
    expect(answers.length).toBeGreaterThan(1);
  });
});
