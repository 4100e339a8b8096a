/** How a board answers commands: each status, expiry, the queue at its end, what it can no more. */
import { expect, test } from "vitest";
import { encodeCbor } from "../../protocol/index.ts";
import {
  EVENT_CONFIGURATION,
  MDC_ECG,
  OP_CONSOLE,
  OP_FIRMWARE_ANNOUNCE,
  OP_REBOOT,
  OP_REKEY,
  OP_SELF_TEST,
  OP_SEND_BIRTH,
  OP_SET_FILTER,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  OP_STOP,
  OP_TIME_PING,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_FAILED,
  STATUS_NOT_POSSIBLE,
  STATUS_REFUSED,
  STATUS_UNKNOWN_OP,
} from "../../protocol/messages.ts";
import { createCommanded, ECG, MODES, RED, waves } from "./commanded.ts";

test("reboot and console are answered first and done a second later; rekey and firmware answer when they are done", () => {
  const done: string[] = [];
  let answer: ((status: number) => void) | undefined;
  const board = createCommanded({
    handlers: {
      reboot: () => done.push("reboot"),
      console: () => done.push("console"),
      rekey: (card, tell) => {
        done.push(`rekey ${card}`);
        answer = tell;
      },
      firmware: (object, tell) => {
        done.push(`firmware ${object.length}`);
        tell(STATUS_REFUSED);
      },
    },
  });
  board.start(2);
  expect(board.statusOf(board.command(OP_REBOOT))).toBe(STATUS_DONE);
  expect(board.statusOf(board.command(OP_CONSOLE))).toBe(STATUS_DONE);
  expect(board.statusOf(board.command(OP_FIRMWARE_ANNOUNCE, [[1, new Uint8Array(9)]]))).toBe(STATUS_REFUSED);
  const rekey = board.command(OP_REKEY);
  expect(done).toEqual(["firmware 9", "rekey null"]);
  board.run(1);
  expect(done.slice(2)).toEqual(["reboot", "console"]);
  expect(board.statusOf(rekey)).toBe(null);
  answer!(STATUS_DONE);
  answer!(STATUS_FAILED);
  expect(board.statusOf(rekey)).toBe(STATUS_DONE);
});

test("what a board cannot, does not know, or may not, is answered by its status and nothing happens", () => {
  const board = createCommanded();
  board.start(2);
  const status = (op: number, parameters: [number, number | string | Uint8Array][] = []) => {
    const n = board.command(op, parameters);
    board.run(0.2);
    return board.statusOf(n);
  };
  for (const op of [OP_REBOOT, OP_CONSOLE, OP_REKEY]) expect(status(op)).toBe(STATUS_NOT_POSSIBLE);
  expect(status(OP_FIRMWARE_ANNOUNCE, [[1, encodeCbor(1)]])).toBe(STATUS_NOT_POSSIBLE);
  for (const op of [16, 31]) expect(status(op)).toBe(STATUS_UNKNOWN_OP);
  const bad: [number, [number, number | string | Uint8Array][]][] = [
    [OP_SET_LED_CURRENT, []],
    [OP_SET_LED_CURRENT, [[1, "24"]]],
    [
      OP_SET_LED_CURRENT,
      [
        [1, 24],
        [9, 1],
      ],
    ],
    [
      OP_SET_LED_CURRENT,
      [
        [1, 24],
        [2, 60],
      ],
    ],
    [OP_SET_RATE, [[1, 100_000]]],
    [
      OP_SET_RATE,
      [
        [1, 101_000],
        [2, RED],
      ],
    ],
    [OP_SET_FILTER, []],
    [OP_SET_FILTER, [[1, 41]]],
    [OP_START, [[2, 50]]],
    [OP_TIME_PING, [[1, 1]]],
  ];
  for (const [op, parameters] of bad) expect([op, parameters, status(op, parameters)]).toEqual([op, parameters, 2]);
  expect(
    status(OP_SET_LED_CURRENT, [
      [1, 24],
      [2, ECG],
    ]),
  ).toBe(STATUS_NOT_POSSIBLE);
  expect(
    status(OP_SET_FILTER, [
      [1, 0],
      [2, RED],
    ]),
  ).toBe(STATUS_NOT_POSSIBLE);
  // the hard limits, whatever the chip could: 25 mA, 500 Hz
  expect(status(OP_SET_LED_CURRENT, [[1, 26]])).toBe(STATUS_BEYOND_LIMIT);
  expect(
    status(OP_SET_RATE, [
      [1, 512_000],
      [2, ECG],
    ]),
  ).toBe(STATUS_BEYOND_LIMIT);
  expect(status(OP_SET_LED_CURRENT, [[1, 25]])).toBe(STATUS_DONE);
  expect(board.births()).toHaveLength(1);
  expect(board.eventsOf(EVENT_CONFIGURATION)).toHaveLength(1);
  // a stopped chip has nothing to change or to test
  status(OP_STOP);
  expect(status(OP_SET_LED_CURRENT, [[1, 20]])).toBe(STATUS_NOT_POSSIBLE);
  expect(status(OP_SELF_TEST)).toBe(STATUS_NOT_POSSIBLE);
});

