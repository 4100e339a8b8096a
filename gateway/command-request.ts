/** The control request "command": {device, op, arguments, valid, wait} as it came, checked, and sent. */
import { fromHex } from "../protocol/keys.ts";
import type { CommandMessage } from "../protocol/messages.ts";
import { CommandError, type Commander, type CommandOutcome } from "./commander.ts";
import type { ControlRequest } from "./control.ts";

/** Parameters of one command (items of its message are bounded). */
const PARAMETERS = 32;

type Parameters = CommandMessage["parameters"];

const invalid = (what: string) => new CommandError("invalid", `the request's ${what}`);

function numberOf(request: ControlRequest, name: string): number {
  const value = request[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw invalid(`${name} is no number`);
  return value;
}

/** `arguments`: [[key, number or text or {hex}], …] */
function parametersOf(given: unknown): Parameters {
  if (!Array.isArray(given) || given.length > PARAMETERS) throw invalid(`arguments are no list of up to ${PARAMETERS}`);
  const parameters = given.map((one): Parameters[number] => {
    const [key, value] = Array.isArray(one) && one.length === 2 ? one : [];
    if (!Number.isSafeInteger(key) || key < 0) throw invalid("arguments are no [key, value] each");
    if (Number.isSafeInteger(value) || typeof value === "string") return [key, value];
    const hex = typeof value === "object" && value !== null ? (value as { hex?: unknown }).hex : undefined;
    if (typeof hex !== "string" || !/^([0-9a-f]{2})*$/i.test(hex)) {
      throw invalid(`argument ${key} is no whole number, text or {"hex": …}`);
    }
    return [key, fromHex(hex)];
  });
  if (new Set(parameters.map(([key]) => key)).size < parameters.length) throw invalid("arguments name a key twice");
  return parameters;
}

/** Gives {boot, n, status}; throws CommandError. `valid` and `wait` are seconds. */
export function commandHandler(commander: Commander): (request: ControlRequest) => Promise<CommandOutcome> {
  return async (request) => {
    const { device } = request;
    if (typeof device !== "string" || !/^[0-9a-f]{16}$/.test(device))
      throw invalid("device is no kid of 16 hex digits");
    return commander.send(fromHex(device), numberOf(request, "op"), parametersOf(request.arguments), {
      validFor: numberOf(request, "valid") * 1000,
      wait: numberOf(request, "wait") * 1000,
    });
  };
}
