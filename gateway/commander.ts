/**
 * Commands to boards, each with one outcome: the board's status, or why there is none. A result counts by event 5 of the
 * board's own boot, which was verified and stored; a command is never sent again under its number (PROTOCOL.md section 4).
 */
import { kidText } from "../protocol/keys.ts";
import { type CommandMessage, operationOf, wrongParameter } from "../protocol/messages.ts";
import { commandResult } from "./board-time.ts";
import type { Device } from "./devices.ts";
import type { Gateway } from "./gateway.ts";
import type { Accepted } from "./receiver.ts";

/** Why there is no status. */
export type CommandFault =
  /** The device is not enrolled, or its card has expired. */
  | "unknown"
  /** It is in quarantine, or revoked: nobody knows who would obey. */
  | "distrusted"
  /** No data or event of its current boot were heard since the gateway began: how to speak to it is not known. */
  | "unheard"
  /** No such operation, a parameter that it has not, a time out of range. */
  | "invalid"
  /** As many commands of it are under way as may be. */
  | "busy"
  /** The store failed: it was not sent. */
  | "unsent"
  /** Sent, and not answered in time: it may still be obeyed until it expires. */
  | "timeout"
  /** Sent, and the device began a new boot before it answered. */
  | "superseded";

export class CommandError extends Error {
  readonly fault: CommandFault;
  constructor(fault: CommandFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export interface CommandOptions {
  /** How long the device may still begin to obey it, ms: 1 s to an hour. */
  readonly validFor: number;
  /** How long its answer is waited for, ms: at most 10 minutes. */
  readonly wait: number;
}

export interface CommandOutcome {
  readonly boot: number;
  readonly n: number;
  /** STATUS_… of messages/ops.ts, or a newer one. */
  readonly status: number;
}

export interface Commander {
  /** Sends it once. Rejects with a CommandError, within `wait` at the latest. */
  send(
    kid: Uint8Array,
    op: number,
    parameters: CommandMessage["parameters"],
    options: CommandOptions,
  ): Promise<CommandOutcome>;
  /** Ends it: what waits is rejected. */
  close(): void;
}

export interface CommanderOptions {
  /** Calls back after `ms`; gives the cancel. */
  readonly timer: (ms: number, callback: () => void) => () => void;
}

/** Commands of one device under way at a time. */
const UNDER_WAY = 8;
export const SHORTEST_VALIDITY = 1000;
export const LONGEST_VALIDITY = 3_600_000;
export const LONGEST_WAIT = 600_000;

interface Pending {
  readonly kid: string;
  /** null: not sent yet. */
  sent: { readonly boot: number; readonly n: number; readonly name: Uint8Array } | null;
  readonly settle: (outcome: CommandOutcome | CommandError) => void;
}

export function createCommander(gateway: Gateway, { timer }: CommanderOptions): Commander {
  const pending = new Set<Pending>();

  const judge = ({ row, message }: Accepted) => {
    if (pending.size === 0) return;
    const kid = kidText(row.kid);
    const result = commandResult(message);
    for (const one of [...pending]) {
      if (one.kid !== kid || one.sent === null) continue;
      const { boot, n, name } = one.sent;
      if (message.type === "birth" && row.boot > boot) {
        const what = `device ${kid} began boot ${row.boot} before it answered command ${n} of boot ${boot}`;
        one.settle(new CommandError("superseded", `${what}; look whether it was obeyed, then give it again`));
      } else if (row.boot === boot && result?.n === n && Buffer.compare(result.name, name) === 0) {
        one.settle({ boot, n, status: result.status });
      }
    }
  };
  const unwatch = gateway.watch(judge);

  /** Throws CommandError where it cannot be asked at all. */
  const admit = (kid: string, device: Device | undefined): void => {
    if (device === undefined) {
      throw new CommandError("unknown", `device ${kid} is not enrolled here; "vitalwire devices" lists those that are`);
    }
    if (device.quarantine !== null) {
      const free = `"vitalwire devices --release ${kid}" frees it`;
      throw new CommandError("distrusted", `device ${kid} is in quarantine: ${device.quarantine.sentence}; ${free}`);
    }
    if (gateway.devices.revocation(device.card.kid) !== undefined) {
      throw new CommandError("distrusted", `device ${kid}: the site has revoked its key; enrol it with a new one`);
    }
    const boot = gateway.reachable(device);
    if (boot === null || gateway.times.tickNow(boot.kid, boot.boot) === null) {
      throw new CommandError(
        "unheard",
        `device ${kid} has not been heard since the gateway began; switch it on, wait for its first data`,
      );
    }
    if ([...pending].filter((one) => one.kid === kid).length >= UNDER_WAY) {
      throw new CommandError("busy", `device ${kid}: ${UNDER_WAY} commands are under way; wait for their answers`);
    }
  };
  const check = (op: number, parameters: CommandMessage["parameters"], { validFor, wait }: CommandOptions) => {
    const operation = operationOf(op);
    if (operation === null) throw new CommandError("invalid", `there is no operation ${op}`);
    const wrong = wrongParameter(operation, parameters);
    if (wrong !== null) throw new CommandError("invalid", wrong);
    if (!(validFor >= SHORTEST_VALIDITY && validFor <= LONGEST_VALIDITY)) {
      const [low, high] = [SHORTEST_VALIDITY / 1000, LONGEST_VALIDITY / 1000];
      throw new CommandError("invalid", `a command is valid for ${low} to ${high} s, not ${validFor / 1000}`);
    }
    if (!(wait > 0 && wait <= LONGEST_WAIT)) {
      throw new CommandError("invalid", `an answer is waited for up to ${LONGEST_WAIT / 1000} s, not ${wait / 1000}`);
    }
  };
  return {
    async send(kid, op, parameters, options) {
      check(op, parameters, options);
      const name = kidText(kid);
      admit(name, gateway.devices.get(kid));
      return await new Promise<CommandOutcome>((resolve, reject) => {
        const one: Pending = {
          kid: name,
          sent: null,
          settle(outcome) {
            if (!pending.delete(one)) return;
            cancel();
            if (outcome instanceof CommandError) reject(outcome);
            else resolve(outcome);
          },
        };
        pending.add(one);
        const cancel = timer(options.wait, () => {
          const late = `device ${name} has not answered ${one.sent === null ? "" : `command ${one.sent.n} `}in ${options.wait / 1000} s`;
          one.settle(new CommandError("timeout", `${late}; until it expires it may still obey`));
        });
        gateway.post(kid, {
          body({ boot }) {
            const tick = gateway.times.tickNow(kid, boot);
            if (tick === null) throw new Error(`its boot ${boot} has said nothing yet; give it again in a moment`);
            return { type: "command", expires: tick + Math.round(options.validFor), op, parameters };
          },
          left(boot, n) {
            one.sent = { boot: boot.boot, n, name: gateway.sealer.nameIn(boot) };
          },
          failed: (error) => one.settle(new CommandError("unsent", `the command was not sent: ${error.message}`)),
        });
      });
    },
    close() {
      unwatch();
      for (const one of [...pending]) one.settle(new CommandError("unsent", "the gateway is ending"));
    },
  };
}
