/** What the rest of the command line asks of a running gateway: the table of its requests. */
import { commandHandler } from "../../gateway/command-request.ts";
import { type Commander, createCommander } from "../../gateway/commander.ts";
import { type Control, type ControlRequest, controlPath, startControl } from "../../gateway/control.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { fromHex } from "../../protocol/keys.ts";
import { operationOf, STATUS_WORDS } from "../../protocol/messages.ts";

const isKid = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);

const timer = (ms: number, callback: () => void) => {
  const timeout = setTimeout(callback, ms);
  return () => clearTimeout(timeout);
};

/**
 * Opens the control socket beside the store; gives what closes it. Where it cannot be opened the gateway works without it,
 * and says so.
 */
export async function openControl(
  store: string,
  gateway: Gateway,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  const commander = createCommander(gateway, { timer });
  let control: Control | null = null;
  try {
    control = await startControl(controlPath(store), {
      command: (request) => tellCommand(commander, request, say),
      release: ({ device }) => releaseDevice(gateway, device, say),
    });
  } catch (error) {
    say(`${(error as Error).message}; until then "vitalwire command" does not reach this gateway`);
  }
  return async () => {
    commander.close();
    await control?.close();
  };
}

/** The request "command": sent, and told, for who commanded what is part of a ward's story. */
async function tellCommand(commander: Commander, request: ControlRequest, say: (line: string) => void) {
  const device = isKid(request.device) ? `board ${request.device}` : "a board that has no such name";
  const name = operationOf(Number(request.op))?.name ?? "an operation";
  const told = (outcome: string) => say(`${device}: ${name}, asked for by command: ${outcome}`);
  try {
    const outcome = await commandHandler(commander)(request);
    told(STATUS_WORDS[outcome.status] ?? `status ${outcome.status}`);
    return outcome;
  } catch (error) {
    told((error as Error).message);
    throw error;
  }
}

/** The request "release": {device}. True where the device was in quarantine. */
function releaseDevice(gateway: Gateway, device: unknown, say: (line: string) => void): boolean {
  if (!isKid(device)) throw new Error("device is no kid of 16 hex digits");
  const released = gateway.devices.release(fromHex(device), Date.now());
  if (released) say(`board ${device}: released from quarantine, by hand`);
  return released;
}
