/**
 * Does what an authentic command says, within limits that no command moves, and answers each with one event 5
 * (PROTOCOL.md sections 2.3 and 4). One at a time, in the order of their arrival, at most eight in all. Device side.
 */
import {
  type CommandMessage,
  KEY_VALUE,
  OP_CONSOLE,
  OP_FIRMWARE_ANNOUNCE,
  OP_REBOOT,
  OP_REKEY,
  OP_SEND_BIRTH,
  OP_TIME_PING,
  operationOf,
  parameterOf,
  STATUS_BAD_PARAMETER,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_FAILED,
  STATUS_NOT_POSSIBLE,
  STATUS_UNKNOWN_OP,
  wrongParameter,
} from "../protocol/messages.ts";
import { obeyAlarms } from "./commands/alarms.ts";
import { obeyChips } from "./commands/chips.ts";
import type { CommandHost, Done } from "./commands/host.ts";

export type { CommandHandlers, CommandHost, DeviceLimits } from "./commands/host.ts";
export { DEVICE_LIMITS } from "./commands/host.ts";

export interface Commands {
  /** Takes an authentic command, of this device and boot, with a new n. `gateway`: who sealed it (downlink.ts). */
  take(command: CommandMessage, gateway: Uint8Array): void;
  /** Answers what still waits as failed, and whatever comes as well: the board stops. */
  end(): void;
}

interface Waiting {
  readonly command: CommandMessage;
  readonly gateway: Uint8Array;
  answered: boolean;
}

/** Commands that wait at most, the one that is being done included. */
const QUEUE = 8;
/** A command that is not done in this time has failed, ms. */
const LIMIT = 30000;
/** Between an answer and what ends the talk, ms: the answer must have left. */
const FAREWELL = 1000;

export function createCommands(host: CommandHost): Commands {
  const queue: Waiting[] = [];
  let current: Waiting | null = null;
  let ended = false;

  const answer = (one: Waiting, status: number): void => {
    if (one.answered) return;
    one.answered = true;
    host.answer(one.gateway, one.command.n, status);
  };
  const isExpired = (command: CommandMessage): boolean => host.now() > command.expires * 1000;

  /** Answered first, done a second later: whoever asked would not hear of it else. */
  const afterwards = (handler: (() => void) | undefined, done: Done): void => {
    if (handler === undefined) {
      done(STATUS_NOT_POSSIBLE);
      return;
    }
    done(STATUS_DONE);
    host.timer(FAREWELL, handler);
  };
  const obey = (command: CommandMessage, done: Done): void => {
    const op = command.op;
    const handlers = host.handlers;
    const value = parameterOf(command.parameters, KEY_VALUE);
    if (op === OP_SEND_BIRTH) {
      host.birth();
      done(STATUS_DONE);
    } else if (op === OP_REBOOT) afterwards(handlers.reboot, done);
    else if (op === OP_CONSOLE) afterwards(handlers.console, done);
    else if (op === OP_FIRMWARE_ANNOUNCE && handlers.firmware !== undefined && value instanceof Uint8Array)
      handlers.firmware(value, done);
    else if (op === OP_REKEY && handlers.rekey !== undefined)
      handlers.rekey(value instanceof Uint8Array ? value : null, done);
    else if (!obeyAlarms(host, command, done) && !obeyChips(host, command, done)) done(STATUS_NOT_POSSIBLE);
  };
  const arms: { next: () => void } = { next: () => {} };
  const run = (one: Waiting): void => {
    const command = one.command;
    const operation = operationOf(command.op);
    const finish = (status: number): void => {
      if (one.answered) return;
      cancel();
      answer(one, status);
      if (current === one) current = null;
      arms.next();
    };
    const cancel = host.timer(LIMIT, () => finish(STATUS_FAILED));
    if (isExpired(command)) finish(STATUS_EXPIRED);
    else if (operation === null) finish(STATUS_UNKNOWN_OP);
    else if (wrongParameter(operation, command.parameters) !== null) finish(STATUS_BAD_PARAMETER);
    else {
      try {
        obey(command, finish);
      } catch (_error) {
        finish(STATUS_FAILED);
      }
    }
  };
  arms.next = (): void => {
    if (current !== null || ended) return;
    const one = queue.shift();
    if (one === undefined) return;
    current = one;
    run(one);
  };

  return {
    take(command, gateway) {
      // a copy: the message that it is a view into is not kept
      const one: Waiting = { command: command, gateway: new Uint8Array(gateway), answered: false };
      if (command.op === OP_TIME_PING) {
        const operation = operationOf(command.op);
        const wrong = operation === null || wrongParameter(operation, command.parameters) !== null;
        answer(one, isExpired(command) ? STATUS_EXPIRED : wrong ? STATUS_BAD_PARAMETER : STATUS_DONE);
      } else if (ended || queue.length + (current === null ? 0 : 1) >= QUEUE) answer(one, STATUS_FAILED);
      else {
        queue.push(one);
        arms.next();
      }
    },
    end() {
      ended = true;
      if (current !== null) answer(current, STATUS_FAILED);
      for (let i = 0; i < queue.length; i++) answer(queue[i], STATUS_FAILED);
      queue.splice(0, queue.length);
    },
  };
}
