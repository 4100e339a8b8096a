/**
 * Threat: forged command or ack (PROTOCOL.md section 10), at the gateway. What somebody else makes up, or what is of another
 * boot, another command or another gateway, is never taken for a device's answer; no ack says more than what is stored.
 */
import { describe, expect, test } from "vitest";
import { createCommander } from "../../gateway/commander.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { Store } from "../../gateway/store/store.ts";
import { kidText } from "../../protocol/keys.ts";
import { EVENT_COMMAND_RESULT, type Message, OP_SEND_BIRTH, OP_TIME_PING } from "../../protocol/messages.ts";
import { createTestGateway } from "../support/gateway.ts";
import { createSpeaker, MODES, type Mode } from "../support/speaking.ts";

/** A gateway that has just commanded a device in its second boot, and waits. */
function setUp(mode: Mode) {
  let broken = false;
  const real = openSqliteStore(":memory:");
  const store: Store = {
    ...real,
    commit(commit) {
      if (broken) throw new Error("disk full");
      real.commit(commit);
    },
  };
  const bench = createTestGateway(store, { pings: true });
  const commander = createCommander(bench.gateway, { timer: () => () => {} });
  const receive = (bytes: Uint8Array, origin: Origin) => {
    const verdict = bench.gateway.receive(bytes, origin);
    bench.settle();
    return verdict;
  };
  const speakerIn = (name: string, boot: number) => {
    const speaker = createSpeaker(mode, name, boot, boot);
    speaker.join(bench.gateway);
    receive(speaker.seal(speaker.birth()), speaker.origin);
    receive(speaker.seal(speaker.data(1)), speaker.origin);
    return speaker;
  };
  const old = speakerIn("victim", 1);
  const device = speakerIn("victim", 2);
  const other = speakerIn("enrolled too", 2);
  let outcome: unknown = "waiting";
  const settled = commander.send(device.kid, OP_SEND_BIRTH, [], { validFor: 30_000, wait: 10_000 }).then(
    (result) => {
      outcome = result.status;
    },
    (error) => {
      outcome = error.fault;
    },
  );
  bench.settle();
  const command = device.commands.find(({ op }) => op === OP_SEND_BIRTH)!;
  const ping = device.commands.find(({ op }) => op === OP_TIME_PING)!;
  /** Lets every promise that could have been settled settle. */
  const seen = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  };
  return {
    ...{ bench, commander, receive, old, device, other, command, ping, seen, settled },
    breakStore(value: boolean) {
      broken = value;
    },
  };
}

describe.each(MODES)("in mode $name", (mode) => {
  test("an answer of another enrolled device, of another boot, to another number or to another gateway settles nothing", async () => {
    const { receive, old, device, other, command, ping, seen } = setUp(mode);
    const stranger = new Uint8Array(8).fill(3);
    const event = (small: unknown) =>
      ({ type: "event", boot: 2, seq: 20, tick: 9, code: EVENT_COMMAND_RESULT, small }) as Message;
    const forged: [Uint8Array, Origin][] = [
      [other.seal(other.result(2, command.n, 0)), other.origin],
      [other.seal(other.result(3, command.n, 0, 9, device.names)), other.origin],
      [old.seal(old.result(2, command.n, 0)), old.origin],
      [device.seal(device.result(2, command.n + 1, 0)), device.origin],
      [device.seal(device.result(3, ping.n, 0)), device.origin],
      [device.seal(device.result(4, command.n, 0, 9, stranger)), device.origin],
      // Of another form: no result at all.
      [device.seal({ ...event([device.names, command.n]), seq: 5 } as Message), device.origin],
      [device.seal({ ...event([device.names, command.n, 0, 0]), seq: 6 } as Message), device.origin],
      [device.seal({ ...event([device.names, null, 0]), seq: 7 } as Message), device.origin],
      [device.seal({ ...event(0), seq: 8 } as Message), device.origin],
    ];
    for (const [bytes, origin] of forged) expect(receive(bytes, origin).status).toBe("accepted");
    expect(await seen()).toBe("waiting");
    receive(device.seal(device.result(9, command.n, 0)), device.origin);
    expect(await seen()).toBe(0);
  });

  test("an answer with any flipped byte, or on another device's topic, settles nothing", async () => {
    const { bench, receive, device, other, command, seen } = setUp(mode);
    const answer = device.seal(device.result(2, command.n, 0));
    for (let i = 0; i < answer.length; i++) {
      const flipped = answer.slice();
      flipped[i] ^= 1;
      expect(bench.gateway.receive(flipped, device.origin).status, `byte ${i}`).toBe("refused");
    }
    const topic = { kid: kidText(other.kid), letter: "d" };
    const elsewhere: Origin = { name: "mqtt", counters: createCounters(), topic, reply() {} };
    expect(receive(answer, elsewhere)).toMatchObject({ status: "refused", reason: "topic" });
    expect(await seen()).toBe("waiting");
    expect(receive(answer, device.origin).status).toBe("accepted");
    expect(await seen()).toBe(0);
  });

  test("an answer counts once it is stored, not before; and an ack as well", async () => {
    const { receive, device, command, seen, breakStore } = setUp(mode);
    const answer = device.seal(device.result(2, command.n, 0));
    const said = device.raw.length;
    breakStore(true);
    receive(answer, device.origin);
    expect(await seen()).toBe("waiting");
    expect(device.raw).toHaveLength(said);
    breakStore(false);
    receive(answer, device.origin);
    expect(await seen()).toBe(0);
    expect(device.heard.at(-1)).toMatchObject({ type: "ack", next: 3 });
  });

  test("the answer to an earlier command, sent again, is no answer to a later one", async () => {
    const { commander, bench, receive, device, command, seen, settled } = setUp(mode);
    const answer = device.seal(device.result(2, command.n, 0));
    receive(answer, device.origin);
    await settled;
    expect(await seen()).toBe(0);
    let later: unknown = "waiting";
    commander.send(device.kid, OP_SEND_BIRTH, [], { validFor: 30_000, wait: 10_000 }).then(({ status }) => {
      later = status;
    });
    bench.settle();
    expect(receive(answer, device.origin).status).toBe("duplicate");
    await seen();
    expect(later).toBe("waiting");
    const second = device.commands.at(-1)!;
    expect(second.n).toBeGreaterThan(command.n);
    receive(device.seal(device.result(3, second.n, 5)), device.origin);
    await seen();
    expect(later).toBe(5);
  });

  test("what a gateway says does not come from a device: not what was heard, and not what a device seals itself", () => {
    const { receive, device, other } = setUp(mode);
    for (const bytes of device.raw) expect(receive(bytes, other.origin).status).toBe("refused");
    const ack: Message = {
      ...{ type: "ack", kid: device.kid, boot: 2, n: 1000, ofBoot: 2, next: 1000 },
      ...{ bitmap: new Uint8Array(0), refused: [] },
    };
    expect(receive(device.seal(ack), device.origin).status).toBe("refused");
  });
});
