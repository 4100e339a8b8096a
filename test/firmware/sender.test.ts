import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { createDownlink } from "../../firmware/downlink.ts";
import type { Link, LinkEvents } from "../../firmware/link.ts";
import { createSealer } from "../../firmware/sealer.ts";
import { createSender } from "../../firmware/sender.ts";
import { sign1 } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { type AckMessage, encodeMessage } from "../../protocol/messages.ts";
import { testOnlySigner } from "../../simulator/keys.ts";

const device = testOnlySigner("device");
const gateway = testOnlySigner("gateway");

/** A sender with a link that a test holds in its hands. */
const setUp = (presence = false) => {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const sent: string[] = [];
  let events!: LinkEvents;
  let works = true;
  let settledCount = 0;
  const others: string[] = [];
  const link: Link = {
    presence,
    open: (given) => {
      events = given;
    },
    send: (letter, message) => {
      if (works) sent.push(`${letter}${message[0]}`);
      return works;
    },
    close: (done) => done(),
  };
  const sealer = createSealer({
    mode: "sign",
    encrypt: false,
    psk: null,
    aead: null,
    signer: device,
    kid: device.kid,
    boot: 7,
    bn: new Uint8Array(16),
    gateways: [gateway],
    crypto: nodeCrypto,
  });
  const sender = createSender({
    board,
    link,
    downlink: createDownlink(sealer.open, device.kid, 7),
    boot: 7,
    capacity: 1000,
    log: null,
    backfill: 1000,
    presence: (connection, state) => Uint8Array.of(100 + 10 * connection + state),
    credible: () => true,
    onGone: () => {},
    onOther: (message) => others.push(message.type),
    onSettled: () => settledCount++,
    onFailed: () => {},
  });
  sender.open();
  const ack = (parts: Partial<AckMessage>, signer = gateway) =>
    sign1(
      encodeMessage({
        type: "ack",
        kid: device.kid,
        boot: 7,
        n: 0,
        ofBoot: 7,
        next: 0,
        bitmap: new Uint8Array(0),
        refused: [],
        ...parts,
      }),
      signer,
    );
  return {
    clock,
    sent,
    sender,
    ack,
    up: (connection = 1) => events.onUp(connection),
    down: () => events.onDown(),
    receive: (message: Uint8Array) => events.onMessage(message),
    setWorks: (value: boolean) => {
      works = value;
    },
    others,
    settled: () => settledCount,
    submit: (kind: "birth" | "data" | "event", seq: number) => sender.submit(kind, 7, seq, Uint8Array.of(seq), {}),
  };
};

test("what is made while the link is down is sent when it comes up: birth, events, the newest data, then the rest in order, each once", () => {
  const { submit, up, sent } = setUp();
  submit("data", 1);
  submit("birth", 2);
  submit("event", 3);
  submit("data", 4);
  submit("data", 5);
  submit("event", 6);
  submit("data", 7);
  expect(sent).toEqual([]);
  up();
  expect(sent).toEqual(["b2", "d3", "d6", "d7", "d1", "d4", "d5"]);
});

test("a message without its ack is sent again after 5 s, the same bytes, until it is settled", () => {
  const { submit, up, sent, clock, receive, ack, sender, settled } = setUp();
  up();
  submit("birth", 0);
  submit("data", 1);
  clock.runUntil(4.5e6);
  expect(sent).toEqual(["b0", "d1"]);
  clock.runUntil(6.5e6);
  expect(sent).toEqual(["b0", "d1", "b0", "d1"]);
  receive(ack({ n: 1, next: 1 }));
  expect(sender.outbox.waiting.map(({ seq }) => seq)).toEqual([1]);
  expect(settled()).toBe(0);
  clock.runUntil(12.5e6);
  expect(sent.slice(4)).toEqual(["d1"]);
  receive(ack({ n: 2, next: 2 }));
  expect(settled()).toBe(1);
  clock.runUntil(22e6);
  expect(sent).toHaveLength(5);
  expect(sender.wireBytes).toBe(5);
});

test("after an outage at most 32 messages a second are sent again", () => {
  const { submit, up, down, sent, clock } = setUp();
  for (let seq = 0; seq < 80; seq++) submit("data", seq);
  up();
  expect(sent).toHaveLength(32);
  clock.runUntil(1e6);
  expect(sent).toHaveLength(64);
  clock.runUntil(2e6);
  expect(sent).toHaveLength(80);
  down();
  submit("data", 80);
  clock.runUntil(4e6);
  expect(sent).toHaveLength(80);
  up(2);
  // Nobody knows what arrived: all of it is due again.
  expect(sent).toHaveLength(112);
});