test("a command is obeyed until its tick and not a millisecond longer, also where it waited for its turn", () => {
  const board = createCommanded();
  board.start(3);
  const at = board.command(OP_SEND_BIRTH, [], 3000);
  const late = board.command(OP_SEND_BIRTH, [], 2999);
  const ping = board.command(OP_TIME_PING, [], 2999);
  board.command(OP_SELF_TEST);
  const waited = board.command(OP_SEND_BIRTH, [], 3001);
  board.run(3);
  expect(board.statusOf(at)).toBe(STATUS_DONE);
  expect([late, ping, waited].map((n) => board.statusOf(n))).toEqual([STATUS_EXPIRED, STATUS_EXPIRED, STATUS_EXPIRED]);
  expect(board.births()).toHaveLength(2);
});

test("a board that stops answers what still waits, and its last message is sealed after the answers", () => {
  const board = createCommanded();
  board.start(3);
  const waiting = [OP_SELF_TEST, OP_SEND_BIRTH, OP_SELF_TEST].map((op) => board.command(op));
  board.node.runtime.stop(() => {});
  board.run(8);
  expect(waiting.map((n) => board.statusOf(n))).toEqual(expect.arrayContaining([STATUS_FAILED]));
  expect(waiting.map((n) => board.statusOf(n))).not.toContain(null);
  const produced = board.node.runtime.produced;
  board.command(OP_SEND_BIRTH);
  expect(board.node.runtime.produced).toBe(produced);
});

test("a board that must not encrypt any more obeys nothing: it could not answer", () => {
  const called: string[] = [];
  const board = createCommanded({ seal: MODES["bare E"]!, handlers: { rekey: () => called.push("rekey") } });
  board.start(2);
  board.command(OP_REKEY);
  board.command(OP_REKEY);
  expect(called).toEqual(["rekey"]);
  const produced = board.node.runtime.produced;
  // the gateway has what this boot never sent: an old storage image
  board.say({ type: "ack", ofBoot: 7, next: 5000, bitmap: new Uint8Array(0), refused: [] });
  board.command(OP_REKEY);
  board.command(OP_SEND_BIRTH);
  board.run(40);
  expect(called).toEqual(["rekey"]);
  expect(board.node.runtime.produced).toBe(produced);
});

test("a change that does not reach the chip has failed, and nothing says that it holds", () => {
  const board = createCommanded();
  board.start(2);
  board.node.board.busFault = ({ model }) => (model === "MAX30102" ? "nack" : null);
  const n = board.command(OP_SET_LED_CURRENT, [[1, 24]]);
  board.run(1);
  expect(board.statusOf(n)).toBe(STATUS_FAILED);
  expect(board.eventsOf(EVENT_CONFIGURATION)).toEqual([]);
});

test("a chip that does not come back in its new configuration is told as failed, with the new birth, and is tried again", () => {
  const board = createCommanded();
  board.start(2);
  expect(board.births()[0]!.channels.some(({ mdc }) => mdc === MDC_ECG)).toBe(true);
  board.node.board.busFault = ({ model }) => (model === "MAX30003" ? "nack" : null);
  const n = board.command(OP_SET_RATE, [
    [1, 128_000],
    [2, ECG],
  ]);
  board.run(2);
  expect(board.statusOf(n)).toBe(STATUS_FAILED);
  expect(board.births().at(-1)!.cfg).toBe(2);
  board.node.board.busFault = null;
  board.run(12);
  expect(waves(board, ECG).at(-1)!.cfg).toBe(2);
});
