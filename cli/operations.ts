/** The operations of a command in words, for a person who types one. */
import { operations, type Parameter } from "../protocol/messages/ops.ts";

/** "current=0..102 mA", "[channel=0..63]" */
export function usageOf({ name, kind, unit, lowest, highest, required }: Parameter): string {
  const value = kind === "int" ? `${lowest}..${highest}` : kind === "bytes" ? "HEX" : "TEXT";
  const words = `${name}=${value}${unit === "" ? "" : ` ${unit}`}`;
  return required ? words : `[${words}]`;
}

/** What follows `vitalwire command --help`: every operation with its arguments. */
export function operationsHelp(): string {
  const lines = operations().map(({ op, name, parameters }) =>
    [`  ${String(op).padStart(2)}  ${name}`, ...parameters.map(usageOf)].join("  "),
  );
  return ["", "OP, by number or name, and its ARGUMENTS (raw: in the channel's raw values):", ...lines].join("\n");
}