test("an ack frees nothing unless a known gateway signed it for this device, this boot, with a new number (section 4)", () => {
  const { submit, up, receive, ack, sender } = setUp();
  up();
  submit("birth", 0);
  const good = ack({ n: 5, next: 1 });
  const wrong = [
    ack({ n: 6, next: 1 }, testOnlySigner("stranger")),
    ack({ n: 6, next: 1, boot: 6 }),
    ack({ n: 6, next: 1, kid: gateway.kid }),
    ack({ n: 6, next: 1, ofBoot: 6 }),
    good.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
    Uint8Array.of(1, 2, 3),
  ];
  for (const message of wrong) receive(message);
  expect(sender.outbox.waiting).toHaveLength(1);
  receive(ack({ n: 7, next: 0 }));
  receive(good);
  expect(sender.outbox.waiting, "an older number than one that was taken").toHaveLength(1);
  receive(ack({ n: 8, next: 1 }));
  expect(sender.outbox.waiting).toHaveLength(0);
});

test("a link with presence says online with its connection's number, and goodbye at the end", () => {
  const { up, sent, sender, submit, receive, ack } = setUp(true);
  up(3);
  submit("birth", 0);
  receive(ack({ next: 1 }));
  let closed = false;
  sender.close(5000, () => {
    closed = true;
  });
  expect(sent).toEqual(["w131", "b0", "w132"]);
  expect(closed).toBe(true);
});

test("closing waits for the last ack, but not for ever", () => {
  const waits = setUp();
  waits.up();
  waits.submit("data", 0);
  let closed = 0;
  waits.sender.close(5000, () => closed++);
  expect(closed).toBe(0);
  waits.receive(waits.ack({ next: 1 }));
  expect(closed).toBe(1);

  const alone = setUp();
  alone.submit("data", 0);
  alone.sender.close(5000, () => closed++);
  alone.clock.runUntil(4.9e6);
  expect(closed).toBe(1);
  alone.clock.runUntil(60e6);
  expect(closed).toBe(2);
});

test("an ack that shows a hole has it filled at once, not after five seconds", () => {
  const { submit, up, sent, clock, receive, ack } = setUp();
  up();
  for (let seq = 0; seq < 4; seq++) submit("data", seq);
  clock.runUntil(1.5e6);
  submit("data", 4);
  // 0 and 3 are stored, 1 and 2 are not; 4 may still be under way
  receive(ack({ n: 1, next: 1, bitmap: Uint8Array.of(0b0100_0000) }));
  expect(sent.slice(5)).toEqual(["d1", "d2"]);
  receive(ack({ n: 2, next: 1, bitmap: Uint8Array.of(0b0100_0000) }));
  expect(sent).toHaveLength(7);
});

test("commands and times are handed on with who sealed them, and free nothing", () => {
  const { submit, up, receive, sender, others } = setUp();
  up();
  submit("birth", 0);
  const down = { kid: device.kid, boot: 7 };
  receive(sign1(encodeMessage({ type: "time", ...down, n: 1, echoTick: 0, gatewayMs: 5 }), gateway));
  receive(sign1(encodeMessage({ type: "command", ...down, n: 2, expires: 9, op: 8, parameters: [] }), gateway));
  receive(sign1(encodeMessage({ type: "command", ...down, n: 2, expires: 9, op: 8, parameters: [] }), gateway));
  expect(others).toEqual(["time", "command"]);
  expect(sender.outbox.waiting).toHaveLength(1);
});

test("a line without acks is told the birth again every ten seconds, one with acks is not", () => {
  const { submit, up, sent, clock, receive, ack } = setUp();
  up();
  submit("birth", 0);
  receive(ack({ n: 1, next: 1 }));
  clock.runUntil(9.5e6);
  expect(sent).toEqual(["b0"]);
  clock.runUntil(31.5e6);
  expect(sent).toEqual(["b0", "b0", "b0", "b0"]);
  submit("data", 1);
  receive(ack({ n: 2, next: 2 }));
  clock.runUntil(41e6);
  expect(sent).toEqual(["b0", "b0", "b0", "b0", "d1"]);
});

test("a broker that comes back is given the birth again, for it may have forgotten what it retained", () => {
  const { submit, up, down, sent, receive, ack, clock } = setUp(true);
  up(1);
  submit("birth", 0);
  receive(ack({ n: 1, next: 1 }));
  down();
  up(2);
  expect(sent).toEqual(["w111", "b0", "w121", "b0"]);
  clock.runUntil(60e6);
  expect(sent).toHaveLength(4);
});

test("a link that takes no more ends the turn: what waits keeps its order and is not counted as sent", () => {
  const { submit, up, sent, clock, setWorks, sender } = setUp();
  setWorks(false);
  for (let seq = 0; seq < 3; seq++) submit("data", seq);
  up();
  expect(sender.outbox.waiting.map(({ sentAt }) => sentAt)).toEqual([null, null, null]);
  setWorks(true);
  clock.runUntil(1e6);
  expect(sent).toEqual(["d2", "d0", "d1"]);
});
