/** vitalwire command: asks the gateway that works on a store to tell a device something, and says what became of it. */
import { readFileSync } from "node:fs";
import { askGateway } from "../gateway/control.ts";
import { fromHex } from "../protocol/keys.ts";
import {
  type Operation,
  operationNamed,
  operationOf,
  type Parameter,
  STATUS_DONE,
  STATUS_WORDS,
  wrongParameter,
} from "../protocol/messages.ts";
import { usageOf } from "./operations.ts";
import { UsageError } from "./usage.ts";

export interface CommandOptions {
  readonly store: string;
  readonly device: string;
  /** s */
  readonly valid: number;
  /** s */
  readonly wait: number;
  readonly json?: boolean;
}

/** What the gateway may take beyond the board's own time, ms. */
const GATEWAY_LIMIT = 5000;

type Value = number | string | Uint8Array;

/** Throws UsageError for what no operation is called. */
function operationFor(text: string): Operation {
  const found = /^\d+$/.test(text) ? operationOf(Number(text)) : operationNamed(text);
  if (found !== null) return found;
  throw new UsageError(`no operation "${text}"; "vitalwire command --help" lists them`);
}

function fileOf(path: string, fault: (rule: string) => UsageError): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw fault((error as Error).message);
  }
}

function parseValue(parameter: Parameter, text: string): Value {
  const fault = (rule: string) => new UsageError(`${parameter.name}=${text.slice(0, 40)}: ${rule}`);
  if (parameter.kind === "text") return text;
  if (parameter.kind === "bytes") {
    if (text.startsWith("@")) return fileOf(text.slice(1), fault);
    if (!/^([0-9a-f]{2})+$/i.test(text)) throw fault("give bytes as hexadecimal digits, two a byte, or @FILE");
    return fromHex(text);
  }
  if (!/^-?\d{1,15}$/.test(text))
    throw fault(`give a whole number${parameter.unit === "" ? "" : ` of ${parameter.unit}`}`);
  return Number(text);
}

/** [key, value] of each name=value, in rising order of the keys. Throws UsageError for what the operation does not take. */
export function parametersFor(operation: Operation, args: readonly string[]): [number, Value][] {
  const found = new Map<number, Value>();
  const takes =
    operation.parameters.length === 0 ? "takes none" : `takes ${operation.parameters.map(usageOf).join(" ")}`;
  for (const arg of args) {
    const at = arg.indexOf("=");
    const parameter = operation.parameters.find(({ name }) => name === arg.slice(0, Math.max(0, at)));
    if (parameter === undefined)
      throw new UsageError(`${operation.name}: no argument "${arg.slice(0, 40)}"; it ${takes}`);
    if (found.has(parameter.key)) throw new UsageError(`${operation.name}: ${parameter.name} is given twice`);
    found.set(parameter.key, parseValue(parameter, arg.slice(at + 1)));
  }
  const parameters = [...found].sort(([a], [b]) => a - b);
  const wrong = wrongParameter(operation, parameters);
  if (wrong !== null) throw new UsageError(`${wrong}; it ${takes}`);
  return parameters;
}

interface Outcome {
  readonly boot: number;
  readonly n: number;
  readonly status: number;
}

export async function command(op: string, args: readonly string[], options: CommandOptions): Promise<void> {
  const { store, wait, valid } = options;
  const device = options.device.toLowerCase();
  if (!/^[0-9a-f]{16}$/.test(device)) throw new UsageError(`--device ${options.device}: a kid has 16 hex digits`);
  const operation = operationFor(op);
  const parameters = parametersFor(operation, args);
  const request = {
    command: "command",
    device,
    op: operation.op,
    arguments: parameters.map(([key, value]) => [
      key,
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : value,
    ]),
    valid,
    wait,
  };
  const answer = await askGateway(store, request, wait * 1000 + GATEWAY_LIMIT);
  if ("error" in answer) throw new Error(answer.error);
  const { boot, n, status } = answer.result as Outcome;
  const statusText = STATUS_WORDS[status] ?? `status ${status}`;
  const document = { device, boot, n, op: operation.op, status, statusText };
  if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else process.stdout.write(`${device}, boot ${boot}: ${operation.name} (number ${n}): ${statusText}\n`);
  if (status !== STATUS_DONE) process.exitCode = 1;
}
