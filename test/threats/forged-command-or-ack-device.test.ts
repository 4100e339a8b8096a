/**
 * Threat: forged command or ack (PROTOCOL.md section 10), at the device. In every mode: what is of another boot, has an old
 * number, has expired, is for another device, or of a gateway that nobody enrolled, moves nothing and frees nothing.
 */
import { describe, expect, test } from "vitest";
import type { DownlinkBody } from "../../gateway/downlink.ts";
import { OP_SEND_BIRTH, STATUS_DONE, STATUS_EXPIRED } from "../../protocol/messages.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { type Address, createCommanded, MODES } from "../firmware/commanded.ts";

const settling: DownlinkBody = { type: "ack", ofBoot: 7, next: 3, bitmap: new Uint8Array(0), refused: [] };

describe.each(Object.entries(MODES))("in mode %s", (mode, seal) => {
  const started = () => {
    const board = createCommanded({ seal });
    board.start(3.5);
    return board;
  };
  const kinds = (board: ReturnType<typeof started>) =>
    [board.commandBody(OP_SEND_BIRTH), settling, { type: "time", echoTick: 0, gatewayMs: 5 }] as DownlinkBody[];

  test("an authentic command is obeyed and an authentic ack frees, so that what follows refuses for its own reason", () => {
    const board = started();
    const waiting = board.node.runtime.outbox.waiting.length;
    const n = board.command(OP_SEND_BIRTH);
    expect(board.statusOf(n)).toBe(STATUS_DONE);
    board.say(settling);
    expect(board.node.runtime.outbox.waiting).toHaveLength(waiting + 2 - 3);
    expect(board.node.runtime.refused).toBe(0);
  });

  test("another boot, an old number, the same again, another device, an unknown gateway: each is counted, nothing is done", () => {
    const board = started();
    // 5 is what was heard last
    board.say({ type: "time", echoTick: 0, gatewayMs: 1 });
    board.receive(board.sealed({ type: "time", echoTick: 0, gatewayMs: 1 }, { n: 5 }));
    const waiting = board.node.runtime.outbox.waiting.length;
    const produced = board.node.runtime.produced;
    const bad: Address[] = [{ boot: 6, n: 6 }, { boot: 8, n: 6 }, { n: 5 }, { n: 4 }, { n: 0 }];
    // E names the device outside and inside: another one inside cannot even be sealed
    if (!seal.encrypt) bad.push({ kid: new Uint8Array(8), n: 6 });
    for (const body of kinds(board)) {
      for (const address of bad) board.receive(board.sealed(body, address));
      board.receive(board.sealed(body, { n: 6 }, testOnlySigner("nobody's gateway")).map(tampered(mode)));
    }
    expect(board.node.runtime.refused).toBe(3 * (bad.length + 1));
    const { signature, payload, kid, boot, replay } = board.node.runtime.refusals;
    expect(payload).toBe(0);
    // where the device is in the envelope it is refused before anything is decoded
    expect(signature + kid + boot).toBe(3 * (bad.length + 1 - 3));
    expect(replay).toBe(3 * 3);
    board.run(0.4);
    expect(board.node.runtime.outbox.waiting).toHaveLength(waiting);
    expect(board.node.runtime.produced).toBe(produced);
    // and the number that was not used up by any of it is good
    expect(board.statusOf(receiveAt(board, 6))).toBe(STATUS_DONE);
  });

  test("the same bytes again are not obeyed again", () => {
    const board = started();
    const command = board.sealed(board.commandBody(OP_SEND_BIRTH));
    for (let i = 0; i < 3; i++) board.receive(command);
    expect(board.births()).toHaveLength(2);
    expect(board.results()).toHaveLength(1);
    expect(board.node.runtime.refusals.replay).toBe(2);
  });

  test("an expired command is answered as expired, once, and not obeyed", () => {
    const board = started();
    const n = board.command(OP_SEND_BIRTH, [], 3499);
    expect(board.statusOf(n)).toBe(STATUS_EXPIRED);
    expect(board.births()).toHaveLength(1);
  });

  test("no byte of a command can be changed, none cut off, none added", () => {
    const board = started();
    const command = board.sealed(board.commandBody(OP_SEND_BIRTH));
    for (let at = 0; at < command.length; at++) board.receive(command.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    for (let length = 0; length < command.length; length++) board.receive(command.subarray(0, length));
    board.receive(Uint8Array.of(...command, 0));
    expect(board.node.runtime.refused).toBe(2 * command.length + 1);
    expect(board.births()).toHaveLength(1);
    board.receive(command);
    expect(board.births()).toHaveLength(2);
  });

  test("what the board itself has sent is no command to it, nor is what another mode would have sealed", () => {
    const board = started();
    const before = board.sent.length;
    for (let i = 0; i < before; i++) board.receive(board.sent[i]!);
    expect(board.node.runtime.refused).toBe(before);
    if (seal.encrypt) {
      for (const how of [MODES.S!, ...(seal.mode === "mac" ? [MODES.M!] : [])])
        board.receive(board.sealed(board.commandBody(OP_SEND_BIRTH), {}, undefined, how));
    }
    expect(board.births()).toHaveLength(1);
  });
});

/** With a pre-shared key the gateway is who has it: another one has another MAC, here the last byte of it. */
const tampered = (mode: string) => (byte: number, at: number, all: Uint8Array) =>
  (mode === "M" || mode === "bare E") && at === all.length - 1 ? byte ^ 1 : byte;

const receiveAt = (board: ReturnType<typeof createCommanded>, n: number) => {
  board.receive(board.sealed(board.commandBody(OP_SEND_BIRTH), { n }));
  return n;
};
